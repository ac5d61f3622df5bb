"""k-anonymity: its laws, what mends it, and what is never said of a case."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from napari_medlabel.cli import main
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.privacy.risk import Case, Kind, ladder, mends, risk_of
from napari_medlabel.privacy.risk_sources import cases_of
from tests.formats.made_dicom import one_slice, save, uid

KINDS: dict[str, Kind] = {"age": "age", "sex": "category", "seen": "date", "weight": "number"}

VALUES = {
    "age": st.integers(0, 99).map(float),
    "sex": st.sampled_from(["f", "m", "o"]),
    "seen": st.dates(date(2001, 1, 1), date(2009, 12, 31)),
    "weight": st.floats(2, 150),
}


@st.composite
def some_cases(draw: st.DrawFn) -> list[Case]:
    known = st.fixed_dictionaries({
        name: st.one_of(st.just(()), st.tuples(one), st.tuples(one, one))
        for name, one in VALUES.items()
    })  # fmt: skip
    return [Case(str(n), values) for n, values in enumerate(draw(st.lists(known, max_size=12)))]


LEVELS = st.fixed_dictionaries({
    name: st.integers(0, len(ladder(kind)) - 1) for name, kind in KINDS.items()
})  # fmt: skip


@given(some_cases(), LEVELS)
def test_k_is_the_smallest_group_and_who_is_alone_is_in_one_of_one(
    cases: list[Case], levels: dict[str, int]
) -> None:
    risk = risk_of(cases, KINDS, levels)
    assert 0 <= risk.k <= len(cases)
    assert risk.groups * risk.k <= len(cases)
    assert (risk.k == 1) == bool(risk.alone)
    assert set(risk.alone) <= {case.name for case in cases}


@given(some_cases(), LEVELS, st.sampled_from(sorted(KINDS)))
def test_a_rung_higher_never_lowers_k(cases: list[Case], levels: dict[str, int], name: str) -> None:
    higher = levels | {name: min(levels[name] + 1, len(ladder(KINDS[name])) - 1)}
    assert risk_of(cases, KINDS, higher).k >= risk_of(cases, KINDS, levels).k


@given(some_cases(), LEVELS, st.sampled_from(sorted(KINDS)))
def test_left_out_is_as_if_it_had_never_been_asked_for(
    cases: list[Case], levels: dict[str, int], name: str
) -> None:
    fewer = {one: kind for one, kind in KINDS.items() if one != name}
    told = [Case(case.name, dict(case.values) | {name: ("x",)}) for case in cases]
    assert (
        risk_of(told, KINDS, levels | {name: len(ladder(KINDS[name])) - 1}).k
        == risk_of(cases, fewer, levels).k
    )


@given(some_cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_cases_does_not_matter(cases: list[Case], random: Any) -> None:  # noqa: ANN401
    mixed = list(cases)
    random.shuffle(mixed)
    one, other = risk_of(cases, KINDS), risk_of(mixed, KINDS)
    assert (one.k, one.groups, set(one.alone)) == (other.k, other.groups, set(other.alone))


@settings(max_examples=25)
@given(some_cases(), st.integers(2, 4))
def test_what_mends_does_and_could_not_be_a_rung_lower(cases: list[Case], wanted: int) -> None:
    kinds: dict[str, Kind] = {"age": "age", "sex": "category", "seen": "date"}
    found = mends(cases, kinds, wanted)
    for mend in found:
        levels = _levels(kinds, dict(mend.rungs))
        assert risk_of(cases, kinds, levels).k == mend.k >= wanted
        lower = [levels | {name: level - 1} for name, level in levels.items() if level]
        assert all(risk_of(cases, kinds, one).k < wanted for one in lower)


@settings(max_examples=25)
@given(some_cases(), st.integers(2, 4))
def test_nothing_mends_only_where_nothing_can_or_has_to(cases: list[Case], wanted: int) -> None:
    kinds: dict[str, Kind] = {"age": "age", "sex": "category"}
    all_ways = product(*(range(len(ladder(kind))) for kind in kinds.values()))
    best = max(risk_of(cases, kinds, dict(zip(kinds, way, strict=True))).k for way in all_ways)
    is_needed = risk_of(cases, kinds).k < wanted
    assert bool(mends(cases, kinds, wanted)) == (is_needed and best >= wanted)


def _levels(kinds: Mapping[str, Kind], rungs: Mapping[str, str]) -> dict[str, int]:
    names = {name: [rung.name for rung in ladder(kind)] for name, kind in kinds.items()}
    return {name: all_.index(rungs[name]) if name in rungs else 0 for name, all_ in names.items()}


def test_ages_over_89_are_one_group_from_the_first_band_on() -> None:
    cases = [Case(str(age), {"age": (float(age),)}) for age in (89, 90, 97, 101)]
    groups = [risk_of(cases, {"age": "age"}, {"age": n}).groups for n in range(5)]
    assert groups == [4, 2, 2, 2, 1]


# Files


def patient(number: int, age: str, sex: str, **elements: object) -> Dataset:
    pixels = np.zeros((4, 4), np.int16)
    series = uid("series", number)
    return one_slice(
        pixels, (0, 0, 0), PatientID=f"SECRET-{number}", PatientName=f"Secret^{number}",
        PatientAge=age, PatientSex=sex, SeriesInstanceUID=series, **elements,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    people: Sequence[tuple[str, str]] = (("031Y", "M"), ("033Y", "M"), ("034Y", "M"), ("071Y", "F"))
    for n, (age, sex) in enumerate(people):
        for k in range(2):
            save(tmp_path / "in" / f"{n}-{k}.dcm", patient(n, age, sex, InstanceNumber=k))
    return tmp_path / "in"


def test_a_patient_with_two_files_is_one_case(folder: Path) -> None:
    cases, kinds = cases_of(folder, ["age", "sex"])
    assert kinds == {"age": "age", "sex": "category"}
    assert [case.name for case in cases] == ["1", "2", "3", "4"]
    assert cases[3].values == {"age": (71.0,), "sex": ("f",)}


def test_an_age_follows_from_dates_where_none_is_said(tmp_path: Path) -> None:
    dates = {"PatientBirthDate": "19500630", "StudyDate": "20200629"}
    save(tmp_path / "a.dcm", patient(1, "", "F", **dates))
    cases, _ = cases_of(tmp_path, ["age", "study-date"])
    assert cases[0].values == {"age": (69.0,), "study-date": (date(2020, 6, 29),)}


def test_a_pseudonym_is_shown_only_where_the_header_says_it_is_one(tmp_path: Path) -> None:
    save(tmp_path / "a.dcm", patient(1, "031Y", "F", PatientIdentityRemoved="YES"))
    save(tmp_path / "b.dcm", patient(2, "032Y", "F"))
    cases, _ = cases_of(tmp_path, ["age"])
    assert [case.name for case in cases] == ["SECRET-1", "2"]


def test_the_command_line_tells_k_and_who_is_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["risk", str(folder), "--quasi", "age,sex", "--k", "2", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["k"], said["cases"], said["alone"]) == (1, 4, ["1", "2", "3", "4"])
    assert said["mends"][0]["k"] >= 2
    assert main(["risk", str(folder), "--k", "2"]) == 0
    assert "k = 1 over age, sex: 4 cases in 4 groups, 4 alone" in capsys.readouterr().out


def test_no_value_of_a_case_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["risk", str(folder), "--quasi", "age,sex,birth-date", "--json"])
    said = capsys.readouterr().out.casefold()
    assert not any(word in said for word in ("secret", "031", "071", "31.0", '"m"', '"f"'))


TABLE = "Pseudonym;Age;Sex;Town\nA;31;m;X\nB;33;m;Y\nC;34;m;X\nD;71;f;X\n"


def test_a_table_is_read_by_its_columns(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TABLE, encoding="utf-8-sig")
    cases, kinds = cases_of(tmp_path / "t.csv", ["age", "town"])
    assert kinds == {"age": "age", "town": "category"}
    assert [case.name for case in cases] == ["A", "B", "C", "D"]
    assert risk_of(cases, {"town": "category"}).alone == ("B",)


@pytest.mark.parametrize("content", ["", "age,sex\n", "\0" * 50, 'age\n"open'])
def test_a_table_without_cases_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "t.csv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError):
        cases_of(tmp_path / "t.csv", ["sex"])


def test_what_cannot_be_asked_is_refused_with_what_can(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["risk", str(folder), "--quasi", "shoe-size"]) == 1
    assert "shoe-size" in capsys.readouterr().err
    assert main(["risk", str(folder), "--quasi", ","]) == 0  # as without it
    assert main(["risk", str(folder), "--k", "1"]) == 1


def test_a_folder_without_patients_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nobody", encoding="utf-8")
    with pytest.raises(InputError):
        cases_of(tmp_path, ["age"])


def test_it_can_be_called_off(folder: Path) -> None:
    with pytest.raises(Cancelled):
        cases_of(folder, ["age"], cancelled=lambda: True)
