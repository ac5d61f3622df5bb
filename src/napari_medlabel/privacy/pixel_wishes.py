"""What a person wants done about text in pixels and about faces, and what they take upon them."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.errors import InputError
from napari_medlabel.privacy.face_plan import USUAL_PLAN, FacePlan

__all__ = ["FaceWish", "HandStrokes", "TextWish"]

_LONGEST: Final = 200  # characters of a reason


@dataclass(frozen=True, slots=True)
class TextWish:
    """What is to be done about text in pixels.

    Parameters
    ----------
    action
        "redact" fills it; "find" only looks, and nothing is written where some is found.
    keep
        Numbers of findings that stay, as a preview counts them.
    accept_unread
        Whether pictures that cannot be looked at are written all the same.
    reason
        Why something stays, for the certificate; needed where something does.
    allow_marks
        Whether letters of the patient's sides, positions and scale bars are passed over.
    every_frame
        Look at every frame by itself.

    Raises
    ------
    InputError
        If something stays without a reason, or the reason is no single line of 200 characters.
    """

    action: Literal["find", "redact"] = "redact"
    keep: frozenset[int] = frozenset()
    accept_unread: bool = False
    reason: str = ""
    allow_marks: bool = False
    every_frame: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        _check_reason(self.reason, needed=bool(self.keep) or self.accept_unread)

    def document(self) -> dict[str, Any]:
        """For a certificate."""
        return {
            "action": self.action,
            "reason": self.reason,
            "allow_marks": self.allow_marks,
            "every_frame": self.every_frame,
        }


@dataclass(frozen=True, slots=True, eq=False)
class HandStrokes:
    """What a person added to a region, and kept of it, in one image.

    Parameters
    ----------
    added, spared
        bool `[k, j, i]`.
    geometry
        Of both: the image's own grid, or that with its axes in another order.
    """

    added: BoolArray
    spared: BoolArray
    geometry: Geometry

    def on(self, geometry: Geometry) -> tuple[BoolArray, BoolArray] | None:
        """Both on a grid; None where that is not the grid of this very image."""
        axes = geometry.canonical
        own = self.geometry.canonical
        if not geometry.laid_out(axes).same_grid(self.geometry.laid_out(own)):
            return None
        back = axes.inverse()
        return back.apply(own.apply(self.added)), back.apply(own.apply(self.spared))

    def document(self) -> dict[str, int]:
        """For a certificate: how many voxels."""
        return {"added": int(self.added.sum()), "spared": int(self.spared.sum())}


@dataclass(frozen=True, slots=True)
class FaceWish:
    """What is to be done about faces.

    Parameters
    ----------
    action
        "remove" takes them out; "find" only looks, and nothing is written where there is one.
    plan
        What comes in their place, how near to the brain, what else goes.
    keep
        Whether faces that are found stay.
    accept_uncertain
        Whether a person has looked at what is uncertain: what seems to be a face goes, and what
        cannot be looked at is written as it is.
    reason
        Why, for the certificate; needed where faces stay.
    by_hand
        Strokes in one of the images; others are as the plan has them.

    Raises
    ------
    InputError
        If faces stay without a reason, or the reason is no single line of 200 characters.
    """

    action: Literal["find", "remove"] = "remove"
    plan: FacePlan = USUAL_PLAN
    keep: bool = False
    accept_uncertain: bool = False
    reason: str = ""
    by_hand: HandStrokes | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        _check_reason(self.reason, needed=self.keep)

    @property
    def takes_out(self) -> bool:
        """Whether faces that are found go."""
        return self.action == "remove" and not self.keep

    def document(self) -> dict[str, Any]:
        """For a certificate."""
        return {
            "action": self.action,
            "plan": self.plan.document(),
            "kept": self.keep,
            "accepted_uncertain": self.accept_uncertain,
            "reason": self.reason,
            "by_hand": None if self.by_hand is None else self.by_hand.document(),
        }


def _check_reason(reason: str, *, needed: bool) -> None:
    if needed and not reason.strip():
        raise InputError("what stays needs a reason", "say why, in a line without anybody's name")
    if len(reason) > _LONGEST or not (reason.isprintable() or not reason):
        raise InputError("the reason is no line of up to 200 characters", "say it shorter")
