"""Segmenting by prompts in a real window: mouse and keys, preview, one step, and back."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.prompt import Box, Lasso, Point, Scribble
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.phantom import HEAD_SCHEMA, write_ct_series
from napari_medlabel.ui.assist.part import Assist
from napari_medlabel.ui.sight import Proposal
from napari_medlabel.ui.tool_settings import ToolSettings
from tests.gui.pointing import CTRL, Mouse
from tests.gui.real_window import Window, wait_until
from tests.gui.watchdog import Watchdog

FROZEN_MS = 3000.0  # machines differ, and so does their load: benchmarks measure, this guards
ENGINES = """
import threading
import numpy as np
from napari_medlabel.engines.engine import Answer, EngineFacts
from napari_medlabel.errors import Cancelled
GO, ASKED = threading.Event(), []

class Session:
    facts = EngineFacts("slow", model="blocks", version="3", sha256="ab" * 32)
    def __init__(self):
        self.prompts, self._answers = (), [Answer.nothing()]
    @property
    def answer(self):
        return self._answers[-1]
    def add(self, prompt, *, cancelled=lambda: False):
        ASKED.append(prompt)
        while not GO.wait(0.01):
            if cancelled():
                raise Cancelled("called off")
        k, j, i = prompt.kji
        box = tuple(slice(max(n - 3, 0), n + 4) for n in (k, j, i))
        found = np.ones([one.stop - one.start for one in box], np.float32)
        self.prompts = (*self.prompts, prompt)
        self._answers.append(Answer(box, found))
        return self.answer
    def undo(self):
        self.prompts, self._answers = self.prompts[:-1], self._answers[:-1]
        return self.answer
    def reset(self):
        self.prompts, self._answers = (), self._answers[:1]

class Knows(Session):
    facts = EngineFacts("knows")
    sizes = (3, 5, 1)
    def __init__(self):
        Session.__init__(self)
        self._chosen = {}
    @property
    def chosen(self):
        return self._chosen.get(len(self.prompts), 0)
    def add(self, prompt, *, cancelled=lambda: False):
        GO.set()
        self._chosen[len(self.prompts) + 1] = 0
        return Session.add(self, prompt, cancelled=cancelled)
    def _around(self, middle, by):
        box = tuple(slice(max(n - by, 0), n + by + 1) for n in middle)
        return Answer(box, np.ones([one.stop - one.start for one in box], np.float32))
    def runner_up(self, *, cancelled=lambda: False):
        if len(self.prompts) == 1:
            self._chosen[1] = (self.chosen + 1) % len(self.sizes)
            self._answers[-1] = self._around(self.prompts[0].kji, self.sizes[self.chosen])
        return self.answer
    def find(self, name, *, cancelled=lambda: False):
        self.reset()
        self._answers.append(self._around((12, 45, 68), 4))
        return self.answer

class Slow:
    name, title = "slow", "waits"
    session = Session
    def why_not(self):
        return ""
    def open(self, volume, *, device="auto", start=None, cancelled=lambda: False):
        return self.session()

class Breaks(Session):
    facts = EngineFacts("broken")
    def add(self, prompt, *, cancelled=lambda: False):
        raise RuntimeError("secret")

class Knowing(Slow):
    name = "knows"
    session = Knows
    def findable(self):
        return ("Liver", "Ventricles", "Ventral horn")

class Broken(Slow):
    name = "broken"
    session = Breaks
