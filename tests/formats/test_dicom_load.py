"""Voxels of DICOM series: every stored bit where and what its header says."""

import hashlib
import threading
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import VolumeReader, Window
from napari_medlabel.decoding.pool import Pool
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener, Place
from napari_medlabel.formats.dicom_header import read_header
from napari_medlabel.formats.dicom_instance import InstanceFacts, Tile, facts_of
from napari_medlabel.formats.dicom_load import DicomReader, TooNarrow, open_dicom
from napari_medlabel.formats.dicom_scan import scan_dicom
from napari_medlabel.formats.dicom_tags import WANTED
from tests.formats.made_dicom import (
    NATIVE,
    SAGITTAL,
    oblique,
    one_slice,
    ramp,
    save,
    save_all,
    save_compressed,
    stack,
)

SHAPE = (5, 6, 8)
JPEG = "1.2.840.10008.1.2.4."


def opened(path: Path, *, wide: bool = False) -> DicomReader:
    series, _ = scan_dicom(path)
    (one,) = series
    return open_dicom(one, wide=wide)


def read_all(path: Path) -> npt.NDArray[np.generic]:
    reader = opened(path)
    return reader.read(0, reader.source.geometry.shape[0])


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.int32])
def test_every_uncompressed_encoding_gives_the_same_values(
    tmp_path: Path, syntax: str, dtype: type
) -> None:
    stored = ramp(SHAPE, dtype, top=200)
    for n, dataset in enumerate(stack(stored, orientation=oblique())):
        save(tmp_path / str(n), dataset, syntax)
    if dtype == np.uint8 and syntax == NATIVE[3]:  # OW: bytes go in pairs
        stored = stored.reshape(-1, 2)[:, ::-1].reshape(SHAPE)
    np.testing.assert_array_equal(read_all(tmp_path), stored.astype(int) - 1024)


@pytest.mark.parametrize("orientation", [oblique(), SAGITTAL, oblique(-70)])
def test_slices_come_in_order_of_the_normal_with_their_place(
    tmp_path: Path, orientation: tuple[float, ...]
) -> None:
    reader = opened(save_all(tmp_path, stack(ramp(SHAPE), orientation=orientation)[::-1]))
    geometry = reader.source.geometry
    np.testing.assert_allclose(geometry.origin_lps, (-20, 30, 5), atol=1e-5)
    assert geometry.spacing_mm == pytest.approx((4, 2, 3), abs=1e-5)
    np.testing.assert_array_equal(reader.read(1, 4), ramp(SHAPE)[1:4] - 1024)
    turned = reader.source.axes.apply(reader.read(0, 5))
    assert turned.shape == geometry.laid_out(geometry.canonical).shape


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(("bits", "high_bit"), [(12, 11), (12, 15), (12, 13), (16, 15), (10, 9)])
def test_rubbish_in_unused_bits_is_dropped(
    tmp_path: Path, bits: int, high_bit: int, *, signed: bool
) -> None:
    rng = np.random.default_rng(3)
    low = -(1 << (bits - 1)) if signed else 0
    values = rng.integers(low, low + (1 << bits), SHAPE)
    rubbish = rng.integers(0, 1 << 16, SHAPE)
    mask = ((1 << bits) - 1) << (high_bit + 1 - bits)
    stored = ((values << (high_bit + 1 - bits)) & mask) | (rubbish & ~mask & 0xFFFF)
    elements = {"BitsStored": bits, "HighBit": high_bit, "PixelRepresentation": int(signed)}
    elements |= {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}
    slices = stack(stored.astype(np.uint16), **elements, RescaleSlope=None, RescaleIntercept=None)
    np.testing.assert_array_equal(read_all(save_all(tmp_path, slices)), values)


@pytest.mark.parametrize(
    ("stored", "slope", "intercept", "dtype"),
    [
        (np.int16, 1, -1024, np.int16),
        (np.uint16, 1, 0, np.int16),
        (np.uint16, 2, 0, np.int32),
        (np.int16, 1, 30000, np.int32),
        (np.int16, 1.5, 0, np.float32),
        (np.int16, 1, 0.5, np.float32),
        (np.uint8, 3, -7, np.int16),
    ],
)
def test_the_voxel_type_is_the_smallest_that_fits(
    tmp_path: Path, stored: type, slope: float, intercept: float, dtype: type
) -> None:
    values = ramp(SHAPE, stored, top=100)
    slices = stack(values, RescaleSlope=slope, RescaleIntercept=intercept)
    voxels = read_all(save_all(tmp_path, slices))
    assert voxels.dtype == dtype
    np.testing.assert_allclose(voxels, values.astype(float) * slope + intercept, rtol=1e-6)


