"""The release gate: every byte of every new file is searched for what the old ones said.

Files are looked into as far as they are packed: gzip, zip, and streams of deflate inside DICOM.
A finding names the file and the kind of identifier, never the identifier.
"""

import re
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import Cancelled, MedlabelError
from napari_medlabel.privacy.dicom_source import Item, Source, read_source
from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.needles import Searches, searches
from napari_medlabel.privacy.values import split, vr_of

__all__ = ["Finding", "Searched", "search_folder"]

DOCUMENTS: Final = frozenset({"deidentification.json", "certificate.html"})
_MOST: Final = 1 << 28  # bytes that one packed stream may become
_HEADER_OF_OTHERS: Final = 1 << 16
_FREE_TEXT: Final = frozenset({"LO", "SH", "LT", "ST", "UT", "UC", "PN", "AE", "UR", "UN"})
_GZIP, _ZIP = b"\x1f\x8b\x08", b"PK\x03\x04"
_DEFLATED: Final = re.compile(rb"\x1f\x8b\x08|PK\x03\x04|x[\x01\x5e\x9c\xda]")
_STREAMS: Final = 2000  # of one file that are tried


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind of identifier that was found in a file, and how often; "name" if in its own name."""

    file: str
    kind: str
    count: int
    where: str

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"file": self.file, "kind": self.kind, "count": self.count, "where": self.where}


@dataclass(frozen=True, slots=True)
class Searched:
    """What a search of a folder came to."""

    findings: tuple[Finding, ...]
    files: int
    bytes: int
    strings: int
    too_short: int

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "findings": [one.document() for one in self.findings],
            "files": self.files,
            "bytes": self.bytes,
            "strings": self.strings,
            "too_short": self.too_short,
        }


def search_folder(
    folder: Path,
    wanted: Iterable[Identifier],
    *,
    only_documents: bool = False,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Searched:
    """Search every file of a folder, and their names.

    Parameters
    ----------
    folder
        What is to be released.
    wanted
        What must not be in it.
    only_documents
        Search the certificate alone: the other files were searched before it was written.
    progress
        Called with the number of files done and the number of all.
    cancelled
        Asked before each file.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    looked_for = searches(wanted)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if only_documents:
        files = [path for path in files if path.relative_to(folder).as_posix() in DOCUMENTS]
    findings: list[Finding] = []
    size = 0
    for done, path in enumerate(files):
        if cancelled():
            raise Cancelled("the search was called off")
        data = path.read_bytes()
        size += len(data)
        name = path.relative_to(folder).as_posix()
        findings += _in_file(name, data, looked_for)
        if progress is not None:
            progress(done + 1, len(files))
    return Searched(tuple(findings), len(files), size, looked_for.strings, looked_for.too_short)


def _in_file(name: str, data: bytes, looked_for: Searches) -> Iterator[Finding]:
    kinds = looked_for.words.get(name.partition("/")[0], {})
    in_name = looked_for.near.count(name.encode("utf-8", "surrogatepass"))
    in_name += _words_in(re.split(r"[^\w]+|_", name), kinds)
    yield from _findings(name, in_name, "its name")
    found: Counter[str] = Counter()
    if name in DOCUMENTS:
        found = looked_for.far.count(data)
        # The certificate tells the day it was made, which may be the day of the examination, and
        # names attributes and options: "institution" is no address.
        del found["date"], found["text"], found["place or contact"]
    else:
        for header, text in _parts(name, data):
            found += (looked_for.near if header else looked_for.far).count(text)
        found += _in_texts(data, kinds)
    yield from _findings(name, found, "its content")


def _findings(name: str, found: Counter[str], where: str) -> Iterator[Finding]:
    shown = "(a name that is itself an identifier)" if where == "its name" else name
    for kind, count in sorted(found.items()):
        yield Finding(shown, kind, count, where)


