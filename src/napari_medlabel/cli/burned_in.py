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

__all__ = ["burned_in", "say_burned_in"]


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
        say_burned_in(found)
        if redact is not None:
            sentence(
                f"{_many(done.files, 'file')} written, {done.changed} of them changed in "
                f"{_many(done.frames, 'frame')}; a second look found "
                f"{'only what is kept' if done.kept else 'nothing'}"
            )
    if found.unread:
        what = f"{_many(len(found.unread), 'picture')} could not be looked at: not checked"
        raise InputError(what, "--json says which, and why")


def say_burned_in(found: commands.BurnedIn) -> None:
    """What was found, for people."""
    if found.why_not:
        sentence(found.why_not)
        return
    singly = sum(one.one_by_one for one in found.looked)
    views = sum(one.projections for one in found.looked)
    looked = (
        f"looked at {_many(singly, 'frame')} one by one and at {_many(views, 'projection')} "
        f"of {_many(len(found.files), 'file')}"
    )
    # With a picture that nobody saw, "no text" would be a claim.
    if found.checked or found.findings:
        sentence(f"{_many(found.findings, 'text', none='no text')} found: {looked}")
    if found.unread:
        sentence(f"not checked: {_many(len(found.unread), 'picture')}; {looked}")
    # Names of files may be names of patients: only --json has them.
    files = sorted({*found.files, *(box.file for box in found.boxes)})
    numbers = {file: n for n, file in enumerate(files, 1)}
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


def _many(count: int, noun: str, *, none: str = "") -> str:
    """A number with its noun: "1 frame", "2 frames"."""
    if count == 0 and none:
        return none
    return f"{count} {noun}{'' if count == 1 else 's'}"
