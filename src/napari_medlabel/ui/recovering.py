"""A case that was left open by a crash: says what was restored, and shows it over the image."""

from collections.abc import Callable, Mapping

from qtpy.QtCore import QObject

from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.recovered_bar import RecoveredBar
from napari_medlabel.ui.recovered_state import Changed, changed_since, restored_words
from napari_medlabel.ui.sight import Overlay
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.window_part import OneJob
from napari_medlabel.ui.work import Report

__all__ = ["Recovering"]


class Recovering(QObject):
    """The bar "Restored to 14:22:07"; a `WindowPart`."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._on: Drawing | None = None
        self._desk = desk
        self._shown: Overlay | None = None
        self._before: Overlay | None = None
        self._style: tuple[str, Tokens] | None = None
        self.bar: RecoveredBar | None = None
        self._work = OneJob(
            self, busy=lambda _done, _of: None, over=lambda: None,
            failed=lambda card: self._say(card.title),
        )  # fmt: skip
        self.opens: Mapping[str, Callable[[], None]] = {}

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none: say what was restored of it."""
        self._leave()
        self._on = drawing
        words = "" if drawing is None else restored_words(drawing.case)
        if drawing is None or not words:
            return
        self.bar = RecoveredBar()
        self.bar.show_words(words)
        if self._style is not None:
            self.bar.set_style(*self._style)
        self.bar.show_wanted.connect(self._show)
        self.bar.dismissed.connect(self._leave)
        drawing.looking.room.add_above(self.bar)

    def changed(self) -> None:
        """What was restored is what was there when the case opened."""

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self._style = (sheet, tokens)
        if self.bar is not None:
            self.bar.set_style(sheet, tokens)

    def remove(self) -> None:
        """The window goes."""
        self.look(None)

    # How

    def _show(self, on: bool) -> None:  # noqa: FBT001  # Qt's
        drawing = self._on
        if drawing is None or self.bar is None:
            return
        if not on:
            self._hide()
            self.bar.show_changes_on(on=False)
            return
        seg, since = drawing.case.segmentation, drawing.case.hold.left_open_since

        def task(_progress: Report, cancelled: Callable[[], bool]) -> Changed | None:
            return changed_since(seg, since, cancelled)

        self._work.run("Looking for what changed", task, self._found)

    def _found(self, changed: Changed | None) -> None:
        drawing, bar = self._on, self.bar
        if drawing is None or bar is None:
            return
        if changed is None:
            bar.show_changes_on(on=False, words="Nothing was drawn since")
            return
        bar.show_changes_on(on=True, words=changed.words)
        if changed.where.any():
            self._before = drawing.sight.overlay
            self._shown = Overlay("Changed", changed.where, (0.0, 1.5), "magma", 0.7)
            drawing.sight.show_overlay(self._shown)
            drawing.looking.go_to_edit(changed.last)

    def _say(self, words: str) -> None:
        if self.bar is not None:
            self.bar.show_changes_on(on=False, words=words)

    def _hide(self) -> None:
        shown, self._shown = self._shown, None
        if self._on is not None and shown is not None and self._on.sight.overlay is shown:
            self._on.sight.show_overlay(self._before)
        self._before = None

    def _leave(self) -> None:
        self._work.cancel()
        self._hide()
        if self.bar is not None:
            bar, self.bar = self.bar, None
            bar.hide()
            bar.deleteLater()
