"""What stands in `zarr.json` of a volume: OME-Zarr 0.5 for every reader, the rest for us.

    attributes.ome          multiscales: axes z, y, x in millimetres, scale and translation of each
                            level; image-label with colours for labels
    attributes.medlabel     format        1
                            kind          "image" or "labels"
                            geometry      shape, spacing_mm, lps_from_kji of level 0: the exact
                                          affine, with rotation and shear, that OME-Zarr 0.5 lacks
                            factors       voxels of level 0 in one of each level, along k, j, i
                            sha256        `core.volume.volume_sha256`
      of an image           modality, unit, name, window, problems, source
      of labels             schema

`source` holds the source's own grid, the axes from there to ours, whether it was lossy, the code of
its world (`space_code`, as NIfTI counts; 1 where it is missing), and the hash of each instance's
pixel data; UIDs are among it only where the folder is sealed. `report` says where its slices are
(`core.geometry_report`), `derivation` how a resampled volume was made and from which slices
(`core.derivation`); both are null or missing where there is nothing to say. `inverted` is true
where low values are to be shown bright.

https://ngff.openmicroscopy.org/0.5/
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from napari_medlabel.core.derivation import Derivation
from napari_medlabel.core.geometry import Axes, Geometry, Index
from napari_medlabel.core.geometry_report import GeometryReport
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Instance, Source, Volume, Window
from napari_medlabel.errors import InputError, IntegrityError, MedlabelError

__all__ = [
    "FORMAT",
    "factors_of",
    "group_document",
    "image_attributes",
    "labels_attributes",
    "labels_from",
    "medlabel_attributes",
    "ome_attributes",
    "volume_from",
]

FORMAT: Final = 1


def group_document(ome: Mapping[str, Any], medlabel: Mapping[str, Any]) -> dict[str, Any]:
    """`zarr.json` of the group that holds the levels."""
    return {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {"ome": dict(ome), "medlabel": dict(medlabel)},
    }


def ome_attributes(
    geometry: Geometry, factors: Sequence[Index], how: str, schema: LabelSchema | None = None
) -> dict[str, Any]:
    """The OME-Zarr part. Spacing and origin only: a rotation is in `medlabel` alone.

    Parameters
    ----------
    geometry
        Of level 0.
    factors
        Of each level.
    how
        How levels were joined: "mean" or "mode".
    schema
        Of labels, for their colours.
    """
    origin = geometry.origin_lps[::-1]  # z, y, x
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {
                    "type": "scale",
                    "scale": [mm * n for mm, n in _both(geometry.spacing_mm, factor)],
                },
                {
                    "type": "translation",
                    "translation": [
                        start + mm * (n - 1) / 2
                        for start, (mm, n) in _both(origin, _both(geometry.spacing_mm, factor))
                    ],
                },
            ],
        }
        for level, factor in enumerate(factors)
    ]
    axes = [{"name": name, "type": "space", "unit": "millimeter"} for name in "zyx"]
    name = "image" if schema is None else "labels"
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [{"name": name, "axes": axes, "datasets": datasets, "type": how}],
    }
    if schema is not None:
        ome["image-label"] = {
            "colors": [
                {"label-value": label.value, "rgba": [*bytes.fromhex(label.color[1:]), 255]}
                for label in schema
            ],
            "properties": [{"label-value": label.value, "name": label.name} for label in schema],
        }
    return ome


def image_attributes(
    volume: Volume, factors: Sequence[Index], *, identifiers: bool
) -> dict[str, Any]:
    """Our part, of an image; `identifiers` says whether UIDs are in it."""
    window = volume.window
    return {
        "format": FORMAT,
        "kind": "image",
        "geometry": volume.geometry.document(),
        "factors": [list(factor) for factor in factors],
        "sha256": volume.sha256,
        "modality": volume.modality,
        "unit": volume.unit,
        "name": volume.name,
        "window": window and {"width": window.width, "level": window.level, "name": window.name},
        "problems": [problem.document() for problem in volume.problems],
        "source": _source_document(volume.source, identifiers=identifiers),
    }


def labels_attributes(
    geometry: Geometry, factors: Sequence[Index], schema: LabelSchema, sha256: str
) -> dict[str, Any]:
    """Our part, of labels."""
    return {
        "format": FORMAT,
        "kind": "labels",
        "geometry": geometry.document(),
        "factors": [list(factor) for factor in factors],
        "sha256": sha256,
        "schema": schema.document(),
    }


def medlabel_attributes(document: Mapping[str, Any], where: str) -> Mapping[str, Any] | None:
    """Our part of a group's `zarr.json`, or None where another program wrote it.

    Raises
    ------
    InputError
        If it is of a newer format.
    """
    found = document.get("attributes", {}).get("medlabel")
    if not isinstance(found, Mapping) or not isinstance(found.get("format"), int):
        return None
    if found["format"] > FORMAT:
        raise InputError(
            f"{where} has format {found['format']}; this program knows {FORMAT}",
            "update napari-medlabel",
        )
    return found


def volume_from(medlabel: Mapping[str, Any], levels: Sequence[Any], where: str) -> Volume:
    """The volume that `image_attributes` described; of labels, one without an origin.

    Raises
    ------
    IntegrityError
        If the attributes are damaged.
    """
    try:
        geometry = Geometry.from_document(medlabel["geometry"])
        if medlabel["kind"] == "labels":
            source = Source("ome-zarr", geometry)
            return Volume(tuple(levels), geometry, source, sha256=medlabel["sha256"])
        window = medlabel["window"]
        return Volume(
            tuple(levels),
            geometry,
            _source(medlabel["source"]),
            medlabel["modality"],
            medlabel["unit"],
            medlabel["name"],
            Window(**window) if window else None,
            tuple(Problem(**problem) for problem in medlabel["problems"]),
            medlabel["sha256"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, MedlabelError) as error:
        raise _damaged(where) from error


def labels_from(medlabel: Mapping[str, Any], where: str) -> tuple[Geometry, LabelSchema]:
    """Geometry and schema that `labels_attributes` described.

    Raises
    ------
    IntegrityError
        If the attributes are damaged.
    """
    try:
        schema = LabelSchema.from_document(medlabel["schema"])
        return Geometry.from_document(medlabel["geometry"]), schema
    except (KeyError, TypeError, ValueError, AttributeError, MedlabelError) as error:
        raise _damaged(where) from error


def factors_of(medlabel: Mapping[str, Any], where: str) -> list[Index]:
    """Voxels of level 0 in one of each level.

    Raises
    ------
    IntegrityError
        If the attributes are damaged.
    """
    try:
        factors = [(int(k), int(j), int(i)) for k, j, i in medlabel["factors"]]
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(where) from error
    if not factors:
        raise _damaged(where)
    return factors


def _source_document(source: Source, *, identifiers: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "format": source.format,
        "geometry": source.geometry.document(),
        "axes": {"order": list(source.axes.order), "flipped": list(source.axes.flipped)},
        "lossy": source.lossy,
        "space_code": source.space_code,
        "instances": [
            {
                "uid": one.uid if identifiers else "",
                "slice": one.slice,
                "sha256": one.sha256,
                "frame": one.frame,
            }
            for one in source.instances
        ],
        "sop_class": source.sop_class,
        "report": source.report and source.report.document(),
        "derivation": source.derivation and source.derivation.document(),
        "inverted": source.inverted,
    }
    if identifiers:
        document["study_uid"] = source.study_uid
        document["series_uid"] = source.series_uid
        document["frame_of_reference_uid"] = source.frame_of_reference_uid
    return document


def _source(document: Mapping[str, Any]) -> Source:
    k, j, i = document["axes"]["order"]
    a, b, c = document["axes"]["flipped"]
    return Source(
        document["format"],
        Geometry.from_document(document["geometry"]),
        Axes((k, j, i), (a, b, c)),
        document.get("study_uid", ""),
        document.get("series_uid", ""),
        document.get("frame_of_reference_uid", ""),
        tuple(Instance(**one) for one in document["instances"]),
        document["lossy"],
        int(document.get("space_code", 1)),  # the first files have none of these
        document.get("sop_class", ""),
        GeometryReport.from_document(report) if (report := document.get("report")) else None,
        Derivation.from_document(made) if (made := document.get("derivation")) else None,
        bool(document.get("inverted", False)),
    )


def _damaged(where: str) -> IntegrityError:
    return IntegrityError(f"the attributes of {where} are damaged", "restore it from a backup")


def _both(one: Any, other: Any) -> Any:  # noqa: ANN401  # of equal length
    return list(zip(one, other, strict=True))
