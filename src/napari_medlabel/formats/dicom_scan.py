"""What DICOM series there are in a folder, a file, a DICOMDIR or a zip archive; headers only."""

import zipfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Final

from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Kind, Series
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats.dicom_files import (
    Candidate,
    Opener,
    Place,
    Skipped,
    find_files,
    find_members,
    find_named,
    open_regular,
)
from napari_medlabel.formats.dicom_frames import slices_of
from napari_medlabel.formats.dicom_header import HeaderError, NotDicom, Oddity, read_header
from napari_medlabel.formats.dicom_instance import InstanceFacts, facts_of
from napari_medlabel.formats.dicom_odd import directory_entries, read_odd_header
from napari_medlabel.formats.dicom_rtstruct import STRUCTURE_SET
from napari_medlabel.formats.dicom_seg import SEGMENTATIONS
from napari_medlabel.formats.dicom_seg_load import segmentation_volumes
from napari_medlabel.formats.dicom_tags import WANTED
from napari_medlabel.formats.dicom_volumes import volumes_of

__all__ = ["Skipped", "scan_dicom"]

_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
_DIRECTORY: Final = "1.2.840.10008.1.3.10"
_SECTIONS: Final = frozenset(_ROOT + end for end in ("2", "4", "128"))  # CT, MR, PET
_MULTI_FRAME: Final = frozenset(
    _ROOT + end
    for end in ("2.1", "2.2", "4.1", "4.2", "4.3", "4.4", "128.1", "130", "6.2", "13.1.3", "20")
)
_LOCALIZERS: Final = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
_SECTION_MODALITIES: Final = frozenset({"CT", "MR", "PT"})

Slices = tuple[InstanceFacts, ...]  # of one file, at least one


def scan_dicom(
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[list[Series], list[Skipped]]:
    """Find all series below a folder, or in one file, DICOMDIR or zip archive.

    Only headers are read, nothing is unpacked or written. The answer does not depend on the
    files' names and order.

    Parameters
    ----------
    path
        Folder, DICOM file, DICOMDIR or zip archive.
    progress
        Called with the number of files done and the number of all.
    cancelled
        Asked before each file.

    Returns
    -------
    series, skipped
        The series, in order of study and series number; and what is no DICOM, cannot be read or
        is an exact copy of another file. Both are empty for an empty folder.

    Raises
    ------
    InputError
        If there is nothing at `path`, or it cannot be read.
    Cancelled
        If `cancelled` said so.
    """
    with Opener() as opener:
        candidates, skipped = _candidates(Path(path), opener)
        instances: list[tuple[str, Slices]] = []
        for done, candidate in enumerate(candidates):
            if cancelled():
                raise Cancelled("the scan was called off")
            if progress is not None:
                progress(done, len(candidates))
            read = _read(candidate, opener)
            if isinstance(read, Skipped):
                skipped.append(read)
            else:
                instances.append((candidate.name, read))
        if progress is not None:
            progress(len(candidates), len(candidates))
        kept, copies = _without_copies(instances, opener)
    return _series(kept), [*skipped, *copies]


def _candidates(path: Path, opener: Opener) -> tuple[list[Candidate], list[Skipped]]:
    """The files to read."""
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
    one = Candidate(Place(str(path)), path.name)
    if head[:4] == b"PK\3\4" and zipfile.is_zipfile(path):
        return find_members(opener, path)
    slices = _read(one, opener)
    if not isinstance(slices, Skipped) and slices[0].sop_class == _DIRECTORY:
        return _from_directory(path)
    return [one], []


def _from_directory(path: Path) -> tuple[list[Candidate], list[Skipped]]:
    file, _ = open_regular(str(path))
    with file:
        names = directory_entries(file)
    return find_named(path.parent, names)


def _read(candidate: Candidate, opener: Opener) -> Slices | Skipped:
    """The slices of one file, or why there are none."""
    try:
        file, size = opener.open(candidate.place)
        with file:
            try:
                header = read_header(file, size, WANTED)
            except Oddity:
                header = read_odd_header(file, size, WANTED)
            return slices_of(header, file, size, facts_of(header, candidate.place))
    except (NotDicom, HeaderError) as error:
        return Skipped(candidate.name, error.what)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError):
        return Skipped(candidate.name, "it cannot be read")


