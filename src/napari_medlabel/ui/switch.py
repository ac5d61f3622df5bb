"""A switch: on or off, with a knob that says which without its colour."""

from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QAbstractButton, QSizePolicy

from napari_medlabel.ui import theme
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["Switch"]

WIDE, HIGH, KNOB = 26, 14, 10


class Switch(QAbstractButton):
    """On or off, with words beside it; listen to `clicked`, which only a person causes.

    Parameters
    ----------
    words
        Beside the switch.
    tip
        What it does, and its key.
    spoken
        Its accessible name where there are no words beside it.
    """

    def __init__(self, words: str = "", tip: str = "", spoken: str = "") -> None:
        super().__init__()
        self._tokens: Tokens = DARK
        self.setText(words)
        self.setCheckable(True)
        self.setToolTip(tip)
        self.setAccessibleName(words or spoken)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw it in the theme's colours and size."""
        self._tokens = tokens
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """The knob's track, and the words."""
        wide = self._tokens.px(WIDE) + 2
        if self.text():
            wide += self._tokens.px(8) + self.fontMetrics().horizontalAdvance(self.text()) + 2
        return QSize(wide, max(self._tokens.px(24), self.fontMetrics().height()))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """The track and some of the words, which shorten where there is little room."""
        some = self._tokens.px(WIDE) + (self._tokens.px(48) if self.text() else 2)
        return QSize(some, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Track, knob and words."""
        tokens, painter = self._tokens, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(1, (self.height() - tokens.px(HIGH)) / 2, tokens.px(WIDE), tokens.px(HIGH))
        ground = tokens.accent if self.isChecked() else tokens.line2
        if not self.isEnabled():
            ground = theme.faded(ground, tokens.bg, 0.5)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(ground))
        painter.drawRoundedRect(track, track.height() / 2, track.height() / 2)
        knob = QRectF(0, 0, tokens.px(KNOB), tokens.px(KNOB))
        inset = (track.height() - knob.height()) / 2
        left = track.right() - knob.width() - inset if self.isChecked() else track.left() + inset
        knob.moveTo(left, track.top() + inset)
        painter.setBrush(QColor("#FFFFFF" if self.isEnabled() else tokens.bg1))
        painter.drawEllipse(knob)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent_text), 2))
            painter.drawRoundedRect(track.adjusted(-1, -1, 1, 1), HIGH / 2 + 1, HIGH / 2 + 1)
        if self.text():
            painter.setPen(QColor(tokens.text1 if self.isEnabled() else tokens.text3))
            room = self.rect().adjusted(round(track.right()) + tokens.px(8), 0, 0, 0)
            side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
            way = Qt.TextElideMode.ElideRight
            words = self.fontMetrics().elidedText(self.text(), way, room.width())
            painter.drawText(room, int(side), words)
        painter.end()
