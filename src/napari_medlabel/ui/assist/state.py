"""What the Assist section shows, as frozen values made by pure functions; no Qt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.ui.state import TIMES

__all__ = [
    "AUTO", "KINDS", "AssistState", "Choice", "Kind", "KindSpec", "PromptRow", "Ran",
    "device_words", "engine_choices", "engine_words", "name_row", "per_click", "prompt_row",
    "size_words", "threshold_of",
]  # fmt: skip

Kind: TypeAlias = Literal["include", "exclude", "scribble", "box", "lasso"]
Tone: TypeAlias = Literal["ok", "error", "text1"]

AUTO: Final = "default"  # the engine that is asked for where a person leaves it to the program
DEVICES: Final[Mapping[str, str]] = {"auto": "Auto", "cpu": "CPU", "cuda": "GPU"}
TIGHTEST: Final = 0.95  # the highest probability that the border is put at; the lowest is the rest
LETTERS: Final = ("LR", "PA", "HF")  # towards which x, y and z of LPS grow, and where from


@dataclass(frozen=True, slots=True)
class KindSpec:
    """A kind of prompt: what it is called, its icon, how it is given."""

    kind: Kind
    words: str
    icon: str
    tip: str


KINDS: Final = (
    KindSpec("include", "Include", "include", "Click what belongs to it. Ctrl excludes"),
    KindSpec("exclude", "Exclude", "exclude", "Click what does not belong to it. Ctrl includes"),
    KindSpec("scribble", "Scribble", "scribble", "Draw a line through it. Ctrl excludes"),
    KindSpec("box", "Box", "box", "Drag a box around it; drag its sides in any view"),
    KindSpec("lasso", "Lasso", "lasso", "Draw around it on a slice. Ctrl excludes"),
)


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt that was given: its sign and the sign's tone, what it is, where."""

    icon: str
    tone: Tone
    words: str
    place: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine or a device to choose, why it cannot be, and what an engine finds by name."""

    id: str
    words: str
    why_not: str = ""
    finds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """What answers here: its name for people, whether it has a model, on what, what it says."""

    engine: str = ""
    has_model: bool = False
    device: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class AssistState:
    """All that the Assist section shows.

    Parameters
    ----------
    kind
        The kind of prompt that is chosen.
    in_hand
        Whether it is the tool in hand; else only the kinds are shown.
    rows
        The prompts given to the segment in hand.
    can_redo
        Whether a prompt that was taken back can come again.
    loose
        Where the boundary is, 0 tight to 1 loose.
    engines, engine
        What can be chosen, and the id of what is.
    devices, device
        The same.
    ran
        What answers here; empty before it was prepared.
    seconds
        For a click, measured here; None before the first.
    busy
        What it does: "Preparing the image"; "" for nothing that takes long.
    reason
        Why nothing can be done; "" where it can.
    size
        Which size of the object is shown, as words; "" where it is not open how large it is.
    can_resize
        Whether another one can be shown now.
    """

    kind: Kind = "include"
    in_hand: bool = False
    rows: tuple[PromptRow, ...] = ()
    can_redo: bool = False
    loose: float = 0.5
    engines: tuple[Choice, ...] = ()
    engine: str = AUTO
    devices: tuple[Choice, ...] = ()
    device: str = "auto"
    ran: Ran = Ran()
    seconds: float | None = None
    busy: str = ""
    reason: str = ""
    size: str = ""
    can_resize: bool = False

    @property
    def finds(self) -> tuple[str, ...]:
        """The names by which the engine that is chosen finds objects."""
        return next((one.finds for one in self.engines if one.id == self.engine), ())

    @property
    def unfolded(self) -> bool:
        """Whether all of it is of use."""
        return self.in_hand or bool(self.rows)

    @property
    def heading(self) -> str:
        """Beside the title while only the kinds are shown: "classic · CPU · 0.3 s"."""
        parts = [self.ran.engine, device_words(self.ran.device)]
        parts += [] if self.seconds is None else [f"{self.seconds:.1f} s"]
        return " · ".join(filter(None, parts)) if self.ran.engine else ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be known of the engine."""
        model = "" if self.ran.has_model or not self.ran.engine else "Works without a model"
        return tuple(filter(None, (self.busy, "" if self.busy else model, self.ran.note)))

    @property
    def status(self) -> tuple[str, bool]:
        """For the status line: words, and whether it can answer; no words before it was used."""
        if self.busy:
            return "Engine: preparing", False
        if not self.ran.engine:
            return "", True
        parts = ["Engine ready", device_words(self.ran.device), per_click(self.seconds)]
        return " · ".join(filter(None, parts)), True


