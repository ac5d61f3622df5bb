"""What tells the volumes of one series apart, and what must never be mixed."""

import random
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_medlabel.core.volume import Series
from napari_medlabel.formats.dicom_load import open_dicom
from napari_medlabel.formats.dicom_scan import scan_dicom
from tests.formats.made_dicom import ramp, save, stack
from tests.formats.made_frames import enhanced, with_macros

SHAPE = (6, 4, 5)


def repeated(count: int, heights: list[float] | None = None, **elements: object) -> list[Dataset]:
    """Stacks at the same places; the voxels of each are one value, 100 for the first."""
    slices = []
    for time in range(count):
        own = {name: value[time] for name, value in elements.items()}  # type: ignore[index]
        stored = np.full(SHAPE, 100 * (time + 1), np.int16)
        slices += stack(stored, heights, **own)
    for n, dataset in enumerate(slices):
        dataset.SOPInstanceUID = f"2.25.{1000 + n * 7919 % 997}"
    return slices


def scanned(folder: Path, slices: list[Dataset], seed: int = 0) -> Series:
    order = random.Random(seed).sample(range(len(slices)), len(slices))  # noqa: S311
    for name, n in enumerate(order):
        save(folder / f"{name:03d}", slices[n])
    series, _ = scan_dicom(folder)
    (found,) = series
    return found


def between(slices: list[Dataset]) -> list[Dataset]:
    """The second half between the slices of the first, so that no position repeats."""
    for dataset in slices[len(slices) // 2 :]:
        dataset.ImagePositionPatient[2] += 2.0
    return slices


def values(series: Series) -> list[set[int]]:
    return [
        set(np.unique(open_dicom(series, n).read(0, v.geometry.shape[0])) + 1024)
        for n, v in enumerate(series.volumes)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_numbers_that_begin_anew_do_not_mix_volumes(tmp_path: Path, seed: int) -> None:
    series = scanned(tmp_path, repeated(2), seed)
    assert not series.regular
    assert "duplicate-position" in {problem.code for problem in series.all_problems()}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "elements",
    [
        {"AcquisitionDateTime": ("20200101235950.5", "20200102000010.5")},
        {"AcquisitionTime": ("101010", "101500.25")},
        {"ContentTime": ("101010", "101500.25")},
        {"TriggerTime": (10.0, 80.0)},
    ],
)
def test_times_tell_repetitions_apart(
    tmp_path: Path, seed: int, elements: dict[str, tuple[object, ...]]
) -> None:
    series = scanned(tmp_path, repeated(2, **elements), seed)
    assert values(series) == [{100}, {200}]
    assert {volume.name.split()[0] for volume in series.volumes} <= {"time", "phase"}


def test_times_of_single_slices_tell_apart_what_runs_one_after_the_other(tmp_path: Path) -> None:
    slices = repeated(2)
    for n, dataset in enumerate(slices):
        dataset.AcquisitionTime = f"1000{n:02d}"
    assert values(scanned(tmp_path, slices)) == [{100}, {200}]


@pytest.mark.parametrize("seed", range(4))
def test_directions_that_drift_are_grouped_the_same_whatever_the_files_are_called(
    tmp_path: Path, seed: int
) -> None:
    slices = stack(ramp(SHAPE))
    for n, dataset in enumerate(slices):
        angle = n // 2 * 0.8e-4
        turned = [np.cos(angle), np.sin(angle), 0, -np.sin(angle), np.cos(angle), 0]
        dataset.ImageOrientationPatient = [round(float(v), 8) for v in turned]
    found = [scanned(tmp_path / str(n), slices, seed + n) for n in range(2)]
    one, other = ([v.geometry for v in series.volumes] for series in found)
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a.lps_from_kji, b.lps_from_kji)


@pytest.mark.parametrize(
    "elements",
    [
        {"ImageType": (["ORIGINAL", "PRIMARY", "M"], ["ORIGINAL", "PRIMARY", "P"])},
        {"RescaleType": ("HU", "US")},
    ],
)
def test_what_means_something_else_is_never_one_volume(
    tmp_path: Path, elements: dict[str, tuple[object, ...]]
) -> None:
    slices = between(repeated(2, **elements))
    assert values(scanned(tmp_path, slices)) == [{100}, {200}]


@pytest.mark.parametrize(
    "elements",
    [{"ConvolutionKernel": ("B30f", "B70f")}, {"EchoTime": (5.0, 9.0)}],
)
def test_what_was_made_in_another_way_is_told(
    tmp_path: Path, elements: dict[str, tuple[object, ...]]
) -> None:
    series = scanned(tmp_path, between(repeated(2, **elements)))
    assert "mixed-values" in {problem.code for problem in series.all_problems()}


