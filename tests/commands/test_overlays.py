"""A second image over an open case: by coordinates, exact at points, and what is said of it."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.errors import Cancelled, GeometryError, InputError, ReadOnly
from napari_medlabel.phantom import Study, write_ct_series
from napari_medlabel.session import OpenCase, Session
from tests.core.test_resampled_image import by_itk, texture, turned
from tests.formats.made_dicom import save
from tests.formats.made_frames import pet


@pytest.fixture
def case(session: Session, folder: Path) -> Iterator[OpenCase]:
    yield (opened := _open(session, folder))
    commands.close_case(session, opened)


def _open(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    return commands.open_series(session, series, found_at=folder)


def _around(grid: Geometry, shape: tuple[int, int, int], turn_deg: float = 0.0) -> Geometry:
    """Another grid in the same place: finer, turned, its middle 2 mm off."""
    middle = grid.lps((np.array(grid.shape) - 1) / 2.0) + 2.0
    return turned(shape, (2.1, 1.3, 1.1), (turn_deg, 5.0, -turn_deg), tuple(middle))


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_turned_image_lies_where_itk_puts_it(
    session: Session, case: OpenCase, grid: Geometry, tmp_path: Path, suffix: str
) -> None:
    source = _around(grid, (20, 22, 24), 20.0)
    values = texture(source.shape).astype(np.float32) / 7.0
    formats.write(values, source, tmp_path / f"other{suffix}")
    found = commands.read_overlay(session, case, tmp_path / f"other{suffix}")
    truth = by_itk(values, source, case.volume.geometry)
    np.testing.assert_array_equal(np.isnan(found.values), np.isnan(truth))
    np.testing.assert_allclose(found.values, truth, atol=1e-3)
    assert found.values.dtype == np.float32
    assert 0.1 < found.covered < 0.9
    assert found.covered == pytest.approx(np.isfinite(truth).mean(), abs=0.02)
    outside = tuple(int(n) for n in np.argwhere(np.isnan(truth))[0])
    inside = tuple(int(n) for n in np.argwhere(np.isfinite(truth))[0])
    assert found.value_at(outside) is None
    assert found.value_at(inside) == pytest.approx(truth[inside], abs=1e-3)


def test_values_are_exact_at_points_of_single_frames(
    session: Session, shared_data: Path, tmp_path: Path
) -> None:
    """A case whose voxels lie on every second one of a real CT's, in another order of axes."""
    item = shared_data / "lesion-ct-lung"
    (series,) = commands.scan(session, item / "dicom").series
    own = series.volumes[0].geometry
    assert own is not None
    finer = Geometry(
        (2 * own.shape[0] - 1, 90, 100),
        own.lps_from_kji @ [[0.5, 0, 0, 0], [0, 1, 0, 60], [0, 0, 1, 70], [0, 0, 0, 1]],
    )
    lying = finer.laid_out(Axes((2, 0, 1), (True, False, True)))
    formats.write(np.zeros(lying.shape, np.int16), lying, tmp_path / "empty.nii.gz")
    case = _open(session, tmp_path / "empty.nii.gz")
    found = commands.read_overlay(session, case, series)
    assert (found.modality, found.unit, found.values.dtype) == ("CT", "HU", np.int16)
    met = 0
    for point in json.loads((item / "points.json").read_text())["points"]:
        place = case.volume.geometry.kji(point["lps"])
        kji = tuple(int(n) for n in np.rint(place))
        if all(0 <= n < size for n, size in zip(kji, case.volume.shape, strict=True)):
            assert np.abs(place - kji).max() < 1e-3
            assert found.value_at(kji) == point["value"]
            met += 1
    assert met >= 5
    commands.close_case(session, case)


def test_an_echo_lies_over_the_other_voxel_for_voxel(session: Session, shared_data: Path) -> None:
    item = shared_data / "multi-echo-philips"
    (series, *_) = commands.scan(session, item / "dicom").series
    case = commands.open_series(session, series, 0)
    with pytest.raises(InputError, match="4 volumes"):
        commands.read_overlay(session, case, series)
    found = [commands.read_overlay(session, case, series, volume=n).values for n in (1, 2, 3, 4)]
    for point in json.loads((item / "points.json").read_text())["points"]:
        kji = tuple(np.rint(case.volume.geometry.kji(point["lps"])).astype(int))
        here = sorted(float(one[kji]) for one in found)
        assert here == pytest.approx(sorted(point["values_of_all_volumes"]), rel=1e-5, abs=1e-3)
    commands.close_case(session, case)


def test_whole_hu_stay_whole_and_take_half_the_memory(
    session: Session, case: OpenCase, folder: Path, hu: np.ndarray
) -> None:
    found = commands.read_overlay(session, case, folder)
    assert found.values.dtype == np.int16
    np.testing.assert_array_equal(found.values, hu)
    assert (found.modality, found.unit, found.colormap) == ("CT", "HU", "gray")
    assert (found.covered, found.notes) == (1.0, ())


def test_pet_is_shown_as_suv_unless_its_own_values_are_asked_for(
    session: Session, tmp_path: Path
) -> None:
    save(tmp_path / "pet", pet())
    (series,) = commands.scan(session, tmp_path / "pet").series
    formats.write(
        np.zeros(series.volumes[0].geometry.shape, np.int16), series.volumes[0].geometry,
        tmp_path / "empty.nii.gz",
    )  # fmt: skip
    case = _open(session, tmp_path / "empty.nii.gz")
    suv = commands.read_overlay(session, case, tmp_path / "pet")
    assert (suv.modality, suv.unit, suv.limits, suv.colormap) == ("PT", "SUVbw", (0.0, 10.0), "hot")
    plain = commands.read_overlay(session, case, tmp_path / "pet", quantity="")
    assert (plain.unit, plain.colormap) == ("BQML", "hot")
    assert 0.0 < plain.limits[1] <= plain.values.max()
    np.testing.assert_allclose(suv.values, plain.values * 70_000 / (1e8 / 2), rtol=1e-6)
    commands.close_case(session, case)


