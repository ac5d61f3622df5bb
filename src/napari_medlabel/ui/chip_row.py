"""Presets as chips on one row; those that do not fit are behind More."""

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from napari_medlabel.ui.theme import Tokens

__all__ = ["Chip", "ChipRow"]

Chip = tuple[str, str]  # words and tooltip

GAP = 6
MORE = "More"


class ChipRow(QWidget):
    """One of several presets; `chosen` has its number."""

    chosen = Signal(int)

    def __init__(self, spoken: str) -> None:
        super().__init__()
        self._spoken = spoken
        self._chips: tuple[Chip, ...] = ()
        self._on = -1
        self._fitting = 0
        self._buttons: list[QToolButton] = []
        self._more = self._button(MORE)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.clicked.connect(self._unfold)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(GAP)
        self._layout.addWidget(self._more)
        self._layout.addStretch(1)
        self.setMinimumHeight(26)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def buttons(self) -> tuple[QToolButton, ...]:
        """The chips in sight, without More."""
        return tuple(self._buttons[: self._fitting])

    @property
    def more(self) -> QToolButton:
        """What the others are behind; it has the name of the one that is on."""
        return self._more

    def set_chips(self, chips: Sequence[Chip]) -> None:
        """Offer these, and only make them anew where they differ."""
        if tuple(chips) == self._chips:
            return
        self._chips = tuple(chips)
        for old in self._buttons:
            self._layout.removeWidget(old)
            old.deleteLater()
        self._buttons = []
        for n, (words, tip) in enumerate(self._chips):
            made = self._button(words, tip)
            made.clicked.connect(partial(self._pressed, n))
            self._layout.insertWidget(n, made)
            self._buttons.append(made)
        self._fit()

    def set_chosen(self, number: int) -> None:
        """Light one, or none (-1)."""
        if number != self._on:
            self._on = number
            self._fit()
        for n, made in enumerate(self._buttons):
            made.setChecked(n == number)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self.setMinimumHeight(tokens.px(26))
        self._fit()

    def menu(self) -> QMenu:
        """Those that do not fit."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for n in range(self._fitting, len(self._chips)):
            words, tip = self._chips[n]
            action = menu.addAction(words, partial(self.chosen.emit, n))
            action.setToolTip(tip)
            action.setCheckable(True)
            action.setChecked(n == self._on)
        return menu

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's
        """Show as many as fit."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Its font is known only now."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        wide = [made.sizeHint().width() for made in self._buttons]
        room, count = self.width() + GAP, len(wide)
        if sum(wide) + GAP * count > room:
            self._more.setText(MORE)
            room -= self._more.sizeHint().width() + GAP
            while count and sum(wide[:count]) + GAP * count > room:
                count -= 1
        self._fitting = count
        for n, made in enumerate(self._buttons):
            made.setVisible(n < count)
        self._more.setVisible(count < len(wide))
        hidden = self._on >= count
        self._more.setText(self._chips[self._on][0] if hidden else MORE)
        self._more.setChecked(hidden)
        self._more.setMaximumWidth(max(self.width() - sum(wide[:count]) - GAP * count, 40))

    def _button(self, words: str, tip: str = "") -> QToolButton:
        made = QToolButton()
        made.setText(words)
        made.setProperty("kind", "chip")
        made.setProperty("narrow", "true")
        made.setCheckable(True)
        made.setAccessibleName(f"{self._spoken} {words}")
        made.setToolTip(tip)
        return made

    def _pressed(self, number: int, _on: object = None) -> None:
        self._buttons[number].setChecked(number == self._on)
        self.chosen.emit(number)

    def _unfold(self) -> None:
        self._more.setChecked(self._on >= self._fitting)
        self.menu().popup(self._more.mapToGlobal(self._more.rect().bottomLeft()))
