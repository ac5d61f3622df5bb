import os
import signal
import threading
import time

import pytest

from napari_medlabel.errors import Cancelled
from napari_medlabel.storage.parallel import Job, in_parallel


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


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_jobs_and_their_jobs_are_done_before_it_ends(threads: int) -> None:
    done: list[tuple[int, str]] = []

    def work(n: int) -> list[Job]:
        return [lambda: done.append((n, "job")), lambda: [lambda: done.append((n, "its job"))]]

    in_parallel(work, range(50), threads=threads)
    assert sorted(done) == sorted((n, word) for n in range(50) for word in ("job", "its job"))
    if threads == 1:
        assert [n for n, _ in done] == sorted(n for n, _ in done)


def test_a_job_that_fails_ends_it() -> None:
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda n: [lambda: 1 // n], [0, 1, 2])


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda n: [lambda: 1 // n], [0, 0, 0], threads=3)
    assert threading.active_count() == before


@pytest.mark.skipif(os.name == "nt", reason="signals go to a process there, not to a thread")
def test_ctrl_c_ends_it_and_leaves_no_thread_at_work() -> None:
    seen: list[int] = []

    def work(n: int) -> None:
        if n == 3:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        time.sleep(0.01)
        seen.append(n)

    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, range(1000), threads=3)
    done = len(seen)
    time.sleep(0.1)
    assert len(seen) == done < 100
