"""The section Checks: a sign, words and a number each."""

from collections.abc import Callable
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_medlabel.ui.deface.state import Check, CheckState, DefaceState
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconLabel, button, chip, dress, restyle, text

__all__ = ["ChecksBox"]

SIGNS: Final[dict[CheckState, tuple[str, str, str]]] = {
    "ok": ("check", "ok", "passed"), "fails": ("cross", "error", "failed"),
    "open": ("clock", "text3", "open"), "asks": ("warning", "warn", "to be decided"),
}  # fmt: skip
ROW: Final = 24


class ChecksBox(QWidget):
    """Shows the checks of a `DefaceState`; `allowed` has the words of one that is said yes to."""

    allowed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[Check, ...] = ()
        self._tokens: Tokens = DARK
        self.count = chip("")
        self.rows: list[_Row] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def set_state(self, new: DefaceState) -> None:
        """Touch only what differs."""
        if new.checks == self._shown:
            return
        self._shown = new.checks
        passed, of = new.passed
        self.count.setText(f"\N{CHECK MARK} {passed} of {of}" if passed == of else (
            f"{passed} of {of}"
        ))  # fmt: skip
        failed = any(check.state == "fails" for check in new.checks)
        restyle(self.count, chip="ok" if passed == of else "error" if failed else "neutral")
        while len(self.rows) < len(new.checks):
            made = _Row(self.allowed.emit)
            self.rows.append(made)
            self._layout.addWidget(made)
            dress(made, self._tokens)
        for made, check in zip(self.rows, new.checks, strict=False):
            made.show_check(check)

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for rows that come later."""
        self._tokens = tokens


class _Row(QWidget):
    def __init__(self, on_allow: Callable[[str], object]) -> None:
        super().__init__()
        self._check: Check | None = None
        self.sign = IconLabel("clock", "text3", 15)
        self.words = text()
        self.number = text(tone="2")
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.remedy = button("", lambda: on_allow(self.words.text()), kind="link")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self.sign, self.words):
            layout.addWidget(part)
        layout.addStretch(1)
        layout.addWidget(self.remedy)
        layout.addWidget(self.number)

    def show_check(self, check: Check) -> None:
        """Show it."""
        if check == self._check:
            return
        self._check = check
        icon, tone, said = SIGNS[check.state]
        self.sign.show_icon(icon, tone)
        self.words.setText(check.words)
        self.number.setText(check.number)
        restyle(self.number, tone="error" if check.state == "fails" else "2")
        self.remedy.setText(check.remedy)
        self.remedy.setVisible(bool(check.remedy))
        self.setToolTip(check.missing)
        self.setAccessibleName(f"{check.words}: {check.number}, {said}")

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self.setMinimumHeight(tokens.px(ROW))
