"""All volumes of a series as one array."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel.errors import GeometryError, InputError
from tests.formats.made_dicom import ramp, save, save_all, stack

SHAPE = (5, 4, 6)


def test_times_of_a_series_are_one_array(tmp_path: Path) -> None:
    for time in range(3):
        for n, dataset in enumerate(stack(ramp(SHAPE) + time, TemporalPositionIdentifier=time + 1)):
            save(tmp_path / f"{n}-{time}", dataset)
    found = medlabel.read_sequence(tmp_path)
    assert found.names == ("time 1", "time 2", "time 3")
    assert found.unit == "HU"
    for time in range(3):
        np.testing.assert_array_equal(found.array[time], ramp(SHAPE) + time - 1024)
        one = medlabel.read(tmp_path, volume=time + 1)
        np.testing.assert_array_equal(one.levels[0][:], found.array[time])
        assert one.geometry.same_grid(found.geometry)


def test_volumes_of_different_types_share_one_that_holds_all(tmp_path: Path) -> None:
    for time, slope in enumerate((1, 0.5)):
        for n, dataset in enumerate(
            stack(ramp(SHAPE), TemporalPositionIdentifier=time + 1, RescaleSlope=slope)
        ):
            save(tmp_path / f"{n}-{time}", dataset)
    found = medlabel.read_sequence(tmp_path)
    np.testing.assert_array_equal(found.array[0], ramp(SHAPE) - 1024)
    np.testing.assert_array_equal(found.array[1], ramp(SHAPE) * 0.5 - 1024)


def test_a_nifti_of_four_axes_is_one_array(tmp_path: Path) -> None:
    array = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-1, -1, 1, 1.0])), tmp_path / "a.nii.gz")
    found = medlabel.read_sequence(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(found.array, array.transpose(3, 2, 1, 0))


def test_volumes_on_several_grids_are_refused(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE)))
    save_all(tmp_path, stack(ramp(SHAPE), orientation=(0, 1, 0, 0, 0, -1)), names="S{}")
    with pytest.raises(GeometryError, match="one grid"):
        medlabel.read_sequence(tmp_path)


def test_a_volume_that_cannot_be_is_told_with_its_reason(tmp_path: Path) -> None:
    save_all(tmp_path, stack(ramp(SHAPE), [0, 4, 8, 16, 20]))
    with pytest.raises(InputError, match="missing"):
        medlabel.read_sequence(tmp_path)
