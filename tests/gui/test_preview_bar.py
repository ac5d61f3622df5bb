"""The bar over the views: what it says, where it goes, what it is told."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QWidget

from napari_medlabel.ui.preview_bar import PreviewBar
from napari_medlabel.ui.preview_place import Rect, place_of
from napari_medlabel.ui.preview_state import PreviewState, preview_words
from napari_medlabel.ui.shadow import Shadow
from tests.gui.alone import press, settle, shown

READY = PreviewState("Interpolation", "Liver", "#FF8000", "34.2", 12, 0.8)
BUSY = replace(READY, busy=(4, 6), left="about 2 s left")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (READY, "34.2 mL · 12 slices · 0.8 s"),
        (replace(READY, slices=1, seconds=None), "34.2 mL · 1 slice"),
        (replace(READY, ml="", slices=0), "0.8 s"),
        (BUSY, "4 of 6, about 2 s left"),
        (replace(BUSY, busy=(0, 0), left=""), ""),
    ],
)  # fmt: skip
def test_the_numbers_are_said_with_units(state: PreviewState, words: str) -> None:
    assert preview_words(state) == words


AREA: Rect = (0, 0, 1000, 700)
BAR = (360, 70)


def overlap(a: Rect, b: Rect) -> bool:
    return all(a[n] < b[n] + b[n + 2] and b[n] < a[n] + a[n + 2] for n in (0, 1))


def test_the_bar_goes_below_the_preview() -> None:
    assert place_of(AREA, BAR, (400, 200, 100, 100)) == (270, 316)


def test_without_room_below_it_goes_above() -> None:
    assert place_of(AREA, BAR, (400, 560, 100, 130))[1] == 560 - 70 - 16


def test_without_a_preview_in_sight_it_is_at_the_foot() -> None:
    assert place_of(AREA, BAR, None) == (320, 590)


def test_over_a_preview_as_large_as_the_area_it_is_at_the_foot() -> None:
    assert place_of(AREA, BAR, (0, 0, 1000, 700)) == (320, 590)


def test_it_moves_aside_for_a_hand_that_draws() -> None:
    preview: Rect = (400, 200, 100, 100)
    below = place_of(AREA, BAR, preview)
    aside = place_of(AREA, BAR, preview, (below[0] + 100, below[1] + 30))
    assert aside != below
    assert not overlap((*aside, *BAR), preview)


BOXES = st.tuples(
    st.integers(0, 900), st.integers(0, 600), st.integers(1, 400), st.integers(1, 300)
)
HANDS = st.none() | st.tuples(st.integers(0, 999), st.integers(0, 699))


@given(BOXES, HANDS)
def test_it_stays_inside_and_off_the_preview_and_the_hand(
    preview: Rect, hand: tuple[int, int] | None
) -> None:
    place = place_of(AREA, BAR, preview, hand)
    bar = (*place, *BAR)
    assert 0 <= place[0] <= 1000 - 360
    assert 40 <= place[1] <= 700 - 70 - 40, "letters and the scale bar are covered"
    # A preview of 400 x 300 leaves a place for the bar wherever it is.
    assert not overlap(bar, preview)
    if hand is not None:
        assert not overlap(bar, (*hand, 1, 1))


@pytest.fixture
def bar(qapp: QApplication) -> Iterator[PreviewBar]:
    assert qapp is not None
    area = QWidget()
    area.setFixedSize(1000, 590)
    made = PreviewBar(area)
    made.set_state(READY)
    with shown(area, 1000):
        made.put()
        settle()
        yield made


def heard(bar: PreviewBar) -> list[str]:
    got: list[str] = []
    for name in ("accepted", "slice_accepted", "rejected", "cancelled"):
        getattr(bar, name).connect(lambda name=name: got.append(name))
    return got


def test_each_button_says_its_own(bar: PreviewBar) -> None:
    got = heard(bar)
    for made in (bar.accept, bar.one_slice, bar.reject):
        QTest.mouseClick(made, Qt.MouseButton.LeftButton)
    assert got == ["accepted", "slice_accepted", "rejected"]
    assert bar.accept.toolTip() == "Accept   Enter"


def test_its_keys_answer(bar: PreviewBar) -> None:
    got = heard(bar)
    for key in ("Return", "Shift+Return", "Esc"):
        press(bar, key)
    assert got == ["accepted", "slice_accepted", "rejected"]


def test_while_it_is_made_there_is_only_cancel(bar: PreviewBar) -> None:
    got = heard(bar)
    bar.set_state(BUSY)
    settle()
    assert not bar.accept.isVisible()
    assert bar.progress.isVisible()
    assert (bar.progress.value(), bar.progress.maximum()) == (4, 6)
    press(bar, "Return")
    QTest.mouseClick(bar.cancel, Qt.MouseButton.LeftButton)
    press(bar, "Esc")
    assert got == ["cancelled", "cancelled"]


def test_a_slice_that_it_does_not_reach_cannot_be_taken_alone(bar: PreviewBar) -> None:
    got = heard(bar)
    bar.set_state(replace(READY, slice_reason="It does not reach this slice"))
    QTest.mouseClick(bar.one_slice, Qt.MouseButton.LeftButton)
    press(bar, "Shift+Return")
    assert got == []
    assert bar.one_slice.toolTip() == "It does not reach this slice"


def test_it_says_whose_preview_it_is(bar: PreviewBar) -> None:
    words = [one.text() for one in bar.findChildren(QLabel) if one.isVisible()]
    assert "Interpolation: Liver" in words
    assert "34.2 mL · 12 slices · 0.8 s" in words
    assert bar.accessibleDescription() == "Interpolation: Liver, 34.2 mL · 12 slices · 0.8 s"


def test_it_follows_the_preview_and_gives_way_to_the_hand(bar: PreviewBar) -> None:
    preview = QRect(300, 100, 200, 100)
    bar.set_preview(preview)
    assert not bar.geometry().intersects(preview)
    first = bar.geometry()
    bar.put(first.center())
    assert not bar.geometry().contains(first.center())
    assert not bar.geometry().intersects(preview)
    bar.put()  # the hand is gone
    assert bar.geometry() == first


def test_it_stays_in_the_view_that_is_worked_in(bar: PreviewBar) -> None:
    large = QRect(0, 0, 700, 590)
    bar.set_area(large)
    assert large.contains(bar.geometry())
    assert abs(bar.geometry().center().x() - large.center().x()) <= 1
    bar.set_area(QRect(700, 0, 300, 590))  # too narrow for it
    assert bar.parentWidget().rect().contains(bar.geometry())


def test_it_stays_inside_when_the_views_become_smaller(bar: PreviewBar) -> None:
    bar.set_preview(None)
    area = bar.parentWidget()
    area.setFixedSize(600, 300)
    settle()
    assert area.rect().contains(bar.geometry())


def test_the_shadow_is_beside_it_and_lets_the_mouse_through(bar: PreviewBar) -> None:
    area = bar.parentWidget()
    (shadow,) = area.findChildren(Shadow)
    assert shadow.isVisible()
    assert shadow.geometry().contains(bar.geometry())
    beside = bar.geometry().topLeft() - QPoint(4, 4)
    assert area.childAt(beside) is None
    assert area.childAt(bar.geometry().center()) is not shadow
    bar.set_state(None)
    assert not bar.isVisible()
    assert not shadow.isVisible()
