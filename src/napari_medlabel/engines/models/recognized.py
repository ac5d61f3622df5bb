"""What kind of model a package holds, told by its files."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.engines.models.bundle import bundle_document, is_bundle
from napari_medlabel.engines.models.package import Package
from napari_medlabel.engines.models.spec import DECLARED, ModelSpec
from napari_medlabel.errors import InputError
from napari_medlabel.files import shown

__all__ = ["Recognized", "recognized"]

_FOLD: Final = re.compile(r"fold_[0-9a-z]+/checkpoint_final\.pth")
_PLANS: Final = ("plans.json", "dataset.json")
_SESSIONS: Final = ("inference_info.json", "inference_session_class.json")
_BUNDLE: Final = ("configs/metadata.json", "configs/inference.json")
_LICENSE: Final = re.compile(
    r"(?:docs/)?(?:licen[cs]e|copying)(?:[._-][\w.-]{1,20})?(?:\.(?:txt|md))?", re.IGNORECASE
)
_HINT: Final = (
    "it is a MONAI bundle, an nnInteractive model or a folder with a medlabel-model.json: "
    "see docs/models.md"
)


@dataclass(frozen=True, slots=True)
class Recognized:
    """A model in a package: what it is, and which of the files belong to it.

    `license_file` is the name of its licence's text, or nothing.
    """

    spec: ModelSpec
    files: tuple[str, ...]
    license_file: str


def recognized(package: Package) -> Recognized:
    """The model that a package holds.

    Raises
    ------
    InputError
        If it holds none, or one that is not known here; says why.
    """
    files: tuple[str, ...]
    if DECLARED in package:
        spec, files = _declared(package), (DECLARED,)
    elif is_bundle(package):
        spec, files = ModelSpec.from_document(bundle_document(package)), _BUNDLE
    elif all(name in package for name in _PLANS):
        spec, files = _nninteractive(package)
    else:
        raise InputError("there is no model in it", _HINT)
    if spec.weights not in package:
        raise InputError(
            f"the model's weights, {shown(spec.weights)}, are missing", "copy them too"
        )
    license_file = _license(package, spec)
    wanted = dict.fromkeys((*files, spec.weights, *([license_file] if license_file else [])))
    return Recognized(spec, tuple(wanted), license_file)


def _declared(package: Package) -> ModelSpec:
    spec = ModelSpec.from_document(_json(package, DECLARED))
    if spec.license_file and spec.license_file not in package:
        raise InputError(f"the licence, {shown(spec.license_file)}, is missing", "copy it too")
    return spec


def _nninteractive(package: Package) -> tuple[ModelSpec, tuple[str, ...]]:
    folds = [name for name in package.sizes if _FOLD.fullmatch(name)]
    about = [name for name in _SESSIONS if name in package]
    if not about:
        raise InputError("this is a model of nnU-Net, but not of nnInteractive", _HINT)
    if len(folds) != 1:
        raise InputError("the weights, fold_0/checkpoint_final.pth, are missing", "copy them too")
    document = {
        "kind": "nninteractive", "title": "nnInteractive", "version": package.name[:100],
        "weights": folds[0],
    }  # fmt: skip
    return ModelSpec.from_document(document), (*_PLANS, *about)


def _license(package: Package, spec: ModelSpec) -> str:
    """The text of the weights' licence: as declared, else by its name; that of weights first."""
    if spec.license_file:
        return spec.license_file
    found = [name for name in package.sizes if _LICENSE.fullmatch(name)]
    found.sort(key=lambda name: ("weights" not in name.lower(), name.count("/"), name))
    return found[0] if found else ""


def _json(package: Package, name: str) -> Any:  # noqa: ANN401  # any JSON
    try:
        return json.loads(package.text(name))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name} cannot be read", "it is a JSON file: docs/models.md") from error
