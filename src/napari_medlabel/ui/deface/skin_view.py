"""A head in 3-D, before or after: a canvas that turns, with words in its corners."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.core.surface import Surface
from napari_medlabel.ui.surface_camera import Camera, fitted
from napari_medlabel.ui.surface_canvas import Look, Rgb, SurfaceCanvas
from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["FIRST", "SkinView"]

FIRST: Final = Camera(azimuth_deg=-48.0, elevation_deg=9.0)  # from the patient's right, in front
_SKIN: Final = (0.76, 0.72, 0.68)
_ONE: Final = 1  # the number of its only mesh
_CLOSER: Final = 1.22  # than all of it from any side
_KEY_PX, _ZOOM = 20.0, 1.15
_TURNS: Final = {
    Qt.Key.Key_Left: (-_KEY_PX, 0.0), Qt.Key.Key_Right: (_KEY_PX, 0.0),
    Qt.Key.Key_Up: (0.0, -_KEY_PX), Qt.Key.Key_Down: (0.0, _KEY_PX),
}  # fmt: skip
_ZOOMS: Final = {Qt.Key.Key_Plus: _ZOOM, Qt.Key.Key_Equal: _ZOOM, Qt.Key.Key_Minus: 1.0 / _ZOOM}


@dataclass(frozen=True, slots=True)
class SkinWords:
    """What stands in the corners: a name, a number, and whether that is a warning."""

    name: str
    number: str = ""
    color: str = "#F0F1F2"
    middle: str = ""


class SkinView(QWidget):
    """One head. Drag turns, middle drag or Shift and drag moves, the wheel zooms.

    `looked` has the camera when a person moved it.

    Parameters
    ----------
    name
        "Before" or "After".
    stain
        The colour of what is marked.
    """

    looked = Signal(object)

    def __init__(self, name: str, stain: Rgb) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAccessibleName(f"{name}, 3D")
        self.setProperty("own_keys", "Up Down Left Right Home + - =")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumSize(120, 100)
        self._name, self._stain = name, stain
        self._surface: Surface | None = None
        self._stained: npt.NDArray[np.float32] | None = None
        self._camera = FIRST
        self._own_view = self._closed = False
        self._last: tuple[float, float] | None = None
        self._canvas: SurfaceCanvas | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._over = _Corners(self)
        self.set_words(SkinWords(name))

    def make_canvas(self) -> None:
        """Begin to draw: by itself, since it takes long."""
        if self._canvas is not None or self._closed:
            return
        canvas = self._canvas = SurfaceCanvas(self)
        canvas.camera = self._camera
        canvas.looks = {_ONE: Look(_SKIN, stain=self._stain)}
        canvas.native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        canvas.native.installEventFilter(self)
        canvas.set_mesh(_ONE, self._surface, self._stained)
        self.layout().addWidget(canvas.native)
        self._over.raise_()

    @property
    def native(self) -> QWidget:
        """What takes the mouse."""
        return self if self._canvas is None else self._canvas.native

    @property
    def camera(self) -> Camera:
        """Where the eye is."""
        return self._camera

    @property
    def surface(self) -> Surface | None:
        """What is shown."""
        return self._surface

    @property
    def draws(self) -> int:
        """How often the canvas was drawn."""
        return 0 if self._canvas is None else self._canvas.draws

    @property
    def words(self) -> SkinWords:
        """What stands in the corners."""
        return self._over.words

    def set_surface(
        self, surface: Surface | None, stained: npt.NDArray[np.float32] | None = None
    ) -> None:
        """Show a head; `stained` marks its points, from 0 to 1."""
        if self._closed:
            return
        first = self._surface is None
        self._surface = None if surface is None or surface.is_nothing else surface
        self._stained = stained
        if self._canvas is not None:
            self._canvas.set_mesh(_ONE, self._surface, stained)
            self._canvas.update()
        if first and not self._own_view:
            self.set_camera(self.fit(self.camera))

    def set_words(self, words: SkinWords) -> None:
        """Say this in the corners."""
        self._over.set_words(words)

    def set_camera(self, camera: Camera) -> None:
        """Look from there."""
        if camera != self._camera and not self._closed:
            self._camera = camera
            if self._canvas is not None:
                self._canvas.camera = camera
                self._canvas.update()

    def fit(self, camera: Camera) -> Camera:
        """All of the head in sight."""
        if self._surface is None:
            return camera
        return fitted([self._surface], camera, self._size).zoomed(_CLOSER)

    def set_tokens(self, tokens: Tokens) -> None:
        """Follow the font; the canvas is black in both themes."""
        self._over.set_scale(tokens.scale)

    def close_canvas(self) -> None:
        """Let go of the graphics card; safe to call again."""
        if not self._closed:
            self._closed = True
            if self._canvas is not None:
                self._canvas.native.removeEventFilter(self)
                self._canvas.close()

    # What a person does

    def eventFilter(self, watched: Any, event: QEvent) -> bool:  # noqa: ANN401, N802  # Qt's
        """The mouse on the canvas."""
        kind = event.type()
        if self._closed or watched is not self.native or watched is self:
            return False
        if kind == QEvent.Type.MouseButtonPress:
            self._last = _place_of(event)
        elif kind == QEvent.Type.MouseMove and self._last is not None:
            self._drag(event)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._last = None
        elif kind == QEvent.Type.Wheel:
            self._look(self.camera.zoomed(_ZOOM ** (event.angleDelta().y() / 120.0)), own=True)
        else:
            return False
        return True

    def event(self, event: QEvent) -> bool:
        """With the focus, its keys come before the window's."""
        keys = {*_TURNS, *_ZOOMS, Qt.Key.Key_Home}
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in keys:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's
        """Arrows turn, + and - zoom, Home looks as at first."""
        key = event.key()
        if key in _TURNS:
            self._look(self.camera.turned(*_TURNS[key]))
        elif key in _ZOOMS:
            self._look(self.camera.zoomed(_ZOOMS[key]), own=True)
        elif key == Qt.Key.Key_Home:
            self.look_as_at_first()
        else:
            super().keyPressEvent(event)

    def look_as_at_first(self) -> None:
        """From the patient's right and in front, all in sight."""
        self._own_view = False
        self._look(self.fit(FIRST))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's
        """Keep all in sight until somebody zoomed."""
        super().resizeEvent(event)
        self._over.setGeometry(self.rect())
        self._over.raise_()
        if not self._own_view:
            self.set_camera(self.fit(self.camera))

    @property
    def _size(self) -> tuple[int, int]:
        return self.width(), self.height()

    def _look(self, camera: Camera, *, own: bool = False) -> None:
        self._own_view |= own
        self.set_camera(camera)
        self.looked.emit(camera)

    def _drag(self, event: Any) -> None:  # noqa: ANN401  # Qt's
        here, last = _place_of(event), self._last or (0.0, 0.0)
        right_px, down_px = here[0] - last[0], here[1] - last[1]
        self._last = here
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.buttons() & Qt.MouseButton.MiddleButton or shifted:
            self._look(self.camera.moved(right_px, down_px, self._size), own=True)
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._look(self.camera.turned(right_px, down_px))


