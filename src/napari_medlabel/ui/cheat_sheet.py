"""The sheet of keys, over the whole window: searchable, closed by Esc."""

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from napari_medlabel.ui.focus_back import FocusBack
from napari_medlabel.ui.key_sets import SETS, KeyChoice, keymap
from napari_medlabel.ui.key_sheet import Columns, matching, sheet
from napari_medlabel.ui.sheet_view import SheetView
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import Choice, IconLabel, button, dress, row, text

__all__ = ["CheatSheet"]

WIDTH, MARGIN = 1080, 28  # px at napari's usual font size
SIGN = 15


class CheatSheet(QWidget):
    """Lies over a window while it is shown.

    `set_wanted` has the id of another set of keys, `change_wanted` says that somebody wants to
    change single keys, `closed` that the sheet is gone.

    Parameters
    ----------
    frame
        The window.
    """

    set_wanted = Signal(str)
    change_wanted = Signal()
    closed = Signal()

    def __init__(self, frame: QWidget) -> None:
        super().__init__(frame)
        self.setAccessibleName("Keys")
        self._tokens: Tokens = DARK
        self._choice = KeyChoice()
        self._focus = FocusBack(frame)
        self._behind = QPixmap()  # a window of its own would be black where it is see-through
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find a key or an action")
        self.field.setAccessibleName("Find a key or an action")
        self.field.setProperty("keeps_focus", "true")
        sign = IconLabel("search", "text3", SIGN)
        sign.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        inside = QHBoxLayout(self.field)
        inside.setContentsMargins(8, 0, 8, 0)
        inside.addWidget(sign)
        inside.addStretch(1)
        self.field.setTextMargins(SIGN + 6, 0, 0, 0)
        self.field.textEdited.connect(self._fill)
        self.field.installEventFilter(self)
        self.sets = Choice([one.name for one in SETS], [one.words for one in SETS])
        self.sets.chosen.connect(lambda n: self.set_wanted.emit(SETS[n].id))
        self.change = button("Change keys", self._change, kind="link")
        self._close = button("Esc", self.close_up, kind="cap", tip="Close")
        self._close.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the key is in hand already
        self._none = text("No key does that. Find an action may know it: Ctrl K", tone="3")
        self.card = QFrame(self)
        self.card.setObjectName("medlabel")
        self.card.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.rows = SheetView()
        self._area.setWidget(self.rows)
        self._head = row(
            text("Keys", role="huge"), 16, self.field, None, self.sets, 8, self.change, 4,
            self._close,
        )  # fmt: skip
        layout = QVBoxLayout(self.card)
        layout.setContentsMargins(MARGIN, 22, MARGIN, 22)
        layout.setSpacing(14)
        layout.addWidget(self._head)
        layout.addWidget(self._none)
        layout.addWidget(self._area, 1)
        frame.installEventFilter(self)
        self.hide()

    def set_style(self, sheet_of_styles: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._tokens = tokens
        self.card.setStyleSheet(sheet_of_styles + _sheet(tokens))
        self.field.setFixedWidth(tokens.px(260))
        dress(self.card, tokens)
        if self.isVisible():
            self._fill(self.field.text())

    def set_choice(self, choice: KeyChoice) -> None:
        """Show these keys."""
        self._choice = choice
        self.sets.set_chosen([one.id for one in SETS].index(choice.base))
        if self.isVisible():
            self._fill(self.field.text())

    def open(self) -> None:
        """Show all keys and wait for words."""
        if not self.isVisible():
            self._focus.remember()
            self._behind = self.parentWidget().grab()
        self.field.clear()
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()
        self._fill("")
        self.field.setFocus()

    def close_up(self) -> None:
        """Go away."""
        if self.isVisible():
            self._focus.give_back()
            self.hide()
            self.closed.emit()

    @property
    def shown(self) -> Columns:
        """What is on the sheet now."""
        return self._shown

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """Dim the window."""
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._behind)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 150))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click beside the sheet closes it."""
        if not self.card.geometry().contains(event.position().toPoint()):
            self.close_up()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Esc closes; the sheet stays over the whole window."""
        if watched is self.field:
            if event.type() == QEvent.Type.KeyPress:
                return self._key(event)
        elif event.type() == QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self.parentWidget().rect())
            self._place()
        return False

    # How

    def _key(self, event: QKeyEvent) -> bool:
        if event.key() != Qt.Key.Key_Escape:
            return False
        self.close_up()
        return True

    def _change(self) -> None:
        self.close_up()
        self.change_wanted.emit()

    def _fill(self, query: str) -> None:
        self._shown = matching(sheet(keymap(self._choice)), query)
        self.rows.set_columns(self._shown)
        self._none.setVisible(not any(self._shown))
        self._area.setVisible(any(self._shown))
        self._place()

    def _place(self) -> None:
        """In the middle, as high as what is in it; what does not fit is scrolled."""
        wide = min(self._tokens.px(WIDTH), self.width() - 2 * MARGIN)
        high = self._head.sizeHint().height() + 2 * 22 + 14 + 16  # and some room to spare
        if any(self._shown):
            high += max(self.rows.sizeHint().height(), self._tokens.px(200))
        else:
            high += self._none.sizeHint().height() + 14
        self.card.resize(wide, min(high, self.height() - 2 * MARGIN))
        left = (self.width() - wide) // 2
        self.card.move(left, max((self.height() - self.card.height()) // 2, MARGIN))


def _sheet(tokens: Tokens) -> str:
    """What the common sheet has no rule for: the card itself, and caps with a ground."""
    border = f"border: 1px solid {tokens.line2};"
    cap = f"background: {tokens.bg2}; {border}"
    return f"""
QFrame#medlabel {{ background: {tokens.bg}; {border} border-radius: 12px; }}
#medlabel QPushButton[kind="cap"] {{
    {cap} border-bottom-width: 2px; border-radius: 3px; color: {tokens.text2};
    font-size: {tokens.px(11)}px; padding: 0 {tokens.px(4)}px;
    min-height: {tokens.px(15)}px; max-height: {tokens.px(15)}px;
}}
#medlabel QPushButton[kind="cap"]:hover {{ background: {tokens.hover}; }}
"""
