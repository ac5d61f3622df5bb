"""The tools and their options: declared once, chosen by a hand, called with what was chosen."""

import inspect
from dataclasses import replace

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QToolButton, QWidget

from napari_medlabel import commands
from napari_medlabel.core.annotation import KIND_WORDS
from napari_medlabel.ui import theme, tool_specs
from napari_medlabel.ui.histogram_state import IntensityState
from napari_medlabel.ui.option_rows import ChoiceRow, NumberRow, SegmentRow, SwitchRow
from napari_medlabel.ui.section import Section
from napari_medlabel.ui.tool_settings import Place, ToolSettings, call_of
from napari_medlabel.ui.tool_specs import MAIN, MORE, ONE_BUTTON, SPECS, visible_options
from napari_medlabel.ui.tools_box import ToolsBox
from napari_medlabel.ui.tools_state import ToolsState
from napari_medlabel.ui.widgets import text
from tests.gui.alone import press, settle, shown

LIVER, SPLEEN, AORTA = (1, "Liver", "#FF8000"), (2, "Spleen", "#33FFCC"), (6, "Aorta", "#A633A6")
PLACE = Place(active=1, axis=1, index=4, count=10, values=(1, 2, 6), seed=(3, 4, 5))


def state(tool: str, settings: ToolSettings | None = None) -> ToolsState:
    chosen = (settings or ToolSettings()).of(tool)
    return ToolsState(tool, chosen, segments=(LIVER, SPLEEN, AORTA), unit="HU")


# Declared


def test_every_tool_is_in_the_row_or_behind_more_and_none_twice() -> None:
    places = [*MAIN, *ONE_BUTTON, *(tool for _group, tools in MORE for tool in tools)]
    assert sorted([*places, "prompt"]) == sorted(SPECS)  # which has a section of its own


def test_every_kind_of_annotation_has_a_tool() -> None:
    kinds = {one.removeprefix("annotate:") for one in SPECS if one.startswith("annotate:")}
    assert kinds == set(KIND_WORDS)


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.id)
def test_every_tool_has_an_icon_and_fits_on_three_rows(
    qapp: QApplication, spec: tool_specs.ToolSpec
) -> None:
    assert qapp is not None
    assert not theme.pixmap(spec.icon, "#FFFFFF").isNull()
    chosen = ToolSettings().of(spec.id)
    rows = [one for one in visible_options(spec, chosen) if not one.beside]
    if not any(isinstance(one, tool_specs.Range) for one in rows):
        assert len(rows) + 2 * bool(spec.hint and rows) <= 4
        assert len(rows) <= 3


def test_no_key_is_given_to_two_tools() -> None:
    keys = [spec.key for spec in SPECS.values() if spec.key]
    assert len(keys) == len(set(keys))


# Settings


def test_what_was_chosen_stays_with_its_tool_and_some_choices_are_for_all() -> None:
    chosen = (
        ToolSettings().with_option("paint", "size_mm", 4.5).with_option("paint", "shape", "ball")
    )
    assert chosen.of("paint")["size_mm"] == 4.5
    assert chosen.of("erase")["size_mm"] == 10.0
    assert chosen.of("erase")["shape"] == "ball"
    assert ToolSettings().of("paint")["shape"] == "disc"
    assert chosen.of("") == {}


CHOICES: list[tuple[str, dict[str, object], str]] = [
    ("fill", {}, "fill_region"), ("fill", {"tolerance": 20.0, "extent": "volume"}, "fill_region"),
    ("grow", {}, "grow_region"), ("grow", {"tolerance": 30.0}, "grow_region"),
    ("threshold", {"limits": (10.0, 90.0)}, "threshold"),
    ("interpolate", {"values": "all", "by_image": True}, "interpolate_slices"),
    ("smart_paint", {}, "paint_to_edge"), ("seeds", {"outside": 2}, "grow_from_seeds"),
    ("fill_holes", {}, "fill_holes"), ("islands", {}, "keep_largest_islands"),
    ("islands", {"how": "small"}, "remove_small_islands"), ("smooth", {}, "smooth_median"),
    ("smooth", {"how": "gaussian"}, "smooth_gaussian"),
    ("smooth", {"how": "joint"}, "smooth_jointly"),
    ("margin", {}, "grow_margin"), ("margin", {"how": "shrink"}, "shrink_margin"),
    ("hollow", {}, "hollow"), ("combine", {"other": 2}, "combine_segments"),
    ("carry", {"count": 3, "direction": -1}, "carry_slice"),
    ("copy_slice", {}, "copy_slice"), ("mirror", {"into": 2}, "mirror_segment"),
    ("split", {}, "split_islands"), ("relabel", {"into": 6}, "relabel_segments"),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "chosen", "command"), CHOICES)
