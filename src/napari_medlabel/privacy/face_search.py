"""Where the head may be, and how it may be turned: starts for the fit, and the best of them."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.privacy.face_fit import (
    ADULT,
    SMALL_BUILDS,
    TURNS,
    Pose,
    fit,
    starts_at,
    turned,
)
from napari_medlabel.privacy.face_generic import front_points
from napari_medlabel.privacy.face_grid import PatientGrid
from napari_medlabel.privacy.face_mask import Skin, skin_of
from napari_medlabel.privacy.face_template import CHIN_Z, Template, template

__all__ = ["UPRIGHT_DEG", "Found", "search", "search_turned"]

UPRIGHT_DEG: Final = 50.0  # a head is not turned further from the patient's axes
_TILTS_DEG: Final = (
    (0, 0, 0), (25, 0, 0), (-25, 0, 0), (0, 25, 0), (0, -25, 0), (0, 0, 35), (0, 0, -35),
)  # fmt: skip
_BELOW_TOP_MM: Final = (90.0, 60.0, 30.0, 0.0)  # of the middle of the cranium
_FURTHER_MM: Final = 80.0
_MOST_FURTHER: Final = 6
_KEPT: Final = 3
_SMALL_SEEN: Final = 0.6
_CLOUD: Final = 8000  # places that stand for a body
_ROOM_MM: Final = 30.0
_FEW: Final = 6  # every sixth point is enough to begin with


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The template where it fits best.

    Parameters
    ----------
    pose
        The best fit to all of the head.
    vault
        The best fit to the cranium alone.
    generic
        The best fit of a cranium above the front that `noise` and `blur` leave.
    skin
        Of the body around it.
    """

    pose: Pose
    vault: Pose
    generic: Pose
    skin: Skin


def search(grid: PatientGrid, limit: float, coarse: Skin) -> Found | None:
    """Fit the template to the body, upright and forward as its header says, or nearly so.

    Parameters
    ----------
    grid
        The image.
    limit
        What is brighter is not air.
    coarse
        The skin on a coarser grid.

    Returns
    -------
    Found or None
        None where there is no body at the place that fits best.
    """
    head = template()
    tried = _begun(coarse, _tilted(coarse))
    first = _best([pose for pose in tried if pose.turned_deg < UPRIGHT_DEG] or tried)
    corners = first[0].lps(_box(head))
    near = grid.around(corners.min(axis=0) - _ROOM_MM, corners.max(axis=0) + _ROOM_MM)
    skin = skin_of(near, limit)
    if skin is None:
        return None
    poses = fit(skin, head.points, head.normals, first, coarse=False)
    pose = next((one for one in poses if _believed(skin, head, one)), poses[0])
    above = head.vault
    vault = fit(
        skin, head.points[above], head.normals[above], [pose, first[0]], coarse=False,
        free_face=False,
    )[0]  # fmt: skip
    return Found(pose, vault, _with_front(skin, head, [pose, vault]), skin)


def _believed(skin: Skin, head: Template, pose: Pose) -> bool:
    """Whether a small head is in view: one that is not misses nothing, and would win."""
    seen = skin.at(pose.lps(head.points))[2]
    return pose.build == ADULT or float(seen.mean()) > _SMALL_SEEN


def _best(tried: list[Pose]) -> list[Pose]:
    """Some of an adult's build, and one of each smaller one; the best first."""
    grown = [pose for pose in tried if pose.build == ADULT][:_KEPT]
    small = [next((p for p in tried if p.build == build), None) for build in SMALL_BUILDS]
    return grown + [pose for pose in small if pose is not None]


def _with_front(skin: Skin, head: Template, starts: list[Pose]) -> Pose:
    front, facing = front_points()
    points = np.concatenate([head.points[head.vault], front])
    normals = np.concatenate([head.normals[head.vault], facing])
    shares = np.ones(len(points))
    shares[-len(front) :] = head.vault.sum() / len(front)
    return fit(
        skin, points, normals, starts, weights=shares, coarse=False, fine=True, free_face=False
    )[0]  # fmt: skip


def search_turned(coarse: Skin, skin: Skin) -> list[Pose]:
    """The best fits along other axes: backwards, upside down, on a side.

    Parameters
    ----------
    coarse, skin
        Of the body, on a coarser grid and around the head.
    """
    head = template()
    tried = [p for p in _begun(coarse, _any_turn(coarse)) if p.turned_deg > UPRIGHT_DEG]
    if not tried:
        return []
    return fit(skin, head.points, head.normals, tried[:_KEPT], coarse=False)


def _begun(coarse: Skin, starts: list[Pose]) -> list[Pose]:
    """Starts that were improved with some of the points; the best first."""
    head = template()
    few = slice(None, None, _FEW)
    return fit(coarse, head.points[few], head.normals[few], starts)


def _box(head: Template) -> FloatArray:
    low, high = head.points.min(axis=0), head.points.max(axis=0)
    low[2] = min(low[2], CHIN_Z)
    ends = np.stack([low, high])
    return np.stack(np.meshgrid(*ends.T, indexing="ij"), axis=-1).reshape(-1, 3)


def _tilted(skin: Skin) -> list[Pose]:
    turns = [turned(np.radians(np.asarray(tilt, np.float64))) for tilt in _TILTS_DEG]
    places = _places(_cloud(skin), np.array((0.0, 0.0, 1.0)), further=True)
    starts = starts_at(places, turns)
    for build in SMALL_BUILDS:
        starts += starts_at(places[: len(_BELOW_TOP_MM)], turns[:3], build)
    return starts


def _any_turn(skin: Skin) -> list[Pose]:
    starts: list[Pose] = []
    cloud = _cloud(skin)
    for turn in TURNS[1:]:
        places = _places(cloud, turn[:, 2], further=False)
        starts += starts_at(places[::2], [turn])
        starts += starts_at(
            places[:1], [turn @ turned(np.radians((tilt, 0.0, 0.0))) for tilt in (-25.0, 25.0)]
        )
    return starts


def _cloud(skin: Skin) -> FloatArray:
    """Places all over the body, `[n, 3]`, LPS mm."""
    index = np.argwhere(skin.solid)
    return skin.geometry.lps(index[:: max(1, len(index) // _CLOUD)])


def _places(lps: FloatArray, up: FloatArray, *, further: bool) -> FloatArray:
    """Where the middle of the cranium may be: at these depths below the body's top."""
    height = lps @ up
    top = float(np.percentile(height, 99.8))
    depths = list(_BELOW_TOP_MM)
    if further:
        extent = top - float(height.min())
        more = np.arange(depths[0] + _FURTHER_MM, extent - 60.0, _FURTHER_MM)
        depths += more[:_MOST_FURTHER].tolist()
    middle = np.median(lps, axis=0)
    places = []
    for depth in depths:
        near = np.abs(height - (top - depth)) < 30.0
        center = np.median(lps[near], axis=0) if near.sum() > 20 else middle
        places.append(center + (top - depth - center @ up) * up)
    return np.asarray(places)
