"""Keypoints with a name, a link or a point more or less. Pure."""

from dataclasses import replace

from napari_medlabel.core.annotation import Keypoint, Keypoints
from napari_medlabel.core.plane import Kji

__all__ = [
    "with_link",
    "with_point",
    "with_point_name",
    "with_point_seen",
    "without_link",
    "without_point",
]


def with_point(shape: Keypoints | None, at: Kji) -> Keypoints:
    """One more point, under the next free number."""
    points = () if shape is None else shape.points
    names = {point.name.casefold() for point in points}
    number = len(points) + 1
    while f"{number}" in names:
        number += 1
    links = () if shape is None else shape.links
    return Keypoints((*points, Keypoint(f"{number}", at)), links)


def with_point_name(shape: Keypoints, number: int, name: str) -> Keypoints:
    """A point under another name.

    Raises
    ------
    InputError
        If another has it, or it is none.
    """
    return _with(shape, number, replace(shape.points[number], name=name.strip()))


def with_point_seen(shape: Keypoints, number: int, *, seen: bool) -> Keypoints:
    """A point that can be seen in the image, or is only known to be there."""
    return _with(shape, number, replace(shape.points[number], visible=seen))


def without_point(shape: Keypoints, number: int) -> Keypoints:
    """All points but one, and the links between them.

    Raises
    ------
    InputError
        If it was the last.
    """
    points = (*shape.points[:number], *shape.points[number + 1 :])
    kept = ((a, b) for a, b in shape.links if number not in {a, b})
    return Keypoints(points, tuple((a - (a > number), b - (b > number)) for a, b in kept))


def with_link(shape: Keypoints, first: int, second: int) -> Keypoints:
    """Two points joined.

    Raises
    ------
    InputError
        If they are already, or are one.
    """
    return replace(shape, links=(*shape.links, (first, second)))


def without_link(shape: Keypoints, number: int) -> Keypoints:
    """All links but one."""
    return replace(shape, links=(*shape.links[:number], *shape.links[number + 1 :]))


def _with(shape: Keypoints, number: int, point: Keypoint) -> Keypoints:
    return replace(shape, points=(*shape.points[:number], point, *shape.points[number + 1 :]))
