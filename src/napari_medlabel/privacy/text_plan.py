"""Text in the pixels of files that are to be de-identified: found, decided on, looked for again."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from napari_medlabel.errors import ExtraMissing, Refused
from napari_medlabel.formats.dicom_files import Place, Skipped
from napari_medlabel.formats.dicom_pictures import (
    FoundPictures,
    Picture,
    PictureReader,
    find_pictures,
)
from napari_medlabel.privacy.batch import Batch
from napari_medlabel.privacy.burned_in import BurnedIn, TextBox, look_at, never
from napari_medlabel.privacy.burned_in_engine import TextReader, is_installed
from napari_medlabel.privacy.burned_in_fill import Box
from napari_medlabel.privacy.burned_in_redact import by_file, is_kept, kept_of
from napari_medlabel.privacy.burned_in_stacks import stacks_of_pictures
from napari_medlabel.privacy.pixel_wishes import TextWish

__all__ = ["TextFound", "TextLeft", "look_again", "look_for_text", "text_reader", "with_more"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
Boxes = Mapping[Place, Mapping[int, tuple[Box, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class TextFound:
    """What was found in the files that are to be written, and what of it stays.

    Parameters
    ----------
    wish
        What the person wants.
    found
        Where text is, by the names of the files.
    places
        Of these names.
    kept
        What stays.
    unread
        Files of which some picture could not be looked at.
    """

    wish: TextWish
    found: BurnedIn
    places: Mapping[str, Place]
    kept: frozenset[TextBox] = frozenset()
    unread: frozenset[Place] = field(default_factory=frozenset)

    @property
    def boxes(self) -> Boxes:
        """What is to be filled."""
        gone = [one for one in self.found.boxes if one not in self.kept]
        return {
            self.places[name]: {frame: tuple(boxes) for frame, boxes in frames.items()}
            for name, frames in by_file(gone).items()
            if name in self.places
        }

    @property
    def with_kept(self) -> frozenset[Place]:
        """Files in which text stays."""
        return frozenset(self.places[one.file] for one in self.kept if one.file in self.places)

    @property
    def looked_at(self) -> frozenset[Place]:
        """Files that were looked at as a whole."""
        return frozenset(self.places[name] for name in self.found.files if name in self.places)

    def to_say(self) -> list[tuple[str, str]]:
        """What a person has to say before anything is written, and how."""
        said = []
        left = sorted({one.finding for one in self.found.boxes if one not in self.kept})
        if left and self.wish.action == "find":
            files = len({one.file for one in self.found.boxes if one.finding in left})
            numbers = ", ".join(map(str, left[:20])) + (", ..." if len(left) > 20 else "")
            what = f"text stands in the pixels of {files} files (finding {numbers})"
            how = "--burned-in redact, or --keep-text with the numbers and --reason"
            said.append((what, how))
        if self.found.unread and not self.wish.accept_unread:
            count, why = len(self.found.unread), self.found.unread[0].why
            what = f"{count} pictures cannot be looked at for text ({why})"
            said.append((what, "--accept-unread with --reason"))
        return said

    def document(self) -> dict[str, Any]:
        """What a certificate tells: numbers, never a name of a source file."""
        by_number = {one.finding for one in self.kept}
        return self.wish.document() | {
            "frames": sum(one.frames for one in self.found.looked),
            "frames_one_by_one": sum(one.one_by_one for one in self.found.looked),
            "projections": sum(one.projections for one in self.found.looked),
            "findings": self.found.findings,
            "boxes": len(self.found.boxes),
            "kept": sorted(by_number),
            "unread": len(self.found.unread),
            "models": dict(self.found.models),
        }


@dataclass(frozen=True, slots=True)
class TextLeft:
    """What a look at written files found: boxes by the old file, none of them to be kept."""

    boxes: Boxes
    files: int


def text_reader() -> TextReader:
    """The reader of text.

    Raises
    ------
    ExtraMissing
        Without the extra `ocr`.
    """
    if not is_installed():
        raise ExtraMissing.named("ocr", "looking for text in pictures")
    return TextReader()


def look_for_text(  # noqa: PLR0913  # what is looked at, and how
    pictures: Iterable[Picture],
    unread: Iterable[tuple[Place, Skipped]],
    wish: TextWish,
    reader: TextReader,
    *,
    progress: Progress | None = None,
    cancelled: Stop = never,
) -> TextFound:
    """Look for text in pictures.

    Parameters
    ----------
    pictures
        Of the files that are to be written.
    unread
        Files that may have pictures and cannot be read.
    wish
        How to look, and what stays.
    reader
        Of text.
    progress, cancelled
        As for `find_burned_in`.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    shown, lost = tuple(pictures), dict(unread)
    found = _looked(shown, lost.values(), wish, reader, progress, cancelled)
    places = {one.name: one.facts.place for one in shown}
    names = {one.file for one in found.unread}
    cannot = {place for name, place in places.items() if name in names} | set(lost)
    return TextFound(wish, found, places, unread=frozenset(cannot))


def with_more(text: TextFound, more: Iterable[BurnedIn]) -> TextFound:
    """With what was found in files that are no DICOM, and what of all of it is to stay.

    Raises
    ------
    InputError
        If a finding is to stay that there is not.
    """
    found = text.found
    for one in more:
        unread = (*found.unread, *one.unread)
        if one.why_not:
            unread = (*unread, Skipped("", one.why_not))
        found = replace(
            found, boxes=(*found.boxes, *one.boxes), looked=(*found.looked, *one.looked),
            unread=unread, models=found.models or one.models,
        )  # fmt: skip
    return replace(text, found=found, kept=kept_of(found, text.wish.keep))


def look_again(  # noqa: PLR0913  # what was written, and how to look
    folder: Path, batch: Batch, text: TextFound, reader: TextReader, *,
    only: Collection[Place], cancelled: Stop = never,
) -> TextLeft:  # fmt: skip
    """Look at written files: those of the series in which something was filled.

    Raises
    ------
    Refused
        If one of them cannot be looked at.
    """
    old = {one.file: place for place, one in batch.done.items()}
    every = find_pictures(folder, cancelled=cancelled).pictures
    series = {one.facts.series_uid for one in every if old.get(one.name) in only}
    shown = tuple(one for one in every if one.facts.series_uid in series)
    after = _looked(shown, (), text.wish, reader, None, cancelled)
    if not after.checked:
        raise Refused("what was written cannot be looked at for text", "nothing was written")
    names = {place: name for name, place in text.places.items()}
    of_source = [replace(one, file=names[old[one.file]]) for one in after.boxes if one.file in old]
    left = [one for one in of_source if not is_kept(one, text.kept)]
    return TextLeft(replace(text, found=replace(after, boxes=tuple(left))).boxes, len(shown))


def _looked(  # noqa: PLR0913, PLR0917  # as `look_for_text`
    pictures: tuple[Picture, ...], unread: Iterable[Skipped], wish: TextWish, reader: TextReader,
    progress: Progress | None, cancelled: Stop,
) -> BurnedIn:  # fmt: skip
    with PictureReader() as frames:
        return look_at(
            stacks_of_pictures(FoundPictures(pictures), frames), (), tuple(unread), reader,
            allow_marks=wish.allow_marks, every_frame=wish.every_frame, progress=progress,
            cancelled=cancelled,
        )  # fmt: skip
