"""Where a study may lie: folders, discs and archives, whole, scrambled, twice, or hostile."""

import gzip
import io
import os
import random
import shutil
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError
from napari_medlabel.formats import Found, dicom_archive, open_reader, scan
from napari_medlabel.formats.dicom_archive import safe_name
from napari_medlabel.phantom.dicom_files import write_ct_series
from tests.formats.made_dicom import one_slice, ramp, save, save_all, stack
from tests.formats.samples import dicomdir

SHAPE = (6, 10, 12)
GRID = Geometry.from_spacing(SHAPE, (3.0, 0.8, 0.7))


def content(series: Series) -> tuple[bytes, bytes, tuple[Any, ...]]:
    """Voxels, their place, and where each slice is from."""
    reader = open_reader(series, 0)
    voxels = reader.read(0, reader.source.geometry.shape[0])
    instances = tuple(reader.hashes())
    reader.close()
    return voxels.tobytes(), reader.source.geometry.lps_from_kji.tobytes(), instances


def only(found: Found) -> Series:
    (series,) = found.series
    return series


@pytest.fixture
def study(tmp_path: Path) -> list[Path]:
    hu = np.random.default_rng(3).integers(-1024, 3071, SHAPE, dtype=np.int16)
    return list(write_ct_series(tmp_path / "study", hu, GRID))


# One study, however it comes


def scrambled(files: list[Path], target: Path) -> Path:
    order = random.Random(1).sample(files, len(files))  # noqa: S311
    for n, file in enumerate(order):
        place = target / f"part {n % 3}" / "deeper" / f"{(n * 7919) % 100}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    return target


def backwards(files: list[Path], target: Path) -> Path:
    target.mkdir()
    for n, file in enumerate(reversed(files)):
        shutil.copy(file, target / f"{n:03d}.dcm")
    return target


def on_disc(files: list[Path], target: Path) -> Path:
    (target / "images").mkdir(parents=True)
    for n, file in enumerate(files):
        shutil.copy(file, target / "images" / f"im{n}.;1")  # as ISO 9660 shows them
    names = [["IMAGES", f"IM{n}"] for n in range(len(files))]
    (target / "DICOMDIR").write_bytes(dicomdir(names))
    return target / "DICOMDIR"


def disc_as_folder(files: list[Path], target: Path) -> Path:
    return on_disc(files, target).parent


