"""Resampling: exact on what is linear, exact on the slices themselves, and honest outside."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import SimpleITK
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator

from napari_medlabel import formats
from napari_medlabel.core.derivation import Choice, Derivation, SlicePlanes
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import FoundVolume, Series, Source, volume_sha256
from napari_medlabel.core.volume import slice_sha256 as digest
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.formats.onto_source import onto_source, parts_of_source
from napari_medlabel.formats.resample import (
    ResampledReader,
    derivation_of,
    fill_value,
)
from napari_medlabel.formats.resample_plan import plan_of, usual_step_mm
from tests.formats.made_dicom import AXIAL, SAGITTAL, normal, oblique, ramp, save_all, stack

Array = npt.NDArray[Any]
FIELD = np.array([1.5, -2.25, 3.125])  # per mm


def planes_at(
    heights: list[float],
    tilt: float = 0.0,
    orientation: tuple[float, ...] = AXIAL,
    *,
    shape: tuple[int, int] = (6, 5),
    lean: float = 0.0,
) -> SlicePlanes:
    """Slices at these heights, each shifted along its columns by `tilt` for each mm of height."""
    across, down = np.asarray(orientation[:3]), np.asarray(orientation[3:])
    positions = np.array([-20.0, 30.0, 5.0]) + np.array(
        [height * normal(orientation) + height * tilt * down for height in heights]
    )
    down = down + lean * across
    pixel_mm = (1.25, 0.75)
    return SlicePlanes(positions, across, down / np.linalg.norm(down), pixel_mm, *shape)


def places(planes: SlicePlanes) -> Array:
    """LPS of every voxel of the slices, `[n, row, column, 3]`."""
    rows = np.arange(planes.rows)[:, None, None] * planes.down * planes.pixel_mm[0]
    columns = np.arange(planes.columns)[:, None] * planes.across * planes.pixel_mm[1]
    return planes.positions_lps[:, None, None] + rows + columns


def grid_places(geometry: Geometry) -> Array:
    return geometry.lps(np.moveaxis(np.indices(geometry.shape), 0, -1))


def reader_of(
    voxels: Array,
    planes: SlicePlanes,
    step_mm: float | None = None,
    *,
    nearest: bool = False,
    unit: str = "HU",
) -> ResampledReader:
    """The slices as a resampled volume."""
    plan = plan_of(planes, step_mm)
    inner = MemoryReader(voxels, Source("dicom", Geometry.from_spacing(voxels.shape)), unit=unit)
    method = "nearest" if nearest else "linear"
    recipe = derivation_of(planes, plan, method=method, fill=fill_value(unit, voxels.dtype))
    return ResampledReader(inner, plan, recipe, FoundVolume("", plan.geometry))


def whole(reader: ResampledReader) -> Array:
    return reader.read(0, reader.source.geometry.shape[0])


def own_index(planes: SlicePlanes, points: Array) -> tuple[Array, Array, Array]:
    """Height, row and column (of the first slice) of points, solved without the plan."""
    basis = np.stack(
        [planes.normal, planes.down * planes.pixel_mm[0], planes.across * planes.pixel_mm[1]], 1
    )
    found = np.linalg.solve(basis, (points - planes.positions_lps[0]).reshape(-1, 3).T)
    shape = points.shape[:-1]
    return found[0].reshape(shape), found[1].reshape(shape), found[2].reshape(shape)


def covered(planes: SlicePlanes, points: Array) -> Array:
    """Points that lie between voxel centres of the slice below and of the one above."""
    height, row, column = own_index(planes, points)
    heights, first_row, first_column = own_index(planes, planes.positions_lps)
    inside = (height > heights[0] - 0.011) & (height < heights[-1] + 0.011)
    # Near a slice, whichever two it may be taken to lie between.
    for near in (0.011, -0.011):
        below = np.clip(np.searchsorted(heights, height + near, "right") - 1, 0, len(heights) - 1)
        for n in (below, np.minimum(below + 1, len(heights) - 1)):
            r, c = row - first_row[n], column - first_column[n]
            inside &= (r >= -1e-6) & (r <= planes.rows - 1 + 1e-6)
            inside &= (c >= -1e-6) & (c <= planes.columns - 1 + 1e-6)
    return inside


def linearly(image: SimpleITK.Image, onto: SimpleITK.Image) -> SimpleITK.Image:
    return SimpleITK.Resample(image, onto, SimpleITK.Transform(), SimpleITK.sitkLinear, -1024.0)


steps = st.lists(st.floats(0.3, 9.0), min_size=1, max_size=6)
orientations = st.sampled_from([AXIAL, SAGITTAL, oblique(), oblique(-33.0)])


@example([7.190510270455911, 8.197265625], 0.5, AXIAL, 0.5125799883702449, 0.0)
@given(steps, st.floats(-0.5, 0.5), orientations, st.floats(0.3, 6.0), st.floats(-0.3, 0.3))
def test_a_linear_field_comes_back_wherever_there_are_slices(
    gaps: list[float], tilt: float, orientation: tuple[float, ...], step: float, lean: float
) -> None:
    planes = planes_at([0.0, *np.cumsum(gaps)], tilt, orientation, lean=lean)
    reader = reader_of(places(planes) @ FIELD + 7.0, planes, step)
    points = grid_places(reader.source.geometry)
    inside = covered(planes, points)
    # A plane within 0.01 mm of a slice, or a pixel within 0.001, is taken as that.
    off = np.abs(whole(reader) - (points @ FIELD + 7.0))[inside]
    assert off.max(initial=0.0) < 0.012 * np.linalg.norm(FIELD)


@given(steps, st.floats(-0.5, 0.5), orientations, st.floats(-0.3, 0.3))
def test_the_grid_is_right_angled_and_no_slice_is_outside(
    gaps: list[float], tilt: float, orientation: tuple[float, ...], lean: float
) -> None:
    planes = planes_at([0.0, *np.cumsum(gaps)], tilt, orientation, lean=lean)
    grid = plan_of(planes).geometry
    assert grid.shear < 1e-9
    assert grid.spacing_mm[2] == pytest.approx(0.75)
    index = grid.kji(places(planes))
    assert index.min() >= -0.5 - 1e-3
    assert (index.max(axis=(0, 1, 2)) <= np.array(grid.shape) - 0.5 + 1e-3).all()


@given(steps, st.floats(-0.5, 0.5), orientations)
def test_labels_that_go_onto_a_finer_grid_come_back_as_they_were(
    gaps: list[float], tilt: float, orientation: tuple[float, ...]
) -> None:
    planes = planes_at([0.0, *np.cumsum(gaps)], tilt, orientation)
    shape = (len(planes.positions_lps), planes.rows, planes.columns)
    labels = ramp(shape, np.uint8, 200)
    reader = reader_of(labels, planes, min(gaps) * 0.9, nearest=True, unit="stored")
    made = whole(reader)
    assert set(np.unique(made)) <= {0, *np.unique(labels)}
    parts = onto_source(made, reader.source)
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), labels)
    where = np.concatenate([grid_places(geometry) for geometry, _ in parts])
    assert np.linalg.norm(where - places(planes), axis=-1).max() < 0.03


def test_a_plane_that_is_a_slice_has_its_values_exactly() -> None:
    voxels = ramp((5, 6, 5)) - 1000
    planes = planes_at([0.0, 5.0, 10.0, 20.0, 22.5])
    reader = reader_of(voxels, planes)
    made = whole(reader)
    assert reader.source.geometry.shape == (6, 6, 5)  # to within half a step of the last slice
    for plane, own in ((0, 0), (1, 1), (2, 2), (4, 3)):
        np.testing.assert_array_equal(made[plane], voxels[own])
    between = np.rint((voxels[2].astype(float) + voxels[3]) / 2.0)
    np.testing.assert_array_equal(made[3], between)
    np.testing.assert_array_equal(made[5], voxels[4])


def test_uneven_slices_agree_with_scipy() -> None:
    heights = [0.0, 1.1, 4.0, 4.9, 9.5]
    voxels = np.random.default_rng(3).normal(size=(5, 6, 5))
    planes = planes_at(heights)
    reader = reader_of(voxels, planes, 0.7)
    height, row, column = own_index(planes, grid_places(reader.source.geometry))
    inside = height <= heights[-1]
    there = RegularGridInterpolator((heights, range(6), range(5)), voxels)
    expected = there(np.stack([height, row.round(6), column.round(6)], -1)[inside])
    np.testing.assert_allclose(whole(reader)[inside], expected, atol=1e-9)


def test_tilted_slices_agree_with_each_slice_shifted_by_simpleitk() -> None:
    voxels = np.random.default_rng(4).normal(size=(4, 9, 7))
    planes = planes_at([0.0, 2.0, 4.0, 6.0], tilt=0.33, shape=(9, 7))
    reader = reader_of(voxels, planes)  # planes are slices: only the tilt is corrected
    grid = reader.source.geometry
    made = whole(reader)
    for n, plane in enumerate(voxels):
        image = SimpleITK.GetImageFromArray(plane)
        shift = float(grid.kji(planes.positions_lps[n])[1])
        image.SetOrigin((0.0, shift))
        wanted = SimpleITK.Image([grid.shape[2], grid.shape[1]], SimpleITK.sitkFloat64)
        shifted = SimpleITK.Resample(
            image, wanted, SimpleITK.Transform(), SimpleITK.sitkLinear, -1024.0
        )
        np.testing.assert_allclose(made[n], SimpleITK.GetArrayFromImage(shifted), atol=1e-6)


def test_another_step_agrees_with_simpleitk_to_the_edges() -> None:
    voxels = np.random.default_rng(5).normal(size=(6, 9, 7))
    planes = planes_at([3.0 * n for n in range(6)], shape=(9, 7))
    reader = reader_of(voxels, planes, 2.0)
    image = SimpleITK.GetImageFromArray(voxels)
    image.SetSpacing((0.75, 1.25, 3.0))
    wanted = SimpleITK.Image(list(reader.source.geometry.shape[::-1]), SimpleITK.sitkFloat64)
    wanted.SetSpacing((0.75, 1.25, 2.0))
    expected = SimpleITK.Resample(
        image, wanted, SimpleITK.Transform(), SimpleITK.sitkLinear, -1024.0
    )
    np.testing.assert_allclose(whole(reader), SimpleITK.GetArrayFromImage(expected), atol=1e-6)


@pytest.mark.parametrize(
    ("unit", "dtype", "fill"),
    [("HU", np.int16, -1024), ("HU", np.float32, -1024), ("HU", np.uint16, 0),
     ("stored", np.int16, 0)],
)  # fmt: skip
def test_outside_every_slice_is_the_fill_value(unit: str, dtype: type, fill: int) -> None:
    planes = planes_at([0.0, 5.0], tilt=1.0)
    voxels = np.full((2, 6, 5), 77, dtype)
    reader = reader_of(voxels, planes, unit=unit)
    made = whole(reader)
    assert made.dtype == dtype
    assert made.shape == (2, 10, 5)
    assert (made[0, :6] == 77).all()
    assert (made[0, 6:] == fill).all()
    assert (made[1, :4] == fill).all()
    assert (made[1, 4:] == 77).all()
    assert reader.source.derivation is not None
    assert reader.source.derivation.fill == fill


@given(st.data())
def test_slabs_in_any_order_are_the_whole_and_know_the_hash_of_all_slices(
    data: st.DataObject,
) -> None:
    gaps = data.draw(steps)
    planes = planes_at([0.0, *np.cumsum(gaps)], 0.2)
    voxels = ramp((len(gaps) + 1, 6, 5))
    step = data.draw(st.floats(0.5, 12.0).filter(lambda mm: mm <= 1000))
    expected = whole(reader_of(voxels, planes, step))
    reader = reader_of(voxels, planes, step)
    depth = reader.source.geometry.shape[0]
    cuts = sorted({0, depth, *data.draw(st.lists(st.integers(0, depth), max_size=3))})
    slabs = list(pairwise(cuts))
    assert reader.source.derivation is not None
    assert reader.source.derivation.source_sha256 == ""
    with ThreadPoolExecutor(2) as pool:
        read = dict(zip(slabs, pool.map(lambda slab: reader.read(*slab), slabs), strict=True))
    np.testing.assert_array_equal(np.concatenate([read[slab] for slab in slabs]), expected)
    sha256 = volume_sha256(digest(plane) for plane in voxels)
    assert reader.source.derivation.source_sha256 == sha256


@pytest.mark.parametrize(
    ("heights", "step"),
    [
        ([0, 4, 8, 15, 22, 29], 7.0),
        ([0, 4, 8, 15, 22], 4.0),  # as many of 4 as of 7: the smaller one
        ([0, 5, 10, 20], 5.0),
        ([0, 4.99, 10.0, 15.01, 20.0], 5.0),  # rounding makes no step of its own
        ([0, 3], 3.0),
    ],
)
def test_the_usual_step_is_the_most_frequent_one(heights: list[float], step: float) -> None:
    assert usual_step_mm(np.array(heights, np.float64)) == pytest.approx(step, abs=1e-9)


@pytest.mark.parametrize("step", [0.0, -1.0, float("nan"), float("inf"), 1e-9, 1e6])
def test_a_step_that_is_no_length_is_refused(step: float) -> None:
    with pytest.raises(InputError, match="no step"):
        plan_of(planes_at([0.0, 5.0]), step)


def test_slices_that_no_grid_holds_are_refused() -> None:
    with pytest.raises(GeometryError, match="one slice"):
        plan_of(planes_at([0.0]))
    with pytest.raises(GeometryError, match="one height"):
        plan_of(planes_at([0.0, 5.0, 5.0]))
    scattered = planes_at([0.0, 5.0, 10.0])
    far = scattered.positions_lps + np.array([[0, 0, 0], [9000, 0, 0], [0, 9000, 0]])
    with pytest.raises(GeometryError, match="times as many"):
        plan_of(replace(scattered, positions_lps=far))


def test_a_derivation_comes_back_from_its_document() -> None:
    planes = planes_at([0.0, 5.0, 20.0], 0.3)
    made = derivation_of(planes, plan_of(planes), method="linear", fill=-1024.0)
    back = Derivation.from_document(made.document())
    assert back.document() == made.document()
    assert made.tilt_deg == pytest.approx(np.degrees(np.arctan(0.3)), abs=1e-3)
    assert [gap.slices for gap in made.interpolated] == [2]
    with pytest.raises(ValueError, match="kind"):
        Derivation.from_document(made.document() | {"kind": "guessed"})


# As a choice for a series


def scanned(folder: Path) -> Series:
    (series,) = formats.scan(folder).series
    return series


def test_a_series_with_a_gap_is_resampled_on_request_only(tmp_path: Path) -> None:
    stored = ramp((4, 6, 5)) % 2000
    save_all(tmp_path, stack(stored, [0.0, 5.0, 10.0, 20.0]))
    series = scanned(tmp_path)
    with pytest.raises(GeometryError, match="missing"):
        formats.open_reader(series)
    assert formats.choices_for(series) == ("split", "largest-run", "resample")
    derived = formats.with_choice(series, Choice("resample"))
    assert derived.regular
    (found,) = derived.volumes
    assert [problem.code for problem in found.problems] == ["resampled"]
    assert "1 of them interpolated" in found.problems[0].what
    reader = formats.open_reader(derived)
    made = reader.read(0, 5)
    for plane, own in ((0, 0), (1, 1), (2, 2), (4, 3)):
        np.testing.assert_array_equal(made[plane], stored[own] - 1024)
    source = reader.source
    assert [one.slice for one in source.instances] == [0, 1, 2, 3]
    assert all(one.sha256 for one in reader.hashes())
    (first, last) = onto_source(made, source)
    np.testing.assert_array_equal(first[1], stored[:3] - 1024)
    np.testing.assert_array_equal(last[1], stored[3:] - 1024)
    assert last[0].spacing_mm[0] == pytest.approx(5.0)
    (low, _), (high, labels) = parts_of_source(made, source)
    assert [one.slice for one in low.instances] == [0, 1, 2]
    assert [(one.uid, one.slice) for one in high.instances] == [(source.instances[3].uid, 0)]
    assert high.derivation is None
    assert labels.shape == high.geometry.shape


def test_a_tilted_series_goes_back_onto_its_own_sheared_grid(tmp_path: Path) -> None:
    shifted = stack(ramp((4, 6, 5)))
    for n, one in enumerate(shifted):
        one.ImagePositionPatient[1] = float(one.ImagePositionPatient[1]) + 1.3 * n
    save_all(tmp_path, shifted)
    series = scanned(tmp_path)
    assert formats.choices_for(series) == ("resample",)
    derived = formats.with_choice(series, Choice("resample"))
    (found,) = derived.volumes
    assert found.geometry is not None
    assert found.geometry.is_right_angled
    assert "18.0 degrees corrected" in found.problems[-1].what
    reader = formats.open_reader(derived)
    assert reader.source.derivation is not None
    assert reader.source.derivation.tilt_deg == pytest.approx(18.004, abs=1e-3)
    mask = np.ones(found.geometry.shape, np.uint8)
    ((geometry, labels),) = onto_source(mask, reader.source)
    own = series.volumes[0].geometry
    assert own is not None
    assert geometry.difference_mm(own) < 1e-6
    assert labels.shape == (4, 6, 5)
    assert labels.all()


def test_a_right_angled_series_stays_as_it_is_unless_a_step_is_given(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp((3, 6, 5))))
    series = scanned(tmp_path)
    assert formats.choices_for(series) == ()
    for name in ("refuse", "split", "largest-run", "resample"):
        assert formats.with_choice(series, Choice(name)).volumes == series.volumes
    (finer,) = formats.with_choice(series, Choice("resample", 2.0)).volumes
    assert finer.geometry is not None
    assert finer.geometry.shape == (5, 6, 5)
    with pytest.raises(InputError, match="no choice"):
        formats.with_choice(series, Choice("guess"))  # type: ignore[arg-type]


def test_what_is_wrong_in_the_pixels_is_not_mended_by_resampling(tmp_path: Path) -> None:
    colours = stack(ramp((4, 6, 5)), [0.0, 5.0, 10.0, 20.0], SamplesPerPixel=3)
    save_all(tmp_path, colours)
    series = scanned(tmp_path)
    assert formats.choices_for(series) == ()
    assert not formats.with_choice(series, Choice("resample")).regular


def test_a_sheared_file_is_resampled_on_request(tmp_path: Path) -> None:
    matrix = Geometry.from_spacing((4, 6, 5), (3.0, 1.0, 1.0)).lps_from_kji.copy()
    matrix[1, 0] = 1.0  # each slice one row farther back
    sheared = Geometry((4, 6, 5), matrix)
    voxels = ramp((4, 6, 5))
    formats.write(voxels, sheared, tmp_path / "a.nii.gz")
    series = scanned(tmp_path / "a.nii.gz")
    assert formats.choices_for(series) == ("resample",)
    reader = formats.open_reader(formats.with_choice(series, Choice("resample")))
    made = reader.read(0, reader.source.geometry.shape[0])
    ((geometry, back),) = onto_source(made, reader.source)
    own = formats.open_reader(series)
    np.testing.assert_array_equal(back, own.read(0, back.shape[0]))
    assert geometry.difference_mm(own.source.geometry) < 1e-4
    assert reader.source.derivation is not None
    assert reader.source.derivation.source_sha256 == formats.read(tmp_path / "a.nii.gz").sha256


def test_labels_do_not_fit_another_grid() -> None:
    planes = planes_at([0.0, 5.0])
    reader = reader_of(ramp((2, 6, 5)), planes)
    with pytest.raises(GeometryError, match="do not fit"):
        onto_source(np.zeros((2, 6, 6), np.uint8), reader.source)
    plain = Source("nifti", Geometry.from_spacing((2, 3, 4)))
    labels = np.zeros((2, 3, 4), np.uint8)
    assert onto_source(labels, plain) == [(plain.geometry, labels)]
