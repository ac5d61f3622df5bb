"""`medlabel deface` on files: what is written, what is not, and what is left as it was."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

import napari_medlabel as medlabel
from napari_medlabel import commands, formats
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import Cancelled, InputError, OutputError
from napari_medlabel.phantom import Head, write_ct_series
from napari_medlabel.session import Permission, Session, local_session
from napari_medlabel.storage.ome_zarr import open_volume

pytestmark = pytest.mark.usefixtures("home")
KEYS = {
    "format", "verdict", "cost", "voxels_removed", "brain_voxels_removed", "nearest_brain_mm",
    "face_points_matched_before", "face_points_matched_after",
}  # fmt: skip
GRID = Geometry.from_spacing((56, 60, 50), (4.0, 4.0, 4.0), (-98.0, -128.0, -112.0))
REAL = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEDLABEL_WORKSPACE", str(tmp_path / "workspace"))


@pytest.fixture(scope="module")
def hu() -> np.ndarray:
    return Head(1).ct(GRID)


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    k, j, i = np.ogrid[:30, :40, :40]
    array = (((k - 15) ** 2 + (j - 20) ** 2 + (i - 20) ** 2) < 120).astype(np.int16) * 400
    formats.write(array, Geometry.from_spacing(array.shape, (4.0, 4.0, 4.0)), tmp_path / "b.nii.gz")
    return tmp_path / "b.nii.gz"


def run(capsys: pytest.CaptureFixture[str], *argv: object, code: int = 0) -> dict:
    capsys.readouterr()
    assert main(["deface", *(str(word) for word in argv), "--json"]) == code
    document: dict = json.loads(capsys.readouterr().out)
    return document


def digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_nifti_keeps_every_byte_but_the_face(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, hu: np.ndarray
) -> None:
    """Scaled, big-endian, with an extension: the header is the source's own."""
    stored = np.ascontiguousarray(((hu.astype(np.int32) + 1024) * 2).T.astype(">i2"))
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    image = nib.Nifti1Image(stored, GRID.to_nifti(), header)
    image.header.set_slope_inter(0.5, -1024.0)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"kept"))
    source, out, mask = (tmp_path / name for name in ("a.nii", "out.nii.gz", "mask.nii.gz"))
    nib.save(image, source)
    report = run(capsys, source, out, "--mask", mask, "--report", tmp_path / "r.json")
    assert set(report) >= KEYS
    assert report == json.loads((tmp_path / "r.json").read_text())
    assert (report["verdict"], report["brain_voxels_removed"]) == ("face-removed", 0)
    assert report["nearest_brain_mm"] >= 2.0
    assert report["face_points_matched_after"] <= 0.10 < report["face_points_matched_before"]
    before, after = nib.load(source), nib.load(out)
    assert after.header.binaryblock == before.header.binaryblock
    assert after.header.extensions[0].get_content() == b"kept"
    removed = np.asarray(nib.load(mask).dataobj) > 0
    assert removed.sum() == report["voxels_removed"]
    np.testing.assert_array_equal(nib.load(mask).affine, before.affine)
    raw_before, raw_after = before.dataobj.get_unscaled(), after.dataobj.get_unscaled()
    np.testing.assert_array_equal(raw_after[~removed], raw_before[~removed])
    assert (after.get_fdata()[removed] == -1000.0).all()


def test_an_ome_zarr_of_a_nrrd_keeps_every_voxel_but_the_face(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, hu: np.ndarray
) -> None:
    source, out = tmp_path / "a.nrrd", tmp_path / "out.ome.zarr"
    formats.write(hu, GRID, source)
    report = run(capsys, source, out)
    assert report["verdict"] == "face-removed"
    after = open_volume(out)
    assert after.geometry.same_grid(GRID, 1e-6)
    changed = np.asarray(after.levels[0][:]) != hu
    assert 0 < changed.sum() <= report["voxels_removed"]
    assert not (changed & Head(1).brain(GRID)).any()
    assert {path.name for path in tmp_path.iterdir()} <= {"a.nrrd", out.name, "config", "workspace"}


def test_dicom_copies_have_other_pixels_in_the_face_and_the_same_headers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, hu: np.ndarray
) -> None:
    source, out = tmp_path / "source", tmp_path / "out"
    write_ct_series(source, hu, GRID)
    for path in sorted(source.rglob("*.dcm"))[::2]:  # half of them deflated
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.save_as(path)
    sources = digest(source)
    report = run(capsys, source, out, "--mask", tmp_path / "mask.nii.gz")
    assert report["verdict"] == "face-removed"
    assert digest(source) == sources
    removed = formats.read(tmp_path / "mask.nii.gz").levels[0][:] > 0
    after = medlabel.read(out)
    assert after.geometry.same_grid(GRID)
    np.testing.assert_array_equal(after.levels[0][~removed], hu[~removed])
    headers = {pydicom.dcmread(p).SOPInstanceUID: pydicom.dcmread(p) for p in source.rglob("*.dcm")}
    new = {"PixelData", "RecognizableVisualFeatures", "FileMetaInformationGroupLength"}
    for path in out.iterdir():
        copy = pydicom.dcmread(path)
        assert copy.RecognizableVisualFeatures == "NO"
        old = headers[copy.SOPInstanceUID]
        differing = {e.keyword for e in old if e.keyword not in copy or copy[e.keyword] != e}
        assert differing <= new
    assert {path.name[:4] for path in out.iterdir()} == {f"{n:04}" for n in range(1, 57)}