def _without_copies(
    instances: Sequence[tuple[str, Slices]], opener: Opener
) -> tuple[list[InstanceFacts], list[Skipped]]:
    """The slices without those of a file that is another one again, byte for byte."""
    kept: list[InstanceFacts] = []
    copies: list[Skipped] = []
    known: dict[str, list[InstanceFacts]] = defaultdict(list)
    for name, slices in instances:
        facts = slices[0]
        if facts.sop_class == _DIRECTORY:
            continue
        same_uid = known[facts.sop_uid] if facts.sop_uid else []
        if any(_same_bytes(facts.place, other.place, opener) for other in same_uid):
            copies.append(Skipped(name, "an exact copy of another file"))
            continue
        same_uid.append(facts)
        kept.extend(slices)
    return kept, copies


def _same_bytes(a: Place, b: Place, opener: Opener) -> bool:
    try:
        (one, size), (other, other_size) = opener.open(a), opener.open(b)
        with one, other:
            return size == other_size and one.read() == other.read()
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error):
        return False


def _series(instances: Iterable[InstanceFacts]) -> list[Series]:
    """Instances grouped into series, numbered in a lasting order."""
    groups: dict[tuple[Hashable, ...], list[InstanceFacts]] = defaultdict(list)
    for facts in instances:
        groups[_series_key(facts)].append(facts)
    ordered = sorted(groups.values(), key=_series_order)
    return [_found(number, group) for number, group in enumerate(ordered, 1)]


def _series_key(facts: InstanceFacts) -> tuple[Hashable, ...]:
    # Without a UID nothing but the folder says what belongs together.
    uid = facts.series_uid or ("in folder", str(Path(facts.place.path).parent))
    return (
        facts.patient_key, facts.study_uid, uid, facts.sop_class, facts.modality, _kind(facts)
    )  # fmt: skip


def _series_order(group: Sequence[InstanceFacts]) -> tuple[object, ...]:
    first = group[0]
    lowest = min(facts.sop_uid for facts in group)
    number = min(facts.series_number for facts in group)
    return (first.study_uid, number, first.series_uid, first.sop_class, _kind(first), lowest)


def _kind(facts: InstanceFacts) -> Kind:
    """What an instance is for: a section of a body, a localizer, a segmentation, or other."""
    if facts.sop_class in SEGMENTATIONS:
        return "segmentation"
    if _LOCALIZERS.intersection(facts.image_type):
        return "localizer"
    if facts.sop_class in _SECTIONS | _MULTI_FRAME:
        return "image"
    is_section = facts.modality in _SECTION_MODALITIES and facts.rows > 0
    return "image" if is_section and not facts.sop_class else "other"


def _found(number: int, group: Sequence[InstanceFacts]) -> Series:
    """A series with its volumes and problems."""
    first = min(group, key=lambda facts: facts.sop_uid)
    kind = _kind(first)
    problems: list[Problem] = []
    volumes: tuple[FoundVolume, ...] = ()
    if kind == "segmentation":
        ordered = sorted(group, key=lambda facts: (facts.instance_number or 0, facts.sop_uid))
        volumes = segmentation_volumes([facts.place for facts in ordered])
    elif first.sop_class == STRUCTURE_SET:
        what, hint = "it holds contours, no image", "import it as the mask of a case"
        problems.append(Problem("no-pixel-data", what, hint, blocking=True))
    elif first.pixels is None and kind == "other":
        problems.append(Problem("no-pixel-data", "these objects are no images", blocking=True))
    else:
        closed = [facts for facts in group if _closed(facts)]
        open_ = [facts for facts in group if not _closed(facts)]
        if open_:
            volumes, problems = volumes_of(open_)
        closed.sort(key=lambda facts: (facts.instance_number or 0, facts.sop_uid))
        names = [f"file {n}" if len(closed) > 1 else "" for n in range(1, len(closed) + 1)]
        volumes = (*volumes, *map(_not_opened, names, closed))
    return Series(
        number=number,
        uid=first.series_uid,
        format="dicom-seg" if kind == "segmentation" else "dicom",
        modality=first.modality,
        kind=kind,
        volumes=volumes,
        files=len({facts.place for facts in group}),
        problems=tuple(problems),
        description=first.description,
    )


def _closed(facts: InstanceFacts) -> bool:
    """True for what is no slice: a mosaic that says nothing of its tiles."""
    return facts.is_mosaic and facts.tile is None


def _not_opened(name: str, facts: InstanceFacts) -> FoundVolume:
    what = "all slices are tiles of one picture, and the header does not say where they are"
    hint = "export the series again with the maker's private elements"
    return FoundVolume(name, None, (Problem("mosaic", what, hint, blocking=True),), (facts,))
