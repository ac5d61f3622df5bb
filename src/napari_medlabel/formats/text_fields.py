"""The lines of an NRRD or MetaImage header, and the files that they name."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.errors import InputError
from napari_medlabel.formats.voxels import in_one_line

__all__ = ["MOST_ALONG", "TextFields", "broken", "read_fields", "voxel_files"]

_LONGEST_HEADER: Final = 1 << 20
_MOST_FILES: Final = 20_000
MOST_ALONG: Final = 2**31 - 1  # voxels along an axis: no file has more, and a float holds them
_PATTERN: Final = re.compile(r"(.*)%(0?)(\d{0,2})d(\S*)((?:\s+-?\d+){2,4})")
_LOCAL: Final = "LOCAL"
_OF_NRRD: Final = frozenset(
    {"sizes", "dimension", "type", "encoding", "endian", "kinds", "space", "spacedimension",
     "spacedirections", "spaceorigin", "spaceunits", "spacings", "datafile", "lineskip", "byteskip"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TextFields:
    """The lines of a header.

    Parameters
    ----------
    values
        By name, in small letters and without blanks.
    data_file
        What the header says of the file with the voxels, "LOCAL" for itself.
    listed
        Names of files in the lines that follow the header.
    end
        Bytes before the first that is not of the header; -1 where it has no end.
    """

    values: dict[str, str]
    data_file: str
    listed: tuple[str, ...]
    end: int


def read_fields(path: Path, sign: Literal[":", "="]) -> TextFields:
    """The lines of a header; NRRD's, with ":", end with an empty one.

    Raises
    ------
    InputError
        If the file cannot be opened, or an NRRD header says something twice.
    """
    with in_one_line(), path.open("rb") as file:
        text = file.read(_LONGEST_HEADER)
    values: dict[str, str] = {}
    position, end, listed = 0, -1, b""
    for line in text.splitlines(keepends=True) if sign == ":" else text.split(b"\n"):
        position += len(line) + (sign == "=")
        if sign == ":" and not line.strip():
            end = position
            break
        name, found, value = line.decode("utf-8", "surrogateescape").partition(sign)
        key = re.sub(r"\s", "", name).lower()
        if not found or key.startswith("#"):
            continue
        if sign == ":" and value.startswith("="):  # a pair of somebody's own
            values.update({} if key in _OF_NRRD else {key: value[1:].strip()})
            continue
        if sign == ":" and key in values and key in _OF_NRRD:
            raise broken("NRRD")
        values[key] = value.strip()
        if key == "elementdatafile" or (key == "datafile" and value.split()[:1] == ["LIST"]):
            end, listed = position, text[position:]
            break
    name = values.get("datafile") or values.get("elementdatafile") or _LOCAL
    words = listed.decode("utf-8", "surrogateescape").splitlines() if name[:4] == "LIST" else []
    return TextFields(values, name, tuple(word.strip() for word in words if word.strip()), end)


def voxel_files(path: Path, fields: TextFields) -> tuple[Path, ...]:
    """The files with the voxels, in order.

    Raises
    ------
    InputError
        If the header points out of its own folder, at nothing, or at too many files.
    """
    if fields.data_file == _LOCAL:
        return (path,)
    names = fields.listed if fields.data_file.startswith("LIST") else _named(fields.data_file)
    if not 1 <= len(names) <= _MOST_FILES:
        raise InputError(f"the header names {len(names)} files with voxels", "check the header")
    return tuple(_beside(path, name) for name in names)


def broken(kind: str) -> InputError:
    """The error for a header that cannot be understood."""
    what = f"the file has a broken {kind} header"
    return InputError(what, "write the file again with the program that made it")


def _named(name: str) -> tuple[str, ...]:
    """One name, or those that a pattern with first, last and step stands for."""
    pattern = _PATTERN.fullmatch(name)
    if pattern is None:
        return (name,)
    start, zero, width, rest, numbers = pattern.groups()
    first, last, *more = (int(word) for word in numbers.split())
    step = more[0] if more else 1
    if step == 0 or not 0 <= (last - first) // step < _MOST_FILES:
        return ()
    count = (last - first) // step + 1
    return tuple(f"{start}{first + n * step:{zero}{width}d}{rest}" for n in range(count))


def _beside(path: Path, name: str) -> Path:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        what = "the header points at a file in another folder"
        raise InputError(what, "put both into one folder and correct the header")
    data = path.parent / name
    if not os.path.isfile(data):  # noqa: PTH113  # never raises, whatever the name
        what = "the file with the voxels, which its header names, is not there"
        raise InputError(what, "put it beside the header")
    return data
