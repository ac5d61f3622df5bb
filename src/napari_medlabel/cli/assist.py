"""The subcommands that answer prompts, without a window."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Force, Json, SeriesChoice, VolumeChoice
from napari_medlabel.cli.text import note, print_json, sentence, table
from napari_medlabel.session import local_session

__all__ = ["engines", "segment"]


def segment(  # noqa: PLR0913  # one for each option
    image: Annotated[
        Path, typer.Argument(readable=False, metavar="IMAGE", help="Any image medlabel opens.")
    ],
    *,
    out: Annotated[
        Path,
        typer.Option("--out", readable=False, help="The mask: .nii.gz, .nii, .nrrd or .mha."),
    ],
    prompts: Annotated[
        Path | None,
        typer.Option("--prompts", readable=False, help="JSON: see docs/interactive.md."),
    ] = None,
    automatic: Annotated[
        list[str],
        typer.Option(
            "--automatic", metavar="NAME", help="What the engine finds by itself; may be repeated."
        ),
    ] = [],  # noqa: B006
    engine: Annotated[
        str, typer.Option("--engine", help="Which engine: see `medlabel engines`.")
    ] = "default",
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    series: SeriesChoice = "",
    volume: VolumeChoice = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Segment an object by prompts, or by its name; the mask lies on the image's own grid."""
    done = commands.segment(
        local_session(), image, prompts, out, automatic=automatic, engine=engine, device=device,
        series=series, volume=volume, force=force,
    )  # fmt: skip
    if as_json:
        print_json(done.document())
    else:
        words = f"{done.ml:.1f} mL, {done.voxels} voxels, by {done.engine} on {done.device}"
        sentence(f"{done.file}: {words} in {done.seconds_preparing + done.seconds:.1f} s")
        if len(done.labels) > 1:
            sentence(", ".join(f"{value}: {name}" for value, name in done.labels.items()))
        if done.note:
            note(done.note)


def engines(*, as_json: Json = False) -> None:
    """List what can answer prompts here, and why the others cannot."""
    document = commands.engines(local_session())
    if as_json:
        print_json(document)
        return
    rows = (
        (e["name"], e["title"], _few(e["finds"]), e["why_not"] or "ready")
        for e in document["engines"]
    )
    table(("Engine", "What it is", "Finds by name", "Here"), rows, folds="Here")


def _few(names: list[str]) -> str:
    """Some of many names; --json has all."""
    return (
        ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:2])} and {len(names) - 2} more"
    )
