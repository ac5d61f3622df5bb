"""The whole job on real series: both formats, points of their frames, masks on their grid."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # its usual name

from napari_medlabel import commands
from napari_medlabel.commands.sources import read
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.session import Session

SERIES = {
    "lesion-ct-lung/dicom": 1,
    "ct-multiorgan/dicom": 1,
    "multi-echo-philips": 4,
    "dicom2nifti-vendors/ge": 6,
    "dicom2nifti-vendors/philips": 9,
    "dicom2nifti-vendors/hitachi": 1,
    "dicom2nifti-vendors/generic/anatomical": 2,
    "dicom2nifti-problems/failing/gantrytilting": 1,
}


@pytest.mark.parametrize("folder", SERIES)
def test_a_real_series_converts_to_both_formats_alike(
    session: Session, shared_data: Path, tmp_path: Path, folder: str
) -> None:
    (tmp_path / "study").symlink_to(shared_data / folder)
    answers = {}
    for kind in ("nii.gz", "ome.zarr"):
        out = tmp_path / kind.replace(".", "-")
        answers[kind] = commands.convert_all(session, tmp_path / "study", out, kind=kind)
    nifti, zarr = answers["nii.gz"].volumes, answers["ome.zarr"].volumes
    assert len(nifti) == len(zarr) >= SERIES[folder]
    pairs = [
        (read(tmp_path / "nii-gz" / a["file"]), read(tmp_path / "ome-zarr" / b["file"]))
        for a, b in zip(nifti, zarr, strict=True)
    ]
    assert max(a.geometry.difference_mm(b.geometry) for a, b in pairs) < 1e-3
    same = [np.array_equal(a.levels[0][:], b.levels[0][:]) for a, b in pairs]
    assert all(same)


@pytest.mark.parametrize("item", ["lesion-ct-lung", "ct-multiorgan"])
def test_the_points_of_single_frames_are_in_the_converted_file(
    session: Session, shared_data: Path, tmp_path: Path, item: str
) -> None:
    commands.convert(session, shared_data / item / "dicom", tmp_path / "ct.nii.gz")
    image = nib.load(tmp_path / "ct.nii.gz")
    points = json.loads((shared_data / item / "points.json").read_text())["points"]
    grid = Geometry.from_nifti(image.shape, image.affine)
    kji = grid.kji([point["lps"] for point in points])
    assert np.abs(kji - np.rint(kji)).max() < 1e-2
    k, j, i = np.rint(kji).astype(int).T
    voxels = np.asarray(image.dataobj).T
    np.testing.assert_array_equal(voxels[k, j, i], [point["value"] for point in points])


@pytest.mark.parametrize("folder", ["lesion-ct-lung/dicom", "ct-multiorgan/dicom"])
def test_a_mask_drawn_on_a_real_series_comes_back_on_its_files_grid(
    session: Session, shared_data: Path, tmp_path: Path, folder: str
) -> None:
    info = commands.import_series(session, shared_data / folder)
    case = commands.open_case(session, info.id)
    commands.set_label(session, case, Label(1, "Lesion", "#FF8000"))
    where = np.random.default_rng(1).random(case.volume.shape) < 0.2
    commands.paint(session, case, Edit.fill(case.segmentation.labels, (0, 0, 0), where, 1))
    drawn = case.volume.source.axes.inverse().apply(case.segmentation.labels).copy()
    commands.export_case(session, case, tmp_path, name="mask")
    commands.close_case(session, case)
    commands.convert(session, shared_data / folder, tmp_path / "image.nii.gz")
    mask, image = (nib.load(tmp_path / name) for name in ("mask.nii.gz", "image.nii.gz"))
    assert mask.shape == image.shape
    np.testing.assert_array_equal(mask.affine, image.affine)
    np.testing.assert_array_equal(np.asarray(mask.dataobj).T, drawn)
    back = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "mask.nii.gz")))
    np.testing.assert_array_equal(back, drawn)
