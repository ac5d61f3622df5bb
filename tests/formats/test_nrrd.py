"""NRRD and MetaImage: SimpleITK reads what we write, and we read what it writes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Grid, Series
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.formats import open_reader
from napari_medlabel.formats.metaimage import scan_metaimage, write_metaimage
from napari_medlabel.formats.nrrd import scan_nrrd, write_nrrd
from napari_medlabel.formats.text_header import TextFormat
from napari_medlabel.testing import geometries

sitk: Any = SimpleITK
SHAPE = (2, 3, 4)
VOXELS = np.arange(24, dtype="<i2").reshape(SHAPE)
Writer = Callable[[Grid, Geometry, Path], None]
BOTH = pytest.mark.parametrize(
    ("write", "kind", "name"),
    [(write_nrrd, "nrrd", "a.nrrd"), (write_metaimage, "metaimage", "a.mha")],
)


def itk_geometry(image: Any) -> Geometry:  # noqa: ANN401  # SimpleITK's Image
    direction = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix = np.eye(4)
    matrix[:3, :3] = direction[:, ::-1]
    matrix[:3, 3] = image.GetOrigin()
    return Geometry(image.GetSize()[::-1], matrix)


def itk_image(geometry: Geometry, voxels: np.ndarray) -> Any:  # noqa: ANN401
    image = sitk.GetImageFromArray(voxels)
    image.SetDirection(geometry.direction[:, ::-1].ravel().tolist())
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin_lps)
    return image


def nrrd(path: Path, *lines: str, data: bytes = VOXELS.tobytes()) -> Path:
    start = ["NRRD0005", "type: short", "dimension: 3", "sizes: 4 3 2", "encoding: raw"]
    written = {line.split(":")[0] for line in lines}
    kept = [line for line in start if line.split(":")[0] not in written]
    path.write_bytes("\n".join([*kept, "endian: little", *lines, "", ""]).encode() + data)
    return path


def metaimage(path: Path, *lines: str, data: bytes = VOXELS.tobytes()) -> Path:
    start = ["ObjectType = Image", "NDims = 3", "BinaryData = True", "DimSize = 4 3 2"]
    start += ["BinaryDataByteOrderMSB = False", "ElementType = MET_SHORT", *lines]
    path.write_bytes("\n".join([*start, "ElementDataFile = LOCAL", ""]).encode() + data)
    return path


def scanned(path: Path, kind: TextFormat) -> Series:
    return {"nrrd": scan_nrrd, "metaimage": scan_metaimage}[kind](path)


def codes(series: Series) -> list[str]:
    return [problem.code for problem in series.all_problems()]


SPACE = "space directions: (0.5,0,0) (0,0.6,0.1) (0,0,3)"


@BOTH
@given(geometry=geometries())
def test_what_is_written_is_read_back_in_its_place(
    tmp_path_factory: pytest.TempPathFactory,
    write: Writer,
    kind: TextFormat,
    name: str,
    geometry: Geometry,
) -> None:
    path = tmp_path_factory.mktemp("itk") / name
    voxels = np.arange(np.prod(geometry.shape), dtype=np.uint16).reshape(geometry.shape)
    write(voxels, geometry, path)
    series = scanned(path, kind)
    reader = open_reader(series, 0)
    assert codes(series) in ([], ["single-slice"])
    assert reader.source.geometry.difference_mm(geometry) < 1e-9
    np.testing.assert_array_equal(reader.read(0, geometry.shape[0]), voxels)


@BOTH
@given(geometry=geometries())
def test_simpleitk_reads_what_we_write(
    tmp_path_factory: pytest.TempPathFactory,
    write: Writer,
    kind: TextFormat,
    name: str,
    geometry: Geometry,
) -> None:
    path = tmp_path_factory.mktemp(kind) / name
    voxels = np.arange(np.prod(geometry.shape), dtype=np.uint8).reshape(geometry.shape)
    write(voxels, geometry, path)
    image = sitk.ReadImage(str(path))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), voxels)
    assert itk_geometry(image).difference_mm(geometry) < 1e-9


@pytest.mark.parametrize(
    ("name", "kind", "files"),
    [
        ("a.nrrd", "nrrd", 1),
        ("a.nhdr", "nrrd", 2),
        ("a.mha", "metaimage", 1),
        ("a.mhd", "metaimage", 2),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_what_simpleitk_writes_is_read(
    tmp_path: Path, name: str, kind: TextFormat, files: int, *, packed: bool
) -> None:
    geometry = Geometry.from_spacing(SHAPE, (3.0, 0.7, 0.8), (-100.123456789, 2.0, 3.0))
    sitk.WriteImage(itk_image(geometry, VOXELS), str(tmp_path / name), packed)
    series = scanned(tmp_path / name, kind)
    reader = open_reader(series, 0)
    assert series.files == files
    assert reader.source.geometry.difference_mm(geometry) < 1e-9
    np.testing.assert_array_equal(reader.read(0, 2), VOXELS)


@BOTH
@pytest.mark.parametrize(
    "dtype", ["?", "u1", "i1", "<u2", "<i2", ">i2", "<u4", "<i4", "<u8", "<i8", "<f2", "<f4", "<f8"]
)
def test_values_of_every_type_are_kept(
    tmp_path: Path, write: Writer, kind: TextFormat, name: str, dtype: str
) -> None:
    voxels = VOXELS.astype(dtype)
    write(voxels, Geometry.from_spacing(SHAPE), tmp_path / name)
    reader = open_reader(scanned(tmp_path / name, kind), 0)
    assert reader.dtype == reader.read(0, 1).dtype
    np.testing.assert_array_equal(reader.read(0, 2), voxels)


@BOTH
def test_slabs_are_parts_of_the_whole_from_several_threads(
    tmp_path: Path, write: Writer, kind: TextFormat, name: str
) -> None:
    voxels = np.arange(60, dtype=np.int16).reshape(10, 2, 3)
    write(voxels, Geometry.from_spacing((10, 2, 3)), tmp_path / name)
    reader = open_reader(scanned(tmp_path / name, kind), 0)
    with ThreadPoolExecutor(4) as pool:
        slabs = list(pool.map(lambda k: reader.read(k, k + 3), range(0, 10, 3)))
    reader.close()
    np.testing.assert_array_equal(np.concatenate(slabs), voxels)


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1, 1)),
        ("LPS", (1, 1, 1)),
        ("right-anterior-superior", (-1, -1, 1)),
        ("RAS", (-1, -1, 1)),
        ("left-anterior-superior", (1, -1, 1)),
        ("LAS", (1, -1, 1)),
    ],
)
def test_every_patient_space_is_turned_into_lps(
    tmp_path: Path, space: str, signs: tuple[int, int, int]
) -> None:
    path = nrrd(tmp_path / "a.nrrd", f"space: {space}", SPACE, "space origin: (1,2,3)")
    series = scanned(path, "nrrd")
    assert codes(series) == []
    assert series.geometry is not None
    expected = np.array([[0, 0, 0.5], [0, 0.6, 0], [3, 0.1, 0]]) * np.reshape(signs, (3, 1))
    np.testing.assert_allclose(series.geometry.lps_from_kji[:3, :3], expected, atol=1e-12)
    np.testing.assert_allclose(series.geometry.origin_lps, np.multiply([1, 2, 3], signs))


@pytest.mark.parametrize("space", ["scanner-xyz", "3D-right-handed", "3D-left-handed"])
def test_a_space_that_does_not_say_how_the_patient_lies_is_told(tmp_path: Path, space: str) -> None:
    series = scanned(nrrd(tmp_path / "a.nrrd", f"space: {space}", SPACE), "nrrd")
    assert codes(series) == ["no-orientation"]
    assert series.regular


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("no-spacing", ()),
        ("no-spacing", ("spacings: nan nan nan",)),
        (
            "several-values",
            ("dimension: 4", "sizes: 2 4 3 1", "kinds: vector domain domain domain"),
        ),
        ("flat-image", ("dimension: 2", "sizes: 4 6", "spacings: 1 1")),
        ("truncated", ("sizes: 100000 100000 100000", "spacings: 1 1 1")),
    ],
)
def test_nrrd_that_cannot_be_a_volume_is_refused_with_the_reason(
    tmp_path: Path, code: str, lines: tuple[str, ...]
) -> None:
    series = scanned(nrrd(tmp_path / "a.nrrd", *lines), "nrrd")
    assert code in codes(series)
    assert not series.regular


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("no-spacing", ()),
        ("several-values", ("ElementNumberOfChannels = 3", "ElementSpacing = 1 1 1")),
        ("rescale", ("ElementToIntensityFunctionSlope = 2", "ElementSpacing = 1 1 1")),
    ],
)
def test_metaimage_that_cannot_be_a_volume_is_refused_with_the_reason(
    tmp_path: Path, code: str, lines: tuple[str, ...]
) -> None:
    series = scanned(metaimage(tmp_path / "a.mha", *lines), "metaimage")
    assert code in codes(series)
    assert not series.regular


def test_lengths_are_converted_to_millimetres(tmp_path: Path) -> None:
    units = 'space units: "m" "m" "m"'
    path = nrrd(tmp_path / "a.nrrd", "space: LPS", units, SPACE, "space origin: (1,2,3)")
    series = scanned(path, "nrrd")
    assert codes(series) == ["converted-unit"]
    assert series.geometry is not None
    assert series.geometry.origin_lps == (1000.0, 2000.0, 3000.0)
    assert series.geometry.spacing_mm[2] == pytest.approx(500.0)


def test_four_axes_in_space_hold_several_volumes(tmp_path: Path) -> None:
    image = sitk.JoinSeries([itk_image(Geometry.from_spacing(SHAPE), VOXELS + n) for n in (0, 50)])
    sitk.WriteImage(image, str(tmp_path / "a.mha"))
    series = scanned(tmp_path / "a.mha", "metaimage")
    assert [volume.name for volume in series.volumes] == ["volume 1 of 2", "volume 2 of 2"]
    np.testing.assert_array_equal(open_reader(series, 1).read(0, 2), VOXELS + 50)


def test_the_modality_is_the_one_in_the_header(tmp_path: Path) -> None:
    lines = (
        "Modality = MET_MOD_CT",
        "ElementSpacing = 1 1 1",
        "TransformMatrix = 1 0 0 0 1 0 0 0 1",
    )
    series = scanned(metaimage(tmp_path / "a.mha", *lines), "metaimage")
    assert series.modality == "CT"
    assert codes(series) == []


def test_segments_listed_in_the_header_make_it_a_segmentation(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.seg.nrrd", "space: LPS", SPACE, "Segment0_ID:=liver")
    assert scanned(path, "nrrd").kind == "segmentation"


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.raw"])
def test_a_header_that_points_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = nrrd(tmp_path / "a.nhdr", f"data file: {name}", data=b"")
    with pytest.raises(InputError, match="another folder"):
        scanned(path, "nrrd")


def test_a_header_that_names_what_no_file_can_be_called_is_refused(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nhdr", f"data file: {'x' * 300}", data=b"")
    with pytest.raises(InputError, match="is not there"):
        scanned(path, "nrrd")


def test_a_header_without_its_voxels_is_refused(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nhdr", "data file: a.raw", data=b"")
    with pytest.raises(InputError, match="which its header names, is not there"):
        scanned(path, "nrrd")


@BOTH
@pytest.mark.parametrize("cut", [20, 100])
def test_a_truncated_file_is_never_filled_up(
    tmp_path: Path, write: Writer, kind: TextFormat, name: str, cut: int
) -> None:
    shape = (10, 20, 30)
    noise = np.random.default_rng(1).integers(0, 30000, shape, dtype=np.int16)
    write(noise, Geometry.from_spacing(shape), tmp_path / name)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-cut])
    reader = open_reader(scanned(tmp_path / name, kind), 0)
    with pytest.raises(InputError, match="truncated or damaged"):
        reader.read(0, 10)


@pytest.mark.parametrize(
    ("kind", "content"), [("nrrd", b"NRRD0005\nhello"), ("metaimage", b"NDims = 3\nhello")]
)
def test_a_broken_header_is_one_clear_line(
    tmp_path: Path, kind: TextFormat, content: bytes
) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match="broken") as caught:
        scanned(tmp_path / "a", kind)
    assert "\n" not in caught.value.what


def test_a_file_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "two\nlines ü", "space: LPS", SPACE)
    np.testing.assert_array_equal(open_reader(scanned(path, "nrrd"), 0).read(0, 2), VOXELS)


@BOTH
def test_the_same_voxels_give_the_same_bytes(
    tmp_path: Path, write: Writer, kind: TextFormat, name: str
) -> None:
    for folder in ("one", kind):
        (tmp_path / folder).mkdir()
        write(VOXELS, Geometry.from_spacing(SHAPE), tmp_path / folder / name)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / kind / name).read_bytes()


class FullDisk:
    """An array whose second slab cannot be had: the disk has filled up meanwhile."""

    shape = (3, 3000, 3000)
    dtype = np.dtype(np.uint8)
    ndim = 3

    def __getitem__(self, key: slice) -> np.ndarray:
        if key.start:
            raise OSError(28, "No space left on device")
        return np.ones((key.stop - key.start, *self.shape[1:]), np.uint8)


@BOTH
def test_a_disk_that_fills_up_leaves_nothing_half_written(
    tmp_path: Path, write: Writer, kind: TextFormat, name: str
) -> None:
    with pytest.raises(OutputError, match="the disk is full"):
        write(FullDisk(), Geometry.from_spacing(FullDisk.shape), tmp_path / name)
    assert list(tmp_path.iterdir()) == [], kind


@BOTH
def test_what_cannot_be_written_exactly_is_refused(
    tmp_path: Path, write: Writer, kind: TextFormat, name: str
) -> None:
    grid = Geometry.from_spacing(SHAPE)
    with pytest.raises(InputError, match="complex64"):
        write(VOXELS.astype("c8"), grid, tmp_path / name)
    with pytest.raises(GeometryError, match="does not fit"):
        write(VOXELS[:1], grid, tmp_path / name)
    with pytest.raises(OutputError, match="does not end in"):
        write(VOXELS, grid, tmp_path / f"{kind}.png")
    assert list(tmp_path.iterdir()) == []


CHANGES = st.tuples(
    st.integers(0, 400), st.integers(0, 4), st.text("0123456789-. =:\n", max_size=6)
)


@BOTH
@given(change=CHANGES)
def test_a_broken_header_is_a_problem_or_an_error_but_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory,
    write: Writer,
    kind: TextFormat,
    name: str,
    change: tuple[int, int, str],
) -> None:
    where, cut, put = change
    path = tmp_path_factory.mktemp(kind) / name
    write(VOXELS, Geometry.from_spacing(SHAPE, (3.0, 0.7, 0.8)), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:where] + put.encode() + whole[where + cut :])
    assert isinstance(outcome(path, kind), Series | InputError)


def outcome(path: Path, kind: TextFormat) -> Series | InputError:
    try:
        series = scanned(path, kind)
        if series.regular:
            open_reader(series).read(0, 1)
    except InputError as error:
        return error
    return series


@pytest.mark.parametrize("axes", ["11111 3", "93", "0", "-3", "", "three"])
def test_a_changed_number_of_axes_does_not_take_the_process_down(tmp_path: Path, axes: str) -> None:
    path = metaimage(tmp_path / "a.mha", "ElementSpacing = 1 1 1")
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", f"NDims = {axes}".encode()))
    with pytest.raises(InputError, match="broken"):
        scan_metaimage(path)


def test_big_endian_voxels_and_other_names_of_the_place_are_read(tmp_path: Path) -> None:
    lines = ("ElementByteOrderMSB = True", "ElementSize = .5 .6 3", "Position = 1 2 3")
    data = VOXELS.astype(">i2").tobytes()
    reader = open_reader(scan_metaimage(metaimage(tmp_path / "a.mha", *lines, data=data)), 0)
    assert reader.source.geometry.spacing_mm == (3.0, 0.6, 0.5)
    assert reader.source.geometry.origin_lps == (1.0, 2.0, 3.0)
    assert reader.dtype.isnative
    np.testing.assert_array_equal(reader.read(0, 2), VOXELS)
