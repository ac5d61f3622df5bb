"""What is drawn for the pictures of the Deface tab."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image, ImageDraw

from docs.scenes_tools import SCENES, scene
from docs.studio import Studio
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Window
from napari_medlabel.phantom import Head, write_ct_series
from napari_medlabel.ui.panel import ANNOTATE, DEFACE
from tests.gui.real_window import wait_until

__all__ = ["SCENES"]

GRID = Geometry.from_spacing((62, 190, 132), (4.0, 1.5, 1.5), (-98.0, -127.0, -126.0))


def _opened(studio: Studio) -> None:
    """The tab on the open case, its preview there."""
    studio.drawing.set_window(Window(350, 40, "Soft tissue"))
    studio.window.panel.choose_tab(DEFACE)
    deface = studio.drawing.deface
    studio.wait(lambda: deface.is_current and deface.page.after.surface is not None)


@scene("deface", "head")
def _deface(studio: Studio, name: str) -> None:
    _opened(studio)
    drawing = studio.drawing
    drawing.sight.choose(crosshair=True)
    nose = Head().landmarks["nose tip"]
    drawing.sight.move_to(drawing.case.volume.geometry.kji((4.0, -62.0, nose[2] - 12.0)))
    studio.rest(1.0)
    studio.save(name, studio.whole(), most_kb=240)
    studio.window.panel.choose_tab(ANNOTATE)


@scene("deface-checks", "head")
def _checks(studio: Studio, name: str) -> None:
    """A study of its own, with words in its pixels."""
    with TemporaryDirectory(prefix="medlabel-pictures-") as own:
        folder = Path(own) / "study"
        hu = Head().ct(GRID)
        words = Image.new("L", (110, 16))
        ImageDraw.Draw(words).text((2, 1), "SAMPLE 02.01.2003", fill=255, font_size=12)
        hu[:, 170:186, 4:114][:, np.asarray(words) > 127] = 1800
        write_ct_series(folder, hu, GRID)
        studio.window.open_study(folder)
        _opened(studio)
        files = studio.drawing.deface.files
        files.set_source(folder)
        wait_until(lambda: files.tiles and not files.busy, "each slice to be read", 400.0)
        studio.rest(0.4)
        panel = studio.window.panel
        shown = studio.on_screen(panel.deface)
        studio.save(name, shown, most_kb=60)
        panel.choose_tab(ANNOTATE)
