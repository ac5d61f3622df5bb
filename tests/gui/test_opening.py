"""Opening: folders, drops, series to choose from, what goes wrong, and what is never shown."""

from pathlib import Path

import numpy as np
import pytest
from napari.settings import get_settings
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QApplication, QDialog, QLabel, QLineEdit

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import NotSaved
from napari_medlabel.phantom import Study, write_ct_series
from napari_medlabel.ui._napari_compat import napari_docks
from napari_medlabel.ui.start_page import ComputerCard
from tests.gui.real_window import Window, wait_until


@pytest.fixture
def two_series(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    folder = tmp_path / "Doe^Jane"
    for number, depth in ((1, 6), (2, 8)):
        grid = Geometry.from_spacing((depth, 24, 20), (4.0, 1.0, 1.5))
        hu = rng.integers(-200, 300, grid.shape).astype(np.int16)
        write_ct_series(folder / str(number), hu, grid, Study(seed=number, patient_name="Doe^Jane"))
    (folder / "notes.txt").write_text("not an image")
    return folder


def test_of_several_series_one_is_chosen_from_a_table(window: Window, two_series: Path) -> None:
    window.desk.scan(two_series)
    window.idle()
    page = window.panel.page.series
    assert page.isVisible()
    assert len(page.rows) == 2
    wait_until(lambda: all(not r._picture.pixmap().isNull() for r in page.rows), "thumbnails")
    window.click(page.rows[1])
    window.idle()
    assert window.drawing.case.info.shape[0] in {6, 8}
    assert not window.panel.page.isVisible()


def test_a_folder_that_is_dropped_is_searched_and_its_one_series_opened(
    window: Window, study: Path
) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(study))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, left, none)
    window.panel.page.start.drop.dropEvent(drop)
    window.idle()
    assert window.drawing.case.info.name == "Case 0001"


def test_no_name_and_no_path_is_shown_or_remembered(window: Window, two_series: Path) -> None:
    window.desk.scan(two_series)
    window.idle()
    window.desk.open_row(window.desk.found[0])
    window.idle()
    window.rest(0.3)
    shown = [window.viewer.title, window.frame.windowTitle(), str(window.viewer.status)]
    shown += [layer.name for layer in window.viewer.layers]
    for part in (window.panel, window.panel.page):
        shown += [label.text() for label in part.findChildren(QLabel)]
        shown += [field.text() for field in part.findChildren(QLineEdit)]
    shown.append(get_settings().model_dump_json())
    assert window.viewer.title == "Case 0001 · Medlabel"
    assert not [words for words in shown if "Doe" in words or "Jane" in words]


@pytest.mark.parametrize("what", ["an empty folder", "a text file", "nothing at all"])
def test_what_cannot_be_opened_is_said_in_the_page_not_in_a_box(
    window: Window, tmp_path: Path, what: str
) -> None:
    place = tmp_path / "place"
    if what == "an empty folder":
        place.mkdir()
    elif what == "a text file":
        place.write_text("hello")
    window.desk.scan(place)
    window.idle()
    card = window.panel.page.error
    assert card.isVisible()
    assert window.desk.error is not None
    assert window.desk.error.text
    card._copy()
    assert "Error" in QApplication.clipboard().text()
    boxes = [top for top in QApplication.topLevelWidgets() if isinstance(top, QDialog)]
    assert not [box for box in boxes if box.isVisible()]
    window.desk.dismiss()
    window.rest()
    assert not card.isVisible()


def test_an_error_names_no_folder_and_no_file(window: Window, tmp_path: Path) -> None:
    place = tmp_path / "Doe^Jane 1970"
    place.mkdir()
    (place / "Doe_Jane.dcm").write_text("not DICOM")
    window.desk.scan(place)
    window.idle()
    card = window.desk.error
    assert card is not None
    said = card.title + card.text + card.details
    assert "Doe" not in said
    assert str(tmp_path) not in said
    assert card.title.startswith("This folder")


def test_opening_that_is_called_off_leaves_the_start_page(window: Window, study: Path) -> None:
    window.desk.scan(study)
    window.desk.cancel()
    window.rest(0.3)
    assert window.desk.place == "start"
    assert window.desk.busy is None
    assert window.panel.page.start.isVisible()
    window.open_study(study)  # and nothing holds it


def test_the_theme_and_the_font_size_are_followed(window: Window) -> None:
    window.viewer.theme = "light"
    wait_until(lambda: "#ebe7e6" in window.panel.styleSheet(), "the theme")
    appearance = get_settings().appearance
    before = appearance.font_size
    try:
        appearance.font_size = 18  # whatever the person at this machine has chosen
        wait_until(lambda: "font-size: 24px" in window.panel.styleSheet(), "the font size")
    finally:
        appearance.font_size = before


def test_what_this_computer_can_do_is_found_out_beside_the_window(window: Window) -> None:
    wait_until(lambda: bool(window.panel.nothing.findChildren(ComputerCard)), "the checks")


def test_the_dock_stands_left_and_napari_s_own_stay_behind_it(window: Window) -> None:
    window.rest(0.3)
    dock = window.panel.parent()
    while not hasattr(dock, "toggleViewAction"):
        dock = dock.parent()
    assert window.frame.dockWidgetArea(dock) == Qt.DockWidgetArea.LeftDockWidgetArea
    assert set(napari_docks(window.viewer)) <= set(window.frame.tabifiedDockWidgets(dock))
    assert 280 <= window.panel.width() <= 420


def test_the_window_closes_its_case(window: Window, study: Path) -> None:
    window.open_study(study)
    case = window.drawing.case
    window.frame.close()
    wait_until(lambda: case.closed, "the case to be closed")


def test_a_case_whose_last_stroke_is_not_saved_stays_open_until_it_is(
    window: Window, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.open_study(study)
    case = window.drawing.case
    k, j, i = (n // 2 for n in case.volume.shape)

    def full(*_args: object) -> None:
        raise NotSaved("not saved: the disk is full", "make room on the disk")

    monkeypatch.setattr(case.journal._file, "add", full)
    window.press("P")
    window.stroke((k, j, i - 3), (k, j, i + 3))
    wait_until(lambda: case.saved().kind == "failed", "the failure to be told")
    drawn = int(np.count_nonzero(case.segmentation.labels))

    window.panel.annotate.close_pressed.emit()
    window.idle()
    assert window.drawing.case is case
    assert "disk is full" in (window.desk.error.title + window.desk.error.text)
    window.frame.close()
    window.rest(0.3)
    assert not case.closed
    assert np.count_nonzero(case.segmentation.labels) == drawn

    monkeypatch.undo()
    wait_until(lambda: case.saved().kind == "saved", "the stroke to be saved by itself", 10)
    window.frame.close()
    wait_until(lambda: case.closed, "the case to be closed")
