"""NIfTI, NRRD and MetaImage de-identified: no words, no face, every other byte of meaning kept."""

import gzip
import json
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # as everybody calls it

from napari_medlabel import commands, formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.documents import deidentification_schema
from napari_medlabel.phantom import Head
from napari_medlabel.session import Session

SMALL = Geometry.from_spacing((5, 6, 7), (3.0, 2.0, 1.5), (-9.0, 4.0, 20.0))


def everything(folder: Path) -> bytes:
    """All names and bytes, packed ones unpacked."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    data = [(path.name.encode(), path.read_bytes()) for path in files]
    return b"\n".join(n + (gzip.decompress(d) if d[:2] == b"\x1f\x8b" else d) for n, d in data)


def nifti(path: Path, array: np.ndarray, geometry: Geometry) -> Path:
    """A scaled file with a name in every field of its header that holds text."""
    image = nib.Nifti1Image(np.ascontiguousarray(array.T), geometry.to_nifti())
    image.header.set_slope_inter(2.0, -7.0)
    for name in ("descrip", "aux_file", "intent_name", "db_name", "data_type"):
        image.header[name] = b"Zwiebelturm"[: image.header[name].dtype.itemsize]
    comment = nib.nifti1.Nifti1Extension("comment", b"Mrs Zwiebelturm, born 24.12.1933")
    image.header.extensions.append(comment)
    nib.save(image, path)
    return path


def test_a_nifti_loses_its_words_and_keeps_every_voxel(session: Session, tmp_path: Path) -> None:
    stored = np.arange(210, dtype=np.int16).reshape(SMALL.shape)
    source = nifti(tmp_path / "Zwiebelturm_T1.nii.gz", stored, SMALL)
    done = commands.deidentify_folder(session, source, tmp_path / "out").document()
    (path,) = (tmp_path / "out").glob("*.nii.gz")
    assert path.name == done["files"][0]["file"] != source.name
    assert b"zwiebel" not in everything(tmp_path / "out").lower()
    before, after = nib.load(source), nib.load(path)
    np.testing.assert_array_equal(after.dataobj.get_unscaled(), before.dataobj.get_unscaled())
    np.testing.assert_array_equal(after.affine, before.affine)
    assert after.header.get_slope_inter() == before.header.get_slope_inter()
    assert after.header["descrip"].tobytes().strip(b"\0") == b""
    assert len(after.header.extensions) == 0
    fields = {one["field"]: one["removed"] for one in done["header_texts"]}
    assert {"descrip", "aux_file", "intent_name", "extension"} <= set(fields)
    assert (done["written"], done["patients"]) == (1, 0)
    jsonschema.Draft202012Validator(deidentification_schema()).validate(done)


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
def test_headers_of_text_are_written_anew(session: Session, tmp_path: Path, suffix: str) -> None:
    array = np.arange(210, dtype=np.int16).reshape(SMALL.shape)
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SMALL.spacing_mm[::-1])
    image.SetOrigin(SMALL.origin_lps)
    image.SetMetaData("PatientName", "Zwiebelturm Leonore")
    (tmp_path / "in").mkdir()
    source = tmp_path / "in" / f"Zwiebelturm{suffix}"
    sitk.WriteImage(image, str(source))
    done = commands.deidentify_folder(session, tmp_path / "in", tmp_path / "out").document()
    assert done["written"] == 1
    assert done["left_out"] == []
    volume = formats.read(tmp_path / "out" / done["files"][0]["file"])
    np.testing.assert_array_equal(volume.levels[0], formats.read(source).levels[0])
    assert volume.geometry.same_grid(formats.read(source).geometry)
    text = everything(tmp_path / "out").lower()
    assert b"zwiebel" not in text
    assert b"leonore" not in text


def test_a_face_goes_from_a_nifti_and_the_rest_of_it_stays(
    session: Session, tmp_path: Path
) -> None:
    grid = Geometry.from_spacing((56, 60, 50), (4.0, 4.0, 4.0), (-98.0, -128.0, -112.0))
    hu = Head(1).ct(grid)
    formats.write(hu, grid, tmp_path / "head.nii")
    done = commands.deidentify_folder(
        session, tmp_path / "head.nii", tmp_path / "out", face=commands.FaceWish()
    ).document()
    (head,) = done["faces"]["volumes"]
    assert head["state"] == "face-removed"
    assert head["face_points_matched_after"] <= 0.10
    assert done["files"][0]["face"] == "face-removed"
    changed = formats.read(tmp_path / "out" / done["files"][0]["file"]).levels[0] != hu
    assert 0 < changed.sum() <= head["voxels_removed"]


def test_the_name_is_the_same_in_each_run_and_several_volumes_are_left_out(
    session: Session, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    four = nib.Nifti1Image(np.zeros((4, 5, 6, 3), np.int16), np.eye(4))
    nib.save(four, tmp_path / "in" / "b.nii")
    nifti(tmp_path / "in" / "a.nii", np.ones(SMALL.shape, np.int16), SMALL)
    names = set()
    for out in ("one", "two"):
        commands.deidentify_folder(session, tmp_path / "in", tmp_path / out)
        told = json.loads((tmp_path / out / "deidentification.json").read_text())
        names |= {(one["file"], one["sha256"]) for one in told["files"]}
        assert [one["files"] for one in told["left_out"]] == [1]
    assert len(names) == 1
    assert commands.verify_deidentified(session, tmp_path / "one").ok


def test_what_a_person_accepted_is_told_and_known_afterwards(
    session: Session, tmp_path: Path
) -> None:
    grid = Geometry.from_spacing((8, 60, 50), (8.0, 4.0, 4.0), (-98.0, -128.0, -40.0))
    formats.write(Head(1).ct(grid), grid, tmp_path / "slab.nrrd")
    wish = commands.FaceWish(accept_uncertain=True, reason="looked at it")
    done = commands.deidentify_folder(
        session, tmp_path / "slab.nrrd", tmp_path / "out", face=wish
    ).document()
    (head,) = done["faces"]["volumes"]
    assert head["accepted"]
    assert done["checks"][2]["ok"] is None
    found = commands.verify_deidentified(session, tmp_path / "out")
    assert found.ok