class _Corners(QWidget):
    """A clear sheet over the canvas with the words."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.words = SkinWords("")
        self._scale = DARK.scale

    def set_words(self, words: SkinWords) -> None:
        if words != self.words:
            self.words = words
            self.setAccessibleName(" ".join(filter(None, (words.name, words.number))))
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's
        """Name at the left, number at the right, anything else in the middle."""
        painter, words = QPainter(self), self.words
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 12.0 * self._scale
        self._say(painter, words.name, left, bold=True, color="#F0F1F2")
        if words.number:
            wide = QFontMetricsF(self._font()).horizontalAdvance(words.number)
            self._say(painter, words.number, self.width() - left - wide, color=words.color)
        if words.middle:
            painter.setFont(self._font())
            painter.setPen(QColor("#949BA8"))
            room = self.rect().adjusted(24, 24, -24, -24)
            flags = Qt.AlignmentFlag.AlignCenter.value | Qt.TextFlag.TextWordWrap.value
            painter.drawText(room, flags, words.middle)
        painter.end()

    def _say(
        self, painter: QPainter, words: str, left: float, *, color: str, bold: bool = False
    ) -> None:
        font = self._font(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        metrics = QFontMetricsF(font)
        top = 9.0 * self._scale
        plate = QRectF(left - 5.0, top - 2.0, metrics.horizontalAdvance(words) + 10.0,
                       metrics.height() + 4.0)  # fmt: skip
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 153))
        painter.drawRoundedRect(plate, 4.0, 4.0)
        painter.setFont(font)
        painter.setPen(QColor(color))
        painter.drawText(QPointF(left, top + metrics.ascent()), words)

    def _font(self, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(max(8, round(12.0 * self._scale)))
        font.setWeight(weight)
        return font


def _place_of(event: Any) -> tuple[float, float]:  # noqa: ANN401  # Qt's
    place = event.position()
    return float(place.x()), float(place.y())
