"""Every DICOM instance below a place, each read once: from files, archives and discs.

What the headers of unchanged files said is remembered while the process lives, so that a folder
that is scanned again is not read again.
"""

import hashlib
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats.dicom_files import (
    Candidate,
    Opener,
    Place,
    Skipped,
    find_files,
    find_inside,
    find_members,
    find_named,
    open_regular,
)
from napari_medlabel.formats.dicom_frames import slices_of
from napari_medlabel.formats.dicom_header import (
    FoundArchive,
    HeaderError,
    NotDicom,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts, facts_of
from napari_medlabel.formats.dicom_memory import HeaderMemory, Stamp
from napari_medlabel.formats.dicom_odd import directory_entries, read_any_header
from napari_medlabel.formats.dicom_private import PRIVATE_TAGS
from napari_medlabel.formats.dicom_tags import WANTED

__all__ = ["Slices", "candidates", "forget_headers", "gather"]

Slices = tuple[InstanceFacts, ...]  # of one file, at least one
Read = tuple[str, Slices]  # with the name it was found by

_WANTED: Final = WANTED | PRIVATE_TAGS
_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_ARCHIVE: Final = b"PK\3\4"
_PIECE: Final = 1 << 20
_MOST_SLICES: Final = 40_000  # remembered, of some two kilobytes each
_UNREADABLE: Final = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError,
)  # fmt: skip

_memory: HeaderMemory[Slices] = HeaderMemory(_MOST_SLICES)


def gather(
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[list[InstanceFacts], list[Skipped]]:
    """The slices of all DICOM files below a folder, or in one file, DICOMDIR or zip archive.

    Parameters
    ----------
    path
        Folder, DICOM file, DICOMDIR or zip archive.
    progress
        Called with the number of files done and the number of all that are known.
    cancelled
        Asked before each file.

    Returns
    -------
    slices, skipped
        In the order of the files; and what is no DICOM, cannot be read or is a copy.

    Raises
    ------
    InputError
        If there is nothing at `path`, or it cannot be read.
    Cancelled
        If `cancelled` said so.
    """
    with Opener(bounded=True) as opener:
        waiting, skipped = candidates(path, opener)
        read: list[Read] = []
        for done, candidate in enumerate(waiting):  # which grows by what archives hold
            if cancelled():
                raise Cancelled("the scan was called off")
            if progress is not None:
                progress(done, len(waiting))
            try:
                slices = _remembered(candidate, opener)
            except FoundArchive:
                members, closed = find_inside(opener, candidate)
                waiting += members
                skipped += closed
            except InputError as error:
                skipped.append(Skipped(candidate.name, error.what))
            else:
                read.append((candidate.name, slices))
        if progress is not None:
            progress(len(waiting), len(waiting))
        kept, copies = _without_copies(read, opener)
    return kept, [*skipped, *copies]


def forget_headers() -> None:
    """Let go of what is remembered of files."""
    _memory.forget()


def candidates(path: Path, opener: Opener) -> tuple[list[Candidate], list[Skipped]]:
    """The files to read below a folder, in an archive, of a DICOMDIR, or the file itself.

    Raises
    ------
    InputError
        If there is nothing at `path`, or it cannot be read.
    """
    if path.is_dir():
        return find_files(path)
    try:
        file, _ = open_regular(str(path))
        with file:
            head = file.read(132)
    except OSError as error:
        there = path.exists()
        what = "this file cannot be read" if there else "there is no such file or folder"
        raise InputError(what, "check its permissions" if there else "check the name") from error
    if head.startswith(_ARCHIVE) and zipfile.is_zipfile(path):
        return find_members(opener, path)
    one = Candidate(Place(str(path)), path.name)
    try:
        slices = _read(one.place, opener)
    except InputError:
        return [one], []
    return _from_directory(path) if slices[0].sop_class == _DIRECTORY else ([one], [])


def _from_directory(path: Path) -> tuple[list[Candidate], list[Skipped]]:
    file, _ = open_regular(str(path))
    with file:
        names = directory_entries(file)
    return find_named(path.parent, names)


def _remembered(candidate: Candidate, opener: Opener) -> Slices:
    """The slices of one file, from memory where it has not changed; InputError says why none."""
    place = candidate.place
    if place.member >= 0:
        return _read(place, opener)
    stamp: Stamp | None
    stamp, slices = _memory.find(place.path)
    if slices is None:
        slices = _read(place, opener)
        if stamp is not None:
            _memory.keep(place.path, stamp, slices)
    return slices


def _read(place: Place, opener: Opener) -> Slices:
    try:
        file, size = opener.open(place)
        with file:
            header = read_any_header(file, size, _WANTED)
            return slices_of(header, file, size, facts_of(header, place))
    except (NotDicom, HeaderError):
        raise
    except _UNREADABLE as error:
        raise HeaderError("it cannot be read") from error


# Copies


def _without_copies(
    read: Sequence[Read], opener: Opener
) -> tuple[list[InstanceFacts], list[Skipped]]:
    """The slices without those of a file that is another one again, byte for byte."""
    kept: list[InstanceFacts] = []
    copies: list[Skipped] = []
    images = [one for one in read if one[1][0].sop_class != _DIRECTORY]
    counts = Counter(slices[0].sop_uid for _, slices in images)
    known: set[tuple[str, bytes]] = set()
    for name, slices in images:
        uid = slices[0].sop_uid
        if uid and counts[uid] > 1:
            digest = _digest(slices[0].place, opener)
            if digest is not None and (uid, digest) in known:
                copies.append(Skipped(name, "an exact copy of another file"))
                continue
            if digest is not None:
                known.add((uid, digest))
        kept.extend(slices)
    return kept, copies


def _digest(place: Place, opener: Opener) -> bytes | None:
    """The SHA-256 of a file, None where it cannot be read or swells beyond measure."""
    digest = hashlib.sha256()
    try:
        file, _ = opener.open(place)
        with file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except _UNREADABLE:
        return None
    return digest.digest()
