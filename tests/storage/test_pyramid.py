from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.storage.pyramid import join_mean, join_mode, level_factors

shapes = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7)
steps = st.tuples(*[st.sampled_from([1, 2])] * 3)
integers = st.sampled_from([np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32])


def blocks(array: np.ndarray, step: tuple[int, int, int]) -> Iterator[tuple[tuple[int, ...], list]]:
    """Each joined voxel's index and the values it stands for, the last repeated where odd."""
    pad = [(0, -n % s) for n, s in zip(array.shape, step, strict=True)]
    whole = np.pad(array, pad, mode="edge")
    for index in product(*(range(n // s) for n, s in zip(whole.shape, step, strict=True))):
        part = tuple(slice(n * s, (n + 1) * s) for n, s in zip(index, step, strict=True))
        yield index, [value.item() for value in whole[part].ravel()]


@given(st.data(), steps)
def test_the_mean_is_exact_and_halves_go_up(
    data: st.DataObject, step: tuple[int, int, int]
) -> None:
    kind = data.draw(integers)
    array = data.draw(hnp.arrays(kind, data.draw(shapes)))
    joined = join_mean(array, step)
    assert joined.dtype == kind
    for index, values in blocks(array, step):
        assert joined[index] == (2 * sum(values) + len(values)) // (2 * len(values))


@given(hnp.arrays(np.float32, shapes, elements=st.floats(-1000, 1000, width=32)), steps)
def test_the_mean_of_fractions_is_their_mean(array: np.ndarray, step: tuple[int, int, int]) -> None:
    joined = join_mean(array, step)
    assert joined.dtype == np.float32
    for index, values in blocks(array, step):
        assert joined[index] == pytest.approx(np.mean(values), abs=1e-3)


@pytest.mark.parametrize("kind", [np.int16, np.uint16, np.int8])
def test_the_extreme_values_do_not_overflow(kind: type) -> None:
    for value in (np.iinfo(kind).min, np.iinfo(kind).max):
        assert join_mean(np.full((2, 2, 2), value, kind), (2, 2, 2)).item() == value


@given(hnp.arrays(np.uint8, shapes, elements=st.integers(0, 3)), steps)
def test_the_mode_is_the_most_frequent_value_and_labels_win_a_draw(
    array: np.ndarray, step: tuple[int, int, int]
) -> None:
    joined = join_mode(array, step)
    for index, values in blocks(array, step):
        count = Counter(values)
        best = max(count, key=lambda value: (count[value], value != 0, -value))
        assert joined[index] == best


@given(hnp.arrays(np.uint16, shapes), steps)
def test_a_coarser_label_level_holds_no_new_value(
    array: np.ndarray, step: tuple[int, int, int]
) -> None:
    assert set(join_mode(array, step).ravel()) <= set(array.ravel())


def test_many_borders_are_voted_on_in_parts() -> None:
    array = np.random.default_rng(0).integers(0, 3, (70, 90, 110)).astype(np.uint8)
    joined = join_mode(array, (2, 2, 2))
    for index, values in list(blocks(array, (2, 2, 2)))[::997]:
        count = Counter(values)
        assert joined[index] == max(count, key=lambda v: (count[v], v != 0, -v))


@given(st.tuples(*[st.integers(1, 3000)] * 3), st.tuples(*[st.floats(0.05, 20)] * 3))
def test_levels_end_at_about_64_and_come_closer_to_cubes(
    shape: tuple[int, int, int], spacing: tuple[float, float, float]
) -> None:
    factors = level_factors(shape, spacing)
    assert factors[0] == (1, 1, 1)
    last = [-(-n // f) for n, f in zip(shape, factors[-1], strict=True)]
    assert max(last) <= 96
    for finer, coarser in pairwise(factors):
        ratio = [b // a for a, b in zip(finer, coarser, strict=True)]
        assert set(ratio) <= {1, 2}
        assert 2 in ratio


@pytest.mark.parametrize(
    ("shape", "spacing", "expected"),
    [
        ((600, 512, 512), (0.7, 0.7, 0.7), [(1, 1, 1), (2, 2, 2), (4, 4, 4), (8, 8, 8)]),
        ((120, 512, 512), (5.0, 0.6, 0.6), [(1, 1, 1), (1, 2, 2), (1, 4, 4), (1, 8, 8), (2, 8, 8)]),
        ((200, 512, 512), (1.25, 0.7, 0.7), [(1, 1, 1), (1, 2, 2), (2, 4, 4), (4, 8, 8)]),
        ((30, 90, 64), (3.0, 1.0, 1.0), [(1, 1, 1)]),
    ],
)
def test_thick_slices_wait_for_the_other_axes(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], expected: list
) -> None:
    assert level_factors(shape, spacing) == expected
