"""Commands that are whole or not at all, rehearsed first and accepted after."""

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.core.annotation import Annotation, Distance
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import Locked
from napari_medlabel.session import OpenCase, Session


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, Label(1, "Liver", "#FF8000"))
    box = (slice(2, 5), slice(4, 14), slice(6, 26))
    commands.threshold(session, case, 1, box=box, lower=-2000.0)
    return case


def test_a_version_is_restored_once_its_rehearsal_is_accepted(
    session: Session, case: OpenCase
) -> None:
    seg, kept = case.segmentation, case.segmentation.labels.copy()
    number = commands.save_version(session, case).number
    commands.delete_label(session, case, 1)
    ready = commands.rehearse(session, case, commands.restore, number)
    assert seg.voxels(1) == 0
    commands.accept(session, case, ready)
    np.testing.assert_array_equal(seg.labels, kept)
    assert seg.step(seg.history[-1]).tool == "Restore version"
    commands.undo(session, case)
    assert len(seg.schema) == 0
    again = commands.rehearse(session, case, commands.restore, number)
    assert not again.is_nothing
    commands.accept(session, case, again)
    assert commands.rehearse(session, case, commands.restore, number).is_nothing


def test_what_is_whole_or_not_at_all_is_refused_where_a_segment_is_locked(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    seg = case.segmentation
    labels = np.full_like(seg.labels, 4)
    formats.write(labels, seg.geometry, tmp_path / "m.nii.gz")
    content = commands.mask_content(session, case, tmp_path / "m.nii.gz")
    ready = commands.rehearse(session, case, commands.import_segments, content, {4: 0})
    commands.lock_label(session, case, 1)
    before = seg.labels.copy()
    with pytest.raises(Locked):
        commands.accept(session, case, ready)
    np.testing.assert_array_equal(seg.labels, before)


def test_segments_and_measurements_that_came_since_are_kept_when_a_preview_is_accepted(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    seg = case.segmentation
    labels = np.zeros_like(seg.labels)
    labels[7, 20:30, 20:30] = 2
    formats.write(labels, seg.geometry, tmp_path / "m.nii.gz")
    content = commands.mask_content(session, case, tmp_path / "m.nii.gz")
    ready = commands.rehearse(session, case, commands.import_segments, content, {2: 0})
    mine = Label(2, "Segment 2", "#123456")
    commands.set_label(session, case, mine)
    line = Annotation("a", Distance((1.0, 1.0, 1.0), (1.0, 9.0, 9.0)), "Line", segment=2)
    commands.add_annotation(session, case, line)
    commands.accept(session, case, ready)
    (imported,) = (one for one in seg.schema if one.value > 2)
    assert (seg.schema[2], seg.voxels(2)) == (mine, 0)
    np.testing.assert_array_equal(seg.labels == imported.value, labels == 2)
    assert imported.name not in {"Segment 2", ""}
    step = seg.next_undo()
    assert step is not None
    assert step.settings["into"] == {"2": imported.value}
    assert seg.annotations["a"] == line
    commands.undo(session, case)
    assert [one.value for one in seg.schema] == [1, 2]
