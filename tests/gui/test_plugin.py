"""Medlabel as napari finds it: panel, reader, samples, through the manifest."""

import os
from collections.abc import Iterator
from pathlib import Path

import napari
import numpy as np
import pytest
from napari.settings import get_settings

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.ui.contributions import get_reader, sample_head_ct
from napari_medlabel.ui.panel import MedlabelPanel
from tests.gui.real_window import Window, wait_until


@pytest.fixture
def viewer(qapp: object) -> Iterator[napari.Viewer]:
    assert qapp is not None
    made = napari.Viewer()
    yield made
    for widget in made.window.dock_widgets.values():
        if isinstance(widget, MedlabelPanel):
            widget.shut()
    made.close()


def test_the_plugins_menu_shows_the_dock(viewer: napari.Viewer) -> None:
    _dock, panel = viewer.window.add_plugin_dock_widget("napari-medlabel", "Medlabel")
    assert isinstance(panel, MedlabelPanel)
    wait_until(panel.page.isVisible, "the start page")
    assert panel.page.start.drop.folder.isVisible()


def test_beside_other_layers_the_page_does_not_cover_them(viewer: napari.Viewer) -> None:
    viewer.add_image(np.zeros((8, 8)), name="somebody's own")
    _dock, panel = viewer.window.add_plugin_dock_widget("napari-medlabel", "Medlabel")
    wait_until(panel.isVisible, "the dock")
    assert not panel.page.isVisible()
    assert panel.nothing.open.isVisible()


def test_napari_s_own_open_reads_each_image_series_in_millimetres(
    viewer: napari.Viewer, study: Path
) -> None:
    grid = Geometry.from_spacing((9, 30, 20), (2.5, 1.0, 1.0), (-10.0, -15.0, 20.0))
    hu = np.zeros(grid.shape, np.int16)
    hu[4, 10, 5] = 700
    write_ct_series(study / "second", hu, grid, number=2, description="thin")
    reader = get_reader(str(study))
    assert reader is not None
    layers = [viewer.add_layer(napari.layers.Layer.create(*one)) for one in reader(str(study))]
    assert sorted(layer.data.shape for layer in layers) == [(9, 30, 20), (14, 60, 50)]
    thin = next(layer for layer in layers if layer.data.shape == (9, 30, 20))
    assert thin.data[4, 10, 5] == 700
    assert {str(unit) for unit in thin.units} == {"millimeter"}
    np.testing.assert_allclose(thin.data_to_world((4, 10, 5)), (30.0, -5.0, -5.0), atol=1e-4)
    assert "DEMO" not in " ".join(layer.name for layer in layers)


def test_a_folder_without_images_is_left_to_others(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    assert get_reader(str(tmp_path)) is None
    assert get_reader(str(tmp_path / "notes.txt")) is None


def test_the_sample_head_is_an_image_with_true_segments() -> None:
    (image, shown, kind), (labels, _labels_shown, labels_kind) = sample_head_ct()
    assert (kind, labels_kind) == ("image", "labels")
    assert image.shape == labels.shape
    assert shown["units"] == ("mm",) * 3
    assert len(np.unique(labels)) > 3


def test_a_second_panel_in_one_window_is_the_first(window: Window) -> None:
    from napari_medlabel.ui.window import panel_of  # noqa: PLC0415

    assert panel_of(window.viewer, window.session) is window.panel


def test_a_window_under_test_has_settings_of_its_own() -> None:
    used = get_settings().config_path
    assert str(used) == os.environ["NAPARI_CONFIG"]
    assert Path.home() not in Path(used).parents


def test_other_plugins_find_the_case_among_napari_s_layers(window: Window, study: Path) -> None:
    window.open_study(study)
    drawing, layers = window.drawing, window.viewer.layers
    drawing.tools.set_tool("paint")
    window.stroke((7, 30, 25), (7, 30, 30))
    wait_until(lambda: len(layers) == 2, "the layers, once the hand rests")
    image, labels = layers
    assert image.data is drawing.case.volume.levels[0]
    np.testing.assert_array_equal(labels.data, drawing.case.segmentation.labels)
    assert labels.data.any()

    # What is done to them is seen, and the other way round.
    drawing.set_window(drawing.choices.windows[2])
    assert tuple(image.contrast_limits) == drawing.choices.windows[2].limits
    image.contrast_limits = (0.0, 500.0)
    assert drawing.state.window.limits == (0.0, 500.0)
    image.colormap = "gray_r"
    assert drawing.layers.turned
    drawing.invert()
    assert image.colormap.name == "gray"
    drawing.toggle_shown()
    assert not labels.visible
    drawing.toggle_shown()

    # A layer of somebody else's is above them, on napari's canvas.
    window.viewer.add_points(np.zeros((1, 3)), name="somebody's own")
    wait_until(lambda: drawing.looking.on_canvas, "napari's canvas")
    assert [layer.name for layer in layers] == ["Case 0001", "Segments", "somebody's own"]
    layers.remove(labels)  # in napari's own list: the case goes, what was drawn is kept
    window.idle()
    assert window.desk.drawing is None


def test_a_layer_added_before_they_are_made_stays_on_top(window: Window, study: Path) -> None:
    window.open_study(study)
    window.viewer.add_points(np.zeros((1, 3)), name="somebody's own")
    wait_until(lambda: len(window.viewer.layers) == 3, "the layers")
    assert [layer.name for layer in window.viewer.layers][2] == "somebody's own"
    assert window.drawing.looking.on_canvas
    window.stroke((7, 30, 20), (7, 30, 30))  # no tool: nothing is drawn
    assert not window.drawing.layers.drawn_of(0).any()
    window.drawing.tools.set_tool("paint")
    window.viewer.layers.selection.active = window.drawing.layers.canvas.labels
    window.stroke((7, 30, 20), (7, 30, 30))
    assert window.drawing.case.segmentation.voxels(1) > 0
