"""The surface worker and its owner, while processes die, hang, say nonsense and are not wanted."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.surface import Surface, surface
from napari_medlabel.surfaces.builder import Builder, Cut
from napari_medlabel.surfaces.messages import HELLO, Part
from napari_medlabel.surfaces.process import NotBuilt, worker_command

ROOT = Path(__file__).parents[2]
Answer = tuple[int, Surface | None, NotBuilt | None]
GEOMETRY = Geometry((9, 8, 11), np.array([
    [0.1, 0.02, 0.9, -40.0], [-0.9, 0.8, 0.1, 12.0], [2.4, 0.1, -0.2, 300.0], [0, 0, 0, 1.0],
]))  # fmt: skip
NONSENSE = HELLO + b"\0" + b"\xff" * 8  # more points than anybody asked for
SCRIPT = "import sys, time, os; out = sys.stdout.buffer; {}; out.flush(); time.sleep(600)"


def part(size: int = 3) -> Part:
    mask = np.zeros(GEOMETRY.shape, bool)
    mask[2:5, 1:7, 2 : 2 + size] = True
    return Part(mask, GEOMETRY)


class Asked:
    """A builder and what it told."""

    def __init__(self, **options: object) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.builder = Builder(lambda *told: self.answers.put(told), **options)  # type: ignore[arg-type]

    def ask(self, key: int, cut: Cut) -> None:
        self.builder.ask(key, cut)

    def next(self) -> Answer:
        return self.answers.get(timeout=30)


@pytest.fixture
def make() -> Iterator[Callable[..., Asked]]:
    made: list[Asked] = []

    def one(**options: object) -> Asked:
        made.append(Asked(**options))
        return made[-1]

    yield one
    for asked in made:
        asked.builder.close()


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    """Gone, or waiting for whoever is to ask what became of it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_surface_from_the_process_is_the_one_that_is_built_here(make: Callable) -> None:
    asked = make()
    asked.ask(7, part)
    key, found, error = asked.next()
    expected = surface(part().mask, GEOMETRY)
    assert (key, error) == (7, None)
    np.testing.assert_array_equal(found.points_lps, expected.points_lps)
    np.testing.assert_array_equal(found.normals, expected.normals)
    np.testing.assert_array_equal(found.faces, expected.faces)


def test_an_empty_mask_has_an_empty_surface_and_no_mask_has_none(make: Callable) -> None:
    asked = make()
    asked.ask(1, lambda: Part(np.zeros((2, 3, 4), bool), Geometry.from_spacing((2, 3, 4))))
    asked.ask(2, lambda: None)
    assert asked.next()[1].is_nothing
    assert asked.next() == (2, None, None)


def test_the_skin_of_a_head_comes_through_and_none_of_what_is_no_head(make: Callable) -> None:
    asked = make()
    grid = Geometry.from_spacing((40, 50, 40), (6.0, 6.0, 6.0), (-120.0, -150.0, -120.0))
    every = np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1)
    tissue = np.linalg.norm(grid.lps(every) - grid.lps([20, 25, 20]), axis=-1) < 85.0
    asked.ask(0, lambda: Part(tissue, grid, skin=True))
    asked.ask(1, lambda: Part(np.ones_like(tissue), grid, skin=True))
    assert len(asked.next()[1].faces) > 500
    assert asked.next() == (1, None, None)


def test_a_newer_request_replaces_one_that_has_not_begun(make: Callable) -> None:
    asked = make()
    gate = threading.Event()
    cut: list[str] = []

    def first() -> Part:
        gate.wait(20)
        return part()

    def named(name: str) -> Cut:
        return lambda: cut.append(name) or part()

    asked.ask(1, first)
    wait_until(lambda: asked.builder.waiting == 0)
    asked.ask(2, named("old"))
    asked.ask(3, named("other"))
    asked.ask(2, named("new"))
    asked.ask(4, named("dropped"))
    asked.builder.drop(4)
    assert asked.builder.waiting == 2
    gate.set()
    assert [asked.next()[0] for _ in range(3)] == [1, 3, 2]
    assert cut == ["other", "new"]


def test_a_process_killed_between_two_surfaces_is_started_again(make: Callable) -> None:
    asked = make()
    asked.ask(1, part)
    asked.next()
    pid = asked.builder.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: has_ended(pid))
    asked.ask(2, lambda: part(5))
    _, found, error = asked.next()
    assert error is None
    assert len(found.faces) > 0
    assert asked.builder.pid != pid


