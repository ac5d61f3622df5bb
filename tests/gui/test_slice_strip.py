"""The slice strip under a real pointer and real keys, and what it paints."""

import functools
from collections.abc import Iterator
from dataclasses import replace

import pytest
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, QRect, Qt
from qtpy.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QPaintEvent, QRegion, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QToolTip

from napari_medlabel.ui import theme
from napari_medlabel.ui.slice_strip import SliceStrip
from napari_medlabel.ui.strip_painter import Measures
from napari_medlabel.ui.strip_state import Lane, Mark, StripState, as_flags
from napari_medlabel.ui.theme import DARK, LIGHT, Tokens
from napari_medlabel.ui.widgets import dress
from tests.gui.real_window import wait_until

COUNT = 100
LIVER = Lane(1, "Liver", "#FF8000", as_flags((*range(20, 40), *range(50, 60)), COUNT))
AORTA = Lane(6, "Aorta", "#A633A6", as_flags(range(COUNT), COUNT))
STATE = StripState(
    COUNT, 30, lanes=(LIVER, AORTA), active=1, marks=(Mark(70, "finding", "Uneven spacing"),),
    positions_mm=tuple(2.0 * n for n in range(COUNT)),
)  # fmt: skip


def shown(state: StripState, tokens: Tokens = DARK, width: int = 1096) -> SliceStrip:
    strip = SliceStrip()
    strip.setStyleSheet(theme.style_sheet(tokens))
    dress(strip, tokens)
    strip.resize(width, strip.height())
    strip.set_state(state)
    strip.show()
    QTest.qWaitForWindowExposed(strip)
    return strip


@pytest.fixture
def strip(qapp: QApplication) -> Iterator[SliceStrip]:
    assert qapp is not None
    made = shown(STATE)
    yield made
    made.close()


def said(signal: object) -> list[int]:
    found: list[int] = []
    signal.connect(found.append)  # type: ignore[attr-defined]
    return found


def at(strip: SliceStrip, n: int, y: int = 20) -> QPoint:
    return QPoint(strip.plot.x_of(n), y)


def image(strip: SliceStrip) -> QImage:
    QApplication.processEvents()
    return strip.plot.grab().toImage()


def color(strip: SliceStrip, n: int, y: int) -> QColor:
    return image(strip).pixelColor(strip.plot.x_of(n) - 2, y)


def turn(strip: SliceStrip, eighths: int) -> None:
    spot = QPointF(at(strip, 50))
    event = QWheelEvent(
        spot, strip.plot.mapToGlobal(spot), QPoint(), QPoint(0, eighths),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,  # noqa: FBT003  # Qt's
    )  # fmt: skip
    QApplication.sendEvent(strip.plot, event)


def test_a_click_goes_to_the_slice_under_it(strip: SliceStrip) -> None:
    chosen = said(strip.slice_chosen)
    for n in (0, 49, 99):
        QTest.mouseClick(strip.plot, Qt.MouseButton.LeftButton, pos=at(strip, n))
    assert chosen == [0, 49, 99]


def test_a_drag_goes_along_and_says_each_slice_once(strip: SliceStrip) -> None:
    chosen = said(strip.slice_chosen)
    QTest.mousePress(strip.plot, Qt.MouseButton.LeftButton, pos=at(strip, 10))
    for x in range(at(strip, 10).x(), at(strip, 14).x() + 1):
        QTest.mouseMove(strip.plot, QPoint(x, 20))
    QTest.mouseMove(strip.plot, QPoint(-200, 20))
    QTest.mouseRelease(strip.plot, Qt.MouseButton.LeftButton, pos=QPoint(-200, 20))
    assert chosen == [10, 11, 12, 13, 14, 0]


def test_the_right_button_goes_nowhere(strip: SliceStrip) -> None:
    chosen = said(strip.slice_chosen)
    QTest.mouseClick(strip.plot, Qt.MouseButton.RightButton, pos=at(strip, 49))
    assert chosen == []


def test_a_notch_of_the_wheel_is_a_slice_and_parts_of_one_add_up(strip: SliceStrip) -> None:
    steps = said(strip.stepped)
    for eighths in (120, -240, 50, 50, 50, -30):
        turn(strip, eighths)
    assert steps == [1, -2, 1]


