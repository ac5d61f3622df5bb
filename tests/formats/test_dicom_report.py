"""What the headers say of the slices, held against series made with known faults."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_medlabel import formats
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry_report import Duplicate, GeometryReport, Missing, Step
from napari_medlabel.core.volume import FoundVolume
from tests.formats.made_dicom import AXIAL, SAGITTAL, one_slice, ramp, save_all, stack, uid

HEIGHT = 5.0  # of the first slice of `stack`


def found(folder: Path, datasets: Sequence[Dataset]) -> FoundVolume:
    (series,) = formats.scan(save_all(folder, datasets)).series
    (volume,) = series.volumes
    return volume


def report_of(folder: Path, datasets: Sequence[Dataset]) -> GeometryReport:
    report = found(folder, datasets).report
    assert report is not None
    return report


def test_an_even_stack_has_one_step(tmp_path: Path) -> None:
    report = report_of(tmp_path, stack(ramp((3, 4, 5)), SliceThickness=3.0, PatientPosition="FFP"))
    assert report.slices == 3
    assert report.shape == (3, 4, 5)
    assert report.step_mm == 4.0
    assert report.steps == ()
    assert report.thickness_mm == (3.0, 3.0)
    assert report.window_gap_mm == (1.0, 1.0)
    assert report.pixel_mm == (2.0, 3.0)
    assert not report.is_square
    assert report.patient_position == "FFP"
    assert report.runs_to == ("L", "P", "H")
    assert report.plane == "axial"
    assert report.rescales == 1


def test_every_step_of_an_uneven_stack_is_told_with_its_place(tmp_path: Path) -> None:
    report = report_of(tmp_path, stack(ramp((4, 4, 5)), [0.0, 4.0, 11.0, 15.0], SliceThickness=5.0))
    assert report.step_mm is None
    assert report.shape is None
    assert "steps between slices differ" in report.why_none
    low = HEIGHT
    assert report.steps == (Step(low, 4.0), Step(low + 4, 7.0), Step(low + 11, 4.0))
    assert report.window_gap_mm == (-1.0, 2.0)
    assert report.overlaps == (Step(low, 1.0), Step(low + 11, 1.0))


def test_a_missing_slice_is_told_with_its_place(tmp_path: Path) -> None:
    report = report_of(tmp_path, stack(ramp((4, 4, 5)), [0.0, 5.0, 20.0, 25.0]))
    assert report.missing == (Missing(HEIGHT + 5, HEIGHT + 20, 2),)


def test_slices_at_one_place_are_told_with_their_number(tmp_path: Path) -> None:
    report = report_of(
        tmp_path, stack(ramp((5, 4, 5)), [0.0, 4.0, 4.0, 4.0, 8.0], InstanceNumber=None)
    )
    assert report.duplicates == (Duplicate(HEIGHT + 4, 3),)
    assert report.slices == 5


def test_slices_side_by_side_are_told(tmp_path: Path) -> None:
    datasets = stack(ramp((4, 4, 5)), [0.0, 4.0, 4.0, 8.0])
    datasets[2].ImagePositionPatient[0] += 40.0
    assert report_of(tmp_path, datasets).beside_mm == (HEIGHT + 4,)


def test_a_tilt_and_a_deviation_are_told_in_degrees(tmp_path: Path) -> None:
    datasets = stack(ramp((3, 4, 5)))
    for n, one in enumerate(datasets):
        one.ImagePositionPatient[1] += 4.0 * n
    turned = np.radians(0.004)
    datasets[1].ImageOrientationPatient = [np.cos(turned), np.sin(turned), 0, *AXIAL[3:]]
    report = report_of(tmp_path, datasets)
    assert report.tilt_deg == pytest.approx(45.0, abs=1e-3)
    assert report.shear == pytest.approx(1.0, abs=1e-5)
    assert report.deviation_deg == pytest.approx(0.004, abs=2e-4)


def test_rescales_and_values_that_nothing_knows(tmp_path: Path) -> None:
    datasets = stack(ramp((3, 4, 5)), PatientPosition="SECRET", PatientOrientation=["SE", "CRET"])
    datasets[1].RescaleSlope = 2
    report = report_of(tmp_path, datasets)
    assert report.rescales == 2
    assert report.patient_position == ""
    assert report.told_orientation == ()


def test_without_positions_little_is_told(tmp_path: Path) -> None:
    report = report_of(
        tmp_path, [one_slice(ramp((1, 4, 5))[0], (0, 0, 0), ImagePositionPatient=None)]
    )
    assert report.slices == 1
    assert report.shape is None
    assert "where in the body" in report.why_none
    assert report.lines()[0].startswith("grid: none")


# Letters against numbers


@pytest.mark.parametrize(
    ("orientation", "told", "conflicts"),
    [
        (AXIAL, ["L", "P"], False),
        (AXIAL, ["R", "P"], True),
        (AXIAL, ["L", "A"], True),
        (AXIAL, ["LP", "PR"], False),
        (AXIAL, ["H", "P"], True),
        (AXIAL, ["P"], False),
        (AXIAL, ["LE", "RT"], False),
        (SAGITTAL, ["P", "F"], False),
        (SAGITTAL, ["A", "F"], True),
    ],
)
def test_letters_that_contradict_the_numbers_are_a_problem(
    tmp_path: Path, orientation: tuple[float, ...], told: list[str], *, conflicts: bool
) -> None:
    datasets = stack(ramp((3, 4, 5)), orientation=orientation, PatientOrientation=told)
    volume = found(tmp_path, datasets)
    problems = [p for p in volume.problems if p.code == "orientation-conflict"]
    assert bool(problems) == conflicts
    assert volume.usable
    if conflicts:
        assert "the slices" in problems[0].what


def test_slices_of_both_sides_of_the_body_are_a_problem(tmp_path: Path) -> None:
    datasets = stack(ramp((3, 4, 5)), Laterality="L")
    assert found(tmp_path / "a", datasets).report.laterality == "L"  # type: ignore[union-attr]
    datasets[1].Laterality = "R"
    volume = found(tmp_path / "b", datasets)
    assert "orientation-conflict" in {problem.code for problem in volume.problems}
    assert volume.report is not None
    assert volume.report.laterality == ""


# What can be split


def test_runs_of_a_split_series_have_reports_of_their_own(tmp_path: Path) -> None:
    (series,) = formats.scan(save_all(tmp_path, stack(ramp((5, 4, 5)), [0, 4, 8, 15, 22]))).series
    pieces = formats.pieces_of(series, 0, Choice("split"))
    assert [piece.name for piece in pieces] == ["run 1", "run 2"]
    assert [piece.report.step_mm for piece in pieces if piece.report] == [4.0, 7.0]
    assert all(piece.usable for piece in pieces)


def test_the_longest_run_takes_the_slice_at_its_border_and_tells_what_is_left(
    tmp_path: Path,
) -> None:
    heights = [0, 4, 8, 15, 22, 29]
    (series,) = formats.scan(save_all(tmp_path, stack(ramp((6, 4, 5)), heights))).series
    (piece,) = formats.pieces_of(series, 0, Choice("largest-run"))
    assert piece.geometry is not None
    assert piece.geometry.shape[0] == 4
    assert piece.geometry.spacing_mm[0] == pytest.approx(7.0)
    assert piece.geometry.origin_lps[2] == pytest.approx(HEIGHT + 8)
    (left,) = [p for p in piece.problems if p.code == "left-out-slices"]
    assert left.what == "2 of 6 slices left out: 2 below (from 5.00 to 9.00 mm along the normal)"


def test_of_runs_of_equal_length_the_one_with_more_tissue_is_kept(tmp_path: Path) -> None:
    heights = [0, 4, 8, 20, 25, 30]
    (series,) = formats.scan(save_all(tmp_path, stack(ramp((6, 4, 5)), heights))).series
    (piece,) = formats.pieces_of(series, 0, Choice("largest-run"))
    assert piece.geometry is not None
    assert piece.geometry.origin_lps[2] == pytest.approx(HEIGHT + 20)


def test_whole_copies_are_split_by_their_numbers_on_request(tmp_path: Path) -> None:
    first = stack(ramp((3, 4, 5)))
    second = stack(ramp((3, 4, 5)) + 1)
    # They run neither through a whole copy nor through one place: nothing is guessed.
    for n, (a, b) in enumerate(zip(first, second, strict=True)):
        a.InstanceNumber, b.InstanceNumber = ((1, 3), (2, 5), (4, 6))[n]
        b.SOPInstanceUID = uid("second", n)
    folder = save_all(tmp_path, [*first, *second])
    (series,) = formats.scan(folder).series
    assert not series.regular
    pieces = formats.pieces_of(series, 0, Choice("split"))
    assert [piece.name for piece in pieces] == ["copy 1", "copy 2"]
    assert all(piece.usable for piece in pieces)
    assert all("copies-by-number" in {p.code for p in piece.problems} for piece in pieces)


def test_slices_that_are_all_at_one_place_stay_refused(tmp_path: Path) -> None:
    (series,) = formats.scan(save_all(tmp_path, stack(ramp((4, 4, 5)), [0, 0, 0, 0]))).series
    assert formats.choices_for(series) == ()
