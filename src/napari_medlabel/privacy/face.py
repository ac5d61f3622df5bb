"""Is there a face, where, and what is left of it: the door to all modules named `face_*`.

A generated head surface is laid onto the skin that an image shows; nothing is learnt from data and
nothing is downloaded, and CT and MR take the same path. `find_face` measures and decides,
`face_region` says which voxels to take out and never a voxel of the brain, `remove` takes them out,
`residual` looks with other eyes at what is left.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.volume import Grid, Volume
from napari_medlabel.errors import Cancelled, InputError, Refused
from napari_medlabel.privacy.face_brain import Brain, find_brain
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_generic import front_points
from napari_medlabel.privacy.face_grid import PatientGrid, patient_grid
from napari_medlabel.privacy.face_mask import Skin, is_hounsfield, skin_of, tissue_limit
from napari_medlabel.privacy.face_plan import USUAL_PLAN, FacePlan, Mode
from napari_medlabel.privacy.face_region import Region, region_of
from napari_medlabel.privacy.face_relief import likeness, relief
from napari_medlabel.privacy.face_removal import fill
from napari_medlabel.privacy.face_residual import Look, Residual, compared, looked_at, residual
from napari_medlabel.privacy.face_search import Found, search, search_turned
from napari_medlabel.privacy.face_template import template
from napari_medlabel.privacy.face_verdict import (
    Measures,
    Verdict,
    decided,
    is_face,
    match,
    on_skin,
)

__all__ = [
    "USUAL_PLAN",
    "FaceFinding",
    "FacePlan",
    "Mode",
    "Region",
    "Residual",
    "face_region",
    "fill_in",
    "find_face",
    "find_in",
    "left_of",
    "look",
    "remove",
    "residual",
]

_OF_SHAPE = "a mask has as many slices, rows and columns as its image"
_GENERIC_MM, _GENERIC_SHARE = 1.5, 0.60  # no person is as alike: they reach 0.30


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class FaceFinding:
    """What was found of a face.

    Parameters
    ----------
    verdict
        "face" where there is one to take out; else as in a report.
    why
        The reason, for a person.
    measures
        What the verdict was made from; None where there is nothing in the image.
    pose
        Where the template lies, None where no head was looked for.
    brain
        This image's own brain, to be spared; None without a head.
    hounsfield
        Whether the values were taken for Hounsfield units.
    limit
        The value above which a voxel is not air.
    geometry
        Of the volume that was looked at.
    """

    verdict: Verdict
    why: str
    measures: Measures | None
    pose: Pose | None
    brain: Brain | None
    hounsfield: bool
    limit: float
    geometry: Geometry

    @property
    def face_points_matched(self) -> float:
        """The share of the template's face in view that lies on the skin."""
        if self.measures is None:
            return 0.0
        gone = self.verdict == "already-defaced"
        return (self.measures.face_alone if gone else self.measures.face).matched


def find_face(volume: Volume, *, cancelled: Callable[[], bool] = _never) -> FaceFinding:
    """Look for a face.

    Parameters
    ----------
    volume
        CT or MR of anything.
    cancelled
        Polled between the steps.

    Returns
    -------
    FaceFinding
        With the verdict, its reasons and, where a head was found, its place.

    Raises
    ------
    Cancelled
        If it was called off.
    """
    return find_in(volume.levels[0], volume.geometry, volume.unit, cancelled=cancelled)


def find_in(
    image: Grid, geometry: Geometry, unit: str = "", *, cancelled: Callable[[], bool] = _never
) -> FaceFinding:
    """As `find_face`, of an array `[k, j, i]` on a grid."""
    grid = patient_grid(image, geometry)
    _check(cancelled)
    hounsfield = is_hounsfield(grid, unit)
    limit = tissue_limit(grid, hounsfield=hounsfield)
    coarse = skin_of(grid.coarse(), limit) if limit is not None else None
    _check(cancelled)
    found = search(grid, limit, coarse) if limit is not None and coarse is not None else None
    if limit is None or coarse is None or found is None:
        why = "no body with air around it is in the image"
        return FaceFinding("not-a-head", why, None, None, None, hounsfield, limit or 0.0, geometry)
    _check(cancelled)
    measures = _measured(grid, found, limit, hounsfield=hounsfield)
    verdict, why = decided(measures)
    if verdict != "already-defaced" or not measures.generic:
        measures, pose = _compared(grid, found, coarse, measures, limit, hounsfield=hounsfield)
        verdict, why = decided(measures)
        found = replace(found, pose=pose)
    _check(cancelled)
    headless = verdict in {"not-a-head", "already-defaced", "face-not-in-view"}
    brain = None if headless else find_brain(grid, found.pose, found.skin, hounsfield=hounsfield)
    return FaceFinding(verdict, why, measures, found.pose, brain, hounsfield, limit, geometry)


