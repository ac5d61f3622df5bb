"""What durability costs the hand: strokes with the sealed journal, against strokes in memory.

    python -m benchmarks.journal [strokes]

A stroke is a disc of 60 voxels on 600 x 512 x 512 labels, through `Segmentation.apply`; a hand
makes at most some twenty in a second, so each is followed by a pause (not timed). The window
itself spends about 1 ms on showing one. Also: how long after it a stroke is durable, what a row
takes on disk, how long the journal takes to take an edit of 10 million voxels, and how long a
checkpoint and opening again take.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import Did, Journal, MemoryJournal, State, Step
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.storage.cipher import Cipher, new_key
from napari_medlabel.storage.journal import SqliteJournal

GEOMETRY = Geometry.from_spacing((600, 512, 512), (1.0, 0.7, 0.7))
PAUSE = 0.05
WINDOW_MS = 1.0
TARGET = 0.10
KEY = new_key()


def empty() -> State:
    schema = LabelSchema()
    return State(np.zeros(GEOMETRY.shape, np.uint8), schema.with_label(schema.next_label()))


def stroke_ms(segmentation: Segmentation, rng: np.random.Generator) -> float:
    j, i = np.mgrid[-30:30, -30:30]
    k, row, column = (int(rng.integers(n)) for n in (600, 450, 450))
    wanted = Edit.fill(segmentation.labels, (k, row, column), (j**2 + i**2 < 900)[None], 1)
    start = time.perf_counter()
    segmentation.apply(wanted, tool="Paint", settings={"size": 60, "shape": "circle"})
    return (time.perf_counter() - start) * 1e3


def taken_ms(folder: Path) -> tuple[float, float]:
    """Until an edit of 10 million voxels is taken, and from there until it is durable."""
    changed = np.ones((100, 320, 320), bool)
    before = np.zeros(changed.size, np.uint8)
    after = np.random.default_rng(3).integers(1, 4, changed.size, np.uint8)
    step = Step(Edit((0, 0, 0), changed, before, after), "Segment", {"engine": "random"})
    journal = SqliteJournal(folder / "large.sqlite", Cipher(KEY), "segmentation")
    start = time.perf_counter()
    journal.append(Did(step))
    taken = time.perf_counter()
    journal.settle()
    durable = time.perf_counter()
    journal.close()
    return (taken - start) * 1e3, (durable - taken) * 1e3


def main() -> None:
    strokes = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "journal.sqlite")
        journal = SqliteJournal(path, Cipher(KEY), "segmentation")
        plain: Journal = MemoryJournal()
        works = [Segmentation(GEOMETRY, empty(), plain), Segmentation(GEOMETRY, empty(), journal)]
        randoms = [np.random.default_rng(1), np.random.default_rng(1)]
        times: list[tuple[float, float]] = []
        durable: list[float] = []
        for _ in range(strokes):
            time.sleep(PAUSE)
            memory = stroke_ms(works[0], randoms[0])
            time.sleep(PAUSE)
            kept = stroke_ms(works[1], randoms[1])
            start = time.perf_counter()
            journal.settle()
            durable.append((time.perf_counter() - start) * 1e3)
            times.append((memory, kept))
        np.testing.assert_array_equal(works[0].labels, works[1].labels)
        memory, kept = (statistics.median(column) for column in zip(*times, strict=True))
        added = statistics.median(b - a for a, b in times)
        share = added / (memory + WINDOW_MS)
        print(f"{strokes} strokes: {kept:.3f} ms with the journal, {memory:.3f} ms in memory")
        print(
            f"added {added:+.3f} ms = {share:+.1%} of a stroke in the window, target {TARGET:.0%}"
        )
        late = sorted(durable)[int(0.95 * strokes)]
        print(f"durable after {statistics.median(durable):.1f} ms (p95 {late:.1f} ms)")
        print(f"a row takes {journal.size_bytes / strokes:.0f} bytes on disk")
        large = taken_ms(Path(folder))
        print(f"10 million voxels: taken in {large[0]:.2f} ms, durable {large[1]:.0f} ms later")
        start = time.perf_counter()
        journal.checkpoint(works[1].snapshot())
        print(f"checkpoint {time.perf_counter() - start:.2f} s")
        journal.close()
        start = time.perf_counter()
        journal = SqliteJournal(path, Cipher(KEY), "segmentation")
        state = journal.load(empty())
        print(f"opened again in {time.perf_counter() - start:.2f} s")
        np.testing.assert_array_equal(state.labels, works[1].labels)
        journal.close()


if __name__ == "__main__":
    main()
