"""The report says what is there, in numbers and in words, and survives JSON."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.directions import contradicts, letters, position_words, vector
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.geometry_report import Duplicate, GeometryReport, Missing, Step

IRREGULAR = GeometryReport(
    slices=5,
    why_none="1 slice missing",
    steps=(Step(0.0, 5.0), Step(5.0, 5.0), Step(10.0, 10.0)),
    plane="axial",
    obliquity_deg=0.0,
    missing=(Missing(10.0, 20.0, 1),),
    duplicates=(Duplicate(5.0, 2),),
    beside_mm=(20.0,),
    thickness_mm=(4.0, 7.0),
    window_gap_mm=(-2.0, 3.0),
    overlaps=(Step(0.0, 2.0),),
    pixel_mm=(0.5, 0.8),
    rescales=3,
    patient_position="FFDR",
    runs_to=("L", "P", "H"),
    laterality="R",
)


def sheared(per_slice_mm: float) -> Geometry:
    matrix = Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.2)).lps_from_kji.copy()
    matrix[1, 0] = per_slice_mm
    return Geometry((4, 5, 6), matrix)


def test_a_plain_grid_is_told_in_full() -> None:
    report = GeometryReport.of_grid(Geometry.from_spacing((4, 5, 6), (3.0, 1.0, 1.0)))
    assert report.step_mm == 3.0
    assert report.is_even
    assert report.tilt_deg == 0.0
    assert report.runs_to == ("L", "P", "H")
    assert report.lines() == [
        "grid: 4 x 5 x 6 voxels of 3 x 1 x 1 mm (slices, rows, columns)",
        "spacing between slices: 3 mm",
        "tilt: none",
        "orientation: axial, rows run to left, columns run to back, slices run to head",
    ]


def test_a_sheared_grid_tells_its_tilt_and_its_step_along_the_normal() -> None:
    report = GeometryReport.of_grid(sheared(3.0))
    assert report.tilt_deg == pytest.approx(45.0)
    assert report.shear == pytest.approx(1.0)
    assert report.step_mm == 3.0
    assert report.spacing_mm is not None
    assert report.spacing_mm[0] == pytest.approx(3.0 * np.sqrt(2.0))
    assert "tilt: 45.0 degrees (shear 1.000)" in report.lines()
    assert "pixels: not square, 1 mm from row to row, 1.2 mm from column to column" in (
        report.lines()
    )


@given(st.integers(0, 47), st.floats(-2.0, 2.0))
def test_every_layout_of_a_grid_has_a_report_that_survives_json(n: int, lean: float) -> None:
    own = sheared(lean)
    order = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)][n % 6]
    flips = tuple(bool(n // 6 >> bit & 1) for bit in range(3))
    axes = type(own.canonical)(order, (flips[0], flips[1], flips[2]))
    report = GeometryReport.of_grid(own.laid_out(axes))
    assert GeometryReport.from_document(json.loads(json.dumps(report.document()))) == report
    angles = {report.tilt_deg, report.skew_deg}
    expected = np.degrees(np.arctan(abs(lean) / 3.0))
    assert min(abs(angle - expected) for angle in angles) < 0.01


def test_an_irregular_series_is_told_line_by_line() -> None:
    assert IRREGULAR.lines() == [
        "grid: none, 1 slice missing",
        "spacing between slices: uneven, 2 of 5.00 mm, 1 of 10.00 mm",
        "tilt: none",
        "orientation: axial, rows run to left, columns run to back, slices run to head",
        "missing: 1 between 10.00 and 20.00 mm",
        "at one place: 2 slices at 5.00 mm",
        "side by side: slices at 20.00 mm",
        "slice thickness: 4.00 to 7.00 mm, gaps of up to 3.00 mm and overlaps of up to 2.00 mm",
        "pixels: not square, 0.5 mm from row to row, 0.8 mm from column to column",
        "rescale: 3 pairs of slope and intercept",
        "patient: feet first, lying on the right side (FFDR), right side of the body",
    ]
    back = GeometryReport.from_document(json.loads(json.dumps(IRREGULAR.document())))
    assert back == IRREGULAR


def test_many_different_steps_are_told_by_their_range() -> None:
    steps = tuple(Step(float(n), 1.0 + n / 10) for n in range(6))
    line = GeometryReport(slices=7, steps=steps).lines()[1]
    assert line == "spacing between slices: uneven, 1.000 to 1.500 mm"


def test_a_newer_report_is_read_and_a_damaged_one_is_not() -> None:
    assert GeometryReport.from_document(IRREGULAR.document() | {"new": 1}) == IRREGULAR
    with pytest.raises(TypeError):
        GeometryReport.from_document({"steps": [{"no": 1}], "slices": 1})


# Directions


@pytest.mark.parametrize(
    ("direction", "told"),
    [
        ((1, 0, 0), "L"), ((-1, 0, 0), "R"), ((0, 1, 0), "P"), ((0, -1, 0), "A"),
        ((0, 0, 1), "H"), ((0, 0, -1), "F"), ((0.8, -0.6, 0), "LA"), ((0, 0.05, -0.9987), "F"),
    ],
)  # fmt: skip
def test_letters_name_the_nearest_direction_first(
    direction: tuple[float, float, float], told: str
) -> None:
    assert letters(direction) == told
    assert not contradicts(told, direction)


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1))
def test_a_direction_never_contradicts_its_own_letters(v: tuple[float, float, float]) -> None:
    unit = np.array(v) / np.linalg.norm(v)
    told = letters(unit)
    assert np.dot(vector(told[0]), unit) >= 1 / np.sqrt(3) - 1e-5
    assert not contradicts(told, unit)
    assert contradicts(letters(-unit), unit)


@pytest.mark.parametrize("told", ["", "LE", "X", "left"])
def test_what_are_no_letters_of_directions_contradicts_nothing(told: str) -> None:
    assert not contradicts(told, (1.0, 0.0, 0.0))


def test_patient_positions_are_words_where_the_standard_knows_them() -> None:
    assert position_words("HFS") == "head first, supine"
    assert position_words("FFP") == "feet first, prone"
    assert position_words("HFDL") == "head first, lying on the left side"
    for unknown in ("", "HF", "XXS", "HFX", "Smith"):
        assert position_words(unknown) == ""
