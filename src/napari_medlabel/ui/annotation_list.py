"""The list of measurements and annotations in the dock: each with its kind and what it measures."""

from functools import partial
from pathlib import Path
from typing import Final

from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QColorDialog, QFileDialog, QMenu, QVBoxLayout, QWidget

from napari_medlabel.core.annotation import KIND_WORDS
from napari_medlabel.core.schema import PALETTE
from napari_medlabel.ui.annotations.list_state import AnnotationRow, AnnotationsState
from napari_medlabel.ui.annotations.points_box import PointsBox
from napari_medlabel.ui.annotations.row_list import ListRow, RowList
from napari_medlabel.ui.widgets import IconButton, column, row, text

__all__ = ["AnnotationList"]

MOST: Final = 8
FILES: Final = "Annotations (*.annotations.json *.json)"
SUFFIX: Final = ".annotations.json"


class AnnotationList(QWidget):
    """Shows an `AnnotationsState`; its signals say what a person did to one, by its id.

    `head` is for the right of the section's title. `worth_showing` tells whether there is anything
    to show, or a tool in hand that would make it. `exported` and `imported` have the file that was
    chosen; those of `points` are of the chosen keypoints, with numbers of points and links.
    """

    picked = Signal(str)
    renamed = Signal(str, str)
    recolored = Signal(str, str)
    assigned = Signal(str, int)
    deleted = Signal(str)
    exported = Signal(object)
    imported = Signal(object)
    point_picked = Signal(str, int)
    point_renamed = Signal(str, int, str)
    point_seen = Signal(str, int, bool)
    point_deleted = Signal(str, int)
    linked = Signal(str, int, int)
    unlinked = Signal(str, int)
    worth_showing = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._state = AnnotationsState()
        self.list = RowList("Measurements", MOST)
        self.points = PointsBox()
        self._hint = text("Nothing measured yet. Click in the image.", tone="3", wrap=True)
        self._count = text(tone="3")
        self.bring = IconButton("import", "Import annotations", self._ask_import)
        self.save = IconButton("export", "Export annotations", self._ask_export)
        self.head = row(self._count, None, self.bring, self.save, gap=2)
        content = column(self.list, self._hint, self.points, gap=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(content)
        self._connect()
        self.set_state(self._state)

    def set_state(self, new: AnnotationsState) -> None:
        """Touch only what differs."""
        old, self._state = self._state, new
        if old is new and self.list.rows:
            return
        self.list.set_rows(
            [_row(one) for one in new.rows], new.chosen, new.words_of, read_only=new.read_only
        )
        self._count.setText(str(len(new.rows)) if new.rows else "")
        self._hint.setVisible(not new.rows)
        self.save.setEnabled(bool(new.rows))
        self.bring.setEnabled(not new.read_only)
        self.points.set_points(new.points, new.links, read_only=new.read_only)
        shown = bool(new.rows) or new.wanted
        if shown != (bool(old.rows) or old.wanted):
            self.worth_showing.emit(shown)

    def menu_of(self, annotation_id: str) -> QMenu | None:
        """What can be done to one; None of one that is not listed."""
        found = self._row_of(annotation_id)
        if found is None:
            return None
        menu, fixed = QMenu(self), self._state.read_only
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        changes = [
            menu.addAction("Rename\tF2", partial(self.list.rename, found.id)),
            menu.addAction("Colour\N{HORIZONTAL ELLIPSIS}", partial(self._choose_color, found)),
            self._segments(menu, found).menuAction(),
        ]
        menu.addSeparator()
        changes.append(menu.addAction("Delete\tDel", partial(self.deleted.emit, found.id)))
        for action in changes:
            action.setEnabled(not fixed)
        return menu

    # How

    def _connect(self) -> None:
        self.list.picked.connect(self.picked)
        self.list.renamed.connect(self.renamed)
        self.list.delete_wanted.connect(self.deleted)
        self.list.sign_clicked.connect(lambda name, _number: self.deleted.emit(name))
        self.list.color_clicked.connect(self._color_clicked)
        self.list.menu_wanted.connect(self._open_menu)
        points = self.points
        points.picked.connect(lambda n: self.point_picked.emit(self._state.chosen, n))
        points.renamed.connect(lambda n, name: self.point_renamed.emit(self._state.chosen, n, name))
        points.seen.connect(lambda n, on: self.point_seen.emit(self._state.chosen, n, on))
        points.deleted.connect(lambda n: self.point_deleted.emit(self._state.chosen, n))
        points.linked.connect(lambda a, b: self.linked.emit(self._state.chosen, a, b))
        points.unlinked.connect(lambda n: self.unlinked.emit(self._state.chosen, n))

    def _row_of(self, annotation_id: str) -> AnnotationRow | None:
        return next((one for one in self._state.rows if one.id == annotation_id), None)

    def _open_menu(self, annotation_id: str, where: QPoint) -> None:
        menu = self.menu_of(annotation_id)
        if menu is not None:
            menu.popup(where)

    def _segments(self, menu: QMenu, found: AnnotationRow) -> QMenu:
        """What it may belong to."""
        inner = menu.addMenu("Belongs to")
        for value, name, color in ((0, "No segment", ""), *self._state.segments):
            action = inner.addAction(name, partial(self.assigned.emit, found.id, value))
            if color:
                square = QPixmap(12, 12)
                square.fill(color)
                action.setIcon(QIcon(square))
            action.setCheckable(True)
            action.setChecked(value == found.segment)
        return inner

    def _color_clicked(self, annotation_id: str) -> None:
        found = self._row_of(annotation_id)
        if found is not None and not self._state.read_only:
            self._choose_color(found)

    def _choose_color(self, found: AnnotationRow) -> None:
        dialog = QColorDialog(QColor(found.color), self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setWindowTitle(f"Colour of {found.name}")
        for n, color in enumerate(PALETTE):
            QColorDialog.setCustomColor(n, QColor(color))
        dialog.colorSelected.connect(lambda color: self.recolored.emit(found.id, color.name()))
        dialog.open()

    def _ask_export(self) -> None:
        dialog = self._dialog("Export annotations", QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(SUFFIX.removeprefix("."))
        dialog.selectFile(f"measurements{SUFFIX}")
        dialog.fileSelected.connect(lambda name: self.exported.emit(Path(name)))
        dialog.open()

    def _ask_import(self) -> None:
        dialog = self._dialog("Import annotations", QFileDialog.AcceptMode.AcceptOpen)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self.imported.emit(Path(name)))
        dialog.open()

    def _dialog(self, title: str, mode: QFileDialog.AcceptMode) -> QFileDialog:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(mode)
        dialog.setNameFilter(FILES)
        dialog.setHistory([])
        return dialog


def _row(one: AnnotationRow) -> ListRow:
    where = KIND_WORDS[one.kind] if one.place == KIND_WORDS[one.kind] else (
        f"{KIND_WORDS[one.kind]}. {one.place}"
    )  # fmt: skip
    return ListRow(
        one.id, one.name, f"{where}\nClick to go there, double click to rename", one.kind,
        one.color, (("cross", "Delete"),),
    )  # fmt: skip
