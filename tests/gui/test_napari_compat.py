"""napari is held to what `_napari_compat` uses of its private names."""

from collections.abc import Iterator
from typing import Any

import napari
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.ui import views
from napari_medlabel.ui._napari_compat import (
    OUTLINE,
    Box,
    CaseLabels,
    canvas_area,
    canvas_widget,
    main_window,
    napari_docks,
    outlined,
    without_scroll_keys,
)


class Receiver:
    """Notes what it is told; locks label 9."""

    def __init__(self) -> None:
        self.strokes: list[tuple[Box, str]] = []
        self.undone = self.redone = 0

    def allowed(self, _box: Box, present: np.ndarray, _value: int) -> np.ndarray:
        return present != 9

    def stroke_done(self, box: Box, mode: str) -> None:
        self.strokes.append((box, mode))

    def undo(self) -> None:
        self.undone += 1

    def redo(self) -> None:
        self.redone += 1


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def layer(receiver: Receiver) -> Iterator[CaseLabels]:
    viewer = ViewerModel()
    made = CaseLabels(
        np.zeros((6, 40, 40), np.uint8), receiver, name="Segments", scale=(5.0, 2.0, 1.0),
        multiscale=False, units=("mm",) * 3,
    )  # fmt: skip
    made.values = frozenset({1, 2, 9})
    viewer.add_layer(made)
    viewer.dims.current_step = (3, 20, 20)
    yield made
    viewer.layers.clear()


@pytest.mark.parametrize(
    "name",
    ["_apply_mask_to_data", "_get_brush_mask_and_bbox", "_paint_region_with_mask", "_save_history",
     "_commit_staged_history", "_draw", "_accumulate_updated_slice", "_partial_labels_refresh",
     "_calculate_cursor_size", "_mode_setter_helper", "block_history"],
)  # fmt: skip
def test_napari_still_has_what_is_overridden_or_called(name: str) -> None:
    assert callable(getattr(Labels, name))


def test_napari_still_looks_up_layers_by_type_string(layer: CaseLabels) -> None:
    assert layer._type_string == Labels(np.zeros((2, 2), np.uint8))._type_string


def test_the_brush_is_round_in_millimetres(layer: CaseLabels) -> None:
    layer.brush_mm = 12.0
    layer.paint((3, 20, 20), 1)
    painted = np.argwhere(layer.data)
    assert set(painted[:, 0]) == {3}
    assert np.ptp(painted[:, 1]) * 2.0 == np.ptp(painted[:, 2]) * 1.0 == 12.0


def test_a_stroke_is_told_once_with_a_box_around_it(layer: CaseLabels, receiver: Receiver) -> None:
    layer.mode, layer.brush_mm = "paint", 4.0
    with layer.block_history():
        layer._draw(1, (3, 10, 10), (3, 10, 10))
        layer._draw(1, (3, 10, 10), (3, 10, 30))
        assert layer.drawing
        assert not receiver.strokes
    ((box, mode),) = receiver.strokes
    assert mode == "paint"
    assert not layer.drawing
    outside = layer.data.copy()
    outside[box] = 0
    assert not outside.any()
    assert layer.data[3, 10, 10:31].all()


def test_a_locked_label_is_never_painted_over_even_in_the_preview(layer: CaseLabels) -> None:
    layer.data[3, 20, :] = 9
    layer.brush_mm = 10.0
    layer.paint((3, 20, 20), 1)
    assert (layer.data[3, 20] == 9).all()
    assert layer.data[3, 19, 20] == 1


@pytest.mark.parametrize("how", ["polygon", "fill"])
def test_polygon_and_fill_are_strokes_too(layer: CaseLabels, receiver: Receiver, how: str) -> None:
    if how == "polygon":
        layer.paint_polygon([(3, 5, 5), (3, 5, 15), (3, 15, 15), (3, 15, 5)], 1)
    else:
        layer.fill((3, 5, 5), 1)
    assert len(receiver.strokes) == 1
    assert layer.data[3, 10, 10] == 1


