"""The bar over the views while a preview waits for an answer, or is being made."""

from qtpy.QtCore import QEvent, QObject, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui import theme
from napari_medlabel.ui.preview_place import GAP, place_of
from napari_medlabel.ui.preview_state import PreviewState, preview_words
from napari_medlabel.ui.shadow import Shadow
from napari_medlabel.ui.swatch import HatchedSwatch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import restyle, row, text

__all__ = ["PreviewBar", "PreviewState", "preview_words"]


class _KeyedButton(QPushButton):
    """A verb and, in a cap, the key that does the same."""

    def __init__(self, words: str, key: str, icon: str = "", kind: str = "") -> None:
        super().__init__()
        self.setProperty("kind", kind)
        self.setProperty("holds", "parts")
        self.setAutoDefault(False)
        self.setAccessibleName(words)
        self._tip = f"{words}   {key}"
        self.setToolTip(self._tip)
        self._words, cap = text(words), text(key.replace("+", " "), role="key")
        cap.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 0, 10, 0)
        layout.setSpacing(8)
        layout.addStretch(1)
        self.mark = QLabel()
        self.mark.setVisible(bool(icon))
        parts = (self.mark, self._words, cap)
        for part in parts:
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(part)
        layout.addStretch(1)

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """Of what it holds."""
        inner = self.layout().sizeHint()
        return QSize(inner.width() + 2, max(inner.height(), super().sizeHint().height()))

    def set_reason(self, reason: str) -> None:
        """Why it cannot be pressed; "" where it can."""
        self.setEnabled(not reason)
        restyle(self._words, off=str(bool(reason)).lower())
        self.setToolTip(reason or self._tip)


class PreviewBar(QFrame):
    """Shows a `PreviewState` over its parent, or nothing.

    Parameters
    ----------
    parent
        The views' area; the bar floats over it.
    """

    accepted = Signal()
    slice_accepted = Signal()
    rejected = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._state: PreviewState | None = None
        self._preview: QRect | None = None
        self._area: QRect | None = None
        self.setObjectName("medlabel")  # it lies outside of the dock, with a sheet of its own
        self.setProperty("card", "float")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName("Preview")
        self._swatch = HatchedSwatch()
        self._title = text(role="strong")
        self._numbers = text(tone="2")
        self._busy_words = text(tone="2")
        self.accept = _KeyedButton("Accept", "Enter", "check", "primary")
        self.one_slice = _KeyedButton("This slice", "Shift+Enter")
        self.reject = _KeyedButton("Reject", "Esc")
        self.cancel = _KeyedButton("Cancel", "Esc")
        for made, signal in (
            (self.accept, self.accepted), (self.one_slice, self.slice_accepted),
            (self.reject, self.rejected), (self.cancel, self.cancelled),
        ):  # fmt: skip
            made.clicked.connect(lambda _checked=False, signal=signal: signal.emit())
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self._answer = row(self.accept, self.one_slice, self.reject, gap=6)
        self._answer.layout().setStretch(0, 1)
        self._work = row(self._busy_words, None, self.cancel, gap=8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 8, 8)
        layout.setSpacing(8)
        for part in (
            row(self._swatch, self._title, 12, None, self._numbers, gap=8), self.progress,
            self._work, self._answer,
        ):  # fmt: skip
            layout.addWidget(part)
        self._shadow = Shadow(self)
        self.set_tokens(DARK)
        self.hide()
        parent.installEventFilter(self)

    @property
    def state(self) -> PreviewState | None:
        """What is shown."""
        return self._state

    def set_state(self, new: PreviewState | None) -> None:
        """Show it; None takes the bar away."""
        if new == self._state:
            return
        self._state = new
        self.setVisible(new is not None)
        if new is None:
            return
        busy = new.busy is not None
        self._swatch.set_color(new.color)
        self._title.setText(f"{new.what}: {new.segment}" if new.segment else new.what)
        words = preview_words(new)
        self._numbers.setText("" if busy else words)
        self._busy_words.setText(words)
        self.setAccessibleDescription(f"{self._title.text()}, {words}")
        for part, shown in (
            (self.progress, busy), (self._work, busy), (self._answer, not busy),
        ):  # fmt: skip
            part.setVisible(shown)
        if new.busy is not None:
            done, total = new.busy
            self.progress.setRange(0, max(total, 0))
            self.progress.setValue(done)
        self.one_slice.set_reason(new.slice_reason)
        self.adjustSize()
        self.put()

    def set_preview(self, preview: QRect | None) -> None:
        """Where the preview is in the parent; the bar goes beside it."""
        self._preview = preview
        self.put()

    def set_area(self, area: QRect | None) -> None:
        """Stay in this part of the parent, the view that is worked in, where it is large enough."""
        self._area = area
        self.put()

    def put(self, hand: QPoint | None = None) -> None:
        """Go where the bar covers neither the preview nor, while a button is down, the hand."""
        area = self.parentWidget().rect()
        if self._area is not None and self._area.width() >= self.width() + 2 * GAP:
            area = self._area
        shape = self._preview
        place = place_of(
            (area.x(), area.y(), area.width(), area.height()), (self.width(), self.height()),
            None if shape is None else (shape.x(), shape.y(), shape.width(), shape.height()),
            None if hand is None else (hand.x(), hand.y()),
        )  # fmt: skip
        self.move(*place)
        self.raise_()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes and, on the main button, white."""
        self._swatch.set_tokens(tokens)
        self.accept.mark.setPixmap(theme.pixmap("check", "#FFFFFF", tokens.px(14)))
        self.setMinimumWidth(tokens.px(360))
        if self._state is not None:
            self.adjustSize()
            self.put()

    def eventFilter(self, _parent: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's
        """Stay inside of the views when they change their size."""
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self.put()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's
        """Its keys, where it has the focus itself."""
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        busy = self._state is not None and self._state.busy is not None
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        made = None
        if event.key() == Qt.Key.Key_Escape:
            made = self.cancel if busy else self.reject
        elif enter and not busy:
            made = self.one_slice if shift else self.accept
        if made is None:
            event.ignore()
        else:
            made.click()