def test_a_process_killed_while_it_builds_is_started_once_more(make: Callable) -> None:
    asked = make()
    asked.ask(1, part)
    asked.next()
    pid = asked.builder.pid
    os.kill(pid, signal.SIGSTOP)
    begun = threading.Event()
    asked.ask(2, lambda: begun.set() or part(5))
    assert begun.wait(20)
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    key, found, error = asked.next()
    assert (key, error) == (2, None)
    assert len(found.faces) > 0
    assert asked.builder.pid != pid


@pytest.mark.parametrize(
    "says",
    ["os._exit(3)", "out.write(b'hello, this is Python')", f"out.write({NONSENSE!r})"],
    ids=["dies", "another", "nonsense"],
)  # fmt: skip
def test_what_ends_the_process_twice_is_given_up_in_words(make: Callable, says: str) -> None:
    asked = make(command=[sys.executable, "-c", SCRIPT.format(says)], limit_s=5)
    asked.ask(1, part)
    key, found, error = asked.next()
    assert (key, found) == (1, None)
    assert "ended twice" in error.what
    assert "Rebuild" in error.hint


def test_a_process_that_hangs_is_given_up(make: Callable) -> None:
    asked = make(command=[sys.executable, "-c", SCRIPT.format("0")], limit_s=0.5)
    start = time.monotonic()
    asked.ask(1, part)
    assert asked.next()[2] is not None
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("command", [["/no/such/python"], None])
def test_where_no_process_can_be_started_a_person_is_told(
    make: Callable, monkeypatch: pytest.MonkeyPatch, command: list[str] | None
) -> None:
    if command is None:
        monkeypatch.setattr(sys, "frozen", True, raising=False)
    asked = make(command=command)
    asked.ask(1, part)
    error = asked.next()[2]
    assert "no process" in error.what
    assert error.hint


def test_a_mask_that_cannot_be_cut_out_is_said_without_its_values(make: Callable) -> None:
    def broken() -> Part:
        raise ValueError("Doe^Jane")

    asked = make()
    asked.ask(1, broken)
    error = asked.next()[2]
    assert error.what == "The surface was not built: ValueError"
    asked.ask(2, part)
    assert asked.next()[1] is not None


def test_the_process_ends_without_work_and_comes_back(make: Callable) -> None:
    asked = make(idle_s=0.2)
    asked.ask(1, part)
    asked.next()
    wait_until(lambda: asked.builder.pid is None)
    asked.ask(2, part)
    assert asked.next()[1] is not None


def test_closing_ends_all_and_tells_nothing(make: Callable) -> None:
    asked = make()
    asked.ask(1, part)
    asked.next()
    pid = asked.builder.pid
    large = np.random.default_rng(1).random((300, 300, 300)) < 0.5
    asked.ask(2, lambda: Part(large, Geometry.from_spacing(large.shape)))
    asked.ask(3, part)
    start = time.monotonic()
    asked.builder.close()
    assert time.monotonic() - start < 3
    assert has_ended(pid)
    assert not [t for t in threading.enumerate() if t.name == "medlabel-surfaces"]
    asked.ask(4, part)
    time.sleep(0.2)
    assert asked.answers.empty()


PROGRAM = """
import sys, threading
from tests.surfaces.test_builder import Asked, part
asked = Asked()
asked.ask(1, part)
asked.next()
print(asked.builder.pid, flush=True)
if sys.argv[1] == "killed":
    threading.Event().wait()
"""


@pytest.mark.parametrize("how", ["ends", "killed"])
def test_no_process_outlives_the_one_that_started_it(how: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        if how == "killed":
            process.kill()
        assert process.wait(30) == (-9 if how == "killed" else 0)
    wait_until(lambda: has_ended(pid))


def test_a_worker_knows_neither_the_window_nor_the_network() -> None:
    code = (
        "import sys; sys.path[:] = sys.argv[1:]; import napari_medlabel.surfaces.worker; "
        "print(sorted({'napari', 'qtpy', 'PySide6', 'torch', 'ssl'} & set(sys.modules)))"
    )
    command = [*worker_command()[:2], "-c", code, *worker_command()[4:]]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
