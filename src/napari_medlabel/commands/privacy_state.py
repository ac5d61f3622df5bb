"""What is known of a case's headers, burned-in text and face; and what a workspace wants of it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import find_case
from napari_medlabel.commands.privacy_gate import (
    enter,
    look_again,
    missing_before,
    rules_of,
)
from napari_medlabel.commands.privacy_report import proof_of_report
from napari_medlabel.core.case_privacy import (
    Before,
    CasePrivacy,
    Missing,
    PartState,
    PrivacyPart,
    PrivacyPolicy,
    PrivacyState,
)
from napari_medlabel.session import CaseInfo, OpenCase, Permission, Session
from napari_medlabel.workspace.privacy_rules import write_rules

__all__ = [
    "Before",
    "CasePrivacy",
    "Missing",
    "PartState",
    "PrivacyPart",
    "PrivacyPolicy",
    "PrivacyState",
    "case_privacy",
    "check_privacy",
    "mark_privacy",
    "override_privacy",
    "privacy_document",
    "privacy_policy",
    "set_privacy_policy",
]

_Case = OpenCase | CaseInfo | str


@command(needs=Permission.VIEW)
def case_privacy(session: Session, case: _Case) -> CasePrivacy:
    """What is known of a case, and all that was ever said of it.

    Raises
    ------
    InputError
        If there is no such case.
    IntegrityError
        If what was said was altered.
    """
    return session.workspace.catalogue.privacy.of(_info(session, case).id)


@command(needs=Permission.VIEW)
def privacy_document(session: Session, case: _Case) -> dict[str, Any]:
    """What is known of a case, and what the rules want of it before what, as JSON-ready values.

    Raises
    ------
    InputError
        If there is no such case.
    IntegrityError
        If the rules, or what was said of the case, were altered.
    """
    info = _info(session, case)
    missing = {
        before: [one.document() for one in missing_before(session, info, before)]
        for before in get_args(Before)
    }
    known = session.workspace.catalogue.privacy.of(info.id).document()
    return {"case": info.name, **known, "missing": missing}


@command(needs=Permission.CLEAR)
def mark_privacy(  # noqa: PLR0913  # what is said
    session: Session,
    case: _Case,
    part: PrivacyPart,
    state: PrivacyState,
    *,
    why: str,
    proof: Mapping[str, Any] | None = None,
    report: Path | None = None,
) -> CasePrivacy:
    """Say what is known of a part of a case: the one way it changes, kept with who and when.

    Parameters
    ----------
    case
        An open case, which can be drawn on from now on where that is what was missing; or a name.
    part
        "headers", "burned-in" or "face".
    state
        "done", "not-needed", "overridden" where the rules allow it, or "unknown" to take back
        what was said.
    why
        One line, which is in the provenance of every export: never a patient's name or number.
    proof
        JSON-ready: SHA-256 of a certificate or report, tool, parameters, numbers; no identifier.
    report
        A file that proves it: its SHA-256 goes into the proof, and the verdict and numbers of a
        report of `deface` or `burned-in`.

    Raises
    ------
    InputError
        If there is no such case, part or state, no reason, nothing to override, or the report
        cannot be read.
    Refused
        If it is to be overridden and the rules do not let this person.
    """
    info = _info(session, case)
    shown = {**(proof or {}), **(proof_of_report(report) if report is not None else {})}
    privacy = enter(session, info.id, part, state, why=why, proof=shown)
    if isinstance(case, OpenCase):
        look_again(session, case)
    return privacy


@command(needs=Permission.CLEAR)
def override_privacy(session: Session, case: _Case, part: PrivacyPart, why: str) -> CasePrivacy:
    """Let a part of a case through as it is, where the rules allow it; kept with the reason.

    Raises
    ------
    InputError
        If there is no such case or part, no reason, or nothing to override.
    Refused
        If the rules do not let this person.
    """
    return mark_privacy(session, case, part, "overridden", why=why)


@command(needs=Permission.VIEW)
def privacy_policy(session: Session) -> PrivacyPolicy:
    """What this workspace wants cleared, before what.

    Raises
    ------
    IntegrityError
        If its `privacy.json` is not as it was set.
    """
    return rules_of(session)


@command(needs=Permission.RULE)
def set_privacy_policy(session: Session, policy: PrivacyPolicy) -> PrivacyPolicy:
    """Set what this workspace wants cleared, before what; kept with who and when.

    It holds from the next time that a case is opened or exported.

    Raises
    ------
    OutputError, NotSaved
        If it cannot be written.
    """
    workspace = session.workspace
    write_rules(workspace.folder, workspace.catalogue.privacy, policy, session.person.id)
    return policy


@command(needs=Permission.VIEW)
def check_privacy(session: Session, case: _Case, before: Before) -> tuple[Missing, ...]:
    """What the rules want cleared before this and is not; nothing where it may go on.

    Parameters
    ----------
    case
        Which case.
    before
        "labelling", "another-user" or "export".

    Raises
    ------
    InputError
        If there is no such case or moment.
    IntegrityError
        If the rules, or what was said of the case, were altered.
    """
    return missing_before(session, _info(session, case), before)


def _info(session: Session, case: _Case) -> CaseInfo:
    if isinstance(case, OpenCase):
        return case.info
    return case if isinstance(case, CaseInfo) else find_case(session, case)
