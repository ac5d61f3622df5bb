"""What DICOM series there are in a folder, a file, a DICOMDIR or a zip archive; headers only."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from pathlib import Path
from typing import Final

from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import FoundVolume, Kind, Series
from napari_medlabel.formats.dicom_files import Skipped
from napari_medlabel.formats.dicom_gather import gather
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_rtstruct import STRUCTURE_SET
from napari_medlabel.formats.dicom_seg import SEGMENTATIONS
from napari_medlabel.formats.dicom_seg_load import segmentation_volumes
from napari_medlabel.formats.dicom_volumes import volumes_of

__all__ = ["Skipped", "scan_dicom"]

_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
_SECTIONS: Final = frozenset(_ROOT + end for end in ("2", "4", "128"))  # CT, MR, PET
_MULTI_FRAME: Final = frozenset(
    _ROOT + end
    for end in ("2.1", "2.2", "4.1", "4.2", "4.3", "4.4", "128.1", "130", "6.2", "13.1.3", "20")
)
_LOCALIZERS: Final = frozenset({"LOCALIZER", "SCOUT", "TOPOGRAM"})
_SECTION_MODALITIES: Final = frozenset({"CT", "MR", "PT"})


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
    slices, skipped = gather(Path(path), progress=progress, cancelled=cancelled)
    return _series(slices), skipped


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
    return (
        first.study_uid, number, first.series_uid, first.sop_class, _kind(first), lowest,
        first.patient_key,
    )  # fmt: skip


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
