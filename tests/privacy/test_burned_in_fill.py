"""Filled boxes: background inside, every bit as it was outside, in whatever way pixels lie."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import pixel_array

from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener
from napari_medlabel.formats.dicom_pictures import PictureReader, find_pictures
from napari_medlabel.privacy.burned_in_fill import Box, background, fill, write_filled
from tests.formats.made_pictures import KINDS, picture_file

Array = npt.NDArray[Any]


@st.composite
def some_boxes(draw: st.DrawFn) -> list[Box]:
    sides = st.tuples(*(st.integers(-5, 40) for _ in range(4)))
    drawn = draw(st.lists(sides, min_size=1, max_size=3))
    return [Box(min(a, b), min(c, d), max(a, b), max(c, d)) for a, c, b, d in drawn]


def inside(shape: tuple[int, ...], boxes: list[Box]) -> npt.NDArray[np.bool_]:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    covered = np.zeros(shape[:2], bool)
    for b in boxes:
        covered |= (rows >= b.top) & (rows < b.bottom) & (columns >= b.left) & (columns < b.right)
    return covered


@settings(max_examples=50)
@given(some_boxes(), st.sampled_from([(), (3,)]), st.integers(0, 99))
def test_a_box_becomes_one_value_and_the_rest_stays(
    boxes: list[Box], samples: tuple[int, ...], seed: int
) -> None:
    before = np.random.default_rng(seed).integers(0, 4, (24, 32, *samples), np.uint8)
    after = before.copy()
    fill(after, boxes)
    covered = inside(before.shape, boxes)
    np.testing.assert_array_equal(after[~covered], before[~covered])
    filled = after[covered].reshape(-1, *samples)
    assert len(np.unique(filled, axis=0)) <= 1


def test_the_background_is_what_is_most_at_the_edge_beside_the_boxes() -> None:
    picture = np.full((60, 60), 7, np.uint8)
    picture[20:40, 20:40] = 200
    picture[:8] = 255
    assert background(picture, [Box(0, 0, 60, 8)]).tolist() == [7]


def written(folder: Path, kind: str, boxes: list[Box], frame: int) -> tuple[Dataset, Dataset]:
    path = picture_file(folder / "in.dcm", kind)
    (picture,) = find_pictures(path).pictures
    with Opener() as opener:
        write_filled(picture, {frame: boxes}, folder / "out.dcm", opener, is_clean=True)
    return dcmread(path), dcmread(folder / "out.dcm")


BOXES = [Box(2, 1, 9, 6)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_changes_in_its_boxes_and_nowhere_else(tmp_path: Path, kind: str) -> None:
    source, copy = written(tmp_path, kind, BOXES, 0)
    (before,), (after,) = (
        find_pictures(tmp_path / name).pictures for name in ("in.dcm", "out.dcm")
    )
    with PictureReader() as reader:
        for n in range(before.frames):
            old, new = reader.read(before, n), reader.read(after, n)
            wide = [Box(b.left // 2 * 2, b.top, -(-b.right // 2) * 2, b.bottom) for b in BOXES]
            covered = inside(old.shape, wide if before.is_halved else BOXES if n == 0 else [])
            np.testing.assert_array_equal(new[~covered], old[~covered])
            if n == 0:
                assert len(np.unique(new[covered].reshape(covered.sum(), -1), axis=0)) == 1
    assert copy.file_meta.TransferSyntaxUID in {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}
    assert pixel_array(copy).shape[-2:] == pixel_array(copy, raw=True).shape[-2:]
    assert source.SOPInstanceUID == copy.SOPInstanceUID


@pytest.mark.parametrize("kind", ["grey", "signed, rubbish above", "rgb", "palette"])
def test_headers_stay_but_for_what_was_proved(tmp_path: Path, kind: str) -> None:
    source, copy = written(tmp_path, kind, BOXES, 0)
    assert {e.tag for e in copy} - {e.tag for e in source} <= {0x00120064, 0x00280301}
    changed = {e.tag for e in source if copy.get(e.tag) != e}
    assert changed <= {0x7FE00010, 0x00280301}
    assert copy.BurnedInAnnotation == "NO"
    assert copy.DeidentificationMethodCodeSequence[0].CodeValue == "113101"


def test_bits_that_nobody_asked_for_stay_where_they_are(tmp_path: Path) -> None:
    source, copy = written(tmp_path, "signed, rubbish above", BOXES, 0)
    old, new = (np.frombuffer(one.PixelData, "<u2").reshape(24, 32) for one in (source, copy))
    covered = inside(old.shape, BOXES)
    np.testing.assert_array_equal(old[~covered], new[~covered])


def test_what_others_said_of_their_work_stays(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "in.dcm", "grey")
    source = dcmread(path)
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "113100", "DCM", "Basic"
    source.DeidentificationMethodCodeSequence = [code]
    source.save_as(path)
    (picture,) = find_pictures(path).pictures
    with Opener() as opener:
        write_filled(picture, {0: BOXES}, tmp_path / "out.dcm", opener, is_clean=True)
        write_filled(picture, {0: BOXES}, tmp_path / "kept.dcm", opener, is_clean=False)
    clean, kept = dcmread(tmp_path / "out.dcm"), dcmread(tmp_path / "kept.dcm")
    codes = [[c.CodeValue for c in one.DeidentificationMethodCodeSequence] for one in (clean, kept)]
    assert codes == [["113100", "113101"], ["113100"]]
    assert kept.BurnedInAnnotation == "YES"


def test_a_header_that_cannot_be_written_is_told_without_its_values(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "in.dcm", "rgb JPEG-LS")
    (picture,) = find_pictures(path).pictures
    path.write_bytes(path.read_bytes()[:300])
    with Opener() as opener, pytest.raises(InputError) as told:
        write_filled(picture, {0: BOXES}, tmp_path / "out.dcm", opener, is_clean=True)
    assert "SECRET" not in told.value.what.upper()
