"""Where the eye of the 3D view is, and what lies under a pixel."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import napari_medlabel as medlabel
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.surface import Surface, hit, surface
from napari_medlabel.ui.surface_camera import LETTERS, Camera, fitted, nearest_hit

SIZES = st.tuples(st.integers(40, 2000), st.integers(40, 2000))
CAMERAS = st.builds(
    Camera,
    st.tuples(*[st.floats(-500, 500)] * 3),
    st.floats(5, 800),
    st.floats(-180, 180),
    st.floats(-90, 90),
)
PLACES = st.tuples(*[st.floats(-300, 300)] * 3)


def box(low: tuple[int, int, int], high: tuple[int, int, int]) -> Surface:
    """A box of voxels of 2 x 1 x 1 mm, indices k, j, i."""
    mask = np.zeros((30, 40, 50), bool)
    mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return surface(mask, Geometry.from_spacing(mask.shape, (2.0, 1.0, 1.0), (-25.0, -20.0, 0.0)))


@given(CAMERAS)
def test_the_picture_is_never_mirrored(camera: Camera) -> None:
    right, up, towards = camera.axes
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(np.cross(right, up), towards, atol=1e-9)
    assert right[2] == 0.0  # upright
    assert up[2] >= -1e-9


def test_at_first_the_patient_s_right_is_on_the_left_and_the_head_is_up() -> None:
    size = (400, 300)
    places = {
        letter: Camera().pixels(np.asarray(way) * 50.0, size) for letter, way in LETTERS.items()
    }
    assert places["R"][0] < 200 < places["L"][0]
    assert places["H"][1] < 150 < places["F"][1]
    np.testing.assert_allclose(places["A"], (200, 150))
    assert Camera().axes[2] @ LETTERS["A"] == pytest.approx(1.0)  # the chest is towards the eye


def test_from_the_left_one_sees_the_back_on_the_right() -> None:
    camera = Camera().turned(-180, 0)
    assert camera.azimuth_deg == 90.0
    assert camera.axes[2] @ LETTERS["L"] == pytest.approx(1.0)
    assert camera.axes[0] @ LETTERS["P"] == pytest.approx(1.0)


@given(CAMERAS, SIZES, PLACES)
def test_a_ray_goes_through_what_is_shown_at_its_pixel(
    camera: Camera, size: tuple[int, int], place: tuple[float, float, float]
) -> None:
    lps = np.asarray(place)
    x, y = camera.pixels(lps, size)
    start, way = camera.ray((float(x), float(y)), size)
    along = (lps - start) @ way
    np.testing.assert_allclose(start + along * way, lps, atol=1e-4)
    clip = camera.clip_from_lps(size) @ [*lps, 1.0]
    np.testing.assert_allclose(((clip[:2] * [1, -1]) + 1) / 2 * size, (x, y), atol=1e-3)


@given(CAMERAS, SIZES, st.floats(-200, 200), st.floats(-200, 200))
def test_what_the_hand_moves_stays_under_it(
    camera: Camera, size: tuple[int, int], right_px: float, down_px: float
) -> None:
    lps = np.asarray([12.0, -40.0, 77.0])
    before = camera.pixels(lps, size)
    after = camera.moved(right_px, down_px, size).pixels(lps, size)
    np.testing.assert_allclose(after - before, (right_px, down_px), atol=1e-4)


def test_dragging_takes_the_near_side_along() -> None:
    near = np.asarray(LETTERS["A"]) * 10.0
    size = (300, 300)
    assert Camera().turned(20, 0).pixels(near, size)[0] > 150
    assert Camera().turned(0, 20).pixels(near, size)[1] > 150
    assert Camera().turned(0, 9_999).elevation_deg == 90.0


@given(SIZES, st.floats(-180, 180))
def test_all_is_in_sight_from_every_side(size: tuple[int, int], azimuth_deg: float) -> None:
    both = [box((2, 3, 4), (9, 12, 40)), box((20, 30, 2), (28, 38, 6))]
    camera = fitted(both, Camera(azimuth_deg=azimuth_deg), size)
    for one in both:
        where = camera.pixels(one.points_lps.astype(np.float64), size)
        assert where.min() >= 0.0
        assert (where.max(axis=0) <= size).all()


def test_nothing_to_see_leaves_the_eye_where_it_is() -> None:
    empty = surface(np.zeros((2, 2, 2), bool), Geometry.from_spacing((2, 2, 2)))
    assert fitted([empty], Camera(radius_mm=7.0), (10, 10)) == Camera(radius_mm=7.0)
    assert hit(empty, np.zeros(3), np.array([0.0, 1.0, 0.0])) is None


def test_a_click_meets_the_nearer_of_two() -> None:
    front, back = box((10, 5, 20), (20, 10, 30)), box((10, 25, 20), (20, 30, 30))
    size = (400, 400)
    camera = fitted([front, back], Camera(), size)
    found = nearest_hit([back, front], *camera.ray((200.0, 200.0), size))
    assert found is not None
    # The front face of voxels j = 5 at -20 + 5 mm, half a voxel before their centres.
    assert found == pytest.approx((0.0, -15.5, 29.0), abs=1.0)
    behind = camera.turned(-360, 0)
    found = nearest_hit([back, front], *behind.ray((200.0, 200.0), size))
    assert found == pytest.approx((0.0, 9.5, 29.0), abs=1.0)
    assert nearest_hit([back, front], *camera.ray((1.0, 1.0), size)) is None


def test_the_liver_of_a_real_patient_is_on_the_left_and_the_spleen_on_the_right(
    shared_data: Path,
) -> None:
    found = medlabel.read(shared_data / "ct-multiorgan" / "example_ct_labels.nii.gz")
    labels = np.asarray(found.levels[0])
    organs = {name: surface(labels == n, found.geometry) for name, n in
              {"spleen": 1, "right kidney": 2, "left kidney": 3, "liver": 5}.items()}  # fmt: skip
    size = (480, 320)
    camera = fitted(organs.values(), Camera(), size)
    x = {
        name: camera.pixels(one.points_lps.astype(np.float64), size)[:, 0].mean()
        for name, one in organs.items()
    }
    assert x["liver"] < x["spleen"]
    assert x["right kidney"] < x["left kidney"]
    heights = {
        name: camera.pixels(one.points_lps.astype(np.float64), size)[:, 1].mean()
        for name, one in organs.items()
    }
    assert heights["liver"] < heights["right kidney"]  # higher in the picture
