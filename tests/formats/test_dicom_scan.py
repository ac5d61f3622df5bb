"""What a scan finds: files wherever they are, series, volumes, and what it leaves out."""

import os
import random
import shutil
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

from napari_medlabel.core.volume import Series
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_header import EXPLICIT, Header, PixelPlace
from napari_medlabel.formats.dicom_instance import InstanceFacts, facts_of
from napari_medlabel.formats.dicom_load import open_dicom
from napari_medlabel.formats.dicom_scan import Skipped, scan_dicom
from napari_medlabel.formats.dicom_volumes import regular_parts, volumes_of
from tests.formats.made_dicom import (
    SAGITTAL,
    oblique,
    one_slice,
    ramp,
    save,
    save_all,
    stack,
    uid,
)

SHAPE = (5, 6, 8)
MR = "1.2.840.10008.5.1.4.1.1.4"


def only(path: Path) -> Series:
    series, skipped = scan_dicom(path)
    assert skipped == []
    (one,) = series
    return one


def codes(series: Series) -> set[str]:
    return {problem.code for problem in series.all_problems()}


# Where files are


def test_a_folder_with_folders_is_one_series_in_order_of_position(tmp_path: Path) -> None:
    slices = stack(ramp(SHAPE), orientation=oblique())
    for n, dataset in enumerate(reversed(slices)):
        save(tmp_path / f"ä {n % 2}\n" / f"{n}", dataset)
    volume = only(tmp_path).volumes[0]
    assert [part.instance_number for part in volume.parts] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("seed", range(4))
def test_names_and_numbers_say_nothing_about_the_order(tmp_path: Path, seed: int) -> None:
    slices = stack(ramp(SHAPE))
    order = random.Random(seed).sample(range(5), 5)  # noqa: S311  # any order will do
    for dataset, number in zip(slices, order, strict=True):
        dataset.InstanceNumber = number
        dataset.SliceLocation = float(number)
    save_all(tmp_path, [slices[n] for n in order])
    voxels = open_dicom(only(tmp_path)).read(0, 5)
    np.testing.assert_array_equal(voxels, ramp(SHAPE) - 1024)


def test_one_file_is_one_slice(tmp_path: Path) -> None:
    path = save(tmp_path / "no extension", one_slice(ramp(SHAPE)[0], (0, 0, 0)))
    series = only(path)
    assert codes(series) == {"single-slice"}
    assert series.volumes[0].usable


def test_what_is_no_dicom_is_left_out_by_name(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty").touch()
    (tmp_path / "image.nii").write_bytes(b"\x5c\1\0\0" + bytes(400))
    series, skipped = scan_dicom(tmp_path)
    assert len(series) == 1
    assert {one.file for one in skipped} == {"notes.txt", "empty", "image.nii"}
    assert {one.why for one in skipped} == {"not DICOM"}


def test_pipes_devices_and_loops_of_links_do_not_hang(tmp_path: Path) -> None:
    save_all(tmp_path / "a", stack(ramp(SHAPE)))
    os.mkfifo(tmp_path / "a" / "pipe")
    (tmp_path / "a" / "null").symlink_to("/dev/zero")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "a" / "nowhere").symlink_to(tmp_path / "missing")
    (tmp_path / "a" / "itself").symlink_to(tmp_path / "a" / "itself")
    series, skipped = scan_dicom(tmp_path)
    assert [one.files for one in series] == [5]
    assert {one.file for one in skipped} == {"a/pipe", "a/null", "a/nowhere", "a/itself"}