def test_what_is_no_head_is_copied_as_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ball: Path
) -> None:
    report = run(capsys, ball, tmp_path / "out.nii.gz")
    assert report["verdict"] == "not-a-head"
    assert (report["voxels_removed"], report["brain_voxels_removed"]) == (0, 0)
    same = nib.load(tmp_path / "out.nii.gz")
    assert same.header.binaryblock == nib.load(ball).header.binaryblock
    np.testing.assert_array_equal(same.get_fdata(), nib.load(ball).get_fdata())


def test_what_is_uncertain_is_refused_until_a_person_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, hu: np.ndarray
) -> None:
    turned = np.ascontiguousarray(hu[:, ::-1])  # the back of the head is where the face should be
    formats.write(turned, GRID, tmp_path / "a.nii.gz")
    out = tmp_path / "out.nii.gz"
    report = run(capsys, tmp_path / "a.nii.gz", out, "--report", tmp_path / "r.json", code=3)
    assert report["verdict"] in {"wrong-orientation", "uncertain"}
    assert report["voxels_removed"] == 0
    assert not out.exists()
    assert (tmp_path / "r.json").exists()
    report = run(capsys, tmp_path / "a.nii.gz", out, "--accept-uncertain")
    assert report["verdict"] == "face-removed"
    gone = formats.read(out).levels[0][:] != turned
    assert not (gone & Head(1).brain(GRID)[:, ::-1]).any()
    # The face that is there goes, not the place where the header puts one.
    assert np.argwhere(gone)[:, 1].mean() > GRID.shape[1] / 2


def test_a_destination_that_is_there_is_refused_before_anything_is_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, ball: Path
) -> None:
    (tmp_path / "out.nii.gz").write_bytes(b"mine")
    assert main(["deface", str(ball), str(tmp_path / "out.nii.gz")]) == 1
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "out.nii.gz").read_bytes() == b"mine"


def _four_d(path: Path) -> None:
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 9, 3), np.int16), np.eye(4)), path)


def _colour(path: Path) -> None:
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 9), kind), np.eye(4)), path)


@pytest.mark.parametrize("make", [_four_d, _colour])
def test_several_volumes_and_colours_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "a.nii.gz")
    assert main(["deface", str(tmp_path / "a.nii.gz"), str(tmp_path / "out.nii.gz")]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert not (tmp_path / "out.nii.gz").exists()


def test_names_that_say_no_format_are_refused(tmp_path: Path, ball: Path) -> None:
    session = local_session()
    with pytest.raises(InputError, match="names no format"):
        commands.deface(session, ball, tmp_path / "out.txt")
    with pytest.raises(InputError, match="only DICOM"):
        commands.deface(session, ball, tmp_path / "folder")
    assert [event.outcome for event in session.events] == ["failed"] * 2


def test_it_is_an_export_and_is_recorded(tmp_path: Path, ball: Path) -> None:
    session = local_session()
    commands.deface(session, ball, tmp_path / "out.nii")
    assert commands.deface.permission is Permission.EXPORT  # type: ignore[attr-defined]
    assert [(event.action, event.outcome) for event in session.events] == [("deface", "done")]


def test_what_is_called_off_leaves_nothing(tmp_path: Path, ball: Path) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(Cancelled):
        commands.deface(
            local_session(), ball, tmp_path / "out.nii.gz", mask=tmp_path / "mask.nii.gz",
            cancelled=cancelled,
        )  # fmt: skip
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_nothing(
    tmp_path: Path, ball: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_medlabel.formats.nifti_patch._write_gzip", full)
    before = {path.name for path in tmp_path.iterdir()}
    with pytest.raises(OutputError, match="disk is full"):
        commands.deface(local_session(), ball, tmp_path / "out.nii.gz")
    assert {path.name for path in tmp_path.iterdir()} == before


# Real heads


@pytest.fixture
def session() -> Session:
    return local_session()


@pytest.mark.parametrize("name", ["t1-brain-mask/tcia_example_t1c.nii.gz"])
def test_no_voxel_of_a_real_brain_mask_changes(session: Session, tmp_path: Path, name: str) -> None:
    source = REAL / name
    if not source.exists():
        pytest.skip("the real head is not here")
    answer = commands.deface(session, source, tmp_path / "out.nii.gz")
    assert answer.verdict == "face-removed"
    brain = formats.read(source.with_name("bet_tcia_example_t1c_mask.nii.gz")).levels[0][:] > 0
    before, after = (formats.read(path).levels[0][:] for path in (source, tmp_path / "out.nii.gz"))
    assert not ((before != after) & brain).any()
    assert answer.facts["face_points_matched_after"] <= 0.10
