"""Engines over models of one's own: their laws, and that everything lands where it belongs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.prompt import Box, Lasso, Point, Prompt, Scribble
from napari_medlabel.core.volume import Source, Volume
from napari_medlabel.engines.adapters.automatic import AutomaticJudge, likely
from napari_medlabel.engines.adapters.clicks import as_clicks, corrected, kept_to
from napari_medlabel.engines.adapters.engine import ModelEngine, check_model
from napari_medlabel.engines.adapters.grid import NetworkGrid, axes_to
from napari_medlabel.engines.adapters.loaded import Loaded
from napari_medlabel.engines.adapters.running import (
    Attempt,
    NoRoom,
    Running,
    attempts,
    chosen_device,
    room_watched,
)
from napari_medlabel.engines.adapters.session import ModelSession
from napari_medlabel.engines.adapters.tiles import joined
from napari_medlabel.engines.adapters.vista3d import Vista3dJudge
from napari_medlabel.engines.answers import answer_of
from napari_medlabel.engines.classic.engine import ClassicEngine
from napari_medlabel.engines.engine import EngineFacts
from napari_medlabel.engines.models.spec import ModelSpec
from napari_medlabel.engines.models.store import add_model
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.testing import check_engine

torch = pytest.importorskip("torch", reason="the extra 'ai' is not installed")
pytest.importorskip("monai", reason="the extra 'ai' is not installed")

from tests.engines import made_models as made  # noqa: E402  # needs torch

SHAPE, SPACING_MM = (14, 30, 36), (3.0, 1.1, 0.9)
AROUND_ZERO = {"scale": "range", "low": -2, "high": 7, "to_low": -1, "to_high": 1}
SPOT = (9, 7, 25)  # off every middle and diagonal
LAYOUTS = {
    "canonical": Axes(),
    "feet first": Axes((0, 1, 2), (True, False, False)),
    "RAS": Axes((2, 1, 0), (True, True, False)),
    "coronal": Axes((1, 0, 2), (False, True, True)),
    "sagittal": Axes((2, 0, 1), (False, True, False)),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks: more threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., ModelEngine]]:
    """Install what a maker writes, once for this module, and give its engine."""
    stick, models = tmp_path_factory.mktemp("stick"), tmp_path_factory.mktemp("models")
    known: dict[str, ModelEngine] = {}

    def install(name: str, write: Callable[[Path], Path], *, trust: bool = False) -> ModelEngine:
        if name not in known:
            record = add_model(write(stick / name), check_model, name=name, trust=trust)
            known[name] = ModelEngine(record)
        return known[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLABEL_MODELS", str(models))
        yield install


def deepedit(install: Callable[..., ModelEngine]) -> ModelEngine:
    return install("clicks", made.deepedit_bundle)


def vista3d(install: Callable[..., ModelEngine]) -> ModelEngine:
    return install("vista", lambda to: made.vista3d_bundle(to, made.vista3d_weights()))


def automatic(install: Callable[..., ModelEngine]) -> ModelEngine:
    return install("auto", made.automatic)


def program(install: Callable[..., ModelEngine]) -> ModelEngine:
    """The landmark as TorchScript."""

    def write(to: Path) -> Path:
        about = made.declared(
            weights="model.ts", labels={"1": "bright"}, network={}, spacing_mm=None,
            intensity=AROUND_ZERO,
        )  # fmt: skip
        content = made.torchscript(made.Bright())
        return made.written(to, {"medlabel-model.json": about, "model.ts": content})

    return install("program", write, trust=True)


def onnx(install: Callable[..., ModelEngine]) -> ModelEngine:
    """The landmark as ONNX, on another spacing and other axes."""
    pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
    pytest.importorskip("onnx", reason="the extra 'test' is not installed")

    def write(to: Path) -> Path:
        about = made.declared(
            weights="model.onnx", labels={"1": "bright"}, network={}, orientation="SAL",
            spacing_mm=[2.0, 1.0, 1.0], intensity=AROUND_ZERO,
        )  # fmt: skip
        return made.written(to, {"medlabel-model.json": about, "model.onnx": made.onnx_bright()})

    return install("onnx", write)


def clicked(install: Callable[..., ModelEngine]) -> ModelEngine:
    """The landmark of DeepEdit: its object is where clicks are."""

    def write(to: Path) -> Path:
        about = made.declared(
            kind="deepedit", weights="model.ts", labels={"1": "spot"}, network={},
            clicks=["spot", "background"], patch=[32, 24, 20], orientation="LPS",
            intensity=made.CT_RANGE, spacing_mm=None,
        )  # fmt: skip
        content = made.torchscript(made.Clicked())
        return made.written(to, {"medlabel-model.json": about, "model.ts": content})

    return install("clicked", write, trust=True)


ENGINES = [deepedit, vista3d, automatic, program, onnx, clicked]


def geometry_of(layout: str, shape: tuple[int, int, int] = SHAPE) -> Geometry:
    """A grid whose array is laid out otherwise, a little oblique; voxels stay where they are."""
    grid = Geometry.from_spacing(shape, SPACING_MM, (-40.0, 12.0, 77.0))
    matrix = grid.lps_from_kji.copy()
    turn = np.array([[1, -0.08, 0.0], [0.08, 1, -0.05], [0.0, 0.05, 1]])
    matrix[:3, :3] = np.linalg.qr(turn)[0] @ np.diag(np.sign(np.diag(np.linalg.qr(turn)[1]))) @ (
        matrix[:3, :3]
    )  # fmt: skip
    return Geometry(shape, matrix).laid_out(LAYOUTS[layout])


def laid_out(image: np.ndarray, layout: str) -> Volume:
    geometry = geometry_of(layout, image.shape)
    voxels = np.ascontiguousarray(LAYOUTS[layout].apply(image))
    return Volume((voxels,), geometry, Source("generated", geometry))


def place(layout: str, kji: tuple[int, int, int]) -> tuple[int, int, int]:
    """A voxel of the plain layout in another."""
    marked = np.zeros(SHAPE, bool)
    marked[kji] = True
    k, j, i = np.argwhere(LAYOUTS[layout].apply(marked))[0]
    return (int(k), int(j), int(i))


def spot_image() -> np.ndarray:
    """Dark, but for a box of 3 x 5 x 4 voxels that begins at a spot of its own."""
    image = np.full(SHAPE, -1.0, np.float32)
    image += np.random.default_rng(1).normal(0.0, 0.01, SHAPE).astype(np.float32)
    image[SPOT[0] - 1 : SPOT[0] + 2, SPOT[1] - 2 : SPOT[1] + 3, SPOT[2] - 1 : SPOT[2] + 3] = 6.0
    return image


@pytest.mark.parametrize("engine", ENGINES, ids=lambda one: one.__name__)
def test_every_adapter_keeps_the_laws_of_engines(
    installed: Callable[..., ModelEngine], engine: Callable[..., ModelEngine]
) -> None:
    check_engine(engine(installed))


def test_the_classic_engine_keeps_the_laws_of_engines() -> None:
    check_engine(ClassicEngine())


class Forgetful(ClassicEngine):
    """It does not take a prompt back that was called off."""

    def open(self, volume: Volume, **how: Any) -> Any:  # noqa: ANN401  # any session
        session = super().open(volume, **how)
        add = session.add

        def keeping(prompt: Prompt, **options: Any) -> Any:  # noqa: ANN401
            try:
                return add(prompt, **options)
            except Cancelled:
                add(prompt)
                raise

        session.add = keeping  # type: ignore[method-assign]
        return session


def test_an_engine_that_breaks_a_promise_is_told_which() -> None:
    with pytest.raises(AssertionError, match="called off is not kept"):
        check_engine(Forgetful())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("engine", [program, onnx], ids=lambda one: one.__name__)
def test_what_is_bright_is_found_where_it_is(
    installed: Callable[..., ModelEngine], engine: Callable[..., ModelEngine], layout: str
) -> None:
    volume = laid_out(spot_image(), layout)
    truth = volume.levels[0][:] > 3.0
    session = engine(installed).open(volume)
    found = session.find("Bright").whole_mask(volume.shape)
    assert overlap(found, truth) > (0.99 if engine is program else 0.7)
    assert session.facts.model == "Two organs"
    session.reset()
    picked = session.add(Point(place(layout, SPOT))).whole_mask(volume.shape)
    np.testing.assert_array_equal(picked, found)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_click_is_seen_where_it_was_made(
    installed: Callable[..., ModelEngine], layout: str
) -> None:
    volume = laid_out(spot_image(), layout)
    session = clicked(installed).open(volume)
    at = place(layout, SPOT)
    found = session.add(Point(at))
    assert center_mm(volume, found.whole_mask(volume.shape)) == pytest.approx(
        volume.geometry.lps(at), abs=1.5
    )
    away = place(layout, (9, 7, 28))
    less = session.add(Point(away, include=False)).whole_mask(volume.shape)
    assert not less[away]
    assert less[at]
    assert less.sum() < found.mask().sum()


class Compass(torch.nn.Module):
    """A landmark of VISTA3D: its object is round the clicks that include, in its own patch."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def image_encoder(self, image: Any, *, with_point: bool, with_label: bool) -> Any:  # noqa: ANN401, ARG002
        self.seen.append(image)
        return image, image

    def point_head(self, image: Any, points: Any, signs: Any) -> Any:  # noqa: ANN401
        sides = [torch.arange(n, dtype=torch.float32) for n in image.shape[2:]]
        grid = torch.stack(torch.meshgrid(*sides, indexing="ij"), -1)
        near = ((grid[None] - points[0][:, None, None, None]) ** 2).sum(-1)
        signed = torch.where(signs[0][:, None, None, None] > 0, 30.0 - near, near - 12.0)
        including = signed[signs[0] > 0].amax(0)
        excluding = signed[signs[0] == 0]
        return torch.minimum(including, excluding.amin(0) if len(excluding) else including)[
            None, None
        ]

    def class_head(self, image: Any, classes: Any) -> Any:  # noqa: ANN401
        return torch.cat([(image[0, 0] - 0.6)[None, None] * 40.0 for _ in classes]), None


