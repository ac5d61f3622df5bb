"""The Assist section: kinds of prompts, those given, the boundary, the engine and where it runs."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from qtpy.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QResizeEvent, QShowEvent, QStandardItemModel
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui import theme
from napari_medlabel.ui.assist.name_picker import NamePicker
from napari_medlabel.ui.assist.state import (
    KINDS,
    AssistState,
    Choice,
    KindSpec,
    PromptRow,
    device_words,
    per_click,
)
from napari_medlabel.ui.option_rows import ListBox
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconButton, IconLabel, button, column, dress, row, text

__all__ = ["AssistBox"]

ICON: Final = 18
ROW: Final = 24
MOST_ROWS: Final = 6  # in sight; the others are scrolled to
NAME: Final = 56
EDGE: Final = 2  # px that napari's sheet keeps around
STEPS: Final = 100


class AssistBox(QWidget):
    """Shows an `AssistState`; says what a person chose.

    `kind_chosen` has a kind's id; `removed` the number of a row; `name_chosen` what the engine is
    to find; `size_wanted` asks for another size of the answer; `boundary_moved` has where it is,
    0 tight to 1 loose; `unfolded` says that it has grown. `head` is for the right of the title.
    """

    kind_chosen = Signal(str)
    removed = Signal(int)
    undo_wanted = Signal()
    reset_wanted = Signal()
    name_chosen = Signal(str)
    size_wanted = Signal()
    boundary_moved = Signal(float)
    engine_chosen = Signal(str)
    device_chosen = Signal(str)
    unfolded = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._state: AssistState | None = None
        self._tokens: Tokens = DARK
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.kinds = {spec.kind: _KindButton(spec, self._kind_pressed) for spec in KINDS}
        self.head = self._made_head()
        kinds = row(*self.kinds.values(), gap=6)
        self.list = _PromptList()
        self.list.removed.connect(self.removed)
        self._form = self._made_form()
        self._notes = text(role="caption", wrap=True)
        self._grown = QTimer(self)  # told once it is laid out
        self._grown.setSingleShot(True)
        self._grown.setInterval(0)
        self._grown.timeout.connect(self.unfolded)
        self._more = column(self.list, self._form, self._notes, gap=8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(kinds)
        layout.addWidget(self._more)
        self.set_state(AssistState())

    def set_state(self, new: AssistState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old == new:
            return
        for kind, made in self.kinds.items():
            made.setChecked(new.in_hand and kind == new.kind)
            made.set_reason(new.reason)
        self._more.setVisible(new.unfolded)
        taken = new.in_hand and not (old is not None and old.in_hand)
        longer = old is not None and len(new.rows) > len(old.rows)
        if taken or (longer and not self.visibleRegion().isEmpty()):
            self._grown.start()
        self._steps.setVisible(new.unfolded)
        self._heading.setText("" if new.unfolded else new.heading)
        self.undo.setEnabled(bool(new.rows) and not new.reason)
        self.reset.setEnabled(bool(new.rows) and not new.reason)
        if old is None or old.rows != new.rows:
            self.list.set_rows(new.rows)
        if old is None or old.finds != new.finds:
            self.names.set_names(new.finds)
        self._show_row("Find", on=bool(new.finds) and not new.reason)
        self._show_row("Size", on=bool(new.size))
        self.size_words.setText(new.size)
        self.size.setEnabled(new.can_resize)
        with QSignalBlocker(self.boundary):
            self.boundary.setValue(round(STEPS * new.loose))
        self.boundary.setEnabled(bool(new.rows))
        self._show_choices(self.engine, new.engines, new.engine)
        self._show_choices(self.device, new.devices, new.device)
        self._show_ran(new)
        self._notes.setText("\n".join(new.notes))
        self._notes.setVisible(bool(new.notes))

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for what comes later."""
        self._tokens = tokens
        self.list.set_tokens(tokens)

    # Parts

    def _made_head(self) -> QWidget:
        self._heading = text(tone="3")
        self._heading.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._heading.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.undo = IconButton("undo", "Take the last prompt back", self.undo_wanted.emit,
                               key="Backspace", size=16)  # fmt: skip
        self.reset = IconButton("rotate", "Take all prompts back", self.reset_wanted.emit,
                                key="Esc", size=16)  # fmt: skip
        self._steps = row(self.undo, self.reset, gap=4)
        made = row(self._heading, self._steps, gap=0)
        made.layout().setStretch(0, 1)
        return made

    def _made_form(self) -> QWidget:
        self.boundary = QSlider(Qt.Orientation.Horizontal)
        self.boundary.setRange(0, STEPS)
        self.boundary.setPageStep(STEPS // 10)
        self.boundary.setAccessibleName("Boundary, tight to loose")
        self.boundary.setToolTip("Cut the answer tighter or looser; nobody is asked again")
        self.boundary.valueChanged.connect(lambda n: self.boundary_moved.emit(n / STEPS))
        self.engine = _NotedList("Engine", "What answers")
        self.engine.activated.connect(lambda n: self._chosen(self.engine_chosen, n, "engines"))
        self.device = _NotedList("Device", "Where it runs")
        self.device.activated.connect(lambda n: self._chosen(self.device_chosen, n, "devices"))
        self.names = NamePicker()
        self.names.chosen.connect(self.name_chosen)
        self.size_words = text()
        self.size = button(
            "Next size", self.size_wanted.emit, size="small",
            tip="Show the object as large as it could be instead   H",
        )  # fmt: skip
        form = QWidget()
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        ends = row(text("tight", tone="3"), self.boundary, text("loose", tone="3"), gap=8)
        parts = (
            ("Size", row(self.size_words, None, self.size)), ("Boundary", ends),
            ("Engine", self.engine), ("Device", self.device), ("Find", self.names),
        )  # fmt: skip
        self._rows: dict[str, tuple[QWidget, QWidget]] = {}
        for n, (words, part) in enumerate(parts):
            self._rows[words] = (text(words, tone="2"), part)
            for at, one in enumerate(self._rows[words]):
                grid.addWidget(one, n, at)
        return form

    # What changes

    def _show_row(self, words: str, *, on: bool) -> None:
        for part in self._rows[words]:
            part.setVisible(on)

    def _show_choices(self, shown: ListBox, choices: Sequence[Choice], chosen: str) -> None:
        if [shown.itemText(n) for n in range(shown.count())] != [one.words for one in choices]:
            shown.clear()
            shown.addItems([one.words for one in choices])
        model = shown.model()
        for n, one in enumerate(choices):
            shown.setItemData(n, one.why_not or None, Qt.ItemDataRole.ToolTipRole)
            shown.setItemData(n, one.why_not or None, Qt.ItemDataRole.AccessibleDescriptionRole)
            if isinstance(model, QStandardItemModel):
                model.item(n).setEnabled(not one.why_not)
        ids = [one.id for one in choices]
        shown.setCurrentIndex(ids.index(chosen) if chosen in ids else -1)

    def _show_ran(self, new: AssistState) -> None:
        auto = new.engine == new.engines[0].id if new.engines else False
        self.engine.set_note(new.ran.engine if auto else "")
        device = device_words(new.ran.device) if new.device == "auto" and new.ran.device else ""
        self.device.set_note(", ".join(filter(None, (device, per_click(new.seconds)))))

    # What a person did

    def _kind_pressed(self, kind: str) -> None:
        if self._state is not None:  # until it is so
            for name, made in self.kinds.items():
                made.setChecked(self._state.in_hand and name == self._state.kind)
        self.kind_chosen.emit(kind)

    def _chosen(self, signal: Signal, number: int, which: str) -> None:
        if self._state is not None:
            signal.emit(getattr(self._state, which)[number].id)


class _KindButton(QToolButton):
    """A kind of prompt: its icon over its name."""

    def __init__(self, spec: KindSpec, on_click: Callable[[str], object]) -> None:
        super().__init__()
        self._spec = spec
        self.setProperty("kind", "prompt")
        self.setText(spec.words)
        self.setAccessibleName(spec.words)
        self.setToolTip(spec.tip)
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda _checked=False: on_click(spec.kind))

    def set_reason(self, reason: str) -> None:
        """Why it cannot be pressed; "" where it can."""
        self.setEnabled(not reason)
        self.setToolTip(reason or self._spec.tip)

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw the icon in the theme's colours."""
        size = tokens.px(ICON)
        off = theme.faded(tokens.text3, tokens.bg, 0.5)
        self.setIconSize(QSize(size, size))
        self.setIcon(
            theme.icon(self._spec.icon, tokens.text2, selected="#FFFFFF", off=off, size=size)
        )


