import numpy as np
import pytest
from scipy import ndimage

from napari_medlabel.core import region_seeds
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.region_seeds import grow_from_seeds
from napari_medlabel.errors import Cancelled, GeometryError, InputError

SPACING = (3.0, 1.0, 0.8)
SHAPE = (24, 90, 100)


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    return changed


@pytest.fixture
def truth() -> np.ndarray:
    """Two balls that touch, 1 and 2, in a background, 3."""
    k, j, i = (n * s for n, s in zip(np.ogrid[:24, :90, :100], SPACING, strict=True))
    near = (k - 36) ** 2 + (j - 45) ** 2
    return np.select([near + (i - 26) ** 2 < 18**2, near + (i - 58) ** 2 < 18**2], [1, 2], 3)


@pytest.fixture
def image(truth: np.ndarray) -> np.ndarray:
    values = np.choose(truth - 1, [100.0, 180.0, 0.0])
    noise = np.random.default_rng(4).normal(0, 8, SHAPE)
    return (ndimage.gaussian_filter(values, 0.7) + noise).astype(np.int16)


@pytest.fixture
def seeds() -> LabelArray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[12, 43:48, 25:40] = 1
    labels[12, 43:48, 66:80] = 2
    labels[:, 2:4, 2:98] = labels[:, 86:88, 2:98] = 3
    labels[[1, 22], 10:80, 10:90] = 3
    return labels


@pytest.mark.parametrize("coarse", [10_000, 10_000_000], ids=["coarse cells", "single voxels"])
def test_segments_grow_to_the_edges_of_the_image(
    truth: np.ndarray, image: np.ndarray, seeds: LabelArray, coarse: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(region_seeds, "_COARSE_VOXELS", coarse)
    grown = after(seeds, grow_from_seeds(seeds, image, SPACING))
    assert min(dice(grown == value, truth == value) for value in (1, 2)) > 0.95
    np.testing.assert_array_equal(grown[seeds > 0], seeds[seeds > 0])
    assert (grown > 0).all()


def test_what_is_outside_gets_no_voxel_but_its_seeds(
    truth: np.ndarray, image: np.ndarray, seeds: LabelArray
) -> None:
    grown = after(seeds, grow_from_seeds(seeds, image, SPACING, outside=3))
    np.testing.assert_array_equal(grown == 3, seeds == 3)
    assert dice(grown == 1, truth == 1) > 0.95


def test_other_segments_are_neither_entered_nor_changed(
    image: np.ndarray, seeds: LabelArray
) -> None:
    seeds[8:16, 30:60, 45:50] = 7
    grown = after(seeds, grow_from_seeds(seeds, image, SPACING, values=[1, 2, 3]))
    np.testing.assert_array_equal(grown == 7, seeds == 7)
    with pytest.raises(InputError, match="two segments"):
        grow_from_seeds(seeds, image, SPACING, values=[1, 9])


def test_only_values_within_the_limits_are_taken(image: np.ndarray, seeds: LabelArray) -> None:
    edit = grow_from_seeds(seeds, image, SPACING, limits=(80, 120))
    values = image[edit.box][edit.changed]
    assert (values.min(), values.max()) == (80, 120)


def test_the_margin_around_the_seeds_is_in_millimetres() -> None:
    labels = np.zeros((30, 60, 60), np.uint8)
    labels[15, 30, 30], labels[15, 30, 31] = 1, 2
    edit = grow_from_seeds(labels, np.zeros(labels.shape), (3.0, 1.0, 0.5), margin_mm=6.0)
    assert edit.low == (13, 24, 18)
    assert edit.changed.shape == (5, 13, 26)


def test_what_cannot_be_is_refused_and_cancelling_ends_it(
    image: np.ndarray, seeds: LabelArray
) -> None:
    with pytest.raises(InputError, match="two segments"):
        grow_from_seeds(np.zeros_like(seeds), image, SPACING)
    with pytest.raises(InputError, match="margin"):
        grow_from_seeds(seeds, image, SPACING, margin_mm=-1)
    with pytest.raises(InputError, match="lower limit"):
        grow_from_seeds(seeds, image, SPACING, limits=(2, 1))
    with pytest.raises(GeometryError):
        grow_from_seeds(seeds, image[1:], SPACING)
    polls = iter([False] * 3)
    with pytest.raises(Cancelled):
        grow_from_seeds(seeds, image, SPACING, cancelled=lambda: next(polls, True))
