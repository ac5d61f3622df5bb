"""What napari opens beside the panel: files as plain layers, and the sample heads."""

from pathlib import Path
from typing import Any, Literal

import numpy as np

import napari_medlabel
from napari_medlabel import commands
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.session import Session
from napari_medlabel.ui import presets, views
from napari_medlabel.ui.contributions import LayerData, Reader

__all__ = ["reader_for", "sample_head"]

# Files that are told by their name; all else is looked into, where it is small enough to look.
_NAMED = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd", ".zarr", ".dcm", ".dicom", ".ima")


def reader_for(path: str | list[str], session: Session) -> Reader | None:
    """A reader, or None where neither name nor content is an image series of ours."""
    first = Path(path[0] if isinstance(path, list) else path)
    if not first.name.lower().endswith(_NAMED) and not _holds_series(first, session):
        return None
    return lambda wanted: _read(wanted, session)


def _holds_series(path: Path, session: Session) -> bool:
    try:
        return any(series.kind == "image" for series in commands.scan(session, path).series)
    except MedlabelError:
        return False


def _read(wanted: str | list[str], session: Session) -> list[LayerData]:
    """Each usable image of each series as a layer; the first refusal where there is none."""
    paths = [Path(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
    layers = [layer for path in paths for layer in _layers_of(path, session)]
    if not layers:
        raise InputError(
            "No image series was found there that can be shown as one volume",
            "open it with Medlabel's panel, which says what is wrong with each series",
        )
    return layers


def _layers_of(path: Path, session: Session) -> list[LayerData]:
    found = [one for one in commands.scan(session, path).series if one.kind == "image"]
    return [
        image_layer(
            napari_medlabel.read(path, series=series.number, volume=n + 1),
            f"{series.modality or 'Series'} {series.number}"
            + (f" {volume.name or n + 1}" if len(series.volumes) > 1 else ""),
        )
        for series in found
        for n, volume in enumerate(series.volumes)
        if volume.usable
    ]


def image_layer(volume: Volume, name: str) -> LayerData:
    """A volume as napari's layer data, in millimetres."""
    window = presets.first_window(presets.presets(volume), volume)
    greys = presets.colormap(volume)
    shown = {"name": name, "colormap": greys, "contrast_limits": window.limits, "rgb": False}
    return volume.levels[0], {**shown, **placed(volume.geometry)}, "image"


def placed(geometry: Geometry) -> dict[str, Any]:
    """Where a layer lies."""
    scale, translate = views.grid_for_display(geometry)
    return {
        "scale": scale, "translate": translate, "units": ("mm",) * 3, "axis_labels": views.AXES,
        "projection_mode": "none",
    }  # fmt: skip


def sample_head(kind: Literal["ct", "mr"]) -> list[LayerData]:
    """The generated head and what is true of it."""
    from napari_medlabel.phantom import CT_GRID, HEAD_SCHEMA, MR_GRID, Head  # noqa: PLC0415

    head, grid = Head(), CT_GRID if kind == "ct" else MR_GRID
    axes = grid.canonical
    geometry = grid.laid_out(axes)
    voxels = np.ascontiguousarray(axes.apply(head.ct(grid) if kind == "ct" else head.mr(grid)))
    truth = np.ascontiguousarray(axes.apply(head.labels(grid)[0]))
    limits = (-5.0, 85.0) if kind == "ct" else (0.0, 900.0)
    shown = {"name": f"Generated head {kind.upper()}", "colormap": "gray"}
    colors = {label.value: label.color for label in HEAD_SCHEMA}
    return [
        (voxels, {**shown, "contrast_limits": limits, **placed(geometry)}, "image"),
        (truth, {"name": "Segments", "colormap": {None: "#00000000", 0: "#00000000", **colors},
                 "opacity": 0.45, **placed(geometry)}, "labels"),
    ]  # fmt: skip
