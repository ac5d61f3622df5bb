"""A second image in a real window: chosen or opened, seen, read out, and what goes wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit, QMenu

from napari_medlabel import formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import Study, write_ct_series
from napari_medlabel.ui.overlay_box import OverlayBox
from tests.gui.real_window import Window, wait_until

GRID = Geometry.from_spacing((14, 60, 50), (4.0, 1.0, 1.5), (-37.0, -30.0, 411.5))
# Twice as fine, over the right half alone: of its voxels (2k, 2j, 2i) lies on (k, j, i).
HALF = Geometry(
    (27, 119, 49), GRID.lps_from_kji @ np.diag([0.5, 0.5, 0.5, 1.0])
)  # fmt: skip


def hot(shape: tuple[int, int, int]) -> np.ndarray:
    """Values that differ from voxel to voxel."""
    k, j, i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    return (1000.0 + 3 * k + 5 * j + 7 * i).astype(np.float32)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two CT of one study, of the same place; the second is bright."""
    folder = tmp_path / "Doe^Jane"
    k, j, i = np.ogrid[:14, :60, :50]
    hu = (40 + k + 0 * j + 0 * i).astype(np.int16)
    write_ct_series(folder / "1", hu, GRID, Study(patient_name="Doe^Jane"))
    fine = (600 + 10 * k + 3 * j + 2 * i).astype(np.int16)
    write_ct_series(folder / "2", fine, GRID, Study(patient_name="Doe^Jane"), number=2)
    return folder


@pytest.fixture
def opened(open_windows: Callable[..., Window], study: Path) -> Window:
    """A window with the first of two series open, wide enough for all of the status line."""
    window = open_windows()
    window.frame.resize(1880, 1000)
    window.desk.scan(study)
    window.idle()
    first = next(row for row in window.panel.page.series.rows if row.shown.series.number == 1)
    window.click(first)
    window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "all slices")
    window.rest(0.3)
    return window


def box(window: Window) -> OverlayBox:
    return window.panel.annotate.overlay


def choose(window: Window, key: str = "Down") -> None:
    """The next series of the list, by a key."""
    box(window).series.setFocus()
    QTest.keyClick(box(window).series, getattr(Qt.Key, f"Key_{key}"))
    wait_until(lambda: not window.drawing.second.state.busy, "the second image")
    window.rest(0.1)


def read_out(window: Window, kji: tuple[int, int, int]) -> tuple[str, str]:
    """What the status line says of both images under the pointer."""
    assert window.desk.workplace is not None
    window.drawing.sight.move_to(kji)
    window.rest(0.05)
    QTest.mouseMove(window.canvas, window.pixel((kji[0], kji[1] + 4, kji[2])))
    window.rest(0.05)
    QTest.mouseMove(window.canvas, window.pixel(kji))
    window.rest(0.15)
    status = window.desk.workplace.status
    return status.value.words, status.second.words


def test_a_series_of_the_study_is_laid_over_seen_read_out_and_taken_away(opened: Window) -> None:
    window, panel, spot = opened, box(opened), (7, 20, 12)
    assert [one.words for one in window.drawing.second.state.choices] == ["Series 2 · CT"]
    window.drawing.sight.choose(crosshair=False)
    grey = window.color_at(spot)
    assert grey[0] == grey[1] == grey[2]
    choose(window)
    state = window.drawing.second.state
    assert (state.name, state.unit, state.covered) == ("Series 2 · CT", "HU", 1.0)
    assert panel.series.currentText() == "Series 2 · CT"
    assert read_out(window, spot) == ("47 HU", "754 HU")
    assert window.desk.workplace is not None
    assert window.desk.workplace.status.second.isVisible()

    # Every control changes what is seen.
    panel.colors.setFocus()
    for _n in range(3):
        QTest.keyClick(panel.colors, Qt.Key.Key_Up)
    assert window.drawing.second.state.colormap == "hot"
    window.drawing.second.set_limits(0.0, 1500.0)
    orange = window.color_at(spot)
    assert orange[0] > orange[1] > orange[2]
    panel.opacity.setFocus()
    QTest.keyClick(panel.opacity, Qt.Key.Key_Home)
    assert window.drawing.second.state.opacity == 0.0
    assert window.color_at(spot) == grey
    QTest.keyClick(panel.opacity, Qt.Key.Key_End)
    full = window.color_at(spot)
    assert full[0] > orange[0] or full[2] < orange[2]
    window.click(panel.eye)
    assert window.color_at(spot) == grey
    assert read_out(window, spot) == ("47 HU", "")
    window.click(panel.eye)
    assert window.color_at(spot) == full
    window.click(panel.remove)
    assert window.drawing.sight.overlay is None
    assert window.color_at(spot) == grey
    assert not panel._form.isVisible()
    assert panel.series.currentIndex() == -1


