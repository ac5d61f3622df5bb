"""What the geometry report and the offers say, decided without a window."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel import commands
from napari_medlabel.core.derivation import Choice, Derivation, SlicePlanes
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.geometry_report import Duplicate, GeometryReport, Missing, Step
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Source, Volume, Window
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.session import Session, local_session
from napari_medlabel.testing import geometries
from napari_medlabel.ui import geometry_state, state
from napari_medlabel.ui.annotate_state import Choices, annotate_state
from napari_medlabel.ui.geometry_facts import facts_of, slice_at
from napari_medlabel.ui.offer_words import offer_verb, offer_words
from tests.formats.made_dicom import SAGITTAL, ramp, save_all, stack

TILT = Problem("gantry-tilt", "the slices are tilted", "resample it")
LOSSY = Problem("lossy-pixels", "lossy compression has changed the values of the slices")
GRID = Geometry.from_spacing((8, 6, 7), (4.0, 1.0, 0.5), (1.0, 2.0, 3.0))
HEIGHTS = (0.0, 4.0, 8.0, 12.0, 24.0, 28.0)  # two slices missing


def volume_on(grid: Geometry) -> Volume:
    axes = grid.canonical
    laid_out = grid.laid_out(axes)
    source = Source("dicom", grid, axes)
    return Volume((np.zeros(laid_out.shape, np.int16),), laid_out, source, "CT", "HU")


@given(geometries(), st.data())
def test_a_place_along_the_normal_leads_to_the_slice_that_is_there(
    grid: Geometry, data: st.DataObject
) -> None:
    volume = volume_on(grid)
    own = data.draw(st.integers(0, grid.shape[0] - 1))
    across, down, through = grid.direction[:, 2], grid.direction[:, 1], grid.lps_from_kji[:3, 0]
    normal = np.cross(across, down) / np.linalg.norm(np.cross(across, down))
    normal *= np.sign(normal @ through)
    height = float(normal @ (grid.lps_from_kji[:3, 3] + own * through))
    place = slice_at(volume, height)
    assert place is not None
    kji = np.zeros(4)
    kji[3], kji[place.axis] = 1.0, place.index
    shown = volume.geometry.lps_from_kji @ kji
    assert float(normal @ shown[:3]) == pytest.approx(height, abs=1e-3 * abs(normal @ through))
    assert place.count == volume.shape[place.axis]


def test_a_place_outside_the_volume_leads_nowhere() -> None:
    assert slice_at(volume_on(GRID), 3.0 + 8 * 4.0) is None
    assert slice_at(volume_on(GRID), 3.0 - 4.0) is None


@pytest.mark.parametrize(
    ("problems", "words"),
    [
        ((), ""),
        ((TILT,), "Tilted by 18.5\N{DEGREE SIGN}"),
        ((LOSSY,), "Lossy pixels"),
        ((TILT, Problem("few-slices", "")), "2 geometry problems"),
        ((TILT, LOSSY), "2 problems"),
        ((Problem("missing-slice", ""),), "3 slices missing"),
        ((Problem("uneven-spacing", ""),), "Uneven spacing, 1.08 to 7.00 mm"),
        ((Problem("duplicate-position", ""),), "Several slices at 1 place"),
        ((Problem("resampled", ""),), ""),
    ],
)
def test_the_chip_says_the_problem_with_its_number_or_how_many_there_are(
    problems: tuple[Problem, ...], words: str
) -> None:
    report = GeometryReport(
        4, tilt_deg=18.5, missing=(Missing(0.0, 8.0, 1), Missing(8.0, 20.0, 2)),
        steps=(Step(0.0, 7.0), Step(7.0, 1.08)), duplicates=(Duplicate(3.0, 2),),
    )  # fmt: skip
    assert geometry_state.chip_words(problems, report) == words


def test_every_code_that_is_told_apart_is_one_that_the_documentation_lists() -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))
    assert listed >= geometry_state.GEOMETRY | geometry_state.CHOSEN


def test_the_report_tells_problems_of_geometry_and_of_values_apart() -> None:
    shown = geometry_state.report_state("Case 1", "CT", None, (LOSSY, TILT))
    assert [one.what for one in shown.geometry] == ["The slices are tilted."]
    assert [one.what for one in shown.values] == [
        "Lossy compression has changed the values of the slices."
    ]
    assert shown.first is None


def test_steps_and_gaps_have_a_slice_each_where_the_volume_is_open() -> None:
    report = GeometryReport(
        5, steps=(Step(3.0, 4.0), Step(7.0, 4.0), Step(11.0, 12.0), Step(23.0, 4.0)),
        missing=(Missing(11.0, 23.0, 2),),
    )  # fmt: skip
    opened = geometry_state.report_state("Case 1", "", report, (), volume_on(GRID))
    (gap,) = next(fact for fact in opened.facts if fact.name == "Missing").places
    assert gap.to is not None
    assert gap.to.words == "Slice 5 of 8"  # 17 mm is 3.5 steps above the first
    assert [bar.odd for bar in opened.bars] == [False, False, True, False]
    assert opened.first == gap.to
    closed = geometry_state.report_state("Series 1", "", report, ())
    assert all(place.to is None for fact in closed.facts for place in fact.places)


def test_the_first_place_is_that_of_the_problem_the_chip_speaks_of() -> None:
    report = GeometryReport(
        5, steps=(Step(3.0, 4.0), Step(7.0, 5.0), Step(12.0, 4.0)),
        thickness_mm=(6.0, 6.0), window_gap_mm=(-2.0, -1.0), overlaps=(Step(27.0, 2.0),),
    )  # fmt: skip
    thick = Problem("overlapping-slices", "slices 6 mm thick are 4 mm apart")
    at = [
        geometry_state.report_state("", "", report, problems, volume_on(GRID)).first
        for problems in ((), (thick,))
    ]
    assert [place and place.index for place in at] == [1, 6]


def test_of_many_runs_the_smallest_and_the_largest_are_told(
    session: Session, tmp_path: Path
) -> None:
    heights = np.cumsum([0, 4, 4, 9, 4, 4, 4, 9, 4, 9, 4, 9, 4])
    folder = save_all(tmp_path / "runs", stack(ramp((13, 5, 4)), heights))
    (series,) = commands.scan(session, folder).series
    split = commands.offers(session, series)[1]
    assert offer_words(split) == "each a volume of its own, of 2 to 4 slices"


def test_directions_and_position_are_said_in_words() -> None:
    report = replace(GeometryReport.of_grid(GRID), patient_position="HFP", laterality="R")
    said = {fact.name: fact.words for fact in facts_of(report, None)}
    assert said["Directions"] == "Rows run to the left, columns to the back, slices to the head"
    assert said["Patient"] == "Head first, prone (HFP)"
    assert said["Side of the body"] == "Right"
    assert said["Tilt"] == "None"


def test_a_resampled_volume_says_so_by_its_derivation() -> None:
    planes = SlicePlanes.of_grid(GRID)
    made = Derivation("resampled", "linear", 4.0, -1024.0, 12.3, (4.0,) * 7, (), planes)
    volume = volume_on(GRID)
    volume = replace(volume, source=replace(volume.source, derivation=made))
    assert geometry_state.chosen_words((), made) == (
        "Resampled to 4.00 mm", "Not the scanner's own slices"
    )  # fmt: skip
    shown = geometry_state.report_state("Case 1", "", volume.report, (), volume)
    assert [(fact.name, fact.words) for fact in shown.chosen[:2]] == [
        ("Resampled", "from 8 slices to 8 slices, 4.00 mm apart (linear)"),
        ("Tilt", "12.3\N{DEGREE SIGN} corrected"),
    ]


def test_the_clipboard_gets_what_is_shown() -> None:
    shown = geometry_state.report_state("Case 1", "CT", GeometryReport.of_grid(GRID), (TILT,))
    lines = shown.text().splitlines()
    assert lines[:3] == ["Case 1", "CT", "! The slices are tilted. Resample it."]
    assert "Tilt: None" in lines


# Offers


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return local_session(tmp_path / "workspace")


@pytest.fixture
def gap(tmp_path: Path, session: Session) -> state.SeriesRow:
    """A series of six slices with two missing after the fourth."""
    folder = save_all(tmp_path / "gap", stack(ramp((6, 5, 4)), HEIGHTS))
    (row,) = state.series_rows(commands.scan(session, folder).series)
    return row


def test_offers_say_with_numbers_what_they_will_do(session: Session, gap: state.SeriesRow) -> None:
    offered = commands.offers(session, gap.series)
    assert [(offer_verb(one), offer_words(one)) for one in offered] == [
        ("Open longest run", "4 of 6 slices, 4.00 mm apart; 2 slices left out"),
        ("Split into 2 runs", "4 and 2 slices, each a volume of its own"),
        (
            "Resample to a regular grid\N{HORIZONTAL ELLIPSIS}",
            (
                "8 slices on a grid of 4.00 mm, values between slices are interpolated; "
                "2 of them where the scanner has none"
            ),
        ),
    ]


def test_what_an_offer_makes_is_opened_as_any_other_series(
    session: Session, gap: state.SeriesRow
) -> None:
    made, first = commands.offers(session, gap.series)[0].made()
    case = commands.open_series(session, made, first)
    try:
        assert case.volume.shape == (4, 5, 4)
        card = annotate_state(case, Choices(), Window(1.0, 0.0)).card
        assert card.chosen == ("Longest run", "2 of 6 slices left out")
        assert card.volume == ""
    finally:
        commands.close_case(session, case)


def test_a_resampled_case_still_says_so_when_it_is_opened_again(
    session: Session, gap: state.SeriesRow
) -> None:
    first = commands.open_series(session, *commands.offers(session, gap.series)[2].made())
    first.loading.start()
    first.loading.wait()
    commands.close_case(session, first)
    case = commands.open_case(session, first.info.name)
    try:
        card = annotate_state(case, Choices(), Window(1.0, 0.0)).card
        assert card.chosen == ("Resampled to 4.00 mm", "Not the scanner's own slices")
        shown = state.case_report(case)
        assert shown.first is not None
        assert shown.first.words == "Slice 5 of 8"  # at 16 mm: 18 mm is halfway to the next
        assert len(shown.bars) == 5
    finally:
        commands.close_case(session, case)


def test_a_real_tilted_and_uneven_head_is_offered_in_numbers(
    session: Session, shared_data: Path
) -> None:
    archive = shared_data / "ct-head-tilt-uneven" / "dicom.zip"
    if not archive.exists():
        pytest.skip("the tilted head is not there")
    (row,) = state.series_rows(commands.scan(session, archive).series)
    assert not row.usable
    assert row.first.warning == "2 geometry problems"
    words = [offer_words(one) for one in commands.offers(session, row.series)]
    assert words == [
        "14 of 28 slices, 7.00 mm apart; 14 slices left out; still tilted by 18.5\N{DEGREE SIGN}",
        "14 and 14 slices, each a volume of its own; still tilted by 18.5\N{DEGREE SIGN}",
        (
            "37 slices on a grid of 4.00 mm, tilt of 18.5\N{DEGREE SIGN} corrected, values between "
            "slices are interpolated; 13 of them where the scanner has none"
        ),
    ]


def test_a_step_and_a_method_of_one_s_own_change_the_words(
    session: Session, gap: state.SeriesRow
) -> None:
    offer = commands.offer(session, gap.series, 0, Choice("resample", 2.0, nearest=True))
    assert offer_words(offer).startswith("15 slices on a grid of 2.00 mm, the nearest value")


def test_a_step_that_no_grid_can_have_is_refused_in_words(
    session: Session, gap: state.SeriesRow
) -> None:
    with pytest.raises(InputError, match="is no step"):
        commands.offer(session, gap.series, 0, Choice("resample", 0.0))


def test_nothing_is_offered_for_a_regular_volume(session: Session, tmp_path: Path) -> None:
    folder = save_all(tmp_path / "whole", stack(ramp((4, 5, 4))))
    (series,) = commands.scan(session, folder).series
    assert commands.offers(session, series) == ()
    with pytest.raises(GeometryError):
        commands.offer(session, series, 0, Choice("split"))


def test_of_several_volumes_one_that_can_be_opened_is_first_and_counts_are_told(
    tmp_path: Path, session: Session
) -> None:
    uneven = stack(ramp((6, 5, 4)), HEIGHTS, SAGITTAL)
    even = stack(ramp((5, 5, 4)))
    folder = save_all(tmp_path / "two", [*uneven, *even])
    (row,) = state.series_rows(commands.scan(session, folder).series)
    assert row.usable
    assert row.counts == "2 volumes, 1 cannot be opened"
    assert row.first.name == "axial"
    (bad,) = (volume for volume in row.volumes if not volume.usable)
    assert bad.why_not.startswith("2 slices missing where the step is 4.00 mm")
    series, first = commands.offers(session, row.series, bad.number)[1].made()
    assert sorted(one.geometry.shape[0] for one in series.volumes if one.geometry) == [2, 4, 5]
    assert state.series_row(series, row, first).first.name == "sagittal, run 1"
