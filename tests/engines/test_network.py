"""The default engine with a tiny network whose weights are set by hand: near a click is inside."""

import hashlib
import json
import pickle
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.metrics import dice
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.engine import Engine
from napari_medlabel.engines.network.build import built
from napari_medlabel.engines.network.encoding import CHANNELS, Sight, encoded
from napari_medlabel.engines.network.engine import NetworkEngine
from napari_medlabel.engines.network.prompting import sight_of
from napari_medlabel.engines.network.weights import Card, network_of, read_card
from napari_medlabel.engines.registry import chosen_engine
from napari_medlabel.engines.sampling import Lattice, Pyramid
from napari_medlabel.errors import Cancelled, GeometryError, InputError, IntegrityError

torch = pytest.importorskip("torch", reason="the extra ai is not installed")
pytest.importorskip("monai", reason="the extra ai is not installed")

SHAPE, SPACING_MM = (24, 64, 70), (3.0, 1.0, 0.9)
CENTER = (12, 30, 34)
WIDTHS = (4, 4)


def volume_of(image: np.ndarray, spacing_mm: tuple[float, float, float] = SPACING_MM) -> Volume:
    geometry = Geometry.from_spacing(image.shape, spacing_mm, (5.0, -9.0, 30.0))
    return Volume((image,), geometry, Source("generated", geometry))


@pytest.fixture(scope="module")
def blob() -> np.ndarray:
    k, j, i = np.indices(SHAPE)
    steps = [(a - c) * mm for a, c, mm in zip((k, j, i), CENTER, SPACING_MM, strict=True)]
    return sum(step**2 for step in steps) < 16.0**2


