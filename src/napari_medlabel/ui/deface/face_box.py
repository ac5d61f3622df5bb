"""The section Face: margin, what else goes, the brush, and what was found in words."""

from collections.abc import Callable
from typing import Final

from qtpy.QtCore import QSignalBlocker, QSize, Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QProgressBar,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui import brush, theme
from napari_medlabel.ui.deface.state import FaceState
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconButton, card, restyle, row, text

__all__ = ["MARGINS_MM", "FaceBox"]

MARGINS_MM: Final = (2.0, 20.0)  # of the slider and the field
STEPS: Final = 2  # of the slider in a millimetre
ALSO: Final = (
    ("ears", "Ears", "Both ears go, too"),
    ("teeth", "Teeth", "All teeth go with both jaws' arches"),
    ("brow", "Brow", "The brow and the lower forehead go, too"),
)


class FaceBox(QWidget):
    """Shows a `FaceState`; its signals say what a person chose."""

    option_chosen = Signal(str, object)
    brush_taken = Signal(str)
    size_chosen = Signal(float)
    looked = Signal(bool)
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: FaceState | None = None
        self.note = text(tone="3")
        self.verdict = text(role="strong", wrap=True)
        self._words = text(tone="2", wrap=True)
        self.looked_at = QCheckBox("I have looked")
        self.looked_at.clicked.connect(lambda on: self.looked.emit(bool(on)))
        self.card = card(self.verdict, self._words, self.looked_at, gap=6)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self._withheld = text(role="caption", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self.progress, self.card, self._made_form(), self._withheld):
            layout.addWidget(part)

    def set_state(self, new: FaceState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old == new:
            return
        self.note.setText(new.note)
        self._show_verdict(new)
        self.progress.setVisible(new.progress is not None)
        if new.progress is not None:
            self.progress.setRange(0, new.progress[1])
            self.progress.setValue(new.progress[0])
        with QSignalBlocker(self.slider), QSignalBlocker(self.field):
            self.slider.setValue(round(new.plan.margin_mm * STEPS))
            self.field.setValue(new.plan.margin_mm)
        for name, made in self.also.items():
            made.setChecked(bool(getattr(new.plan, name)))
        self.add.setChecked(new.way == "add")
        self.spare.setChecked(new.way == "spare")
        with QSignalBlocker(self.size):
            self.size.setValue(new.size_mm)
        self.undo.setEnabled(bool(new.strokes))
        self.redo.setEnabled(new.can_redo)
        for part in (self.slider, self.field, *self.also.values(), self.add, self.spare, self.size):
            part.setEnabled(new.usable)
        words = f"{new.withheld} voxels that were added stay: they are too near the brain"
        self._withheld.setText(words)
        self._withheld.setVisible(bool(new.withheld))

    # Parts

    def _made_form(self) -> QWidget:
        self.slider = QSlider(Qt.Orientation.Horizontal)
        low, high = MARGINS_MM
        self.slider.setRange(round(low * STEPS), round(high * STEPS))
        self.slider.setPageStep(2 * STEPS)
        self.slider.setAccessibleName("Brain margin")
        self.slider.setToolTip("Nothing nearer to the brain than this is taken out")
        self.slider.valueChanged.connect(lambda n: self._margin(n / STEPS))
        self.field = _field("Brain margin in millimetres", MARGINS_MM)
        self.field.valueChanged.connect(self._margin)
        self.also = {
            name: _AlsoChip(words, tip, self._also(name)) for name, words, tip in ALSO
        }  # fmt: skip
        self.add = _AlsoChip("Add", "Paint what is to go, too   P", lambda _on: self._take("add"))
        self.spare = _AlsoChip(
            "Spare", "Paint what is to stay   E; Ctrl paints the other way",
            lambda _on: self._take("spare"),
        )  # fmt: skip
        self.size = _field("Size of the brush", (brush.SMALLEST_MM, brush.LARGEST_MM))
        self.size.setToolTip("Diameter   [ ]")
        self.size.valueChanged.connect(self.size_chosen)
        self.undo = IconButton("undo", "Take the last stroke back", self.undo_wanted.emit,
                               key="Ctrl+Z", size=16)  # fmt: skip
        self.redo = IconButton("redo", "Make it again", self.redo_wanted.emit, key="Ctrl+Y",
                               size=16)  # fmt: skip
        form = QWidget()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        parts = (
            ("Brain margin", row(self.slider, self.field, gap=6)),
            ("Also remove", row(*self.also.values(), None, gap=4)),
            ("By hand", row(self.add, self.spare, None, self.size, gap=6)),
        )
        for n, (words, part) in enumerate(parts):
            grid.addWidget(text(words, tone="2"), n, 0)
            grid.addWidget(part, n, 1)
        return form

    # What changes

    def _show_verdict(self, new: FaceState) -> None:
        found = new.verdict
        self.card.setVisible(found is not None)
        if found is None:
            return
        self.verdict.setText(found.title)
        self._words.setText(found.words)
        self.looked_at.setVisible(found.asks)
        self.looked_at.setChecked(new.looked_at)
        restyle(self.card, card="error" if found.tone == "error" else "plain")

    def _margin(self, mm: float) -> None:
        self.option_chosen.emit("margin_mm", float(mm))

    def _also(self, name: str) -> Callable[[bool], None]:
        return lambda on: self.option_chosen.emit(name, on)

    def _take(self, way: str) -> None:
        if self._state is not None:  # until it is so
            self.add.setChecked(self._state.way == "add")
            self.spare.setChecked(self._state.way == "spare")
        self.brush_taken.emit(way)


class _AlsoChip(QToolButton):
    """Words with a tick while they are chosen."""

    def __init__(self, words: str, tip: str, on_click: Callable[[bool], object]) -> None:
        super().__init__()
        self._tokens: Tokens = DARK
        self.setText(words)
        self.setProperty("kind", "also")
        self.setCheckable(True)
        self.setAccessibleName(words)
        self.setToolTip(tip)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clicked.connect(on_click)
        self.toggled.connect(lambda _on: self._draw())  # shows only what it is told

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw the tick in the theme's colours."""
        self._tokens = tokens
        self.setIconSize(QSize(tokens.px(12), tokens.px(12)))
        self._draw()

    def _draw(self) -> None:
        tokens, size = self._tokens, self._tokens.px(12)
        if self.isChecked():
            color = tokens.accent_on_bg
            self.setIcon(theme.icon("check", color, selected=color, size=size))
        else:
            self.setIcon(QIcon())


def _field(name: str, limits: tuple[float, float]) -> QDoubleSpinBox:
    made = QDoubleSpinBox()
    made.setRange(*limits)
    made.setDecimals(1)
    made.setSingleStep(0.5)
    made.setSuffix(" mm")
    made.setKeyboardTracking(False)
    made.setAccessibleName(name)
    made.setProperty("fit", "option")
    made.setAlignment(Qt.AlignmentFlag.AlignRight)
    return made
