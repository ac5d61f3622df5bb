"""What was found of faces in the volumes of a study, and what is done about each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.volume import Series
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_pictures import Picture
from napari_medlabel.privacy.face import FaceFinding
from napari_medlabel.privacy.face_residual import Look
from napari_medlabel.privacy.face_slices import Patches, parts_of
from napari_medlabel.privacy.pixel_change import Patch
from napari_medlabel.privacy.pixel_wishes import FaceWish

__all__ = ["CLEAR", "FacesFound", "HeadFound", "Proof", "State"]

State = Literal[
    "face-removed", "carried-over", "face-kept", "face", "already-defaced", "not-a-head",
    "face-not-in-view", "uncertain", "wrong-orientation", "unread", "not-looked-at",
]  # fmt: skip
CLEAR: Final = frozenset({
    "face-removed", "carried-over", "face-kept", "already-defaced", "not-a-head", "not-looked-at",
})  # fmt: skip
_FACELESS: Final = frozenset({"face-removed", "carried-over", "already-defaced"})
_LOOK: Final = "look at it, and say --accept-uncertain if it may go on"
_PICTURES: Final = frozenset({"image", "localizer", "other"})


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What is needed to look at the written files of a volume: the mask, and how it was before."""

    finding: FaceFinding
    before: Look | None
    mask: bytes
    shape: Index
    outside: str

    @property
    def where(self) -> BoolArray:
        """The mask, unpacked."""
        count = int(np.prod(self.shape))
        bits = np.unpackbits(np.frombuffer(self.mask, np.uint8), count=count)
        return bits.reshape(self.shape).astype(bool)


@dataclass(slots=True, eq=False)
class HeadFound:
    """What was found in one volume, and what is done about it.

    Parameters
    ----------
    series, volume
        As a scan counts them, from 1; 0 where it is the only one of its series.
    state
        What it comes to.
    why
        The reason, for a person.
    places
        Its files.
    found
        The series, of this one volume.
    facts
        Numbers.
    accepted
        Whether a person has said that it may go on though it is not clear.
    """

    series: int
    volume: int
    state: State
    why: str
    places: frozenset[Place]
    found: Series
    facts: dict[str, Any] = field(default_factory=dict)
    patches: Patches = field(default_factory=dict)
    patched: tuple[BoolArray, npt.NDArray[Any]] | None = None  # of a file that is no DICOM
    accepted: bool = False
    sure: bool = True
    finding: FaceFinding | None = None
    proof: Proof | None = None

    @property
    def name(self) -> str:
        """For a person: "series 2", or "series 2, volume 3"."""
        return f"series {self.series}" + (f", volume {self.volume}" if self.volume else "")

    @property
    def is_faceless(self) -> bool:
        """Whether a face was in it, is there no more, and that is certain."""
        return self.state in _FACELESS and self.sure

    @property
    def has_face(self) -> bool:
        """Whether a face was seen in it."""
        return self.finding is not None and self.finding.verdict == "face"

    @property
    def frame(self) -> tuple[bytes, str]:
        """Patient and frame of reference; "" where it has none."""
        first = parts_of(self.found.volumes[0])[0]
        return first.patient_key, first.frame_of_reference_uid

    def document(self) -> dict[str, Any]:
        """What a certificate tells of it."""
        start = {"series": self.series, "volume": self.volume, "modality": self.found.modality}
        told = {"state": self.state, "why": self.why, "accepted": self.accepted}
        return start | told | {"files": max(len(self.places), 1)} | self.facts


@dataclass(frozen=True, slots=True, eq=False)
class FacesFound:
    """What was found in all volumes.

    Parameters
    ----------
    wish
        What the person wants.
    heads
        One for each volume.
    placeless
        Pictures that are no part of any volume: of these nobody knows what they show.
    copies
        Files that are another one again, and that one.
    """

    wish: FaceWish
    heads: tuple[HeadFound, ...]
    placeless: tuple[Picture, ...] = ()
    copies: Mapping[Place, Place] = field(default_factory=dict)

    @property
    def patches(self) -> dict[Place, dict[int, tuple[Patch, ...]]]:
        """What comes in the place of faces, by file and frame."""
        found: dict[Place, dict[int, tuple[Patch, ...]]] = {}
        for head in self.heads:
            for place, frames in head.patches.items():
                own = found.setdefault(place, {})
                for number, patches in frames.items():
                    own[number] = (*own.get(number, ()), *patches)
        return found | {one: found[first] for one, first in self.copies.items() if first in found}

    @property
    def faceless(self) -> frozenset[Place]:
        """Files all of whose volumes showed a face that is there no more."""
        gone = {place for one in self.heads if one.is_faceless for place in one.places}
        rest = {place for one in self.heads if not one.is_faceless for place in one.places}
        only = gone - rest
        return frozenset(only | {one for one, first in self.copies.items() if first in only})

    def state_of(self, place: Place) -> str:
        """What became of a file: that of its volumes, the least clear one."""
        place = self.copies.get(place, place)
        states = {one.state for one in self.heads if place in one.places}
        unclear = sorted(states - CLEAR)
        return unclear[0] if unclear else next(iter(sorted(states)), "not-looked-at")

    def to_say(self) -> list[tuple[str, str]]:
        """What a person has to say before anything is written, and how."""
        said = []
        there = [one.name for one in self.heads if one.state == "face"]
        if there:
            how = "--face remove, or --keep-face with --reason"
            said.append((f"a face is in {', '.join(there)}", how))
        for one in self.heads:
            if one.state not in CLEAR and one.state != "face" and not one.accepted:
                what = f"{one.name} is {one.state.replace('-', ' ')}: {one.why}"
                said.append((what, _LOOK))
        beside = self._beside_a_face()
        if beside and not self.wish.accept_uncertain:
            what = f"{beside} pictures without a place in space are of a patient whose face is seen"
            said.append((what, _LOOK))
        return said

    def _beside_a_face(self) -> int:
        """Pictures that may show a face which other pictures of the same patient show."""
        dicom = [one for one in self.heads if one.found.format == "dicom"]
        faces = {one.frame[0] for one in dicom if one.has_face}
        aside = [one for one in dicom if one.state == "not-looked-at"]
        own = [parts_of(one.found.volumes[0])[0] for one in aside if one.found.kind in _PICTURES]
        loose = [one.facts for one in self.placeless]
        return 0 if self.wish.keep else sum(one.patient_key in faces for one in (*own, *loose))

    def document(self) -> dict[str, Any]:
        """What a certificate tells."""
        volumes = [one.document() for one in self.heads]
        return self.wish.document() | {"volumes": volumes, "placeless": len(self.placeless)}