class _PromptList(QScrollArea):
    """The prompts given, each with a cross; rows are made once and say what they are told."""

    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[PromptRow, ...] = ()
        self._tokens: Tokens = DARK
        self._made: list[_Row] = []
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Prompts")
        self._end = QTimer(self)  # gone to once it is laid out
        self._end.setSingleShot(True)
        self._end.setInterval(0)
        self._end.timeout.connect(self._go_to_end)
        self._hint = text("Click into the object.", tone="3", wrap=True)
        content = column(self._hint, gap=0)
        self._layout: QVBoxLayout = content.layout()
        self.setWidget(content)
        self._fit()

    @property
    def rows(self) -> tuple[PromptRow, ...]:
        """What is shown."""
        return self._shown

    @property
    def crosses(self) -> list[IconButton]:
        """Of the rows that are shown."""
        return [one.cross for one in self._made[: len(self._shown)]]

    def set_rows(self, rows: tuple[PromptRow, ...]) -> None:
        """Show these."""
        more, self._shown = len(rows) > len(self._shown), rows
        while len(self._made) < len(rows):
            made = _Row(partial(self.removed.emit, len(self._made)))
            self._made.append(made)
            self._layout.addWidget(made)
            dress(made, self._tokens)
        for n, one in enumerate(self._made):
            if n < len(rows):
                one.show_prompt(rows[n])
            one.setVisible(n < len(rows))
        self._hint.setVisible(not rows)
        self._fit()
        if more:
            self._end.start()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._tokens = tokens
        self._fit()

    def _go_to_end(self) -> None:
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def _fit(self) -> None:
        shown = max(1, min(len(self._shown), MOST_ROWS))
        self.setFixedHeight(shown * self._tokens.px(ROW) + EDGE)


