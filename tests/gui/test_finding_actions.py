"""Find an action: what is found by which words, and the floating field that shows it."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMainWindow, QPushButton

from napari_medlabel.core.schema import Label
from napari_medlabel.core.volume import Window
from napari_medlabel.ui import theme
from napari_medlabel.ui.action_search import Entry, entries, find
from napari_medlabel.ui.entry_rows import ENTRY
from napari_medlabel.ui.key_sets import KeyChoice, keymap
from napari_medlabel.ui.palette import Palette
from napari_medlabel.ui.theme import DARK, LIGHT


class Able:
    """Can whatever is asked of it."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *_args: None


def case(*, read_only: str = "") -> Able:
    made = Able()
    made.looking, made.tools, made.sight, made.assist = Able(), Able(), Able(), Able()
    made.assist.can_step_back = made.assist.can_step_on = False
    made.deface = SimpleNamespace(facts=(False, 0, False))
    made.annotations = SimpleNamespace(chosen="", measure=print, remove_chosen=print)
    made.proposals = SimpleNamespace(
        open=None, making="", accept=print, accept_slice=print, reject=print
    )
    windows = (Window(400, 50, "Soft tissue"), Window(1500, -600, "Lung"))
    made.choices = SimpleNamespace(active=1, windows=windows, tool="")
    schema = (Label(1, "Liver", "#FF8000"), Label(7, "Lung, left", "#33FFCC"))
    made.case = SimpleNamespace(
        segmentation=SimpleNamespace(
            read_only=read_only, schema=schema, can_undo=True, can_redo=False
        )
    )
    return made


ALL = entries(case(), keymap(KeyChoice()))
BY_ID = {entry.id: entry for entry in ALL}


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("undo", "undo"), ("unod", "undo"), ("undp", "undo"), ("ruler", "measure"),
        ("ruler line", "annotate-distance"),
        ("liver", "segment:1"), ("pick lu", "segment:7"), ("lung window", "preset-2"),
        ("livewire", "scissors"), ("level tracing", "scissors"), ("bucket", "fill"),
        ("fill between", "interpolate"), ("dilate", "margin"), ("logical", "combine"),
        ("paintbrush", "paint"), ("rubber", "erase"), ("sphere", "ball"), ("solo", "only-this"),
        ("otsu", "threshold"), ("next gap", "next-gap"), ("gap next", "next-gap"),
        ("itk-snap", "change-keys"), ("largest", "islands"), ("PAINT", "paint"),
        ("coron", "coronal"),
        ("fiducial", "annotate-keypoints"), ("grow cut", "seeds"), ("edit range", "intensity-mask"),
    ],
)  # fmt: skip
def test_words_find_what_is_meant(query: str, first: str) -> None:
    assert find(ALL, query)[0].id == first


def test_nothing_is_found_for_words_that_nothing_is_called_by() -> None:
    assert find(ALL, "xylophone") == ()


def test_without_words_everything_is_there_in_its_order() -> None:
    assert find(ALL, "  ") == ALL
    assert len(ALL) > 80


@given(st.text(max_size=20))
def test_what_is_found_was_there_and_is_found_once(query: str) -> None:
    found = find(ALL, query)
    assert len({entry.id for entry in found}) == len(found)
    assert {entry.id for entry in found} <= set(BY_ID)


@given(st.sampled_from(ALL))
def test_everything_is_found_by_its_own_words(entry: Entry) -> None:
    assert entry in find(ALL, entry.words)[:3]


def test_segments_and_presets_are_those_of_the_case() -> None:
    assert BY_ID["segment:7"].words == "Pick Lung, left"
    assert BY_ID["segment:7"].keys == ("Shift 2",)
    assert BY_ID["segment:7"].color == "#33FFCC"
    assert BY_ID["preset-2"].words == "Window: Lung, W 1500  L -600"
    assert "preset-3" not in BY_ID
    assert "pick-1" not in BY_ID  # segments are there by name


