"""What the slice strip shows, decided without a window."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.segment_gaps import SegmentGaps
from napari_medlabel.testing import label_arrays, shapes
from napari_medlabel.ui.strip_layout import (
    EMPTY,
    GAP,
    LABELLED,
    MOST_COLUMNS,
    PREVIEW,
    Columns,
    Frame,
    changed_columns,
    picture,
    ticks,
)
from napari_medlabel.ui.strip_state import (
    Lane,
    Mark,
    StripState,
    as_flags,
    gaps,
    next_gap,
    slice_words,
    slices_with,
)

FLAGS = st.lists(st.booleans(), max_size=40).map(bytes)


def lane(value: int, slices: tuple[int, ...] | range, count: int) -> Lane:
    return Lane(value, f"Segment {value}", "#FF8000", as_flags(slices, count))


@given(FLAGS)
def test_the_gaps_are_those_that_interpolation_fills(labelled: bytes) -> None:
    turned = np.frombuffer(labelled, np.uint8).reshape(-1, 1, 1)
    drawn = [n for n, flag in enumerate(labelled) if flag]
    ends = slice(drawn[0], drawn[-1] + 1) if drawn else slice(0, 0)
    filled = SegmentGaps(turned, [1], (ends, slice(0, 1), slice(0, 1)), (3.0, 1.0, 1.0)).missing()
    assert {n for gap in gaps(labelled) for n in gap} == filled


@given(FLAGS, st.integers(-1, 41))
def test_seeking_goes_from_gap_to_gap_and_back(labelled: bytes, here: int) -> None:
    starts = [gap.start for gap in gaps(labelled)]
    up, down = next_gap(labelled, here, 1), next_gap(labelled, here, -1)
    assert up == min((n for n in starts if n > here), default=None)
    assert down == max((n for n in starts if n < here), default=None)


def test_a_tooltip_says_slice_millimetres_and_segments() -> None:
    lanes = (Lane(1, "Liver", "#FF8000", as_flags([111], 200)),
             Lane(6, "Aorta", "#A633A6", as_flags(range(200), 200)))  # fmt: skip
    state = StripState(200, lanes=lanes, positions_mm=tuple(1.5 * n - 152.5 for n in range(200)))
    assert slice_words(state, 111) == "Slice 112 · 14.0 mm · Liver, Aorta"
    assert slice_words(state, 0) == "Slice 1 · \N{MINUS SIGN}152.5 mm · Aorta"


def test_a_tooltip_says_gaps_previews_and_marks() -> None:
    marks = (Mark(3, "finding", "Uneven spacing"), Mark(3, "settled"))
    state = StripState(
        6, lanes=(lane(1, (1, 5), 6),), active=1, preview=frozenset({2}), marks=marks
    )
    assert slice_words(state, 2) == "Slice 3 · Preview of Segment 1"
    assert slice_words(state, 3) == "Slice 4 · Gap in Segment 1\nUneven spacing"


def test_a_tooltip_of_many_segments_stays_short() -> None:
    state = StripState(1, lanes=tuple(lane(n, (0,), 1) for n in range(1, 301)))
    assert slice_words(state, 0).endswith("Segment 6 and 294 more")


LABELS = shapes().flatmap(lambda shape: label_arrays(shape, (0, 1, 5, 250)))


@given(LABELS, st.integers(0, 2))
def test_labels_are_found_in_the_slices_of_every_axis(labels: np.ndarray, axis: int) -> None:
    found = slices_with(labels, axis)
    others = tuple(n for n in range(3) if n != axis)
    assert set(found) == set(np.unique(labels).tolist()) - {0}
    for value, slices in found.items():
        assert slices.tolist() == np.flatnonzero((labels == value).any(axis=others)).tolist()


def test_only_the_slices_asked_for_are_looked_at() -> None:
    labels = np.zeros((4, 5, 6), np.uint16)
    labels[:, 1, :] = labels[:, 3, :] = 700
    assert slices_with(labels, 1, range(2, 5))[700].tolist() == [3]


@given(st.integers(1, 5000), st.integers(1, 3000))
def test_every_slice_has_its_place_in_a_column(count: int, width: int) -> None:
    columns = Columns.fitting(count, width)
    assert len(columns) <= min(MOST_COLUMNS, max(width, 1))
    assert columns.left(0) == 0
    assert columns.left(len(columns)) == width
    for n in {0, count // 2, count - 1}:
        assert columns.slice_at((n + 0.5) * width / count) == n
    assert columns.slice_at(-5) == 0
    assert columns.slice_at(width + 5) == count - 1


def test_up_to_six_hundred_slices_have_a_column_each() -> None:
    assert len(Columns.fitting(600, 900)) == 600
    assert len(Columns.fitting(601, 900)) == 301
    assert len(Columns.fitting(600, 250)) == 200


def test_a_gap_wins_over_a_label_where_slices_share_a_column() -> None:
    count = 1200
    drawn = [n for n in range(100, 900) if n != 500]
    shown = picture(StripState(count, lanes=(lane(1, tuple(drawn), count),), active=1), 600, 7)
    (row,) = shown.rows
    assert [row.cells[n] for n in (49, 50, 249, 250, 251, 449, 450)] == [
        EMPTY, LABELLED, LABELLED, GAP, LABELLED, LABELLED, EMPTY,
    ]  # fmt: skip
    assert shown.frames == (Frame(GAP, 250, 251),)


def test_only_the_active_segment_shows_gaps_and_a_preview_fills_them() -> None:
    lanes = (lane(1, (1, 5), 8), lane(2, (0, 7), 8))
    shown = picture(StripState(8, lanes=lanes, active=1, preview=frozenset({2, 6})), 80, 7)
    first, second = shown.rows
    assert list(first.cells) == [EMPTY, LABELLED, PREVIEW, GAP, GAP, LABELLED, PREVIEW, EMPTY]
    assert list(second.cells) == [1, 0, 0, 0, 0, 0, 0, 1]
    assert set(shown.frames) == {Frame(GAP, 3, 5), Frame(PREVIEW, 2, 3), Frame(PREVIEW, 6, 7)}


def test_three_hundred_segments_fit_the_empty_ones_sharing_the_last_lane() -> None:
    lanes = tuple(lane(n, (n % 50,) if n % 60 == 0 else (), 50) for n in range(1, 301))
    shown = picture(StripState(50, lanes=lanes, active=7), 500, 7)
    assert [row.values[0] for row in shown.rows] == [1, 7, 60, 120, 180, 240, 300, 2]
    assert [row.active for row in shown.rows].index(True) == 1
    assert len(shown.rows[-1].values) == 293


def test_lanes_keep_the_order_of_the_schema_where_all_fit() -> None:
    lanes = tuple(lane(n, (0,), 5) for n in (4, 2, 9))
    shown = picture(StripState(5, lanes=lanes, active=2), 100, 7)
    assert [row.values for row in shown.rows] == [(4,), (2,), (9,)]


def test_of_two_marks_in_a_column_the_more_urgent_is_seen() -> None:
    marks = (Mark(4, "finding"), Mark(5, "settled"), Mark(9, "comment"), Mark(700, "finding"))
    shown = picture(StripState(700, marks=marks), 350, 7)
    assert shown.marks == ((2, "finding"), (4, "comment"))


def test_a_stroke_changes_the_columns_it_touched() -> None:
    old = picture(StripState(20, lanes=(lane(1, range(3, 8), 20),), active=1), 200, 7)
    grown = picture(StripState(20, lanes=(lane(1, range(3, 10), 20),), active=1), 200, 7)
    apart = picture(StripState(20, lanes=(lane(1, (*range(3, 8), 12), 20),), active=1), 200, 7)
    other = picture(StripState(20, lanes=(lane(1, range(3, 8), 20),), active=2), 200, 7)
    assert changed_columns(old, old) == []
    assert changed_columns(old, grown) == [range(8, 10)]
    assert changed_columns(old, apart) == [range(8, 13)]  # the gap between, too
    assert changed_columns(old, other) is None


def test_a_moved_mark_changes_two_columns() -> None:
    old = picture(StripState(20, marks=(Mark(2, "finding"),)), 200, 7)
    new = picture(StripState(20, marks=(Mark(9, "finding"),)), 200, 7)
    assert changed_columns(old, new) == [range(2, 3), range(9, 10)]


@given(st.integers(0, 3000), st.integers(1, 2000))
def test_numbers_keep_their_distance(count: int, width: int) -> None:
    found = ticks(count, width, 50)
    assert list(found) == sorted(set(found))
    assert found[:1] == ((0,) if count else ())
    assert found[-1:] == ((count - 1,) if count else ())
    between = [b - a for a, b in pairwise(found[1:-1])]
    assert all(step * width / count >= 49.9 for step in between)


@pytest.mark.parametrize(
    ("count", "width", "numbers"),
    [(200, 1056, (1, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200)), (1, 500, (1,)),
     (25, 300, (1, 10, 20, 25))],
)  # fmt: skip
def test_numbers_are_round(count: int, width: int, numbers: tuple[int, ...]) -> None:
    assert tuple(n + 1 for n in ticks(count, width, 72)) == numbers


def test_the_caption_says_which_way_the_slices_go() -> None:
    assert StripState().caption == "Slices, F to H"
    assert StripState(ends=("A", "P")).caption == "Slices, A to P"
    assert StripState(axis_name="Removed voxels", ends=("", "")).caption == "Removed voxels"
