"""A case's own image without the face: its pyramid is replaced, its labels are left alone."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.door import command
from napari_medlabel.commands.opening import opened
from napari_medlabel.commands.privacy_gate import enter, look_again
from napari_medlabel.core.case_privacy import PrivacyState
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import Cancelled, InputError, ReadOnly, Refused
from napari_medlabel.files import new_folder
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.privacy.face import (
    USUAL_PLAN,
    FaceFinding,
    FacePlan,
    Region,
    Residual,
    face_region,
    fill_in,
    find_in,
    left_of,
    look,
)
from napari_medlabel.session import OpenCase, Permission, Session
from napari_medlabel.storage.ome_zarr import open_volume, verify, write_volume
from napari_medlabel.storage.sealed_store import MANIFEST

__all__ = ["DefacedCase", "deface_case", "labelled_in"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
Array = npt.NDArray[Any]
_STEPS: Final = 6
_UNCLEAR: Final = frozenset({"uncertain", "wrong-orientation"})


@dataclass(frozen=True, slots=True)
class DefacedCase:
    """What was found in a case and done to its image.

    Parameters
    ----------
    verdict
        "face-removed", or why there was nothing to do: "already-defaced", "not-a-head".
    why
        The reason, for a person.
    changed
        Whether the image is another one now.
    facts
        Numbers, parameters, and the SHA-256 of the image before and after.
    """

    verdict: str
    why: str
    changed: bool
    facts: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """JSON-ready values; nothing of them names anybody."""
        start = {"format": 1, "verdict": self.verdict, "why": self.why, "changed": self.changed}
        return start | dict(self.facts)


@command(needs=Permission.CLEAR)
def deface_case(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    case: OpenCase | str,
    plan: FacePlan = USUAL_PLAN,
    *,
    finding: FaceFinding | None = None,
    added: BoolArray | None = None,
    spared: BoolArray | None = None,
    accept_uncertain: bool = False,
    accept_labelled: bool = False,
    progress: Progress | None = None,
    cancelled: Stop = lambda: False,
) -> DefacedCase:
    """Take the face out of a case's own image; the source and the labels stay as they are.

    The new pyramid is written beside the old one, read again and looked at; only then does it take
    its place. Every voxel outside of the region is as it was. That the face is gone, how, and with
    what numbers is kept with the case, and told in the provenance of its exports.

    Parameters
    ----------
    case
        An open case, whose image in memory changes as well; or a name.
    plan
        What comes in the place of the face, how near to the brain, and what else goes.
    finding
        What `find_face` said of this very image, so that it is not looked at once more.
    added, spared
        bool `[k, j, i]` on the case's grid: what a person adds to the region, and what stays.
    accept_uncertain
        Whether a person has looked and says: take out what there seems to be.
    accept_labelled
        Whether voxels with labels may be taken out as well.
    progress
        Told how much is done, of how much.
    cancelled
        Polled.

    Returns
    -------
    DefacedCase
        With what was found; where there is no face, nothing was changed.

    Raises
    ------
    Refused
        If it is not clear whether there is a face, labelled voxels would lose their image, the
        brain cannot be told, or the face is still there in what was written.
    ReadOnly
        If somebody else holds the case.
    InputError
        If there is no such case, or the finding or a mask is not of its image.
    Cancelled
        If it was called off; the image is as it was.
    """
    steps = _Steps(progress, cancelled)
    with opened(session, case) as mine:
        if not mine.hold.writable:
            raise ReadOnly(mine.hold.reason, "close it there first")
        while not mine.loading.finished:
            steps.check()
            mine.loading.pause(0.1)
        mine.loading.wait()
        work = _Work(session, mine, steps)
        answer = work.done(plan, finding, added, spared, accept_uncertain, accept_labelled)
        look_again(session, mine)  # a case that waited for this can be drawn on now
        return answer


def labelled_in(segmentation: Segmentation, mask: BoolArray) -> dict[int, int]:
    """How many voxels of each label, of any group, lie in a mask; only those that have some."""
    found: dict[int, int] = {}
    arrays = {
        segmentation.group_of(label.value): segmentation.labels_of(label.value)
        for label in segmentation.schema
        if segmentation.voxels(label.value)
    }
    for array in arrays.values():
        counts = np.bincount(array[mask])
        found |= {int(value): int(counts[value]) for value in np.flatnonzero(counts) if value}
    return found


class _Steps:
    """How far it is, and whether to go on."""

    def __init__(self, progress: Progress | None, cancelled: Stop) -> None:
        self._progress, self.cancelled, self._done = progress, cancelled, 0

    def step(self) -> None:
        self.check()
        self._done += 1
        if self._progress is not None:
            self._progress(min(self._done, _STEPS), _STEPS)

    def check(self) -> None:
        if self.cancelled():
            raise Cancelled("defacing was called off")


class _Work:
    """One case while its face is taken out."""

    def __init__(self, session: Session, case: OpenCase, steps: _Steps) -> None:
        self._session, self._case, self._steps = session, case, steps
        self._catalogue = session.workspace.catalogue
        self._path = session.workspace.image_path(case.info.id)
        self._cipher = self._catalogue.case_cipher(case.info.id)
        self._stored = self._opened(self._path)  # which knows the hashes of a new import, too

    def _opened(self, path: Path) -> Volume:
        return open_volume(path, cipher=self._cipher, place=self._case.info.id)

    def done(  # noqa: PLR0913, PLR0917  # as `deface_case`
        self, plan: FacePlan, finding: FaceFinding | None, added: BoolArray | None,
        spared: BoolArray | None, accept_uncertain: bool, accept_labelled: bool,  # noqa: FBT001
    ) -> DefacedCase:  # fmt: skip
        volume = self._case.volume
        before = np.array(volume.levels[0][:])
        if finding is None:
            finding = find_in(before, volume.geometry, volume.unit, cancelled=self._steps.cancelled)
        if not finding.geometry.same_grid(volume.geometry):
            raise InputError("what was found is not of this case's image", "look for it again")
        self._steps.step()
        if not self._is_taken_out(finding, accept_uncertain=accept_uncertain):
            return self._nothing_to_do(finding)
        region = face_region(
            finding, plan, added=added, spared=spared, cancelled=self._steps.cancelled
        )
        lost = labelled_in(self._case.segmentation, region.mask)
        if lost and not accept_labelled:
            raise Refused(
                f"{sum(lost.values())} labelled voxels of {len(lost)} segments lie in what would "
                "be taken out of the image",
                "spare them, or say that they may lose it: --accept-labelled",
            )
        return self._replaced(finding, region, plan, before, lost)

    def _is_taken_out(self, finding: FaceFinding, *, accept_uncertain: bool) -> bool:
        if finding.verdict == "face":
            return True
        if finding.verdict in _UNCLEAR and accept_uncertain and finding.brain is not None:
            return True
        if finding.verdict in {"not-a-head", "already-defaced"}:
            return False
        raise Refused(
            f"nothing was changed: {finding.verdict}, {finding.why}",
            "look at it, and say --accept-uncertain if it may go on",
        )

    def _nothing_to_do(self, finding: FaceFinding) -> DefacedCase:
        state: PrivacyState = "done" if finding.verdict == "already-defaced" else "not-needed"
        facts = _facts(finding, None, None)
        enter(
            self._session, self._case.info.id, "face", state, why=finding.why,
            proof={"tool": "deface-case", "verdict": finding.verdict, **facts},
        )  # fmt: skip
        return DefacedCase(finding.verdict, finding.why, False, facts)  # noqa: FBT003

    def _replaced(
        self, finding: FaceFinding, region: Region, plan: FacePlan, before: Array,
        lost: Mapping[int, int],
    ) -> DefacedCase:  # fmt: skip
        shown = look(finding, before)
        after = before.copy()
        fill_in(after, finding, region, plan, cancelled=self._steps.cancelled)
        self._steps.step()
        with self._written(after) as written:
            self._steps.step()
            again = np.asarray(written.levels[0][:])
            if not np.array_equal(again, after, equal_nan=after.dtype.kind == "f"):
                raise Refused("what was written is not what was meant", "nothing was changed")
            left = left_of(finding, shown, again)
            if left is not None and not left.is_gone:
                raise Refused(
                    f"{left.matched_after:.0%} of the face's surface would still be there",
                    "nothing was changed; add to the region by hand",
                )
            self._steps.step()
        self._take_over(after, region.mask)
        facts = _facts(finding, region, left) | {
            "labelled_voxels_removed": sum(lost.values()), "plan": plan.document(),
            "image_sha256_before": self._stored.sha256,
            "image_sha256_after": self._case.volume.sha256,
        }  # fmt: skip
        self._record(finding, facts)
        return DefacedCase("face-removed", finding.why, True, facts)  # noqa: FBT003

    @contextmanager
    def _written(self, after: Array) -> Iterator[Volume]:
        """The new pyramid beside the old one, whose place it takes when the block ends well."""
        volume, place = self._stored, self._case.info.id
        own = np.ascontiguousarray(volume.source.axes.inverse().apply(after))
        reader = MemoryReader(
            own, volume.source, volume.modality, volume.unit, volume.name, volume.window,
            volume.problems,
        )  # fmt: skip
        with new_folder(self._path, force=True, marker=MANIFEST) as hidden:
            hidden.rmdir()
            write_volume(
                reader, hidden, cipher=self._cipher, place=place, cancelled=self._steps.cancelled
            )
            self._steps.step()
            verify(hidden, self._cipher, place)
            yield self._opened(hidden)
            self._steps.check()

    def _take_over(self, after: Array, mask: BoolArray) -> None:
        """Let the open case see what is at rest now; what is in memory stays the same array."""
        volume = self._opened(self._path)
        finest = self._case.volume.levels[0]
        if isinstance(finest, np.ndarray):
            finest[mask] = after[mask]
            volume = replace(volume, levels=(finest, *volume.levels[1:]))
        self._case.volume = volume

    def _record(self, finding: FaceFinding, facts: Mapping[str, Any]) -> None:
        info = self._case.info
        known = self._catalogue.facts(info.id)
        first = known.get("source_sha256") or facts["image_sha256_before"]
        own = {"sha256": facts["image_sha256_after"], "source_sha256": first}
        self._catalogue.set_facts(info.id, known | own)
        sure = finding.verdict == "face"
        why = "the face was taken out of the image" if sure else (
            f"what seemed to be a face was taken out of the image: {finding.why}"
        )  # fmt: skip
        proof = {"tool": "deface-case", "verdict": "face-removed", **facts}
        enter(self._session, info.id, "face", "done", why=why, proof=proof)
        self._steps.step()


def _facts(finding: FaceFinding, region: Region | None, left: Residual | None) -> dict[str, Any]:
    """The numbers of the report, as `deface` has them."""
    measures = finding.measures
    near = None if region is None or not np.isfinite(region.nearest_brain_mm) else (
        round(region.nearest_brain_mm, 2)
    )  # fmt: skip
    after = finding.face_points_matched if left is None else left.matched_after
    return {
        "cost": None if measures is None else round(measures.cost, 3),
        "voxels_removed": 0 if region is None else region.voxels,
        "brain_voxels_removed": 0 if region is None else region.brain_voxels,
        "nearest_brain_mm": near,
        "face_points_matched_before": round(finding.face_points_matched, 4),
        "face_points_matched_after": round(after, 4),
        "face_surface_moved": None if left is None else round(left.moved, 4),
        "relief_correlation": None if left is None else round(left.relief_correlation, 4),
    }
