"""What the Deface tab shows, as frozen values made by pure functions; no Qt."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from napari_medlabel.commands import FacePlan, ForeseenFace, PlannedFace
from napari_medlabel.commands import TextTile as Tile
from napari_medlabel.ui.state import CaseCard

__all__ = [
    "LEAST_BRAIN_MM", "Check", "CheckState", "CopyState", "DefaceState", "FaceState", "HeaderState",
    "TextRow", "TextState", "Verdict", "checks", "first_missing", "verdict_of",
]  # fmt: skip

CheckState: TypeAlias = Literal["ok", "fails", "open", "asks"]
Tone: TypeAlias = Literal["ok", "warn", "error", "neutral"]

LEAST_BRAIN_MM: Final = 2.0  # between the brain and what goes, whatever the plan
NONE: Final = "\N{EN DASH}"
_NOT_NEEDED: Final = frozenset({"not-a-head", "already-defaced"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, in words: what it is, what to do, and whether a person may say yes to it."""

    title: str
    words: str
    tone: Tone = "neutral"
    asks: bool = False


_VERDICTS: Final[dict[str, Verdict]] = {
    "not-a-head": Verdict(
        "No face in this image", "There is no skin of a head, so there is nothing to take out."
    ),
    "already-defaced": Verdict(
        "The face is gone already", "A head without a face, or with a generic one. It stays so."
    ),
    "face-not-in-view": Verdict(
        "The face is not in view",
        "A head whose image ends above its face. Look at the slices, and say so if it is true.",
        "warn", asks=True,
    ),
    "uncertain": Verdict(
        "It is not clear whether there is a face",
        "Look at the heads and the slices. Say whether what is red is to go.", "warn", asks=True,
    ),
    "wrong-orientation": Verdict(
        "The face is not where the header says",
        "The head lies along another axis than the image says. Look whether left, front and head "
        "are right before anything is taken out.", "warn", asks=True,
    ),
}  # fmt: skip


def verdict_of(verdict: str, why: str, why_not: str) -> Verdict | None:
    """What is to be said of a verdict; None where there simply is a face.

    Parameters
    ----------
    verdict, why
        As `FaceStudy` has them.
    why_not
        Why nothing can be planned.
    """
    if verdict == "face":
        return None if not why_not else Verdict(
            "The brain cannot be told", f"Nothing would guard it: {why_not}.", "error"
        )  # fmt: skip
    found = _VERDICTS[verdict]
    told = f"{why[:1].upper()}{why[1:]}. {found.words}"
    if found.asks and why_not:
        told += " Nothing can be taken out here."
    return Verdict(found.title, told, found.tone, found.asks)


