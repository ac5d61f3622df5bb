"""Tools that draw for a person: each is one step of the history, with its settings.

What a tool would do is a value, so a preview is the function of `core` that a command calls here,
with nothing applied. Locks and the intensity mask trim what is written, as for every edit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.core import (
    region_islands,
    region_logic,
    region_margin,
    region_smoothing,
)
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.core.grouping import chosen_in_groups, in_its_group
from napari_medlabel.core.interpolation import REACH_MM, interpolate
from napari_medlabel.core.region import Report, Stop, never, silent
from napari_medlabel.core.volume import Grid
from napari_medlabel.errors import InputError
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = [
    "applied",
    "combine_segments",
    "copy_slice",
    "fill_holes",
    "grow_margin",
    "hollow",
    "image_of",
    "interpolate_slices",
    "keep_largest_islands",
    "mirror_segment",
    "relabel_segments",
    "remove_small_islands",
    "shrink_margin",
    "smooth_gaussian",
    "smooth_jointly",
    "smooth_median",
    "split_islands",
]


@command(needs=Permission.SEGMENT)
def interpolate_slices(  # noqa: PLR0913  # each is a choice the person makes
    session: Session, case: OpenCase, *, axis: int = 0, values: Sequence[int] = (),  # noqa: ARG001
    by_image: bool = False, reach_mm: float = REACH_MM, over_others: bool = False,
    progress: Report | None = None, cancelled: Stop = never,
) -> Edit:  # fmt: skip
    """Fill the slices between drawn ones, of some or all segments (see `core.interpolation`)."""
    case.check_open()
    image = image_of(case) if by_image else None
    edits = [
        interpolate(
            labels, case.segmentation.geometry.spacing_mm, axis=axis,
            values=its or None, image=image, reach_mm=reach_mm,
            over_others=over_others, progress=progress, cancelled=cancelled,
        )
        for labels, its in _by_group(case, values)
    ]  # fmt: skip
    settings = {"axis": axis, "values": list(values), "by_image": by_image}
    settings |= {"reach_mm": reach_mm} if by_image else {}
    return applied(case, edits, "Interpolate", **settings, over_others=over_others)


@command(needs=Permission.SEGMENT)
def fill_holes(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, axis: int | None = None,  # noqa: ARG001
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Fill what a segment encloses, in each slice or in 3-D (see `core.region_islands`)."""
    case.check_open()
    edit = region_islands.fill_holes(
        case.segmentation.labels_of(value),
        value, axis=axis, over_others=over_others, cancelled=cancelled,
        progress=progress,
    )  # fmt: skip
    return applied(case, edit, "Fill holes", label=value, axis=axis, over_others=over_others)


