"""Copies of images without the text in their pixels, proved by looking at what was written.

What is written appears under its name when nothing is found in it any more, and not at all where
something is. The sources are only read.
"""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import (
    Cancelled,
    ExtraMissing,
    InputError,
    OutputError,
    Refused,
)
from napari_medlabel.files import check_new_file, check_new_folder, new_file, new_folder, shown
from napari_medlabel.formats import open_reader, scan, write
from napari_medlabel.formats.dicom_files import Opener
from napari_medlabel.formats.dicom_pictures import Picture, find_pictures
from napari_medlabel.formats.dicom_stored import UNREADABLE
from napari_medlabel.privacy.burned_in import BurnedIn, TextBox, find_burned_in, never
from napari_medlabel.privacy.burned_in_engine import TextReader, is_installed
from napari_medlabel.privacy.burned_in_fill import Box, fill, write_filled

__all__ = ["ROUNDS", "Boxes", "Redacted", "by_file", "is_kept", "kept_of", "redact_burned_in"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
Boxes = dict[str, dict[int, list[Box]]]  # by file and frame

_MARGIN: Final = 2  # pixels around what was read
ROUNDS: Final = 4
_WRITABLE: Final = (".nii", ".nii.gz", ".nrrd", ".mha")


@dataclass(frozen=True, slots=True)
class Redacted:
    """What was written, and what the look at it found: nothing but what was to be kept.

    Parameters
    ----------
    before
        What was found in the sources.
    kept
        Numbers of the findings that were left where they are.
    files
        How many were written.
    changed
        How many of them are no plain copies.
    frames
        Frames in which something was filled.
    rounds
        How often it was looked at and filled again.
    after
        What was found in the written files, `kept` among it.
    """

    before: BurnedIn
    kept: tuple[int, ...]
    files: int
    changed: int
    frames: int
    rounds: int
    after: BurnedIn

    def document(self) -> dict[str, Any]:
        """The answer of `burned-in --redact --json`: of the search, and what became of it."""
        return self.before.document() | {
            "redacted": {
                "files": self.files,
                "changed": self.changed,
                "frames": self.frames,
                "rounds": self.rounds,
                "kept": list(self.kept),
                "left": len(self.after.boxes),
            }
        }


def redact_burned_in(  # noqa: PLR0913  # what is written, and how
    path: str | Path,
    out: str | Path,
    *,
    keep: Collection[int] = (),
    before: BurnedIn | None = None,
    allow_marks: bool = False,
    every_frame: bool = False,
    force: bool = False,
    reader: TextReader | None = None,
    progress: Progress | None = None,
    cancelled: Stop = never,
) -> Redacted:
    """Write copies of all pictures below a path, the text in them filled with the background.

    Pixels outside the boxes and headers stay as they are; only a file in which something was
    filled, and no text is kept, says so: BurnedInAnnotation and the code of clean pixel data.

    Parameters
    ----------
    path
        As for `find_burned_in`.
    out
        A new folder, or where `path` is a file: a new file, if its name has a suffix.
    keep
        Numbers of findings of `before` that stay.
    before
        What `find_burned_in` said of the same files; they are looked at now without it.
    allow_marks, every_frame, reader, progress, cancelled
        As for `find_burned_in`.
    force
        Whether an existing file, or an empty folder, may be replaced.

    Raises
    ------
    ExtraMissing
        If text cannot be looked for here.
    InputError
        If a file cannot be read or written, or `keep` names a finding that there is not.
    OutputError
        If `out` is there already, or cannot be written.
    Refused
        If text is still found in what was written: nothing is left of it.
    Cancelled
        If `cancelled` said so.
    """
    if not is_installed():
        raise ExtraMissing.named("ocr", "looking for text in pictures")
    path, out = Path(path), Path(out)
    is_one = path.is_file() and out.suffix != "" and not out.is_dir()
    _check_free(out, is_one=is_one, force=force)
    reads = reader or TextReader()

    def look(place: Path) -> BurnedIn:
        return find_burned_in(
            place, allow_marks=allow_marks, every_frame=every_frame, reader=reads,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip

    found = before or look(path)
    kept = kept_of(found, keep)
    if not found.files:
        raise InputError(f"{shown(path)} holds no picture that can be looked at")
    if is_one and len(found.files) != 1:
        raise InputError(f"{shown(path)} holds several files", "name a folder to write into")
    with _place(out, is_one=is_one, force=force) as root:
        copies = _Copies(path, root, found, is_one=is_one, cancelled=cancelled)
        whole = set(found.files)
        boxes = by_file(box for box in found.boxes if box not in kept and box.file in whole)
        for number in range(1, ROUNDS + 1):
            copies.write(boxes, with_text={box.file for box in kept})
            after = look(root)
            if not after.checked:
                raise Refused("what was written cannot be looked at as a whole")
            left = [box for box in map(copies.named, after.boxes) if not is_kept(box, kept)]
            if not left:
                frames = sum(map(len, boxes.values()))
                numbers = tuple(sorted(set(keep)))
                return Redacted(
                    found, numbers, len(found.files), len(boxes), frames, number, after
                )  # fmt: skip
            _add(boxes, by_file(left))
        raise Refused(
            f"text is still found in {len({box.file for box in left})} of the files written",
            "nothing was kept of them; look at the frames and cover the places yourself",
        )


class _Copies:
    """The files that are written: where each comes from, and where it goes."""

    def __init__(
        self, path: Path, root: Path, found: BurnedIn, *, is_one: bool, cancelled: Stop
    ) -> None:
        self._path, self._root, self._files = path, root, found.files
        self._is_one, self._cancelled = is_one, cancelled
        self._pictures = {one.name: one for one in find_pictures(path).pictures}
        self._written: set[str] = set()

    def named(self, box: TextBox) -> TextBox:
        """A box of a written file as one of its source."""
        return replace(box, file=self._files[0]) if self._is_one else box

    def write(self, boxes: Boxes, *, with_text: Collection[str]) -> None:
        """Write what is not written yet, or has more boxes than before."""
        with Opener() as opener:
            for number, name in enumerate(self._files, 1):
                if self._cancelled():
                    raise Cancelled("writing was called off")
                if name in self._written and name not in boxes:
                    continue
                try:
                    self._write_one(
                        name, boxes.get(name, {}), opener, is_clean=name not in with_text
                    )
                except OutputError:
                    raise
                except InputError as error:  # by number: a file's name may be a patient's
                    what = f"file {number} of {len(self._files)} cannot be copied: {error.what}"
                    raise InputError(what, error.hint) from error
                self._written.add(name)

    def _write_one(
        self, name: str, boxes: Mapping[int, Sequence[Box]], opener: Opener, *, is_clean: bool
    ) -> None:
        target = self._root if self._is_one else self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        picture = self._pictures.get(name)
        if picture is None:
            self._write_volume(name, target, boxes)
        elif boxes:
            write_filled(picture, boxes, target, opener, is_clean=is_clean)
        else:
            _copy(picture, target, opener)

    def _write_volume(self, name: str, target: Path, boxes: Mapping[int, Sequence[Box]]) -> None:
        source = self._path if self._path.is_file() else self._path / name
        (series,) = scan(source).series
        if not boxes:
            for part in series.volumes[0].parts[0].files:
                same = target if Path(part) == source else target.parent / Path(part).name
                shutil.copyfile(part, same)
            return
        if len(series.volumes) > 1 or not name.lower().endswith(_WRITABLE):
            what = "text was found in a file that cannot be written again as it is"
            raise InputError(what, "convert its volumes to .nii.gz first, and redact these")
        reader = open_reader(series)
        try:
            source_grid = reader.source
            voxels = reader.read(0, source_grid.geometry.shape[0])
        finally:
            reader.close()
        for k, wanted in boxes.items():
            fill(voxels[k], wanted)
        code = source_grid.space_code
        write(voxels, source_grid.geometry, target, force=True, space_code=code)


def _copy(picture: Picture, target: Path, opener: Opener) -> None:
    """The file as it is."""
    try:
        file, _ = opener.open(picture.facts.place)
        with file:
            data = file.read()
    except UNREADABLE as error:
        raise InputError("a file cannot be read to its end") from error
    target.write_bytes(data)


@contextmanager
def _place(out: Path, *, is_one: bool, force: bool) -> Iterator[Path]:
    """Where to write to: it gets its name when the block ends well."""
    if is_one:
        with new_file(out, force=force) as partial:
            yield partial
    else:
        with new_folder(out, force=force or _is_empty(out)) as partial:
            yield partial


def _check_free(out: Path, *, is_one: bool, force: bool) -> None:
    """Before minutes of work."""
    if is_one:
        check_new_file(out, force=force)
    else:
        check_new_folder(out, force=force or _is_empty(out))


def _is_empty(folder: Path) -> bool:
    return folder.is_dir() and next(folder.iterdir(), None) is None


def kept_of(found: BurnedIn, keep: Collection[int]) -> frozenset[TextBox]:
    """The boxes of the findings that are to stay.

    Raises
    ------
    InputError
        If there is no such finding.
    """
    unknown = set(keep) - {box.finding for box in found.boxes}
    if unknown:
        raise InputError(
            f"there is no finding {min(unknown)} to keep",
            "look without --redact first: it numbers what it finds",
        )
    return frozenset(box for box in found.boxes if box.finding in set(keep))


def is_kept(box: TextBox, kept: Collection[TextBox]) -> bool:
    """Whether most of it lies in a box that is to stay."""
    for one in kept:
        if (one.file, one.frame) == (box.file, box.frame):
            width = min(one.left + one.width, box.left + box.width) - max(one.left, box.left)
            height = min(one.top + one.height, box.top + box.height) - max(one.top, box.top)
            if width > 0 and height > 0 and 2 * width * height > box.width * box.height:
                return True
    return False


def by_file(boxes: Iterable[TextBox]) -> Boxes:
    """What is filled in each frame of each file: the boxes and a margin."""
    found: Boxes = {}
    for box in boxes:
        wide = Box(
            box.left - _MARGIN, box.top - _MARGIN,
            box.left + box.width + _MARGIN, box.top + box.height + _MARGIN,
        )  # fmt: skip
        found.setdefault(box.file, {}).setdefault(box.frame, []).append(wide)
    return found


def _add(boxes: Boxes, more: Boxes) -> None:
    for file, frames in more.items():
        for frame, wanted in frames.items():
            boxes.setdefault(file, {}).setdefault(frame, []).extend(wanted)
