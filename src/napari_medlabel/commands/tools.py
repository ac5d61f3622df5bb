"""Tools that draw for a person: each is one step of the history, with its settings.

What a tool would do is a value, so a preview is the function of `core` that a command calls here,
with nothing applied. Locks and the intensity mask trim what is written, as for every edit.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.core import (
    region_islands,
    region_logic,
    region_margin,
    region_smoothing,
)
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import FloatArray
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
    edit = interpolate(
        case.segmentation.labels, case.segmentation.geometry.spacing_mm, axis=axis,
        values=values or None, image=image_of(case) if by_image else None, reach_mm=reach_mm,
        over_others=over_others, progress=progress, cancelled=cancelled,
    )  # fmt: skip
    settings = {"axis": axis, "values": list(values), "by_image": by_image}
    settings |= {"reach_mm": reach_mm} if by_image else {}
    return applied(case, edit, "Interpolate", **settings, over_others=over_others)


@command(needs=Permission.SEGMENT)
def fill_holes(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, axis: int | None = None,  # noqa: ARG001
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Fill what a segment encloses, in each slice or in 3-D (see `core.region_islands`)."""
    case.check_open()
    edit = region_islands.fill_holes(
        case.segmentation.labels, value, axis=axis, over_others=over_others, cancelled=cancelled,
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
        case.segmentation.labels, value, count=count, cancelled=cancelled, progress=progress
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
        case.segmentation.labels, value, case.segmentation.geometry.voxel_ml,
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
        segmentation.labels, value, segmentation.geometry.voxel_ml, cancelled=cancelled
    )
    schema, new = segmentation.schema, list[int]()
    for _ in [ml for ml in volumes[1:] if ml >= smallest_ml][:most]:
        label = schema.next_label(name)
        schema = schema.with_label(label)
        new.append(label.value)
    edit = region_islands.split_islands(
        segmentation.labels, value, new, cancelled=cancelled, progress=progress
    )
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
        case.segmentation.labels, value, case.segmentation.geometry.spacing_mm, size_mm,
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
        case.segmentation.labels, value, case.segmentation.geometry.spacing_mm, sigma_mm,
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
    edit = region_smoothing.smooth_jointly(
        case.segmentation.labels, values, case.segmentation.geometry.spacing_mm, sigma_mm,
        cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(case, edit, "Smooth jointly", values=list(values), sigma_mm=sigma_mm)


@command(needs=Permission.SEGMENT)
def grow_margin(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, by_mm: float,  # noqa: ARG001
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Grow a segment by a margin."""
    case.check_open()
    edit = region_margin.grow(
        case.segmentation.labels, value, case.segmentation.geometry.spacing_mm, by_mm,
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
        case.segmentation.labels, value, case.segmentation.geometry.spacing_mm, by_mm,
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
        case.segmentation.labels, value, case.segmentation.geometry.spacing_mm, thickness_mm,
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
    edit = region_logic.combine(
        case.segmentation.labels, value, other, how, case.segmentation.geometry.spacing_mm,
        margin_mm=margin_mm, cancelled=cancelled, progress=progress,
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
    edit = region_logic.copy_slice(
        case.segmentation.labels, source, target, axis=axis, values=values or None,
        over_others=over_others,
    )  # fmt: skip
    return applied(
        case, edit, "Copy slice", source=source, target=target, axis=axis, values=list(values),
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
    edit = region_logic.mirror(
        case.segmentation.labels, value, case.segmentation.geometry, into=into, plane=plane,
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
    edit = region_logic.relabel(case.segmentation.labels, new_values)
    pairs = {str(old): new for old, new in new_values.items()}
    return applied(case, edit, "Relabel", new_values=pairs)


def image_of(case: OpenCase) -> Grid:
    """The image, once all of it is in memory."""
    case.loading.wait()
    return case.volume.levels[0]


def applied(case: OpenCase, edit: Edit, tool: str, **settings: object) -> Edit:
    """Write the edit of a tool; return what was written."""
    return case.segmentation.apply(edit, tool=tool, settings=settings)
