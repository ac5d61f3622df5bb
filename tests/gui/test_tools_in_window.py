"""Every other tool in a real window: preview, accept, one step with its settings, locks heeded."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication, QPushButton

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.ui.preview_state import preview_words
from napari_medlabel.ui.sight import Proposal, RangePreview
from napari_medlabel.ui.workplace_state import preview_state
from tests.gui.pointing import Mouse
from tests.gui.real_window import Window, wait_until

SHAPE = (20, 96, 80)
MIDDLE = (10, 48, 40)
LOCKED = 3
Labels = np.ndarray
Check = Callable[[Labels, Labels], bool]


def organ() -> BoolArray:
    """An ellipsoid in the middle, 44 mm long, 54 mm deep, 60 mm wide."""
    k, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    away = (((k - 10) * 3.0) / 22) ** 2 + ((j - 48) / 27) ** 2 + (((i - 40) * 1.5) / 30) ** 2
    return np.asarray(away < 1.0)


HOLE = (slice(9, 12), slice(55, 60), slice(38, 43))
SPECK = (slice(10, 11), slice(8, 12), slice(8, 11))
OTHER = (slice(8, 13), slice(82, 92), slice(60, 75))
KEPT = (slice(9, 12), slice(30, 37), slice(38, 43))


def drawing_of_three() -> Labels:
    """1: the organ with a hole, and a speck; 2: a box beside it; 3: a box in it, to be locked."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[organ()] = 1
    labels[HOLE], labels[SPECK], labels[OTHER], labels[KEPT] = 0, 1, 2, LOCKED
    return labels