def compass(volume: Volume) -> tuple[ModelSession, Compass]:
    document = made.declared(
        kind="vista3d", labels={"1": "liver", "20": "lung"}, patch=[32, 32, 32], network={},
        spacing_mm=[1.5, 1.5, 1.5],
        intensity={"scale": "range", "low": -2, "high": 7},
    )  # fmt: skip
    network = Compass()
    loaded = Loaded(
        network, ModelSpec.from_document(document), EngineFacts("vista"),
        [Attempt("cpu", (32, 32, 32))],
    )  # fmt: skip
    judge = Vista3dJudge(loaded, volume, cancelled=lambda: False)
    return ModelSession(judge, volume.shape, ("liver", "lung")), network


@pytest.mark.parametrize("layout", LAYOUTS)
def test_vista3d_sees_clicks_and_image_where_they_are(layout: str) -> None:
    volume = laid_out(spot_image(), layout)
    session, network = compass(volume)
    at = place(layout, SPOT)
    found = session.add(Point(at)).whole_mask(volume.shape)
    assert center_mm(volume, found) == pytest.approx(volume.geometry.lps(at), abs=1.0)
    away = place(layout, (9, 7, 29))
    assert not session.add(Point(away, include=False)).whole_mask(volume.shape)[away]
    assert len(network.seen) == 1  # the second click costs no second look
    assert session.undo().mask().sum() == found.sum()
    truth = volume.levels[0][:] > 3.0
    assert overlap(session.find("lung").whole_mask(volume.shape), truth) > 0.6


