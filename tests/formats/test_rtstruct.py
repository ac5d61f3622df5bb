"""RT structure sets: contours to voxels, against a real mask and against plain arithmetic."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel import formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.contours import DrawnContours, inside, rasterised
from napari_medlabel.formats.dicom_rtstruct import read_structures
from tests.formats.made_seg import contour, item, save_seg, structures

Array = npt.NDArray[Any]
SHAPE = (6, 9, 11)
POINTS = st.lists(
    st.tuples(st.integers(-6, 40), st.integers(-6, 48)), min_size=3, max_size=9
)  # quarters of a pixel: many lie exactly on centres


@pytest.fixture
def grid() -> Geometry:
    turn = np.array([[0.0, 0.1, 0.9949874], [0.0, 0.9949874, -0.1], [1.0, 0.0, 0.0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * (3.0, 0.8, 0.7)
    matrix[:3, 3] = (-20.0, -35.0, 12.0)
    return Geometry(SHAPE, matrix)


def ring(grid: Geometry, k: float, *corners: tuple[float, float]) -> Array:
    return grid.lps([(k, j, i) for j, i in corners])


SQUARE = ((1.6, 1.6), (1.6, 7.4), (6.4, 7.4), (6.4, 1.6))
HOLE = ((2.6, 2.6), (2.6, 5.4), (4.4, 5.4), (4.4, 2.6))


def crossings(points: list[tuple[int, int]], row: int, column: int) -> int:
    """How often a ray from a centre towards column 0 meets the ring; exact, in quarters."""
    count = 0
    y, x = 4 * row, 4 * column
    for (y0, x0), (y1, x1) in zip(points, points[1:] + points[:1], strict=True):
        if min(y0, y1) <= y < max(y0, y1):
            at = x0 + Fraction((y - y0) * (x1 - x0), y1 - y0)
            count += at <= x
    return count


@settings(max_examples=200)
@given(st.lists(POINTS, min_size=1, max_size=3))
def test_the_centres_inside_are_those_with_an_odd_number_of_crossings(
    rings: list[list[tuple[int, int]]],
) -> None:
    mask = inside([np.array(points, np.float64) / 4.0 for points in rings], (9, 11))
    expected = [
        [sum(crossings(points, j, i) for points in rings) % 2 == 1 for i in range(11)]
        for j in range(9)
    ]
    np.testing.assert_array_equal(mask, expected)


@given(st.integers(0, 1000))
def test_regions_that_share_a_border_share_no_voxel_and_leave_none_out(seed: int) -> None:
    top, bottom = np.random.default_rng(seed).integers(-4, 48, 2) / 4.0
    left = np.array([(-2, -2), (-2, top), (10, bottom), (10, -2)], np.float64)
    right = np.array([(-2, top), (-2, 20), (10, 20), (10, bottom)], np.float64)
    a, b = inside([left], (9, 11)), inside([right], (9, 11))
    assert not (a & b).any()
    assert (a | b).all()


def test_a_real_tumour_is_the_mask_that_its_authors_made(shared_data: Path) -> None:
    folder = shared_data / "lesion-ct-lung"
    drawn = read_structures(folder / "rtstruct/DCM_RS_00060.dcm")
    image = formats.read(folder / "dicom")
    expected = formats.read(folder / "expected/mask.nii.gz")
    mask = image.source.axes.apply(rasterised(drawn, image.source.geometry, 1))
    assert image.geometry.difference_mm(expected.geometry) < 1e-3
    np.testing.assert_array_equal(mask, np.asarray(expected.levels[0]) > 0)
    assert mask.sum() == 125256
    assert drawn.segments[0].color == "#00E600"


def test_a_contour_inside_another_is_a_hole_and_a_keyholes_seam_is_none(
    tmp_path: Path, grid: Geometry
) -> None:
    hole = [ring(grid, 2, *SQUARE), ring(grid, 2, *HOLE)]
    keyhole = [ring(grid, 2, *SQUARE, SQUARE[0], HOLE[0], *reversed(HOLE), SQUARE[0])]
    drawn = read_structures(save_seg(tmp_path / "a.dcm", structures({1: hole, 2: keyhole})))
    expected = np.zeros(SHAPE, bool)
    expected[2, 2:7, 2:8] = True
    expected[2, 3:5, 3:6] = False
    np.testing.assert_array_equal(rasterised(drawn, grid, 1), expected)
    np.testing.assert_array_equal(rasterised(drawn, grid, 2), expected)


@pytest.mark.parametrize(("height", "slice_"), [(2.0, 2), (2.4, 2), (2.6, 3)])
def test_a_contour_is_in_the_slice_that_it_is_nearest_to(
    tmp_path: Path, grid: Geometry, height: float, slice_: int
) -> None:
    drawn = read_structures(
        save_seg(tmp_path / "a.dcm", structures({1: [ring(grid, height, *SQUARE)]}))
    )
    assert np.flatnonzero(rasterised(drawn, grid, 1).any(axis=(1, 2))).tolist() == [slice_]


def test_a_contour_across_the_slices_is_refused_by_how_much(tmp_path: Path, grid: Geometry) -> None:
    tilted = grid.lps([(2, 1, 1), (2, 1, 8), (3, 7, 8), (3, 7, 1)])
    drawn = read_structures(save_seg(tmp_path / "a.dcm", structures({4: [tilted]})))
    with pytest.raises(GeometryError, match=r"structure 4 is not parallel .* 3\.00 mm across"):
        rasterised(drawn, grid, 4)


def test_contours_of_two_planes_never_cancel_each_other_out(tmp_path: Path, grid: Geometry) -> None:
    both = [ring(grid, 2.3, *SQUARE), ring(grid, 1.7, *SQUARE)]
    drawn = read_structures(save_seg(tmp_path / "a.dcm", structures({1: both})))
    with pytest.raises(GeometryError, match="several planes fall on slice 3"):
        rasterised(drawn, grid, 1)


def test_what_encloses_nothing_is_left_out_and_counted(tmp_path: Path, grid: Geometry) -> None:
    dataset = structures({1: [ring(grid, 2, *SQUARE)] * 2, 2: [ring(grid, 1, (1, 1))]}, "POINT")
    closed, twice = dataset.ROIContourSequence[0].ContourSequence
    closed.ContourGeometricType = twice.ContourGeometricType = "CLOSED_PLANAR"
    open_line = contour(ring(grid, 2, *HOLE), "OPEN_PLANAR")
    dataset.ROIContourSequence[0].ContourSequence.append(open_line)
    drawn = read_structures(save_seg(tmp_path / "a.dcm", dataset))
    assert [segment.number for segment in drawn.segments] == [1]
    (problem,) = drawn.problems
    assert problem.code == "open-contours"
    assert problem.what == ("left out: 1 contours that are there twice, 1 open lines, 1 points")
    assert rasterised(drawn, grid, 1).sum() == 5 * 6


def test_what_lies_outside_is_told_and_all_of_it_outside_refused(
    tmp_path: Path, grid: Geometry
) -> None:
    half = ring(grid, 2, (-3, -3), (-3, 4.5), (4.5, 4.5), (4.5, -3))
    above = ring(grid, 9, *SQUARE)
    drawn = read_structures(
        save_seg(tmp_path / "a.dcm", structures({1: [half, above], 2: [above]}))
    )
    on_grid = DrawnContours(drawn, grid, frozenset({1}))
    assert [problem.code for problem in on_grid.problems] == ["outside-image"]
    assert "2 contours" in on_grid.problems[0].what
    assert rasterised(drawn, grid, 1).sum() == 25
    with pytest.raises(InputError, match="structure 2 lies outside"):
        rasterised(drawn, grid, 2)


def test_contours_on_every_other_slice_are_told(tmp_path: Path, grid: Geometry) -> None:
    drawn = read_structures(
        save_seg(
            tmp_path / "a.dcm",
            structures({1: [ring(grid, k, *SQUARE) for k in (0, 2, 4)]}),
        )
    )
    problems = DrawnContours(drawn, grid).problems
    assert [problem.code for problem in problems] == ["skipped-slices"]


def test_a_structure_set_is_listed_with_what_to_do_with_it(tmp_path: Path, grid: Geometry) -> None:
    path = save_seg(tmp_path / "a.dcm", structures({1: [ring(grid, 2, *SQUARE)]}))
    (series,) = formats.scan(path).series
    assert (series.kind, series.volumes) == ("other", ())
    (problem,) = series.all_problems()
    assert problem.code == "no-pixel-data"
    assert "mask of a case" in problem.hint


@pytest.mark.parametrize(
    "text", ["1\\2\\x", "1\\2", "nan\\nan\\nan\\1\\1\\1\\2\\2\\2"], ids=["word", "two", "nan"]
)
def test_points_that_are_no_numbers_are_refused(tmp_path: Path, grid: Geometry, text: str) -> None:
    path = save_seg(tmp_path / "a.dcm", structures({1: [ring(grid, 2, *SQUARE)] * 9}))
    data = path.read_bytes()
    at = data.index(b"\x06\x30\x50\x00DS")
    length = int.from_bytes(data[at + 6 : at + 8], "little")
    value = text.encode().ljust(length)
    path.write_bytes(data[: at + 8] + value + data[at + 8 + length :])
    with pytest.raises(InputError) as caught:
        read_structures(path)
    assert "\n" not in str(caught.value)


@settings(max_examples=150)
@given(data=st.data())
def test_no_damage_to_the_bytes_of_a_structure_set_is_a_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, good: bytes
) -> None:
    at = data.draw(st.integers(0, len(good) - 1))
    size = data.draw(st.integers(0, 40))
    new = data.draw(st.binary(max_size=8))
    path = tmp_path_factory.mktemp("rt") / "a.dcm"
    path.write_bytes(good[:at] + new + good[at + size :])
    matrix = np.diag([3.0, 0.8, 0.7, 1.0])[:, [2, 1, 0, 3]]
    try:
        drawn = read_structures(path)
        mask = rasterised(drawn, Geometry(SHAPE, matrix), drawn.segments[0].number)
    except InputError:
        return
    assert mask.shape == SHAPE


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    matrix = np.diag([3.0, 0.8, 0.7, 1.0])[:, [2, 1, 0, 3]]
    grid = Geometry(SHAPE, matrix)
    dataset = structures({1: [ring(grid, 2, *SQUARE), ring(grid, 2, *HOLE)]})
    dataset.RTROIObservationsSequence = [item(ReferencedROINumber=1, ObservationNumber=1)]
    return save_seg(tmp_path_factory.mktemp("rt") / "a.dcm", dataset).read_bytes()


def test_contours_that_cross_fill_what_both_enclose(tmp_path: Path, grid: Geometry) -> None:
    one = ring(grid, 1, (0.6, 0.6), (0.6, 4.4), (4.4, 4.4), (4.4, 0.6))
    other = ring(grid, 1, (2.6, 2.6), (2.6, 6.4), (6.4, 6.4), (6.4, 2.6))
    read = read_structures(save_seg(tmp_path / "s", structures({1: [one, other]})))
    drawn = DrawnContours(read, grid)
    mask = np.zeros(grid.shape, bool)
    for patches in drawn.planes():
        for patch in patches:
            mask[patch.where] |= patch.mask
    assert mask[1, 3, 3]
    assert mask[1, 1, 1]
    assert mask[1, 6, 6]
    assert not mask[1, 1, 6]
    assert "crossing-contours" in {problem.code for problem in drawn.problems}


def test_contours_between_slices_are_told_with_how_far(tmp_path: Path, grid: Geometry) -> None:
    drawn_at = ring(grid, 1.4, (2, 2), (2, 8), (8, 8))
    read = read_structures(save_seg(tmp_path / "s", structures({1: [drawn_at]})))
    (problem,) = DrawnContours(read, grid).problems
    assert problem.code == "contours-off-slices"
    assert "mm off" in problem.what
