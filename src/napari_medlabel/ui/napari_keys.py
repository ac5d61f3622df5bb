"""What becomes of napari's own keys while a case is open: each is decided here, with the reason.

Where a key is one of ours too, ours acts. Otherwise `BLOCKED` keys do nothing, since what they do
in napari would hurt an open case or go round the panel, and `KEPT` keys are napari's as before.
All are given back when the case is closed. A test reads napari's own lists and fails on a key
without a decision.
"""

from typing import Final

__all__ = ["BLOCKED", "KEPT", "RESERVED"]

_TOOL = "would change napari's tool behind the panel's back"
_VALUE = "would draw a label value that no segment has"
_TURNS = "would turn the image away from the radiological view"
_LAYER = "would take the drawn layer away from under the tool"
_SLIDER = "moves a slider that is not shown"
_HIDES = "would hide layers that the panel says are shown"
_PLANE = "turns a plane of napari's 3-D view"
_UNDO = "is undo and redo, under the keys of your choice"
_DELETES = "would delete the layers of the case"
_SAVED = "is not needed: every stroke is saved, and Export writes files"

BLOCKED: Final = {
    **dict.fromkeys(("1", "2", "3", "4", "5", "6", "E", "P", "F", "L", "Z"), _TOOL),
    "7": "would move the labels against the image",
    **dict.fromkeys(("M", "=", "-"), _VALUE),
    **dict.fromkeys(("[", "]"), "sizes napari's brush, in voxels"),
    "B": "is napari's way to protect labels; ours are Lock and Paint over",
    **dict.fromkeys(("X", "Y", "O"), _PLANE),
    "C": "would set the window by one slice alone",
    **dict.fromkeys(("V", "Shift+V"), _HIDES),
    **dict.fromkeys(("Ctrl+Z", "Ctrl+Shift+Z"), _UNDO),
    "Ctrl+Y": "would turn the canvas to napari's 3-D view",
    **dict.fromkeys(("Ctrl+E", "Ctrl+T", "Ctrl+Alt+T"), _TURNS),
    "Ctrl+G": "would lay image and labels side by side",
    **dict.fromkeys(("Ctrl+Del", "Ctrl+Backspace"), _DELETES),
    **dict.fromkeys(("Left", "Right", "Alt+Up", "Alt+Down"), _SLIDER),
    **dict.fromkeys(("Ctrl+Up", "Ctrl+Down", "Shift+Up", "Shift+Down"), _LAYER),
    **dict.fromkeys(("Alt+Shift+Up", "Alt+Shift+Down"), _HIDES),
    **dict.fromkeys(("Ctrl+S", "Ctrl+Alt+S"), _SAVED),
}
KEPT: Final = {
    "Return": "ends a polygon",
    "Esc": "leaves a polygon",
    "Space": "held: pan",
    "Ctrl+0": "fit to view",
    "Ctrl+R": "reset view",
    "Ctrl+Shift+C": "console",
    "Ctrl+Shift+T": "dark or light",
    "Ctrl+Alt+/": "napari's list of keys",
    "Ctrl+=": "zoom in",
    "Ctrl+-": "zoom out",
    "Ctrl+U": "keep the camera",
    "Alt+T": "debug trace",
    "Alt+Shift+T": "debug trace",
    "Ctrl+N": "image from the clipboard",
    "Ctrl+O": "open files",
    "Ctrl+Alt+O": "open files as a stack",
    "Ctrl+Shift+O": "open a folder",
    "Ctrl+,": "preferences",
    "Alt+S": "screenshot of the canvas",
    "Alt+Shift+S": "screenshot of the window",
    "Alt+C": "copy the canvas",
    "Alt+Shift+C": "copy the window",
    "Ctrl+W": "close the window",
    "Ctrl+Q": "quit",
    "Ctrl+/": "about napari",
    "Ctrl+F11": "full screen",
    "Ctrl+Shift+P": "napari's command palette",
    "Ctrl+M": "menu bar",
    "Ctrl+Alt+P": "play",
}
_FREE = ("Return", "Esc", "Ctrl+0", "Ctrl+R", "Ctrl+U", "Ctrl+N", "Alt+T", "Alt+Shift+T")
_TABS = ("Tab", "Backtab", "Shift+Tab", "Shift+Backtab")
_TEXT = ("Ctrl+C", "Ctrl+V", "Ctrl+X", "Ctrl+A")
RESERVED: Final = {
    **{key: f"is napari's: {words}" for key, words in KEPT.items() if key not in _FREE},
    **dict.fromkeys(_TABS, "leads from one control to the next"),
    **dict.fromkeys(_TEXT, "is for text"),
}
