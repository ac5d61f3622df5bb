"""The subcommand that finds a known part of the body, without a model or a window."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Force, Json, SeriesChoice, VolumeChoice
from napari_medlabel.cli.text import print_json, progress_bar, sentence
from napari_medlabel.core.automatic import PARTS
from napari_medlabel.session import local_session

__all__ = ["auto"]

_NAMES = ", ".join(part.id for part in PARTS)


def auto(  # noqa: PLR0913  # one for each option
    image: Annotated[
        Path, typer.Argument(readable=False, metavar="IMAGE", help="Any image medlabel opens.")
    ],
    *,
    what: Annotated[str, typer.Option("--what", metavar="PART", help=f"One of: {_NAMES}.")],
    out: Annotated[
        Path,
        typer.Option("--out", readable=False, help="The mask: .nii.gz, .nii, .nrrd or .mha."),
    ],
    series: SeriesChoice = "",
    volume: VolumeChoice = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Find a known part of the body by rules; the mask lies on the image's own grid."""
    with progress_bar("Finding") as progress:
        done = commands.find_part(
            local_session(), image, what, out, series=series, volume=volume, force=force,
            progress=progress,
        )  # fmt: skip
    if as_json:
        print_json(done.document())
        return
    sentence(f"{done.file}: {done.name}, {done.ml:.1f} mL in {done.seconds:.1f} s")
    for note in done.notes:
        sentence(f"  {note}")
