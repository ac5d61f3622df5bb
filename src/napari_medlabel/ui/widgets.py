"""Small parts that the pages are made of: words, chips, icons, cards, choices."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel.ui import theme
from napari_medlabel.ui.state import ErrorCard
from napari_medlabel.ui.theme import Tokens

__all__ = [
    "BusyView", "Choice", "ErrorView", "IconButton", "IconLabel", "QuestionView", "badge", "button",
    "card", "chip", "column", "dress", "line", "restyle", "row", "text",
]  # fmt: skip

Item: TypeAlias = QWidget | int | None


def dress(root: QWidget, tokens: Tokens) -> None:
    """Give the icons under `root` their colours; the style sheet does the rest."""
    for child in (root, *root.findChildren(QWidget)):
        take = getattr(child, "set_tokens", None)
        if take is not None:
            take(tokens)


def restyle(widget: QWidget, **properties: object) -> None:
    """Set properties that the style sheet looks at, and apply them."""
    changed = False
    for name, value in properties.items():
        if widget.property(name) != value:
            widget.setProperty(name, value)
            changed = True
    if changed:
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def text(words: str = "", *, role: str = "", tone: str = "", wrap: bool = False) -> QLabel:
    """A label; `role` and `tone` are the style sheet's."""
    label = QLabel(words)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    label.setProperty("tone", tone)
    label.setWordWrap(wrap)
    if wrap:
        label.setMinimumWidth(40)
    return label


def chip(words: str, tone: str = "neutral") -> QLabel:
    """A short state in words on its colour."""
    label = text(words)
    label.setProperty("chip", tone)
    label.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Maximum)
    return label


def badge(words: str, size: int = 40) -> QLabel:
    """A modality in a box, where others show a picture: a head's picture shows a face."""
    label = text(words, role="badge")
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setFixedSize(size, size)
    return label


def line() -> QFrame:
    """A divider."""
    frame = QFrame()
    frame.setProperty("role", "line")
    frame.setFixedHeight(1)
    return frame


def button(
    words: str, on_click: Callable[[], object], *, kind: str = "", size: str = "", tip: str = ""
) -> QPushButton:
    """A push button: `kind` is primary, link or tab."""
    made = QPushButton(words)
    made.setProperty("kind", kind)
    made.setProperty("fit", size)  # "size" is one of Qt's own
    made.setToolTip(tip)
    made.setAccessibleName(words or tip)
    made.setAutoDefault(False)
    made.clicked.connect(lambda _checked=False: on_click())
    return made


def _fill(layout: QHBoxLayout | QVBoxLayout, items: Sequence[Item]) -> None:
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        else:
            layout.addWidget(item)


