"""The subcommand that lists measurements and geometric annotations."""

from typing import Any

from napari_medlabel import commands
from napari_medlabel.cli.options import CaseName, Json, WorkspaceChoice
from napari_medlabel.cli.text import print_json, sentence, table
from napari_medlabel.core.annotation import KIND_WORDS
from napari_medlabel.session import local_session

__all__ = ["annotations"]


def annotations(
    segmentation: CaseName, *, workspace: WorkspaceChoice = None, as_json: Json = False
) -> None:
    """List a case's measurements and geometric annotations, with what they measure."""
    document = commands.annotations(local_session(workspace), segmentation)
    if as_json:
        print_json(document)
    elif document["annotations"]:
        table(
            ("Name", "Kind", "Segment", "Slice", "Measure"),
            (_row(entry) for entry in document["annotations"]),
        )
    else:
        sentence("nothing to list")


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    segment, plane = entry["segment"], entry["plane"]
    where = f"{plane['view']} {plane['index']}" if plane else ""
    named = (segment["name"] or str(segment["value"])) if segment else ""
    return (entry["name"], KIND_WORDS[entry["kind"]], named, where, entry["words"])
