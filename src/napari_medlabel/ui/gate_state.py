"""The privacy gate before an export, as a frozen value: what is cleared, what is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from napari_medlabel import commands
from napari_medlabel.errors import MedlabelError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui.state import Tone

__all__ = ["GateLine", "GateLook", "GateState", "gate_state"]

Kind = Literal["ok", "missing", "open", "through"]
_NAMES: Final = {"headers": "Header", "burned-in": "Burned-in text", "face": "Face"}
_DONE: Final = {
    "headers": "Header cleaned",
    "burned-in": "Burned-in text removed",
    "face": "Face removed",
}
_NOT_NEEDED: Final = {
    "headers": "Nothing in the header",
    "burned-in": "No burned-in text",
    "face": "No face",
}
_RULE: Final = "A case leaves the workspace only when what its rules name is cleared."
_NO_RULE: Final = "The rules of this workspace hold nothing back."


@dataclass(frozen=True, slots=True)
class GateLine:
    """One part: "ok", "through" where somebody let it, "missing", "open" where nobody wants it."""

    kind: Kind
    words: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class GateState:
    """What the Export tab shows of the gate; nothing without a case.

    `may_override` says whether who sits here may let it through as it is.
    """

    chip: str = ""
    tone: Tone = "neutral"
    words: str = ""
    lines: tuple[GateLine, ...] = ()
    held_back: bool = False
    may_override: bool = False


def gate_state(
    privacy: commands.CasePrivacy, missing: tuple[commands.Missing, ...], *, rules: bool
) -> GateState:
    """What is shown of a case: `missing` is what holds its export back, `rules` whether any do."""
    stops = {one.part: one for one in missing}
    lines = tuple(_line(state, stops.get(state.part)) for state in privacy.parts)
    if missing:
        words, may = "Not cleared to leave the workspace", all(one.may_override for one in missing)
        return GateState("Held back", "error", words, lines, held_back=True, may_override=may)
    words = _RULE if rules else _NO_RULE
    if privacy.cleared:
        return GateState("Cleared", "ok", words, lines)
    return GateState("May leave" if rules else "Not cleared", "warn", words, lines)


def _line(state: commands.PartState, missing: commands.Missing | None) -> GateLine:
    if missing is not None:
        return GateLine("missing", missing.words, state.why)
    if state.state == "done":
        return GateLine("ok", _DONE[state.part], state.why)
    if state.state == "not-needed":
        return GateLine("ok", _NOT_NEEDED[state.part], state.why)
    if state.state == "overridden":
        return GateLine("through", f"{_NAMES[state.part]}: let through by {state.who}", state.why)
    return GateLine("open", f"{_NAMES[state.part]}: not known", state.why)


class GateLook:
    """Asks the gate, once for each time that somebody looks at it.

    Parameters
    ----------
    session
        Whose workspace.
    failed
        Told where the gate cannot answer.
    """

    def __init__(self, session: Session, failed: Callable[[MedlabelError], object]) -> None:
        self._session = session
        self._failed = failed
        self._seen: tuple[OpenCase, bool] | None = None
        self._state = GateState()

    def of(self, case: OpenCase | None, *, shown: bool) -> GateState:
        """What is known; asked again when another case is there, or the page is turned to."""
        if case is None or not shown:
            self._seen, self._state = None, (GateState() if case is None else self._state)
        elif self._seen != (case, shown):
            self._seen = (case, shown)
            self._state = self._ask(case)
        return self._state

    def let_through(self, case: OpenCase, why: str) -> None:
        """Let everything that holds the case back through as it is, for a reason."""
        self._seen = None
        try:
            for one in commands.check_privacy(self._session, case, "export"):
                commands.override_privacy(self._session, case, one.part, why)
        except MedlabelError as error:
            self._failed(error)

    def _ask(self, case: OpenCase) -> GateState:
        try:
            privacy = commands.case_privacy(self._session, case)
            missing = commands.check_privacy(self._session, case, "export")
            rules = bool(commands.privacy_policy(self._session).export)
        except MedlabelError as error:
            self._failed(error)
            return GateState("Held back", "error", error.what, held_back=True)
        return gate_state(privacy, missing, rules=rules)
