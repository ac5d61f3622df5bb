"""Scissors: paths on made slices whose edges are known, and on real organs."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel import formats
from napari_medlabel.core import livewire
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.core.livewire import Livewire
from napari_medlabel.core.metrics import dice
from napari_medlabel.errors import GeometryError, InputError

SPACING = (1.5, 0.75)


def star(noise: float = 12.0) -> tuple[np.ndarray, np.ndarray]:
    """A bright star of 100 with rounded points in noise, on pixels twice as high as wide."""
    j, i = np.mgrid[:90, :180]
    y, x = (j - 45) * 1.5, (i - 90) * 0.75
    inside = np.hypot(y, x) < 45 * (1 + 0.15 * np.sin(4 * np.arctan2(y, x)))
    noisy = np.random.default_rng(1).normal(0, noise, inside.shape) + 100.0 * inside
    return noisy.astype(np.int16), inside


def around(wire: Livewire, clicks: list[tuple[int, int]], snap_mm: float) -> np.ndarray:
    first = wire.seed(clicks[0], snap_mm=snap_mm)
    ways = []
    for click in clicks[1:]:
        ways.append(wire.path_to(click, snap_mm=snap_mm))
        wire.seed((int(ways[-1][-1, 0]), int(ways[-1][-1, 1])))
    return np.concatenate([*ways, wire.path_to(first)])


@pytest.mark.parametrize("sign", [1, -1])
def test_a_few_clicks_near_an_edge_give_the_shape(sign: int) -> None:
    image, inside = star()
    clicks = [(45, 150), (79, 86), (45, 31), (11, 93)]  # some millimetres off the edge
    wire = Livewire(sign * image, SPACING)
    found = wire.closed(around(wire, clicks, 5.0))
    assert dice(found, inside) > 0.99
    assert dice(found, inside) > dice(inside_outline(clicks, inside.shape), inside)
    assert abs(int(found.sum()) - int(inside.sum())) < 0.01 * inside.sum()  # on neither side


@settings(max_examples=25)
@given(
    st.tuples(st.integers(0, 39), st.integers(0, 59)),
    st.tuples(st.integers(0, 39), st.integers(0, 59)),
    st.sampled_from([16, 512]),
)
def test_a_path_leads_from_the_seed_to_the_pixel_step_by_step(
    start: tuple[int, int], end: tuple[int, int], side: int
) -> None:
    image = np.random.default_rng(3).normal(0, 50, (40, 60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(livewire, "_SIDE", side)
        wire = Livewire(image, SPACING)
        assert wire.seed(start) == start
        path = wire.path_to(end)
    assert tuple(path[0]) == start
    assert tuple(path[-1]) == end
    steps = np.abs(np.diff(path, axis=0)).max(axis=1, initial=0)
    assert (steps == 1).all()


def test_the_way_along_an_edge_is_kept_to_though_it_is_longer() -> None:
    image, inside = star(0.0)
    wire = Livewire(image, SPACING)
    wire.seed((45, 150), snap_mm=5.0)
    path = wire.path_to((45, 31), snap_mm=5.0)
    near = ndimage.binary_dilation(inside) & ~ndimage.binary_erosion(inside)
    assert near[path[:, 0], path[:, 1]].mean() > 0.95


def test_where_nothing_is_seen_the_way_is_the_shortest_in_millimetres() -> None:
    wire = Livewire(np.zeros((30, 30)), (4.0, 1.0))
    wire.seed((2, 2))
    path = wire.path_to((2, 25))
    assert (path[:, 0] == 2).all()
    assert len(path) == 24


def test_an_edge_is_seen_in_the_window_though_a_steeper_one_is_near() -> None:
    image = np.zeros((60, 60))
    image[:, 20:] = 40.0  # soft tissue
    image[:, 32:] = 3000.0  # metal
    wire = Livewire(image, (1.0, 1.0), limits=(-20.0, 60.0))
    row, column = wire.snapped((30, 23), 5.0)
    assert row == 30
    assert column in {19, 20}
    wire.seed((5, column))
    path = wire.path_to((55, column))
    assert np.isin(path[:, 1], (19, 20)).all()


def test_values_that_are_not_finite_are_walls_of_nothing() -> None:
    image, inside = star(0.0)
    holed = image.astype(np.float32)
    holed[40:44, 80:90] = np.nan
    wire = Livewire(holed, SPACING)
    wire.seed((45, 150), snap_mm=5.0)
    assert len(wire.path_to((11, 93))) > 20
    assert np.isfinite(Livewire(np.full((5, 5), np.nan), SPACING).snapped((2, 2), 1.0)).all()
    assert inside.any()


def test_snapping_by_nothing_stays() -> None:
    wire = Livewire(star()[0], SPACING)
    assert wire.snapped((7, 8), 0.0) == (7, 8)


def test_no_path_encloses_nothing() -> None:
    wire = Livewire(star()[0], SPACING)
    assert not wire.closed(np.zeros((0, 2), int)).any()


def test_what_cannot_be_is_refused() -> None:
    wire = Livewire(star()[0], SPACING)
    with pytest.raises(InputError, match="no start"):
        wire.path_to((1, 1))
    with pytest.raises(InputError, match="outside"):
        wire.seed((-1, 4))
    with pytest.raises(InputError, match="outside"):
        wire.closed([[0, 0], [0, 999], [5, 5]])
    with pytest.raises(InputError, match="0 mm"):
        wire.snapped((1, 1), -1.0)
    with pytest.raises(GeometryError):
        Livewire(np.zeros((3, 3, 3)), SPACING)
    with pytest.raises(InputError):
        Livewire(np.zeros((3, 3)), (0.0, 1.0))
    with pytest.raises(InputError):
        Livewire(np.zeros((3, 3)), SPACING, limits=(1.0, 1.0))


def test_a_real_organ_takes_fewer_clicks_than_a_polygon(shared_data: Path) -> None:
    folder = shared_data / "ct-multiorgan"
    image, labels = (formats.read(folder / f"example_ct{name}.nii.gz") for name in ("", "_labels"))
    kidney = np.asarray(labels.levels[0]) == 2
    k = int(np.argmax(kidney.sum(axis=(1, 2))))
    plane = ndimage.zoom(np.asarray(image.levels[0])[k].astype(np.float32), 3, grid_mode=True,
                         mode="nearest")  # fmt: skip
    truth = ndimage.zoom(kidney[k].astype(np.float32), 3, order=1, grid_mode=True,
                         mode="nearest") > 0.5  # fmt: skip
    border = np.argwhere(truth & ~ndimage.binary_erosion(truth))
    angles = np.arctan2(*(border - border.mean(axis=0)).T)
    chosen = border[[np.argmin(np.abs(angles - a)) for a in np.arange(-3.0, 3.0)]]
    clicks = [(int(row), int(column)) for row, column in chosen]
    spacing_mm = image.geometry.spacing_mm
    wire = Livewire(plane, (spacing_mm[1] / 3, spacing_mm[2] / 3), limits=(-160.0, 240.0))
    found = wire.closed(around(wire, clicks, 3.0))
    assert dice(found, truth) > 0.88
    assert dice(found, truth) > dice(inside_outline(clicks, truth.shape), truth)


def test_scissors_with_another_start_leave_these_as_they_are() -> None:
    image, _inside = star()
    wire = Livewire(image, SPACING)
    assert wire.start is None
    assert not wire.reaches((45, 90))
    wire.seed((45, 150), snap_mm=5.0)
    before, start = wire.path_to((79, 86)), wire.start
    near = wire.seeded((11, 93), snap_mm=5.0, side=40)
    np.testing.assert_array_equal(wire.path_to((79, 86)), before)
    assert wire.start == start
    assert near.start is not None
    np.testing.assert_array_equal(near.path_to((20, 100))[0], near.start)
    assert near.reaches((20, 100))
    assert not near.reaches((79, 150))
    assert wire.reaches((79, 150))
    np.testing.assert_array_equal(near.path_to((79, 150))[-1], (79, 150))
    with pytest.raises(InputError, match="at least one pixel"):
        wire.seeded((11, 93), side=0)
