"""Rare but right NIfTI, NRRD and MetaImage, each as its own library reads it."""

import bz2
import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK
from nibabel.nifti1 import Nifti1Header, Nifti1Image

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats import open_reader, scan

sitk: Any = SimpleITK
SHAPE = (4, 5, 6)
VOXELS = np.random.default_rng(5).integers(-900, 900, SHAPE).astype("<i2")
SPACE = ("space: left-posterior-superior", "space directions: (2,0,0.5) (0,3,0) (0,0,4)",
         "space origin: (1,2,3)")  # fmt: skip


def only(path: Path) -> Series:
    (series,) = scan(path).series
    return series


def voxels(series: Series, number: int = 0) -> np.ndarray:
    reader = open_reader(series, number)
    return reader.read(0, reader.source.geometry.shape[0])


def codes(series: Series) -> set[str]:
    return {problem.code for problem in series.all_problems()}


def place(path: Path) -> tuple[np.ndarray, Geometry]:
    """The voxels and their place as ITK reads them."""
    image = sitk.ReadImage(str(path))
    matrix = np.eye(4)
    matrix[:3, :3] = (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())[:, ::-1]
    matrix[:3, 3] = image.GetOrigin()
    array = sitk.GetArrayFromImage(image)
    return array, Geometry(array.shape, matrix)


def as_itk(path: Path) -> None:
    """Hold what we read against what ITK does."""
    array, geometry = place(path)
    series = only(path)
    np.testing.assert_array_equal(voxels(series), array)
    assert series.geometry is not None
    assert series.geometry.same_grid(geometry, 1e-9)


# NRRD


def nrrd(path: Path, *lines: str, data: bytes = VOXELS.tobytes(), encoding: str = "raw") -> Path:
    start = ["NRRD0004", "type: short", "dimension: 3", "sizes: 6 5 4", f"encoding: {encoding}"]
    written = {line.split(":")[0] for line in lines}
    kept = [line for line in start if line.split(":")[0] not in written]
    if "endian" not in written:
        kept.append("endian: little")
    end = ["", ""] if data else [""]
    path.write_bytes("\n".join([*kept, *lines, *end]).encode() + data)
    return path


TEXT = "\n".join(" ".join(map(str, row)) for row in VOXELS.reshape(-1, 6)).encode("ascii")
ENCODED = {
    "raw": VOXELS.tobytes(),
    "gzip": gzip.compress(VOXELS.tobytes()),
    "gz": gzip.compress(VOXELS.tobytes()[:77]) + gzip.compress(VOXELS.tobytes()[77:]),
    "bzip2": bz2.compress(VOXELS.tobytes()),
    "bz2": bz2.compress(VOXELS.tobytes()),
    "ascii": TEXT,
    "txt": TEXT,
    "text": TEXT.replace(b" ", b", "),
    "hex": VOXELS.tobytes().hex("\n", 30).encode("ascii"),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_encoding_of_nrrd_is_read(tmp_path: Path, encoding: str) -> None:
    path = nrrd(tmp_path / "a.nrrd", *SPACE, data=ENCODED[encoding], encoding=encoding)
    np.testing.assert_array_equal(voxels(only(path)), VOXELS)
    # teem, which ITK reads with, knows no bzip2 here and stops at a second gzip member
    if encoding not in {"gz", "bzip2", "bz2", "text"}:
        as_itk(path)


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [("signed char", "i1"), ("uchar", "u1"), ("int16_t", "i2"), ("unsigned short int", "u2"),
     ("signed int", "i4"), ("uint32", "u4"), ("long long", "i8"), ("uint64_t", "u8"),
     ("float", "f4"), ("double", "f8")],
)  # fmt: skip
@pytest.mark.parametrize("endian", ["little", "big"])
def test_every_type_of_nrrd_is_read(tmp_path: Path, kind: str, dtype: str, endian: str) -> None:
    order = "<" if endian == "little" else ">"
    array = (VOXELS.astype("i8") % 120).astype(order + dtype)
    lines = (f"type: {kind}", f"endian: {endian}")
    path = nrrd(tmp_path / "a.nrrd", *SPACE, *lines, data=array.tobytes())
    read = voxels(only(path))
    np.testing.assert_array_equal(read, array)
    assert read.dtype == np.dtype(dtype)
    as_itk(path)


@pytest.mark.parametrize("space", ["right-anterior-superior", "RAS", "LAS", "LPS", "lps"])
def test_every_space_is_placed_as_itk_places_it(tmp_path: Path, space: str) -> None:
    path = nrrd(tmp_path / "a.nrrd", f"space: {space}", *SPACE[1:])
    as_itk(path)


