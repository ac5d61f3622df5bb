"""The subcommand that takes faces out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.irregular import (
    LargestRunChoice,
    ResampleChoice,
    StepChoice,
    irregular_choice,
)
from napari_medlabel.cli.options import Force, Json, SeriesChoice, VolumeChoice
from napari_medlabel.cli.text import print_json, progress_bar, sentence
from napari_medlabel.errors import Refused
from napari_medlabel.session import local_session

__all__ = ["deface"]


class ModeChoice(StrEnum):
    """What comes in the place of a face."""

    BLANK = "blank"
    BLUR = "blur"
    NOISE = "noise"


def deface(  # noqa: PLR0913  # one for each option
    source: Annotated[
        Path, typer.Argument(readable=False, metavar="SRC", help="Any image that medlabel opens.")
    ],
    destination: Annotated[
        Path,
        typer.Argument(
            readable=False,
            metavar="DST",
            help=".nii.gz, .nii, .nrrd, .mha, .ome.zarr; for DICOM also a new folder of copies.",
        ),
    ],
    *,
    mode: Annotated[
        ModeChoice,
        typer.Option("--mode", help="Air, or a generic face of noise or of blurred flesh."),
    ] = ModeChoice.BLANK,
    mask: Annotated[
        Path | None,
        typer.Option("--mask", readable=False, help="Write the mask of what was taken out, too."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", readable=False, help="Write the report, too: JSON.")
    ] = None,
    accept_uncertain: Annotated[
        bool,
        typer.Option("--accept-uncertain", help="You have looked: go on where it is not clear."),
    ] = False,
    margin: Annotated[
        float, typer.Option("--margin", help="Millimetres kept from the brain, 2 to 30.")
    ] = 6.0,
    depth: Annotated[
        float, typer.Option("--depth", help="Millimetres behind the glabella, 40 to 90.")
    ] = 62.0,
    ears: Annotated[bool, typer.Option("--ears", help="Take out the ears, too.")] = False,
    teeth: Annotated[bool, typer.Option("--teeth", help="Take out all teeth, too.")] = False,
    brow: Annotated[
        bool, typer.Option("--brow", help="Take out brow and lower forehead, too.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Of the noise.")] = 0,
    series: SeriesChoice = "",
    volume: VolumeChoice = 0,
    largest_run: LargestRunChoice = False,
    resample: ResampleChoice = False,
    step: StepChoice = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Find whether there is a face, take it out without touching the brain, and prove it."""
    irregular = irregular_choice(False, largest_run, resample, step, False)  # noqa: FBT003
    plan = commands.FacePlan(
        mode=mode.value, margin_mm=margin, depth_mm=depth, ears=ears, teeth=teeth, brow=brow,
        seed=seed,
    )  # fmt: skip
    with progress_bar("Defacing") as progress:
        answer = commands.deface(
            local_session(), source, destination, series=series, volume=volume, plan=plan,
            mask=mask, report=report, accept_uncertain=accept_uncertain,
            irregular=irregular, step_mm=step, force=force, progress=progress,
        )  # fmt: skip
    document = answer.document()
    if as_json:
        print_json(document)
    else:
        sentence(f"{answer.verdict}: {answer.why}")
        if answer.verdict == "face-removed":
            sentence(
                f"{document['voxels_removed']} voxels taken out, none of the brain"
                f"{_distance(document['nearest_brain_mm'])}; of the face's surface "
                f"{document['face_points_matched_before']:.0%} was there before and "
                f"{document['face_points_matched_after']:.0%} is now"
            )
    if not answer.written:
        raise Refused(
            f"nothing was written: {answer.verdict}, {answer.why}",
            "look at it, and say --accept-uncertain if it may go on",
        )


def _distance(nearest_mm: float | None) -> str:
    return "" if nearest_mm is None else f" ({nearest_mm:.1f} mm from it)"
