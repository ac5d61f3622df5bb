"""The subcommands that de-identify headers, show that beforehand and verify it afterwards."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Force, Json, WorkspaceChoice
from napari_medlabel.cli.text import note, print_json, progress_bar, sentence, table
from napari_medlabel.errors import Refused
from napari_medlabel.session import Session, local_session

__all__ = ["deidentify", "pseudonyms"]


def deidentify(  # noqa: PLR0913  # one for each option
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
    """De-identify DICOM headers into a new folder, searched before it is released."""
    session = local_session(workspace)
    if verify is not None:
        if source is not None or preview:
            raise typer.BadParameter("--verify takes no SRC and no --preview: see --against")
        _verify(session, verify, against, as_json=as_json)
        return
    if against is not None or (values and not preview):
        raise typer.BadParameter("--against goes with --verify, --values with --preview")
    if keep_dates and shift_dates:
        raise typer.BadParameter("choose one of --keep-dates and --shift-dates")
    if source is None or (out is None and not preview):
        raise typer.BadParameter("name SRC and OUT")
    dates: commands.Dates | None = "kept" if keep_dates else "shifted" if shift_dates else None
    if preview or out is None:
        shown = commands.preview_deidentification(session, source, profile=profile, dates=dates)
        _print_preview(shown, values=values, as_json=as_json)
        return
    with progress_bar("De-identifying") as progress:
        done = commands.deidentify_folder(
            session, source, out, profile=profile, dates=dates, report=report, jobs=jobs,
            progress=progress,
        )  # fmt: skip
    if as_json:
        print_json(done.document())
        return
    for line in done.lines():
        sentence(line)
    note("what the pixels show was not looked at: see medlabel burned-in and medlabel deface")


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


def _verify(session: Session, folder: Path, against: Path | None, *, as_json: bool) -> None:
    with progress_bar("Searching") as progress:
        found = commands.verify_deidentified(session, folder, against=against, progress=progress)
    if as_json:
        print_json(found.document())
    else:
        searched = found.searched
        for name in found.changed:
            sentence(f"not as the certificate says: {name}")
        for one in searched.findings if searched else ():
            sentence(f"{one.file}: {one.kind}, {one.count} times in {one.where}")
        if searched is not None:
            sentence(
                f"{searched.strings} strings of {found.originals} originals looked for in "
                f"{searched.bytes} bytes of {searched.files} files; {searched.too_short} too short"
            )
        if found.ok:
            sentence("nothing was found" if searched else "all files are as the certificate says")
    if not found.ok:
        raise Refused("this folder is not to be released", "de-identify its originals again")


def _print_preview(shown: commands.Preview, *, values: bool, as_json: bool) -> None:
    document = shown.document(values=values)
    if as_json:
        print_json(document)
        return
    columns = [
        "Element",
        "Name",
        "Action",
        *(["Before", "After"] if values else []),
        "Why",
        "HIPAA",
    ]
    for number, series in enumerate(document["series"], 1):
        sentence(f"Series {number}")
        table(
            columns,
            (
                [one["path"] + one["tag"],
                    one["keyword"] or "private or unknown", one["action"],
                 *([one["before"][:40], one["after"][:40]] if values else []),
                 one["why"], one["safe_harbor"]]
                for one in series
            ),
        )  # fmt: skip
    for why in shown.refused:
        note(f"left out: {why}")
