"""The section "Second image": what it shows of a state, and what a hand says with it."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QMenu

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Series, Source, Volume
from napari_medlabel.ui.overlay_box import OverlayBox
from napari_medlabel.ui.overlay_state import (
    OverlayState,
    choices_of,
    decimals_of,
    step_of,
)
from napari_medlabel.ui.section import Section
from napari_medlabel.ui.state import TIMES
from napari_medlabel.ui.theme import LIGHT
from tests.gui.alone import press, settle, shown

GRID = Geometry.from_spacing((5, 6, 7), (3.0, 1.0, 1.0))
GAPS = Problem("missing-slice", "2 slices are missing", blocking=True)
MR = Series(
    2, "1.2.3", "dicom", "MR", "image",
    (FoundVolume("echo 1", GRID), FoundVolume("echo 2", GRID)), 10, description="DOE^JANE",
)  # fmt: skip
PET = Series(4, "1.2.4", "dicom", "PT", "image", (FoundVolume("", GRID, quantities=("SUVbw",)),), 5)
BROKEN = Series(5, "1.2.5", "dicom", "CT", "image", (FoundVolume("", None, (GAPS,)),), 5)
SCOUT = Series(6, "1.2.6", "dicom", "CT", "localizer", (FoundVolume("", GRID),), 1)
CASE = Volume(
    (np.zeros(GRID.shape, np.int16),), GRID, Source("dicom", GRID, series_uid="1.2.3"), "MR",
    name="echo 1",
)  # fmt: skip
CHOICES = choices_of((MR, PET, BROKEN, SCOUT), CASE)
READ = OverlayState(
    CHOICES, 1, "Series 4 · PT · SUVbw", "SUVbw", limits=(0.0, 10.0), quantity="SUVbw",
    quantities=("SUVbw",), covered=0.342, notes=("Another frame of reference: look",),
)  # fmt: skip


def test_all_but_the_case_itself_may_be_laid_over_it_and_nobody_is_named() -> None:
    assert [one.words for one in CHOICES] == [
        "Series 2 · MR · echo 2", "Series 4 · PT", "Series 5 · CT",
    ]  # fmt: skip
    assert [one.volume for one in CHOICES] == [2, 1, 1]
    assert CHOICES[0].tip.replace(TIMES, "x") == "7 x 6 x 5 voxels · 1.00 x 1.00 x 3.00 mm"
    assert [one.why_not for one in CHOICES] == ["", "", "2 slices are missing"]
    assert not [one for one in CHOICES if "DOE" in one.words + one.tip]


@pytest.mark.parametrize(
    ("limits", "decimals", "step"),
    [
        ((0.0, 10.0), 1, 0.2), ((-160.0, 240.0), 0, 10.0), ((0.0, 0.02), 4, 5e-4),
        ((3.0, 3.0), 6, 2e-8),
    ],
)  # fmt: skip
def test_fields_have_as_many_decimals_as_the_range_needs(
    limits: tuple[float, float], decimals: int, step: float
) -> None:
    assert decimals_of(limits) == decimals
    assert step_of(limits) == pytest.approx(step)


def test_how_much_of_the_case_is_covered_is_said_where_it_is_not_all() -> None:
    assert READ.reach == "It covers 34 % of this case"
    assert replace(READ, covered=0.001).reach == "It covers 1 % of this case"
    assert replace(READ, covered=0.999).reach == ""
    assert OverlayState(covered=0.3).reach == ""


@pytest.fixture
def box(qapp: object) -> Iterator[OverlayBox]:
    assert qapp is not None
    made = OverlayBox()
    with shown(Section("overlay", "Second image", made, beside=made.head), 304):
        made.set_state(READ)
        settle()
        yield made


def test_with_nothing_to_show_it_is_one_line_and_a_list_once_there_is_one(box: OverlayBox) -> None:
    box.set_state(OverlayState())
    settle()
    assert box._hint.isVisible()
    for part in (box.series, box.busy, box._form, box._reach, box.eye, box.remove, *box._notes):
        assert not part.isVisible()
    box.set_state(OverlayState(CHOICES))
    settle()
    assert box.series.isVisible()
    assert not box._hint.isVisible()
    assert box.series.currentIndex() == -1
    assert not box.series.model().item(2).isEnabled()
    assert box.series.itemData(2, Qt.ItemDataRole.ToolTipRole) == "2 slices are missing"


def test_what_is_read_is_shown_with_all_there_is_to_say(box: OverlayBox) -> None:
    assert box.series.currentText() == "Series 4 · PT"
    assert box.series.toolTip() == "Series 4 · PT · SUVbw"
    assert (box.opacity.value(), box._percent.text()) == (50, "50 %")
    assert box.colors.currentText() == "Hot iron"
    assert box.values.currentText() == "SUVbw"
    assert (box.low.value(), box.high.value(), box._unit.text()) == (0.0, 10.0, "SUVbw")
    assert box._reach.text() == "It covers 34 % of this case"
    assert box._notes[0].isVisible()
    assert not box._notes[1].isVisible()
    box.set_state(replace(READ, quantities=(), quantity="", unit="", shown=False))
    settle()
    assert not box.values.isVisible()
    assert not box._unit.isVisible()


def test_a_state_that_is_shown_says_nothing_back(box: OverlayBox) -> None:
    said: list[object] = []
    for name in ("taken", "opacity_changed", "colormap_chosen", "quantity_chosen", "shown_changed"):
        getattr(box, name).connect(said.append)
    box.range_changed.connect(lambda *limits: said.append(limits))
    for state in (
        OverlayState(), replace(READ, opacity=0.2, colormap="magma", limits=(-5.0, 3.0)), READ,
    ):  # fmt: skip
        box.set_state(state)
    assert said == []


def test_every_control_says_what_a_person_chose(box: OverlayBox) -> None:
    said: list[object] = []
    box.taken.connect(lambda n: said.append(("series", n)))
    box.opacity_changed.connect(lambda part: said.append(("opacity", round(part, 2))))
    box.colormap_chosen.connect(lambda name: said.append(("colours", name)))
    box.quantity_chosen.connect(lambda name: said.append(("values", name)))
    box.range_changed.connect(lambda *limits: said.append(limits))
    box.shown_changed.connect(lambda on: said.append(("shown", on)))
    box.remove_wanted.connect(lambda: said.append("remove"))
    left = Qt.MouseButton.LeftButton
    for widget, key in (
        (box.series, "Up"), (box.opacity, "PgUp"), (box.colors, "Down"), (box.values, "Up"),
    ):  # fmt: skip
        widget.setFocus()
        press(widget, key)
    box.high.setFocus()
    box.high.selectAll()
    QTest.keyClicks(box.high, "7.5")
    press(box.high, "Return")
    QTest.mouseClick(box.eye, left)
    QTest.mouseClick(box.remove, left)
    assert said == [
        ("series", 0), ("opacity", 0.6), ("colours", "cold"), ("values", ""), (0.0, 7.5),
        ("shown", False), "remove",
    ]  # fmt: skip
    assert box.series.currentIndex() == 1  # until the other one is there


def test_a_limit_typed_beyond_the_other_takes_it_along(box: OverlayBox) -> None:
    said: list[tuple[float, float]] = []
    box.range_changed.connect(lambda *limits: said.append(limits))
    box.low.setFocus()
    box.low.selectAll()
    QTest.keyClicks(box.low, "12")
    press(box.low, "Return")
    assert said == [(12.0, pytest.approx(12.2))]


def test_another_image_is_opened_from_a_menu(box: OverlayBox) -> None:
    said: list[str] = []
    box.folder_wanted.connect(lambda: said.append("folder"))
    box.file_wanted.connect(lambda: said.append("file"))
    for n in range(2):
        QTest.mouseClick(box.open, Qt.MouseButton.LeftButton)
        settle()
        (menu,) = [one for one in box.findChildren(QMenu) if one.isVisible()]
        assert [action.text() for action in menu.actions()] == ["Folder with DICOM…", "File…"]
        place = menu.actionGeometry(menu.actions()[n]).center()
        QTest.mouseClick(menu, Qt.MouseButton.LeftButton, pos=place)
        settle()
    assert said == ["folder", "file"]


def test_what_takes_long_shows_how_far_it_is_and_can_be_called_off(box: OverlayBox) -> None:
    said: list[str] = []
    box.cancel_wanted.connect(lambda: said.append("cancel"))
    box.set_state(replace(READ, busy="Reading the second image", progress=(3, 12)))
    settle()
    assert box.busy.isVisible()
    box.busy.cancelled.emit()
    assert said == ["cancel"]
    box.set_state(READ)
    settle()
    assert not box.busy.isVisible()


def test_it_takes_the_light_theme(qapp: object) -> None:
    assert qapp is not None
    made = OverlayBox()
    with shown(made, 304, LIGHT) as root:
        made.set_state(READ)
        settle()
        corner = root.grab().toImage().pixelColor(2, root.height() - 2)
        assert corner.lightness() > 200
        assert made.colors.itemIcon(0).availableSizes()
