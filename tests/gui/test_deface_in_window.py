"""The Deface tab in a real window: a generated head, mouse and keys, what goes and what is left."""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from scipy import ndimage

from napari_medlabel import commands
from napari_medlabel.commands import FacePlan
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import Head, write_ct_series
from napari_medlabel.ui.deface.part import Deface
from napari_medlabel.ui.deface.skin_view import SkinView
from napari_medlabel.ui.deface.tab import DefaceTab
from napari_medlabel.ui.panel import DEFACE
from napari_medlabel.ui.planes.plane_view import PlaneView
from tests.gui.real_window import Kji, Window, wait_until

HEAD = Head(3)
GRID = Geometry.from_spacing((66, 74, 57), (3.8, 3.5, 3.5), (-98.0, -127.0, -126.0))


def at(lps: tuple[float, float, float]) -> Kji:
    k, j, i = (float(n) for n in GRID.kji(lps))
    return (k, j, i)


def whole(kji: Kji) -> tuple[int, int, int]:
    k, j, i = (round(n) for n in kji)
    return (k, j, i)


_X, _Y, _Z = HEAD.landmarks["nose tip"]
NOSE = at((_X, _Y + 7.0, _Z))
CHIN = at((_X, _Y + 14.0, _Z - 45.0))
BRAIN = at((20.0, 10.0, 40.0))


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("deface")
    write_ct_series(folder / "study", HEAD.ct(GRID), GRID)
    made = Window(folder / "workspace")
    made.frame.resize(1500, 950)
    made.open_study(folder / "study")
    made.click(made.panel._tabs[DEFACE])
    part = made.drawing.deface
    wait_until(lambda: part.is_current, "what would go")
    yield made
    made.close()


@pytest.fixture
def window(opened: Window) -> Window:
    """With the tab open and no brush in hand; what was planned stays, since planning takes long."""
    opened.drawing.deface.face.take(None)
    return opened


@pytest.fixture
def study(opened: Window) -> Path:
    return opened.session.folder.parent / "study"


def part_of(window: Window) -> Deface:
    return window.drawing.deface


def tab_of(window: Window) -> DefaceTab:
    tab: DefaceTab = window.panel.deface
    return tab


def settle(window: Window) -> None:
    wait_until(lambda: part_of(window).is_current, "the preview")
    window.rest(0.05)


def views(window: Window) -> tuple[PlaneView, ...]:
    page = part_of(window).page
    assert page is not None
    return page.planes


def color(view: PlaneView, kji: Kji) -> tuple[int, int, int]:
    place = view.point(kji).toPoint()
    seen = view.grab().toImage().pixelColor(place)
    return seen.red(), seen.green(), seen.blue()


def drag(widget: QWidget, *places: QPoint, keys: Qt.KeyboardModifier | None = None) -> None:
    left, held = Qt.MouseButton.LeftButton, keys or Qt.KeyboardModifier.NoModifier
    QTest.mouseMove(widget, places[0])
    QTest.mousePress(widget, left, held, places[0])
    for place in places[1:]:
        QTest.mouseMove(widget, place)
        QApplication.processEvents()
    QTest.mouseRelease(widget, left, held, places[-1])


def picture(view: SkinView) -> np.ndarray:
    """What a head's canvas shows, `[row, column, 3]`."""
    image = view.native.grabFramebuffer().convertToFormat(QImage.Format.Format_RGB888)
    rows, columns = image.height(), image.width()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(rows, image.bytesPerLine())
    return pixels[:, : 3 * columns].reshape(rows, columns, 3).copy()


def reds(pixels: np.ndarray) -> float:
    red, green = pixels[..., 0].astype(int), pixels[..., 1].astype(int)
    return float(((red > 80) & (red > 1.4 * green)).mean())


def test_what_goes_is_red_the_brain_green_and_every_check_says_so(window: Window) -> None:
    part, tab = part_of(window), tab_of(window)
    window.drawing.sight.move_to(NOSE)
    axial = views(window)[0]
    red, green, _blue = color(axial, NOSE)
    assert red > green + 30
    window.drawing.sight.move_to(BRAIN)
    red, green, _blue = color(axial, BRAIN)
    assert green > red + 15
    assert [row.words.text() for row in tab.checks.rows][:2] == [
        "Brain voxels removed", "Closest cut to the brain"
    ]  # fmt: skip
    assert tab.checks.rows[0].number.text() == "0"
    assert part.state.passed == (4, 5)
    assert not tab.create.isEnabled()
    assert tab.missing.text() == "Choose the files that this case came from"
    counts = part.face.planned.per_slice[0]
    assert counts.sum() == part.face.planned.seen.sum() > 0
    assert not part.face.planned.mask[whole(BRAIN)]


