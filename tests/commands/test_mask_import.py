"""Segments of a mask file into chosen segments of a case, and two segments made one."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import GeometryError, InputError, Locked
from napari_medlabel.session import OpenCase, Session
from tests.formats.made_seg import Frame, code, save_seg, seg, segment

LIVER = Label(1, "Liver", "#FF8000")
SPLEEN = Label(2, "Spleen", "#33A680")
TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, LIVER)
    commands.set_label(session, case, SPLEEN)
    for value, columns in ((1, slice(6, 26)), (2, slice(26, 34))):
        box = (slice(2, 5), slice(4, 14), columns)
        commands.threshold(session, case, value, box=box, lower=-2000.0)
    return case


@pytest.fixture
def mask(case: OpenCase, tmp_path: Path) -> Path:
    """Values 4 and 7, in names of their own: a spleen, and something new."""
    labels = np.zeros_like(case.segmentation.labels)
    labels[3:6, 20:25, 6:28] = 4
    labels[7, 4:8, 30:33] = 7
    formats.write(labels, case.segmentation.geometry, tmp_path / "m.nii.gz")
    named = [
        {"value": 4, "name": "spleen", "color": "#EB59FF"},
        {"value": 7, "name": "Cyst", "color": "#EBEB33"},
    ]
    beside = {"format": 1, "name": "Task", "labels": named}
    (tmp_path / "m.labels.json").write_text(json.dumps(beside), encoding="utf-8")
    return tmp_path / "m.nii.gz"


def test_a_mask_tells_its_segments_and_where_they_may_go(
    session: Session, case: OpenCase, mask: Path
) -> None:
    content = commands.mask_content(session, case, mask)
    spleen, cyst = content.segments
    assert (spleen.name, spleen.into, spleen.color) == ("spleen", 2, "#EB59FF")
    assert (cyst.name, cyst.into) == ("Cyst", 0)
    assert cyst.ml == pytest.approx(12 * case.segmentation.geometry.voxel_ml)
    assert (content.kind, content.differs) == ("mask", "")


def test_chosen_segments_come_in_as_one_step(session: Session, case: OpenCase, mask: Path) -> None:
    seg, before = case.segmentation, case.segmentation.labels.copy()
    content = commands.mask_content(session, case, mask)
    steps = len(seg.history)
    commands.import_segments(session, case, content, {4: 2, 7: 0})
    after = before.copy()
    after[3:6, 20:25, 6:28] = 2
    after[7, 4:8, 30:33] = 7
    np.testing.assert_array_equal(seg.labels, after)
    assert seg.schema[7].name == "Cyst"
    assert len(seg.history) == steps + 1
    assert commands.versions(session, case)["versions"][0]["message"].startswith("Before")
    commands.undo(session, case)
    np.testing.assert_array_equal(seg.labels, before)
    assert seg.schema.get(7) is None


def test_only_what_is_chosen_comes_in(session: Session, case: OpenCase, mask: Path) -> None:
    content = commands.mask_content(session, case, mask)
    before = case.segmentation.labels.copy()
    commands.import_segments(session, case, content, {7: 1})
    before[7, 4:8, 30:33] = 1
    np.testing.assert_array_equal(case.segmentation.labels, before)
    with pytest.raises(InputError, match="no segment is chosen"):
        commands.import_segments(session, case, content, {})


def test_another_grid_is_told_with_numbers_and_resampled_on_request(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    grid = case.segmentation.geometry
    shape = (grid.shape[0] * 2, grid.shape[1], grid.shape[2])
    lps_from_kji = grid.lps_from_kji.copy()
    lps_from_kji[:3, 0] /= 2.0
    lps_from_kji[:3, 3] -= lps_from_kji[:3, 0] / 2.0  # both grids share voxel borders
    labels = np.zeros(shape, np.uint8)
    labels[6:8, 30:36, 10:20] = 3
    formats.write(labels, Geometry(shape, lps_from_kji), tmp_path / "fine.nii.gz")
    content = commands.mask_content(session, case, tmp_path / "fine.nii.gz")
    assert f"{shape[2]} {TIMES} {shape[1]} {TIMES} {shape[0]} voxels, not" in content.differs
    assert "mm apart, not" in content.differs
    with pytest.raises(GeometryError, match="another grid"):
        commands.import_segments(session, case, content, {3: 0})
    commands.import_segments(session, case, content, {3: 0}, resample=True)
    found = np.argwhere(case.segmentation.labels == 3)
    assert found.min(axis=0).tolist() == [3, 30, 10]
    assert found.max(axis=0).tolist() == [3, 35, 19]
    step = case.segmentation.step(case.segmentation.history[-1])
    assert step.settings["resampled"] is True


def test_a_locked_segment_is_not_written_over(session: Session, case: OpenCase, mask: Path) -> None:
    content = commands.mask_content(session, case, mask)
    commands.lock_label(session, case, 2)
    before = case.segmentation.labels.copy()
    with pytest.raises(Locked):
        commands.import_segments(session, case, content, {4: 2})
    np.testing.assert_array_equal(case.segmentation.labels, before)


def test_two_segments_become_one_and_undo_parts_them(session: Session, case: OpenCase) -> None:
    seg, before = case.segmentation, case.segmentation.labels.copy()
    commands.merge_segments(session, case, 1, 2)
    np.testing.assert_array_equal(seg.labels, np.where(before > 0, 2, 0))
    assert [label.value for label in seg.schema] == [2]
    commands.undo(session, case)
    np.testing.assert_array_equal(seg.labels, before)
    assert [label.name for label in seg.schema] == ["Liver", "Spleen"]
    with pytest.raises(InputError, match="into itself"):
        commands.merge_segments(session, case, 1, 1)


def test_segments_of_two_groups_merge_where_no_third_is_in_the_way(
    session: Session, case: OpenCase
) -> None:
    seg = case.segmentation
    commands.set_label(session, case, Label(3, "Cyst", "#EBEB33", group=1))
    box = (slice(3, 6), slice(12, 18), slice(10, 20))
    commands.threshold(session, case, 3, box=box, lower=-2000.0)
    cyst, liver = seg.labels_of(3) == 3, seg.labels_of(1) == 1
    commands.merge_segments(session, case, 3, 1)
    np.testing.assert_array_equal(seg.labels_of(1) == 1, cyst | liver)
    commands.undo(session, case)
    commands.merge_segments(session, case, 1, 3)
    np.testing.assert_array_equal(seg.labels_of(3) == 3, cyst | liver)
    commands.undo(session, case)
    with pytest.raises(InputError, match="overlaps 'Liver'"):
        commands.merge_segments(session, case, 3, 2)


def test_overlapping_segments_of_a_dicom_segmentation_come_into_groups(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    grid = case.volume.source.geometry
    masks = np.zeros((2, *grid.shape), bool)
    masks[0, 1:6, 3:12, 4:20] = True
    masks[1, 4:8, 8:20, 10:30] = True
    frames = [
        Frame(k, n, picture.astype(np.uint8))
        for n, mask in enumerate(masks, 1)
        for k, picture in enumerate(mask)
        if picture.any()
    ]
    described = [
        segment(1, SegmentLabel="Liver"),
        segment(2, SegmentLabel="Vein", kind=code("29092000", "SCT", "Vein")),
    ]
    dataset = seg(grid, frames, described)
    dataset.FrameOfReferenceUID = case.volume.source.frame_of_reference_uid
    content = commands.mask_content(session, case, save_seg(tmp_path / "a.dcm", dataset))
    liver, vein = content.segments
    assert (content.kind, content.differs) == ("dicom-seg", "")
    assert (liver.into, vein.into, vein.code) == (1, 0, "Vein")
    commands.import_segments(session, case, content, {1: 0, 2: 0})
    labels = {one.name: one for one in case.segmentation.schema}
    to_source = case.volume.source.axes.inverse().apply
    for mask, name in zip(masks, ("Liver 2", "Vein"), strict=True):
        value = labels[name].value
        found = to_source(case.segmentation.labels_of(value)) == value
        np.testing.assert_array_equal(found, mask)
    assert labels["Liver 2"].group != labels["Vein"].group
    commands.undo(session, case)
    with pytest.raises(InputError, match="overlap in"):
        commands.import_segments(session, case, content, {1: 1, 2: 2})


def test_a_mask_as_ome_zarr_comes_in(session: Session, case: OpenCase, tmp_path: Path) -> None:
    labels = np.zeros_like(case.segmentation.labels)
    labels[7, 4:8, 30:33] = 7
    formats.write(labels, case.segmentation.geometry, tmp_path / "m.nii.gz")
    commands.convert(session, tmp_path / "m.nii.gz", tmp_path / "m.ome.zarr")
    content = commands.mask_content(session, case, tmp_path / "m.ome.zarr")
    commands.import_segments(session, case, content, {7: 0})
    np.testing.assert_array_equal(case.segmentation.labels == 7, labels == 7)
