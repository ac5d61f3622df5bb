"""Find an action by words: what can be found in an open case, and what a query means by it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.ui.action import Action, facts_of
from napari_medlabel.ui.actions import ACTIONS
from napari_medlabel.ui.key_sets import Keymap
from napari_medlabel.ui.key_text import caps

__all__ = ["SEGMENT", "Entry", "entries", "find"]

SEGMENT: Final = "segment:"  # and the label value: the id of an entry that picks a segment
_ELSEWHERE: Final = {"find-action", *(f"pick-{n}" for n in range(1, 10))}  # segments by name
_WORD: Final = re.compile(r"[^\s,/()]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be found.

    Parameters
    ----------
    id
        For `WindowKeys.run`.
    words, group
        For people.
    also
        Other words it is found by.
    keys
        As written on the keys: "Ctrl K".
    why_not
        Why it cannot be done now; "" where it can.
    color
        "#RRGGBB" of a segment.
    note
        Stands at the right, quietly.
    """

    id: str
    words: str
    group: str
    also: str = ""
    keys: tuple[str, ...] = ()
    why_not: str = ""
    color: str = ""
    note: str = ""


def entries(drawing: Any, keys: Keymap) -> tuple[Entry, ...]:  # noqa: ANN401  # a Drawing
    """Everything that can be found in an open case: its actions, its segments, its presets.

    Actions of which the drawing knows nothing are left out, and so are presets and numbers
    that this case does not have.
    """
    facts = facts_of(drawing)
    found = []
    for action in ACTIONS:
        why_not = action.rule(facts)
        absent = why_not and action.id.startswith("preset-")
        if action.is_there(drawing) and not absent and action.id not in _ELSEWHERE:
            shown = tuple(caps(key) for key in keys[action.id])
            words = _words(action, drawing)
            found.append(Entry(action.id, words, action.group, action.also, shown, why_not))
    return (*found, *_segments(drawing, keys))


def find(among: Sequence[Entry], query: str) -> tuple[Entry, ...]:
    """The entries that a query means, best first; all where it is empty.

    Each word of the query must be found: at the start of a word, within one, with one slip of
    the hand, or as letters in order. Of two alike, what can be done comes before what cannot.
    """
    wanted = _WORD.findall(query.casefold())
    if not wanted:
        return tuple(among)
    scored = []
    for place, entry in enumerate(among):
        score = _score(wanted, entry)
        if score > 0.0:
            scored.append((-score * (0.5 if entry.why_not else 1.0), place, entry))
    return tuple(entry for *_order, entry in sorted(scored, key=lambda one: one[:2]))


def _words(action: Action, drawing: Any) -> str:  # noqa: ANN401
    if not action.id.startswith("preset-"):
        return action.words
    window = drawing.choices.windows[int(action.id[-1]) - 1]
    numbers = f"W {window.width:g}  L {window.level:g}"
    return f"Window: {window.name or action.words}, {numbers}"


def _segments(drawing: Any, keys: Keymap) -> Iterator[Entry]:  # noqa: ANN401
    for n, label in enumerate(drawing.case.segmentation.schema, start=1):
        yield Entry(
            f"{SEGMENT}{label.value}", f"Pick {label.name}", "Segments", f"segment label {n}",
            tuple(caps(key) for key in keys.get(f"pick-{n}", ())), color=label.color,
        )  # fmt: skip


def _score(wanted: Sequence[str], entry: Entry) -> float:
    said, also = _WORD.findall(entry.words.casefold()), _WORD.findall(entry.also.casefold())
    total = 0.0
    for n, word in enumerate(wanted):
        best = max((_likeness(word, one) for one in said), default=0.0)
        if n == 0 and said and said[0].startswith(word):
            best += 1.0  # the first word is what people remember
        best = max(best, 0.8 * max((_likeness(word, one) for one in also), default=0.0))
        if best == 0.0 and len(wanted) == 1:
            best = 0.5 if _in_order(word, "".join(said)) else 0.0
        if best == 0.0:
            return 0.0
        total += best
    return total / (1.0 + 0.02 * len(said))  # of two alike the shorter


def _likeness(word: str, other: str) -> float:
    if word == other:
        return 5.0
    if other.startswith(word):
        return 4.0
    if len(word) > 1 and word in other:
        return 2.0
    if len(word) > 3 and _one_slip(word, other):
        return 1.0
    return 0.0


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter more, less, other or exchanged with its neighbour makes them the same.

    `other` may go on: people search before they have typed all.
    """
    same = next((n for n, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), None)
    if same is None:
        return len(word) - len(other) < 2
    rest, their = word[same:], other[same:]
    ways = (
        (rest[1:], their), (rest, their[1:]), (rest[1:], their[1:]),
        (rest[1:2] + rest[:1] + rest[2:], their),
    )  # fmt: skip
    return any(b.startswith(a) for a, b in ways)


def _in_order(letters: str, text: str) -> bool:
    """Whether the letters are in the text, in order, the first at its start."""
    rest = iter(text[1:])
    return text[:1] == letters[:1] and all(letter in rest for letter in letters[1:])
