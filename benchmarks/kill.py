"""Kill a process that paints, at random moments, and compare what is left with what was painted.

    python -m benchmarks.kill [times]

Each child goes on from the journal that the last one left: it paints, undoes, redoes, locks,
measures, draws over it in another group and moves that, keeps checkpoints, closes and opens again,
and says the number of each record that is durable. It is killed (SIGKILL) at a random moment. Then
the masks of all groups, annotations, undo, redo and locks must be those of the same actions made
in memory, and no record that was said to be durable may be gone.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from napari_medlabel.core.annotation import Annotation, Distance
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.grouping import move_label
from napari_medlabel.core.history import State
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.journal import SqliteJournal

GEOMETRY = Geometry.from_spacing((40, 160, 160), (3.0, 0.8, 0.7), (-3.0, 12.0, 700.0))
CIPHER = Cipher(bytes(32))
PLACE = "segmentation"
OVER_IT = 5


def empty() -> State:
    schema = LabelSchema()
    for _ in range(4):
        schema = schema.with_label(schema.next_label())
    schema = schema.with_label(replace(schema.next_label("over it"), group=1))
    return State(np.zeros(GEOMETRY.shape, np.uint8), schema)


def act(segmentation: Segmentation, number: int) -> None:
    """The action that makes record `number`: the same for the same labels and number."""
    rng = np.random.default_rng(number)
    choice = rng.random()
    if choice < 0.2 and segmentation.can_undo:
        segmentation.undo()
    elif choice < 0.3 and segmentation.can_redo:
        segmentation.redo()
    elif choice < 0.32:
        segmentation.lock(4, on=4 not in segmentation.locked)  # no voxel of it is painted
    elif choice < 0.42:
        annotate(segmentation, number, rng)
    elif choice < 0.46:
        move_label(segmentation, OVER_IT, 3 - segmentation.group_of(OVER_IT))
    else:
        paint(segmentation, rng, over_it=choice < 0.6)


def paint(segmentation: Segmentation, rng: np.random.Generator, *, over_it: bool) -> None:
    """Paint something that is not there yet, in group 0 or in the other one."""
    low = tuple(int(rng.integers(n - m)) for n, m in zip((40, 160, 160), (3, 50, 50)))  # noqa: B905
    where = rng.random((3, 50, 50)) < 0.7
    where[0, 0, 0] = True
    group = segmentation.group_of(OVER_IT) if over_it else 0
    labels = segmentation.arrays[group]
    there = int(labels[low])
    value = (0 if there else OVER_IT) if over_it else (there + 1 + int(rng.integers(3))) % 4
    edit = Edit.fill(labels, (low[0], low[1], low[2]), where, value, group=group)
    segmentation.apply(edit, tool="Paint")


def annotate(segmentation: Segmentation, number: int, rng: np.random.Generator) -> None:
    """Measure a distance, or take the oldest one of five away."""
    found = segmentation.annotations
    if len(found) > 4:
        new = found.without(found.annotations[0].id)
    else:
        ends = [tuple(float(n) for n in rng.random(3) * (40, 160, 160)) for _ in range(2)]
        shape = Distance((ends[0][0], ends[0][1], ends[0][2]), (ends[1][0], ends[1][1], ends[1][2]))
        new = found.with_(Annotation(f"a{number}", shape, found.next_name("distance")))
    segmentation.set_annotations(new, tool="Measure")


def open_journal(path: Path) -> tuple[SqliteJournal, Segmentation]:
    journal = SqliteJournal(path, CIPHER, PLACE)
    return journal, Segmentation(GEOMETRY, journal.load(empty()), journal)


def child(path: Path) -> None:
    """Paint until killed."""
    journal, segmentation = open_journal(path)
    os.write(1, b"%d\n" % journal.last)
    while True:
        if journal.last % 30 == 29:
            journal.close()
            journal, segmentation = open_journal(path)
        act(segmentation, journal.last + 1)
        journal.settle()
        os.write(1, b"%d\n" % journal.last)
        if journal.last % 40 == 0:
            journal.checkpoint(segmentation.snapshot())


def kill_once(path: Path, painted: Segmentation, seconds: float) -> int:
    """Let a child paint for some time and kill it; the number of the last record that is there.

    Parameters
    ----------
    path
        The journal.
    painted
        The same actions in memory so far; brought up to what is found.
    seconds
        Between the child's first word and its end.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.kill", "--child", str(path)],
        stdout=subprocess.PIPE, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "the child could not open the journal"
        time.sleep(seconds)
        process.kill()
        said = [first, *process.stdout.readlines()]
    durable = int(said[-1] if said[-1].endswith(b"\n") else said[-2])
    journal, found = open_journal(path)
    last = journal.last
    assert durable <= last <= durable + 1, f"record {durable} was durable, {last} is the last"
    for number in range(int(first) + 1, last + 1):
        act(painted, number)
    assert found.schema == painted.schema
    for group, labels in painted.arrays.items():
        np.testing.assert_array_equal(found.arrays[group], labels)
    assert found.history == painted.history
    assert found.locked == painted.locked
    assert found.annotations == painted.annotations
    assert found.can_redo == painted.can_redo
    if found.can_redo:
        found.next_redo()  # its row opens
    journal.close()
    return last


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    rng = random.Random(time.time_ns())
    with tempfile.TemporaryDirectory() as folder:
        painted = Segmentation(GEOMETRY, empty())
        for n in range(times):
            last = kill_once(Path(folder, "journal.sqlite"), painted, rng.uniform(0, 0.4))
            print(f"killed {n + 1} of {times}: {last} records, nothing lost", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(Path(sys.argv[2]))
    else:
        main()
