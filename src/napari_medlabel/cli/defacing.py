"""The subcommand that takes faces out."""

from pathlib import Path
from typing import Annotated

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
    mode: FaceMode = ModeChoice.BLANK,
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
    margin: FaceMargin = 6.0,
    depth: FaceDepth = 62.0,
    ears: FaceEars = False,
    teeth: FaceTeeth = False,
    brow: FaceBrow = False,
    seed: FaceSeed = 0,
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
