"""Rows of tool options: each shows one declared option and says what a person chose."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QIcon, QPixmap, QResizeEvent, QWheelEvent
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from napari_medlabel.ui import tool_specs, widgets
from napari_medlabel.ui.switch import Switch
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.tools_state import Segment
from napari_medlabel.ui.widgets import IconLabel, button, row

__all__ = ["ButtonsRow", "ChoiceRow", "NumberRow", "SegmentRow", "SwitchRow"]

FIELD = 70
SLIDER_STEPS = 1000
CHEVRON = 12


class NumberRow(QWidget):
    """A slider, fine where numbers are small, and a field."""

    changed = Signal(object)

    def __init__(self, option: tool_specs.Number) -> None:
        super().__init__()
        self._option = option
        self._high = option.high
        self.field = QDoubleSpinBox()
        self.field.setKeyboardTracking(False)
        self.field.setAccessibleName(option.words)
        self.field.setToolTip(option.tip)
        self.field.setProperty("fit", "option")
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.lineEdit().setTextMargins(0, 0, 4, 0)
        self.field.valueChanged.connect(lambda _value: self.changed.emit(self.value()))
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, SLIDER_STEPS)
        self.slider.setPageStep(SLIDER_STEPS // 10)
        self.slider.setAccessibleName(option.words)
        self.slider.setToolTip(option.tip)
        self.slider.valueChanged.connect(self._slid)
        self.slider.setVisible(option.slider)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        if option.slider:
            layout.addWidget(self.slider, 1)
        else:
            self.slider.setParent(self)
        layout.addWidget(self.field)
        self.set_unit("", option.high)

    def set_unit(self, image_unit: str, span: float) -> None:
        """The image's unit and how far its values go, for numbers that are image values."""
        option, of_image = self._option, self._option.unit == tool_specs.VALUE
        unit = image_unit if of_image else option.unit
        self._high = max(span / 2.0, 1e-6) if of_image else option.high
        decimals = option.decimals
        if of_image:
            decimals = 0 if self._high >= 25 else 3
        step = 0.5 if option.unit == tool_specs.MM and decimals == 1 and option.high > 20 else 1.0
        step = step if option.high > 20 else 10.0**-decimals
        if of_image:
            step = 1.0 if decimals == 0 else self._high / 100.0
        with QSignalBlocker(self.field):
            self.field.setDecimals(decimals)
            self.field.setSuffix(f" {unit}" if unit else "")
            self.field.setSingleStep(step)
            self.field.setRange(option.low - (step if option.none else 0.0), self._high)
            self.field.setSpecialValueText(option.none)

    def value(self) -> float | int | None:
        """The number; None where the field says so in words."""
        if self._option.none and self.field.value() < self._option.low:
            return None
        value = float(self.field.value())
        return int(value) if self._option.unit == "" and self._option.decimals == 0 else value

    def set_value(self, value: Any) -> None:  # noqa: ANN401  # a number or None
        """Show it."""
        with QSignalBlocker(self.field), QSignalBlocker(self.slider):
            self.field.setValue(self.field.minimum() if value is None else float(value))
            self.slider.setValue(self._place(self.field.value()))

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self.field.setFixedWidth(tokens.px(FIELD))

    def _place(self, value: float) -> int:
        low = float(self.field.minimum())
        part = max(value - low, 0.0) / max(self._high - low, 1e-9)
        return round(float(part**0.5) * SLIDER_STEPS)

    def _slid(self, place: int) -> None:
        low = self.field.minimum()
        value = low + (place / SLIDER_STEPS) ** 2 * (self._high - low)
        step = self.field.singleStep()
        if place:  # the field's own steps, from its lowest number on
            value = max(round(value / step) * step, self._option.low)
        with QSignalBlocker(self.field):
            self.field.setValue(value)
        self.changed.emit(self.value())