def test_clicks_far_apart_get_patches_of_their_own() -> None:
    rng = np.random.default_rng(2)
    geometry = Geometry.from_spacing((20, 120, 24), (1.5, 1.5, 1.5))
    image = rng.normal(0, 1, geometry.shape).astype(np.float32)
    session, network = compass(Volume((image,), geometry, Source("generated", geometry)))
    session.add(Point((10, 5, 12)))
    session.add(Point((10, 8, 12)))
    assert len(network.seen) == 1
    both = session.add(Point((10, 110, 12))).whole_mask(geometry.shape)
    assert len(network.seen) == 2  # what was seen of the first patch is still known
    assert both[10, 5, 12]
    assert both[10, 112, 12]
    assert not both[:, 40:80].any()


def center_mm(volume: Volume, mask: np.ndarray) -> np.ndarray:
    return volume.geometry.lps(np.argwhere(mask)).mean(axis=0)


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    return 2.0 * float((one & other).sum()) / float(one.sum() + other.sum())


def test_deepedit_without_a_click_finds_its_organ_and_a_click_changes_it(
    installed: Callable[..., ModelEngine],
) -> None:
    volume = laid_out(spot_image(), "canonical")
    session = deepedit(installed).open(volume)
    by_name = session.find("SPLEEN")
    assert session.prompts == ()
    session.add(Point(SPOT))
    np.testing.assert_array_equal(session.undo().probability, by_name.probability)
    session.reset()
    assert not session.answer.mask().any()
    assert session.facts.license == "An Example Licence 2.0"
    assert session.facts.document()["sha256"] == deepedit(installed).record.sha256


