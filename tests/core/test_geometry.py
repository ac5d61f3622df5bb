"""Where voxels are: every conversion has an inverse, no layout moves a voxel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.geometry import RAS_FROM_LPS, Axes, Geometry
from napari_medlabel.errors import GeometryError
from napari_medlabel.testing import axes, geometries, shapes

CLOSE_MM = 1e-9


def indices(geometry: Geometry) -> np.ndarray:
    """Every index of the grid, `[k, j, i, 3]`."""
    return np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)


@given(geometries())
def test_index_to_position_and_back_is_the_same_index(geometry: Geometry) -> None:
    kji = indices(geometry)
    np.testing.assert_allclose(geometry.kji(geometry.lps(kji)), kji, atol=1e-8)


@given(geometries())
def test_to_nifti_and_back_moves_no_voxel(geometry: Geometry) -> None:
    back = Geometry.from_nifti(geometry.shape[::-1], geometry.to_nifti())
    assert back.difference_mm(geometry) < CLOSE_MM


@given(geometries())
def test_nifti_counts_the_same_voxel_from_the_fastest_axis_in_ras(geometry: Geometry) -> None:
    corner = np.array(geometry.shape) - 1
    ras = geometry.to_nifti() @ [*corner[::-1], 1]
    np.testing.assert_allclose(RAS_FROM_LPS @ ras, [*geometry.lps(corner), 1], atol=CLOSE_MM)


@given(geometries(), axes())
def test_a_layout_keeps_every_voxel_where_it_is(geometry: Geometry, layout: Axes) -> None:
    positions = geometry.lps(indices(geometry))
    numbers = np.arange(positions[..., 0].size).reshape(geometry.shape)
    laid_out = geometry.laid_out(layout)
    turned = layout.apply(numbers)
    assert turned.shape == laid_out.shape
    moved = laid_out.lps(indices(laid_out))
    np.testing.assert_allclose(moved, positions.reshape(-1, 3)[turned], atol=CLOSE_MM)


@given(geometries(), axes())
def test_a_layout_and_its_inverse_give_the_grid_back(geometry: Geometry, layout: Axes) -> None:
    back = geometry.laid_out(layout).laid_out(layout.inverse())
    assert back.difference_mm(geometry) < CLOSE_MM


@given(axes(), shapes())
def test_a_layout_and_its_inverse_give_the_array_back(
    layout: Axes, shape: tuple[int, int, int]
) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    np.testing.assert_array_equal(layout.inverse().apply(layout.apply(array)), array)
    assert layout.inverse().inverse() == layout
    assert layout.is_identity == (layout == Axes())


@given(geometries())
def test_canonical_is_idempotent(geometry: Geometry) -> None:
    assert geometry.laid_out(geometry.canonical).canonical.is_identity


@given(geometries(max_shear=0.0))
def test_canonical_axes_run_to_the_head_to_posterior_and_to_the_left(geometry: Geometry) -> None:
    k, j, i = geometry.laid_out(geometry.canonical).direction.T
    assert k[2] > -1e-6
    assert j[1] > -1e-6
    assert i[0] > -1e-6


@pytest.mark.parametrize("degrees", [45.0, 135.0, 225.0, 315.0])
def test_canonical_is_idempotent_exactly_halfway_between_two_axes(degrees: float) -> None:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = Geometry.from_spacing((1, 1, 1)).lps_from_kji.copy()
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    matrix[:3, :3] = turn @ matrix[:3, :3]
    geometry = Geometry((2, 3, 4), matrix)
    assert geometry.laid_out(geometry.canonical).canonical.is_identity


@given(geometries())
def test_a_layout_changes_no_length_volume_or_angle(geometry: Geometry) -> None:
    laid_out = geometry.laid_out(geometry.canonical)
    assert sorted(laid_out.spacing_mm) == pytest.approx(sorted(geometry.spacing_mm))
    assert laid_out.voxel_ml == pytest.approx(geometry.voxel_ml)
    assert laid_out.shear == pytest.approx(geometry.shear, abs=1e-12)
    assert laid_out.obliquity_deg == pytest.approx(geometry.obliquity_deg, abs=1e-4)


@given(geometries(), st.tuples(*[st.integers(1, 3)] * 3))
def test_a_coarser_voxel_lies_at_the_middle_of_those_it_joins(
    geometry: Geometry, factors: tuple[int, int, int]
) -> None:
    coarse = geometry.coarser(factors)
    first = np.stack(np.meshgrid(*map(np.arange, factors), indexing="ij"), -1).reshape(-1, 3)
    middle = geometry.lps(first).mean(axis=0)
    np.testing.assert_allclose(coarse.lps((0, 0, 0)), middle, atol=CLOSE_MM)
    assert coarse.spacing_mm == pytest.approx(np.multiply(geometry.spacing_mm, factors))
    assert all(
        (c - 1) * f < n <= c * f
        for c, f, n in zip(coarse.shape, factors, geometry.shape, strict=True)
    )


@given(geometries())
def test_a_document_gives_the_same_grid_to_the_last_bit(geometry: Geometry) -> None:
    back = Geometry.from_document(geometry.document())
    assert back.shape == geometry.shape
    np.testing.assert_array_equal(back.lps_from_kji, geometry.lps_from_kji)


@given(geometries(), st.tuples(*[st.floats(-5, 5)] * 3))
def test_two_grids_are_as_far_apart_as_one_was_shifted(
    geometry: Geometry, shift: tuple[float, float, float]
) -> None:
    matrix = geometry.lps_from_kji.copy()
    matrix[:3, 3] += shift
    moved = Geometry(geometry.shape, matrix)
    distance = float(np.linalg.norm(shift))
    assert geometry.difference_mm(moved) == pytest.approx(distance, abs=1e-9)
    assert geometry.same_grid(moved) == (geometry.difference_mm(moved) <= 1e-3)


def test_grids_of_other_shapes_are_never_the_same() -> None:
    one, other = Geometry.from_spacing((2, 3, 4)), Geometry.from_spacing((2, 3, 5))
    assert not one.same_grid(other, tolerance_mm=1e6)


def test_an_axial_grid_is_canonical_and_its_numbers_are_what_was_given() -> None:
    geometry = Geometry.from_spacing((4, 5, 6), (3.0, 0.5, 0.7), (-10.0, 20.0, 30.0))
    assert geometry.canonical.is_identity
    assert geometry.spacing_mm == (3.0, 0.5, 0.7)
    assert geometry.origin_lps == (-10.0, 20.0, 30.0)
    assert geometry.voxel_ml == pytest.approx(3.0 * 0.5 * 0.7 / 1000)
    np.testing.assert_allclose(geometry.lps((1, 2, 3)), [-10 + 3 * 0.7, 20 + 2 * 0.5, 30 + 3.0])


def test_nobody_can_change_a_geometry() -> None:
    matrix = np.eye(4)
    geometry = Geometry((1, 1, 1), matrix)
    matrix[0, 3] = 5.0
    assert geometry.origin_lps == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="read-only"):
        geometry.lps_from_kji[0, 3] = 5.0


def with_entry(row: int, column: int, value: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[row, column] = value
    return matrix


@pytest.mark.parametrize(
    "matrix",
    [
        np.eye(3),
        with_entry(0, 0, 0.0),
        with_entry(0, 0, np.nan),
        with_entry(1, 3, np.inf),
        with_entry(3, 0, 1.0),
        with_entry(2, 2, 1e200),
        with_entry(0, 0, 1.0) @ np.diag([1.0, 1.0, 1e-12, 1.0]),
        np.array([[1, 1, 0, 0], [1, 1 + 1e-6, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
    ],
)
def test_a_matrix_that_places_no_voxels_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(GeometryError):
        Geometry((2, 2, 2), matrix)


@pytest.mark.parametrize("shape", [(0, 1, 1), (2, 2), (1, -1, 1), ()])
def test_a_grid_without_voxels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(GeometryError, match="at least one voxel"):
        Geometry(shape, np.eye(4))  # type: ignore[arg-type]


@pytest.mark.parametrize("document", [{}, {"shape": [1, 2]}, {"shape": 3, "lps_from_kji": []}])
def test_what_is_no_geometry_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(GeometryError):
        Geometry.from_document(document)


def test_axes_that_are_no_permutation_are_refused() -> None:
    with pytest.raises(GeometryError, match="permutation"):
        Axes((0, 0, 1))