@command(needs=Permission.SEGMENT)
def keep_largest_islands(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, count: int = 1,  # noqa: ARG001
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Erase all islands of a segment but the largest ones."""
    case.check_open()
    edit = region_islands.keep_largest(
        case.segmentation.labels_of(value),
        value,
        count=count,
        cancelled=cancelled,
        progress=progress,
    )
    return applied(case, edit, "Keep largest", label=value, count=count)


@command(needs=Permission.SEGMENT)
def remove_small_islands(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, below_ml: float,  # noqa: ARG001
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Erase all islands of a segment below a volume."""
    case.check_open()
    edit = region_islands.remove_islands(
        case.segmentation.labels_of(value), value, case.segmentation.geometry.voxel_ml,
        below_ml=below_ml, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(case, edit, "Remove islands", label=value, below_ml=below_ml)


@command(needs=Permission.SEGMENT)
def split_islands(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, most: int = 20,  # noqa: ARG001
    smallest_ml: float = 0.0, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give each island of a segment a new segment: the largest keeps its own, others by size.

    Parameters
    ----------
    case
        An open case.
    value
        The segment's label value.
    most
        New segments at most; islands beyond stay with the old one.
    smallest_ml
        Smaller islands stay with the old one, too.
    cancelled
        Polled.
    progress
        Called with slices done and in all.

    Raises
    ------
    InputError
        If there is no such segment or a number cannot be.
    """
    case.check_open()
    segmentation = case.segmentation
    name = segmentation.schema[value].name
    if most < 1 or not np.isfinite(smallest_ml) or smallest_ml < 0:
        raise InputError("islands cannot be split like that", "choose 1 new segment or more")
    volumes = region_islands.island_volumes_ml(
        segmentation.labels_of(value), value, segmentation.geometry.voxel_ml, cancelled=cancelled
    )
    schema, new = segmentation.schema, list[int]()
    for _ in [ml for ml in volumes[1:] if ml >= smallest_ml][:most]:
        label = replace(schema.next_label(name), group=segmentation.group_of(value))
        schema = schema.with_label(label)
        new.append(label.value)
    edit = region_islands.split_islands(
        segmentation.labels_of(value), value, new, cancelled=cancelled, progress=progress
    ).in_group(segmentation.group_of(value))
    settings = {"label": value, "most": most, "smallest_ml": smallest_ml}
    return segmentation.apply(edit, tool="Split islands", settings=settings, schema=schema)


@command(needs=Permission.SEGMENT)
def smooth_median(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, size_mm: float,  # noqa: ARG001
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Smooth a segment by a median of a box (see `core.region_smoothing`)."""
    case.check_open()
    edit = region_smoothing.smooth_median(
        case.segmentation.labels_of(value), value, case.segmentation.geometry.spacing_mm, size_mm,
        over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(
        case, edit, "Smooth (median)", label=value, size_mm=size_mm, over_others=over_others
    )


@command(needs=Permission.SEGMENT)
def smooth_gaussian(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, sigma_mm: float,  # noqa: ARG001
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Smooth a segment by a Gaussian (see `core.region_smoothing`)."""
    case.check_open()
    edit = region_smoothing.smooth_gaussian(
        case.segmentation.labels_of(value), value, case.segmentation.geometry.spacing_mm, sigma_mm,
        over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(
        case, edit, "Smooth (Gaussian)", label=value, sigma_mm=sigma_mm, over_others=over_others
    )


@command(needs=Permission.SEGMENT)
def smooth_jointly(  # noqa: PLR0913
    session: Session, case: OpenCase, values: Sequence[int], *, sigma_mm: float,  # noqa: ARG001
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Smooth neighbouring segments together, without gaps or overlaps."""
    case.check_open()
    edits = [
        region_smoothing.smooth_jointly(
            labels, its, case.segmentation.geometry.spacing_mm, sigma_mm,
            cancelled=cancelled, progress=progress,
        )
        for labels, its in _by_group(case, values)
    ]  # fmt: skip
    return applied(case, edits, "Smooth jointly", values=list(values), sigma_mm=sigma_mm)


@command(needs=Permission.SEGMENT)
def grow_margin(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, by_mm: float,  # noqa: ARG001
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Grow a segment by a margin."""
    case.check_open()
    edit = region_margin.grow(
        case.segmentation.labels_of(value), value, case.segmentation.geometry.spacing_mm, by_mm,
        over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(case, edit, "Grow margin", label=value, by_mm=by_mm, over_others=over_others)


@command(needs=Permission.SEGMENT)
def shrink_margin(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, by_mm: float,  # noqa: ARG001
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Shrink a segment by a margin."""
    case.check_open()
    edit = region_margin.shrink(
        case.segmentation.labels_of(value), value, case.segmentation.geometry.spacing_mm, by_mm,
        cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(case, edit, "Shrink margin", label=value, by_mm=by_mm)


@command(needs=Permission.SEGMENT)
def hollow(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, thickness_mm: float,  # noqa: ARG001
    side: region_margin.Side = "inside", over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Leave a shell of a segment along its border."""
    case.check_open()
    edit = region_margin.hollow(
        case.segmentation.labels_of(value),
        value, case.segmentation.geometry.spacing_mm, thickness_mm,
        side=side, over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(
        case, edit, "Hollow", label=value, thickness_mm=thickness_mm, side=side,
        over_others=over_others,
    )  # fmt: skip


@command(needs=Permission.SEGMENT)
def combine_segments(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, other: int, *,  # noqa: ARG001
    how: region_logic.How, margin_mm: float = 0.0, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Join a segment with another, or cut it by the other and a margin around it."""
    case.check_open()
    segmentation = case.segmentation
    apart = segmentation.group_of(value) != segmentation.group_of(other)
    edit = region_logic.combine(
        segmentation.labels_of(value), value, other, how, segmentation.geometry.spacing_mm,
        margin_mm=margin_mm, others=segmentation.labels_of(other) if apart else None,
        cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(
        case, edit, f"{how.capitalize()} segments", label=value, other=other, margin_mm=margin_mm
    )


@command(needs=Permission.SEGMENT)
def copy_slice(  # noqa: PLR0913
    session: Session, case: OpenCase, source: int, target: int, *, axis: int = 0,  # noqa: ARG001
    values: Sequence[int] = (), over_others: bool = False,
) -> Edit:  # fmt: skip
    """Draw on one slice what was drawn on another."""
    case.check_open()
    edits = [
        region_logic.copy_slice(
            labels, source, target, axis=axis, values=its or None, over_others=over_others
        )
        for labels, its in _by_group(case, values)
    ]
    return applied(
        case, edits, "Copy slice", source=source, target=target, axis=axis, values=list(values),
        over_others=over_others,
    )  # fmt: skip


@command(needs=Permission.SEGMENT)
def mirror_segment(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, into: int | None = None,  # noqa: ARG001
    plane: tuple[FloatArray, FloatArray] | None = None, over_others: bool = False,
    cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Draw a segment's mirror image, left for right or across a plane in LPS."""
    case.check_open()
    _check_one_group(case, value, value if into is None else into)
    edit = region_logic.mirror(
        case.segmentation.labels_of(value),
        value, case.segmentation.geometry, into=into, plane=plane,
        over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    point, normal = region_logic.mid_plane(case.segmentation.geometry) if plane is None else plane
    return applied(
        case, edit, "Mirror", label=value, into=value if into is None else into,
        point_lps=np.asarray(point).tolist(), normal_lps=np.asarray(normal).tolist(),
        over_others=over_others,
    )  # fmt: skip


@command(needs=Permission.SEGMENT)
def relabel_segments(session: Session, case: OpenCase, new_values: Mapping[int, int]) -> Edit:  # noqa: ARG001
    """Give the voxels of segments other label values, all at once."""
    case.check_open()
    for old, new in new_values.items():
        _check_one_group(case, old, new)
    edits = [
        region_logic.relabel(labels, {old: new_values[old] for old in its})
        for labels, its in _by_group(case, tuple(new_values))
    ]
    pairs = {str(old): new for old, new in new_values.items()}
    return applied(case, edits, "Relabel", new_values=pairs)


def image_of(case: OpenCase) -> Grid:
    """The image, once all of it is in memory."""
    case.loading.wait()
    return case.volume.levels[0]


def applied(case: OpenCase, edit: Edit | Sequence[Edit], tool: str, **settings: object) -> Edit:
    """Write the edit of a tool, or those of several groups; return what was written.

    Of several groups it is what was written of the first that changed.
    """
    edits = [edit] if isinstance(edit, Edit) else edit
    segmentation = case.segmentation
    placed = [in_its_group(segmentation, one) for one in edits]
    changing = [one for one in placed if not one.is_nothing] or placed[:1]
    return segmentation.apply_all(changing, tool=tool, settings=settings)[0]


def _by_group(
    case: OpenCase, values: Sequence[int]
) -> Iterator[tuple[LabelArray, tuple[int, ...]]]:
    """The labels of each group that values are of, with its values; all that are drawn without."""
    for group, its in chosen_in_groups(case.segmentation, values).items():
        yield case.segmentation.arrays[group], its


def _check_one_group(case: OpenCase, value: int, other: int) -> None:
    """Pass where a label may become the other; background is of every group."""
    groups = {case.segmentation.schema[one].group for one in (value, other) if one}
    if len(groups) > 1:
        raise InputError(
            "the two segments are of different groups", "move one of them to the other's group"
        )