def test_a_call_has_the_arguments_that_its_command_takes(
    tool: str, chosen: dict[str, object], command: str
) -> None:
    settings = ToolSettings()
    for option, value in chosen.items():
        settings = settings.with_option(tool, option, value)
    call = call_of(tool, settings.of(tool), PLACE)
    assert call is not None
    assert (call.command, call.why_not) == (command, "")
    function = getattr(commands, call.command)
    inspect.signature(function).bind("session", "case", *call.args, **call.settings)


def test_every_tool_with_a_button_makes_a_call_or_says_what_is_missing() -> None:
    missing = set()
    for tool, spec in SPECS.items():
        if any(isinstance(one, tool_specs.Buttons) for one in spec.options):
            call = call_of(tool, ToolSettings().of(tool), PLACE)
            missing |= {tool} if call is None else set()
    assert missing == set()


@pytest.mark.parametrize(
    ("tool", "place", "words"),
    [
        ("combine", PLACE, "Pick another segment to combine with"),
        ("relabel", PLACE, "Pick another segment to give the voxels to"),
        ("threshold", PLACE, "Choose a range first"),
        ("smooth", replace(PLACE, active=0), "Pick a segment first"),
        ("interpolate", replace(PLACE, active=0), "Pick a segment first"),
        ("copy_slice", replace(PLACE, index=9), "There is no slice beyond this one"),
        ("carry", replace(PLACE, index=9), "There is no slice beyond this one"),
        ("seeds", replace(PLACE, values=(1,)), "Draw seeds of two segments first"),
    ],
)
def test_what_is_missing_is_said(tool: str, place: Place, words: str) -> None:
    call = call_of(tool, ToolSettings().of(tool), place)
    assert call is not None
    assert call.why_not == words


def test_a_slice_is_the_view_s_and_a_volume_has_no_axis() -> None:
    chosen = ToolSettings()
    one = call_of("fill", chosen.of("fill"), PLACE)
    all_ = call_of("fill", chosen.with_option("fill", "extent", "volume").of("fill"), PLACE)
    assert one is not None
    assert all_ is not None
    assert (one.settings["axis"], all_.settings["axis"]) == (1, None)


def test_painting_over_one_segment_only_is_handed_on() -> None:
    settings = ToolSettings().with_option("paint", "paint_over", 6)
    call = call_of("smart_paint", settings.of("smart_paint"), PLACE)
    assert call is not None
    assert (call.only_over, call.settings["over_others"]) == (6, True)


# The hand


@pytest.fixture
def box(qapp: QApplication) -> ToolsBox:
    assert qapp is not None
    made = ToolsBox()
    made.set_state(state("paint"))
    return made


def chosen_tools(box: ToolsBox) -> list[str]:
    got: list[str] = []
    box.tool_chosen.connect(got.append)
    return got


def changes(box: ToolsBox) -> list[tuple[str, str, object]]:
    got: list[tuple[str, str, object]] = []
    box.option_changed.connect(lambda tool, option, value: got.append((tool, option, value)))
    return got


def click(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)
    settle()


def choice_button(box: ToolsBox, words: str) -> QToolButton:
    (found,) = [
        one for one in box.options.findChildren(QToolButton)
        if one.text() == words and one.isVisible()
    ]  # fmt: skip
    return found


def test_a_press_chooses_a_tool_and_a_second_one_puts_it_down(box: ToolsBox) -> None:
    got = chosen_tools(box)
    with shown(box):
        click(box.buttons["grow"])
        assert box.buttons["paint"].isChecked()  # until the window says otherwise
        assert not box.buttons["grow"].isChecked()
        box.set_state(state("grow"))
        assert box.buttons["grow"].isChecked()
        click(box.buttons["grow"])
    assert got == ["grow", ""]


def test_polygon_and_lasso_share_a_button(box: ToolsBox) -> None:
    got = chosen_tools(box)
    with shown(box):
        box.set_state(state("polygon"))
        settle()
        click(choice_button(box, "Freehand"))
        box.set_state(state("lasso"))
        assert box.buttons["polygon"].isChecked()
        assert box.name.text() == "Lasso"
        box.set_state(state("paint"))
        click(box.buttons["polygon"])  # gives the one that was used last
    assert got == ["lasso", "lasso"]
    assert changes(box) == []


