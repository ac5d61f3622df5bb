"""The dock: it shows what lies on the desk, in itself and in the page over the canvas."""

from pathlib import Path
from typing import Any

from napari import Viewer
from napari.settings import get_settings
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QStackedWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from napari_medlabel import commands
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.ui import theme
from napari_medlabel.ui._napari_compat import canvas_area, is_gone, main_window
from napari_medlabel.ui.action_windows import ActionWindows
from napari_medlabel.ui.annotate_tab import AnnotateTab
from napari_medlabel.ui.annotation_links import link_annotations
from napari_medlabel.ui.annotations.list_state import AnnotationsState
from napari_medlabel.ui.assist.links import link_assist, link_kept
from napari_medlabel.ui.binding import binding_problem
from napari_medlabel.ui.computer import Computer
from napari_medlabel.ui.deface.links import DefaceLinks
from napari_medlabel.ui.deface.tab import DefaceTab
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.docking import dock_left, set_dock_style
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.export_tab import ExportTab, ExportWish
from napari_medlabel.ui.gate_state import GateLook
from napari_medlabel.ui.geometry_dialog import GeometryDialog
from napari_medlabel.ui.keys import Keys
from napari_medlabel.ui.overlay_links import link_overlay
from napari_medlabel.ui.page import Page
from napari_medlabel.ui.segment_windows import SegmentWindows
from napari_medlabel.ui.start_page import NothingOpen
from napari_medlabel.ui.starting import link_starting
from napari_medlabel.ui.state import RecentRow, SeriesRow, VolumeRow, case_report, row_report
from napari_medlabel.ui.warming import leave_alone_what_stays, warm_up
from napari_medlabel.ui.widgets import BusyView, ErrorView, button, column, dress, line
from napari_medlabel.ui.work import share_quickly
from napari_medlabel.ui.workplace import Workplace
from napari_medlabel.ui.workplace_state import kept_rows

__all__ = ["ANNOTATE", "DEFACE", "EXPORT", "MedlabelPanel"]

ANNOTATE, DEFACE, EXPORT = range(3)  # the tabs
_TABS = ("annotate-tab", "deface-tab", "export-tab")  # actions
TELL_MS = 15  # changes within this time are shown at once
CHECKS = ("engine", "disk", "workspace", "compressed DICOM")


