"""Known parts of the body found by rules alone: in a case, from a file, in a script."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.commands.sources import read_source
from napari_medlabel.commands.tools import image_of
from napari_medlabel.core.automatic import Found, find, label_for_part, part_of
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region import Report, Stop, box_of, copy_of, edit_of, never, silent
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import Volume
from napari_medlabel.files import check_new_file
from napari_medlabel.formats import write
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["FoundPart", "automatic", "find_part", "start_from"]

STARTED = "Start from"


@dataclass(frozen=True, slots=True)
class FoundPart:
    """What `find_part` wrote: the part, how large it is, and what a person should know of it."""

    file: str
    part: str
    name: str
    voxels: int
    ml: float
    notes: tuple[str, ...]
    settings: dict[str, Any]
    seconds: float

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"format": 1, **asdict(self), "notes": list(self.notes)}


def automatic(volume: Volume, what: str, *, cancelled: Stop = never) -> BoolArray:
    """Find a known part of the body, by rules alone and without a model.

    Parameters
    ----------
    volume
        What `read` gives: CT in HU, or MR for body, skin, brain and outside.
    what
        "body", "skin", "lungs", "left-lung", "right-lung", "bone", "brain", "air", "airways",
        "bowel-gas", "table" or "outside".
    cancelled
        Polled.

    Returns
    -------
    array
        bool, `[k, j, i]`, the volume's shape; never empty.

    Raises
    ------
    InputError
        If it is not in view, cannot be told in such an image, or is not plausible; with why.
    Cancelled
        If `cancelled` says so.
    """
    return find(volume, what, cancelled=cancelled).mask


@command(needs=Permission.EXPORT)
def find_part(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    image: Path,
    what: str,
    out: Path,
    *,
    series: str = "",
    volume: int = 0,
    force: bool = False,
    cancelled: Stop = never,
    progress: Report = silent,
) -> FoundPart:
    """Find a known part of the body in an image; the mask lies on the image's own grid.

    Parameters
    ----------
    image
        Whatever `read` reads.
    what
        As for `automatic`.
    out
        A new `.nii`, `.nii.gz`, `.nrrd` or `.mha`.
    series, volume
        Which one, where there are several; `volume` from 1.
    force
        Whether an existing file may be replaced.
    cancelled, progress
        Polled, and told hundredths done.

    Raises
    ------
    InputError
        If the image cannot be used or the part cannot be found; nothing is written.
    """
    part_of(what)
    check_new_file(out, force=force)
    read = read_source(image, series=series or None, volume=volume or None)
    start = time.perf_counter()
    found = find(read, what, cancelled=cancelled, progress=progress)
    seconds = time.perf_counter() - start
    own = np.ascontiguousarray(read.source.axes.inverse().apply(found.mask.astype(np.uint8)))
    write(
        own, read.source.geometry, out, force=force, space_code=read.source.space_code, labels=True
    )
    return FoundPart(
        out.name, found.part.id, found.part.name, int(np.count_nonzero(found.mask)), found.ml,
        found.notes, found.settings, round(seconds, 3),
    )  # fmt: skip


@command(needs=Permission.SEGMENT)
def start_from(  # noqa: PLR0913
    session: Session, case: OpenCase, what: str, value: int | None = None, *,  # noqa: ARG001
    active: int = 0, over_others: bool = False, cancelled: Stop = never,
    progress: Report = silent,
) -> Edit:  # fmt: skip
    """Find a known part of the body in a case's image and give its voxels to a segment.

    Parameters
    ----------
    session, case
        Where it is written.
    what
        As for `automatic`.
    value
        The segment's label value; without it the one that `label_for_part` gives, which is added
        or named in the same step.
    active
        The segment in hand, for `label_for_part`.
    over_others
        Whether voxels of other segments may be taken; locked ones never are.
    cancelled, progress
        Polled, and told hundredths done.

    Raises
    ------
    InputError
        If it cannot be found, with why, or there is no such segment; nothing is written.
    """
    case.check_open()
    image_of(case)
    segmentation = case.segmentation
    label = (
        label_for_part(segmentation, part_of(what), active) if value is None
        else segmentation.schema[value]
    )  # fmt: skip
    found = find(case.volume, what, cancelled=cancelled, progress=progress)
    edit = _edit(segmentation, label, found, over_others=over_others)
    settings = {"label": label.value, **found.settings, "ml": round(found.ml, 3),
                "notes": list(found.notes), "over_others": over_others}  # fmt: skip
    schema = None if edit.is_nothing else segmentation.schema.with_label(label)
    return segmentation.apply_all((edit,), tool=STARTED, settings=settings, schema=schema)[0]


def _edit(segmentation: Segmentation, label: Label, found: Found, *, over_others: bool) -> Edit:
    """The edit that gives a label the voxels of what was found."""
    labels = segmentation.arrays.get(label.group)
    if labels is None:
        labels = np.zeros(segmentation.geometry.shape, np.uint8)
    box = box_of(found.mask, 1)
    if box is None:
        return Edit.nothing(labels.dtype)
    after = copy_of(labels, box, label.value)
    where = found.mask[box]
    if not over_others:
        where = where & (after == 0)
    after[where] = label.value
    return edit_of(labels, box, after).in_group(label.group)
