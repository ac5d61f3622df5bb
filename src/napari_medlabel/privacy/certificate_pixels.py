"""What a certificate tells of text in pixels and of faces: what was looked at, found and done."""

import re
from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from napari_medlabel.privacy.batch import Batch, Changes
from napari_medlabel.privacy.pixels_of_study import PixelsFound

__all__ = [
    "face_check",
    "faces_told",
    "files_told",
    "plain_texts",
    "software",
    "text_check",
    "text_told",
]

_LIBRARIES: Final = ("numpy", "scipy", "pydicom", "imagecodecs", "rapidocr", "onnxruntime")


def software() -> list[dict[str, str]]:
    """The libraries that read, looked and wrote, as far as they are installed."""
    found = []
    for name in _LIBRARIES:
        try:
            found.append({"name": name, "version": version(name)})
        except PackageNotFoundError:
            continue
    return found


def text_told(
    batch: Batch, pixels: PixelsFound, changes: Changes, looked_again: int
) -> dict[str, Any] | None:
    """Of text: None where it was not looked for.

    Parameters
    ----------
    batch
        What was written.
    pixels
        What was found.
    changes
        What was done to the pixels of each file.
    looked_again
        How many of the new files were looked at once more.
    """
    if pixels.text is None:
        return None
    filled = {place: one for place, one in changes.items() if one.boxes and place in batch.done}
    kept = [
        {
            "file": batch.done[place].file, "frame": one.frame, "left": one.left, "top": one.top,
            "width": one.width, "height": one.height, "finding": one.finding,
        }
        for one in sorted(pixels.text.kept, key=lambda one: (one.finding, one.file, one.frame))
        if (place := pixels.text.places.get(one.file)) in batch.done
    ]  # fmt: skip
    return pixels.text.document() | {
        "files_filled": len(filled) + sum(one.filled > 0 for one in pixels.plain),
        "frames_filled": sum(len(one.boxes) for one in filled.values())
        + sum(one.filled for one in pixels.plain),
        "boxes_kept": kept,
        "files_looked_at_again": looked_again,
    }


def faces_told(pixels: PixelsFound) -> dict[str, Any] | None:
    """Of faces: None where they were not looked for."""
    return None if pixels.faces is None else pixels.faces.document()


def files_told(batch: Batch, pixels: PixelsFound, changes: Changes) -> list[dict[str, Any]]:
    """Each new file, with its hash, that of the old one, and what became of text and face."""
    told: dict[str, dict[str, Any]] = {}
    for place, one in batch.done.items():
        start = {"file": one.file, "sha256": one.sha256, "source_sha256": one.source_sha256}
        told[one.file] = start | pixels.told_of(place, changes.get(place))
    told |= {one.file: one.document() for one in pixels.plain if one.file}
    return [told[name] for name in sorted(told)]


def plain_texts(pixels: PixelsFound) -> list[dict[str, Any]]:
    """Fields with words in headers that are no DICOM, which were removed, and of how many files."""
    names = [re.sub(r" \d+$", "", name) for one in pixels.plain if one.file for name in one.texts]
    return [{"field": name, "removed": count} for name, count in sorted(Counter(names).items())]


def text_check(text: dict[str, Any] | None, say_some: int) -> dict[str, Any]:
    """The line of the certificate on text."""
    if text is None:
        return _not_done("text in the pixels", say_some)
    detail = (
        f"{text['findings']} found in {text['boxes']} places; {text['files_filled']} files filled, "
        f"{text['files_looked_at_again']} looked at again with nothing left"
    )
    if text["kept"]:
        detail += f"; {len(text['kept'])} kept: {text['reason']}"
    if text["unread"]:
        detail += f"; {text['unread']} pictures could not be looked at: {text['reason']}"
    clear = not text["kept"] and not text["unread"]
    return {"name": "text in the pixels", "ok": True if clear else None, "detail": detail}


def face_check(faces: dict[str, Any] | None) -> dict[str, Any]:
    """The line of the certificate on faces."""
    if faces is None:
        return _not_done("faces", 0)
    states = [one["state"] for one in faces["volumes"]]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    detail = "; ".join(f"{n} {state.replace('-', ' ')}" for state, n in counts.items())
    brain = sum(one.get("brain_voxels_removed", 0) for one in faces["volumes"])
    many = "1 volume" if len(states) == 1 else f"{len(states)} volumes"
    detail = f"of {many}: {detail or 'none'}; {brain} voxels of a brain removed"
    if faces["placeless"]:
        detail += f"; {faces['placeless']} pictures without a place in space not looked at"
    accepted = sum(one["accepted"] for one in faces["volumes"])
    if accepted or faces["kept"]:
        detail += f"; a person has said so: {faces['reason'] or 'looked at'}"
    clear = not (accepted or faces["kept"] or faces["placeless"] or "not-looked-at" in states)
    return {"name": "faces", "ok": True if clear else None, "detail": detail}


def _not_done(name: str, say_some: int) -> dict[str, Any]:
    detail = "not checked here"
    if say_some:
        detail += f"; {say_some} files say that they have some"
    return {"name": name, "ok": None, "detail": detail}
