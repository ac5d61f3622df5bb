"""Borders redrawn by the image: moved to where it shows one, and left alone where it does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.metrics import dice
from napari_medlabel.core.prompt import Point
from napari_medlabel.engines.answers import part_of
from napari_medlabel.engines.appearance import redrawn
from napari_medlabel.engines.engine import Answer
from napari_medlabel.engines.network.merging import merged, reach_mm
from napari_medlabel.engines.redrawing import border_moves
from napari_medlabel.engines.sampling import Pyramid

SHAPE, MM = (16, 48, 44), np.array([3.0, 1.0, 1.1])
CENTER = (8, 24, 22)


def ball(radius_mm: float, center: tuple[int, int, int] = CENTER) -> np.ndarray:
    steps = [(a - c) * mm for a, c, mm in zip(np.indices(SHAPE), center, MM, strict=True)]
    return sum(step**2 for step in steps) < radius_mm**2


def image_of(mask: np.ndarray, noise: float = 8.0) -> np.ndarray:
    values = np.random.default_rng(2).normal(0.0, noise, SHAPE)
    return (values + 60.0 * mask).astype(np.float32)


def doubtful(mask: np.ndarray) -> np.ndarray:
    """A probability that is as sure as a network's."""
    return np.where(mask, np.float32(0.8), np.float32(0.1)).astype(np.float32)


@pytest.mark.parametrize("radius_mm", [13.5, 17.0])
def test_a_border_beside_the_edge_moves_to_it(radius_mm: float) -> None:
    truth = ball(15.0)
    share = doubtful(ball(radius_mm))
    found = redrawn(share, image_of(truth), MM)
    missing = 1.0 - dice(share > 0.5, truth)
    assert 1.0 - dice(found > 0.5, truth) < 0.5 * missing


def test_where_no_edge_shows_the_border_stays() -> None:
    share = doubtful(ball(15.0))
    noise = np.random.default_rng(3).normal(0.0, 8.0, SHAPE).astype(np.float32)
    assert dice(redrawn(share, noise, MM) > 0.5, share > 0.5) > 0.9


def test_brightness_and_contrast_change_nothing() -> None:
    share, image = doubtful(ball(13.0)), image_of(ball(15.0))
    one, other = redrawn(share, image, MM), redrawn(share, -0.02 * image + 900.0, MM)
    assert dice(one > 0.5, other > 0.5) > 0.98


