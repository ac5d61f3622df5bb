"""One series of the table: picture, volumes to choose from, problems, and what can be done."""

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QImage, QKeyEvent, QMouseEvent, QPixmap
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel

from napari_medlabel.ui.advice import Advice
from napari_medlabel.ui.chip_button import ChipButton
from napari_medlabel.ui.offers_view import OffersView
from napari_medlabel.ui.quantity_list import QuantityList
from napari_medlabel.ui.state import SeriesRow, VolumeRow
from napari_medlabel.ui.theme import DARK, Tokens
from napari_medlabel.ui.volume_list import VolumeList
from napari_medlabel.ui.widgets import (
    IconButton,
    IconLabel,
    badge,
    button,
    chip,
    column,
    dress,
    restyle,
    row,
    text,
)

__all__ = ["SeriesCard"]

PICTURE = 72


class SeriesCard(QFrame):
    """A series; a click or Enter opens the volume that is chosen, in the quantity that is chosen.

    Its signals have the row and the volume: `wanted` to open it, with its values as they are
    wanted; `chosen` when another one was chosen, `report_wanted`; `offer_taken` has the row and
    the offer, `undone` the row.
    """

    wanted = Signal(object, object)
    chosen = Signal(object, object)
    report_wanted = Signal(object, object)
    offer_taken = Signal(object, object)
    undone = Signal(object)

    def __init__(self, shown: SeriesRow, advice: Advice) -> None:
        super().__init__()
        self.setProperty("role", "row")
        self.shown, self.volume = shown, shown.first
        self._advice = advice
        self._tokens: Tokens = DARK
        self._pictured: VolumeRow | None = None
        self._picture = badge(shown.modality, PICTURE)
        self._refused = chip("Cannot be opened", "error")
        self._line = text(tone="2", wrap=True)
        self._why = text(tone="2", wrap=True)
        self._why_row = row(gap=6)
        sign = IconLabel("error", "error", 15)
        self._why_row.layout().addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        self._why_row.layout().addWidget(self._why, 1)
        self.warning = ChipButton("warn", self._report)
        self.offers: OffersView | None = None
        self.list = VolumeList(shown.volumes, self.volume) if len(shown.volumes) > 1 else None
        self.quantity = QuantityList()
        self.quantity.chosen.connect(self._choose_quantity)
        self._turned: tuple[SeriesRow, VolumeRow] = (shown, self.volume)  # as it would be opened
        self.report = IconButton("note", "Geometry report", self._report)
        self.opener = button("Open", self._open)
        self.opener.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._lay_out()
        self.show_volume(self.volume)

    def show_volume(self, volume: VolumeRow) -> None:
        """Show another of its volumes."""
        self.volume = volume
        self._turned = (self.shown, volume)
        self.quantity.set_quantities(self._advice.quantities(self.shown, volume))
        usable = volume.usable
        self._refused.setVisible(not usable)
        self._line.setText(volume.line)
        self._why.setText(volume.why_not)
        self._why_row.setVisible(not usable)
        several = "\n".join(problem.what for problem in volume.problems)
        alone = not usable and len(volume.problems) <= 1  # said in full already
        self.warning.show_words("" if alone else volume.warning, several)
        self.report.setVisible(bool(volume.report or volume.problems))
        self.opener.setVisible(usable)
        self._show_offers()
        policy = Qt.FocusPolicy.StrongFocus if usable else Qt.FocusPolicy.NoFocus
        self.setFocusPolicy(policy)
        self.setCursor(Qt.CursorShape.PointingHandCursor if usable else Qt.CursorShape.ArrowCursor)
        restyle(self, usable=str(usable).lower())
        words = (self.shown.title, self.shown.modality, volume.name, volume.line, volume.why_not)
        verb = "Open" if usable else "Cannot open"
        self.setAccessibleName(f"{verb} {', '.join(word for word in words if word)}")

    def show_picture(self, volume: VolumeRow, pixels: npt.NDArray[np.uint8]) -> None:
        """Show the middle slice of a volume, if it is the one that is chosen; once is enough."""
        if volume is self.volume and self._pictured is not volume:
            self._pictured = volume
            _put(self._picture, pixels)

    def set_tokens(self, tokens: Tokens) -> None:
        """Remember the theme for what comes later."""
        self._tokens = tokens

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's
        """A click anywhere opens it."""
        if self.rect().contains(event.pos()) and event.button() == Qt.MouseButton.LeftButton:
            self._open()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """So does Enter, unless it is meant for a button or field of an offer."""
        mine = self.window().focusWidget() in {None, self, self.list, self.quantity.list}
        if mine and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._open()
        else:
            event.ignore()

    # How

    def _lay_out(self) -> None:
        shown = self.shown
        title = row(text(shown.title, role="strong"), chip(shown.modality), self._refused, None)
        self._words = column(title, gap=4)
        if self.list is not None:
            self.list.chosen.connect(self._choose)
            choice = row(self.list, text(shown.counts, tone="3", wrap=True))
            choice.layout().setStretch(1, 1)
            self._words.layout().addWidget(choice)
        self._words.layout().addWidget(self.quantity)
        for part in (self._line, self._why_row, self.warning):
            self._words.layout().addWidget(part)
        if shown.found is not None:
            back = button("Back to the series as it was found", self._undo, kind="link")
            self._words.layout().addWidget(row(back, None))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 8)
        layout.setSpacing(14)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._words, 1, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(row(self.report, self.opener, gap=6), 0, Qt.AlignmentFlag.AlignTop)

    def _show_offers(self) -> None:
        if self.offers is not None:
            self._words.layout().removeWidget(self.offers)
            self.offers.deleteLater()
            self.offers = None
        turned = self._turned
        offered = self._advice.offers(*turned)
        if offered:
            made = OffersView(offered, lambda asked: self._advice.offer(*turned, asked))
            made.wanted.connect(lambda offer: self.offer_taken.emit(self.shown, offer))
            self._words.layout().addWidget(made)
            dress(made, self._tokens)
            self.offers = made

    def _choose(self, volume: VolumeRow) -> None:
        if self._pictured is not None:
            self._picture.clear()
            self._picture.setText(self.shown.modality)
            self._pictured = None
        self.show_volume(volume)
        self.chosen.emit(self.shown, volume)

    def _choose_quantity(self, quantity: str) -> None:
        made = self._advice.in_quantity(self.shown, self.volume, quantity)
        self._turned = (made, made.volumes[self.volume.number])
        self._show_offers()

    def _open(self) -> None:
        if self.volume.usable:
            self.wanted.emit(*self._turned)

    def _report(self) -> None:
        self.report_wanted.emit(self.shown, self.volume)

    def _undo(self) -> None:
        self.undone.emit(self.shown)


def _put(label: QLabel, pixels: npt.NDArray[np.uint8]) -> None:
    grey = np.ascontiguousarray(pixels, np.uint8)
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    label.setPixmap(QPixmap.fromImage(image).scaled(PICTURE - 4, PICTURE - 4, keep, smooth))
