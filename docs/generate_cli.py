"""Write docs/cli.md from the program itself: python docs/generate_cli.py."""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from napari_medlabel.cli.program import app

PAGE = Path(__file__).parent / "cli.md"

HEAD = """\
<!-- Written by docs/generate_cli.py from the program; a test holds it to it. -->

# Command line

`medlabel` does without a window what the window does: both call the same commands, which check
permissions and record what was done.

- **Exit codes**: 0 done · 1 a problem with the input, said in one line on stderr with what to do ·
  2 a wrong option or a missing argument · 3 refused: not permitted, or not releasable · 70 a bug ·
  130 and 143 called off, by Ctrl-C and by SIGTERM, with nothing half-written left behind.
- **`--json`** prints one JSON document on stdout and nothing else.
- **Progress** goes to stderr, and is silent when stderr is not a terminal.
- **Nothing is overwritten** without `--force`, and nothing half-written stays behind.
- Neither output nor error messages hold a value from a patient's header.
"""


def page() -> str:
    """The whole page."""
    group: Any = typer.main.get_command(app)
    return "\n".join([HEAD, *_commands(group, "medlabel")])


def _commands(group: Any, path: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if command.hidden:
            continue
        yield from _command(command, f"{path} {name}")
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path} {name}")


def _command(command: Any, path: str) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument" and not p.hidden]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    names = [_argument(argument) for argument in arguments]
    usage = [path, *names, "[OPTIONS]" if options else ""]
    if hasattr(command, "commands"):
        usage = [path, "COMMAND"]
    yield from (f"## {path}\n", inspect.cleandoc(command.help or "").strip(), "")
    yield from ("```text", " ".join(filter(None, usage)), "```", "")
    rows = [
        *((name, argument) for name, argument in zip(names, arguments, strict=True)),
        *((_option(option), option) for option in options),
    ]
    if rows:
        yield from ("| | |", "|---|---|")
        yield from (f"| `{name}` | {_meaning(param)} |" for name, param in rows)
        yield ""


def _argument(param: Any) -> str:
    name = (param.metavar or param.name.upper()).strip("[]")
    name += " …" if param.nargs == -1 else ""
    return name if param.required else f"[{name}]"


def _option(param: Any) -> str:
    names = ", ".join(param.opts) + "".join(f" / {name}" for name in param.secondary_opts)
    if param.is_flag:
        return names
    return f"{names} {param.metavar or param.opts[0].strip('-').replace('-', '_').upper()}"


def _meaning(param: Any) -> str:
    words = [(param.help or "").replace("|", "\\|")]
    if param.param_type_name == "option" and param.required:
        words.append("Required.")
    if param.default not in (None, "", False, 0, (), []) and not param.required:
        values = param.default if isinstance(param.default, list | tuple) else [param.default]
        words.append("Default: " + ", ".join(f"`{value}`" for value in values) + ".")
    return " ".join(filter(None, words))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")
