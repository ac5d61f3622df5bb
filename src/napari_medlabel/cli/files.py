"""The subcommands that work on files and know no workspace."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.irregular import (
    LargestRunChoice,
    NearestChoice,
    ResampleChoice,
    SplitChoice,
    StepChoice,
    irregular_choice,
)
from napari_medlabel.cli.options import Force, Json, SeriesChoice, VolumeChoice
from napari_medlabel.cli.series_table import print_series
from napari_medlabel.cli.text import note, print_json, progress_bar, sentence, show
from napari_medlabel.errors import InputError
from napari_medlabel.session import local_session

__all__ = ["compare", "convert", "scan", "segments", "stats"]


def scan(
    path: Annotated[Path, typer.Argument(readable=False, help="A folder, file, zip or DICOMDIR.")],
    *,
    report: Annotated[
        bool, typer.Option("--report", help="Print each volume's geometry report, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the series found, with geometry and problems; never a patient's name."""
    with progress_bar("Scanning") as progress:
        found = commands.scan(local_session(), path, progress=progress)
    if as_json:
        print_json(found.document())
        return
    print_series(found.series, reports=report)
    if found.skipped:
        note(f"{len(found.skipped)} other files were skipped; --json says why")


def convert(  # noqa: PLR0913  # one for each option
    source: Annotated[
        Path, typer.Argument(readable=False, metavar="SRC", help="Any image that medlabel opens.")
    ],
    destination: Annotated[
        Path,
        typer.Argument(
            readable=False,
            metavar="DST",
            help=".ome.zarr, .nii, .nii.gz, .nrrd, .mha, or a folder with --all.",
        ),
    ],
    *,
    series: SeriesChoice = "",
    volume: VolumeChoice = 0,
    every: Annotated[
        bool, typer.Option("--all", help="Every volume that can be one, into the folder DST.")
    ] = False,
    kind: Annotated[str, typer.Option("--as", help="With --all: the files' suffix.")] = "nii.gz",
    split: SplitChoice = False,
    largest_run: LargestRunChoice = False,
    resample: ResampleChoice = False,
    step: StepChoice = None,
    nearest: NearestChoice = False,
    quantity: Annotated[
        str,
        typer.Option(
            help="What values are to be, where the series has it: SUVbw, Philips, 'real world'."
        ),
    ] = "",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Convert a series to one file with exact geometry, or refuse with the reason."""
    session = local_session()
    irregular = irregular_choice(split, largest_run, resample, step, nearest)
    if quantity and every:
        raise InputError("--quantity is for one volume, not for --all", "name a --series")
    with progress_bar("Converting") as progress:
        if every:
            answer = commands.convert_all(
                session, source, destination, kind=kind, irregular=irregular, step_mm=step,
                nearest=nearest, force=force, progress=progress,
            )  # fmt: skip
        else:
            answer = commands.convert(
                session, source, destination, series=series, volume=volume, irregular=irregular,
                step_mm=step, nearest=nearest, quantity=quantity, force=force, progress=progress,
            )  # fmt: skip
    if as_json:
        print_json(answer.document())
    else:
        for line in answer.lines():
            sentence(line)
    if answer.refused:
        count = len(answer.refused)
        volumes = f"{count} of {count + len(answer.volumes)} volumes"
        raise InputError(f"{volumes} {'was' if count == 1 else 'were'} refused", "see index.json")


def segments(
    mask: Annotated[
        Path, typer.Argument(readable=False, metavar="MASK", help="A DICOM SEG or an RTSTRUCT.")
    ],
    *,
    as_json: Json = False,
) -> None:
    """List the segments of a DICOM SEG or RTSTRUCT, to choose from for `import`."""
    document = commands.segments_of_mask(local_session(), mask)
    show(document, as_json=as_json, rows=document["segments"])


def stats(
    mask: Annotated[Path, typer.Argument(readable=False, metavar="MASK", help="A label file.")],
    *,
    image: Annotated[
        Path | None, typer.Option("--image", readable=False, help="The image below it.")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            "--csv", help="A new table with shapes too: axes, surface, centre, box, percentiles."
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Volume of each label in mL and voxels, and the image's values in it."""
    if table is not None:
        with progress_bar("Measuring") as progress:
            numbers = commands.mask_statistics(
                local_session(), mask, image=image, progress=progress
            )
        commands.write_statistics(local_session(), numbers, table, force=force)
    document = commands.stats(local_session(), mask, image=image)
    show(document, as_json=as_json, rows=document["labels"])


def compare(
    a: Annotated[Path, typer.Argument(readable=False, metavar="MASK_A")],
    b: Annotated[Path, typer.Argument(readable=False, metavar="MASK_B")],
    *,
    as_json: Json = False,
) -> None:
    """Dice, HD95, ASSD and volume difference of each label of two masks."""
    document = commands.compare(local_session(), a, b)
    show(document, as_json=as_json, rows=document["labels"])