def test_the_heads_show_a_face_before_and_none_after_and_turn_together(window: Window) -> None:
    page = part_of(window).page
    wait_until(lambda: page.after.surface is not None, "both heads")
    window.rest(0.1)
    assert reds(picture(page.before)) > 0.02
    assert reds(picture(page.after)) < 0.002
    assert "mL to remove" in page.before.words.number
    first = page.before.camera
    canvas = page.before.native
    drag(canvas, QPoint(200, 150), QPoint(240, 150), QPoint(280, 160))
    assert page.before.camera != first
    assert page.after.camera == page.before.camera
    window.click(page.bar.link)
    drag(canvas, QPoint(200, 150), QPoint(150, 140))
    assert page.after.camera != page.before.camera
    window.click(page.bar.link)
    assert page.after.camera == page.before.camera
    window.click(page.bar.reset)
    assert page.before.camera.azimuth_deg == page.after.camera.azimuth_deg == first.azimuth_deg


def test_tools_for_segments_wait_for_the_other_tab_and_slices_do_not(window: Window) -> None:
    said: list[str] = []
    window.desk.blocked.connect(said.append)
    before = window.drawing.sight.position
    window.press("F")
    assert said == ["Go back to Annotate for this"]
    assert not window.drawing.choices.tool
    window.press("Up")
    assert window.drawing.sight.position[0] == before[0] + 1
    assert views(window)[0].index == before[0] + 1
    window.panel._keys.window.run("annotate-tab")
    window.rest(0.1)
    assert window.drawing.looking.room.planes[0].isVisible()
    assert not part_of(window).page.isVisible()
    window.click(window.panel._tabs[DEFACE])
    assert part_of(window).page.isVisible()


def test_files_of_another_case_are_refused(window: Window, tmp_path: Path) -> None:
    write_ct_series(tmp_path / "other", np.zeros((4, 8, 8), np.int16), Geometry.from_spacing(
        (4, 8, 8), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0)))  # fmt: skip
    part = part_of(window)
    part.files.set_source(tmp_path / "other")
    wait_until(lambda: window.desk.error is not None, "the refusal")
    assert "not in the folder" in window.desk.error.title
    assert str(tmp_path) not in window.desk.error.details
    assert part.files.source is None
    window.desk.dismiss()
    part.files.set_source(tmp_path / "DOE^JANE")
    wait_until(lambda: window.desk.error is not None, "the refusal")
    assert "DOE" not in str(window.desk.error)
    window.desk.dismiss()


