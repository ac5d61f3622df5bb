"""The header of an NRRD file: teem.sourceforge.net/nrrd/format.html.

Read here and not with ITK, whose reader takes the process down with it on a broken header. Axes
are counted from the fastest. Those in space have a direction, or else a spacing and no kind that
says otherwise; any other holds several volumes, or several values of one voxel.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.formats.packed import Encoding
from napari_medlabel.formats.text_fields import (
    MOST_ALONG,
    TextFields,
    broken,
    read_fields,
    voxel_files,
)
from napari_medlabel.formats.text_header import TextHeader
from napari_medlabel.formats.voxels import in_one_line

__all__ = ["read_nrrd_header"]

_MOST_AXES: Final = 16  # as the format has it
_MOST_LINES: Final = 10_000
_LONGEST_LINE: Final = 1 << 20
_TYPES: Final = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(
        ("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"
    ),
    **dict.fromkeys(
        ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"
    ),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(
        ("longlong", "long long", "long long int", "signed long long", "signed long long int",
         "int64", "int64_t"), "i8",
    ),
    **dict.fromkeys(
        ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"
    ),
    "float": "f4", "double": "f8",
}  # fmt: skip
_ENCODINGS: Final[dict[str, Encoding]] = {
    "raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2",
    "txt": "text", "text": "text", "ascii": "text", "hex": "hex",
}  # fmt: skip
_NO_KIND: Final = frozenset({"", "???", "none"})
_IN_SPACE: Final = frozenset({"domain", "space", *_NO_KIND})
_OF_VOLUMES: Final = frozenset({"list", "time", "stub", "scalar", "domain", "space"})
_TIMES: Final = ("-time", "rast", "last", "lpst")


def read_nrrd_header(path: Path) -> TextHeader:
    """The facts of an NRRD header.

    Raises
    ------
    InputError
        If the file cannot be opened, its header does not hold together, or it names voxels that
        are not there.
    """
    fields = read_fields(path, ":")
    files = voxel_files(path, fields)
    try:
        return _header(path, fields, files)
    except (ValueError, OverflowError) as error:
        raise broken("NRRD") from error


def _header(path: Path, fields: TextFields, files: tuple[Path, ...]) -> TextHeader:
    """The facts; ValueError where the header does not hold together."""
    values = fields.values
    axes = _axes(values)
    space = _three_neighbours(axes)
    before, after = (axes[: space[0]], axes[space[-1] + 1 :]) if space else ([], [])
    inner, outer = (math.prod(axis.size for axis in part) for part in (before, after))
    alternating = all(axis.kind in _OF_VOLUMES for axis in before if axis.size > 1)
    following = all(axis.kind in _OF_VOLUMES | _NO_KIND for axis in after if axis.size > 1)
    encoding = _ENCODINGS.get(values.get("encoding", "").lower())
    stored = _stored(values, encoding) if encoding else None
    offset = 0 if encoding is None else _offset(path, fields, files[0])
    skipped = int(values.get("byteskip", "0"))
    sizes = [axes[n].size for n in space] or [axis.size for axis in axes[:3]]
    header = TextHeader(
        path=path,
        format="nrrd",
        fields=values,
        axes=len(axes),
        size_ijk=_three(sizes),
        inner=inner if alternating else 1,
        outer=outer if following else 1,
        components=(1 if alternating else inner) * (1 if following else outer),
        several=_several([axis.kind for axis in (*before, *after) if axis.size > 1]),
        stored=stored,
        lps_from_ijk=_matrix(values, [axes[n] for n in space]) if space else None,
        files=files,
        data_bytes=sum(file.stat().st_size for file in files),
        encoding=encoding or "raw",
        offset=offset,
        skipped=max(0, skipped),
    )
    if skipped < -1 or (skipped == -1 and encoding != "raw"):
        raise ValueError("bytes to skip that cannot be counted")
    if encoding == "raw" and skipped:
        behind = header.data_bytes // len(files) - header.bytes // len(files)
        offset = max(0, behind) if skipped == -1 else offset + skipped
        return replace(header, offset=offset, skipped=0)
    return header


@dataclass(frozen=True, slots=True)
class _Axis:
    """One axis of the array; `step_lps` leads to the next voxel, None where it leads nowhere."""

    size: int
    kind: str
    step_lps: FloatArray | None


def _axes(values: Mapping[str, str]) -> list[_Axis]:
    count = int(values.get("dimension", ""))
    sizes = [int(word) for word in values.get("sizes", "").split()]
    if not 1 <= count <= _MOST_AXES or len(sizes) != count or min(sizes) < 1:
        raise ValueError("axes and sizes do not fit together")
    if max(sizes) > MOST_ALONG:
        raise ValueError("an axis is longer than any file can hold")
    kinds = values.get("kinds", "").lower().split() or [""] * count
    if len(kinds) != count:
        raise ValueError("axes and kinds do not fit together")
    steps = _directions(values, count) if "spacedirections" in values else _spacings(values, kinds)
    return [_Axis(*one) for one in zip(sizes, kinds, steps, strict=True)]


def _directions(values: Mapping[str, str], count: int) -> list[FloatArray | None]:
    words = re.findall(r"\([^)]*\)|[^\s()]+", values["spacedirections"])
    if len(words) != count:
        raise ValueError("axes and directions do not fit together")
    return [None if word.lower() == "none" else _in_lps(values, word) for word in words]


def _spacings(values: Mapping[str, str], kinds: Sequence[str]) -> list[FloatArray | None]:
    """Each axis of space runs along one of the world, in order."""
    numbers = [float(word) for word in values.get("spacings", "").split()] or [math.nan] * len(
        kinds
    )
    if len(numbers) != len(kinds):
        raise ValueError("axes and spacings do not fit together")
    measured = {n for n, number in enumerate(numbers) if math.isfinite(number)}
    space = [n for n, kind in enumerate(kinds) if kind in _IN_SPACE]
    if measured and len(space) > 3:
        space = [n for n in space if n in measured]
    steps: list[FloatArray | None] = [None] * len(kinds)
    for along, n in enumerate(space[:3]):
        steps[n] = numbers[n] * np.eye(3)[along]
        if not math.isfinite(numbers[n]):
            steps[n] = np.full(3, math.nan)
    return steps


def _three_neighbours(axes: Sequence[_Axis]) -> list[int]:
    """The axes in space, if there are three of them and nothing is in between."""
    space = [n for n, axis in enumerate(axes) if axis.step_lps is not None]
    together = len(space) == 3 and space[2] == space[0] + 2
    return space if together else []


def _three(sizes: Sequence[int]) -> tuple[int, int, int]:
    i, j, k, *_ = (*sizes, 1, 1, 1)
    return i, j, k


def _several(kinds: Sequence[str]) -> str:
    if any("color" in kind for kind in kinds):
        return "colour"
    return "complex-values" if "complex" in kinds else "several-values"


def _stored(values: Mapping[str, str], encoding: str) -> np.dtype[Any] | None:
    """The type of a value, None where it is no number."""
    code = _TYPES.get(" ".join(values.get("type", "").lower().split()))
    if code is None:
        return None
    order = {"little": "<", "big": ">"}.get(values.get("endian", "").lower(), "")
    if not order and code[1] != "1" and encoding != "text":
        raise ValueError("no order of bytes")
    return np.dtype(code if encoding == "text" else order + code)


def _offset(path: Path, fields: TextFields, file: Path) -> int:
    """Bytes of each file before the voxels, but for those that are skipped."""
    lines = int(fields.values.get("lineskip", "0"))
    if fields.end < 0 and file == path:
        raise ValueError("the header has no end")
    start = fields.end if file == path else 0
    if not 0 <= lines <= _MOST_LINES:
        raise ValueError("lines to skip that cannot be counted")
    if not lines:
        return start
    with in_one_line(), file.open("rb") as opened:
        opened.seek(start)
        for _ in range(lines):
            if not opened.readline(_LONGEST_LINE).endswith(b"\n"):
                raise ValueError("a line that has no end")
        return opened.tell()


# Where the voxels are


def _matrix(values: Mapping[str, str], axes: Sequence[_Axis]) -> FloatArray:
    """`lps_from_ijk`, in the header's unit."""
    matrix = np.eye(4)
    for n, axis in enumerate(axes):
        matrix[:3, n] = axis.step_lps
    if "spaceorigin" in values:
        matrix[:3, 3] = _in_lps(values, values["spaceorigin"])
    return matrix


def _in_lps(values: Mapping[str, str], vector: str) -> FloatArray | None:
    """A vector of the header's world; None where it leads through time only."""
    numbers = np.array([float(word) for word in vector.strip("() ").split(",")])
    space = values.get("space", "").lower()
    wide = int(values.get("spacedimension", 3 + space.endswith(_TIMES)))
    if len(numbers) != wide:
        raise ValueError("a vector of another world")
    if wide < 3:
        return None
    if wide > 3 and not numbers[:3].any() and numbers[3:].any():
        return None
    return numbers[:3] * _signs(space)


def _signs(space: str) -> tuple[int, int, int]:
    words = {"ras": "right-anterior", "las": "left-anterior"}.get(space.removesuffix("t"), space)
    left = -1 if words.startswith("right-") else 1
    back = -1 if "-anterior" in words else 1
    head = -1 if "-inferior" in words else 1
    return left, back, head