def row(*items: Item, gap: int = 8, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QWidget:
    """Widgets side by side; a number is a space, None stretches."""
    return _laid_out(QHBoxLayout, items, gap, margins)


def column(
    *items: Item, gap: int = 4, margins: tuple[int, int, int, int] = (0, 0, 0, 0)
) -> QWidget:
    """Widgets below each other; a number is a space, None stretches."""
    return _laid_out(QVBoxLayout, items, gap, margins)


def _laid_out(
    kind: type[QHBoxLayout] | type[QVBoxLayout], items: Sequence[Item], gap: int,
    margins: tuple[int, int, int, int],
) -> QWidget:  # fmt: skip
    widget = QWidget()
    layout = kind(widget)
    layout.setContentsMargins(*margins)
    layout.setSpacing(gap)
    _fill(layout, items)
    return widget


def card(*items: Item, kind: str = "plain", gap: int = 4, margin: int = 10) -> QFrame:
    """A framed column."""
    frame = QFrame()
    frame.setProperty("card", kind)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(margin, margin - 1, margin, margin)
    layout.setSpacing(gap)
    _fill(layout, items)
    return frame


class IconLabel(QLabel):
    """An icon beside words; `tone` is a field of `Tokens`."""

    def __init__(self, name: str, tone: str = "text2", size: int = 16) -> None:
        super().__init__()
        self._name, self._tone, self._size = name, tone, size
        self._tokens: Tokens | None = None
        self.setFixedSize(size, size)
        self.setAccessibleName("")

    def show_icon(self, name: str, tone: str) -> None:
        """Show another icon."""
        if (name, tone) != (self._name, self._tone):
            self._name, self._tone = name, tone
            if self._tokens is not None:
                self.set_tokens(self._tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw it in the theme's colours and size."""
        self._tokens = tokens
        size = tokens.px(self._size)
        if self.property("role") not in {"badge", "emblem"}:  # they stand in a box
            self.setFixedSize(size, size)
        self.setPixmap(theme.pixmap(self._name, getattr(tokens, self._tone), size))


class IconButton(QToolButton):
    """A button with an icon, perhaps words beside it."""

    def __init__(  # noqa: PLR0913  # what a button can have
        self, name: str, tip: str, on_click: Callable[[], object], *, kind: str = "icon",
        key: str = "", words: str = "", checkable: bool = False, size: int = 18,
    ) -> None:  # fmt: skip
        super().__init__()
        self._name, self._size = name, size
        self.setProperty("kind", kind)
        self.setAccessibleName(tip)
        self.setToolTip(f"{tip}   {key}" if key else tip)
        self.setCheckable(checkable)
        self.setIconSize(QSize(size, size))
        if words:
            self.setText(f" {words}")  # else it touches the icon
            self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.clicked.connect(lambda _checked=False: on_click())

    def set_tokens(self, tokens: Tokens) -> None:
        """Draw the icon in the theme's colours and size."""
        off = theme.faded(tokens.text3, tokens.bg, 0.5)
        color = "#FFFFFF" if self.property("kind") == "primary" else tokens.text1
        size = tokens.px(self._size)
        self.setIconSize(QSize(size, size))
        self.setIcon(theme.icon(self._name, color, selected="#FFFFFF", off=off, size=size))


class Choice(QFrame):
    """One of a few, all in sight."""

    chosen = Signal(int)

    def __init__(self, names: Sequence[str], tips: Sequence[str] = ()) -> None:
        super().__init__()
        self.setProperty("role", "choice")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(1)
        self._buttons: list[QToolButton] = []
        for n, name in enumerate(names):
            made = QToolButton()
            made.setText(name)
            made.setProperty("kind", "choice")
            made.setCheckable(True)
            made.setAccessibleName(name)
            made.setToolTip(tips[n] if tips else name)
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            made.clicked.connect(lambda _checked=False, n=n: self._pressed(n))
            layout.addWidget(made)
            self._buttons.append(made)

    def set_chosen(self, number: int) -> None:
        """Light one, or none (-1)."""
        for n, made in enumerate(self._buttons):
            made.setChecked(n == number)

    def _pressed(self, number: int) -> None:
        self.set_chosen(number)
        self.chosen.emit(number)


class ErrorView(QFrame):
    """What happened and what to do; a person can go on without answering."""

    dismissed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "error")
        self._card: ErrorCard | None = None
        self._title = text(role="strong", wrap=True)
        self._text = text(tone="2", wrap=True)
        copy = button("Copy details", self._copy, kind="link")
        close = button("Dismiss", self.dismissed.emit, kind="link")
        words = column(self._title, self._text, row(copy, close, None, gap=4), gap=4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 6)
        layout.setSpacing(10)
        layout.addWidget(IconLabel("error", "error", 18), 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(words, 1)
        self.hide()

    @property
    def shown(self) -> ErrorCard | None:
        """The error that is shown."""
        return self._card

    def show_error(self, error: ErrorCard) -> None:
        """Show it until it is dismissed or the next thing is done."""
        self._card = error
        self._title.setText(error.title)
        self._text.setText(error.text)
        self._text.setVisible(bool(error.text))
        self.setAccessibleName(f"{error.title} {error.text}")
        self.show()

    def dismiss(self) -> None:
        """Take it away."""
        self._card = None
        self.hide()

    def _copy(self) -> None:
        if self._card is not None:
            QApplication.clipboard().setText(self._card.details)


class QuestionView(QFrame):
    """A question in the panel, not in the way: what would happen, and the verb that does it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "plain")
        self._answer: Callable[[], object] = lambda: None
        self._title = text(role="strong", wrap=True)
        self._text = text(tone="2", wrap=True)
        self.yes = button("", self._said_yes, kind="primary")
        self.no = button("Cancel", self.hide)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.setSpacing(4)
        _fill(layout, (self._title, self._text, 4, row(self.yes, self.no, None)))
        self.hide()

    def ask(self, title: str, words: str, verb: str, answer: Callable[[], object]) -> None:
        """Ask; `answer` is called if the verb is pressed."""
        self._title.setText(title)
        self._text.setText(words)
        self.yes.setText(verb)
        self.yes.setAccessibleName(verb)
        self._answer = answer
        self.show()
        self.yes.setFocus()

    def _said_yes(self) -> None:
        self.hide()
        self._answer()


class BusyView(QFrame):
    """What is being done, how far it is, and Cancel."""

    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "plain")
        self._title = text(role="strong")
        self._count = text(tone="3")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        cancel = button("Cancel", self.cancelled.emit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 10, 12, 10)
        layout.setSpacing(8)
        _fill(layout, (self._title, self._bar, row(self._count, None, cancel)))
        self.hide()

    def show_progress(self, title: str, done: int, total: int, words: str = "") -> None:
        """Show how far it is; a total of 0 says that nobody knows yet."""
        self._title.setText(title)
        self._bar.setRange(0, max(total, 0))
        self._bar.setValue(done)
        self._count.setText(words or (f"{done} of {total}" if total else ""))
        self.show()


def picture(pixels: QPixmap, size: int) -> QLabel:
    """A picture in a square, its shape kept."""
    label = QLabel()
    label.setFixedSize(size, size)
    label.setAlignment(Qt.AlignmentFlag.AlignCenter)
    label.setProperty("role", "badge")
    kept = Qt.AspectRatioMode.KeepAspectRatio
    smooth = Qt.TransformationMode.SmoothTransformation
    label.setPixmap(pixels.scaled(size - 2, size - 2, kept, smooth))
    return label
