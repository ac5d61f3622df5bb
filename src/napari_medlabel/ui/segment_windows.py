"""What stands around the segments of an open case: their codes, schemas and means."""

import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_medlabel import commands
from napari_medlabel.core.segmentation import Change
from napari_medlabel.errors import MedlabelError, ValueTaken
from napari_medlabel.ui import segment_doings as doings
from napari_medlabel.ui.annotate_tab import AnnotateTab
from napari_medlabel.ui.code_dialog import CodeDialog, Term, terms_of
from napari_medlabel.ui.desk import Desk
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.file_window import ask_for_file
from napari_medlabel.ui.importing_windows import Importing
from napari_medlabel.ui.measuring_windows import Comparing, Statistics
from napari_medlabel.ui.recovering import Recovering
from napari_medlabel.ui.segment_means import SegmentMeans
from napari_medlabel.ui.theme import Tokens
from napari_medlabel.ui.versions_windows import Versions
from napari_medlabel.ui.window_part import OneJob, WindowPart

__all__ = ["SegmentWindows"]

SCHEMA_FILES: Final = "Label schema (*.labels.json *.json)"
_SCHEMA_TOOL: Final = "Load schema"


class SegmentWindows(QObject):
    """Acts on what a person does in the Segments section, beyond picking and naming.

    Parameters
    ----------
    frame
        The window.
    tab
        Has the section.
    desk
        Has the case that is open.
    """

    def __init__(self, frame: QWidget, tab: AnnotateTab, desk: Desk) -> None:
        super().__init__(desk)
        self._frame, self._tab, self._desk = frame, tab, desk
        self.code = CodeDialog(frame)
        self._on: Drawing | None = None
        self._means: SegmentMeans | None = None
        self._stop_watching: Callable[[], None] = lambda: None
        self._terms: tuple[Term, ...] | None = None
        self._reading = OneJob(
            self, busy=lambda _done, _of: None, over=lambda: None, failed=lambda _card: None
        )  # fmt: skip
        self.statistics, self.comparing = Statistics(frame, desk), Comparing(frame, desk)
        self.importing, self.recovering = Importing(frame, desk), Recovering(desk)
        self.versions = Versions(frame, desk, self.comparing.with_version)
        self._parts: tuple[WindowPart, ...] = (
            self.statistics, self.comparing, self.importing, self.versions, self.recovering,
        )  # fmt: skip
        self._connect()

    def set_style(self, sheet: str, tokens: Tokens) -> None:
        """Take the theme."""
        for part in (self.code, *self._parts):
            part.set_style(sheet, tokens)

    def ask(self, action_id: str) -> None:
        """Open what an action asks for; what is not here is somebody else's."""
        for part in self._parts:
            opens = part.opens.get(action_id)
            if opens is not None and self._on is not None:
                opens()

    def remove(self) -> None:
        """The window goes."""
        self._leave()
        self.code.close()
        self.code.deleteLater()
        for part in self._parts:
            part.remove()

    # How

    def _connect(self) -> None:
        act, box, table = self._desk.act_on, self._tab.segments, self._tab.table
        act(table.merge_wanted, doings.merge)
        act(table.group_wanted, doings.move_to_group)
        act(table.opacity_changed, doings.set_fill)
        act(table.another_wanted, doings.add_another)
        act(table.code_wanted, self._ask_for_code)
        table.mean_wanted.connect(self._ask_for_mean)
        act(self.code.code_set, doings.set_code)
        act(box.template_wanted, self._load_schema)
        act(box.schema_wanted, self._schema_wanted)
        box.asked.connect(self.ask)
        self._desk.changed.connect(self._look)

    def _ask_for_mean(self, value: int) -> None:
        if self._means is not None:
            self._means.ask(value)

    def _ask_for_code(self, drawing: Drawing, value: int) -> None:
        if drawing.read_only:
            return
        label = drawing.case.segmentation.schema[value]
        if self._terms is None:
            found = commands.templates(self._desk.session)
            self._terms = terms_of([one.content.schema for one in found])
        self.code.ask(value, label.name, label.code, self._terms)

    def _schema_wanted(self, drawing: Drawing, wish: str) -> None:
        if wish == "load":
            title = "Load a label schema"
            ask_for_file(
                self._frame, title, partial(self._load_schema, drawing), files=SCHEMA_FILES
            )
        elif wish == "save":
            save = partial(doings.save_schema, drawing)
            ask_for_file(
                self._frame, "Save the label schema", save, files=SCHEMA_FILES,
                save_as="labels.json",
            )  # fmt: skip

    def _load_schema(self, drawing: Drawing, source: Path | str) -> None:
        """Load it; where drawn segments are in its way, ask whether they may be renumbered."""

        def ask(taken: ValueTaken, load: Callable[[], object]) -> None:
            words = f"{taken.what[:1].upper()}{taken.what[1:]}."
            self._tab.question.ask(
                "Renumber what is drawn?",
                f"{words} What is drawn keeps its names and gets free numbers. Undo restores it.",
                "Load and renumber", load,
            )  # fmt: skip

        self._tab.question.hide()
        doings.load_schema(drawing, source, ask)

    # The case that is open

    def _look(self) -> None:
        drawing = self._desk.drawing
        if drawing is self._on:
            return
        self._leave()
        self._on = drawing
        self.code.close()
        self._tab.question.hide()
        for part in self._parts:
            part.look(drawing)
        if drawing is None:
            return
        self._means = SegmentMeans(drawing.case, self)
        self._means.known.connect(self._tab.table.set_mean)
        self._stop_watching = drawing.case.segmentation.watch(self._case_changed)
        self._tab.segments.set_templates(self._templates())
        self._read_protocol()

    def _leave(self) -> None:
        self._reading.cancel()
        self._stop_watching()
        self._stop_watching = lambda: None
        if self._means is not None:
            self._means.close()
            self._means = None
        self._tab.table.forget_means()
        self._tab.set_protocol("")

    def _templates(self) -> tuple[tuple[str, str], ...]:
        try:
            found = commands.templates(self._desk.session)
        except MedlabelError:
            return ()
        return tuple(
            (one.key, f"{one.content.schema.name}   {len(one.content.schema)}") for one in found
        )

    def _case_changed(self, change: Change) -> None:
        for part in self._parts:
            part.changed()
        if change.step.tool == _SCHEMA_TOOL:
            self._read_protocol()

    def _read_protocol(self) -> None:
        """Beside the window: a long history is read from its end until the schema is found."""
        if self._on is None:
            return
        session = self._desk.session
        drawing = weakref.ref(self._on)  # a task that waits for a thread keeps no case

        def read(_progress: object, _cancelled: object) -> str:
            case = getattr(drawing(), "case", None)
            return "" if case is None else commands.case_protocol(session, case)

        self._reading.run("Reading the protocol", read, self._tab.set_protocol)
