"""A drawn slice carried to the next: made cylinders and cones in noise, and real organs."""

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import formats
from napari_medlabel.core.carrying import carry
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.errors import Cancelled, GeometryError, InputError

GRID = Geometry.from_spacing((12, 70, 80), (3.0, 1.2, 0.9), (5.0, -7.0, 30.0))


def cone(axis: int = 0) -> tuple[np.ndarray, np.ndarray, Geometry]:
    """A cone that moves sideways and ends after nine slices, bright in noise."""
    k, j, i = np.ogrid[:12, :70, :80]
    inside = np.hypot((j - 32 - k) * 1.2, (i - 40) * 0.9) < 24 - 1.5 * k
    inside &= k < 9
    image = np.random.default_rng(4).normal(0, 15, inside.shape) + 80.0 * inside
    order = {0: (0, 1, 2), 1: (1, 0, 2), 2: (1, 2, 0)}[axis]
    spacing = tuple(GRID.spacing_mm[n] for n in order)
    turned = np.transpose(image, order).astype(np.int16)
    return turned, np.transpose(inside, order), Geometry.from_spacing(turned.shape, spacing)


def drawn(inside: np.ndarray, axis: int, index: int, value: int = 1) -> np.ndarray:
    labels = np.zeros(inside.shape, np.uint8)
    np.moveaxis(labels, axis, 0)[index] = value * np.moveaxis(inside, axis, 0)[index]
    return labels


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shape_is_carried_to_the_end_of_what_is_seen_and_no_farther(axis: int) -> None:
    image, inside, geometry = cone(axis)
    labels = drawn(inside, axis, 2)
    edit = carry(labels, image, geometry, 1, axis, 2, 9)
    assert edit.fits(labels)
    edit.write(labels)
    found = np.moveaxis(labels == 1, axis, 0)
    truth = np.moveaxis(inside, axis, 0)
    assert dice(found[3], truth[3]) > 0.97
    assert all(dice(found[k], truth[k]) > dice(truth[2], truth[k]) + 0.04 for k in range(3, 9))
    assert not found[9:].any()


def test_each_part_ends_by_itself() -> None:
    image = np.random.default_rng(0).normal(0, 10, (4, 60, 90))
    image[:, 10:30, 10:40] += 100.0
    image[:2, 30:50, 55:80] += 100.0
    labels = np.zeros(image.shape, np.uint8)
    labels[1][image[1] > 50] = 1
    geometry = Geometry.from_spacing(image.shape, (3.0, 1.0, 1.0))
    carry(labels, image, geometry, 1, 0, 1, 1).write(labels)
    assert dice(labels[2, :, :50] == 1, image[2, :, :50] > 50) > 0.95
    assert not labels[2, :, 50:].any()


def test_other_segments_are_left_unless_allowed() -> None:
    image, inside, geometry = cone()
    labels = drawn(inside, 0, 2)
    labels[3, 30:40] = 2
    kept = labels.copy()
    carry(labels, image, geometry, 1, 0, 2, 1).write(kept)
    np.testing.assert_array_equal(kept == 2, labels == 2)
    taken = labels.copy()
    carry(labels, image, geometry, 1, 0, 2, 1, over_others=True).write(taken)
    assert (taken[3, 30:40] == 1).any()


def test_a_slice_that_has_the_segment_is_refused_or_replaced() -> None:
    image, inside, geometry = cone()
    labels = drawn(inside, 0, 2)
    labels[3, 60:68, 5:9] = 1
    with pytest.raises(InputError, match="slice 4 has the segment"):
        carry(labels, image, geometry, 1, 0, 2, 1)
    carry(labels, image, geometry, 1, 0, 2, 1, replace=True).write(labels)
    assert not labels[3, 60:68, 5:9].any()
    assert dice(labels[3] == 1, inside[3]) > 0.94


def test_nothing_is_carried_out_of_the_array() -> None:
    image, inside, geometry = cone()
    labels = drawn(inside, 0, 0)
    assert carry(labels, image, geometry, 1, 0, 0, -3).is_nothing
    assert carry(labels, image, geometry, 1, 0, 0, 0).is_nothing


def test_it_says_how_far_it_is_and_can_be_called_off() -> None:
    image, inside, geometry = cone()
    labels = drawn(inside, 0, 2)
    told: list[tuple[int, int]] = []
    carry(labels, image, geometry, 1, 0, 2, 3, progress=lambda *how: told.append(how))
    assert told == [(1, 3), (2, 3), (3, 3)]
    with pytest.raises(Cancelled):
        carry(labels, image, geometry, 1, 0, 2, 3, cancelled=lambda: True)


def test_what_cannot_be_is_refused() -> None:
    image, inside, geometry = cone()
    labels = drawn(inside, 0, 2)
    with pytest.raises(InputError, match="nothing of the segment"):
        carry(labels, image, geometry, 1, 0, 5, 1)
    with pytest.raises(InputError, match="no such slice"):
        carry(labels, image, geometry, 1, 0, 12, 1)
    with pytest.raises(InputError, match="no axis"):
        carry(labels, image, geometry, 1, 3, 2, 1)
    with pytest.raises(GeometryError):
        carry(labels, image[:4], geometry, 1, 0, 2, 1)


def test_real_organs_are_carried_better_than_copied(shared_data: Path) -> None:
    folder = shared_data / "ct-multiorgan"
    image, mask = (formats.read(folder / f"example_ct{name}.nii.gz") for name in ("", "_labels"))
    values, labels = np.asarray(image.levels[0]), np.asarray(mask.levels[0])
    carried, copied = [], []
    for value in (1, 2, 3, 5, 6):
        inside = labels == value
        places = np.flatnonzero(inside.any(axis=(1, 2)))
        for k in places[1:-2:3]:
            one = drawn(inside, 0, int(k))
            carry(one, values, image.geometry, 1, 0, int(k), 1).write(one)
            carried.append(dice(one[k + 1] == 1, inside[k + 1]))
            copied.append(dice(inside[k], inside[k + 1]))
    assert np.mean(carried) > np.mean(copied) + 0.02
