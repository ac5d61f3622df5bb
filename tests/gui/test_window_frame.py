"""What stands around the views: the status line at the left, tabs, a dock as wide as its font."""

from pathlib import Path

from napari.settings import get_settings
from qtpy.QtCore import QPoint
from qtpy.QtGui import QImage

from napari_medlabel.ui._napari_compat import napari_status
from napari_medlabel.ui.planes.marks import LETTER
from napari_medlabel.ui.planes.plane_view import PlaneView
from tests.gui.real_window import Window, wait_until


def letter_pixels(view: PlaneView) -> int:
    """Pixels in the full colour of the letter above."""
    middle = view.width() // 2
    shown = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    part = [(x, y) for y in range(40) for x in range(middle - 12, middle + 12)]
    return sum(shown.pixelColor(x, y) == LETTER for x, y in part)


def test_the_status_line_stands_at_the_left_in_the_place_of_napari_s(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    workplace = window.panel.desk.workplace
    assert workplace is not None
    status, bar = workplace.status, window.frame.statusBar()
    assert status.mapTo(bar, QPoint(0, 0)).x() < 10
    assert not any(part.isVisible() for part in napari_status(window.viewer))
    window.desk.close_case()
    wait_until(lambda: window.desk.drawing is None, "the case to close")
    assert all(part.isVisible() for part in napari_status(window.viewer))


def test_a_larger_font_widens_the_dock_and_moves_nothing_out_of_its_place(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    workplace = window.panel.desk.workplace
    assert workplace is not None
    before, appearance = window.panel.minimumWidth(), get_settings().appearance
    usual = appearance.font_size
    try:
        appearance.font_size = 14
        wait_until(lambda: window.panel.minimumWidth() > before, "the larger font")
        status, bar = workplace.status, window.frame.statusBar()
        wait_until(lambda: status.height() == 40, "the status line to grow")
        on_screen = status.mapToGlobal(QPoint(0, 0)) - bar.mapToGlobal(QPoint(0, 0))
        assert on_screen == status.mapTo(bar, QPoint(0, 0)), "its window was left behind"
    finally:
        appearance.font_size = usual


def test_words_in_a_narrow_view_leave_its_letter_alone(window: Window, study: Path) -> None:
    window.open_study(study)
    view = window.drawing.looking.room.views[1]
    assert isinstance(view, PlaneView)
    view.setParent(None)
    view.resize(500, 300)
    wide = letter_pixels(view)
    view.resize(240, 300)
    assert letter_pixels(view) == wide > 20