def _compared(  # noqa: PLR0913  # what the second look needs
    grid: PatientGrid, found: Found, coarse: Skin, measures: Measures, limit: float, *,
    hounsfield: bool,
) -> tuple[Measures, Pose]:  # fmt: skip
    """Measures that know how well a head lies along another axis, and the better place."""
    head, best, place = template(), measures, found.pose
    for pose in search_turned(coarse, found.skin):
        parts = (
            match(found.skin, head, pose, which) for which in (head.vault, head.side, head.face)
        )
        vault, side, face = parts
        turned = replace(
            measures, vault=vault, side=side, face=face, vault_alone=vault, face_alone=face,
            error=pose.error, scalp=_scalp(grid, found.skin, pose, hounsfield=hounsfield),
        )  # fmt: skip
        hollow = _hollow(grid, found.skin, pose, limit)
        if is_face(turned) and (turned.score, hollow) > (best.otherwise, -1.0):
            best = replace(measures, otherwise=turned.score, otherwise_hollow=hollow)
            place = pose
    turned_better = decided(best)[1] != decided(measures)[1]
    return best, place if turned_better else found.pose


def _hollow(grid: PatientGrid, skin: Skin, pose: Pose, limit: float) -> float:
    """The share of air where a nose and its sinuses would be; -1 where hardly any is in view."""
    places = pose.lps(_nose())
    distance, _, seen = skin.at(places)
    inside = seen & (distance < -4.0)
    if inside.mean() < 0.2:
        return -1.0
    return float((_values_at(grid, places[inside]) <= limit).mean())


def _nose() -> FloatArray:
    """Places in the template's nose, ethmoid and maxillary sinuses near the middle."""
    ends = ((-14.0, 15.0), (-88.0, -44.0), (-35.0, 26.0))
    x, y, z = (np.arange(low, high, 2.0) for low, high in ends)
    return np.stack(np.meshgrid(x, y, z, indexing="ij"), axis=-1).reshape(-1, 3)


def _measured(grid: PatientGrid, found: Found, limit: float, *, hounsfield: bool) -> Measures:
    head, skin, pose = template(), found.skin, found.pose
    whole = match(skin, head, pose, np.ones(len(head.points), bool))
    turns = (np.eye(3), pose.turn)
    return Measures(
        cost=whole.distance_mm,
        error=pose.error,
        turned_deg=pose.turned_deg,
        vault=match(skin, head, pose, head.vault),
        side=match(skin, head, pose, head.side),
        face=match(skin, head, pose, head.face),
        vault_alone=match(skin, head, found.vault, head.vault),
        face_alone=match(skin, head, found.vault, head.face),
        scalp=_scalp(grid, skin, found.vault, hounsfield=hounsfield),
        likeness=max(likeness(relief(skin.solid, skin.geometry, turn)) for turn in turns),
        generic=_generic(skin, found.generic),
        dim=_dim(grid, skin, found.vault, limit),
        hollow=_hollow(grid, skin, pose, limit),
        size=float(pose.size.mean()),
    )


def _scalp(grid: PatientGrid, skin: Skin, pose: Pose, *, hounsfield: bool) -> float:
    """The share of the cranium with bone, or with its dark line in MR, under the surface."""
    head = template()
    points = pose.lps(head.points[head.vault])
    inward = -(head.normals[head.vault] @ pose.turn.T)
    _, matched, _ = on_skin(skin, head, pose, head.vault)
    points, inward = points[matched], inward[matched]
    if len(points) < 20:
        return 0.0
    points = points - inward * skin.at(points)[0][:, None] * -1.0
    depths = np.arange(-2.0, 22.0, 1.0)
    values = _values_at(grid, points[:, None] + inward[:, None] * depths[:, None])
    if hounsfield:
        return float((values[:, 3:18].max(axis=1) > 250.0).mean())
    shallow = np.maximum.accumulate(values[:, :18], axis=1)
    deep = np.maximum.accumulate(values[:, ::-1], axis=1)[:, ::-1][:, :18]
    dip = values[:, :18] / np.maximum(np.minimum(shallow, deep), 1e-6)
    return float((dip.min(axis=1) < 0.7).mean())


def _generic(skin: Skin, pose: Pose) -> bool:
    """Whether the front is the one that we leave, wherever it was set: no face is as smooth."""
    distance, _, seen = skin.at(pose.lps(front_points()[0]))
    if seen.sum() < 30:
        return False
    share = (np.abs(distance[seen]) < _GENERIC_MM).mean()
    return bool(share > _GENERIC_SHARE)


