"""Surfaces against the masks they are of: by laws, and balls and boxes of known size."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.geometry import BoolArray, Geometry, Spacing
from napari_medlabel.core.surface import Surface, coarser, hit, surface
from napari_medlabel.errors import GeometryError
from napari_medlabel.testing import geometries, shapes

MASKS = shapes(7).flatmap(lambda shape: hnp.arrays(bool, shape))
SHEARED = np.array([
    [0.1, 0.02, 0.9, -40.0],
    [-0.9, 0.8, 0.1, 12.0],
    [2.4, 0.1, -0.2, 300.0],
    [0.0, 0.0, 0.0, 1.0],
])  # fmt: skip


@st.composite
def masks_somewhere(draw: st.DrawFn) -> tuple[BoolArray, Geometry]:
    geometry = draw(geometries())
    return draw(hnp.arrays(bool, geometry.shape)), geometry


def ball(geometry: Geometry, radius_mm: float) -> tuple[BoolArray, np.ndarray]:
    """Voxels within the radius of a centre that is no voxel's."""
    center = geometry.lps([(n - 1) / 2 + 0.3 for n in geometry.shape])
    every = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    return np.linalg.norm(geometry.lps(every) - center, axis=-1) <= radius_mm, center


def open_edges(found: Surface) -> list[tuple[int, int]]:
    """Edges that are not gone along as often one way as the other."""
    around = found.faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    count = Counter(map(tuple, around.tolist()))
    return [edge for edge, times in count.items() if count[edge[::-1]] != times]


@given(masks_somewhere())
def test_a_surface_is_closed_and_goes_round_one_way(case: tuple[BoolArray, Geometry]) -> None:
    mask, geometry = case
    assert open_edges(surface(mask, geometry)) == []


@given(masks_somewhere())
def test_every_point_lies_between_voxels_inside_and_outside(
    case: tuple[BoolArray, Geometry],
) -> None:
    mask, geometry = case
    found = surface(mask, geometry)
    around = np.pad(mask, 1).astype(int)
    size = max(float(np.abs(geometry.lps_from_kji).max()), 1.0)
    room = 1e-5 * size / min(geometry.spacing_mm)  # points are float32
    cell = np.floor(geometry.kji(found.points_lps) + 1.0).astype(int)
    within = geometry.kji(found.points_lps) + 1.0 - cell
    corners = [(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]
    inside = sum(around[tuple((cell + corner).T)] for corner in corners)
    mixed = (inside > 0) & (inside < 8)
    assert mixed[(within > room).all(axis=1) & (within < 1 - room).all(axis=1)].all()


@given(masks_somewhere())
def test_normals_are_of_length_one_and_agree_with_the_faces(
    case: tuple[BoolArray, Geometry],
) -> None:
    mask, geometry = case
    found = surface(mask, geometry)
    length = np.linalg.norm(found.normals, axis=1)
    assert (np.isclose(length, 1.0, atol=1e-4) | (length < 1e-4)).all()
    assert np.isfinite(found.points_lps).all()
    assert found.is_nothing == (not mask.any())
    if mask.any():
        assert found.volume_ml > 0.0


@given(MASKS, st.sampled_from([(1.0, 1.0, 1.0), (2.5, 0.7, 0.8)]))
def test_an_affine_moves_the_surface_exactly(mask: BoolArray, spacing_mm: Spacing) -> None:
    plain = surface(mask, Geometry.from_spacing(mask.shape, spacing_mm))
    sheared = surface(mask, Geometry(mask.shape, SHEARED))
    kji = Geometry.from_spacing(mask.shape, spacing_mm).kji(plain.points_lps)
    moved = Geometry(mask.shape, SHEARED).lps(kji)
    np.testing.assert_allclose(sheared.points_lps, moved, atol=1e-3)


@pytest.mark.parametrize("radius_mm", [5.0, 10.0, 30.0])
@pytest.mark.parametrize("spacing_mm", [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (1.0, 0.9, 1.5)])
def test_a_ball_is_where_it_is_to_one_millimetre(spacing_mm: Spacing, radius_mm: float) -> None:
    shape = [int(2 * radius_mm / step) + 6 for step in spacing_mm]
    geometry = Geometry.from_spacing(shape, spacing_mm, (-80.0, 20.0, 1000.0))
    mask, center = ball(geometry, radius_mm)
    found = surface(mask, geometry)
    away_mm = np.linalg.norm(found.points_lps - center, axis=1)
    assert np.abs(away_mm - radius_mm).max() < 1.0
    assert abs(away_mm.mean() - radius_mm) < 0.15
    assert found.volume_ml == pytest.approx(mask.sum() * geometry.voxel_ml, rel=0.05)
    out = np.sum(found.normals * (found.points_lps - center), axis=1) / away_mm
    assert out.min() > 0.7


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_ball_on_a_sheared_grid_is_where_it_is_and_faces_out(mirrored: bool) -> None:  # noqa: FBT001
    matrix = SHEARED @ np.diag([1.0, 1.0, -1.0 if mirrored else 1.0, 1.0])
    geometry = Geometry((24, 70, 70), matrix)
    mask, center = ball(geometry, 20.0)
    assert not mask[:, 0].any()
    assert not mask[0].any()
    found = surface(mask, geometry)
    away_mm = np.linalg.norm(found.points_lps - center, axis=1)
    # Half the spacing of slices that are 2.6 mm apart.
    assert np.abs(away_mm - 20.0).max() < 1.6
    assert abs(away_mm.mean() - 20.0) < 0.15
    out = np.sum(found.normals * (found.points_lps - center), axis=1) / away_mm
    assert out.mean() > 0.94
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 8.0, rel=0.03)