def _parts(name: str, data: bytes) -> Iterator[tuple[bool, bytes | memoryview]]:
    """The bytes of a file, and of what is packed in it: those of headers, and those of voxels."""
    source = _source(data)
    if source is None:
        yield from _plain(name, data)
        return
    pixels = source.pixels
    inside = data
    if source.size != len(data):  # it was deflated
        source.file.seek(0)
        inside = source.file.read()
    if pixels is None:
        yield True, inside
        yield from _streams(inside)
    else:
        end = pixels.start + pixels.length
        header = inside[: pixels.start]
        yield True, header
        yield True, inside[end:]
        yield False, memoryview(inside)[pixels.start : end]
        if pixels.encapsulated:
            yield True, b"".join(_beginnings(inside, pixels.start, end))
        yield from _streams(header)
    if len(inside) != len(data):  # it was deflated: what stood before
        yield True, data[: min(len(data), 1 << 12)]


def _beginnings(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """Where each fragment begins: comments and other segments of a codestream are there."""
    at = start
    while at + 8 <= end:
        (length,) = struct.unpack_from("<I", data, at + 4)
        fragment = data[at + 8 : at + 8 + min(length, 1 << 12)]
        scan = fragment.find(b"\xff\xda")
        if fragment.startswith(b"\xff\xd8"):
            yield fragment if scan < 0 else fragment[:scan]
        elif fragment.startswith(b"\xff\x4f"):
            data_at = fragment.find(b"\xff\x93")
            yield fragment if data_at < 0 else fragment[:data_at]
        at += 8 + length


def _plain(name: str, data: bytes) -> Iterator[tuple[bool, bytes]]:
    if data.startswith(_GZIP):
        data = _inflated(data, 31)
    elif data.startswith(_ZIP):
        yield True, data
        yield from _streams(data)
        return
    is_image = re.search(r"\.(nii|nrrd|mha|img|raw)(\.gz)?$", name.casefold()) is not None
    if not is_image:
        yield True, data
        yield from _streams(data)
        return
    yield True, data[:_HEADER_OF_OTHERS]
    yield False, data[_HEADER_OF_OTHERS:]
    yield True, data[-_HEADER_OF_OTHERS:]


def _streams(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """What packed streams inside some bytes hold, wherever they begin."""
    for found in list(_DEFLATED.finditer(data))[:_STREAMS]:
        at = found.start()
        if found[0] == _GZIP:
            inside = _inflated(data[at:], 31)
        elif found[0] == _ZIP and len(data) > at + 30:
            name, extra = struct.unpack_from("<HH", data, at + 26)
            inside = _inflated(data[at + 30 + name + extra :], -15)
        else:
            inside = _inflated(data[at:], 15)
        if len(inside) >= 8:
            yield True, inside


def _inflated(data: bytes, window: int) -> bytes:
    """As much as can be inflated; nothing where it is no such stream."""
    unpacker = zlib.decompressobj(window)
    try:
        return unpacker.decompress(data, _MOST)
    except zlib.error:
        return b""


def _source(data: bytes) -> Source | None:
    if data[128:132] != b"DICM":
        return None
    try:
        return read_source(BytesIO(data), len(data))
    except MedlabelError:
        return None


def _in_texts(data: bytes, kinds: Mapping[str, str]) -> Counter[str]:
    """Short identifiers, as whole words of free text."""
    if not kinds or (source := _source(data)) is None:
        return Counter()
    return _words_in(_text_words(source.dataset), kinds)


def _text_words(item: Item) -> Iterator[str]:
    for element in item.elements:
        if element.tag in _SAID_BY_US:
            continue
        for inside in element.items or ():
            yield from _text_words(inside)
        vr = vr_of(element.tag, element.vr) or "UN"
        if vr in _FREE_TEXT and len(element.value) < 1 << 16:
            for value in split(element.value, vr, item.encodings):
                yield from re.split(r"[^\w]+|_", value)


# The method and its codes are ours; makers and models are not free text.
_SAID_BY_US: Final = frozenset({0x00120063, 0x00120064, 0x00080070, 0x00081090})


def _words_in(found: Iterable[str], kinds: Mapping[str, str]) -> Counter[str]:
    small = (word.casefold() for word in found)
    return Counter(kinds[word] for word in small if word in kinds)