def test_a_pipe_named_by_itself_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError):
        scan_dicom(tmp_path / "pipe")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_a_file_without_permission_is_left_out(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    (tmp_path / "IM0002").chmod(0)
    series, skipped = scan_dicom(tmp_path)
    assert skipped == [Skipped("IM0002", "it cannot be read")]
    assert codes(series[0]) == {"missing-slice"}


def test_nothing_there_is_an_error_without_the_path(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        scan_dicom(tmp_path / "missing")
    assert str(tmp_path) not in refusal.value.what


def test_an_empty_folder_has_no_series(tmp_path: Path) -> None:
    assert scan_dicom(tmp_path) == ([], [])


def test_progress_counts_to_the_number_of_files_and_a_person_can_stop_it(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    told: list[tuple[int, int]] = []
    scan_dicom(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 5) for n in range(6)]
    with pytest.raises(Cancelled):
        scan_dicom(tmp_path, cancelled=lambda: True)


def zipped(folder: Path, target: Path, names: str = "{}") -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, names.format(path.name))
    return target


@pytest.mark.parametrize("names", ["{}", "../../{}", "/etc/{}", "deep/er/{}"])
def test_an_archive_is_read_where_it_is_whatever_its_members_are_called(
    tmp_path: Path, names: str
) -> None:
    folder = save_all(tmp_path / "in", stack(ramp(SHAPE)))
    archive = zipped(folder, tmp_path / "s.zip", names)
    before = sorted(tmp_path.rglob("*"))
    reader = open_dicom(only(archive))
    np.testing.assert_array_equal(reader.read(0, 5), ramp(SHAPE) - 1024)
    reader.close()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_that_swells_is_not_unpacked(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "in", stack(ramp(SHAPE)))
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
        archive.writestr("bomb", bytes(300_000_000))
    series, skipped = scan_dicom(tmp_path / "s.zip")
    assert series[0].regular
    assert skipped == [Skipped("bomb", "not DICOM")]


def test_a_damaged_member_is_never_taken_for_voxels(tmp_path: Path) -> None:
    stored = np.random.default_rng(1).integers(0, 4000, (3, 200, 200)).astype(np.int16)
    folder = save_all(tmp_path / "in", stack(stored))
    for kind in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(tmp_path / "s.zip", "w", kind) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
        data = bytearray((tmp_path / "s.zip").read_bytes())
        end = data.index(b"PK\3\4", 10)  # the second member
        data[end - 300] ^= 0xFF
        (tmp_path / "s.zip").write_bytes(data)
        reader = open_dicom(only(tmp_path / "s.zip"))
        with pytest.raises(InputError, match="slice 1 cannot be read"):
            reader.read(0, 3)
        reader.close()


def test_a_damaged_archive_is_one_line(tmp_path: Path) -> None:
    folder = save_all(tmp_path / "in", stack(ramp(SHAPE)))
    data = zipped(folder, tmp_path / "s.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    series, skipped = scan_dicom(tmp_path / "cut.zip")
    assert series == []
    assert [one.file for one in skipped] == ["cut.zip"]


def dicomdir(folder: Path, names: list[list[str]]) -> Path:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = uid("directory")
    records = []
    for name in names:
        record = Dataset()
        record.DirectoryRecordType = "IMAGE"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom sees that ".." is no proper name
            record.ReferencedFileID = name
        records.append(record)
    dataset.DirectoryRecordSequence = Sequence(records)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(folder / "DICOMDIR", enforce_file_format=True)
    return folder / "DICOMDIR"


def test_a_dicomdir_names_its_files_and_none_outside(tmp_path: Path) -> None:
    disc = tmp_path / "disc"
    save_all(disc / "images", stack(ramp(SHAPE)), "im{}")
    save(tmp_path / "outside", one_slice(ramp(SHAPE)[0], (9, 9, 9), 9))
    names = [["IMAGES", f"IM{n}"] for n in range(5)]
    path = dicomdir(disc, [*names, ["..", "outside"], ["IMAGES", "GONE"]])
    series, skipped = scan_dicom(path)
    assert [one.files for one in series] == [5]
    assert {one.why for one in skipped} == {
        "a name that leads out of the DICOMDIR's folder", "named by the DICOMDIR, but not there",
    }  # fmt: skip


# Which belong together


def test_series_studies_and_kinds_are_kept_apart(tmp_path: Path) -> None:
    save_all(tmp_path / "a", stack(ramp(SHAPE)))
    save_all(tmp_path / "b", stack(ramp(SHAPE), SeriesInstanceUID=uid("b"), SeriesNumber=1))
    save_all(tmp_path / "c", stack(ramp(SHAPE), StudyInstanceUID=uid("c")))
    scout = stack(ramp((1, 9, 9)), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    save_all(tmp_path / "d", scout)
    shot = stack(ramp((1, 5, 5)), SOPClassUID="1.2.840.10008.5.1.4.1.1.7", Modality="OT")
    save_all(tmp_path / "e", shot)
    series, _ = scan_dicom(tmp_path)
    assert [one.number for one in series] == [1, 2, 3, 4, 5]
    kinds = sorted((one.kind, one.files) for one in series)
    assert kinds == [("image", 5), ("image", 5), ("image", 5), ("localizer", 1), ("other", 1)]


def test_objects_without_pixels_are_listed_as_no_images(tmp_path: Path) -> None:
    report = one_slice(
        ramp(SHAPE)[0], (0, 0, 0), SOPClassUID="1.2.840.10008.5.1.4.1.1.481.3", Modality="RTSTRUCT"
    )
    del report.PixelData, report.Rows
    series = only(save(tmp_path / "rs", report))
    assert (series.kind, series.volumes, codes(series)) == ("other", (), {"no-pixel-data"})
    assert not series.regular


def test_orientations_are_volumes_of_their_own(tmp_path: Path) -> None:
    save_all(tmp_path / "a", stack(ramp(SHAPE)))
    save_all(tmp_path / "b", stack(ramp((3, 6, 8)), orientation=SAGITTAL))
    series = only(tmp_path)
    assert [volume.name for volume in series.volumes] == ["axial", "sagittal"]
    assert "mixed-orientation" in codes(series)
    assert series.geometry is None


def test_sizes_are_volumes_of_their_own(tmp_path: Path) -> None:
    save_all(tmp_path / "a", stack(ramp(SHAPE)))
    save_all(tmp_path / "b", stack(ramp((4, 7, 7)), [100, 104, 108, 112]))
    assert [volume.name for volume in only(tmp_path).volumes] == ["axial 1", "axial 2"]


def test_an_exact_copy_of_a_file_is_used_once(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    shutil.copy(tmp_path / "IM0003", tmp_path / "z copy")
    series, skipped = scan_dicom(tmp_path)
    assert series[0].regular
    assert skipped == [Skipped("z copy", "an exact copy of another file")]


def repeated(tmp_path: Path, **values: list[object]) -> Series:
    """The same positions once for each of the values, files in any order."""
    count = len(next(iter(values.values())))
    for n in range(count):
        own = {keyword: each[n] for keyword, each in values.items()}
        slices = stack(ramp(SHAPE) + n, SOPClassUID=MR, Modality="MR", **own)
        for dataset in slices:
            if "InstanceNumber" not in own:
                dataset.InstanceNumber = 1
        save_all(tmp_path / f"{count - n}", slices)
    return only(tmp_path)


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"EchoTime": [20.0, 5.0]}, ["echo 1", "echo 2"]),
        ({"TemporalPositionIdentifier": [2, 1, 3]}, ["time 1", "time 2", "time 3"]),
        ({"AcquisitionNumber": [1, 2]}, ["acquisition 1", "acquisition 2"]),
        ({"DiffusionBValue": [1000.0, 0.0]}, ["b 0", "b 1000"]),
        ({"InversionTime": [50, 100]}, ["inversion time 1", "inversion time 2"]),
        ({"FlipAngle": [5, 15]}, ["flip angle 1", "flip angle 2"]),
        (
            {"ImageType": [["ORIGINAL", "PRIMARY", "P"], ["ORIGINAL", "PRIMARY", "M"]]},
            ["magnitude", "phase"],
        ),
        (
            {"EchoTime": [5, 5, 9, 9], "AcquisitionNumber": [1, 2, 1, 2]},
            [f"echo {e}, acquisition {a}" for e in (1, 2) for a in (1, 2)],
        ),
    ],
)
def test_volumes_on_one_grid_are_told_apart_by_what_differs(
    tmp_path: Path, values: dict[str, list[object]], names: list[str]
) -> None:
    series = repeated(tmp_path, **values)
    assert [volume.name for volume in series.volumes] == names
    assert {len(volume.parts) for volume in series.volumes} == {5}
    for n in range(len(names)):  # never interleaved: each has one ramp of its own
        voxels = open_dicom(series, n).read(0, 5)
        assert len(np.unique(voxels - ramp(SHAPE))) == 1


