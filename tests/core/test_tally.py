"""Counts kept edit by edit are those of counting anew."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.tally import Tally

SHAPE = (4, 3, 5)
labels = hnp.arrays(np.uint8, SHAPE, elements=st.integers(0, 3))


@given(st.lists(labels, min_size=2, max_size=5), st.integers(0, 2), st.integers(0, 4))
def test_counts_are_those_of_counting_anew(
    states: list[np.ndarray], axis: int, asked_after: int
) -> None:
    tally = Tally(states[0])
    now = states[0].copy()
    for n, state in enumerate(states[1:]):
        if n == asked_after:  # along rows and columns it counts from the first question on
            tally.slices_along(1, axis, (now,))
        edit = Edit.between((0, 0, 0), now, state)
        now = state.copy()
        tally.take(edit)
    others = tuple(n for n in range(3) if n != axis)
    for value in (1, 2, 3):
        assert tally.voxels(value) == np.count_nonzero(now == value)
        np.testing.assert_array_equal(
            tally.slices_along(value, axis, (now,)), np.flatnonzero((now == value).any(axis=others))
        )
        np.testing.assert_array_equal(
            tally.slices(value), np.flatnonzero((now == value).any(axis=(1, 2)))
        )


def test_more_slices_than_a_byte_counts_are_counted() -> None:
    labels = np.zeros((600, 3, 2), np.uint8)
    tally = Tally(labels)
    assert not tally.slices_along(1, 1, [labels]).size
    assert not tally.slices_along(1, 2, [labels]).size
    tally.take(Edit.fill(labels, (0, 1, 1), np.ones((600, 2, 1), bool), 1))
    assert tally.voxels(1) == 1200
    assert tally.slices_along(1, 1, ()).tolist() == [1, 2]
    assert tally.slices_along(1, 2, ()).tolist() == [1]
