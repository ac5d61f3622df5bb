"""Where one looks in an open case and how: the one place that all its views read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from napari_medlabel.commands import Rehearsed
from napari_medlabel.core.directions import letters
from napari_medlabel.core.geometry import BoolArray, FloatArray, Index
from napari_medlabel.core.segmentation import IntensityMask
from napari_medlabel.core.volume import Grid
from napari_medlabel.session import OpenCase
from napari_medlabel.ui._napari_compat import Box
from napari_medlabel.ui.layers import CaseLayers
from napari_medlabel.ui.paint_over import PaintOver
from napari_medlabel.ui.planes.greys import Palette
from napari_medlabel.ui.planes.spans import Span
from napari_medlabel.ui.views import PLANES

__all__ = [
    "LAYOUTS", "Layout", "Look", "Overlay", "Proposal", "RangePreview", "Region", "Sight",
    "look_from",
]  # fmt: skip

Region: TypeAlias = tuple[Box, BoolArray]  # a box, and which of its voxels
Layout = Literal["1+3", "2x2", "single", "napari"]
LAYOUTS: tuple[Layout, ...] = ("1+3", "2x2", "single")
_FILLED = {"outline and fill": (1.0, 1.0), "outline": (0.0, 1.0), "fill": (1.6, 0.0)}


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Proposal:
    """Voxels that somebody may accept: shown hatched, written only then.

    Parameters
    ----------
    what
        What accepting it writes.
    value
        The segment it belongs to, for its colour.
    words
        What made it: "Interpolate".
    seconds
        How long it took.
    source
        Which part of the window made it, where that has more to say of it: "assist".
    region
        What is shown, where that is not what changes: of a refined segment all of it.
    change_ml
        How much larger it is than the preview before it, which it corrects.
    note
        What else is to be known of it: "size 2".
    """

    what: Rehearsed
    value: int
    words: str
    seconds: float = 0.0
    source: str = ""
    region: Region | None = None
    change_ml: float | None = None
    note: str = ""

    @property
    def parts(self) -> tuple[Region, ...]:
        """What is shown: boxes, and which of their voxels."""
        if self.region is not None:
            return (self.region,)
        return tuple((one.box, one.changed) for one in self.what.edits if not one.is_nothing)

    @property
    def voxels(self) -> int:
        """How many voxels are shown."""
        return sum(int(np.count_nonzero(mask)) for _box, mask in self.parts)

    def slice_of(self, axis: int, index: int, shape: tuple[int, int]) -> BoolArray | None:
        """What is shown in a slice, `[row, column]` of the whole plane; None where nothing is."""
        plane: BoolArray | None = None
        for box, mask in self.parts:
            if not box[axis].start <= index < box[axis].stop:
                continue
            shown = np.take(mask, index - box[axis].start, axis=axis)
            rows, columns = (part for n, part in enumerate(box) if n != axis)
            plane = np.zeros(shape, bool) if plane is None else plane
            plane[rows, columns] |= shown
        return plane

    def slices(self, axis: int) -> tuple[int, ...]:
        """The slices along an axis in which something is shown; looked for once."""
        known = _SLICES.setdefault(self, {})
        if axis not in known:
            found: set[int] = set()
            for box, mask in self.parts:
                others = tuple(n for n in range(3) if n != axis)
                low = box[axis].start
                found.update(low + int(n) for n in np.flatnonzero(mask.any(axis=others)))
            known[axis] = tuple(sorted(found))
        return known[axis]


_SLICES: Final[WeakKeyDictionary[Proposal, dict[int, tuple[int, ...]]]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, eq=False)
class RangePreview:
    """All voxels between two values, seen while the range is still being chosen.

    Parameters
    ----------
    image, labels
        What is looked at, slice by slice, as far as it is shown; `[k, j, i]`.
    limits
        Lowest and highest value, both included.
    value
        The segment they would get.
    over
        Says which labels may be painted over, as `PaintOver.allows`.
    mask
        The intensity mask that is on, if one is.
    """

    image: Grid
    labels: npt.NDArray[Any]
    limits: tuple[float, float]
    value: int
    over: PaintOver
    words: str = "Threshold"
    mask: IntensityMask | None = None

    def slice_of(self, axis: int, index: int, shape: tuple[int, int]) -> BoolArray | None:  # noqa: ARG002
        """As `Proposal.slice_of`."""
        where = (slice(None),) * axis + (index,)
        image, labels = np.asarray(self.image[where]), self.labels[where]
        inside = (image >= self.limits[0]) & (image <= self.limits[1]) & (labels != self.value)
        if self.mask is not None:
            inside &= self.mask.passes(np.asarray(self.mask.image[where]))
        allowed = self.over.allows(labels, self.value)
        found: BoolArray = inside if allowed is None else inside & allowed
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A second volume on the case's grid: values, grey range, colours, strength.

    `value_of` tells the value at a voxel, None where there is none; `unit` its unit.
    """

    name: str
    values: Grid
    limits: tuple[float, float]
    colormap: str = "hot"
    opacity: float = 0.5
    shown: bool = True
    unit: str = ""
    value_of: Callable[[Index], float | None] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What a person has chosen about the views; remembered from case to case."""

    layout: Layout = "1+3"
    large: int = 0
    crosshair: bool = True
    linked: bool = True
    fill: float = 0.25
    overlays: bool = True


def look_from(remembered: object) -> Look:
    """A look that was remembered; the usual one for what is missing or makes no sense."""
    found = remembered if isinstance(remembered, dict) else {}
    usual = Look()
    kept = {
        name: value for name, value in found.items()
        if hasattr(usual, name) and type(value) is type(getattr(usual, name))
    }  # fmt: skip
    look = replace(usual, **kept)
    if look.layout not in LAYOUTS or not 0 <= look.large <= 3 or not 0.0 <= look.fill <= 1.0:
        return usual
    return look


class Sight(QObject):
    """Position, look, preview and overlay of an open case.

    Signals: `moved` with the new and the old position; `changed` when everything has to be
    painted anew; `labels_changed` with the box in which labels differ, or None for all of them.
    """

    moved = Signal(object, object)
    changed = Signal()
    labels_changed = Signal(object)
    look_changed = Signal()

    def __init__(self, case: OpenCase, layers: CaseLayers, look: Look, parent: QObject) -> None:
        super().__init__(parent)
        self.case, self.layers, self.look = case, layers, look
        self.image = case.volume.levels[0]
        self.shape: Index = case.volume.shape
        k, j, i = (n // 2 for n in self.shape)
        self.position: Index = (k, j, i)
        self.proposal: Proposal | RangePreview | None = None
        self.overlay: Overlay | None = None
        self.spans: tuple[Span, ...] = ()  # lines that somebody asked to see
        self.scale = 1.0  # of words, by napari's font size
        self.window_name = ""
        self.fills: Mapping[int, float] = {}  # of single segments, where not as the others
        self._palette: Palette | None = None

    # Where

    def move_to(self, kji: Iterable[float]) -> None:
        """Look at a voxel; the nearest one inside where it lies outside."""
        k, j, i = (
            min(max(round(float(n)), 0), size - 1) for n, size in zip(kji, self.shape, strict=True)
        )
        new, old = (k, j, i), self.position
        if new != old:
            self.position = new
            self.moved.emit(new, old)

    def nearest(self, kji: Iterable[float]) -> Index:
        """The voxel that is nearest to a place."""
        k, j, i = (
            min(max(round(float(n)), 0), size - 1) for n, size in zip(kji, self.shape, strict=True)
        )
        return (k, j, i)

    def holds(self, kji: Iterable[float]) -> bool:
        """True where a place lies in a voxel."""
        return all(-0.5 <= n < size - 0.5 for n, size in zip(kji, self.shape, strict=True))

    def move_along(self, axis: int, index: int) -> None:
        """Look at another slice of one axis."""
        self.move_to(index if n == axis else old for n, old in enumerate(self.position))

    # How

    def choose(self, **look: Any) -> None:  # noqa: ANN401  # the fields of `Look`
        """Change what the views show and how they lie."""
        new = replace(self.look, **look)
        if new != self.look:
            self.look = new
            self._palette = None
            self.look_changed.emit()
            self.changed.emit()

    def show_proposal(self, proposal: Proposal | RangePreview | None) -> None:
        """Show a preview, or none."""
        self.proposal = proposal
        self.changed.emit()

    def show_overlay(self, overlay: Overlay | None) -> None:
        """Show a second volume over the first, or none."""
        self.overlay = overlay
        self.changed.emit()

    def show_spans(self, *spans: Span) -> None:
        """Show lines over the views, or none."""
        if spans != self.spans:
            self.spans = spans
            self.changed.emit()

    def repaint(self) -> None:
        """Colours, window or image differ."""
        self._palette = None
        self.changed.emit()

    @property
    def palette(self) -> Palette:
        """Colours of the segments as they are chosen now."""
        if self._palette is None:
            layers, schema = self.layers, self.case.segmentation.schema
            fill, outline = _FILLED[layers.style]
            shown = {
                one.value: one.rgb
                for one in schema
                if one.value not in layers.hidden and layers.shown
            }
            self._palette = Palette.of(
                shown, layers.value, fill=min(fill * self.look.fill, 1.0),
                outline=outline, highest=max((one.value for one in schema), default=0),
                fills={value: min(fill * own, 1.0) for value, own in self.fills.items()},
            )  # fmt: skip
        return self._palette

    @property
    def arrays(self) -> tuple[npt.NDArray[Any], ...]:
        """The labels as they are being drawn, one array per group, `[k, j, i]`."""
        return self.layers.drawn

    def tell_labels(self, box: Box | None) -> None:
        """Labels differ in a box; None for all of them."""
        self.labels_changed.emit(box)

    # Words

    def direction(self, axis: int) -> FloatArray:
        """The unit vector, in LPS, along which an axis grows."""
        direction: FloatArray = self.case.volume.geometry.direction[:, axis]
        return direction

    def ends(self, axis: int) -> tuple[str, str]:
        """The letters at which an axis begins and ends; lower case where it is oblique."""
        return _letter(-self.direction(axis)), _letter(self.direction(axis))

    def where_along(self, axis: int) -> str:
        """How far along an axis the slice in sight is, with the letter of its side: "H 18.0 mm"."""
        geometry = self.case.volume.geometry
        mm = float(self.direction(axis) @ geometry.lps(self.position))
        begin, end = self.ends(axis)
        return f"{(end if mm >= 0.0 else begin).upper()} {abs(mm):.1f} mm"

    def value_at(self, kji: Index) -> float:
        """The image there."""
        return float(self.image[kji])

    def overlaid_at(self, kji: Index) -> tuple[float, str] | None:
        """The second image there, and its unit; None where none is seen."""
        overlay = self.overlay
        if overlay is None or not overlay.shown or overlay.value_of is None:
            return None
        value = overlay.value_of(kji)
        return None if value is None else (value, overlay.unit)


def plane_shape(shape: Index, number: int) -> tuple[int, int]:
    """Rows and columns of a plane's slices."""
    _axis, row, column = PLANES[number].order
    return shape[row], shape[column]


def _letter(direction: FloatArray) -> str:
    told = letters(direction)
    return told if len(told) == 1 else told[:1].lower()
