"""Text in headers that are not DICOM's: all of it is found, and numbers are no text."""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # its usual name

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.formats import scan, write
from napari_medlabel.formats.header_text import header_texts
from napari_medlabel.formats.nifti_header import NiftiHeader

GRID = Geometry.from_spacing((3, 4, 5), (3.0, 0.8, 0.7), (-3.5, 1.25e-3, 700.0))
VOXELS = np.arange(60, dtype=np.int16).reshape(GRID.shape)


def texts(path: Path) -> dict[str, str]:
    """What is found in the file by a scan, as an import asks for it."""
    (series,) = scan(path).series
    header = series.volumes[0].parts[0]
    own = header.data if isinstance(header, NiftiHeader) else header.path
    return dict(header_texts(header, own))


@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.nrrd", "x.mha"])
def test_a_file_of_ours_holds_no_text(tmp_path: Path, name: str) -> None:
    write(VOXELS, GRID, tmp_path / name)
    assert texts(tmp_path / name) == {}


@pytest.mark.parametrize("name", ["x.nii.gz", "x.nrrd", "x.mha", "x.mhd", "x.nhdr"])
def test_nor_does_one_of_itk_without_its_own_fields(tmp_path: Path, name: str) -> None:
    image = sitk.GetImageFromArray(VOXELS)
    image.SetDirection((0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(image, tmp_path / name, useCompression=name.endswith("a"))
    found = texts(tmp_path / name)
    assert set(found) <= {"data file"}
    assert found.get("data file", "x") == "x"


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz"])
def test_every_field_of_nifti_and_its_extensions_are_looked_at(
    tmp_path: Path, kind: type[nib.Nifti1Image], name: str
) -> None:
    image = kind(VOXELS, np.eye(4))
    for field in ("descrip", "aux_file", "intent_name"):
        image.header[field] = f"Doe {field}"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"born 1954"))
    nib.save(image, tmp_path / name)
    found = texts(tmp_path / name)
    assert {key: found[key] for key in ("descrip", "aux_file", "intent_name")} == {
        "descrip": "Doe descrip", "aux_file": "Doe aux_file", "intent_name": "Doe intent_name",
    }  # fmt: skip
    assert "born 1954" in found["extension"]


def test_what_stands_behind_the_end_of_a_text_is_still_there(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(VOXELS, np.eye(4)), tmp_path / "x.nii.gz")
    content = bytearray(gzip.decompress((tmp_path / "x.nii.gz").read_bytes()))
    content[148:160] = b"ok\0\0Doe John"
    (tmp_path / "x.nii").write_bytes(content)
    assert texts(tmp_path / "x.nii") == {"descrip": "ok Doe John"}


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("# written for John Doe", "comment"),
        ("content: Doe, John", "content"),
        ("PatientName:=Doe^John", "other fields"),
        ('sample units: "Doe"', "other fields"),
        ("sizes:=Doe", "other fields"),
    ],
)  # fmt: skip
def test_text_of_an_nrrd_header_is_found(tmp_path: Path, line: str, kind: str) -> None:
    write(VOXELS, GRID, tmp_path / "x.nrrd")
    head, _, rest = (tmp_path / "x.nrrd").read_bytes().partition(b"\n")
    (tmp_path / "x.nrrd").write_bytes(head + b"\n" + line.encode() + b"\n" + rest)
    found = texts(tmp_path / "x.nrrd")
    assert set(found) == {kind}
    assert "Doe" in found[kind]


@pytest.mark.parametrize(
    "line", ["Comment = John Doe", "0010|0010 = Doe^John", "ID = Doe", "Name = Doe"]
)
def test_text_of_a_metaimage_header_is_found(tmp_path: Path, line: str) -> None:
    write(VOXELS, GRID, tmp_path / "x.mha")
    head, _, rest = (tmp_path / "x.mha").read_bytes().partition(b"\n")
    (tmp_path / "x.mha").write_bytes(head + b"\n" + line.encode() + b"\n" + rest)
    assert texts(tmp_path / "x.mha") == {"other fields": line}
