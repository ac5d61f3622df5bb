"""The columns of the slice strip: painted from a pixmap, pressed, dragged and stepped through."""

from dataclasses import replace
from typing import Final

from qtpy.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QFocusEvent,
    QFont,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_medlabel.ui.fixed_text import figures
from napari_medlabel.ui.strip_layout import Columns, Picture, changed_columns, picture
from napari_medlabel.ui.strip_painter import (
    THIN_LANES,
    Measures,
    draw_columns,
    draw_here,
    draw_numbers,
    plate,
)
from napari_medlabel.ui.strip_state import StripState, slice_words
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["StripPlot"]

NOTCH: Final = 120  # of a wheel, in eighths of a degree
NUMBER: Final = 11.0
PAGE: Final = 10  # slices
STEPS: Final = {
    Qt.Key.Key_Right: 1, Qt.Key.Key_Up: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: PAGE, Qt.Key.Key_PageDown: -PAGE,
}  # fmt: skip
GAPS: Final = {Qt.Key.Key_Period: 1, Qt.Key.Key_Comma: -1}


class StripPlot(QWidget):
    """Columns, marks and numbers; the signals are those of `SliceStrip`."""

    slice_chosen = Signal(int)
    stepped = Signal(int)
    gap_wanted = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("own_keys", "Up Down Left Right PgUp PgDown Home End")
        self._state = StripState()
        self._measures = Measures.of(DARK)
        self._picture = Picture(Columns(0, 1, 1))
        self._pixmap: QPixmap | None = None
        self._number, self._here = QFont(), QFont()
        self._turned = 0  # of the wheel, less than a notch
        self._said = -1  # the slice a drag asked for last
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        # By keys only: a click leaves them with the view that is drawn in.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(60)

    def set_state(self, new: StripState) -> None:
        """Paint what differs, and nothing else."""
        old, self._state = self._state, new
        if old.here != new.here:
            self.update(self._here_box(old))
            self.update(self._here_box(new))
        if replace(old, here=new.here) != new:
            self._show(self._drawn(new))
        if (old.here, old.count, old.caption) != (new.here, new.count, new.caption):
            self.setAccessibleName(new.caption)
            self.setAccessibleDescription(f"Slice {new.here + 1} of {new.count}")

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self._measures = Measures.of(tokens)
        self._number = figures(self.font(), tokens.px(NUMBER))
        self._here = figures(self.font(), tokens.px(NUMBER + 0.5), strong=True)
        self._start_again()

    def x_of(self, n: int) -> int:
        """The px, from the left of this widget, in the middle of a slice."""
        return self._measures.side + self._picture.columns.middle(n)

    # Painting

    def _drawn(self, state: StripState) -> Picture:
        room = max(self.width() - 2 * self._measures.side, 1)
        return picture(state, room, THIN_LANES)

    def _show(self, new: Picture) -> None:
        old, self._picture = self._picture, new
        spans = changed_columns(old, new)
        if spans is None or self._pixmap is None:
            self._pixmap = None
            self.update()
            return
        painter = self._on(self._pixmap)
        for span in spans:
            around = draw_columns(painter, self._measures, new, span)
            self.update(around.translated(self._measures.side, 0))
        painter.end()

    def _start_again(self) -> None:
        self._picture, self._pixmap = self._drawn(self._state), None
        self.update()

    def _on(self, pixmap: QPixmap) -> QPainter:
        painter = QPainter(pixmap)
        painter.translate(self._measures.side, 0)
        return painter

    def _whole(self) -> QPixmap:
        density = self.devicePixelRatioF()
        made = QPixmap(self.size() * density)
        made.setDevicePixelRatio(density)
        made.fill(QColor(self._measures.tokens.bg))
        painter, columns = self._on(made), self._picture.columns
        draw_columns(painter, self._measures, self._picture, range(len(columns)))
        draw_numbers(painter, self._measures, columns, self._number)
        painter.end()
        return made

    def _here_box(self, state: StripState) -> QRect:
        columns = self._picture.columns
        box = plate(self._measures, columns, self._here, state.here)
        return box.adjusted(-1, -self._measures.bottom, 1, 0).translated(self._measures.side, 0)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """The kept pixmap, and over it where one is."""
        if self._pixmap is None or self._pixmap.size() != self.size() * self.devicePixelRatioF():
            self._pixmap = self._whole()
        painter = QPainter(self)
        painter.setClipRegion(event.region())
        painter.drawPixmap(QPoint(0, 0), self._pixmap)
        painter.save()
        painter.translate(self._measures.side, 0)
        if self._state.count:
            here = self._state.here
            draw_here(painter, self._measures, self._picture.columns, self._here, here)
        painter.restore()
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(self._measures.tokens.accent_text), 2.0))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2, 1, -2, -1), 5, 5)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Find new columns."""
        super().resizeEvent(event)
        self._start_again()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Show the ring."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Hide it."""
        super().focusOutEvent(event)
        self.update()

    # A person

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go to the slice under the pointer."""
        self._said = -1
        if event.button() == Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go on to where the pointer is dragged; say what is under it."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event.position().x())
        elif QToolTip.isVisible():
            self._tell(event.position().toPoint(), event.globalPosition().toPoint())

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """A notch is a slice; up is towards the last one."""
        delta = event.angleDelta()
        self._turned += delta.y() or delta.x()
        steps = int(self._turned / NOTCH)  # towards zero: what is left over counts later
        self._turned -= steps * NOTCH
        if steps and self._state.count:
            self.stepped.emit(steps)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrows and pages step, Home and End jump, `.` and `,` seek gaps."""
        key = Qt.Key(event.key())
        if not self._state.count or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
        elif key in STEPS:
            self.stepped.emit(STEPS[key])
        elif key in GAPS:
            self.gap_wanted.emit(GAPS[key])
        elif key in {Qt.Key.Key_Home, Qt.Key.Key_End}:
            self.slice_chosen.emit(0 if key == Qt.Key.Key_Home else self._state.count - 1)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Say which slice is under the pointer."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            self._tell(event.pos(), event.globalPos())
            return True
        return bool(super().event(event))

    def _go_to(self, x: float) -> None:
        n = self._picture.columns.slice_at(x - self._measures.side)
        if self._state.count and n != self._said:
            self._said = n
            self.slice_chosen.emit(n)

    def _tell(self, at: QPoint, on_screen: QPoint) -> None:
        n = self._picture.columns.slice_at(at.x() - self._measures.side)
        words = slice_words(self._state, n) if self._state.count else ""
        QToolTip.showText(on_screen, words, self)
