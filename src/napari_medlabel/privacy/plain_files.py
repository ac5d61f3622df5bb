"""NIfTI, NRRD and MetaImage files de-identified: no words in the header, no text, no face.

They are written under a name of their own, in the same format (detached headers as one file). All
that says where voxels are and what they mean stays. What is to go is never written.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import Cancelled, InputError, Refused
from napari_medlabel.formats import scan, write
from napari_medlabel.formats.nifti_header import is_nifti
from napari_medlabel.formats.nifti_patch import can_patch, first_of, write_patched
from napari_medlabel.privacy.burned_in import BurnedIn, find_burned_in
from napari_medlabel.privacy.burned_in_engine import TextReader
from napari_medlabel.privacy.burned_in_fill import background
from napari_medlabel.privacy.burned_in_redact import by_file, is_kept
from napari_medlabel.privacy.face_found import HeadFound
from napari_medlabel.privacy.face_series import accept_heads, check_head, look_at_head
from napari_medlabel.privacy.face_slices import HeadImage, read_image
from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.pixel_wishes import FaceWish, TextWish
from napari_medlabel.privacy.plain_headers import cleaned_nifti, files_of, texts_of, words_of
from napari_medlabel.privacy.pseudonyms import Pseudonyms

__all__ = ["FORMATS", "PlainFile", "look_at_plain", "write_plain"]

FORMATS: Final = frozenset({"nifti", "nrrd", "metaimage"})
Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
_SUFFIXES: Final = {"nrrd": ".nrrd", "metaimage": ".mha"}


@dataclass(slots=True, eq=False)
class PlainFile:
    """One file: what it says in words, what was found in it, and what became of it.

    Parameters
    ----------
    path
        Of its header.
    series
        As a scan found it.
    texts
        Names of the fields that held words, and how many of each there were.
    wanted
        What must not be found in the new file.
    text, kept
        What was found of text in the pixels, and numbers of what stays; None where nobody looked.
    head
        What was found of a face; None where nobody looked.
    file, sha256, source_sha256
        The new file's name and hashes, once it is written.
    """

    path: Path
    series: Series
    texts: tuple[str, ...]
    wanted: frozenset[Identifier]
    source_sha256: str
    text: BurnedIn | None = None
    kept: frozenset[int] = frozenset()
    head: HeadFound | None = None
    file: str = ""
    sha256: str = ""
    filled: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """What a certificate tells of it."""
        start: dict[str, Any] = {"file": self.file, "sha256": self.sha256}
        start |= {"source_sha256": self.source_sha256, "text": None, "face": None}
        if self.text is not None:
            state = "kept" if self.kept else "redacted" if self.filled else "none"
            start["text"] = state if self.text.checked else "unread"
        if self.head is not None:
            start["face"] = self.head.state
        return start


def look_at_plain(  # noqa: PLR0913  # what is looked at, and how
    series: Iterable[Series], text: TextWish | None, face: FaceWish | None,
    reader: TextReader | None, *, after: int = 0, progress: Progress | None = None,
    cancelled: Stop = lambda: False,
) -> list[PlainFile]:  # fmt: skip
    """Look at files that are no DICOM; nothing is written.

    Parameters
    ----------
    series
        As a scan found them; of DICOM they are passed over.
    text, face
        What is wanted; None does not look.
    reader
        Of text.
    after
        How many findings of text there are already: theirs count on from there.
    progress
        Told how many files are done, of how many.
    cancelled
        Polled.

    Raises
    ------
    Cancelled
        If it was called off.
    """
    todo = [one for one in series if one.format in FORMATS and one.volumes]
    files = []
    for done, one in enumerate(todo):
        if cancelled():
            raise Cancelled("it was called off; nothing was written")
        if progress is not None:
            progress(done, len(todo))
        paths, texts = files_of(one), texts_of(one)
        words = frozenset(words_of(texts, paths[0]))
        made = PlainFile(paths[0], one, tuple(texts), words, _sha256(*paths))
        if text is not None and reader is not None:
            made.text = _numbered(_text_of(paths[0], text, reader, cancelled), after)
            made.kept = frozenset({one.finding for one in made.text.boxes} & text.keep)
            after += made.text.findings
        if face is not None:
            alone = replace(one, volumes=one.volumes[:1])
            made.head = look_at_head(alone, int(len(one.volumes) > 1), face, cancelled)
            if face.accept_uncertain:
                accept_heads([made.head], face, cancelled)
        files.append(made)
    return files


def write_plain(  # noqa: PLR0913  # what is written, and how it is proved
    files: Collection[PlainFile], folder: Path, names: Pseudonyms, text: TextWish | None,
    reader: TextReader | None, *, cancelled: Stop = lambda: False,
) -> Counter[str]:  # fmt: skip
    """Write the new files into a folder, and look at them again.

    Returns
    -------
    Counter
        Why files were left out, and how many.

    Raises
    ------
    Refused
        If text or a face is found in what was written.
    """
    left: Counter[str] = Counter()
    for one in files:
        if cancelled():
            raise Cancelled("it was called off; nothing was written")
        try:
            _write(one, folder, names, redacts=text is not None and text.action == "redact")
        except InputError as error:
            left[error.what] += 1
            continue
        target = folder / one.file
        one.sha256 = _sha256(target)
        if text is not None and reader is not None and one.filled:
            again = _text_of(target, text, reader, cancelled)
            old = [box for box in one.text.boxes if box.finding in one.kept] if one.text else []
            kept = [replace(box, file=target.name) for box in old]
            if not again.checked or any(not is_kept(box, kept) for box in again.boxes):
                raise Refused("text is still found in a file that was written", "cover it by hand")
        if one.head is not None and one.head.proof is not None:
            (there,) = scan(target).series
            check_head(one.head, read_image(there).array)
    return left


def _write(one: PlainFile, folder: Path, names: Pseudonyms, *, redacts: bool) -> None:
    found = one.series.volumes[0]
    target = folder / _name(one, names)
    nifti = one.series.format == "nifti"
    if len(one.series.volumes) > 1 or (nifti and not can_patch(found, target)):
        raise InputError("a file of several volumes, or of no plain numbers: convert it first")
    image = read_image(replace(one.series, volumes=(found,)))
    where = np.zeros(image.array.shape, bool)
    if one.head is not None and one.head.patched is not None:
        where, values = one.head.patched
        image.array[where] = values
    if redacts and one.text is not None:
        one.filled = _fill(image, one, where)
    if nifti:
        start = cleaned_nifti(first_of(found))
        if not is_nifti(start):
            raise InputError("a file of Analyze 7.5, which does not say how the patient lies")
        write_patched(found, target, image.array, where if where.any() else None, start)
    else:
        code = image.source.space_code
        write(image.array, image.geometry, target, space_code=code)
    one.file = target.name


def _fill(image: HeadImage, one: PlainFile, where: BoolArray) -> int:
    """Fill the boxes of text, slice by slice; how many there were."""
    assert one.text is not None  # noqa: S101  # asked by the caller
    gone = [box for box in one.text.boxes if box.finding not in one.kept]
    count = 0
    for frames in by_file(gone).values():
        for k, boxes in frames.items():
            inside = [box.cut_to(image.array[k].shape) for box in boxes]
            value: npt.NDArray[Any] = background(image.array[k], inside)
            for box in inside:
                image.array[k, box.top : box.bottom, box.left : box.right] = value[0]
                where[k, box.top : box.bottom, box.left : box.right] = True
                count += 1
    return count


def _text_of(path: Path, wish: TextWish, reader: TextReader, cancelled: Stop) -> BurnedIn:
    try:
        return find_burned_in(
            path, allow_marks=wish.allow_marks, every_frame=wish.every_frame, reader=reader,
            cancelled=cancelled,
        )  # fmt: skip
    except InputError as error:
        return BurnedIn(why_not=error.what)


def _numbered(found: BurnedIn, after: int) -> BurnedIn:
    boxes = tuple(replace(box, finding=box.finding + after) for box in found.boxes)
    return replace(found, boxes=boxes)


def _name(one: PlainFile, names: Pseudonyms) -> str:
    """From the key and what is in the file: the same in all runs, and of nobody's making."""
    key = hmac.digest(names.key, b"files", "sha256")
    digest = hmac.digest(key, bytes.fromhex(one.source_sha256), "sha256").hex()[:16]
    if one.series.format == "nifti":
        suffix = ".nii.gz" if one.path.name.casefold().endswith(".gz") else ".nii"
    else:
        suffix = _SUFFIXES[one.series.format]
    return f"image-{digest}{suffix}"


def _sha256(*paths: Path) -> str:
    """Of a file, or of several one behind the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    return digest.hexdigest()
