"""The cases of a folder of DICOM files, or of a CSV table, with what others may know of them.

A case is a person: k-anonymity counts people, and one with two studies is known by both.
"""

import csv
import io
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from math import isfinite
from pathlib import Path
from typing import Final

from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_files import Candidate, Opener, find_inside
from napari_medlabel.formats.dicom_gather import candidates
from napari_medlabel.formats.dicom_header import FoundArchive
from napari_medlabel.formats.dicom_odd import read_any_header
from napari_medlabel.formats.dicom_stored import UNREADABLE
from napari_medlabel.privacy.risk import Case, Kind

__all__ = ["DEFAULT_QUASI", "QUASI", "cases_of", "cases_of_dicom", "cases_of_table"]

Value = str | float | date

DEFAULT_QUASI: Final = ("age", "sex")
_ID, _NAME, _REMOVED, _BORN, _STUDIED = 0x00100020, 0x00100010, 0x00120062, 0x00100030, 0x00080020
_AGE: Final = 0x00101010
# Quasi-identifiers of a header: tag and kind. Age may follow from two dates.
QUASI: Final[Mapping[str, tuple[int, Kind]]] = {
    "age": (_AGE, "age"),
    "sex": (0x00100040, "category"),
    "birth-date": (_BORN, "date"),
    "study-date": (_STUDIED, "date"),
    "weight": (0x00101030, "number"),
    "height": (0x00101020, "number"),  # metres in the header, here centimetres
    "ethnic-group": (0x00102160, "category"),
    "country": (0x00102150, "category"),
    "region": (0x00102152, "category"),
    "occupation": (0x00102180, "category"),
    "religion": (0x001021F0, "category"),
    "smoking": (0x001021A0, "category"),
    "pregnancy": (0x001021C0, "category"),
    "military-rank": (0x00101080, "category"),
    "institution": (0x00080080, "category"),
    "station": (0x00081010, "category"),
    "manufacturer": (0x00080070, "category"),
    "modality": (0x00080060, "category"),
    "body-part": (0x00180015, "category"),
}
_TAGS: Final = frozenset(tag for tag, _ in QUASI.values()) | {_ID, _NAME, _REMOVED}
_YEARS_IN: Final = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
_NAMES: Final = ("pseudonym", "case")  # columns that may be shown
_LARGEST_TABLE: Final = 1 << 28


def cases_of(
    path: Path, quasi: Sequence[str], *, cancelled: Callable[[], bool] = lambda: False
) -> tuple[list[Case], dict[str, Kind]]:
    """The cases of a folder (or archive) of DICOM files, or of a table named `.csv` or `.tsv`.

    Parameters
    ----------
    path
        Folder, DICOM file, zip archive, DICOMDIR, or a table with one row for each case.
    quasi
        Which quasi-identifiers: names of `QUASI`, or of a table's columns.
    cancelled
        Asked before each file.

    Returns
    -------
    cases, kinds
        In order of the files or rows; and of what kind each quasi-identifier is.

    Raises
    ------
    InputError
        If the path cannot be read, holds no case, or a quasi-identifier is not known.
    Cancelled
        If `cancelled` said so.
    """
    if path.is_file() and path.suffix.lower() in {".csv", ".tsv"}:
        return cases_of_table(path, quasi)
    return cases_of_dicom(path, quasi, cancelled=cancelled)


def cases_of_dicom(
    path: Path, quasi: Sequence[str], *, cancelled: Callable[[], bool] = lambda: False
) -> tuple[list[Case], dict[str, Kind]]:
    """The patients of DICOM files; `cases_of` says how.

    They are numbered in order of the files. Where a header says that the patient's identity was
    removed, the case is called by its id, which is a pseudonym then.
    """
    unknown = [name for name in quasi if name not in QUASI]
    if unknown:
        what = f"{len(unknown)} of the quasi-identifiers are not known: {shown(unknown[0])}"
        raise InputError(what, f"choose among {', '.join(QUASI)}")
    kinds: dict[str, Kind] = {name: QUASI[name][1] for name in quasi}
    people: dict[Hashable, _Person] = {}
    with Opener(bounded=True) as opener:
        waiting, _ = candidates(path, opener)
        for candidate in waiting:  # which grows by what archives hold
            if cancelled():
                raise Cancelled("reading the cases was called off")
            try:
                its = _values(candidate, opener)
            except FoundArchive:
                waiting += find_inside(opener, candidate)[0]
                continue
            if its is not None:
                who = its.raw(_ID).strip(b" \0") or its.raw(_NAME).strip(b" \0")
                people.setdefault(who, _Person(kinds)).add(its)
    if not people:
        raise InputError(f"{shown(path)} holds no DICOM file of a patient", "name another folder")
    names = [person.pseudonym for person in people.values()]
    cases = [
        Case(name if name and names.count(name) == 1 else str(n), person.known())
        for n, (name, person) in enumerate(zip(names, people.values(), strict=True), 1)
    ]
    return cases, kinds


