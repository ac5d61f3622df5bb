"""What the headers of NIfTI, NRRD and MetaImage say in words: found, counted, and taken out.

Layouts: nifti1.h and nifti2.h of https://nifti.nimh.nih.gov; NRRD 5 of
https://teem.sourceforge.net/nrrd/format.html; MetaIO's documentation.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from napari_medlabel.core.volume import Series
from napari_medlabel.formats.nifti_patch import first_of
from napari_medlabel.formats.voxels import first_bytes
from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.wording import Wording

__all__ = ["cleaned_nifti", "files_of", "texts_of", "words_of"]

_NIFTI_1: Final = {
    "data_type": (4, 14), "db_name": (14, 32), "extents": (32, 36), "session_error": (36, 38),
    "descrip": (148, 228), "aux_file": (228, 252), "intent_name": (328, 344),
}  # fmt: skip
_NIFTI_2: Final = {"descrip": (240, 320), "aux_file": (320, 344), "intent_name": (508, 524)}
_SIZES: Final = {348: _NIFTI_1, 540: _NIFTI_2}
_TEXT: Final = 1 << 16  # bytes of a header of text that are looked at
# MetaIO's own; whatever else stands in a header was put there by somebody.
_META: Final = frozenset({
    "objecttype", "ndims", "binarydata", "binarydatabyteordermsb", "elementbyteordermsb",
    "compresseddata", "compresseddatasize", "transformmatrix", "offset", "position", "origin",
    "orientation", "rotation", "centerofrotation", "anatomicalorientation", "elementspacing",
    "elementsize", "dimsize", "elementtype", "elementnumberofchannels", "headersize",
    "elementmin", "elementmax", "distanceunits",
})  # fmt: skip


def texts_of(series: Series) -> dict[str, str]:
    """What a header says in words, by the name of the field; never to be shown or logged.

    Parameters
    ----------
    series
        Of one file, as a scan found it.
    """
    found = series.volumes[0]
    if series.format == "nifti":
        return dict(_nifti_texts(first_of(found)))
    text = first_bytes(files_of(series)[0], _TEXT).decode("latin-1")
    lines = _nrrd_texts(text) if series.format == "nrrd" else _meta_texts(text)
    return {f"{name} {n}": value for n, (name, value) in enumerate(lines, 1) if value.strip()}


def files_of(series: Series) -> tuple[Path, ...]:
    """The files of a series; the first is the one that names it."""
    header = series.volumes[0].parts[0]
    if series.format != "nifti":
        return tuple(dict.fromkeys((header.path, *header.files)))
    pair = [header.data.with_suffix(one) for one in (".hdr", ".HDR", ".hdr.gz")]
    beside = [one for one in pair if header.data.suffix.casefold() == ".img" and one.is_file()]
    return (*header.files, *beside[:1])


def words_of(texts: dict[str, str], file: Path) -> set[Identifier]:
    """What must not be found in the new file: every word that is on no list, of name and header."""
    wording = Wording()
    values = [*texts.values(), re.sub(r"\.(nii|nrrd|nhdr|mha|mhd|hdr|img)(\.gz)?$", "", file.name)]
    words = {word for value in values for word in wording.unknown(value.strip("\0 "))}
    return {Identifier("number" if word.isdigit() else "text", word) for word in words}


def cleaned_nifti(start: bytes) -> bytes:
    """What lies before the first voxel without its words and extensions; of the same length."""
    made = bytearray(start)
    fields = _SIZES.get(_size(start), {})
    for low, high in fields.values():
        made[low:high] = bytes(high - low)
    made[_size(start) :] = bytes(len(made) - _size(start))
    return bytes(made)


def _nifti_texts(start: bytes) -> Iterator[tuple[str, str]]:
    for name, (low, high) in _SIZES.get(_size(start), {}).items():
        value = start[low:high].split(b"\0")[0] if high - low > 4 else b""
        if value.strip():
            yield name, value.decode("latin-1")
    behind = start[_size(start) + 4 :]
    for n, run in enumerate(re.findall(rb"[ -~\x80-\xff]{4,}", behind), 1):
        yield f"extension {n}", run.decode("latin-1")


def _size(start: bytes) -> int:
    (little,), (big,) = struct.unpack("<i", start[:4]), struct.unpack(">i", start[:4])
    return little if little in _SIZES else big if big in _SIZES else 0


def _nrrd_texts(text: str) -> Iterator[tuple[str, str]]:
    for line in re.split(r"\r?\n\r?\n", text)[0].splitlines()[1:]:
        key, equals, value = line.partition(":=")
        if line.startswith("#"):
            yield "comment", line[1:]
        elif equals:
            yield "key and value", f"{key} {value}"
        elif line.casefold().startswith(("content:", "data file:", "datafile:")):
            yield line.partition(":")[0].casefold(), line.partition(":")[2]


def _meta_texts(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if not equals:
            return
        name = key.strip().casefold()
        if name == "elementdatafile":
            if value.strip().casefold() not in {"local", "list"}:
                yield "data file", value
            return
        if name not in _META:
            yield "key and value", value