"""
POINTS = """[napari_medlabel.engines]
slow = window_engines:Slow
broken = window_engines:Broken
knows = window_engines:Knowing
"""


LESION, VENTRICLES, BRAIN = (
    next(one.value for one in HEAD_SCHEMA if one.name == name)
    for name in ("Lesion", "Ventricles", "Brain")
)
GRID = Geometry.from_spacing((24, 90, 96), (3.0, 1.2, 1.2), (-57.0, -54.0, 12.0))
BALLS = {LESION: ((12, 45, 30), 13.0, 90.0), VENTRICLES: ((12, 45, 68), 16.0, -60.0)}


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """A lesion brighter than what is around it, and ventricles that are darker."""
    k, j, i = np.ogrid[: GRID.shape[0], : GRID.shape[1], : GRID.shape[2]]
    labels = np.zeros(GRID.shape, np.uint8)
    for label, (middle, radius_mm, _hu) in BALLS.items():
        steps = [(a - b) * mm for a, b, mm in zip((k, j, i), middle, GRID.spacing_mm, strict=True)]
        labels[sum(step**2 for step in steps) < radius_mm**2] = label
    return labels


@pytest.fixture(scope="module")
def opened(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory, truth: np.ndarray
) -> Iterator[Window]:
    assert qapp is not None
    folder = tmp_path_factory.mktemp("assist")
    hu = np.random.default_rng(3).normal(40.0, 8.0, GRID.shape)
    for label, (_middle, _radius, more) in BALLS.items():
        hu[truth == label] += more
    write_ct_series(folder / "study", hu.astype(np.int16), GRID)
    made = Window(folder / "workspace")
    made.frame.resize(1500, 950)
    made.open_study(folder / "study")
    drawing = made.drawing
    for label in (LESION, VENTRICLES, BRAIN):
        commands.set_label(drawing.session, drawing.case, HEAD_SCHEMA[label])
    yield made
    made.close()


@pytest.fixture
def middle() -> tuple[int, int, int]:
    """A voxel in the middle of the lesion."""
    return BALLS[LESION][0]


@pytest.fixture
def window(opened: Window, middle: tuple[int, int, int]) -> Iterator[Window]:
    """The window with nothing drawn, the lesion in hand and in sight, and the prompt tool."""
    drawing = opened.drawing
    drawing.pick(LESION)
    drawing.looking.set_plane(0)
    drawing.sight.move_to(middle)
    opened.press("A")
    yield opened
    for kept in drawing.proposals.kept:
        drawing.proposals.forget(kept)
    drawing.proposals.reject()
    drawing.tools.set_tool("")
    drawing.tools.set_mask(on=False)
    for held in drawing.case.segmentation.locked:
        drawing.toggle_lock(held)
    drawing.choose(settings=ToolSettings())
    drawing.assist.kind = "include"
    drawing.assist.set_engine("default")
    opened.desk.dismiss()
    for label in tuple(drawing.case.segmentation.schema):
        if label.value not in {LESION, VENTRICLES, BRAIN}:
            drawing.delete(label.value)
    there = drawing.case.segmentation.labels
    edit = Edit.between((0, 0, 0), there, np.zeros_like(there))
    if not edit.is_nothing:
        commands.paint(drawing.session, drawing.case, edit)


@pytest.fixture
def assist(window: Window) -> Assist:
    return window.drawing.assist


@pytest.fixture
def engines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A package with engines that wait until they are let go, and that break."""
    info = tmp_path / "window_engines-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: window-engines\nVersion: 1\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "window_engines.py").write_text(ENGINES)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "window_engines", raising=False)
    return __import__("window_engines")


def answer(window: Window, *, to: int | None = None) -> Proposal:
    """The preview, once nothing is on its way; of so many prompts."""
    drawing = window.drawing
    wait_until(lambda: isinstance(drawing.proposals.open, Proposal), "an answer")
    wait_until(lambda: not drawing.proposals.making and drawing.assist.pointed.resting, "rest")
    assert isinstance(drawing.proposals.open, Proposal)
    assert to is None or len(drawing.assist.room.asking.prompts) == to
    return drawing.proposals.open


def shown(window: Window) -> np.ndarray:
    """The voxels that the preview shows."""
    whole = np.zeros(window.drawing.sight.shape, bool)
    for box, mask in answer(window).parts:
        whole[box] |= mask
    return whole


def drawn(window: Window, label: int) -> np.ndarray:
    return np.asarray(window.drawing.case.segmentation.labels == label)


def said(window: Window) -> list[str]:
    """What is told in passing, from now on."""
    words: list[str] = []
    window.drawing.blocked.connect(words.append)
    return words


def test_a_click_is_a_preview_accepted_as_one_step_and_taken_back(
    window: Window, assist: Assist, middle: tuple[int, int, int], truth: np.ndarray
) -> None:
    segmentation, before = window.drawing.case.segmentation, len(
        window.drawing.case.segmentation.history
    )  # fmt: skip
    with Watchdog("click to preview") as dog:
        Mouse(window).click(middle)
        made = answer(window, to=1)
    assert dog.longest_ms < FROZEN_MS, dog.line
    assert segmentation.voxels(LESION) == 0
    assert dice(shown(window), truth == LESION) > 0.7
    assert assist.prompts == (Point(middle),)
    bar = window.desk.workplace.preview.state
    assert bar is not None
    assert (bar.what, bar.segment) == ("Preview", "Lesion")
    assert bar.slices == len(made.slices(0))
    assert "classic" in assist.state.ran.engine
    window.press("Return")
    assert dice(drawn(window, LESION), truth == LESION) > 0.7
    assert len(segmentation.history) == before + 1
    (step,) = steps_of([segmentation.next_undo()])
    assert (step.kind, step.tool) == ("assisted", "Accept answer")
    assert step.settings["prompts"] == [{"kind": "point", "kji": list(middle), "include": True}]
    assert step.settings["engine"] == "classic"
    assert step.settings["seconds"] > 0.0
    assert assist.prompts == ()
    assert window.drawing.proposals.open is None
    window.press("Ctrl+Z")
    assert segmentation.voxels(LESION) == 0


