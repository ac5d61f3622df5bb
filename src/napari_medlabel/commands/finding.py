"""Which series, which case: what a person named, found or asked back."""

from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats import Found, in_quantity, with_choice
from napari_medlabel.session import CaseInfo, Session

__all__ = [
    "AS_FOUND",
    "check_number",
    "check_usable",
    "choose",
    "choose_series",
    "find_case",
    "turned",
]

AS_FOUND = Choice()


def choose(
    found: Found,
    series: str = "",
    volume: int = 0,
    choice: Choice = AS_FOUND,
    quantity: str = "",
) -> tuple[Series, int]:
    """The one series and volume (from 0) that were named, or the only ones there are.

    Parameters
    ----------
    found
        What a scan found.
    series
        A number or UID; "" is the only image series.
    volume
        From 1; 0 is the only one.
    choice
        What to do about irregular slices: the series that is returned, and what `volume` counts,
        is what it makes of the one that was found.
    quantity
        What its values are to be, of those it offers: "SUVbw"; as they are without it.

    Raises
    ------
    InputError
        If there is none, or there are several and none was named; says which there are.
    GeometryError
        If what was named is not one regular grid.
    """
    chosen = choose_series(found, series)
    if quantity:
        chosen = turned(chosen, volume, quantity)
    chosen = with_choice(chosen, choice)
    if volume == 0 and len(chosen.volumes) > 1:
        raise InputError(
            f"series {chosen.number} holds {len(chosen.volumes)} volumes: "
            + ", ".join(f"{n} {one.name}".strip() for n, one in enumerate(chosen.volumes, 1)),
            "name one with --volume",
        )
    check_number(chosen, volume)
    index = max(volume - 1, 0)
    check_usable(chosen, index)
    return chosen, index


def turned(series: Series, volume: int, quantity: str) -> Series:
    """The series with the values of one volume, from 1, or of all (0) in another quantity.

    Raises
    ------
    InputError
        If a volume does not have it; says what it has.
    """
    check_number(series, volume)
    numbers = [volume] if volume else range(1, len(series.volumes) + 1)
    for number in numbers if quantity else ():
        series = in_quantity(series, number - 1, quantity)
    return series


def check_number(series: Series, volume: int) -> None:
    """Pass where there is a volume of this number, from 1; 0 names none.

    Raises
    ------
    InputError
        If there is none.
    """
    if not 0 <= volume <= len(series.volumes):
        raise InputError(
            f"series {series.number} has no volume {volume}", f"it has 1 to {len(series.volumes)}"
        )


def choose_series(found: Found, named: str = "") -> Series:
    """The series of this number or UID, or the only image series; it has volumes.

    Raises
    ------
    InputError
        If there is none, or there are several and none was named; says which there are.
    """
    chosen = _series(found, named)
    if not chosen.volumes:
        raise InputError(f"series {chosen.number} holds no image", _first_problem(chosen))
    return chosen


def check_usable(series: Series, volume: int) -> None:
    """Pass where a volume can be read as one regular grid.

    Raises
    ------
    GeometryError
        With the problems that stand in the way.
    """
    one = series.volumes[volume]
    if one.usable:
        return
    problems = [*one.problems, *series.problems]
    blocking = [p for p in problems if p.blocking] or problems
    what = "; ".join(p.what for p in blocking) or "its slices are not one regular grid"
    hint = next((p.hint for p in blocking if p.hint), "")
    raise GeometryError(f"series {series.number} cannot be one volume: {what}", hint)


def find_case(session: Session, name: str) -> CaseInfo:
    """The case called so: "12", "Case 0012", "case-0012", its id or that of its segmentation.

    Raises
    ------
    InputError
        If there is none.
    """
    catalogue = session.workspace.catalogue
    word = name.strip().casefold().removeprefix("case").strip(" -")
    cases = catalogue.all_cases()
    for case in cases:
        if word.isdecimal() and len(word) < 9 and int(word) == case.number:
            return case
        if word == case.id or word in catalogue.segmentation_ids(case.id):
            return case
    there = ", ".join(case.name for case in cases[:5]) or "none yet"
    raise InputError(
        f"there is no such case in this workspace; there are: {there}", "medlabel list"
    )


def _series(found: Found, named: str) -> Series:
    if named:
        for series in found.series:
            if named in (str(series.number), series.uid):
                return series
        raise InputError(f"there is no series '{named}' here", _choices(found))
    images = [series for series in found.series if series.kind == "image"]
    images = images or [series for series in found.series if series.kind == "segmentation"]
    if not images:
        others = ", ".join(sorted({series.kind for series in found.series}))
        raise InputError(
            "no image series was found" + (f", only: {others}" if others else ""),
            _first_problem(found.series[0]) if found.series else "choose another folder or file",
        )
    if len(images) > 1:
        raise InputError(f"there are {len(images)} image series", _choices(found))
    return images[0]


def _choices(found: Found) -> str:
    lines = []
    for series in found.series:
        grid = series.geometry
        size = " x ".join(str(n) for n in grid.shape) if grid else "no one grid"
        lines.append(f"{series.number} ({series.modality or series.kind}, {size})")
    return "name one with --series: " + ", ".join(lines)


def _first_problem(series: Series) -> str:
    problems = series.all_problems()
    if not problems:
        return "choose another folder or file"
    return f"{problems[0].what}: {problems[0].hint}" if problems[0].hint else problems[0].what