def test_a_click_in_the_background_of_an_automatic_model_finds_that_voxel_only(
    installed: Callable[..., ModelEngine],
) -> None:
    volume = laid_out(spot_image(), "canonical")
    session = program(installed).open(volume)
    assert session.add(Point((2, 20, 5))).mask().sum() == 1
    both = session.add(Point(SPOT)).whole_mask(SHAPE)
    assert both[SPOT]


@pytest.mark.parametrize("wanted", range(0, 33, 8))
@pytest.mark.parametrize("engine", [vista3d, automatic, deepedit], ids=lambda one: one.__name__)
def test_called_off_at_any_moment_the_session_is_as_it_was(
    installed: Callable[..., ModelEngine], engine: Callable[..., ModelEngine], wanted: int
) -> None:
    session = engine(installed).open(laid_out(spot_image(), "canonical"))
    polls = iter(range(wanted))
    with pytest.raises(Cancelled):
        session.add(Point(SPOT), cancelled=lambda: next(polls, None) is None)
    assert session.prompts == ()
    assert not session.answer.mask().any()


def test_finding_can_be_called_off_and_leaves_what_was_there(
    installed: Callable[..., ModelEngine],
) -> None:
    session = program(installed).open(laid_out(spot_image(), "canonical"))
    first = session.add(Point(SPOT))
    with pytest.raises(Cancelled):
        session.find("bright", cancelled=lambda: True)
    assert session.answer is first


# Where samples are


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("orientation", ["RAS", "LPS", "SAL", "PIR"])
def test_a_networks_axes_point_to_where_its_letters_say(layout: str, orientation: str) -> None:
    geometry = geometry_of(layout)
    turned = geometry.laid_out(axes_to(orientation, geometry))
    towards = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}
    for axis, letter in enumerate(orientation):
        world, sign = towards[letter]
        assert turned.direction[world, axis] * sign > 0.9


