"""The points of a keypoints annotation and the links between them."""

from collections.abc import Sequence
from typing import Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_medlabel.ui.annotations.list_state import LinkRow, PointRow
from napari_medlabel.ui.annotations.row_list import ListRow, RowList
from napari_medlabel.ui.option_rows import ListBox
from napari_medlabel.ui.widgets import IconButton, IconLabel, column, row, text

__all__ = ["PointsBox"]

MOST: Final = 8
EYE, DELETE = 0, 1


class PointsBox(QWidget):
    """Names, sight and links; says what a person did, by numbers from 0."""

    picked = Signal(int)
    renamed = Signal(int, str)
    seen = Signal(int, bool)
    deleted = Signal(int)
    linked = Signal(int, int)
    unlinked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._points: tuple[PointRow, ...] = ()
        self._links: tuple[LinkRow, ...] = ()
        self.points = RowList("Points", MOST)
        self.links = RowList("Links", MOST)
        self.first = ListBox("Link from", "A link goes from this point")
        self.second = ListBox("Link to", "to this one")
        self.add = IconButton("plus", "Link these points", self._link)
        self.new_link = row(
            self.first, IconLabel("next", "text3", 12), self.second, self.add, gap=4
        )
        self._links_title = text("Links", tone="3")
        content = column(
            text("Points", tone="3"), self.points, 2, self._links_title, self.links, self.new_link,
            gap=2, margins=(8, 2, 0, 2),
        )  # fmt: skip
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(content)
        self.points.picked.connect(lambda name: self.picked.emit(int(name)))
        self.points.renamed.connect(lambda name, new: self.renamed.emit(int(name), new))
        self.points.delete_wanted.connect(lambda name: self.deleted.emit(int(name)))
        self.points.sign_clicked.connect(self._sign_clicked)
        self.links.sign_clicked.connect(lambda name, _n: self.unlinked.emit(int(name)))
        self.links.delete_wanted.connect(lambda name: self.unlinked.emit(int(name)))
        self.hide()

    def set_points(
        self, points: Sequence[PointRow], links: Sequence[LinkRow], *, read_only: bool
    ) -> None:
        """Show these; nothing is seen without a point."""
        fresh = tuple(points) != self._points
        self._points, self._links = tuple(points), tuple(links)
        self.points.set_rows([_point(n, one) for n, one in enumerate(points)], read_only=read_only)
        self.links.set_rows([_link(n, one) for n, one in enumerate(links)], read_only=read_only)
        if fresh:
            self._fill()
        linkable = len(points) > 1
        self._links_title.setVisible(linkable)
        self.new_link.setVisible(linkable and not read_only)
        self.setVisible(bool(points))

    def _fill(self) -> None:
        """Offer to link the last two: a skeleton is mostly drawn along."""
        names, last = [one.name for one in self._points], len(self._points) - 1
        for box, number in ((self.first, last - 1), (self.second, last)):
            box.clear()
            box.addItems(names)
            box.setCurrentIndex(max(number, 0))

    def _link(self) -> None:
        first, second = self.first.currentIndex(), self.second.currentIndex()
        if first >= 0 and second >= 0:
            self.linked.emit(first, second)

    def _sign_clicked(self, name: str, sign: int) -> None:
        number = int(name)
        if sign == EYE:
            self.seen.emit(number, not self._points[number].seen)
        else:
            self.deleted.emit(number)


def _point(number: int, one: PointRow) -> ListRow:
    eye = ("show", "It can be seen in the image") if one.seen else ("hidden", "It cannot be seen")
    spoken = "Double click to rename" if one.seen else "It cannot be seen. Double click to rename"
    return ListRow(
        str(number), one.name, spoken, "point", "", (eye, ("cross", "Delete"))
    )  # fmt: skip


def _link(number: int, one: LinkRow) -> ListRow:
    return ListRow(str(number), one.words, "", "link", "", (("cross", "Delete"),), fixed=True)
