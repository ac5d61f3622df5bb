"""The subcommand that looks for text in pixels, and takes it out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Force, Json
from napari_medlabel.cli.text import note, print_json, progress_bar, sentence, table
from napari_medlabel.errors import InputError
from napari_medlabel.session import local_session

__all__ = ["burned_in"]


def burned_in(  # noqa: PLR0913  # one for each option
    source: Annotated[
        Path,
        typer.Argument(
            readable=False, metavar="SRC", help="DICOM (folder, file, zip, DICOMDIR), NIfTI, NRRD."
        ),
    ],
    *,
    redact: Annotated[
        Path | None,
        typer.Option(
            "--redact",
            readable=False,
            metavar="OUT",
            help="Write copies without the text: a new folder, or for one file a new file.",
        ),
    ] = None,
    keep: Annotated[
        list[int], typer.Option("--keep", help="A finding's number that stays; repeat.")
    ] = [],  # noqa: B006
    allow_marks: Annotated[
        bool, typer.Option("--allow-marks", help="Pass over sides (R, L, ...) and scale bars.")
    ] = False,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Do not rely on projections of a series.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Look for text in the pixels; --redact writes copies without it and looks again."""
    session = local_session()
    if keep and redact is None:
        raise InputError("--keep is for --redact", "add --redact OUT")
    with progress_bar("Looking for text") as progress:
        if redact is None:
            found = commands.burned_in(
                session, source, allow_marks=allow_marks, every_frame=every_frame,
                progress=progress,
            )  # fmt: skip
            document = found.document()
        else:
            done = commands.redact_burned_in(
                session, source, redact, keep=keep, allow_marks=allow_marks,
                every_frame=every_frame, force=force, progress=progress,
            )  # fmt: skip
            found, document = done.before, done.document()
    if as_json:
        print_json(document)
    else:
        _say(found)
        if redact is not None:
            sentence(
                f"{done.files} files written, {done.changed} of them changed in {done.frames} "
                f"frames; a second look found {_texts(len(done.kept), 'kept')}"
            )
    if found.unread:
        count = len(found.unread)
        what = f"{count} {'picture' if count == 1 else 'pictures'} could not be looked at"
        raise InputError(f"{what}: not checked", "--json says which, and why")


def _say(found: commands.BurnedIn) -> None:
    if found.why_not:
        sentence(found.why_not)
        return
    frames = sum(one.frames for one in found.looked)
    singly = sum(one.one_by_one for one in found.looked)
    views = sum(one.projections for one in found.looked)
    sentence(
        f"{_texts(found.findings, 'found')} in {frames} frames of {len(found.files)} files: "
        f"looked at {singly} one by one and at {views} projections"
    )
    # Names of files may be names of patients: only --json has them.
    numbers = {file: n for n, file in enumerate(found.files, 1)}
    if found.findings:
        table(
            ("#Finding", "#Frames", "#First in file", "#Frame", "#Left", "#Top", "#Width",
             "#Height", "#Score"),
            (_row(found, n, numbers) for n in sorted({box.finding for box in found.boxes})),
        )  # fmt: skip
        note("files are counted by name; --json names them")


def _row(found: commands.BurnedIn, number: int, numbers: dict[str, int]) -> Sequence[object]:
    boxes = [box for box in found.boxes if box.finding == number]
    first = boxes[0]
    return (
        number, len(boxes), numbers[first.file], first.frame + 1, first.left, first.top,
        first.width, first.height, f"{max(box.score for box in boxes):.2f}",
    )  # fmt: skip


def _texts(count: int, how: str) -> str:
    if count == 0:
        return "no text" if how == "found" else "nothing"
    return f"1 text {how}" if count == 1 else f"{count} texts {how}"
