"""Small models with random weights, laid out as institutions bring them: folders on a USB stick.

The configurations of bundles have the structure of MONAI's published ones, expressions included;
the networks are MONAI's own with very few channels, so that the code that loads real ones runs.
"""

import json
import pickle
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch  # noqa: TID253  # only tests that need torch import this
from torch import nn  # noqa: TID253

PATCH = (16, 16, 16)
LICENSE = "An Example Licence 2.0\n\nYou may do as you like.\n"
CT_RANGE = {"scale": "range", "low": -175, "high": 250}


def written(folder: Path, files: Mapping[str, Any]) -> Path:
    """A folder with files: documents as JSON, text and bytes as they are, else as torch saves."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif name.endswith(".json"):
            path.write_text(json.dumps(content), encoding="utf-8")
        else:
            torch.save(content, path)
    return folder


def zipped(folder: Path) -> Path:
    """The folder as an archive that holds it, deflated."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{folder.name}/{file.relative_to(folder).as_posix()}")
    return path


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(3)
    return make()


def unet_weights(labels: int = 2) -> dict[str, Any]:
    from monai.networks.nets import UNet

    return seeded(lambda: UNet(3, 1, labels + 1, (4, 8), (2,), num_res_units=1)).state_dict()


UNET = {"name": "UNet", "in_channels": 1, "out_channels": 3, "channels": [4, 8], "strides": [2],
        "num_res_units": 1}  # fmt: skip


def declared(**changes: object) -> dict[str, Any]:
    """A description of one's own: an automatic model with two labels."""
    return {
        "format": 1, "kind": "automatic", "title": "Two organs", "version": "1",
        "weights": "model.pt", "labels": {"1": "liver", "2": "spleen"}, "orientation": "RAS",
        "spacing_mm": [1.5, 1.5, 3.0], "intensity": {"scale": "zscore"}, "patch": list(PATCH),
        "network": UNET,
    } | changes  # fmt: skip


def automatic(folder: Path, **changes: object) -> Path:
    return written(
        folder,
        {"medlabel-model.json": declared(**changes), "model.pt": {"state_dict": unet_weights()},
         "LICENSE": LICENSE},
    )  # fmt: skip


DEEPEDIT = {
    "imports": ["$import os"],
    "label_names": {"spleen": 1, "background": 0},
    "spatial_size": list(PATCH),
    "number_intensity_ch": 1,
    "device": "$torch.device('cpu')",
    "network_def": {
        "_target_": "DynUNet", "spatial_dims": 3,
        "in_channels": "$len(@label_names) + @number_intensity_ch",
        "out_channels": "$len(@label_names)", "kernel_size": [3, 3, 3],
        "strides": [1, 2, [2, 2, 1]],
        "upsample_kernel_size": [2, [2, 2, 1]], "norm_name": "instance",
        "deep_supervision": False, "res_block": True,
    },
    "network": "$@network_def.to(@device)",
    "preprocessing_transforms": [
        {"_target_": "LoadImaged", "keys": "image", "reader": "ITKReader"},
        {"_target_": "EnsureChannelFirstd", "keys": "image"},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
        {"_target_": "ScaleIntensityRanged", "keys": "image", "a_min": -175, "a_max": 250,
         "b_min": 0.0, "b_max": 1.0, "clip": True},
    ],
    "deepedit_transforms": [
        {"_target_": "AddGuidanceFromPointsDeepEditd", "label_names": "@label_names"},
        {"_target_": "Resized", "keys": "image", "spatial_size": "@spatial_size", "mode": "area"},
        {"_target_": "AddGuidanceSignalDeepEditd", "keys": "image"},
    ],
    "preprocessing": {
        "_target_": "Compose",
        "transforms": "$@preprocessing_transforms + @deepedit_transforms",
    },
    "inferer": {"_target_": "SimpleInferer"},
    "run": ["$__import__('os').system('echo never')"],
}  # fmt: skip


