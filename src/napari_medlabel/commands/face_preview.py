"""The face of an open case before anything is taken out: found once, planned again and again.

Nothing is written. What is seen and counted is what `deface_case` would do with the same plan.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.commands.door import command
from napari_medlabel.commands.face_case import labelled_in
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.errors import Cancelled, Refused
from napari_medlabel.privacy.face import (
    FaceFinding,
    FacePlan,
    Region,
    face_region,
    fill_in,
    find_in,
)
from napari_medlabel.privacy.face_grid import PatientGrid, patient_grid
from napari_medlabel.privacy.face_mask import Skin, skin_of, solid_of
from napari_medlabel.privacy.face_region import sampled
from napari_medlabel.privacy.face_residual import LEFT, Look, compared, looked_at
from napari_medlabel.privacy.pixel_wishes import HandStrokes
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = [
    "Body",
    "FaceStudy",
    "ForeseenFace",
    "HandStrokes",
    "PlannedFace",
    "foresee_face",
    "plan_face",
    "study_face",
]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
_STEPS = 4


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """What a skin is drawn around: bool `[k, j, i]`, on a coarse grid of its own."""

    mask: BoolArray
    geometry: Geometry


@dataclass(frozen=True, slots=True, eq=False)
class FaceStudy:
    """What there is to know of a case's face; the same for every plan.

    Parameters
    ----------
    finding
        The verdict and where the head lies.
    brain
        The image's own brain, bool `[k, j, i]` on the case's grid; None where none was found.
    head
        What lies within the skin, the same shape.
    grid
        The image on a coarse grid along the patient's axes.
    skin
        Of the head before, on that grid; None where nothing is there.
    before
        What the image shows of the face.
    """

    finding: FaceFinding
    brain: BoolArray | None
    head: BoolArray = field(repr=False)
    grid: PatientGrid = field(repr=False)
    skin: Skin | None = field(repr=False)
    before: Look | None = field(repr=False)

    @property
    def verdict(self) -> str:
        """As a report has it: "face", "not-a-head"."""
        return self.finding.verdict

    @property
    def why(self) -> str:
        """The reason, for a person."""
        return self.finding.why

    @property
    def why_not(self) -> str:
        """Why nothing can be planned: no head, or a brain that cannot be one; "" where it can."""
        brain = self.finding.brain
        if self.finding.pose is None or brain is None:
            return self.finding.why
        if not brain.plausible:
            return (
                f"what looks like the brain holds {brain.volume_ml:.0f} mL where some "
                f"{brain.expected_ml:.0f} mL would be"
            )
        return ""

    @property
    def body(self) -> Body | None:
        """The head as it is."""
        return None if self.skin is None else Body(self.skin.solid, self.skin.geometry)

    def below_skin_mm(self, lps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """How deep under the skin of before positions `[n, 3]` lie; negative outside."""
        if self.skin is None:
            return np.zeros(len(lps), np.float32)
        return -self.skin.at(np.asarray(lps, np.float64))[0].astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class PlannedFace:
    """What a plan would take out of a case.

    Parameters
    ----------
    plan
        The plan.
    region
        The voxels and their numbers.
    seen
        Those of them within the head, and what a person added: bool `[k, j, i]`.
    volume_ml
        How much of the head they hold: the air around it goes, too, and does not count.
    labelled
        How many voxels each segment would lose, by label value; only those that lose any.
    per_slice
        How many there are to be seen in each slice along k, j and i.
    """

    plan: FacePlan
    region: Region
    seen: BoolArray = field(repr=False)
    volume_ml: float
    labelled: Mapping[int, int]
    per_slice: tuple[npt.NDArray[np.intp], ...]

    @property
    def mask(self) -> BoolArray:
        """Which voxels, bool `[k, j, i]` on the case's grid."""
        return self.region.mask


