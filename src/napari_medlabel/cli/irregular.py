"""The options that say what to do about slices which are no one right-angled grid."""

from typing import Annotated

import typer

from napari_medlabel.core.derivation import Irregular

__all__ = [
    "LargestRunChoice",
    "NearestChoice",
    "ResampleChoice",
    "SplitChoice",
    "StepChoice",
    "irregular_choice",
]

SplitChoice = Annotated[
    bool, typer.Option("--split", help="Every evenly spaced run of slices by itself.")
]
LargestRunChoice = Annotated[
    bool, typer.Option("--largest-run", help="Only the longest evenly spaced run of slices.")
]
ResampleChoice = Annotated[
    bool, typer.Option("--resample", help="Interpolate a right-angled grid; says so.")
]
StepChoice = Annotated[
    float | None,
    typer.Option("--step", metavar="MM", help="With --resample: between slices, in mm."),
]
NearestChoice = Annotated[
    bool, typer.Option("--nearest", help="With --resample: for labels, no values in between.")
]


def irregular_choice(
    split: bool,  # noqa: FBT001
    largest_run: bool,  # noqa: FBT001
    resample: bool,  # noqa: FBT001
    step: float | None,
    nearest: bool,  # noqa: FBT001
) -> Irregular:
    """The one choice that the options make.

    Raises
    ------
    typer.BadParameter
        If they make several, or say how to resample what is not to be resampled.
    """
    wanted: dict[Irregular, bool] = {
        "split": split,
        "largest-run": largest_run,
        "resample": resample,
    }
    chosen = [name for name, is_chosen in wanted.items() if is_chosen]
    if len(chosen) > 1:
        raise typer.BadParameter(f"choose one of --{chosen[0]} and --{chosen[1]}")
    if not resample and (step is not None or nearest):
        raise typer.BadParameter("--step and --nearest go with --resample")
    return chosen[0] if chosen else "refuse"
