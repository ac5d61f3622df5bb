"""MONAI bundles: their configuration, read as data, becomes a document like one of our own.

What a bundle says is compared with what is known here: the networks that are built, the steps by
which an image is made ready. Anything else is refused by name, since a step left out would make a
wrong mask that looks right. The layout is MONAI's bundle specification
(https://docs.monai.io/en/stable/bundle_intro.html).
"""

import math
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel.engines.models.package import Package
from napari_medlabel.engines.models.plain import Configuration, name_of
from napari_medlabel.errors import InputError

__all__ = ["bundle_document", "is_bundle"]

_METADATA: Final = "configs/metadata.json"
_INFERENCE: Final = "configs/inference.json"
_MODELS: Final = "models/"
_HINT: Final = "describe the model in a medlabel-model.json: see docs/models.md"

# Steps that leave values and places as they are, or that our own code does for its engine.
_NOTHING: Final = frozenset({
    "LoadImage", "EnsureChannelFirst", "AddChannel", "EnsureType", "CastToType", "ToTensor",
    "ToDevice", "CropForeground", "VistaPreTransform", "SpatialPad", "DivisiblePad", "Identity",
})  # fmt: skip
_DEEPEDIT: Final = frozenset({
    "OrientationGuidanceMultipleLabelDeepEdit", "AddGuidanceFromPointsDeepEdit", "Resize",
    "ResizeGuidanceMultipleLabelDeepEdit", "AddGuidanceSignalDeepEdit",
})  # fmt: skip
_VISTA: Final = "vista3d132"
_ARGUMENTS: Final = frozenset({"_target_", "in_channels", "out_channels", "_disabled_"})


def is_bundle(package: Package) -> bool:
    """Whether it is laid out as a MONAI bundle."""
    return _METADATA in package and _INFERENCE in package


def bundle_document(package: Package) -> dict[str, Any]:
    """The bundle as the document that `ModelSpec.from_document` reads.

    Raises
    ------
    InputError
        If something in it is needed and is code, or is not known here; names it.
    """
    about = Configuration(package.text(_METADATA), _METADATA)
    config = Configuration(package.text(_INFERENCE), _INFERENCE)
    made = {
        "title": _line(about.plain("name")) or package.name,
        "version": _line(about.plain("version")),
        "weights": _weights(package),
    }
    network = config.words("network_def")
    if _VISTA in str(network.get("_target_") if isinstance(network, Mapping) else network):
        return made | _vista3d(about, config)
    if not isinstance(network, Mapping):
        raise InputError(f"{_INFERENCE}: 'network_def' is code, not a value", _HINT)
    arguments = {
        key: config.looked_up(value, f"network_def/{key}")
        for key, value in network.items()
        if key not in _ARGUMENTS
    }
    arguments["name"] = name_of(network)
    if any("DeepEdit" in name_of(step) for step in _steps(config)):
        return made | _deepedit(config, arguments)
    for side in ("in_channels", "out_channels"):
        arguments[side] = config.plain("network_def", side)
    return made | _automatic(about, config, arguments)


def _vista3d(about: Configuration, config: Configuration) -> dict[str, Any]:
    spacing = config.plain("resample_spacing")
    return {
        "kind": "vista3d",
        "labels": _channels(about),
        "patch": config.plain("patch_size"),
        "overlap": _overlap(config),
        **_prepared(config, spacing),
    }


def _deepedit(config: Configuration, arguments: dict[str, Any]) -> dict[str, Any]:
    names = config.plain("label_names")
    if not isinstance(names, Mapping) or not all(isinstance(n, int) for n in names.values()):
        raise InputError(f"{_INFERENCE}: 'label_names' is missing", _HINT)
    if config.plain("number_intensity_ch") not in {None, 1}:
        raise InputError("a DeepEdit model of several images is not known here", _HINT)
    return {
        "kind": "deepedit",
        "labels": {str(number): name for name, number in names.items()},
        "clicks": list(names),
        "patch": config.plain("spatial_size"),
        "network": arguments,
        **_prepared(config, None),
    }


def _automatic(
    about: Configuration, config: Configuration, arguments: dict[str, Any]
) -> dict[str, Any]:
    return {
        "kind": "automatic",
        "labels": _channels(about),
        "patch": config.plain("inferer", "roi_size") if _windows(config) else _patch(about),
        "overlap": _overlap(config),
        "output": _output(config),
        "network": arguments,
        **_prepared(config, None),
    }


