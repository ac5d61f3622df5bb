"""What the window says, decided without a window."""

from datetime import UTC, datetime

import numpy as np
import pytest

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Series, Source, Volume, Window
from napari_medlabel.errors import InputError
from napari_medlabel.ui import presets, state

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
GRID = Geometry.from_spacing((5, 6, 7), (2.0, 1.0, 0.5))


@pytest.mark.parametrize(
    ("ml", "words"),
    [(0.0, "\N{EN DASH}"), (0.354, "0.35"), (9.99, "9.99"), (18.24, "18.2"), (99.96, "100"),
     (1448.3, "1\N{THIN SPACE}448")],
)  # fmt: skip
def test_volumes_are_said_with_three_figures(ml: float, words: str) -> None:
    assert state.volume_words(ml) == words


@pytest.mark.parametrize(
    ("moment", "words"),
    [("2026-11-21T14:05:00Z", "Today 14:05"), ("2026-11-20T23:59:00Z", "Yesterday"),
     ("2026-11-17T08:00:00Z", "17 Nov"), ("2025-11-17T08:00:00Z", "17 Nov 2025"), ("", "")],
)  # fmt: skip
def test_moments_are_said_as_people_do(moment: str, words: str) -> None:
    assert state.when_words(moment, NOW) == words


def test_an_error_says_what_and_what_to_do() -> None:
    card = state.error_card(InputError("slice 88 cannot be read", "export it again"))
    assert (card.title, card.text) == ("Slice 88 cannot be read", "Export it again.")


def test_a_bug_is_shown_by_its_kind_only_since_its_text_may_hold_a_name() -> None:
    card = state.error_card(ValueError("Doe^Jane"), "Opening")
    assert "Doe" not in card.title + card.text + card.details
    assert "ValueError" in card.details


def _series(number: int, *volumes: FoundVolume, problems: tuple[Problem, ...] = ()) -> Series:
    return Series(number, f"1.2.{number}", "dicom", "CT", "image", volumes, 5, problems, "Doe Head")


def test_what_cannot_be_opened_comes_last_and_says_why() -> None:
    gap = Problem("missing-slice", "slice 3 is missing", "split it", blocking=True)
    rows = state.series_rows(
        [_series(1, FoundVolume("", GRID, (gap,))), _series(2, FoundVolume("", GRID))]
    )
    assert [(row.series.number, row.usable) for row in rows] == [(2, True), (1, False)]
    assert rows[1].first.problems == (gap,)
    assert rows[1].first.why_not == "Slice 3 is missing."


def test_a_row_shows_the_grid_as_it_will_be_seen_and_never_the_description() -> None:
    (row,) = state.series_rows([_series(4, FoundVolume("echo 1", GRID))])
    assert row.title == "Series 4 · echo 1"
    assert row.first.line.startswith(
        "7 \N{MULTIPLICATION SIGN} 6 \N{MULTIPLICATION SIGN} 5 voxels · 0.50"
    )
    assert "Doe" not in row.title + row.first.line


def test_a_series_without_any_volume_is_a_row_that_cannot_be_opened() -> None:
    (row,) = state.series_rows([_series(4)])
    assert not row.usable


def _volume(values: np.ndarray, unit: str = "stored", window: Window | None = None) -> Volume:
    grid = Geometry.from_spacing(values.shape)
    return Volume((values,), grid, Source("generated", grid), "MR", unit, window=window)


def test_the_window_of_the_header_comes_first() -> None:
    values = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    offered = presets.presets(_volume(values, "HU", Window(90, 40)))
    assert (offered[0].limits, offered[0].name) == ((-5.0, 85.0), "As stored")
    assert [one.name for one in offered[1:3]] == ["Soft tissue", "Lung"]


def test_an_mr_gets_ranges_from_its_own_values() -> None:
    values = np.zeros((8, 8, 8), np.uint16)
    values[2:6, 2:6, 2:6] = np.linspace(400, 800, 64).reshape(4, 4, 4)
    full = presets.presets(_volume(values))
    balanced = full[0].limits
    assert 390 < balanced[0] < 420
    assert 780 < balanced[1] < 810
    assert full[-1].limits == pytest.approx((0.0, 800.0))


@pytest.mark.parametrize("known", [0, 500])
def test_what_is_no_number_is_in_no_range(known: int) -> None:
    values = np.full((10, 10, 10), np.nan, np.float32)
    values.ravel()[:known] = np.arange(known)
    values.ravel()[-2:] = (np.inf, -np.inf)
    for window in presets.suggested(values):
        assert np.isfinite(window.limits).all()


def test_of_a_mask_the_full_range_is_shown() -> None:
    values = np.zeros((4, 4, 4), np.uint8)
    values[1:3] = 1
    (only,) = presets.presets(_volume(values))
    assert only.limits == (0.0, 1.0)


def test_a_volume_of_one_value_still_has_a_window() -> None:
    (only,) = presets.presets(_volume(np.full((3, 3, 3), 7, np.int16)))
    assert only.width > 0
