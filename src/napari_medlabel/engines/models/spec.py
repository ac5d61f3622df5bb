"""What a model is and how an image is made ready for it: plain data, checked once.

The document is `medlabel-model.json` of a model that an institution describes itself; that of a
MONAI bundle is made from its configuration (`bundle`). docs/models.md explains each field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from napari_medlabel.core.geometry import Index, Spacing
from napari_medlabel.engines.models.fields import Fields
from napari_medlabel.errors import InputError

__all__ = ["DECLARED", "Intensity", "Kind", "ModelSpec", "Output", "Scale"]

DECLARED: Final = "medlabel-model.json"
FORMAT: Final = 1

Kind = Literal["automatic", "deepedit", "vista3d", "nninteractive"]
Scale = Literal["range", "zscore", "percentiles", "none"]
Output = Literal["softmax", "sigmoid", "labels"]

_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_MOST_SAMPLES: Final = 512**3  # of a patch
_WIDEST: Final = 1e6
_ENDS: Final = ("RL", "AP", "SI")


@dataclass(frozen=True, slots=True)
class Intensity:
    """How values are scaled before a network sees them.

    "range" takes `low`..`high` to `to_low`..`to_high`; "zscore" subtracts the image's mean and
    divides by its standard deviation, of values other than 0 alone with `nonzero`; "percentiles"
    is a range whose ends are percentiles of the image. `clip` cuts what is beyond the range.
    """

    scale: Scale = "none"
    low: float = 0.0
    high: float = 1.0
    to_low: float = 0.0
    to_high: float = 1.0
    clip: bool = True
    nonzero: bool = False

    @classmethod
    def from_document(cls, document: object) -> "Intensity":
        """What `document` wrote.

        Raises
        ------
        InputError
            If it is none.
        """
        fields = Fields(document, "the model's 'intensity'")
        scale = fields.one_of("scale", get_args(Scale))
        most = 100.0 if scale == "percentiles" else _WIDEST
        made = cls(scale)
        if scale in {"range", "percentiles"}:
            low, high = fields.number("low", -most, most), fields.number("high", -most, most)
            if low >= high or (scale == "percentiles" and low < 0.0):
                raise fields.wrong("high", "above 'low'")
            to_low = fields.number("to_low", -_WIDEST, _WIDEST, 0.0)
            to_high = fields.number("to_high", -_WIDEST, _WIDEST, 1.0)
            made = cls(scale, low, high, to_low, to_high, fields.flag("clip", default=True))
        elif scale == "zscore":
            made = cls(scale, nonzero=fields.flag("nonzero", default=False))
        fields.end()
        return made

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        if self.scale == "none":
            return {"scale": self.scale}
        if self.scale == "zscore":
            return {"scale": self.scale, "nonzero": self.nonzero}
        return {
            "scale": self.scale, "low": self.low, "high": self.high,
            "to_low": self.to_low, "to_high": self.to_high, "clip": self.clip,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as its document tells it.

    Parameters
    ----------
    kind
        Which code of ours answers with it.
    title, version
        For people and for provenance.
    weights
        The file that holds the weights, below the model's folder, with "/".
    labels
        Number and name of what it finds: an output channel, the value of a voxel where `output`
        is "labels", or VISTA3D's class. Background is not among them.
    orientation
        Where the network's three axes point to, "RAS": right, front, head.
    spacing_mm
        Along those axes; None leaves the image's own.
    intensity
        How values are scaled.
    patch
        Samples along those axes that the network sees at once.
    overlap
        Share of a patch that its neighbour covers too.
    output
        What the network's output channels are.
    network
        Name and arguments of the network, where it is built from weights alone.
    clicks
        DeepEdit: whose clicks each channel after the image's takes; "background" among them.
    sha256
        What the weights have to have, or nothing.
    license_file
        The text of the licence, below the model's folder, or nothing.
    """

    kind: Kind
    title: str
    version: str
    weights: str
    labels: tuple[tuple[int, str], ...] = ()
    orientation: str = "RAS"
    spacing_mm: Spacing | None = None
    intensity: Intensity = field(default_factory=Intensity)
    patch: Index = (128, 128, 128)
    overlap: float = 0.25
    output: Output = "softmax"
    network: Mapping[str, Any] = field(default_factory=dict)
    clicks: tuple[str, ...] = ()
    sha256: str = ""
    license_file: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What it finds, in order."""
        return tuple(name for _, name in self.labels)

    @classmethod
    def from_document(cls, document: object) -> "ModelSpec":
        """What `document` wrote.

        Raises
        ------
        InputError
            If it is none, or of a later format.
        """
        fields = Fields(document, DECLARED)
        number = fields.number("format", 1, 1000, FORMAT)
        if number > FORMAT:
            what = f"{DECLARED} has format {number:g}; this program knows {FORMAT}"
            raise InputError(what, "update napari-medlabel")
        kind = fields.one_of("kind", _KINDS)
        title, version = fields.text("title"), fields.text("version", "")
        weights = fields.text("weights")
        sha256 = _hash(fields)
        license_file = fields.text("license", "")
        made = cls(kind, title, version, weights, sha256=sha256, license_file=license_file)
        if kind != "nninteractive":
            made = _with_image(made, fields)
        fields.end()
        return made

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        made: dict[str, Any] = {
            "format": FORMAT, "kind": self.kind, "title": self.title, "version": self.version,
            "weights": self.weights, "sha256": self.sha256, "license": self.license_file,
        }  # fmt: skip
        if self.kind == "nninteractive":
            return made
        return made | {
            "labels": {str(number): name for number, name in self.labels},
            "orientation": self.orientation,
            "spacing_mm": None if self.spacing_mm is None else list(self.spacing_mm),
            "intensity": self.intensity.document(), "patch": list(self.patch),
            "overlap": self.overlap, "output": self.output, "network": dict(self.network),
            "clicks": list(self.clicks),
        }  # fmt: skip


def _with_image(made: ModelSpec, fields: Fields) -> ModelSpec:
    """The fields that are about the image and the network's output."""
    spacing = None if fields.is_null("spacing_mm") else _spacing(fields)
    return ModelSpec(
        made.kind, made.title, made.version, made.weights,
        labels=_labels(fields, made.kind),
        orientation=_orientation(fields),
        spacing_mm=spacing,
        intensity=Intensity.from_document(fields.mapping("intensity") or {"scale": "none"}),
        patch=_patch(fields),
        overlap=fields.number("overlap", 0.0, 0.9, 0.25),
        output=fields.one_of("output", get_args(Output), "softmax"),
        network=fields.mapping("network"),
        clicks=fields.texts("clicks"),
        sha256=made.sha256,
        license_file=made.license_file,
    )  # fmt: skip


