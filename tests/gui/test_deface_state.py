"""What the Deface tab says and counts, without a window."""

from pathlib import Path
from typing import TypeAlias, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.commands import FacePlan, ForeseenFace, PlannedFace, Preview, TextTile
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.privacy.face import Region
from napari_medlabel.privacy.face_verdict import Verdict as Found
from napari_medlabel.privacy.headers import Step
from napari_medlabel.ui.deface.by_hand import ADDED, SPARED, ByHand, FaceStroke, Way
from napari_medlabel.ui.deface.header_rows import counts, header_rows, known_rows
from napari_medlabel.ui.deface.links import new_folder_in
from napari_medlabel.ui.deface.removed_strip import heights
from napari_medlabel.ui.deface.state import Check, checks, first_missing, verdict_of
from napari_medlabel.ui.deface.told import tile_size, tile_title

TEXT = Check("Burned-in text left", "0 boxes", "ok")
SHAPE = (6, 9, 8)
GRID = Geometry.from_spacing(SHAPE, (2.0, 1.0, 1.5), (0.0, 0.0, 0.0))


def planned(*, brain: int = 0, nearest: float = 7.1, lost: int = 0) -> PlannedFace:
    region = Region(np.zeros(SHAPE, bool), GRID, 1, brain, nearest)
    nothing = tuple(np.zeros(n, np.intp) for n in SHAPE)
    labelled = {1: lost} if lost else {}
    return PlannedFace(FacePlan(), region, region.mask, 0.1, labelled, nothing)


def foreseen(after: float) -> ForeseenFace:
    share = np.zeros(SHAPE, np.float32)
    return ForeseenFace(planned(), None, 0.8, after, 0.1, 1.0, share, GRID)


def looked_at(
    plan: PlannedFace | None, left: ForeseenFace | None, *, current: bool = True,
    allowed: bool = False, not_needed: bool = False,
) -> tuple[Check, ...]:  # fmt: skip
    return checks(
        plan, left, not_needed=not_needed, current=current, labelled_allowed=allowed, text=TEXT
    )


def test_a_plan_that_spares_the_brain_and_hides_the_face_passes_all_checks() -> None:
    found = looked_at(planned(), foreseen(0.06))
    assert [check.state for check in found] == ["ok"] * 5
    assert [check.number for check in found] == ["0", "7.1 mm", "0.06", "0", "0 boxes"]
    assert first_missing(found) == ""


@pytest.mark.parametrize(
    ("plan", "left", "number", "words"),
    [
        (planned(brain=3), foreseen(0.0), "3", "Voxels of the brain would go"),
        (planned(nearest=1.4), foreseen(0.0), "1.4 mm", "within 2 mm of the brain"),
        (planned(), foreseen(0.31), "0.31", "Too much of the face is left"),
        (planned(lost=12), foreseen(0.0), "12", "Labelled voxels would go"),
    ],
)
def test_what_fails_says_what_to_do(
    plan: PlannedFace, left: ForeseenFace, number: str, words: str
) -> None:
    found = looked_at(plan, left)
    assert words in first_missing(found)
    assert number in [check.number for check in found if check.state != "ok"]


def test_labelled_voxels_may_go_once_somebody_said_so() -> None:
    assert [one.remedy for one in looked_at(planned(lost=12), foreseen(0.0))][3] == "Allow"
    assert first_missing(looked_at(planned(lost=12), foreseen(0.0), allowed=True)) == ""


def test_numbers_of_an_older_plan_are_not_shown() -> None:
    found = looked_at(planned(), foreseen(0.0), current=False)
    assert [check.state for check in found] == ["open"] * 4 + ["ok"]
    assert first_missing(found) == "The preview is being worked out"


def test_without_a_face_there_is_nothing_left_to_check_but_text() -> None:
    assert first_missing(looked_at(None, None, not_needed=True)) == ""


def test_a_head_whose_brain_is_out_of_view_is_no_failure() -> None:
    assert looked_at(planned(nearest=float("inf")), foreseen(0.0))[1].number == "not in view"


@pytest.mark.parametrize("verdict", get_args(Found))
def test_every_verdict_is_said_in_words_with_what_to_do(verdict: str) -> None:
    told = verdict_of(verdict, "the reason", "")
    if verdict == "face":
        assert told is None
        return
    assert told is not None
    assert told.title
    assert told.words.startswith("The reason. ")
    assert told.asks == (verdict in {"uncertain", "wrong-orientation", "face-not-in-view"})


def test_a_face_whose_brain_cannot_be_told_is_refused_with_the_number() -> None:
    told = verdict_of("face", "a head with a face", "what looks like the brain holds 90 mL")
    assert told is not None
    assert told.tone == "error"
    assert "90 mL" in told.words


# Strokes

WAYS: tuple[Way, ...] = get_args(Way)
places = st.tuples(*(st.floats(-1.0, n) for n in SHAPE))
strokes = st.lists(
    st.tuples(st.sampled_from(WAYS), places, places, st.sampled_from([1.0, 3.0, 6.0]),
              st.sampled_from([None, 0, 1, 2])),
    min_size=1, max_size=5,
)  # fmt: skip


