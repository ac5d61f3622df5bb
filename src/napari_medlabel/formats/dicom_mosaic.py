"""Mosaics: all slices of a volume as tiles of one picture.

Siemens: how many there are and which way they run is only in the maker's own header ("CSA", group
0029), whose layout nibabel knows. ImagePositionPatient is that of a whole picture of this size
around the slices' centre, not that of the first tile. United Imaging gives each tile's own
ImagePositionPatient in a private sequence.
"""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from math import ceil, isfinite, sqrt
from typing import IO, Any, Final

import numpy as np

from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_geometry import normal_of
from napari_medlabel.formats.dicom_header import Header
from napari_medlabel.formats.dicom_instance import InstanceFacts, Tile
from napari_medlabel.formats.dicom_sequence import bytes_at, items_at
from napari_medlabel.formats.dicom_tags import Tag

__all__ = ["tiles_of"]

MAX_TILES: Final = 4096


def tiles_of(
    header: Header, file: IO[bytes], size: int, facts: InstanceFacts
) -> tuple[InstanceFacts, ...]:
    """The slices of a mosaic, in the order of its tiles.

    The picture itself, marked as a mosaic, where the maker's header is not there or says nothing
    that can be: a problem of the series is made of that.
    """
    steps = _siemens_steps(header, file, size, facts)
    given = _given_places(header, file, size)
    count = len(given) or len(steps)
    across = ceil(sqrt(count))
    if not 1 <= count <= MAX_TILES or facts.rows % across or facts.columns % across:
        return (facts,)
    rows, columns = facts.rows // across, facts.columns // across
    first = _first_tile(facts, rows, columns)
    if min(rows, columns) < 1 or (not given and first is None):
        return (facts,)
    places = given or [tuple(float(v) for v in first + step) for step in steps]
    return tuple(
        replace(
            facts,
            rows=rows,
            columns=columns,
            position=place,
            is_place_assumed=not given and not facts.spacing_between_slices,
            tile=Tile(n // across * rows, n % across * columns, facts.rows, facts.columns),
        )
        for n, place in enumerate(places)
    )


def _given_places(header: Header, file: IO[bytes], size: int) -> list[tuple[float, ...]]:
    """Where each tile's first voxel is, as United Imaging says it; nothing unless for all."""
    items = items_at(file, size, header, Tag.TILE_PLACES_UIH, frozenset({Tag.POSITION}))
    found = [
        Values({Tag.POSITION: item[Tag.POSITION]}, "little").position()
        for item in items
        if isinstance(item.get(Tag.POSITION), bytes)
    ]
    known = [place for place in found if place is not None]
    count = Values(header.values, "little").number(Tag.TILES_UIH)
    return known if len(known) == len(items) == (count or len(items)) else []


def _siemens_steps(header: Header, file: IO[bytes], size: int, facts: InstanceFacts) -> list[Any]:
    """From the first tile to each, mm; none where the maker's header does not say."""
    maker = _maker_header(bytes_at(file, size, header, Tag.CSA_IMAGE))
    its = Values(header.values, "little" if header.little else "big")
    count = its.whole(Tag.MOSAIC_TILES) or int(_numbers(maker, "NumberOfImagesInMosaic", 1)[0])
    along = _direction(facts, _numbers(maker, "SliceNormalVector", 3))
    step_mm = facts.spacing_between_slices or facts.slice_thickness
    if not 1 <= count <= MAX_TILES or along is None or not step_mm or step_mm <= 0:
        return []
    return [n * step_mm * along for n in range(count)]


def _first_tile(facts: InstanceFacts, rows: int, columns: int) -> Any:  # noqa: ANN401  # array
    """Where the first voxel of the first tile is, mm."""
    if facts.position is None or facts.orientation is None or facts.pixel_spacing is None:
        return None
    across, down = np.array(facts.orientation[:3]), np.array(facts.orientation[3:])
    down_mm, across_mm = facts.pixel_spacing
    return (
        np.asarray(facts.position)
        + across * across_mm * (facts.columns - columns) / 2
        + down * down_mm * (facts.rows - rows) / 2
    )


def _direction(facts: InstanceFacts, told: tuple[float, ...]) -> Any:  # noqa: ANN401  # or None
    """The unit vector from tile to tile: the slices' normal, or against it as the maker says."""
    normal = normal_of(facts.orientation) if facts.orientation else None
    if normal is None or not any(told):
        return None
    cosine = float(normal @ np.asarray(told))
    return None if abs(cosine) < 0.99 else normal * np.sign(cosine)


def _maker_header(raw: bytes) -> Mapping[str, Any]:
    """The elements of a CSA header by name; none where it is damaged."""
    if not raw:
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from nibabel.nicom import csareader  # noqa: PLC0415  # few series need it

            tags: Mapping[str, Any] = csareader.read(raw)["tags"]  # type: ignore[no-untyped-call]
    except Exception:  # noqa: BLE001  # a damaged one fails in any way it likes
        return {}
    return tags


def _numbers(maker: Mapping[str, Any], name: str, count: int) -> tuple[float, ...]:
    """So many numbers of an element, or zeros."""
    try:
        found = [float(item) for item in maker[name]["items"][:count]]
    except (KeyError, TypeError, ValueError):
        found = []
    return tuple(found) if len(found) == count and all(map(isfinite, found)) else (0.0,) * count
