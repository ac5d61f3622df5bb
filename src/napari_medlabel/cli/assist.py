"""The subcommands that answer prompts, without a window."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Force, Json, SeriesChoice, VolumeChoice
from napari_medlabel.cli.text import print_json, sentence, table
from napari_medlabel.session import local_session

__all__ = ["engines", "segment"]


def segment(  # noqa: PLR0913  # one for each option
    image: Annotated[
        Path, typer.Argument(readable=False, metavar="IMAGE", help="Any image medlabel opens.")
    ],
    *,
    prompts: Annotated[
        Path, typer.Option("--prompts", readable=False, help="JSON: see docs/interactive.md.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", readable=False, help="The mask: .nii.gz, .nii, .nrrd or .mha."),
    ],
    engine: Annotated[
        str, typer.Option("--engine", help="Which engine: see `medlabel engines`.")
    ] = "default",
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    series: SeriesChoice = "",
    volume: VolumeChoice = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Segment one object by prompts; the mask lies on the image's own grid."""
    done = commands.segment(
        local_session(), image, prompts, out, engine=engine, device=device, series=series,
        volume=volume, force=force,
    )  # fmt: skip
    if as_json:
        print_json(done.document())
    else:
        words = f"{done.ml:.1f} mL, {done.voxels} voxels, by {done.engine} on {done.device}"
        sentence(f"{done.file}: {words} in {done.seconds_preparing + done.seconds:.1f} s")


def engines(*, as_json: Json = False) -> None:
    """List what can answer prompts here, and why the others cannot."""
    document = commands.engines(local_session())
    if as_json:
        print_json(document)
        return
    rows = ((e["name"], e["title"], e["why_not"] or "ready") for e in document["engines"])
    table(("Engine", "What it is", "Here"), rows)
