"""The one door to all formats: scan, choose, read, write."""

import errno
import json
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_medlabel as medlabel
from napari_medlabel import formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import slice_sha256, volume_sha256
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.testing import geometries

ENDINGS = [".nii", ".nii.gz", ".nrrd", ".mha"]
SHAPE = (3, 4, 5)


def numbers(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.arange(np.prod(shape), dtype=np.int16).reshape(shape)


def grid(shape: tuple[int, int, int] = SHAPE) -> Geometry:
    """Slow axis to the right, rows to the feet, columns back: nothing is where one expects."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[-3.0, 0.0, 0.1], [0.0, 0.05, 0.7], [0.0, -0.8, 0.0]])
    matrix[:3, 3] = [20.0, -30.0, 40.0]
    return Geometry(shape, matrix)


def filled(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        formats.write(numbers(), grid(), folder / name)
    return folder


@given(geometry=geometries(max_origin_mm=300), ending=st.sampled_from(ENDINGS))
def test_a_volume_is_read_with_its_voxels_at_their_places(
    geometry: Geometry, ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / f"a{ending}"
    array = numbers(geometry.shape)
    formats.write(array, geometry, path)
    volume = medlabel.read(path)
    kji = np.argwhere(np.ones(volume.shape, bool))
    in_source = np.rint(geometry.kji(volume.geometry.lps(kji))).astype(int)
    np.testing.assert_array_equal(volume.levels[0][tuple(kji.T)], array[tuple(in_source.T)])
    assert volume.geometry.canonical.is_identity
    assert volume.sha256 == volume_sha256(slice_sha256(plane) for plane in array)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_mask_written_on_the_source_grid_overlays_it(tmp_path: Path, ending: str) -> None:
    formats.write(numbers(), grid(), tmp_path / "image.nii")
    image = medlabel.read(tmp_path / "image.nii")
    mask = (np.asarray(image.levels[0]) % 3).astype(np.uint8)
    back_in_source = image.source.axes.inverse().apply(mask)
    formats.write(back_in_source, image.source.geometry, tmp_path / f"mask{ending}", labels=True)
    again = medlabel.read(tmp_path / f"mask{ending}")
    np.testing.assert_array_equal(again.levels[0], mask)
    np.testing.assert_array_equal(back_in_source, numbers() % 3)
    assert again.geometry.difference_mm(image.geometry) < 1e-5


def test_a_volume_lies_in_canonical_order(tmp_path: Path) -> None:
    formats.write(numbers(), grid(), tmp_path / "a.nrrd")
    volume = medlabel.read(tmp_path / "a.nrrd")
    assert volume.geometry.canonical.is_identity
    assert volume.shape == (4, 5, 3)
    assert volume.levels[0].dtype == np.int16
    assert (volume.modality, volume.unit, volume.source.format) == ("", "stored", "nrrd")


def test_a_folder_holds_a_series_for_each_file_numbered_by_name(tmp_path: Path) -> None:
    filled(tmp_path, "b.nii.gz", "a.nrrd", "deep/c.mha", "deep/d.nii")
    (tmp_path / "notes.txt").write_text("hello")
    found = medlabel.scan(tmp_path)
    assert [(s.number, s.description) for s in found.series] == [
        (1, "a.nrrd"), (2, "b.nii.gz"), (3, "c.mha"), (4, "d.nii"),
    ]  # fmt: skip
    assert [one.file for one in found.skipped] == ["notes.txt"]


def test_the_document_of_a_scan_is_the_one_of_the_design(tmp_path: Path) -> None:
    filled(tmp_path, "a.nii.gz")
    (tmp_path / "notes.txt").write_text("hello")
    document = json.loads(json.dumps(medlabel.scan(tmp_path).document()))
    assert document["format"] == 1
    assert document["skipped"][0]["file"] == "notes.txt"
    assert document["skipped"][0]["why"]
    assert document["series"][0].keys() == {
        "number", "uid", "modality", "kind", "volumes", "shape", "spacing_mm", "lps_from_kji",
        "regular", "problems", "files", "names", "quantities", "report",
    }  # fmt: skip
    assert document["series"][0]["shape"] == [3, 4, 5]


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_file_is_goes_by_its_content(tmp_path: Path, ending: str) -> None:
    filled(tmp_path, f"a{ending}")
    (tmp_path / f"a{ending}").rename(tmp_path / "IM0001")
    np.testing.assert_array_equal(
        np.asarray(medlabel.read(tmp_path / "IM0001").levels[0]).shape, (4, 5, 3)
    )


@pytest.mark.parametrize("name", ["with space.nii", "ümlaut.nrrd", "two\nlines.nii.gz", "-x.mha"])
def test_any_name_is_read_and_written(tmp_path: Path, name: str) -> None:
    filled(tmp_path, name)
    assert medlabel.read(tmp_path / name).shape == (4, 5, 3)


def test_a_pair_is_opened_by_either_name_and_is_one_series(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Pair(numbers().T, grid().to_nifti()), tmp_path / "a.img")
    assert medlabel.read(tmp_path / "a.img").shape == medlabel.read(tmp_path / "a.hdr").shape
    found = medlabel.scan(tmp_path)
    assert len(found.series) == 1
    assert found.skipped == ()


def test_a_broken_file_among_good_ones_is_skipped_with_the_reason(tmp_path: Path) -> None:
    filled(tmp_path, "a.nii")
    (tmp_path / "old.hdr").write_bytes(b"\x5c\x01\0\0" + bytes(34) + b"r" + bytes(309))
    (tmp_path / "b.nrrd").write_bytes(b"NRRD0005\nhello")
    found = medlabel.scan(tmp_path)
    assert [one.description for one in found.series] == ["a.nii"]
    why = {one.file: one.why for one in found.skipped}
    assert "Analyze" in why["old.hdr"]
    assert "broken" in why["b.nrrd"]


def test_a_blocking_problem_is_the_words_of_the_error(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    nib.save(nib.Nifti1Image(numbers().astype("c8").T, np.eye(4)), path)
    found = medlabel.scan(path)
    assert not found.series[0].regular
    with pytest.raises(GeometryError, match="complex numbers") as caught:
        medlabel.read(path)
    assert caught.value.hint


def test_several_series_ask_which_one_and_list_them(tmp_path: Path) -> None:
    filled(tmp_path, "a.nii", "b.nii")
    with pytest.raises(InputError, match="1 nifti 3x4x5; 2 nifti 3x4x5"):
        medlabel.read(tmp_path)
    assert medlabel.read(tmp_path, series=2).source.format == "nifti"
    assert medlabel.read(tmp_path, series="2").shape == (4, 5, 3)
    uid = medlabel.scan(tmp_path).series[1].uid
    assert medlabel.read(tmp_path, series=uid).shape == (4, 5, 3)
    with pytest.raises(InputError, match="no series"):
        medlabel.read(tmp_path, series=3)


def test_several_volumes_ask_which_one_and_list_them(tmp_path: Path) -> None:
    array = np.stack([numbers(), numbers() + 100])
    nib.save(nib.Nifti1Image(array.T, grid().to_nifti()), tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="2 volumes: 1 volume 1 of 2, 2 volume 2 of 2"):
        medlabel.read(tmp_path / "a.nii.gz")
    volume = medlabel.read(tmp_path / "a.nii.gz", volume=2)
    assert np.asarray(volume.levels[0]).min() == 100
    assert volume.name == "volume 2 of 2"
    for wrong in (0, 3):
        with pytest.raises(InputError, match="no volume"):
            medlabel.read(tmp_path / "a.nii.gz", volume=wrong)


def bad_inputs(folder: Path) -> dict[str, Path]:
    (folder / "empty").mkdir()
    (folder / "texts").mkdir()
    for name in ("texts/a.txt", "text.nii", "hello.txt"):
        (folder / name).write_text("hello")
    (folder / "zero.nii.gz").touch()
    (folder / "broken.nii.gz").write_bytes(b"\x1f\x8b\x08hello")
    names = ["empty", "texts", "text.nii", "hello.txt", "zero.nii.gz", "broken.nii.gz", "missing"]
    return {name: folder / name for name in names}


@pytest.mark.parametrize(
    "name", ["empty", "texts", "text.nii", "hello.txt", "zero.nii.gz", "broken.nii.gz", "missing"]
)
def test_bad_input_is_one_clear_line_with_a_hint(tmp_path: Path, name: str) -> None:
    path = bad_inputs(tmp_path)[name]
    for attempt in (medlabel.scan, medlabel.read):
        with pytest.raises(InputError) as caught:
            attempt(path)
        assert "\n" not in caught.value.what
        assert name in caught.value.what
        assert caught.value.hint


def test_what_may_not_be_read_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path, "a.nii")

    def denied(*_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "iterdir", denied)
    with pytest.raises(InputError, match="cannot be read: permission denied"):
        medlabel.scan(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_does_not_make_a_scan_wait_forever(tmp_path: Path) -> None:
    filled(tmp_path, "a.nii")
    os.mkfifo(tmp_path / "pipe")
    found = medlabel.scan(tmp_path)
    assert len(found.series) == 1
    with pytest.raises(InputError):
        medlabel.scan(tmp_path / "pipe")


def test_nothing_is_written_by_an_unknown_name(tmp_path: Path) -> None:
    for name in ("a.png", "a", "a.nhdr", "a.hdr"):
        with pytest.raises(OutputError, match="no format") as caught:
            formats.write(numbers(), grid(), tmp_path / name)
        assert ".nii.gz" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def zarr_folder(path: Path, name: str, document: object) -> Path:
    (path / "0" / "c").mkdir(parents=True)
    (path / "0" / "c" / "0").write_bytes(b"chunk")
    (path / name).write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("zarr.json", {"attributes": {"ome": {"multiscales": [{}]}}}, True),
        (".zattrs", {"multiscales": [{}]}, True),
        ("zarr.json", {"attributes": {}}, False),
        ("zarr.json", [1], False),
        ("other.json", {"multiscales": [{}]}, False),
    ],
)
def test_ome_zarr_is_known_by_its_metadata(
    tmp_path: Path, name: str, document: object, *, expected: bool
) -> None:
    assert formats.is_ome_zarr(zarr_folder(tmp_path / "a.zarr", name, document)) is expected
    assert not formats.is_ome_zarr(tmp_path / "missing")


def test_ome_zarr_in_a_folder_is_named_once_and_not_by_its_chunks(tmp_path: Path) -> None:
    filled(tmp_path, "a.nii")
    zarr_folder(tmp_path / "b.zarr", "zarr.json", {"attributes": {"ome": {"multiscales": []}}})
    found = medlabel.scan(tmp_path)
    assert [one.file for one in found.skipped] == ["b.zarr"]
    with pytest.raises(InputError, match="OME-Zarr"):
        medlabel.scan(tmp_path / "b.zarr")


def test_the_space_code_of_the_source_is_kept(tmp_path: Path) -> None:
    formats.write(numbers(), grid(), tmp_path / "a.nii", space_code=4)
    assert medlabel.read(tmp_path / "a.nii").source.space_code == 4


def test_an_array_in_memory_is_read_like_a_file(tmp_path: Path) -> None:
    formats.write(numbers(), grid(), tmp_path / "a.nrrd")
    source = medlabel.read(tmp_path / "a.nrrd").source
    reader = MemoryReader(numbers(), source, modality="CT", unit="HU")
    np.testing.assert_array_equal(reader.read(1, 3), numbers()[1:3])
    assert reader.dtype == np.int16
    assert reader.hashes() == ()
    reader.close()
    with pytest.raises(ValueError, match="read-only"):
        reader.read(0, 1)[:] = 0
    with pytest.raises(GeometryError, match="does not fit"):
        MemoryReader(numbers((1, 1, 1)), source)


# Real images


def test_six_layouts_of_one_head_are_the_same_head(shared_data: Path) -> None:
    folder = shared_data / "odd-nifti" / "orientations"
    heads = [medlabel.read(path) for path in sorted(folder.glob("*.nii.gz"))]
    assert len(heads) == 6
    for head in heads[1:]:
        np.testing.assert_array_equal(head.levels[0], heads[0].levels[0])
        assert head.geometry.difference_mm(heads[0].geometry) < 1e-4


REFUSED = {
    "nibabel/analyze.hdr": "Analyze",
    "nibabel/nifti1.hdr": ".img, is not there",
    "nibabel/nifti2.hdr": ".img, is not there",
    "nibabel/row_major.dconn.nii": "CIFTI",
    "niivue/complex.nii.gz": "complex",
    "niivue/ct_perfusion.nii.gz": "colours",
    "rnifti/example.json": "example.json cannot be used",
    "rnifti/example_rgb.nii.gz": "colours",
}


def test_odd_nifti_files_are_read_as_nibabel_reads_them(shared_data: Path) -> None:
    folder = shared_data / "odd-nifti"
    entries = json.loads((folder / "nibabel_view.json").read_text())
    read = [entry for entry in entries if entry["file"] not in REFUSED]
    assert len(read) == len(entries) - len(REFUSED) == 19
    for entry in read:
        reader = formats.open_reader(medlabel.scan(folder / entry["file"]).series[0])
        geometry = reader.source.geometry
        assert geometry.shape == tuple(entry["shape"][2::-1])
        np.testing.assert_allclose(geometry.to_nifti(), entry["affine"], atol=1e-5)
        image = nib.load(folder / entry["file"])
        values = np.asanyarray(image.dataobj).reshape(*entry["shape"][:3], -1)
        voxels = reader.read(0, geometry.shape[0])
        np.testing.assert_allclose(voxels.T, values[..., 0], rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(("file", "why"), REFUSED.items())
def test_odd_nifti_files_that_are_no_volume_are_refused_with_the_reason(
    shared_data: Path, file: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as caught:
        medlabel.read(shared_data / "odd-nifti" / file)
    assert caught.value.hint


def test_a_sheared_head_is_written_and_read_with_its_shear(
    shared_data: Path, tmp_path: Path
) -> None:
    series = medlabel.scan(shared_data / "odd-nifti" / "niivue" / "shear.nii.gz").series[0]
    assert [problem.code for problem in series.all_problems()] == ["conflicting-transforms"]
    reader = formats.open_reader(series)
    assert reader.source.geometry.shear > 0.3
    voxels = reader.read(0, 4)
    part = Geometry(voxels.shape, reader.source.geometry.lps_from_kji)
    for ending in ENDINGS:
        formats.write(voxels, part, tmp_path / f"a{ending}")
        again = formats.open_reader(medlabel.scan(tmp_path / f"a{ending}").series[0])
        np.testing.assert_array_equal(again.read(0, 4), voxels)
        assert again.source.geometry.difference_mm(part) < 1e-5


def test_nrrd_and_nifti_of_one_head_are_the_same_voxels_at_the_same_place(
    shared_data: Path,
) -> None:
    folder = shared_data / "nrrd-mha"
    one, other = medlabel.read(folder / "FLAIR.nrrd"), medlabel.read(folder / "FLAIR.nii.gz")
    np.testing.assert_array_equal(one.levels[0], other.levels[0])
    assert one.geometry.difference_mm(other.geometry) < 1e-3


@pytest.mark.parametrize(
    ("folder", "image", "label"),
    [
        ("lesion-mr-brain", "brain1_image.nrrd", "brain1_label.nrrd"),
        (
            "lesion-mr-brain",
            "prostate_phantom_subvolume.nrrd",
            "prostate_phantom_subvolume-label.nrrd",
        ),
        ("spinal-cord-mr", "t1w.nii.gz", "t1w_seg-manual.nii.gz"),
        ("spinal-cord-mr", "t2.nii.gz", "t2_seg-manual.nii.gz"),
        ("spinal-cord-mr", "t2.nii.gz", "t2_labeled_center_manual.nii.gz"),
        ("spinal-cord-mr", "t2_fake_lesion.nii.gz", "t2_fake_lesion_lesion_seg.nii.gz"),
        ("spinal-cord-mr", "t2s_uncropped.nii.gz", "t2s_uncropped_gmseg_manual.nii.gz"),
        ("ct-multiorgan", "example_ct.nii.gz", "example_ct_labels.nii.gz"),
        ("ct-multiorgan", "example_ct_sm.nii.gz", "example_ct_sm_labels.nii.gz"),
        ("t1-brain-mask", "tcia_example_t1c.nii.gz", "bet_tcia_example_t1c_mask.nii.gz"),
    ],
)
def test_real_labels_overlay_their_image_and_survive_every_format(
    shared_data: Path, tmp_path: Path, folder: str, image: str, label: str
) -> None:
    below, above = (medlabel.read(shared_data / folder / name) for name in (image, label))
    assert above.geometry.same_grid(below.geometry)
    assert above.levels[0].dtype.kind in "iu"
    in_source = above.source.axes.inverse().apply(np.asarray(above.levels[0]))
    for ending in ENDINGS:
        path = tmp_path / f"mask{ending}"
        formats.write(in_source, above.source.geometry, path, labels=True)
        again = medlabel.read(path)
        np.testing.assert_array_equal(again.levels[0], above.levels[0])
        assert again.geometry.difference_mm(above.geometry) < 1e-5
        assert again.sha256 == above.sha256
    affine = nib.load(tmp_path / "mask.nii.gz").affine
    np.testing.assert_allclose(affine, above.source.geometry.to_nifti(), atol=1e-5)


def test_scanning_real_folders_tells_why_each_other_file_was_left_out(shared_data: Path) -> None:
    for folder in ("odd-nifti", "nrrd-mha", "spinal-cord-mr", "lesion-mr-brain"):
        found = medlabel.scan(shared_data / folder)
        assert found.series
        assert all(one.why for one in found.skipped)


def test_a_copy_without_an_ending_is_the_same_image(shared_data: Path, tmp_path: Path) -> None:
    original = shared_data / "nrrd-mha" / "mha.mha"
    shutil.copyfile(original, tmp_path / "IM1")
    assert medlabel.read(tmp_path / "IM1").sha256 == medlabel.read(original).sha256
