"""A second look at text and faces in a folder that was written, as if nobody had looked before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.core.volume import Series
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats import scan
from napari_medlabel.privacy.burned_in import TextBox, find_burned_in
from napari_medlabel.privacy.burned_in_redact import is_kept
from napari_medlabel.privacy.face import find_in
from napari_medlabel.privacy.face_residual import residual_likeness
from napari_medlabel.privacy.face_slices import parts_of, pieces_of, read_image
from napari_medlabel.privacy.plain_headers import files_of

__all__ = ["FaceSeen", "PixelsChecked", "check_pixels"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
_LIKE_A_FACE: Final = 0.62  # of a relief: see docs/defacing.md
_SAID: Final = frozenset({"face-kept", "uncertain", "wrong-orientation", "face-not-in-view",
                          "unread", "not-looked-at"})  # fmt: skip
_SECTIONS: Final = frozenset({"CT", "MR", "PT", ""})  # files other than DICOM do not say


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """What was seen in one volume of the new files.

    Parameters
    ----------
    series, volume
        As a scan of the folder counts them.
    verdict
        As `find_face` says, or "unread".
    likeness
        How much of a face the relief of its skin shows, whatever the verdict: -1 to 1.
    told
        What the certificate says of these files.
    """

    series: int
    volume: int
    verdict: str
    likeness: float
    told: str

    @property
    def ok(self) -> bool:
        """Whether no face is seen, or a person has said that it is known."""
        if self.told in _SAID:
            return True
        if self.verdict == "unread":  # headers say less than they did: tiles, say
            return self.told == "not-a-head"
        looks_like_one = self.verdict == "uncertain" and self.likeness > _LIKE_A_FACE
        return self.verdict not in {"face", "wrong-orientation"} and not looks_like_one

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "series": self.series, "volume": self.volume, "verdict": self.verdict,
            "likeness": round(self.likeness, 3), "told": self.told, "ok": self.ok,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class PixelsChecked:
    """What a second look came to.

    Parameters
    ----------
    text_left
        Texts that are not to be there; None where nobody could look, or was to.
    why_no_text
        Why not.
    faces
        One for each volume; None where nobody was to look.
    """

    text_left: int | None = None
    why_no_text: str = ""
    faces: tuple[FaceSeen, ...] | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found that the certificate says to be gone."""
        return not self.text_left and all(one.ok for one in self.faces or ())

    def lines(self) -> list[str]:
        """The answer for people."""
        said = []
        if self.text_left is not None:
            said.append(f"{self.text_left or 'no'} text left in the pixels")
        elif self.why_no_text:
            said.append(f"text in the pixels: {self.why_no_text}")
        if self.faces is not None:
            seen = sum(not one.ok for one in self.faces)
            many = "1 volume" if len(self.faces) == 1 else f"{len(self.faces)} volumes"
            said.append(f"{many} looked at for faces, {seen or 'none'} with one")
        return said

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        faces = None if self.faces is None else [one.document() for one in self.faces]
        return {"text_left": self.text_left, "why_no_text": self.why_no_text, "faces": faces}


def check_pixels(
    folder: Path, document: Mapping[str, Any], *, progress: Progress | None = None,
    cancelled: Stop = lambda: False,
) -> PixelsChecked | None:  # fmt: skip
    """Look at what the certificate of a folder says to be without text or faces.

    Parameters
    ----------
    folder
        As it was written, unchanged.
    document
        Its certificate.
    progress
        Told how much is done, of how much.
    cancelled
        Polled.

    Returns
    -------
    PixelsChecked or None
        None where the certificate says nothing of either.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    text, faces = document.get("text"), document.get("faces")
    if text is None and faces is None:
        return None
    left, why = (None, "")
    if text is not None:
        left, why = _text_left(folder, text, progress, cancelled)
    told = {one["file"]: one.get("face", "not-looked-at") for one in document["files"]}
    seen = None if faces is None else _faces_seen(folder, told, progress, cancelled)
    return PixelsChecked(left, why, seen)


def _text_left(
    folder: Path, text: Mapping[str, Any], progress: Progress | None, cancelled: Stop
) -> tuple[int | None, str]:
    try:
        found = find_burned_in(
            folder, allow_marks=text["allow_marks"], every_frame=text["every_frame"],
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
    except InputError:  # it holds no picture
        return 0, ""
    if found.why_not:
        return None, found.why_not
    kept = [
        TextBox(
            one["file"], one["frame"], one["left"], one["top"], one["width"], one["height"], 1.0,
            one["finding"],
        )
        for one in text["boxes_kept"]
    ]  # fmt: skip
    left = {one.finding for one in found.boxes if not is_kept(one, kept)}
    return len(left), ""


def _faces_seen(
    folder: Path, told: Mapping[str, str], progress: Progress | None, cancelled: Stop
) -> tuple[FaceSeen, ...]:
    try:
        series = scan(folder, cancelled=cancelled).series
    except InputError:  # it holds no image
        return ()
    images = [one for one in series if one.kind != "segmentation" and one.modality in _SECTIONS]
    todo = [
        (piece, n + 1) for one in images for n in range(len(one.volumes))
        for piece in pieces_of(one, n)
    ]  # fmt: skip
    seen = []
    for done, (one, number) in enumerate(todo):
        if cancelled():
            raise Cancelled("the second look was called off")
        if progress is not None:
            progress(done, len(todo))
        seen.append(_seen(one, number, _state(folder, one, told), cancelled))
    return tuple(seen)


def _seen(series: Series, number: int, told: str, cancelled: Stop) -> FaceSeen:
    try:
        image = read_image(series)
    except InputError:
        return FaceSeen(series.number, number, "unread", 0.0, told)
    finding = find_in(image.array, image.geometry, image.unit, cancelled=cancelled)
    likeness = residual_likeness(image.array, image.geometry, image.unit, finding.pose)
    return FaceSeen(series.number, number, finding.verdict, likeness, told)


def _state(folder: Path, series: Series, told: Mapping[str, str]) -> str:
    """What the certificate says of the files of a volume, the least clear of it."""
    if series.format == "dicom":
        paths = {Path(facts.place.path) for facts in parts_of(series.volumes[0])}
    else:
        paths = set(files_of(series))
    names = {path.resolve().relative_to(folder.resolve()).as_posix() for path in paths}
    states = {told.get(name, "") for name in names}
    return next(iter(sorted(states & _SAID)), next(iter(sorted(states)), ""))
