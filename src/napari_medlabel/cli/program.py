"""The subcommands of `medlabel`: each a few lines between its options and a command."""

import importlib
import importlib.util
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import typer.main

from napari_medlabel import __version__, commands
from napari_medlabel.cli import assist, files
from napari_medlabel.cli.annotations import annotations
from napari_medlabel.cli.automatic import auto
from napari_medlabel.cli.burned_in import burned_in
from napari_medlabel.cli.defacing import deface
from napari_medlabel.cli.exporting import export
from napari_medlabel.cli.face_case import deface_case
from napari_medlabel.cli.irregular import (
    LargestRunChoice,
    NearestChoice,
    ResampleChoice,
    SplitChoice,
    StepChoice,
    irregular_choice,
)
from napari_medlabel.cli.models import models_app
from napari_medlabel.cli.options import (
    CaseName,
    Force,
    Json,
    SeriesChoice,
    VolumeChoice,
    WorkspaceChoice,
    app,
)
from napari_medlabel.cli.privacy import deidentify, pseudonyms
from napari_medlabel.cli.privacy_state import privacy_app
from napari_medlabel.cli.risk import risk
from napari_medlabel.cli.text import print_json, progress_bar, sentence, show, table
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.errors import ExtraMissing, InputError
from napari_medlabel.session import Session, local_session

__all__ = ["app", "run"]

QT_BINDINGS: Final = ("PySide6", "PyQt6", "PySide2", "PyQt5")
SCREENS: Final = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")

# Any mistake in the words. Typer has click inside or, when older, beside it: this is that one.
_Usage: Final[type[Exception]] = typer.BadParameter.__mro__[1]


def run(words: Sequence[str]) -> int:
    """Run one subcommand; all errors but those of usage are left to the caller.

    Parameters
    ----------
    words
        What stands after `medlabel`.

    Returns
    -------
    int
        The exit code.
    """
    # Not `app()`: that would make an end of its own of every Ctrl-C.
    command: Any = typer.main.get_command(app)
    try:
        with command.make_context("medlabel", list(words)) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    except _Usage as error:
        error.show()  # type: ignore[attr-defined]
        return 2
    return 0


@app.callback(invoke_without_command=True)
def medlabel(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,  # noqa: FBT002
) -> None:
    """Label CT and MR slice by slice: offline, exact, sealed at rest, with provenance."""
    if version:
        sentence(f"medlabel {__version__}")
        raise typer.Exit


app.command()(files.scan)
app.command()(files.convert)
app.command()(deface)
app.command("deface-case")(deface_case)
app.command()(assist.segment)
app.command()(assist.engines)
app.add_typer(models_app)
app.command()(auto)
app.command()(deidentify)
app.command()(pseudonyms)
app.add_typer(privacy_app)
app.command(name="burned-in")(burned_in)
app.command()(risk)


@app.command(name="import")
def import_(  # noqa: PLR0913  # one for each option
    source: Annotated[
        Path, typer.Argument(readable=False, metavar="SRC", help="Any image that medlabel opens.")
    ],
    *,
    series: SeriesChoice = "",
    volume: VolumeChoice = 0,
    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask", readable=False, help="Labels: any mask, a DICOM SEG or an RTSTRUCT."
        ),
    ] = None,
    segments: Annotated[
        list[str], typer.Option("--segment", help="Of a SEG or RTSTRUCT: only this one; repeat.")
    ] = [],  # noqa: B006
    on_top: Annotated[
        list[str],
        typer.Option("--on-top", help="Lay overlapping segments flat, this on top; repeat."),
    ] = [],  # noqa: B006
    schema: Annotated[
        Path | None,
        typer.Option("--schema", readable=False, help="Names and colours: .labels.json."),
    ] = None,
    split: SplitChoice = False,
    largest_run: LargestRunChoice = False,
    resample: ResampleChoice = False,
    step: StepChoice = None,
    nearest: NearestChoice = False,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """Bring a series into the sealed workspace as a case."""
    session = local_session(workspace)
    choice = Choice(irregular_choice(split, largest_run, resample, step, nearest), step, nearest)
    with progress_bar("Importing") as progress:
        case = commands.import_series(
            session, source, series=series, volume=volume, choice=choice, mask=mask,
            schema=_schema(schema), segments=segments, on_top=on_top, progress=progress,
        )  # fmt: skip
    if as_json:
        print_json({"format": 1, "case": commands.case_document(session, case)})
    else:
        sentence(f"{case.name}: {case.modality or 'image'}, {_shape(case.shape)}")


