"""What the view bar shows; no Qt."""

from dataclasses import dataclass, field
from typing import Literal

from napari_medlabel.core.volume import Window
from napari_medlabel.ui.readout import window_words
from napari_medlabel.ui.state import Style

__all__ = ["Layout", "ViewBarState", "parsed", "preset_words"]

Layout = Literal["1+3", "2x2", "single", "napari"]
PRESET_KEYS = 9  # Alt+1 to Alt+9


@dataclass(frozen=True, slots=True)
class ViewBarState:
    """All that the view bar shows.

    Parameters
    ----------
    layout, crosshair, linked
        How the views stand, whether they show where one is, whether they move together.
    shown, style, fill_percent
        Whether segments are seen, as what, and how much of the image their fill covers.
    windows, window, unit, inverted
        The presets to offer, the window that is on, its unit, and whether low values are bright.
    undo, redo
        What would be undone and redone ("Undo paint"), "" for nothing.
    initials, person
        Who works ("MK") and the words for the tooltip; "" in a personal workspace.
    protected
        Whether the workspace can be locked.
    """

    layout: Layout = "1+3"
    crosshair: bool = True
    linked: bool = True
    shown: bool = True
    style: Style = "outline and fill"
    fill_percent: int = 25
    windows: tuple[Window, ...] = ()
    window: Window = field(default_factory=lambda: Window(1.0, 0.5))
    unit: str = ""
    inverted: bool = False
    undo: str = ""
    redo: str = ""
    initials: str = ""
    person: str = ""
    protected: bool = False

    @property
    def preset(self) -> int:
        """Which of the presets is on, or -1."""
        for n, window in enumerate(self.windows):
            ends = zip(window.limits, self.window.limits, strict=True)
            if all(abs(a - b) < 1e-3 for a, b in ends):
                return n
        return -1

    @property
    def preset_name(self) -> str:
        """The name of the window that is on."""
        return self.windows[self.preset].name if self.preset >= 0 else "Own window"


def preset_words(window: Window, number: int) -> str:
    """A preset in the menu; its key, after a tab, stands at the right."""
    key = f"\tAlt+{number + 1}" if number < PRESET_KEYS else ""
    return f"{window.name}   {window_words(window)}{key}"


def parsed(width: str, level: str) -> Window | None:
    """A window as it was typed; None unless both are numbers and the width is above 0."""
    numbers = []
    for words in (width, level):
        try:
            numbers.append(float(words.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")))
        except ValueError:
            return None
    if not (0.0 < numbers[0] < 1e9 and abs(numbers[1]) < 1e9):
        return None
    return Window(numbers[0], numbers[1])