def test_magnetic_resonance_without_rescale_stays_as_stored(tmp_path: Path) -> None:
    values = ramp(SHAPE, np.uint16, top=65536)
    slices = stack(values, Modality="MR", RescaleSlope=None, RescaleIntercept=None)
    reader = opened(save_all(tmp_path, slices))
    assert (reader.unit, reader.modality, reader.dtype) == ("stored", "MR", np.uint16)
    np.testing.assert_array_equal(reader.read(0, 5), values)


def test_padding_is_rescaled_as_any_other_value(tmp_path: Path) -> None:
    values = ramp(SHAPE)
    values[:, 0] = -2000
    slices = stack(values, PixelPaddingValue=-2000)
    np.testing.assert_array_equal(read_all(save_all(tmp_path, slices)), values - 1024)


def test_inverted_pictures_keep_their_values_and_say_so(tmp_path: Path) -> None:
    slices = stack(ramp(SHAPE), PhotometricInterpretation="MONOCHROME1")
    reader = opened(save_all(tmp_path, slices))
    assert reader.is_inverted
    np.testing.assert_array_equal(reader.read(0, 5), ramp(SHAPE) - 1024)


def test_values_beyond_16_bits_are_never_wrapped_round(tmp_path: Path) -> None:
    values = ramp(SHAPE)
    values[3, 2, 1] = -32768
    folder = save_all(tmp_path, stack(values))
    reader = opened(folder)
    np.testing.assert_array_equal(reader.read(0, 3), values[:3] - 1024)
    with pytest.raises(TooNarrow, match="slice 4"):
        reader.read(0, 5)
    np.testing.assert_array_equal(
        opened(folder, wide=True).read(0, 5), values.astype(np.int32) - 1024
    )


def test_padding_beyond_16_bits_is_seen_when_opening(tmp_path: Path) -> None:
    values = ramp(SHAPE)
    values[:, 0] = -32768
    reader = opened(save_all(tmp_path, stack(values, PixelPaddingValue=-32768)))
    assert reader.dtype == np.int32
    np.testing.assert_array_equal(reader.read(0, 5), values.astype(np.int32) - 1024)


def test_the_window_and_unit_are_those_of_the_header(tmp_path: Path) -> None:
    slices = stack(ramp(SHAPE), WindowCenter=[40, 600], WindowWidth=[400, 1500])
    reader = opened(save_all(tmp_path, slices))
    assert reader.window == Window(400, 40)
    assert reader.unit == "HU"


@pytest.mark.parametrize("word", ["US", "Secret^Name", "HU"])
def test_a_unit_is_only_a_word_that_is_known(tmp_path: Path, word: str) -> None:
    reader = opened(save_all(tmp_path, stack(ramp(SHAPE), RescaleType=word)))
    assert reader.unit == ("HU" if word == "HU" else "rescaled")


def encoded(stored: npt.NDArray[np.generic], syntax: str) -> bytes:
    unsigned = stored.view(np.uint16)
    if syntax == JPEG + "90":
        return bytes(imagecodecs.jpeg2k_encode(stored, codecformat="j2k", reversible=True))
    if syntax == JPEG + "201":
        return bytes(imagecodecs.htj2k_encode(stored, reversible=True))
    if syntax == JPEG + "80":
        return bytes(imagecodecs.jpegls_encode(unsigned))
    return bytes(imagecodecs.ljpeg_encode(unsigned, bitspersample=16))


@pytest.mark.parametrize("syntax", [JPEG + end for end in ("90", "80", "70", "201")])
@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
def test_compressed_frames_give_the_same_values(tmp_path: Path, syntax: str, dtype: type) -> None:
    stored = ramp((3, 32, 40), dtype)
    if dtype == np.int16:
        stored -= 1500
    for n, dataset in enumerate(stack(stored)):
        save_compressed(tmp_path / str(n), dataset, encoded(stored[n], syntax), syntax)
    np.testing.assert_array_equal(read_all(tmp_path), stored.astype(int) - 1024)


def test_a_compressed_frame_of_another_size_is_refused_before_it_is_decoded(
    tmp_path: Path,
) -> None:
    small = one_slice(ramp((1, 8, 8))[0], (0, 0, 0))
    huge = encoded(np.zeros((4000, 4000), np.int16), JPEG + "90")
    path = save_compressed(tmp_path / "a", small, huge, JPEG + "90")
    with pytest.raises(InputError, match=r"slice 1 cannot be read: .* another size"):
        read_all(path)


