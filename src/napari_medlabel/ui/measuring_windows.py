"""Statistics and comparison of the open case: computed beside the window, shown over the image."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel import commands
from napari_medlabel.commands import CaseComparison
from napari_medlabel.errors import GeometryError, MedlabelError
from napari_medlabel.ui.compare_window import CompareWindow, difference_overlay
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.file_window import ask_for_file
from napari_medlabel.ui.planes.spans import Span
from napari_medlabel.ui.sight import Overlay
from napari_medlabel.ui.state import ErrorCard, error_card, without_places
from napari_medlabel.ui.statistics_state import AxisLine
from napari_medlabel.ui.statistics_window import StatisticsWindow
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.versions_state import version_choices
from napari_medlabel.ui.window_part import OneJob
from napari_medlabel.ui.work import Report

__all__ = ["Comparing", "Statistics"]

Stop = Callable[[], bool]
MASKS = "Masks (*.nii *.nii.gz *.nrrd *.mha *.mhd *.dcm *.zip)"
TABLES = "Tables (*.csv *.json)"


class Statistics(QObject):
    """The window "Statistics"; a `WindowPart`."""

    def __init__(self, frame: QWidget, desk: Desk) -> None:
        super().__init__(desk)
        self._frame, self._desk = frame, desk
        self._on: Drawing | None = None
        self.window = StatisticsWindow(frame)
        window = self.window
        self._work = OneJob(
            self, busy=window.show_busy, over=window.end_busy, failed=window.show_error
        )
        window.measure_wanted.connect(self._measure)
        window.cancelled.connect(self._work.cancel)
        window.followed.connect(self._follow)
        window.save_wanted.connect(self._ask_where)
        window.gone.connect(self._gone)
        self.opens: Mapping[str, Callable[[], None]] = {"statistics": self._open}

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none."""
        self._work.cancel()
        self._on = None
        self.window.forget()
        self.window.close()
        self._on = drawing

    def changed(self) -> None:
        """The numbers are those of before."""
        self.window.set_stale(on=True)

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.window.set_style(sheet, tokens)

    def remove(self) -> None:
        """The window goes."""
        self.look(None)
        self.window.deleteLater()

    # How

    def _open(self) -> None:
        self.window.open_up()
        if not self._work.running and (self.window.document is None or self.window.is_stale):
            self._measure()

    def _measure(self) -> None:
        drawing = self._on
        if drawing is None:
            return

        def task(progress: Report, cancelled: Stop) -> dict[str, Any]:
            return commands.case_statistics(
                drawing.session, drawing.case, cancelled=cancelled, progress=progress
            )

        self._work.run("Measuring", task, self.window.show_document)

    def _follow(self, line: AxisLine) -> None:
        if self._on is not None:
            self._on.sight.move_to(line.middle)
            self._on.sight.show_spans(Span(line.begin, line.end, line.words))

    def _ask_where(self) -> None:
        ask_for_file(
            self.window, "Save statistics", self._save, files=TABLES, save_as="csv"
        )  # fmt: skip

    def _save(self, path: Path) -> None:
        document = self.window.document
        if document is None:
            return
        try:
            commands.write_statistics(self._desk.session, document, path, force=True)
        except MedlabelError as error:
            self.window.show_error(without_places(error_card(error), path))
        else:
            self.window.say("Saved")

    def _gone(self) -> None:
        self._work.cancel()
        if self._on is not None:
            self._on.sight.show_spans()


class Comparing(QObject):
    """The window "Compare"; a `WindowPart`."""

    def __init__(self, frame: QWidget, desk: Desk) -> None:
        super().__init__(desk)
        self._frame, self._desk = frame, desk
        self._on: Drawing | None = None
        self._difference: Overlay | None = None
        self._before: Overlay | None = None  # what lay over the image
        self._shown: Overlay | None = None
        self.window = CompareWindow(frame)
        window = self.window
        self._work = OneJob(
            self, busy=window.show_busy, over=window.end_busy, failed=window.show_error
        )
        window.compare_wanted.connect(self.with_version)
        window.file_wanted.connect(self._ask_which)
        window.cancelled.connect(self._work.cancel)
        window.difference_switched.connect(self._show_difference)
        window.gone.connect(self._gone)
        self.opens: Mapping[str, Callable[[], None]] = {"compare": self._open}

    def look(self, drawing: Drawing | None) -> None:
        """Another case is open, or none."""
        self.window.close()
        self._on, self._difference = drawing, None
        self.window.forget()

    def changed(self) -> None:
        """What is compared is the case as it was then; nothing more to say."""

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        self.window.set_style(sheet, tokens)

    def remove(self) -> None:
        """The window goes."""
        self.look(None)
        self.window.deleteLater()

    def with_version(self, number: int) -> None:
        """Compare with a version."""
        self._open(number)
        self._compare(number, f"version {number}")

    # How

    def _open(self, chosen: int = 0) -> None:
        if self._on is None:
            return
        try:
            found = commands.versions(self._desk.session, self._on.case)["versions"]
        except MedlabelError as error:
            self.window.show_error(error_card(error))
            found = []
        now = datetime.now().astimezone()
        self.window.set_versions(version_choices(found, now), chosen)
        self.window.open_up()

    def _ask_which(self) -> None:
        ask_for_file(
            self.window, "Compare with a mask", lambda path: self._compare(path, "the mask file"),
            files=MASKS,
        )  # fmt: skip

    def _compare(self, other: Path | int, words: str, *, resample: bool = False) -> None:
        drawing = self._on
        if drawing is None:
            return
        self._hide_difference()

        def task(progress: Report, cancelled: Stop) -> tuple[CaseComparison, Overlay]:
            answer = commands.compare_case(
                drawing.session, drawing.case, other, resample=resample, cancelled=cancelled,
                progress=progress,
            )  # fmt: skip
            return answer, difference_overlay(answer)

        def done(found: tuple[CaseComparison, Overlay]) -> None:
            answer, self._difference = found
            self.window.show_answer(answer, words)

        def refused(error: MedlabelError, card: ErrorCard) -> bool:
            if resample or not isinstance(error, GeometryError):
                return False
            again = partial(self._compare, other, words, resample=True)
            self.window.offer_resampling(card.title, again)
            return True

        place = other if isinstance(other, Path) else None
        self._work.run("Comparing", task, done, refused, place)

    def _show_difference(self, on: bool) -> None:  # noqa: FBT001  # Qt's
        if not on:
            self._hide_difference()
        elif self._on is not None and self._difference is not None:
            sight = self._on.sight
            self._before, self._shown = sight.overlay, self._difference
            sight.show_overlay(self._shown)

    def _hide_difference(self) -> None:
        """Let lie over the image what lay there, unless somebody has put something else there."""
        shown, self._shown = self._shown, None
        if self._on is not None and shown is not None and self._on.sight.overlay is shown:
            self._on.sight.show_overlay(self._before)
        self._before = None
        self.window.show_difference.setChecked(False)

    def _gone(self) -> None:
        self._work.cancel()
        self._hide_difference()
