"""The subcommand that exports: one case, or several of which some may be held back."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Force, Json, WorkspaceChoice
from napari_medlabel.cli.text import note, print_json, progress_bar, sentence
from napari_medlabel.core.provenance import Onto
from napari_medlabel.errors import InputError, Refused
from napari_medlabel.session import Session, local_session

__all__ = ["export"]


def export(  # noqa: PLR0913  # one for each option
    cases: Annotated[
        list[str],
        typer.Argument(metavar="CASE", help="Cases: 12, 'Case 0012' or an id; one or several."),
    ],
    out: Annotated[
        Path, typer.Argument(readable=False, metavar="OUT", help="The folder to write into.")
    ],
    *,
    formats: Annotated[
        list[str], typer.Option("--format", help="nifti, nrrd or dicom-seg; may be repeated.")
    ] = ["nifti"],  # noqa: B006
    name: Annotated[
        str, typer.Option("--name", help="What the files are called; of one case only.")
    ] = "",
    version: Annotated[
        int, typer.Option("--version", help="A saved version; 0 is the present. Of one case only.")
    ] = 0,
    originals: Annotated[
        Path | None,
        typer.Option(
            "--source",
            readable=False,
            help="For dicom-seg: the image's folder; its patient is then named in the file.",
        ),
    ] = None,
    onto: Annotated[
        Onto,
        typer.Option("--onto", help="Of a resampled volume: its grid, or its source's slices."),
    ] = "grid",
    workspace: WorkspaceChoice = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write masks with labels, provenance and checksums, verified by reading them back."""
    session = local_session(workspace)
    if len(cases) > 1:
        if name or version or originals is not None:
            raise InputError("--name, --version and --source are for one case", "name one case")
        _export_several(session, cases, out, tuple(formats), onto, force=force, as_json=as_json)
        return
    answer = commands.export_case(
        session, cases[0], out, name=name, formats=tuple(formats), version=version,
        force=force, originals=originals, onto=onto,
    )  # fmt: skip
    if as_json:
        print_json(answer.document())
        return
    for file in answer.files:
        sentence(f"{file.path.name}  {file.bytes} bytes  sha256 {file.sha256[:8]}")
    for check in answer.checks:
        sentence(f"  {'ok' if check.ok else 'FAILED'}  {check.name}: {check.detail}")


def _export_several(  # noqa: PLR0913  # as `export`
    session: Session, cases: list[str], out: Path, formats: tuple[str, ...], onto: Onto, *,
    force: bool, as_json: bool,
) -> None:  # fmt: skip
    with progress_bar("Exporting") as progress:
        run = commands.export_cases(
            session, cases, out, formats=formats, force=force, onto=onto, progress=progress
        )
    if as_json:
        print_json(run.document())
    for row in run.rows if not as_json else ():
        if row.exported is None:
            note(f"{row.case.name}: {'held back' if row.refused else 'failed'}: {row.why}")
        else:
            sentence(f"{row.case.name}: verified, {len(row.exported.files)} files")
    of = f"of {len(run.rows)} cases"
    if run.held_back:
        raise Refused(f"{len(run.held_back)} {of} held back", "see: medlabel privacy show CASE")
    if run.failed:
        raise InputError(f"{len(run.failed)} {of} failed", "the others were written")