def test_the_others_are_behind_more(box: ToolsBox) -> None:
    got = chosen_tools(box)
    with shown(box):
        actions = {one.text().split("\t")[0]: one for one in box.menu().actions()}
        assert not actions["Measure"].isEnabled()  # a heading
        for words in ("Smooth", "Distance", "Polygon"):
            actions[words].trigger()
    assert got == ["smooth", "annotate:distance", "annotate:polygon"]


def test_options_change_in_place_and_nothing_moves(box: ToolsBox) -> None:
    with shown(box):
        first = (box.height(), box.options.geometry(), box.buttons["paint"].geometry())
        for tool in ("", *SPECS):
            box.set_state(state(tool))
            settle()
            now = (box.height(), box.options.geometry(), box.buttons["paint"].geometry())
            assert now == first, tool
            form = box.options.layout().currentWidget()
            needed = form.heightForWidth(form.width())  # -1 where it does not depend on the width
            needed = needed if needed >= 0 else form.sizeHint().height()
            assert needed <= box.options.height(), tool


def test_the_brush_is_sized_by_field_and_slider(box: ToolsBox) -> None:
    got = changes(box)
    with shown(box):
        size = box.options.editor("size_mm")
        assert isinstance(size, NumberRow)
        size.field.selectAll()
        QTest.keyClicks(size.field, "12")
        press(size.field, "Return")
        press(size.slider, "Right")
    assert got[0] == ("paint", "size_mm", 12.0)
    assert got[1][2] != 12.0 or got[1][:2] == ("paint", "size_mm")


def test_the_slider_reaches_both_ends_in_steps_of_the_field(box: ToolsBox) -> None:
    got = changes(box)
    with shown(box):
        size = box.options.editor("size_mm")
        assert isinstance(size, NumberRow)
        for place in (0, 400, 1000):
            size.slider.setValue(place)
    values = [value for _tool, _option, value in got]
    assert values[0] == 0.5
    assert values[-1] == 80.0
    assert all(float(str(value)) * 2 == round(float(str(value)) * 2) for value in values)


def test_erase_keeps_a_size_of_its_own(box: ToolsBox) -> None:
    chosen = ToolSettings().with_option("erase", "size_mm", 25.0)
    with shown(box):
        box.set_state(state("erase", chosen))
        size = box.options.editor("size_mm")
        assert isinstance(size, NumberRow)
        assert size.field.text() == "25.0 mm"
        box.set_state(state("paint", chosen))
        size = box.options.editor("size_mm")
        assert isinstance(size, NumberRow)
        assert size.field.text() == "10.0 mm"


def test_showing_a_state_says_nothing(box: ToolsBox) -> None:
    got, tools = changes(box), chosen_tools(box)
    chosen = ToolSettings()
    for option, value in (("size_mm", 3.0), ("shape", "ball"), ("paint_over", 2)):
        chosen = chosen.with_option("paint", option, value)
    for tool in SPECS:
        box.set_state(state(tool, chosen))
    assert (got, tools) == ([], [])


def test_a_tolerance_may_be_auto_and_then_the_spread_counts(box: ToolsBox) -> None:
    got = changes(box)
    with shown(box):
        box.set_state(state("grow"))
        settle()
        tolerance, spread = box.options.editor("tolerance"), box.options.editor("factor")
        assert isinstance(tolerance, NumberRow)
        assert tolerance.field.text() == "Auto"
        assert spread.isVisible()
        tolerance.field.setFocus()
        press(tolerance.field, "Up")
        assert got == [("grow", "tolerance", 0.0)]
        box.set_state(state("grow", ToolSettings().with_option("grow", "tolerance", 40.0)))
        settle()
        assert tolerance.field.text() == "40 HU"
        assert not spread.isVisible()
        tolerance.slider.setValue(0)
    assert got[-1] == ("grow", "tolerance", None)


def test_choices_switches_and_segments_are_said_as_values(box: ToolsBox) -> None:
    got = changes(box)
    with shown(box):
        click(choice_button(box, "Ball, 3D"))
        over = box.options.editor("paint_over")
        assert isinstance(over, SegmentRow)
        words = [over.list.itemText(n) for n in range(over.list.count())]
        assert words == [
            "Everything unlocked", "Empty only", "Only Liver", "Only Spleen", "Only Aorta"
        ]  # fmt: skip
        over.list.setFocus()
        press(over.list, "End")
        box.set_state(state("interpolate"))
        settle()
        follow = box.options.editor("by_image")
        assert isinstance(follow, SwitchRow)
        click(follow.switch)
    assert got == [
        ("paint", "shape", "ball"), ("paint", "paint_over", 6), ("interpolate", "by_image", True)
    ]  # fmt: skip