@pytest.mark.parametrize("syntax", [JPEG + end for end in ("90", "80", "70", "50", "51")])
def test_damaged_compressed_bytes_are_an_error_of_ours(tmp_path: Path, syntax: str) -> None:
    stored = ramp((1, 32, 40))[0]
    data = encoded(stored, JPEG + "90")
    dataset = one_slice(stored, (0, 0, 0))
    path = save_compressed(tmp_path / "a", dataset, data[:60] + bytes(40), syntax)
    with pytest.raises(InputError, match="slice 1 cannot be read"):
        read_all(path)


@given(st.data())
def test_damaged_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    stored = ramp((1, 32, 40))[0]
    syntax = data.draw(st.sampled_from([JPEG + end for end in ("90", "80", "70")]))
    path = tmp_path_factory.mktemp("damaged") / "a"
    save_compressed(path, one_slice(stored, (0, 0, 0)), encoded(stored, syntax), syntax)
    damaged = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(128, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    series, skipped = scan_dicom(path)
    usable = [one for one in series if one.regular]
    assert len(series) + len(skipped) <= 1
    for one in usable:
        try:
            voxels = open_dicom(one).read(0, 1)
        except InputError:
            continue
        assert one.geometry is not None
        assert voxels.shape == one.geometry.shape


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"crash ", "its decoder crashed"),
        (b"damaged ", "its compressed image is damaged"),
        (b"hang ", "its decoder took longer than 1 s"),
    ],
)
def test_a_decoder_that_fails_costs_the_slice_it_had(tmp_path: Path, bad: bytes, why: str) -> None:
    for n, dataset in enumerate(stack(ramp((9, 8, 8)), RescaleIntercept=0)):
        data = bad if n == 6 else bytes([n, n])
        save_compressed(tmp_path / str(n), dataset, data, JPEG + "90")
    (series,), _ = scan_dicom(tmp_path)
    (volume,) = series.volumes
    assert volume.geometry is not None
    pool = Pool(2, codecs="tests.decoding.odd_codecs", limit_s=1)
    reader = DicomReader(volume.parts, volume.geometry, decoders=pool)
    np.testing.assert_array_equal(reader.read(0, 6)[:, 0, 0], range(6))
    with pytest.raises(InputError) as refusal:
        reader.read(4, 9)
    assert refusal.value.what == f"slice 7 cannot be read: {why}"
    np.testing.assert_array_equal(reader.read(7, 9)[:, 0, 0], [7, 8])
    assert [instance.sha256 != "" for instance in reader.hashes()] == [n != 6 for n in range(9)]
    reader.close()
    pool.close()


def test_a_compressed_frame_larger_than_its_pixels_is_not_even_read(tmp_path: Path) -> None:
    data = encoded(ramp((1, 8, 8))[0], JPEG + "80") + bytes(1 << 17)
    dataset = one_slice(ramp((1, 8, 8))[0], (0, 0, 0))
    path = save_compressed(tmp_path / "a", dataset, data, JPEG + "80")
    with pytest.raises(InputError, match="larger than it would be uncompressed"):
        read_all(path)


def test_a_slice_that_went_missing_is_named_by_its_number_only(tmp_path: Path) -> None:
    reader = opened(save_all(tmp_path, stack(ramp(SHAPE)), "Secret^Name {}"))
    (tmp_path / "Secret^Name 3").unlink()
    reader.read(0, 3)
    with pytest.raises(InputError) as refusal:
        reader.read(0, 5)
    assert refusal.value.what == "slice 4 cannot be read"
    assert "Secret" not in refusal.value.what + refusal.value.hint


def test_a_file_that_was_cut_after_the_scan_is_named(tmp_path: Path) -> None:
    reader = opened(save_all(tmp_path, stack(ramp(SHAPE))))
    path = tmp_path / "IM0002"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="slice 3 cannot be read: the file ends inside"):
        reader.read(2, 3)


