"""Pictures of every kind, against pydicom's own reading; and what cannot be read."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels import pixel_array

from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.formats.dicom_pictures import PictureReader, find_pictures
from tests.formats.made_dicom import one_slice, save
from tests.formats.made_pictures import KINDS, colors, grey_picture, picture_file

DECODED = {"JPEG", "rgb JPEG 2000"}  # which pydicom has no decoder for here


@pytest.mark.parametrize("kind", sorted(set(KINDS) - DECODED))
def test_frames_are_read_as_pydicom_reads_them(tmp_path: Path, kind: str) -> None:
    path = picture_file(tmp_path / "a.dcm", kind)
    whole = pixel_array(dcmread(path), raw=True)
    (picture,) = find_pictures(path).pictures
    frames = whole[None] if picture.frames == 1 else whole
    with PictureReader() as reader:
        for n, expected in enumerate(frames):
            np.testing.assert_array_equal(reader.read(picture, n), expected)


@pytest.mark.parametrize(("kind", "near"), [("JPEG", 60), ("rgb JPEG 2000", 0)])
def test_compressed_colours_come_out_red_green_and_blue(
    tmp_path: Path, kind: str, near: int
) -> None:
    (picture,) = find_pictures(picture_file(tmp_path / "a.dcm", kind)).pictures
    with PictureReader() as reader:
        stored = reader.read(picture, 0)
    assert picture.space == "rgb"
    assert np.abs(stored.astype(int) - colors(grey_picture())).max() <= near


def test_a_folder_gives_every_picture_once_each_and_says_what_is_none(tmp_path: Path) -> None:
    picture_file(tmp_path / "b" / "one.dcm", "rgb")
    picture_file(tmp_path / "a" / "same.dcm", "rgb")
    (tmp_path / "notes.txt").write_text("no picture")
    plain = one_slice(grey_picture(), (0, 0, 0))
    del plain.PixelData
    save(tmp_path / "none.dcm", plain)
    found = find_pictures(tmp_path)
    assert sorted(one.name for one in found.pictures) == ["a/same.dcm", "b/one.dcm"]
    assert sorted(one.file for one in found.skipped) == ["none.dcm", "notes.txt"]
    assert found.unread == ()


def test_pictures_in_an_archive_are_read_where_they_are(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "a.dcm", "palette")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.write(path, "in/a.dcm")
    (picture,) = find_pictures(tmp_path / "z.zip").pictures
    with PictureReader() as reader:
        np.testing.assert_array_equal(reader.read(picture, 0), grey_picture())
    assert picture.name == "in/a.dcm"


@pytest.mark.parametrize("kind", ["grey", "bits", "rgb run lengths", "deflated"])
def test_a_file_that_was_cut_is_told_in_one_line(tmp_path: Path, kind: str) -> None:
    path = picture_file(tmp_path / "a.dcm", kind)
    path.write_bytes(path.read_bytes()[:-40])
    found = find_pictures(path)
    words = [one.why for one in found.unread]
    with PictureReader() as reader:
        for picture in found.pictures:
            with pytest.raises(InputError) as told:
                reader.read(picture, picture.frames - 1)
            words.append(told.value.what)
    assert len(words) == 1
    assert "Secret" not in words[0]


@pytest.mark.parametrize(
    "elements",
    [
        {"SamplesPerPixel": 4}, {"BitsAllocated": 24}, {"NumberOfFrames": 0}, {"Rows": 0},
        {"BitsStored": 20}, {"FloatPixelData": b"\0" * 8},
    ],
)  # fmt: skip
def test_a_picture_of_an_unknown_kind_is_not_passed_over(
    tmp_path: Path, elements: dict[str, object]
) -> None:
    save(tmp_path / "a.dcm", one_slice(grey_picture(), (0, 0, 0), **elements))
    found = find_pictures(tmp_path)
    assert found.pictures == ()
    assert [one.file for one in found.unread] == ["a.dcm"]


def test_real_files_are_read_or_told(shared_data: Path) -> None:
    found = find_pictures(shared_data / "fragmented-and-colour")
    failed = []
    with PictureReader() as reader:
        for picture in found.pictures:
            try:
                assert reader.read(picture, picture.frames - 1).shape[:2] == picture.shape
            except InputError:
                failed.append(picture.name)
    assert len(found.pictures) > 5
    assert failed == []


def test_a_search_can_be_called_off(tmp_path: Path) -> None:
    picture_file(tmp_path / "a.dcm", "rgb")
    with pytest.raises(Cancelled):
        find_pictures(tmp_path, cancelled=lambda: True)
