"""The program, and what options of several subcommands have in common."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CaseName",
    "Force",
    "Json",
    "SeriesChoice",
    "VolumeChoice",
    "WorkspaceChoice",
    "app",
]

app = typer.Typer(
    name="medlabel",
    help="Label CT and MR slice by slice: offline, exact, sealed at rest, with provenance.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there already.")]
SeriesChoice = Annotated[
    str, typer.Option("--series", help="Which series: its number or UID as `scan` lists it.")
]
VolumeChoice = Annotated[
    int, typer.Option("--volume", help="Which volume of a series with several, from 1; 0 asks.")
]
# readable=False: what cannot be read is told by the command, in its words and with its exit code.
WorkspaceChoice = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        readable=False,
        help="The workspace's folder; your personal one without this.",
    ),
]
CaseName = Annotated[str, typer.Argument(metavar="CASE", help="A case: 12, 'Case 0012' or its id.")]
