"""A slice of the image as grey levels, and of labels as colours at the screen's own pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.volume import Grid, Window
from napari_medlabel.ui.planes.frame import Frame, Span

__all__ = ["Palette", "Pixels", "argb", "greys", "hatched", "labelled_span", "slice_of", "tinted"]

Pixels = npt.NDArray[np.uint32]  # premultiplied 0xAARRGGBB, as Qt paints them
Rect = tuple[int, int, int, int]  # left, top, width, height, in pixels of the pane
HATCH_PX = 8
DASH_PX = 5


def slice_of(array: Grid | npt.NDArray[Any], axis: int, index: int) -> npt.NDArray[Any]:
    """A slice in memory of its own order: rows and columns as the plane shows them."""
    where: list[int | slice] = [slice(None)] * 3
    where[axis] = index
    return np.ascontiguousarray(array[tuple(where)])


def greys(plane: npt.NDArray[Any], window: Window, *, inverted: bool) -> npt.NDArray[np.uint8]:
    """A slice in 256 steps from black to white, or white to black.

    Parameters
    ----------
    plane
        Any real numbers, `[row, column]`; NaN is black.
    window
        In the same unit.
    inverted
        Low values bright.
    """
    low, high = window.limits
    scale = 255.0 / max(high - low, 1e-9)
    if plane.dtype.itemsize <= 2 and plane.dtype.kind in "iu":
        return _looked_up(plane, low, scale, inverted=inverted)
    steps = np.clip((plane.astype(np.float32) - np.float32(low)) * np.float32(scale), 0.0, 255.0)
    if plane.dtype.kind == "f":
        np.nan_to_num(steps, copy=False)
    shown: npt.NDArray[np.uint8] = steps.astype(np.uint8)
    return 255 - shown if inverted else shown


def _looked_up(
    plane: npt.NDArray[Any], low: float, scale: float, *, inverted: bool
) -> npt.NDArray[np.uint8]:
    unsigned = np.dtype(f"u{plane.dtype.itemsize}")
    values = np.arange(np.iinfo(unsigned).max + 1, dtype=unsigned).view(plane.dtype)
    table = np.clip((values.astype(np.float32) - low) * scale, 0.0, 255.0).astype(np.uint8)
    if inverted:
        table = 255 - table
    shown: npt.NDArray[np.uint8] = table[plane.view(unsigned)]
    return shown


def argb(rgb: tuple[float, float, float], alpha: float) -> int:
    """A colour of 0 to 1 as a premultiplied pixel."""
    red, green, blue = (round(255.0 * part * alpha) for part in rgb)
    return (round(255.0 * alpha) << 24) | (red << 16) | (green << 8) | blue


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """How label values are painted.

    Parameters
    ----------
    rank
        For each value an array may hold, its place in `pixels`; 0 for what is not shown.
    pixels
        Per place its colour as fill, as half an outline, as a whole one.
    active
        The place of the segment in hand: its outline is wider.
    dashed
        Per place, whether its colour was another's before: then its outline is dashed.
    """

    rank: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    pixels: Pixels
    active: int
    dashed: BoolArray

    @classmethod
    def of(  # noqa: PLR0913  # all that a colour follows from
        cls, colors: Mapping[int, tuple[float, float, float]], active: int, *,
        fill: float, outline: float, highest: int,
        fills: Mapping[int, float] = MappingProxyType({}),
    ) -> "Palette":  # fmt: skip
        """Colours of what is shown, with the strength of areas and of borders from 0 to 1.

        `fills` has that of single areas where it differs.
        """
        places = len(colors) + 1
        rank: npt.NDArray[Any] = np.zeros(highest + 1, np.uint8 if 3 * places <= 256 else np.uint16)
        pixels = np.zeros(3 * places, np.uint32)
        dashed, seen = np.zeros(places, bool), set()
        for place, (value, rgb) in enumerate(colors.items(), start=1):
            if value > highest:
                continue
            dashed[place] = rgb in seen
            seen.add(rgb)
            rank[value] = place
            own = fills.get(value, fill)
            edge = max(outline, own)
            pixels[place] = argb(rgb, own)
            pixels[places + place] = argb(rgb, own + (edge - own) * 0.5)
            pixels[2 * places + place] = argb(rgb, edge)
        return cls(rank, pixels, int(rank[active]) if active <= highest else 0, dashed)

    @property
    def places(self) -> int:
        """How many colours there are, with none as one of them."""
        return len(self.pixels) // 3


def labelled_span(labels: npt.NDArray[Any]) -> Span | None:
    """The rows and columns of a slice that have a label; None where none has."""
    rows = np.flatnonzero(labels.any(axis=1))
    if not rows.size:
        return None
    columns = np.flatnonzero(labels[rows[0] : rows[-1] + 1].any(axis=0))
    return (int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)


def tinted(
    labels: npt.NDArray[Any], frame: Frame, rect: Rect, palette: Palette, ratio: float = 1.0
) -> tuple[Pixels, Rect] | None:
    """A slice's labels where they are in a part of the pane: borders run along voxel edges.

    Parameters
    ----------
    labels
        `[row, column]`.
    frame
        Where they are.
    rect
        The part of the pane to paint.
    palette
        Their colours.
    ratio
        The screen's pixels per pixel of the window.

    Returns
    -------
    tuple or None
        Pixels, and where they belong in the pane times `ratio`; None where there is nothing.
    """
    span = labelled_span(labels)
    if span is None:
        return None
    area = _seen(frame, rect, span, ratio)
    if area is None:
        return None
    first, end, left, right = span
    ranked = np.zeros(labels.shape, palette.rank.dtype)
    ranked[first:end, left:right] = np.take(palette.rank, labels[first:end, left:right])
    at = _spread(ranked, frame, area, ratio)
    # 0 within, 1 half an outline, 2 a whole one.
    level = _inside(at, 1).view(np.uint8) + _inside(at, 2).view(np.uint8)
    if palette.active:
        wide = at == palette.active
        level += wide & (level == 1)
        level += wide & (level == 0) & _inside(at, 3)
    if palette.dashed.any():
        level[np.take(palette.dashed, at) & ~_dashes(area)] = 0
    step = at.dtype.type(palette.places)
    return _cut(np.take(palette.pixels, level * step + at), area)


def hatched(
    mask: BoolArray, frame: Frame, rect: Rect, rgb: tuple[float, float, float],
    ratio: float = 1.0,
) -> tuple[Pixels, Rect] | None:  # fmt: skip
    """A preview's slice: stripes at 45 degrees inside a dashed border, never like a label."""
    span = labelled_span(mask)
    if span is None:
        return None
    area = _seen(frame, rect, span, ratio)
    if area is None:
        return None
    on = _spread(mask, frame, area, ratio)
    diagonal = _diagonals(area)
    stripes = on & (diagonal % HATCH_PX < 2)
    border = _inside(on.astype(np.uint16), 2)
    dashes = border & _dashes(area)
    pixels = np.zeros(on.shape, np.uint32)
    pixels[on] = argb(rgb, 0.12)
    pixels[stripes] = argb(rgb, 0.55)
    pixels[border] = argb((0.0, 0.0, 0.0), 0.5)
    pixels[dashes] = argb(rgb, 1.0)
    return _cut(pixels, area)


