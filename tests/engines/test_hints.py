"""Places in a box that are taken for clicks, and how much of an answer reaches its sides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.engines.network.hints import likely_places, reach

SIDE = 16
ends = st.tuples(st.integers(0, SIDE - 1), st.integers(0, SIDE - 1)).map(sorted)


def a_box(sides: list[list[int]]) -> np.ndarray:
    within = np.zeros((SIDE,) * 3, bool)
    k, j, i = (slice(low, high + 1) for low, high in sides)
    within[k, j, i] = True
    return within


@settings(max_examples=40)
@given(st.lists(ends, min_size=3, max_size=3), st.integers(0, 99), st.sampled_from((0.2, 1.0)))
def test_places_lie_in_the_box_each_once(sides: list[list[int]], seed: int, high: float) -> None:
    within = a_box(sides)
    share = (high * np.random.default_rng(seed).random(within.shape)).astype(np.float32)
    places = likely_places(share, within)
    assert places
    assert len(set(places)) == len(places)
    assert all(within[place] for place in places)


def test_the_deepest_place_of_what_is_likely_comes_first() -> None:
    within = a_box([[2, 13], [2, 13], [2, 13]])
    share = np.zeros(within.shape, np.float32)
    share[3:10, 3:10, 3:10] = 0.9
    assert likely_places(share, within)[0] == (6, 6, 6)


@pytest.mark.parametrize(("cut", "told"), [(2, 1.0), (3, 1.0), (4, 5 / 6), (9, 5 / 6)])
def test_an_answer_reaches_as_many_sides_as_it_comes_near(cut: int, told: float) -> None:
    within = a_box([[2, 13], [2, 13], [2, 13]])
    share = within.astype(np.float32)
    share[:cut] = 0.0
    assert reach(share, within) == pytest.approx(told)
