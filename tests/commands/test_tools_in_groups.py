"""Tools on segments of other groups: they draw there, and leave what lies under it alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import InputError
from napari_medlabel.session import OpenCase, Session

LIVER = Label(1, "Liver", "#FF8000")
SPLEEN = Label(2, "Spleen", "#338033")
LESION = Label(3, "Lesion", "#33FFCC", group=2)
CYST = Label(4, "Cyst", "#A633A6", group=2)

Tool = Callable[[Session, OpenCase], object]


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    opened = commands.open_series(session, series, found_at=folder)
    opened.loading.wait()
    for label in (LIVER, SPLEEN, LESION, CYST):
        commands.set_label(session, opened, label)
    shape = opened.volume.shape
    draw(session, opened, 1, (0, 0, 0), shape)
    draw(session, opened, 2, (0, 0, 0), (1, 8, 8))
    for k in (1, 4):
        draw(session, opened, 3, (k, 4, 4), (1, 9, 9))
        draw(session, opened, 0, (k, 8, 8), (1, 1, 1), group=2)
    draw(session, opened, 4, (4, 20, 20), (2, 4, 4))
    return opened


def draw(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, low: tuple[int, int, int],
    size: tuple[int, ...], *, group: int | None = None,
) -> None:  # fmt: skip
    its = case.segmentation.group_of(value) if group is None else group
    labels = case.segmentation.arrays[its]
    edit = Edit.fill(labels, low, np.ones(size, bool), value, group=its)
    commands.paint(session, case, edit)


TOOLS: dict[str, Tool] = {
    "interpolate": lambda s, c: commands.interpolate_slices(s, c, values=[3]),
    "holes": lambda s, c: commands.fill_holes(s, c, 3, axis=0),
    "largest": lambda s, c: commands.keep_largest_islands(s, c, 3),
    "small islands": lambda s, c: commands.remove_small_islands(s, c, 3, below_ml=100.0),
    "split": lambda s, c: commands.split_islands(s, c, 3),
    "median": lambda s, c: commands.smooth_median(s, c, 3, size_mm=3.0),
    "gaussian": lambda s, c: commands.smooth_gaussian(s, c, 3, sigma_mm=1.5),
    "jointly": lambda s, c: commands.smooth_jointly(s, c, [3, 4], sigma_mm=1.5),
    "grow": lambda s, c: commands.grow_margin(s, c, 3, by_mm=2.0),
    "shrink": lambda s, c: commands.shrink_margin(s, c, 3, by_mm=1.0),
    "hollow": lambda s, c: commands.hollow(s, c, 3, thickness_mm=1.0),
    "combine": lambda s, c: commands.combine_segments(s, c, 3, 4, how="union"),
    "copy": lambda s, c: commands.copy_slice(s, c, 1, 2, values=[3]),
    "mirror": lambda s, c: commands.mirror_segment(s, c, 3),
    "relabel": lambda s, c: commands.relabel_segments(s, c, {3: 4, 4: 3}),
    "threshold": lambda s, c: commands.threshold(s, c, 3, lower=500.0),
    "grow region": lambda s, c: commands.grow_region(s, c, 3, (4, 5, 5), tolerance=900.0),
    "fill": lambda s, c: commands.fill_region(s, c, 3, (4, 21, 21)),
    "from seeds": lambda s, c: commands.grow_from_seeds(s, c, values=[3, 4], margin_mm=6.0),
    "to the edge": lambda s, c: commands.paint_to_edge(s, c, 3, (2, 9, 9), diameter_mm=6.0),
}  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
def test_a_tool_draws_in_the_group_of_its_segment_alone(
    session: Session, case: OpenCase, name: str
) -> None:
    under, over = (case.segmentation.arrays[group].copy() for group in (0, 2))
    TOOLS[name](session, case)
    np.testing.assert_array_equal(case.segmentation.labels, under)
    assert (case.segmentation.arrays[2] != over).any()
    step = case.segmentation.next_undo()
    assert step is not None
    assert [edit.group for edit in step.edits] == [2]
    commands.undo(session, case)
    np.testing.assert_array_equal(case.segmentation.arrays[2], over)


def test_a_threshold_inside_a_segment_of_another_group_stays_inside(
    session: Session, case: OpenCase
) -> None:
    commands.threshold(session, case, 4, lower=0.0, inside=2)
    added = np.zeros(case.volume.shape, bool)
    added[0, :8, :8] = np.asarray(case.volume.levels[0][:])[0, :8, :8] >= 0
    added[4:6, 20:24, 20:24] = True  # drawn before
    np.testing.assert_array_equal(case.segmentation.labels_of(4) == 4, added)
    assert case.segmentation.voxels(2) == 64
    inside = commands.otsu_threshold(session, case, inside=3)
    voxels = np.asarray(case.volume.levels[0][:])[case.segmentation.labels_of(3) == 3]
    assert voxels.min() < inside < voxels.max()


@pytest.mark.parametrize(("how", "left"), [("subtract", 0), ("intersect", 160), ("union", 160)])
def test_segments_of_two_groups_are_combined_where_they_overlap(
    session: Session, case: OpenCase, how: str, left: int
) -> None:
    commands.combine_segments(session, case, 3, 1, how=how)
    assert case.segmentation.voxels(1) == case.segmentation.labels.size - 64
    if how == "union":  # all of the liver that no other segment of its group has
        left = case.segmentation.voxels(1) - case.segmentation.voxels(4)
    assert case.segmentation.voxels(3) == left
    assert case.segmentation.voxels(4) == 32


def test_all_segments_are_copied_to_a_slice_as_one_step(session: Session, case: OpenCase) -> None:
    draw(session, case, 0, (2, 0, 0), (1, 40, 48), group=0)
    steps = len(case.segmentation.history)
    commands.copy_slice(session, case, 1, 2)
    assert len(case.segmentation.history) == steps + 1
    for array in case.segmentation.arrays.values():
        np.testing.assert_array_equal(array[2], array[1])
    commands.undo(session, case)
    assert not case.segmentation.labels[2].any()
    assert not case.segmentation.arrays[2][2].any()


def test_all_segments_are_interpolated_in_their_own_groups(
    session: Session, case: OpenCase
) -> None:
    commands.interpolate_slices(session, case)
    assert (case.segmentation.arrays[2][1:5] == 3).any(axis=(1, 2)).all()
    assert case.segmentation.voxels(1) == case.segmentation.labels.size - 64


def test_seeds_of_one_label_alone_do_not_hinder_those_of_another_group(
    session: Session, case: OpenCase
) -> None:
    commands.delete_label(session, case, 2)
    before = case.segmentation.voxels(3) + case.segmentation.voxels(4)
    commands.grow_from_seeds(session, case, margin_mm=6.0)
    assert case.segmentation.voxels(3) + case.segmentation.voxels(4) > before


def test_a_segment_does_not_become_one_of_another_group(session: Session, case: OpenCase) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: commands.relabel_segments(session, case, {3: 1}),
        lambda: commands.mirror_segment(session, case, 3, into=1),
    ]
    for attempt in attempts:
        with pytest.raises(InputError, match="different groups") as caught:
            attempt()
        assert "move one" in caught.value.hint


def test_islands_of_a_segment_become_segments_of_its_group(
    session: Session, case: OpenCase
) -> None:
    commands.split_islands(session, case, 3)
    assert [label.group for label in case.segmentation.schema] == [0, 0, 2, 2, 2]
