"""Versions: saved, numbered states of a segmentation; and what its journal gives up to them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.commands.opening import opened, set_history_aside
from napari_medlabel.commands.version_annotations import (
    annotations_sha256,
    read_annotations,
    write_annotations,
)
from napari_medlabel.commands.version_files import is_whole, read_version, write_version
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.fingerprint import groups_sha256
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.moment import utc_now
from napari_medlabel.core.provenance import ProvenanceStep, active_seconds, joined, steps_of
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import DamagedHistory, InputError, IntegrityError, ReadOnly
from napari_medlabel.files import new_file
from napari_medlabel.session import OpenCase, Permission, Session
from napari_medlabel.workspace.catalogue import VersionInfo

__all__ = [
    "Past",
    "arrays_of",
    "diff",
    "fold_if_large",
    "past_of",
    "restore",
    "save",
    "save_version",
    "versions",
]

JOURNAL_LIMIT: Final = 1 << 30  # bytes; beyond it older steps are folded into a version
STEPS_KEPT: Final = 500


@command(needs=Permission.SEGMENT)
def save_version(session: Session, case: OpenCase | str, message: str = "") -> VersionInfo:
    """Save the present state as a numbered version; the last one where nothing has changed.

    Raises
    ------
    ReadOnly
        If another window holds the case.
    """
    with opened(session, case) as work:
        return save(session, work, message)


@command(needs=Permission.VIEW)
def versions(session: Session, case: OpenCase | str) -> dict[str, Any]:
    """The saved versions as a JSON-ready document."""
    with opened(session, case, history=False) as work:
        listed = session.workspace.catalogue.versions(work.segmentation_id)
    return {"format": 1, "case": work.info.name, "versions": [_version(one) for one in listed]}


@command(needs=Permission.SEGMENT)
def restore(session: Session, case: OpenCase | str, number: int) -> dict[str, Any]:
    """Make a saved version the present state: one step, whole or not at all, that can be undone.

    Where the history is damaged it is set aside, kept under another name, and a new one begins
    with the version.

    Raises
    ------
    InputError
        If there is no such version.
    Locked
        If it would change a locked segment.
    IntegrityError
        If the version is damaged; says which versions are whole.
    """
    try:
        return _restore(session, case, number)
    except DamagedHistory:
        if isinstance(case, OpenCase):
            raise
        with opened(session, case, history=False) as work:
            arrays_of(session, work, number)  # raises unless the version is whole
            read_annotations(session, work, number)
        set_history_aside(session, case)
        return _restore(session, case, number)


def _restore(session: Session, case: OpenCase | str, number: int) -> dict[str, Any]:
    with opened(session, case) as work:
        arrays, schema = arrays_of(session, work, number)
        written = work.segmentation.apply_all(
            _edits_to(work.segmentation, arrays),
            tool="Restore version", settings={"version": number}, schema=schema,
            annotations=read_annotations(session, work, number), whole=True,
        )  # fmt: skip
    voxels = sum(edit.voxels for edit in written)
    return {"format": 1, "case": work.info.name, "version": number, "voxels": voxels}


@command(needs=Permission.VIEW)
def diff(session: Session, case: OpenCase | str, old: int, new: int = 0) -> dict[str, Any]:
    """What changed per label between two versions; 0 is the present."""
    with opened(session, case, history=0 in (old, new)) as work:
        before, old_schema = arrays_of(session, work, old)
        after, new_schema = arrays_of(session, work, new)
        voxel_ml = work.segmentation.geometry.voxel_ml
    names = {label.value: label.name for schema in (old_schema, new_schema) for label in schema}
    groups = {label.value: label.group for schema in (old_schema, new_schema) for label in schema}
    rows = []
    for value, name in sorted(names.items()):
        was = _mask(before, old_schema, value)
        now = _mask(after, new_schema, value)
        rows.append(
            {
                "value": value,
                "name": name,
                **({"group": groups[value]} if any(groups.values()) else {}),
                "voxels_gained": int(np.count_nonzero(now & ~was)),
                "voxels_lost": int(np.count_nonzero(was & ~now)),
                "change_ml": (int(now.sum()) - int(was.sum())) * voxel_ml,
                "dice": dice(was, now),
            }
        )
    return {"format": 1, "case": work.info.name, "old": old, "new": new, "labels": rows}


def save(session: Session, work: OpenCase, message: str) -> VersionInfo:
    """Save a version of an open case: its files whole and at rest first, its row after."""
    if not work.hold.writable:
        raise ReadOnly(work.hold.reason, "save it there")
    catalogue = session.workspace.catalogue
    state = work.segmentation.snapshot()
    arrays = {group: state.array(group) for group in state.schema.groups}
    sha256 = groups_sha256(arrays)
    described = (_schema_sha256(state.schema), annotations_sha256(state.annotations))
    saved = catalogue.versions(work.segmentation_id)
    if saved and not message:
        last = saved[-1]
        same = (last.sha256, last.schema_sha256, last.annotations_sha256) == (sha256, *described)
        if same and is_whole(session, work, last.number):
            return last
    number = catalogue.next_version(work.segmentation_id)
    write_annotations(session, work, number, state.annotations)
    write_version(session, work, number, arrays, state.schema)
    voxels = {str(label.value): work.segmentation.voxels(label.value) for label in state.schema}
    version = VersionInfo(number, utc_now(), session.person.id, message, sha256, voxels, *described)
    catalogue.add_version(work.segmentation_id, version)
    return version


def arrays_of(
    session: Session, work: OpenCase, number: int
) -> tuple[Mapping[int, LabelArray], LabelSchema]:
    """Labels of every group of a version's schema, and the schema; 0 is the present."""
    if number == 0:
        return work.segmentation.arrays, work.segmentation.schema
    catalogue = session.workspace.catalogue
    listed = [one.number for one in catalogue.versions(work.segmentation_id)]
    if number not in listed:
        there = ", ".join(str(n) for n in listed) or "none yet"
        raise InputError(f"there is no version {number}", f"there are: {there}")
    return _read(session, work, number, listed)


