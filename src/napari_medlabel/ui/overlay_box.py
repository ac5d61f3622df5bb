"""The section "Second image": what is laid over the case, how strongly and in which colours."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap, QStandardItemModel
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QGridLayout,
    QMenu,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui.option_rows import ListBox
from napari_medlabel.ui.overlay_state import (
    COLOR_WORDS,
    OverlayChoice,
    OverlayState,
    decimals_of,
    step_of,
)
from napari_medlabel.ui.planes.colors import COLORMAPS, colored
from napari_medlabel.ui.quantity_words import quantity_words
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import BusyView, IconButton, IconLabel, button, column, row, text

__all__ = ["OverlayBox"]

MOST = 1e7
PERCENT = 100
FIELD = 64
SAMPLE = (36, 10)  # px of a colour map in the list


class OverlayBox(QWidget):
    """Shows an `OverlayState`; says what a person chose.

    `taken` has the number of a choice; `range_changed` both limits; `folder_wanted` and
    `file_wanted` ask for something else to open.
    """

    taken = Signal(int)
    folder_wanted = Signal()
    file_wanted = Signal()
    shown_changed = Signal(bool)
    opacity_changed = Signal(float)
    quantity_chosen = Signal(str)
    colormap_chosen = Signal(str)
    range_changed = Signal(float, float)
    remove_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: OverlayState | None = None
        self._tokens: Tokens = DARK
        self.head = self._made_head()
        self.series = ListBox("Series for the second image", "Which series to lay over this one")
        self.series.setPlaceholderText("Choose a series")
        self.series.activated.connect(self._series_chosen)
        self._hint = text("Lay PET or another series over this one.", tone="3", wrap=True)
        self.busy = BusyView()
        self.busy.cancelled.connect(self.cancel_wanted)
        self._form = self._made_form()
        self._reach = text(tone="3", wrap=True)
        self._notes = [_Note(), _Note()]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for part in (
            self._hint, self.series, self.busy, self._form, self._reach, *self._notes,
        ):  # fmt: skip
            layout.addWidget(part)
        self.set_state(OverlayState())

    def set_state(self, new: OverlayState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old is None or old.choices != new.choices:
            self._show_choices(new.choices)
        self.series.setCurrentIndex(new.chosen)
        self.series.setVisible(bool(new.choices))
        self._hint.setVisible(not (new.choices or new.name or new.busy))
        if new.busy:
            self.busy.show_progress(new.busy, *new.progress)
        else:
            self.busy.hide()
        there = bool(new.name)
        for part in (self._form, self.eye, self.remove):
            part.setVisible(there)
        self.series.setToolTip(new.name or "Which series to lay over this one")
        self._reach.setText(new.reach)
        self._reach.setVisible(bool(new.reach))
        for n, note in enumerate(self._notes):
            note.show_words(new.notes[n] if there and n < len(new.notes) else "")
        if there:
            self._show_look(new)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._tokens = tokens
        for field in (self.low, self.high):
            field.setFixedWidth(tokens.px(FIELD))
        wide, high = (tokens.px(n) for n in SAMPLE)
        self.colors.setIconSize(QSize(wide, high))
        for n, name in enumerate(COLORMAPS):
            self.colors.setItemIcon(n, _sample(name, wide, high))

    # Parts

    def _made_head(self) -> QWidget:
        self.eye = _Eye("show", "Show or hide the second image", self._eye_pressed, size=16)
        self.remove = IconButton(
            "cross", "Take the second image away", self.remove_wanted.emit, size=14
        )
        self.open = button("Open…", self._open_pressed, kind="link", tip="Open a second image")
        return row(None, self.eye, self.remove, self.open, gap=4)

    def _made_form(self) -> QWidget:
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, PERCENT)
        self.opacity.setPageStep(PERCENT // 10)
        self.opacity.setAccessibleName("Opacity of the second image")
        self.opacity.valueChanged.connect(self._opacity_slid)
        self._percent = text(tone="2")
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.values = ListBox("Values of the second image", "What its numbers are to mean")
        self.values.activated.connect(self._quantity_chosen)
        self.colors = ListBox("Colours of the second image", "How its values are coloured")
        for name in COLORMAPS:
            self.colors.addItem(COLOR_WORDS[name])
        self.colors.activated.connect(lambda n: self.colormap_chosen.emit(COLORMAPS[n]))
        self.low, self.high = self._limit("Lowest"), self._limit("Highest")
        self._unit = text(tone="2")
        limits = row(self.low, text("to", tone="3"), self.high, self._unit, None, gap=6)
        form = QWidget()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        parts = (
            ("Opacity", row(self.opacity, self._percent)), ("Colours", self.colors),
            ("Values", self.values), ("Range", limits),
        )  # fmt: skip
        names = [text(words, tone="2") for words, _part in parts]
        for n, (_words, part) in enumerate(parts):
            grid.addWidget(names[n], n, 0)
            grid.addWidget(part, n, 1)
        self._values_parts = (names[2], self.values)
        return form

    def _limit(self, name: str) -> QDoubleSpinBox:
        field = QDoubleSpinBox()
        field.setRange(-MOST, MOST)
        field.setKeyboardTracking(False)
        field.setAccessibleName(f"{name} value of the second image that is coloured")
        field.setToolTip(
            "Values below are clear" if name == "Lowest" else "Values above have the last colour"
        )
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.setProperty("narrow", "true")
        field.setFixedWidth(FIELD)
        field.valueChanged.connect(partial(self._typed, field))
        return field

    # What changes

    def _show_choices(self, choices: Sequence[OverlayChoice]) -> None:
        self.series.clear()
        for choice in choices:
            self.series.addItem(choice.words)
        model = self.series.model()
        for n, choice in enumerate(choices):
            for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
                self.series.setItemData(n, choice.tip, role)
            if choice.why_not and isinstance(model, QStandardItemModel):
                model.item(n).setEnabled(False)

    def _show_look(self, new: OverlayState) -> None:
        self.eye.show_icon("show" if new.shown else "hidden")
        percent = round(PERCENT * new.opacity)
        with QSignalBlocker(self.opacity):
            self.opacity.setValue(percent)
        self._percent.setText(f"{percent} %")
        self._percent.setFixedWidth(self._percent.fontMetrics().horizontalAdvance("100 %") + 2)
        for part in self._values_parts:
            part.setVisible(bool(new.quantities))
        names = [quantity_words(name) for name in ("", *new.quantities)]
        if [self.values.itemText(n) for n in range(self.values.count())] != names:
            self.values.clear()
            self.values.addItems(names)
        self.values.setCurrentIndex(("", *new.quantities).index(new.quantity))
        self.colors.setCurrentIndex(COLORMAPS.index(new.colormap))
        for field, value in zip((self.low, self.high), new.limits, strict=True):
            with QSignalBlocker(field):
                field.setDecimals(decimals_of(new.limits))
                field.setSingleStep(step_of(new.limits))
                field.setValue(value)
        self._unit.setText(new.unit)
        self._unit.setVisible(bool(new.unit))

    # What a person did

    def _open_pressed(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Folder with DICOM…", self.folder_wanted.emit)
        menu.addAction("File…", self.file_wanted.emit)
        menu.popup(self.open.mapToGlobal(self.open.rect().bottomLeft()))

    def _series_chosen(self, number: int) -> None:
        if self._state is not None:
            self.series.setCurrentIndex(self._state.chosen)  # until it is there
            self.taken.emit(number)

    def _quantity_chosen(self, number: int) -> None:
        if self._state is not None:
            wanted = ("", *self._state.quantities)
            self.values.setCurrentIndex(wanted.index(self._state.quantity))
            self.quantity_chosen.emit(wanted[number])

    def _eye_pressed(self) -> None:
        if self._state is not None:
            self.shown_changed.emit(not self._state.shown)

    def _opacity_slid(self, percent: int) -> None:
        self._percent.setText(f"{percent} %")
        self.opacity_changed.emit(percent / PERCENT)

    def _typed(self, field: QDoubleSpinBox, _value: float) -> None:
        """A limit typed beyond the other one takes it along."""
        low, high = self.low.value(), self.high.value()
        if low >= high:
            step = field.singleStep()
            low, high = (low, low + step) if field is self.low else (high - step, high)
        self.range_changed.emit(low, high)


class _Eye(IconButton):
    """Open or closed."""

    def show_icon(self, name: str) -> None:
        """Show another icon, in the theme's colours."""
        if name != self._name:
            self._name = name
            self.set_tokens(self._dressed)

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember them for the other icon."""
        self._dressed = tokens
        super().set_tokens(tokens)

    _dressed: Tokens = DARK


class _Note(QWidget):
    """Something to keep in mind, with the sign for that."""

    def __init__(self) -> None:
        super().__init__()
        self._words = text(tone="2", wrap=True)
        self._words.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        sign = column(IconLabel("warning", "warn", 14), None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row(sign, self._words, gap=6))

    def show_words(self, words: str) -> None:
        """Say it; nothing for ""."""
        self._words.setText(words)
        self.setVisible(bool(words))


def _sample(name: str, wide: int, high: int) -> QIcon:
    """A colour map from its lowest value to its highest, on black."""
    ramp = np.repeat(np.linspace(0.0, 1.0, wide)[None], high, axis=0)
    pixels = np.ascontiguousarray(colored(ramp, (0.0, 1.0), name) | np.uint32(0xFF000000))
    image = QImage(pixels.data, wide, high, 4 * wide, QImage.Format.Format_ARGB32_Premultiplied)
    return QIcon(QPixmap.fromImage(image.copy()))
