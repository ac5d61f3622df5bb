"""What the network is trained on: generated images, by seeds, and the robot that clicks on them."""

import numpy as np
import pytest
from scipy import ndimage

from training.episodes import Crop, _clicked
from training.scene import sample

SIDE = 48


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_gives_an_image_and_connected_targets_always_the_same(seed: int) -> None:
    image, targets = sample(seed, SIDE)
    again, same = sample(seed, SIDE)
    np.testing.assert_array_equal(image, again)
    assert len(targets) == len(same) > 0
    assert np.isfinite(image).all()
    for one, other in zip(targets, same, strict=True):
        np.testing.assert_array_equal(one, other)
        assert ndimage.label(one)[1] == 1


def test_what_is_cut_out_and_pasted_back_is_where_it_was() -> None:
    blob = np.zeros((80, 80, 80), np.float32)
    blob[30:50, 34:46, 20:60] = 1.0
    crop = Crop(np.array([40.0, 40.0, 40.0]), 60.0, 48)
    half = blob.reshape(40, 2, 40, 2, 40, 2).mean(axis=(1, 3, 5))
    back = crop.pasted(crop.cut(blob, half), np.zeros_like(blob)) > 0.5
    truth = blob > 0.5
    assert 2 * (back & truth).sum() / (back.sum() + truth.sum()) > 0.95


def test_the_robot_clicks_the_middle_of_the_largest_error() -> None:
    truth = np.zeros((40, 40, 40), bool)
    truth[10:20, 10:20, 10:20] = True
    mask = np.zeros_like(truth)
    mask[30:34, 30:34, 30:34] = True
    for seed in range(5):
        click = _clicked(np.random.default_rng(seed), mask, truth)
        assert click is not None
        place, include = click
        assert include
        assert truth[tuple(place.astype(int))]
    assert _clicked(np.random.default_rng(0), truth, truth) is None