@pytest.fixture(scope="module")
def image(blob: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(3).normal(0.0, 4.0, SHAPE)
    return (100.0 * blob + noise).astype(np.int16)


def near_is_inside(bias: float = -2.0) -> Any:  # noqa: ANN401  # a torch Module
    """A network that goes by how near clicks are along even tissue, and by that alone.

    With a lower bias by how near they are in samples, so that each field has its own answer.
    """
    torch.manual_seed(0)
    network = built(WIDTHS, 1)
    last = list(network["unet"].parameters())[-6:]
    with torch.no_grad():
        for tensor in last:
            tensor.zero_()
        going_by = torch.tensor([0.0, 0.0, 0.0, 24.0, -24.0])
        network["sharp"].weight.copy_(going_by.view(1, 5, 1, 1, 1))
        network["sharp"].bias.fill_(bias)
    return network


def card_of(network: Any, folder: Path) -> Card:  # noqa: ANN401  # a torch Module
    path = folder / "tiny.pt"
    torch.save({name: one.half() for name, one in network.state_dict().items()}, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Card(path, "tiny", "7", sha256, WIDTHS, 1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> NetworkEngine:
    return NetworkEngine(card_of(near_is_inside(), tmp_path_factory.mktemp("weights")))


PROMPTS: list[list[Prompt]] = [
    [Point(CENTER)],
    [Box((7, 14, 16), (17, 46, 52)), Point(CENTER)],
    [Box((12, 14, 16), (12, 46, 52)), Point(CENTER)],
    [Scribble(((12, 25, 30), (12, 35, 38)))],
    [Lasso(((12.0, 12.0, 34.0), (12.0, 30.0, 14.0), (12.0, 48.0, 34.0), (12.0, 30.0, 54.0)))],
]


@pytest.mark.parametrize("prompts", PROMPTS, ids=["point", "box", "box-2d", "scribble", "lasso"])
def test_prompts_of_each_kind_find_a_clear_object(
    engine: NetworkEngine, image: np.ndarray, blob: np.ndarray, prompts: list[Prompt]
) -> None:
    session = engine.open(volume_of(image))
    for prompt in prompts:
        answer = session.add(prompt)
    assert dice(answer.whole_mask(SHAPE), blob) > 0.75
    assert session.facts.model == "tiny"
    assert session.facts.version == "7"
    assert len(session.facts.sha256) == 64


def test_the_default_engine_is_an_engine(engine: NetworkEngine) -> None:
    assert isinstance(engine, Engine)
    assert engine.why_not() == ""


def test_the_answer_is_flipped_with_the_image_and_its_clicks(
    engine: NetworkEngine, image: np.ndarray
) -> None:
    axes = (0, 2)
    clicks = [(Point((12, 30, 30)), True), (Point((12, 44, 40)), False)]

    def answered(values: np.ndarray, turned: Callable[[Any], Any]) -> np.ndarray:
        session = engine.open(volume_of(values))
        for click, include in clicks:
            at = [int(n) for n in turned(click.kji)]
            answer = session.add(Point((at[0], at[1], at[2]), include=include))
        return answer.whole_mask(SHAPE)

    plain = answered(image, lambda kji: kji)
    flips = np.isin(np.arange(3), axes)
    flipped = answered(
        np.flip(image, axes).copy(),
        lambda kji: np.where(flips, np.subtract(SHAPE, 1) - kji, kji),
    )
    assert plain.any()
    assert dice(np.flip(flipped, axes), plain) > 0.97


def test_an_excluding_click_takes_away_and_a_later_include_brings_more(
    engine: NetworkEngine, image: np.ndarray
) -> None:
    session = engine.open(volume_of(image))
    whole = session.add(Point(CENTER)).whole_mask(SHAPE)
    at = (12, 30, 44)
    assert whole[at]
    less = session.add(Point(at, include=False)).whole_mask(SHAPE)
    assert not less[at]
    assert not less[12, 30, 43]
    assert less[CENTER]
    assert less.sum() < whole.sum()
    more = session.add(Point((12, 30, 41))).whole_mask(SHAPE)
    assert more[12, 30, 41]
    assert not more[at]


def test_undo_gives_the_answer_before_and_the_same_clicks_the_same_answer(
    engine: NetworkEngine, image: np.ndarray
) -> None:
    session = engine.open(volume_of(image))
    first = session.add(Point(CENTER))
    second = session.add(Point((12, 30, 44), include=False))
    assert session.undo() is first
    again = session.add(Point((12, 30, 44), include=False))
    assert again.box == second.box
    np.testing.assert_array_equal(again.probability, second.probability)
    session.reset()
    assert session.prompts == ()
    assert not session.answer.mask().any()


def test_a_click_far_from_the_object_moves_the_region(engine: NetworkEngine) -> None:
    shape = (10, 30, 160)
    image = np.random.default_rng(5).normal(0.0, 3.0, shape)
    image[2:8, 8:22, 8:24] += 100.0
    image[2:8, 8:22, 130:150] += 100.0
    session = engine.open(volume_of(image, (2.0, 1.0, 1.0)))
    near = session.add(Point((5, 15, 16))).whole_mask(shape)
    assert not near[:, :, 120:].any()
    both = session.add(Point((5, 15, 140))).whole_mask(shape)
    assert both[5, 15, 140]
    assert both[5, 15, 16]
    assert both[3:7, 10:20, 133:147].mean() > 0.9


def test_a_segment_is_refined_where_a_prompt_says_so(
    engine: NetworkEngine, image: np.ndarray, blob: np.ndarray
) -> None:
    half = blob.copy()
    half[:, :, 34:] = False
    session = engine.open(volume_of(image), start=half)
    assert dice(session.answer.whole_mask(SHAPE), half) == 1.0
    whole = session.add(Point((12, 30, 42))).whole_mask(SHAPE)
    assert whole[12, 30, 42]
    assert dice(whole, blob) > 0.8
    session.undo()
    assert dice(session.answer.whole_mask(SHAPE), half) == 1.0


def test_only_excluding_prompts_find_nothing(engine: NetworkEngine, image: np.ndarray) -> None:
    session = engine.open(volume_of(image))
    assert not session.add(Point(CENTER, include=False)).mask().any()
    assert session.add(Point((12, 30, 28))).mask().any()


def test_a_cancelled_prompt_leaves_the_session_as_it_was(
    engine: NetworkEngine, image: np.ndarray
) -> None:
    session = engine.open(volume_of(image))
    first = session.add(Point(CENTER))
    polls = iter([False] * 3)
    with pytest.raises(Cancelled):
        session.add(Point((12, 30, 40)), cancelled=lambda: next(polls, True))
    assert session.answer is first
    assert session.prompts == (Point(CENTER),)


def test_a_prompt_outside_is_refused_and_not_kept(engine: NetworkEngine, image: np.ndarray) -> None:
    session = engine.open(volume_of(image))
    with pytest.raises(InputError, match="the point at 24, 0, 0 is outside"):
        session.add(Point((24, 0, 0)))
    assert session.prompts == ()


def test_one_slice_is_enough(engine: NetworkEngine, image: np.ndarray, blob: np.ndarray) -> None:
    found = engine.open(volume_of(image[12:13])).add(Point((0, 30, 34)))
    assert dice(found.whole_mask((1, 64, 70)), blob[12:13]) > 0.75


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_an_image_of_one_value_is_refused(engine: NetworkEngine, value: float) -> None:
    with pytest.raises(InputError, match="one value only"):
        engine.open(volume_of(np.full(SHAPE, value, np.float32)))


def test_nan_counts_as_the_lowest_value(
    engine: NetworkEngine, image: np.ndarray, blob: np.ndarray
) -> None:
    holed = image.astype(np.float32)
    holed[:3] = np.nan
    holed[:, :, -4:] = np.inf
    found = engine.open(volume_of(holed)).add(Point(CENTER))
    assert np.isfinite(found.probability).all()
    assert dice(found.whole_mask(SHAPE), blob) > 0.75


def test_what_cannot_be_opened_is_refused(engine: NetworkEngine, image: np.ndarray) -> None:
    with pytest.raises(InputError, match="4 axes"):
        engine.open(replace(volume_of(image), levels=(np.zeros((2, 4, 5, 6)),)))
    with pytest.raises(GeometryError):
        engine.open(volume_of(image), start=np.ones((2, 2, 2), bool))
    with pytest.raises(InputError, match="abacus"):
        engine.open(volume_of(image), device="abacus")


@settings(max_examples=3, deadline=None)
@given(st.data())
def test_any_click_gets_a_probability_and_its_own_voxel_as_it_says(
    engine: NetworkEngine, data: st.DataObject
) -> None:
    shape = data.draw(st.tuples(*[st.integers(1, 20)] * 3))
    spacing = data.draw(st.tuples(*[st.floats(0.3, 8.0)] * 3))
    values = np.random.default_rng(data.draw(st.integers(0, 99))).normal(0, 1, shape)
    values.flat[0] = 9.0
    values = np.append(values, np.zeros((1, *shape[1:])), axis=0)  # at least two voxels
    session = engine.open(volume_of(values, spacing))
    include = True
    for _ in range(2):
        at = tuple(data.draw(st.integers(0, n - 1)) for n in values.shape)
        answer = session.add(Point(at, include))
        assert answer.probability.dtype == np.float32
        assert ((answer.probability >= 0.0) & (answer.probability <= 1.0)).all()
        assert bool(answer.whole_mask(values.shape)[at]) is include
        include = data.draw(st.booleans())


@pytest.mark.parametrize("field_mm", [30.0, 80.0, 200.0])
def test_a_prompt_is_where_it_was_said_at_every_zoom(image: np.ndarray, field_mm: float) -> None:
    pyramid = Pyramid(image, SPACING_MM)
    at = (10, 40, 20)
    place = np.array(at) * SPACING_MM
    lattice = Lattice.around(place + np.array([2.0, -3.0, 1.0]), field_mm, 32)
    spacing = np.array(SPACING_MM)
    for include in (True, False):
        sight = sight_of(pyramid.patch(lattice), [Point(at, include)], spacing, SHAPE)
        own = encoded([sight])[0, CHANNELS.index("included" if include else "excluded")]
        other = encoded([sight])[0, CHANNELS.index("excluded" if include else "included")]
        found = np.unravel_index(int(own.argmax()), own.shape)
        mm = [lattice.along(n)[found[n]] for n in range(3)]
        assert np.abs(np.subtract(mm, place)).max() <= lattice.step_mm / 2.0 + 1e-6
        assert not other.any()


def test_brightness_and_contrast_of_the_image_change_nothing(image: np.ndarray) -> None:
    values = image[:, :, :24].astype(np.float32)[:24, :24]
    sights = [
        Sight(scaled, np.ones(values.shape, bool), np.array([[10.0, 12.0, 8.0]]))
        for scaled in (values, values * 0.02 - 700.0)
    ]
    first, second = encoded(sights)
    np.testing.assert_allclose(first, second, atol=2e-2)


def test_weights_of_another_hash_are_not_loaded(tmp_path: Path) -> None:
    card = card_of(near_is_inside(), tmp_path)
    card.path.write_bytes(card.path.read_bytes() + b"x")
    with pytest.raises(IntegrityError):
        network_of(card)


def test_weights_of_another_network_are_not_loaded(tmp_path: Path) -> None:
    card = card_of(near_is_inside(), tmp_path)
    with pytest.raises(InputError, match="another network"):
        network_of(replace(card, widths=(4, 8)))


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (Path("/").joinpath, ("boom",))


def test_weights_that_want_to_run_code_are_not_loaded(tmp_path: Path) -> None:
    card = card_of(near_is_inside(), tmp_path)
    card.path.write_bytes(pickle.dumps({"unet": Bomb()}))
    sha256 = hashlib.sha256(card.path.read_bytes()).hexdigest()
    with pytest.raises(InputError):
        network_of(replace(card, sha256=sha256))


def test_without_weights_or_card_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="card"):
        read_card(tmp_path / "none.json")
    path = tmp_path / "card.json"
    said = {"file": "w.pt", "name": "n", "version": "1", "sha256": "0" * 64, "widths": [4, 4]}
    path.write_text(json.dumps(said | {"units": 1}), "utf-8")
    with pytest.raises(IntegrityError, match="not there"):
        read_card(path)


def test_without_torch_classic_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "[ai]" in NetworkEngine().why_not()
    assert chosen_engine().name == "classic"


@pytest.fixture(scope="module")
def unsure(tmp_path_factory: pytest.TempPathFactory) -> NetworkEngine:
    """Its answer is as large as the field that it looks at."""
    return NetworkEngine(card_of(near_is_inside(-12.0), tmp_path_factory.mktemp("weights")))


def test_runners_up_are_other_sizes_and_later_prompts_correct_the_chosen_one(
    unsure: NetworkEngine, image: np.ndarray
) -> None:
    session = unsure.open(volume_of(image))
    first = session.add(Point(CENTER))
    other = session.runner_up()
    assert session.chosen == 1
    assert session.prompts == (Point(CENTER),)
    assert dice(first.whole_mask(SHAPE), other.whole_mask(SHAPE)) < 0.9
    corrected = session.add(Point((12, 44, 46), include=False))
    assert session.chosen == 0
    assert session.runner_up() is corrected  # later prompts leave no size open
    assert session.undo() is other
    assert session.chosen == 1


def test_a_chosen_size_comes_back_after_large_answers_were_let_go(
    unsure: NetworkEngine, image: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.engines.network.session._MOST_KEPT", 0)
    session = unsure.open(volume_of(image))
    session.add(Point(CENTER))
    chosen = session.runner_up()
    session.add(Point((12, 44, 46), include=False))
    again = session.undo()
    assert session.chosen == 1
    np.testing.assert_array_equal(again.probability, chosen.probability)
