"""The 3D view: surfaces of segments, the skin of a head, where the crosshair is."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_medlabel.core.surface import Surface
from napari_medlabel.ui import theme
from napari_medlabel.ui.surface_camera import Camera, fitted, nearest_hit
from napari_medlabel.ui.surface_canvas import Look, Rgb, SurfaceCanvas
from napari_medlabel.ui.surface_overlay import SurfaceOverlay
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconButton, button, card, row, text

__all__ = ["SurfaceView"]

Lps = tuple[float, float, float]

_SKIN: Final = -1  # the number of its mesh; label values are above
_SKIN_LOOK: Final = Look((0.92, 0.86, 0.82), alpha=0.34, glass=True)
_PREVIEW: Final = -2  # the number of the preview's
_STILL_PX: Final = 3.0  # a press that moves less is a click
_KEY_PX: Final = 20.0  # what an arrow turns, as the hand would
_ZOOM: Final = 1.15
_TURNS: Final = {
    Qt.Key.Key_Left: (-_KEY_PX, 0.0), Qt.Key.Key_Right: (_KEY_PX, 0.0),
    Qt.Key.Key_Up: (0.0, -_KEY_PX), Qt.Key.Key_Down: (0.0, _KEY_PX),
}  # fmt: skip
_ZOOMS: Final = {
    Qt.Key.Key_Plus: _ZOOM, Qt.Key.Key_Equal: _ZOOM, Qt.Key.Key_Minus: 1.0 / _ZOOM
}  # fmt: skip
_KEYS: Final = {*_TURNS, *_ZOOMS, Qt.Key.Key_Home}
_EMPTY: Final = "Segments appear here once they are drawn"


class SurfaceView(QWidget):
    """A pane with one canvas.

    Drag turns, middle drag or Shift and drag moves, the wheel zooms, a click on a surface gives
    its place, double click asks for the whole window. With the focus (Tab), arrows turn, + and -
    zoom, Home looks from the front. Nothing is drawn while nothing changes.

    Its signals: `point_chosen` with LPS (x, y, z) in mm; `maximise_asked`; `rebuild_asked`;
    `visibility_changed` with whether it can be seen; `skin_wanted` with whether skin is to be
    shown.
    """

    point_chosen = Signal(object)
    maximise_asked = Signal()
    rebuild_asked = Signal()
    visibility_changed = Signal(bool)
    skin_wanted = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("medlabel")
        self.setAccessibleName("3D surface")
        self.setProperty("own_keys", "Up Down Left Right Home + - =")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # by a click, keys would leave the slices
        self.setMinimumSize(120, 100)
        self._surfaces: dict[int, Surface] = {}
        self._colors: dict[int, Rgb] = {}
        self._hidden: frozenset[int] = frozenset()
        self._skin: Surface | None = None
        self._preview: Surface | None = None
        self._preview_look = Look((1.0, 1.0, 1.0))
        self._own_view = self._closed = False
        self._pressed: tuple[float, float] | None = None
        self._last: tuple[float, float] = (0.0, 0.0)
        self._dragged = False
        self._canvas = SurfaceCanvas(self)
        self._native: QWidget = self._canvas.native
        self._native.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._native.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._native)
        self._overlay = SurfaceOverlay(self)
        self._overlay.set_words(_EMPTY)
        self._make_buttons()
        self.set_tokens(DARK)

    # What is shown

    @property
    def camera(self) -> Camera:
        """Where the eye is."""
        return self._canvas.camera

    @property
    def draws(self) -> int:
        """How often the canvas was drawn."""
        return self._canvas.draws

    def set_surfaces(self, surfaces: Mapping[int, Surface]) -> None:
        """Show these surfaces, by label value, and no others."""
        for value in set(self._surfaces) - set(surfaces):
            self.set_surface(value, None)
        for value, surface in surfaces.items():
            if self._surfaces.get(value) is not surface:
                self.set_surface(value, surface)

    def set_surface(self, value: int, surface: Surface | None) -> None:
        """Show a segment's surface in place of the one before; None takes it away."""
        if surface is None or surface.is_nothing:
            self._surfaces.pop(value, None)
        else:
            self._surfaces[value] = surface
        self._put(value, self._surfaces.get(value))

    def set_color(self, value: int, rgb: Rgb) -> None:
        """Paint a segment in this colour; each part is 0 to 1."""
        if self._colors.get(value) != rgb:
            self._colors[value] = rgb
            self._dress()

    def set_hidden(self, hidden: frozenset[int]) -> None:
        """Do not show these segments."""
        if hidden != self._hidden:
            self._hidden = hidden
            self._dress()

    def set_skin(self, surface: Surface | None) -> None:
        """Show the skin of a head around all, or none."""
        self._skin = surface
        self._skin_button.setVisible(surface is not None)
        self._place()
        self._put(_SKIN, surface)

    def set_preview(self, surface: Surface | None, rgb: Rgb = (1.0, 1.0, 1.0)) -> None:
        """Show what is not a segment yet, so that one sees through it; None takes it away."""
        if surface is None and self._preview is None:
            return
        self._preview = None if surface is None or surface.is_nothing else surface
        self._preview_look = Look(rgb, alpha=0.62, glass=True, through=True)
        self._put(_PREVIEW, self._preview)

    def set_skin_shown(self, *, on: bool) -> None:
        """Show or hide the skin there is."""
        self._skin_button.setChecked(on)
        self._skin_button.set_name("head", "Hide the skin" if on else "Show the skin")
        self._dress()

    def set_marker(self, lps: Lps | None) -> None:
        """Mark where the crosshair is, mm; nothing for None."""
        if lps != self._canvas.marker_lps:
            self._canvas.marker_lps = lps
            self._redraw()

    def set_trouble(self, words: str) -> None:
        """Say that a surface could not be built, with a button to try again; "" takes it away."""
        self._words.setText(words)
        self._trouble.setAccessibleName(words)
        self._trouble.setVisible(bool(words))
        self._place()

    def set_maximised(self, *, on: bool) -> None:
        """Whether it has the whole window: the button then leads back."""
        self._maximise.set_name(
            "minimise" if on else "maximise", "Back to all views" if on else "Maximise"
        )

    def set_tokens(self, tokens: Tokens) -> None:
        """Follow the font; the canvas is black in both themes, and what is on it is dark."""
        dark = replace(DARK, scale=tokens.scale)
        self.setStyleSheet(theme.style_sheet(dark))
        self._overlay.set_scale(tokens.scale)
        for one in self._bar.findChildren(_OnBlack):
            one.set_tokens(dark)
        self._place()

    def look_from_the_front(self) -> None:
        """Everything in sight, the patient's right on the left."""
        self._own_view = False
        self._look(self._fit(Camera()))

    def close_canvas(self) -> None:
        """Let go of the graphics card; the pane is of no use after it. Safe to call again."""
        if not self._closed:
            self._closed = True
            self._native.removeEventFilter(self)
            self._canvas.close()

    # What a person does

    def eventFilter(self, watched: Any, event: QEvent) -> bool:  # noqa: ANN401, N802  # Qt's
        """The mouse on the canvas."""
        kind = event.type()
        if watched is not self._native or self._closed:
            return False
        if kind == QEvent.Type.MouseButtonPress:
            self._pressed = self._last = _place_of(event)
            self._dragged = False
        elif kind == QEvent.Type.MouseMove and self._pressed is not None:
            self._drag(event)
        elif kind == QEvent.Type.MouseButtonRelease and self._pressed is not None:
            self._release(event)
        elif kind == QEvent.Type.MouseButtonDblClick:
            self._pressed = None
            self.maximise_asked.emit()
        elif kind == QEvent.Type.Wheel:
            self._zoom(_ZOOM ** (event.angleDelta().y() / 120.0))
        else:
            return False
        return True

    def event(self, event: QEvent) -> bool:
        """With the focus, its keys come before the window's."""
        if event.type() == QEvent.Type.ShortcutOverride and event.key() in _KEYS:
            event.accept()
            return True
        return bool(super().event(event))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        """Arrows turn, + and - zoom, Home looks from the front."""
        key = event.key()
        if key in _TURNS:
            self._look(self.camera.turned(*_TURNS[key]))
        elif key in _ZOOMS:
            self._zoom(_ZOOMS[key])
        elif key == Qt.Key.Key_Home:
            self.look_from_the_front()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        """Keep all in sight until somebody zoomed."""
        super().resizeEvent(event)
        self._place()
        if not self._own_view:
            self._look(self._fit(self.camera))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's name
        """It can be seen."""
        super().showEvent(event)
        self.visibility_changed.emit(True)  # noqa: FBT003  # Qt's signals take no names

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802  # Qt's name
        """It cannot be seen any more."""
        super().hideEvent(event)
        self.visibility_changed.emit(False)  # noqa: FBT003  # Qt's signals take no names

    # How

    @property
    def _size(self) -> tuple[int, int]:
        return self._native.width(), self._native.height()

    def _make_buttons(self) -> None:
        self._bar = QWidget(self)
        self._skin_button = _OnBlack("head", "Hide the skin", self._toggle_skin, checkable=True)
        self._skin_button.setChecked(True)
        self._skin_button.hide()
        front = _OnBlack("rotate", "Look from the front", self.look_from_the_front)
        self._maximise = _OnBlack("maximise", "Maximise", self.maximise_asked.emit)
        inside = QHBoxLayout(self._bar)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        for one in (self._skin_button, front, self._maximise):
            inside.addWidget(one)
        self._words = text(wrap=True)
        again = button("Rebuild", self.rebuild_asked.emit, kind="link")
        self._trouble = card(self._words, row(None, again), kind="warn", gap=0, margin=8)
        self._trouble.setParent(self)
        self._trouble.hide()

    def _toggle_skin(self) -> None:
        on = self._skin_button.isChecked()
        self.set_skin_shown(on=on)
        self.skin_wanted.emit(on)

    def _put(self, number: int, surface: Surface | None) -> None:
        if self._closed:
            return
        self._canvas.set_mesh(number, surface)
        empty = not self._surfaces and self._skin is None and self._preview is None
        self._overlay.set_words(_EMPTY if empty else "")
        self._dress()
        if not self._own_view:
            self._look(self._fit(self.camera))

    def _dress(self) -> None:
        """Give every surface its look; what has none is not drawn."""
        looks = {
            value: Look(self._colors.get(value, (0.8, 0.8, 0.8)))
            for value in sorted(self._surfaces)
            if value not in self._hidden
        }
        if self._skin is not None and self._skin_button.isChecked():
            looks[_SKIN] = _SKIN_LOOK
        if self._preview is not None:
            looks[_PREVIEW] = self._preview_look
        if looks != self._canvas.looks:
            self._canvas.looks = looks
        self._redraw()

    def _fit(self, camera: Camera) -> Camera:
        everything = list(self._surfaces.values())
        everything += [one for one in (self._skin, self._preview) if one is not None]
        return fitted(everything, camera, self._size)

    def _look(self, camera: Camera) -> None:
        if camera != self.camera:
            self._canvas.camera = camera
            self._overlay.set_camera(camera)
            self._redraw()

    def _redraw(self) -> None:
        if not self._closed:
            self._canvas.update()

    def _zoom(self, times: float) -> None:
        self._own_view = True
        self._look(self.camera.zoomed(times))

    def _drag(self, event: Any) -> None:  # noqa: ANN401  # Qt's
        here = _place_of(event)
        if self._pressed is None or not (self._dragged or _apart(here, self._pressed)):
            return
        right_px, down_px = here[0] - self._last[0], here[1] - self._last[1]
        self._last, self._dragged = here, True
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if event.buttons() & Qt.MouseButton.MiddleButton or shifted:
            self._own_view = True
            self._look(self.camera.moved(right_px, down_px, self._size))
        elif event.buttons() & Qt.MouseButton.LeftButton:
            self._look(self.camera.turned(right_px, down_px))

    def _release(self, event: Any) -> None:  # noqa: ANN401  # Qt's
        self._pressed = None
        if self._dragged or event.button() != Qt.MouseButton.LeftButton:
            return
        start, way = self.camera.ray(_place_of(event), self._size)
        looks = self._canvas.looks
        solid = [one for value, one in self._surfaces.items() if value in looks]
        skin = [self._skin] if self._skin is not None and _SKIN in looks else []
        found = nearest_hit(solid, start, way) or nearest_hit(skin, start, way)
        if found is not None:
            self.point_chosen.emit(found)

    def _place(self) -> None:
        self._overlay.setGeometry(self.rect())
        self._overlay.raise_()
        self._bar.adjustSize()
        self._bar.raise_()
        self._bar.move(self.width() - self._bar.width() - 8, 6)
        wide = max(min(self.width() - 100, 320), 1)  # beside the compass
        self._trouble.setFixedWidth(wide)
        tall = self._trouble.heightForWidth(wide)
        self._trouble.setFixedHeight(max(tall, self._trouble.minimumSizeHint().height()))
        self._trouble.raise_()
        self._trouble.move(
            self.width() - wide - 8, max(self.height() - self._trouble.height() - 8, 0)
        )


class _OnBlack(IconButton):
    """An icon on the canvas, which is black in both themes."""

    def set_tokens(self, tokens: Tokens) -> None:
        """The dark theme's colours, whatever the theme; faint where it is switched off."""
        super().set_tokens(replace(DARK, scale=tokens.scale))
        if self.isCheckable():
            self.setIcon(theme.icon(self._name, DARK.text3, selected="#FFFFFF", size=self._size))

    def set_name(self, name: str, tip: str) -> None:
        """Show another icon."""
        self._name = name
        self.setToolTip(tip)
        self.setAccessibleName(tip)
        self.set_tokens(DARK)


def _place_of(event: Any) -> tuple[float, float]:  # noqa: ANN401  # Qt's
    place = event.position()
    return float(place.x()), float(place.y())


def _apart(a: tuple[float, float], b: tuple[float, float]) -> bool:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= _STILL_PX**2