@dataclass(frozen=True, slots=True, eq=False)
class ForeseenFace:
    """What would be left of the face.

    Parameters
    ----------
    planned
        The plan that was followed.
    body
        The head afterwards.
    matched_before, matched_after, limit
        The share of the fitted face that lies on the skin before and after, and what it may be.
    moved
        The share of the face's skin that would be 5 mm and more from where it was.
    """

    planned: PlannedFace
    body: Body | None
    matched_before: float
    matched_after: float
    limit: float
    moved: float
    _share: npt.NDArray[np.float32] = field(repr=False)
    _geometry: Geometry = field(repr=False)

    @property
    def is_gone(self) -> bool:
        """Whether so little is left that nothing tells the face."""
        return self.matched_after <= self.limit

    def removed_at(self, lps: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The share of what is around positions `[n, 3]` that goes, from 0 to 1."""
        places = self._geometry.kji(np.asarray(lps, np.float64)).T
        found: npt.NDArray[np.float32] = ndimage.map_coordinates(
            self._share, places, output=np.float32, order=1, mode="nearest"
        )
        return found


@command(needs=Permission.VIEW)
def study_face(
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    *,
    progress: Progress | None = None,
    cancelled: Stop = _never,
) -> FaceStudy:
    """Look for a face in an open case; all slices have to be in memory.

    Raises
    ------
    Cancelled
        If it was called off.
    """
    volume = case.volume
    image, geometry = volume.levels[0], volume.geometry
    tell = progress or (lambda _done, _of: None)
    tell(0, _STEPS)
    finding = find_in(image, geometry, volume.unit, cancelled=cancelled)
    tell(2, _STEPS)
    grid = patient_grid(image, geometry)
    _check(cancelled)
    skin = skin_of(grid, finding.limit)
    _check(cancelled)
    tell(3, _STEPS)
    before = None if finding.pose is None else looked_at(grid, finding.limit, finding.pose)
    brain = None if finding.brain is None else _brain_of(finding, geometry, cancelled)
    head = _head_of(skin, geometry, cancelled)
    tell(_STEPS, _STEPS)
    return FaceStudy(finding, brain, head, grid, skin, before)


@command(needs=Permission.VIEW)
def plan_face(  # noqa: PLR0913  # what a person chooses, and two hands' work
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    study: FaceStudy,
    plan: FacePlan,
    *,
    added: BoolArray | None = None,
    spared: BoolArray | None = None,
    cancelled: Stop = _never,
) -> PlannedFace:
    """Which voxels a plan would take out of an open case, and what that costs.

    Parameters
    ----------
    study
        Of `study_face`.
    plan
        What is to be done.
    added, spared
        bool, the image's shape: what a person adds to the region, and what they keep of it.
    cancelled
        Polled between slabs.

    Raises
    ------
    Refused
        If there is no head, or its brain cannot be told.
    Cancelled
        If it was called off.
    """
    if study.why_not:
        raise Refused("there is no face that could be taken out", study.why_not)
    region = face_region(study.finding, plan, added=added, spared=spared, cancelled=cancelled)
    _check(cancelled)
    seen = region.mask & (study.head if added is None else study.head | added)
    per_slice = _per_slice(seen, cancelled)
    ml = float(per_slice[0].sum()) * case.volume.geometry.voxel_ml
    lost = labelled_in(case.segmentation, region.mask)
    return PlannedFace(plan, region, seen, ml, lost, per_slice)


@command(needs=Permission.VIEW)
def foresee_face(
    session: Session,  # noqa: ARG001  # the door's
    study: FaceStudy,
    planned: PlannedFace,
    *,
    cancelled: Stop = _never,
) -> ForeseenFace:
    """What would be left of the face, seen on voxels of some 2 mm.

    Parameters
    ----------
    study, planned
        Of `study_face` and `plan_face`.
    cancelled
        Polled between the steps.

    Raises
    ------
    Refused
        If there is no head.
    Cancelled
        If it was called off.
    """
    finding, grid = study.finding, study.grid
    if finding.pose is None or study.before is None:
        raise Refused("there is no face that could be taken out", finding.why)
    share = _coarsely(planned, grid.geometry)
    _check(cancelled)
    coarse = Region(share > 0.5, grid.geometry, 0, 0, planned.region.nearest_brain_mm)
    values = grid.values.copy()
    fill_in(values, finding, coarse, planned.plan, cancelled=cancelled)
    after = PatientGrid(values, grid.seen, grid.geometry)
    left = compared(study.before, looked_at(after, finding.limit, finding.pose), finding.pose)
    _check(cancelled)
    solid = solid_of(after, finding.limit)
    body = None if solid is None else Body(solid, grid.geometry)
    limit = max(LEFT, 0.12 * left.matched_before)
    return ForeseenFace(
        planned, body, left.matched_before, left.matched_after, limit, left.moved, share,
        grid.geometry,
    )  # fmt: skip


def _check(cancelled: Stop) -> None:
    if cancelled():
        raise Cancelled("looking for a face was called off")


def _brain_of(finding: FaceFinding, geometry: Geometry, cancelled: Stop) -> BoolArray:
    """The own brain on the case's grid, its coarse steps made even."""
    brain = finding.brain
    if brain is None or not brain.mask.any():
        return np.zeros(geometry.shape, bool)
    soft = ndimage.gaussian_filter(brain.mask.astype(np.float32), 0.7)
    return _on_case(soft - np.float32(0.5), brain.geometry, geometry, cancelled)


def _head_of(skin: Skin | None, geometry: Geometry, cancelled: Stop) -> BoolArray:
    """What lies within the skin on the case's grid, and a little around it."""
    if skin is None:
        return np.zeros(geometry.shape, bool)
    around = np.float32(skin.geometry.spacing_mm[0] / 2.0)
    return _on_case(around - skin.distance_mm, skin.geometry, geometry, cancelled)


def _on_case(
    field_: npt.NDArray[np.float32], of: Geometry, geometry: Geometry, cancelled: Stop
) -> BoolArray:
    """Where a field on a coarse grid is above 0, on the case's grid."""
    found = np.zeros(geometry.shape, bool)
    for where, depth in sampled(geometry, of, field_, fill=-1.0):
        _check(cancelled)
        found[where] = depth > 0.0
    return found


def _coarsely(planned: PlannedFace, onto: Geometry) -> npt.NDArray[np.float32]:
    """The share of the plan's voxels around each voxel of a coarser grid."""
    of, found = planned.region.geometry, np.zeros(onto.shape, np.float32)
    if not planned.region.voxels:
        return found
    reach = [max(1, round(onto.spacing_mm[0] / step)) for step in of.spacing_mm]
    mask = planned.mask
    filled = [np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    low = [max(int(one[0]) - n, 0) for one, n in zip(filled, reach, strict=True)]
    high = [int(one[-1]) + n + 1 for one, n in zip(filled, reach, strict=True)]
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    values = np.ascontiguousarray(mask[box]).view(np.uint8) * np.uint8(255)
    values = ndimage.uniform_filter(values, reach) if max(reach) > 1 else values
    matrix = np.linalg.inv(of.lps_from_kji) @ onto.lps_from_kji
    ndimage.affine_transform(
        values, matrix[:3, :3], matrix[:3, 3] - low, onto.shape, found, order=1, mode="constant"
    )
    return found / np.float32(255.0)


def _per_slice(mask: BoolArray, cancelled: Stop) -> tuple[npt.NDArray[np.intp], ...]:
    along_k = np.zeros(mask.shape[0], np.intp)
    flat = np.zeros(mask.shape[1:], np.intp)
    for k, plane in enumerate(mask):
        if not k % 32:
            _check(cancelled)
        along_k[k] = np.count_nonzero(plane)
        if along_k[k]:
            flat += plane
    return along_k, flat.sum(axis=1), flat.sum(axis=0)
