"""How an image is shown: with low values bright, where its header asks for it."""

from pathlib import Path

import numpy as np
import pytest

from tests.formats.made_dicom import save_all, stack
from tests.gui.real_window import Window, wait_until

LOW, HIGH = (2, 10, 3), (2, 10, 12)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_low_values_are_bright_where_the_header_says_so(
    window: Window, tmp_path: Path, photometric: str
) -> None:
    stored = np.full((5, 20, 16), 224, np.int16)
    stored[:, :, 8:] = 1824
    images = stack(stored, PhotometricInterpretation=photometric, WindowCenter=0, WindowWidth=1000)
    folder = save_all(tmp_path / "series", images)
    window.desk.scan(folder)
    window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "all slices")
    inverted = photometric == "MONOCHROME1"
    assert (window.drawing.case.volume.levels[0][LOW], inverted) == (-800, inverted)

    first = window.panel.page.first._image
    assert (first.pixelColor(3, 10).lightness() > 200) == inverted
    assert (first.pixelColor(12, 10).lightness() > 200) != inverted
    for _ in range(2):
        assert (max(window.color_at(LOW)) > 200) == inverted
        assert (max(window.color_at(HIGH)) > 200) != inverted
        name = window.drawing.case.info.id
        window.desk.close_case()
        window.idle()
        window.desk.open_case(name)  # from the workspace this time
        window.idle()
        wait_until(lambda: window.drawing.case.loading.finished, "all slices")


def test_pictures_of_the_table_show_low_values_bright_too(window: Window, tmp_path: Path) -> None:
    stored = np.full((5, 20, 16), 224, np.int16)
    stored[:, :, 8:] = 1824
    images = stack(stored, PhotometricInterpretation="MONOCHROME1")
    other = stack(stored, origin=(0, 0, 500), SeriesInstanceUID="2.25.7")
    window.desk.scan(save_all(tmp_path / "series", [*images, *other]))
    window.idle()
    wait_until(lambda: len(window.desk.pictures.drawn) == 2, "the pictures")
    bright = {bool(one[5, 2] > one[5, 12]) for one in window.desk.pictures.drawn.values()}
    assert bright == {True, False}
