"""The skin of heads, generated and real; and no skin where there is no head."""

from pathlib import Path

import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.skin import body, coarse_tissue, is_head_sized, skin
from napari_medlabel.core.volume import Source, Volume

FINE = Geometry.from_spacing((60, 120, 100), (3.0, 2.0, 2.0), (-100.0, -120.0, 40.0))


def head(geometry: Geometry = FINE, *, unit: str = "HU", noise: float = 20.0) -> Volume:
    """An ellipsoid of 150 x 200 x 150 mm with an airway in it, and a board beneath."""
    every = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(geometry.lps(every), -1, 0)
    middle = geometry.lps([(n - 1) / 2 for n in geometry.shape])
    x, y, z = x - middle[0], y - middle[1], z - middle[2]
    hu = np.full(geometry.shape, -1000.0 if unit == "HU" else 0.0)
    hu[(x / 75) ** 2 + (y / 100) ** 2 + (z / 75) ** 2 < 1] = 40.0 if unit == "HU" else 300.0
    hu[(np.abs(x) < 8) & (np.abs(y) < 20) & (np.abs(z) < 40)] = hu.min()
    hu[np.abs(y - 113) < 1.5] = 60.0 if unit == "HU" else 0.0
    hu += np.random.default_rng(3).normal(0.0, noise, hu.shape)
    if unit != "HU":
        hu = np.abs(hu)
    return Volume((hu.astype(np.int16),), geometry, Source("generated", geometry), unit=unit)


@pytest.mark.parametrize("unit", ["HU", "stored"])
def test_the_skin_of_a_head_is_where_the_head_ends(unit: str) -> None:
    volume = head(unit=unit)
    found = skin(volume)
    assert found is not None
    middle = volume.geometry.lps([(n - 1) / 2 for n in volume.shape])
    away = np.linalg.norm((found.points_lps - middle) / [75.0, 100.0, 75.0], axis=1)
    assert np.abs(away - 1.0).max() < 0.05
    assert found.volume_ml == pytest.approx(4 / 3 * np.pi * 7.5 * 7.5 * 10, rel=0.04)


def test_a_trunk_and_a_small_thing_have_no_skin() -> None:
    wide = Geometry.from_spacing((60, 120, 100), (3.0, 2.0, 4.0))
    trunk = head(wide, noise=5.0)
    values = np.asarray(trunk.levels[0])
    values[:, 30:90, 10:90] = 40
    assert skin(trunk) is None
    assert skin(head(Geometry.from_spacing((60, 120, 100), (0.6, 0.4, 0.4)))) is None


def test_an_image_of_one_value_has_no_skin() -> None:
    volume = Volume((np.full(FINE.shape, 7, np.int16),), FINE, Source("generated", FINE))
    assert skin(volume) is None


def test_coarser_levels_are_used_where_they_are_fine_enough() -> None:
    fine = head()
    level = np.asarray(fine.levels[0])[:, ::1, ::1].copy()
    untouched = np.full(fine.shape, -1000, np.int16)
    volume = Volume((untouched, level[:, :120:2, ::2]), FINE, fine.source, unit="HU")
    tissue, geometry = coarse_tissue(volume)
    assert geometry.shape == tissue.shape
    assert not tissue.any()  # 4 mm is too coarse: the finest level was read


def test_a_hole_that_air_does_not_reach_is_body() -> None:
    tissue, geometry = coarse_tissue(head())
    solid = body(tissue, geometry)
    k, j, i = (n // 2 for n in tissue.shape)
    assert not tissue[k, j, i]
    assert solid[k, j, i]
    assert is_head_sized(solid, geometry)


def test_a_real_head_has_a_skin_and_a_trunk_has_none(shared_data: Path) -> None:
    found = skin(medlabel.read(shared_data / "t1-head-face" / "chris_t1.nii.gz"))
    assert found is not None
    assert 3_000 < found.volume_ml < 6_000
    assert skin(medlabel.read(shared_data / "ct-multiorgan" / "example_ct.nii.gz")) is None
