"""Hypothesis strategies for geometries, schemas, edits and drawing; the laws of engines.

For our tests and for people who write engines and tools. They need the extra `test`. Geometries
are oblique, anisotropic, sheared and flipped unless asked otherwise: an isotropic cube at the
origin hides every mistake of axis order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import Axes, BoolArray, FloatArray, Geometry, Index
from napari_medlabel.core.grouping import move_label
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.engines.laws import check_engine
from napari_medlabel.errors import InputError, Refused

__all__ = [
    "Action",
    "DeleteLabel",
    "Lock",
    "MoveLabel",
    "Paint",
    "Redo",
    "SetLabel",
    "Undo",
    "actions",
    "axes",
    "check_engine",
    "edits",
    "geometries",
    "label_arrays",
    "labels_and_edit",
    "schemas",
    "shapes",
]


def shapes(max_side: int = 6) -> st.SearchStrategy[Index]:
    """Shapes `(k, j, i)` with sides from 1."""
    side = st.integers(1, max_side)
    return st.tuples(side, side, side)


def axes() -> st.SearchStrategy[Axes]:
    """All 48 ways to lay out three axes."""
    flip = st.booleans()
    orders = st.permutations([0, 1, 2]).map(lambda order: (order[0], order[1], order[2]))
    return st.builds(Axes, orders, st.tuples(flip, flip, flip))


@st.composite
def geometries(
    draw: st.DrawFn,
    *,
    shape: st.SearchStrategy[Index] | None = None,
    max_shear: float = 0.5,
    max_origin_mm: float = 500.0,
) -> Geometry:
    """Grids with any rotation and axis order, spacings from 0.2 to 8 mm, and a shear.

    Parameters
    ----------
    draw
        Given by hypothesis.
    shape
        Of the grid; by default sides of 1 to 6.
    max_shear
        Largest tangent of an axis's lean; 0 for right angles.
    max_origin_mm
        Farthest centre of the first voxel along each axis.
    """
    turned = _rotation(draw(st.tuples(*[st.floats(-1.0, 1.0, width=32)] * 4)))
    lean = draw(st.tuples(*[st.floats(-max_shear, max_shear)] * 3))
    sheared = np.array([[1.0, lean[0], lean[1]], [0.0, 1.0, lean[2]], [0.0, 0.0, 1.0]])
    spacing = draw(st.tuples(*[st.floats(0.2, 8.0)] * 3))
    origin = draw(st.tuples(*[st.floats(-max_origin_mm, max_origin_mm)] * 3))
    laid_out = draw(axes())
    matrix = np.eye(4)
    matrix[:3, :3] = (turned @ sheared) * np.asarray(spacing)
    matrix[:3, 3] = origin
    size = draw(shapes() if shape is None else shape)
    return Geometry(laid_out.inverse().shape(size), matrix).laid_out(laid_out)


@st.composite
def schemas(draw: st.DrawFn, *, max_labels: int = 5, highest_value: int = 255) -> LabelSchema:
    """Schemas of up to `max_labels` labels, some with codes."""
    words = st.text(min_size=1, max_size=12).filter(
        lambda word: bool(word.strip()) and word.isprintable()
    )
    values = draw(st.lists(st.integers(1, highest_value), max_size=max_labels, unique=True))
    names = draw(
        st.lists(
            words,
            min_size=len(values),
            max_size=len(values),
            unique_by=lambda name: name.casefold(),
        )
    )
    colors = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")
    codes = st.none() | st.builds(Code, words, st.sampled_from(["SCT", "DCM"]), words)
    labels = [
        Label(value, name, draw(colors), draw(codes))
        for value, name in zip(values, names, strict=True)
    ]
    return LabelSchema(draw(words), tuple(labels))


def label_arrays(
    shape: Index, values: Sequence[int], dtype: npt.DTypeLike = np.uint8
) -> st.SearchStrategy[LabelArray]:
    """Arrays of these label values and background."""
    return hnp.arrays(np.dtype(dtype), shape, elements=st.sampled_from([0, *values]))


@st.composite
def edits(draw: st.DrawFn, labels: LabelArray, values: Sequence[int]) -> Edit:
    """Edits on labels as they are: any box, any voxels of it, any of the values or background."""
    low, size = draw(_boxes(labels.shape))
    box = tuple(slice(a, a + n) for a, n in zip(low, size, strict=True))
    before = labels[box]
    after = draw(label_arrays(size, values, labels.dtype))
    where = draw(hnp.arrays(np.bool_, size))
    return Edit.between(low, before, np.where(where, after, before))


@st.composite
def labels_and_edit(
    draw: st.DrawFn, *, max_side: int = 5, values: Sequence[int] = (1, 2, 3)
) -> tuple[LabelArray, Edit]:
    """An array of labels, and an edit made on it."""
    labels = draw(label_arrays(draw(shapes(max_side)), values, draw(_dtypes())))
    return labels, draw(edits(labels, values))


class Action(Protocol):
    """Something that a person does to a segmentation; what is refused changes nothing."""

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True)
class Paint:
    """Give a value to some voxels of a box, in its label's group; 0 erases in the group named."""

    low: Index
    where: BoolArray
    value: int
    whole: bool = False
    erase_in: int = 0

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, as far as locks let it."""
        label = segmentation.schema.get(self.value)
        group = self.erase_in if label is None else label.group
        if group not in segmentation.arrays:
            return
        labels = segmentation.arrays[group]
        edit = Edit.fill(labels, self.low, self.where, self.value, group=group)
        _unless_refused(lambda: segmentation.apply(edit, tool="Paint", whole=self.whole))


@dataclass(frozen=True, slots=True)
class Undo:
    """Take the last step back."""

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, unless a lock is in the way."""
        _unless_refused(segmentation.undo)


