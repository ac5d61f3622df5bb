"""The files that an open case came from: whether these are they, and what their pixels show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.burned_in import BurnedIn
from napari_medlabel.commands.door import command
from napari_medlabel.commands.sources import find
from napari_medlabel.core.volume import FoundVolume, Source
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats import recipe_of
from napari_medlabel.formats.dicom_originals import original_header
from napari_medlabel.privacy.burned_in import TextBox, opened
from napari_medlabel.privacy.burned_in_stacks import Stack
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["TextTile", "check_case_files", "text_tiles"]

Stop = Callable[[], bool]
Bytes = npt.NDArray[np.uint8]
_AROUND = 3  # pixels


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class TextTile:
    """A text in pixels as a person may see it on their own screen; never kept, never written out.

    Parameters
    ----------
    finding
        Its number, as `burned_in` counts.
    pixels
        uint8, `[row, column]` or `[row, column, 3]`: the box and a little around it.
    width, height
        Of the box, in pixels of the frame.
    frames
        How many frames it is in.
    first
        The first of these, counted from 0 through its file.
    of
        How many frames there are beside it: all of its stack.
    kind
        What it looks like: "a date", "a time", "a number", "a name".
    """

    finding: int
    pixels: Bytes
    width: int
    height: int
    frames: int
    first: int
    of: int
    kind: str = ""


@command(needs=Permission.VIEW)
def check_case_files(
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    path: Path,
    *,
    cancelled: Stop = _never,
) -> None:
    """Pass where the open case was made from the files at a path.

    Raises
    ------
    InputError
        If it was not: an instance of it is missing, or nothing there lies on its grid.
    Cancelled
        If it was called off.
    """
    source = case.volume.source
    if source.format == "dicom" and path.is_dir() and all(one.uid for one in source.instances):
        original_header(path, source)
        return
    found = find(path, cancelled=cancelled)
    if not any(_is_on(source, volume) for series in found.series for volume in series.volumes):
        raise InputError(
            "this case was not made from what is there", "choose the folder or file it came from"
        )


@command(needs=Permission.VIEW)
def text_tiles(
    session: Session,  # noqa: ARG001  # the door's
    path: Path,
    found: BurnedIn,
    *,
    cancelled: Stop = _never,
) -> tuple[TextTile, ...]:
    """A picture of each text that was found, for the screen only.

    Parameters
    ----------
    path
        As it was given to `burned_in`.
    found
        What that said.
    cancelled
        Polled before each.

    Raises
    ------
    InputError
        If a file cannot be read any more.
    Cancelled
        If it was called off.
    """
    boxes: dict[int, list[TextBox]] = {}
    for box in found.boxes:
        boxes.setdefault(box.finding, []).append(box)
    tiles: list[TextTile] = []
    with opened(path, cancelled=cancelled) as (_found, stacks, _unread):
        places = {
            (place.file, place.frame): (stack, n)
            for stack in stacks
            for n, place in enumerate(stack.places)
        }
        for finding, own in sorted(boxes.items()):
            if cancelled():
                raise Cancelled("looking at text was called off")
            tile = _tile(finding, own, places)
            if tile is not None:
                tiles.append(tile)
    return tuple(tiles)


def _tile(
    finding: int, boxes: list[TextBox], places: Mapping[tuple[str, int], tuple[Stack, int]]
) -> TextTile | None:
    """The middle of the frames it is in: text that is in all of them is often clearest there."""
    box = boxes[len(boxes) // 2]
    if (box.file, box.frame) not in places:
        return None
    stack, number = places[box.file, box.frame]
    left, top, right, bottom = _as_seen(stack, box)
    view = stack.load(number)[0]
    rows = slice(max(top - _AROUND, 0), bottom + _AROUND)
    columns = slice(max(left - _AROUND, 0), right + _AROUND)
    first = min(places[one.file, one.frame][1] for one in boxes if (one.file, one.frame) in places)
    return TextTile(
        finding, np.ascontiguousarray(view[rows, columns]), box.width, box.height, len(boxes),
        first, len(stack), box.kind,
    )  # fmt: skip


def _as_seen(stack: Stack, box: TextBox) -> tuple[int, int, int, int]:
    """A box of the file's own frame in the picture that is looked at, which may be turned."""
    corners = [stack.in_file((x, y, x, y))[:2] for x, y in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))]
    origin, right, down = (np.asarray(corner) for corner in corners)
    turn = np.linalg.inv(np.stack([right - origin, down - origin], axis=1))
    ends = np.array([(box.left, box.top), (box.left + box.width, box.top + box.height)], float)
    seen: npt.NDArray[Any] = np.sort((ends - origin) @ turn.T, axis=0)
    (left, top), (far, low) = np.floor(seen[0]).astype(int), np.ceil(seen[1]).astype(int)
    return int(left), int(top), int(far), int(low)


def _is_on(source: Source, volume: FoundVolume) -> bool:
    """Whether a volume that was found lies where the case's own source does."""
    if recipe_of(volume) is not None or volume.geometry is None:
        return False
    if source.derivation is not None:
        return len(volume.parts) == len(source.instances)
    return volume.geometry.same_grid(source.geometry)
