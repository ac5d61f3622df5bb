"""Presets as chips on a row or two; those that do not fit are behind More."""

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QMenu, QSizePolicy, QToolButton, QWidget

from napari_medlabel.ui.theme import Tokens

__all__ = ["Chip", "ChipRow"]

Chip = tuple[str, str]  # words and tooltip

GAP, HIGH = 6, 26
MORE = "More"


class ChipRow(QWidget):
    """One of several presets; `chosen` has its number.

    Parameters
    ----------
    spoken
        Of what: "Range".
    rows
        How many there may be.
    """

    chosen = Signal(int)

    def __init__(self, spoken: str, rows: int = 1) -> None:
        super().__init__()
        self._spoken, self._rows = spoken, rows
        self._chips: tuple[Chip, ...] = ()
        self._on = -1
        self._fitting = 0
        self._buttons: list[QToolButton] = []
        self._more = self._button(MORE)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.clicked.connect(self._unfold)
        self._more.setParent(self)
        self._high = HIGH
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
            old.hide()
            old.deleteLater()
        self._buttons = []
        for n, (words, tip) in enumerate(self._chips):
            made = self._button(words, tip)
            made.clicked.connect(partial(self._pressed, n))
            made.setParent(self)
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
        self._high = tokens.px(HIGH)
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

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """As many rows as there are."""
        return QSize(0, self.height() or self._high)

    def _fit(self) -> None:
        """As many as there is room for, and More where some are left over."""
        wide = [made.sizeHint().width() for made in self._buttons]
        more = self._more.fontMetrics().horizontalAdvance(MORE) + self._padding()
        count, places = len(wide), self._places(wide)
        while places is None:
            count -= 1
            places = self._places([*wide[:count], more]) if count else [QPoint(0, 0)]
        self._fitting = count
        rows = 1 + max((place.y() for place in places), default=0)
        for n, made in enumerate(self._buttons):
            made.setVisible(n < count)
            if n < count:
                made.setGeometry(self._cell(places[n], wide[n]))
        self._show_more(places[-1] if count < len(wide) else None)
        high = rows * self._high + (rows - 1) * GAP
        if high != self.height():
            self.setFixedHeight(high)

    def _places(self, wide: Sequence[int]) -> list[QPoint] | None:
        """Where chips of these widths begin, and on which row; None where they do not fit."""
        places, x, row = list[QPoint](), 0, 0
        for width in wide:
            if x and x + width > self.width():
                x, row = 0, row + 1
            if row >= self._rows:
                return None
            places.append(QPoint(x, row))
            x += width + GAP
        return places

    def _show_more(self, place: QPoint | None) -> None:
        """More, or the name of that behind it which is on, as far as there is room."""
        hidden = self._on >= self._fitting
        self._more.setText(self._chips[self._on][0] if hidden else MORE)
        self._more.setChecked(hidden)
        self._more.setVisible(place is not None)
        if place is not None:
            room = max(self.width() - place.x(), 40)
            self._more.setGeometry(self._cell(place, min(self._more.sizeHint().width(), room)))

    def _cell(self, place: QPoint, width: int) -> QRect:
        return QRect(place.x(), place.y() * (self._high + GAP), width, self._high)

    def _padding(self) -> int:
        """What a chip has beside its words."""
        words = int(self._more.fontMetrics().horizontalAdvance(self._more.text()))
        return max(int(self._more.sizeHint().width()) - words, 0)

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
