"""The status line: what it says, what it leaves out, and that numbers move nothing."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.ui import theme
from napari_medlabel.ui.readout import Readout, StatusState, readout
from napari_medlabel.ui.status_line import StatusLine
from napari_medlabel.ui.theme import DARK, LIGHT, Tokens
from napari_medlabel.ui.widgets import dress

GRID = Geometry.from_spacing((200, 512, 512), (1.5, 0.9, 0.9), (-200, -300, -150))
LIVER = ("Liver", "#FF8000")
SAVED = StatusState(
    readout(GRID, (112, 262, 206), 97, "HU", LIVER), "All changes saved", "saved",
    engine="Engine ready · GPU · 0.3 s per click",
)  # fmt: skip
FULL = replace(SAVED, saved="Not saved: disk is full", saved_kind="failed")


def shown(state: StatusState, tokens: Tokens = DARK, width: int = 1500) -> StatusLine:
    made = StatusLine()
    made.setStyleSheet(theme.style_sheet(tokens))
    dress(made, tokens)
    made.resize(width, made.height())
    made.set_state(state)
    made.show()
    QTest.qWaitForWindowExposed(made)
    return made


@pytest.fixture
def line(qapp: QApplication) -> Iterator[StatusLine]:
    assert qapp is not None
    made = shown(SAVED)
    yield made
    made.close()


def test_it_says_where_what_and_whether_all_is_saved(line: StatusLine) -> None:
    said = "  ".join(part.words for part in line.position)
    assert said.replace("\N{FIGURE SPACE}", "") == "R 14.6  A 64.2  H 18.0"
    assert (line.voxel.words, line.value.words, line.segment.words) == (
        "[112, 262, 206]", "97 HU", "Liver",
    )  # fmt: skip
    assert line.saved.words == "All changes saved"
    assert line.engine.words == "Engine ready · GPU · 0.3 s per click"
    assert not line.remedy.isVisible()


def test_another_place_lays_nothing_out_again(line: StatusLine) -> None:
    asked: list[QObject] = []

    class Watch(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if event.type() == QEvent.Type.LayoutRequest:
                asked.append(watched)
            return False

    watch = Watch()
    QApplication.processEvents()
    QApplication.instance().installEventFilter(watch)
    places = [part.geometry() for part in (*line.position, line.value, line.saved)]
    for kji in ((0, 0, 0), (199, 511, 511), (50.2, 3, 500)):
        line.set_readout(readout(GRID, kji, -1024.0, "HU", LIVER))
        QApplication.processEvents()
    line.set_readout(Readout())
    QApplication.processEvents()
    QApplication.instance().removeEventFilter(watch)
    assert asked == []
    assert places == [part.geometry() for part in (*line.position, line.value, line.saved)]
    assert line.value.words == ""


def test_a_full_disk_is_told_in_red_with_a_button(line: StatusLine) -> None:
    pressed: list[bool] = []
    line.remedy_pressed.connect(lambda: pressed.append(True))
    line.set_state(FULL)
    QApplication.processEvents()
    assert line.saved.words == "Not saved: disk is full"
    picture = line.saved.grab().toImage()
    spots = [(x, y) for x in range(picture.width()) for y in range(picture.height())]
    assert DARK.error.lower() in {picture.pixelColor(*spot).name() for spot in spots}
    QTest.mouseClick(line.remedy, Qt.MouseButton.LeftButton)
    assert pressed == [True]
    line.set_state(SAVED)
    assert not line.remedy.isVisible()


def test_a_full_disk_is_told_however_narrow_it_is(qapp: QApplication) -> None:
    assert qapp is not None
    for width in (1500, 900, 600, 420):
        made = shown(FULL, width=width)
        assert made.saved.isVisible()
        assert made.remedy.isVisible()
        assert made.remedy.geometry().right() <= made.width()
        made.close()


def test_where_it_is_narrow_the_index_goes_before_the_position(qapp: QApplication) -> None:
    assert qapp is not None
    made = shown(SAVED, width=1000)
    assert made.position[0].isVisible()
    assert not made.voxel.isVisible()
    made.resize(1500, made.height())
    QApplication.processEvents()
    assert made.voxel.isVisible()
    made.close()


def test_without_an_engine_none_is_shown(line: StatusLine) -> None:
    line.set_state(replace(SAVED, engine=""))
    assert not line.engine.isVisible()
    line.set_state(SAVED)
    assert line.engine.isVisible()


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_the_colour_of_the_segment_stands_before_its_name(
    qapp: QApplication, tokens: Tokens
) -> None:
    assert qapp is not None
    made = shown(SAVED, tokens)
    picture = made.grab().toImage()
    x, y = made.segment.geometry().left() - 13, made.height() // 2
    assert picture.pixelColor(x, y) == QColor("#FF8000")
    made.close()


def test_it_grows_with_the_font(qapp: QApplication) -> None:
    assert qapp is not None
    made = shown(SAVED, theme.tokens_for("dark", 18.0), 2600)
    assert made.height() == 52
    assert made.engine.width() > 300
    made.close()