def test_the_grid_is_monais() -> None:
    """Orientation, Spacing and their samples as MONAI makes them from the same image."""
    from monai.data import MetaTensor
    from monai.transforms import Orientation, Spacing

    volume = laid_out(np.random.default_rng(0).normal(0, 9, SHAPE).astype(np.float32), "coronal")
    voxels = np.ascontiguousarray(volume.levels[0][:].T)[None]
    image = MetaTensor(torch.from_numpy(voxels), affine=volume.geometry.to_nifti())
    turned = Orientation("RAS", labels=None)(image)
    theirs = Spacing((1.5, 1.5, 2.1), mode="bilinear")(turned)[0].numpy()
    grid = NetworkGrid(volume, "RAS", (1.5, 1.5, 2.1))
    assert grid.shape == theirs.shape
    np.testing.assert_allclose(grid.cut((0, 0, 0), grid.shape), theirs, atol=2e-3)


def test_the_resized_grid_is_torchs_area_pooling() -> None:
    volume = laid_out(np.random.default_rng(0).normal(0, 9, SHAPE).astype(np.float32), "RAS")
    grid = NetworkGrid(volume, "RAS", resized=(16, 40, 7))
    pooled = grid.pooled(lambda values: values * 2.0, cancelled=lambda: False)
    image = torch.from_numpy(np.ascontiguousarray(grid.axes.apply(volume.levels[0][:])))
    theirs = torch.nn.functional.interpolate(image[None, None] * 2.0, (16, 40, 7), mode="area")
    np.testing.assert_allclose(pooled, theirs[0, 0].numpy(), atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_samples_go_to_the_voxels_they_came_from(layout: str) -> None:
    volume = laid_out(spot_image(), layout)
    grid = NetworkGrid(volume, "RAS", (1.5, 1.5, 1.5))
    at = np.round(grid.samples_at([place(layout, SPOT)])[0]).astype(int)
    values = np.zeros(grid.shape, np.float32)
    values[tuple(at)] = 1.0
    back = grid.answer(values, (0, 0, 0))
    peak = np.unravel_index(int(back.probability.argmax()), back.probability.shape)
    own = [int(n) + side.start for n, side in zip(peak, back.box, strict=True)]
    assert np.abs(np.subtract(own, place(layout, SPOT))).max() <= 1


def test_a_patch_beyond_the_image_goes_on_with_its_border() -> None:
    volume = laid_out(spot_image(), "canonical")
    grid = NetworkGrid(volume, "LPS")
    inside = grid.cut((0, 0, 0), grid.shape)
    wide = grid.cut((-3, -3, -3), tuple(n + 6 for n in grid.shape))
    np.testing.assert_array_equal(wide[3:-3, 3:-3, 3:-3], inside)
    np.testing.assert_array_equal(wide[0, 3:-3, 3:-3], inside[0])


def test_an_image_that_would_have_too_many_samples_is_refused() -> None:
    geometry = Geometry.from_spacing((2000, 1024, 1024), (1.0, 1.0, 1.0))

    class Huge:
        shape, dtype, ndim = geometry.shape, np.dtype(np.int16), 3

    volume = Volume((Huge(),), geometry, Source("generated", geometry))
    grid = NetworkGrid(volume, "RAS", (1.5, 1.5, 1.5))
    assert grid.shape == (683, 683, 1334)
    with pytest.raises(InputError, match=r"would need about 23\d\d GiB"):
        grid.check_whole(1000)
    with pytest.raises(InputError, match="too large"):
        NetworkGrid(volume, "RAS", (0.5, 0.5, 0.5))


# Patches


def test_joined_patches_of_a_plain_look_are_the_image_itself() -> None:
    image = np.random.default_rng(4).random((11, 23, 17)).astype(np.float32)
    padded = np.pad(image, 8)

    def look(low: tuple[int, int, int]) -> np.ndarray:
        box = tuple(slice(n + 8, n + 16) for n in low)
        return padded[box][None]

    whole = joined(look, 1, image.shape, (8, 8, 8), 0.3, cancelled=lambda: False)
    np.testing.assert_allclose(whole[0], image, atol=1e-5)
    thin = joined(look, 1, (3, 23, 17), (8, 8, 8), 0.5, cancelled=lambda: False)
    assert thin.shape == (1, 3, 23, 17)
    assert np.isfinite(thin).all()


# Memory


def facts() -> EngineFacts:
    return EngineFacts("model", sha256="a" * 64)


def test_without_memory_patches_become_smaller_then_the_processor_is_taken() -> None:
    ways = attempts("cuda", (96, 96, 64), multiple=16, smallest=32)
    assert [(way.device, way.patch) for way in ways] == [
        ("cuda", (96, 96, 64)), ("cuda", (48, 48, 32)), ("cuda", (32, 32, 32)),
        ("cpu", (96, 96, 64)), ("cpu", (48, 48, 32)), ("cpu", (32, 32, 32)),
    ]  # fmt: skip
    running, tried = Running(facts(), ways), []

    def work(way: Attempt) -> str:
        tried.append(way)
        with room_watched():
            if way.device == "cuda":
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return way.device

    assert running.tried(work) == "cpu"
    assert running.facts.device == "cpu"
    assert "not enough memory for patches of 32 x 32 x 32 on the graphics card" in (
        running.facts.note
    )
    assert running.tried(work) == "cpu"
    assert len(tried) == 5  # what did not fit is not tried again


def test_without_any_memory_it_says_so_and_other_failures_are_their_own() -> None:
    running = Running(facts(), attempts("cpu", (64, 64, 64)))

    def no_room(_way: Attempt) -> None:
        with room_watched():
            raise MemoryError

    with pytest.raises(InputError, match="not enough memory for patches of 64 x 64 x 64"):
        running.tried(no_room)
    with pytest.raises(RuntimeError, match="other"), room_watched():
        raise RuntimeError("some other thing")


class Hungry:
    """A network that fits into memory only in small patches."""

    def __call__(self, inputs: np.ndarray, device: str, cancelled: object) -> np.ndarray:  # noqa: ARG002
        if inputs[0].size > 16**3:
            raise NoRoom("too large")
        return np.concatenate([-20.0 * inputs, 20.0 * inputs])


def test_a_model_answers_in_smaller_patches_and_says_so() -> None:
    document = made.declared(
        labels={"1": "bright"}, patch=[32, 32, 32], spacing_mm=None, intensity=AROUND_ZERO
    )
    spec = ModelSpec.from_document(document)
    volume = laid_out(spot_image(), "canonical")
    ways = attempts("cpu", spec.patch, multiple=8, smallest=16)
    judge = AutomaticJudge(Loaded(Hungry(), spec, facts(), ways), volume, cancelled=lambda: False)
    session = ModelSession(judge, volume.shape, spec.names)
    found = session.find("bright").whole_mask(volume.shape)
    assert overlap(found, volume.levels[0][:] > 3.0) > 0.99
    assert "16 x 16 x 16 on the processor instead" in session.facts.note


def test_a_device_that_is_not_here_is_refused() -> None:
    with pytest.raises(InputError, match="no device called abacus"):
        chosen_device("abacus")
    assert chosen_device("cpu") == "cpu"
    assert chosen_device("auto") in {"cpu", "cuda"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card here")
def test_a_graphics_card_that_is_asked_for_and_missing_is_refused(
    installed: Callable[..., ModelEngine],
) -> None:
    with pytest.raises(InputError, match="no graphics card"):
        automatic(installed).open(laid_out(spot_image(), "canonical"), device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card here")
@pytest.mark.parametrize("engine", [deepedit, vista3d, automatic], ids=lambda one: one.__name__)
def test_a_graphics_card_gives_nearly_the_same_answer(
    installed: Callable[..., ModelEngine], engine: Callable[..., ModelEngine]
) -> None:
    volume = laid_out(spot_image(), "canonical")
    answers = [
        engine(installed).open(volume, device=device).find(engine(installed).findable()[0])
        for device in ("cuda", "cpu")
    ]
    masks = [one.whole_mask(volume.shape) for one in answers]
    assert (masks[0] == masks[1]).mean() > 0.98


# Prompts for networks that know clicks


def test_prompts_stand_for_clicks() -> None:
    line = Scribble(((5, 2, 2), (5, 20, 2)))
    outline = Lasso(((5.0, 2.0, 2.0), (5.0, 2.0, 20.0), (5.0, 20.0, 2.0)))
    boxes = Box((1, 1, 1), (5, 9, 9)), Box((1, 1, 1), (2, 2, 2), include=False)
    clicks = as_clicks((line, outline, *boxes), (10, 30, 30))
    assert [click.kji for click in clicks[:8]] == [
        (5, 2, 2), (5, 5, 2), (5, 7, 2), (5, 10, 2), (5, 12, 2), (5, 15, 2), (5, 17, 2), (5, 20, 2),
    ]  # fmt: skip
    k, j, i = clicks[8].kji
    assert k == 5
    assert 5 <= j <= 9
    assert 5 <= i <= 9
    assert [click.kji for click in clicks[9:]] == [(3, 5, 5)]


def test_prompts_have_the_last_word() -> None:
    shape = (8, 20, 20)
    mask = np.zeros(shape, bool)
    mask[2:6, 2:18, 2:9] = True  # one object
    mask[2:6, 2:18, 12:18] = True  # and another
    one = kept_to(answer_of(mask), (Point((3, 5, 5)),), shape).whole_mask(shape)
    assert one.sum() == mask[:, :, :10].sum()
    box = Box((2, 2, 2), (4, 10, 6))
    boxed = kept_to(answer_of(mask), (box,), shape).whole_mask(shape)
    assert np.argwhere(boxed).max(axis=0).tolist() == [4, 10, 6]
    hole = kept_to(
        answer_of(mask), (Point((3, 5, 5)), Box((2, 4, 4), (5, 9, 6), include=False)), shape
    )
    assert hole.whole_mask(shape)[2:6, 4:10, 4:7].sum() == 1  # the click itself
    new = kept_to(answer_of(np.zeros(shape, bool)), (Point((7, 19, 0)),), shape)
    assert np.argwhere(new.whole_mask(shape)).tolist() == [[7, 19, 0]]


def test_a_correction_changes_only_what_prompts_ask_for() -> None:
    shape = (6, 20, 20)
    base, found = np.zeros(shape, bool), np.zeros(shape, bool)
    base[1:5, 2:8, 2:18] = True
    found[1:5, 2:8, 2:10] = True  # less on the right
    found[1:5, 12:16, 2:10] = True  # and an island
    answers = answer_of(base), answer_of(found)
    same = corrected(*answers, (Point((0, 0, 0)),), shape).whole_mask(shape)
    np.testing.assert_array_equal(same, base)
    more = corrected(*answers, (Point((2, 13, 5)),), shape).whole_mask(shape)
    np.testing.assert_array_equal(more, base | found)
    less = corrected(*answers, (Point((2, 4, 15), include=False),), shape).whole_mask(shape)
    np.testing.assert_array_equal(less, base & found)


def test_outputs_of_each_kind_are_read_as_probabilities() -> None:
    spec = ModelSpec.from_document(made.declared())
    raw = np.array([0.0, 2.0, -1.0], np.float32).reshape(3, 1, 1, 1)
    soft = likely(raw, spec, [1, 2])
    assert soft.sum() < 1.0
    assert soft[0] > soft[1]
    single = likely(raw, replace(spec, output="sigmoid"), [1, 2]).ravel()
    np.testing.assert_allclose(single, 1 / (1 + np.exp([-2.0, 1.0])), rtol=1e-6)
    values = np.array([2.0], np.float32).reshape(1, 1, 1, 1)
    assert likely(values, replace(spec, output="labels"), [1, 2]).ravel().tolist() == [0.0, 1.0]
