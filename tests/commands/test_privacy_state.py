"""The gate: what is not cleared is not drawn on and does not leave, and whoever says so is kept."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import nibabel as nib
import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel import commands
from napari_medlabel.cli import main
from napari_medlabel.commands import CasePrivacy, PrivacyPolicy
from napari_medlabel.core.case_privacy import PARTS
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import Label
from napari_medlabel.core.volume import Source
from napari_medlabel.documents import provenance_schema
from napari_medlabel.errors import (
    InputError,
    IntegrityError,
    MedlabelError,
    NotSaved,
    ReadOnly,
    Refused,
)
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.privacy.certified import certified
from napari_medlabel.session import OpenCase, Permission, Person, Session, local_session

LIVER = Label(1, "Liver", "#FF8000")
FACE = frozenset({"face"})
ALL = frozenset(PARTS)
SAID = {"why": "looked at on the screen"}


@pytest.fixture
def nifti(tmp_path: Path, hu: np.ndarray) -> Path:
    return written(tmp_path / "head.nii.gz", hu, "FSL5.0")


@pytest.fixture
def case(session: Session, nifti: Path) -> Iterator[OpenCase]:
    """A NIfTI image as a case, with one voxel drawn."""
    opened = open_new(session, nifti)
    commands.set_label(session, opened, LIVER)
    draw(session, opened)
    yield opened
    commands.close_case(session, opened)


@pytest.fixture
def other(session: Session) -> Iterator[Session]:
    """Somebody else in the same workspace."""
    theirs = Session(Person("ts", "ts"), session.folder)
    yield theirs
    theirs.close()


def written(path: Path, voxels: np.ndarray, text: str) -> Path:
    image = nib.Nifti1Image(voxels, np.diag([2.0, 2.0, 3.0, 1.0]))
    image.header["descrip"] = text
    nib.save(image, path)
    return path


def open_new(session: Session, source: Path) -> OpenCase:
    (series,) = commands.scan(session, source).series
    opened = commands.open_series(session, series, found_at=source)
    opened.loading.wait()
    return opened


def draw(session: Session, case: OpenCase) -> None:
    edit = Edit.fill(case.segmentation.labels, (1, 1, 1), np.ones((1, 1, 2), bool), 1)
    commands.paint(session, case, edit)


def told(folder: Path, name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / f"{name}.provenance.json").read_text())
    return document


# Nothing is wanted until somebody says so


def test_without_rules_a_case_is_drawn_on_and_exported_and_says_what_is_not_known(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    assert commands.privacy_policy(session) == PrivacyPolicy()
    commands.export_case(session, case, tmp_path / "out")
    (entry,) = told(tmp_path / "out", "case-0001")["deidentification"]
    assert (entry["part"], entry["state"]) == ("headers", "not-needed")
    privacy = commands.case_privacy(session, case)
    assert [one.state for one in privacy.parts] == ["not-needed", "unknown", "unknown"]
    assert not privacy.cleared


# What the gate holds back


def test_a_case_that_is_not_cleared_is_looked_at_and_not_drawn_on_until_it_is(
    session: Session, case: OpenCase
) -> None:
    commands.close_case(session, case)
    commands.set_privacy_policy(session, PrivacyPolicy(labelling=FACE))
    again = commands.open_case(session, "1")
    again.loading.wait()
    assert again.volume.levels[0][4].any()
    with pytest.raises(ReadOnly, match="Face: nobody has looked"):
        draw(session, again)
    with pytest.raises(ReadOnly):
        commands.restore(session, again, commands.save_version(session, again).number)
    commands.mark_privacy(session, again, "face", "not-needed", why="a phantom of water")
    commands.undo(session, again)
    commands.mark_privacy(session, again, "face", "unknown", why="it was another phantom")
    with pytest.raises(ReadOnly):
        commands.redo(session, again)
    commands.close_case(session, again)


def test_a_case_that_is_not_cleared_does_not_leave_and_nothing_is_written(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.set_privacy_policy(session, PrivacyPolicy(export=ALL))
    for leave in (
        lambda: commands.export_case(session, case, tmp_path / "out", formats=("nifti", "nrrd")),
        lambda: commands.export_annotations(session, case, tmp_path / "out.json"),
    ):
        with pytest.raises(Refused, match=r"Case 0001.*Burned-in text: .*; Face: ") as caught:
            leave()
        assert "medlabel privacy override" in caught.value.hint
        assert not list(tmp_path.glob("out*"))
    for part in ("burned-in", "face"):
        commands.mark_privacy(session, case, part, "done", **SAID)
    assert commands.check_privacy(session, case, "export") == ()
    assert commands.export_case(session, case, tmp_path / "out").files


def test_one_case_that_is_held_back_does_not_stop_the_others(
    session: Session, case: OpenCase, tmp_path: Path, hu: np.ndarray,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    second = open_new(session, written(tmp_path / "b.nii.gz", hu[::-1], ""))
    for one in (case, second):
        commands.close_case(session, one)
    commands.set_privacy_policy(session, PrivacyPolicy(export=FACE))
    commands.mark_privacy(session, "2", "face", "not-needed", **SAID)
    out = tmp_path / "out"
    run = commands.export_cases(session, ["1", "2"], out)
    assert [row.case.name for row in run.held_back] == ["Case 0001"]
    assert [one.part for one in run.rows[0].missing] == ["face"]
    assert {path.name.split(".")[0] for path in out.iterdir()} == {"case-0002"}
    assert main(["export", "1", "2", str(out), "--force", "--json"]) == 3
    printed = capsys.readouterr()
    states = [row["state"] for row in json.loads(printed.out)["cases"]]
    assert states == ["held back", "verified"]
    assert "1 of 2 cases held back" in printed.err
    with pytest.raises(InputError, match="named twice"):
        commands.export_cases(session, ["1", "case-0001"], out)


def test_the_work_of_another_person_waits_longer(
    session: Session, case: OpenCase, other: Session
) -> None:
    commands.close_case(session, case)
    commands.set_privacy_policy(session, PrivacyPolicy(another_user=FACE))
    mine, theirs = (commands.open_case(one, "1") for one in (session, other))
    commands.close_case(session, mine)
    commands.close_case(other, theirs)
    theirs = commands.open_case(other, "1")
    assert "Face" in theirs.segmentation.read_only
    commands.mark_privacy(other, theirs, "face", "done", **SAID)
    draw(other, theirs)
    commands.close_case(other, theirs)


# Letting through


def test_an_override_lets_a_case_leave_with_its_reason(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.set_privacy_policy(session, PrivacyPolicy(export=FACE))
    commands.override_privacy(session, case, "face", "the face is what is studied")
    commands.export_case(session, case, tmp_path)
    document = told(tmp_path, "case-0001")
    jsonschema.validate(document, provenance_schema())
    entry = document["deidentification"][-1]
    assert (entry["part"], entry["state"]) == ("face", "overridden")
    assert (entry["why"], entry["who"]) == ("the face is what is studied", session.person.id)
    assert Provenance.from_document(document).document() == document


def test_who_may_let_through_is_for_the_rules_to_say(
    session: Session, case: OpenCase, other: Session
) -> None:
    commands.set_privacy_policy(session, PrivacyPolicy(export=FACE, override_by=frozenset({"ts"})))
    with pytest.raises(Refused, match="do not let"):
        commands.override_privacy(session, case, "face", "in a hurry")
    with pytest.raises(Refused, match="do not let"):
        commands.mark_privacy(session, case, "face", "overridden", why="in a hurry")
    assert commands.case_privacy(session, case).face.state == "unknown"
    assert not commands.check_privacy(session, case, "export")[0].may_override
    commands.override_privacy(other, "1", "face", "agreed with the board")
    assert commands.check_privacy(session, case, "export") == ()
    commands.set_privacy_policy(session, PrivacyPolicy(export=FACE, override=False))
    (missing,) = commands.check_privacy(session, case, "export")
    assert "do not allow any more" in missing.words


@pytest.mark.parametrize(
    ("needs", "act"),
    [
        (Permission.RULE, lambda one: commands.set_privacy_policy(one, PrivacyPolicy())),
        (Permission.CLEAR, lambda one: commands.mark_privacy(one, "1", "face", "done", **SAID)),
        (Permission.CLEAR, lambda one: commands.override_privacy(one, "1", "face", "why not")),
    ],
)
def test_without_the_permission_nothing_is_said_or_set(
    session: Session, case: OpenCase, needs: Permission, act: Callable[[Session], object]
) -> None:
    session._permissions -= {needs}
    with pytest.raises(Refused):
        act(session)
    assert session.events[-1].outcome == "denied"
    assert commands.case_privacy(session, case).face.state == "unknown"
    assert not (session.folder / "privacy.json").exists()


OPERATIONS = st.tuples(
    st.sampled_from(PARTS),
    st.sampled_from(("unknown", "not-needed", "done", "overridden", "rules")),
    st.sampled_from(("looked at", " ", "")),
)


def test_no_part_is_ever_cleared_without_an_event_that_says_who_when_and_why(
    session: Session,
) -> None:
    facts = {"shape": [2, 3, 4], "spacing_mm": [5.0, 1.0, 1.0], "problems": [], "volume": ""}

    @settings(max_examples=5)
    @given(st.lists(OPERATIONS, max_size=6))
    def law(wanted: list[tuple[str, str, str]]) -> None:
        catalogue = session.workspace.catalogue
        case = catalogue.add_case(catalogue.lookup(len(catalogue.all_cases())), "CT", facts)
        commands.set_privacy_policy(session, PrivacyPolicy(export=ALL))
        privacy = CasePrivacy()
        for part, state, why in wanted:
            before = privacy
            done = True
            try:
                if state == "rules":
                    commands.set_privacy_policy(
                        session, PrivacyPolicy(export=ALL, override=not why)
                    )
                else:
                    commands.mark_privacy(session, case, part, state, why=why)
            except MedlabelError:
                done = False
            privacy = commands.case_privacy(session, case)
            assert privacy.history[: len(before.history)] == before.history
            new = privacy.history[len(before.history) :]
            assert len(new) == (done and state != "rules")
            assert all((one.part, one.state) == (part, state) for one in new)
            assert all(one.why.strip() and one.who and one.when for one in new)
            through = {one.part for one in privacy.history if one.state != "unknown"}
            missing = {one.part for one in commands.check_privacy(session, case, "export")}
            assert missing >= ALL - through

    law()


# What sources say of themselves


@pytest.fixture(scope="module")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study, de-identified in a workspace of its own: its certificate is one of ours."""
    home = tmp_path_factory.mktemp("released")
    voxels = np.arange(4 * 6 * 5, dtype=np.int16).reshape(4, 6, 5)
    write_ct_series(home / "study", voxels, Geometry.from_spacing(voxels.shape, (3.0, 0.8, 0.7)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MEDLABEL_KEYRING", "off")
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        session = local_session(home / "workspace")
        commands.deidentify_folder(session, home / "study", home / "out")
        session.close()
    return home / "out"


@pytest.fixture
def released(released_once: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    return Path(shutil.copytree(released_once, tmp_path / "released"))


def test_a_folder_with_its_certificate_is_known_to_be_cleaned_and_exports_say_by_what(
    session: Session, released: Path, tmp_path: Path
) -> None:
    commands.set_privacy_policy(session, PrivacyPolicy(labelling=frozenset({"headers"})))
    case = open_new(session, released)
    privacy = commands.case_privacy(session, case)
    assert [one.state for one in privacy.parts] == ["done", "unknown", "unknown"]
    assert privacy.headers.proof["profile"] == "basic"
    commands.set_label(session, case, LIVER)
    draw(session, case)
    commands.export_case(session, case, tmp_path / "out", formats=("nifti", "dicom-seg"))
    commands.close_case(session, case)
    (entry,) = told(tmp_path / "out", "case-0001")["deidentification"]
    proof = entry["proof"]
    certificate = json.loads((released / "deidentification.json").read_text())
    assert (proof["date"], proof["who"]) == (certificate["date"], certificate["who"])
    assert (proof["files"], proof["codes"]) == (4, ["113100"])
    seg = pydicom.dcmread(tmp_path / "out" / "case-0001.seg.dcm")
    assert seg.PatientIdentityRemoved == "YES"
    method = [proof["certificate_sha256"], "napari-medlabel, profile basic"]
    assert list(seg.DeidentificationMethod) == method
    commands.export_case(
        session, "1", tmp_path / "named", formats=("dicom-seg",), originals=released
    )
    named = pydicom.dcmread(tmp_path / "named" / "case-0001.seg.dcm")
    first = pydicom.dcmread(next(released.rglob("*.dcm")))
    for keyword in ("PatientID", "PatientIdentityRemoved", "DeidentificationMethodCodeSequence"):
        assert named[keyword] == first[keyword]


@pytest.mark.parametrize("wrong", ["a changed file", "another file", "a failed check", "no sense"])
def test_a_certificate_that_does_not_fit_its_files_proves_nothing(
    released: Path, wrong: str
) -> None:
    files = list(released.rglob("*.dcm"))
    assert [one.part for one in certified(released, files)] == ["headers"]
    document = released / "deidentification.json"
    told = json.loads(document.read_text())
    first = released / told["files"][0]["file"]
    if wrong == "a changed file":
        dataset = pydicom.dcmread(first)
        dataset.PatientComments = "Doe"
        dataset.save_as(first)
    elif wrong == "another file":
        told["files"] = told["files"][1:]
    elif wrong == "a failed check":
        told["checks"][0]["ok"] = False
    document.write_text("[]" if wrong == "no sense" else json.dumps(told))
    assert certified(released, files) == ()


def test_what_a_header_says_of_itself_is_no_proof(session: Session, folder: Path) -> None:
    for path in folder.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.PatientIdentityRemoved, dataset.BurnedInAnnotation = "YES", "NO"
        dataset.DeidentificationMethod = "napari-medlabel"
        dataset.save_as(path)
    case = open_new(session, folder)
    assert commands.case_privacy(session, case).history == ()
    commands.close_case(session, case)


def test_a_certificate_that_is_only_named_is_told_and_proves_no_file(
    session: Session, case: OpenCase, released: Path
) -> None:
    report = released / "deidentification.json"
    commands.mark_privacy(session, case, "headers", "done", why="cleaned before", report=report)
    proof = commands.case_privacy(session, case).headers.proof
    assert proof["certificate"]["profile"] == "basic"
    assert len(proof["report_sha256"]) == 64
    assert "certificate_sha256" not in proof  # what a DICOM SEG would believe


def test_what_people_said_stays_when_the_source_is_imported_again(
    session: Session, released: Path
) -> None:
    certificate = (released / "deidentification.json").rename(released.parent / "aside.json")
    commands.close_case(session, open_new(session, released))
    assert commands.case_privacy(session, "1").history == ()
    certificate.rename(released / "deidentification.json")
    commands.close_case(session, open_new(session, released))
    assert commands.case_privacy(session, "1").headers.state == "done"
    commands.mark_privacy(session, "1", "headers", "unknown", why="a name was seen in it")
    commands.close_case(session, open_new(session, released))
    assert commands.case_privacy(session, "1").headers.why == "a name was seen in it"


@pytest.mark.parametrize("text", ["Doe^John 1954-03-12", "19540312"])
def test_text_in_a_header_that_may_name_somebody_is_said_and_never_shown(
    session: Session, tmp_path: Path, hu: np.ndarray, text: str
) -> None:
    case = open_new(session, written(tmp_path / "x.nii", hu, text))
    headers = commands.case_privacy(session, case).headers
    assert (headers.state, headers.proof) == ("unknown", {"fields": ["descrip"]})
    assert text not in json.dumps(headers.document())
    commands.close_case(session, case)


def test_nothing_is_needed_of_a_generated_image(session: Session, grid: Geometry) -> None:
    commands.set_privacy_policy(session, PrivacyPolicy(labelling=ALL, export=ALL))
    voxels, source = np.zeros(grid.shape, np.int16), Source("generated", grid)
    for _ in range(2):
        reader = MemoryReader(voxels, source, "CT", "HU", "made")
        case = commands.open_reader_as_case(session, reader, ("made",))
        case.loading.wait()
        assert commands.case_privacy(session, case).cleared
        assert len(commands.case_privacy(session, case).history) == 3
        assert case.segmentation.read_only == ""
        commands.close_case(session, case)


# The command line


def test_the_command_line_shows_marks_overrides_and_sets_the_rules(
    session: Session, case: OpenCase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commands.close_case(session, case)

    def run(*words: object) -> dict[str, Any]:
        capsys.readouterr()
        assert main(["privacy", *map(str, words), "--json"]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    rules = run("policy", "--export", "face,burned-in", "--labelling", "none")
    assert rules["before"]["export"] == ["burned-in", "face"]
    assert run("policy") == rules
    assert main(["export", "1", str(tmp_path / "out")]) == 3
    assert "Face: nobody has looked" in capsys.readouterr().err
    report = tmp_path / "report.json"
    report.write_text(json.dumps(
        {"format": 1, "verdict": "face-removed", "voxels_removed": 99, "why": "Doe", "id": 19540312}
    ))  # fmt: skip
    after = run("mark", 1, "face", "done", "--why", "defaced before", "--report", report)
    proof = after["parts"][2]["proof"]
    assert (proof["verdict"], proof["voxels_removed"], len(proof["report_sha256"])) == (
        "face-removed", 99, 64,
    )  # fmt: skip
    assert not {"why", "id"} & set(proof)
    assert [one["part"] for one in after["missing"]["export"]] == ["burned-in"]
    assert run("override", 1, "burned-in", "--why", "a ruler only")["missing"]["export"] == []
    assert run("show")["cases"][0]["case"] == "Case 0001"
    assert main(["privacy", "show", "1"]) == 0
    assert "a ruler only" in capsys.readouterr().out
    assert main(["export", "1", str(tmp_path / "out")]) == 0
    assert main(["privacy", "mark", "1", "face", "done", "--why", " "]) == 1
    assert main(["privacy", "mark", "1", "nose", "done", "--why", "x"]) == 2
    assert main(["privacy", "policy", "--export", "nose"]) == 1


def test_rules_touched_by_hand_let_look_and_nothing_else(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.set_privacy_policy(session, PrivacyPolicy(export=FACE))
    commands.close_case(session, case)
    (session.folder / "privacy.json").write_text("{}")
    again = commands.open_case(session, "1")
    with pytest.raises(ReadOnly, match="by hand"):
        draw(session, again)
    with pytest.raises(MedlabelError, match="by hand"):
        commands.export_case(session, again, tmp_path / "out")
    commands.close_case(session, again)
    assert main(["privacy", "policy"]) == 1
    assert main(["privacy", "policy", "--anew", "--export", "all"]) == 0
    assert commands.privacy_policy(session).export == ALL


def test_a_record_that_was_altered_lets_look_and_nothing_else(
    session: Session, case: OpenCase, nifti: Path, tmp_path: Path
) -> None:
    commands.close_case(session, case)
    catalogue = session.workspace.folder / "catalogue.sqlite"
    with contextlib.closing(sqlite3.connect(catalogue)) as connection:
        connection.execute("DELETE FROM privacy_events")
        connection.commit()
    for source in (nifti, None):
        again = open_new(session, source) if source else commands.open_case(session, "1")
        again.loading.wait()
        assert again.volume.levels[0][4].any()
        with pytest.raises(ReadOnly, match="altered"):
            draw(session, again)
        commands.close_case(session, again)
    with pytest.raises(IntegrityError, match="altered"):
        commands.export_case(session, "1", tmp_path / "out")
    with pytest.raises(IntegrityError, match="altered"):
        commands.mark_privacy(session, "1", "face", "done", **SAID)


def test_an_event_that_cannot_be_written_changes_nothing(
    session: Session, case: OpenCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = commands.case_privacy(session, case)

    def full(*_: object) -> None:
        raise NotSaved("the disk is full")

    monkeypatch.setattr(session.workspace.catalogue.privacy, "_set_head", full)
    with pytest.raises(NotSaved):
        commands.mark_privacy(session, case, "face", "done", **SAID)
    assert commands.case_privacy(session, case) == before
