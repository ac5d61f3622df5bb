"""Nothing open: drop a study, open one, go on with a case, try the demo; and what the dock says."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QMouseEvent, QShowEvent
from qtpy.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from napari_medlabel.ui.state import RecentRow
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.widgets import (
    IconButton,
    IconLabel,
    badge,
    button,
    chip,
    column,
    dress,
    line,
    restyle,
    row,
    text,
)

__all__ = ["DropCard", "NothingOpen", "RecentCase", "StartPage"]

WIDTH = 660
SHOWN = 6
MAIN_BUTTON = 34  # px within its border
# What the doctor's checks are in words, as found well and as found wanting.
SENTENCES: Final = {
    "compressed DICOM": ("Compressed DICOM can be read", "Compressed DICOM cannot be read"),
    "disk": ("There is room for volumes", "The disk is nearly full"),
    "workspace": ("What you open is kept encrypted", "The workspace cannot be used"),
    "engine": ("Assist answers here", "Assist answers without a network"),
}


class DropCard(QFrame):
    """Takes a folder or file that is dropped on it."""

    dropped = Signal(Path)
    folder_wanted = Signal()
    file_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "drop")
        self.setAcceptDrops(True)
        emblem = IconLabel("import", "accent_on_bg", 24)
        emblem.setProperty("role", "emblem")
        emblem.setFixedSize(48, 48)
        emblem.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.folder = IconButton(
            "folder", "Open a folder", self.folder_wanted.emit, kind="primary", words="Open folder",
        )  # fmt: skip
        self.file = IconButton(
            "file", "Open a file", self.file_wanted.emit, kind="", words="Open file"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 34, 24, 30)
        layout.setSpacing(6)
        centre = Qt.AlignmentFlag.AlignHCenter
        layout.addWidget(emblem, 0, centre)
        layout.addSpacing(8)
        layout.addWidget(text("Open a study", role="huge"), 0, centre)
        layout.addWidget(text("Drop a folder, a zip or a file here.", tone="2"), 0, centre)
        kinds = "DICOM, NIfTI, NRRD, MetaImage or OME-Zarr."
        layout.addWidget(text(kinds, tone="2"), 0, centre)
        layout.addSpacing(8)
        layout.addWidget(row(self.folder, self.file), 0, centre)

    def set_tokens(self, tokens: Tokens) -> None:
        """The two buttons are the largest there are."""
        for made in (self.folder, self.file):
            made.setStyleSheet(f"QToolButton {{ min-height: {tokens.px(MAIN_BUTTON)}px; }}")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802  # Qt's
        """Something is held over it."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()
            restyle(self, over="true")

    def dragLeaveEvent(self, _event: object) -> None:  # noqa: N802
        """It was carried on."""
        restyle(self, over="false")

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """It was let go: only the first counts."""
        restyle(self, over="false")
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.dropped.emit(Path(paths[0]))


class RecentCase(QFrame):
    """A case by its pseudonym, without a picture: a head's picture shows a face."""

    wanted = Signal(str)

    def __init__(self, shown: RecentRow) -> None:
        super().__init__()
        self.setProperty("role", "row")
        self._id = shown.id
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"Open {shown.name}, {shown.modality}, {shown.segments}")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 10, 6)
        layout.setSpacing(12)
        layout.addWidget(badge(shown.modality, 38))
        names = column(text(shown.name, role="strong"), text(shown.line, tone="2"), gap=2)
        names.setMinimumWidth(190)
        layout.addWidget(names)
        layout.addWidget(chip(shown.segments))
        layout.addStretch(1)
        layout.addWidget(text(shown.when, tone="3"))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click opens it."""
        if self.rect().contains(event.pos()) and event.button() == Qt.MouseButton.LeftButton:
            self.wanted.emit(self._id)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """So does Enter."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.wanted.emit(self._id)
        else:
            event.ignore()


