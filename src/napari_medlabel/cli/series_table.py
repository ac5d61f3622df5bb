"""What a scan found, for people: one line for each series, what is wrong with it below."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from napari_medlabel.cli.text import paragraph, sentence, table
from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.core.volume import Series

__all__ = ["print_series"]

SHOWN: Final = frozenset({"image", "segmentation", "localizer"})  # the others hold no volume
MENDED: Final = frozenset({"gantry-tilt", "missing-slice", "uneven-spacing", "uneven-shift"})
COLUMNS: Final = ("#No", "Kind", "Grid", "Spacing mm", "#Volumes", "Problems")


def print_series(found: Sequence[Series], *, reports: bool = False) -> None:
    """Print the table, then the problems of those series that have any.

    Parameters
    ----------
    found
        The series.
    reports
        Whether the geometry report of every volume is printed, too.
    """
    table(COLUMNS, (_row(series) for series in found), folds="Problems")
    for series in found:
        _print_details(series, reports=reports)
    if any(problem.code in MENDED for series in found for problem in series.all_problems()):
        sentence("")
        paragraph(
            "Slices that are tilted or uneven: convert and import take --split, "
            "--largest-run or --resample."
        )


def _row(series: Series) -> tuple[object, ...]:
    return (
        series.number,
        _kind(series),
        _size(series),
        _spacing(series),
        len(series.volumes) if series.kind in SHOWN else "-",
        ", ".join(dict.fromkeys(p.code.replace("-", " ") for p in series.all_problems())),
    )


def _kind(series: Series) -> str:
    if series.kind == "localizer":
        return f"{series.modality} localizer".strip()
    return series.modality or series.kind  # what is no image has no number of volumes


def _size(series: Series) -> str:
    if (grid := series.geometry) is not None:
        return " x ".join(str(n) for n in grid.shape)
    if len(series.volumes) > 1:
        return "several"
    report = _only_report(series)
    if report is None:
        return "-"
    return "1 slice" if report.slices == 1 else f"{report.slices} slices"


def _spacing(series: Series) -> str:
    report = _only_report(series)
    if (grid := series.geometry) is not None:
        step, down, across = (f"{mm:.3g}" for mm in grid.spacing_mm)
    elif report is not None and report.steps and report.pixel_mm is not None:
        sizes = [one.mm for one in report.steps]
        step = f"{min(sizes):.3g}-{max(sizes):.3g}"
        down, across = (f"{mm:.3g}" for mm in report.pixel_mm)
    else:
        return "-"
    return f"{step} x {down} x {across}"


def _only_report(series: Series) -> GeometryReport | None:
    return series.volumes[0].geometry_report() if len(series.volumes) == 1 else None


def _print_details(series: Series, *, reports: bool) -> None:
    problems = series.all_problems()
    if problems or (reports and series.volumes):
        sentence("")
        sentence(f"Series {series.number}")
    for problem in problems:
        hint = f"; {problem.hint}" if problem.hint else ""
        paragraph(f"{problem.code}: {problem.what}{hint}", indent=2)
    for names, lines in _reports(series) if reports else ():
        paragraph(names, indent=2)
        for line in lines:
            paragraph(line, indent=4)


def _reports(series: Series) -> Iterator[tuple[str, list[str]]]:
    """The reports of volumes in a row that say the same, once, with what these are called."""
    told = [
        (number, volume.name, report.lines())
        for number, volume in enumerate(series.volumes, 1)
        if (report := volume.geometry_report()) is not None
    ]
    for lines, same in groupby(told, key=itemgetter(2)):
        members = list(same)
        first, last = members[0], members[-1]
        if len(members) == 1:
            yield f"volume {first[0]} {first[1]}".strip(), lines
        else:
            yield f"volumes {first[0]} to {last[0]}", lines