class MedlabelPanel(QWidget):
    """The dock "Medlabel".

    Parameters
    ----------
    viewer
        The napari viewer it works in.
    session
        Who works, in which workspace.
    """

    def __init__(self, viewer: Viewer, session: Session) -> None:
        super().__init__()
        self.setObjectName("medlabel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAcceptDrops(True)
        self.viewer = viewer
        self.desk = Desk(viewer, session, self)
        self.annotate, self.deface, self.export = AnnotateTab(), DefaceTab(), ExportTab()
        self.nothing, self.error = NothingOpen(), ErrorView()
        self.busy = BusyView()
        self.page = Page(canvas_area(viewer), self.desk.advice)
        self.report = GeometryDialog(main_window(viewer))
        self._gate = GateLook(session, self.desk.fail)
        self._keys = Keys(viewer, self.desk)
        self.action_windows = ActionWindows(main_window(viewer), self._keys, self.desk)
        self.segment_windows = SegmentWindows(main_window(viewer), self.annotate, self.desk)
        self.deface_links = DefaceLinks(main_window(viewer), self.deface, self.desk, self._ask)
        self._tab = ANNOTATE
        self._recent: tuple[RecentRow, ...] | None = None
        self._computer = Computer(session, self)
        self._reported: object = None  # whose report is shown
        self._dressed: Workplace | None = None  # in the theme of now
        self._shut = False
        self._warned = False  # that closing now loses a stroke
        self._lay_out()
        self._connect()
        self._tell = QTimer(self)
        self._tell.setSingleShot(True)
        self._tell.setInterval(TELL_MS)
        self._tell.timeout.connect(self.show_state)
        self.desk.changed.connect(self._tell_soon)
        self.desk.error = binding_problem()
        self.dress()
        self.show_state()
        leave_alone_what_stays()
        self._warming = warm_up()

    def sizeHint(self) -> object:  # noqa: N802  # Qt's
        """As wide as the design has it."""
        hint = super().sizeHint()
        hint.setWidth(self._tokens.px(304))
        return hint

    # What it shows

    def show_state(self) -> None:
        """Show what lies on the desk."""
        if self._shut:
            return
        desk, place = self.desk, self.desk.place
        drawing = desk.drawing
        asks = bool(drawing and (drawing.assist.answering or drawing.deface.busy))
        reading = asks or bool(drawing and (drawing.loading or drawing.second.state.busy))
        share_quickly(on=desk.busy is not None or reading)
        wanted = not self.viewer.layers or place == "series" or desk.busy is not None
        covered = drawing is None and wanted
        self.page.setVisible(covered)
        self.nothing.open.setVisible(not covered)  # the page has it
        if not covered:
            self.page.first.hide()
        if covered:
            self.page.show_place(series=place == "series")
            self.page.series.set_rows(desk.found, desk.skipped)
            self.page.series.set_pictures(desk.pictures.drawn)
            if place == "start":
                self._show_start(desk.recent())
            self.page.raise_()
        if desk.workplace is not self._dressed:
            self._dressed = desk.workplace
            if desk.workplace is not None:
                desk.workplace.set_style(self._sheet, self._tokens)
        if self._reported not in (drawing, *desk.found):
            self.report.close()
        self._show_notes(covered=covered)
        self._body.setCurrentWidget(self._shown_tab(drawing))
        for n, made in enumerate(self._tabs):
            made.setChecked(n == self._tab)
        self._show_deface(drawing)
        if drawing is None:
            self.export.set_case(None, ())
            self.export.set_gate(self._gate.of(None, shown=False))
            self.annotate.annotations.set_state(AnnotationsState())  # it held on to the case
        else:
            state = drawing.state
            self.annotate.set_state(state)
            self.annotate.annotations.set_state(drawing.annotations.state)
            self.annotate.overlay.set_state(drawing.second.state)
            self.annotate.assist.set_state(drawing.assist.state)
            self.annotate.kept.set_rows(kept_rows(drawing.case, drawing.proposals))
            self.export.set_case(state.card, state.rows)
            looked_at = self._body.currentWidget() is self.export
            self.export.set_gate(self._gate.of(drawing.case, shown=looked_at))
            self.export.set_dicom(on=drawing.case.volume.source.format == "dicom")

    def _shown_tab(self, drawing: Drawing | None) -> QWidget:
        """Export can be looked at without a case; the others say what this computer can do."""
        if self._tab == EXPORT:
            return self.export
        if drawing is None:
            return self.nothing
        return self.deface if self._tab == DEFACE else self.annotate

    def _show_deface(self, drawing: Drawing | None) -> None:
        self.deface_links.look(drawing)
        if drawing is not None:
            drawing.deface.show(on=self._tab == DEFACE)
            if self._tab == DEFACE:
                self.deface.set_state(drawing.deface.state)
                self.deface.set_notes(drawing.state)

    def _show_start(self, recent: tuple[RecentRow, ...]) -> None:
        self.page.start.set_recent(recent)
        if recent != self._recent:
            self._recent = recent
            self._computer.look()

    def _show_computer(self, found: list[dict[str, Any]]) -> None:
        checks = [check for check in found if check["name"] in CHECKS]
        self.nothing.set_checks(checks, self._tokens)

    def _show_notes(self, *, covered: bool) -> None:
        desk = self.desk
        shown, other = (self.page, self) if covered else (self, self.page)
        other.error.dismiss()
        other.busy.hide()
        if desk.error is None:
            shown.error.dismiss()
        elif desk.error != shown.error.shown:
            shown.error.show_error(desk.error)
        if desk.busy is None or self.export.busy.isVisibleTo(self.export):
            shown.busy.hide()
        else:
            shown.busy.show_progress(desk.busy.title, desk.busy.done, desk.busy.total)

    def dress(self) -> None:
        """Take napari's theme and font size."""
        points = float(get_settings().appearance.font_size)
        self._tokens = theme.tokens_for(self.viewer.theme, points)
        sheet = theme.style_sheet(self._tokens)
        for part in (self, self.page):
            part.setStyleSheet(sheet)
            dress(part, self._tokens)
        set_dock_style(self.viewer, self, self._tokens)
        self.report.set_style(sheet, self._tokens)
        self._sheet = sheet
        self.action_windows.set_style(sheet, self._tokens)
        self.segment_windows.set_style(sheet, self._tokens)
        self.deface_links.set_style(sheet, self._tokens)
        if self.desk.workplace is not None:
            self.desk.workplace.set_style(sheet, self._tokens)

    def choose_tab(self, number: int) -> None:
        """Show `ANNOTATE`, `DEFACE` or `EXPORT`."""
        self._tab = number
        self.show_state()

    def _go_to(self, action_id: str) -> None:
        if action_id in _TABS:
            self.choose_tab(_TABS.index(action_id))

    # What a person asks for

    def open_folder(self) -> None:
        """Ask for a folder; napari's own dialog would remember its name."""
        self._ask(QFileDialog.FileMode.Directory, "Open a study", self.desk.scan)

    def open_file(self) -> None:
        """Ask for a file."""
        self._ask(QFileDialog.FileMode.ExistingFile, "Open a file", self.desk.scan)

    def show_row_report(self, shown: SeriesRow, volume: VolumeRow) -> None:
        """Show the geometry report of a volume that is not open."""
        self._reported = shown
        self.report.show_report(row_report(shown, volume), self.page.parentWidget())

    def _show_case_report(self, drawing: Drawing) -> None:
        self._reported = drawing
        self.report.show_report(case_report(drawing.case), self.page.parentWidget())

    def _show_problem(self, drawing: Drawing) -> None:
        """The report, and the first slice that it names."""
        self._show_case_report(drawing)
        self.report.jump_to_first()

    def shut(self) -> None:
        """The window goes: close the case, take the page and keys away."""
        if self._shut:
            return
        self._shut = True
        self._tell.stop()
        share_quickly(on=False)
        self.action_windows.remove()
        self.segment_windows.remove()
        self.deface_links.remove()
        self._keys.remove()
        self.desk.shut()
        self.page.deleteLater()
        self.report.close()
        self.report.deleteLater()

    def showEvent(self, event: object) -> None:  # noqa: N802
        """Stand at the left, with napari's own docks behind."""
        super().showEvent(event)
        QTimer.singleShot(0, self._stand)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """See the window go: only once it is really gone, since napari may ask first.

        With a stroke that cannot be saved it stays the first time, and says why.
        """
        if event.type() == QEvent.Type.Close and not self._shut:
            if not self._warned and not self.desk.settle():
                self._warned = True
                event.ignore()
                return True
            QTimer.singleShot(0, self._look_whether_gone)
        return bool(super().eventFilter(watched, event))

    def dragEnterEvent(self, event: object) -> None:  # noqa: N802
        """Something is held over the dock."""
        self.page.start.drop.dragEnterEvent(event)

    def dropEvent(self, event: object) -> None:  # noqa: N802
        """It was let go here."""
        self.page.start.drop.dropEvent(event)

    # How

    def _lay_out(self) -> None:
        self._tabs = [
            button("Annotate", lambda: self.choose_tab(ANNOTATE), kind="tab"),
            button("Deface", lambda: self.choose_tab(DEFACE), kind="tab"),
            button("Export", lambda: self.choose_tab(EXPORT), kind="tab"),
        ]
        tabs = QHBoxLayout()
        tabs.setContentsMargins(10, 0, 10, 0)
        tabs.setSpacing(8)
        for made in self._tabs:
            made.setCheckable(True)
            tabs.addWidget(made)
        tabs.addStretch(1)
        self._body = QStackedWidget()
        for part in (self.nothing, self.annotate, self.deface, self.export):
            self._body.addWidget(part)
        notes = column(self.busy, self.error, gap=8, margins=(12, 0, 12, 0))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(tabs)
        layout.addWidget(line())
        layout.addWidget(notes)
        layout.addWidget(self._body, 1)

    def _connect(self) -> None:
        desk, page = self.desk, self.page
        for opener in (page.start.drop.folder_wanted, self.nothing.folder_wanted):
            opener.connect(self.open_folder)
        page.start.drop.file_wanted.connect(self.open_file)
        page.start.drop.dropped.connect(desk.scan)
        page.start.case_wanted.connect(desk.open_case)
        page.start.demo_wanted.connect(desk.open_demo)
        page.series.wanted.connect(desk.open_row)
        page.series.chosen.connect(desk.pictures.draw)
        page.series.offer_taken.connect(desk.take)
        page.series.undone.connect(desk.take_back)
        page.series.report_wanted.connect(self.show_row_report)
        page.series.back_wanted.connect(desk.forget_found)
        for part in (page, self):
            part.busy.cancelled.connect(desk.cancel)
            part.error.dismissed.connect(desk.dismiss)
        self._connect_annotate()
        self.export.wanted.connect(self._export)
        self.export.folder_wanted.connect(
            lambda: self._ask(QFileDialog.FileMode.Directory, "Export to", self.export.set_folder)
        )
        desk.asked.connect(self.action_windows.ask)
        self._computer.known.connect(self._show_computer)
        self.action_windows.asked.connect(self.segment_windows.ask)
        self.action_windows.asked.connect(self._go_to)
        self.export.clearing_wanted.connect(lambda: self.choose_tab(DEFACE))
        desk.act_on(self.export.through_wanted, self._let_through)
        self.export.originals_wanted.connect(
            lambda: self._ask(
                QFileDialog.FileMode.Directory, "Original images", self.export.set_originals
            )
        )
        desk.slice_read.connect(page.show_first_slice)
        desk.blocked.connect(lambda words: QToolTip.showText(QCursor.pos(), words))
        self.viewer.events.theme.connect(self._dress_soon)
        get_settings().appearance.events.font_size.connect(self._dress_soon)
        self.viewer.layers.events.inserted.connect(self._tell_soon)
        self.viewer.layers.events.removed.connect(self._tell_soon)
        main_window(self.viewer).installEventFilter(self)
        QApplication.instance().aboutToQuit.connect(self.shut)

    def _connect_annotate(self) -> None:
        tab, table, desk = self.annotate, self.annotate.table, self.desk
        tab.close_pressed.connect(desk.close_case)
        tab.loading_cancelled.connect(desk.close_case)
        desk.act_on(tab.card.report_wanted, self._show_case_report)
        desk.act_on(tab.card.problem_wanted, self._show_problem)
        desk.act_on(
            self.report.jump_wanted,
            lambda drawing, to: drawing.looking.show_slice(to.axis, to.index),
        )
        desk.act_on(tab.segment_added, lambda drawing: drawing.add_segment())
        tools, mask = tab.tools, tab.mask
        desk.act_on(tools.tool_chosen, lambda drawing, tool: drawing.tools.set_tool(tool))
        desk.act_on(tools.option_changed, lambda drawing, *told: drawing.tools.set_option(*told))
        desk.act_on(tools.action_wanted, lambda drawing, action: drawing.tools.press(action))
        desk.act_on(mask.switched, lambda drawing, on: drawing.tools.set_mask(on=on))
        desk.act_on(
            mask.range_changed, lambda drawing, *limits: drawing.tools.set_mask(limits=limits)
        )
        desk.act_on(mask.inverted, lambda drawing, on: drawing.tools.set_mask(outside=on))
        desk.act_on(mask.around_changed, lambda drawing, by: drawing.tools.set_around(by))
        desk.act_on(mask.reset_wanted, lambda drawing: drawing.tools.reset_mask())
        link_annotations(tab.annotations, desk)
        link_assist(tab.assist, desk)
        link_kept(tab.kept, desk)
        link_overlay(tab.overlay, desk, self._ask)
        link_starting(tab.start, self.action_windows, desk)
        desk.act_on(tab.window_chosen, lambda drawing, window: drawing.set_window(window))
        desk.act_on(tab.recolored, lambda drawing, value, color: drawing.recolor(value, color))
        desk.act_on(tab.deleted, lambda drawing, value: drawing.delete(value))
        desk.act_on(table.picked, lambda drawing, value: drawing.pick(value))
        desk.act_on(table.renamed, lambda drawing, value, name: drawing.rename(value, name))
        desk.act_on(
            table.eye_clicked, lambda drawing, value, only: drawing.toggle_eye(value, only=only)
        )
        desk.act_on(table.lock_clicked, lambda drawing, value: drawing.toggle_lock(value))

    def _export(self, wish: ExportWish) -> None:
        def write(case: OpenCase) -> object:
            return commands.export_case(
                self.desk.session, case, wish.folder, name=wish.name, formats=wish.formats,
                force=wish.force, onto=wish.onto, originals=wish.originals,
            )  # fmt: skip

        self.export.set_busy("Writing and reading back")
        self.desk.export(write, self.export.show_result, lambda: self.export.set_busy(""))

    def _let_through(self, drawing: Drawing, why: str) -> None:
        self._gate.let_through(drawing.case, why)
        self.show_state()

    def _ask(self, mode: QFileDialog.FileMode, title: str, then: object) -> None:
        dialog = QFileDialog(self, title)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(mode)
        dialog.setHistory([])
        if mode == QFileDialog.FileMode.Directory:
            dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=True)
        dialog.fileSelected.connect(lambda name: then(Path(name)))  # type: ignore[operator]
        dialog.open()

    def _tell_soon(self, _event: object = None) -> None:
        if not self._shut and not self._tell.isActive():
            self._tell.start()

    def _dress_soon(self, _event: object = None) -> None:
        if not self._shut:  # napari's settings outlive every window
            QTimer.singleShot(0, self, self.dress)

    def _stand(self) -> None:
        if not self._shut:
            dock_left(self.viewer, self, self._tokens)

    def _look_whether_gone(self) -> None:
        if is_gone(self.viewer):
            self.shut()