def _prepared(config: Configuration, spacing: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    """How the image is made ready, by the bundle's steps; with one not known it is refused."""
    made: dict[str, Any] = {"orientation": "LPS", "intensity": {"scale": "none"}}
    scaled = oriented = False
    for step in _steps(config):
        name = name_of(step).removesuffix("d")
        switched = config.looked_up(step.get("_disabled_", False), f"{name}/_disabled_")
        values = {
            key: value for key, value in step.items() if key not in {"_target_", "_disabled_"}
        }
        if switched or name in _NOTHING | _DEEPEDIT:
            continue
        if name == "Orientation":
            made["orientation"] = config.looked_up(values.get("axcodes"), "Orientation/axcodes")
            oriented = True
        elif name == "Spacing":
            spacing = config.looked_up(values.get("pixdim"), "Spacing/pixdim")
        elif name in _SCALES and not scaled:
            made["intensity"] = _SCALES[name](config, values, name)
            scaled = True
        else:
            what = f"the bundle prepares images by '{name or 'a step without a name'}'"
            raise InputError(
                f"{what}{' as well' if scaled else ''}, which is not known here", _HINT
            )
    if not oriented:
        raise InputError("the bundle does not say how its images lie: it has no Orientation", _HINT)
    if spacing is not None and not _keeps(spacing):
        made["spacing_mm"] = spacing
    return made


def _steps(config: Configuration) -> list[dict[str, Any]]:
    """What is done to an image before the network sees it, in order, as it is written."""
    written = config.words("preprocessing_transforms")
    if written is None:
        whole = config.words("preprocessing")
        written = whole.get("transforms") if isinstance(whole, Mapping) else whole
    found = config.listed(written, "preprocessing")
    if (clicks := config.words("deepedit_transforms")) is not None:
        found = [*found, *config.listed(clicks, "deepedit_transforms")]
    if not all(isinstance(step, dict) for step in found):
        raise InputError(f"{_INFERENCE}: 'preprocessing' is code, not a value", _HINT)
    return found


def _range(config: Configuration, step: dict[str, Any], name: str) -> dict[str, Any]:
    low, high = ("lower", "upper") if "Percentiles" in name else ("a_min", "a_max")
    scale = "percentiles" if "Percentiles" in name else "range"
    read = {key: config.looked_up(step.get(key), f"{name}/{key}")
            for key in (low, high, "b_min", "b_max", "clip")}  # fmt: skip
    if config.looked_up(step.get("relative", False), f"{name}/relative"):
        raise InputError(f"the bundle scales by '{name}' with 'relative': not known here", _HINT)
    return {
        "scale": scale, "low": read[low], "high": read[high],
        "to_low": 0.0 if read["b_min"] is None else read["b_min"],
        "to_high": 1.0 if read["b_max"] is None else read["b_max"],
        "clip": bool(read["clip"]),
    }  # fmt: skip


def _normal(config: Configuration, step: dict[str, Any], name: str) -> dict[str, Any]:
    if any(step.get(key) is not None for key in ("subtrahend", "divisor")):
        raise InputError(f"the bundle scales by '{name}' with numbers: not known here", _HINT)
    return {"scale": "zscore", "nonzero": bool(config.looked_up(step.get("nonzero", False), name))}


_SCALES: Final = {
    "ScaleIntensityRange": _range,
    "ScaleIntensityRangePercentiles": _range,
    "NormalizeIntensity": _normal,
}


def _keeps(spacing: Any) -> bool:  # noqa: ANN401  # any JSON
    """Whether it leaves the image's own spacing: MONAI's -1."""
    return isinstance(spacing, list) and all(
        isinstance(n, int | float) and math.isfinite(n) and n <= 0 for n in spacing
    )


def _windows(config: Configuration) -> bool:
    return name_of(config.words("inferer")) in {"SlidingWindowInferer", "SlidingWindowInfererAdapt"}


def _patch(about: Configuration) -> Any:  # noqa: ANN401  # any JSON
    inputs = about.plain("network_data_format", "inputs")
    first: Any = next(iter(inputs.values()), None) if isinstance(inputs, dict) else None
    return first.get("spatial_shape") if isinstance(first, dict) else None


def _overlap(config: Configuration) -> float:
    found = config.plain("inferer", "overlap") if _has(config, "inferer", "overlap") else None
    return 0.25 if found is None else found


def _has(config: Configuration, *path: str) -> bool:
    return config.words(*path) is not None


def _channels(about: Configuration) -> Any:  # noqa: ANN401  # any JSON
    return about.plain("network_data_format", "outputs", "pred", "channel_def")


def _output(config: Configuration) -> str:
    """How the bundle reads its output: by its step Activations, else as a choice of one."""
    whole = config.words("postprocessing")
    steps = whole.get("transforms") if isinstance(whole, Mapping) else None
    for step in steps if isinstance(steps, list) else []:
        if name_of(step).removesuffix("d") == "Activations" and step.get("sigmoid") is True:
            return "sigmoid"
    return "softmax"


def _weights(package: Package) -> str:
    """The file of the weights: model.pt, else the only one there."""
    if f"{_MODELS}model.pt" in package:
        return f"{_MODELS}model.pt"
    found = [name for name in package.sizes if name.startswith(_MODELS) and name.endswith(".pt")]
    if len(found) != 1:
        raise InputError("the bundle's weights, models/model.pt, are missing", "copy them there")
    return found[0]


def _line(value: object) -> str:
    return " ".join(str(value).split())[:200] if value is not None else ""