def _hash(fields: Fields) -> str:
    value = fields.text("sha256", "").lower()
    if value and (len(value) != 64 or not set(value) <= set("0123456789abcdef")):
        raise fields.wrong("sha256", "64 hexadecimal digits")
    return value


def _spacing(fields: Fields) -> Spacing | None:
    try:
        return fields.triple("spacing_mm", 0.01, 100.0)
    except InputError:
        raise fields.wrong("spacing_mm", "three millimetres from 0.01 to 100") from None


def _patch(fields: Fields) -> Index:
    i, j, k = fields.triple("patch", 1, 4096)
    if not all(n.is_integer() for n in (i, j, k)) or i * j * k > _MOST_SAMPLES:
        raise fields.wrong("patch", "three whole numbers, 512 x 512 x 512 at most")
    return (int(i), int(j), int(k))


def _orientation(fields: Fields) -> str:
    letters = fields.text("orientation", "RAS").upper()
    axes = [next((n for n, ends in enumerate(_ENDS) if one in ends), -1) for one in letters]
    if sorted(axes) != [0, 1, 2]:
        raise fields.wrong("orientation", "three letters such as RAS or LPS")
    return letters


def _labels(fields: Fields, kind: Kind) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    for key, text in fields.mapping("labels").items():
        if not str(key).isdecimal() or len(str(key)) > 5 or not isinstance(text, str):
            raise fields.wrong("labels", "numbers with names")
        name = " ".join(text.split())
        if not name or not name.isprintable():
            raise fields.wrong("labels", "numbers with names")
        if name.casefold() != "background":
            found.append((int(key), name))
    if len({name.casefold() for _, name in found}) < len(found):
        raise fields.wrong("labels", "names that differ")
    if not found:
        raise fields.wrong("labels", 'what the model finds: {"1": "liver"}')
    if kind == "deepedit" and len(found) > 100:
        raise fields.wrong("labels", "100 at most")
    return tuple(sorted(found))
