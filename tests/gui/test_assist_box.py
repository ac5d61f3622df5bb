"""The Assist section by itself: what is shown, what is said when it is pressed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel

from napari_medlabel.ui.assist.box import MOST_ROWS, AssistBox
from napari_medlabel.ui.assist.state import AssistState, Choice, PromptRow, Ran
from napari_medlabel.ui.kept_box import KeptBox
from napari_medlabel.ui.kept_state import KeptRow
from napari_medlabel.ui.state import TIMES
from tests.gui.alone import settle, shown

ROWS = (
    PromptRow("box", "text1", "Box", f"28 {TIMES} 22 mm, slice 112"),
    PromptRow("include", "ok", "Include", "R 115 P 2 H 18"),
    PromptRow("exclude", "error", "Exclude", "R 89 A 1 H 18"),
)
ENGINES = (Choice("default", "Auto"), Choice("mine", "mine", "no weights"),
           Choice("classic", "classic"))  # fmt: skip
DEVICES = (Choice("auto", "Auto"), Choice("cpu", "CPU"))
OPEN = AssistState(
    "include", in_hand=True, rows=ROWS, engines=ENGINES, devices=DEVICES,
    ran=Ran("classic", device="cpu"), seconds=0.3,
)  # fmt: skip


@pytest.fixture
def box(qapp: QApplication) -> Iterator[AssistBox]:
    assert qapp is not None
    made = AssistBox()
    made.set_state(OPEN)
    with shown(made):
        yield made


def told(box: AssistBox) -> list[tuple[object, ...]]:
    """What the section says, from now on."""
    found: list[tuple[object, ...]] = []
    for name in ("kind_chosen", "removed", "undo_wanted", "reset_wanted", "boundary_moved",
                 "engine_chosen", "device_chosen"):  # fmt: skip
        getattr(box, name).connect(lambda *args, name=name: found.append((name, *args)))
    return found


def click(widget: object) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    settle()


def words(box: AssistBox) -> list[str]:
    return [one.text() for one in box.findChildren(QLabel) if one.isVisible() and one.text()]


def test_prompts_engine_device_and_seconds_are_shown(box: AssistBox) -> None:
    assert box.list.rows == ROWS
    seen = words(box)
    assert {f"28 {TIMES} 22 mm, slice 112", "Works without a model", "tight", "loose"} <= set(seen)
    assert "classic" in seen  # what Auto has chosen
    assert "CPU, 0.3 s per click" in seen
    assert box.engine.currentText() == "Auto"


def test_a_kind_is_asked_for_and_shown_only_when_it_is_so(box: AssistBox) -> None:
    said = told(box)
    click(box.kinds["box"])
    assert said == [("kind_chosen", "box")]
    assert box.kinds["include"].isChecked()
    assert not box.kinds["box"].isChecked()
    box.set_state(replace(OPEN, kind="box"))
    assert box.kinds["box"].isChecked()


def test_any_prompt_has_a_cross(box: AssistBox) -> None:
    said = told(box)
    click(box.list.crosses[1])
    click(box.undo)
    click(box.reset)
    assert said == [("removed", 1), ("undo_wanted",), ("reset_wanted",)]


def test_the_boundary_is_told_while_it_moves_and_showing_it_tells_nothing(box: AssistBox) -> None:
    said = told(box)
    box.set_state(replace(OPEN, loose=0.8))
    assert box.boundary.value() == 80
    assert said == []
    box.boundary.setFocus()
    QTest.keyClick(box.boundary, Qt.Key.Key_Left)
    assert said == [("boundary_moved", 0.79)]


def test_an_engine_that_cannot_run_cannot_be_chosen_and_says_why(box: AssistBox) -> None:
    item = box.engine.model().item(1)
    assert not item.isEnabled()
    assert box.engine.itemData(1, Qt.ItemDataRole.ToolTipRole) == "no weights"
    said = told(box)
    box.engine.activated.emit(2)
    box.device.activated.emit(1)
    assert said == [("engine_chosen", "classic"), ("device_chosen", "cpu")]


def test_without_the_tool_only_the_kinds_are_there(box: AssistBox) -> None:
    box.set_state(replace(OPEN, in_hand=False, rows=()))
    settle()
    assert not box.boundary.isVisible()
    assert not box.list.isVisible()
    assert all(one.isVisible() and not one.isChecked() for one in box.kinds.values())


def test_nothing_can_be_pressed_where_nothing_may_change_and_it_says_why(box: AssistBox) -> None:
    box.set_state(replace(OPEN, reason="Somebody else has this case"))
    for one in box.kinds.values():
        assert not one.isEnabled()
        assert one.toolTip() == "Somebody else has this case"
    assert not box.undo.isEnabled()


def test_many_prompts_are_scrolled_to(box: AssistBox) -> None:
    box.set_state(replace(OPEN, rows=ROWS))
    few = box.list.height()
    box.set_state(replace(OPEN, rows=ROWS * 6))
    settle()
    assert box.list.height() == pytest.approx(few / len(ROWS) * MOST_ROWS, abs=2)
    assert not box.list.crosses[-1].visibleRegion().isEmpty()


def test_chips_lead_back_or_let_go(qapp: QApplication) -> None:
    assert qapp is not None
    made = KeptBox()
    said: list[tuple[str, int]] = []
    made.wanted.connect(lambda n: said.append(("wanted", n)))
    made.forgotten.connect(lambda n: said.append(("forgotten", n)))
    with shown(made):
        assert not made.isVisible()
        made.set_rows((
            KeptRow("Liver", "#FF8000", "Preview", "18.2 mL"),
            KeptRow("Spleen", "#33FFCC", "Interpolate", "3.10 mL"),
        ))  # fmt: skip
        settle()
        click(made.chips[1])
        click(made.crosses[0])
        assert said == [("wanted", 1), ("forgotten", 0)]
        assert made.chips[1].accessibleName().startswith("Spleen: interpolate, 3.10 mL")
        made.set_rows(())
        settle()
        assert not made.isVisible()
