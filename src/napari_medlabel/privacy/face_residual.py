"""What is left of a face after it was taken out, measured on the voxels that were written.

Three measures: how much of the template's face still lies on the skin, where it was fitted before;
how much the relief of the face is still that of before (nothing of the fit's points goes in); and
how much of any face the relief shows.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.volume import Grid, Volume
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_grid import PatientGrid, patient_grid
from napari_medlabel.privacy.face_mask import Skin, is_hounsfield, skin_of, tissue_limit
from napari_medlabel.privacy.face_relief import Relief, likeness, relief, self_correlation
from napari_medlabel.privacy.face_template import CHIN_Z, GLABELLA, template
from napari_medlabel.privacy.face_verdict import on_skin

__all__ = ["LEFT", "Look", "Residual", "compared", "looked_at", "residual", "residual_likeness"]

LEFT: Final = 0.10  # of the face's points may lie on a skin by chance
_WIDE_MM: Final = 55.0  # of the face, to each side


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What an image shows of the face at one place, to be compared with another image's.

    Parameters
    ----------
    relief
        Of the whole head, as the face looks at us.
    sector
        bool, the relief's shape: where the face is.
    matched
        bool `[n]`: which of the template's face points lie on the skin.
    seen
        bool `[n]`: which of them the image shows.
    distance_mm
        Of each of them from the skin, `[n]`.
    skin
        Of the head.
    """

    relief: Relief
    sector: BoolArray
    matched: BoolArray
    seen: BoolArray
    distance_mm: FloatArray
    skin: Skin


@dataclass(frozen=True, slots=True)
class Residual:
    """What is left of a face.

    Parameters
    ----------
    matched_before, matched_after
        The share of the template's face in view that lies on the skin.
    relief_correlation
        Of the face's relief with that of before: 1 is the same face, 0 none of it.
    likeness
        How much of any face the relief shows, from -1 to 1.
    moved
        The share of the face's skin that is 5 mm and more from where it was.
    """

    matched_before: float
    matched_after: float
    relief_correlation: float
    likeness: float
    moved: float

    @property
    def is_gone(self) -> bool:
        """Whether nothing is left that tells the face."""
        return self.matched_after <= max(LEFT, 0.12 * self.matched_before)


def looked_at(grid: PatientGrid, limit: float, pose: Pose) -> Look | None:
    """What an image shows of the face at a place; None where nothing is there.

    Parameters
    ----------
    grid
        The image.
    limit
        What is brighter is not air.
    pose
        Where the template lies.
    """
    corners = pose.lps(_box())
    near = grid.around(corners.min(axis=0), corners.max(axis=0))
    skin = skin_of(near, limit)
    if skin is None:
        return None
    head = template()
    seen, matched, _ = on_skin(skin, head, pose, head.face)
    distance = skin.at(pose.lps(head.points[head.face]))[0]
    shown = relief(skin.solid, skin.geometry, pose.turn)
    sector = _sector(shown.valid.shape, skin.geometry, pose)
    return Look(shown, sector, matched, seen, distance, skin)


def compared(before: Look, after: Look | None, pose: Pose) -> Residual:
    """What of the face of `before` is left in `after`, at the same place.

    Parameters
    ----------
    before, after
        Of the same grid; None where nothing at all is left.
    pose
        Where the template lies.
    """
    count = max(int(before.seen.sum()), 1)
    was = float(before.matched.sum() / count)
    if after is None:
        return Residual(was, 0.0, 0.0, 0.0, 1.0)
    same = before.relief.height_mm.shape == after.relief.height_mm.shape
    alike = self_correlation(before.relief, after.relief, before.sector) if same else 1.0
    return Residual(
        was, float((after.matched & before.seen).sum() / count), alike,
        likeness(_within(after.relief, after.sector)), _moved(before, after, pose),
    )  # fmt: skip


def residual(volume: Volume, pose: Pose | None = None) -> float:
    """How much of a face the relief of an image shows, from -1 to 1: more than 0.62 is a face.

    Parameters
    ----------
    volume
        CT or MR.
    pose
        Where a head is, so that it is looked at from its own front; else from the patient's.
    """
    return residual_likeness(volume.levels[0], volume.geometry, volume.unit, pose)


def residual_likeness(
    image: Grid, geometry: Geometry, unit: str = "", pose: Pose | None = None
) -> float:
    """As `residual`, of an array `[k, j, i]` on a grid."""
    grid = patient_grid(image, geometry)
    limit = tissue_limit(grid, hounsfield=is_hounsfield(grid, unit))
    skin = None if limit is None else skin_of(grid, limit)
    if skin is None:
        return 0.0
    return likeness(relief(skin.solid, skin.geometry, None if pose is None else pose.turn))


def _moved(before: Look, after: Look, pose: Pose) -> float:
    """The share of the face's own skin that is 5 mm and more away from any skin now."""
    head = template()
    points = pose.lps(head.points[head.face])
    facing = head.normals[head.face] @ pose.turn.T
    own = before.seen & before.matched
    if not own.any():
        return 1.0
    # From the template's points onto the skin itself.
    points = points[own] - facing[own] * before.distance_mm[own][:, None]
    now = np.abs(after.skin.at(points)[0])
    return float((now >= 5.0).mean())


def _within(seen: Relief, sector: BoolArray) -> Relief:
    return Relief(np.where(sector, seen.height_mm, 0.0), seen.valid & sector)


def _sector(shape: tuple[int, ...], geometry: Geometry, pose: Pose) -> BoolArray:
    """Which places of a relief are of the face: from chin to glabella, between the cheeks."""
    corners = geometry.corners_lps() @ pose.turn
    low = corners.min(axis=0)
    center = pose.place @ pose.turn
    up = (low[2] + 2.0 * np.arange(shape[0]) - center[2]) / pose.size[2] + 35.0
    across = (low[0] + 2.0 * np.arange(shape[1]) - center[0]) / pose.size[0]
    rows = (up > CHIN_Z) & (up < GLABELLA[2])
    found: BoolArray = rows[:, None] & (np.abs(across) < _WIDE_MM)[None, :]
    return found


def _box() -> FloatArray:
    ends = np.array([(-100.0, -150.0, CHIN_Z - 10.0), (100.0, 130.0, 150.0)])
    return np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)
