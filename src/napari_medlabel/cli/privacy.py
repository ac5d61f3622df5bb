"""The subcommands that de-identify, show that beforehand and verify it afterwards."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from napari_medlabel import commands
from napari_medlabel.cli.face_options import (
    FaceBrow,
    FaceDepth,
    FaceEars,
    FaceMargin,
    FaceMode,
    FaceSeed,
    FaceTeeth,
    ModeChoice,
)
from napari_medlabel.cli.options import Force, Json, WorkspaceChoice
from napari_medlabel.cli.privacy_text import print_preview, verify_folder
from napari_medlabel.cli.text import note, print_json, progress_bar, sentence
from napari_medlabel.session import local_session

__all__ = ["deidentify", "pseudonyms"]


class TextChoice(StrEnum):
    """What is done about text in pixels."""

    OFF = "off"
    FIND = "find"
    REDACT = "redact"


class FaceChoice(StrEnum):
    """What is done about faces."""

    OFF = "off"
    FIND = "find"
    REMOVE = "remove"


def deidentify(  # noqa: C901, PLR0913  # one for each option
    source: Annotated[
        Path | None,
        typer.Argument(readable=False, metavar="SRC", help="A folder, file, zip or DICOMDIR."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Argument(readable=False, metavar="OUT", help="The new folder; SRC is not touched."),
    ] = None,
    *,
    profile: Annotated[
        str, typer.Option("--profile", help="A TOML file, or basic: see docs/privacy.md.")
    ] = "basic",
    keep_dates: Annotated[
        bool, typer.Option("--keep-dates", help="Keep dates and times as they are.")
    ] = False,
    shift_dates: Annotated[
        bool, typer.Option("--shift-dates", help="Move each patient's dates by as many days.")
    ] = False,
    burned_in: Annotated[
        TextChoice, typer.Option("--burned-in", help="Look for text in the pixels, or fill it.")
    ] = TextChoice.OFF,
    keep_text: Annotated[
        list[int] | None,
        typer.Option("--keep-text", help="A finding of --preview that stays; again for each."),
    ] = None,
    allow_marks: Annotated[
        bool, typer.Option("--allow-marks", help="Pass over letters of sides and scale bars.")
    ] = False,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Look for text in each frame by itself.")
    ] = False,
    accept_unread: Annotated[
        bool, typer.Option("--accept-unread", help="Write what cannot be looked at for text.")
    ] = False,
    face: Annotated[
        FaceChoice, typer.Option("--face", help="Look for faces, or take them out.")
    ] = FaceChoice.OFF,
    mode: FaceMode = ModeChoice.BLANK,
    margin: FaceMargin = 6.0,
    depth: FaceDepth = 62.0,
    ears: FaceEars = False,
    teeth: FaceTeeth = False,
    brow: FaceBrow = False,
    seed: FaceSeed = 0,
    keep_face: Annotated[
        bool, typer.Option("--keep-face", help="Faces that are found stay; needs --reason.")
    ] = False,
    accept_uncertain: Annotated[
        bool,
        typer.Option("--accept-uncertain", help="You have looked: go on where it is not clear."),
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why something stays: stands in the certificate.")
    ] = "",
    report: Annotated[
        Path | None, typer.Option("--report", readable=False, help="Write the report here, too.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that share the work.")] = 1,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what would be done, element by element.")
    ] = False,
    values: Annotated[
        bool, typer.Option("--values", help="With --preview: show values, which name patients.")
    ] = False,
    verify: Annotated[
        Path | None,
        typer.Option("--verify", readable=False, metavar="OUT", help="Check a folder instead."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", readable=False, metavar="SRC", help="With --verify: originals."),
    ] = None,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """De-identify headers, text in pixels and faces into a new folder, proved before release."""
    session = local_session(workspace)
    if verify is not None:
        if source is not None or preview:
            raise typer.BadParameter("--verify takes no SRC and no --preview: see --against")
        verify_folder(session, verify, against, as_json=as_json)
        return
    if against is not None or (values and not preview):
        raise typer.BadParameter("--against goes with --verify, --values with --preview")
    if keep_dates and shift_dates:
        raise typer.BadParameter("choose one of --keep-dates and --shift-dates")
    if source is None or (out is None and not preview):
        raise typer.BadParameter("name SRC and OUT")
    dates: commands.Dates | None = "kept" if keep_dates else "shifted" if shift_dates else None
    text = faces = None
    if burned_in is not TextChoice.OFF:
        wanted: Literal["find", "redact"] = "redact" if burned_in is TextChoice.REDACT else "find"
        kept = frozenset(keep_text or ())
        text = commands.TextWish(wanted, kept, accept_unread, reason, allow_marks, every_frame)
    if face is not FaceChoice.OFF:
        plan = commands.FacePlan(mode.value, margin, depth, ears, teeth, brow, seed)
        action: Literal["find", "remove"] = "remove" if face is FaceChoice.REMOVE else "find"
        faces = commands.FaceWish(action, plan, keep_face, accept_uncertain, reason)
    if preview or out is None:
        with progress_bar("Looking") as progress:
            shown = commands.preview_deidentification(
                session, source, profile=profile, dates=dates, burned_in=text, face=faces,
                progress=progress,
            )  # fmt: skip
        print_preview(shown, values=values, as_json=as_json)
        return
    with progress_bar("De-identifying") as progress:
        done = commands.deidentify_folder(
            session, source, out, profile=profile, dates=dates, burned_in=text, face=faces,
            report=report, jobs=jobs, progress=progress,
        )  # fmt: skip
    if as_json:
        print_json(done.document())
        return
    for line in done.lines():
        sentence(line)
    missing = [name for name, wish in (("--burned-in", text), ("--face", faces)) if wish is None]
    if missing:
        note(f"not looked at what the pixels show: see {' and '.join(missing)}")


def pseudonyms(
    out: Annotated[
        Path, typer.Argument(readable=False, metavar="OUT", help="A new JSON file, in the clear.")
    ],
    *,
    workspace: WorkspaceChoice = None,
    force: Force = False,
) -> None:
    """Write who is behind each pseudonym of the workspace; needs the permission to learn it."""
    count = commands.export_pseudonyms(local_session(workspace), out, force=force)
    sentence(f"{count} patients written: this file names them, keep it where nobody else reads")
