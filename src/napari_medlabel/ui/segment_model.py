"""The rows of the segment table as a model: words for eyes, ears and tooltips."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from qtpy.QtWidgets import QWidget

from napari_medlabel.ui.segment_rows import (
    GroupRow,
    Listed,
    SegmentDetail,
    listed_rows,
    repeats,
    row_tip,
)
from napari_medlabel.ui.state import SegmentRow

__all__ = ["COLOR", "EYE", "LOCK", "ML", "NAME", "NUMBER", "SLICES", "SegmentModel"]

NUMBER, COLOR, NAME, ML, SLICES, EYE, LOCK = range(7)
HEADERS: Final = ("", "", "Name", "mL", "Slices", "", "")
SPOKEN: Final = ("Number", "Colour", "Name", "Volume, mL", "Slices", "Shown", "Locked")


class SegmentModel(QAbstractTableModel):
    """Segments, and headings of groups, as a table."""

    renamed = Signal(int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: tuple[SegmentRow, ...] = ()
        self.listed: tuple[Listed, ...] = ()
        self.details: Mapping[int, SegmentDetail] = {}
        self.means: dict[int, str] = {}
        self.dashed: frozenset[int] = frozenset()
        self.active = 0
        self.search = ""
        self.folded: frozenset[int] = frozenset()
        self.read_only = False

    def set_rows(self, rows: Sequence[SegmentRow], active: int) -> None:
        """Show these; cells that stay keep what is being edited in them."""
        self.rows, self.dashed = tuple(rows), repeats(rows)
        moved, self.active = active != self.active, active
        self.relist(all_new=moved)

    def set_details(self, details: Mapping[int, SegmentDetail]) -> None:
        """Groups, codes and means, by label value."""
        if details != self.details:
            self.details = dict(details)
            self.relist(all_new=True)

    def detail_of(self, value: int) -> SegmentDetail:
        """What is known of a segment, the mean that came last with it."""
        detail = self.details.get(value, SegmentDetail())
        return replace(detail, mean=self.means[value]) if value in self.means else detail

    def relist(self, *, all_new: bool = False) -> None:
        """List what search and folding leave; tell of rows that changed, or of all."""
        old = self.listed
        new = listed_rows(self.rows, self.details, self.search, self.folded)
        if [_key(row) for row in old] != [_key(row) for row in new]:
            self.beginResetModel()
            self.listed = new
            self.endResetModel()
            return
        self.listed = new
        for n, (before, now) in enumerate(zip(old, new, strict=True)):
            if all_new or before != now:
                self.dataChanged.emit(self.index(n, 0), self.index(n, LOCK))

    def segment_at(self, index: QModelIndex) -> SegmentRow | None:
        """The segment of a row; None of a heading or beside all rows."""
        row = self.listed[index.row()] if index.isValid() else None
        return row if isinstance(row, SegmentRow) else None

    def values(self) -> list[int]:
        """The label values that are listed, from top to bottom."""
        return [row.value for row in self.listed if isinstance(row, SegmentRow)]

    def row_of(self, value: int) -> int:
        """The row of a label value, or -1."""
        for n, row in enumerate(self.listed):
            if isinstance(row, SegmentRow) and row.value == value:
                return n
        return -1

    def rowCount(self, parent: QModelIndex | None = None) -> int:  # noqa: N802  # Qt's
        """How many rows are listed."""
        return 0 if parent is not None and parent.isValid() else len(self.listed)

    def columnCount(self, _parent: QModelIndex | None = None) -> int:  # noqa: N802
        """Number to lock."""
        return len(HEADERS)

    def data(self, index: QModelIndex, role: int = 0) -> Any:  # noqa: ANN401  # Qt's
        """Words for eyes and ears."""
        row, column = self.listed[index.row()], index.column()
        if isinstance(row, GroupRow):
            return _heading(row, column, role)
        words = {
            NUMBER: str(row.value), COLOR: row.color, NAME: row.name, ML: row.ml,
            SLICES: row.slices, EYE: "shown" if row.visible else "hidden",
            LOCK: "locked" if row.locked else "not locked",
        }[column]  # fmt: skip
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole}:
            return words
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{row.name}, {SPOKEN[column]}: {words}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row, column)
        return None

    def headerData(self, section: int, way: Qt.Orientation, role: int = 0) -> Any:  # noqa: N802, ANN401
        """Column names; numbers stand over their column's right edge."""
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADERS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if section in {ML, SLICES} else Qt.AlignmentFlag(1)
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """A name can be edited."""
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        fixed = index.column() != NAME or self.read_only or self.segment_at(index) is None
        return plain if fixed else plain | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: QModelIndex, value: str, role: int = 2) -> bool:  # noqa: N802
        """Ask for a new name; the row changes once the segmentation has."""
        row = self.segment_at(index)
        if role != Qt.ItemDataRole.EditRole or index.column() != NAME or row is None:
            return False
        if value.strip() and value.strip() != row.name:
            self.renamed.emit(row.value, value.strip())
        return True

    def _tip(self, row: SegmentRow, column: int) -> str:
        return {
            COLOR: "Choose a colour",
            EYE: f"{'Hide' if row.visible else 'Show'} {row.name}   Alt+click shows only this",
            LOCK: f"{'Unlock' if row.locked else 'Lock'} {row.name}   K",
        }.get(column) or row_tip(row, self.detail_of(row.value))


def _key(row: Listed) -> tuple[str, int]:
    return ("group", row.group) if isinstance(row, GroupRow) else ("segment", row.value)


def _heading(row: GroupRow, column: int, role: int) -> str | None:
    if role == Qt.ItemDataRole.DisplayRole:
        return {NAME: row.name, SLICES: str(row.count)}.get(column, "")
    if role == Qt.ItemDataRole.AccessibleTextRole:
        return f"{row.name}, {row.count} segments, {'folded' if row.folded else 'open'}"
    if role == Qt.ItemDataRole.ToolTipRole:
        return "Segments of different groups may overlap. A click folds"
    return None