def size_words(size: int, sizes: int | None) -> str:
    """Which of its sizes an object is shown in: "1 of 3", "2" while nobody knows how many."""
    return str(size + 1) if sizes is None else f"{size + 1} of {sizes}"


def name_row(name: str) -> PromptRow:
    """What the list says of an object that was found by its name."""
    return PromptRow("search", "ok", "Found", name)


def threshold_of(loose: float) -> float:
    """The probability at which an answer is cut: a half in the middle, higher where it is tight."""
    return float(np.clip(1.0 - loose, 1.0 - TIGHTEST, TIGHTEST))


def per_click(seconds: float | None) -> str:
    """How long a click takes: "0.3 s per click"; "" where nobody knows."""
    return "" if seconds is None else f"{seconds:.1f} s per click"


def device_words(device: str) -> str:
    """What people call it: "GPU"."""
    return DEVICES.get(device, device.upper())


def engine_words(facts: Mapping[str, str]) -> str:
    """An engine's name for people: its model with the version, else its own."""
    if facts.get("model"):
        return " ".join(filter(None, (facts["model"], facts.get("version", ""))))
    return facts.get("engine", "")


def engine_choices(document: Mapping[str, Any]) -> tuple[Choice, ...]:
    """Auto first, then every engine there is, by what `commands.engines` tells."""
    listed: Sequence[Mapping[str, Any]] = document.get("engines", ())
    found = [
        Choice(
            str(one["name"]), str(one["name"]), "" if one["available"] else str(one["why_not"]),
            tuple(one.get("finds", ())),
        )
        for one in listed
    ]  # fmt: skip
    return (Choice(AUTO, "Auto"), *(one for one in found if one.id != AUTO or one.why_not))


def prompt_row(prompt: Prompt, geometry: Geometry) -> PromptRow:
    """What the list says of a prompt: "Include  R 115 P 2 H 18", "Box  28 x 22 mm, slice 112"."""
    sign = "include" if prompt.include else "exclude"
    tone: Tone = "ok" if prompt.include else "error"
    if isinstance(prompt, Point):
        return PromptRow(sign, tone, sign.capitalize(), _position(prompt, geometry))
    if isinstance(prompt, Box):
        return PromptRow("box", _plain(prompt), "Box", _box_words(prompt, geometry))
    icon = "scribble" if isinstance(prompt, Scribble) else "lasso"
    return PromptRow(icon, tone, icon.capitalize(), _drawn_words(prompt, geometry))


def _plain(prompt: Prompt) -> Tone:
    return "text1" if prompt.include else "error"


def _position(prompt: Point, geometry: Geometry) -> str:
    lps = geometry.lps(prompt.kji)
    parts = []
    for axis, letters in enumerate(LETTERS):
        mm = round(float(lps[axis]))
        parts.append(f"{letters[mm < 0]} {abs(mm)}")
    return " ".join(parts)


def _box_words(box: Box, geometry: Geometry) -> str:
    sizes = (np.subtract(box.high, box.low) + 1) * geometry.spacing_mm
    shown = [round(float(sizes[n])) for n in (2, 1, 0) if n != box.thin_axis]
    words = f" {TIMES} ".join(str(n) for n in shown) + " mm"
    return words if box.thin_axis is None else f"{words}, {_slice(box.thin_axis, box.low)}"


def _drawn_words(prompt: Scribble | Lasso, geometry: Geometry) -> str:
    places = np.asarray(prompt.kji, float)
    reach = (places.max(axis=0) - places.min(axis=0)) * geometry.spacing_mm
    if isinstance(prompt, Lasso):
        axis, _index = prompt.plane
        row, column = (round(float(reach[n])) for n in range(3) if n != axis)
        return f"{column} {TIMES} {row} mm, {_slice(axis, places[0])}"
    steps = np.diff(places, axis=0) * geometry.spacing_mm
    long = f"{round(float(np.linalg.norm(steps, axis=1).sum()))} mm"
    level = [n for n in range(3) if np.ptp(places[:, n]) == 0]
    return f"{long}, {_slice(level[0], places[0])}" if level else long


def _slice(axis: int, kji: Sequence[float] | np.ndarray[Any, Any]) -> str:
    """A slice as the views count them: axial ones need no name."""
    name = ("slice", "coronal", "sagittal")[axis]
    return f"{name} {round(float(kji[axis])) + 1}"
