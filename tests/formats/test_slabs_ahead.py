"""Slabs read with all workers, one slab ahead, in whatever order they are asked for."""

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.decoding.pool import Decode, Pool
from napari_medlabel.errors import InputError
from napari_medlabel.formats.slabs_ahead import SlabsAhead

DEPTH = 40


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    one = Pool(2, codecs="tests.decoding.odd_codecs")
    yield one
    one.close()


class Slices:
    """Slices whose voxels are their index; remembers what was read."""

    def __init__(self, bad: int = -1) -> None:
        self.read: list[int] = []
        self.bad = bad
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, k: int, out: npt.NDArray[Any], _: Decode) -> None:
        self.gate.wait(20)
        self.read.append(k)
        if k == self.bad:
            raise InputError(f"slice {k + 1} is bad")
        out[...] = k


def slabs_of(slices: Slices, pool: Pool) -> SlabsAhead:
    return SlabsAhead((DEPTH, 2, 3), np.dtype(np.int16), slices, pool)


def check(slab: npt.NDArray[Any], start: int, stop: int) -> None:
    np.testing.assert_array_equal(slab[:, 0, 0], np.arange(start, stop))
    assert slab.shape == (stop - start, 2, 3)


ranges = st.tuples(st.integers(0, DEPTH), st.integers(0, DEPTH)).map(sorted)


@given(st.lists(ranges, max_size=12))
def test_any_slab_in_any_order_is_right(pool: Pool, wanted: list[list[int]]) -> None:
    slabs = slabs_of(Slices(), pool)
    for start, stop in wanted:
        check(slabs.read(start, stop), start, stop)
    slabs.close()


@pytest.mark.parametrize("thickness", [1, 7, 16])
@pytest.mark.parametrize("downwards", [False, True])
def test_slabs_in_order_are_read_once_each(pool: Pool, thickness: int, *, downwards: bool) -> None:
    slices = Slices()
    slabs = slabs_of(slices, pool)
    starts = range(0, DEPTH, thickness)
    for start in reversed(starts) if downwards else starts:
        check(
            slabs.read(start, min(start + thickness, DEPTH)), start, min(start + thickness, DEPTH)
        )
    assert slabs._ahead is None
    slabs.close()
    thin = DEPTH % thickness if downwards else 0  # it comes first: the next is taken for as thin
    assert len(slices.read) <= DEPTH + thin
    assert set(slices.read) == set(range(DEPTH))


def test_the_next_slab_is_begun_before_it_is_asked_for(pool: Pool) -> None:
    slices = Slices()
    slabs = slabs_of(slices, pool)
    slabs.read(0, 8)
    slabs.close()
    assert set(slices.read) >= set(range(8))
    slices.read.clear()
    slabs = slabs_of(slices, pool)
    slabs.read(0, 8)
    pool.submit([lambda _: None], ahead=True)[0].result()  # comes after what is ahead
    assert set(slices.read) >= set(range(14))
    slabs.close()


@pytest.mark.parametrize("wanted", [[(20, 21)], [(20, 21), (5, 6), (30, 31)], [(3, 30)], [(0, 1)]])
def test_nothing_is_begun_where_slabs_do_not_follow_each_other(
    pool: Pool, wanted: list[tuple[int, int]]
) -> None:
    slices = Slices()
    slabs = slabs_of(slices, pool)
    for start, stop in wanted:
        slabs.read(start, stop)
    assert slabs._ahead is None
    slabs.close()


def test_threads_that_share_the_slabs_get_theirs(pool: Pool) -> None:
    slabs = slabs_of(Slices(), pool)
    starts = [n % 33 for n in range(0, 700, 7)] + list(range(0, 33, 8)) * 4

    def one(start: int) -> None:
        check(slabs.read(start, start + 7), start, start + 7)

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(one, starts))
    slabs.close()


def test_two_threads_in_turn_read_each_slab_once(pool: Pool) -> None:
    slices = Slices()
    slabs = slabs_of(slices, pool)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda start: slabs.read(start, start + 8), range(0, DEPTH, 8)))
    slabs.close()
    assert len(slices.read) <= DEPTH + 8


@pytest.mark.parametrize("bad", [3, 12])
def test_what_is_wrong_with_a_slice_is_said_when_it_is_asked_for(pool: Pool, bad: int) -> None:
    slices = Slices(bad)
    slabs = slabs_of(slices, pool)
    start = bad // 8 * 8
    if start:
        check(slabs.read(0, 8), 0, 8)
    with pytest.raises(InputError, match=f"slice {bad + 1} is bad"):
        slabs.read(start, start + 8)
    check(slabs.read(16, 24), 16, 24)
    slices.bad = -1
    check(slabs.read(0, 16), 0, 16)
    slabs.close()


def test_who_waits_for_a_slab_is_told_when_the_pool_is_closed() -> None:
    own = Pool(1, codecs="tests.decoding.odd_codecs")
    slices = Slices()
    slices.gate.clear()
    slabs = slabs_of(slices, own)
    with ThreadPoolExecutor(2) as threads:
        reading = threads.submit(slabs.read, 0, 8)
        while not own.pids():
            assert not reading.done()
        closing = threads.submit(own.close)
        while not own.closed:
            assert not closing.done()
        slices.gate.set()
        with pytest.raises(CancelledError):
            reading.result(20)
        closing.result(20)


def test_closing_waits_for_what_is_being_read(pool: Pool) -> None:
    slices = Slices()
    slabs = slabs_of(slices, pool)
    slabs.read(0, 8)
    slabs.close()
    count = len(slices.read)
    pool.submit([lambda _: None] * 4, ahead=True)[-1].result()
    assert len(slices.read) == count