class StartPage(QScrollArea):
    """The page where the image will be."""

    case_wanted = Signal(str)
    demo_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.drop = DropCard()
        self._tokens: Tokens = DARK
        self._rows: tuple[RecentRow, ...] = ()
        self._list = QVBoxLayout()
        self._list.setSpacing(2)
        self._recent = QWidget()
        self._recent.setLayout(self._list)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._title = row(
            text("Recent cases", role="strong"), None,
            text("By pseudonym. Names are never shown.", tone="3"), margins=(10, 0, 10, 0),
        )  # fmt: skip
        ct = button("Start demo", lambda: self.demo_wanted.emit("ct"), tip="A generated CT head")
        mr = button("MR", lambda: self.demo_wanted.emit("mr"), tip="The same head as MR")
        words = column(
            text("Try the demo head", role="strong"),
            text(
                "Label and export a generated head. Takes five minutes, needs no data.", tone="2",
                wrap=True,
            ),
            gap=2,
        )  # fmt: skip
        head = IconLabel("head", "text2", 22)
        head.setProperty("role", "badge")
        head.setFixedSize(38, 38)
        head.setAlignment(Qt.AlignmentFlag.AlignCenter)
        demo = row(head, 4, words, ct, mr, margins=(10, 4, 10, 4))
        demo.layout().setStretch(2, 1)
        note = text("Personal workspace, encrypted on this computer", tone="3")
        foot = row(None, IconLabel("lock", "ok", 15), note, None, gap=6)
        sheet = self._sheet = column(
            self.drop, 14, self._title, self._recent, 4, line(), 4, demo, None, 24, foot, 8, gap=6
        )
        holder = QWidget()
        outer = QHBoxLayout(holder)
        outer.setContentsMargins(24, 56, 24, 8)
        outer.addStretch(1)
        outer.addWidget(sheet, 20)
        outer.addStretch(1)
        self.setWidget(holder)
        self.set_recent(())

    def set_recent(self, rows: Sequence[RecentRow]) -> None:
        """Show the cases opened last."""
        if tuple(rows) == self._rows and self._list.count():
            return
        self._rows = tuple(rows)
        while (item := self._list.takeAt(0)) is not None:
            item.widget().deleteLater()
        for shown in self._rows[:SHOWN]:
            made = RecentCase(shown)
            made.wanted.connect(self.case_wanted)
            self._list.addWidget(made)
        if not self._rows:
            self._list.addWidget(
                row(text("No case yet. What you open is kept here.", tone="3"),
                    margins=(10, 6, 10, 6))
            )  # fmt: skip
        dress(self._recent, self._tokens)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  # Qt's
        """Enter opens a folder, where nothing else is waiting for keys."""
        super().showEvent(event)
        if self.window().focusWidget() is None:
            self.drop.folder.setFocus(Qt.FocusReason.TabFocusReason)

    def set_tokens(self, tokens: Tokens) -> None:
        """Take the theme's sizes, and remember it for rows that come later."""
        self._tokens = tokens
        self._sheet.setMaximumWidth(tokens.px(WIDTH))


class ComputerCard(QWidget):
    """What this computer can do, said as sentences."""

    def __init__(self, checks: Sequence[dict[str, Any]]) -> None:
        super().__init__()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(
            row(text("This computer", role="section"), None, text("checked at start", tone="3"))
        )
        for check in checks:
            name, well = str(check["name"]), bool(check["ok"])
            said = SENTENCES.get(name, (_capital(name), _capital(name)))[0 if well else 1]
            layout.addWidget(_line(said, str(check["found"]).split(" (")[0], well=well))
        layout.addWidget(_line("No network connections", "Nothing is sent or downloaded"))


class NothingOpen(QWidget):
    """The dock while nothing is open."""

    folder_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        centre = Qt.AlignmentFlag.AlignHCenter
        words = text("Segments and tools appear here once a study is open.", tone="2", wrap=True)
        words.setAlignment(centre)
        self.open = button("Open a study…", self.folder_wanted.emit)
        self._computer = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 36, 12, 12)
        layout.setSpacing(6)
        layout.addWidget(IconLabel("layers", "text3", 26), 0, centre)
        layout.addSpacing(6)
        layout.addWidget(text("No study open", role="title"), 0, centre)
        layout.addWidget(words)
        layout.addSpacing(10)
        layout.addWidget(self.open, 0, centre)
        layout.addSpacing(20)
        layout.addWidget(line())
        layout.addSpacing(10)
        layout.addLayout(self._computer)
        layout.addStretch(1)

    def set_checks(self, checks: Sequence[dict[str, Any]], tokens: Tokens) -> None:
        """Say what this computer can do."""
        while (item := self._computer.takeAt(0)) is not None:
            item.widget().deleteLater()
        if checks:
            made = ComputerCard(checks)
            self._computer.addWidget(made)
            dress(made, tokens)


def _line(said: str, found: str, *, well: bool = True) -> QWidget:
    """A sentence with its sign, and what it rests on."""
    icon = IconLabel("check" if well else "warning", "ok" if well else "warn")
    made = QWidget()
    inner = QHBoxLayout(made)
    inner.setContentsMargins(0, 0, 0, 0)
    inner.setSpacing(8)
    inner.addWidget(icon, 0, Qt.AlignmentFlag.AlignTop)
    inner.addWidget(column(text(said), text(found, role="caption", wrap=True), gap=1), 1)
    return made


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
