"""The icons: on one grid, in the colour that is asked for, and never cut off."""

import re
from importlib.resources import files

import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QApplication

from napari_medlabel.ui import theme

FOLDER = files("napari_medlabel.ui") / "icons"
NAMES = sorted(path.name.removesuffix(".svg") for path in FOLDER.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_an_icon_has_the_grid_the_stroke_and_no_colour_of_its_own(name: str) -> None:
    drawing = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert 'viewBox="0 0 20 20"' in drawing
    assert 'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"' in drawing
    assert set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawing)) <= {"none", "currentColor"}


@pytest.mark.parametrize("name", NAMES)
def test_an_icon_is_drawn_in_the_colour_and_inside_its_square(
    qapp: QApplication, name: str
) -> None:
    assert qapp is not None
    picture = theme.pixmap(name, "#F2BC42", 40).toImage()
    side = picture.width()
    seen = {
        (x, y): picture.pixelColor(x, y)
        for x in range(side)
        for y in range(side)
        if picture.pixelColor(x, y).alpha() > 128
    }
    assert len(seen) > 8
    edges = {0, side - 1}
    assert not any(x in edges or y in edges for x, y in seen)
    amber = QColor("#F2BC42")
    assert all(abs(one.hue() - amber.hue()) < 12 for one in seen.values())
