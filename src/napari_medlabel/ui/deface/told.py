"""What is told of the files that a case came from: text in the pixels, and the header."""

from napari_medlabel.commands import TextTile
from napari_medlabel.ui.deface.files_work import FilesWork
from napari_medlabel.ui.deface.header_rows import counts, known_rows
from napari_medlabel.ui.deface.state import NONE, Check, HeaderState, TextRow, TextState

__all__ = ["header_state", "text_check", "text_state", "tile_size", "tile_title"]

_TITLE = "Burned-in text left"
_GENERATED = "This head was generated: no files, and nobody to be known."
TIMES = "\N{MULTIPLICATION SIGN}"


def tile_title(tile: TextTile) -> str:
    """Where a text is: "Slice 12", "All 40 slices", "3 of 40 slices"."""
    if tile.frames == 1:
        return f"Slice {tile.first + 1}"
    if tile.frames == tile.of:
        return f"All {tile.of} slices"
    return f"{tile.frames} of {tile.of} slices"


def tile_size(tile: TextTile) -> str:
    """What it looks like, and its size, which is not torn: "a date? 98 x 12 px"."""
    kind = f"{tile.kind}? " if tile.kind else ""
    size = f"{tile.width} {TIMES} {tile.height} px"
    return kind + size.replace(" ", "\N{NO-BREAK SPACE}")


def text_state(files: FilesWork, *, generated: bool) -> TextState:
    """The section Burned-in text; a generated head has no files."""
    if generated:
        return TextState(words=_GENERATED)
    if files.source is None:
        if files.does("source"):
            return TextState("looking at the files")
        return TextState(
            words="Looked for in the files that this case came from.", chooses=True
        )  # fmt: skip
    if files.does("text"):
        done, total = files.text_progress
        return TextState(f"looking for text, {done} of {total}" if total else "looking for text")
    if files.text is None or files.text.why_not:
        words = files.text_words or "not checked"
        return TextState(
            "not checked", unread=words, accepted=files.unread_accepted, reason=files.reason,
            asks_reason=files.unread_accepted,
        )  # fmt: skip
    rows = tuple(
        TextRow(one, tile_title(one), tile_size(one),
                one.finding in files.keep)
        for one in files.tiles
    )  # fmt: skip
    count = files.text.findings
    unread = files.text.unread
    note = "no text found" if not count else "1 box found" if count == 1 else f"{count} boxes found"
    return TextState(
        note, "", rows, files.reason, bool(files.keep) or (bool(unread) and files.unread_accepted),
        unread=f"{len(unread)} pictures could not be looked at" if unread else "",
        accepted=files.unread_accepted,
    )  # fmt: skip


def text_check(files: FilesWork) -> Check:
    """The last of the checks: how many boxes would be left."""
    if files.source is None:
        return Check(_TITLE, NONE, "open", "Choose the files that this case came from")
    if files.does("text") or files.does("source"):
        return Check(_TITLE, NONE, "open", "Text is being looked for")
    accepted = files.unread_accepted and bool(files.reason)
    if files.text is None or files.text.why_not:
        return Check(
            _TITLE, "not checked", "ok" if accepted else "fails",
            "" if accepted else "Text was not checked: install the extra ocr, or go on without",
        )  # fmt: skip
    if files.text.unread and not accepted:
        return Check(_TITLE, "not all read", "fails", "Some pictures could not be looked at")
    kept = len(files.keep)
    number = "1 box" if kept == 1 else f"{kept} boxes"
    return Check(_TITLE, number, "ok" if not kept or files.reason else "fails",
                 "" if not kept or files.reason else "Say why text stays")  # fmt: skip


def header_state(files: FilesWork, *, dicom: bool, generated: bool) -> HeaderState:
    """The section Header."""
    if generated:
        return HeaderState(files.profile, _GENERATED)
    if files.source is None:
        words = "Shown for the files that this case came from." if dicom else (
            "No DICOM header. What its file says in words is cleaned in the copy."
        )  # fmt: skip
        return HeaderState(files.profile, words, chooses=dicom)
    removed, replaced, kept = counts(files.rows)
    words = "reading headers" if files.does("header") else files.header_words
    return HeaderState(
        files.profile, "" if files.rows else words, removed, replaced, kept,
        known_rows(files.rows, files.dates),
    )  # fmt: skip