def test_detached_headers_and_what_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(b"one line\nanother\n" + bytes(7) + VOXELS.tobytes())
    lines = ("data file: a.raw", "line skip: 2", "byte skip: 7")
    path = nrrd(tmp_path / "a.nhdr", *SPACE, *lines, data=b"")
    as_itk(path)
    lines = ("data file: ./a.raw", "byte skip: -1")
    as_itk(nrrd(tmp_path / "b.nhdr", *SPACE, *lines, data=b""))
    (tmp_path / "a.gz").write_bytes(b"a line\n" + gzip.compress(bytes(9) + VOXELS.tobytes()))
    lines = ("data file: a.gz", "line skip: 1", "byte skip: 9")
    packed = nrrd(tmp_path / "c.nhdr", *SPACE, *lines, data=b"", encoding="gzip")
    np.testing.assert_array_equal(voxels(only(packed)), VOXELS)


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_voxels_in_several_files_are_one_volume(tmp_path: Path, encoding: str) -> None:
    for n, plane in enumerate(VOXELS):
        data = plane.tobytes()
        (tmp_path / f"p{n + 1:02d}.raw").write_bytes(
            gzip.compress(data) if encoding == "gzip" else data
        )
    listed = "data file: LIST\n" + "\n".join(f"p{n:02d}.raw" for n in range(1, 5))
    one = nrrd(tmp_path / "a.nhdr", *SPACE, listed, data=b"", encoding=encoding)
    other = "data file: p%02d.raw 1 4 1"
    two = nrrd(tmp_path / "b.nhdr", *SPACE, other, data=b"", encoding=encoding)
    for path in (one, two):
        np.testing.assert_array_equal(voxels(only(path)), VOXELS)
        as_itk(path)
    found = scan(tmp_path)  # a folder in which the parts are no series of their own
    assert [series.files for series in found.series] == [5, 5]
    assert found.skipped == ()


@pytest.mark.parametrize(
    "names", ["LIST\n../a\nb\nc\nd", "/p%d.raw 1 4 1", "p%d.raw 1 4 0", "p%d.raw 1 4000000 1",
              "LIST", "p%d.raw 4 1 1"],
)  # fmt: skip
def test_files_that_are_elsewhere_or_without_end_are_refused(tmp_path: Path, names: str) -> None:
    path = nrrd(tmp_path / "a.nhdr", *SPACE, f"data file: {names}", data=b"")
    with pytest.raises(InputError):
        scan(path)


@pytest.mark.parametrize("where", ["first", "last"])
def test_a_list_of_volumes_is_several_volumes(tmp_path: Path, where: str) -> None:
    both = np.stack([VOXELS, VOXELS + 1000], axis=-1 if where == "first" else 0)
    sizes = "sizes: 2 6 5 4" if where == "first" else "sizes: 6 5 4 2"
    none = "none " if where == "first" else ""
    tail = "" if where == "first" else " none"
    kinds = "list domain domain domain" if where == "first" else "space space space list"
    path = nrrd(
        tmp_path / "a.nrrd", "dimension: 4", sizes, SPACE[0], SPACE[2], f"kinds: {kinds}",
        f"space directions: {none}(2,0,0.5) (0,3,0) (0,0,4){tail}", data=both.tobytes(),
    )  # fmt: skip
    series = only(path)
    assert [volume.name for volume in series.volumes] == ["volume 1 of 2", "volume 2 of 2"]
    for number in range(2):
        np.testing.assert_array_equal(voxels(series, number), VOXELS + 1000 * number)
        np.testing.assert_array_equal(
            open_reader(series, number).read(2, 3), VOXELS[2:3] + 1000 * number
        )


@pytest.mark.parametrize(
    ("kind", "code"),
    [("RGB-color", "colour"), ("complex", "complex-values"), ("3-vector", "several-values")],
)
def test_values_that_belong_together_are_no_volumes(tmp_path: Path, kind: str, code: str) -> None:
    path = nrrd(
        tmp_path / "a.nrrd", "dimension: 4", "sizes: 3 6 5 4", SPACE[0],
        f"kinds: {kind} domain domain domain",
        "space directions: none (2,0,0.5) (0,3,0) (0,0,4)", data=VOXELS.tobytes() * 3,
    )  # fmt: skip
    series = only(path)
    assert codes(series) >= {code}
    assert not series.regular


def test_an_axis_between_those_in_space_is_refused(tmp_path: Path) -> None:
    path = nrrd(
        tmp_path / "a.nrrd", "dimension: 4", "sizes: 6 2 5 4", SPACE[0],
        "kinds: domain list domain domain",
        "space directions: (2,0,0.5) none (0,3,0) (0,0,4)", data=VOXELS.tobytes() * 2,
    )  # fmt: skip
    assert not only(path).regular


