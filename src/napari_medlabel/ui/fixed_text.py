"""Words in a place of fixed width: painted, so that new words never move what stands beside."""

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_medlabel.ui.theme import DARK, Tokens

__all__ = ["FixedText", "figures"]


def figures(font: QFont, px: int, *, strong: bool = False) -> QFont:
    """The font at a size, with digits of one width."""
    made = QFont(font)
    made.setPixelSize(px)
    made.setWeight(QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


class FixedText(QWidget):
    """A line of words, shortened where it is too long.

    Parameters
    ----------
    sample
        The widest words that are foreseen: the place is as wide as they are.
    tone
        A field of `Tokens`.
    size, strong
        px at napari's usual font size, and whether the words are bold.
    right
        Whether they stand at the right end.
    """

    def __init__(
        self, sample: str, *, tone: str = "text1", size: float = 12.0, strong: bool = False,
        right: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self._sample, self._tone, self._size, self._strong = sample, tone, size, strong
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        self._side = int(side | Qt.AlignmentFlag.AlignVCenter)
        self._words = ""
        self._tokens: Tokens = DARK
        self._font = self.font()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.set_tokens(DARK)

    @property
    def words(self) -> str:
        """What it says, shortened or not."""
        return self._words

    def set_words(self, words: str) -> None:
        """Say something else; nothing is laid out again."""
        if words != self._words:
            self._words = words
            self.setAccessibleName(words)
            self.update()

    def set_tone(self, tone: str) -> None:
        """Paint it in another colour of the theme."""
        if tone != self._tone:
            self._tone = tone
            self.update()

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's colours and sizes."""
        self._tokens = tokens
        self._font = figures(self.font(), tokens.px(self._size), strong=self._strong)
        metrics = QFontMetrics(self._font)
        self.setFixedWidth(metrics.horizontalAdvance(self._sample) + 2)
        self.setMinimumHeight(metrics.height())
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's
        """As wide as the sample."""
        return QSize(self.minimumWidth(), self.minimumHeight())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """One line, in the middle of the height."""
        painter = QPainter(self)
        painter.setFont(self._font)
        painter.setPen(QColor(getattr(self._tokens, self._tone)))
        short = painter.fontMetrics().elidedText(
            self._words, Qt.TextElideMode.ElideRight, self.width()
        )
        painter.drawText(self.rect(), self._side, short)
        painter.end()
