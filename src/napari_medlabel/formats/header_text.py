"""Text that the header of a NIfTI, NRRD or MetaImage file holds beside what its voxels need.

None of them has DICOM's elements, but all have room for words: NIfTI's `descrip`, `intent_name`,
`aux_file`, `db_name` and extensions, NRRD's `content`, comments and key/value pairs, MetaImage's
`Comment` and any field that somebody adds. Converters write names and whole DICOM headers there.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from napari_medlabel.formats.nifti_header import NiftiHeader
from napari_medlabel.formats.text_header import TextHeader
from napari_medlabel.formats.voxels import first_bytes, in_one_line

__all__ = ["header_texts"]

# Name, first byte, bytes: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h.
_NIFTI_1: Final = (("data_type", 4, 10), ("db_name", 14, 18), ("descrip", 148, 80),
                   ("aux_file", 228, 24), ("intent_name", 328, 16))  # fmt: skip
_NIFTI_2: Final = (("descrip", 240, 80), ("aux_file", 320, 24), ("intent_name", 508, 16))
_SIZES: Final = {348: _NIFTI_1, 540: _NIFTI_2}
_LONGEST_HEADER: Final = 1 << 20
# Comments that the format's own library puts into every file.
_EVERYBODYS: Final = frozenset({
    "Complete NRRD file format specification at:",
    *(f"{start}://teem.sourceforge.net/nrrd/format.html" for start in ("http", "https")),
})  # fmt: skip
# Fields that hold numbers or one of the format's own words; what is in none of these is text.
_OF_NRRD: Final = frozenset({
    "type", "dimension", "sizes", "spacings", "thicknesses", "axismins", "axismaxs", "centers",
    "centerings", "kinds", "endian", "encoding", "min", "max", "oldmin", "oldmax", "blocksize",
    "lineskip", "byteskip", "space", "spacedimension", "spaceunits", "spaceorigin",
    "spacedirections", "measurementframe",
})  # fmt: skip
_OF_META: Final = frozenset({
    "objecttype", "objectsubtype", "ndims", "binarydata", "binarydatabyteordermsb",
    "elementbyteordermsb", "compresseddata", "compresseddatasize", "transformmatrix", "rotation",
    "orientation", "offset", "position", "origin", "centerofrotation", "anatomicalorientation",
    "elementspacing", "elementsize", "dimsize", "elementtype", "elementnumberofchannels",
    "headersize", "modality", "elementmin", "elementmax", "elementtointensityfunctionslope",
    "elementtointensityfunctionoffset", "color",
})  # fmt: skip
_NUMBERS_AND_OWN_WORDS: Final = re.compile(
    r"(?:[-+\d.e,()\x22\s]|\b(?:nan|inf|none|true|false|domain|space|list|cell|node|image|scanner-xyz"
    r"|local|little|big|raw|gzip|gz|text|txt|ascii|hex|bzip2|bz2|int|uint|short|ushort|char|uchar"
    r"|unsigned|signed|long|longlong|ulonglong|float|double|block|u?int(?:8|16|32|64)(?:_t)?"
    r"|left|right|anterior|posterior|superior|inferior|lps|ras|las|3d|time|mm|cm|um|vector"
    r"|met_[a-z0-9_]+|[rlapsi]{3}|rgba?-color|complex|scalar)\b|-)*",
    re.IGNORECASE,
)


def header_texts(header: NiftiHeader | TextHeader, path: Path) -> tuple[tuple[str, str], ...]:
    """The text of a header, each with what kind it is; empty fields are left out.

    Parameters
    ----------
    header
        What the scan found in the file.
    path
        The header file of a pair, else the file.

    Returns
    -------
    tuple
        `(kind, text)`: NIfTI's field names and "extension"; of the others "comment", "content"
        and "other fields". The kinds are this program's words; the texts may name somebody.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    if isinstance(header, NiftiHeader):
        return tuple(_of_nifti(path, header.offset if path == header.data else _LONGEST_HEADER))
    return tuple(_of_lines(path, header.format == "nrrd"))


def _of_nifti(path: Path, end: int) -> Iterator[tuple[str, str]]:
    start = first_bytes(path, max(540, min(end, _LONGEST_HEADER)))
    little = int.from_bytes(start[:4], "little")
    size = little if little in _SIZES else int.from_bytes(start[:4], "big")
    for name, first, count in _SIZES.get(size, ()):
        raw = start[first : first + count]
        if text := _plain(raw):
            yield name, text
    if size not in _SIZES or any(start[size : size + 4]):
        yield "extension", _plain(start[size + 4 : end]) or "?"


def _plain(raw: bytes) -> str:
    """All of a field: what stands behind its first zero is still in the file."""
    return re.sub(r"[\0\s]+", " ", raw.decode("utf-8", "replace")).strip()


def _of_lines(path: Path, is_nrrd: bool) -> Iterator[tuple[str, str]]:  # noqa: FBT001
    with in_one_line(), path.open("rb") as file:
        raw = file.read(_LONGEST_HEADER)
    own = _OF_NRRD if is_nrrd else _OF_META
    for line in raw.split(b"\n"):
        text = line.decode("utf-8", "replace").strip()
        if is_nrrd and not text:
            return  # the voxels come next
        if is_nrrd and re.fullmatch(r"NRRD\d{4}", text):
            continue
        if text.startswith("#"):
            if text.lstrip("# ") not in _EVERYBODYS:
                yield "comment", text.lstrip("# ")
            continue
        name, found, value = text.partition(":" if is_nrrd else "=")
        key, value = re.sub(r"\s", "", name).lower(), value.strip()
        if key in {"elementdatafile", "datafile"}:
            if not _NUMBERS_AND_OWN_WORDS.fullmatch(value):
                yield "data file", Path(value).stem
            return
        plain = key in own and not value.startswith("=") and _NUMBERS_AND_OWN_WORDS.fullmatch(value)
        if found and value and not plain:
            yield ("content" if key == "content" else "other fields"), text
