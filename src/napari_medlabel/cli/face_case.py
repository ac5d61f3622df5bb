"""The subcommand that takes the face out of a case's own image."""

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
from napari_medlabel.cli.options import CaseName, Json, WorkspaceChoice
from napari_medlabel.cli.text import print_json, progress_bar, sentence
from napari_medlabel.session import local_session

__all__ = ["deface_case"]


def deface_case(  # noqa: PLR0913  # one for each option
    case: CaseName,
    *,
    mode: FaceMode = ModeChoice.BLANK,
    margin: FaceMargin = 6.0,
    depth: FaceDepth = 62.0,
    ears: FaceEars = False,
    teeth: FaceTeeth = False,
    brow: FaceBrow = False,
    seed: FaceSeed = 0,
    accept_uncertain: Annotated[
        bool,
        typer.Option("--accept-uncertain", help="You have looked: go on where it is not clear."),
    ] = False,
    accept_labelled: Annotated[
        bool, typer.Option("--accept-labelled", help="Labelled voxels may lose their image, too.")
    ] = False,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """Take the face out of a case's own image; its source and its labels stay as they are."""
    plan = commands.FacePlan(mode.value, margin, depth, ears, teeth, brow, seed)
    with progress_bar("Defacing") as progress:
        answer = commands.deface_case(
            local_session(workspace), case, plan, accept_uncertain=accept_uncertain,
            accept_labelled=accept_labelled, progress=progress,
        )  # fmt: skip
    document = answer.document()
    if as_json:
        print_json(document)
        return
    sentence(f"{answer.verdict}: {answer.why}")
    if answer.changed:
        sentence(
            f"{document['voxels_removed']} voxels of the image taken out, none of the brain, "
            f"{document['labelled_voxels_removed']} of them labelled; the labels are as they were"
        )
