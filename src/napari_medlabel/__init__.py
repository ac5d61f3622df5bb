"""Label CT and MR slice by slice: offline, exact, sealed at rest, with provenance.

The names below are the public Python API; each is loaded when it is first used, so that
`import napari_medlabel` costs nothing and loads no Qt, torch, MONAI or zarr.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_medlabel.commands.automatic import automatic
    from napari_medlabel.commands.deidentifying import deidentify
    from napari_medlabel.commands.segmenting import Interactive, interactive
    from napari_medlabel.commands.sources import read, read_sequence
    from napari_medlabel.core.edit import Edit
    from napari_medlabel.core.geometry import Geometry
    from napari_medlabel.core.prompt import Box, Lasso, Point, Scribble
    from napari_medlabel.core.schema import Code, Label, LabelSchema
    from napari_medlabel.core.segmentation import Segmentation
    from napari_medlabel.core.volume import Volume, VolumeSequence
    from napari_medlabel.formats import scan
    from napari_medlabel.privacy.burned_in import find_burned_in
    from napari_medlabel.privacy.burned_in_redact import redact_burned_in
    from napari_medlabel.privacy.face_plan import FacePlan
    from napari_medlabel.privacy.pixel_wishes import FaceWish, TextWish

__version__ = "0.1.0"

_HOME = {
    "Box": "core.prompt",
    "Code": "core.schema",
    "Edit": "core.edit",
    "FacePlan": "privacy.face_plan",
    "FaceWish": "privacy.pixel_wishes",
    "Geometry": "core.geometry",
    "Interactive": "commands.segmenting",
    "Label": "core.schema",
    "LabelSchema": "core.schema",
    "Lasso": "core.prompt",
    "Point": "core.prompt",
    "Scribble": "core.prompt",
    "Segmentation": "core.segmentation",
    "TextWish": "privacy.pixel_wishes",
    "Volume": "core.volume",
    "VolumeSequence": "core.volume",
    "automatic": "commands.automatic",
    "deidentify": "commands.deidentifying",
    "find_burned_in": "privacy.burned_in",
    "interactive": "commands.segmenting",
    "read": "commands.sources",
    "read_sequence": "commands.sources",
    "redact_burned_in": "privacy.burned_in_redact",
    "scan": "formats",
}
__all__ = [
    "Box",
    "Code",
    "Edit",
    "FacePlan",
    "FaceWish",
    "Geometry",
    "Interactive",
    "Label",
    "LabelSchema",
    "Lasso",
    "Point",
    "Scribble",
    "Segmentation",
    "TextWish",
    "Volume",
    "VolumeSequence",
    "__version__",
    "automatic",
    "deidentify",
    "find_burned_in",
    "interactive",
    "read",
    "read_sequence",
    "redact_burned_in",
    "scan",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # PEP 562: any public name
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