def test_napari_s_own_history_stays_empty_and_its_keys_reach_ours(
    layer: CaseLabels, receiver: Receiver
) -> None:
    layer.paint((3, 20, 20), 1)
    layer.undo()
    layer.redo()
    assert (receiver.undone, receiver.redone) == (1, 1)
    assert not layer._undo_history
    assert not layer._redo_history


def test_a_label_that_is_not_in_the_schema_cannot_be_picked(layer: CaseLabels) -> None:
    layer.selected_label = 2
    layer.selected_label = 77
    assert layer.selected_label == 2


def test_after_it_was_let_go_it_tells_nobody(layer: CaseLabels, receiver: Receiver) -> None:
    layer.let_go()
    layer.paint((3, 20, 20), 1)
    layer.undo()
    assert not layer.data.any()
    assert not receiver.strokes
    assert receiver.undone == 0


def test_a_box_that_is_shown_reaches_the_picture(layer: CaseLabels) -> None:
    told: list[Any] = []
    layer.events.labels_update.connect(told.append)
    truth = np.zeros_like(layer.data)
    truth[3, 5:9, 6:11] = 2
    layer.data[:] = truth
    layer.refresh_box((slice(3, 4), slice(5, 9), slice(6, 11)))
    np.testing.assert_array_equal(layer.data, truth)
    assert told[-1].offset == [5, 6]
    assert told[-1].data.shape == (4, 5)


def test_the_last_slice_can_be_reached_whatever_the_spacing_is() -> None:
    random = np.random.default_rng(20261121)
    for spacing in random.uniform(0.3, 7.0, (60, 3)):
        grid = Geometry.from_spacing((25, 4, 4), spacing, random.uniform(-300, 300, 3))
        scale, translate = views.grid_for_display(grid)
        viewer = ViewerModel()
        image = Image(np.zeros(grid.shape, np.uint8), scale=scale, translate=translate)
        viewer.add_layer(image)
        assert viewer.dims.nsteps[0] == 25
        viewer.dims.set_current_step(0, 24)
        assert image.world_to_data(viewer.dims.point)[0] == pytest.approx(24.0, abs=1e-6)
        np.testing.assert_allclose(scale, grid.spacing_mm, atol=2.0**-20)


def test_the_camera_can_still_be_told_which_way_is_left() -> None:
    viewer = ViewerModel(ndisplay=3)
    default = tuple(str(way) for way in viewer.scene.camera.orientation)
    views.hold_orientation(viewer)
    assert tuple(str(way) for way in viewer.scene.camera.orientation) == ("away", "down", "right")
    assert default != ("away", "down", "right")


def test_the_window_has_the_parts_we_reach_for(qapp: object) -> None:
    assert qapp is not None
    viewer = napari.Viewer(show=False)
    try:
        assert canvas_widget(viewer).parentWidget() is canvas_area(viewer)
        assert canvas_area(viewer).window() is main_window(viewer)
        assert [dock.name for dock in napari_docks(viewer)] == ["layer controls", "layer list"]
        before = list(viewer.mouse_wheel_callbacks)
        give_back = without_scroll_keys(viewer)
        assert len(viewer.mouse_wheel_callbacks) == len(before) - 1
        give_back()
        assert set(viewer.mouse_wheel_callbacks) == set(before)
    finally:
        viewer.close()


@given(st.integers(0, 2**31), st.data())
def test_the_border_of_a_part_is_the_border_of_the_whole(seed: int, data: st.DataObject) -> None:
    labels = np.random.default_rng(seed).integers(0, 3, (7, 9)).astype(np.uint8)
    whole = outlined(labels, (slice(0, 7), slice(0, 9)))
    part = tuple(
        slice(*sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))))
        for n in labels.shape
    )
    np.testing.assert_array_equal(outlined(labels, part), whole[part])
    np.testing.assert_array_equal(whole % OUTLINE, labels)


def test_a_voxel_is_border_where_a_neighbour_has_another_label() -> None:
    labels = np.zeros((7, 7), np.uint8)
    labels[1:6, 1:6] = 2
    border = outlined(labels, (slice(0, 7), slice(0, 7))) == 2 + OUTLINE
    assert border.sum() == 16
    assert not border[2:5, 2:5].any()
