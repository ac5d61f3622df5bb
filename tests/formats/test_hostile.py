"""Broken and hostile files: each is one error of ours or is left out, and the rest still opens."""

import bz2
import gzip
import json
import os
import struct
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import RLELossless

from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.formats import Found, open_reader, read, scan
from napari_medlabel.formats.dicom_odd import directory_entries
from napari_medlabel.formats.dicom_rtstruct import read_structures
from tests.formats.made_dicom import one_slice, ramp, save, save_all, stack, uid
from tests.formats.mutations import Sample, check
from tests.formats.samples import generated_samples, multi_frame

SHAPE = (3, 6, 8)
MOST_BYTES = 64 << 20


@contextmanager
def little_memory(most: int = MOST_BYTES) -> Iterator[None]:
    """Fail where more is allocated at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A folder with a series that is right."""
    return save_all(tmp_path / "folder", stack(ramp(SHAPE)), "good {}")


def opened(folder: Path) -> Found:
    """What a scan finds; the good series must open whatever lies beside it."""
    found = scan(folder)
    (series,) = (one for one in found.series if one.uid == uid("series"))
    voxels = open_reader(series, 0).read(0, SHAPE[0])
    np.testing.assert_array_equal(voxels, ramp(SHAPE).astype(int) - 1024)
    json.dumps(found.document())
    return found


# Cut anywhere


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Sample]:
    made = generated_samples(tmp_path_factory.mktemp("samples"))
    return {one.name: one for one in made}


EVERY_BYTE = ("explicit.dcm", "DICOMDIR", "one.nii.gz", "gzip.nrrd", "packed.mha")
EVERY_FEW = (
    "implicit.dcm", "deflated.dcm", "rle.dcm", "90.dcm", "frames.jls.dcm", "one.nii", "pair.hdr",
    "raw.nrrd", "bzip2.nrrd", "ascii.nrrd", "apart.nhdr", "raw.mha", "text.mha",
)  # fmt: skip


@pytest.mark.parametrize("name", EVERY_BYTE + EVERY_FEW)
def test_a_file_cut_at_any_byte_is_a_volume_or_an_error_of_ours(
    samples: dict[str, Sample], tmp_path: Path, name: str
) -> None:
    sample = samples[name]
    for beside, data in sample.beside.items():
        (tmp_path / beside).write_bytes(data)
    path = tmp_path / name
    step = 1 if name in EVERY_BYTE else 7
    for size in range(0, len(sample.data), step):
        path.write_bytes(sample.data[:size])
        check(path, len(sample.data))


# Lies about size


