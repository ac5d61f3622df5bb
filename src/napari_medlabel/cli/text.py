"""Answers as text for people: tables on stdout, notes and progress on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Literal

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from napari_medlabel.files import shown

__all__ = ["note", "paragraph", "print_json", "progress_bar", "sentence", "show", "table"]

WIDE: Final = 240
Report = Callable[[int, int], None]


def note(text: str) -> None:
    """A line for people on stderr, beside the answer."""
    _console(stderr=True, soft_wrap=True).print(shown(text))


def sentence(text: str) -> None:
    """A line of the answer on stdout."""
    _console(soft_wrap=True).print(text)


def paragraph(text: str, *, indent: int = 0) -> None:
    """Text of the answer on stdout, wrapped to a terminal's width behind an indentation."""
    console = _console(width=None if sys.stdout.isatty() else WIDE)
    console.print(Padding(text, (0, 0, 0, indent), expand=False))


def print_json(document: Mapping[str, Any]) -> None:
    """The answer as one JSON document on stdout, in ASCII where stdout cannot do better."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:  # or a file's name is no text
        text = json.dumps(document)
    print(text)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]], *, folds: str = "") -> None:
    """A calm table on stdout; columns whose name begins with "#" stand at the right.

    Where it is wider than the terminal, the column `folds` is folded, or all without one.
    """
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    names = list(columns)
    for name in names:
        side: Literal["left", "right"] = "right" if name.startswith("#") else "left"
        whole = folds not in {"", name}
        drawn.add_column(name.removeprefix("#"), justify=side, overflow="fold", no_wrap=whole)
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    # A file or a pipe has no width of its own: rows stay whole there.
    _console(width=None if sys.stdout.isatty() else WIDE).print(drawn)


def show(document: dict[str, Any], *, as_json: bool, rows: list[dict[str, Any]]) -> None:
    """An answer that is mainly one list: as JSON, or as a table of that list."""
    if as_json:
        print_json(document)
    elif rows:
        table(rows[0], ([_cell(value) for value in row.values()] for row in rows))
    else:
        sentence("nothing to list")


@contextmanager
def progress_bar(words: str) -> Iterator[Report]:
    """A bar on stderr that a command can move; silent where stderr is not a terminal."""
    console = _console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(words, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _console(**options: Any) -> Console:  # noqa: ANN401  # rich's own
    """Text as it is: no [bold], no :warning: and no colours for numbers."""
    return Console(markup=False, emoji=False, highlight=False, **options)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and len(value) == 64:
        return f"{value[:8]}..."  # a SHA-256: --json has all of it
    return f"{value:.3f}" if isinstance(value, float) else str(value)