def test_hashes_are_of_the_pixel_bytes_in_the_file_once_they_were_read(tmp_path: Path) -> None:
    stored = ramp((4, 3, 3), np.uint8)  # odd length: padded in the file
    slices = stack(stored)
    for dataset in slices:
        dataset.PixelData += b"\0"
    reader = opened(save_all(tmp_path, slices))
    reader.read(1, 3)
    hashes = [instance.sha256 for instance in reader.hashes()]
    expected = [hashlib.sha256(plane.tobytes()).hexdigest() for plane in stored]
    assert hashes == ["", *expected[1:3], ""]
    assert [instance.slice for instance in reader.hashes()] == [0, 1, 2, 3]


def test_hashes_do_not_depend_on_masking_or_rescaling(tmp_path: Path) -> None:
    stored = ramp(SHAPE, np.uint16) | 0xF000
    reader = opened(save_all(tmp_path, stack(stored, BitsStored=12, HighBit=11)))
    reader.read(0, 5)
    expected = [hashlib.sha256(plane.tobytes()).hexdigest() for plane in stored]
    assert [instance.sha256 for instance in reader.hashes()] == expected


def test_slabs_read_by_several_threads_are_those_read_by_one(tmp_path: Path) -> None:
    stored = ramp((40, 32, 32))
    reader = opened(save_all(tmp_path, stack(stored)))
    starts = [n % 37 for n in range(0, 400, 7)]
    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4, initializer=barrier.wait) as pool:
        slabs = list(pool.map(lambda k: reader.read(k, k + 3), starts))
    for start, slab in zip(starts, slabs, strict=True):
        np.testing.assert_array_equal(slab, stored[start : start + 3] - 1024)


def test_a_reader_keeps_the_contract(tmp_path: Path) -> None:
    series, _ = scan_dicom(save_all(tmp_path, stack(ramp(SHAPE))))
    reader: VolumeReader = open_dicom(series[0])
    assert reader.read(2, 2).shape == (0, 6, 8)
    assert reader.source.instances[0].sha256 == ""
    assert reader.source.series_uid == series[0].uid
    with pytest.raises(ValueError, match="of 5"):
        reader.read(3, 6)
    with pytest.raises(InputError):
        open_dicom(series[0], 1)
    reader.close()
    np.testing.assert_array_equal(reader.read(0, 1), ramp(SHAPE)[:1] - 1024)


# Several slices in one file: frames, and tiles of a picture


def several(place: Place, depth: int) -> list[InstanceFacts]:
    """The slices of a file that holds `depth` frames, in their order."""
    with Opener(bounded=True) as opener:
        file, size = opener.open(place)
        with file:
            one = facts_of(read_header(file, size, WANTED), place)
    one = replace(one, frames=depth)
    return [replace(one, frame=n, position=(0.0, 0.0, float(n))) for n in range(depth)]


def reading(parts: Sequence[InstanceFacts]) -> DicomReader:
    shape = (len(parts), parts[0].rows, parts[0].columns)
    return DicomReader(tuple(parts), Geometry(shape, np.diag([1.0, 1.0, 1.0, 1.0])))


def multi_frame(stored: npt.NDArray[np.generic]) -> Dataset:
    """An image of all slices; odd frames are not padded, only their end is."""
    dataset = one_slice(stored[0], (0, 0, 0))
    data = stored.tobytes()
    dataset.PixelData = data + bytes(len(data) % 2)
    dataset.NumberOfFrames = len(stored)
    return dataset


@pytest.mark.parametrize("syntax", NATIVE[:3])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_uncompressed_frames_of_one_file_are_slices(
    tmp_path: Path, syntax: str, order: list[int]
) -> None:
    stored = ramp((5, 3, 5), np.uint8, top=251)
    path = save(tmp_path / "a", multi_frame(stored), syntax)
    parts = several(Place(str(path)), 5)
    reader = reading([parts[n] for n in order])
    np.testing.assert_array_equal(reader.read(0, 5), stored[order].astype(int) - 1024)
    hashes = [(instance.frame, instance.sha256) for instance in reader.hashes()]
    assert hashes == [(n, hashlib.sha256(stored[n].tobytes()).hexdigest()) for n in order]


def test_frames_in_big_endian_words_are_slices(tmp_path: Path) -> None:
    stored = ramp((5, 3, 5), np.uint16)
    path = save(tmp_path / "a", multi_frame(stored), NATIVE[3])
    reader = reading(several(Place(str(path)), 5))
    np.testing.assert_array_equal(reader.read(1, 4), stored[1:4].astype(int) - 1024)