class ListBox(QComboBox):
    """A list that unfolds; the wheel moves the panel and chooses nothing by the way."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(tip)
        self.setMinimumContentsLength(6)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._chevron = IconLabel("down", "text2", CHEVRON)
        self._chevron.setParent(self)
        self._chevron.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  # Qt's
        """Leave it to the panel."""
        event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the sign that it unfolds at its right."""
        super().resizeEvent(event)
        wide, high = self._chevron.width(), self._chevron.height()
        self._chevron.move(self.width() - wide - 8, (self.height() - high) // 2)


class ChoiceRow(QWidget):
    """One of a few."""

    changed = Signal(object)

    def __init__(self, option: tool_specs.Choice) -> None:
        super().__init__()
        self._values = [value for value, _words in option.choices]
        words = [words for _value, words in option.choices]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.choice: widgets.Choice | ListBox
        if option.folded:
            self.choice = ListBox(option.words, option.tip)
            self.choice.addItems(words)
            self.choice.activated.connect(self._chosen)
        else:
            tip = f"\n{option.tip}" if option.tip else ""
            self.choice = widgets.Choice(words, [f"{word}{tip}" for word in words])
            self.choice.setAccessibleName(option.words)
            self.choice.chosen.connect(self._chosen)
        layout.addWidget(self.choice)

    def set_value(self, value: object) -> None:
        """Show it."""
        number = self._values.index(value) if value in self._values else -1
        if isinstance(self.choice, ListBox):
            self.choice.setCurrentIndex(number)
        else:
            self.choice.set_chosen(number)

    def _chosen(self, number: int) -> None:
        self.changed.emit(self._values[number])


class SwitchRow(QWidget):
    """On or off."""

    changed = Signal(object)

    def __init__(self, option: tool_specs.Switch) -> None:
        super().__init__()
        self.switch = Switch(option.words, option.tip)
        self.switch.clicked.connect(lambda on: self.changed.emit(bool(on)))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.switch)
        layout.addStretch(1)

    def set_value(self, value: object) -> None:
        """Show it."""
        self.switch.setChecked(bool(value))


class SegmentRow(QWidget):
    """A segment from a list, with its colour."""

    changed = Signal(object)

    def __init__(self, option: tool_specs.SegmentPick) -> None:
        super().__init__()
        self._option = option
        self._segments: tuple[Segment, ...] = ()
        self._values: list[object] = []
        self._tokens: Tokens = DARK
        self.list = ListBox(option.words, option.tip)
        self.list.setPlaceholderText("Pick a segment")
        self.list.activated.connect(lambda n: self.changed.emit(self._values[n]))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self._fill()

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """Offer these."""
        if tuple(segments) != self._segments:
            self._segments = tuple(segments)
            self._fill()

    def set_value(self, value: object) -> None:
        """Show it; nothing of a segment that is gone."""
        known = [
            n for n, one in enumerate(self._values) if one == value and type(one) is type(value)
        ]
        self.list.setCurrentIndex(known[0] if known else -1)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._tokens = tokens
        self.list.setIconSize(QSize(tokens.px(12), tokens.px(12)))

    def _fill(self) -> None:
        self.list.clear()
        self._values = [value for value, _words in self._option.first]
        self.list.addItems([words for _value, words in self._option.first])
        for value, name, color in self._segments:
            square = QPixmap(12, 12)
            square.fill(color)
            self.list.addItem(QIcon(square), f"{self._option.prefix}{name}")
            self._values.append(value)


class ButtonsRow(QWidget):
    """What is done at once; the main button first."""

    pressed = Signal(str)

    def __init__(self, option: tool_specs.Buttons) -> None:
        super().__init__()
        self.buttons = {
            action: button(
                words, partial(self.pressed.emit, action), tip=tip, size="small",
                kind="" if n else "primary",
            )
            for n, (action, words, tip) in enumerate(option.buttons)
        }  # fmt: skip
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row(*self.buttons.values(), gap=8))
        layout.addStretch(1)