def test_what_cannot_be_done_is_there_with_the_reason() -> None:
    assert BY_ID["redo"].why_not == "There is nothing to redo"
    shut = {one.id: one for one in entries(case(read_only="It is signed off"), keymap(KeyChoice()))}
    assert shut["paint"].why_not == "It is signed off"
    assert shut["next-slice"].why_not == ""


def test_what_the_drawing_does_not_know_is_left_out() -> None:
    bare = case()
    bare.looking = object()
    assert "next-slice" not in {one.id for one in entries(bare, keymap(KeyChoice()))}


@pytest.fixture
def frame(qapp: QApplication) -> Iterator[QMainWindow]:
    made = QMainWindow()
    made.resize(900, 700)
    made.setCentralWidget(QPushButton("image"))
    made.show()
    made.activateWindow()
    QTest.qWaitForWindowActive(made)
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


@pytest.fixture
def palette(frame: QMainWindow) -> Palette:
    made = Palette(frame)
    made.set_style(theme.style_sheet(DARK), DARK)
    made.open(ALL)
    return made


def press(frame: QMainWindow, *keys: Qt.Key) -> None:
    for key in keys:
        QTest.keyClick(frame.windowHandle(), key)
    QApplication.processEvents()


def type_words(frame: QMainWindow, words: str) -> None:
    press(
        frame,
        *(Qt.Key.Key_Space if c == " " else getattr(Qt.Key, f"Key_{c.upper()}") for c in words),
    )


def shown(palette: Palette) -> list[str]:
    return [palette.list.item(n).data(ENTRY).id for n in range(palette.list.count())]


def test_enter_runs_what_was_found_and_the_field_goes(frame: QMainWindow, palette: Palette) -> None:
    ran: list[str] = []
    palette.chosen.connect(ran.append)
    assert palette.field.hasFocus()
    type_words(frame, "erase")
    assert shown(palette)[0] == "erase"
    press(frame, Qt.Key.Key_Return)
    assert ran == ["erase"]
    assert not palette.isVisible()


def test_the_arrows_move_and_a_click_runs(frame: QMainWindow, palette: Palette) -> None:
    ran: list[str] = []
    palette.chosen.connect(ran.append)
    type_words(frame, "slice")
    second = shown(palette)[1]
    press(frame, Qt.Key.Key_Down, Qt.Key.Key_Return)
    palette.open(ALL)
    assert shown(palette)[0] == second  # what was run last comes first
    spot = palette.list.visualItemRect(palette.list.item(2)).center()
    third = shown(palette)[2]
    QTest.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert ran == [second, third]


def test_what_cannot_be_done_is_not_run(frame: QMainWindow, palette: Palette) -> None:
    ran: list[str] = []
    palette.chosen.connect(ran.append)
    type_words(frame, "redo")
    assert shown(palette)[0] == "redo"
    assert palette.list.item(0).toolTip() == "There is nothing to redo"
    press(frame, Qt.Key.Key_Return)
    assert ran == []
    assert palette.isVisible()


def test_esc_and_a_click_elsewhere_close_it(frame: QMainWindow, palette: Palette) -> None:
    closed: list[bool] = []
    palette.closed.connect(lambda: closed.append(True))
    press(frame, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    palette.open(ALL)
    frame.centralWidget().setFocus()
    QApplication.processEvents()
    assert not palette.isVisible()
    assert frame.focusWidget() is frame.centralWidget()
    assert closed == [True, True]


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_it_fits_into_the_window_and_says_when_nothing_is_found(
    frame: QMainWindow, palette: Palette, tokens: theme.Tokens
) -> None:
    palette.set_style(theme.style_sheet(tokens), tokens)
    frame.resize(640, 420)
    QApplication.processEvents()
    assert frame.rect().contains(palette.geometry())
    type_words(frame, "zzzz")
    assert shown(palette) == []
    assert palette.findChildren(type(palette._none))[0].isVisible()
    assert palette.grab().width() == palette.width()
