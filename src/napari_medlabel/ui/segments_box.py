"""The Segments section: a search, the table, the protocol; what stands beside its title."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from napari_medlabel.ui.protocol_view import ProtocolView
from napari_medlabel.ui.segment_rows import MANY, SegmentDetail
from napari_medlabel.ui.segment_table import SegmentTable
from napari_medlabel.ui.state import SegmentRow
from napari_medlabel.ui.widgets import IconButton, IconLabel, restyle, row, text

__all__ = ["SCHEMA_MENU", "SegmentsBox", "SegmentsState"]

MORE: Final = "\N{HORIZONTAL ELLIPSIS}"
SCHEMA_MENU: Final = (
    ("load", f"Load schema file{MORE}"), ("save", f"Save schema{MORE}"),
    ("protocol", "Protocol text"),
)  # fmt: skip
CASE_MENU: Final = (
    ("statistics", f"Statistics{MORE}"), ("compare", f"Compare{MORE}"), ("", ""),
    ("import-mask", f"Import mask{MORE}"), ("import-mask-folder", f"Import mask folder{MORE}"),
    ("", ""),
    ("save-version", f"Save version{MORE}"), ("versions", f"Versions{MORE}"),
)  # fmt: skip
CHANGING: Final = {"import-mask", "import-mask-folder", "save-version"}
LONGEST_NAME: Final = "My segments"  # of a schema in the title: of longer ones the rest is cut


@dataclass(frozen=True, slots=True)
class SegmentsState:
    """All that the Segments section shows.

    Parameters
    ----------
    rows, active
        The segments, and the label value of the one that is drawn.
    details
        By label value.
    schema
        The schema's name.
    protocol
        How the task is to be done; "" without one.
    read_only
        Why nothing can be changed; "" where it can.
    """

    rows: tuple[SegmentRow, ...] = ()
    active: int = 0
    details: Mapping[int, SegmentDetail] = field(default_factory=dict)
    schema: str = ""
    protocol: str = ""
    read_only: str = ""


class SearchField(QLineEdit):
    """Words to find a segment by; Esc clears them, Enter picks the first that is found."""

    left = Signal()
    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's
        """Esc and Enter are its own."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.entered.emit()
        else:
            super().keyPressEvent(event)


class SegmentsBox(QWidget):
    """Shows a `SegmentsState`.

    Signals of a segment are those of `table`. `schema_wanted` has "load", "save" or "protocol",
    `template_wanted` a template's key, `asked` the id of an action about all segments. `head` is
    for the right of the section's title.
    """

    segment_added = Signal()
    schema_wanted = Signal(str)
    template_wanted = Signal(str)
    asked = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._state: SegmentsState | None = None
        self._templates: tuple[tuple[str, str], ...] = ()
        self.table = SegmentTable()
        self.protocol = ProtocolView()
        self.search = SearchField()
        self.search.setPlaceholderText("Find a segment")
        self.search.setAccessibleName("Find a segment")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._searched)
        self.search.left.connect(self._leave_search)
        self.search.entered.connect(self._pick_found)
        self.search.hide()
        self.hint = text("No segment yet. Add one, or just paint.", tone="3", wrap=True)
        self._none = text("No segment has these words.", tone="3", wrap=True)
        self._none.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self.search, self.table, self.hint, self._none, self.protocol):
            layout.addWidget(part)
        self.head = self._head()
        self.set_state(SegmentsState())

    def set_state(self, new: SegmentsState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old == new:
            return
        if old is None or old.details != new.details:
            self.table.set_details(new.details)
        self.table.set_rows(new.rows, new.active)
        self.table.set_read_only(on=bool(new.read_only))
        self.count.setText(str(len(new.rows)) if new.rows else "")
        self.hint.setVisible(not new.rows)
        self.table.setVisible(bool(new.rows))
        name = new.schema or "Schema"
        words = self.schema.fontMetrics()
        room = words.horizontalAdvance(LONGEST_NAME)
        self.schema.setText(words.elidedText(name, Qt.TextElideMode.ElideRight, room))
        self.schema.setToolTip(f"{name}: templates, files, protocol")
        self.protocol.set_text(new.protocol)
        self.add.setEnabled(not new.read_only)
        self.add.setToolTip(new.read_only or "Add a segment   Ctrl+Shift+N")
        self.find.setVisible(self._few())
        if len(new.rows) > MANY and (old is None or len(old.rows) <= MANY):
            self.search.show()
        self._say_none()

    def set_templates(self, templates: tuple[tuple[str, str], ...]) -> None:
        """The templates there are, each with its key and words."""
        self._templates = templates

    # Parts

    def _head(self) -> QWidget:
        self.count = text(tone="3")
        self.schema = QToolButton()
        self.schema.setProperty("kind", "list")
        self.schema.setToolTip("Schema: templates, files, protocol")
        self.schema.setAccessibleName("Schema")
        self.schema.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.schema.clicked.connect(self._unfold_schema)
        chevron = IconLabel("down", "text2", 12)
        self.find = IconButton("search", "Find a segment", self._find, size=16)
        self.add = IconButton("plus", "Add a segment", self.segment_added.emit, key="Ctrl+Shift+N")
        self.more = IconButton("more", "Statistics, compare, import, versions", self._unfold_case,
                               size=16)  # fmt: skip
        return row(
            self.count, None, self.schema, chevron, 2, self.find, self.add, self.more, gap=2
        )  # fmt: skip

    def schema_menu(self) -> QMenu:
        """What can be done with the schema."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        state = self._state or SegmentsState()
        templates = menu.addMenu("Load template")
        templates.setEnabled(bool(self._templates) and not state.read_only)
        for key, words in self._templates:
            templates.addAction(words, partial(self.template_wanted.emit, key))
        for wish, words in SCHEMA_MENU:
            action = menu.addAction(words, partial(self._wanted, wish))
            fixed = bool(state.read_only) and wish == "load"
            missing = wish == "protocol" and not state.protocol.strip()
            action.setEnabled(not fixed and not missing)
        return menu

    def case_menu(self) -> QMenu:
        """What can be done with all segments."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        fixed = bool(self._state and self._state.read_only)
        for wish, words in CASE_MENU:
            if wish:
                action = menu.addAction(words, partial(self.asked.emit, wish))
                action.setEnabled(not (fixed and wish in CHANGING))
            else:
                menu.addSeparator()
        return menu

    def _unfold_case(self) -> None:
        self.case_menu().popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _unfold_schema(self) -> None:
        self.schema_menu().popup(self.schema.mapToGlobal(self.schema.rect().bottomLeft()))

    def _wanted(self, wish: str) -> None:
        if wish == "protocol":
            self.protocol.unfold()
        self.schema_wanted.emit(wish)

    # Search

    def _find(self) -> None:
        if self.search.isVisible() and not self.search.hasFocus() and self.search.text():
            self.search.setFocus()
        elif self.search.isVisible() and self._few():
            self._leave_search()
        else:
            self.search.show()
            self.search.setFocus()

    def _few(self) -> bool:
        return self._state is None or len(self._state.rows) <= MANY

    def _searched(self, words: str) -> None:
        self.table.set_search(words)
        self._say_none()

    def _say_none(self) -> None:
        nothing = bool(self.search.text()) and not self.table.listed()
        self._none.setVisible(nothing)
        restyle(self.search, wrong=str(nothing).lower())

    def _leave_search(self) -> None:
        self.search.clear()
        self.search.setVisible(not self._few())
        self.table.setFocus()

    def _pick_found(self) -> None:
        found = self.table.listed()
        if found:
            self.table.picked.emit(found[0])
