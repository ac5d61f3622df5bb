"""Workers that crash, hang or eat memory cost the frame they had, and nothing else."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import psutil
import pytest

from napari_medlabel.decoding.frame import Frame
from napari_medlabel.decoding.messages import Lost
from napari_medlabel.decoding.pool import Decode, Pool, shared_pool
from napari_medlabel.decoding.process import DecoderProcess, FrameLost, NoProcess

ROOT = Path(__file__).parents[2]
ODD = "tests.decoding.odd_codecs"
FRAME = Frame("1.2.3", 40, 50, 16, 12, 11, signed=False)
Stored = npt.NDArray[np.uint16]


@pytest.fixture
def pool() -> Iterator[Pool]:
    one = Pool(2, codecs=ODD, limit_s=20)
    yield one
    one.close()


def into(data: bytes, out: Stored) -> Callable[[Decode], None]:
    return lambda decode: decode(FRAME, data, out.data.cast("B"))


def ask(pool: Pool, *questions: bytes) -> tuple[list[Stored], list["Future[None]"]]:
    outs = [np.zeros((40, 50), np.uint16) for _ in questions]
    return outs, pool.submit([into(*one) for one in zip(questions, outs, strict=True)])


def is_gone(pid: int) -> bool:
    """Ended, and not a zombie either."""
    return not psutil.pid_exists(pid)


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_frames_are_decoded_each_into_its_place(pool: Pool) -> None:
    outs, futures = ask(pool, *(bytes([n]) for n in range(1, 40)))
    for future in futures:
        future.result()
    assert [(out.min(), out.max()) for out in outs] == [(n, n) for n in range(1, 40)]
    assert len(pool.pids()) == 2


def test_what_a_library_prints_does_not_disturb_an_answer(pool: Pool) -> None:
    (out, other), futures = ask(pool, b"print \x07", b"\x08")
    for future in futures:
        future.result()
    assert (out.min(), out.max(), other.max()) == (7, 7, 8)


LOST = {
    b"crash": "its decoder crashed",
    b"exit": "its decoder crashed",
    b"damaged": "its compressed image is damaged",
    b"odd": "its compressed image is damaged",
    b"large": "its compressed image is damaged or has another size",
}


@pytest.mark.parametrize("bad", LOST)
def test_a_bad_frame_costs_that_frame_only(pool: Pool, bad: bytes) -> None:
    outs, futures = ask(pool, b"\x01", bad, b"\x02", b"\x03", bad, b"\x04")
    lost = [n for n, future in enumerate(futures) if future.exception() is not None]
    assert lost == [1, 4]
    assert [int(outs[n].max()) for n in (0, 2, 3, 5)] == [1, 2, 3, 4]
    with pytest.raises(FrameLost) as refusal:
        futures[1].result()
    assert refusal.value.what == LOST[bad]


def test_a_frame_that_takes_too_long_is_given_up() -> None:
    pool = Pool(2, codecs=ODD, limit_s=1)
    start = time.monotonic()
    outs, futures = ask(pool, b"hang", b"\x01", b"\x02")
    with pytest.raises(FrameLost, match="its decoder took longer than 1 s"):
        futures[0].result()
    futures[2].result()
    assert time.monotonic() - start < 15
    assert outs[2].max() == 2
    pool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="no limit of address space")
def test_a_frame_that_needs_too_much_memory_is_given_up(pool: Pool) -> None:
    outs, futures = ask(pool, b"eat", b"\x01", b"\x02")
    with pytest.raises(FrameLost, match="its decoder needed too much memory"):
        futures[0].result()
    futures[2].result()
    assert outs[2].max() == 2


def test_a_process_killed_from_outside_costs_the_frame_it_had(pool: Pool) -> None:
    outs, futures = ask(pool, b"hang", b"\x02", b"\x03")
    futures[2].result()  # by the other worker
    pids = pool.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(FrameLost, match="crashed"):
        futures[0].result()
    assert [int(outs[n].max()) for n in (1, 2)] == [2, 3]
    wait_until(lambda: all(map(_has_ended, pids)))
    later, again = ask(pool, b"\x04", b"\x05", b"\x06")
    assert [future.exception() for future in again] == [None] * 3
    assert [int(out.max()) for out in later] == [4, 5, 6]


def test_many_threads_get_what_they_asked_for(pool: Pool) -> None:
    def one(number: int) -> int:
        (out,), (future,) = ask(pool, bytes([number]))
        future.result()
        return int(out.max())

    with ThreadPoolExecutor(10) as threads:
        assert list(threads.map(one, range(1, 200))) == list(range(1, 200))


def test_what_is_urgent_comes_before_what_is_ahead_until_it_is_hurried() -> None:
    pool = Pool(1, codecs=ODD)
    order: list[str] = []
    gate = threading.Event()
    (first,) = pool.submit([lambda _: gate.wait() and None])
    ahead = pool.submit([lambda _, n=n: order.append(f"ahead {n}") for n in (1, 2)], ahead=True)
    urgent = pool.submit([lambda _: order.append("urgent")])
    pool.hurry(ahead[1:])
    gate.set()
    for future in (first, *ahead, *urgent):
        future.result()
    assert order == ["urgent", "ahead 2", "ahead 1"]
    pool.close()


def test_cancelled_work_is_not_done() -> None:
    pool = Pool(1, codecs=ODD)
    gate = threading.Event()
    done: list[int] = []
    first, *rest = pool.submit([lambda _: gate.wait() and None, lambda _: done.append(1)])
    assert rest[0].cancel()
    gate.set()
    first.result()
    pool.submit([lambda _: None])[0].result()
    assert done == []
    pool.close()


def test_workers_without_work_end_and_come_back() -> None:
    pool = Pool(2, codecs=ODD, idle_s=0.3)
    ask(pool, b"\x01", b"\x02")[1][1].result()
    pids = pool.pids()
    wait_until(lambda: pool.pids() == [] and all(map(is_gone, pids)))
    (out,), (future,) = ask(pool, b"\x03")
    future.result()
    assert out.max() == 3
    pool.close()


def test_workers_are_ready_before_they_are_needed(pool: Pool) -> None:
    pool.warm(2)
    wait_until(lambda: len(pool.pids()) == 2)
    pids = sorted(pool.pids())
    ask(pool, b"\x01", b"\x02")[1][1].result()
    assert sorted(pool.pids()) == pids


def test_closing_ends_all_and_cancels_what_waits() -> None:
    pool = Pool(2, codecs=ODD)
    _, futures = ask(pool, b"hang", b"hang", b"\x01")
    wait_until(lambda: len(pool.pids()) == 2 and all(f.running() for f in futures[:2]))
    pids = pool.pids()
    pool.close()
    assert all(map(is_gone, pids))
    with pytest.raises(FrameLost):
        futures[0].result()
    with pytest.raises(CancelledError):
        futures[2].result()


@pytest.mark.parametrize("what", ["frozen", "executable", "codecs"])
def test_where_no_process_can_be_started_a_person_is_told(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    if what == "frozen":
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    if what == "executable":
        monkeypatch.setattr(sys, "executable", "/no/such/python")
    pool = Pool(1, codecs="tests.decoding.no_such" if what == "codecs" else ODD)
    _, (future,) = ask(pool, b"\x01")
    with pytest.raises(NoProcess) as refusal:
        future.result()
    assert "cannot be started" in refusal.value.what
    assert "uncompressed" in refusal.value.hint
    pool.close()


def test_a_closed_pool_refuses_work() -> None:
    pool = Pool(1, codecs=ODD)
    pool.close()
    _, (future,) = ask(pool, b"\x01")
    with pytest.raises(NoProcess):
        future.result()


def test_where_no_thread_can_be_started_a_person_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = Pool(1, codecs=ODD)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        _, (future,) = ask(pool, b"\x01")
    with pytest.raises(NoProcess):
        future.result()
    ask(pool, b"\x02")[1][0].result()
    pool.close()


SCRIPT = """
import sys, threading
import numpy as np
from napari_medlabel.decoding.pool import shared_pool
from tests.decoding.test_pool import ask
pool = shared_pool()
pool.codecs = "tests.decoding.odd_codecs"
ask(pool, b"\\x01", b"\\x02")[1][1].result()
if sys.argv[1] == "busy":
    ask(pool, *[b"hang"] * 9)