def test_echo_times_that_jitter_are_one(tmp_path: Path) -> None:
    slices = stack(ramp(SHAPE))
    for n, dataset in enumerate(slices):
        dataset.EchoTime = 2.46 + 0.01 * (n % 2)
    series = scanned(tmp_path, slices)
    assert series.regular
    assert not series.all_problems()


@pytest.mark.parametrize("keyword", ["TriggerTime", "EchoTime"])
def test_a_cine_of_one_slice_is_a_volume_for_each_phase(tmp_path: Path, keyword: str) -> None:
    slices = []
    for n in range(5):
        (dataset,) = stack(np.full((1, 4, 5), 100 * n, np.int16), **{keyword: 10.0 * n})
        dataset.InstanceNumber = 1
        slices.append(dataset)
    assert values(scanned(tmp_path, slices)) == [{100 * n} for n in range(5)]


def test_any_number_of_directions_is_looked_at_quickly(tmp_path: Path) -> None:
    at = np.linspace(0.0, 1.5, 3000)
    turned = [[np.cos(a), np.sin(a), 0, -np.sin(a), np.cos(a), 0] for a in at]
    dataset = enhanced(np.zeros((3000, 1, 1), np.int16), [(0, 0, n) for n in range(3000)])
    for frame, direction in zip(dataset.PerFrameFunctionalGroupsSequence, turned, strict=True):
        with_macros(
            frame,
            PlaneOrientationSequence={
                "ImageOrientationPatient": [round(float(v), 8) for v in direction]
            },
        )
    (series,) = scan_dicom(save(tmp_path / "f", dataset))[0]
    assert len(series.volumes) == 1
    assert not series.regular


def test_an_index_counts_more_than_what_gating_varies(tmp_path: Path) -> None:
    slices = repeated(2, TemporalPositionIdentifier=(1, 2))
    for n, dataset in enumerate(slices):
        dataset.RepetitionTime = 800 if (n + n // SHAPE[0]) % 2 else 812
    series = scanned(tmp_path, slices)
    assert values(series) == [{100}, {200}]
    assert [volume.name for volume in series.volumes] == ["time 1", "time 2"]


@pytest.mark.parametrize("strays", [[7], [6, 7, 8]])
def test_stray_values_do_not_tear_a_volume(tmp_path: Path, strays: list[int]) -> None:
    slices = repeated(2, TemporalPositionIdentifier=(1, 2), RepetitionTime=(800, 800))
    for n in strays:
        slices[n].RepetitionTime = 812
    assert values(scanned(tmp_path, slices)) == [{100}, {200}]


def test_numbers_that_run_against_the_time_split_nothing(tmp_path: Path) -> None:
    slices = repeated(2)
    for n, dataset in enumerate(slices):
        time, k = divmod(n, SHAPE[0])
        dataset.InstanceNumber = n + 1
        dataset.AcquisitionTime = f"10{(time + k) % 2:02d}{k:02d}"
    series = scanned(tmp_path, slices)
    assert not series.regular


@pytest.mark.parametrize(("times", "is_told"), [((500, 900), True), ((800, 812), False)])
def test_repetition_times_tell_apart_only_where_they_were_chosen(
    tmp_path: Path, times: tuple[int, int], *, is_told: bool
) -> None:
    series = scanned(tmp_path, repeated(2, RepetitionTime=times))
    assert series.regular == is_told


def test_names_say_what_differs_whatever_told_the_volumes_apart(tmp_path: Path) -> None:
    slices = repeated(3, TemporalPositionIdentifier=(1, 2, 3), EchoTime=(9.0, 5.0, 5.0))
    for n, dataset in enumerate(slices):
        dataset.DiffusionBValue = [0.0, 0.0, 800.0][n // SHAPE[0]]
    series = scanned(tmp_path, slices)
    assert [volume.name for volume in series.volumes] == [
        "echo 1, b 0", "echo 1, b 800", "echo 2",
    ]  # fmt: skip
    assert values(series) == [{200}, {300}, {100}]


@pytest.mark.parametrize("seed", range(3))
def test_two_patients_with_equal_uids_keep_their_numbers(tmp_path: Path, seed: int) -> None:
    slices = repeated(2, PatientID=("A", "B"))
    for n, dataset in enumerate(slices):
        dataset.SOPInstanceUID = f"2.25.{n % SHAPE[0]}"
    order = random.Random(seed).sample(range(12), 12)  # noqa: S311
    for name, n in enumerate(order):
        save(tmp_path / f"{name:03d}", slices[n])
    series, _ = scan_dicom(tmp_path)
    again = [values(one) for one in series]
    assert again in ([[{100}], [{200}]], [[{200}], [{100}]])
    assert again == first_seen.setdefault("patients", again)


first_seen: dict[str, list[list[set[int]]]] = {}