@pytest.mark.parametrize("by_position", [True, False])
def test_the_order_of_numbers_is_the_last_resort(tmp_path: Path, *, by_position: bool) -> None:
    for volume in range(3):
        for k, dataset in enumerate(stack(ramp(SHAPE) + volume)):
            dataset.InstanceNumber = 7 + (3 * k + volume if by_position else 50 * volume + k)
            dataset.SOPInstanceUID = uid(volume, k)
            save(tmp_path / f"{volume} {k}", dataset)
    series = only(tmp_path)
    assert [volume.name for volume in series.volumes] == ["volume 1", "volume 2", "volume 3"]
    for n in range(3):
        np.testing.assert_array_equal(open_dicom(series, n).read(0, 5), ramp(SHAPE) + n - 1024)


def test_slices_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    series = repeated(tmp_path, SOPInstanceUID=[uid("a"), uid("b")])
    assert codes(series) >= {"duplicate-position"}
    assert not series.regular
    with pytest.raises(InputError, match="nothing tells them apart"):
        open_dicom(series)


def test_a_volume_that_was_stopped_early_is_not_mixed_with_whole_ones(tmp_path: Path) -> None:
    for time, count in ((1, 5), (2, 5), (3, 1)):
        slices = stack(ramp(SHAPE)[:count], TemporalPositionIdentifier=time)
        save_all(tmp_path / str(time), slices)
    series = only(tmp_path)
    assert [len(volume.parts) for volume in series.volumes] == [5, 5, 1]


