"""What is drawn for the pictures of the window itself."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from qtpy.QtCore import QPoint, QRect

from docs.scenes_tools import LIVER, SCENES, scene
from docs.studio import Studio
from napari_medlabel import commands
from napari_medlabel.phantom import MR_GRID, Head, write_mr_series
from napari_medlabel.ui.panel import EXPORT
from napari_medlabel.ui.sight import Overlay

__all__ = ["SCENES"]


@scene("window", "head")
def _window(studio: Studio, name: str) -> None:
    _soft_segments(studio)
    drawing = studio.drawing
    drawing.pick(studio.value("Lesion"))
    studio.tool("paint", size_mm=12.0)
    drawing.sight.choose(crosshair=True)
    drawing.sight.move_to(studio.middle("Lesion"))
    studio.rest(3.0)
    studio.hover(studio.axial, studio.middle("Lesion"))
    studio.save(name, studio.whole(), most_kb=220)


@scene("surfaces", "head")
def _surfaces(studio: Studio, name: str) -> None:
    _soft_segments(studio)
    studio.drawing.looking.set_plane(3)
    studio.rest(4.0)
    large = studio.on_screen(studio.drawing.looking.room.large)
    middle = QRect(QPoint(0, 0), large.size().boundedTo(large.size() * 0.72))
    middle.moveCenter(large.center())
    studio.save(name, middle)


@scene("four-views")
def _four_views(studio: Studio, name: str) -> None:
    studio.add("Liver", "Lesion")
    studio.draw("Liver")
    studio.draw("Lesion")
    drawing = studio.drawing
    drawing.looking.set_layout("2x2")
    drawing.sight.choose(crosshair=True)
    drawing.looking.fit()
    drawing.sight.move_to((48, 105, 76))
    studio.rest(3.0)
    studio.save(name, studio.on_screen(drawing.looking.room.views_area), most_kb=110)


@scene("view-bar")
def _view_bar(studio: Studio, name: str) -> None:
    studio.save(name, studio.on_screen(studio.workplace.bar))


@scene("strip")
def _strip(studio: Studio, name: str) -> None:
    studio.add("Liver", "Spleen", "Kidneys")
    liver = studio.truth == studio.value("Liver")
    liver[33:36] = liver[45] = liver[52:55] = False
    studio.draw("Liver", liver)
    studio.draw("Spleen")
    studio.draw("Kidneys")
    studio.drawing.pick(studio.value("Liver"))
    studio.drawing.sight.move_to((48, 112, 82))
    studio.save(name, studio.on_screen(studio.workplace.strip))


@scene("preview")
def _preview(studio: Studio, name: str) -> None:
    studio.add("Spleen")
    every = np.zeros_like(studio.truth, bool)
    every[35:59:4] = studio.truth[35:59:4] == studio.value("Spleen")
    studio.draw("Spleen", every)
    studio.look((45, 137, 194), 2.0)
    studio.preview("interpolate")
    studio.save(name, studio.around(studio.axial, (45, 150, 190), 460, 270), bar=True)


@scene("intensity-mask")
def _mask(studio: Studio, name: str) -> None:
    studio.add("Kidneys")
    studio.look((30, 148, 85), 3.0)
    studio.drawing.tools.set_mask(on=True, limits=(110.0, 300.0))
    studio.tool("paint", size_mm=20.0)
    studio.press(studio.axial, (30, 146, 76), (30, 156, 80), (30, 156, 92), (30, 140, 92))
    studio.hover(studio.axial, (30, 140, 92))
    mask = studio.on_screen(studio.window.panel.annotate.mask, around=8)
    studio.save(name, mask, studio.around(studio.axial, (30, 148, 85)))


@scene("segments", "head")
def _segments(studio: Studio, name: str) -> None:
    _all_segments(studio)
    drawing = studio.drawing
    drawing.pick(studio.value("Lesion"))
    drawing.toggle_eye(studio.value("Skull"))
    drawing.toggle_lock(studio.value("Brain"))
    studio.rest(0.6)
    studio.save(name, studio.on_screen(studio.window.panel.annotate.table, above=30, around=8))


@scene("second-image", "head")
def _second_image(studio: Studio, name: str) -> None:
    """The MR of the same head, laid over its CT by the millimetres of both."""
    with TemporaryDirectory(prefix="medlabel-pictures-") as folder:
        write_mr_series(Path(folder), Head().mr(MR_GRID), MR_GRID)
        drawing = studio.drawing
        found = commands.read_overlay(drawing.session, drawing.case, Path(folder))
    drawing.sight.show_overlay(Overlay(found.name, found.values, found.limits, "hot", opacity=0.6))
    studio.look((100, 128, 128), 1.6)
    studio.save(name, studio.around(studio.axial, (100, 128, 128), 420, 380))
    drawing.sight.show_overlay(None)


@scene("statistics")
def _statistics(studio: Studio, name: str) -> None:
    _drawn(studio, "Liver", "Spleen", "Kidneys", "Lesion")
    part = studio.window.panel.segment_windows
    part.ask("statistics")
    window = part.statistics.window
    studio.wait(lambda: window.document is not None)
    studio.save(name, studio.on_screen(window))
    window.close()


@scene("compare")
def _compare(studio: Studio, name: str) -> None:
    _drawn(studio, "Liver", "Spleen", "Kidneys")
    drawing = studio.drawing
    drawing.pick(studio.value("Liver"))
    saved = commands.save_version(drawing.session, drawing.case)
    studio.tool("margin", by_mm=6.0)
    drawing.tools.apply("margin")
    studio.rest(1.0)
    studio.tool("")
    studio.look(LIVER, 1.5)
    part = studio.window.panel.segment_windows.comparing
    part.with_version(saved.number)
    window = part.window
    studio.wait(lambda: window.said.text().startswith("Here is"))
    window.show_difference.click()
    window.resize(680, 300)
    table = studio.grabbed(studio.on_screen(window))
    window.hide()
    window.show_difference.click()
    studio.keep(name, [table, studio.grabbed(studio.around(studio.axial, LIVER, 300, 300))])


@scene("import-mask")
def _import_mask(studio: Studio, name: str) -> None:
    _drawn(studio, "Liver", "Spleen", "Kidneys")
    drawing = studio.drawing
    importing = studio.window.panel.segment_windows.importing
    with TemporaryDirectory(prefix="medlabel-pictures-") as folder:
        commands.export_case(drawing.session, drawing.case, Path(folder), name="mask")
        studio.clean()
        studio.add("Liver")
        importing.show_file(Path(folder) / "mask.nii.gz")
        studio.wait(importing.window.chosen)
    shown = studio.on_screen(importing.window)
    shown.setHeight(min(shown.height(), 300))
    studio.save(name, shown)
    importing.window.close()


@scene("versions")
def _versions(studio: Studio, name: str) -> None:
    drawing = studio.drawing
    _drawn(studio, "Liver")
    commands.save_version(drawing.session, drawing.case, "liver done")
    _drawn(studio, "Spleen", "Kidneys")
    commands.save_version(drawing.session, drawing.case, "kidneys to be checked")
    part = studio.window.panel.segment_windows
    part.ask("versions")
    studio.rest(1.0)
    shown = studio.on_screen(part.versions.window)
    shown.setHeight(min(shown.height(), 260))
    studio.save(name, shown)
    part.versions.window.close()


@scene("palette")
def _palette(studio: Studio, name: str) -> None:
    studio.add("Liver")
    studio.window.press("Ctrl+K")
    palette = studio.window.panel.action_windows.palette
    for letter in "fill":
        studio.window.press(letter)
    studio.save(name, studio.on_screen(palette))
    palette.close_up()


@scene("keys")
def _keys(studio: Studio, name: str) -> None:
    sheet = studio.window.panel.action_windows.sheet
    studio.window.press("?")
    studio.rest(0.5)
    studio.save(name, studio.on_screen(sheet), most_kb=110)
    sheet.close_up()


@scene("history")
def _history(studio: Studio, name: str) -> None:
    studio.add("Liver", "Spleen")
    studio.draw("Liver")
    studio.drawing.tools.apply("fill_holes")
    studio.rest(0.8)
    studio.tool("paint", size_mm=12.0)
    studio.press(studio.axial, (48, 140, 150), (48, 142, 160))
    studio.drawing.pick(studio.value("Spleen"))
    studio.draw("Spleen")
    studio.drawing.undo()
    studio.window.press("Ctrl+Alt+Z")
    shown = studio.window.panel.action_windows.history
    studio.rest(0.5)
    studio.save(name, studio.on_screen(shown))
    shown.close_up()


@scene("export")
def _export(studio: Studio, name: str) -> None:
    studio.add("Liver", "Spleen")
    studio.draw("Liver")
    panel = studio.window.panel
    panel.choose_tab(EXPORT)
    studio.rest(0.5)
    shown = studio.on_screen(panel.export)
    shown.setHeight(min(shown.height(), 520))
    studio.save(name, shown)
    panel.choose_tab(0)


def _all_segments(studio: Studio) -> None:
    _drawn(studio, *(label.name for label in studio.schema))


def _soft_segments(studio: Studio) -> None:
    """Without the skull, which would hide the others."""
    _drawn(studio, "Brain", "Ventricles", "Lesion", "Eyes")


def _drawn(studio: Studio, *names: str) -> None:
    studio.add(*names)
    for name in names:
        studio.draw(name)
