"""A case's own image without the face: everything else of the case stays as it was."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import Cancelled, InputError, OutputError, ReadOnly, Refused
from napari_medlabel.phantom import Head, write_ct_series
from napari_medlabel.privacy.face import FaceFinding, find_in
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.storage.ome_zarr import open_volume, verify

GRID = Geometry.from_spacing((56, 60, 50), (4.0, 4.0, 4.0), (-98.0, -128.0, -112.0))


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("head")
    write_ct_series(folder, Head(1).ct(GRID), GRID)
    return folder


@pytest.fixture(scope="module")
def finding() -> FaceFinding:
    """Looked for once: it takes seconds."""
    return find_in(Head(1).ct(GRID), GRID, "HU")


@pytest.fixture
def case(session: Session, head: Path) -> Iterator[OpenCase]:
    """A head with one segment in its brain and one on its nose."""
    (series,) = commands.scan(session, head).series
    opened = commands.open_series(session, series, found_at=head)
    commands.set_label(session, opened, Label(1, "Brain", "#ff0000"))
    commands.set_label(session, opened, Label(2, "Nose", "#00ff00"))
    drawn = np.zeros(GRID.shape, np.uint8)
    drawn[40:44, 30:34, 20:28] = 1
    commands.paint(session, opened, Edit.between((0, 0, 0), np.zeros_like(drawn), drawn))
    opened.loading.wait()
    yield opened
    if not opened.closed:
        commands.close_case(session, opened)


def stored(session: Session, case: OpenCase) -> Volume:
    """The image as it is at rest."""
    info = case.info
    cipher = session.workspace.catalogue.case_cipher(info.id)
    verify(session.workspace.image_path(info.id), cipher, info.id)
    return open_volume(session.workspace.image_path(info.id), cipher=cipher, place=info.id)


def test_the_image_loses_its_face_and_the_case_nothing_else(
    session: Session, case: OpenCase, finding: FaceFinding
) -> None:
    before = np.array(case.volume.levels[0])
    labels = case.segmentation.labels.copy()
    told = commands.case_statistics(session, case)
    instances, sha256 = stored(session, case).source.instances, stored(session, case).sha256
    assert all(one.sha256 for one in instances)
    undo = case.segmentation.can_undo
    answer = commands.deface_case(session, case, finding=finding)
    assert (answer.verdict, answer.changed) == ("face-removed", True)
    after = np.array(case.volume.levels[0])
    changed = after != before
    assert 0 < changed.sum() <= answer.facts["voxels_removed"]
    assert answer.facts["brain_voxels_removed"] == 0
    np.testing.assert_array_equal(case.segmentation.labels, labels)
    assert commands.case_statistics(session, case) == told
    assert case.segmentation.can_undo == undo
    rest = stored(session, case)
    np.testing.assert_array_equal(rest.levels[0][:], after)
    assert len(rest.levels) == len(case.volume.levels)
    coarse = np.asarray(rest.levels[-1][:])
    assert coarse.mean() < before.mean()
    assert rest.source.instances == instances  # of the source, which is as it was
    assert rest.sha256 == answer.facts["image_sha256_after"] != sha256
    assert answer.facts["image_sha256_before"] == sha256


def test_a_closed_case_keeps_what_was_done_and_its_open_source_stays_one(
    session: Session, case: OpenCase, finding: FaceFinding, head: Path
) -> None:
    commands.close_case(session, case)
    plan = commands.FacePlan(margin_mm=6.5, seed=3)
    commands.deface_case(session, case.info.name, plan, finding=finding)
    face = commands.case_privacy(session, case.info.name).face
    assert (face.state, face.who) == ("done", session.person.id)
    assert face.proof["plan"] == plan.document()
    assert face.proof["face_points_matched_after"] <= 0.10
    assert ("deface_case", "done") in [(one.action, one.outcome) for one in session.events]
    (series,) = commands.scan(session, head).series
    again = commands.open_series(session, series, found_at=head)
    again.loading.wait()
    assert again.info.id == case.info.id
    assert again.volume.sha256 == face.proof["image_sha256_after"]
    assert (np.array(again.volume.levels[0]) != Head(1).ct(GRID)).any()
    commands.close_case(session, again)


def test_what_is_not_clear_or_not_meant_is_refused_and_changes_nothing(
    session: Session, case: OpenCase, finding: FaceFinding
) -> None:
    before, sha256 = np.array(case.volume.levels[0]), stored(session, case).sha256
    nose = np.zeros(GRID.shape, np.uint8)
    nose[20:24, 2:8, 22:27] = 2
    labels = case.segmentation.labels
    commands.paint(session, case, Edit.between((0, 0, 0), labels, np.maximum(labels, nose)))
    with pytest.raises(Refused, match=r"\d+ labelled voxels of 1 segments"):
        commands.deface_case(session, case, finding=finding)
    unsure = replace(finding, verdict="uncertain", why="cut by a plane")
    with pytest.raises(Refused, match="cut by a plane"):
        commands.deface_case(session, case, finding=unsure)
    other = Geometry.from_spacing(GRID.shape, (3.0, 3.0, 3.0), (0.0, 0.0, 0.0))
    with pytest.raises(InputError, match="not of this case's image"):
        commands.deface_case(session, case, finding=replace(finding, geometry=other))
    with pytest.raises(ReadOnly):  # it is open here
        commands.deface_case(session, case.info.id, finding=finding)
    assert commands.case_privacy(session, case).face.state == "unknown"
    none = replace(finding, verdict="not-a-head", why="nothing like a head was found")
    assert not commands.deface_case(session, case, finding=none).changed
    assert commands.case_privacy(session, case).face.state == "not-needed"
    assert stored(session, case).sha256 == sha256
    np.testing.assert_array_equal(case.volume.levels[0], before)
    drawn = case.segmentation.labels.copy()
    answer = commands.deface_case(session, case, finding=finding, accept_labelled=True)
    assert 0 < answer.facts["labelled_voxels_removed"] <= 120
    np.testing.assert_array_equal(case.segmentation.labels, drawn)


def test_calling_it_off_a_full_disk_and_a_killed_process_leave_the_image_as_it_was(
    session: Session, case: OpenCase, finding: FaceFinding, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, sha256 = np.array(case.volume.levels[0]), stored(session, case).sha256
    folder = session.workspace.image_path(case.info.id).parent
    names = {path.name for path in folder.iterdir()}
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 12

    with pytest.raises(Cancelled):
        commands.deface_case(session, case, finding=finding, cancelled=cancelled)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("napari_medlabel.storage.sealed_store._write_file", full)
        with pytest.raises(OutputError, match="disk is full"):
            commands.deface_case(session, case, finding=finding)
    assert {path.name for path in folder.iterdir()} == names
    assert stored(session, case).sha256 == sha256
    np.testing.assert_array_equal(case.volume.levels[0], before)
    assert commands.case_privacy(session, case).face.state == "unknown"
    # Killed between taking the old image away and naming the new one: the old one is put back.
    commands.close_case(session, case)
    path = session.workspace.image_path(case.info.id)
    new = path.with_name(f".0123abcd-{path.name}")
    shutil.copytree(path, new)
    (new / "manifest").touch()
    path.rename(path.with_name(f".89abcdef-{path.name}"))
    again = commands.open_case(session, case.info.id)
    again.loading.wait()
    np.testing.assert_array_equal(again.volume.levels[0], Head(1).ct(GRID))
    assert not list(path.parent.glob(".*-image.zarr"))
    commands.close_case(session, again)