@pytest.mark.parametrize(
    "lines",
    [("endian: middle",), ("type: block",), ("encoding: zrl",), ("sizes: 6 5",),
     ("space directions: (2,0) (0,3) (0,4)",), ("kinds: domain domain",), ("byte skip: -2",),
     ("line skip: -1",), ("line skip: 3000000",), ("dimension: 17",), ("sizes: 6 5 0",),
     ("space directions: (a,b,c) (0,3,0) (0,0,4)",), ("sizes: 6 5 4\nsizes: 6 5 4",)],
)  # fmt: skip
def test_a_header_that_does_not_hold_together_is_refused(
    tmp_path: Path, lines: tuple[str, ...]
) -> None:
    kept = [line for line in SPACE if line.split(":")[0] not in lines[0]]
    path = nrrd(tmp_path / "a.nrrd", *kept, *lines)
    with pytest.raises((InputError, GeometryError)):
        voxels(only(path))


def test_pairs_beside_the_format_do_not_change_it(tmp_path: Path) -> None:
    lines = ("endian: little", "sizes: 6 5 4", "sizes:=1 1 1", "modality:=MET_MOD_CT", "x:=y")
    path = nrrd(tmp_path / "a.nrrd", *SPACE, *lines)
    np.testing.assert_array_equal(voxels(only(path)), VOXELS)
    assert only(path).modality == "CT"


# MetaImage


def metaimage(path: Path, *lines: str, data: bytes = VOXELS.tobytes()) -> Path:
    start = ["ObjectType = Image", "NDims = 3", "DimSize = 6 5 4", "ElementType = MET_SHORT",
             "ElementSpacing = 2 3 4", "TransformMatrix = 1 0 0 0 1 0 0 0 1"]  # fmt: skip
    named = [] if any("ElementDataFile" in line for line in lines) else ["ElementDataFile = LOCAL"]
    path.write_bytes("\n".join([*start, *lines, *named, ""]).encode() + data)
    return path


def test_metaimage_of_several_files_and_of_text_is_read(tmp_path: Path) -> None:
    for n, plane in enumerate(VOXELS):
        (tmp_path / f"p{n}.raw").write_bytes(bytes(11) + plane.tobytes())
    listed = "\n".join(["ElementDataFile = LIST", *(f"p{n}.raw" for n in range(4))])
    lines = ("BinaryData = True", "HeaderSize = 11")
    as_itk(metaimage(tmp_path / "a.mhd", *lines, listed, data=b""))
    lines = ("BinaryData = True", "HeaderSize = -1", "ElementDataFile = p%d.raw 0 3 1")
    as_itk(metaimage(tmp_path / "b.mhd", *lines, data=b""))
    text = metaimage(tmp_path / "c.mha", "BinaryData = False", data=TEXT)
    np.testing.assert_array_equal(voxels(only(text)), VOXELS)


@pytest.mark.parametrize(
    ("letters", "conflicts"), [("RAI", False), ("LPS", True), ("ASL", True), ("???", False)]
)
def test_letters_that_contradict_the_matrix_are_told(
    tmp_path: Path, letters: str, *, conflicts: bool
) -> None:
    path = metaimage(tmp_path / "a.mha", f"AnatomicalOrientation = {letters}", "BinaryData = True")
    assert ("conflicting-transforms" in codes(only(path))) is conflicts
    as_itk(path)


@pytest.mark.parametrize("degrees", [0, 30, 120, 200])
def test_itk_writes_the_letters_that_we_expect(tmp_path: Path, degrees: float) -> None:
    a = np.radians(degrees)
    image = sitk.GetImageFromArray(VOXELS)
    image.SetDirection([np.cos(a), -np.sin(a), 0, np.sin(a), np.cos(a), 0, 0, 0, 1])
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    assert b"AnatomicalOrientation" in (tmp_path / "a.mha").read_bytes()
    assert "conflicting-transforms" not in codes(only(tmp_path / "a.mha"))


# NIfTI


def nifti(path: Path, array: np.ndarray, affine: Any = None, **fields: Any) -> Path:  # noqa: ANN401
    image = Nifti1Image(array, np.diag([2.0, 3, 4, 1]) if affine is None else affine)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


