import random
from pathlib import Path

from benchmarks.kill import GEOMETRY, empty, kill_once
from napari_medlabel.core.segmentation import Segmentation


def test_a_process_killed_at_any_moment_loses_no_stroke(tmp_path: Path) -> None:
    rng = random.Random(20)  # noqa: S311
    painted = Segmentation(GEOMETRY, empty())
    last = 0
    for _ in range(20):
        last = kill_once(tmp_path / "journal.sqlite", painted, rng.uniform(0.0, 0.25))
    assert last > 100
