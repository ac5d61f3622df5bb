"""Draw docs/images/window.png: the real window on the generated head, with its true segments.

xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/picture.py [PNG]
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.phantom import CT_GRID, HEAD_SCHEMA, Head
from napari_medlabel.session import OpenCase, Session, local_session
from napari_medlabel.ui._napari_compat import canvas_widget
from napari_medlabel.ui.window import open_window, panel_of

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "window.png"
SIZE = (1600, 1000)


def until(true: Callable[[], object]) -> None:
    while not true():
        QApplication.processEvents()


def draw_truth(session: Session, case: OpenCase) -> None:
    """All true segments of the head, each an edit through the one door."""
    axes = CT_GRID.canonical
    truth = axes.apply(Head().labels(CT_GRID)[0])
    for label in HEAD_SCHEMA:
        commands.set_label(session, case, label)
        edit = Edit.fill(case.segmentation.labels, (0, 0, 0), truth == label.value, label.value)
        commands.paint(session, case, edit, tool="Import mask")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=PICTURE)
    picture = parser.parse_args().picture
    os.environ["MEDLABEL_KEYRING"] = "off"
    with tempfile.TemporaryDirectory(prefix="medlabel-picture-") as folder:
        session = local_session(Path(folder) / "workspace")
        viewer = open_window(None, session)
        panel, window = panel_of(viewer, session), viewer.window._qt_window
        window.setGeometry(0, 0, *SIZE)
        panel.desk.open_demo("ct")
        until(lambda: panel.desk.drawing and panel.desk.drawing.case.loading.finished)
        drawing = panel.desk.drawing
        assert drawing is not None
        draw_truth(session, drawing.case)
        drawing.toggle_lock(next(iter(HEAD_SCHEMA)).value)
        by_name = {label.name: label.value for label in HEAD_SCHEMA}
        drawing.pick(by_name["Lesion"])
        drawing.toggle_eye(by_name["Skull"])
        drawing.set_tool("paint")
        drawing.set_brush(12.0)
        lesion = drawing.case.segmentation.slices(by_name["Lesion"])
        viewer.dims.set_current_step(0, int(lesion[len(lesion) // 2]))
        viewer.scene.camera.zoom *= 1.15
        canvas = canvas_widget(viewer)
        QTest.mouseMove(canvas, canvas.rect().center() * 1.2)
        until(lambda: drawing.case.saved().kind == "saved")
        QTest.qWait(600)
        shot = QApplication.primaryScreen().grabWindow(0, 0, 0, *SIZE)
        small = shot.toImage().convertToFormat(shot.toImage().Format.Format_RGB888)
        picture.parent.mkdir(parents=True, exist_ok=True)
        assert small.save(str(picture))
        print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")
        panel.shut()
        viewer.close()


if __name__ == "__main__":
    main()
