"""Options of what is to be done about a face, of every subcommand that takes them out."""

from enum import StrEnum
from typing import Annotated

import typer

__all__ = [
    "FaceBrow",
    "FaceDepth",
    "FaceEars",
    "FaceMargin",
    "FaceMode",
    "FaceSeed",
    "FaceTeeth",
    "ModeChoice",
]


class ModeChoice(StrEnum):
    """What comes in the place of a face."""

    BLANK = "blank"
    BLUR = "blur"
    NOISE = "noise"


FaceMode = Annotated[
    ModeChoice, typer.Option("--mode", help="Air, or a smooth front of noise or of blurred flesh.")
]
FaceMargin = Annotated[
    float, typer.Option("--margin", help="Millimetres kept from the brain, 2 to 30.")
]
FaceDepth = Annotated[
    float, typer.Option("--depth", help="Millimetres behind the glabella, 40 to 90.")
]
FaceEars = Annotated[bool, typer.Option("--ears", help="Take out the ears, too.")]
FaceTeeth = Annotated[bool, typer.Option("--teeth", help="Take out all teeth, too.")]
FaceBrow = Annotated[bool, typer.Option("--brow", help="Take out brow and lower forehead, too.")]
FaceSeed = Annotated[int, typer.Option("--seed", help="Of the noise.")]
