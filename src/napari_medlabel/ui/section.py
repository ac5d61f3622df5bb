"""A section of the dock that folds with a click on its title and remembers it."""

from collections.abc import Callable

from qtpy.QtCore import QEasingCurve, QPropertyAnimation, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.widgets import IconLabel, restyle, text

__all__ = ["Section"]

MOTION_MS = 120
NO_LIMIT = 16777215  # Qt's QWIDGETSIZE_MAX
CHEVRON = 12


class _Title(QWidget):
    """The words that fold; Space and Enter do it too."""

    def __init__(self, words: str, on_fold: Callable[[], object]) -> None:
        super().__init__()
        self._on_fold = on_fold
        self.setProperty("role", "fold")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.words = text(words, role="section")
        self.sign = IconLabel("down", "text3", CHEVRON)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self.words, self.sign):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(part)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's
        """A click folds."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self._on_fold()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """So do Space and Enter."""
        if event.key() in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._on_fold()
        else:
            event.ignore()


class Section(QWidget):
    """A title, what stands at its right, and what folds away below.

    Parameters
    ----------
    name
        By which its state is remembered.
    words
        The title.
    content
        What folds.
    beside
        What stands at the right of the title, and stays.
    remember
        Called with the name, and whether it is folded, when a person folds or unfolds it.
    folded
        What was remembered.
    """

    def __init__(  # noqa: PLR0913  # what a section has
        self, name: str, words: str, content: QWidget, *, beside: QWidget | None = None,
        remember: Callable[[str, bool], object] = lambda _name, _folded: None,
        folded: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._name, self._content, self._remember = name, content, remember
        self._words, self._moved = words, True
        self._title = _Title(words, self._pressed)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.setSpacing(6)
        head.addWidget(self._title)
        if beside is None:
            head.addStretch(1)
        else:
            head.addWidget(beside, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(content)
        self._motion = QPropertyAnimation(content, b"maximumHeight", self)
        self._motion.setDuration(MOTION_MS)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.finished.connect(self._rested)
        self._folded = folded
        self._rested()

    @property
    def folded(self) -> bool:
        """Whether only its title is seen."""
        return self._folded

    @property
    def title(self) -> QWidget:
        """What is clicked."""
        return self._title

    def set_moving(self, *, on: bool) -> None:
        """Let it fold at once where the system asks for less motion."""
        self._moved = on

    def set_folded(self, *, folded: bool) -> None:
        """Fold or unfold it, without telling anybody."""
        if folded == self._folded:
            return
        self._motion.stop()
        self._folded = folded
        if not self._moved or not self.isVisible():
            self._rested()
            return
        self._content.setMaximumHeight(NO_LIMIT)
        self._content.show()
        full = self._content.sizeHint().height()
        start, end = (self._content.height(), 0) if folded else (0, full)
        self._motion.setStartValue(start)
        self._motion.setEndValue(end)
        self._say()
        self._motion.start()

    def set_tokens(self, _tokens: Tokens) -> None:
        """Show what is folded in the theme's colours, too."""
        self._say()

    def _pressed(self) -> None:
        self.set_folded(folded=not self._folded)
        self._remember(self._name, self._folded)

    def _rested(self) -> None:
        self._content.setVisible(not self._folded)
        self._content.setMaximumHeight(NO_LIMIT)
        self._say()

    def _say(self) -> None:
        state = "folded" if self._folded else "open"
        self._title.setAccessibleName(f"{self._words}, {state}")
        self._title.setToolTip("Unfold" if self._folded else "Fold")
        self._title.sign.show_icon("next" if self._folded else "down", "text3")
        self._title.sign.setVisible(self._folded)
        restyle(self._title, folded=str(self._folded).lower())