def test_frames_of_a_file_in_an_archive_are_slices(tmp_path: Path) -> None:
    stored = ramp((5, 30, 50))
    path = save(tmp_path / "a", multi_frame(stored), NATIVE[2])
    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "a")
    reader = reading(several(Place(str(tmp_path / "z.zip"), 0), 5))
    for k in (3, 0, 4):
        np.testing.assert_array_equal(reader.read(k, k + 1), stored[k : k + 1] - 1024)


def test_a_frame_beyond_the_end_of_the_file_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a", multi_frame(ramp((3, 3, 4))))
    with pytest.raises(InputError, match="slice 4 cannot be read: the file ends inside"):
        reading(several(Place(str(path)), 4)).read(0, 4)


TABLES = ("none", "basic", "extended")


@pytest.mark.parametrize("syntax", [JPEG + end for end in ("90", "80", "70")])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("pieces", [1, 3])
def test_compressed_frames_of_one_file_are_slices(
    tmp_path: Path, syntax: str, table: str, pieces: int
) -> None:
    stored = ramp((4, 32, 40))
    frames = [encoded(plane, syntax) for plane in stored]
    dataset = multi_frame(stored)
    if table == "extended":
        both = encapsulate_extended(frames)
        dataset.PixelData = both[0]
        dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = both[1:]
    else:
        dataset.PixelData = encapsulate(frames, pieces, has_bot=table == "basic")
    dataset["PixelData"].is_undefined_length = True
    parts = several(Place(str(save(tmp_path / "a", dataset, syntax))), 4)
    np.testing.assert_array_equal(reading(parts).read(1, 4), stored[1:].astype(int) - 1024)
    np.testing.assert_array_equal(reading(parts[::-1]).read(0, 4), stored[::-1].astype(int) - 1024)


def tiles_of(path: Path, rows: int, columns: int) -> list[InstanceFacts]:
    """The tiles of a picture, row by row, without the last one."""
    (whole,) = several(Place(str(path)), 1)
    high, wide = whole.rows, whole.columns
    corners = [(j, i) for j in range(0, high, rows) for i in range(0, wide, columns)][:-1]
    return [
        replace(whole, rows=rows, columns=columns, tile=Tile(top, left, high, wide))
        for top, left in corners
    ]


@pytest.mark.parametrize("syntax", [NATIVE[1], NATIVE[2], NATIVE[3], JPEG + "90", JPEG + "70"])
def test_tiles_of_a_picture_are_slices(tmp_path: Path, syntax: str) -> None:
    picture = ramp((1, 32, 60))[0]
    path = tmp_path / "a"
    if syntax in NATIVE:
        save(path, one_slice(picture, (0, 0, 0)), syntax)
    else:
        save_compressed(path, one_slice(picture, (0, 0, 0)), encoded(picture, syntax), syntax)
    parts = tiles_of(path, 8, 20)
    reader = reading(parts)
    expected = [picture[t.top : t.top + 8, t.left : t.left + 20] for t in (p.tile for p in parts)]
    np.testing.assert_array_equal(reader.read(0, 11), np.array(expected).astype(int) - 1024)
    assert len({instance.sha256 for instance in reader.hashes()}) == 1


def test_a_picture_is_decoded_once_for_all_its_tiles(tmp_path: Path) -> None:
    picture = ramp((1, 32, 60))[0]
    path = save(tmp_path / "a", one_slice(picture, (0, 0, 0)))
    reader = reading(tiles_of(path, 8, 20))
    reader.read(0, 1)
    path.unlink()
    np.testing.assert_array_equal(reader.read(1, 2)[0], picture[:8, 20:40] - 1024)


def test_a_tile_beyond_its_picture_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a", one_slice(ramp((1, 8, 8))[0], (0, 0, 0)))
    (tile, *_) = tiles_of(path, 4, 4)
    beyond = replace(tile, tile=Tile(6, 0, 8, 8))
    with pytest.raises(InputError, match="larger than the picture"):
        reading([beyond]).read(0, 1)


@pytest.mark.parametrize(("slope", "intercept"), [(-1, 65535), (1, -1), (-1, 0), (-2, 7)])
def test_a_falling_scale_is_exact(tmp_path: Path, slope: int, intercept: int) -> None:
    stored = ramp((1, 4, 6), np.uint16, 65536)
    dataset = one_slice(
        stored[0], (0, 0, 0), Modality="MR", RescaleSlope=slope, RescaleIntercept=intercept
    )
    series, _ = scan_dicom(save(tmp_path / "f", dataset))
    found = open_dicom(series[0]).read(0, 1)
    np.testing.assert_array_equal(found, stored.astype(np.int64) * slope + intercept)
