"""Tools that draw what the image shows: each is one step of the history, with its settings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.commands.tools import applied, image_of
from napari_medlabel.core import region_flood, region_seeds, region_threshold, smart_paint
from napari_medlabel.core.carrying import carry
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Index
from napari_medlabel.core.grouping import chosen_in_groups
from napari_medlabel.core.region import Box, Report, Stop, check_size, never, silent
from napari_medlabel.core.region_nearest import nearest_part
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = [
    "carry_slice",
    "fill_region",
    "grow_from_seeds",
    "grow_region",
    "otsu_threshold",
    "paint_to_edge",
    "threshold",
]


@command(needs=Permission.SEGMENT)
def threshold(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, *, lower: float = -np.inf,  # noqa: ARG001
    upper: float = np.inf, box: Box | None = None, inside: int | None = None,
    over_others: bool = False, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Give a segment all voxels whose image value lies within limits."""
    case.check_open()
    segmentation = case.segmentation
    own = segmentation.group_of(value)
    apart = inside is not None and segmentation.group_of(inside) != own
    edit = region_threshold.threshold(
        case.segmentation.labels_of(value),
        image_of(case), value, lower, upper, box=box, inside=None if apart else inside,
        over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    if inside is not None and apart:
        edit = edit.only(segmentation.labels_of(inside)[edit.box] == inside)
    return applied(
        case, edit, "Threshold", label=value, lower=_finite(lower), upper=_finite(upper),
        box=None if box is None else [[side.start, side.stop] for side in box], inside=inside,
        over_others=over_others,
    )  # fmt: skip


@command(needs=Permission.VIEW)
def otsu_threshold(
    session: Session, case: OpenCase, *, inside: int | None = None,  # noqa: ARG001
    box: Box | None = None, cancelled: Stop = never,
) -> float:  # fmt: skip
    """The image value that parts two classes best, everywhere or in a segment or box."""
    case.check_open()
    return region_threshold.otsu(
        image_of(case),
        labels=case.segmentation.labels_of(inside or 0),
        inside=inside,
        box=box,
        cancelled=cancelled,
    )


@command(needs=Permission.SEGMENT)
def grow_region(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, seed: Index, *,  # noqa: ARG001
    tolerance: float | None = None, factor: float = 2.5, axis: int | None = None,
    over_others: bool = False, most_ml: float | None = None, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Grow a segment from a voxel, within a tolerance of its value or confidently without one.

    Parameters
    ----------
    session, case, value, seed, tolerance, factor, axis, over_others, cancelled, progress
        As for `core.region_flood.grow_from_point` and `grow_confidently`.
    most_ml
        How large the region may be: of a larger one the part nearest to the voxel is taken, and
        the step's settings say so (`limit_reached`). Without it, as large as it is.

    Raises
    ------
    InputError, GeometryError, Cancelled
        As there, or if the limit is none.
    """
    case.check_open()
    labels, image = case.segmentation.labels_of(value), image_of(case)
    geometry = case.segmentation.geometry
    if most_ml is not None:
        check_size(most_ml, "limit", unit="mL")
    how: dict[str, Any] = {"axis": axis, "over_others": over_others}
    asked = {**how, "cancelled": cancelled, "progress": progress}
    if tolerance is None:
        region = region_flood.region_confidently(
            labels, image, value, seed, factor=factor, **asked
        )  # fmt: skip
    else:
        region = region_flood.region_from_point(labels, image, value, seed, tolerance, **asked)
    if most_ml is not None:
        part = nearest_part(
            *region, seed, geometry.spacing_mm, int(most_ml / geometry.voxel_ml + 1e-9),
            cancelled=cancelled,
        )  # fmt: skip
        how |= {"most_ml": most_ml, "limit_reached": part[1] is not region[1]}
        region = part
    by = {"factor": factor} if tolerance is None else {"tolerance": tolerance}
    edit = region_flood.given(labels, *region, value)
    return applied(case, edit, "Grow region", label=value, seed=list(seed), **by, **how)


@command(needs=Permission.SEGMENT)
def fill_region(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, seed: Index, *,  # noqa: ARG001
    tolerance: float | None = None, axis: int | None = None, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Fill the region of one label around a voxel, within a tolerance of its image value or all."""
    case.check_open()
    edit = region_flood.fill(
        case.segmentation.labels_of(value),
        value, seed, image=None if tolerance is None else image_of(case),
        tolerance=tolerance or 0.0, axis=axis, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(case, edit, "Fill", label=value, seed=list(seed), tolerance=tolerance, axis=axis)


@command(needs=Permission.SEGMENT)
def grow_from_seeds(  # noqa: PLR0913
    session: Session, case: OpenCase, *, values: Sequence[int] = (),  # noqa: ARG001
    outside: int | None = None, margin_mm: float = 20.0, lower: float = -np.inf,
    upper: float = np.inf, cancelled: Stop = never, progress: Report = silent,
) -> Edit:  # fmt: skip
    """Let segments grow from what was drawn of them until they meet (see `core.region_seeds`)."""
    case.check_open()
    segmentation = case.segmentation
    edits = [
        region_seeds.grow_from_seeds(
            segmentation.arrays[group], image_of(case), segmentation.geometry.spacing_mm,
            values=its, outside=outside, margin_mm=margin_mm, limits=(lower, upper),
            cancelled=cancelled, progress=progress,
        )
        for group, its in _competing(segmentation, values).items()
    ]  # fmt: skip
    return applied(
        case, edits, "Grow from seeds", values=list(values), outside=outside, margin_mm=margin_mm,
        lower=_finite(lower), upper=_finite(upper),
    )  # fmt: skip


@command(needs=Permission.SEGMENT)
def paint_to_edge(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, center: Index, *,  # noqa: ARG001
    diameter_mm: float, path: Sequence[Index] = (), axis: int = 0, over_others: bool = False,
) -> Edit:  # fmt: skip
    """Paint a disc, or a stroke of them along a path, up to the edge that the image shows."""
    case.check_open()
    edit = smart_paint.paint_to_edge(
        case.segmentation.labels_of(value),
        image_of(case), value, center, diameter_mm=diameter_mm, path=path,
        spacing_mm=case.segmentation.geometry.spacing_mm, axis=axis, over_others=over_others,
    )  # fmt: skip
    return applied(
        case, edit, "Smart paint", label=value, center=list(center), path=[list(at) for at in path],
        diameter_mm=diameter_mm, axis=axis, over_others=over_others,
    )  # fmt: skip


@command(needs=Permission.SEGMENT)
def carry_slice(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, index: int, *, step: int = 1,  # noqa: ARG001
    axis: int = 0, replace: bool = False, over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Carry what is drawn on a slice to the next one or more, as far as the image shows it too."""
    case.check_open()
    edit = carry(
        case.segmentation.labels_of(value),
        image_of(case), case.segmentation.geometry, value, axis, index,
        step, replace=replace, over_others=over_others, cancelled=cancelled, progress=progress,
    )  # fmt: skip
    return applied(
        case, edit, "Carry slice", label=value, index=index, step=step, axis=axis, replace=replace,
        over_others=over_others,
    )  # fmt: skip


def _competing(segmentation: Segmentation, values: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """The groups in which seeds compete; of all that are drawn those with two or more."""
    groups = chosen_in_groups(segmentation, values)
    if values:
        return groups
    drawn = [one.group for one in segmentation.schema if segmentation.voxels(one.value)]
    return {group: its for group, its in groups.items() if drawn.count(group) > 1} or groups


def _finite(limit: float) -> float | None:
    """A limit as JSON can say it: null for none."""
    return limit if np.isfinite(limit) else None
