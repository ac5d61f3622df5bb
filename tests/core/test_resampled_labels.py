"""Labels on another grid, against the place of each voxel's centre, one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.resampled_labels import labels_onto
from napari_medlabel.errors import Cancelled, GeometryError
from napari_medlabel.testing import geometries


@settings(max_examples=50)
@given(geometries(), st.integers(0, 2**32 - 1))
def test_each_voxel_takes_the_label_of_the_voxel_that_its_centre_lies_in(
    source: Geometry, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, source.shape).astype(np.uint8)
    matrix = source.lps_from_kji @ np.block(
        [[np.diag(rng.uniform(0.4, 2.3, 3)), rng.uniform(-1, 1, (3, 1))], [np.zeros((1, 3)), 1]]
    )
    target = Geometry((5, 6, 7), matrix)
    found = labels_onto(labels, source, target)
    for index in np.ndindex(target.shape):
        place = source.kji(target.lps(index))
        nearest = np.floor(place + 0.5).astype(int)
        if (np.abs(place + 0.5 - np.rint(place + 0.5)) < 1e-4).any():
            continue  # on a border between two
        inside = (nearest >= 0).all() and (nearest < source.shape).all()
        assert found[index] == (labels[tuple(nearest)] if inside else 0)


@given(geometries())
def test_on_its_own_grid_nothing_changes(grid: Geometry) -> None:
    labels = np.random.default_rng(0).integers(0, 4, grid.shape).astype(np.uint16)
    np.testing.assert_array_equal(labels_onto(labels, grid, grid), labels)


def test_it_can_be_called_off_and_refuses_labels_of_another_shape() -> None:
    grid = Geometry.from_spacing((3, 4, 5))
    with pytest.raises(GeometryError):
        labels_onto(np.zeros((2, 2, 2), np.uint8), grid, grid)
    with pytest.raises(Cancelled):
        labels_onto(np.zeros(grid.shape, np.uint8), grid, grid, cancelled=lambda: True)