def test_mr_begins_with_the_range_of_most_of_its_values(
    session: Session, case: OpenCase, grid: Geometry, tmp_path: Path
) -> None:
    values = np.random.default_rng(1).gamma(2.0, 100.0, grid.shape).astype(np.float32)
    formats.write(values, grid, tmp_path / "t2.nii.gz")
    found = commands.read_overlay(session, case, tmp_path / "t2.nii.gz")
    assert found.limits == pytest.approx(np.percentile(values, (1, 99)), rel=0.05)
    assert found.colormap == "gray"


def test_what_lies_elsewhere_is_refused_with_the_distance(
    session: Session, case: OpenCase, grid: Geometry, tmp_path: Path
) -> None:
    matrix = grid.lps_from_kji.copy()
    matrix[2, 3] += 400.0
    formats.write(np.zeros(grid.shape, np.int16), Geometry(grid.shape, matrix), tmp_path / "a.nii")
    with pytest.raises(GeometryError, match=r"3[67]\d mm lie between them \(head or feet\)"):
        commands.read_overlay(session, case, tmp_path / "a.nii")
    # The boxes around both meet, they themselves do not: a slanted slice beside a corner.
    corner = grid.corners_lps().max(axis=0)
    slanted = turned((1, 9, 9), (1.0, 8.0, 8.0), (0.0, 45.0, 45.0), tuple(corner + 20.0))
    formats.write(np.zeros(slanted.shape, np.int16), slanted, tmp_path / "b.nii")
    with pytest.raises(GeometryError, match="do not overlap"):
        commands.read_overlay(session, case, tmp_path / "b.nii")


def test_another_frame_of_reference_and_another_study_are_noted(
    session: Session, case: OpenCase, hu: np.ndarray, grid: Geometry, tmp_path: Path
) -> None:
    write_ct_series(tmp_path / "later", hu, grid, Study(seed=9))
    found = commands.read_overlay(session, case, tmp_path / "later")
    assert [note.split(":")[0] for note in found.notes] == [
        "Another frame of reference", "Of another study",
    ]  # fmt: skip
    write_ct_series(tmp_path / "same", hu, grid, number=2)
    assert commands.read_overlay(session, case, tmp_path / "same").notes == ()
    formats.write(hu, grid, tmp_path / "plain.nii")  # a format that does not say
    assert commands.read_overlay(session, case, tmp_path / "plain.nii").notes == ()


def test_a_series_with_gaps_is_refused_and_resampled_when_asked(
    session: Session, case: OpenCase, hu: np.ndarray, grid: Geometry, tmp_path: Path
) -> None:
    files = write_ct_series(tmp_path / "gaps", hu, grid, number=3)
    files[4].unlink()
    with pytest.raises(GeometryError, match="missing"):
        commands.read_overlay(session, case, tmp_path / "gaps")
    straight = Choice("resample")
    found = commands.read_overlay(session, case, tmp_path / "gaps", choice=straight)
    want = hu.astype(np.float32)
    want[4] = (want[3] + want[5]) / 2.0
    assert np.abs(found.values - want).max() <= 0.5


def test_it_is_called_off_and_nothing_is_read_for_a_closed_case(
    session: Session, case: OpenCase, folder: Path
) -> None:
    told: list[tuple[int, int]] = []
    commands.read_overlay(session, case, folder, progress=lambda *how: told.append(how))
    assert told[-1] == (case.volume.shape[0],) * 2
    with pytest.raises(Cancelled):
        commands.read_overlay(session, case, folder, cancelled=lambda: True)
    closed = replace(case, closed=True)
    with pytest.raises(ReadOnly, match="closed"):
        commands.read_overlay(session, closed, folder)


def test_too_large_a_grid_is_refused_in_words(
    session: Session, case: OpenCase, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_medlabel.commands.memory.SHARE_OF_MEMORY", 0.0)
    with pytest.raises(InputError, match="GB of memory"):
        commands.read_overlay(session, case, folder)


def test_an_image_that_goes_while_it_is_read_says_so(
    session: Session, case: OpenCase, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (series,) = commands.scan(session, tmp_path / "copy").series
    shutil.rmtree(tmp_path / "copy")
    with pytest.raises(InputError):
        commands.read_overlay(session, case, series)


def test_labels_of_a_dicom_segmentation_have_no_values_in_between(
    session: Session, shared_data: Path, tmp_path: Path
) -> None:
    (series,) = commands.scan(session, shared_data / "dicom-seg/24x38x3/seg").series
    own = series.volumes[0].geometry
    assert own is not None
    finer = Geometry((3, 55, 90), own.lps_from_kji @ np.diag([1.0, 0.41, 0.41, 1.0]))
    formats.write(np.zeros(finer.shape, np.int16), finer, tmp_path / "empty.nii.gz")
    case = _open(session, tmp_path / "empty.nii.gz")
    found = commands.read_overlay(session, case, series)
    labels = formats.read(shared_data / "dicom-seg/24x38x3/seg").levels[0][:]
    there = found.values[np.isfinite(found.values)]
    assert set(np.unique(there)) <= set(np.unique(labels))
    assert np.count_nonzero(there) > 0
    assert found.limits == (0.0, labels.max())
    commands.close_case(session, case)