def patch(path: Path, offset: int, form: str, *values: float) -> Path:
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, offset, *values)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("number", [1536, 1792, 2048, 32, 128, 2304, 1, 0, 9999])
def test_types_that_are_no_plain_numbers_are_refused_by_name(tmp_path: Path, number: int) -> None:
    path = patch(nifti(tmp_path / "a.nii", VOXELS.T), 70, "<h", number)
    path.write_bytes(path.read_bytes() + bytes(VOXELS.size * 32))
    series = only(path)
    assert codes(series) & {"voxel-type", "complex-values", "colour"}
    assert not series.regular


@pytest.mark.parametrize("slope", [0.0, np.nan, np.inf])
def test_a_slope_that_is_none_is_none(tmp_path: Path, slope: float) -> None:
    path = patch(nifti(tmp_path / "a.nii", VOXELS.T), 112, "<2f", slope, 7.0)
    np.testing.assert_array_equal(voxels(only(path)), VOXELS)
    if slope == 0.0:
        np.testing.assert_array_equal(np.asarray(nibabel.load(path).dataobj).T, VOXELS)


@pytest.mark.parametrize("kind", ["negative", "sheared", "permuted"])
def test_every_affine_is_kept_as_it_is(tmp_path: Path, kind: str) -> None:
    affine = {
        "negative": np.diag([-2.0, 3, 4, 1]),
        "sheared": np.array([[2, 0, 0.8, 1], [0, 3, 0, 2], [0, 0, 4, 3], [0, 0, 0, 1.0]]),
        "permuted": np.array([[0, 0, 4, 1], [-2, 0, 0, 2], [0, 3, 0, 3], [0, 0, 0, 1.0]]),
    }[kind]
    series = only(nifti(tmp_path / "a.nii", VOXELS.T, affine))
    assert series.geometry is not None
    np.testing.assert_allclose(series.geometry.to_nifti(), affine, atol=1e-5)


@pytest.mark.parametrize("lengths", [(0, 0, 0), (np.nan, 1, 1), (-2, -3, -4), (np.inf, 1, 1)])
def test_lengths_that_are_none_matter_only_where_nothing_else_is_said(
    tmp_path: Path, lengths: tuple[float, ...]
) -> None:
    path = patch(nifti(tmp_path / "a.nii", VOXELS.T), 80, "<3f", *lengths)
    assert only(path).regular  # the sform says it
    patch(path, 252, "<2h", 1, 0)
    by_qform = only(path)
    patch(path, 252, "<2h", 0, 0)
    by_lengths = only(path)
    if lengths == (-2, -3, -4):  # nifti1.h: their sign means nothing
        assert by_qform.geometry is not None
        assert sorted(by_qform.geometry.spacing_mm) == [2, 3, 4]
        assert by_lengths.regular
    else:
        assert "singular-transform" in codes(by_qform)
        assert "no-spacing" in codes(by_lengths)


def test_a_rotation_that_is_none_matters_only_where_it_is_used(tmp_path: Path) -> None:
    path = patch(nifti(tmp_path / "a.nii", VOXELS.T), 252, "<2h", 1, 1)
    patch(path, 256, "<3f", 3.0, 4.0, 5.0)
    assert only(path).regular
    patch(path, 252, "<2h", 1, 0)
    assert "singular-transform" in codes(only(path))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".hdr"])
def test_more_axes_are_more_volumes_and_ones_are_none(tmp_path: Path, ending: str) -> None:
    array = np.stack([VOXELS.T + 100 * n for n in range(6)], axis=3)
    five = array.reshape(*VOXELS.T.shape, 2, 3, 1, order="F")
    path = tmp_path / f"a{ending}"
    image = Nifti1Image(five, np.diag([2.0, 3, 4, 1]))
    nibabel.save(nibabel.Nifti1Pair(five, image.affine) if ending == ".hdr" else image, path)
    series = only(path)
    assert len(series.volumes) == 6
    for number in (5, 0, 3):
        np.testing.assert_array_equal(voxels(series, number), VOXELS + 100 * number)


def test_a_big_endian_pair_is_read_by_either_name(tmp_path: Path) -> None:
    header = Nifti1Header(endianness=">")
    header.set_data_dtype(">f4")
    image = nibabel.Nifti1Pair(VOXELS.T.astype(">f4"), np.diag([2.0, 3, 4, 1]), header)
    nibabel.save(image, tmp_path / "a.img")
    for name in ("a.img", "a.hdr"):
        np.testing.assert_array_equal(voxels(only(tmp_path / name)), VOXELS)


def test_analyze_is_refused_since_it_does_not_say_which_side_is_left(tmp_path: Path) -> None:
    nibabel.save(nibabel.AnalyzeImage(VOXELS.T, np.eye(4)), tmp_path / "a.img")
    with pytest.raises(InputError, match="which side is left"):
        scan(tmp_path / "a.hdr")
