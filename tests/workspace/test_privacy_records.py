"""What was said of privacy at rest: sealed, only ever longer, and held against what is there."""

import contextlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel import commands
from napari_medlabel.core.case_privacy import CasePrivacy, PartState, PrivacyPolicy
from napari_medlabel.core.moment import utc_now
from napari_medlabel.errors import InputError, IntegrityError, OutputError
from napari_medlabel.session import Person, Session
from napari_medlabel.storage.cipher import new_key
from napari_medlabel.workspace import database
from napari_medlabel.workspace.catalogue import Catalogue
from napari_medlabel.workspace.folder import Workspace
from napari_medlabel.workspace.privacy_rules import read_rules, write_rules

FACTS = {"shape": [2, 3, 4], "spacing_mm": [5.0, 1.0, 1.0], "problems": [], "volume": ""}
OLD = Path(__file__).parents[1] / "data"  # workspace-1: written before there was anything of this
KEY = new_key()


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    made = Catalogue(tmp_path / "catalogue.sqlite", KEY)
    yield made
    made.close()


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace as format 1 of the catalogue left it, and its key."""
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    shutil.copytree(OLD / "workspace-1", tmp_path / "old")
    keys = tmp_path / "config" / "napari-medlabel" / "keys"
    keys.mkdir(parents=True)
    workspace_id = json.loads((tmp_path / "old" / "workspace.json").read_text())["id"]
    shutil.copy(OLD / "workspace-1.key", keys / f"{workspace_id}.key")
    (keys / f"{workspace_id}.key").chmod(0o600)
    return tmp_path / "old"


def say(catalogue: Catalogue, case_id: str, why: str, state: str = "done") -> CasePrivacy:
    event = PartState("face", state, why, "mk", utc_now(), {"voxels": 12})
    return catalogue.privacy.add(case_id, lambda _before: event)


def altered(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute(statement).rowcount > 0
        connection.commit()


def test_events_are_kept_in_order_and_nothing_of_them_is_in_the_clear(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    case = catalogue.add_case("a", "CT", FACTS)
    say(catalogue, case.id, "first look")
    after = say(catalogue, case.id, "was wrong", "unknown")
    catalogue.close()
    again = Catalogue(tmp_path / "catalogue.sqlite", KEY)
    assert again.privacy.of(case.id) == after
    assert [one.why for one in after.history] == ["first look", "was wrong"]
    again.close()
    content = (tmp_path / "catalogue.sqlite").read_bytes()
    assert not any(word in content for word in (b"first look", b"overridden", b"face", b"voxels"))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM privacy_events WHERE number = 2",
        "DELETE FROM privacy_events WHERE number = 1",
        "DELETE FROM privacy_heads",
        "UPDATE privacy_events SET sealed = (SELECT sealed FROM privacy_events WHERE number = 1)",
        "UPDATE privacy_events SET number = number + 1 WHERE number = 2",
    ],
)
def test_an_entry_that_was_cut_moved_or_copied_is_found(
    catalogue: Catalogue, tmp_path: Path, statement: str
) -> None:
    case = catalogue.add_case("a", "CT", FACTS)
    say(catalogue, case.id, "first look")
    say(catalogue, case.id, "was wrong", "unknown")  # without it the case would be cleared
    altered(tmp_path / "catalogue.sqlite", statement)
    with pytest.raises(IntegrityError, match="altered"):
        catalogue.privacy.of(case.id)


def test_events_of_another_case_do_not_count(catalogue: Catalogue, tmp_path: Path) -> None:
    first, second = (catalogue.add_case(name, "CT", FACTS) for name in "ab")
    say(catalogue, first.id, "done there")
    for table, column in (("privacy_events", "case_id"), ("privacy_heads", "id")):
        altered(
            tmp_path / "catalogue.sqlite",
            f"UPDATE {table} SET {column} = '{second.id}' WHERE {column} = '{first.id}'",  # noqa: S608
        )
    with pytest.raises(IntegrityError, match="altered"):
        catalogue.privacy.of(second.id)


def test_events_go_with_their_case_and_none_is_entered_for_no_case(catalogue: Catalogue) -> None:
    case = catalogue.add_case("a", "CT", FACTS)
    say(catalogue, case.id, "done")
    catalogue.remove_case(case.id)
    with database.reading(catalogue._engine) as connection:
        for table in (database.privacy_events, database.privacy_heads):
            assert connection.execute(table.select()).all() == []
    with pytest.raises(InputError, match="no such case"):
        say(catalogue, case.id, "done")


def test_a_workspace_of_the_first_format_goes_on_with_nothing_said(old: Path) -> None:
    workspace = Workspace.open_or_make(old)
    (case,) = workspace.catalogue.all_cases()
    assert workspace.catalogue.privacy.of(case.id) == CasePrivacy()
    assert read_rules(old, workspace.catalogue.privacy) == PrivacyPolicy()
    after = say(workspace.catalogue, case.id, "looked at")
    workspace.close()
    again = Workspace.open_or_make(old)
    (segmentation_id,) = again.catalogue.segmentation_ids(case.id)
    assert again.catalogue.privacy.of(case.id) == after
    assert [one.message for one in again.catalogue.versions(segmentation_id)] == ["as it was"]
    again.close()


def test_in_one_of_the_first_format_nobody_is_stopped_until_the_rules_say_so(
    old: Path, tmp_path: Path
) -> None:
    session = Session(Person("reader", "reader"), old)
    case = commands.open_case(session, "1")
    case.loading.wait()
    assert (case.segmentation.read_only, case.segmentation.voxels(1)) == ("", 4)
    commands.undo(session, case)
    commands.redo(session, case)
    commands.export_case(session, case, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "case-0001.provenance.json").read_text())
    assert told["deidentification"] == []
    commands.close_case(session, case)
    # Who imported it was not kept then, so that it counts as another person's.
    commands.set_privacy_policy(session, PrivacyPolicy(another_user=frozenset({"face"})))
    case = commands.open_case(session, "1")
    assert "Face" in case.segmentation.read_only
    commands.close_case(session, case)
    session.close()


def test_one_that_cannot_be_written_stays_as_it_is(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = old / "catalogue.sqlite"
    content = catalogue.read_bytes()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write to any folder
    workspace = Workspace.open_or_make(old)
    (case,) = workspace.catalogue.all_cases()
    assert workspace.catalogue.privacy.of(case.id) == CasePrivacy()
    assert workspace.catalogue.privacy.rules() == ()
    workspace.close()
    assert catalogue.read_bytes() == content


def test_rules_are_read_by_people_and_every_setting_is_kept(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    strict = PrivacyPolicy(export=frozenset({"face", "headers"}), override=False)
    write_rules(tmp_path, catalogue.privacy, PrivacyPolicy(labelling=frozenset({"face"})), "mk")
    write_rules(tmp_path, catalogue.privacy, strict, "ts")
    assert read_rules(tmp_path, catalogue.privacy) == strict
    shown = json.loads((tmp_path / "privacy.json").read_text())
    assert shown["before"]["export"] == ["headers", "face"]
    assert shown["set"]["who"] == "ts"
    assert [one["who"] for one in catalogue.privacy.rules()] == ["mk", "ts"]


def test_rules_that_cannot_be_written_leave_those_that_were(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    write_rules(tmp_path, catalogue.privacy, PrivacyPolicy(override=False), "mk")
    with pytest.raises(OutputError):
        write_rules(tmp_path / "gone", catalogue.privacy, PrivacyPolicy(), "mk")
    assert len(catalogue.privacy.rules()) == 1
    assert not read_rules(tmp_path, catalogue.privacy).override


@pytest.mark.parametrize("how", ["changed", "removed", "an earlier one", "added"])
def test_rules_that_were_touched_by_hand_do_not_hold(
    catalogue: Catalogue, tmp_path: Path, how: str
) -> None:
    file = tmp_path / "privacy.json"
    if how == "added":
        file.write_text(json.dumps(PrivacyPolicy().document()))
    else:
        write_rules(tmp_path, catalogue.privacy, PrivacyPolicy(), "mk")
        earlier = file.read_bytes()
        write_rules(tmp_path, catalogue.privacy, PrivacyPolicy(override=False), "mk")
        if how == "removed":
            file.unlink()
        else:
            content = earlier if how == "an earlier one" else file.read_bytes() + b" "
            file.write_bytes(content)
    with pytest.raises(IntegrityError, match="by hand") as caught:
        read_rules(tmp_path, catalogue.privacy)
    assert "medlabel privacy policy" in caught.value.hint
    write_rules(tmp_path, catalogue.privacy, PrivacyPolicy(), "mk")
    assert read_rules(tmp_path, catalogue.privacy) == PrivacyPolicy()
