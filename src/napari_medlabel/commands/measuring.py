"""Numbers of segments: of an open case or of a mask file, as a document and as a table."""

import csv
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.commands.masks import label_maps
from napari_medlabel.commands.sources import read_source
from napari_medlabel.commands.tools import image_of
from napari_medlabel.core.metrics_segment import segment_statistics
from napari_medlabel.core.region import Report, Stop, never, silent
from napari_medlabel.errors import InputError
from napari_medlabel.export import same_grid_or_refuse
from napari_medlabel.files import new_file, shown
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["case_statistics", "mask_statistics", "write_statistics"]

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what begins so


@command(needs=Permission.VIEW)
def case_statistics(  # noqa: PLR0913
    session: Session, case: OpenCase, values: Collection[int] = (), *,  # noqa: ARG001
    by_image: bool = True, cancelled: Stop = never, progress: Report = silent,
) -> dict[str, Any]:  # fmt: skip
    """Size, shape and image values of segments of an open case (see `core.metrics_segment`).

    Parameters
    ----------
    case
        An open case.
    values
        Label values of the segments; without it, all of the schema. One without a voxel is there
        with its size, 0, alone.
    by_image
        Whether the image's values are looked at, once all of it is in memory.
    cancelled
        Polled on every slice.
    progress
        Called with slices done and in all, for each group of segments anew.

    Returns
    -------
    dict
        `{"format": 1, "unit": "HU", "segments": [{"value": …, "name": …, "color": …, …}]}`,
        JSON-ready.

    Raises
    ------
    Cancelled
        If `cancelled` says so.
    """
    case.check_open()
    segmentation = case.segmentation
    image = image_of(case) if by_image else None
    chosen = [label for label in segmentation.schema if not values or label.value in values]
    numbers: dict[int, dict[str, Any]] = {}
    for group in sorted({label.group for label in chosen}):
        own = [label.value for label in chosen if label.group == group]
        found = segment_statistics(
            segmentation.arrays[group], segmentation.geometry, image, values=own,
            cancelled=cancelled, progress=progress,
        )  # fmt: skip
        numbers |= {one.value: one.document() for one in found}
    rows = [
        {"value": label.value, "name": label.name, "color": label.color}
        | numbers.get(label.value, {"value": label.value, "voxels": 0, "ml": 0.0})
        for label in chosen
    ]
    return {"format": 1, "unit": case.volume.unit if by_image else "", "segments": rows}


@command(needs=Permission.VIEW)
def mask_statistics(
    session: Session, mask: Path, *, image: Path | None = None,  # noqa: ARG001
    cancelled: Stop = never, progress: Report = silent,
) -> dict[str, Any]:  # fmt: skip
    """The same of a mask file, with the values of an image file on its grid.

    Raises
    ------
    GeometryError
        If the image lies on another grid; says how it differs.
    InputError
        If the file does not hold labels.
    """
    labels = label_maps(mask)
    values, unit = None, ""
    if image is not None:
        below = read_source(image)
        same_grid_or_refuse(labels.geometry, below.geometry)
        values, unit = np.asarray(below.levels[0]), below.unit
    found = [
        one
        for array in labels.arrays
        for one in segment_statistics(
            array, labels.geometry, values, cancelled=cancelled, progress=progress
        )
    ]
    found.sort(key=lambda one: one.value)
    return {"format": 1, "unit": unit, "segments": [one.document() for one in found]}


@command(needs=Permission.EXPORT)
def write_statistics(
    session: Session, document: Mapping[str, Any], path: Path, *, force: bool = False,  # noqa: ARG001
) -> None:  # fmt: skip
    """Write what `case_statistics` or `mask_statistics` answered, as the suffix says.

    Parameters
    ----------
    document
        Their answer.
    path
        A new .json file, or a .csv file (UTF-8, commas, one row for each segment).
    force
        Whether a file that is there may be replaced.

    Raises
    ------
    InputError
        If the suffix is another one.
    OutputError
        If the file is there already or cannot be written.
    """
    kind = path.suffix.casefold()
    if kind not in {".json", ".csv"}:
        raise InputError(f"'{shown(path.name)}' names no format", "end it with .csv or .json")
    with new_file(path, force=force) as partial:
        if kind == ".json":
            partial.write_text(json.dumps(document, indent=1), encoding="utf-8")
            return
        rows = [_row(segment) for segment in document["segments"]]
        columns = list(dict.fromkeys(name for row in rows for name in row))
        with partial.open("w", encoding="utf-8", newline="") as text:
            writer = csv.DictWriter(text, columns or ["value", "voxels", "ml"])
            writer.writeheader()
            writer.writerows(rows)


def _row(segment: Mapping[str, Any]) -> dict[str, Any]:
    """One segment as a flat row: axes by their length and ends, boxes and points by k, j, i."""
    return dict(_cells(segment))


def _cells(segment: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in segment.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}_{inner}", cell) for inner, cell in _cells(value))
        elif isinstance(value, list):
            places = "xyz" if name.endswith("_lps") else "kji"
            stem = name.removesuffix("_kji").removesuffix("_lps")
            yield from ((f"{stem}_{at}", cell) for at, cell in zip(places, value, strict=True))
        elif isinstance(value, str) and value.startswith(_FORMULA):
            yield name, f"'{value}"
        else:
            yield name, value