@settings(max_examples=12, deadline=None)
@given(
    st.tuples(*[st.integers(1, 7)] * 3), st.integers(0, 99), st.sampled_from(["none", "all", "one"])
)
def test_anything_gives_a_probability(shape: tuple[int, int, int], seed: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    share = rng.random(shape, np.float32) * np.float32({"none": 0.4, "all": 1.0, "one": 0.0}[kind])
    if kind == "one":
        share.flat[0] = 1.0
    values = rng.normal(0.0, 1.0, shape) if seed % 2 else np.zeros(shape)
    found = redrawn(share, values.astype(np.float32), np.array([5.0, 1.0, 0.4]))
    assert found.dtype == np.float32
    assert ((found >= 0.0) & (found <= 1.0)).all()


def moved(share: np.ndarray, image: np.ndarray, prompts: list[Point]) -> np.ndarray:
    low = (1, 2, 3)
    box = tuple(slice(a, b) for a, b in zip(low, SHAPE, strict=True))
    own = share[box]
    where, change = border_moves(own, box, Pyramid(image, tuple(MM)), prompts)
    found = own.copy()
    found[where] += change
    whole = share.copy()
    whole[box] = np.clip(found, 0.0, 1.0)
    return whole


@pytest.mark.parametrize("most", [300_000, 8_000], ids=["every voxel", "fewer samples"])
def test_on_voxels_the_border_moves_to_the_edge_and_nothing_grows_where_it_may_not(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.engines.redrawing._MOST_SAMPLES", most)
    truth = ball(15.0)
    share = doubtful(ball(13.0))
    found = moved(share, image_of(truth), [Point(CENTER)])
    assert dice(found > 0.5, truth) > dice(share > 0.5, truth) + 0.01
    share[:, 24:] = 0.0  # as beside a box
    assert not moved(share, image_of(truth), [Point((8, 20, 22))])[:, 24:].any()


def test_a_click_is_not_contradicted_and_what_is_cut_off_from_it_is_left_out() -> None:
    near, far = ball(8.0, (8, 14, 22)), ball(8.0, (8, 36, 22))
    bridge = np.zeros(SHAPE, bool)
    bridge[7:10, 14:36, 21:24] = True
    share = doubtful(near | far | bridge)
    image = image_of(near | far)
    found = moved(share, image, [Point((8, 14, 22))]) > 0.5
    assert found[near].mean() > 0.8
    assert not found[far].any()
    odd = Point((8, 24, 22))  # on the bridge, which is not of the object's tissue
    assert (moved(share, image, [odd]) > 0.5)[odd.kji]


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_part_of_an_answer_is_that_part(data: st.DataObject) -> None:
    whole = np.zeros((12, 11, 10), np.float32)
    ends = [sorted(data.draw(st.tuples(*[st.integers(0, n)] * 2))) for n in whole.shape]
    box = tuple(slice(a, b) for a, b in ends)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    whole[box] = rng.random(whole[box].shape)
    answer = Answer(box, whole[box].copy())
    ends = [sorted(data.draw(st.tuples(*[st.integers(0, n)] * 2))) for n in whole.shape]
    other = tuple(slice(a, b) for a, b in ends)
    step = data.draw(st.integers(1, 3))
    every = (slice(None, None, step),) * 3
    np.testing.assert_array_equal(part_of(answer, other, every), whole[other][every])


@pytest.mark.parametrize("most", [4_000_000, 1_000], ids=["every voxel", "every second"])
def test_of_a_new_answer_only_the_touched_change_is_taken(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.engines.network.merging._MOST_LABELLED", most)
    before, after = np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32)
    before[4:12, 10:20, 10:20] = 0.9
    after[4:12, 10:26, 10:20] = 0.8  # grown towards the click
    after[4:12, 10:20, 30:40] = 0.8  # and elsewhere
    box = tuple(slice(0, n) for n in SHAPE)
    small = (slice(2, 14), slice(8, 24), slice(8, 24))
    old, new = Answer(small, before[small].copy()), Answer(box, after)
    found = merged(old, new, np.array([[8, 23, 15]]), MM).whole_mask(SHAPE)
    assert found[4:12, 10:25, 10:20].all()
    assert not found[:, :, 30:].any()
    nothing = merged(old, new, np.array([[1, 40, 2]]), MM).whole_mask(SHAPE)
    np.testing.assert_array_equal(nothing, before > 0.5)
    near = merged(old, new, np.array([[8, 22, 15]]), MM, 4.0).whole_mask(SHAPE)
    assert near[8, 20:25, 15].all()
    assert not near[4, 20:26, 10:20].any()  # 12 mm away
    assert near[4:12, 10:20, 10:20].all()


def test_a_late_click_reaches_as_far_as_it_says_that_the_error_does() -> None:
    mask = ball(12.0)
    box = tuple(slice(0, n) for n in SHAPE)
    answer = Answer(box, mask.astype(np.float32))
    shallow = reach_mm(answer, Point((8, 24 + 14, 22)), MM)  # 2 mm beside it
    deep = reach_mm(answer, Point((8, 24 + 20, 22)), MM)
    assert 5.0 <= shallow < 0.5 * deep < 30.0
    inside = reach_mm(answer, Point((8, 24 + 10, 22), include=False), MM)
    assert 5.0 <= inside < 20.0
    assert reach_mm(Answer.nothing(), Point(CENTER), MM) == np.inf
