"""What the Assist section says and how prompts, boxes and rules change; without a window."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.ui.annotate_state import Choices
from napari_medlabel.ui.assist.box_shape import (
    Side,
    box_between,
    dragged,
    extended,
    sides_at,
    span_of,
)
from napari_medlabel.ui.assist.prompted import Prompted
from napari_medlabel.ui.assist.rules import how_to_write, is_refined, rules_of
from napari_medlabel.ui.assist.state import (
    AUTO,
    AssistState,
    Choice,
    PromptRow,
    Ran,
    engine_choices,
    engine_words,
    prompt_row,
    threshold_of,
)
from napari_medlabel.ui.kept_state import KeptRow, change_words, kept_words
from napari_medlabel.ui.planes.frame import Frame
from napari_medlabel.ui.state import TIMES

GRID = Geometry.from_spacing((20, 60, 50), (4.0, 1.0, 1.5), (-40.0, -30.0, 10.0))
HERE, THERE, NOT = Point((5, 6, 7)), Point((5, 9, 7)), Point((1, 1, 1), include=False)


@pytest.mark.parametrize(
    ("prompt", "row"),
    [
        (Point((2, 40, 5)), PromptRow("include", "ok", "Include", "R 32 P 10 H 18")),
        (Point((2, 20, 40), include=False),
         PromptRow("exclude", "error", "Exclude", "L 20 A 10 H 18")),
        (Box((4, 10, 10), (4, 30, 29)),
         PromptRow("box", "text1", "Box", f"30 {TIMES} 21 mm, slice 5")),
        (Box((4, 10, 10), (6, 30, 29)),
         PromptRow("box", "text1", "Box", f"30 {TIMES} 21 {TIMES} 12 mm")),
        (Box((4, 12, 10), (6, 12, 29), include=False),
         PromptRow("box", "error", "Box", f"30 {TIMES} 12 mm, coronal 13")),
        (Scribble(((3, 10, 10), (3, 13, 10), (3, 17, 10))),
         PromptRow("scribble", "ok", "Scribble", "7 mm, slice 4")),
        (Lasso(((3, 10, 10), (3, 20, 10), (3, 20, 30)), include=False),
         PromptRow("lasso", "error", "Lasso", f"30 {TIMES} 10 mm, slice 4")),
    ],
)  # fmt: skip
def test_the_list_says_what_a_prompt_is_and_where(prompt: Prompt, row: PromptRow) -> None:
    assert prompt_row(prompt, GRID) == row


def test_a_tight_boundary_takes_a_high_probability_and_a_loose_one_a_low() -> None:
    assert threshold_of(0.5) == 0.5
    assert threshold_of(0.0) > threshold_of(0.3) > threshold_of(0.7) > threshold_of(1.0) > 0.0


def test_engines_that_cannot_run_are_listed_with_the_reason() -> None:
    told = {"engines": [
        {"name": "default", "available": False, "why_not": "its weights are missing"},
        {"name": "classic", "available": True, "why_not": ""},
    ]}  # fmt: skip
    auto, default, classic = engine_choices(told)
    assert (auto.id, auto.words, auto.why_not) == (AUTO, "Auto", "")
    assert (default.words, default.why_not) == ("default", "its weights are missing")
    assert classic == Choice("classic", "classic")
    told["engines"][0] |= {"available": True, "why_not": ""}
    assert [one.words for one in engine_choices(told)] == ["Auto", "classic"]  # auto is default


def test_without_a_model_it_says_so_and_with_one_its_name() -> None:
    classic = AssistState(ran=Ran("classic", device="cpu"), seconds=0.32)
    assert classic.notes == ("Works without a model",)
    assert classic.heading == "classic · CPU · 0.3 s"
    assert classic.status == ("Engine ready · CPU · 0.3 s per click", True)
    name = engine_words({"engine": "default", "model": "abdomen-click", "version": "1.2"})
    network = AssistState(
        ran=Ran(name, has_model=True, device="cuda", note="smaller regions: memory"), seconds=None
    )
    assert network.notes == ("smaller regions: memory",)
    assert network.heading == "abdomen-click 1.2 · GPU"
    assert replace(network, busy="Preparing the image").status == ("Engine: preparing", False)
    assert AssistState().status == ("", True)
    assert AssistState().heading == ""


def test_all_of_it_is_shown_where_it_is_of_use() -> None:
    assert not AssistState().unfolded
    assert AssistState(in_hand=True).unfolded
    assert AssistState(rows=(prompt_row(HERE, GRID),)).unfolded


PROMPTS = st.lists(
    st.builds(Point, st.tuples(*[st.integers(0, 9)] * 3), st.booleans()), min_size=1, max_size=6
)


@given(PROMPTS)
def test_prompts_taken_back_and_given_again_are_the_same(prompts: list[Point]) -> None:
    found = Prompted(1)
    for prompt in prompts:
        found = found.given(prompt)
    back = found
    for _ in prompts:
        back = back.stepped_back()
    assert back.prompts == ()
    for _ in prompts:
        back = back.stepped_on()
    assert back == found


def test_any_prompt_can_be_taken_away() -> None:
    found = Prompted(1).given(HERE).given(NOT).given(THERE)
    assert found.without(1).prompts == (HERE, THERE)
    assert found.changed(0, THERE).prompts == (THERE, NOT, THERE)


def test_it_can_be_asked_once_something_is_included_or_a_segment_is_refined() -> None:
    assert not Prompted(1).can_be_asked
    assert not Prompted(1).given(NOT).can_be_asked
    assert Prompted(1).given(NOT).given(HERE).can_be_asked
    assert Prompted(1, refine=True).given(NOT).can_be_asked


def test_the_change_is_that_of_the_last_prompt_however_it_is_cut() -> None:
    one = Prompted(1).given(HERE).answered_by((HERE,), 10.0)
    assert one.change_ml is None
    two = one.given(THERE).answered_by((HERE, THERE), 12.0)
    assert two.change_ml == pytest.approx(2.0)
    assert two.answered_by((HERE, THERE), 15.0).change_ml == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("ml", "words"), [(1.3, "+1.30"), (-14.2, "\N{MINUS SIGN}14.2"), (0.001, ""), (0.0, "")]
)
def test_a_change_has_its_sign(ml: float, words: str) -> None:
    assert change_words(ml) == words


def test_a_chip_says_whose_preview_waits() -> None:
    assert (
        kept_words(KeptRow("Liver", "#FF8000", "Preview", "18.2 mL")) == "Liver: preview, 18.2 mL"
    )


BOXES = st.tuples(*[st.tuples(st.integers(0, 19), st.integers(0, 19)).map(sorted)] * 3).map(
    lambda ends: Box(tuple(one[0] for one in ends), tuple(one[1] for one in ends))
)
PLACES = st.tuples(*[st.integers(0, 19)] * 3)


@given(BOXES, PLACES, st.integers(0, 2), st.sampled_from([None, 0, 1]))
def test_a_dragged_side_goes_where_it_is_led_and_the_others_stay(
    box: Box, place: tuple[int, int, int], axis: int, end: int | None
) -> None:
    made = dragged(box, (Side(axis, end),), place)
    for n in {0, 1, 2} - {axis}:
        assert (made.low[n], made.high[n]) == (box.low[n], box.high[n])
    reached = (made.low[axis], made.high[axis])
    assert reached[0] <= reached[1]
    if end is None:
        assert reached[0] <= place[axis] <= reached[1]
        assert reached[0] <= box.low[axis] <= box.high[axis] <= reached[1]


@given(PLACES, PLACES)
def test_a_box_between_two_voxels_holds_both(
    one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    box = box_between(one, other, include=True)
    np.testing.assert_array_equal(box.low, np.minimum(one, other))
    np.testing.assert_array_equal(box.high, np.maximum(one, other))


def test_a_box_is_extended_over_slices() -> None:
    flat = Box((4, 10, 10), (4, 30, 29))
    assert extended(flat, 0, 7) == Box((4, 10, 10), (7, 30, 29))
    assert extended(extended(flat, 0, 7), 0, 2) == Box((2, 10, 10), (7, 30, 29))
    assert span_of(flat, (1, 2)) == (10, 31, 10, 30)


@pytest.mark.parametrize("upwards", [False, True])
def test_sides_are_found_where_they_are_seen(upwards: bool) -> None:  # noqa: FBT001
    frame = Frame(60, 50, 1.0, 1.5, upwards, 500, 600).fitted()
    box = Box((4, 10, 10), (4, 30, 29))
    middle_right = frame.px(20, 29.5)
    assert sides_at(box, frame, (1, 2), middle_right) == (Side(2, 1),)
    first_row = frame.px(9.5, 20)
    assert sides_at(box, frame, (1, 2), first_row) == (Side(1, 0),)
    corner = frame.px(30.5, 9.5)
    assert sides_at(box, frame, (1, 2), corner) == (Side(1, 1), Side(2, 0))
    assert sides_at(box, frame, (1, 2), frame.px(20, 20)) == ()
    assert sides_at(box, frame, (1, 2), frame.px(45, 29.5)) == ()


def test_a_box_on_one_slice_can_be_taken_by_it_in_another_view() -> None:
    frame = Frame(
        20, 50, 4.0, 1.5, upwards=True, width=500, height=600
    ).fitted()  # coronal: k up, i across
    flat = Box((4, 10, 10), (4, 30, 29))
    assert sides_at(flat, frame, (0, 2), frame.px(4.5, 20)) == (Side(0, None),)
    assert dragged(flat, (Side(0, None),), (9, 0, 0)) == Box((4, 10, 10), (9, 30, 29))


def test_the_rules_tell_what_an_answer_may_take() -> None:
    choices, found = Choices(active=3), Prompted(1)
    assert how_to_write(choices, found) == {
        "threshold": 0.5, "over_others": True, "only_over": None, "inside": None,
    }  # fmt: skip
    over = replace(choices, settings=choices.settings.with_option("paint", "paint_over", 2))
    assert how_to_write(over, found) | {"threshold": 0.5} == {
        "threshold": 0.5, "over_others": False, "only_over": 2, "inside": None,
    }  # fmt: skip
    inside = choices.settings.with_option("prompt", "inside", 3)
    assert how_to_write(replace(choices, settings=inside), found)["inside"] is None  # itself
    assert how_to_write(replace(choices, active=1, settings=inside), found)["inside"] == 3
    assert rules_of(choices, 1) == rules_of(replace(choices, active=1), 1)
    assert rules_of(choices, 1) != rules_of(replace(choices, masked=True), 1)
    assert rules_of(choices, 1) != rules_of(choices, 2)


def test_only_what_has_voxels_is_refined() -> None:
    settings = Choices().settings.with_option("prompt", "object", "refine")
    assert is_refined(Choices(settings=settings), 5)
    assert not is_refined(Choices(settings=settings), 0)
    assert not is_refined(Choices(), 5)


def test_another_size_is_open_after_one_prompt_and_forgotten_with_it() -> None:
    one = Prompted(1, (HERE,))
    assert not one.has_sizes  # not answered yet
    one = one.answered_by((HERE,), 10.0)
    assert one.has_sizes
    second = one.next_size()
    assert (second.asked != second.settled, second.size, second.sized) == (True, 1, 1)
    second = second.of_size(1).answered_by((HERE,), 20.0)
    assert second.asked == second.settled
    again = second.next_size().of_size(0)  # there were two
    assert (again.size, again.sizes, again.next_size().size) == (0, 2, 1)
    more = second.given(THERE)
    assert (more.size, more.sized, more.has_sizes) == (1, 1, False)
    assert (more.without(1).size, more.without(0).size, more.changed(0, THERE).size) == (1, 0, 0)
    assert more.stepped_back().size == 1
    assert more.stepped_back().stepped_back().size == 0
    assert second.next_size().as_settled((HERE,)) == replace(second, sized=1)
    assert one.next_size().of_size(0).sizes == 1  # none but its own
    assert not one.next_size().of_size(0).has_sizes


def test_a_name_is_enough_to_ask() -> None:
    named = Prompted(1, name="Liver")
    assert named.can_be_asked
    assert named.given(NOT).can_be_asked
    assert not named.given(HERE).answered_by((HERE,), 1.0).has_sizes
