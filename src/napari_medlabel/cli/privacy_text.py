"""What a preview and a check of de-identified folders come to, for people and for programs."""

from pathlib import Path

from napari_medlabel import commands
from napari_medlabel.cli.burned_in import say_burned_in
from napari_medlabel.cli.text import note, print_json, progress_bar, sentence, table
from napari_medlabel.errors import Refused
from napari_medlabel.session import Session

__all__ = ["print_preview", "verify_folder"]


def verify_folder(session: Session, folder: Path, against: Path | None, *, as_json: bool) -> None:
    """Check a folder, and say what came of it.

    Raises
    ------
    Refused
        If it is not to be released.
    """
    with progress_bar("Searching") as progress:
        found = commands.verify_deidentified(session, folder, against=against, progress=progress)
    if as_json:
        print_json(found.document())
    else:
        searched = found.searched
        for line in found.pixels.lines() if found.pixels else ():
            sentence(line)
        for name in found.changed:
            sentence(f"not as the certificate says: {name}")
        for one in searched.findings if searched else ():
            sentence(f"{one.file}: {one.kind}, {one.count} times in {one.where}")
        if searched is not None:
            sentence(
                f"{searched.strings} strings of {found.originals} originals looked for in "
                f"{searched.bytes} bytes of {searched.files} files; {searched.too_short} too short"
            )
        if found.ok:
            sentence("nothing was found" if searched else "all files are as the certificate says")
    if not found.ok:
        raise Refused("this folder is not to be released", "de-identify its originals again")


def print_preview(shown: commands.Preview, *, values: bool, as_json: bool) -> None:
    """Show what would be done."""
    document = shown.document(values=values)
    if as_json:
        print_json(document)
        return
    columns = [
        "Element",
        "Name",
        "Action",
        *(["Before", "After"] if values else []),
        "Why",
        "HIPAA",
    ]
    for number, series in enumerate(document["series"], 1):
        sentence(f"Series {number}")
        table(
            columns,
            (
                [one["path"] + one["tag"],
                    one["keyword"] or "private or unknown", one["action"],
                 *([one["before"][:40], one["after"][:40]] if values else []),
                 one["why"], one["safe_harbor"]]
                for one in series
            ),
        )  # fmt: skip
    for why in shown.refused:
        note(f"left out: {why}")
    _print_pixels(shown)


def _print_pixels(shown: commands.Preview) -> None:
    """What was found of text and faces, where they were looked for."""
    text, faces = shown.pixels.text, shown.pixels.faces
    if text is not None:
        say_burned_in(text.found)
    if faces is not None:
        rows = [(one.name, one.state.replace("-", " "), one.why) for one in faces.heads]
        table(("Volume", "Face", "Why"), rows)
        if faces.placeless:
            note(f"{len(faces.placeless)} pictures without a place in space were not looked at")