@dataclass(frozen=True, slots=True)
class Redo:
    """Make the step that was taken back again."""

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, unless a lock is in the way."""
        _unless_refused(segmentation.redo)


@dataclass(frozen=True, slots=True)
class Lock:
    """Lock or unlock a label."""

    value: int
    on: bool

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, where there is such a label."""
        if segmentation.schema.get(self.value) is not None:
            segmentation.lock(self.value, on=self.on)


@dataclass(frozen=True, slots=True)
class SetLabel:
    """Add a label, or change its name and colour."""

    label: Label

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, unless the name is taken."""
        _unless_refused(lambda: segmentation.set_label(self.label))


@dataclass(frozen=True, slots=True)
class MoveLabel:
    """Move a label to another group."""

    value: int
    group: int
    over_others: bool = False

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, unless others or a lock are in the way, or it is not there."""
        _unless_refused(
            lambda: move_label(segmentation, self.value, self.group, over_others=self.over_others)
        )


@dataclass(frozen=True, slots=True)
class DeleteLabel:
    """Erase a label and take it from the schema."""

    value: int

    def __call__(self, segmentation: Segmentation) -> None:
        """Do it, unless it is locked or not there."""
        _unless_refused(lambda: segmentation.delete_label(self.value))


def actions(
    shape: Index,
    values: Sequence[int] = (1, 2, 3),
    *,
    locks: bool = True,
    groups: Sequence[int] = (0,),
) -> st.SearchStrategy[Action]:
    """Anything that a person may do to a segmentation of this shape, painting most of all.

    Parameters
    ----------
    shape
        Of the segmentation.
    values
        Of labels.
    locks
        Whether labels are locked and unlocked.
    groups
        Where labels are added and moved to.
    """
    value = st.sampled_from(values)
    label = st.builds(
        Label, value, st.sampled_from(["liver", "spleen", "cord", "lesion"]), st.just("#FF8000"),
        group=st.sampled_from(groups),
    )  # fmt: skip
    paints = _paints(shape, values, groups)
    kinds: list[st.SearchStrategy[Any]] = [paints, st.just(Undo()), st.just(Redo())]
    kinds += [st.builds(SetLabel, label), st.builds(DeleteLabel, value)]
    if locks:
        kinds.append(st.builds(Lock, value, st.booleans()))
    if len(groups) > 1:
        kinds.append(st.builds(MoveLabel, value, st.sampled_from(groups), st.booleans()))
    return st.one_of(kinds[0], *kinds)


@st.composite
def _paints(draw: st.DrawFn, shape: Index, values: Sequence[int], groups: Sequence[int]) -> Paint:
    low, size = draw(_boxes(shape))
    where = draw(hnp.arrays(np.bool_, size))
    value, whole = draw(st.sampled_from([0, *values])), draw(st.booleans())
    return Paint(low, where, value, whole, draw(st.sampled_from(groups)))


@st.composite
def _boxes(draw: st.DrawFn, shape: Sequence[int]) -> tuple[Index, Index]:
    ends = [sorted(draw(st.tuples(*[st.integers(0, n - 1)] * 2))) for n in shape]
    (a, d), (b, e), (c, f) = ends
    return (a, b, c), (d - a + 1, e - b + 1, f - c + 1)


def _dtypes() -> st.SearchStrategy[Any]:
    return st.sampled_from([np.uint8, np.uint16])


def _rotation(quaternion: tuple[float, ...]) -> FloatArray:
    w, x, y, z = quaternion
    length = w * w + x * x + y * y + z * z
    if length < 1e-3:
        return np.eye(3)
    w, x, y, z = np.array([w, x, y, z]) / np.sqrt(length)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _unless_refused(action: Callable[[], object]) -> None:
    try:
        action()
    except (Refused, InputError):
        return
