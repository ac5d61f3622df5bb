"""NIfTI: nibabel writes what we read, and reads what we write."""

import gzip
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.volume import Series, VolumeReader
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.formats.nifti import open_nifti, scan_nifti, write_nifti
from napari_medlabel.testing import geometries

SHAPE = (4, 5, 6)
# What float32 leaves of a position: half a unit in the last place of each of four terms.
FLOAT32_MM = 1e-4


def oblique(shape: tuple[int, int, int] = SHAPE, *, shear: float = 0.0) -> Geometry:
    c, s = np.cos(0.3), np.sin(0.3)
    turn = np.array([[c, -s, shear], [s, c, 0.0], [0.0, 0.0, 1.0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn @ np.array([[0, 0, -0.7], [0, 0.8, 0], [3.1, 0, 0]])
    matrix[:3, 3] = [101.3, -77.7, 12.9]
    return Geometry(shape, matrix)


def numbers(shape: tuple[int, ...] = SHAPE, dtype: npt.DTypeLike = np.int16) -> np.ndarray:
    return (np.arange(np.prod(shape)) % 127).reshape(shape).astype(dtype)


def saved(path: Path, array_ijk: np.ndarray, affine: FloatArray, **header: float) -> Path:
    """A file that nibabel writes, with these header fields."""
    image = nib.Nifti1Image(array_ijk, affine)
    for name, value in header.items():
        image.header[name] = value
    nib.save(image, path)
    return path


def patched(path: Path, offset: int, form: str, *values: float) -> Path:
    """The file with header bytes changed past all checks of nibabel."""
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, offset, *values)
    path.write_bytes(data)
    return path


def opened(series: Series, volume: int = 0) -> VolumeReader:
    return open_nifti(series.volumes[volume])


def codes(series: Series) -> list[str]:
    return [problem.code for problem in series.all_problems()]


@given(geometry=geometries(max_origin_mm=300.0), ending=st.sampled_from([".nii", ".nii.gz"]))
def test_what_is_written_is_read_back_in_its_place(
    geometry: Geometry, ending: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("nifti") / f"mask{ending}"
    array = numbers(geometry.shape, np.uint8)
    write_nifti(array, geometry, path)
    series = scan_nifti(path)
    reader = opened(series)
    assert codes(series) in ([], ["single-slice"])
    assert reader.source.geometry.difference_mm(geometry) < FLOAT32_MM
    np.testing.assert_array_equal(reader.read(0, geometry.shape[0]), array)


@given(geometry=geometries())
def test_the_sform_is_the_affine_to_the_last_bit_of_float32(
    geometry: Geometry, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "mask.nii"
    write_nifti(numbers(geometry.shape), geometry, path)
    image = nib.load(path)
    expected = geometry.to_nifti().astype(np.float32)
    np.testing.assert_array_equal(image.affine.astype(np.float32), expected)
    np.testing.assert_array_equal(np.asarray(image.dataobj), numbers(geometry.shape).T)


@pytest.mark.parametrize(
    "dtype", ["?", "u1", "i1", "<u2", "<i2", ">i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8"]
)
def test_values_of_every_type_are_written_exactly(tmp_path: Path, dtype: str) -> None:
    array = numbers(dtype=dtype)
    write_nifti(array, oblique(), tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(np.asarray(nib.load(tmp_path / "a.nii.gz").dataobj), array.T)


@pytest.mark.parametrize(
    "dtype",
    ["u1", "i1", "<u2", "<i2", ">i2", "<u4", ">i4", "<u8", "<i8", "<f4", ">f4", "<f8"],
)
def test_values_of_every_type_are_read_exactly(tmp_path: Path, dtype: str) -> None:
    array = numbers(dtype=dtype)
    byte_order = np.dtype(dtype).byteorder.replace("=", "<").replace("|", "<")
    header = nib.Nifti1Header(endianness=byte_order)
    header.set_data_dtype(np.dtype(dtype))
    image = nib.Nifti1Image(array.T, oblique().to_nifti(), header)
    nib.save(image, tmp_path / "a.nii")
    reader = opened(scan_nifti(tmp_path / "a.nii"))
    np.testing.assert_array_equal(reader.read(0, 4), array)
    assert reader.dtype == reader.read(0, 1).dtype
    assert reader.dtype.isnative
    assert reader.dtype.kind == array.dtype.kind


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_slabs_are_parts_of_the_whole_from_several_threads(tmp_path: Path, ending: str) -> None:
    array = numbers((20, 5, 6))
    write_nifti(array, oblique((20, 5, 6)), tmp_path / f"a{ending}")
    reader = opened(scan_nifti(tmp_path / f"a{ending}"))
    with ThreadPoolExecutor(4) as pool:
        slabs = list(pool.map(lambda k: reader.read(k, k + 3), range(0, 20, 3)))
    np.testing.assert_array_equal(np.concatenate(slabs), array)
    assert [slab.shape[0] for slab in slabs] == [3, 3, 3, 3, 3, 3, 2]
    reader.close()


def test_a_pair_of_files_is_one_series(tmp_path: Path) -> None:
    array = numbers()
    nib.save(nib.Nifti1Pair(array.T, oblique().to_nifti()), tmp_path / "a.img")
    series = scan_nifti(tmp_path / "a.hdr")
    assert series.files == 2
    np.testing.assert_array_equal(opened(series).read(0, 4), array)


def test_nifti_2_is_read(tmp_path: Path) -> None:
    array = numbers()
    nib.save(nib.Nifti2Image(array.T, oblique().to_nifti()), tmp_path / "a.nii")
    series = scan_nifti(tmp_path / "a.nii")
    np.testing.assert_array_equal(opened(series).read(0, 4), array)
    assert series.geometry is not None
    assert series.geometry.difference_mm(oblique()) < 1e-9


def test_a_long_axis_is_written_as_nifti_2(tmp_path: Path) -> None:
    geometry = Geometry.from_spacing((1, 2, 40000))
    array = numbers(geometry.shape)
    write_nifti(array, geometry, tmp_path / "a.nii.gz")
    image = nib.load(tmp_path / "a.nii.gz")
    assert isinstance(image, nib.Nifti2Image)
    np.testing.assert_array_equal(np.asarray(image.dataobj), array.T)


def test_a_file_of_four_axes_holds_several_volumes(tmp_path: Path) -> None:
    array = numbers((3, *SHAPE))
    saved(tmp_path / "a.nii.gz", array.T, oblique().to_nifti())
    series = scan_nifti(tmp_path / "a.nii.gz")
    assert [volume.name for volume in series.volumes] == [f"volume {n} of 3" for n in (1, 2, 3)]
    for n in range(3):
        np.testing.assert_array_equal(opened(series, n).read(0, 4), array[n])


@pytest.mark.parametrize(
    ("slope", "inter", "stored", "expected"),
    [
        (1.0, 0.0, "<i2", "<i2"),
        (0.0, 7.0, "<i2", "<i2"),
        (np.nan, 0.0, "<i2", "<i2"),
        (1.0, -1024.0, "u1", "<i2"),
        (1.0, -1024.0, "<u2", "<i4"),
        (2.0, 1.0, "<i4", "<i8"),
        (0.5, 0.0, "<i2", "<f4"),
        (0.5, 0.0, "<i4", "<f8"),
        (2.0, 1.0, "<f4", "<f4"),
    ],
)
def test_rescaled_values_are_whole_numbers_where_they_can_be(
    tmp_path: Path, slope: float, inter: float, stored: str, expected: str
) -> None:
    array = numbers(dtype=stored)
    path = saved(tmp_path / "a.nii", array.T, oblique().to_nifti())
    patched(path, 112, "<2f", slope, inter)
    reader = opened(scan_nifti(path))
    assert reader.dtype == np.dtype(expected)
    used = (slope, inter) if slope and np.isfinite(slope) else (1.0, 0.0)
    np.testing.assert_array_equal(reader.read(0, 4), array * used[0] + used[1])


def transform(*, shift: float = 0.0, shear: float = 0.0) -> FloatArray:
    affine = oblique(shear=shear).to_nifti()
    affine[0, 3] += shift
    return affine


def with_transforms(
    path: Path, sform: FloatArray, sform_code: int, qform: FloatArray, qform_code: int
) -> Path:
    image = nib.Nifti1Image(numbers().T, None)
    image.header.set_qform(qform, qform_code)
    image.header.set_sform(sform, sform_code)
    nib.save(image, path)
    return path


def test_the_sform_is_used_where_it_is_set_and_a_conflict_is_told_in_millimetres(
    tmp_path: Path,
) -> None:
    path = with_transforms(tmp_path / "a.nii", transform(shift=3.2), 2, transform(), 1)
    series = scan_nifti(path)
    assert codes(series) == ["conflicting-transforms"]
    assert "up to 3.200 mm apart; the sform is used" in series.all_problems()[0].what
    assert series.regular
    assert opened(series).source.space_code == 2
    np.testing.assert_allclose(
        series.volumes[0].geometry.to_nifti(), transform(shift=3.2), atol=1e-5
    )  # type: ignore[union-attr]


def test_the_qform_is_used_where_the_sform_is_not_set(tmp_path: Path) -> None:
    path = with_transforms(tmp_path / "a.nii", transform(shift=3.2), 0, transform(), 4)
    series = scan_nifti(path)
    assert codes(series) == []
    assert opened(series).source.space_code == 4
    np.testing.assert_allclose(series.volumes[0].geometry.to_nifti(), transform(), atol=1e-4)  # type: ignore[union-attr]


def test_a_qform_that_agrees_is_no_conflict(tmp_path: Path) -> None:
    path = with_transforms(tmp_path / "a.nii", transform(), 1, transform(), 1)
    assert codes(scan_nifti(path)) == []


def test_a_sheared_grid_keeps_its_shear_and_leaves_the_qform_unset(tmp_path: Path) -> None:
    write_nifti(numbers(), oblique(shear=0.3), tmp_path / "a.nii")
    header = nib.load(tmp_path / "a.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)
    series = scan_nifti(tmp_path / "a.nii")
    assert series.geometry is not None
    assert series.geometry.shear == pytest.approx(oblique(shear=0.3).shear, abs=1e-6)


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_a_mask_gets_the_codes_of_its_source(tmp_path: Path, code: int) -> None:
    write_nifti(numbers(), oblique(), tmp_path / "a.nii", space_code=code, labels=True)
    header = nib.load(tmp_path / "a.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (code, code)
    assert header.get_xyzt_units()[0] == "mm"
    assert scan_nifti(tmp_path / "a.nii").kind == "segmentation"


def without_transforms(path: Path) -> Path:
    image = nib.Nifti1Image(numbers().T, None)
    image.header["pixdim"][1:4] = [0.7, 0.8, 3.0]
    nib.save(image, path)
    return patched(path, 252, "<2h", 0, 0)


def test_a_file_that_does_not_say_which_side_is_left_says_so(tmp_path: Path) -> None:
    path = without_transforms(tmp_path / "a.nii")
    series = scan_nifti(path)
    assert codes(series) == ["no-orientation"]
    assert series.regular
    affine = nib.load(path).affine
    np.testing.assert_allclose(series.volumes[0].geometry.to_nifti(), affine, atol=1e-6)  # type: ignore[union-attr]


def test_a_mask_of_such_a_file_leaves_it_as_open_so_that_both_look_the_same(tmp_path: Path) -> None:
    source = opened(scan_nifti(without_transforms(tmp_path / "a.nii"))).source
    mask = tmp_path / "mask.nii"
    write_nifti(numbers(), source.geometry, mask, space_code=source.space_code)
    header = nib.load(mask).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    np.testing.assert_array_equal(nib.load(mask).affine, nib.load(tmp_path / "a.nii").affine)
    write_nifti(numbers(), oblique(), mask, space_code=0, force=True)
    assert int(nib.load(mask).header["sform_code"]) == 1


@pytest.mark.parametrize(("unit", "mm"), [("meter", 1000.0), ("micron", 0.001), ("mm", 1.0)])
def test_lengths_are_converted_to_millimetres(tmp_path: Path, unit: str, mm: float) -> None:
    affine = oblique().to_nifti()
    affine[:3] /= mm
    image = nib.Nifti1Image(numbers().T, affine)
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    series = scan_nifti(tmp_path / "a.nii")
    assert codes(series) == ([] if unit == "mm" else ["converted-unit"])
    assert series.volumes[0].geometry is not None
    assert series.volumes[0].geometry.difference_mm(oblique()) < FLOAT32_MM


def test_the_grey_range_of_the_header_is_kept(tmp_path: Path) -> None:
    affine = oblique().to_nifti()
    path = saved(tmp_path / "a.nii", numbers().T, affine, cal_min=-160.0, cal_max=240.0)
    window = opened(scan_nifti(path)).window
    assert window is not None
    assert (window.width, window.level) == (400.0, 40.0)


RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


@pytest.mark.parametrize(
    ("code", "make"),
    [
        ("colour", lambda path: saved(path, np.zeros(SHAPE, RGB).T, np.eye(4))),
        ("complex-values", lambda path: saved(path, numbers(dtype="c8").T, np.eye(4))),
        ("voxel-type", lambda path: patched(saved(path, numbers().T, np.eye(4)), 70, "<h", 1)),
        (
            "rescale",
            lambda path: patched(saved(path, numbers().T, np.eye(4)), 112, "<2f", 1, np.nan),
        ),
        ("not-an-image", lambda path: saved(path, numbers().T, np.eye(4), intent_code=3001)),
        ("no-spacing", lambda path: patched(without_transforms(path), 88, "<f", 0)),
        ("no-pixel-data", lambda path: patched(saved(path, numbers().T, np.eye(4)), 42, "<h", 0)),
        ("truncated", lambda path: patched(saved(path, numbers().T, np.eye(4)), 42, "<h", 7)),
        (
            "singular-transform",
            lambda path: patched(saved(path, numbers().T, np.eye(4)), 280, "<f", 0),
        ),
    ],
)
def test_what_cannot_be_a_volume_is_refused_with_the_reason(
    tmp_path: Path, code: str, make: Callable[[Path], Path]
) -> None:
    series = scan_nifti(make(tmp_path / "a.nii"))
    problem = next(problem for problem in series.all_problems() if problem.code == code)
    assert problem.blocking
    assert not series.regular


@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_a_header_that_claims_a_huge_array_allocates_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.nii", numbers().T, np.eye(4))
    patched(path, 40, "<8h", 7, *[32767] * 7)
    path.with_suffix(".nii.gz").write_bytes(gzip.compress(path.read_bytes()))
    for bomb in (path, path.with_suffix(".nii.gz")):
        series = scan_nifti(bomb)
        assert not series.regular
        assert len(series.volumes) == 1


@pytest.mark.parametrize("cut", [1, 60, 5000])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_a_truncated_file_is_never_filled_up(tmp_path: Path, ending: str, cut: int) -> None:
    shape = (20, 30, 31)
    path = tmp_path / f"a{ending}"
    noise = np.random.default_rng(5).integers(0, 30000, shape, dtype=np.int16)
    write_nifti(noise, oblique(shape), path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match=r"truncated|at most"):
        read_all(path)


def read_all(path: Path) -> np.ndarray:
    series = scan_nifti(path)
    for problem in series.all_problems():
        raise GeometryError(problem.what)
    return opened(series).read(0, 10**6)


def test_a_file_that_is_gone_when_it_is_read_is_one_clear_line(tmp_path: Path) -> None:
    write_nifti(numbers(), oblique(), tmp_path / "a.nii")
    reader = opened(scan_nifti(tmp_path / "a.nii"))
    (tmp_path / "a.nii").unlink()
    with pytest.raises(InputError, match="cannot be read: no such file"):
        reader.read(0, 1)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8bnonsense", bytes(400)])
def test_what_is_no_nifti_is_refused_with_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii").write_bytes(content)
    with pytest.raises(InputError) as caught:
        scan_nifti(tmp_path / "a.nii")
    assert caught.value.hint
    assert "\n" not in caught.value.what


@given(data=st.binary(min_size=348, max_size=400), where=st.integers(0, 343))
def test_a_broken_header_is_a_problem_or_an_error_but_never_a_crash(
    data: bytes, where: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "a.nii"
    write_nifti(numbers(), oblique(), path)
    whole = path.read_bytes()
    broken = whole[:where] + data[: 344 - where] + whole[344:]
    path.write_bytes(broken[: len(whole)])
    with np.errstate(all="ignore"):
        outcome = scanned(path)
    assert isinstance(outcome, Series | InputError)


def scanned(path: Path) -> Series | InputError:
    try:
        series = scan_nifti(path)
    except InputError as error:
        return error
    if series.regular and len(series.volumes) == 1:
        opened(series).read(0, 2)
    return series


def test_the_same_voxels_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(numbers(), oblique(), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


class FullDisk:
    """An array whose second slab cannot be had: the disk has filled up meanwhile."""

    shape = (3, 3000, 3000)
    dtype = np.dtype(np.uint8)
    ndim = 3

    def __getitem__(self, key: slice) -> np.ndarray:
        if key.start:
            raise OSError(28, "No space left on device")
        return np.ones((key.stop - key.start, *self.shape[1:]), np.uint8)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_disk_that_fills_up_leaves_nothing_half_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="the disk is full"):
        write_nifti(FullDisk(), Geometry.from_spacing(FullDisk.shape), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    path.write_bytes(b"somebody's")
    with pytest.raises(OutputError, match="exists already"):
        write_nifti(numbers(), oblique(), path)
    assert path.read_bytes() == b"somebody's"
    write_nifti(numbers(), oblique(), path, force=True)
    assert codes(scan_nifti(path)) == []


def test_what_cannot_be_written_exactly_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="complex64"):
        write_nifti(numbers(dtype="c8"), oblique(), tmp_path / "a.nii")
    with pytest.raises(GeometryError, match="does not fit"):
        write_nifti(numbers((1, 2, 3)), oblique(), tmp_path / "a.nii")
    with pytest.raises(OutputError, match="does not end in"):
        write_nifti(numbers(), oblique(), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