Drawn: TypeAlias = tuple[Way, tuple[float, ...], tuple[float, ...], float, int | None]


def draw(kept: ByHand, shown: np.ndarray, brain: np.ndarray, one: Drawn) -> tuple[Edit, FaceStroke]:
    way, start, end, size_mm, axis = one
    stroke = FaceStroke(kept, shown, brain, way, axis, size_mm, (2.0, 1.0, 1.5))
    stroke.to(start)
    stroke.to(end)
    return stroke.finish(), stroke


@given(strokes)
@settings(max_examples=40)
def test_strokes_taken_back_and_made_again_leave_all_as_it_was(drawn: list[Drawn]) -> None:
    kept, brain = ByHand(SHAPE), np.zeros(SHAPE, np.uint8)
    shown = np.zeros(SHAPE, np.uint8)
    states = [kept.values.copy()]
    for one in drawn:
        edit, _stroke = draw(kept, shown, brain, one)
        kept.keep(edit)
        if not edit.is_nothing:
            states.append(kept.values.copy())
    for before in states[-2::-1]:
        kept.undo()
        np.testing.assert_array_equal(kept.values, before)
    assert kept.undo() is None
    assert kept.masks() == (None, None)
    for after in states[1:]:
        kept.redo()
        np.testing.assert_array_equal(kept.values, after)
    assert not kept.can_redo


@given(strokes)
@settings(max_examples=40)
def test_no_stroke_shows_the_brain_as_going_and_one_let_go_leaves_no_trace(
    drawn: list[Drawn],
) -> None:
    kept, brain = ByHand(SHAPE), np.zeros(SHAPE, np.uint8)
    brain[:, 4:, :] = 2
    shown = np.zeros(SHAPE, np.uint8)
    shown[1:3, 1:3] = 1
    for one in drawn:
        seen, values = shown.copy(), kept.values.copy()
        _edit, stroke = draw(kept, shown, brain, one)
        assert not shown[brain > 0].any()
        stroke.take_back()
        np.testing.assert_array_equal(shown, seen)
        np.testing.assert_array_equal(kept.values, values)


def test_what_is_spared_after_it_was_added_is_only_spared() -> None:
    kept, nothing = ByHand(SHAPE), np.zeros(SHAPE, np.uint8)
    for way in WAYS:
        edit, _ = draw(kept, nothing, nothing, (way, (3.0, 3.0, 3.0), (3.0, 3.0, 3.0), 1.0, None))
        kept.keep(edit)
    assert kept.values[3, 3, 3] == SPARED
    assert (kept.values == ADDED).sum() == 0
    added, spared = kept.masks()
    assert added is not None
    assert spared is not None
    assert (added & spared).sum() == 0


# The rest


def step(tag: int, action: str, path: str = "", letter: str = "") -> Step:
    return Step(path, tag, action, "row", letter, "SECRET", "")


def test_headers_are_counted_by_what_is_done_and_told_without_a_value() -> None:
    steps = (
        step(0x00100010, "Z", letter="A"), step(0x00080020, "D"), step(0x0020000D, "U"),
        step(0x00180050, "K"), step(0x00100010, "X", path="(0040,0275)[0]"), step(0x00091001, "X"),
    )  # fmt: skip
    rows = header_rows(Preview((steps, steps[:2]), ()))
    assert counts(rows) == (3, 2, 1)
    known = known_rows(rows, "shifted")
    assert [row[0] for row in known] == [
        "Patient name", "Study date", "Study UID", "Slice thickness"
    ]  # fmt: skip
    assert known[1][1:] == ("shifted", "replaced")
    assert "SECRET" not in str(known)
    assert rows[0].why == "row (A)"
    assert rows[-1].name == "(0009,1001)"


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 7))
def test_a_column_is_as_high_as_the_fullest_of_its_slices(found: list[int], each: int) -> None:
    columns = -(-len(found) // each)
    high = heights(found, columns, each)
    assert len(high) == columns
    assert all(0.0 <= one <= 1.0 for one in high)
    assert max(high, default=0.0) == (1.0 if any(found) else 0.0)


@pytest.mark.parametrize(
    ("frames", "title"), [(1, "Slice 3"), (40, "All 40 slices"), (4, "4 of 40 slices")]
)
def test_a_text_is_told_by_where_it_is_and_what_it_looks_like(frames: int, title: str) -> None:
    tile = TextTile(1, np.zeros((12, 98), np.uint8), 98, 12, frames, 2, 40, "a date")
    assert tile_title(tile) == title
    assert " ".join(tile_size(tile).split()) == "a date? 98 \N{MULTIPLICATION SIGN} 12 px"


def test_a_copy_takes_no_folder_that_is_there(tmp_path: Path) -> None:
    assert new_folder_in(tmp_path, "case-1").name == "case-1"
    (tmp_path / "case-1").mkdir()
    (tmp_path / "case-1-2").mkdir()
    assert new_folder_in(tmp_path, "case-1").name == "case-1-3"
