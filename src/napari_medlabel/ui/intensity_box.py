"""The intensity box: between which values the brush paints, or a threshold lies."""

from qtpy.QtCore import QPoint, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QContextMenuEvent
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QMenu,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from napari_medlabel.ui.chip_row import ChipRow
from napari_medlabel.ui.histogram_state import (
    IntensityState,
    decimals_of,
    preset_of,
    step_of,
)
from napari_medlabel.ui.histogram_view import HIGH, HistogramView
from napari_medlabel.ui.switch import Switch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import button, row, text

__all__ = ["IntensityBox"]

LOW_HIGH = 28  # of a threshold's histogram: it shares three rows with fields and presets
FIRST_AROUND = 50.0
MOST = 1e7
PLUS_MINUS = "\N{PLUS-MINUS SIGN}"


class IntensityBox(QWidget):
    """Shows an `IntensityState`; says what a person chose.

    Parameters
    ----------
    kind
        "mask" has a switch, "threshold" presets and Otsu; states of the other kind are refused.

    `range_changed` has both limits; `around_changed` a number, or None for fixed limits;
    `reset_wanted` asks for the limits that a slice begins with.
    """

    range_changed = Signal(float, float)
    switched = Signal(bool)
    inverted = Signal(bool)
    around_changed = Signal(object)
    reset_wanted = Signal()
    otsu_wanted = Signal()

    def __init__(self, kind: str = "mask") -> None:
        super().__init__()
        self._state = IntensityState("threshold" if kind == "threshold" else "mask")
        self._tokens: Tokens = DARK
        self.switch = Switch("Intensity mask", "Paint only between these values   I")
        self.switch.clicked.connect(self.switched)
        self.low, self.high = self._field("Lower limit"), self._field("Upper limit")
        for field in (self.low, self.high):
            field.valueChanged.connect(lambda _value, field=field: self._typed(field))
        self.by = self._field(f"{PLUS_MINUS} around the clicked value")
        self.by.valueChanged.connect(self.around_changed.emit)
        self.by.setMinimum(0.0)
        self._units = [text(tone="2"), text(tone="2")]
        self.view = HistogramView(LOW_HIGH if kind == "threshold" else HIGH)
        self.view.limits_changed.connect(self._dragged)
        self.presets = ChipRow("Range")
        self.presets.chosen.connect(self._preset_pressed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._head())
        layout.addWidget(self.view)
        if kind == "threshold":
            layout.addWidget(self.presets)
        self.set_state(self._state)

    @property
    def state(self) -> IntensityState:
        """What is shown."""
        return self._state

    def set_state(self, new: IntensityState) -> None:
        """Touch only what differs."""
        self._state = new
        self.view.set_state(new)
        self.view.setVisible(new.on)  # a mask that is off takes no room
        self.switch.setChecked(new.on)
        self.setEnabled(not new.reason)
        self.setToolTip(new.reason)
        self._limits.setCurrentIndex(0 if new.around is None else 1)
        decimals, step = decimals_of(new.histogram), step_of(new.histogram)
        shown = self.view.state  # the hand's limits where it drags
        values = {self.low: shown.low, self.high: shown.high, self.by: new.around or 0.0}
        for field, value in values.items():
            with QSignalBlocker(field):
                field.setDecimals(decimals)
                field.setSingleStep(step)
                field.setValue(value)
        for unit in self._units:
            unit.setText(new.unit)
            unit.setVisible(bool(new.unit))
        if new.kind == "threshold":
            self.presets.set_chips([
                (one.name, f"{one.low:g} to {one.high:g} {new.unit}".rstrip())
                for one in new.presets
            ])  # fmt: skip
            self.presets.set_chosen(preset_of(new))

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes; the parts take its colours."""
        self._tokens = tokens
        for field in (self.low, self.high, self.by):
            field.setFixedWidth(tokens.px(46))

    # Parts

    def _head(self) -> QWidget:
        to = text("to", tone="3")
        self._around_words = text("at click", tone="2")
        fixed = row(self.low, to, self.high, self._units[0], gap=6)
        around = row(text(PLUS_MINUS, tone="2"), self.by, self._units[1], self._around_words, gap=6)
        limits = QWidget()
        self._limits = QStackedLayout(limits)
        for part in (fixed, around):
            self._limits.addWidget(part)
        limits.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.otsu = button(
            "Otsu", self.otsu_wanted.emit, size="small",
            tip="Part dark from bright where that fits best (Otsu's method)",
        )  # fmt: skip
        if self._state.kind == "threshold":
            self.switch.hide()
            return row(limits, None, self.otsu, gap=6)
        return row(self.switch, None, limits, gap=6)

    def _field(self, name: str) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(-MOST, MOST)
        field.setKeyboardTracking(False)
        field.setAccessibleName(name)
        field.setToolTip(name)
        field.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        field.setProperty("narrow", "true")
        field.setFixedWidth(46)
        return field

    # What a person did

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802  # Qt's
        """What else limits can be; the menu key opens it, too."""
        self.menu().popup(event.globalPos() if event.pos() != QPoint() else self.mapToGlobal(
            self.view.geometry().bottomLeft()
        ))  # fmt: skip

    def menu(self) -> QMenu:
        """Invert, around the clicked value, reset."""
        menu, state = QMenu(self), self._state
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        invert = menu.addAction("Invert: outside of the limits", self._invert)
        invert.setCheckable(True)
        invert.setChecked(state.inverted)
        if state.kind == "mask":
            around = menu.addAction(f"{PLUS_MINUS} around the clicked value")
            around.setCheckable(True)
            around.setChecked(state.around is not None)
            around.triggered.connect(self._around_pressed)
            menu.addAction(self._around_field(menu))
        menu.addSeparator()
        menu.addAction("Reset", self.reset_wanted.emit)
        return menu

    def _around_field(self, menu: QMenu) -> QWidgetAction:
        field = self._field(f"{PLUS_MINUS} around the clicked value")
        field.setMinimum(0.0)
        field.setDecimals(decimals_of(self._state.histogram))
        field.setValue(FIRST_AROUND if self._state.around is None else self._state.around)
        field.setFixedWidth(self._tokens.px(64))
        field.valueChanged.connect(self.around_changed.emit)
        action = QWidgetAction(menu)
        words = row(28, text(PLUS_MINUS), field, text(self._state.unit), None, gap=6)
        action.setDefaultWidget(words)
        return action

    def _around_pressed(self, on: bool) -> None:  # noqa: FBT001  # Qt's
        span = self._state.histogram.high - self._state.histogram.low
        first = FIRST_AROUND if span > 4 * FIRST_AROUND else round(span / 10.0, 3)
        self.around_changed.emit(first if on else None)

    def _invert(self) -> None:
        self.inverted.emit(not self._state.inverted)

    def _dragged(self, low: float, high: float) -> None:
        for field, value in ((self.low, low), (self.high, high)):
            with QSignalBlocker(field):
                field.setValue(value)
        self.range_changed.emit(low, high)

    def _typed(self, field: QDoubleSpinBox) -> None:
        """A limit typed beyond the other one takes it along."""
        low, high = self.low.value(), self.high.value()
        if low > high:
            low, high = (low, low) if field is self.low else (high, high)
        self.range_changed.emit(low, high)

    def _preset_pressed(self, number: int) -> None:
        preset = self._state.presets[number]
        self.range_changed.emit(preset.low, preset.high)
