"""Views side by side in Qt's own splitter, with as narrow a gap as ours."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSplitter, QSplitterHandle, QWidget

from napari_medlabel.ui.planes.tiling import GAP_PX

__all__ = ["split"]


class _Handle(QSplitterHandle):
    """Between views, over none: Qt's own reaches over its neighbours, and all of it is painted."""

    def resizeEvent(self, _event: object) -> None:  # noqa: N802  # Qt's
        """Stay as narrow as the gap."""


class _Splitter(QSplitter):
    """Views side by side."""

    def createHandle(self) -> QSplitterHandle:  # noqa: N802  # Qt's
        """What is dragged between two views."""
        return _Handle(self.orientation(), self)


def split(way: Qt.Orientation, parts: Sequence[QWidget], weights: Sequence[int] = ()) -> QSplitter:
    """Views side by side, with a gap that can be dragged."""
    splitter = _Splitter(way)
    splitter.setHandleWidth(GAP_PX)
    splitter.setChildrenCollapsible(False)
    for n, part in enumerate(parts):
        splitter.addWidget(part)
        splitter.setStretchFactor(n, weights[n] if weights else 1)
        part.show()
    splitter.setSizes([1000] * len(parts))
    return splitter