def test_prompts_are_taken_back_by_key_and_by_their_cross(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    k, j, i = middle
    mouse, box = Mouse(window), window.panel.annotate.assist
    mouse.click(middle)
    one = answer(window, to=1)
    mouse.click((k, j, i + 20), keys=CTRL)
    answer(window, to=2)
    assert assist.prompts[1] == Point((k, j, i + 20), include=False)
    assert [one.words for one in box.list.rows] == ["Include", "Exclude"]
    window.press("Ctrl+Z")
    assert answer(window, to=1).voxels == one.voxels
    window.press("Ctrl+Y")
    answer(window, to=2)
    window.press("Backspace")
    answer(window, to=1)
    window.press("Ctrl+Y")
    answer(window, to=2)
    window.click(box.list.crosses[1])
    answer(window, to=1)
    assert assist.prompts == (Point(middle),)
    window.press("Esc")
    assert (assist.prompts, window.drawing.proposals.open) == ((), None)


def test_excluding_alone_asks_nobody_and_says_why(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    words = said(window)
    window.click(window.panel.annotate.assist.kinds["exclude"])
    Mouse(window).click(middle)
    assert words == ["Nothing is included yet: click into the object"]
    assert window.drawing.proposals.open is None
    window.press("Esc")
    assert assist.prompts == ()


def test_a_box_is_dragged_and_grows_over_slices(
    window: Window, assist: Assist, middle: tuple[int, int, int], truth: np.ndarray
) -> None:
    k, j, i = middle
    window.click(window.panel.annotate.assist.kinds["box"])
    mouse = Mouse(window)
    window.drawing.looking.zoom(mouse.view, 3.0, mouse.view.point(middle))
    mouse.drag((k, j - 12, i - 12), (k, j, i), (k, j + 12, i + 12))
    answer(window, to=1)
    assert assist.prompts == (Box((k, j - 12, i - 12), (k, j + 12, i + 12)),)
    window.drawing.sight.move_along(0, k + 6)
    mouse.click((k + 6, j, i))
    assert assist.prompts == (Box((k, j - 12, i - 12), (k + 6, j + 12, i + 12)),)
    answer(window)
    coronal = Mouse(window, 1)
    window.drawing.sight.move_to(middle)
    coronal.drag((k - 0.5, j, i), (k - 3, j, i), (k - 6, j, i))
    assert assist.prompts == (Box((k - 6, j - 12, i - 12), (k + 6, j + 12, i + 12)),)
    answer(window, to=1)
    assert dice(shown(window), truth == LESION) > 0.5


def test_scribbles_and_outlines_on_any_view(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    k, j, i = middle
    window.click(window.panel.annotate.assist.kinds["scribble"])
    Mouse(window, 2).drag((k, j - 4, i), (k, j, i), (k, j + 4, i))
    answer(window, to=1)
    (scribble,) = assist.prompts
    assert isinstance(scribble, Scribble)
    assert {one[2] for one in scribble.kji} == {i}
    assert (scribble.kji[0][1], scribble.kji[-1][1]) == pytest.approx((j - 4, j + 4), abs=1)
    window.click(window.panel.annotate.assist.kinds["lasso"])
    window.drawing.sight.move_to(middle)
    corners = [(k - 3, j, i - 6), (k + 3, j, i - 6), (k + 3, j, i + 6), (k - 3, j, i + 6)]
    Mouse(window, 1).drag(*corners)
    answer(window, to=2)
    lasso = assist.prompts[1]
    assert isinstance(lasso, Lasso)
    assert lasso.plane == (1, j)


def test_only_this_slice_is_taken_and_the_rest_waits(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    Mouse(window).click(middle)
    whole = shown(window)
    window.press("Shift+Return")
    taken = drawn(window, LESION)
    np.testing.assert_array_equal(taken[middle[0]], whole[middle[0]])
    assert taken.sum() == whole[middle[0]].sum()
    (step,) = steps_of([window.drawing.case.segmentation.next_undo()])
    assert step.settings["only_slice"] == [0, middle[0]]
    answer(window)
    assert assist.prompts == (Point(middle),)
    window.press("Return")
    np.testing.assert_array_equal(drawn(window, LESION), whole)


def test_the_boundary_cuts_again_without_asking(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    Mouse(window).click(middle)
    usual, seconds = answer(window).voxels, assist.room.asking.seconds
    slider = window.panel.annotate.assist.boundary
    slider.setValue(10)
    tight = answer(window).voxels
    slider.setValue(90)
    assert tight < usual < answer(window).voxels
    assert assist.room.asking.seconds == seconds


def test_a_segment_is_refined_by_clicks(
    window: Window, assist: Assist, middle: tuple[int, int, int], truth: np.ndarray
) -> None:
    k, j, i = middle
    too_large = np.zeros(truth.shape, bool)
    too_large[k - 5 : k + 6, j - 14 : j + 15, i - 14 : i + 15] = True
    labels = window.drawing.case.segmentation.labels
    edit = Edit.fill(labels, (0, 0, 0), too_large, LESION)
    commands.paint(window.drawing.session, window.drawing.case, edit)
    window.drawing.tools.set_option("prompt", "object", "refine")
    assert assist.prompted is None
    Mouse(window).click((k, j - 12, i - 12), keys=CTRL)
    answer(window, to=1)
    assert not shown(window)[k, j - 12, i - 12]
    window.press("Return")
    after = drawn(window, LESION)
    assert not after[k, j - 12, i - 12]
    assert after[k, j, i]
    assert after.sum() < too_large.sum()
    window.press("Ctrl+Z")
    np.testing.assert_array_equal(drawn(window, LESION), too_large)


def test_a_chip_leads_back_to_a_preview_that_was_put_aside(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    kept, drawing = window.panel.annotate.kept, window.drawing
    Mouse(window).click(middle)
    whole = shown(window)
    window.press("P")  # another tool: the preview is seen on
    assert drawing.proposals.open is not None
    drawing.pick(VENTRICLES)
    window.rest(0.1)
    assert drawing.proposals.open is None
    assert len(kept.chips) == 1
    assert kept.chips[0].accessibleName().startswith("Lesion: preview")
    assert drawing.case.segmentation.voxels(LESION) == 0
    drawing.sight.move_along(0, 2)
    window.click(kept.chips[0])
    assert drawing.choices.active == LESION
    assert drawing.choices.tool == "prompt"
    assert assist.prompts == (Point(middle),)
    assert drawing.sight.position[0] in drawing.proposals.open.slices(0)
    np.testing.assert_array_equal(shown(window), whole)
    window.rest(0.1)
    assert kept.chips == []
    window.press("Return")
    np.testing.assert_array_equal(drawn(window, LESION), whole)


def test_a_preview_of_another_tool_is_kept_too(
    window: Window, middle: tuple[int, int, int]
) -> None:
    drawing = window.drawing
    Mouse(window).click(middle)
    whole = shown(window)
    drawing.tools.set_tool("grow")
    drawing.tools.propose("grow", seed=middle)
    wait_until(lambda: not drawing.proposals.making, "the other preview")
    assert drawing.proposals.open.words == "Grow"
    (kept,) = drawing.proposals.kept
    assert kept.words == "Preview"
    window.press("Esc")
    drawing.proposals.lead_back(kept)
    np.testing.assert_array_equal(shown(window), whole)


def test_the_next_object_is_a_segment_of_the_same_kind(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    drawing, words = window.drawing, said(window)
    window.press("N")
    assert words == ["Lesion is still empty: give a prompt first"]
    Mouse(window).click(middle)
    whole = shown(window)
    window.press("N")
    np.testing.assert_array_equal(drawn(window, LESION), whole)
    made = drawing.case.segmentation.schema[drawing.choices.active]
    assert made.name == "Lesion 2"
    assert made.code == drawing.case.segmentation.schema[LESION].code
    assert assist.prompts == ()
    assert assist.in_hand
    other = BALLS[VENTRICLES][0]
    drawing.sight.move_to(other)
    Mouse(window).click(other)
    answer(window, to=1)
    window.press("Return")
    assert drawn(window, made.value).any()
    np.testing.assert_array_equal(drawn(window, LESION), whole)


def test_locks_and_the_intensity_mask_hold_while_a_preview_waits(
    window: Window, middle: tuple[int, int, int]
) -> None:
    drawing, words = window.drawing, said(window)
    Mouse(window).click(middle)
    whole = shown(window)
    image = drawing.sight.image[:]
    level = float(np.median(image[whole]))
    drawing.tools.set_mask(on=True, limits=(level, level + 1000.0))
    wait_until(lambda: not (shown(window) & (image < level)).any(), "the mask")
    drawing.toggle_lock(LESION)
    wait_until(lambda: drawing.proposals.open is None, "the lock")
    Mouse(window).click(middle)
    assert words[-1] == "Lesion is locked"
    assert drawing.case.segmentation.voxels(LESION) == 0


def test_inside_a_segment_only(
    window: Window, middle: tuple[int, int, int]
) -> None:  # fmt: skip
    k, j, i = middle
    drawing = window.drawing
    half = np.zeros(drawing.sight.shape, bool)
    half[:, :, :i] = True
    half[:, : j - 30] = half[:, j + 30 :] = False
    edit = Edit.fill(drawing.case.segmentation.labels, (0, 0, 0), half, BRAIN)
    commands.paint(drawing.session, drawing.case, edit)
    drawing.tools.set_option("prompt", "inside", BRAIN)
    Mouse(window).click((k, j, i - 2))
    assert shown(window).any()
    assert not (shown(window) & ~half).any()
    window.press("Return")
    np.testing.assert_array_equal(drawn(window, LESION) | drawn(window, BRAIN), half)


def test_a_newer_prompt_wins_and_the_window_goes_on_meanwhile(
    window: Window, assist: Assist, middle: tuple[int, int, int],
    engines: object, request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    k, j, i = middle
    request.addfinalizer(engines.GO.set)
    assist.set_engine("slow")
    mouse, drawing = Mouse(window), window.drawing
    mouse.click(middle)
    wait_until(lambda: [Point(middle)] == engines.ASKED, "the first to be asked")
    mouse.wheel(middle, 1)  # the person goes on scrolling and drawing
    assert drawing.sight.position[0] == k + 1
    window.press("P")
    window.stroke((k + 1, j + 30, i), (k + 1, j + 34, i))
    assert drawing.case.segmentation.voxels(LESION) > 0
    window.press("A")
    assist.remove(0)
    mouse.click((k + 1, j, i + 2))
    wait_until(lambda: len(engines.ASKED) == 2, "the second to be asked")
    assert drawing.proposals.open is None
    engines.GO.set()
    answer(window, to=1)
    assert assist.room.asking.prompts == (Point((k + 1, j, i + 2)),)
    assert assist.state.ran.engine == "blocks 3"
    assert "Works without a model" not in assist.state.notes
    window.press("Return")
    (step,) = steps_of([drawing.case.segmentation.next_undo()])
    assert (step.settings["model"], step.settings["version"]) == ("blocks", "3")
    assert step.settings["sha256"] == "ab" * 32


def test_the_next_size_is_shown_by_its_key_and_later_clicks_correct_it(
    window: Window, assist: Assist, middle: tuple[int, int, int], engines: object
) -> None:
    assert engines is not None
    assist.set_engine("knows")
    box, seen = window.panel.annotate.assist, []
    Mouse(window).click(middle)
    first = answer(window, to=1)
    for _n in range(3):
        seen.append((shown(window).sum(), assist.state.size))
        before = window.drawing.proposals.open
        window.press("H")
        wait_until(lambda before=before: window.drawing.proposals.open is not before, "another")
        answer(window, to=1)
    assert seen == [(7**3, "1"), (11**3, "2"), (3**3, "3")]
    wait_until(lambda: box.size_words.text() == "1 of 3", "how many there are")
    np.testing.assert_array_equal(window.drawing.proposals.open.region[1], first.region[1])
    window.click(box.size)
    wait_until(lambda: assist.state.size == "2 of 3", "the second again")
    assert answer(window, to=1).note == "size 2"
    drawing = window.drawing
    drawing.pick(VENTRICLES)  # away and back: what is asked then begins with that size
    Mouse(window).click((12, 45, 68))
    answer(window, to=1)
    drawing.pick(LESION)
    Mouse(window).click((12, 45, 40))
    answer(window, to=2)
    window.press("Ctrl+Z")
    answer(window, to=1)
    window.press("Return")
    (step,) = steps_of([drawing.case.segmentation.next_undo()])
    assert step.settings["runner_up"] == 1
    assert drawing.case.segmentation.voxels(LESION) == 11**3


def test_an_object_is_found_by_its_name_and_corrected_by_clicks(
    window: Window, assist: Assist, engines: object
) -> None:
    assert engines is not None
    words, names = said(window), window.panel.annotate.assist.names
    window.press("A")
    window.press("A")
    wait_until(lambda: any(one.id == "knows" for one in assist.state.engines), "the list")
    wait_until(lambda: not names.isVisible(), "no field for an engine that finds nothing")
    assist.set_engine("knows")
    wait_until(names.isVisible, "the field")
    window.drawing.pick(VENTRICLES)
    names.setText("ventr")  # two names have it
    window.press("Return", to=names)
    assert not window.drawing.proposals.making
    names.setText("VENTRIC")
    window.press("Return", to=names)
    answer(window, to=0)
    assert shown(window).sum() == 9**3
    assert [one.place for one in assist.state.rows] == ["Ventricles"]
    Mouse(window).click((12, 45, 60))
    answer(window, to=1)
    assert len(assist.state.rows) == 2
    window.press("Ctrl+Z")
    answer(window, to=0)
    window.press("Return")
    (step,) = steps_of([window.drawing.case.segmentation.next_undo()])
    assert (step.settings["found_as"], step.settings["engine"]) == ("Ventricles", "knows")
    assert drawn(window, VENTRICLES).sum() == 9**3
    assert not assist.state.rows
    assert words == []


def test_an_answer_on_its_way_can_be_called_off(
    window: Window, assist: Assist, middle: tuple[int, int, int], engines: object
) -> None:
    assist.set_engine("slow")
    Mouse(window).click(middle)
    wait_until(lambda: [Point(middle)] == engines.ASKED, "it to be asked")
    wait_until(window.desk.workplace.preview.cancel.isVisible, "the bar")
    window.click(window.desk.workplace.preview.cancel)
    assert (assist.prompts, window.drawing.proposals.making) == ((), "")


@pytest.mark.usefixtures("engines")
def test_an_engine_that_breaks_is_said_in_words_and_nothing_changes(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    assist.set_engine("broken")
    Mouse(window).click(middle)
    wait_until(window.panel.error.isVisible, "the card")
    card = window.panel.error.shown
    assert card.title == "The engine broken did not answer (RuntimeError)"
    assert "secret" not in f"{card.title} {card.text} {card.details}"
    assert window.drawing.case.segmentation.labels.sum() == 0
    assert (assist.prompts, window.drawing.proposals.open) == ((), None)
    assist.set_engine("classic")
    Mouse(window).click(middle)
    answer(window, to=1)


def test_a_device_that_is_not_there_falls_back_and_says_so(
    window: Window, assist: Assist, middle: tuple[int, int, int]
) -> None:
    Mouse(window).click(middle)
    answer(window, to=1)
    assist.set_device("cuda")
    wait_until(window.panel.error.isVisible, "the card")
    assert "cuda" in window.panel.error.shown.title
    assert assist.state.device == "auto"
    answer(window, to=1)
    assert assist.prompts == (Point(middle),)


def test_a_preview_waits_while_its_case_is_closed(opened: Window) -> None:
    """It and the next one come last: they close the case that the others use."""
    opened.drawing.pick(LESION)
    opened.drawing.sight.move_to(BALLS[LESION][0])
    opened.press("A")
    Mouse(opened).click(BALLS[LESION][0])
    whole, case_id = shown(opened), opened.drawing.case.info.id
    opened.desk.close_case()
    opened.idle()
    opened.desk.open_case(case_id)
    opened.idle()
    wait_until(lambda: opened.drawing.case.loading.finished, "all slices")
    opened.rest(0.2)
    assert opened.drawing.proposals.open is None
    opened.click(opened.panel.annotate.kept.chips[0])
    np.testing.assert_array_equal(shown(opened), whole)
    opened.press("Return")
    np.testing.assert_array_equal(drawn(opened, LESION), whole)
    opened.press("6")


def test_a_case_is_closed_while_an_engine_works(opened: Window, engines: object) -> None:
    drawing = opened.drawing
    drawing.pick(LESION)
    drawing.sight.move_to(BALLS[LESION][0])
    opened.press("A")
    drawing.assist.set_engine("slow")
    Mouse(opened).click(BALLS[LESION][0])
    wait_until(lambda: engines.ASKED, "it to be asked")
    opened.desk.close_case()
    opened.idle()
    assert opened.desk.drawing is None
    assert opened.desk.error is None
