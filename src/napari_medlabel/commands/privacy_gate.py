"""The one place that is asked whether a case may be worked on, or may leave the workspace.

Opening a case asks before anybody can draw, exporting before anything is written. What changes
the answer is entered here too, and nowhere else.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from napari_medlabel.core.case_privacy import (
    Before,
    CasePrivacy,
    Missing,
    PartState,
    PrivacyPart,
    PrivacyPolicy,
    PrivacyState,
    Remedy,
    missing_parts,
)
from napari_medlabel.core.moment import utc_now
from napari_medlabel.errors import InputError, IntegrityError, Refused
from napari_medlabel.session import CaseInfo, OpenCase, Session
from napari_medlabel.workspace.privacy_rules import read_rules

__all__ = [
    "check_export",
    "enter",
    "look_again",
    "missing_before",
    "rules_of",
    "why_not_drawn",
    "words_of",
]

_MENDS: Final[Mapping[Remedy, str]] = {
    "deidentify": "import a copy that medlabel deidentify made",
    "check-text": "look for text in its pixels (medlabel burned-in)",
    "check-face": "take its face out (medlabel deface-case)",
}
_CLEARS: Final = "The Deface tab clears it, or medlabel privacy"
_MARK: Final = "or say what was done (medlabel privacy mark)"
_OVERRIDE: Final = "or let it through with a reason (medlabel privacy override)"


def rules_of(session: Session) -> PrivacyPolicy:
    """The rules of the workspace.

    Raises
    ------
    IntegrityError
        If they are not as they were set.
    """
    workspace = session.workspace
    return read_rules(workspace.folder, workspace.catalogue.privacy)


def missing_before(session: Session, case: CaseInfo, before: Before) -> tuple[Missing, ...]:
    """What has to be cleared first, before this one moment.

    Raises
    ------
    IntegrityError
        If the rules or what was said of the case were altered.
    """
    privacy = session.workspace.catalogue.privacy.of(case.id)
    return missing_parts(privacy, rules_of(session), (before,), session.person.id)


def check_export(session: Session, case: CaseInfo) -> None:
    """Pass where the case may leave the workspace.

    Raises
    ------
    Refused
        With what is missing and what mends it.
    IntegrityError
        If the rules or what was said of the case were altered.
    """
    missing = missing_before(session, case, "export")
    if missing:
        raise Refused(f"{case.name} is not cleared to leave the workspace: {words_of(missing)}",
                      _hint(missing))  # fmt: skip


def why_not_drawn(session: Session, case: CaseInfo) -> str:
    """Why a person may only look at a case, or nothing: asked wherever a case is opened.

    Rules that were altered let nobody draw; looking stays possible.
    """
    catalogue = session.workspace.catalogue
    try:
        privacy, policy = catalogue.privacy.of(case.id), rules_of(session)
    except IntegrityError as error:
        return f"Only to be looked at: {error.what}"
    missing = missing_parts(privacy, policy, _moments(session, case), session.person.id)
    if not missing:
        return ""
    return f"Only to be looked at: not cleared. {words_of(missing)}. {_CLEARS}"


def look_again(session: Session, case: OpenCase) -> None:
    """Let a case that is open be drawn on, or no more, as the rules now say."""
    if case.journal is not None and not case.closed:
        case.segmentation.read_only = case.hold.reason or why_not_drawn(session, case.info)


def enter(  # noqa: PLR0913  # what an event is made of
    session: Session,
    case_id: str,
    part: PrivacyPart,
    state: PrivacyState,
    *,
    why: str,
    proof: Mapping[str, Any] | None = None,
    first: bool = False,
) -> CasePrivacy:
    """Enter that a part of a case has a new state, said by the person of the session.

    Parameters
    ----------
    case_id, part, state, why, proof
        What is said.
    first
        Only where nothing was said of this part before: what people said stays.

    Raises
    ------
    InputError
        If it is no event, or does not follow from what was said before.
    Refused
        If the part may not be let through by this person.
    """
    who = session.person.id
    if state == "overridden" and not rules_of(session).lets_override(who):
        raise Refused(
            f"the rules of this workspace do not let {session.person.name} override",
            "see: medlabel privacy policy",
        )
    if not why.strip():
        raise InputError("this needs a reason", "say why, in one line")

    def event(before: CasePrivacy) -> PartState | None:
        if first and before.of(part).who:
            return None
        return PartState(part, state, why.strip(), who, utc_now(), dict(proof or {}))

    return session.workspace.catalogue.privacy.add(case_id, event)


def words_of(missing: tuple[Missing, ...]) -> str:
    """What is missing, in one line."""
    return "; ".join(one.words for one in missing)


def _moments(session: Session, case: CaseInfo) -> Iterator[Before]:
    """What opening a case to draw on it is."""
    yield "labelling"
    if session.workspace.catalogue.facts(case.id).get("imported_by") != session.person.id:
        yield "another-user"


def _hint(missing: tuple[Missing, ...]) -> str:
    mends = [_MENDS[one.remedy] for one in missing]
    override = [_OVERRIDE] if any(one.may_override for one in missing) else []
    return ", ".join([*mends, _MARK, *override])
