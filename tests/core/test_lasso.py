"""Outlines that a hand drew; ground truth by exact fractions, pixel by pixel."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.errors import InputError

SHAPE = (7, 9)
QUARTERS = st.integers(-8, 40).map(lambda n: n / 4)
OUTLINES = st.lists(st.tuples(QUARTERS, QUARTERS), max_size=9)


def crossings(outline: list[tuple[float, float]], row: int, column: int) -> int:
    """How often a ray towards lower columns meets the outline, a corner counted once."""
    count = 0
    for a, b in pairwise([*outline, *outline[:1]]):
        (r0, c0), (r1, c1) = sorted((tuple(map(Fraction, a)), tuple(map(Fraction, b))))
        if r0 <= row < r1:
            count += c0 + (row - r0) * (c1 - c0) / (r1 - r0) <= column
    return count


@given(OUTLINES)
def test_a_pixel_is_inside_where_a_ray_meets_the_outline_an_odd_number_of_times(
    outline: list[tuple[float, float]],
) -> None:
    truth = np.zeros(SHAPE, bool)
    if len(outline) >= 3:
        for index in np.ndindex(SHAPE):
            truth[index] = crossings(outline, *index) % 2 == 1
    np.testing.assert_array_equal(inside_outline(outline, SHAPE), truth)


@given(OUTLINES, st.integers(0, 8))
def test_neither_direction_nor_first_corner_matter(
    outline: list[tuple[float, float]], start: int
) -> None:
    found = inside_outline(outline, SHAPE)
    turned = [*outline[start:], *outline[:start]][::-1]
    np.testing.assert_array_equal(inside_outline(turned, SHAPE), found)


@given(st.lists(st.tuples(QUARTERS, QUARTERS), min_size=3, max_size=9), st.data())
def test_the_two_parts_of_a_cut_outline_share_no_pixel_and_leave_none(
    outline: list[tuple[float, float]], data: st.DataObject
) -> None:
    a = data.draw(st.integers(0, len(outline) - 2))
    b = data.draw(st.integers(a + 1, len(outline) - 1))
    one, other = outline[a : b + 1], [*outline[b:], *outline[: a + 1]]
    parts = inside_outline(one, SHAPE) ^ inside_outline(other, SHAPE)
    np.testing.assert_array_equal(parts, inside_outline(outline, SHAPE))


def test_what_is_enclosed_twice_is_outside() -> None:
    square = [(0.5, 0.5), (0.5, 5.5), (5.5, 5.5), (5.5, 0.5)]
    assert inside_outline(square, SHAPE).sum() == 25
    assert not inside_outline(square * 2, SHAPE).any()


@pytest.mark.parametrize(
    "outline", [[(0, 0), (np.nan, 1), (2, 2)], [(0, 0), (1e9, 1), (2, 2)], [1, 2, 3]]
)
def test_what_is_no_outline_is_refused(outline: list[object]) -> None:
    with pytest.raises(InputError, match="no outline"):
        inside_outline(outline, SHAPE)
