"""napari's own keys, the keys of the real window, and the page about them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from napari._app_model import get_app_model
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.action_manager import action_manager
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtWidgets import QApplication, QWidget

from napari_medlabel.ui._napari_compat import napari_docks
from napari_medlabel.ui.actions import ACTIONS, missing_methods
from napari_medlabel.ui.annotations.part import Annotations
from napari_medlabel.ui.assist.part import Assist
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.key_sheet import ON_SHEET
from napari_medlabel.ui.key_text import normal
from napari_medlabel.ui.looking import Looking
from napari_medlabel.ui.napari_keys import BLOCKED, KEPT
from napari_medlabel.ui.overlaying import Overlaying
from napari_medlabel.ui.proposals import Proposals
from napari_medlabel.ui.sight import Sight
from napari_medlabel.ui.toolbox import Toolbox
from tests.gui.real_window import Window

ROOT = Path(__file__).parents[2]
# Methods that the list of actions names and Drawing does not have yet; empty when the window is
# complete. "tools.set_tool" stands for tools that are not there.
MISSING: frozenset[str] = frozenset()


class Whole(Drawing):
    """Drawing with the classes of its parts, which it makes only for a case."""

    looking, tools, proposals, sight = Looking, Toolbox, Proposals, Sight
    annotations, second, assist = Annotations, Overlaying, Assist


def napari_keys() -> set[str]:
    """Every key of napari that could act while image and labels are there."""
    reachable = {ViewerModel, Image, Labels}
    named = {
        str(key)
        for name, keys in default_shortcuts.items()
        if (action := action_manager._actions.get(name)) and action.keymapprovider in reachable
        for key in keys
    }
    bound = {str(key) for one in reachable for key in one.class_keymap}
    menus = {str(one.keybinding) for one in get_app_model().keybindings}
    return {normal(key) for key in named | bound | menus}


@pytest.mark.usefixtures("window")
def test_every_key_of_napari_s_is_decided() -> None:
    found = napari_keys()
    assert len(found) > 60
    assert found - set(BLOCKED) - set(KEPT) == set()
    assert set(BLOCKED) | set(KEPT) <= found  # nothing is decided that napari no longer has


def test_every_method_of_the_list_is_one_of_the_drawing_s() -> None:
    missing = missing_methods(Whole)
    assert set(missing) - MISSING == set(), missing
    assert MISSING - set(missing) == set(), "there by now: take them off the list"


def test_every_action_with_a_key_is_on_the_sheet() -> None:
    assert {one.id for one in ACTIONS if one.keys} - ON_SHEET == set()


def test_the_page_of_keys_is_what_the_program_says() -> None:
    generate = "import generate_keys; print(generate_keys.page(), end='')"
    docs = ROOT / "docs"
    done = subprocess.run(
        [sys.executable, "-c", generate], capture_output=True, text=True, check=False, cwd=docs
    )
    assert done.returncode == 0, done.stderr
    written = (docs / "keys.md").read_text(encoding="utf-8")
    assert written == done.stdout, "docs/keys.md is not current: python docs/generate_keys.py"


def test_no_key_is_bound_for_the_whole_application() -> None:
    for path in (ROOT / "src" / "napari_medlabel" / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr != "ApplicationShortcut", path.name


def test_napari_s_layer_list_swallows_no_letter_and_has_them_back_after(window: Window) -> None:
    window.open_demo()
    window.drawing.add_segment()
    layers = napari_docks(window.viewer)[1].findChildren(QWidget)
    listed = next(one for one in layers if type(one).__name__ == "QtLayerList")
    window.press("P", to=listed)
    assert window.drawing.choices.tool == "paint"
    window.press("E", to=listed)
    assert window.drawing.choices.tool == "erase"
    before = window.drawing.sight.position[0]
    window.press("Up", to=listed)
    assert window.drawing.sight.position[0] == before + 1

    window.desk.close_case()
    window.idle()
    layer = window.viewer.add_labels(window_labels(), name="other")
    QApplication.processEvents()
    window.press("P", to=window.canvas)
    assert str(layer.mode) == "paint"  # napari's own P again
    window.viewer.layers.clear()


def window_labels() -> object:
    import numpy as np  # noqa: PLC0415

    return np.zeros((4, 20, 20), np.uint8)


def test_a_choice_of_keys_is_there_next_time(window: Window) -> None:
    keys = window.panel._keys
    keys.keep_choice(keys.window.choice.with_keys("fill", ("U",)))
    again = type(keys)(window.viewer, window.desk)
    assert again.window.keys["fill"] == ("U",)
    assert again.window.key_of("fill") == "U"
