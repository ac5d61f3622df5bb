"""Segmenting by prompts in a case: what an answer may take, what it leaves, what is kept of it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.prompt import Point, Prompt
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Change, IntensityMask
from napari_medlabel.errors import Cancelled, InputError, PermissionDenied
from napari_medlabel.session import OpenCase, Permission, Session

CENTER = (4, 20, 24)
LIVER, SPLEEN = Label(1, "Liver", "#FF8000"), Label(2, "Spleen", "#33A680")


@pytest.fixture
def blob(grid: Geometry) -> np.ndarray:
    k, j, i = np.indices(grid.shape)
    steps = [(a - c) * mm for a, c, mm in zip((k, j, i), CENTER, (3.0, 0.8, 0.7), strict=True)]
    return sum(step**2 for step in steps) < 10.0**2


@pytest.fixture
def hu(blob: np.ndarray) -> np.ndarray:
    """A bright ball in noise, as a CT."""
    noise = np.random.default_rng(5).normal(-50.0, 10.0, blob.shape)
    return (noise + 150.0 * blob).astype(np.int16)


@pytest.fixture
def case(session: Session, folder: Path) -> Iterator[OpenCase]:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, LIVER)
    commands.set_label(session, case, SPLEEN)
    case.loading.wait()
    yield case
    commands.close_case(session, case)


def test_an_accepted_answer_is_one_step_that_says_how_it_came_about(
    session: Session, case: OpenCase, blob: np.ndarray
) -> None:
    asked, changes = commands.assist(session, case, engine="classic"), list[Change]()
    asked.ask(Point(CENTER))
    assert case.segmentation.voxels(1) == 0
    case.segmentation.watch(changes.append)
    edit = commands.accept_answer(session, case, 1, asked)
    assert edit.voxels == case.segmentation.voxels(1) == int(asked.mask().sum())
    assert dice(case.segmentation.labels == 1, blob) > 0.8
    (step,) = steps_of(change.step for change in changes)
    assert step.kind == "assisted"
    assert step.settings["engine"] == "classic"
    assert step.settings["device"] == "cpu"
    assert step.settings["prompts"] == [{"kind": "point", "kji": list(CENTER), "include": True}]
    assert step.voxels == {"1": edit.voxels}
    commands.undo(session, case)
    assert case.segmentation.voxels(1) == 0


def test_a_runner_up_can_be_accepted_and_the_step_says_which(
    session: Session, case: OpenCase
) -> None:
    asked, changes = commands.assist(session, case, engine="classic"), list[Change]()
    first = asked.ask(Point((4, 4, 4)))  # in the noise beside the ball: any size is as likely
    other = asked.runner_up()
    assert asked.chosen == 1
    assert not np.array_equal(other.mask(), first.mask())
    case.segmentation.watch(changes.append)
    edit = commands.accept_answer(session, case, 1, asked)
    assert edit.voxels == int(other.mask().sum())
    (step,) = steps_of(change.step for change in changes)
    assert step.settings["runner_up"] == 1


def test_a_locked_segment_is_not_touched_by_an_answer(session: Session, case: OpenCase) -> None:
    commands.threshold(session, case, 2, lower=50.0, box=(slice(4, 5), slice(0, 40), slice(0, 48)))
    commands.lock_label(session, case, 2)
    drawn = case.segmentation.voxels(2)
    asked = commands.assist(session, case, engine="classic")
    asked.ask(Point(CENTER))
    commands.accept_answer(session, case, 1, asked, over_others=True)
    assert case.segmentation.voxels(2) == drawn > 0
    assert case.segmentation.voxels(1) > 0


def test_a_refined_segment_becomes_the_answer(session: Session, case: OpenCase) -> None:
    commands.threshold(session, case, 1, lower=50.0)
    asked = commands.assist(session, case, engine="classic", refine=1)
    asked.ask(Point((4, 20, 33), include=False))
    commands.accept_answer(session, case, 1, asked, replace=True)
    np.testing.assert_array_equal(case.segmentation.labels == 1, asked.mask())
    assert case.segmentation.labels[4, 20, 33] == 0


def test_an_answer_can_be_looked_at_as_a_preview(session: Session, case: OpenCase) -> None:
    asked = commands.assist(session, case, engine="classic")
    asked.ask(Point(CENTER))
    preview = commands.rehearse(session, case, commands.accept_answer, 1, asked)
    assert preview.voxels == int(asked.mask().sum())
    assert case.segmentation.voxels(1) == 0


def test_nothing_is_accepted_without_an_answer(session: Session, case: OpenCase) -> None:
    asked = commands.assist(session, case, engine="classic")
    with pytest.raises(InputError, match="no answer yet"):
        commands.accept_answer(session, case, 1, asked)


def test_accepting_needs_the_permission_to_segment(
    session: Session, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = commands.assist(session, case, engine="classic")
    asked.ask(Point(CENTER))
    monkeypatch.setattr(session, "_permissions", frozenset(Permission) - {Permission.SEGMENT})
    with pytest.raises(PermissionDenied):
        commands.accept_answer(session, case, 1, asked)
    assert case.segmentation.voxels(1) == 0


def fill(session: Session, case: OpenCase, value: int, where: np.ndarray) -> None:
    """Draw a segment in one go."""
    labels = case.segmentation.labels_of(value)
    edit = Edit.fill(labels, (0, 0, 0), where, value, group=case.segmentation.group_of(value))
    commands.paint(session, case, edit)


@pytest.fixture
def left(blob: np.ndarray) -> np.ndarray:
    """The left half of all, which cuts the ball in two."""
    half = np.zeros(blob.shape, bool)
    half[:, :, : CENTER[2]] = True
    return half


def asked_once(session: Session, case: OpenCase, **how: int) -> commands.Interactive:
    asked = commands.assist(session, case, **how)
    asked.ask(Point(CENTER))
    return asked


def test_one_slice_of_an_answer_is_taken(session: Session, case: OpenCase) -> None:
    asked, changes = asked_once(session, case), list[Change]()
    case.segmentation.watch(changes.append)
    commands.accept_answer(session, case, 1, asked, only_slice=(1, 20))
    drawn = case.segmentation.labels == 1
    np.testing.assert_array_equal(drawn[:, 20], asked.mask()[:, 20])
    assert drawn.sum() == drawn[:, 20].sum() > 0
    (step,) = steps_of(change.step for change in changes)
    assert step.settings["only_slice"] == [1, 20]


def test_a_slice_of_a_refined_segment_leaves_its_other_slices(
    session: Session, case: OpenCase
) -> None:
    commands.threshold(session, case, 1, lower=50.0)
    before = case.segmentation.labels.copy()
    asked = commands.assist(session, case, engine="classic", refine=1)
    asked.ask(Point((4, 20, 33), include=False))
    commands.accept_answer(session, case, 1, asked, replace=True, only_slice=(0, 4))
    after = case.segmentation.labels
    np.testing.assert_array_equal(after[4] == 1, asked.mask()[4])
    np.testing.assert_array_equal(np.delete(after, 4, 0), np.delete(before, 4, 0))


def test_an_answer_inside_a_segment_takes_from_it_alone(
    session: Session, case: OpenCase, left: np.ndarray
) -> None:
    fill(session, case, 2, left)
    asked = asked_once(session, case)
    commands.accept_answer(session, case, 1, asked, inside=2)
    np.testing.assert_array_equal(case.segmentation.labels == 1, asked.mask() & left)
    np.testing.assert_array_equal(case.segmentation.labels == 2, left & ~asked.mask())


def test_what_a_segment_inside_another_loses_is_given_back(
    session: Session, case: OpenCase, left: np.ndarray
) -> None:
    fill(session, case, 2, left)
    lesion = np.zeros_like(left)
    lesion[3:6, 14:26, 2:22] = True  # out of the ball, too
    fill(session, case, 1, lesion)
    asked = commands.assist(session, case, engine="classic", refine=1)
    asked.ask(Point((4, 20, 4), include=False))
    commands.accept_answer(session, case, 1, asked, inside=2, replace=True)
    assert case.segmentation.labels[4, 20, 4] == 2
    np.testing.assert_array_equal(case.segmentation.labels > 0, left)


def test_inside_a_segment_of_another_group_nothing_is_taken(
    session: Session, case: OpenCase, left: np.ndarray
) -> None:
    commands.set_group(session, case, 2, 1)
    fill(session, case, 2, left)
    asked = asked_once(session, case)
    commands.accept_answer(session, case, 1, asked, inside=2)
    np.testing.assert_array_equal(case.segmentation.labels_of(1) == 1, asked.mask() & left)
    np.testing.assert_array_equal(case.segmentation.labels_of(2) == 2, left)


@pytest.mark.parametrize(
    ("how", "taken"),
    [({}, "empty"), ({"over_others": True}, "all"), ({"only_over": 2}, "second")],
)
def test_paint_over_says_what_an_answer_takes(
    session: Session, case: OpenCase, left: np.ndarray, how: dict[str, int], taken: str
) -> None:
    fill(session, case, 2, left)
    asked = asked_once(session, case)
    commands.accept_answer(session, case, 1, asked, **how)
    mask = asked.mask()
    wanted = {"empty": mask & ~left, "all": mask, "second": mask & left}[taken]
    np.testing.assert_array_equal(case.segmentation.labels == 1, wanted)


def test_the_intensity_mask_trims_an_answer_and_is_told(session: Session, case: OpenCase) -> None:
    asked, changes = asked_once(session, case), list[Change]()
    image = case.volume.levels[0][:]
    case.segmentation.intensity_mask = IntensityMask(image, 95.0, 300.0)
    preview = commands.preview_answer(session, case, 1, asked)
    case.segmentation.watch(changes.append)
    commands.accept_answer(session, case, 1, asked)
    inside = (image >= 95.0) & (image <= 300.0)
    np.testing.assert_array_equal(case.segmentation.labels == 1, asked.mask() & inside)
    assert preview.ml == pytest.approx(case.segmentation.volume_ml(1))
    (step,) = steps_of(change.step for change in changes)
    assert step.settings["intensity_mask"] == [95.0, 300.0]


def test_a_preview_of_a_new_object_is_what_it_would_gain(
    session: Session, case: OpenCase, left: np.ndarray
) -> None:
    fill(session, case, 2, left)
    asked = asked_once(session, case)
    preview = commands.preview_answer(session, case, 1, asked)
    whole = np.zeros_like(left)
    whole[preview.box] = preview.mask
    np.testing.assert_array_equal(whole, asked.mask() & ~left)
    assert preview.what.voxels == whole.sum()
    assert case.segmentation.voxels(1) == 0


def test_a_preview_of_a_refined_segment_is_all_of_it(session: Session, case: OpenCase) -> None:
    commands.threshold(session, case, 1, lower=50.0)
    asked = commands.assist(session, case, engine="classic", refine=1)
    asked.ask(Point((4, 20, 33), include=False))
    preview = commands.preview_answer(session, case, 1, asked, replace=True)
    whole = np.zeros(case.volume.shape, bool)
    whole[preview.box] = preview.mask
    np.testing.assert_array_equal(whole, asked.mask())


INSIDE, BESIDE, OUTSIDE = Point(CENTER), Point((4, 22, 26)), Point((4, 3, 3), include=False)


def test_prompts_follow_a_wish_whatever_is_taken_away(session: Session, case: OpenCase) -> None:
    asked = commands.assist(session, case, engine="classic")
    asked.follow(lambda: (INSIDE, BESIDE, OUTSIDE))
    asked.follow(lambda: (INSIDE, OUTSIDE))
    assert asked.prompts == (INSIDE, OUTSIDE)
    again = commands.assist(session, case, engine="classic")
    again.follow(lambda: (INSIDE, OUTSIDE))
    np.testing.assert_array_equal(asked.mask(), again.mask())
    assert not asked.follow(tuple).mask().any()


def test_a_prompt_that_is_no_longer_wished_for_is_called_off(
    session: Session, case: OpenCase
) -> None:
    """Each look at the wish tells the next one; the last stays."""
    wishes = itertools.chain([(INSIDE,), (INSIDE,), ()], itertools.repeat((BESIDE,)))
    asked = commands.assist(session, case, engine="classic")
    asked.follow(lambda: next(wishes))
    assert asked.prompts == (BESIDE,)


def test_following_ends_when_it_is_called_off(session: Session, case: OpenCase) -> None:
    asked, looks = commands.assist(session, case, engine="classic"), itertools.count()
    with pytest.raises(Cancelled):
        asked.follow(lambda: (INSIDE, BESIDE), cancelled=lambda: next(looks) > 2)
    assert asked.prompts == ()


def test_a_prompt_that_cannot_be_answered_leaves_those_before(
    session: Session, case: OpenCase
) -> None:
    wish: tuple[Prompt, ...] = (INSIDE, Point((0, 0, 4000)), BESIDE)
    asked = commands.assist(session, case, engine="classic")
    with pytest.raises(InputError, match="outside of the image"):
        asked.follow(lambda: wish)
    assert asked.prompts == (INSIDE,)
