"""Starting from a known part of the body: in a case, and on the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel import commands, formats
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Code, Label
from napari_medlabel.errors import Cancelled, InputError
from napari_medlabel.phantom import Body, write_ct_series
from napari_medlabel.session import OpenCase, Session

TORSO = Geometry.from_spacing((30, 64, 68), (8.0, 6.0, 6.0), (-204.0, -190.0, 40.0))


@pytest.fixture(scope="module")
def torso(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("torso")
    write_ct_series(place / "ct", Body().ct(TORSO), TORSO)
    return place


@pytest.fixture
def case(session: Session, torso: Path) -> OpenCase:
    (series,) = commands.scan(session, torso).series
    return commands.open_series(session, series, found_at=torso)


def test_a_part_is_one_step_with_how_it_was_found(session: Session, case: OpenCase) -> None:
    seg = case.segmentation
    edit = commands.start_from(session, case, "lungs")
    (label,) = seg.schema
    assert (label.name, label.code) == ("Lungs", Code("39607008", "SCT", "Lung"))
    assert seg.voxels(label.value) == edit.voxels > 5000
    np.testing.assert_array_equal(
        seg.labels == label.value, medlabel.automatic(case.volume, "lungs")
    )
    step = seg.step(seg.history[-1])
    assert step.tool == "Start from"
    assert step.settings["what"] == "lungs"
    assert step.settings["as"] == "CT"
    assert step.settings["notes"][0] == "the image cuts it off above"
    commands.undo(session, case)
    assert not seg.labels.any()
    assert len(seg.schema) == 0


def test_locked_segments_and_chosen_ones_are_kept(session: Session, case: OpenCase) -> None:
    seg = case.segmentation
    commands.start_from(session, case, "lungs")
    lungs = seg.labels == 1
    commands.start_from(session, case, "body")
    np.testing.assert_array_equal(seg.labels == 1, lungs)  # empty voxels only
    commands.lock_label(session, case, 1)
    commands.set_label(session, case, Label(3, "Right", "#33A680"))
    commands.start_from(session, case, "outside", 3, over_others=True)
    commands.start_from(session, case, "right-lung", 3, over_others=True)
    np.testing.assert_array_equal(seg.labels == 1, lungs)
    commands.lock_label(session, case, 1, on=False)
    commands.start_from(session, case, "right-lung", 3, over_others=True)
    assert 0.3 < (seg.labels == 1).sum() / lungs.sum() < 0.7


def test_it_goes_to_the_segment_of_that_name_or_to_an_empty_numbered_one(
    session: Session, case: OpenCase
) -> None:
    seg = case.segmentation
    commands.set_label(session, case, seg.schema.next_label())
    commands.start_from(session, case, "bone", active=1)
    assert [(one.value, one.name) for one in seg.schema] == [(1, "Bone")]
    commands.set_label(session, case, Label(5, "lungs", "#33A680"))
    commands.start_from(session, case, "lungs", active=1)
    assert seg.voxels(5) > 5000
    commands.set_label(session, case, Label(6, "Tumour", "#EBEB33"))
    commands.start_from(session, case, "table", active=6)
    assert [one.name for one in seg.schema] == ["Bone", "lungs", "Tumour", "Table"]


def test_what_is_rehearsed_is_written_once_accepted(session: Session, case: OpenCase) -> None:
    ready = commands.rehearse(session, case, commands.start_from, "lungs")
    assert not case.segmentation.labels.any()
    commands.accept(session, case, ready)
    assert case.segmentation.voxels(1) == ready.voxels > 5000


def test_what_cannot_be_found_changes_nothing(session: Session, case: OpenCase) -> None:
    for what, words in (("brain", "brain not found"), ("airways", "no airways"), ("x", "known")):
        with pytest.raises(InputError, match=words):
            commands.start_from(session, case, what)
    with pytest.raises(InputError, match="no label with value 9"):
        commands.start_from(session, case, "lungs", 9)
    with pytest.raises(Cancelled):
        commands.start_from(session, case, "lungs", cancelled=lambda: True)
    assert not case.segmentation.history
    assert len(case.segmentation.schema) == 0


def test_the_command_line_writes_a_mask_on_the_files_own_grid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Head first and back to front.
    hu = Body().ct(TORSO)
    flipped = hu[::-1, ::-1]
    matrix = TORSO.lps_from_kji.copy()
    matrix[:3, 3] = TORSO.lps((29, 63, 0))
    matrix[:3, :2] *= -1.0
    own = Geometry(TORSO.shape, matrix)
    formats.write(np.ascontiguousarray(flipped), own, tmp_path / "ct.nii.gz")
    words = ["auto", str(tmp_path / "ct.nii.gz"), "--what", "lungs", "--out"]
    assert main([*words, str(tmp_path / "m.nii.gz"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    mask = medlabel.read(tmp_path / "m.nii.gz")
    assert document["part"] == "lungs"
    assert document["voxels"] == int(mask.levels[0][:].sum())
    assert document["ml"] == pytest.approx(document["voxels"] * TORSO.voxel_ml)
    assert any("look like HU" in note for note in document["notes"])
    assert mask.source.geometry.same_grid(own)
    truth = Body().labels(TORSO)[0] == 4
    both = truth & (mask.levels[0][:] > 0)
    assert 2 * both.sum() / (truth.sum() + document["voxels"]) > 0.95
    assert main([*words, str(tmp_path / "m.nii.gz")]) == 1  # it is there already
    assert main([*words, str(tmp_path / "m.nii.gz"), "--force"]) == 0
    assert "Lungs, " in capsys.readouterr().out


@pytest.mark.parametrize(("what", "words"), [("brain", "brain not found"), ("spleen", "bowel-gas")])
def test_the_command_line_says_why_not_and_writes_nothing(
    torso: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, words: str
) -> None:
    out = tmp_path / "m.nii.gz"
    assert main(["auto", str(torso), "--what", what, "--out", str(out)]) == 1
    assert words in capsys.readouterr().err
    assert not out.exists()