def _dim(grid: PatientGrid, skin: Skin, pose: Pose, limit: float) -> bool:
    """Whether there is something else than air where the template has a face."""
    head = template()
    points = pose.lps(head.points[head.face])
    inward = -(head.normals[head.face] @ pose.turn.T)
    places = points[:, None] + inward[:, None] * np.arange(2.0, 14.0, 2.0)[:, None]
    flat = places.reshape(-1, 3)
    distance, _, seen = skin.at(flat)
    wanted = seen & (distance > 4.0)
    if wanted.sum() < 40:
        return False
    there = _values_at(grid, flat[wanted])
    air = grid.values[grid.seen & (grid.values <= limit)]
    if not air.size:
        return False
    usual = float(np.percentile(air, 50.0))
    return bool((there > usual + 0.35 * (limit - usual)).mean() > 0.25)


def _values_at(grid: PatientGrid, lps: FloatArray) -> FloatArray:
    """Nearest values, any shape `[..., 3]` of positions."""
    step = grid.step_mm
    index = np.rint((lps - np.asarray(grid.geometry.origin_lps)) / step).astype(np.intp)
    index = np.clip(index, 0, np.asarray(grid.geometry.shape[::-1]) - 1)
    values: FloatArray = grid.values[index[..., 2], index[..., 1], index[..., 0]]
    return values


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise Cancelled("looking for a face was called off")


def face_region(
    finding: FaceFinding, plan: FacePlan = USUAL_PLAN, *, added: BoolArray | None = None,
    spared: BoolArray | None = None, cancelled: Callable[[], bool] = _never,
) -> Region:  # fmt: skip
    """Which voxels to take out: the face in the image, and nothing near its brain.

    Parameters
    ----------
    finding
        Of `find_face`.
    plan
        How near to the brain, how deep, and what else is to go.
    added, spared
        bool, the image's shape: what a person adds to the region, and what they keep of it. What
        was added within the plan's margin of the image's own brain stays (`withheld_voxels`);
        what is both added and spared stays.
    cancelled
        Polled between slabs.

    Raises
    ------
    Refused
        If no head was found, or its brain cannot be told: nothing would guard it.
    InputError
        If `added` or `spared` is of another shape.
    """
    for mask in (added, spared):
        if mask is not None and mask.shape != finding.geometry.shape:
            raise InputError("what was added or spared is no mask of this image", _OF_SHAPE)
    if finding.pose is None or finding.brain is None:
        raise Refused("there is no head to take a face from", finding.why)
    if not finding.brain.plausible:
        raise Refused(
            f"what looks like the brain holds {finding.brain.volume_ml:.0f} mL where some "
            f"{finding.brain.expected_ml:.0f} mL would be, so nothing would guard it",
            "for a CT, look whether its values are Hounsfield units",
        )
    return region_of(
        finding.geometry, finding.pose, finding.brain, plan, added=added, spared=spared,
        check=lambda: _check(cancelled),
    )  # fmt: skip


def remove(
    volume: Volume, finding: FaceFinding, region: Region, plan: FacePlan = USUAL_PLAN
) -> npt.NDArray[Any]:
    """The voxels of the volume without the face: a new array, the same outside the region.

    Parameters
    ----------
    volume
        The one that the finding is of.
    finding
        Of `find_face`.
    region
        Of `face_region`.
    plan
        What comes in its place: its mode and its seed.
    """
    array = np.array(volume.levels[0][:])
    fill_in(array, finding, region, plan)
    return array


def fill_in(
    array: npt.NDArray[Any], finding: FaceFinding, region: Region, plan: FacePlan = USUAL_PLAN, *,
    cancelled: Callable[[], bool] = _never,
) -> None:  # fmt: skip
    """As `remove`, in place."""
    if finding.pose is None:
        raise Refused("there is no head to take a face from", finding.why)
    fill(
        array, region, finding.pose, plan, limit=finding.limit,
        hounsfield=finding.hounsfield, check=lambda: _check(cancelled),
    )  # fmt: skip


def look(finding: FaceFinding, image: Grid) -> Look | None:
    """What an image on the finding's grid shows of the face, to be compared before and after."""
    if finding.pose is None:
        return None
    return looked_at(patient_grid(image, finding.geometry), finding.limit, finding.pose)


def left_of(finding: FaceFinding, before: Look | None, image: Grid) -> Residual | None:
    """What an image on the finding's grid still shows of the face."""
    if finding.pose is None or before is None:
        return None
    return compared(before, look(finding, image), finding.pose)
