"""Whether a case may be worked on and may leave: what is known of its headers, pixels and face.

Each part of a case begins unknown and changes only by an event that says what, why, who and when.
The present state is the last event of each part and nothing else is kept, so that no part can be
cleared without an event that says so.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from napari_medlabel.errors import InputError

__all__ = [
    "Before",
    "CasePrivacy",
    "Missing",
    "PartState",
    "PrivacyPart",
    "PrivacyPolicy",
    "PrivacyState",
    "Remedy",
    "missing_parts",
]

PrivacyPart = Literal["headers", "burned-in", "face"]
PrivacyState = Literal["unknown", "not-needed", "done", "overridden"]
Before = Literal["labelling", "another-user", "export"]
Remedy = Literal["deidentify", "check-text", "check-face"]

PARTS: Final[tuple[PrivacyPart, ...]] = get_args(PrivacyPart)
FORMAT: Final = 1
_CLEARED: Final = frozenset({"not-needed", "done"})
_LONGEST_WHY: Final = 500
_LARGEST_PROOF: Final = 16_384  # bytes of JSON
_REMEDIES: Final[Mapping[PrivacyPart, Remedy]] = {
    "headers": "deidentify",
    "burned-in": "check-text",
    "face": "check-face",
}
_NOT_KNOWN: Final[Mapping[PrivacyPart, str]] = {
    "headers": "Header: not known to be cleaned",
    "burned-in": "Burned-in text: nobody has looked",
    "face": "Face: nobody has looked",
}


@dataclass(frozen=True, slots=True)
class PartState:
    """What is known of one part of a case, and the event that said so.

    Parameters
    ----------
    part
        "headers", "burned-in" (text in the pixels) or "face".
    state
        "unknown"; "not-needed"; "done"; "overridden": let through by somebody as it is.
    why, who, when
        In words, a person's id, UTC in ISO 8601. All are empty where nothing was ever said.
    proof
        JSON-ready: SHA-256 of a certificate or report, tool, parameters, numbers. Never an
        identifier: it goes into the provenance of every export, as `why` does.

    Raises
    ------
    InputError
        If there is no such part or state, a state comes without `why`, `who` or `when`, or the
        proof is no JSON.
    """

    part: PrivacyPart
    state: PrivacyState = "unknown"
    why: str = ""
    who: str = ""
    when: str = ""
    proof: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_one_of(self.part, PARTS, "part of a case's privacy")
        _check_one_of(self.state, get_args(PrivacyState), "state of privacy")
        told = (self.why.strip(), self.who, self.when)
        if not all(told) and (any(told) or self.state != "unknown" or self.proof):
            raise InputError("a state of privacy needs a reason, a person and a time", "say why")
        if len(self.why) > _LONGEST_WHY or not (self.why.isprintable() or not self.why):
            raise InputError(f"the reason is not one line of up to {_LONGEST_WHY} characters")
        _check_json(self.proof)

    @property
    def cleared(self) -> bool:
        """True where it is done or not needed."""
        return self.state in _CLEARED

    def document(self) -> dict[str, Any]:
        """The state as JSON-ready values."""
        return {
            "part": self.part, "state": self.state, "why": self.why, "who": self.who,
            "when": self.when, "proof": dict(self.proof),
        }  # fmt: skip

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "PartState":
        """The state that `document` wrote.

        Raises
        ------
        InputError
            If it is not one.
        """
        try:
            return cls(**document)
        except (TypeError, AttributeError) as error:
            raise InputError("this is not a state of privacy") from error


@dataclass(frozen=True, slots=True)
class CasePrivacy:
    """All that was ever said of a case's privacy, oldest first; the last word on a part counts."""

    history: tuple[PartState, ...] = ()

    @property
    def headers(self) -> PartState:
        """DICOM elements, or what text another format's header has."""
        return self.of("headers")

    @property
    def burned_in(self) -> PartState:
        """Text in the pixels."""
        return self.of("burned-in")

    @property
    def face(self) -> PartState:
        """A face that can be seen on the surface of a head."""
        return self.of("face")

    @property
    def parts(self) -> tuple[PartState, ...]:
        """The present state of every part."""
        return tuple(self.of(part) for part in PARTS)

    @property
    def cleared(self) -> bool:
        """True where every part is done or not needed: none is unknown, none only let through."""
        return all(state.cleared for state in self.parts)

    def of(self, part: PrivacyPart) -> PartState:
        """The present state of a part."""
        return next((one for one in reversed(self.history) if one.part == part), PartState(part))

    def then(self, event: PartState) -> "CasePrivacy":
        """The case's privacy after one more event.

        Raises
        ------
        InputError
            If the event says nothing, or lets a part through that is cleared.
        """
        if not event.who:
            raise InputError("nothing was said of this case's privacy", "say why")
        if event.state == "overridden" and self.of(event.part).cleared:
            raise InputError(f"{event.part} of this case is cleared: there is nothing to override")
        return CasePrivacy((*self.history, event))

    def document(self) -> dict[str, Any]:
        """The present state and the history as JSON-ready values."""
        return {
            "cleared": self.cleared,
            "parts": [state.document() for state in self.parts],
            "history": [state.document() for state in self.history],
        }


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """What a workspace wants cleared, before what; nothing, until somebody says otherwise.

    Parameters
    ----------
    labelling
        Parts to be cleared before anybody draws.
    another_user
        Before somebody draws who did not import the case.
    export
        Before anything of the case leaves the workspace.
    override
        Whether a part may be let through as it is, with a reason.
    override_by
        The ids of those who may; none named: whoever may say that a part is cleared.
    """

    labelling: frozenset[PrivacyPart] = frozenset()
    another_user: frozenset[PrivacyPart] = frozenset()
    export: frozenset[PrivacyPart] = frozenset()
    override: bool = True
    override_by: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        for part in (*self.labelling, *self.another_user, *self.export):
            _check_one_of(part, PARTS, "part of a case's privacy")

    def wanted(self, before: Before) -> frozenset[PrivacyPart]:
        """The parts that have to be cleared before something."""
        _check_one_of(before, get_args(Before), "moment that the rules of privacy know")
        wanted: frozenset[PrivacyPart] = getattr(self, before.replace("-", "_"))
        return wanted

    def lets_override(self, who: str) -> bool:
        """Whether a person may let a part through as it is."""
        return self.override and (not self.override_by or who in self.override_by)

    def document(self) -> dict[str, Any]:
        """The policy as JSON-ready values."""
        return {
            "format": FORMAT,
            "before": {before: _in_order(self.wanted(before)) for before in get_args(Before)},
            "override": {"allowed": self.override, "by": sorted(self.override_by)},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "PrivacyPolicy":
        """The policy that `document` wrote.

        Raises
        ------
        InputError
            If it is not one, or of a newer format.
        """
        try:
            number, override = document["format"], document["override"]
            before = {name: frozenset(parts) for name, parts in document["before"].items()}
            allowed, by = override["allowed"], frozenset(map(str, override["by"]))
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError("these are not rules of privacy", "see docs/privacy.md") from error
        if number != FORMAT:
            raise InputError(
                f"these rules of privacy have format {number!r}, not {FORMAT}",
                "a newer version of this program wrote them",
            )
        if set(before) != set(get_args(Before)) or not isinstance(allowed, bool):
            raise InputError("these are not rules of privacy", "see docs/privacy.md")
        return cls(before["labelling"], before["another-user"], before["export"], allowed, by)


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that has to be cleared first: in words, and what mends it.

    `may_override` says whether who asks may let it through as it is instead.
    """

    part: PrivacyPart
    words: str
    remedy: Remedy
    may_override: bool = False

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "part": self.part, "words": self.words, "remedy": self.remedy,
            "may_override": self.may_override,
        }  # fmt: skip


def missing_parts(
    privacy: CasePrivacy, policy: PrivacyPolicy, moments: Iterable[Before], who: str = ""
) -> tuple[Missing, ...]:
    """What the policy wants cleared before these moments and is not, in the order of the parts.

    A part that somebody let through counts as long as the policy lets that person do so; `who`
    is asking, who may perhaps let a part through.
    """
    wanted = frozenset[PrivacyPart]().union(*(policy.wanted(before) for before in moments))
    states = [privacy.of(part) for part in PARTS if part in wanted]
    return tuple(
        Missing(one.part, _words(one), _REMEDIES[one.part], policy.lets_override(who))
        for one in states
        if not one.cleared and not (one.state == "overridden" and policy.lets_override(one.who))
    )


def _words(state: PartState) -> str:
    if state.state == "overridden":
        name = _NOT_KNOWN[state.part].partition(":")[0]
        return f"{name}: only let through, which the rules of this workspace do not allow any more"
    return _NOT_KNOWN[state.part]


def _in_order(parts: frozenset[PrivacyPart]) -> list[PrivacyPart]:
    return [part for part in PARTS if part in parts]


def _check_one_of(value: object, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise InputError(f"there is no such {what}", f"one of {', '.join(known)}")


def _check_json(proof: Mapping[str, Any]) -> None:
    try:
        fits = len(json.dumps(dict(proof), allow_nan=False)) <= _LARGEST_PROOF
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError("the proof holds something that JSON does not") from error
    if not fits:
        raise InputError(f"the proof is longer than {_LARGEST_PROOF} bytes")
