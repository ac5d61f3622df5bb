"""What a scan found, for people: one line for each series, what is wrong with it below."""

from collections.abc import Sequence

from napari_medlabel.cli.text import paragraph, sentence, table
from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.core.volume import Series

__all__ = ["print_series"]

COLUMNS = ("#No", "Kind", "Slices, rows, columns", "Spacing mm", "#Volumes", "Problems")


def print_series(found: Sequence[Series], *, reports: bool = False) -> None:
    """Print the table, then the problems of those series that have any.

    Parameters
    ----------
    found
        The series.
    reports
        Whether the geometry report of every volume is printed, too.
    """
    table(COLUMNS, (_row(series) for series in found))
    for series in found:
        _print_details(series, reports=reports)


def _row(series: Series) -> tuple[object, ...]:
    return (
        series.number,
        _kind(series),
        _size(series),
        _spacing(series),
        len(series.volumes) if series.kind != "other" else "-",
        ", ".join(dict.fromkeys(p.code.replace("-", " ") for p in series.all_problems())),
    )


def _kind(series: Series) -> str:
    if series.kind == "image":
        return series.modality or "image"
    return f"{series.modality} {series.kind}".strip()


def _size(series: Series) -> str:
    if (grid := series.geometry) is not None:
        return " x ".join(str(n) for n in grid.shape)
    report = _only_report(series)
    return f"{report.slices} slices" if report is not None else "-"


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
    for number, volume in enumerate(series.volumes, 1) if reports else ():
        report = volume.geometry_report()
        if report is None:
            continue
        paragraph(f"volume {number} {volume.name}".strip(), indent=2)
        for line in report.lines():
            paragraph(line, indent=4)
