"""Every tool through its command on an open case: one step, with settings, undone by one undo."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.provenance import steps_of
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import IntensityMask
from napari_medlabel.errors import Cancelled, InputError, PermissionDenied, ReadOnly
from napari_medlabel.session import OpenCase, Permission, Session

LIVER, SPLEEN = Label(1, "Liver", "#FF8000"), Label(2, "Spleen", "#33A680")
Tool = Callable[[Session, OpenCase], Edit]

TOOLS: dict[str, Tool] = {
    "Interpolate": lambda s, c: commands.interpolate_slices(s, c, values=[1]),
    "Fill holes": lambda s, c: commands.fill_holes(s, c, 1),
    "Keep largest": lambda s, c: commands.keep_largest_islands(s, c, 1),
    "Remove islands": lambda s, c: commands.remove_small_islands(s, c, 1, below_ml=0.05),
    "Split islands": lambda s, c: commands.split_islands(s, c, 1),
    "Smooth (median)": lambda s, c: commands.smooth_median(s, c, 1, size_mm=6.0),
    "Smooth (Gaussian)": lambda s, c: commands.smooth_gaussian(s, c, 1, sigma_mm=2.0),
    "Smooth jointly": lambda s, c: commands.smooth_jointly(s, c, [1, 2], sigma_mm=2.0),
    "Grow margin": lambda s, c: commands.grow_margin(s, c, 1, by_mm=2.0),
    "Shrink margin": lambda s, c: commands.shrink_margin(s, c, 1, by_mm=1.0),
    "Hollow": lambda s, c: commands.hollow(s, c, 1, thickness_mm=1.0, side="both"),
    "Union segments": lambda s, c: commands.combine_segments(s, c, 1, 2, how="union"),
    "Subtract segments": lambda s, c: commands.combine_segments(
        s, c, 1, 2, how="subtract", margin_mm=3.0
    ),
    "Copy slice": lambda s, c: commands.copy_slice(s, c, 1, 3),
    "Mirror": lambda s, c: commands.mirror_segment(s, c, 2, over_others=True),
    "Relabel": lambda s, c: commands.relabel_segments(s, c, {1: 2, 2: 1}),
    "Carry slice": lambda s, c: commands.carry_slice(s, c, 1, 1, step=1, replace=True),
    "Threshold": lambda s, c: commands.threshold(s, c, 1, lower=0.0),
    "Grow region": lambda s, c: commands.grow_region(s, c, 1, (4, 20, 20), tolerance=1500.0),
    "Fill": lambda s, c: commands.fill_region(s, c, 2, (1, 10, 10), axis=0),
    "Grow from seeds": lambda s, c: commands.grow_from_seeds(s, c, margin_mm=5.0, upper=900.0),
    "Smart paint": lambda s, c: commands.paint_to_edge(s, c, 1, (4, 20, 20), diameter_mm=9.0),
}


@pytest.fixture
def case(session: Session, folder: Path) -> Iterator[OpenCase]:
    """Two drawn slices of the liver with a hole and a speck, and a spleen beside it."""
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, LIVER)
    commands.set_label(session, case, SPLEEN)
    drawn = np.zeros(case.segmentation.labels.shape, np.uint8)
    drawn[[1, 5], 8:22, 8:24] = 1
    drawn[1, 12:14, 12:15] = 0
    drawn[2, 12:14, 12:15] = 0
    drawn[1, 30, 30] = 1
    drawn[0:7, 8:22, 24:28] = 2
    commands.paint(session, case, Edit.between((0, 0, 0), np.zeros_like(drawn), drawn))
    case.loading.wait()
    yield case
    if not case.closed:
        commands.close_case(session, case)


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_is_one_step_with_its_settings_and_undone_by_one_undo(
    session: Session, case: OpenCase, name: str
) -> None:
    if name == "Fill holes":  # shut in from above and below, too
        TOOLS["Copy slice"](session, case)
        commands.copy_slice(session, case, 5, 0, over_others=True)
        commands.copy_slice(session, case, 5, 2, over_others=True)
    before, steps = case.segmentation.labels.copy(), len(case.segmentation.history)
    schema = case.segmentation.schema
    edit = TOOLS[name](session, case)
    assert not edit.is_nothing
    assert len(case.segmentation.history) == steps + 1
    step = case.segmentation.next_undo()
    assert step is not None
    assert step.tool == name
    assert step.settings
    assert json.loads(json.dumps(dict(step.settings), allow_nan=False)) == dict(step.settings)
    (entry,) = steps_of([step])
    assert entry.tool == name
    assert (case.segmentation.labels != before).any()
    commands.undo(session, case)
    np.testing.assert_array_equal(case.segmentation.labels, before)
    assert case.segmentation.schema == schema


@pytest.mark.parametrize("name", TOOLS)
def test_no_tool_changes_a_locked_segment(session: Session, case: OpenCase, name: str) -> None:
    commands.lock_label(session, case, 1)
    before = case.segmentation.labels == 1
    TOOLS[name](session, case)
    np.testing.assert_array_equal(case.segmentation.labels == 1, before)


@pytest.mark.parametrize("name", TOOLS)
def test_no_tool_goes_round_the_permission_or_a_closed_case(
    session: Session, case: OpenCase, name: str
) -> None:
    session._permissions = frozenset({Permission.VIEW})
    with pytest.raises(PermissionDenied):
        TOOLS[name](session, case)
    session._permissions = frozenset(Permission)
    commands.close_case(session, case)
    with pytest.raises(ReadOnly, match="closed"):
        TOOLS[name](session, case)


def test_interpolation_is_trimmed_by_the_intensity_mask(session: Session, case: OpenCase) -> None:
    case.segmentation.intensity_mask = IntensityMask(case.volume.levels[0], 0, 3000)
    edit = commands.interpolate_slices(session, case, values=[1])
    assert edit.voxels > 0
    assert (case.volume.levels[0][edit.box][edit.changed] >= 0).all()


def test_interpolation_by_the_image_in_another_view_tells_its_progress(
    session: Session, case: OpenCase
) -> None:
    commands.interpolate_slices(session, case, values=[1])
    labels = case.segmentation.labels.copy()
    gap = np.zeros_like(labels)
    gap[:, 15:17] = labels[:, 15:17]
    commands.paint(session, case, Edit.between((0, 0, 0), labels, labels - gap))
    told: list[tuple[int, int]] = []
    edit = commands.interpolate_slices(
        session, case, axis=1, by_image=True, progress=lambda *done: told.append(done)
    )
    assert not edit.is_nothing
    assert told[-1] == (10, 10)  # the speck lies eight rows behind the rest
    step = case.segmentation.next_undo()
    assert step is not None
    assert (step.settings["axis"], step.settings["reach_mm"]) == (1, 2.0)


def test_split_islands_get_segments_of_their_own(session: Session, case: OpenCase) -> None:
    commands.split_islands(session, case, 1)
    names = [label.name for label in case.segmentation.schema]
    assert names == ["Liver", "Spleen", "Liver 2", "Liver 3"]
    assert [case.segmentation.voxels(value) for value in (1, 3, 4)] == [224, 218, 1]
    commands.undo(session, case)
    commands.split_islands(session, case, 1, smallest_ml=0.1)
    assert len(case.segmentation.schema) == 3
    with pytest.raises(InputError):
        commands.split_islands(session, case, 1, most=0)


def test_otsu_looks_without_the_permission_to_draw(session: Session, case: OpenCase) -> None:
    session._permissions = frozenset({Permission.VIEW})
    inside = commands.otsu_threshold(session, case, inside=1)
    assert -1000 < inside < 1500
    session._permissions = frozenset(Permission)


def test_a_tool_that_is_called_off_leaves_no_step(session: Session, case: OpenCase) -> None:
    steps = case.segmentation.history
    with pytest.raises(Cancelled):
        commands.grow_margin(session, case, 1, by_mm=4.0, cancelled=lambda: True)
    assert case.segmentation.history == steps
    event = session.events[-1]
    assert (event.action, event.outcome) == ("grow_margin", "failed")


def test_a_region_without_a_tolerance_is_grown_confidently(
    session: Session, case: OpenCase
) -> None:
    edit = commands.grow_region(session, case, 1, (7, 30, 40), factor=3.0, axis=0)
    assert edit.changed.shape[0] == 1
    step = case.segmentation.next_undo()
    assert step is not None
    assert step.settings["factor"] == 3.0


def test_growing_ends_at_its_limit_and_says_so(session: Session, case: OpenCase) -> None:
    voxel_ml = case.segmentation.geometry.voxel_ml
    commands.relabel_segments(session, case, {1: 0})
    for most_ml, reached in ((50 * voxel_ml, True), (1e4, False)):
        edit = commands.grow_region(
            session, case, 1, (4, 20, 20), tolerance=1500.0, most_ml=most_ml
        )
        step = case.segmentation.next_undo()
        assert step is not None
        assert (step.settings["most_ml"], step.settings["limit_reached"]) == (most_ml, reached)
        assert (edit.voxels <= 50) is reached
        assert edit.voxels > 0
        assert case.segmentation.labels[4, 20, 20] == 1
        commands.undo(session, case)
    with pytest.raises(InputError, match="limit"):
        commands.grow_region(session, case, 1, (4, 20, 20), most_ml=-1.0)