def test_acquisitions_that_overlap_are_volumes_of_their_own(tmp_path: Path) -> None:
    low, high = np.arange(6) * 4.0, 16 + np.arange(6) * 4.0
    save_all(tmp_path / "a", stack(ramp((6, 6, 8)), low, AcquisitionNumber=1))
    save_all(tmp_path / "b", stack(ramp((6, 6, 8)), high, AcquisitionNumber=2))
    series = only(tmp_path)
    assert [volume.name for volume in series.volumes] == ["acquisition 1", "acquisition 2"]
    assert series.regular


def test_acquisitions_side_by_side_are_one_volume(tmp_path: Path) -> None:
    save_all(tmp_path / "a", stack(ramp((3, 6, 8)), [0, 4, 8], AcquisitionNumber=1))
    save_all(tmp_path / "b", stack(ramp((3, 6, 8)), [12, 16, 20], AcquisitionNumber=2))
    assert [len(volume.parts) for volume in only(tmp_path).volumes] == [6]


# What is wrong


def test_what_is_said_holds_nothing_of_the_header_that_identifies(tmp_path: Path) -> None:
    slices = stack(
        ramp(SHAPE), [0, 3, 6, 13, 14], SeriesDescription="Secret", AccessionNumber="SECRET"
    )
    save_all(tmp_path, slices)
    series, _ = scan_dicom(tmp_path)
    said = str(series[0].document()["problems"]) + "".join(v.name for v in series[0].volumes)
    assert "ecret" not in said
    assert "SECRET" not in said
    assert str(tmp_path) not in said


def test_an_uneven_volume_can_be_split_into_even_runs(tmp_path: Path) -> None:
    heights = [0, 2, 4, 6, 11, 16, 21]
    save_all(tmp_path, stack(ramp((7, 6, 8)), heights))
    volume = only(tmp_path).volumes[0]
    runs = regular_parts(volume)
    assert not volume.usable
    assert [len(run.parts) for run in runs] == [4, 3]
    assert [run.geometry.spacing_mm[0] for run in runs if run.geometry] == pytest.approx([2, 5])


@pytest.mark.parametrize(
    ("elements", "code"),
    [
        ({"SamplesPerPixel": 3}, "colour"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "colour"),
        ({"BitsAllocated": 12}, "undecodable"),
        ({"HighBit": 3}, "undecodable"),
        ({"BitsStored": 0, "BitsAllocated": 0}, "undecodable"),
        ({"Rows": 60000, "Columns": 60000}, "undecodable"),
        ({"Rows": 700}, "truncated"),
        ({"NumberOfFrames": 2}, "truncated"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "mosaic"),
        ({"PixelSpacing": None}, "no-spacing"),
        ({"PixelSpacing": [0.0, 0.0]}, "no-spacing"),
        ({"ImagePositionPatient": None}, "no-position"),
        ({"ImagePositionPatient": [0, 0, 1e30]}, "no-position"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "no-position"),
        ({"ImageOrientationPatient": None}, "no-position"),
        ({"PixelData": None}, "no-pixel-data"),
        ({"RescaleSlope": 0}, "no-rescale"),
    ],
)
def test_what_cannot_be_a_volume_is_refused_by_name(
    tmp_path: Path, elements: dict[str, object], code: str
) -> None:
    slices = stack(ramp(SHAPE))
    for dataset in slices:
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)
        if "PixelData" in dataset:
            dataset["PixelData"].VR = "OW"
    folder = save_all(tmp_path, slices)
    series, _ = scan_dicom(folder)
    blocking = {
        problem.code for one in series for problem in one.all_problems() if problem.blocking
    }
    assert code in blocking
    assert not series[0].regular
    with pytest.raises(InputError):
        open_dicom(series[0])


