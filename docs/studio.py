"""A window on a generated patient, a hand in it, and small pictures of what is seen."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image
from qtpy.QtCore import QBuffer, QPoint, QRect, QSize, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Window as GreyRange
from napari_medlabel.phantom import (
    BODY_GRID,
    BODY_SCHEMA,
    CT_GRID,
    HEAD_SCHEMA,
    Body,
    Head,
    write_ct_series,
)
from napari_medlabel.ui.drawing import Drawing
from napari_medlabel.ui.planes.plane_view import PlaneView
from napari_medlabel.ui.tool_settings import ToolSettings
from napari_medlabel.ui.workplace import Workplace
from tests.gui.real_window import Window, wait_until

__all__ = ["Patient", "Studio", "shrunk"]

Patient = Literal["body", "head"]
Kji = tuple[float, float, float]
SIZE: Final = QSize(1440, 900)
GAP: Final = 8
GROUND: Final = (35, 36, 43)  # the dock's
COLORS: Final = (256, 160, 96, 64, 48, 32, 24, 16)
NO_KEYS: Final = Qt.KeyboardModifier.NoModifier
GREYS: Final = {"body": GreyRange(400, 40, "Soft tissue"), "head": GreyRange(90, 40, "Brain")}


def shrunk(picture: Image.Image, most_bytes: int) -> bytes:
    """The picture as a PNG of few colours: as many as leave it small enough."""
    for colors in COLORS:
        few = picture.quantize(colors, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        kept = BytesIO()
        few.save(kept, "PNG", optimize=True)
        if kept.tell() <= most_bytes:
            break
    return kept.getvalue()


class Studio:
    """A case open in a real window.

    Parameters
    ----------
    patient
        Which of the generated ones.
    folder
        Gets the pictures.
    """

    def __init__(self, patient: Patient, folder: Path) -> None:
        self.patient, self.folder = patient, folder
        self._own = tempfile.TemporaryDirectory(prefix="medlabel-pictures-")
        home = Path(self._own.name)
        self.window = Window(home / "workspace")
        self.window.frame.setGeometry(0, 0, SIZE.width(), SIZE.height())
        self.schema: LabelSchema = BODY_SCHEMA if patient == "body" else HEAD_SCHEMA
        if patient == "body":
            body, grid = Body(), BODY_GRID
            write_ct_series(home / "study", body.ct(), grid)
            self.truth = grid.canonical.apply(body.labels()[0])
            self.window.open_study(home / "study")
        else:
            self.truth = CT_GRID.canonical.apply(Head().labels(CT_GRID)[0])
            self.window.open_demo("ct")
        self.window.rest(0.5)
        self.clean()

    @property
    def drawing(self) -> Drawing:
        """The open case."""
        return self.window.drawing

    @property
    def axial(self) -> PlaneView:
        """The large view."""
        return self.drawing.looking.room.planes[0]

    @property
    def coronal(self) -> PlaneView:
        """The view from the front."""
        return self.drawing.looking.room.planes[1]

    @property
    def sagittal(self) -> PlaneView:
        """The view from the side."""
        return self.drawing.looking.room.planes[2]

    @property
    def workplace(self) -> Workplace:
        """What stands around the views."""
        found = self.window.desk.workplace
        if found is None:
            raise RuntimeError("no case is open")
        return found

    def close(self) -> None:
        """Put the case away and the window with it."""
        self.window.close()
        self._own.cleanup()

    # The case

    def clean(self) -> None:
        """As the case was opened: nothing drawn, no tool, the usual views."""
        drawing = self.drawing
        drawing.proposals.reject()
        drawing.tools.set_mask(on=False)
        for value in drawing.case.segmentation.locked:  # else undo would stop at it
            drawing.toggle_lock(value)
        while drawing.case.segmentation.history:
            drawing.undo()
        drawing.choose(tool="", settings=ToolSettings(), hidden=frozenset())
        drawing.sight.choose(layout="1+3", large=0, crosshair=False, linked=True, fill=0.25)
        drawing.looking.set_active(0)
        drawing.set_window(GREYS[self.patient])
        drawing.looking.fit()
        self.rest()

    def value(self, name: str) -> int:
        """The label value of a segment of the schema."""
        return next(one.value for one in self.schema if one.name == name)

    def add(self, *names: str) -> None:
        """Segments without a voxel; the first is in hand."""
        for name in names:
            label = self.schema[self.value(name)]
            commands.set_label(self.drawing.session, self.drawing.case, label)
        self.drawing.pick(self.value(names[0]))

    def draw(self, name: str, where: np.ndarray | None = None) -> None:
        """A segment as it truly is, or in some voxels, in one step."""
        case, value = self.drawing.case, self.value(name)
        wanted = self.truth == value if where is None else where
        edit = Edit.fill(case.segmentation.labels, (0, 0, 0), wanted, value)
        commands.paint(self.drawing.session, case, edit, tool="Import mask")

    def middle(self, name: str) -> tuple[int, int, int]:
        """A voxel in the middle of a segment."""
        k, j, i = (round(float(np.median(n))) for n in np.where(self.truth == self.value(name)))
        return (k, j, i)

    # The hand

    def look(self, kji: Kji, zoom: float = 2.0, *views: PlaneView) -> None:
        """Go to a voxel, in the middle of some views, at so many pixels per millimetre."""
        self.drawing.sight.move_to(kji)
        for view in views or (self.axial,):
            place = [kji[axis] for axis in view.plane.order[1:]]
            view.set_frame(replace(view.frame.fitted(), zoom=zoom).centred(*place))
        self.rest()

    def hover(self, view: PlaneView, kji: Kji) -> None:
        """The pointer stands over a voxel."""
        QTest.mouseMove(view, view.point(kji).toPoint() + QPoint(1, 1))
        QTest.mouseMove(view, view.point(kji).toPoint())
        self.rest()

    def press(self, view: PlaneView, *kji: Kji, let_go: bool = True) -> None:
        """A stroke through voxels, with the left button."""
        places = [view.point(one).toPoint() for one in kji]
        left = Qt.MouseButton.LeftButton
        QTest.mousePress(view, left, NO_KEYS, places[0])
        for place in places[1:]:
            QTest.mouseMove(view, place)
            QApplication.processEvents()
        if let_go:
            QTest.mouseRelease(view, left, NO_KEYS, places[-1])
        self.rest()

    def click(self, view: PlaneView, *kji: Kji) -> None:
        """One click after another."""
        for one in kji:
            QTest.mouseMove(view, view.point(one).toPoint())
            self.press(view, one)

    def tool(self, name: str, **options: object) -> None:
        """Take a tool in hand, with options."""
        for option, value in options.items():
            self.drawing.tools.set_option(name, option, value)
        if self.drawing.choices.tool != name:
            self.drawing.tools.set_tool(name)
        self.rest()

    def preview(self, tool: str, **options: object) -> None:
        """Ask for the preview of a tool and wait until it is there."""
        self.tool(tool, **options)
        if self.drawing.sight.proposal is None:
            self.drawing.tools.propose(tool)
        self.wait(lambda: self.drawing.sight.proposal is not None)

    def wait(self, true: Callable[[], object]) -> None:
        """Let the window live until something holds."""
        wait_until(true, "what the picture shows")
        self.rest(0.4)

    def rest(self, seconds: float = 0.15) -> None:
        """Let the window live."""
        self.window.rest(seconds)

    # Pictures

    def tools_part(self) -> QRect:
        """The section with the tools on the screen."""
        return self.on_screen(self.window.panel.annotate.tools, 30).adjusted(-8, 0, 0, 6)

    def around(self, view: PlaneView, kji: Kji, width: int = 340, height: int = 240) -> QRect:
        """A part of a view around a voxel on the screen, within the view."""
        middle = view.point(kji).toPoint()
        part = QRect(QPoint(0, 0), QSize(min(width, view.width()), min(height, view.height())))
        part.moveCenter(middle)
        part.moveLeft(min(max(part.left(), 0), view.width() - part.width()))
        part.moveTop(min(max(part.top(), 0), view.height() - part.height()))
        return part.translated(view.mapToGlobal(QPoint(0, 0)))

    @staticmethod
    def on_screen(widget: QWidget, above: int = 0, around: int = 0) -> QRect:
        """Where a widget is on the screen, with some pixels over or around it."""
        part = QRect(widget.mapToGlobal(QPoint(0, 0)), widget.size())
        return part.adjusted(-around, -above - around, around, around)

    def save(self, name: str, *parts: QRect, most_kb: int = 60, bar: bool = False) -> None:
        """Put parts of the screen beside each other and write them as docs/images/NAME.png.

        Without `bar` the preview's bar is put aside: it lies where the picture is cut.
        """
        self.rest()
        if not bar:
            self.workplace.preview.hide()
        grabbed = [self.grabbed(part) for part in parts]
        self.keep(name, grabbed, most_kb)

    def keep(self, name: str, parts: Sequence[Image.Image], most_kb: int = 60) -> None:
        """Write pictures beside each other."""
        kept = shrunk(_joined(parts), most_kb * 1000)
        (self.folder / f"{name}.png").write_bytes(kept)
        print(f"{name}.png: {len(kept) / 1000:.0f} kB")

    def grabbed(self, part: QRect) -> Image.Image:
        """What the screen shows there now."""
        self.rest()
        shot = QApplication.primaryScreen().grabWindow(
            0, part.x(), part.y(), part.width(), part.height()
        )
        buffer = QBuffer()
        buffer.open(QBuffer.OpenModeFlag.WriteOnly)
        shot.save(buffer, "PNG")
        return Image.open(BytesIO(bytes(buffer.data()))).convert("RGB")

    def whole(self) -> QRect:
        """The window."""
        return QRect(QPoint(0, 0), SIZE)

    def pointer_away(self) -> None:
        """Nothing under the pointer."""
        for view in self.drawing.looking.room.planes:
            self.drawing.hand.left(view)
        self.rest()


def _joined(parts: Sequence[Image.Image]) -> Image.Image:
    wide = sum(part.width for part in parts) + GAP * (len(parts) - 1)
    picture = Image.new("RGB", (wide, max(part.height for part in parts)), GROUND)
    left = 0
    for part in parts:
        picture.paste(part, (left, 0))
        left += part.width + GAP
    return picture
