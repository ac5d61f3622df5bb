"""From what was measured to one word: whether there is a face that can be taken out.

All that is decided here is decided from a few numbers, so that it can be read, tested and shown.
Whatever is not clear is "uncertain", and a person looks.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray
from napari_medlabel.privacy.face_fit import Pose
from napari_medlabel.privacy.face_mask import Skin
from napari_medlabel.privacy.face_template import Template

__all__ = ["MATCHED_MM", "Match", "Measures", "Verdict", "decided", "is_face", "match", "on_skin"]

Verdict = Literal[
    "face", "already-defaced", "not-a-head", "face-not-in-view", "uncertain", "wrong-orientation"
]

MATCHED_MM: Final = 5.0  # a point of the template that is as near to the skin, and faces its way
_SMALL: Final = 0.8  # of an adult's head: points must be nearer on smaller ones, in proportion
_SAME_WAY: Final = 0.5  # cosine
_AIR_MM: Final = 6.0
_FAR_MM: Final = 30.0

# Measured on heads and non-heads: see docs, "Removing faces".
_VAULT_SEEN, _VAULT_OK = 0.40, 0.78  # of a head; whole heads reach 0.84 to 1
_PART_SEEN: Final = 0.05  # of a slab through a head
_VAULT_CLEAR: Final = 0.84
_VAULT_NO: Final = 0.64  # non-heads stay below, with few exceptions
_SIDE_OK: Final = 0.50
_FACE_SEEN, _FACE_OK = 0.10, 0.58  # of a face; faces reach 0.66 to 1
_FACE_GONE, _FACE_AIR = 0.20, 0.50
_FACE_SEEN_GONE: Final = 0.15  # more must be in view to say that nothing is left
_SCALP: Final = 0.45  # of the vault has bone or its shadow below; brains without a skin have less
_LIKENESS: Final = 0.62  # of a relief with a face
_SLIPPED_AIR, _SLIPPED = 0.6, 0.06
_LEAD, _LEAD_DOUBT, _MOST_SCORE = 0.25, 0.12, 3.0  # of another orientation
_SOLID_NOSE: Final = 0.008  # share of air; real noses have 0.02 and more
_OTHERWISE, _OTHERWISE_DOUBT = 2.40, 2.30  # scores of a face that lies along another axis
_ERROR_NO: Final = 0.42


@dataclass(frozen=True, slots=True)
class Match:
    """How well some points of the template lie on a skin.

    Parameters
    ----------
    seen
        The share of them that the image shows.
    matched
        Of these, the share that lies on the skin.
    distance_mm
        Of these, the mean distance; no point counts for more than 30.
    in_air
        Of these, the share that is well outside the body.
    """

    seen: float
    matched: float
    distance_mm: float
    in_air: float


@dataclass(frozen=True, slots=True)
class Measures:
    """All that the verdict is made from.

    Parameters
    ----------
    cost
        Mean distance of the whole template from the skin, mm.
    error
        Of the fit of all points, from 0 to 1.
    turned_deg
        How far the head is turned from upright and forward.
    vault, side, face
        Of the fit to all of the head.
    vault_alone, face_alone
        Of the fit to the cranium alone.
    scalp
        The share of the cranium with bone (CT) or its shadow (MR) below the surface.
    likeness
        How much of a generic face the relief shows, whatever the fit says.
    generic
        Whether there is the smooth front that our `noise` and `blur` leave.
    dim
        Whether there is signal where the face is missing.
    hollow
        The share of air where a nose and its sinuses are: a surface can be fitted backwards, but
        the back of a head has none. Below 0 where too little of it is in view.
    otherwise, otherwise_hollow
        How well a head with a face fits that lies along another axis, from 0 to 3, and how hollow
        its nose is; 0 where none does.
    size
        Of the head, against an adult's.
    """

    cost: float
    error: float
    turned_deg: float
    vault: Match
    side: Match
    face: Match
    vault_alone: Match
    face_alone: Match
    scalp: float
    likeness: float = 0.0
    generic: bool = False
    dim: bool = False
    hollow: float = -1.0
    otherwise: float = 0.0
    otherwise_hollow: float = 0.0
    size: float = 1.0

    @property
    def score(self) -> float:
        """How well a head with a face fits: the matched shares of its three parts."""
        return self.vault.matched + self.side.matched + self.face.matched


def on_skin(skin: Skin, head: Template, pose: Pose, which: BoolArray) -> tuple[BoolArray, ...]:
    """Which of these template points are seen, lie on the skin, and are in the air; `[n]` each."""
    distance, slope, seen = skin.at(pose.lps(head.points[which]))
    facing = ((head.normals[which] @ pose.turn.T) * slope).sum(axis=1)
    near_mm = MATCHED_MM * min(1.0, float(pose.size.mean()) / _SMALL)
    matched = (np.abs(distance) < near_mm) & (facing > _SAME_WAY)
    return seen, matched & seen, (distance > _AIR_MM) & seen


def match(skin: Skin, head: Template, pose: Pose, which: BoolArray) -> Match:
    """How well these points of the template lie on the skin."""
    seen, matched, in_air = on_skin(skin, head, pose, which)
    count = int(seen.sum())
    if not count:
        return Match(0.0, 0.0, _FAR_MM, 0.0)
    away: FloatArray = np.minimum(np.abs(skin.at(pose.lps(head.points[which]))[0]), _FAR_MM)[seen]
    return Match(
        float(seen.mean()), float(matched.sum() / count), float(away.mean()),
        float(in_air.sum() / count),
    )  # fmt: skip


def decided(found: Measures) -> tuple[Verdict, str]:  # noqa: PLR0911  # one return for each answer
    """The verdict, and why, in a few words for a person.

    Parameters
    ----------
    found
        What was measured.
    """
    if found.generic and _is_head(found):
        return "already-defaced", "there is the smooth front that defacing leaves"
    if is_face(found):
        return _with_face(found)
    if found.otherwise >= _OTHERWISE and found.otherwise_hollow > _SOLID_NOSE:
        return "wrong-orientation", "a face was found, but not where the header says"
    if found.otherwise >= _OTHERWISE_DOUBT and found.otherwise_hollow >= 0.0:
        return "uncertain", "something like a face was found, but not where the header says"
    if not _is_head(found):
        return _no_head(found)
    if found.scalp < _SCALP and found.face_alone.matched < _FACE_OK:
        if found.likeness > _LIKENESS:
            return "uncertain", "a brain without skin, with something like a face"
        return "not-a-head", "a brain without skin"
    if max(found.face.seen, found.face_alone.seen) < _FACE_SEEN:
        return "face-not-in-view", "a head whose face is outside the image"
    return _faceless(found)


def _is_head(found: Measures) -> bool:
    return any(
        vault.seen >= _VAULT_SEEN and vault.matched >= _VAULT_OK
        for vault in (found.vault, found.vault_alone)
    )


def is_face(found: Measures) -> bool:
    """Whether these are the numbers of a head with a face."""
    side = found.side.seen < 0.2 or found.side.matched >= _SIDE_OK
    # A fit that gives up some of the cranium for a face where the cranium has none has slipped.
    slipped = (
        found.face_alone.in_air > _SLIPPED_AIR
        and found.vault.matched < found.vault_alone.matched - _SLIPPED
    )
    return (
        not slipped
        and found.vault.seen >= _VAULT_SEEN and found.vault.matched >= _VAULT_OK and side
        and found.face.seen >= _FACE_SEEN and found.face.matched >= _FACE_OK
        and found.error < _ERROR_NO and found.scalp >= _SCALP
    )  # fmt: skip


def _with_face(found: Measures) -> tuple[Verdict, str]:
    """Something fits a face; a surface can be fitted backwards, too."""
    lead = _lead(found)
    if lead > _LEAD and found.otherwise >= _OTHERWISE:
        return "wrong-orientation", "a face was found, but not where the header says"
    if lead > _LEAD_DOUBT:
        return "uncertain", "a face fits in two orientations"
    if 0.0 <= found.hollow < _SOLID_NOSE:
        return "uncertain", "what fits a face has no air in its nose"
    return "face", "a head with a face"


def _lead(found: Measures) -> float:
    """How much more of a face there is along another axis than where the header says."""
    if found.otherwise <= 0.0:
        return -_MOST_SCORE
    lead = found.otherwise - found.score
    if min(found.otherwise_hollow, found.hollow) >= 0.0:
        lead += 0.2 * math.log((found.otherwise_hollow + 0.005) / (found.hollow + 0.005))
    return lead


def _no_head(found: Measures) -> tuple[Verdict, str]:
    best = max(found.vault, found.vault_alone, key=lambda one: one.matched * min(one.seen, 0.4))
    facial = found.face.seen >= 0.3 and found.face.matched >= 0.7 and found.error < 0.385
    if found.likeness > _LIKENESS or facial:
        return "uncertain", "no cranium was found, but something like a face"
    if best.seen >= _PART_SEEN and best.matched >= _VAULT_OK and found.scalp >= _SCALP:
        return "uncertain", "a small part of a head"
    least = _VAULT_NO if found.size > _SMALL else _VAULT_OK  # a ball is like a small head
    if best.seen >= _VAULT_SEEN and best.matched >= least and found.scalp >= _SCALP:
        return "uncertain", "something like a head, but not clearly"
    return "not-a-head", "nothing like a head was found"


def _faceless(found: Measures) -> tuple[Verdict, str]:
    """A head, and no face was found where one would be."""
    gone = found.face_alone
    clear = max(found.vault.matched, found.vault_alone.matched) >= _VAULT_CLEAR
    if gone.seen < _FACE_SEEN_GONE:
        return "uncertain", "a head of which too little of the face is in view"
    if found.dim:
        return "uncertain", "there is weak signal where the face would be"
    if not clear or gone.matched > _FACE_GONE or gone.in_air < _FACE_AIR:
        return "uncertain", "a head whose face is changed, cut or unclear"
    if found.likeness > _LIKENESS:
        return "uncertain", "a head without a face where one would be, but with one elsewhere"
    return "already-defaced", "a head whose face is gone"