def test_keys_step_jump_and_seek(strip: SliceStrip) -> None:
    steps, chosen, sought = said(strip.stepped), said(strip.slice_chosen), said(strip.gap_wanted)
    strip.plot.setFocus(Qt.FocusReason.TabFocusReason)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_Home,
                Qt.Key.Key_End, Qt.Key.Key_Period, Qt.Key.Key_Comma):  # fmt: skip
        QTest.keyClick(strip.plot, key)
    assert (steps, chosen, sought) == ([1, -1, 10], [0, 99], [1, -1])


def test_a_click_leaves_the_keys_where_they_were(strip: SliceStrip) -> None:
    strip.before.setFocus()
    QTest.mouseClick(strip.plot, Qt.MouseButton.LeftButton, pos=at(strip, 49))
    assert not strip.plot.hasFocus()


def test_the_buttons_seek_gaps_where_there_are_some(strip: SliceStrip) -> None:
    sought = said(strip.gap_wanted)
    for made in (strip.before, strip.after):
        QTest.mouseClick(made, Qt.MouseButton.LeftButton)
    assert sought == [-1, 1]
    strip.set_state(replace(STATE, active=6))
    assert not strip.after.isEnabled()
    assert strip.after.toolTip() == "No gap in Aorta"


def rest(strip: SliceStrip, n: int) -> None:
    """What Qt sends when the pointer rests: it does so in an active window only."""
    spot = at(strip, n)
    tip = QHelpEvent(QEvent.Type.ToolTip, spot, strip.plot.mapToGlobal(spot))
    QApplication.sendEvent(strip.plot, tip)


def test_hovering_says_slice_millimetres_and_segments(strip: SliceStrip) -> None:
    rest(strip, 30)
    assert QToolTip.text() == "Slice 31 · 60.0 mm · Liver, Aorta"
    rest(strip, 70)
    assert QToolTip.text() == "Slice 71 · 140.0 mm · Aorta\nUneven spacing"