def deepedit_bundle(folder: Path, **changes: object) -> Path:
    from monai.networks.nets import DynUNet

    network = seeded(
        lambda: DynUNet(
            3, 3, 2, [3, 3, 3], [1, 2, [2, 2, 1]], [2, [2, 2, 1]], filters=[4, 8, 8],
            norm_name="instance", res_block=True,
        )
    )  # fmt: skip
    return written(
        folder,
        {"configs/metadata.json": {"name": "Spleen by clicks", "version": "0.5.0"},
         "configs/inference.json": DEEPEDIT | changes, "models/model.pt": network.state_dict(),
         "LICENSE": LICENSE, "scripts/transforms.py": "raise SystemExit('never run')\n"},
    )  # fmt: skip


VISTA3D = {
    "labels_dict": "$@metadata['network_data_format']['outputs']['pred']['channel_def']",
    "subclass": {"2": [14, 5], "21": "$list(range(33, 57))"},
    "input_channels": 1,
    "resample_spacing": [1.5, 1.5, 1.5],
    "patch_size": [32, 32, 32],
    "network_def": "$monai.networks.nets.vista3d132(in_channels=@input_channels)",
    "preprocessing_transforms": [
        {"_target_": "LoadImaged", "keys": "image"},
        {"_target_": "Spacingd", "keys": "image", "pixdim": "@resample_spacing"},
        {"_target_": "CropForegroundd", "keys": "image", "margin": 10},
        {"_target_": "monai.apps.vista3d.transforms.VistaPreTransformd", "subclass": "@subclass"},
        {"_target_": "ScaleIntensityRanged", "a_min": -963.8247715525971,
         "a_max": 1053.678477684517, "b_min": 0, "b_max": 1, "clip": True},
        {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS"},
    ],
    "inferer": {"_target_": "scripts.inferer.Vista3dInferer", "overlap": 0.3},
}  # fmt: skip
CLASSES = {"0": "background", "1": "liver", "2": "kidney", "5": "right kidney", "14": "left kidney",
           "16": "prostate or uterus", "23": "lung tumor"}  # fmt: skip


def vista3d_weights() -> dict[str, Any]:
    from monai.networks.nets import vista3d132

    return seeded(lambda: vista3d132(encoder_embed_dim=8)).state_dict()


def vista3d_bundle(folder: Path, weights: Mapping[str, Any], **changes: object) -> Path:
    outputs = {"pred": {"channel_def": CLASSES}}
    return written(
        folder,
        {"configs/metadata.json": {"name": "VISTA3D", "version": "0.6.0",
                                   "network_data_format": {"outputs": outputs}},
         "configs/inference.json": VISTA3D | changes, "models/model.pt": dict(weights),
         "LICENSE": "The Licence of the Code\n", "LICENSE.weights": LICENSE},
    )  # fmt: skip


class Bright(nn.Module):
    """A landmark: label 1 where its input is above 0."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([-20.0 * image, 20.0 * image], 1)


class Clicked(nn.Module):
    """A landmark: its label where the first clicks are, background where the second are."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.cat([20.0 * image[:, 2:3] + 5.0, 20.0 * image[:, 1:2]], 1)


def torchscript(module: nn.Module) -> bytes:
    """The module as a program."""
    import io  # noqa: PLC0415
    import warnings  # noqa: PLC0415

    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would rather have other formats
        torch.jit.save(torch.jit.script(module), file)
    return file.getvalue()


def onnx_bright() -> bytes:
    """`Bright` as ONNX, for images of any size."""
    from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415

    sides = ["batch", 1, "i", "j", "k"]
    gains = [numpy_helper.from_array(np.array(one, np.float32), name)
             for name, one in (("less", -20.0), ("more", 20.0))]  # fmt: skip
    nodes = [
        helper.make_node("Mul", ["image", "less"], ["dark"]),
        helper.make_node("Mul", ["image", "more"], ["bright"]),
        helper.make_node("Concat", ["dark", "bright"], ["pred"], axis=1),
    ]
    graph = helper.make_graph(
        nodes, "bright", [helper.make_tensor_value_info("image", TensorProto.FLOAT, sides)],
        [helper.make_tensor_value_info("pred", TensorProto.FLOAT, ["batch", 2, "i", "j", "k"])],
        gains,
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17)]
    model: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return model


class Villain:
    """A pickle of this runs a program as it is loaded."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return subprocess.call, (["touch", str(self.proof)],)


def villainous(proof: Path) -> bytes:
    """A weights file as torch lays it out, whose pickle runs a program."""
    import io  # noqa: PLC0415

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"state_dict": Villain(proof)}, 2))
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return file.getvalue()