def test_a_file_on_another_grid_is_opened_by_a_dialog_and_lies_where_it_is(
    opened: Window, tmp_path: Path
) -> None:
    window, panel = opened, box(opened)
    path = tmp_path / "Doe^Jane second.nii.gz"
    formats.write(hot(HALF.shape), HALF, path)
    window.click(panel.open)
    (menu,) = [one for one in panel.findChildren(QMenu) if one.isVisible()]
    QTest.mouseClick(
        menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(menu.actions()[1]).center()
    )
    window.rest(0.1)
    (dialog,) = window.panel.findChildren(QFileDialog)
    dialog.setDirectory(str(tmp_path))
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    field.setText(str(path))
    QTest.keyClick(field, Qt.Key.Key_Return)
    wait_until(lambda: window.drawing.second.state.name, "the second image")
    window.rest(0.2)
    state = window.drawing.second.state
    assert [one.words for one in state.choices] == ["Series 2 · CT", "Series 1 · opened"]
    assert (state.name, state.chosen) == ("Series 1", 1)
    assert 0.4 < state.covered < 0.6
    assert panel._reach.text() == f"It covers {round(100 * state.covered)} % of this case"
    values = hot(HALF.shape)
    for kji in ((7, 20, 12), (3, 41, 5), (11, 8, 23)):
        k, j, i = kji
        assert read_out(window, kji)[1] == f"{values[2 * k, 2 * j, 2 * i]:.0f}"
    assert read_out(window, (7, 20, 40))[1] == ""  # the left half has no second image
    window.drawing.sight.choose(crosshair=False)
    grey = window.color_at((7, 20, 40))
    assert grey[0] == grey[1] == grey[2]

    # Of another one that is opened, too; the first stays in the list while it is shown.
    write_ct_series(tmp_path / "two" / "a", np.full((14, 60, 50), 5, np.int16), GRID, number=7)
    write_ct_series(tmp_path / "two" / "b", np.full((14, 60, 50), 6, np.int16), GRID, number=8)
    window.drawing.second.look_in(tmp_path / "two")
    wait_until(lambda: len(window.drawing.second.state.choices) == 4, "both series")
    window.rest(0.1)
    assert [one.words for one in window.drawing.second.state.choices][1:] == [
        "Series 1 · opened", "Series 1 · CT · opened", "Series 2 · CT · opened",
    ]  # fmt: skip
    assert panel.series.currentText() == "Series 1 · opened"
    choose(window)
    assert panel.series.currentText() == "Series 1 · CT · opened"
    assert read_out(window, (7, 20, 12))[1] == "5 HU"

    # Nothing of a name or place is shown anywhere.
    words = [label.text() for label in window.panel.findChildren(QLabel)]
    words += [panel.series.itemText(n) for n in range(panel.series.count())]
    words += [window.viewer.title, window.frame.windowTitle(), panel.series.toolTip()]
    assert not [one for one in words if "Doe" in one or str(tmp_path) in one]


def test_what_lies_elsewhere_is_refused_and_the_one_before_stays(
    opened: Window, tmp_path: Path
) -> None:
    window = opened
    choose(window)
    before = window.drawing.sight.overlay
    matrix = GRID.lps_from_kji.copy()
    matrix[2, 3] += 500.0
    path = tmp_path / "Doe^Jane far.nii.gz"
    formats.write(hot(GRID.shape), Geometry(GRID.shape, matrix), path)
    window.drawing.second.look_in(path)
    wait_until(lambda: window.desk.error is not None, "the reason")
    card = window.desk.error
    assert card is not None
    assert card.title == "The two images do not overlap: 444 mm lie between them (head or feet)"
    assert "Doe" not in card.title + card.text + card.details
    assert window.drawing.sight.overlay is before
    assert window.drawing.second.state.name == "Series 2 · CT"
    (tmp_path / "Doe.txt").write_text("no image")
    window.drawing.second.look_in(tmp_path / "Doe.txt")
    wait_until(lambda: window.desk.error not in {None, card}, "the reason")
    said = window.desk.error
    assert said is not None
    assert not [one for one in (said.title, said.text, said.details) if "Doe" in one]
    assert window.drawing.sight.overlay is before


def test_reading_is_called_off_by_hand_and_by_closing_the_case(opened: Window) -> None:
    window, second = opened, opened.drawing.second
    told: list[str] = []
    window.desk.blocked.connect(told.append)
    second.toggle()
    assert told == ["No second image is open"]
    second.take(0)
    assert second.state.busy == "Reading the second image"
    second.cancel()
    assert second.state.busy == ""
    window.rest(0.3)
    assert window.drawing.sight.overlay is None
    assert window.desk.error is None
    second.take(0)
    window.desk.close_case()
    window.idle()
    window.rest(0.3)
    assert window.desk.drawing is None
    assert window.desk.error is None