def test_an_open_tooltip_follows_the_pointer(strip: SliceStrip) -> None:
    rest(strip, 30)
    wait_until(QToolTip.isVisible, "the tooltip")
    for n in (31, 32):
        spot = QPointF(at(strip, n))
        move = QMouseEvent(
            QEvent.Type.MouseMove, spot, strip.plot.mapToGlobal(spot), Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(strip.plot, move)
    assert QToolTip.text().startswith("Slice 33 ")


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_labels_gaps_and_empty_slices_look_different(qapp: QApplication, tokens: Tokens) -> None:
    assert qapp is not None
    made = shown(STATE, tokens)
    active = Measures.of(tokens).top + 5
    ground = QColor(Measures.of(tokens).ground)
    assert color(made, 25, active) == QColor("#FF8000")
    assert color(made, 5, active) == color(made, 45, active) == ground
    top = Measures.of(tokens).top
    row = {image(made).pixelColor(x, top).name() for x in range(at(made, 41).x(), at(made, 49).x())}
    assert row >= {QColor(tokens.warn).name()}  # the frame's dashes
    made.close()


def test_a_preview_is_hatched_not_filled(strip: SliceStrip) -> None:
    strip.set_state(replace(STATE, preview=frozenset(range(40, 50))))
    picture, top = image(strip), Measures.of(DARK).top
    box = QRect(QPoint(at(strip, 42).x(), top + 2), QPoint(at(strip, 47).x(), top + 7))
    part = picture.copy(box)
    spots = [(x, y) for x in range(part.width()) for y in range(part.height())]
    bright = sum(part.pixelColor(*spot).red() > 150 for spot in spots) / len(spots)
    assert 0.15 < bright < 0.7


def repainted(strip: SliceStrip, state: StripState) -> QRegion:
    """What a new state paints again."""
    painted: list[QRegion] = []

    class Watch(QObject):
        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
            if isinstance(event, QPaintEvent):
                painted.append(QRegion(event.region()))
            return False

    image(strip)
    watch = Watch()
    strip.plot.installEventFilter(watch)
    strip.set_state(state)
    QApplication.processEvents()
    strip.plot.removeEventFilter(watch)
    return functools.reduce(QRegion.united, painted, QRegion())


def test_a_stroke_repaints_only_the_columns_it_touched(strip: SliceStrip) -> None:
    drawn = replace(LIVER, labelled=as_flags((*range(20, 42), *range(50, 60)), COUNT))
    box = repainted(strip, replace(STATE, lanes=(drawn, AORTA))).boundingRect()
    assert at(strip, 39).x() <= box.left()
    assert box.right() <= at(strip, 51).x()


def test_a_step_repaints_where_one_was_and_where_one_is_only(strip: SliceStrip) -> None:
    region = repainted(strip, replace(STATE, here=80))
    assert region.contains(at(strip, 30))
    assert region.contains(at(strip, 80))
    assert not region.contains(at(strip, 55))


def test_the_same_state_again_repaints_nothing(strip: SliceStrip) -> None:
    assert repainted(strip, replace(STATE)).isEmpty()


@pytest.mark.parametrize("count", [100, 3000])
def test_painting_what_differs_ends_in_the_same_picture_as_painting_all(
    qapp: QApplication, count: int
) -> None:
    assert qapp is not None
    empty = StripState(count, 3, lanes=(replace(LIVER, labelled=bytes(count)), AORTA), active=1)
    made, steps = shown(empty), [(5, 9), (14, 20), (10, 13), (70, 72)]
    drawn: set[int] = set()
    for low, high in steps:
        drawn |= set(range(low * count // 100, high * count // 100))
        lane = replace(LIVER, labelled=as_flags(drawn, count))
        marks = (Mark(low, "comment"),)
        waiting = frozenset({high * count // 100})
        state = replace(empty, lanes=(lane, AORTA), here=low, marks=marks, preview=waiting)
        image(made)
        made.set_state(state)
        fresh = shown(state)
        assert image(made) == image(fresh)
        fresh.close()
    made.close()


def test_where_one_is_has_a_line_and_a_number_that_stay_inside(strip: SliceStrip) -> None:
    measures = Measures.of(DARK)
    for n in (0, 62, 99):
        strip.set_state(replace(STATE, here=n))
        picture = image(strip)
        assert picture.pixelColor(strip.plot.x_of(n), measures.top - 2) == QColor(DARK.text1)
        row = [picture.pixelColor(x, 54) for x in range(picture.width())]
        bright = [x for x, one in enumerate(row) if one == QColor(DARK.text1)]
        assert bright[0] > 0
        assert bright[-1] < picture.width() - 1
        assert bright[0] <= strip.plot.x_of(n) <= bright[-1]


def test_nothing_open_shows_nothing_and_goes_nowhere(qapp: QApplication) -> None:
    assert qapp is not None
    made = shown(StripState())
    chosen, steps = said(made.slice_chosen), said(made.stepped)
    QTest.mouseClick(made.plot, Qt.MouseButton.LeftButton, pos=QPoint(50, 20))
    turn(made, 120)
    QTest.keyClick(made.plot, Qt.Key.Key_Home)
    assert (chosen, steps) == ([], [])
    picture = image(made)
    assert {picture.pixelColor(x, 20).name() for x in range(picture.width())} == {DARK.bg.lower()}
    made.close()


def test_three_hundred_segments_stay_inside_the_strip(qapp: QApplication) -> None:
    assert qapp is not None
    lanes = tuple(replace(AORTA, value=n, name=f"Segment {n}") for n in range(1, 301))
    made = shown(replace(STATE, lanes=lanes, active=150))
    last = Measures.of(DARK).bottom - 3
    assert made.height() == 64
    assert color(made, 25, last) == QColor(theme.faded(DARK.text3, "#000000", 0.85))
    made.close()


def test_the_strip_grows_with_the_font(qapp: QApplication) -> None:
    assert qapp is not None
    made = shown(STATE, theme.tokens_for("dark", 18.0))
    assert made.height() == 128
    made.close()


def test_those_who_listen_hear_where_they_are(strip: SliceStrip) -> None:
    assert strip.plot.accessibleName() == "Slices, F to H"
    assert strip.plot.accessibleDescription() == "Slice 31 of 100"