print(*pool.pids(), flush=True)
if sys.argv[1] == "killed":
    threading.Event().wait()
"""


@pytest.mark.parametrize("how", ["idle", "busy", "killed"])
def test_no_process_outlives_the_one_that_started_it(how: str) -> None:
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), how]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        pids = [int(word) for word in process.stdout.readline().split()]
        if how == "killed":
            process.kill()
        process.wait(30)
    assert pids
    wait_until(lambda: all(map(_has_ended, pids)))


def _has_ended(pid: int) -> bool:
    """Gone, or waiting for whoever is to ask what became of it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarms")
def test_a_worker_that_hangs_ends_though_nobody_ends_it() -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[1:]; from napari_medlabel.decoding import worker; "
        "worker._LONGEST_S = 1; worker.main('tests.decoding.odd_codecs')"
    )
    process = DecoderProcess([sys.executable, "-c", code, str(ROOT), *sys.path])
    with pytest.raises(Lost):
        process.decode(FRAME, b"hang", memoryview(bytearray(FRAME.nbytes)), 30)
    assert process._process.wait(20) == -signal.SIGALRM
    process.end()


def test_there_is_one_pool_for_all() -> None:
    assert shared_pool() is shared_pool()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_copy_of_the_process_gets_a_pool_of_its_own() -> None:
    code = (
        "import os; from napari_medlabel.decoding.pool import shared_pool; one = shared_pool(); "
        "pid = os.fork(); other = shared_pool(); "
        "os._exit(other is one) if pid == 0 else exit(os.waitstatus_to_exitcode("
        "os.waitpid(pid, 0)[1]))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert (
        subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
    )
