"""Answers as text for people: tables on stdout, complaints and progress on stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

__all__ = ["complain", "note", "print_json", "progress_bar", "sentence", "table"]

WIDE: Final = 240
Report = Callable[[int, int], None]


def complain(what: str, hint: str) -> None:
    """One line on stderr: what is wrong, and what to do."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    words = " ".join(what.split())  # a newline in a path stays one line
    console.print(f"medlabel: {words}{f'. {_capital(hint)}' if hint else ''}", markup=False)


def note(text: str) -> None:
    """A line for people on stderr, beside the answer."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(text, markup=False)


def sentence(text: str) -> None:
    """A line of the answer on stdout."""
    Console(soft_wrap=True, highlight=False).print(text, markup=False)


def print_json(document: Mapping[str, Any]) -> None:
    """The answer as one JSON document on stdout."""
    Console(soft_wrap=True).out(json.dumps(document, ensure_ascii=False), highlight=False)


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A calm table on stdout; columns whose name ends in a unit or count stand at the right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    names = list(columns)
    for name in names:
        drawn.add_column(name, justify="right" if name.startswith("#") else "left", overflow="fold")
        drawn.columns[-1].header = name.removeprefix("#")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    # A file or a pipe has no width of its own: rows stay whole there.
    console = Console() if sys.stdout.isatty() else Console(width=WIDE)
    console.print(drawn, markup=False)


@contextmanager
def progress_bar(words: str) -> Iterator[Report]:
    """A bar on stderr that a command can move; silent where stderr is not a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(words, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