app.command()(files.segments)


@app.command(name="list")
def list_(*, workspace: WorkspaceChoice = None, as_json: Json = False) -> None:
    """List the cases of the workspace, by pseudonym."""
    session = local_session(workspace)
    cases = commands.recent_cases(session)
    documents = [commands.case_document(session, case) for case in cases]
    if as_json:
        print_json({"format": 1, "cases": documents})
        return
    table(
        ("Case", "Modality", "State", "Grid", "#Segments", "#Versions", "Opened (UTC)"),
        (
            (d["name"], d["modality"], d["state"], _shape(d["shape"]), d["segments"],
             d["versions"], d["opened"][:16].replace("T", " "))
            for d in documents
        ),
    )  # fmt: skip


app.command()(export)
app.command()(annotations)
app.command()(files.stats)
app.command()(files.compare)


@app.command()
def versions(
    segmentation: CaseName, *, workspace: WorkspaceChoice = None, as_json: Json = False
) -> None:
    """List the saved versions of a case's segmentation."""
    document = commands.versions(local_session(workspace), segmentation)
    show(document, as_json=as_json, rows=document["versions"])


@app.command()
def restore(
    segmentation: CaseName,
    version: Annotated[int, typer.Argument(help="The version's number.")],
    *,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """Make a saved version the present state: one step that can be undone."""
    document = commands.restore(local_session(workspace), segmentation, version)
    if as_json:
        print_json(document)
    else:
        sentence(f"version {version} is the present state; {document['voxels']} voxels changed")


@app.command()
def diff(
    segmentation: CaseName,
    old: Annotated[int, typer.Argument(metavar="VERSION")],
    new: Annotated[int, typer.Argument(metavar="[VERSION]")] = 0,
    *,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """What changed between two versions, or from a version to the present (0)."""
    document = commands.diff(local_session(workspace), segmentation, old, new)
    show(document, as_json=as_json, rows=document["labels"])


@app.command()
def doctor(
    *,
    network: Annotated[
        bool, typer.Option("--network", help="Show that nothing can connect.")
    ] = False,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """What this computer can do: environment, extras, key keeping, proof of no network."""
    document = commands.doctor(local_session(workspace), network=network)
    show(document, as_json=as_json, rows=document["checks"])


@app.command()
def demo(
    out: Annotated[
        Path, typer.Argument(readable=False, metavar="OUT", help="A new or empty folder.")
    ],
    *,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """The whole job on a generated head, without a window; OUT/report.html shows it."""
    with progress_bar("Demo") as progress:
        document = commands.demo(local_session(), out, force=force, progress=progress)
    if as_json:
        print_json(document)
        return
    table(("Step", "#Seconds"), ((s["name"], f"{s['seconds']:.1f}") for s in document["steps"]))
    for check in document["checks"]:
        sentence(f"  {'ok' if check['ok'] else 'FAILED'}  {check['name']}: {check['detail']}")
    sentence(f"Look at {out / 'report.html'}")


@app.command(name="open")
def open_(
    source: Annotated[
        Path | None, typer.Argument(readable=False, metavar="[SRC]", help="What to open.")
    ] = None,
    *,
    workspace: WorkspaceChoice = None,
) -> None:
    """Open the window, on SRC where it is given."""
    # Unlike `Path.exists`, this says no to a name that no file can have.
    if source is not None and not os.path.exists(source):  # noqa: PTH110
        raise InputError("there is nothing at that path", "check its spelling")
    _start_window(local_session(workspace), source)


def _start_window(session: Session, source: Path | None) -> None:
    """By name, so that the command line itself needs neither Qt nor a screen."""
    if not any(importlib.util.find_spec(name) for name in QT_BINDINGS):
        raise ExtraMissing.named("pyside", "the window")
    if sys.platform == "linux" and not any(map(os.environ.get, SCREENS)):
        raise InputError("there is no screen here", "start it in a desktop session")
    window: Any = importlib.import_module("napari_medlabel.ui.window")
    # While Qt waits for events no Python runs, nor would a handler of ours: let the system end it.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    window.open_window(source, session)
    importlib.import_module("napari").run()


def _shape(shape: Any) -> str:  # noqa: ANN401  # a tuple or a JSON list
    return " x ".join(str(n) for n in shape)


def _schema(path: Path | None) -> LabelSchema | None:
    if path is None:
        return None
    try:
        return LabelSchema.from_document(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError("the schema file cannot be read", "it is a .labels.json file") from error