@dataclass(frozen=True, slots=True)
class Past:
    """What led to the present state, in short: for provenance.

    `last` is the number of the journal's last step that is in it.
    """

    steps: tuple[ProvenanceStep, ...] = ()
    active_seconds: float = 0.0
    last: int = 0


def past_of(session: Session, work: OpenCase) -> Past:
    """Steps folded away earlier, then those that the journal still holds."""
    return _with_steps(_folded(session, work), work, work.segmentation.history)


def fold_if_large(session: Session, work: OpenCase, limit: int = JOURNAL_LIMIT) -> None:
    """Fold steps older than the last 500 into a saved version once the journal is too large.

    Their summary goes to `provenance.json` first, so that no crash loses who did what.
    """
    older = work.segmentation.history[:-STEPS_KEPT]
    if work.journal is None or work.journal.size_bytes <= limit or not older:
        return
    work.segmentation.settle()
    save(session, work, "Older steps of the history folded")
    past = _with_steps(_folded(session, work), work, older)
    document = {
        "format": 1,
        "last": past.last,
        "active_seconds": past.active_seconds,
        "steps": [asdict(step) for step in past.steps],
    }
    cipher = session.workspace.catalogue.case_cipher(work.info.id)
    with new_file(_past_path(session, work), force=True) as partial:
        partial.write_bytes(cipher.seal(json.dumps(document).encode(), _past_place(work)))
    work.segmentation.forget_steps(older)
    work.journal.fold(work.segmentation.snapshot(), keep=STEPS_KEPT, above_bytes=limit)


def _folded(session: Session, work: OpenCase) -> Past:
    path = _past_path(session, work)
    if not path.exists():
        return Past()
    cipher = session.workspace.catalogue.case_cipher(work.info.id)
    document = json.loads(cipher.open(path.read_bytes(), _past_place(work)))
    steps = tuple(ProvenanceStep(**entry) for entry in document["steps"])
    return Past(steps, document["active_seconds"], document["last"])


def _with_steps(past: Past, work: OpenCase, numbers: Sequence[int]) -> Past:
    # After a crash between summary and fold the journal still holds steps of the summary.
    fresh = [number for number in numbers if number > past.last]
    steps = [work.segmentation.step(number) for number in fresh]
    seconds = past.active_seconds + active_seconds(step.when for step in steps)
    return Past(joined((*past.steps, *steps_of(steps))), seconds, max((past.last, *fresh)))


def _read(
    session: Session, work: OpenCase, number: int, listed: Sequence[int]
) -> tuple[Mapping[int, LabelArray], LabelSchema]:
    try:
        return read_version(session, work, number)
    except (IntegrityError, InputError) as error:  # it is listed, so a missing folder is damage
        whole = [n for n in listed if n != number and is_whole(session, work, n)]
        raise IntegrityError(
            f"version {number} is damaged: {error.what}",
            f"whole are: {', '.join(map(str, whole)) or 'no other'}; the present state is kept "
            "apart from the versions",
        ) from error


def _edits_to(segmentation: Segmentation, arrays: Mapping[int, LabelArray]) -> list[Edit]:
    """What makes the labels of all groups those of the arrays."""
    now, edits = segmentation.arrays, list[Edit]()
    nothing = np.broadcast_to(np.uint8(0), segmentation.geometry.shape)
    for group in sorted({*now, *arrays}):
        before, after = now.get(group, nothing), arrays.get(group, nothing)
        if before.dtype != after.dtype:
            before, after = before.astype(np.uint16), after.astype(np.uint16)
        edits.append(Edit.between((0, 0, 0), before, after, group=group))
    return edits


def _mask(arrays: Mapping[int, LabelArray], schema: LabelSchema, value: int) -> BoolArray:
    """Where a label is, in its group; nowhere if the schema does not have it."""
    label = schema.get(value)
    if label is None:
        return np.zeros(arrays[0].shape, bool)
    mask: BoolArray = arrays[label.group] == value
    return mask


def _version(one: VersionInfo) -> dict[str, Any]:
    return {
        "number": one.number,
        "when": one.when,
        "who": one.who,
        "message": one.message,
        "voxels": sum(one.voxels.values()),
        "sha256": one.sha256,
    }


def _schema_sha256(schema: LabelSchema) -> str:
    return hashlib.sha256(json.dumps(schema.document()).encode()).hexdigest()


def _past_path(session: Session, work: OpenCase) -> Path:
    return session.workspace.segmentation_folder(work.segmentation_id) / "provenance.json"


def _past_place(work: OpenCase) -> bytes:
    return f"medlabel provenance 1|{work.segmentation_id}".encode()