def _diagonals(area: Rect) -> npt.NDArray[np.intp]:
    left, top, width, height = area
    return np.arange(top, top + height)[:, None] + np.arange(left, left + width)[None, :]


def _dashes(area: Rect) -> BoolArray:
    """Where dashes are: they stand still on the screen, whatever part is painted."""
    on: BoolArray = (_diagonals(area) // DASH_PX) % 2 == 0
    return on


def _seen(frame: Frame, rect: Rect, span: Span, ratio: float) -> Rect | None:
    """Whole pixels of the rectangle that the rows and columns cover, with a margin of three."""
    left, top, width, height = (n * ratio for n in frame.box_px(span))
    x0 = max(int(left) - 3, int(rect[0] * ratio) - 3)
    y0 = max(int(top) - 3, int(rect[1] * ratio) - 3)
    x1 = min(int(left + width) + 4, int((rect[0] + rect[2]) * ratio) + 4)
    y1 = min(int(top + height) + 4, int((rect[1] + rect[3]) * ratio) + 4)
    return (x0, y0, x1 - x0, y1 - y0) if x1 > x0 and y1 > y0 else None


def _spread(plane: npt.NDArray[Any], frame: Frame, area: Rect, ratio: float) -> npt.NDArray[Any]:
    """The plane's values at some pixels; 0 beside the plane."""
    left, top, width, height = area
    x = (np.arange(left, left + width) + 0.5) / ratio
    y = (np.arange(top, top + height) + 0.5) / ratio
    columns = np.floor(frame.column + (x - frame.width / 2.0) / frame.column_px + 0.5)
    rows = np.floor(frame.row + (y - frame.height / 2.0) / frame.row_px + 0.5)
    i, j = columns.astype(np.intp), rows.astype(np.intp)
    there_i, there_j = (i >= 0) & (i < frame.columns), (j >= 0) & (j < frame.rows)
    found: npt.NDArray[Any] = np.take(plane, np.clip(j, 0, frame.rows - 1), axis=0)
    found = np.take(found, np.clip(i, 0, frame.columns - 1), axis=1)
    if not there_i.all():
        found[:, ~there_i] = 0
    if not there_j.all():
        found[~there_j] = 0
    return found


def _inside(at: npt.NDArray[Any], reach: int) -> BoolArray:
    """Pixels of a label that are within `reach` of another value, along rows or columns."""
    near = np.zeros(at.shape, bool)
    if at.shape[0] > reach:
        differs = at[reach:] != at[:-reach]
        near[reach:] |= differs
        near[:-reach] |= differs
    if at.shape[1] > reach:
        differs = at[:, reach:] != at[:, :-reach]
        near[:, reach:] |= differs
        near[:, :-reach] |= differs
    return near & (at > 0)


def _cut(pixels: Pixels, area: Rect) -> tuple[Pixels, Rect]:
    return np.ascontiguousarray(pixels), area


def moved(position: Index, axis: int, index: int) -> Index:
    """The same place in another slice."""
    k, j, i = (index if n == axis else old for n, old in enumerate(position))
    return (k, j, i)