class _Row(QWidget):
    """A prompt: its sign, what it is, where, and a cross."""

    def __init__(self, on_cross: Callable[[], object]) -> None:
        super().__init__()
        self._sign = IconLabel("include", "ok", 15)
        self._name, self._place = text(), text(tone="3")
        self._place.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.cross = IconButton("cross", "Take this prompt away", on_cross, size=12)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        for part in (self._sign, self._name, self._place, self.cross):
            layout.addWidget(part, int(part is self._place))
        self.set_tokens(DARK)

    def show_prompt(self, shown: PromptRow) -> None:
        """Say this."""
        self._sign.show_icon(shown.icon, shown.tone)
        self._name.setText(shown.words)
        self._place.setText(shown.place)
        self._place.setToolTip(shown.place)
        self.cross.setAccessibleName(f"Remove: {shown.words.lower()} {shown.place}")

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes."""
        self._name.setFixedWidth(tokens.px(NAME))
        self.setFixedHeight(tokens.px(ROW))


class _NotedList(ListBox):
    """A list with a note beside what is chosen."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__(name, tip)
        self._note = text(tone="3")
        self._note.setParent(self)
        self._note.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.currentIndexChanged.connect(lambda _n: self._put())  # shows only what it is told

    def set_note(self, words: str) -> None:
        """Say it after the choice."""
        if words != self._note.text():
            self._note.setText(words)
            self.setAccessibleDescription(words)
        self._put()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's
        """Keep it in its place."""
        super().resizeEvent(event)
        self._put()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's
        """Its font is known only now."""
        super().showEvent(event)
        self._put()

    def _put(self) -> None:
        around = self.fontMetrics().horizontalAdvance("nn")  # of the words, by the sheet
        left = around + self.fontMetrics().horizontalAdvance(self.currentText())
        room = max(self.width() - left - 26, 0)
        self._note.setGeometry(left, 1, room, self.height() - 2)
