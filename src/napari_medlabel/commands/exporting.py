"""Masks leave the workspace: verified, with provenance, and only through here."""

import importlib.metadata
import platform
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from napari_medlabel import __version__
from napari_medlabel.commands.annotations import annotations_to_export
from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import find_case
from napari_medlabel.commands.opening import opened
from napari_medlabel.commands.privacy_gate import check_export
from napari_medlabel.commands.saving import arrays_of, past_of, save
from napari_medlabel.core.provenance import (
    Onto,
    Provenance,
    ProvenanceStep,
    Software,
    VersionRecord,
    source_record,
)
from napari_medlabel.errors import DamagedHistory
from napari_medlabel.export import Exported, MaskToExport, export_masks
from napari_medlabel.formats import parts_of_source
from napari_medlabel.formats.dicom_originals import original_header
from napari_medlabel.session import OpenCase, Permission, Session
from napari_medlabel.storage.ome_zarr import open_volume

__all__ = ["export_case"]

_LOST: Final = ProvenanceStep(
    "lost", "The history is damaged: what led to this version is not known", {}, "", "", "", 0, {}
)
_LIBRARIES: Final = ("numpy", "nibabel", "pydicom", "SimpleITK", "zarr")


@command(needs=Permission.EXPORT)
def export_case(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    case: OpenCase | str,
    folder: Path,
    *,
    name: str = "",
    formats: Sequence[str] = ("nifti",),
    version: int = 0,
    force: bool = False,
    originals: Path | None = None,
    onto: Onto = "grid",
) -> Exported:
    """Write a case's mask with labels, provenance and checksums, verified by reading it back.

    Parameters
    ----------
    case
        An open case, or one by its name.
    folder
        Where to; made where it is missing.
    name
        What the files are called; the case's pseudonym ("case-0012") without it.
    formats
        "nifti", "nrrd", "dicom-seg".
    version
        A saved version; 0 saves the present state as one and exports that.
    force
        Whether existing files may be replaced.
    originals
        The folder of the image's DICOM files: a DICOM segmentation then names the patient and
        study as they do. Without it the case's pseudonym stands there.
    onto
        "grid" is the volume's own; "source" the slices that a resampled volume was made from, by
        the nearest voxel: `NAME-1`, `NAME-2` where they are several evenly spaced runs.

    Raises
    ------
    Refused
        If the case is not cleared to leave the workspace; says what is missing.
    InputError
        If a DICOM segmentation cannot be made of it, or the image's files are not in `originals`.
    OutputError
        If the folder cannot be written or holds such files already.
    IntegrityError
        If what was written does not read back the same; nothing is left then.
    """
    check_export(session, case.info if isinstance(case, OpenCase) else find_case(session, case))
    try:
        return _export(session, case, folder, name, formats, version, originals, onto, force=force)
    except DamagedHistory:
        if version == 0:
            raise
        return _export(
            session, case, folder, name, formats, version, originals, onto,
            force=force, history=False,
        )  # fmt: skip


def _export(  # noqa: PLR0913, PLR0917  # as `export_case`
    session: Session,
    case: OpenCase | str,
    folder: Path,
    name: str,
    formats: Sequence[str],
    version: int,
    originals: Path | None,
    onto: Onto,
    *,
    force: bool,
    history: bool = True,
) -> Exported:
    with opened(session, case, history=history) as work:
        work.loading.wait()
        if version == 0 and work.hold.writable:
            version = save(session, work, "").number
        arrays, schema = arrays_of(session, work, version)
        provenance = replace(_provenance(session, work), schema=schema.document(), version=version)
        if not history:
            provenance = replace(provenance, steps=(_LOST,))
        if "dicom-seg" in formats:
            provenance = replace(provenance, software=(*provenance.software, _library("highdicom")))
        subject = f"case-{work.info.number:04d}"
        source = work.volume.source
        header = original_header(originals, source) if originals is not None else None
        others = {group: arrays[group] for group in schema.groups if group}
        mask = MaskToExport(
            arrays[0], source, schema, provenance, subject, header, others,
            annotations_to_export(session, work, version),
        )  # fmt: skip
        masks = _on_slices(mask, name or subject) if onto == "source" else {name or subject: mask}
        return export_masks(masks, folder, formats=formats, force=force)


def _on_slices(mask: MaskToExport, name: str) -> dict[str, MaskToExport]:
    """The mask on the slices that its volume was made from, by what its files are called."""
    if mask.source.derivation is None:
        return {name: mask}
    provenance = replace(mask.provenance, onto="source")
    groups = {
        group: parts_of_source(array, mask.source) for group, array in mask.on_source_grid().items()
    }
    parts = groups[0]
    names = [name] if len(parts) == 1 else [f"{name}-{n}" for n in range(1, len(parts) + 1)]
    return {
        one: replace(
            mask, labels=labels, source=source, provenance=provenance,
            others={group: its[n][1] for group, its in groups.items() if group},
        )
        for n, (one, (source, labels)) in enumerate(zip(names, parts, strict=True))
    }  # fmt: skip


def _provenance(session: Session, work: OpenCase) -> Provenance:
    workspace = session.workspace
    cipher = workspace.catalogue.case_cipher(work.info.id)
    # As it is at rest: an image imported just now has its hashes there, not in the open case.
    image = open_volume(workspace.image_path(work.info.id), cipher=cipher, place=work.info.id)
    past = past_of(session, work)
    records = tuple(
        VersionRecord(one.number, one.who, one.when, one.message, one.sha256)
        for one in workspace.catalogue.versions(work.segmentation_id)
    )
    return Provenance(
        software=_software(),
        source=source_record(
            image.source,
            workspace.pseudonym_key,
            modality=image.modality,
            unit=image.unit,
            sha256=image.sha256,
            problems=[problem.document() for problem in image.problems],
        ),
        schema=work.segmentation.schema.document(),
        steps=past.steps,
        steps_undone=len(work.segmentation.undone),
        deidentification=workspace.catalogue.privacy.of(work.info.id).history,
        versions=records,
        active_seconds=round(past.active_seconds, 3),
        exported=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
    )


def _software() -> tuple[Software, ...]:
    return (
        Software("napari-medlabel", __version__),
        Software("Python", platform.python_version()),
        *map(_library, _LIBRARIES),
    )


def _library(name: str) -> Software:
    return Software(name, importlib.metadata.version(name))
