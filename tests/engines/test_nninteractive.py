"""nnInteractive through its own package, with a tiny checkpoint in its own layout."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_medlabel.core.prompt import Box, Point
from napari_medlabel.engines.adapters.engine import ModelEngine, check_model
from napari_medlabel.engines.laws import example_prompts, example_volume
from napari_medlabel.engines.models.store import add_model, installed_models
from napari_medlabel.errors import Cancelled, ExtraMissing, InputError
from napari_medlabel.testing import check_engine

torch = pytest.importorskip("torch", reason="the extra 'ai' is not installed")
pytest.importorskip("monai", reason="the extra 'ai' is not installed")

from tests.engines import made_models as made  # noqa: E402  # needs torch

# Its own libraries speak of what they will change; none of it is ours.
pytestmark = pytest.mark.filterwarnings("ignore")

UNET = "dynamic_network_architectures.architectures.unet.ResidualEncoderUNet"
ARGUMENTS = {
    "n_stages": 3, "features_per_stage": [4, 8, 8], "conv_op": "torch.nn.modules.conv.Conv3d",
    "kernel_sizes": [[3, 3, 3]] * 3, "strides": [[1, 1, 1], [2, 2, 2], [2, 2, 2]],
    "n_blocks_per_stage": [1, 1, 1], "n_conv_per_stage_decoder": [1, 1], "conv_bias": True,
    "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
    "norm_op_kwargs": {"eps": 1e-5, "affine": True}, "dropout_op": None,
    "dropout_op_kwargs": None, "nonlin": "torch.nn.LeakyReLU", "nonlin_kwargs": {"inplace": True},
}  # fmt: skip


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    monkeypatch.setenv("MEDLABEL_MODELS", str(tmp_path / "models"))
    yield
    torch.set_num_threads(threads)


def plans(**changes: object) -> dict[str, Any]:
    architecture = {
        "network_class_name": UNET, "arch_kwargs": ARGUMENTS,
        "_kw_requires_import": ["conv_op", "norm_op", "dropout_op", "nonlin"],
    } | changes  # fmt: skip
    configuration = {
        "data_identifier": "x", "preprocessor_name": "DefaultPreprocessor", "batch_size": 2,
        "patch_size": [64, 64, 64], "spacing": [1, 1, 1], "median_image_size_in_voxels": [1, 1, 1],
        "normalization_schemes": ["ZScoreNormalization"], "use_mask_for_norm": [False],
        "architecture": architecture, "batch_dice": False,
    }  # fmt: skip
    return {
        "dataset_name": "Dataset001", "plans_name": "plans", "label_manager": "LabelManager",
        "transpose_forward": [0, 1, 2], "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
    }  # fmt: skip


def checkpoint() -> dict[str, Any]:
    """Random weights that take little for the object, with the numbers that training leaves."""
    from dynamic_network_architectures.architectures.unet import (  # noqa: PLC0415
        ResidualEncoderUNet,
    )

    own = ARGUMENTS | {
        "conv_op": torch.nn.Conv3d, "norm_op": torch.nn.InstanceNorm3d,
        "nonlin": torch.nn.LeakyReLU,
    }  # fmt: skip
    network = made.seeded(
        lambda: ResidualEncoderUNet(8, **own, num_classes=2, deep_supervision=True)
    )
    with torch.no_grad():
        for layer in network.decoder.seg_layers:
            layer.bias[:] = torch.tensor([2.0, 0.0])
    return {
        "network_weights": network.state_dict(), "trainer_name": "nnInteractiveTrainer_stub",
        "init_args": {"configuration": "3d_fullres"}, "_best_ema": np.float64(0.3),
        "logging": {"loss": [np.float32(1.0)]},
    }  # fmt: skip


def folder_of(folder: Path, **changes: object) -> Path:
    return written(folder, plans(**changes), checkpoint())


def written(folder: Path, described: dict[str, Any], weights: object) -> Path:
    return made.written(folder, {
        "plans.json": described,
        "dataset.json": {"channel_names": {"0": "image"}, "numTraining": 1, "file_ending": ".nii",
                         "labels": {"background": 0, "object": 1}},
        "inference_session_class.json": {"point_radius": 4, "interaction_decay": 0.98},
        "fold_0/checkpoint_final.pth": weights, "LICENSE": made.LICENSE,
    })  # fmt: skip


def test_without_its_package_the_extra_is_named(tmp_path: Path) -> None:
    if "nnInteractive" in sys.modules or _is_here():
        pytest.skip("the extra 'nninteractive' is installed")
    with pytest.raises(ExtraMissing, match="extra 'nninteractive'"):
        add_model(written(tmp_path / "nni", plans(), {"x": 1}), check_model)
    assert installed_models() == ()


def _is_here() -> bool:
    import importlib.util  # noqa: PLC0415

    return importlib.util.find_spec("nnInteractive") is not None


@pytest.fixture
def engine(tmp_path: Path) -> ModelEngine:
    pytest.importorskip("nnInteractive.inference", reason="the extra 'nninteractive' is missing")
    return ModelEngine(add_model(folder_of(tmp_path / "nnInteractive v1"), check_model))


def test_it_keeps_the_laws_of_engines(engine: ModelEngine) -> None:
    check_engine(engine)


def test_it_is_known_by_its_folder_and_says_nothing_on_the_screen(
    engine: ModelEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    record = engine.record
    assert (record.name, record.spec.kind) == ("nninteractive-v1", "nninteractive")
    assert record.license == "An Example Licence 2.0"
    session = engine.open(example_volume())
    answers = [session.add(prompt) for prompt in example_prompts()]
    assert any(answer.mask().any() for answer in answers)
    assert session.facts.license == "An Example Licence 2.0"
    assert capsys.readouterr().out == ""
    started = {"nnInteractive.inference.server.main", "nnInteractive.model_management", "fastapi"}
    assert started & set(sys.modules) == set()


def test_undone_prompts_leave_no_trace_however_many(engine: ModelEngine) -> None:
    volume = example_volume()
    first, second, third, fourth = (*example_prompts()[:3], Point((5, 22, 20)))
    session = engine.open(volume)
    for prompt in (first, second, third):
        session.add(prompt)
    session.undo()
    session.undo()
    again = session.add(fourth)
    plain = engine.open(volume)
    plain.add(first)
    np.testing.assert_array_equal(again.probability, plain.add(fourth).probability)


@pytest.mark.parametrize("polls", [1, 5, 20])
def test_called_off_it_takes_back_what_it_began(engine: ModelEngine, polls: int) -> None:
    volume, (first, second, *_more) = example_volume(), example_prompts()
    session = engine.open(volume)
    session.add(first)
    left = iter(range(polls))
    with pytest.raises(Cancelled):
        session.add(second, cancelled=lambda: next(left, None) is None)
    plain = engine.open(volume)
    plain.add(first)
    after = session.add(Box((3, 10, 8), (8, 30, 26)))
    np.testing.assert_array_equal(
        after.probability, plain.add(Box((3, 10, 8), (8, 30, 26))).probability
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"network_class_name": "os.system"},
        {"network_class_name": "subprocess.UNet"},
        {"arch_kwargs": ARGUMENTS | {"conv_op": "os.system"}},
        {"arch_kwargs": ARGUMENTS | {"nonlin": "torch.nn.utils.rnn.os.system"}},
    ],
)
def test_code_that_plans_name_is_not_imported(tmp_path: Path, changes: dict[str, Any]) -> None:
    pytest.importorskip("nnInteractive.inference", reason="the extra 'nninteractive' is missing")
    with pytest.raises(InputError, match="names code that is not known"):
        add_model(folder_of(tmp_path / "nni", **changes), check_model)
    assert installed_models() == ()


def test_a_pickle_in_its_checkpoint_is_not_run(tmp_path: Path) -> None:
    pytest.importorskip("nnInteractive.inference", reason="the extra 'nninteractive' is missing")
    proof = tmp_path / "ran"
    folder = written(tmp_path / "nni", plans(), made.villainous(proof))
    with pytest.raises(InputError, match="wants to run code"):
        add_model(folder, check_model)
    assert not proof.exists()
