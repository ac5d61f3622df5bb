"""Out and in again, in every format that holds a mask: values exact, corners where they were."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel import formats
from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.provenance import Provenance, Software, source_record
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Instance, Source, Volume
from napari_medlabel.formats.dicom_seg_write import SegContent, numbers_of, write_seg
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.storage.ome_zarr import open_volume, write_volume
from napari_medlabel.testing import geometries, label_arrays

Array = npt.NDArray[Any]
SHAPE = (3, 5, 6)
VALUES = (1, 2, 7, 200, 999)
EXACT_MM, FLOAT32_MM = 1e-5, 1e-4  # NIfTI keeps its affine in 32-bit floats


@dataclass(frozen=True)
class Way:
    """How a mask is written, and read back on its own grid."""

    ending: str
    write: Callable[[Path, Array, Geometry], None]
    read: Callable[[Path], tuple[Array, Geometry]]
    tolerance_mm: float = EXACT_MM
    sheared: bool = True


def own(volume: Volume) -> tuple[Array, Geometry]:
    array = volume.source.axes.inverse().apply(np.asarray(volume.levels[0][:]))
    return array, volume.source.geometry


def write_file(path: Path, labels: Array, geometry: Geometry) -> None:
    formats.write(labels, geometry, path, labels=True)


def read_file(path: Path) -> tuple[Array, Geometry]:
    return own(formats.read(path))


def write_zarr(path: Path, labels: Array, geometry: Geometry) -> None:
    write_volume(MemoryReader(labels, Source("generated", geometry, geometry.canonical)), path)


def write_dicom(path: Path, labels: Array, geometry: Geometry) -> None:
    schema = LabelSchema()
    for value in VALUES:
        schema = schema.with_label(schema_label(schema, value))
    instances = tuple(Instance(f"2.25.{k + 1}", k) for k in range(geometry.shape[0]))
    source = Source(
        "dicom", geometry, Axes(), "2.25.7", "2.25.8", "2.25.9", instances,
        sop_class="1.2.840.10008.5.1.4.1.1.2",
    )  # fmt: skip
    record = source_record(source, b"secret", modality="CT", unit="HU", sha256="")
    provenance = Provenance((Software("napari-medlabel", "1"),), record, schema.document())
    write_seg(SegContent(labels, source, schema, provenance, "case-0001"), path)


def schema_label(schema: LabelSchema, value: int) -> Any:  # noqa: ANN401  # a Label
    label = schema.next_label()
    return type(label)(value, f"Label {value}", label.color)


def read_dicom(path: Path) -> tuple[Array, Geometry]:
    numbers, geometry = read_file(path)
    table = np.array([0, *VALUES], np.uint16)
    return table[numbers], geometry


FILES = {
    "nifti": Way(".nii.gz", write_file, read_file, FLOAT32_MM),
    "nrrd": Way(".nrrd", write_file, read_file),
    "metaimage": Way(".mha", write_file, read_file),
    "ome-zarr": Way(".ome.zarr", write_zarr, lambda path: own(open_volume(path))),
    "dicom-seg": Way(".dcm", write_dicom, read_dicom, sheared=False),
}


def as_in_dicom(geometry: Geometry) -> Geometry:
    """The grid with its slices counted along their normal, as DICOM's always are."""
    matrix = geometry.lps_from_kji.copy()
    matrix[:3, 0] *= np.sign(matrix[:3, 0] @ np.cross(matrix[:3, 2], matrix[:3, 1]))
    return Geometry(geometry.shape, matrix)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=25)
@given(data=st.data())
def test_a_mask_goes_out_and_comes_back_as_it_was(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    way = FILES[name]
    shear = 0.4 if way.sheared else 0.0
    geometry = data.draw(geometries(shape=st.just(SHAPE), max_shear=shear, max_origin_mm=300.0))
    geometry = geometry if way.sheared else as_in_dicom(geometry)
    labels = data.draw(label_arrays(geometry.shape, VALUES, np.uint16))
    path = tmp_path_factory.mktemp("trip") / f"mask{way.ending}"
    way.write(path, labels, geometry)
    array, found = way.read(path)
    np.testing.assert_array_equal(array, labels)
    assert found.difference_mm(geometry) <= way.tolerance_mm


def test_segment_numbers_follow_the_label_values() -> None:
    schema = LabelSchema()
    for value in (7, 200, 2):
        schema = schema.with_label(schema_label(schema, value))
    assert numbers_of(schema) == {2: 1, 7: 2, 200: 3}