def nifti(claim: int) -> bytes:
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *(min(claim, 32767),) * 3, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 4, 16)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<h", header, 254, 1)
    struct.pack_into("<12f", header, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    header[344:348] = b"n+1\0"
    return bytes(header) + bytes(600)


def nrrd(claim: int, encoding: str, *more: str) -> bytes:
    lines = ["NRRD0004", "type: short", "dimension: 3", f"sizes: {claim} {claim} {claim}"]
    lines += ["space: LPS", "space directions: (1,0,0) (0,1,0) (0,0,1)", "endian: little"]
    lines += [f"encoding: {encoding}", *more, "", ""]
    return "\n".join(lines).encode("ascii")


def metaimage(claim: int, *more: str) -> bytes:
    lines = ["NDims = 3", f"DimSize = {claim} {claim} {claim}", "ElementType = MET_SHORT"]
    lines += ["ElementSpacing = 1 1 1", *more, "ElementDataFile = LOCAL", ""]
    return "\n".join(lines).encode("ascii")


def liars(claim: int = 30_000) -> dict[str, bytes]:
    zeros = bytes(1000)
    return {
        "a.nii": nifti(claim),
        "a.nii.gz": gzip.compress(nifti(claim)),
        "raw.nrrd": nrrd(claim, "raw") + zeros,
        "gzip.nrrd": nrrd(claim, "gzip") + gzip.compress(zeros),
        "bzip2.nrrd": nrrd(claim, "bzip2") + bz2.compress(zeros),
        "text.nrrd": nrrd(claim, "ascii") + b"0 " * 500,
        "hex.nrrd": nrrd(claim, "hex") + b"00" * 500,
        "skip.nrrd": nrrd(claim, "raw", "byte skip: -1") + zeros,
        "lines.nrrd": nrrd(claim, "raw", "line skip: 9999") + zeros,
        "four.nrrd": nrrd(claim, "bzip2").replace(b"dimension: 3", b"dimension: 4").replace(
            b"sizes: ", b"sizes: 99999999 ").replace(b"directions: ", b"directions: none "),
        "raw.mha": metaimage(claim) + zeros,
        "packed.mha": metaimage(claim, "CompressedData = True") + zlib.compress(zeros),
        "text.mha": metaimage(claim, "BinaryData = False") + b"0 " * 500,
        "digits.mha": metaimage(10**400) + zeros,
        "digits.nrrd": nrrd(10**400, "raw") + zeros,
    }  # fmt: skip


def first_slices(path: Path) -> None:
    open_reader(scan(path).series[0], 0).read(0, 2)


@pytest.mark.parametrize("name", liars())
def test_a_small_file_that_claims_a_huge_volume_takes_no_memory(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(liars()[name])
    with little_memory(8 << 20), pytest.raises(InputError):
        first_slices(path)


@pytest.mark.parametrize("rows", [0, 1, 60_000, 65_535])
def test_dicom_that_claims_another_size_takes_no_memory(good: Path, rows: int) -> None:
    for n, dataset in enumerate(stack(ramp(SHAPE), SeriesInstanceUID=uid("other"))):
        dataset.Rows = dataset.Columns = rows
        save(good / f"bad {n}", dataset)
    with little_memory(16 << 20):
        found = opened(good)
        bad = next(one for one in found.series if one.uid == uid("other"))
        assert not bad.regular or rows == 1


@pytest.mark.parametrize("frames", ["0", "-1", "1000000000", "99999999999999999999", "many"])
def test_a_number_of_frames_that_is_none_takes_no_memory(good: Path, frames: str) -> None:
    dataset = multi_frame()
    del dataset.NumberOfFrames
    dataset.SeriesInstanceUID = uid("other")
    path = save(good / "bad", dataset)
    data = path.read_bytes()
    at = data.index(struct.pack("<HH", 0x28, 0x10))
    value = frames.encode() + b" " * (len(frames) % 2)
    element = struct.pack("<HH2sH", 0x28, 8, b"IS", len(value)) + value
    path.write_bytes(data[:at] + element + data[at:])
    with little_memory(16 << 20):
        opened(good)


# Broken DICOM beside good DICOM


def changed(**elements: object) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        for keyword, value in elements.items():
            if value is None:
                delattr(dataset, keyword)
            else:
                setattr(dataset, keyword, value)

    return change


BROKEN: dict[str, Callable[[Dataset], None]] = {
    "zero rows": changed(Rows=0),
    "no rows": changed(Rows=None),
    "no pixels": changed(PixelData=None),
    "half the pixels": changed(PixelData=bytes(40)),
    "17 of 16 bits": changed(BitsStored=17),
    "no bits": changed(BitsAllocated=0, BitsStored=0),
    "13 bits": changed(BitsAllocated=13, BitsStored=13, HighBit=12),
    "high bit 200": changed(HighBit=200),
    "high bit below": changed(BitsStored=12, HighBit=3),
    "three samples": changed(SamplesPerPixel=3),
    "zero spacing": changed(PixelSpacing=[0, 0]),
    "negative spacing": changed(PixelSpacing=[-1, 1]),
    "crooked": changed(ImageOrientationPatient=[1, 0, 0, 0.7, 0.7, 0]),
    "parallel": changed(ImageOrientationPatient=[1, 0, 0, 1, 0, 0]),
    "no direction": changed(ImageOrientationPatient=[0, 0, 0, 0, 0, 0]),
    "no slope": changed(RescaleSlope=0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_dicom_is_refused_with_a_reason_and_the_rest_opens(good: Path, name: str) -> None:
    for n, dataset in enumerate(stack(ramp(SHAPE), SeriesInstanceUID=uid("other"))):
        BROKEN[name](dataset)
        if "PixelData" not in dataset:
            save(good / f"bad {n}", dataset)
        else:
            dataset["PixelData"].VR = "OW"
            save(good / f"bad {n}", dataset)
    found = opened(good)
    bad = [one for one in found.series if one.uid == uid("other")]
    assert bad
    assert all(not one.regular for one in bad)
    assert any(p.blocking and p.what for one in bad for p in one.all_problems())


def patched(good: Path, tag: tuple[int, int], vr: bytes, value: bytes) -> Path:
    """A slice of another series in which the value of an element is these bytes."""
    dataset = stack(ramp(SHAPE), SeriesInstanceUID=uid("other"))[0]
    path = save(good / "bad", dataset)
    data = path.read_bytes()
    at = data.index(struct.pack("<HH2s", *tag, vr))
    (length,) = struct.unpack_from("<H", data, at + 6)
    value += b" " * (len(value) % 2)
    head = struct.pack("<HH2sH", *tag, vr, len(value))
    path.write_bytes(data[:at] + head + value + data[at + 8 + length :])
    return path


@pytest.mark.parametrize(
    "value",
    [b"nan\\nan\\nan", b"inf\\0\\0", b"1e308\\1e308\\1e308", b"1\\2", b"", b"left\\right\\up",
     b"1,5\\2\\3", b"\xff\xfe\\1\\2", b"9" * 60_000],
)  # fmt: skip
def test_a_position_that_is_no_place_is_refused(good: Path, value: bytes) -> None:
    patched(good, (0x20, 0x32), b"DS", value)
    found = opened(good)
    (bad,) = (one for one in found.series if one.uid == uid("other"))
    assert {p.code for p in bad.all_problems() if p.blocking} >= {"no-position"}


@pytest.mark.parametrize("value", [b"nan\\1", b"0\\0", b"-2\\2", b"1e-30\\1", b"", b"1\\2\\3"])
def test_a_spacing_that_is_no_length_is_refused(good: Path, value: bytes) -> None:
    patched(good, (0x28, 0x30), b"DS", value)
    found = opened(good)
    (bad,) = (one for one in found.series if one.uid == uid("other"))
    assert {p.code for p in bad.all_problems() if p.blocking} >= {"no-spacing"}


def test_another_vr_than_the_standard_has_is_read_or_refused(good: Path) -> None:
    path = patched(good, (0x28, 0x10), b"US", struct.pack("<H", 6))
    whole = path.read_bytes()
    at = whole.index(struct.pack("<HH2s", 0x28, 0x10, b"US"))
    for vr in (b"SS", b"UL", b"LO", b"DS", b"SQ", b"OB", b"UN", b"ZZ", b"\0\0"):
        path.write_bytes(whole[: at + 4] + vr + whole[at + 6 :])
        opened(good)


@pytest.mark.parametrize("levels", [50, 1_000, 100_000])
@pytest.mark.parametrize("explicit", [True, False])
def test_sequences_nested_without_end_are_left_out(
    good: Path, levels: int, *, explicit: bool
) -> None:
    whole = (good / "good 0").read_bytes()
    tag = struct.pack("<HH", 8, 0x1140)
    nest = tag + (b"SQ\0\0" if explicit else b"") + b"\xff\xff\xff\xff"
    nest += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    start = (
        whole if explicit else whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0")
    )
    at = start.index(struct.pack("<HH", 8, 8))
    (good / "bad").write_bytes(start[:at] + nest * levels)
    found = opened(good)
    assert [one.file for one in found.skipped] == ["bad"]


@pytest.mark.parametrize("levels", [40, 1_000, 100_000])
@pytest.mark.parametrize("length", [0xFFFFFFFF, 0])
def test_frames_contours_and_records_nested_without_end_are_errors_of_ours(
    good: Path, levels: int, length: int
) -> None:
    tags = {"frames": (0x5200, 0x9230), "contours": (0x3006, 0x0039), "DICOMDIR": (0x0004, 0x1220)}
    whole = (good / "good 0").read_bytes()
    at = whole.index(struct.pack("<HH", 8, 8))
    for name, tag in tags.items():
        head = struct.pack("<HH2sHI", *tag, b"SQ", 0, length or 16 * levels)
        nest = head + struct.pack("<HHI", 0xFFFE, 0xE000, length or 16 * levels)
        (good / name).write_bytes(whole[:at] + nest * levels + bytes(20))
        with suppress(MedlabelError):
            scan(good / name)
        with suppress(MedlabelError):
            read_structures(good / name)
        with (good / name).open("rb") as file, suppress(MedlabelError):
            directory_entries(file)
    opened(good)


def test_an_offset_table_that_points_outside_is_never_followed(good: Path) -> None:
    frames = [bytes(64 + n) for n in range(4)]
    for n, table in enumerate(
        ([0, 10**6, 2, 3], [0xFFFFFFFF] * 4, [4, 4, 4, 4], [0, 0, 0, 0], [3, 2, 1, 0])
    ):
        dataset = multi_frame(SeriesInstanceUID=uid("other", n))
        body = bytearray(encapsulate(frames, has_bot=True))
        struct.pack_into("<4I", body, 8, *table)
        dataset.PixelData = bytes(body)
        dataset["PixelData"].is_undefined_length = True
        save(good / f"bad {n}", dataset, RLELossless)
    found = opened(good)
    for series in found.series:
        for number in range(len(series.volumes)):
            if series.uid != uid("series"):
                with pytest.raises(InputError):
                    open_reader(series, number).read(0, 4)


# Odd things in a folder


def test_pipes_by_any_name_are_never_waited_for(good: Path) -> None:
    names = ("pipe", "DICOMDIR", "a.nii", "a.nii.gz", "a.nrrd", "a.mha", "a.img", "a.hdr",
             "a.zip", "zarr.json", ".zattrs", "b.hdr")  # fmt: skip
    for name in names:
        os.mkfifo(good / name)
    (good / "b.img").write_bytes(bytes(400))
    (good / "link.nii").symlink_to(good / "pipe")
    (good / "voxels.nhdr").write_bytes(nrrd(2, "raw", "data file: pipe").rstrip(b"\n"))
    found: list[Found] = []
    thread = threading.Thread(target=lambda: found.append(opened(good)), daemon=True)
    thread.start()
    thread.join(60.0)
    assert found, "a scan that waits for a pipe"
    names_left = {one.file for one in found[0].skipped}
    assert {*names, "link.nii", "voxels.nhdr", "b.img"} == names_left


def test_devices_and_loops_of_links_end(good: Path) -> None:
    (good / "device").symlink_to("/dev/zero")
    (good / "itself").symlink_to("itself")
    (good / "up").symlink_to("..")
    (good / "here").symlink_to(".")
    (good / "nowhere").symlink_to("nothing there")
    found = opened(good)
    assert {one.file for one in found.skipped} == {"device", "itself", "nowhere"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads all")
def test_what_may_not_be_read_is_left_out_by_name(good: Path) -> None:
    (good / "sub").mkdir()
    save(good / "sub" / "secret", one_slice(ramp(SHAPE)[0], (0, 0, 50), 9))
    (good / "sub" / "secret").chmod(0)
    (good / "closed").mkdir()
    (good / "closed").chmod(0)
    try:
        found = opened(good)
    finally:
        (good / "closed").chmod(0o700)
    assert {one.file for one in found.skipped} == {"sub/secret", "closed"}


def test_folders_deeper_than_a_path_may_be_are_left_out(good: Path) -> None:
    here = os.open(good, os.O_RDONLY)
    for _ in range(40):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    opened(good)


def test_many_files_in_one_folder_take_little_memory_each(tmp_path: Path) -> None:
    count = 2100
    whole = save(tmp_path / "one", one_slice(ramp(SHAPE)[0], (0.0, 0.0, 123456.0), 1)).read_bytes()
    position, sop = b"0.0\\0.0\\123456.0", uid("series").encode()
    assert position in whole
    folder = tmp_path / "many"
    folder.mkdir()
    (start,) = (whole.index(position),)
    for n in range(count):
        data = bytearray(whole)
        data[start + 8 : start + 16] = f"{n:06d}.0".encode()
        (folder / f"{n * 7919 % count:05d}").write_bytes(data)
        if n % 3 == 0:
            (folder / f"{n:05d}.txt").write_bytes(b"no image")
    assert sop in whole
    tracemalloc.start()
    try:
        found = scan(folder)
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found.skipped) == count // 3
    assert sum(len(volume.parts) for one in found.series for volume in one.volumes) == count
    assert held / count < 8_000
    assert peak / count < 16_000


# What is said


def test_an_error_of_a_folder_names_no_file_and_one_of_a_file_its_name(tmp_path: Path) -> None:
    (tmp_path / "Secret^Name.dcm").write_bytes(b"no image")
    with pytest.raises(MedlabelError) as caught:
        read(tmp_path)
    assert "Secret" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(MedlabelError, match="Secret"):
        read(tmp_path / "Secret^Name.dcm")
