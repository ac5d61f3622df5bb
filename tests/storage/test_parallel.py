import threading

import pytest

from napari_medlabel.errors import Cancelled
from napari_medlabel.storage.parallel import in_parallel


def test_every_thing_is_worked_on_once() -> None:
    seen: list[int] = []
    in_parallel(seen.append, range(100), threads=3)
    assert sorted(seen) == list(range(100))


def test_one_thread_keeps_the_order() -> None:
    seen: list[int] = []
    in_parallel(seen.append, range(100), threads=1)
    assert seen == list(range(100))


def test_the_first_failure_ends_it_and_is_raised() -> None:
    seen: list[int] = []

    def work(n: int) -> None:
        if n == 3:
            raise ValueError("three")
        seen.append(n)

    with pytest.raises(ValueError, match="three"):
        in_parallel(work, range(1000), threads=1)
    assert seen == [0, 1, 2]


def test_calling_it_off_ends_it() -> None:
    seen: list[int] = []
    with pytest.raises(Cancelled):
        in_parallel(seen.append, range(1000), cancelled=lambda: len(seen) >= 5)
    assert len(seen) < 10


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda n: 1 // n, [0, 0, 0], threads=3)
    assert threading.active_count() == before