@dataclass(frozen=True, slots=True)
class FaceState:
    """The section Face.

    Parameters
    ----------
    plan
        What is planned.
    note
        "preview is current", "computing", "looking for a face".
    usable
        Whether there is a face that can be taken out.
    verdict
        What is to be said of what was found; None for nothing.
    looked_at
        Whether a person said yes to it.
    way, size_mm
        The brush in hand: "add", "spare" or ""; its size.
    strokes, can_redo
        How many there are by hand, and whether one can come again.
    withheld
        How many voxels were added too near the brain, which stay.
    progress
        Of looking for the face.
    """

    plan: FacePlan = field(default_factory=FacePlan)
    note: str = ""
    usable: bool = False
    verdict: Verdict | None = None
    looked_at: bool = False
    way: str = ""
    size_mm: float = 0.0
    strokes: int = 0
    can_redo: bool = False
    withheld: int = 0
    progress: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what it looks at, what came of it, and a number.

    `remedy` is a word that can be pressed, for what a person may say yes to.
    """

    words: str
    number: str
    state: CheckState
    missing: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class TextRow:
    """One text in the pixels: its picture, where and how large it is, what becomes of it."""

    tile: Tile
    title: str
    size: str
    keep: bool = False


@dataclass(frozen=True, slots=True)
class TextState:
    """The section Burned-in text: `note` beside the title, `words` where there are no rows.

    `chooses` asks for the files, `unread` says that nobody could look, which a person may accept
    with a reason.
    """

    note: str = ""
    words: str = ""
    rows: tuple[TextRow, ...] = ()
    reason: str = ""
    asks_reason: bool = False
    chooses: bool = False
    unread: str = ""
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class HeaderState:
    """The section Header: counts, and what becomes of a few attributes that everybody knows.

    Each of `rows` has a name, what stands there now, and what was done.
    """

    choice: int = 0
    words: str = ""
    removed: int = 0
    replaced: int = 0
    kept: int = 0
    rows: tuple[tuple[str, str, str], ...] = ()
    chooses: bool = False


@dataclass(frozen=True, slots=True)
class CopyState:
    """The main button: why it is off, what is being written, and what was."""

    missing: str = ""
    busy: tuple[int, int] | None = None
    title: str = ""
    written: bool = False
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class DefaceState:
    """All that the tab shows."""

    card: CaseCard | None = None
    face: FaceState = FaceState()
    checks: tuple[Check, ...] = ()
    text: TextState = TextState()
    header: HeaderState = HeaderState()
    copy: CopyState = CopyState()

    @property
    def passed(self) -> tuple[int, int]:
        """How many checks are passed, of how many."""
        return sum(check.state == "ok" for check in self.checks), len(self.checks)


def checks(  # noqa: PLR0913  # all that decides
    planned: PlannedFace | None, foreseen: ForeseenFace | None, *, not_needed: bool, current: bool,
    labelled_allowed: bool, text: Check,
) -> tuple[Check, ...]:  # fmt: skip
    """The five checks.

    Parameters
    ----------
    planned, foreseen
        What would go and what would be left, None as long as nobody knows.
    not_needed
        Whether there is no face to take out.
    current
        Whether these are of the plan as it is now.
    labelled_allowed
        Whether a person said that labelled voxels may go.
    text
        The last one.
    """
    if not_needed:
        face = (
            Check("Brain voxels removed", "0", "ok"), Check("Closest cut to the brain", NONE, "ok"),
            Check("Face score after", "no face", "ok"), Check("Labelled voxels removed", "0", "ok"),
        )  # fmt: skip
        return (*face, text)
    waiting = "The preview is being worked out"
    if planned is None or not current:
        names = ("Brain voxels removed", "Closest cut to the brain")
        first = [Check(name, NONE, "open", waiting) for name in names]
        labelled = Check("Labelled voxels removed", NONE, "open", waiting)
    else:
        first = [_brain(planned), _nearest(planned)]
        labelled = _labelled(planned, allowed=labelled_allowed)
    score = (
        Check("Face score after", NONE, "open", waiting)
        if foreseen is None or not current
        else _score(foreseen)
    )
    return (*first, score, labelled, text)


def _brain(planned: PlannedFace) -> Check:
    count = planned.region.brain_voxels
    return Check(
        "Brain voxels removed", str(count), "fails" if count else "ok",
        "Voxels of the brain would go: raise the brain margin" if count else "",
    )  # fmt: skip


def _nearest(planned: PlannedFace) -> Check:
    mm = planned.region.nearest_brain_mm
    if mm == float("inf"):
        return Check("Closest cut to the brain", "not in view", "ok")
    near = mm < LEAST_BRAIN_MM
    return Check(
        "Closest cut to the brain", f"{mm:.1f} mm", "fails" if near else "ok",
        f"It is cut within {LEAST_BRAIN_MM:.0f} mm of the brain: raise the brain margin"
        if near else "",
    )  # fmt: skip


def _score(foreseen: ForeseenFace) -> Check:
    gone = foreseen.is_gone
    return Check(
        f"Face score after, limit {foreseen.limit:.2f}", f"{foreseen.matched_after:.2f}",
        "ok" if gone else "fails",
        "" if gone else "Too much of the face is left: go deeper, or add to what goes",
    )  # fmt: skip


def _labelled(planned: PlannedFace, *, allowed: bool) -> Check:
    count = sum(planned.labelled.values())
    if not count:
        return Check("Labelled voxels removed", "0", "ok")
    return Check(
        "Labelled voxels removed", f"{count}", "ok" if allowed else "asks",
        "" if allowed else "Labelled voxels would go: spare them, or allow it",
        "" if allowed else "Allow",
    )  # fmt: skip


def first_missing(checked: Sequence[Check], *others: str) -> str:
    """The one thing that is missing, in words; "" where all is there.

    Parameters
    ----------
    checked
        The checks, in their order.
    others
        What else is missing, the most pressing first; looked at before the checks.
    """
    words = [*others, *(check.missing or check.words for check in checked if check.state != "ok")]
    return next(filter(None, words), "")