def archived(files: list[Path], target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for n, file in enumerate(reversed(files)):
            archive.write(file, f"a/{n}")
    return target


def archive_in_folder(files: list[Path], target: Path) -> Path:
    target.mkdir()
    (target / "readme.txt").write_text("an archive is beside me")
    archived(files, target / "study.zip")
    return target


def half_in_an_archive(files: list[Path], target: Path) -> Path:
    archive_in_folder(files[::2], target)
    for n, file in enumerate(files[1::2]):
        shutil.copy(file, target / f"{n}")
    return target


def every_file_twice(files: list[Path], target: Path) -> Path:
    backwards(files, target)
    shutil.copytree(target, target / "copy")
    archived(files, target / "copy.zip")
    return target


WAYS = (
    scrambled, backwards, on_disc, disc_as_folder, archived, archive_in_folder,
    half_in_an_archive, every_file_twice,
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_study_is_the_same_however_it_comes(
    study: list[Path], tmp_path: Path, way: Callable[[list[Path], Path], Path]
) -> None:
    expected = content(only(scan(study[0].parent)))
    found = scan(way(study, tmp_path / "other"))
    assert content(only(found)) == expected
    assert only(found).files == len(study)
    assert {one.why for one in found.skipped} <= {"not DICOM", "an exact copy of another file"}


@pytest.mark.parametrize("way", WAYS)
def test_a_real_study_is_the_same_however_it_comes(
    shared_data: Path, tmp_path: Path, way: Callable[[list[Path], Path], Path]
) -> None:
    folder = shared_data / "dicom2nifti-vendors" / "generic" / "anatomical" / "001"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    expected = content(only(scan(folder)))
    assert content(only(scan(way(files, tmp_path / "other")))) == expected


def test_copies_are_dropped_and_named_by_their_place(study: list[Path], tmp_path: Path) -> None:
    every_file_twice(study, tmp_path / "other")
    found = scan(tmp_path / "other")
    names = {one.file.split("/")[0] for one in found.skipped}
    assert names <= {"copy", "copy.zip", *(path.name for path in (tmp_path / "other").iterdir())}
    assert len(found.skipped) == 2 * len(study)


def test_two_patients_never_mix_even_under_one_series_uid(tmp_path: Path) -> None:
    first = stack(ramp((3, 6, 8)))
    second = stack(ramp((3, 6, 8)) + 1, heights_mm=[2.0, 6.0, 10.0])
    for dataset in second:
        dataset.PatientName, dataset.PatientID = "Other^Name", "OTHER"
    save_all(tmp_path / "a", first)
    save_all(tmp_path / "b", second)
    found = scan(tmp_path)
    assert [series.files for series in found.series] == [3, 3]
    assert all(series.regular for series in found.series)


# Discs


def test_a_circle_of_records_is_read_once(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp((3, 6, 8))), "IM{}")
    dataset = dcmread(io.BytesIO(dicomdir([[f"IM{n}"] for n in range(3)])))
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 400
    for record in dataset.DirectoryRecordSequence:  # each says that it is its own neighbour
        record.OffsetOfTheNextDirectoryRecord = 400
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 400
    dataset.save_as(tmp_path / "DICOMDIR", enforce_file_format=True)
    assert only(scan(tmp_path / "DICOMDIR")).files == 3


@pytest.mark.parametrize(
    "name", [["..", "outside"], ["/etc", "passwd"], ["a/../../outside"], ["", "IM0"], ["A" * 300]]
)
def test_a_record_that_points_elsewhere_is_told_and_not_followed(
    tmp_path: Path, name: list[str]
) -> None:
    save(tmp_path / "outside", one_slice(ramp((1, 6, 8))[0], (9.0, 9.0, 9.0), 9))
    save_all(tmp_path / "disc", stack(ramp((3, 6, 8))), "IM{}")
    (tmp_path / "disc" / "DICOMDIR").write_bytes(dicomdir([["IM0"], ["IM1"], ["IM2"], name]))
    found = scan(tmp_path / "disc" / "DICOMDIR")
    assert only(found).files == 3
    assert len(found.skipped) == 1
    assert "/".join(name) == found.skipped[0].file


def test_two_files_that_differ_in_case_only_are_not_guessed_between(tmp_path: Path) -> None:
    for name in ("im0", "Im0"):
        save(tmp_path / name, one_slice(ramp((1, 6, 8))[0], (0, 0, len(name)), 1))
    (tmp_path / "DICOMDIR").write_bytes(dicomdir([["IM0"]]))
    with pytest.raises(InputError, match="named by the DICOMDIR, but not there"):
        scan(tmp_path / "DICOMDIR")


# Archives


def test_an_archive_inside_another_is_told_and_not_opened(
    study: list[Path], tmp_path: Path
) -> None:
    inner = archived(study, tmp_path / "inner.zip")
    folder = tmp_path / "folder"
    folder.mkdir()
    with zipfile.ZipFile(folder / "outer.zip", "w") as archive:
        archive.write(inner, "inner.zip")
        archive.write(study[0], "one")
    for place in (folder, folder / "outer.zip"):
        found = scan(place)
        assert only(found).files == 1
        (skipped,) = found.skipped
        assert skipped.file.endswith("inner.zip")
        assert "inside another" in skipped.why


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..\\evil", "C:\\evil", "a\n\x1b[31mb"])
def test_a_member_is_never_taken_for_a_path(study: list[Path], tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in" / "here"
    folder.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"no image")
        for file in study:
            archive.write(file, f"../{name}/{file.name}")
    found = scan(folder)
    assert only(found).files == len(study)
    assert set(tmp_path.rglob("*")) - before == {folder / "a.zip"}
    (shown,) = (one["file"] for one in found.document()["skipped"])
    assert shown.startswith("a.zip/")
    assert shown.isprintable()
    assert ".." not in shown


def test_a_member_without_a_name_is_told_by_its_number(study: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(study[0], study[0].name)
        archive.writestr("unnamed", b"no image")
    path.write_bytes(path.read_bytes().replace(b"unnamed", b"\0" * 7))  # a name ends with a zero
    found = scan(path)
    assert only(found).files == 1
    assert [one.file for one in found.skipped] == ["member 2"]


@given(st.text(max_size=30))
def test_a_members_name_is_shown_below_its_archive(name: str) -> None:
    shown = safe_name(name, 6)
    assert shown
    assert not shown.startswith("/")
    assert ".." not in shown.split("/")


def swelling(start: bytes, size: int) -> bytes:
    """A deflated stream of these bytes and then zeros, in all so many."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    million = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + million * ((size - len(start)) >> 20) + packer.flush(zlib.Z_FINISH)


def bomb(path: Path, start: bytes, size: int) -> Path:
    """An archive with one member that claims, and has, so many bytes."""
    packed = swelling(start, size)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("member", packed)
    data = bytearray(path.read_bytes())
    central = data.rfind(b"PK\1\2")
    struct.pack_into("<H", data, 8, zipfile.ZIP_DEFLATED)
    struct.pack_into("<H", data, central + 10, zipfile.ZIP_DEFLATED)
    struct.pack_into("<I", data, 22, size)
    struct.pack_into("<I", data, central + 24, size)
    path.write_bytes(data)
    return path


def headed_bomb(tmp_path: Path) -> bytes:
    """A DICOM header with an element of two gigabytes before everything that matters."""
    dataset = one_slice(ramp((1, 6, 8))[0], (0, 0, 0))
    data = save(tmp_path / "plain", dataset).read_bytes()
    at = data.index(struct.pack("<HH", 8, 8))  # ImageType
    return data[:at] + struct.pack("<HH2sHI", 8, 1, b"UN", 0, 2_000_000_000)


@pytest.mark.parametrize("kind", ["zeros", "header"])
def test_a_member_of_gigabytes_costs_no_more_than_any_other(tmp_path: Path, kind: str) -> None:
    start = b"" if kind == "zeros" else headed_bomb(tmp_path)
    folder = tmp_path / "folder"
    save_all(folder, stack(ramp((3, 6, 8))), "{}")
    path = bomb(folder / "bomb.zip", start, 4_000_000_000)
    assert path.stat().st_size < 1 << 23
    tracemalloc.start()
    try:
        found = scan(folder)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert only(found).files == 3
    assert peak < 1 << 26
    assert [one.file for one in found.skipped] == ["bomb.zip/member"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_inflates_without_bounds_is_not_opened(
    study: list[Path], tmp_path: Path, method: int
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(study[0], "plain")
        archive.write(study[1], "odd", method)
    found = scan(tmp_path / "a.zip")
    assert only(found).files == 1
    assert [(one.file, one.why) for one in found.skipped] == [
        ("odd", "a member packed in a way that is not read")
    ]


def test_an_archive_of_too_many_members_is_refused_before_they_are_listed(
    study: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archived(study, tmp_path / "a.zip")
    monkeypatch.setattr(dicom_archive, "MAX_DIRECTORY", 100)
    with pytest.raises(InputError, match="members"):
        scan(path)
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, len(data) - 10, 0xFFFFFFF0)  # what the directory claims
    path.write_bytes(data)
    monkeypatch.undo()
    with pytest.raises(InputError, match="members"):
        scan(path)


def test_an_archive_cut_anywhere_is_read_or_refused(study: list[Path], tmp_path: Path) -> None:
    whole = archived(study[:2], tmp_path / "a.zip").read_bytes()
    for size in range(0, len(whole), 7):
        (tmp_path / "a.zip").write_bytes(whole[:size])
        with pytest.raises(InputError):
            scan(tmp_path / "a.zip")


# What is not opened is said


def test_gzipped_dicom_is_told_plainly(study: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for n, file in enumerate(study):
        shutil.copy(file, folder / f"{n}")
    (folder / "more.dcm.gz").write_bytes(gzip.compress(study[0].read_bytes()))
    found = scan(folder)
    assert [one.why for one in found.skipped] == ["DICOM that is gzip-ed: unpack it and try again"]
    with pytest.raises(InputError, match="gzip-ed: unpack it"):
        scan(folder / "more.dcm.gz")


def test_names_that_are_not_text_are_opened_and_shown(study: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for n, file in enumerate(study):
        shutil.copy(file, os.fsencode(folder) + b"/\xff\xfe" + str(n).encode())
    (folder / os.fsdecode(b"\xe9t\xe9.txt")).write_text("no image")
    found = scan(folder)
    assert only(found).files == len(study)
    (shown,) = (one["file"] for one in found.document()["skipped"])
    assert shown.isprintable()
    assert content(only(found)) == content(only(scan(study[0].parent)))
