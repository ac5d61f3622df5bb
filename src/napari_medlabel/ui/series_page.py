"""The series that were found: picture, geometry, problems; a click opens one."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QImage, QKeyEvent, QMouseEvent, QPixmap
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_medlabel.core.problem import Problem
from napari_medlabel.ui.state import SeriesRow
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import IconLabel, badge, button, chip, column, dress, row, text

__all__ = ["SeriesPage", "problem_line"]

PICTURE = 72
WIDTH = 760


def problem_line(problem: Problem) -> QFrame:
    """A problem with its numbers on amber, what can be done about it below."""
    frame = QFrame()
    frame.setProperty("card", "warn")
    layout = QHBoxLayout(frame)
    layout.setContentsMargins(8, 4, 8, 4)
    layout.setSpacing(8)
    layout.addWidget(IconLabel("warning", "warn", 15), 0, Qt.AlignmentFlag.AlignTop)
    layout.addWidget(text(_sentence(problem), wrap=True), 1)
    frame.setToolTip(problem.hint)
    return frame


class _Row(QFrame):
    wanted = Signal()

    def __init__(self, shown: SeriesRow) -> None:
        super().__init__()
        self.setProperty("role", "row")
        self._usable = shown.usable
        self._pictured = False
        self._picture = badge(shown.modality, PICTURE)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(14)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        title = row(
            text(shown.title, role="strong"), chip(shown.modality),
            *(() if shown.usable else (chip("Cannot be opened", "error"),)), None,
        )  # fmt: skip
        words = column(title, text(shown.line, tone="2", wrap=True), gap=4)
        for problem in shown.problems:
            words.layout().addWidget(problem_line(problem))
        words.layout().addStretch(1)
        layout.addWidget(words, 1)
        if shown.usable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setAccessibleName(f"Open {shown.title}, {shown.modality}, {shown.line}")
            opener = button("Open", self.wanted.emit)
            opener.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            layout.addWidget(opener, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_picture(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Show the middle slice; once is enough."""
        if not self._pictured:
            self._pictured = True
            _put(self._picture, pixels)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's
        """A click anywhere opens it."""
        if self._usable and self.rect().contains(event.pos()):
            self.wanted.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """So does Enter."""
        if self._usable and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.wanted.emit()
        else:
            event.ignore()


class SeriesPage(QScrollArea):
    """The table of what a scan found."""

    wanted = Signal(object)
    back_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._tokens: Tokens = DARK
        self._shown: tuple[SeriesRow, ...] = ()
        self.rows: list[_Row] = []
        self._title = text("Series", role="huge")
        self._note = text(tone="3")
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._holder = QWidget()
        self._holder.setLayout(self._list)
        back = button("Back", self.back_wanted.emit)
        head = row(column(self._title, self._note, gap=2), None, back, margins=(10, 0, 10, 0))
        sheet = column(head, 12, self._holder, None, gap=4)
        sheet.setMaximumWidth(WIDTH)
        holder = QWidget()
        outer = QHBoxLayout(holder)
        outer.setContentsMargins(24, 40, 24, 16)
        outer.addStretch(1)
        outer.addWidget(sheet, 20)
        outer.addStretch(1)
        self.setWidget(holder)

    def set_rows(self, rows: Sequence[SeriesRow], skipped: int) -> None:
        """Show what was found; nothing happens if it is what is shown."""
        if tuple(rows) == self._shown:
            return
        self._shown = tuple(rows)
        while (item := self._list.takeAt(0)) is not None:
            item.widget().deleteLater()
        self.rows = [self._made(shown) for shown in self._shown]
        usable = sum(shown.usable for shown in self._shown)
        words = f"{len(self._shown)} found" if usable == len(self._shown) else (
            f"{len(self._shown)} found, {usable or 'none'} can be opened"
        )  # fmt: skip
        others = f" · {_others(skipped)} left out" if skipped else ""
        self._note.setText(f"{words}{others}")
        dress(self._holder, self._tokens)
        if self.rows:
            self.rows[0].setFocus()

    def set_pictures(self, pictures: Mapping[int, npt.NDArray[np.uint8]]) -> None:
        """Show the pictures that have come, by the row's number."""
        for number, pixels in pictures.items():
            self.rows[number].show_picture(pixels)

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for rows that come later."""
        self._tokens = tokens

    def _made(self, shown: SeriesRow) -> _Row:
        made = _Row(shown)
        made.wanted.connect(lambda: self.wanted.emit(shown))
        self._list.addWidget(made)
        return made


def _put(label: QLabel, pixels: npt.NDArray[np.uint8]) -> None:
    grey = np.ascontiguousarray(pixels, np.uint8)
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    label.setPixmap(QPixmap.fromImage(image).scaled(PICTURE - 4, PICTURE - 4, keep, smooth))


def _others(count: int) -> str:
    return "1 other file" if count == 1 else f"{count} other files"


def _sentence(problem: Problem) -> str:
    words = problem.what[:1].upper() + problem.what[1:]
    return f"{words}. {problem.hint[:1].upper()}{problem.hint[1:]}." if problem.hint else words
