"""The grid of a stack of slices, by laws and by numbers."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.core.problem import Problem
from napari_medlabel.formats.dicom_checks import STACK_CHECKS
from napari_medlabel.formats.dicom_geometry import Stack, geometry_of, regular_runs
from tests.formats.made_dicom import AXIAL, SAGITTAL, normal, oblique

lengths = st.floats(0.2, 9.0)
angles = st.floats(-80.0, 80.0)


def stack_at(
    heights_mm: Sequence[float],
    orientation: Sequence[float] = AXIAL,
    shift_per_mm: float = 0.0,
    thickness_mm: float | None = None,
    pixel_mm: tuple[float, float] | None = (2.0, 3.0),
) -> Stack:
    """Slices at heights along their normal, each shifted down its columns by its height."""
    across, down = np.array(orientation[:3]), np.array(orientation[3:])
    step = normal(orientation) + shift_per_mm * down
    positions = np.array([-20.0, 30.0, 5.0]) + np.outer(np.asarray(heights_mm, float), step)
    return Stack(positions, across, down, pixel_mm, 5, 7, thickness_mm)


def problems(stack: Stack) -> dict[str, Problem]:
    return {problem.code: problem for check in STACK_CHECKS for problem in check(stack)}


@given(angles, st.tuples(lengths, lengths, lengths), st.integers(2, 40), st.floats(-0.5, 0.5))
def test_every_voxel_of_every_slice_is_where_its_own_header_puts_it(
    degrees: float, spacing_mm: tuple[float, float, float], count: int, shear: float
) -> None:
    step, row_mm, column_mm = spacing_mm
    heights = np.arange(count) * step
    stack = stack_at(heights, oblique(degrees), shear, pixel_mm=(row_mm, column_mm))
    geometry = geometry_of(stack)
    assert geometry is not None
    for k in (0, count // 2, count - 1):
        for j, i in ((0, 0), (4, 6)):
            # PS3.3 C.7.6.2.1.1, equation of the mapping of pixels to the reference frame
            expected = stack.positions_lps[k] + stack.across * column_mm * i
            expected = expected + stack.down * row_mm * j
            np.testing.assert_allclose(geometry.lps([k, j, i]), expected, atol=1e-6)


@given(angles, lengths, st.integers(3, 30), st.floats(-0.5, 0.5))
def test_an_even_stack_has_no_blocking_problem(
    degrees: float, step: float, count: int, shear: float
) -> None:
    found = problems(stack_at(np.arange(count) * step, oblique(degrees), shear))
    assert not any(problem.blocking for problem in found.values())
    assert ("gantry-tilt" in found) == (abs(np.degrees(np.arctan(shear))) > 0.05)


@given(
    arrays(np.float64, st.integers(3, 20), elements=st.floats(0.5, 9.0)),
    angles,
)
def test_a_stack_is_a_grid_exactly_where_nothing_blocks(steps: np.ndarray, degrees: float) -> None:
    stack = stack_at(np.concatenate([[0.0], np.cumsum(steps)]), oblique(degrees))
    blocked = any(problem.blocking for problem in problems(stack).values())
    assert blocked == (geometry_of(stack) is None)


@given(st.lists(st.sampled_from([0.5, 1.0, 1.25, 3.0]), min_size=1, max_size=25), angles)
def test_runs_cover_every_slice_once_and_each_is_a_grid(steps: list[float], degrees: float) -> None:
    stack = stack_at(np.concatenate([[0.0], np.cumsum(steps)]), oblique(degrees))
    runs = regular_runs(stack)
    assert [start for start, _ in runs] == [0, *(stop for _, stop in runs[:-1])]
    assert runs[-1][1] == len(stack.positions_lps)
    assert all(geometry_of(stack.part(stack.positions_lps[a:b])) for a, b in runs)


@given(st.integers(4, 30), st.data())
def test_a_lost_slice_is_found_where_it_was(count: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(1, count - 2))
    heights = np.delete(np.arange(count) * 2.5, lost)
    problem = problems(stack_at(heights, oblique()))
    if count == 4:  # two steps, of which neither is the usual one
        assert any(found.blocking for found in problem.values())
    else:
        what = problem["missing-slice"].what
        assert "1 slice missing where the step is 2.50 mm" in what
        assert f"5.00 mm between slices {lost} and {lost + 1} " in what


@given(st.integers(3, 60), st.floats(0.3, 7.0), angles)
def test_positions_rounded_to_a_hundredth_of_a_millimetre_are_even(
    count: int, step: float, degrees: float
) -> None:
    stack = stack_at(np.arange(count) * step, oblique(degrees))
    rounded = stack.part(stack.positions_lps.round(2))
    assert geometry_of(rounded) is not None
    assert not any(problem.blocking for problem in problems(rounded).values())


def test_steps_that_grow_slowly_are_found_by_where_they_lead() -> None:
    steps = np.linspace(1.0, 1.009, 100)
    found = problems(stack_at(np.concatenate([[0], np.cumsum(steps)])))
    assert found["uneven-spacing"].blocking


def test_uneven_steps_are_counted() -> None:
    found = problems(stack_at([0, 4, 8, 15, 22, 23.08]))
    assert found["uneven-spacing"].what == (
        "steps between slices differ: 2 of 4.00 mm, 2 of 7.00 mm, 1 of 1.08 mm"
    )
    assert found["uneven-spacing"].blocking


def test_many_different_steps_are_given_as_a_range() -> None:
    steps = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]
    what = problems(stack_at(np.concatenate([[0], np.cumsum(steps)])))["uneven-spacing"].what
    assert what == "steps between slices go from 1.000 to 1.600 mm"


def test_tilt_is_said_in_degrees_and_keeps_the_shear() -> None:
    stack = stack_at(np.arange(6) * 5.0, AXIAL, shift_per_mm=np.tan(np.radians(18.5)))
    problem = problems(stack)["gantry-tilt"]
    assert "18.5 degrees" in problem.what
    assert not problem.blocking
    geometry = geometry_of(stack)
    assert geometry is not None
    assert geometry.shear == pytest.approx(np.sin(np.radians(18.5)))


def test_uneven_steps_of_a_tilted_stack_hide_no_tilt() -> None:
    found = problems(stack_at([0, 4, 8, 15, 22], AXIAL, shift_per_mm=0.3346))
    assert {"gantry-tilt", "uneven-spacing"} == found.keys()


def test_slices_shifted_sideways_here_and_there_are_no_grid() -> None:
    stack = stack_at(np.arange(5) * 3.0)
    positions = stack.positions_lps.copy()
    positions[2, 0] += 1.5
    moved = stack.part(positions)
    assert problems(moved)["uneven-shift"].blocking
    assert geometry_of(moved) is None


def test_repeated_positions_are_counted_and_block() -> None:
    found = problems(stack_at([0, 3, 3, 6, 9]))
    assert "1 slice more than the 4 places" in found["duplicate-position"].what
    assert found["duplicate-position"].blocking
    assert found.keys() == {"duplicate-position"}


def test_thick_slices_overlap_and_may_be_read() -> None:
    found = problems(stack_at(np.arange(5) * 2.0, thickness_mm=3.0))
    assert "3.00 mm thick are 2.00 mm apart" in found["overlapping-slices"].what
    assert not found["overlapping-slices"].blocking


def test_slices_side_by_side_block() -> None:
    stack = stack_at([0, 3, 3, 6])
    positions = stack.positions_lps.copy()
    positions[2, 0] += 40.0
    assert problems(stack.part(positions))["overlapping-slices"].blocking


def test_one_slice_says_what_its_thickness_is_taken_from() -> None:
    known, unknown = stack_at([0.0], thickness_mm=2.5), stack_at([0.0])
    assert "2.50 mm as its header says" in problems(known)["single-slice"].what
    assert "1 mm, as nothing is known" in problems(unknown)["single-slice"].what
    geometry = geometry_of(known)
    assert geometry is not None
    assert geometry.spacing_mm == pytest.approx((2.5, 2.0, 3.0))


def test_two_slices_may_be_read_with_a_warning() -> None:
    found = problems(stack_at([0.0, 2.0], SAGITTAL))
    assert found.keys() == {"few-slices"}
    assert not found["few-slices"].blocking


def test_without_pixel_spacing_no_millimetres_are_claimed() -> None:
    stack = stack_at([0, 1, 2], pixel_mm=None)
    assert problems(stack)["no-spacing"].blocking
    assert geometry_of(stack) is None
