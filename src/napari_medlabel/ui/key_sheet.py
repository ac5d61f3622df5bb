"""What the sheet of keys says, in which order: the gestures too, which no list of keys has."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from napari_medlabel.ui.actions import BY_ID
from napari_medlabel.ui.key_sets import Keymap
from napari_medlabel.ui.key_text import caps

__all__ = ["ON_SHEET", "Columns", "Part", "Section", "SheetRow", "matching", "sheet"]


@dataclass(frozen=True, slots=True)
class Part:
    """A key cap, or a word between caps."""

    text: str
    cap: bool


@dataclass(frozen=True, slots=True)
class SheetRow:
    """What is done and by which keys; `also` is looked through, not shown."""

    words: str
    parts: tuple[Part, ...]
    also: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title."""

    title: str
    rows: tuple[SheetRow, ...]


Columns: TypeAlias = tuple[tuple[Section, ...], ...]

# "@action" stands for its keys, "#Wheel" for a cap of that name, other words for themselves.
_SHEET: Final[tuple[tuple[tuple[str, tuple[tuple[str, str], ...]], ...], ...]] = (
    (
        ("Move", (
            ("Next or previous slice", "#Wheel or @next-slice @previous-slice"),
            ("Ten slices", "@ten-slices-up @ten-slices-down"),
            ("First, last slice", "@first-slice @last-slice"),
            ("Next, previous labelled slice", "@next-labelled @previous-labelled"),
            ("Next, previous gap", "@next-gap @previous-gap"),
            ("Next finding", "@next-finding"),
            ("Zoom at the pointer", "#Ctrl wheel"),
            ("Pan", "#Space drag"),
            ("Move the crosshair", "#Shift move"),
        )),
        ("Paint", (
            ("Paint", "@paint"),
            ("Erase", "@erase"),
            ("Erase while held", "#Ctrl"),
            ("Smaller, larger brush", "@smaller-brush @larger-brush"),
            ("Size under the pointer", "#Shift wheel"),
            ("Disc or ball", "@ball"),
            ("Intensity mask", "@intensity-mask"),
            ("Paint over", "@paint-over"),
            ("Put the tool away", "@no-tool"),
        )),
    ),
    (
        ("Other tools", (
            ("Fill", "@fill"),
            ("Lasso", "@lasso"),
            ("Polygon", "@polygon"),
            ("Grow", "@grow"),
            ("Threshold", "@threshold"),
            ("Scissors along edges", "@scissors"),
            ("Take the last corner back", "@step-back"),
            ("Fill gaps between slices", "@interpolate"),
            ("Carry up, down", "@carry-up @carry-down"),
            ("Measure, delete one", "@measure @delete-annotation"),
        )),
        ("Segments", (
            ("Previous, next", "@previous-segment @next-segment"),
            ("Pick by number", "@pick-1 to @pick-9"),
            ("Pick under the pointer", "@pick-under or #Ctrl #Click"),
            ("Add a segment", "@add-segment"),
            ("Lock or unlock", "@lock"),
            ("Show only this", "@only-this"),
            ("Labels on or off", "@show-segments"),
            ("Outline or fill", "@outline"),
            ("Less, more opaque", "@less-opaque @more-opaque"),
        )),
    ),
    (
        ("Assist", (
            ("Start a prompt", "@prompt"),
            ("Accept", "@accept"),
            ("Accept on this slice", "@accept-slice"),
            ("Reject", "@reject"),
            ("Answer in another size", "@next-size"),
        )),
        ("View", (
            ("Window and level", "#Right drag"),
            ("Window presets", "@preset-1 to @preset-9"),
            ("Invert the greys", "@invert"),
            ("Axial, coronal, sagittal, 3D", "@axial to @surfaces"),
            ("Full-size view", "#Double_click or @make-large"),
            ("Next layout", "@next-layout"),
            ("Fit to the view", "@fit-view"),
            ("Crosshair", "@crosshair"),
            ("Hide all overlays", "@overlays"),
        )),
        ("Everywhere", (
            ("Undo, redo", "@undo @redo"),
            ("History", "@history"),
            ("Find an action", "@find-action"),
            ("Lock the workspace", "@lock-workspace"),
            ("This list", "@keys"),
        )),
    ),
)  # fmt: skip
_MEANT: Final = frozenset(
    word.removeprefix("@")
    for column in _SHEET
    for _title, rows in column
    for _words, line in rows
    for word in line.split()
    if word.startswith("@")
)
_BETWEEN = {f"{kind}-{n}" for kind in ("pick", "preset") for n in range(2, 9)}  # "1 to 9"
ON_SHEET: Final = _MEANT | _BETWEEN | {"coronal", "sagittal"}


def sheet(keys: Keymap) -> Columns:
    """Three columns of sections; rows whose actions have no key are left out."""
    return tuple(
        tuple(Section(title, _rows(rows, keys)) for title, rows in column) for column in _SHEET
    )


def matching(columns: Columns, query: str) -> Columns:
    """The rows in which every word of the query is: among its words, its keys or its synonyms."""
    wanted = query.casefold().split()
    found = []
    for column in columns:
        kept = (
            Section(one.title, tuple(row for row in one.rows if _has(one, row, wanted)))
            for one in column
        )
        found.append(tuple(one for one in kept if one.rows))
    return tuple(found)


def _has(section: Section, row: SheetRow, wanted: list[str]) -> bool:
    text = f"{section.title} {row.words} {row.also}".casefold()
    pressed = {part.text.casefold() for part in row.parts if part.cap}
    return all(
        word in pressed or (len(word) > 1 and (word in text or word in " ".join(pressed)))
        for word in wanted
    ) or " ".join(wanted) in pressed  # fmt: skip


def _rows(rows: tuple[tuple[str, str], ...], keys: Keymap) -> tuple[SheetRow, ...]:
    made = (_row(words, line, keys) for words, line in rows)
    return tuple(row for row in made if row.parts)


def _row(words: str, line: str, keys: Keymap) -> SheetRow:
    """One row; several actions give a key each, one alone gives its first two."""
    names = [word.removeprefix("@") for word in line.split() if word.startswith("@")]
    parts: list[Part] = []
    for word in line.split():
        if word.startswith("@"):
            pressed = keys[word.removeprefix("@")][: 1 if len(names) > 1 else 2]
            for n, key in enumerate(pressed):
                parts += [Part("or", cap=False)] * bool(n) + [Part(caps(key), cap=True)]
        else:
            parts.append(Part(word.removeprefix("#").replace("_", " "), cap=word.startswith("#")))
    if names and not any(keys[name] for name in names) and "#" not in line:
        parts = []
    also = " ".join(f"{BY_ID[name].words} {BY_ID[name].also}" for name in names)
    return SheetRow(words, _without_loose_words(parts), also)


def _without_loose_words(parts: list[Part]) -> tuple[Part, ...]:
    """Without an "or" that nothing follows, because an action has no key."""
    while parts and not parts[-1].cap and parts[-1].text in {"or", "to"}:
        parts.pop()
    return tuple(parts)
