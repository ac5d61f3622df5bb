"""How many cases look alike: k-anonymity over chosen quasi-identifiers, and what would raise it.

Whoever knows somebody's age, sex or a date from elsewhere can find a case that is the only one of
its kind. k is the size of the smallest group of cases with the same values: Sweeney, Int. J.
Uncertainty, Fuzziness and Knowledge-Based Systems 10:557 (2002), doi:10.1142/S0218488502001648

Values are made coarser along a ladder for each kind: each rung joins groups of the one before and
never parts them, so that k never falls.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Final, Literal

from napari_medlabel.errors import InputError

__all__ = ["Case", "Kind", "Mend", "Risk", "Rung", "ladder", "mends", "risk_of", "risk_report"]

Kind = Literal["age", "date", "number", "category"]
Value = str | float | date

_OLDEST: Final = 90  # HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C): ages over 89 as one
_MOST_MENDS: Final = 5
_MOST_QUASI: Final = 6


@dataclass(frozen=True, slots=True)
class Case:
    """One person: what they are called in the answer, and what others may know of them.

    Parameters
    ----------
    name
        A number or a pseudonym; nothing that identifies.
    values
        By quasi-identifier; several where studies differ, none where nothing is said.
    """

    name: str
    values: Mapping[str, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Rung:
    """A way of making values coarser: what it is called, and how."""

    name: str
    of: Callable[[Value], object]


def _as_is(value: Value) -> object:
    return value


def _dropped(_: Value) -> object:
    return "*"


def _band(width: int, oldest: float = float("inf")) -> Callable[[Value], object]:
    def band(value: Value) -> object:
        if not isinstance(value, float | int):
            return value
        return "oldest" if value >= oldest else int(value // width) * width

    return band


def _part_of_date(length: int) -> Callable[[Value], object]:
    def part(value: Value) -> object:
        return value.timetuple()[:length] if isinstance(value, date) else value

    return part


def _five_years(value: Value) -> object:
    return value.year // 5 if isinstance(value, date) else value


_KEPT: Final = Rung("as it is", _as_is)
_LEFT_OUT: Final = Rung("left out", _dropped)
_LADDERS: Final[Mapping[Kind, tuple[Rung, ...]]] = {
    "age": (
        _KEPT,
        Rung("5-year bands, 90+", _band(5, _OLDEST)),
        Rung("10-year bands, 90+", _band(10, _OLDEST)),
        Rung("20-year bands, 90+", _band(20, _OLDEST)),
        _LEFT_OUT,
    ),
    "date": (
        _KEPT,
        Rung("month", _part_of_date(2)),
        Rung("year", _part_of_date(1)),
        Rung("5 years", _five_years),
        _LEFT_OUT,
    ),
    "number": (
        _KEPT,
        Rung("bands of 5", _band(5)),
        Rung("bands of 10", _band(10)),
        Rung("bands of 20", _band(20)),
        _LEFT_OUT,
    ),
    "category": (_KEPT, _LEFT_OUT),
}


def ladder(kind: Kind) -> tuple[Rung, ...]:
    """The ways of making values of a kind coarser, from as they are to left out."""
    return _LADDERS[kind]


@dataclass(frozen=True, slots=True)
class Risk:
    """How alike cases are at chosen rungs.

    Parameters
    ----------
    k
        Cases in the smallest group; 0 where there are none.
    groups
        How many.
    alone
        Names of the cases that are alone in theirs, in order of the cases.
    """

    k: int
    groups: int
    alone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mend:
    """What to make coarser, by quasi-identifier, and what comes of it."""

    rungs: tuple[tuple[str, str], ...]
    k: int

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"generalise": dict(self.rungs), "k": self.k}


def risk_of(
    cases: Sequence[Case], kinds: Mapping[str, Kind], levels: Mapping[str, int] | None = None
) -> Risk:
    """How alike cases are.

    Parameters
    ----------
    cases
        Any number.
    kinds
        The quasi-identifiers, and of what kind each is.
    levels
        The rung of each ladder, from 0; as they are without it.

    Returns
    -------
    Risk
        Cases without a value are alike in that.
    """
    at = levels or {}
    columns = [_column(cases, name, ladder(kind)[at.get(name, 0)]) for name, kind in kinds.items()]
    groups = _groups(columns, len(cases))
    sizes = Counter(groups)
    alone = tuple(case.name for case, group in zip(cases, groups, strict=True) if sizes[group] == 1)
    return Risk(min(sizes.values(), default=0), len(sizes), alone)


def _column(cases: Sequence[Case], name: str, rung: Rung) -> list[int]:
    """What each case has of a quasi-identifier at a rung, as a number: equal where it is equal."""
    numbers: dict[frozenset[object], int] = {}
    held = (frozenset(map(rung.of, case.values.get(name, ()))) for case in cases)
    return [numbers.setdefault(values, len(numbers)) for values in held]


def _groups(columns: Sequence[Sequence[int]], count: int) -> list[tuple[int, ...]]:
    return list(zip(*columns, strict=True)) if columns else [()] * count


def mends(cases: Sequence[Case], kinds: Mapping[str, Kind], wanted_k: int) -> list[Mend]:
    """The gentlest ways to reach a k: none of their ladders could be a rung lower.

    Parameters
    ----------
    cases, kinds
        As for `risk_of`.
    wanted_k
        What every group is to have at least.

    Returns
    -------
    list of Mend
        Up to five, what loses least first; none where k is reached already, or cannot be.

    Raises
    ------
    InputError
        If there are too many quasi-identifiers to try all ways.
    """
    if len(kinds) > _MOST_QUASI:
        raise InputError(
            f"{len(kinds)} quasi-identifiers are too many to try all ways of making them coarser",
            f"name at most {_MOST_QUASI}",
        )
    columns = [
        [_column(cases, name, rung) for rung in ladder(kind)] for name, kind in kinds.items()
    ]
    heights = list(map(len, columns))
    ways = sorted(product(*map(range, heights)), key=lambda way: (_loss(way, heights), way))
    reached: list[tuple[int, ...]] = []
    found: list[Mend] = []
    for way in ways:
        if len(found) == _MOST_MENDS:
            break
        if any(all(a <= b for a, b in zip(one, way, strict=True)) for one in reached):
            continue  # k is reached with less
        chosen = [column[level] for column, level in zip(columns, way, strict=True)]
        k = min(Counter(_groups(chosen, len(cases))).values(), default=0)
        if k >= wanted_k:
            reached.append(way)
            found.append(_mend(way, kinds, k))
    return [one for one in found if one.rungs]


def _loss(way: Sequence[int], heights: Sequence[int]) -> float:
    """How much is lost: 1 for each ladder climbed to its top."""
    return sum(level / (height - 1) for level, height in zip(way, heights, strict=True))


def _mend(way: Sequence[int], kinds: Mapping[str, Kind], k: int) -> Mend:
    climbed = (
        (name, ladder(kind)[level].name)
        for (name, kind), level in zip(kinds.items(), way, strict=True)
        if level
    )
    return Mend(tuple(climbed), k)


def risk_report(
    cases: Sequence[Case], kinds: Mapping[str, Kind], *, wanted_k: int = 5
) -> dict[str, Any]:
    """k, the cases that are alone, and what would mend it, as a JSON-ready document.

    No value of a case is in it, only names.

    Parameters
    ----------
    cases, kinds
        As for `risk_of`.
    wanted_k
        What is thought to be enough.

    Raises
    ------
    InputError
        If there is no case, no quasi-identifier, or no sense in `wanted_k`.
    """
    if not cases:
        raise InputError("there are no cases", "name a folder of DICOM files or a CSV table")
    if not kinds:
        raise InputError("no quasi-identifier was chosen", "name some: --quasi age,sex")
    if wanted_k < 2:
        raise InputError("k below 2 protects nobody", "ask for 2 or more")
    now = risk_of(cases, kinds)
    silent = {name: sum(not case.values.get(name) for case in cases) for name in kinds}
    return {
        "format": 1,
        "cases": len(cases),
        "quasi": [{"name": n, "kind": kind, "missing": silent[n]} for n, kind in kinds.items()],
        "k": now.k,
        "groups": now.groups,
        "alone": list(now.alone),
        "wanted_k": wanted_k,
        "mends": [one.document() for one in mends(cases, kinds, wanted_k)],
    }