@pytest.fixture(scope="module")
def opened(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One window with a bright organ in a dark body."""
    assert qapp is not None
    folder = tmp_path_factory.mktemp("tools")
    rng = np.random.default_rng(5)
    hu = np.where(organ(), 160, 20) + rng.normal(0.0, 6.0, SHAPE)
    grid = Geometry.from_spacing(SHAPE, (3.0, 1.0, 1.5), (-60.0, -48.0, 0.0))
    write_ct_series(folder / "study", hu.astype(np.int16), grid)
    made = Window(folder / "workspace")
    made.frame.resize(1500, 950)
    made.open_study(folder / "study")
    for _n in range(3):
        made.drawing.add_segment()
    yield made
    made.close()


@pytest.fixture
def window(opened: Window) -> Iterator[Window]:
    """The window with nothing drawn and the first segment in hand."""
    drawing = opened.drawing
    drawing.pick(1)
    drawing.looking.set_plane(0)
    drawing.sight.move_to(MIDDLE)
    yield opened
    drawing.proposals.reject()
    drawing.tools.set_tool("")
    for value in drawing.case.segmentation.locked:
        drawing.toggle_lock(value)
    show(opened, np.zeros(SHAPE, np.uint8))


def labels(window: Window) -> Labels:
    segmentation = window.drawing.case.segmentation
    np.testing.assert_array_equal(window.drawing.layers.drawn_of(0), segmentation.labels)
    return segmentation.labels.copy()


def show(window: Window, wanted: Labels) -> None:
    """Draw all of it at once."""
    drawing = window.drawing
    there = drawing.case.segmentation.labels
    edit = Edit.between((0, 0, 0), there, wanted.astype(there.dtype))
    if not edit.is_nothing:
        commands.paint(drawing.session, drawing.case, edit)


def made(window: Window) -> Proposal:
    """The preview, once it is there."""
    proposals = window.drawing.proposals
    wait_until(lambda: not proposals.making, "the preview")
    assert isinstance(proposals.open, Proposal)
    return proposals.open


def button(window: Window, words: str) -> QPushButton:
    options = window.panel.annotate.tools.options
    (found,) = (
        one for one in options.findChildren(QPushButton) if one.text() == words and one.isVisible()
    )
    return found


def accepted(window: Window, tool: str, before: Labels, steps: int) -> Labels:
    """One step of that name; nothing locked is hurt; undo takes it all back, redo makes it."""
    segmentation = window.drawing.case.segmentation
    after = labels(window)
    step = segmentation.next_undo()
    assert step is not None
    assert step.tool == tool
    (told,) = steps_of([step])
    assert (told.tool, dict(told.settings)) == (tool, dict(step.settings))
    assert len(segmentation.history) == steps + 1
    np.testing.assert_array_equal(after == LOCKED, before == LOCKED)
    window.press("Ctrl+Z")
    np.testing.assert_array_equal(labels(window), before)
    window.press("Ctrl+Y")
    np.testing.assert_array_equal(labels(window), after)
    return after


def gains(before: Labels, after: Labels) -> int:
    return int((after == 1).sum()) - int((before == 1).sum())


def only(before: Labels, after: Labels, more: bool) -> bool:  # noqa: FBT001
    """The first segment lost nothing, or gained nothing, and is another."""
    one, two = before == 1, after == 1
    return bool((one & ~two).any()) != more and bool((two & ~one).any()) == more


PREVIEWED: dict[str, tuple[str, dict[str, Any], str, Check]] = {
    "fill holes": (
        "fill_holes", {"extent": "volume"}, "Fill holes",
        lambda before, after: bool((after[HOLE] == 1).all()) and only(before, after, more=True),
    ),
    "keep largest": (
        "islands", {"how": "largest", "count": 1}, "Keep largest",
        lambda before, after: gains(before, after) == -12 and not after[SPECK].any(),
    ),
    "drop small": (
        "islands", {"how": "small", "below_ml": 0.5}, "Remove islands",
        lambda before, after: gains(before, after) == -12 and not after[SPECK].any(),
    ),
    "median": (
        "smooth", {"how": "median", "size_mm": 5.0}, "Smooth (median)",
        lambda before, after: (
            (after[SPECK] == 0).sum() >= 4 and dice(after == 1, before == 1) > 0.95
        ),
    ),
    "gaussian": (
        "smooth", {"how": "gaussian", "sigma_mm": 2.0}, "Smooth (Gaussian)",
        lambda _before, after: not after[SPECK].any() and dice(after == 1, organ()) > 0.95,
    ),
    "joint": (
        "smooth", {"how": "joint", "sigma_mm": 2.0}, "Smooth jointly",
        lambda _before, after: not after[SPECK].any() and dice(after == 1, organ()) > 0.95,
    ),
    "grow margin": (
        "margin", {"how": "grow", "by_mm": 3.0}, "Grow margin",
        lambda before, after: only(before, after, more=True),
    ),
    "shrink margin": (
        "margin", {"how": "shrink", "by_mm": 3.0}, "Shrink margin",
        lambda before, after: only(before, after, more=False),
    ),
    "hollow": (
        "hollow", {"side": "inside", "thickness_mm": 4.0}, "Hollow",
        lambda before, after: after[10, 48, 40] == 0 and only(before, after, more=False),
    ),
    "join": (
        "combine", {"how": "union", "other": 2}, "Union segments",
        lambda before, after: gains(before, after) == (before == 2).sum(),
    ),
    "mirror": (
        "mirror", {"into": None}, "Mirror",
        lambda before, after: gains(before, after) > 0,
    ),
    "grow from seeds": (
        "seeds", {"margin_mm": 9.0}, "Grow from seeds",
        lambda before, after: bool((after[HOLE] > 0).all()) and only(before, after, more=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PREVIEWED)
def test_a_tool_shows_what_it_would_do_and_does_just_that(window: Window, case: str) -> None:
    tool, options, words, check = PREVIEWED[case]
    drawing = window.drawing
    show(window, drawing_of_three())
    drawing.toggle_lock(LOCKED)
    before, steps = labels(window), len(drawing.case.segmentation.history)
    drawing.tools.set_tool(tool)
    for option, value in options.items():
        drawing.tools.set_option(tool, option, value)
    window.rest(0.05)
    window.click(button(window, "Preview"))
    preview = made(window)
    np.testing.assert_array_equal(labels(window), before)  # nothing is written yet
    window.press("Return")
    assert drawing.proposals.open is None
    after = accepted(window, words, before, steps)
    assert int((after != before).sum()) == preview.what.voxels
    assert check(before, after)


def test_a_changed_option_makes_the_preview_again_and_escape_leaves_it(window: Window) -> None:
    drawing = window.drawing
    show(window, drawing_of_three())
    before = labels(window)
    drawing.tools.set_tool("margin")
    drawing.tools.set_option("margin", "how", "grow")
    drawing.tools.set_option("margin", "by_mm", 2.0)
    drawing.tools.press("preview")
    first = made(window)
    for by_mm in (3.0, 4.0, 5.0):  # as a slider does
        drawing.tools.set_option("margin", "by_mm", by_mm)
    wait_until(lambda: drawing.proposals.open is not first, "another preview")
    assert made(window).what.settings["by_mm"] == 5.0
    assert made(window).what.voxels > first.what.voxels
    window.press("Esc")
    assert drawing.proposals.open is None
    drawing.tools.set_option("margin", "by_mm", 2.0)  # of nothing that is open
    window.rest(0.3)
    assert drawing.proposals.open is None
    assert not drawing.proposals.making
    np.testing.assert_array_equal(labels(window), before)


def test_a_segment_is_split_relabelled_and_its_slice_copied(window: Window) -> None:
    drawing = window.drawing
    segmentation = drawing.case.segmentation
    show(window, drawing_of_three())
    drawing.toggle_lock(LOCKED)
    before, steps = labels(window), len(segmentation.history)
    drawing.tools.set_tool("split")
    window.rest(0.05)
    window.click(button(window, "Split segment"))
    wait_until(lambda: len(segmentation.history) > steps, "the split")
    (new,) = (one.value for one in segmentation.schema if one.value > 3)
    after = accepted(window, "Split islands", before, steps)
    assert (after[SPECK] == new).all()
    assert gains(before, after) == -12
    window.press("Ctrl+Z")
    assert len(segmentation.schema) == 3

    drawing.tools.set_tool("relabel")
    drawing.tools.set_option("relabel", "into", 2)
    window.rest(0.05)
    window.click(button(window, "Relabel"))
    wait_until(lambda: not segmentation.voxels(1), "the other segment")
    after = accepted(window, "Relabel", before, steps)
    np.testing.assert_array_equal(after == 2, (before == 1) | (before == 2))
    window.press("Ctrl+Z")

    drawing.tools.set_tool("copy_slice")
    drawing.sight.move_to((16, 48, 40))
    window.rest(0.05)
    window.click(button(window, "Copy slice"))
    wait_until(lambda: drawing.sight.position[0] == 17, "the next slice")
    after = accepted(window, "Copy slice", before, steps)
    np.testing.assert_array_equal(after[17] == 1, (before[16] == 1) | (before[17] == 1))


def test_the_gaps_between_drawn_slices_are_filled(window: Window) -> None:
    drawing = window.drawing
    drawn = np.zeros(SHAPE, np.uint8)
    for k in (4, 8, 12, 16):
        drawn[k][organ()[k]] = 1
    drawn[KEPT] = LOCKED
    show(window, drawn)
    drawing.toggle_lock(LOCKED)
    before, steps = labels(window), len(drawing.case.segmentation.history)
    window.press("G")
    assert made(window).slices(0) == tuple(k for k in range(5, 16) if k % 4)
    drawing.sight.move_to((6, 48, 40))
    window.press("Shift+Return")  # one slice of it
    assert set(np.flatnonzero((labels(window) != before).any(axis=(1, 2)))) == {6}
    window.press("Return")
    assert len(drawing.case.segmentation.history) == steps + 2
    assert drawing.case.segmentation.next_undo().tool == "Interpolate"
    after = labels(window)
    assert dice((after == 1)[4:17], (organ() & (after != LOCKED))[4:17]) > 0.95
    np.testing.assert_array_equal(after == LOCKED, before == LOCKED)


def test_a_slice_is_carried_on_and_on(window: Window) -> None:
    drawing = window.drawing
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[10][organ()[10]] = 1
    show(window, drawn)
    before, steps = labels(window), len(drawing.case.segmentation.history)
    window.press("N")
    assert made(window).slices(0) == (11,)
    assert drawing.sight.position[0] == 11  # where it can be judged
    window.press("N")  # this is right, and the next one
    assert made(window).slices(0) == (12,)
    assert drawing.sight.position[0] == 12
    window.press("Return")
    found = labels(window)
    assert len(drawing.case.segmentation.history) == steps + 2
    step = drawing.case.segmentation.next_undo()
    assert (step.tool, step.settings["index"], step.settings["step"]) == ("Carry slice", 11, 1)
    assert dice(found[10:13] == 1, organ()[10:13]) > 0.95
    window.press("Ctrl+Z")
    window.press("Ctrl+Z")
    np.testing.assert_array_equal(labels(window), before)
    drawing.sight.move_to(MIDDLE)
    window.press("Shift+N")
    assert made(window).slices(0) == (9,)
    window.press("Esc")
    np.testing.assert_array_equal(labels(window), before)


def test_grow_fills_an_organ_from_a_click_and_its_slider_from_the_same(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[KEPT] = LOCKED
    show(window, drawn)
    drawing.toggle_lock(LOCKED)
    before, steps = labels(window), len(drawing.case.segmentation.history)
    window.press("R")
    drawing.tools.set_option("grow", "extent", "volume")
    drawing.tools.set_option("grow", "tolerance", 12.0)
    mouse.click((10, 60, 40))
    first = made(window)
    assert first.what.settings["seed"] == [10, 60, 40]
    drawing.sight.move_to((12, 50, 30))
    drawing.tools.set_option("grow", "tolerance", 60.0)
    wait_until(lambda: drawing.proposals.open is not first, "another preview")
    second = made(window)
    assert second.what.settings["seed"] == [10, 60, 40]
    assert second.what.voxels > first.what.voxels
    drawing.tools.set_option("grow", "most_ml", 5.0)
    wait_until(lambda: drawing.proposals.open is not second, "one within the limit")
    limited = made(window)
    assert 4.5 < limited.what.voxels * drawing.case.volume.geometry.voxel_ml <= 5.0
    bar = preview_state(drawing.case, drawing.proposals, 0)
    assert preview_words(bar).endswith("stopped at 5 mL")
    drawing.tools.set_option("grow", "most_ml", None)
    wait_until(lambda: drawing.proposals.open is not limited, "one without")
    assert made(window).what.voxels == second.what.voxels
    window.press("Return")
    after = accepted(window, "Grow region", before, steps)
    assert dice(after > 0, organ()) > 0.99


def test_a_threshold_is_seen_while_it_is_chosen_and_heeds_locks(window: Window) -> None:
    drawing = window.drawing
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[KEPT] = LOCKED
    show(window, drawn)
    drawing.toggle_lock(LOCKED)
    before, steps = labels(window), len(drawing.case.segmentation.history)
    window.press("T")
    assert isinstance(drawing.proposals.open, RangePreview)
    drawing.tools.set_option("threshold", "limits", (90.0, 400.0))
    drawing.pick(2)
    assert drawing.proposals.open.value == 2  # as what is in hand now
    drawing.pick(1)
    shown = drawing.proposals.open.slice_of(0, 10, SHAPE[1:])
    assert dice(shown, organ()[10] & (before[10] != LOCKED)) > 0.99
    assert not shown[before[10] == LOCKED].any()
    drawing.tools.set_mask(on=True, limits=(160.0, 400.0))
    masked = drawing.proposals.open.slice_of(0, 10, SHAPE[1:])
    np.testing.assert_array_equal(masked, shown & (drawing.sight.image[10] >= 160))
    drawing.tools.set_mask(on=False)
    np.testing.assert_array_equal(drawing.proposals.open.slice_of(0, 10, SHAPE[1:]), shown)
    window.press("Shift+Return")
    wait_until(lambda: not drawing.proposals.making, "the slice")
    assert set(np.flatnonzero((labels(window) != before).any(axis=(1, 2)))) == {10}
    assert isinstance(drawing.proposals.open, RangePreview)  # the other slices wait
    window.press("Ctrl+Z")
    window.press("Return")
    wait_until(lambda: not drawing.proposals.making, "all slices")
    after = accepted(window, "Threshold", before, steps)
    assert dice(after > 0, organ()) > 0.99


def test_a_click_fills_a_hole_at_once(window: Window) -> None:
    drawing, mouse = window.drawing, Mouse(window)
    show(window, drawing_of_three())
    drawing.toggle_lock(LOCKED)
    before, steps = labels(window), len(drawing.case.segmentation.history)
    window.press("F")
    mouse.click((10, 57, 40))
    wait_until(lambda: len(drawing.case.segmentation.history) > steps, "the fill")
    after = accepted(window, "Fill", before, steps)
    assert (after[10][HOLE[1:]] == 1).all()
    assert gains(before, after) == 25
    steps = len(drawing.case.segmentation.history)
    mouse.click((10, 33, 40))  # what is locked stays
    wait_until(lambda: not drawing.proposals.making, "nothing")
    assert len(drawing.case.segmentation.history) == steps


def test_long_work_can_be_left_and_leaves_nothing(window: Window) -> None:
    drawing = window.drawing
    show(window, drawing_of_three())
    before, steps = labels(window), len(drawing.case.segmentation.history)
    drawing.tools.set_tool("smooth")
    drawing.tools.press("preview")
    assert drawing.proposals.making
    window.press("Esc")
    assert not drawing.proposals.making
    window.rest(0.3)
    assert drawing.proposals.open is None
    np.testing.assert_array_equal(labels(window), before)
    assert len(drawing.case.segmentation.history) == steps
