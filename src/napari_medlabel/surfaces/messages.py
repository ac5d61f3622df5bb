"""What goes through a surface worker's pipes; numbers are little-endian.

A worker says HELLO once. Then, for each mask, it gets a question and gives an answer:

    question   0   1  1 for the skin of a head, 0 for the mask as it is
               1   4  most faces, uint32
               5  12  shape along k, j, i, uint32
              17 128  lps_from_kji, float64, rows first
             145      the mask, eight voxels a byte (numpy.packbits), C order
    answer     0   1  Outcome
               1   4  points n, uint32
               5   4  faces m, uint32
               9      points and normals, float32 [n, 3] each, mm; faces, uint32 [m, 3]

No file is named and no header value is sent. Whoever asks believes a worker no more faces than
it may have made. A worker ends when there are no more questions.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.surface import MOST_FACES, Surface
from napari_medlabel.decoding.messages import Lost, Pipe, fill, write_all

__all__ = [
    "HELLO",
    "Outcome",
    "Part",
    "read_answer",
    "read_question",
    "write_answer",
    "write_question",
]

HELLO: Final = b"medlabel surfaces 1\n"
_QUESTION: Final = struct.Struct("<BI3I16d")
_ANSWER: Final = struct.Struct("<BII")
_ROOM: Final = 4  # times the faces asked for: the coarsest grid may still have more


class Outcome(IntEnum):
    """How building went."""

    DONE = 0
    MEMORY = 1
    NO_HEAD = 2
    BROKEN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What to build a surface of.

    Parameters
    ----------
    mask
        bool, `[k, j, i]`, in the smallest box that will do.
    geometry
        Of that box.
    skin
        Whether it is tissue of which the skin is wanted: see `core.skin.skin_of`.
    most_faces
        See `core.surface.surface`.
    """

    mask: BoolArray
    geometry: Geometry
    skin: bool = False
    most_faces: int = MOST_FACES


def write_question(pipe: Pipe, part: Part) -> None:
    """Ask for a surface."""
    matrix = part.geometry.lps_from_kji.ravel().tolist()
    head = _QUESTION.pack(int(part.skin), part.most_faces, *part.mask.shape, *matrix)
    write_all(pipe, head)
    write_all(pipe, np.packbits(part.mask).data)


def read_question(pipe: Pipe) -> Part | None:
    """The next mask, or None where there is none any more."""
    head = memoryview(bytearray(_QUESTION.size))
    try:
        fill(pipe, head)
    except Lost:
        return None
    skin, most_faces, k, j, i, *matrix = _QUESTION.unpack(head)
    size = k * j * i
    packed = np.empty(-(-size // 8), np.uint8)
    fill(pipe, packed.data)
    mask = np.unpackbits(packed, count=size).view(bool).reshape(k, j, i)
    geometry = Geometry((k, j, i), np.reshape(matrix, (4, 4)))
    return Part(mask, geometry, bool(skin), most_faces)


def write_answer(pipe: Pipe, outcome: Outcome, surface: Surface | None = None) -> None:
    """Give a surface, or say why there is none."""
    if surface is None:
        write_all(pipe, _ANSWER.pack(outcome, 0, 0))
        return
    write_all(pipe, _ANSWER.pack(outcome, len(surface.points_lps), len(surface.faces)))
    for array in (surface.points_lps, surface.normals, surface.faces):
        write_all(pipe, _bytes(array))


def read_answer(pipe: Pipe, most_faces: int) -> tuple[Outcome, Surface | None]:
    """What became of a question.

    Raises
    ------
    Lost
        If there is no answer, or it cannot be one.
    """
    head = memoryview(bytearray(_ANSWER.size))
    fill(pipe, head)
    kind, points, faces = _ANSWER.unpack(head)
    most = _ROOM * max(most_faces, MOST_FACES)
    if kind not in set(Outcome) or max(points, faces) > most:
        raise Lost
    if kind != Outcome.DONE:
        return Outcome(kind), None
    arrays = (
        np.empty((points, 3), "<f4"), np.empty((points, 3), "<f4"), np.empty((faces, 3), "<u4")
    )  # fmt: skip
    for array in arrays:
        fill(pipe, _bytes(array))
    if faces and int(arrays[2].max()) >= points:
        raise Lost
    return Outcome.DONE, Surface(*arrays)


def _bytes(array: npt.NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
