"""A case whose program was killed: what is restored is said, and shown when asked."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from qtpy.QtTest import QTest

from napari_medlabel import commands
from napari_medlabel.session import local_session
from napari_medlabel.ui.recovered_state import changed_since
from tests.gui.real_window import Window, wait_until

KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.schema import Label
from napari_medlabel.session import local_session

session = local_session(Path(sys.argv[1]))
case = commands.open_case(session, commands.recent_cases(session)[0].id)
commands.set_label(session, case, Label(1, "Liver", "#FF8000"))
where = np.ones((2, 10, 12), bool)
commands.paint(session, case, Edit.fill(case.segmentation.labels, (3, 20, 15), where, 1))
case.segmentation.settle()
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_while_drawing(workspace: Path, study: Path) -> None:
    """A case that was made, closed, opened again by a program that is killed."""
    session = local_session(workspace)
    (series,) = commands.scan(session, study).series
    case = commands.open_series(session, series, found_at=study)
    case.loading.wait()
    commands.close_case(session, case)
    session.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(workspace)], check=False, timeout=120)
    assert done.returncode == -9


def test_after_a_kill_the_case_says_what_was_restored_and_shows_it(
    window: Window, study: Path, tmp_path: Path
) -> None:
    killed_while_drawing(tmp_path / "workspace", study)
    part = window.panel.segment_windows.recovering
    window.desk.open_case(window.desk.recent()[0].id)
    window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "all slices")
    seg = window.drawing.case.segmentation
    assert seg.voxels(1) == 240
    bar = part.bar
    assert bar is not None
    assert bar.isVisible()
    assert bar.words.text().startswith("Restored to ")

    window.click(bar.show_changes)
    wait_until(lambda: window.drawing.sight.overlay is not None, "the changes")
    assert "2 steps: Liver, " in bar.more.text()
    assert "on 2 slices" in bar.more.text()
    np.testing.assert_array_equal(window.drawing.sight.overlay.values, seg.labels == 1)
    assert window.drawing.sight.position[0] in {3, 4}
    window.click(bar.show_changes)
    assert window.drawing.sight.overlay is None

    # Closed as it should be, it is an ordinary case again.
    part.bar.dismissed.emit()
    assert part.bar is None
    window.desk.close_case()
    window.idle()
    window.desk.open_case(window.desk.recent()[0].id)
    window.idle()
    assert part.bar is None


def test_only_what_was_drawn_since_counts_and_not_what_was_undone(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    seg = window.drawing.case.segmentation
    k, j, i = (n // 2 for n in seg.geometry.shape)
    window.click(window.panel.annotate.add)
    if not window.drawing.choices.tool:
        window.press("P")
    window.stroke((k, j, i - 8), (k, j, i + 8))
    QTest.qWait(20)
    since = seg.step(seg.history[-1]).when
    before = seg.labels.copy()
    window.stroke((k, j + 12, i - 8), (k, j + 12, i + 8))
    drawn = seg.labels.copy()
    window.stroke((k, j - 12, i - 8), (k, j - 12, i + 8))
    window.press("Ctrl+Z")
    found = changed_since(seg, since, lambda: False)
    assert found is not None
    assert found.words.startswith("2 steps: Segment 1, ")  # the one at that moment is one of them
    np.testing.assert_array_equal(found.where > 0, (before > 0) | (drawn > 0))
    assert changed_since(seg, "2999-01-01T00:00:00+00:00", lambda: False) is None
