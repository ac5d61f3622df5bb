"""What a certificate of ours says of files that somebody brings: believed only where they match.

`deidentification.json` lists every file with its SHA-256. Files that are all listed, and are byte
for byte what is listed, are what the certificate tells of; one other file, and it says nothing.
What a header says of itself (PatientIdentityRemoved) is never asked. A certificate is not signed:
whoever can write files can write one, so that it is as good as the place the folder came from.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from napari_medlabel.core.case_privacy import PrivacyPart
from napari_medlabel.errors import InputError
from napari_medlabel.privacy.certificate import DOCUMENT, read_certificate

__all__ = ["Certified", "certificate_folder", "certified", "facts_of"]

_HIGHEST: Final = 6  # folders above a file in which its certificate is looked for
_BASIC: Final = "113100"  # PS3.16 CID 7050: Basic Application Confidentiality Profile
_GONE: Final = frozenset({"face-removed", "carried-over"})
_NO_FACE: Final = frozenset({"not-a-head", "already-defaced"})
_TOLD: Final = ("action", "mode", "state", "modality")  # words of the program in its numbers


@dataclass(frozen=True, slots=True)
class Certified:
    """That a part is done, or not needed, and what proves it."""

    part: PrivacyPart
    state: Literal["done", "not-needed"]
    why: str
    proof: Mapping[str, Any]


def certificate_folder(files: Collection[Path]) -> Path | None:
    """The nearest folder above all of the files that has a certificate, or None."""
    folders = [set(file.absolute().parents) for file in files]
    common = set.intersection(*folders) if folders else set()
    for folder in sorted(common, key=lambda one: len(one.parts), reverse=True)[:_HIGHEST]:
        if (folder / DOCUMENT).is_file():
            return folder
    return None


def certified(folder: Path, files: Collection[Path]) -> tuple[Certified, ...]:
    """What the certificate of a folder says of files in it; nothing unless all of them match.

    Reads every file once, for its hash.
    """
    try:
        sha256 = _sha256(folder / DOCUMENT)
        document = read_certificate(folder)
        listed = {one["file"]: one for one in document["files"]}
        names = [file.absolute().relative_to(folder).as_posix() for file in files]
        match = bool(names) and all(
            name in listed and _sha256(folder / name) == listed[name]["sha256"] for name in names
        )
        if not match or _sha256(folder / DOCUMENT) != sha256:
            return ()
        return tuple(_told(document, [listed[name] for name in names], sha256))
    except (InputError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()


def facts_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """By what profile, when and by whom a certificate says that it was done.

    Raises
    ------
    KeyError, TypeError
        If it is not one.
    """
    profile = document["profile"]
    return {
        "certificate_format": document["format"],
        "profile": str(profile["name"])[:64],
        "dates": profile["dates"],
        "codes": document["codes"],
        "date": document["date"],
        "who": document["who"],
        "version": document["version"],
    }


def _told(
    document: Mapping[str, Any], entries: list[Mapping[str, Any]], sha256: str
) -> Iterator[Certified]:
    searched, *_ = document["checks"]
    if searched["ok"] is not True or _BASIC not in document["codes"]:
        return
    proof = {"certificate_sha256": sha256, **facts_of(document), "files": len(entries)}
    headers = "its certificate says so, and its files are those that it names"
    yield Certified("headers", "done", headers, proof | {"check": searched["detail"]})
    text = {one.get("text") for one in entries}
    numbers = {"text": _numbers(document.get("text"))}
    if text == {"none"}:
        yield Certified(
            "burned-in", "not-needed", "its certificate says that none was found", proof | numbers
        )
    elif text <= {"none", "redacted"}:
        yield Certified("burned-in", "done", "filled, its certificate says", proof | numbers)
    face = {one.get("face") for one in entries}
    numbers = {"faces": _numbers(document.get("faces"))}
    if face <= _NO_FACE:
        yield Certified(
            "face", "not-needed", "its certificate says that there is none", proof | numbers
        )
    elif face <= _GONE | _NO_FACE:
        yield Certified("face", "done", "taken out, its certificate says", proof | numbers)


def _numbers(told: Any) -> Any:  # noqa: ANN401  # any JSON tree
    """Numbers, yes and no, and words that are the program's own; no free text."""
    if isinstance(told, Mapping):
        kept = {key: _numbers(value) for key, value in told.items()}
        words = {key: told[key] for key in _TOLD if isinstance(told.get(key), str)}
        return {key: value for key, value in kept.items() if value is not None} | words
    if isinstance(told, list):
        kept_ones = [_numbers(one) for one in told if isinstance(one, Mapping)]
        return kept_ones[:_MOST] or None
    return told if isinstance(told, int | float) else None


_MOST: Final = 20  # volumes whose numbers are kept


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
