"""The geometry report: where the slices are, what is wrong, what can be done; with jumps to slices.

It stands beside the work and stops nothing: Esc closes it, a link steps the viewer to its slice.
"""

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QApplication, QDialog, QFrame, QGridLayout, QScrollArea, QVBoxLayout
from qtpy.QtWidgets import QWidget as Widget

from napari_medlabel.ui.geometry_facts import Fact, Place, SlicePlace
from napari_medlabel.ui.geometry_state import Finding, ReportState
from napari_medlabel.ui.step_bars import StepBars
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import (
    IconButton,
    IconLabel,
    button,
    column,
    dress,
    line,
    row,
    text,
)

__all__ = ["GeometryDialog"]

WIDTH = 470
NAMES = 108
SHOWN = 5  # places; the others on request


class GeometryDialog(QDialog):
    """Shows a `ReportState`; `jump_wanted` has the `SlicePlace` of a link that was followed."""

    jump_wanted = Signal(object)

    def __init__(self, parent: Widget) -> None:
        super().__init__(parent, Qt.WindowType.Tool)
        self.setObjectName("medlabel")
        self.setModal(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._tokens: Tokens = DARK
        self._state: ReportState | None = None
        self._title = text("Geometry report", role="title")
        self._subtitle = text(tone="2")
        close = IconButton("cross", "Close", self.close, key="Esc", size=14)
        self.note = text(tone="3")
        copy = button("Copy report", self._copy, kind="link")
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        head = row(column(self._title, self._subtitle, gap=2), None, close, margins=(16, 12, 12, 8))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(head)
        layout.addWidget(line())
        layout.addWidget(self.area, 1)
        layout.addWidget(line())
        layout.addWidget(row(self.note, None, copy, margins=(16, 4, 12, 4)))

    @property
    def shown(self) -> ReportState | None:
        """What it shows."""
        return self._state

    def show_report(self, state: ReportState, over: Widget) -> None:
        """Show a report in a corner of a part of the window, out of the way."""
        if state != self._state:
            self._state = state
            self._fill(state)
        self.note.setText("")
        if not self.isVisible():
            self._place(over)
        self.show()
        self.raise_()
        self.activateWindow()

    def jump_to_first(self) -> None:
        """Go to the first slice that the report names, if it names one."""
        if self._state is not None and self._state.first is not None:
            self._jump(self._state.first)

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._tokens = tokens
        self.setStyleSheet(sheet)
        dress(self, tokens)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's
        """Begin at the top; the first Tab leads to its first button."""
        super().showEvent(event)
        self.setFocus()
        self.area.verticalScrollBar().setValue(0)

    # What it is made of

    def _fill(self, state: ReportState) -> None:
        self.setWindowTitle(f"Geometry report · {state.title}")
        self._subtitle.setText(" · ".join(filter(None, (state.title, state.subtitle))))
        parts: list[Widget | int] = []
        if state.chosen:
            parts += [_heading("What was made"), self._facts(state.chosen), 2]
        for kind, findings in (
            ("Geometry problems", state.geometry), ("Problems with the values", state.values),
        ):  # fmt: skip
            if findings:
                parts += [_heading(f"{kind} · {len(findings)}"), *map(_finding, findings), 2]
        if not (state.geometry or state.values):
            other = "No other problems" if state.chosen else "No problems"
            parts += [row(IconLabel("check", "ok", 15), text(f"{other} were found"), None), 2]
        scanner = "Where the scanner's slices are" if state.chosen else "Where the slices are"
        parts.append(_heading(scanner))
        if state.bars:
            bars = StepBars(state.bars)
            bars.wanted.connect(self._jump)
            parts.append(bars)
        parts.append(
            self._facts(state.facts) if state.facts
            else text("Its headers do not say where the slices are.", tone="2", wrap=True)
        )  # fmt: skip
        content = column(*parts, None, gap=8, margins=(16, 10, 16, 14))
        self.area.setWidget(content)
        dress(self, self._tokens)

    def _facts(self, facts: Sequence[Fact]) -> Widget:
        holder = Widget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(5)
        grid.setColumnMinimumWidth(0, self._tokens.px(NAMES))
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        for n, fact in enumerate(facts):
            grid.addWidget(text(fact.name, tone="3"), n, 0, top)
            words = text(fact.words, wrap=True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            shown = _marked(words) if fact.wrong else words
            grid.addWidget(column(shown, *self._places(fact.places), gap=1), n, 1, top)
        return holder

    def _places(self, places: Sequence[Place]) -> list[Widget]:
        if not places:
            return []
        made = [self._place_row(place) for place in places[:SHOWN]]
        if len(places) > SHOWN:
            made.append(self._more(places[SHOWN:]))
        return made

    def _more(self, places: Sequence[Place]) -> Widget:
        """A link that gives way to the other places."""
        holder = column(gap=1)

        def unfold() -> None:
            opener.hide()
            for place in places:
                holder.layout().addWidget(self._place_row(place))
            dress(holder, self._tokens)

        opener = button(f"Show {len(places)} more", unfold, kind="link")
        holder.layout().addWidget(row(opener, None))
        return holder

    def _place_row(self, place: Place) -> Widget:
        if place.to is None:
            return text(place.words, tone="2", wrap=True)
        link = button(place.to.words, partial(self._jump, place.to), kind="link")
        link.setAccessibleName(f"Go to {place.to.words.lower()}: {place.words}")
        link.setToolTip("Go to this slice")
        return row(text(place.words, tone="2"), None, link, gap=4)

    # What a person does

    def _jump(self, to: SlicePlace) -> None:
        self.jump_wanted.emit(to)
        self.note.setText(f"{to.words} is shown")

    def _copy(self) -> None:
        if self._state is not None:
            QApplication.clipboard().setText(self._state.text())
            self.note.setText("Copied")

    def _place(self, over: Widget) -> None:
        """In the upper right corner of a part of the window, and on the screen."""
        screen = over.screen().availableGeometry()
        wide = min(self._tokens.px(WIDTH), screen.width() - 40)
        self.setFixedWidth(wide)
        self.ensurePolished()
        needed = self.area.widget().heightForWidth(wide - 12) + self._tokens.px(112)
        self.resize(wide, min(needed, round(over.height() * 0.9)))
        spot = over.mapToGlobal(QPoint(over.width() - wide - 12, 12))
        right = screen.right() - wide - 8
        bottom = screen.bottom() - self.height() - 8
        left, top = screen.left() + 8, screen.top() + 8
        self.move(max(min(spot.x(), right), left), max(min(spot.y(), bottom), top))


def _heading(words: str) -> Widget:
    return text(words, role="section")


def _marked(words: Widget) -> Widget:
    """Words behind a sign that something is not as it should be."""
    holder = row(gap=6)
    holder.layout().addWidget(IconLabel("warning", "warn", 14), 0, Qt.AlignmentFlag.AlignTop)
    holder.layout().addWidget(words, 1)
    return holder


def _finding(finding: Finding) -> QFrame:
    """A problem with its numbers on amber, what can be done below."""
    frame = QFrame()
    frame.setProperty("card", "warn")
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(8, 6, 8, 6)
    layout.setSpacing(2)
    what = row(gap=8)
    what.layout().addWidget(IconLabel("warning", "warn", 15), 0, Qt.AlignmentFlag.AlignTop)
    what.layout().addWidget(text(finding.what, wrap=True), 1)
    layout.addWidget(what)
    if finding.hint:
        hint = text(finding.hint, wrap=True)
        hint.setContentsMargins(23, 0, 0, 0)
        hint.setProperty("role", "hint")
        layout.addWidget(hint)
    return frame
