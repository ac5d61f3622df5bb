"""Regions that spread from a voxel; ground truth by SciPy on the whole array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from napari_medlabel.core import region_runs
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region_flood import (
    fill,
    grow_confidently,
    grow_from_point,
)
from napari_medlabel.core.region_nearest import nearest_part
from napari_medlabel.core.smart_paint import paint_to_edge
from napari_medlabel.errors import Cancelled, GeometryError, InputError
from napari_medlabel.testing import label_arrays

SHAPE = (5, 6, 7)
SEED = (2, 3, 3)
IMAGES = hnp.arrays(np.int16, SHAPE, elements=st.integers(0, 4))
AXES = st.sampled_from([None, 0, 1, 2])


@given(
    hnp.arrays(bool, SHAPE), st.integers(0, 60),
    st.tuples(*[st.sampled_from([0.5, 1.0, 4.0])] * 3),
)  # fmt: skip
def test_of_a_region_that_is_too_large_the_part_around_its_seed_is_kept(
    mask: BoolArray, most: int, spacing_mm: tuple[float, float, float]
) -> None:
    mask[SEED] = True
    box, found = region_runs.region_around(mask.__getitem__, SEED, SHAPE)
    whole = region_of(mask, None)
    part_box, part = nearest_part(box, found, SEED, spacing_mm, most)
    kept = np.zeros(SHAPE, bool)
    kept[part_box] = part
    count = int(np.count_nonzero(kept))
    assert not (kept & ~whole).any()
    assert count <= most
    np.testing.assert_array_equal(kept, region_of(kept, None))
    if most >= np.count_nonzero(whole):
        np.testing.assert_array_equal(kept, whole)
    elif most:
        assert kept[SEED]
        away = np.sqrt(sum(
            np.square((n - at) * mm)
            for n, at, mm in zip(np.indices(SHAPE), SEED, spacing_mm, strict=True)
        ))  # fmt: skip
        near = region_of(whole & (away <= away[kept].max() - 0.05), None)
        assert not (near & ~kept).any()


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_runs, "_FIRST", 0)  # so that it must look farther


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    return changed


def region_of(mask: BoolArray, axis: int | None) -> BoolArray:
    """What hangs together with the seed by faces, in its slice or in 3-D."""
    if axis is not None:
        slice_ = np.zeros(mask.shape, bool)
        key = tuple(SEED[axis] if n == axis else slice(None) for n in range(3))
        slice_[key] = True
        mask = mask & slice_
    numbers, _ = ndimage.label(mask)
    return (numbers == numbers[SEED]) & mask


@given(label_arrays(SHAPE, (1, 2)), IMAGES, st.integers(0, 2), AXES)
def test_a_region_is_what_hangs_together_within_the_tolerance(
    labels: LabelArray, image: np.ndarray, tolerance: int, axis: int | None
) -> None:
    labels[SEED] = 0
    alike = np.abs(image - image[SEED]) <= tolerance
    grown = after(labels, grow_from_point(labels, image, 1, SEED, tolerance, axis=axis))
    truth = region_of(alike & (labels != 2), axis)
    np.testing.assert_array_equal(grown == 1, truth | (labels == 1))
    np.testing.assert_array_equal(grown == 2, labels == 2)


@given(label_arrays(SHAPE, (1, 2)), IMAGES, st.sampled_from([None, 1]), AXES)
def test_filling_replaces_one_region_of_one_label(
    labels: LabelArray, image: np.ndarray, tolerance: int | None, axis: int | None
) -> None:
    alike = labels == labels[SEED]
    if tolerance is not None:
        alike &= np.abs(image - image[SEED]) <= tolerance
    filled = after(
        labels,
        fill(labels, 9, SEED, image=None if tolerance is None else image,
             tolerance=tolerance or 0, axis=axis),
    )  # fmt: skip
    np.testing.assert_array_equal(filled, np.where(region_of(alike, axis), 9, labels))


def test_a_confident_region_finds_a_noisy_ball_and_not_the_rest() -> None:
    rng = np.random.default_rng(7)
    k, j, i = np.ogrid[:20, :60, :60]
    ball = ((k - 10) * 3.0) ** 2 + (j - 30) ** 2 + (i - 30) ** 2 < 20**2
    image = rng.normal(0, 8, ball.shape) + 100 * ball
    edit = grow_confidently(np.zeros(ball.shape, np.uint8), image, 1, (10, 30, 30), factor=3.0)
    grown = after(np.zeros(ball.shape, np.uint8), edit) == 1
    assert np.count_nonzero(grown & ball) > 0.97 * np.count_nonzero(ball)
    assert not (grown & ~ball).any()


def test_a_disc_is_painted_up_to_the_edge_and_no_farther() -> None:
    rng = np.random.default_rng(2)
    image = rng.normal(0, 5, (3, 60, 80))
    image[:, :, 40:] += 100
    labels = np.zeros(image.shape, np.uint8)
    settings = {"diameter_mm": 20.0, "spacing_mm": (5.0, 1.0, 0.5)}
    edit = paint_to_edge(labels, image, 1, (1, 30, 36), **settings)
    painted = after(labels, edit) == 1
    assert (np.flatnonzero(painted.any(axis=(1, 2))) == [1]).all()
    assert not painted[:, :, 40:].any()
    j, i = np.ogrid[:60, :80]
    disc = (j - 30.0) ** 2 + ((i - 36) * 0.5) ** 2 <= 10.0**2
    np.testing.assert_array_equal(painted[1], disc & (i < 40))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_disc_without_an_edge_is_painted_whole_in_every_view(axis: int) -> None:
    rng = np.random.default_rng(2)
    image = rng.normal(0, 5, (21, 41, 41))
    labels = np.zeros(image.shape, np.uint8)
    spacing_mm = (2.0, 1.0, 1.0)
    edit = paint_to_edge(
        labels, image, 1, (10, 20, 20), diameter_mm=12.0, spacing_mm=spacing_mm, axis=axis
    )
    grid = np.ogrid[:21, :41, :41]
    squares = sum(
        ((a - c) * s) ** 2
        for n, (a, c, s) in enumerate(zip(grid, (10, 20, 20), spacing_mm, strict=True))
        if n != axis
    )
    flat = np.equal(grid[axis], (10, 20, 20)[axis])
    np.testing.assert_array_equal(after(labels, edit) == 1, (squares <= 36.0) & flat)


def test_a_stroke_is_one_edit_of_all_its_discs() -> None:
    image = np.zeros((3, 40, 60), np.int16)
    image[:, :, 30:] = 500
    labels = np.zeros(image.shape, np.uint8)
    mm, path = (3.0, 0.8, 0.7), [(1, 20, 12), (1, 22, 20), (1, 22, 27)]
    truth = labels.copy()
    for center in path:
        disc = paint_to_edge(labels, image, 1, center, diameter_mm=9.0, spacing_mm=mm)
        truth |= after(labels, disc)
    stroke = paint_to_edge(labels, image, 1, path[0], path=path[1:], diameter_mm=9.0, spacing_mm=mm)
    np.testing.assert_array_equal(after(labels, stroke), truth)
    assert truth[1, 20:24, 29].all()
    assert not truth[:, :, 30:].any()


def test_a_disc_of_one_voxel_is_one_voxel() -> None:
    labels, image = np.zeros((3, 4, 1), np.uint8), np.arange(12.0).reshape(3, 4, 1)
    edit = paint_to_edge(
        labels, image, 2, (1, 2, 0), diameter_mm=0.1, spacing_mm=(1.0, 1.0, 1.0), axis=1
    )
    assert (edit.low, edit.voxels) == ((1, 2, 0), 1)


def test_what_cannot_be_is_refused() -> None:
    labels, image = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE)
    labels[SEED] = 2
    with pytest.raises(InputError, match="another segment"):
        grow_from_point(labels, image, 1, SEED, 1.0)
    with pytest.raises(InputError, match="outside"):
        fill(labels, 1, (0, 0, 7))
    with pytest.raises(InputError, match="outside"):
        fill(labels, 1, (-1, 0, 0))
    with pytest.raises(InputError, match="tolerance"):
        grow_from_point(labels, image, 2, SEED, -1.0)
    with pytest.raises(GeometryError):
        grow_confidently(labels, image[1:], 2, SEED)
    image[SEED] = np.nan
    with pytest.raises(InputError, match="no value"):
        grow_from_point(labels, image, 2, SEED, 1.0)
    with pytest.raises(Cancelled):
        fill(labels, 1, SEED, cancelled=lambda: True)
