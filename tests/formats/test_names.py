"""Files are often called after the patient: no message tells the name of one that was found."""

import gzip
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_medlabel import formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import InputError

NAME = "Doe^John"
SHAPE = (20, 20, 20)
BLANK = b"NRRD0005\ntype: short\ndimension: 3\nsizes: 2 2 2\nspace: left-posterior-superior\n"
AXES = b"space directions: (1,0,0) (0,1,0) (0,0,1)\nencoding: raw\n"
BROKEN = {
    f"{NAME}.pdf": b"%PDF",
    f"{NAME}.nii.gz": gzip.compress(bytes(200)),
    f"{NAME}.nrrd": b"NRRD0005\nhello",
    f"{NAME}.nhdr": BLANK + AXES + f"data file: {NAME}.raw\n\n".encode(),
    f"{NAME}.mha": b"ObjectType = Image\nNDims = 3\nDimSize = 2 2\n",
    f"{NAME}.hdr": b"\x5c\x01\0\0" + bytes(34) + b"r" + bytes(309),
    f"{NAME}.dcm": bytes(128) + b"DICM" + bytes(20),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_found_in_a_folder_is_named_by_position_only(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(InputError) as caught:
        formats.scan(tmp_path)
    words = f"{caught.value.what} {caught.value.hint}"
    assert "Doe" not in words
    assert "file 1 of 1 in the folder" in words


@pytest.mark.parametrize("name", BROKEN)
def test_the_file_that_a_person_named_is_named_back(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(BROKEN[name])
    with pytest.raises(InputError) as caught:
        formats.scan(tmp_path / name)
    assert caught.value.what.startswith(f"{tmp_path / name} cannot be used: ")


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_truncated_file_in_a_folder_is_not_named(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"{NAME}{ending}"
    noise = np.random.default_rng(1).integers(0, 30000, SHAPE, dtype=np.int16)
    formats.write(noise, Geometry.from_spacing(SHAPE), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(InputError) as caught:
        formats.read(tmp_path)
    assert "Doe" not in f"{caught.value.what} {caught.value.hint}"


def test_a_pair_without_its_voxels_does_not_name_them(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(np.zeros(SHAPE, np.int16), np.eye(4)), tmp_path / f"{NAME}.img")
    (tmp_path / f"{NAME}.img").unlink()
    (problem,) = formats.scan(tmp_path).series[0].all_problems()
    assert problem.code == "no-pixel-data"
    assert "Doe" not in problem.what


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_series_that_is_a_file_has_a_lasting_uid_that_does_not_tell_its_name(
    tmp_path: Path, ending: str
) -> None:
    voxels, grid = np.zeros(SHAPE, np.int16), Geometry.from_spacing(SHAPE)
    for name in ("a", "b"):
        folder = tmp_path / name / "deep"
        folder.mkdir(parents=True)
        formats.write(voxels, grid, folder / f"{NAME}{ending}")
    formats.write(voxels, grid, tmp_path / "a" / "deep" / f"other{ending}")
    (one, other), (again,) = (formats.scan(tmp_path / name).series for name in ("a", "b"))
    assert re.fullmatch("file:[0-9a-f]{16}", one.uid)
    assert one.uid == again.uid
    assert one.uid != other.uid
    document = formats.scan(tmp_path / "a").document()
    assert "Doe" not in str(document["series"])
