"""Text and faces in the files that are to be de-identified: looked for, decided on, proved gone."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError, MedlabelError, Refused
from napari_medlabel.formats import scan
from napari_medlabel.formats.dicom_files import Place, Skipped
from napari_medlabel.formats.dicom_pictures import Picture, find_pictures, picture_at
from napari_medlabel.privacy.batch import Batch, write_again
from napari_medlabel.privacy.burned_in_engine import TextReader
from napari_medlabel.privacy.burned_in_redact import ROUNDS
from napari_medlabel.privacy.dicom_source import uid_text
from napari_medlabel.privacy.face_found import FacesFound
from napari_medlabel.privacy.face_series import check_written, look_for_faces
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.objects import kind_of, kind_of_class
from napari_medlabel.privacy.one_file import opened
from napari_medlabel.privacy.pixel_change import PixelChange, TextState
from napari_medlabel.privacy.pixel_wishes import FaceWish, TextWish
from napari_medlabel.privacy.plain_files import PlainFile, look_at_plain
from napari_medlabel.privacy.plain_headers import files_of
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.text_plan import (
    TextFound,
    look_again,
    look_for_text,
    text_reader,
    with_more,
)

__all__ = ["PixelsFound", "look_at_pixels", "prove_pixels"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class PixelsFound:
    """What was found in the pixels, and what is to be done about it.

    Parameters
    ----------
    text, faces
        None where they were not looked for.
    reader
        Of text; None where none is looked for.
    plain
        Files that are no DICOM; text and faces have what was found in them as well.
    """

    text: TextFound | None = None
    faces: FacesFound | None = None
    reader: TextReader | None = None
    plain: tuple[PlainFile, ...] = ()

    @property
    def plain_files(self) -> frozenset[Place]:
        """Files that are no DICOM, with those that their headers name."""
        return frozenset(Place(str(path)) for one in self.plain for path in files_of(one.series))

    def check(self) -> None:
        """Pass where a person has said all that there is to say.

        Raises
        ------
        Refused
            Otherwise; it names what, and how to say it.
        """
        said = [*(self.text.to_say() if self.text else ()),
                *(self.faces.to_say() if self.faces else ())]  # fmt: skip
        if not said:
            return
        shown = [what for what, _ in said[:_TOLD]]
        more = len(said) - len(shown)
        what = "; ".join(shown) + (f"; and {more} more" if more else "")
        hint = "; ".join(dict.fromkeys(how for _, how in said))
        raise Refused(f"nothing was written: {what}", hint)

    def changes(self) -> dict[Place, PixelChange]:
        """What is done to the pixels of each file."""
        boxes = self.text.boxes if self.text and self.text.wish.action == "redact" else {}
        patches = self.faces.patches if self.faces else {}
        faceless = self.faces.faceless if self.faces else frozenset()
        looked = self.text.looked_at | self.text.with_kept if self.text else frozenset()
        return {
            place: PixelChange(
                boxes.get(place, {}), patches.get(place, {}), self.text_state(place),
                place in faceless,
            )
            for place in {*boxes, *patches, *faceless, *looked}
        }  # fmt: skip

    def text_state(self, place: Place) -> TextState:
        """What the header of a file may say of text."""
        if self.text is None:
            return ""
        if place in self.text.with_kept:
            return "kept"
        return "none" if place in self.text.looked_at - self.text.unread else ""

    def told_of(self, place: Place, changed: PixelChange | None) -> dict[str, Any]:
        """What a certificate tells of one file."""
        told: dict[str, Any] = {"text": None, "face": None}
        if self.text is not None:
            state = self.text_state(place)
            if state == "none" and changed is not None and changed.boxes:
                state_word = "redacted"
            else:
                state_word = state or ("unread" if place in self.text.unread else "no-pixels")
            told["text"] = state_word
        if self.faces is not None:
            told["face"] = self.faces.state_of(place)
        return told


_PLAIN: Final = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".hdr", ".hdr.gz", ".img")
_TOLD: Final = 8  # of what is to be said; the rest is counted


def look_at_pixels(  # noqa: PLR0913  # what is looked at, and how
    source: Path,
    places: Collection[Place],
    profile: Profile,
    text: TextWish | None,
    face: FaceWish | None,
    *,
    progress: Progress | None = None,
    cancelled: Stop = _never,
) -> PixelsFound:
    """Look for text and faces in the files that are to be written; nothing is written here.

    Parameters
    ----------
    source
        As for `places_in`.
    places
        What that gave.
    profile
        Which kinds of objects are written at all.
    text, face
        What is wanted; None does not look.
    progress
        Told how much is done, of how much; it begins anew for faces.
    cancelled
        Polled.

    Raises
    ------
    ExtraMissing
        If text is wanted without the extra `ocr`.
    InputError
        If a finding is to stay that there is not.
    Cancelled
        If `cancelled` said so.
    """
    if text is None and face is None and not any(map(_may_be_plain, places)):
        return PixelsFound()
    reader = text_reader() if text is not None else None
    below = source.parent if source.name.upper() == "DICOMDIR" and source.is_file() else source
    wanted = set(places)
    found = find_pictures(below, cancelled=cancelled)
    pictures = [one for one in found.pictures if _is_written(one, wanted, profile)]
    lost = _unread(found.unread, below, wanted, profile)
    series = _scanned(below, cancelled)
    seen = faces = None
    if text is not None and reader is not None:
        seen = look_for_text(pictures, lost, text, reader, progress=progress, cancelled=cancelled)
    if face is not None:
        faces = look_for_faces(
            series, frozenset(one.facts.place for one in pictures), pictures, face,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
    plain = look_at_plain(
        series, text, face, reader, after=seen.found.findings if seen else 0, progress=progress,
        cancelled=cancelled,
    )  # fmt: skip
    if seen is not None:
        seen = with_more(seen, [one.text for one in plain if one.text is not None])
    if faces is not None:
        heads = [one.head for one in plain if one.head is not None]
        faces = replace(faces, heads=(*faces.heads, *heads))
    return PixelsFound(seen, faces, reader, tuple(plain))


def prove_pixels(  # noqa: PLR0913  # what was written, and how
    folder: Path,
    batch: Batch,
    what: Headers,
    found: PixelsFound,
    changes: dict[Place, PixelChange],
    *,
    cancelled: Stop = _never,
) -> int:
    """Look at what was written: no text may be left that is not to stay, and no face.

    What is still found of text is filled as well, in at most four rounds.

    Returns
    -------
    int
        How many files were looked at again for text.

    Raises
    ------
    Refused
        If something is left.
    """
    looked = 0
    if found.text is not None and found.reader is not None:
        looked = _prove_text(folder, batch, what, found.text, found.reader, changes, cancelled)
    if found.faces is not None and any(one.proof is not None for one in found.faces.heads):
        new = _new_facts(folder, batch, found.faces)
        check_written(found.faces, new, cancelled)
    return looked


def _prove_text(  # noqa: PLR0913, PLR0917  # as `prove_pixels`
    folder: Path, batch: Batch, what: Headers, text: TextFound, reader: TextReader,
    changes: dict[Place, PixelChange], cancelled: Stop,
) -> int:  # fmt: skip
    filled = {place for place in batch.done if place in changes and changes[place].boxes}
    for _ in range(ROUNDS):
        if not filled:
            return 0
        left = look_again(folder, batch, text, reader, only=filled, cancelled=cancelled)
        if not left.boxes:
            return left.files
        for place, boxes in left.boxes.items():
            changes[place] = changes[place].with_boxes(boxes)
        filled |= set(left.boxes)
        write_again(batch, left.boxes, folder, what, changes)
    raise Refused(
        f"text is still found in {len(left.boxes)} of the files written",
        "nothing was kept of them; look at the frames and cover the places yourself",
    )


def _new_facts(folder: Path, batch: Batch, faces: FacesFound) -> dict[Place, Any]:
    """The facts of the new files of all volumes with a face, by the old file."""
    new = {}
    for place in {place for one in faces.heads if one.proof for place in one.places}:
        done = batch.done.get(place)
        picture = picture_at(Place(str(folder / done.file))) if done else None
        if picture is None:
            raise Refused("a file of a head was not written", "it cannot be shown to be without")
        new[place] = picture.facts
    return new


def _may_be_plain(place: Place) -> bool:
    return place.member < 0 and place.path.casefold().endswith(_PLAIN)


def _scanned(below: Path, cancelled: Stop) -> tuple[Series, ...]:
    try:
        return scan(below, cancelled=cancelled).series
    except InputError:  # nothing there is an image
        return ()


def _is_written(picture: Picture, wanted: Collection[Place], profile: Profile) -> bool:
    facts = picture.facts
    kind = kind_of_class(facts.sop_class) if facts.sop_class else ""
    return facts.place in wanted and (not kind or kind in profile.also)


def _unread(
    skipped: Iterable[Skipped], below: Path, wanted: Collection[Place], profile: Profile
) -> list[tuple[Place, Skipped]]:
    """What may hold pictures and cannot be looked at, of what is to be written."""
    lost = []
    for one in skipped:
        place = Place(str(below / one.file if below.is_dir() else below))
        in_archive = not below.is_dir() and place not in wanted
        if in_archive or (place in wanted and _could_be_written(place, profile)):
            lost.append((place, one))
    return lost


def _could_be_written(place: Place, profile: Profile) -> bool:
    try:
        source, _ = opened(place)
    except MedlabelError:
        return False
    with source.file:
        kind = kind_of(uid_text(source.dataset.get(0x00080016)), source)
        return not kind or kind in profile.also