def test_a_segment_that_is_gone_is_not_shown_as_picked(box: ToolsBox) -> None:
    chosen = ToolSettings().with_option("combine", "other", 6)
    box.set_state(state("combine", chosen))
    other = box.options.editor("other")
    assert isinstance(other, SegmentRow)
    assert other.list.currentText() == "Aorta"
    box.set_state(replace(state("combine", chosen), segments=(LIVER, SPLEEN)))
    assert other.list.currentIndex() == -1


def test_buttons_ask_and_say_what_is_missing(box: ToolsBox) -> None:
    got: list[str] = []
    box.action_wanted.connect(got.append)
    with shown(box):
        box.set_state(replace(state("combine"), blocked="Pick another segment to combine with"))
        settle()
        made = box.options.editor("").buttons["preview"]
        click(made)
        assert made.toolTip() == "Pick another segment to combine with"
        box.set_state(state("combine"))
        click(made)
    assert got == ["preview"]


def test_a_threshold_says_its_range_and_asks_for_otsu(box: ToolsBox) -> None:
    got, asked = changes(box), list[str]()
    box.action_wanted.connect(asked.append)
    with shown(box):
        shows = IntensityState("threshold", low=100.0, high=300.0, unit="HU")
        box.set_state(replace(state("threshold"), threshold=shows))
        settle()
        limits = box.options.editor("limits")
        click(limits.otsu)
        limits.low.selectAll()
        QTest.keyClicks(limits.low, "120")
        press(limits.low, "Return")
    assert asked == ["otsu"]
    assert got == [("threshold", "limits", (120.0, 300.0))]


def test_read_only_nothing_can_be_chosen_and_it_says_why(box: ToolsBox) -> None:
    got = chosen_tools(box)
    box.set_state(replace(state("paint"), enabled=False, reason="The case is read only"))
    with shown(box):
        click(box.buttons["erase"])
        assert box.buttons["erase"].toolTip() == "The case is read only"
        size = box.options.editor("size_mm")
        assert not size.isEnabled()
        box.set_state(state("paint"))
        click(box.buttons["erase"])
        assert box.buttons["erase"].toolTip().endswith("E")
    assert got == ["erase"]


def test_the_name_of_the_tool_stands_at_the_right(box: ToolsBox) -> None:
    box.set_state(state("interpolate"))
    assert box.name.text() == "Interpolate"
    box.set_state(state(""))
    assert box.name.text() == ""
    assert not any(made.isChecked() for made in box.buttons.values())


def test_a_folded_list_is_a_choice_too(qapp: QApplication) -> None:
    assert qapp is not None
    option = tool_specs.Choice("axis", "Axis", ((0, "Axial"), (1, "Coronal")), folded=True)
    made = ChoiceRow(option)
    got: list[object] = []
    made.changed.connect(got.append)
    with shown(made):
        made.set_value(0)
        made.choice.setFocus()
        press(made.choice, "Down")
    assert got == [1]


# Folding


def test_a_section_folds_by_click_and_key_and_is_remembered(qapp: QApplication) -> None:
    assert qapp is not None
    kept: list[tuple[str, bool]] = []
    content = text("what folds")
    section = Section(
        "tools", "Tools", content, remember=lambda name, on: kept.append((name, on)), folded=True
    )
    section.set_moving(on=False)
    with shown(section):
        assert not content.isVisible()
        click(section.title)
        assert content.isVisible()
        section.title.setFocus()
        press(section.title, "Space")
        assert not content.isVisible()
        section.set_folded(folded=False)
        assert content.isVisible()
    assert kept == [("tools", False), ("tools", True)]
    assert section.title.accessibleName() == "Tools, open"


def test_a_section_that_moves_ends_where_it_should(qapp: QApplication) -> None:
    assert qapp is not None
    content = text("what folds")
    content.setMinimumHeight(0)
    section = Section("tools", "Tools", content)
    with shown(section):
        full = section.height()
        click(section.title)
        QTest.qWait(250)
        assert not content.isVisible()
        assert section.height() < full
        click(section.title)
        QTest.qWait(250)
        assert content.isVisible()
        assert section.height() == full