def _values(candidate: Candidate, opener: Opener) -> Values | None:
    """The elements that are asked for; None where it is no DICOM, or of no patient."""
    try:
        file, size = opener.open(candidate.place)
        with file:
            header = read_any_header(file, size, _TAGS)
    except FoundArchive:
        raise
    except (InputError, *UNREADABLE):
        return None
    its = Values(header.values, "little" if header.little else "big")
    return its if its.text(_ID) or its.text(_NAME) or its.text(_AGE) else None


class _Person:
    """What the files of one patient say, put together."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._found: dict[str, set[Value]] = {name: set() for name in kinds}
        self._kinds = kinds
        self.pseudonym = ""

    def add(self, its: Values) -> None:
        """One more file."""
        if its.text(_REMOVED).upper() == "YES":
            self.pseudonym = its.text(_ID)
        for name, kind in self._kinds.items():
            value = _age(its) if name == "age" else _parsed(its.text(QUASI[name][0]), kind)
            if value is not None:
                if name == "height" and isinstance(value, float):
                    value *= 100.0
                self._found[name].add(value)

    def known(self) -> dict[str, tuple[Value, ...]]:
        """What is known of the person."""
        return {name: tuple(sorted(values, key=str)) for name, values in self._found.items()}


def _age(its: Values) -> Value | None:
    """In years, as the header says it or as its dates do."""
    said = re.fullmatch(r"(\d{1,3})([YMWD])", its.text(_AGE).upper())
    if said:
        return float(int(int(said[1]) * _YEARS_IN[said[2]]))
    born, studied = (_parsed(its.text(tag), "date") for tag in (_BORN, _STUDIED))
    if not isinstance(born, date) or not isinstance(studied, date) or studied < born:
        return None
    had_birthday = (studied.month, studied.day) >= (born.month, born.day)
    return float(studied.year - born.year - (not had_birthday))


def _parsed(text: str, kind: Kind) -> Value | None:
    """A value of its kind; as text where it is none, nothing where there is none."""
    plain = text.strip()
    if not plain:
        return None
    if kind == "date":
        digits = plain.replace("-", "").replace(".", "")
        with suppress(ValueError):
            return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    elif kind in {"age", "number"}:
        with suppress(ValueError):
            number = float(plain)
            return number if isfinite(number) else plain
    return plain.casefold()


def cases_of_table(path: Path, quasi: Sequence[str]) -> tuple[list[Case], dict[str, Kind]]:
    """The rows of a table, one for each case; `cases_of` says how.

    A column named `pseudonym` or `case` has what cases are called; they are numbered without.
    """
    rows = _rows(path)
    header = {name.strip().casefold().replace("_", "-"): n for n, name in enumerate(rows[0])}
    missing = [name for name in quasi if _plain(name) not in header]
    if missing:
        what = f"the table has no column {shown(missing[0])}"
        raise InputError(what, "name its columns: --quasi age,sex")
    named = next((header[name] for name in _NAMES if name in header), None)
    columns = {name: [_cell(row, header[_plain(name)]) for row in rows[1:]] for name in quasi}
    kinds = {name: _kind_of(name, cells) for name, cells in columns.items()}
    cases = []
    for n, row in enumerate(rows[1:], 1):
        known = {
            name: () if (value := _parsed(cells[n - 1], kinds[name])) is None else (value,)
            for name, cells in columns.items()
        }
        cases.append(Case(_cell(row, named) if named is not None else str(n), known))
    return cases, kinds


def _rows(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > _LARGEST_TABLE:
            raise InputError("the table is too large", "leave out columns that are not asked for")
        data = path.read_bytes()
    except OSError as error:
        raise InputError("the table cannot be read", "check its permissions") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    except csv.Error as error:
        raise InputError("the table is damaged", "save it again as CSV") from error
    if len(rows) < 2:
        raise InputError("the table has no rows", "its first row names the columns")
    return rows


def _plain(name: str) -> str:
    return name.strip().casefold().replace("_", "-")


def _cell(row: Sequence[str], column: int) -> str:
    return row[column].strip() if column < len(row) else ""


def _kind_of(name: str, cells: Iterable[str]) -> Kind:
    """By its name where that is known, else by what is in it."""
    known = QUASI.get(_plain(name))
    if known:
        return known[1]
    said = [cell for cell in cells if cell]
    if said and all(isinstance(_parsed(cell, "number"), float) for cell in said):
        return "number"
    if said and all(isinstance(_parsed(cell, "date"), date) for cell in said):
        return "date"
    return "category"
