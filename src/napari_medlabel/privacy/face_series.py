"""Faces in all volumes of a study: each is looked at by itself, and one shows where others' are.

Volumes in one frame of reference see the same head at the same place. Where the face is not clear
in one of them, or cannot be (a thin slab, a scout), the head that was found in another tells which
of its voxels are face.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import Cancelled, GeometryError, InputError, Refused
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_pictures import Picture
from napari_medlabel.privacy.face import (
    FaceFinding,
    Region,
    face_region,
    fill_in,
    find_in,
    left_of,
    look,
)
from napari_medlabel.privacy.face_found import CLEAR, FacesFound, HeadFound, Proof
from napari_medlabel.privacy.face_residual import Residual
from napari_medlabel.privacy.face_slices import (
    HeadImage,
    parts_of,
    patches_of,
    pieces_of,
    read_image,
    read_written,
)
from napari_medlabel.privacy.pixel_wishes import FaceWish

__all__ = [
    "accept_heads",
    "check_head",
    "check_written",
    "look_at_head",
    "look_for_faces",
]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
_CARRIED_TO: Final = frozenset({"uncertain", "face-not-in-view", "not-a-head"})
_FEW: Final = 8  # slices
_LOOKED_AT: Final = frozenset({"CT", "MR", "PT"})


def look_for_faces(  # noqa: PLR0913  # what is looked at, and how
    series: Iterable[Series], wanted: frozenset[Place], pictures: Collection[Picture],
    wish: FaceWish, *, progress: Progress | None = None, cancelled: Stop = lambda: False,
) -> FacesFound:  # fmt: skip
    """Look for faces in every volume, and work out what comes in their place.

    Parameters
    ----------
    series
        As a scan found them; those that are no DICOM are passed over.
    wanted
        The files that are to be written; volumes of others are passed over.
    pictures
        Those of them that hold pictures.
    wish
        What is to be done.
    progress
        Told how many volumes are done, of how many.
    cancelled
        Polled.

    Raises
    ------
    Cancelled
        If it was called off.
    """
    todo = [
        (piece, len(one.volumes) > 1 and n + 1)
        for one in series if one.format == "dicom" for n in range(len(one.volumes))
        for piece in pieces_of(one, n)
        if not wanted.isdisjoint(facts.place for facts in parts_of(piece.volumes[0]))
    ]  # fmt: skip
    heads: list[HeadFound] = []
    for done, (one, number) in enumerate(todo):
        if progress is not None:
            progress(done, len(todo))
        heads.append(look_at_head(one, int(number), wish, cancelled))
    donors = _donors(heads)
    for head in heads:
        donor = donors.get(head.frame) if head.frame[1] else None
        if donor is not None and donor is not head and head.state in _CARRIED_TO:
            _carry(head, donor, wish, cancelled)
    if wish.accept_uncertain:
        accept_heads(heads, wish, cancelled)
    if progress is not None:
        progress(len(todo), len(todo))
    return _with_pictures(FacesFound(wish, tuple(heads)), pictures)


def _with_pictures(faces: FacesFound, pictures: Collection[Picture]) -> FacesFound:
    """With what is in no volume: exact copies, of which one is left out of it, and the rest."""
    placed = {place for head in faces.heads for place in head.places}
    known = {_same(one): one.facts.place for one in pictures if one.facts.place in placed}
    loose = [one for one in pictures if one.facts.place not in placed]
    copies = {one.facts.place: known[_same(one)] for one in loose if _same(one) in known}
    rest = tuple(one for one in loose if one.facts.place not in copies)
    return replace(faces, placeless=rest, copies=copies)


def _same(picture: Picture) -> tuple[str, int, int, int]:
    facts = picture.facts
    return facts.sop_uid, facts.rows, facts.columns, facts.frames


def check_written(
    faces: FacesFound, new: Mapping[Place, InstanceFacts], cancelled: Stop = lambda: False
) -> None:
    """Look at what was written: no face may be left, and nothing else may have changed.

    Parameters
    ----------
    faces
        What was found and done; the numbers of what is left are added to it.
    new
        By each old file, the facts of the new one.

    Raises
    ------
    Refused
        If a face is still there, or something else changed.
    """
    for head in faces.heads:
        if head.proof is None or head.found.format != "dicom":
            continue
        if cancelled():
            raise Cancelled("looking at what was written was called off")
        check_head(head, read_written(read_image(head.found), new))


def check_head(head: HeadFound, again: npt.NDArray[Any]) -> None:
    """Hold the written voxels of a volume against what was meant; adds the numbers to it.

    Raises
    ------
    Refused
        As `check_written`.
    """
    if head.proof is None:
        return
    if head.proof.outside and head.proof.outside != _outside(again, head.proof.where):
        raise Refused(f"voxels of {head.name} changed that are no face", "please report it")
    left = left_of(head.proof.finding, head.proof.before, again)
    if left is None:
        return
    head.facts |= _left_facts(left)
    if not left.is_gone:
        raise Refused(
            f"{left.matched_after:.0%} of the face's surface is still there in {head.name}",
            "nothing was written; look at it, and take the face out by hand",
        )


def look_at_head(series: Series, volume: int, wish: FaceWish, cancelled: Stop) -> HeadFound:
    """Look for a face in the one volume of a series, and work out what comes in its place.

    Parameters
    ----------
    series
        Of one volume.
    volume
        Which of its series, from 1; 0 where it is the only one.
    wish, cancelled
        As for `look_for_faces`.
    """
    is_dicom = series.format == "dicom"
    parts = parts_of(series.volumes[0]) if is_dicom else ()
    places = frozenset(facts.place for facts in parts)
    head = HeadFound(series.number, volume, "not-looked-at", "", places, series)
    if series.kind == "segmentation" or (is_dicom and series.modality not in _LOOKED_AT):
        head.why = "no image of CT, MR or PET"
        return head
    try:
        image = read_image(series)
    except GeometryError as error:  # a few single slices show nothing of a surface
        head.state, head.why = "unread" if len(parts) > _FEW else "not-looked-at", error.what
        return head
    except InputError as error:
        head.state, head.why = "unread", error.what
        return head
    finding = find_in(image.array, image.geometry, image.unit, cancelled=cancelled)
    head.finding, head.why = finding, finding.why
    head.state = finding.verdict
    head.facts = _facts(finding)
    if finding.verdict == "face":
        _take_out(head, image, finding, wish, cancelled)
    return head


def _take_out(
    head: HeadFound, image: HeadImage, finding: FaceFinding, wish: FaceWish, cancelled: Stop
) -> None:
    """Note what comes in the place of a face, or that it stays."""
    if not wish.takes_out:
        head.state = "face-kept" if wish.keep else "face"
        return
    try:
        drawn = None if wish.by_hand is None else wish.by_hand.on(image.geometry)
        added, spared = drawn or (None, None)
        region = face_region(finding, wish.plan, added=added, spared=spared, cancelled=cancelled)
    except Refused as error:  # nothing would guard the brain
        head.state, head.why = "uncertain", error.what
        return
    if not region.voxels:
        return
    before = look(finding, image.array)
    packed = np.packbits(region.mask.reshape(-1)).tobytes()
    outside = "" if image.is_derived else _outside(image.array, region.mask)
    fill_in(image.array, finding, region, wish.plan, cancelled=cancelled)
    if image.series.format == "dicom":
        head.patches = patches_of(image, region.mask)
    else:
        head.patched = (region.mask, image.array[region.mask])
    head.proof = Proof(finding, before, packed, image.geometry.shape, outside)
    head.state = "face-removed"
    head.facts |= _region_facts(region)


def _donors(heads: Iterable[HeadFound]) -> dict[tuple[bytes, str], HeadFound]:
    """For each frame of reference the volume that shows most of a face."""
    best: dict[tuple[bytes, str], HeadFound] = {}
    for head in heads:
        if not head.has_face:
            continue
        if head.frame not in best or _shown(head) > _shown(best[head.frame]):
            best[head.frame] = head
    return best


def _shown(head: HeadFound) -> float:
    measures = head.finding.measures if head.finding else None
    return measures.face.seen * measures.face.matched if measures else 0.0


def _carry(head: HeadFound, donor: HeadFound, wish: FaceWish, cancelled: Stop) -> None:
    """Take out of a volume what another of the same frame of reference shows to be face."""
    if not wish.takes_out:
        if wish.keep:
            head.state = "face-kept"
        return
    image = read_image(head.found)
    assert donor.finding is not None  # noqa: S101  # it is one
    assert head.finding is not None  # noqa: S101  # it was looked at
    placed = replace(
        donor.finding, geometry=image.geometry, limit=head.finding.limit,
        hounsfield=head.finding.hounsfield,
    )  # fmt: skip
    why = head.why
    _take_out(head, image, placed, wish, cancelled)
    if head.proof is None:  # the face is beyond its edges
        if head.state != "not-a-head":
            head.state, head.why = "not-a-head", f"no part of the face that {donor.name} shows"
        return
    head.state = "carried-over"
    head.why = f"by the head that {donor.name} shows; by itself: {why}"
    head.facts["carried_from"] = donor.series


def accept_heads(heads: Iterable[HeadFound], wish: FaceWish, cancelled: Stop) -> None:
    """Go on where a person has looked: what seems to be a face goes, the rest stays as it is."""
    for head in heads:
        if head.state in CLEAR or head.state == "face":
            continue
        head.accepted, head.sure = True, False
        finding = head.finding
        if finding is None or finding.brain is None or not wish.takes_out:
            continue
        image = read_image(head.found)
        _take_out(head, image, finding, wish, cancelled)


def _outside(array: npt.NDArray[Any], where: BoolArray) -> str:
    """SHA-256 of all voxels that are not in a mask, slice by slice."""
    digest = hashlib.sha256()
    for plane, gone in zip(array, where, strict=True):
        digest.update(np.where(gone, 0, plane).astype(plane.dtype).tobytes())
    return digest.hexdigest()


def _facts(finding: FaceFinding) -> dict[str, Any]:
    measures = finding.measures
    return {
        "cost": None if measures is None else round(measures.cost, 3),
        "face_in_view": None if measures is None else round(measures.face.seen, 4),
        "face_points_matched_before": round(finding.face_points_matched, 4),
        "voxels_removed": 0,
        "brain_voxels_removed": 0,
    }


def _region_facts(region: Region) -> dict[str, Any]:
    near = region.nearest_brain_mm
    return {
        "voxels_removed": region.voxels,
        "brain_voxels_removed": region.brain_voxels,
        "nearest_brain_mm": round(near, 2) if np.isfinite(near) else None,
    }


def _left_facts(left: Residual) -> dict[str, Any]:
    return {
        "face_points_matched_after": round(left.matched_after, 4),
        "face_surface_moved": round(left.moved, 4),
        "relief_correlation": round(left.relief_correlation, 4),
        "face_likeness": round(left.likeness, 4),
    }
