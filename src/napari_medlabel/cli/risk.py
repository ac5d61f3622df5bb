"""The subcommand that tells how many cases look alike."""

from pathlib import Path
from typing import Annotated

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Json
from napari_medlabel.cli.text import print_json, sentence, table
from napari_medlabel.session import local_session

__all__ = ["risk"]

_SHOWN = 20


def risk(
    folder: Annotated[
        Path,
        typer.Argument(
            readable=False, metavar="FOLDER", help="DICOM files, or a CSV table with a row a case."
        ),
    ],
    *,
    quasi: Annotated[
        str,
        typer.Option("--quasi", help="What others may know: age,sex,study-date,weight, ..."),
    ] = "age,sex",
    k: Annotated[int, typer.Option("--k", help="How many are to look alike at least.")] = 5,
    as_json: Json = False,
) -> None:
    """k-anonymity: which cases are alone, and what generalisation would mend it."""
    names = [name.strip() for name in quasi.split(",") if name.strip()]
    document = commands.risk(local_session(), folder, quasi=names, wanted_k=k)
    if as_json:
        print_json(document)
        return
    asked = ", ".join(one["name"] for one in document["quasi"])
    sentence(
        f"k = {document['k']} over {asked}: {document['cases']} cases in "
        f"{document['groups']} groups, {len(document['alone'])} alone"
    )
    if document["alone"]:
        more = len(document["alone"]) - _SHOWN
        words = ", ".join(document["alone"][:_SHOWN])
        sentence(f"alone: {words}{f' and {more} more' if more > 0 else ''}")
    if document["mends"]:
        rows = (
            (one["k"], "; ".join(f"{name}: {how}" for name, how in one["generalise"].items()))
            for one in document["mends"]
        )
        table(("#k", f"What would bring k to {k} or more"), rows)
    elif document["k"] < k:
        sentence(f"nothing brings k to {k}: there are {document['cases']} cases")
