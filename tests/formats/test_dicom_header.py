"""Headers: fast, right, and never more than an error of ours on bytes from an enemy."""

import io
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from napari_medlabel.errors import InputError
from napari_medlabel.formats import dicom_header
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_header import (
    Header,
    HeaderError,
    NotDicom,
    Oddity,
    fragments,
    read_header,
)
from napari_medlabel.formats.dicom_instance import InstanceFacts, facts_of
from napari_medlabel.formats.dicom_odd import read_odd_header
from napari_medlabel.formats.dicom_tags import WANTED, Tag
from tests.formats.made_dicom import (
    NATIVE,
    one_slice,
    ramp,
    save,
    save_compressed,
)


def header_of(data: bytes) -> Header:
    return read_header(io.BytesIO(data), len(data), WANTED)


def patient_header_of(data: bytes) -> Header:
    """As a scan does it: pydicom has a second try."""
    try:
        return header_of(data)
    except Oddity:
        return read_odd_header(io.BytesIO(data), len(data), WANTED)


def facts(data: bytes) -> InstanceFacts:
    return facts_of(patient_header_of(data), Place(""))


def full_dataset() -> Dataset:
    """A slice with sequences, private elements and text around what matters."""
    dataset = one_slice(ramp((1, 6, 8))[0], (1.5, -2.25, 3.125), 7, SliceThickness=2.5)
    dataset.SeriesDescription, dataset.SpecificCharacterSet = "Schädel", "ISO_IR 100"
    item = Dataset()
    item.Rows, item.PixelData = 99, b"\0" * 40  # an icon: not the image
    item["PixelData"].VR = "OW"
    dataset.IconImageSequence = Sequence([item, Dataset()])
    dataset.private_block(0x0019, "MAKER", create=True).add_new(0x40, "OB", b"\1" * 30)
    return dataset


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("syntax", NATIVE)
def test_every_encoding_gives_the_same_facts(
    tmp_path: Path, syntax: str, *, undefined: bool
) -> None:
    dataset = full_dataset()
    dataset["IconImageSequence"].is_undefined_length = undefined
    data = save(tmp_path / "a.dcm", dataset, syntax).read_bytes()
    found = facts(data)
    assert found.position == (1.5, -2.25, 3.125)
    assert (found.rows, found.columns, found.bits_stored) == (6, 8, 16)
    assert found.description == "Schädel"
    assert found.slice_thickness == 2.5
    assert found.pixels is not None
    assert (found.pixels.length, found.pixels.whole) == (96, True)


def test_a_file_without_preamble_and_meta_is_read(tmp_path: Path) -> None:
    data = save(tmp_path / "a.dcm", full_dataset()).read_bytes()
    start = data.index(b"\x08\x00\x05\x00CS")
    assert facts(data[start:]).rows == 6
    assert facts(data[132:]).rows == 6


def test_a_header_longer_than_the_first_read_is_read_on(tmp_path: Path) -> None:
    dataset = full_dataset()
    block = dataset.private_block(0x0009, "MAKER", create=True)
    for element in range(5):
        block.add_new(element, "OB", bytes(9000))
    block.add_new(10, "OB", bytes(200_000))
    assert facts(save(tmp_path / "a.dcm", dataset).read_bytes()).rows == 6


def test_a_header_that_is_not_what_it_says_goes_to_pydicom(tmp_path: Path) -> None:
    data = save(tmp_path / "a.dcm", full_dataset(), NATIVE[0]).read_bytes()
    lying = data.replace(b"1.2.840.10008.1.2\0", b"1.2.840.10008.1.2.1"[:18])
    assert facts(lying).rows == 6


def test_the_encapsulated_frame_is_found(tmp_path: Path) -> None:
    jpeg = "1.2.840.10008.1.2.4.90"
    path = save_compressed(tmp_path / "a.dcm", full_dataset(), b"\xff\x4f" * 25, jpeg)
    header, data = header_of(path.read_bytes()), path.read_bytes()
    assert header.pixels is not None
    ((offset, length),) = fragments(io.BytesIO(data), len(data), header.pixels.offset)
    assert data[offset : offset + length] == b"\xff\x4f" * 25
    assert header.pixels.stored == 50


@pytest.mark.parametrize(
    "data",
    [b"", b"DICM", b"text " * 100, bytes(400), b"\x89PNG" * 60, b"\x5c\1\0\0" + bytes(400)],
)
def test_other_files_are_not_dicom(data: bytes) -> None:
    with pytest.raises(NotDicom):
        header_of(data)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return save(tmp_path_factory.mktemp("plain") / "a.dcm", full_dataset()).read_bytes()


@pytest.fixture(scope="module")
def compressed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("compressed") / "a.dcm"
    return save_compressed(path, full_dataset(), bytes(60), "1.2.840.10008.1.2.4.70").read_bytes()


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        return read(data)
    except InputError as error:
        return error.what


def test_a_file_cut_anywhere_is_read_or_refused(plain: bytes, compressed: bytes) -> None:
    for data in (plain, compressed):
        for length in range(0, len(data), 7):
            found = outcome(facts, data[:length])
            assert isinstance(found, str) or found.pixels is None or not found.pixels.whole


@given(st.data())
def test_damaged_bytes_are_read_or_refused(
    plain: bytes, compressed: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(data.draw(st.sampled_from([plain, compressed])))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(128, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(outcome(facts, bytes(damaged)), str | InstanceFacts)


@given(st.binary(max_size=600))
def test_any_bytes_after_the_prefix_are_read_or_refused(tail: bytes) -> None:
    found = outcome(facts, bytes(128) + b"DICM" + tail)
    assert isinstance(found, str | InstanceFacts)


def test_a_length_beyond_the_file_allocates_nothing(plain: bytes) -> None:
    element = struct.pack("<HH2sHI", 0x0009, 0x0010, b"OB", 0, 0xFFFFFFF0)
    start = plain.index(b"\x08\x00\x05\x00CS")
    tracemalloc.start()
    outcome(facts, plain[:start] + element + plain[start:])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_endless_nesting_is_refused(plain: bytes) -> None:
    opened = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    opened += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    start = plain.index(b"\x08\x00\x05\x00CS")
    with pytest.raises(HeaderError):
        patient_header_of(plain[:start] + opened * 20_000)


def test_a_deflated_file_that_swells_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = one_slice(ramp((1, 300, 300))[0] * 0, (0, 0, 0))
    data = save(tmp_path / "a.dcm", dataset, NATIVE[2]).read_bytes()
    monkeypatch.setattr(dicom_header, "MAX_INFLATED", 50_000)
    with pytest.raises(HeaderError, match="too large"):
        header_of(data)


def test_wanted_values_are_those_of_pydicom(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", full_dataset())
    dataset = dcmread(path)
    values = header_of(path.read_bytes()).values
    assert values[Tag.SERIES].rstrip(b"\0").decode() == dataset.SeriesInstanceUID
    assert Tag.ROWS in values
    assert int.from_bytes(values[Tag.ROWS], "little") == dataset.Rows
