"""The intensity box: what its histogram shows, and what a hand does with its limits."""

import time
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDoubleSpinBox

from napari_medlabel.ui import histogram_state as hs
from napari_medlabel.ui.histogram_state import Histogram, IntensityState, Preset
from napari_medlabel.ui.intensity_box import IntensityBox
from napari_medlabel.ui.switch import Switch
from tests.gui.alone import drag, press, settle, shown, wheel

AXIS = Histogram(-1000.0, 1000.0, np.linspace(0.1, 1.0, 160))
MASK = IntensityState(on=True, low=-200.0, high=400.0, unit="HU", histogram=AXIS)
BONE, AIR = Preset("Bone", 250.0, 900.0), Preset("Air", -1000.0, -400.0)
THRESHOLD = replace(MASK, kind="threshold", on=False, presets=(BONE, AIR))


# What it shows


@given(arrays.arrays(np.int16, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_a_histogram_has_a_range_and_heights_from_nothing_to_one(values: np.ndarray) -> None:
    made = hs.histogram_of(values)
    assert made.low < made.high
    assert made.heights.min() >= 0.0
    assert made.heights.max() == pytest.approx(1.0)
    middle = float(np.median(values))
    assert made.low - 1 <= middle <= made.high + 1


@pytest.mark.parametrize("values", [np.zeros((0, 4)), np.full((3, 3), np.nan), np.zeros((0, 0))])
def test_nothing_finite_gives_an_empty_histogram(values: np.ndarray) -> None:
    made = hs.histogram_of(values)
    assert made.low < made.high
    assert not made.heights.any()


def test_one_value_has_a_range_around_it() -> None:
    for values in (np.full((5, 5), 7, np.uint8), np.full((5, 5), 0.25, np.float32)):
        made = hs.histogram_of(values)
        assert made.low < float(values[0, 0]) < made.high


def test_whole_numbers_make_no_comb() -> None:
    """300 values in 160 bins: every other bin would have twice as many."""
    values = np.tile(np.arange(300, dtype=np.int16), (300, 1))
    heights = hs.histogram_of(values).heights[3:-3]
    assert heights.min() > 0.95 * heights.max()


def test_a_metal_clip_does_not_squeeze_the_body_into_a_corner() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(50.0, 40.0, (200, 200))
    values[:3, :5] = 30_000.0
    made = hs.histogram_of(values)
    assert made.high < 1000.0


def test_an_organ_shows_beside_the_air_around_the_body() -> None:
    values = np.full((400, 400), -1000, np.int16)
    values[200:220, 200:220] = 60  # 400 of 160 000
    made = hs.histogram_of(values)
    place = int(made.fraction(60.0) * len(made.heights))
    assert made.heights[place - 1 : place + 2].max() > 0.3


LIMITS = st.tuples(st.floats(-1500, 1500), st.floats(-1500, 1500)).map(
    lambda two: (min(two), max(two))
)
PARTS = st.sampled_from(["low", "high", "middle"])


@given(LIMITS, PARTS, st.floats(-2.0, 2.0))
def test_a_drag_never_crosses_the_limits(limits: hs.Limits, part: hs.Part, by: float) -> None:
    low, high = hs.dragged(AXIS, limits, part, by)
    assert low <= high
    if part == "middle":
        assert high - low == pytest.approx(limits[1] - limits[0], abs=1.01)
    else:
        assert {"low": high, "high": low}[part] == {"low": limits[1], "high": limits[0]}[part]


@given(LIMITS, PARTS, st.integers(-50, 50))
def test_steps_never_cross_the_limits(limits: hs.Limits, part: hs.Part, steps: int) -> None:
    low, high = hs.nudged(AXIS, limits, part, steps)
    assert low <= high


@given(st.floats(1e-6, 1e7), st.floats(-1e4, 1e4))
def test_a_fine_step_is_fine_and_round(span: float, low: float) -> None:
    step = hs.step_of(Histogram(low, low + span, np.zeros(4)))
    assert (span / 400.0) * 0.99 <= step <= (span / 400.0) * 3.0
    mantissa = float(f"{step:e}".split("e")[0])
    assert min(abs(mantissa - one) for one in (1.0, 2.0, 5.0)) < 1e-6


def test_a_press_takes_the_nearer_handle_or_what_is_between() -> None:
    limits = (-200.0, 400.0)  # at 0.4 and 0.7
    assert [hs.part_at(AXIS, limits, at) for at in (0.1, 0.41, 0.55, 0.69, 0.9)] == [
        "low", "low", "middle", "high", "high",
    ]  # fmt: skip
    assert hs.part_at(AXIS, (0.0, 0.0), 0.49) == "low"
    assert hs.part_at(AXIS, (0.0, 0.0), 0.51) == "high"


# What a hand does


@pytest.fixture
def box(qapp: QApplication) -> IntensityBox:
    assert qapp is not None
    made = IntensityBox()
    made.set_state(MASK)
    return made


def said(box: IntensityBox) -> list[tuple[float, float]]:
    got: list[tuple[float, float]] = []
    box.range_changed.connect(lambda low, high: got.append((low, high)))
    return got


def at(box: IntensityBox, x: float) -> QPoint:
    return QPoint(round(x), box.view.height() // 2)


def test_a_handle_is_dragged_and_the_fields_follow(box: IntensityBox) -> None:
    got = said(box)
    with shown(box):
        low = box.view.handle_x("low")
        drag(box.view, at(box, low), at(box, low + 20), at(box, low + 28))
        assert len(got) == 2
        per_pixel = 2000.0 / box.view.width()
        assert got[-1] == pytest.approx((-200.0 + 28 * per_pixel, 400.0), abs=per_pixel)
        assert box.low.value() == pytest.approx(got[-1][0], abs=0.5)
        assert box.high.value() == 400.0


def test_a_handle_stops_at_the_other_one(box: IntensityBox) -> None:
    got = said(box)
    with shown(box):
        drag(box.view, at(box, box.view.handle_x("low")), at(box, box.view.width() - 2))
    assert got[-1] == (400.0, 400.0)


def test_what_is_between_moves_both_and_keeps_their_distance(box: IntensityBox) -> None:
    got = said(box)
    with shown(box):
        middle = box.view.handle_x("middle")
        drag(box.view, at(box, middle), at(box, middle - 30))
        low, high = got[-1]
        assert high - low == pytest.approx(600.0, abs=1.0)
        assert low < -200.0
        drag(box.view, at(box, box.view.handle_x("middle")), at(box, -500))
    assert got[-1] == pytest.approx((-1000.0, -400.0), abs=1.0)


def test_a_state_that_comes_late_does_not_pull_the_handle_from_the_hand(box: IntensityBox) -> None:
    with shown(box):
        low = at(box, box.view.handle_x("low"))
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(box.view, left, Qt.KeyboardModifier.NoModifier, low)
        QTest.mouseMove(box.view, low + QPoint(40, 0))
        held = box.view.state.low
        box.set_state(replace(MASK, histogram=Histogram(-900.0, 900.0, AXIS.heights)))
        assert box.view.state.low == held
        assert box.low.value() == pytest.approx(held, abs=0.5)
        QTest.mouseRelease(box.view, left, Qt.KeyboardModifier.NoModifier, low)


def test_the_wheel_steps_what_is_under_the_pointer(box: IntensityBox) -> None:
    got = said(box)
    with shown(box):
        wheel(box.view, at(box, box.view.handle_x("high")), 1)
        wheel(box.view, at(box, box.view.handle_x("low")), -1, Qt.KeyboardModifier.ShiftModifier)
        wheel(box.view, at(box, box.view.handle_x("middle")), 2)
    step = hs.step_of(AXIS)
    assert got[0] == (-200.0, 400.0 + step)
    assert got[1] == (-200.0 - 10 * step, 400.0 + step)
    assert got[2] == (-200.0 - 8 * step, 400.0 + 3 * step)


def test_a_limit_typed_beyond_the_other_takes_it_along(box: IntensityBox) -> None:
    got = said(box)
    with shown(box):
        box.low.setFocus()
        box.low.selectAll()
        QTest.keyClicks(box.low, "500")
        press(box.low, "Return")
    assert got == [(500.0, 500.0)]


def test_showing_a_state_says_nothing(box: IntensityBox) -> None:
    got = said(box)
    box.switched.connect(got.append)
    box.around_changed.connect(got.append)
    box.set_state(replace(MASK, low=0.0, high=10.0, on=False, around=25.0))
    assert got == []


def test_the_switch_says_on_and_off_by_mouse_and_key(box: IntensityBox) -> None:
    got: list[bool] = []
    box.switched.connect(got.append)
    with shown(box):
        QTest.mouseClick(box.switch, Qt.MouseButton.LeftButton)
        press(box.switch, "Space")
    assert got == [False, True]
    assert box.switch.accessibleName() == "Intensity mask"


def test_the_menu_inverts_resets_and_follows_clicks(box: IntensityBox) -> None:
    got: list[object] = []
    box.inverted.connect(lambda on: got.append(("inverted", on)))
    box.around_changed.connect(lambda by: got.append(("around", by)))
    box.reset_wanted.connect(lambda: got.append("reset"))
    with shown(box):
        menu = box.menu()
        actions = {one.text(): one for one in menu.actions() if one.text()}
        assert list(actions) == [
            "Invert: outside of the limits", "\N{PLUS-MINUS SIGN} around the clicked value", "Reset"
        ]  # fmt: skip
        for action in actions.values():
            action.trigger()
        (field,) = menu.findChildren(QDoubleSpinBox)
        field.setValue(30.0)
        menu.close()
    assert got == [("inverted", True), ("around", 50.0), "reset", ("around", 30.0)]


def test_a_right_click_opens_the_menu(box: IntensityBox) -> None:
    with shown(box) as root:
        spot = at(box, 50)
        QTest.mouseClick(box.view, Qt.MouseButton.RightButton, pos=spot)
        QTest.mousePress(box.view, Qt.MouseButton.RightButton, pos=spot)
        settle()
        popup = QApplication.activePopupWidget()
        if popup is None:  # the mouse of a test makes no such event on every platform
            from qtpy.QtGui import QContextMenuEvent  # noqa: PLC0415

            reason = QContextMenuEvent.Reason.Mouse
            QApplication.sendEvent(
                box.view, QContextMenuEvent(reason, spot, box.view.mapToGlobal(spot))
            )
            settle()
            popup = QApplication.activePopupWidget()
        assert popup is not None
        popup.close()
        assert root.isVisible()


def test_around_a_click_the_field_replaces_the_limits(box: IntensityBox) -> None:
    box.set_state(replace(MASK, around=25.0, clicked=60.0))
    got = said(box)
    with shown(box):
        assert not box.low.isVisible()
        assert box.by.isVisible()
        drag(box.view, at(box, 100), at(box, 150))
        wheel(box.view, at(box, 100), 1)
    assert got == []


def test_a_threshold_has_presets_and_otsu_and_no_switch(qapp: QApplication) -> None:
    assert qapp is not None
    box = IntensityBox("threshold")
    box.set_state(THRESHOLD)
    got = said(box)
    otsu: list[bool] = []
    box.otsu_wanted.connect(lambda: otsu.append(True))
    with shown(box):
        assert not [one for one in box.findChildren(Switch) if one.isVisible()]
        chips = {one.text(): one for one in box.presets.buttons}
        QTest.mouseClick(chips["Bone"], Qt.MouseButton.LeftButton)
        QTest.mouseClick(box.otsu, Qt.MouseButton.LeftButton)
        box.set_state(replace(THRESHOLD, low=250.0, high=900.0))
        assert chips["Bone"].isChecked()
        assert not chips["Air"].isChecked()
    assert got == [(250.0, 900.0)]
    assert otsu == [True]


def test_presets_that_do_not_fit_are_behind_more(qapp: QApplication) -> None:
    assert qapp is not None
    names = ("As stored", "Soft tissue", "Lung", "Liver", "Bone", "Brain", "Angio")
    presets = tuple(Preset(name, 10.0 * n, 10.0 * n + 500.0) for n, name in enumerate(names))
    box = IntensityBox("threshold")
    box.set_state(replace(THRESHOLD, presets=presets))
    got = said(box)
    with shown(box):
        row = box.presets
        seen = [one.text() for one in row.buttons]
        behind = {one.text(): one for one in row.menu().actions()}
        assert (*seen, *behind) == names
        assert all(one.width() >= one.sizeHint().width() for one in row.buttons)
        assert row.more.geometry().right() < row.width()
        behind["Angio"].trigger()
        box.set_state(replace(THRESHOLD, presets=presets, low=60.0, high=560.0))
        assert (row.more.text(), row.more.isChecked()) == ("Angio", True)
        box.set_state(replace(THRESHOLD, presets=presets, low=0.0, high=500.0))
        assert (row.more.text(), row.more.isChecked()) == ("More", False)
    assert got == [(60.0, 560.0)]


def test_without_anything_to_do_it_is_off_and_says_why(box: IntensityBox) -> None:
    box.set_state(replace(MASK, reason="The case is read only"))
    got = said(box)
    with shown(box):
        drag(box.view, at(box, box.view.handle_x("low")), at(box, 10))
        wheel(box.view, at(box, 100), 1)
    assert got == []
    assert box.toolTip() == "The case is read only"


def test_only_what_is_within_the_limits_is_lit(box: IntensityBox) -> None:
    with shown(box):
        view = box.view
        row = view.height() - 14

        def lit(x: float) -> bool:
            color = view.grab().toImage().pixelColor(round(x), row)
            return color.blue() > 200

        inside, outside = view.handle_x("middle"), view.handle_x("high") + 30
        assert (lit(inside), lit(outside)) == (True, False)
        box.set_state(replace(MASK, inverted=True))
        assert (lit(inside), lit(outside)) == (False, True)
        box.set_state(replace(MASK, on=False))
        assert (lit(inside), lit(outside)) == (False, False)


def test_it_repaints_within_five_milliseconds(box: IntensityBox) -> None:
    with shown(box, 420):
        times = []
        for n in range(40):
            box.set_state(replace(MASK, low=-200.0 + n))
            begin = time.process_time()
            box.view.repaint()
            times.append(time.process_time() - begin)
    assert median(times) < 0.005, times
