"""One file de-identified: read, decided on, written under a new name, with what was done."""

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_pictures import picture_at
from napari_medlabel.privacy.dicom_source import Source, read_source, uid_text
from napari_medlabel.privacy.headers import Headers, Made, new_headers
from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.objects import kind_of
from napari_medlabel.privacy.pixel_change import PixelChange, decoded_source, new_pixels
from napari_medlabel.privacy.pixel_copy import copy_pixels
from napari_medlabel.privacy.pseudonyms import Identity
from napari_medlabel.privacy.uids import is_well_known
from napari_medlabel.privacy.writing import pixel_header

__all__ = ["FileDone", "LeftOut", "deidentify_file", "name_of", "opened"]

_IN_MEMORY: Final = 1 << 25  # bytes of a file that is read in one go


@dataclass(frozen=True, slots=True, eq=False)
class FileDone:
    """A new file: where it is below the output, hashes, and what was done to its header.

    `place` is that of the old one; `pixels` tells whether any of its pixels changed.
    """

    place: Place
    file: str
    sha256: str
    source_sha256: str
    patient: str
    identity: Identity
    says_burned_in: bool
    tally: Counter[tuple[int, str]] = field(default_factory=Counter)
    wanted: frozenset[Identifier] = frozenset()
    pixels: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was not written, and why; never its name."""

    why: str


def deidentify_file(
    place: Place, folder: Path, what: Headers, change: PixelChange | None = None
) -> FileDone | LeftOut:
    """Write the de-identified copy of a file below a folder.

    Parameters
    ----------
    place
        The file.
    folder
        Below which the copy is written.
    what
        Profile and key.
    change
        What is done to its pixels; None leaves them, and says nothing of them.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        source, digest = opened(place)
    except MedlabelError as error:
        return LeftOut(error.what)
    try:
        kind = kind_of(uid_text(source.dataset.get(0x00080016)), source)
        if kind and kind not in what.profile.also:
            return LeftOut(_REFUSALS.get(kind, kind.replace("-", " ")))
        if not is_well_known(source.syntax):
            return LeftOut("it is written in a way that the standard does not know")
        made, path, sha256 = _done(source, place, folder, what, change)
    except MedlabelError as error:
        return LeftOut(error.what)
    finally:
        source.file.close()
    return FileDone(
        place, path, sha256, digest, made.patient, made.identity, made.says_burned_in, made.tally,
        made.wanted, change is not None and change.touches_pixels,
    )  # fmt: skip


def _done(
    source: Source, place: Place, folder: Path, what: Headers, change: PixelChange | None
) -> tuple[Made, str, str]:
    """The new header, and path and SHA-256 of the new file."""
    if change is None:
        made = new_headers(source, what)
        return made, *_written(made, folder, lambda out, digest: copy_pixels(source, out, digest))
    what = replace(
        what, pixels=change.text == "none", text_left=change.text == "kept", face=change.faceless
    )
    if not change.touches_pixels:
        return _done(source, place, folder, what, None)
    picture = picture_at(place)
    if picture is None:
        raise InputError("it has no pixels that could be changed")
    pixels, data = new_pixels(source, picture, change)
    made = new_headers(decoded_source(source, picture), what)

    def put(out: IO[bytes], digest: Any) -> None:  # noqa: ANN401  # a hash of hashlib
        for part in (pixel_header(pixels, len(data), source.encoding), data):
            digest.update(part)
            out.write(part)

    return made, *_written(made, folder, put)


_REFUSALS: Final = {
    "directory": "a DICOMDIR",
    "unknown": "an object of a kind that the standard does not know",
    "structured-report": "a structured report",
    "document": "an encapsulated document",
    "secondary-capture": "a secondary capture",
    "presentation-state": "a presentation state",
    "key-object": "a key object selection",
    "dose-report": "a dose report",
    "raw-data": "raw data",
    "waveform": "a waveform",
    "plan": "a plan or a treatment record",
}


def opened(place: Place) -> tuple[Source, str]:
    """A file's source, and the SHA-256 of its bytes.

    Raises
    ------
    InputError
        If it is no DICOM, or cannot be read.
    """
    file: IO[bytes]
    try:
        if place.member >= 0:
            with Opener() as opener:
                inside, _ = opener.open(place)
                with inside:
                    data = inside.read()
            file, size = BytesIO(data), len(data)
        else:
            file = Path(place.path).open("rb")  # noqa: SIM115  # closed by the caller
            size = os.fstat(file.fileno()).st_size
            if size <= _IN_MEMORY:
                with file:
                    file = BytesIO(file.read())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
    except (OSError, RuntimeError) as error:
        raise InputError("it cannot be read") from error
    try:
        return read_source(file, size), digest
    except MedlabelError:
        file.close()
        raise


def name_of(made: Made) -> tuple[str, str, str, str]:
    """Folders and name of a new file: of the pseudonym and the new UIDs, of nothing else."""
    study, series, instance = (_short(uid) for uid in (made.study, made.series, made.instance))
    return made.patient, f"study-{study}", f"series-{series}", f"{instance}.dcm"


def _short(uid: str) -> str:
    return hashlib.sha256(uid.encode("ascii")).hexdigest()[:16]


PutPixels = Callable[[IO[bytes], Any], None]  # a file, and a hash of hashlib


def _written(made: Made, folder: Path, put_pixels: PutPixels) -> tuple[str, str]:
    parts = name_of(made)
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{os.getpid()}-{parts[-1]}")
    digest = hashlib.sha256()
    try:
        with partial.open("wb") as out:
            for data in (made.meta, made.dataset):
                digest.update(data)
                out.write(data)
            put_pixels(out, digest)
        path = _published(partial, target, digest.hexdigest())
    finally:
        partial.unlink(missing_ok=True)
    return "/".join((*parts[:-1], path.name)), digest.hexdigest()


def _published(partial: Path, target: Path, sha256: str) -> Path:
    """Its own name, unless another file of the same UID has it: then the hash stands behind."""
    try:
        target.hardlink_to(partial)
    except FileExistsError:
        if hashlib.sha256(target.read_bytes()).hexdigest() == sha256:
            return target
        target = target.with_name(f"{target.stem}-{sha256[:16]}.dcm")
        partial.replace(target)
    except OSError:  # no links on this file system
        if target.exists():
            return _published_beside(partial, target, sha256)
        partial.replace(target)
    return target


def _published_beside(partial: Path, target: Path, sha256: str) -> Path:
    if hashlib.sha256(target.read_bytes()).hexdigest() == sha256:
        return target
    beside = target.with_name(f"{target.stem}-{sha256[:16]}.dcm")
    partial.replace(beside)
    return beside