def test_a_box_has_its_size_and_ends_at_the_border_of_its_array() -> None:
    geometry = Geometry.from_spacing((20, 30, 40), (2.0, 1.0, 0.5))
    found = surface(np.ones((20, 30, 40), bool), geometry)
    low, high = found.points_lps.min(axis=0), found.points_lps.max(axis=0)
    np.testing.assert_allclose(low, [-0.25, -0.5, -1.0], atol=0.15)
    np.testing.assert_allclose(high, [19.75, 29.5, 39.0], atol=0.15)
    assert found.volume_ml == pytest.approx(40 * 30 * 20 / 1000, rel=0.02)


def test_one_voxel_and_a_line_of_voxels_are_seen() -> None:
    geometry = Geometry.from_spacing((5, 5, 30), (3.0, 1.0, 1.0))
    mask = np.zeros((5, 5, 30), bool)
    mask[2, 2, 2] = mask[1, 1, 5:29] = True
    found = surface(mask, geometry)
    assert len(found.faces) == 2 * (6 + 4 * 24 + 2)
    assert found.points_lps[:, 0].max() > 28.0


@pytest.mark.parametrize("most_faces", [2_000, 6_000, 20_000])
def test_a_large_surface_is_made_coarser_and_stays_in_place(most_faces: int) -> None:
    geometry = Geometry.from_spacing((60, 140, 140), (2.0, 0.8, 0.8), (5.0, 6.0, 7.0))
    mask, center = ball(geometry, 50.0)
    found = surface(mask, geometry, most_faces=most_faces)
    assert most_faces / 6 < len(found.faces) <= most_faces
    assert open_edges(found) == []
    away_mm = np.linalg.norm(found.points_lps - center, axis=1)
    step_mm = (4 * np.pi * 50.0**2 / (len(found.faces) / 3)) ** 0.5  # of a square of the net
    assert np.abs(away_mm - 50.0).max() < max(1.0, 0.75 * step_mm)
    assert found.volume_ml == pytest.approx(mask.sum() * geometry.voxel_ml, rel=0.03)


def test_what_is_thin_is_seen_on_a_coarse_grid_too() -> None:
    mask = np.zeros((80, 80, 80), bool)
    mask[:, 39:41, 39:41] = True  # a vessel, two voxels wide
    mask[::2, ::2, ::2][:2] = True  # and specks that need many faces
    found = surface(mask, Geometry.from_spacing(mask.shape, (1, 1, 1)), most_faces=3_000)
    along_mm = np.sort(found.points_lps[:, 2])
    assert along_mm[-1] > 77.0
    assert np.diff(along_mm).max() < 8.0


def test_a_mask_on_another_grid_is_refused() -> None:
    with pytest.raises(GeometryError, match="shape"):
        surface(np.ones((2, 2, 2), bool), Geometry.from_spacing((2, 2, 3)))


@given(
    hnp.arrays(np.int16, (7, 5, 6), elements=st.integers(-1000, 3000)),
    st.tuples(*[st.integers(1, 7)] * 3),
)
def test_means_of_blocks_add_up_to_the_whole(
    values: np.ndarray, factors: tuple[int, int, int]
) -> None:
    means = coarser(values, factors)
    assert means.shape == Geometry.from_spacing(values.shape).coarser(factors).shape
    assert means.sum() * np.prod(factors) == pytest.approx(values.sum(), rel=1e-3, abs=1.0)


@pytest.mark.parametrize("thick", [2, 3, 4])
def test_a_thin_shell_has_no_holes_on_a_coarse_grid(thick: int) -> None:
    geometry = Geometry.from_spacing((150, 150, 150))
    outer, center = ball(geometry, 70.0)
    shell = outer & ~ball(geometry, 70.0 - thick)[0]
    found = surface(shell, geometry, most_faces=30_000)
    assert len(found.faces) <= 30_000
    ways = np.random.default_rng(4).normal(size=(300, 3))
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    far_mm = [hit(found, center - 200.0 * way, way) for way in ways]
    # Through a hole a ray would meet the far side.
    assert max(far_mm) == pytest.approx(130.0, abs=5.0)
    assert min(far_mm) == pytest.approx(130.0, abs=5.0)


def test_rays_meet_a_ball_at_its_near_side_and_pass_it_by() -> None:
    geometry = Geometry.from_spacing((50, 50, 50), origin_lps=(-20.0, 40.0, 900.0))
    mask, center = ball(geometry, 20.0)
    found = surface(mask, geometry)
    ways = np.random.default_rng(5).normal(size=(50, 3))
    for way in ways / np.linalg.norm(ways, axis=1, keepdims=True):
        aside = np.cross(way, [0.0, 0.6, 0.8])
        aside /= np.linalg.norm(aside)
        start = center - 100.0 * way
        assert hit(found, start, way) == pytest.approx(80.0, abs=0.6)
        assert hit(found, start + 12.0 * aside, way) == pytest.approx(84.0, abs=0.9)
        assert hit(found, start + 21.0 * aside, way) is None
        assert hit(found, start, -way) is None
        assert hit(found, center, way) == pytest.approx(20.0, abs=0.6)  # from within