def test_a_syntax_without_decoder_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a", one_slice(ramp(SHAPE)[0], (0, 0, 0)))
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.0\0")
    path.write_bytes(data)
    series, _ = scan_dicom(path)
    assert "undecodable" in codes(series[0])


def test_rescale_that_varies_is_said_and_applied(tmp_path: Path) -> None:
    slices = stack(ramp(SHAPE))
    for k, dataset in enumerate(slices):
        dataset.RescaleIntercept = -1000 + k
    series = only(save_all(tmp_path, slices))
    assert codes(series) == {"varying-rescale"}
    expected = ramp(SHAPE) - 1000 + np.arange(5)[:, None, None]
    np.testing.assert_array_equal(open_dicom(series).read(0, 5), expected)


# Laws


def bare_facts(height: float, number: int, echo: float) -> InstanceFacts:
    """The facts of an axial slice, without any file."""
    texts = {
        0x00200032: f"0\\0\\{height}", 0x00200037: "1\\0\\0\\0\\1\\0", 0x00280030: "1\\1",
        0x00080018: f"1.{number}", 0x00200013: str(number), 0x00180081: str(echo),
        0x00280004: "MONOCHROME2",
    }  # fmt: skip
    values = {tag: text.encode() for tag, text in texts.items()}
    values |= dict.fromkeys((0x00280010, 0x00280011), b"\x04\0")
    values |= {0x00280100: b"\x10\0", 0x00280101: b"\x10\0", 0x00280102: b"\x0f\0"}
    header = Header(EXPLICIT, values, little=True, pixels=PixelPlace(1000, 32))
    return facts_of(header, Place(f"{number}"))


@given(st.integers(1, 9), st.integers(1, 4), st.randoms(use_true_random=False))
def test_every_slice_is_in_one_volume_and_order_does_not_matter(
    depth: int, echoes: int, chance: random.Random
) -> None:
    slices = [
        bare_facts(2.5 * k, 10 * k + echo, echo) for k in range(depth) for echo in range(echoes)
    ]
    mixed = chance.sample(slices, len(slices))
    volumes, _ = volumes_of(mixed)
    again, _ = volumes_of(slices)
    assert sorted(part.sop_uid for v in volumes for part in v.parts) == sorted(
        part.sop_uid for part in slices
    )
    assert [(v.name, v.parts) for v in volumes] == [(v.name, v.parts) for v in again]
    if depth > 1:
        assert len(volumes) == echoes


def test_a_ct_without_rescale_is_not_in_hounsfield_units(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE), RescaleSlope=None, RescaleIntercept=None))
    series = only(tmp_path)
    assert codes(series) == {"no-rescale"}
    assert series.regular
    assert open_dicom(series).unit == "stored"


@pytest.mark.parametrize("cut", [0.4, 0.5, 0.9])
def test_a_file_that_ends_inside_its_header_is_left_out_with_that_reason(
    tmp_path: Path, cut: float
) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    path = tmp_path / "cut"
    save(path, one_slice(ramp(SHAPE)[0], (0, 0, 90)))
    whole = path.read_bytes()
    at = whole.index(b"\xe0\x7f\x10\x00")  # pixel data
    path.write_bytes(whole[: 132 + int((at - 132) * cut) + 1])
    series, skipped = scan_dicom(tmp_path)
    assert [one.files for one in series] == [5]
    assert [(one.file, one.why) for one in skipped] == [("cut", "the file ends inside its header")]
