"""The classic engine on generated images: anisotropic, noisy, with known objects."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.classic.engine import ClassicEngine
from napari_medlabel.engines.engine import Answer, Engine
from napari_medlabel.errors import Cancelled, GeometryError, InputError

SHAPE, SPACING_MM = (24, 64, 70), (3.0, 1.0, 0.9)
CENTER = (12, 30, 34)


def volume_of(image: np.ndarray, spacing_mm: tuple[float, float, float] = SPACING_MM) -> Volume:
    geometry = Geometry.from_spacing(image.shape, spacing_mm, (5.0, -9.0, 30.0))
    return Volume((image,), geometry, Source("generated", geometry))


def ellipsoid(center: tuple[int, int, int], radius_mm: float) -> np.ndarray:
    k, j, i = np.indices(SHAPE)
    steps = [(a - c) * mm for a, c, mm in zip((k, j, i), center, SPACING_MM, strict=True)]
    return sum(step**2 for step in steps) < radius_mm**2


@pytest.fixture(scope="module")
def blob() -> np.ndarray:
    return ellipsoid(CENTER, 16.0)


@pytest.fixture(scope="module")
def image(blob: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0.0, 12.0, SHAPE)
    return (100.0 * blob + noise).astype(np.int16)


PROMPTS: list[Prompt] = [
    Point(CENTER),
    Box((7, 14, 16), (17, 46, 52)),
    Box((12, 14, 16), (12, 46, 52)),
    Scribble(((12, 25, 30), (12, 35, 38))),
    Lasso(((12.0, 12.0, 34.0), (12.0, 30.0, 14.0), (12.0, 48.0, 34.0), (12.0, 30.0, 54.0))),
]


@pytest.mark.parametrize("prompt", PROMPTS, ids=["point", "box", "box-2d", "scribble", "lasso"])
def test_one_prompt_finds_a_clear_object(
    image: np.ndarray, blob: np.ndarray, prompt: Prompt
) -> None:
    answer = ClassicEngine().open(volume_of(image)).add(prompt)
    assert dice(answer.whole_mask(SHAPE), blob) > 0.85


def test_another_threshold_recuts_the_answer(image: np.ndarray) -> None:
    answer = ClassicEngine().open(volume_of(image)).add(Point(CENTER))
    sizes = [int(answer.mask(level).sum()) for level in (0.3, 0.5, 0.7)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[2]


def test_an_excluding_click_takes_away_and_a_later_include_brings_more(image: np.ndarray) -> None:
    session = ClassicEngine().open(volume_of(image))
    whole = session.add(Point(CENTER)).whole_mask(SHAPE)
    at = (12, 30, 44)
    assert whole[at]
    less = session.add(Point(at, include=False)).whole_mask(SHAPE)
    assert not less[at]
    assert not less[12, 30, 43]
    assert less[CENTER]
    assert less.sum() < whole.sum()
    more = session.add(Point((12, 30, 42))).whole_mask(SHAPE)
    assert more[12, 30, 42]
    assert not more[at]


def test_undo_gives_the_answer_before_and_reset_none(image: np.ndarray) -> None:
    session = ClassicEngine().open(volume_of(image))
    first = session.add(Point(CENTER))
    session.add(Point((12, 30, 44), include=False))
    assert session.undo() is first
    assert session.prompts == (Point(CENTER),)
    session.reset()
    assert session.prompts == ()
    assert not session.answer.mask().any()
    again = session.add(Point(CENTER))
    assert again.box == first.box
    np.testing.assert_array_equal(again.probability, first.probability)


def test_a_segment_is_refined_where_a_prompt_says_so_and_kept_elsewhere(
    image: np.ndarray, blob: np.ndarray
) -> None:
    half = blob.copy()
    half[:, :, 34:] = False
    session = ClassicEngine().open(volume_of(image), start=half)
    assert dice(session.answer.whole_mask(SHAPE), half) == 1.0
    whole = session.add(Point((12, 30, 42))).whole_mask(SHAPE)
    assert whole[12, 30, 36:46].all()
    assert dice(whole, half) < dice(whole, blob) > dice(half, blob) + 0.1
    assert (whole & half).sum() > 0.8 * half.sum()
    session.undo()
    assert dice(session.answer.whole_mask(SHAPE), half) == 1.0


def test_only_excluding_prompts_find_nothing(image: np.ndarray) -> None:
    session = ClassicEngine().open(volume_of(image))
    assert not session.add(Point(CENTER, include=False)).mask().any()
    assert session.add(Point((12, 30, 28))).mask().any()


def test_a_cancelled_prompt_leaves_the_session_as_it_was(image: np.ndarray) -> None:
    session = ClassicEngine().open(volume_of(image))
    first = session.add(Point(CENTER))
    polls = iter([False] * 3)
    with pytest.raises(Cancelled):
        session.add(Point((12, 30, 40)), cancelled=lambda: next(polls, True))
    assert session.answer is first
    assert session.prompts == (Point(CENTER),)


def test_opening_can_be_cancelled(image: np.ndarray) -> None:
    with pytest.raises(Cancelled):
        ClassicEngine().open(volume_of(image), cancelled=lambda: True)


def test_a_prompt_outside_is_refused_and_not_kept(image: np.ndarray) -> None:
    session = ClassicEngine().open(volume_of(image))
    with pytest.raises(InputError, match="the point at 24, 0, 0 is outside"):
        session.add(Point((24, 0, 0)))
    assert session.prompts == ()


def test_one_slice_is_enough(image: np.ndarray, blob: np.ndarray) -> None:
    session = ClassicEngine().open(volume_of(image[12:13]))
    found = session.add(Point((0, 30, 34))).whole_mask((1, 64, 70))
    assert dice(found, blob[12:13]) > 0.8


def test_an_image_of_one_value_is_refused() -> None:
    with pytest.raises(InputError, match="one value only"):
        ClassicEngine().open(volume_of(np.full(SHAPE, 7, np.int16)))


def test_an_image_of_nothing_but_nan_is_refused() -> None:
    with pytest.raises(InputError, match="one value only"):
        ClassicEngine().open(volume_of(np.full(SHAPE, np.nan, np.float32)))


def test_nan_counts_as_the_lowest_value(image: np.ndarray, blob: np.ndarray) -> None:
    holed = image.astype(np.float32)
    holed[:3] = np.nan
    holed[:, :, -4:] = np.inf
    found = ClassicEngine().open(volume_of(holed)).add(Point(CENTER))
    assert np.isfinite(found.probability).all()
    assert dice(found.whole_mask(SHAPE), blob) > 0.85


def test_four_axes_are_refused() -> None:
    flat = volume_of(np.zeros((4, 5, 6)))
    with pytest.raises(InputError, match="4 axes"):
        ClassicEngine().open(replace(flat, levels=(np.zeros((2, 4, 5, 6)),)))


def test_another_device_is_refused(image: np.ndarray) -> None:
    with pytest.raises(InputError, match="cuda"):
        ClassicEngine().open(volume_of(image), device="cuda")


def test_a_start_of_another_shape_is_refused(image: np.ndarray) -> None:
    with pytest.raises(GeometryError):
        ClassicEngine().open(volume_of(image), start=np.ones((2, 2, 2), bool))


def test_nothing_of_the_image_is_changed(image: np.ndarray) -> None:
    before = image.copy()
    ClassicEngine().open(volume_of(image)).add(Point(CENTER))
    np.testing.assert_array_equal(image, before)


@settings(max_examples=8)
@given(st.data())
def test_any_click_gets_a_probability_and_its_own_voxel_as_it_says(data: st.DataObject) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 20)] * 3))
    spacing = data.draw(st.tuples(*[st.floats(0.3, 8.0)] * 3))
    values = np.random.default_rng(data.draw(st.integers(0, 99))).normal(0, 1, shape)
    values.flat[0] = 9.0
    values = np.append(values, np.zeros((1, *shape[1:])), axis=0)  # at least two voxels
    session = ClassicEngine().open(volume_of(values, spacing))
    for _ in range(3):
        at = tuple(data.draw(st.integers(0, n - 1)) for n in values.shape)
        include = data.draw(st.booleans())
        answer = session.add(Point(at, include))
        assert answer.probability.dtype == np.float32
        assert ((answer.probability >= 0) & (answer.probability <= 1)).all()
        assert answer.whole_mask(values.shape)[at] == include


def test_an_answer_has_the_shape_of_its_box() -> None:
    box = (slice(0, 2), slice(0, 2), slice(0, 2))
    with pytest.raises(ValueError, match="shape"):
        Answer(box, np.zeros((1, 2, 2), np.float32))


def test_the_classic_engine_is_an_engine() -> None:
    assert isinstance(ClassicEngine(), Engine)
