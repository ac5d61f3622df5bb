"""Write docs/keys.md from the program itself: python docs/generate_keys.py."""

from collections.abc import Iterator
from pathlib import Path

from napari_medlabel.ui.action import GROUPS
from napari_medlabel.ui.actions import ACTIONS
from napari_medlabel.ui.key_sets import SETS, KeyChoice, Keymap, keymap
from napari_medlabel.ui.key_text import caps
from napari_medlabel.ui.napari_keys import BLOCKED, KEPT

PAGE = Path(__file__).parent / "keys.md"

HEAD = """\
<!-- Written by docs/generate_keys.py from the program; a test holds it to it. -->

# Keys

They work while a case is open, wherever the focus is in the window, except in a text field; Enter
or Esc leaves the field. `?` shows them, `Ctrl+K` finds an action by its words. With the case
everything is given back to napari.

- **Sets**: choose *Medlabel*, *3D Slicer* or *ITK-SNAP* on the sheet of keys (`?`). The other two
  hold what hands know from those programs; everything else keeps its key.
- **Single keys**: *Change keys* on the sheet gives and takes them. A key that is in use is refused,
  with the action that has it.
- **Digits** are tools, as in napari; a setting gives them to segments instead.
- **Keyboards**: a key is what is written on it; where that is bound to nothing, the character that
  it makes, then its place. `?` works wherever it is, digits work on French keyboards, letters on
  Russian ones.
- **Lists and sliders** that Tab has led to are moved in by the arrow keys.
- Choices are kept for each person in the workspace.

## With the mouse

| | |
|---|---|
| next or previous slice | wheel |
| zoom at the pointer | `Ctrl` and the wheel |
| pan | `Space` and drag, or drag with the middle button |
| window and level | drag with the right button |
| move the crosshair | `Shift` and move |
| brush size | `Shift` and the wheel |
| erase | hold `Ctrl` |
| pick the segment under the pointer | `Ctrl` and click |
| make a view the large one | double click |

## Every action
"""
NAPARI = """\
## What becomes of napari's keys

Where one of them is a key of ours, ours acts. While a case is open these do nothing else:
"""
KEPT_HEAD = "These are napari's as before:"


def page() -> str:
    """The whole page."""
    columns = [keymap(KeyChoice(one.id)) for one in SETS]
    parts = [HEAD]
    for group in GROUPS:
        parts += [f"### {group}\n", *_table(group, columns), ""]
    parts += [NAPARI, *_napari(BLOCKED, "would do"), "", KEPT_HEAD, "", *_napari(KEPT, "does"), ""]
    return "\n".join(parts)


def _table(group: str, columns: list[Keymap]) -> Iterator[str]:
    yield "| | " + " | ".join(one.name for one in SETS) + " |"
    yield "|---|" + "---|" * len(SETS)
    for action in ACTIONS:
        if action.group == group:
            keys = " | ".join(_keys(column[action.id]) for column in columns)
            yield f"| {action.words} | {keys} |"


def _napari(keys: dict[str, str], verb: str) -> Iterator[str]:
    yield from (f"| | what it {verb} in napari |", "|---|---|")
    yield from (f"| {_code(key)} | {words} |" for key, words in keys.items())


def _keys(keys: tuple[str, ...]) -> str:
    return ", ".join(map(_code, keys)) or "\N{EN DASH}"


def _code(key: str) -> str:
    shown = caps(key).replace(" ", "+").replace("Page+", "Page ")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
