"""Values kept while they fit, made once, from any thread."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.formats.recent import Recent


@given(st.lists(st.integers(0, 9)), st.integers(0, 30))
def test_values_are_right_and_never_more_than_the_limit_and_the_newest(
    keys: list[int], limit: int
) -> None:
    recent: Recent[int, bytes] = Recent(limit, len)
    for key in keys:
        assert recent.get(key, lambda key=key: bytes([key]) * key) == bytes([key]) * key
        held = sum(map(len, recent._values.values()))
        assert held <= max(limit, key)


def test_what_was_used_last_is_kept() -> None:
    recent: Recent[str, bytes] = Recent(2, len)
    made: list[str] = []

    def get(key: str) -> None:
        recent.get(key, lambda: made.append(key) or b"x")

    for key in "abacab":
        get(key)
    assert made == ["a", "b", "c", "b"]


def test_threads_that_need_the_same_value_make_it_once() -> None:
    recent: Recent[int, bytes] = Recent(100, len)
    made: list[int] = []
    barrier = threading.Barrier(4)

    def make() -> bytes:
        made.append(1)
        return b"value"

    def get(_: int) -> bytes:
        barrier.wait()
        return recent.get(1, make)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(get, range(4))) == [b"value"] * 4
    assert made == [1]


def test_a_value_that_could_not_be_made_is_tried_again() -> None:
    recent: Recent[int, bytes] = Recent(100, len)

    def fail() -> bytes:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        recent.get(1, fail)
    assert recent.get(1, lambda: b"there") == b"there"
    recent.clear()
    assert recent.get(1, lambda: b"new") == b"new"