def test_headers_are_told_in_counts_and_their_values_only_in_their_window(
    window: Window, study: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    part, tab = part_of(window), tab_of(window)
    part.files.set_source(study)
    wait_until(lambda: bool(part.files.rows), "headers")
    window.rest(0.1)
    header = part.state.header
    assert header.removed > 5
    assert header.kept > 5
    assert tab.header.counts[0].text() == f"{header.removed} removed"
    window.click(tab.header.compare)
    shown = window.panel.deface_links.header
    assert shown.isVisible()
    assert shown.table.rowCount() == header.removed + header.replaced + header.kept
    value = next(row.before for row in part.files.rows if row.name == "PatientID").strip("\0 ")
    assert value
    assert value in [shown.table.cell(n, 2).words for n in range(shown.table.rowCount())]
    assert value not in shown.table.text()  # copied
    assert value not in str(part.state)
    assert value not in caplog.text
    shown.close()
    part.files.close()  # text is looked for in tests of its own


def far_from_brain(part: Deface) -> Kji:
    """A place in the head that stays, well away from the brain."""
    study, planned = part.face.study, part.face.planned
    away = ndimage.distance_transform_edt(~study.brain, sampling=GRID.spacing_mm) > 25.0
    found = np.argwhere(away & study.head & ~ndimage.binary_dilation(planned.mask, iterations=3))
    k, j, i = found[len(found) // 2].tolist()
    return (float(k), float(j), float(i))


def test_strokes_add_and_spare_and_can_be_taken_back_and_labels_are_asked_about(
    window: Window,
) -> None:
    part, drawing = part_of(window), window.drawing
    axial, far = views(window)[0], far_from_brain(part)
    assert not part.face.planned.mask[whole(far)]
    label = drawing.case.segmentation.schema.next_label()
    commands.set_label(drawing.session, drawing.case, label)
    one = Edit.fill(
        drawing.case.segmentation.labels, whole(CHIN), np.ones((1, 1, 1), bool), label.value
    )
    commands.paint(drawing.session, drawing.case, one, tool="Test")
    window.press("P")
    drawing.sight.move_to(far)
    drag(axial, axial.point(far).toPoint(), axial.point(far).toPoint() + QPoint(8, 0))
    assert color(axial, far)[0] > color(axial, far)[1] + 30  # at once
    drawing.sight.move_to(BRAIN)
    drag(axial, axial.point(BRAIN).toPoint(), axial.point(BRAIN).toPoint() + QPoint(4, 0))
    window.press("E")
    drawing.sight.move_to(NOSE)
    drag(axial, axial.point(NOSE).toPoint(), axial.point(NOSE).toPoint() + QPoint(2, 0))
    settle(window)
    planned = part.face.planned
    assert planned.mask[whole(far)]
    assert not planned.mask[whole(NOSE)]
    assert not planned.mask[whole(BRAIN)]  # however it is painted
    assert planned.region.brain_voxels == 0
    assert planned.region.withheld_voxels > 0
    assert "too near the brain" in tab_of(window).face._withheld.text()
    assert part.face.by_hand.strokes == 3
    assert drawing.state.undo == "Undo stroke"
    window.press("Ctrl+Z")
    window.press("Ctrl+Z")
    window.press("Ctrl+Z")
    window.press("Ctrl+Y")
    settle(window)
    assert part.face.planned.mask[whole(far)]
    assert part.face.planned.mask[whole(NOSE)]
    assert part.face.planned.region.withheld_voxels == 0
    assert drawing.case.segmentation.labels[whole(CHIN)] == label.value  # no label was touched
    window.press("Esc")
    assert part.face.way is None
    tab = tab_of(window)
    assert part.checks[3].state == "asks"
    window.press("Return")
    assert not tab.question.isVisible()
    window.click(tab.checks.rows[3].remedy)
    assert part.checks[3].state == "ok"
    window.press("Return")
    assert "1 labelled voxels" in tab.question._text.text()
    window.click(tab.question.no)
    window.press("Ctrl+Z")


def test_sliders_and_modes_change_what_goes_and_the_last_one_wins(window: Window) -> None:
    part, tab = part_of(window), tab_of(window)
    before = part.face.planned.volume_ml
    tab.face.slider.setFocus()
    for _ in range(3):
        QTest.keyClick(tab.face.slider, Qt.Key.Key_PageUp)
    assert part.face.busy == "computing"
    assert tab.face.note.text() in {"computing", "preview is current"}
    page = part.page
    window.click(page.bar.mode._buttons[2])
    window.click(tab.face.also["ears"])
    page.bar.slider.setValue(70)
    settle(window)
    assert part.face.planned.plan == part.face.plan
    assert (part.face.plan.mode, part.face.plan.depth_mm) == ("noise", 70.0)
    assert part.face.plan.margin_mm == 12.0
    assert not part.face.plan.ears
    assert part.face.planned.volume_ml != before
    assert part.face.planned.region.nearest_brain_mm > 9.0
    assert part.checks[2].state == "fails"  # so far from the brain, some of the face stays
    assert not page.bar.accept.isEnabled()
    assert "go deeper" in page.bar.accept.toolTip()


def test_the_face_is_taken_out_of_the_case_once_somebody_says_so(window: Window) -> None:
    part, drawing = part_of(window), window.drawing
    part.face.set_plan(FacePlan())
    settle(window)
    part.allow_labelled()
    assert part.page.bar.accept.isEnabled()
    assert drawing.case.volume.levels[0][whole(NOSE)] > -300
    window.click(part.page.bar.accept)
    question = tab_of(window).question
    assert "cannot be undone" in question._text.text()
    window.panel.choose_tab(0)  # nobody has to look for a face again
    question.yes.click()
    wait_until(
        lambda: window.desk.error or window.desk.drawing not in {None, drawing}, "the case anew"
    )
    assert window.desk.error is None
    window.idle()
    wait_until(lambda: window.drawing.case.volume.levels[0][whole(NOSE)] < -900, "its image")
    assert commands.case_privacy(window.session, window.drawing.case).face.state == "done"
