"""An image brought onto another grid, beside SimpleITK's resampling of the same."""

from itertools import pairwise

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  # as its own documentation writes it
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.resampled_image import image_onto, nothing_of
from napari_medlabel.errors import Cancelled, GeometryError


def turned(  # noqa: PLR0913, PLR0917  # what a grid has
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    middle_lps: tuple[float, float, float] = (0.0, 0.0, 0.0),
    order: tuple[int, int, int] = (0, 1, 2),
    signs: tuple[int, int, int] = (1, 1, 1),
) -> Geometry:
    """A right-angled grid around a place, turned about z, y and x, its axes in any order."""
    x, y, z = np.radians(turn_deg)
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    about_z = [[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]]
    matrix = np.eye(4)
    axes = (np.array(about_z) @ about_y @ about_x)[:, list(order)] * signs
    matrix[:3, :3] = axes * spacing_mm
    matrix[:3, 3] = middle_lps - matrix[:3, :3] @ ((np.array(shape) - 1) / 2.0)
    return Geometry(shape, matrix)


def as_itk(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    """The same image as ITK has it: axes i, j, k."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    image.SetSpacing(geometry.spacing_mm[::-1])
    image.SetOrigin(geometry.origin_lps)
    image.SetDirection(geometry.direction[:, ::-1].ravel())
    return image


def by_itk(array: np.ndarray, source: Geometry, target: Geometry) -> np.ndarray:
    """What ITK makes of it; NaN outside."""
    like = as_itk(np.zeros(target.shape, np.float32), target)
    image = as_itk(array.astype(np.float64), source)
    made = sitk.Resample(
        image, like, sitk.Transform(), sitk.sitkLinear, float("nan"), sitk.sitkFloat64
    )
    return sitk.GetArrayFromImage(made)


def onto(array: np.ndarray, source: Geometry, target: Geometry, **how: object) -> np.ndarray:
    return image_onto(lambda start, stop: array[start:stop], source, target, **how)


def texture(shape: tuple[int, int, int]) -> np.ndarray:
    return np.random.default_rng(7).integers(-1000, 2000, shape).astype(np.int16)


TARGET = turned((11, 30, 26), (3.0, 0.9, 0.8), (4.0, -3.0, 6.0), (5.0, -8.0, 40.0))
SOURCES = {
    "shifted by parts of a voxel": turned(
        (14, 33, 31), (3.0, 0.9, 0.8), (4.0, -3.0, 6.0), (6.1, -7.7, 41.3)
    ),
    "turned": turned((20, 22, 24), (1.7, 1.9, 1.3), (25.0, 12.0, -33.0), (3.0, -7.0, 43.0)),
    "coarser and smaller": turned((4, 9, 8), (6.0, 2.5, 2.2), (4.0, -3.0, 6.0), (4.0, -9.0, 42.0)),
    "sagittal": turned(
        (40, 37, 28), (0.7, 1.1, 1.2), (5.0, 2.0, -3.0), (5.5, -8.0, 39.0), (2, 0, 1), (-1, 1, -1)
    ),
    "coronal, feet first": turned(
        (9, 41, 30), (4.0, 1.1, 1.2), (0.0, 0.0, 0.0), (5.5, -8.0, 39.0), (1, 2, 0), (1, -1, -1)
    ),
    "a single slice": turned((1, 40, 40), (5.0, 1.0, 1.0), (2.0, 0.0, 1.0), (5.0, -8.0, 40.0)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_values_are_those_of_itk(name: str) -> None:
    source = SOURCES[name]
    array = texture(source.shape)
    found, truth = onto(array, source, TARGET), by_itk(array, source, TARGET)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(truth))
    assert 0.01 < np.isfinite(truth).mean() <= 1.0
    np.testing.assert_allclose(found, truth, atol=2e-3)  # float32 of 2000


def test_a_block_of_planes_at_a_time_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SOURCES["turned"]
    array = texture(source.shape)
    whole = onto(array, source, TARGET)
    monkeypatch.setattr("napari_medlabel.core.resampled_image._BLOCK", 1)
    monkeypatch.setattr("napari_medlabel.core.resampled_image._AT_ONCE", 3)
    asked: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> np.ndarray:
        asked.append((start, stop))
        return array[start:stop]

    np.testing.assert_array_equal(image_onto(read, source, TARGET), whole)
    # In order, each slice once, and never many of them.
    assert all(stop - start <= 3 for start, stop in asked)
    assert all(before[1] <= after[0] for before, after in pairwise(asked))


@given(
    order=st.permutations(range(3)), signs=st.tuples(*[st.sampled_from((-1, 1))] * 3),
    shift=st.tuples(*[st.integers(-3, 3)] * 3),
)  # fmt: skip
def test_voxels_on_voxels_keep_their_values(
    order: list[int], signs: tuple[int, int, int], shift: tuple[int, int, int]
) -> None:
    target = turned((6, 7, 8), (2.5, 0.7, 1.1), (9.0, -4.0, 13.0), (-31.0, 2.0, 500.0))
    shape = (7, 8, 9)
    matrix = np.eye(4)
    for own, axis in enumerate(order):
        matrix[:3, own] = signs[own] * target.lps_from_kji[:3, axis]
    first = target.lps([(0 if signs[order.index(n)] > 0 else 6) + shift[n] for n in range(3)])
    matrix[:3, 3] = first
    source = Geometry(shape, matrix)
    array = texture(shape)
    for dtype in (np.float32, np.int16):
        found = onto(array, source, target, dtype=dtype)
        places = np.rint(source.kji(target.lps(np.argwhere(np.ones(target.shape))))).astype(int)
        there = np.all((places >= 0) & (places < shape), axis=1)
        want = np.full(len(places), nothing_of(dtype))
        want[there] = array[tuple(places[there].T)]
        np.testing.assert_array_equal(found.ravel(), want)


def test_whole_numbers_are_rounded_and_the_lowest_means_nothing() -> None:
    source = Geometry.from_spacing((1, 1, 4))
    target = Geometry.from_spacing((1, 1, 9), (1.0, 1.0, 0.5), (-1.0, 0.0, 0.0))
    array = np.array([[[-32768, 0, 3, 8]]], np.int16)
    found = onto(array, source, target, dtype=np.int16)
    nothing = int(nothing_of(np.int16))
    assert found.ravel().tolist() == [nothing, -32767, -32767, -16384, 0, 2, 3, 6, 8]


def test_labels_take_the_voxel_that_each_centre_lies_in() -> None:
    source = SOURCES["turned"]
    array = texture(source.shape)
    found = onto(array, source, TARGET, nearest=True)
    at = source.kji(TARGET.lps(np.argwhere(np.isfinite(found))))
    near = np.clip(np.rint(at), 0, np.array(source.shape) - 1).astype(int)
    halfway = np.abs(np.abs(at - np.trunc(at)) - 0.5).min(axis=1) < 1e-6
    same = found[np.isfinite(found)] == array[tuple(near.T)]
    assert (same | halfway).all()


def test_images_that_do_not_meet_are_refused() -> None:
    source = turned((9, 9, 9), (2.0, 2.0, 2.0), (3.0, 0.0, 9.0), (400.0, 0.0, 40.0))
    with pytest.raises(GeometryError, match="do not overlap"):
        onto(texture(source.shape), source, TARGET)


def test_it_is_called_off_and_tells_how_far_it_is() -> None:
    source = SOURCES["turned"]
    array = texture(source.shape)
    told: list[tuple[int, int]] = []
    onto(array, source, TARGET, progress=lambda *how: told.append(how))
    assert told[-1] == (TARGET.shape[0], TARGET.shape[0])
    with pytest.raises(Cancelled):
        onto(array, source, TARGET, cancelled=lambda: True)
