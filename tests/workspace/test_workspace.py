import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import platformdirs
import pytest

from napari_medlabel.errors import Cancelled, InputError, IntegrityError, NotSaved, OutputError
from napari_medlabel.storage.cipher import new_key
from napari_medlabel.workspace import database
from napari_medlabel.workspace.catalogue import Catalogue, VersionInfo
from napari_medlabel.workspace.folder import Workspace
from napari_medlabel.workspace.holding import Hold
from napari_medlabel.workspace.loading import Loading

FACTS = {"shape": [2, 3, 4], "spacing_mm": [5.0, 1.0, 1.0], "problems": [], "volume": "echo 1"}


@pytest.fixture(autouse=True)
def _key_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue.sqlite", new_key())


def test_a_workspace_is_made_once_and_opens_with_its_key(tmp_path: Path) -> None:
    first = Workspace.open_or_make(tmp_path / "ws")
    first.catalogue.add_case("a", "CT", FACTS)
    first.close()
    again = Workspace.open_or_make(tmp_path / "ws")
    assert (again.id, again.key) == (first.id, first.key)
    assert [case.name for case in again.catalogue.all_cases()] == ["Case 0001"]
    assert (tmp_path / "ws").stat().st_mode & 0o077 == 0
    again.close()


def test_a_folder_with_other_things_is_not_made_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        Workspace.open_or_make(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_damaged_workspace_says_what_to_restore(tmp_path: Path) -> None:
    Workspace.open_or_make(tmp_path / "ws").close()
    (tmp_path / "ws" / "workspace.json").write_text("{")
    with pytest.raises(IntegrityError, match=r"workspace\.json is damaged"):
        Workspace.open_or_make(tmp_path / "ws")


def test_a_damaged_catalogue_says_what_to_restore(tmp_path: Path) -> None:
    Workspace.open_or_make(tmp_path / "ws").close()
    (tmp_path / "ws" / "catalogue.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(IntegrityError, match="catalogue cannot be read"):
        Workspace.open_or_make(tmp_path / "ws")


@pytest.mark.parametrize("left", [None, b""])
def test_a_lost_catalogue_is_never_replaced_by_an_empty_one(
    tmp_path: Path, left: bytes | None
) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    workspace.catalogue.add_case("a", "CT", FACTS)
    workspace.close()
    catalogue = tmp_path / "ws" / "catalogue.sqlite"
    content = catalogue.read_bytes()
    catalogue.unlink()
    if left is not None:
        catalogue.write_bytes(left)
    with pytest.raises(IntegrityError, match="missing or empty") as caught:
        Workspace.open_or_make(tmp_path / "ws")
    assert "restore catalogue.sqlite" in caught.value.hint
    assert (catalogue.read_bytes() if catalogue.exists() else None) == left
    catalogue.write_bytes(content)
    Workspace.open_or_make(tmp_path / "ws").close()


def test_a_catalogue_without_its_tables_is_not_filled_anew(tmp_path: Path) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    workspace.catalogue.add_case("a", "CT", FACTS)
    workspace.close()
    (tmp_path / "ws" / "catalogue.sqlite").unlink()
    with contextlib.closing(sqlite3.connect(tmp_path / "ws" / "catalogue.sqlite")) as other:
        other.execute("CREATE TABLE other (a)")
    with pytest.raises(IntegrityError, match="missing or empty"):
        Workspace.open_or_make(tmp_path / "ws")


@pytest.mark.parametrize("name", ["key.json", "workspace.json"])
def test_no_second_key_or_id_is_made_for_a_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    workspace.catalogue.add_case("a", "CT", FACTS)
    workspace.close()
    (tmp_path / "ws" / name).unlink()
    monkeypatch.setattr(platformdirs, "user_config_path", lambda _: tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match=r"key\.json is not there|workspace\.json is missing"):
        Workspace.open_or_make(tmp_path / "ws")
    assert not (tmp_path / "ws" / name).exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("workspace_id", ["", "../x", "a/b", "x" * 300])
def test_an_id_that_is_no_id_is_a_damaged_workspace(tmp_path: Path, workspace_id: str) -> None:
    Workspace.open_or_make(tmp_path / "ws").close()
    document = json.dumps({"format": 1, "kind": "personal", "id": workspace_id})
    (tmp_path / "ws" / "workspace.json").write_text(document)
    with pytest.raises(IntegrityError, match=r"workspace\.json is damaged"):
        Workspace.open_or_make(tmp_path / "ws")


def test_a_folder_name_that_is_too_long_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="too long"):
        Workspace.open_or_make(tmp_path / ("x" * 300))


def test_what_a_killed_first_use_left_does_not_stop_the_next(tmp_path: Path) -> None:
    left = [".0123abcd-workspace.json", ".DS_Store", ".lock"]
    for name in left:
        (tmp_path / name).write_text("")
    Workspace.open_or_make(tmp_path).close()
    assert not (tmp_path / left[0]).exists()
    assert (tmp_path / ".DS_Store").exists()


def test_several_first_uses_at_once_make_one_workspace_and_one_case(tmp_path: Path) -> None:
    script = """if True:
        import json, sys, time
        from pathlib import Path
        from napari_medlabel.workspace.folder import Workspace
        facts = json.loads(sys.argv[2])
        print("ready", flush=True)
        start = float(sys.stdin.readline())
        for n in range(8):
            time.sleep(max(0.0, start + n * 0.25 - time.time()))
            workspace = Workspace.open_or_make(Path(sys.argv[1]) / f"ws{n}")
            same = workspace.catalogue.add_case("same", "CT", facts)
            mine = workspace.catalogue.add_case(f"mine {sys.argv[3]}", "CT", facts)
            print(workspace.id, same.id, mine.number != same.number)
            workspace.close()
    """
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), json.dumps(FACTS), str(n)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for n in range(3)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    start = f"{time.time() + 0.2}\n"
    said = [process.communicate(start, timeout=60) for process in processes]
    assert [error for _, error in said] == ["", "", ""]
    lines = [out.splitlines() for out, _ in said]
    assert len(lines[0]) == 8
    assert lines[0] == lines[1] == lines[2]
    assert all(line.endswith("True") for line in lines[0])


def test_the_same_import_is_one_case(catalogue: Catalogue) -> None:
    first = catalogue.add_case("a", "CT", FACTS)
    assert catalogue.add_case("a", "CT", {**FACTS, "volume": "other"}) == first
    assert len(catalogue.all_cases()) == 1


def test_a_full_disk_is_told_in_words_and_changes_nothing(catalogue: Catalogue) -> None:
    info = catalogue.add_case("a", "CT", FACTS)
    with catalogue._engine.connect() as connection:  # the pool hands the same one out again
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(NotSaved, match="disk is full") as caught:
        catalogue.set_facts(info.id, {**FACTS, "resume": "x" * 100_000})
    assert "make room" in caught.value.hint
    assert catalogue.facts(info.id) == FACTS
    catalogue.set_opened(info.id)


def test_a_catalogue_that_another_program_holds_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_MS", 50)
    catalogue = Catalogue(tmp_path / "c.sqlite", new_key())
    info = catalogue.add_case("a", "CT", FACTS)
    with contextlib.closing(sqlite3.connect(tmp_path / "c.sqlite")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(NotSaved, match="another program holds it"):
            catalogue.set_ready(info.id, FACTS)
        with pytest.raises(InputError, match="another program holds it"):
            catalogue.case(info.id)
        catalogue.set_opened(info.id)
    assert catalogue.case(info.id).state == "importing"


def test_a_catalogue_damaged_inside_says_what_to_restore(tmp_path: Path) -> None:
    key = new_key()
    catalogue = Catalogue(tmp_path / "c.sqlite", key)
    for n in range(40):
        catalogue.add_case(str(n), "CT", FACTS)
    catalogue.close()
    content = bytearray((tmp_path / "c.sqlite").read_bytes())
    content[4096 * 3 :] = b"\xff" * (len(content) - 4096 * 3)
    (tmp_path / "c.sqlite").write_bytes(content)
    with pytest.raises(IntegrityError, match="catalogue") as caught:
        Catalogue(tmp_path / "c.sqlite", key).all_cases()
    assert "restore catalogue.sqlite" in caught.value.hint


def test_a_workspace_that_cannot_be_written_opens_for_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    info = workspace.catalogue.add_case("a", "CT", FACTS)
    workspace.close()
    before = (tmp_path / "ws" / "catalogue.sqlite").read_bytes()
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write to any folder
    again = Workspace.open_or_make(tmp_path / "ws")
    again.catalogue.set_opened(info.id)
    assert again.catalogue.all_cases() == (info,)
    with pytest.raises(NotSaved, match="cannot be written to"):
        again.catalogue.add_case("b", "CT", FACTS)
    again.close()
    assert (tmp_path / "ws" / "catalogue.sqlite").read_bytes() == before
    assert [path.name for path in (tmp_path / "ws" / "series").iterdir()] == [info.id]


def test_each_case_has_its_sealed_key_beside_it_until_it_is_forgotten(tmp_path: Path) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    info = workspace.catalogue.add_case("a", "CT", FACTS)
    beside = (tmp_path / "ws" / "series" / info.id / "key").read_bytes()
    with workspace.catalogue._engine.connect() as connection:
        listed = connection.exec_driver_sql("SELECT wrapped_key FROM cases").scalar()
    assert beside == listed
    workspace.forget(info.id)
    assert not (tmp_path / "ws" / "series" / info.id).exists()
    workspace.close()
    assert beside not in (tmp_path / "ws" / "catalogue.sqlite").read_bytes()


def test_a_case_whose_key_cannot_be_kept_is_not_entered(tmp_path: Path) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    (tmp_path / "ws" / "series").write_text("in the way")
    with pytest.raises(OutputError):
        workspace.catalogue.add_case("a", "CT", FACTS)
    assert workspace.catalogue.all_cases() == ()
    workspace.close()


def test_what_identifies_lies_sealed_in_the_catalogue(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite", new_key())
    lookup = catalogue.lookup("1.2.840.99", "DOE^JANE")
    info = catalogue.add_case(lookup, "MR", {**FACTS, "resume": {"path": "/data/DOE^JANE"}})
    assert catalogue.facts(info.id)["resume"]["path"] == "/data/DOE^JANE"
    assert catalogue.find(lookup) == info
    catalogue.close()
    assert b"DOE" not in (tmp_path / "c.sqlite").read_bytes()


def test_a_row_opens_in_its_own_place_only(catalogue: Catalogue) -> None:
    first = catalogue.add_case("a", "CT", FACTS)
    second = catalogue.add_case("b", "CT", FACTS)
    with catalogue._engine.begin() as connection:
        connection.exec_driver_sql(
            "UPDATE cases SET sealed = (SELECT sealed FROM cases WHERE id = ?) WHERE id = ?",
            (first.id, second.id),
        )
    with pytest.raises(IntegrityError):
        catalogue.facts(second.id)


def test_another_key_opens_nothing(tmp_path: Path) -> None:
    Catalogue(tmp_path / "c.sqlite", new_key()).add_case("a", "CT", FACTS)
    with pytest.raises(IntegrityError):
        Catalogue(tmp_path / "c.sqlite", new_key()).all_cases()


def test_versions_come_back_in_order(catalogue: Catalogue) -> None:
    info = catalogue.add_case("a", "CT", FACTS)
    (segmentation_id,) = catalogue.segmentation_ids(info.id)
    for number in (1, 2):
        version = VersionInfo(number, "2026-01-05T10:00:00Z", "mk", "", "ab", {"1": number})
        catalogue.add_version(segmentation_id, version)
    assert [one.voxels for one in catalogue.versions(segmentation_id)] == [{"1": 1}, {"1": 2}]
    assert catalogue.next_version(segmentation_id) == 3
    assert catalogue.case_of(segmentation_id) == info


def test_a_segmentation_remembers_that_it_had_a_journal(catalogue: Catalogue) -> None:
    info = catalogue.add_case("a", "CT", FACTS)
    (segmentation_id,) = catalogue.segmentation_ids(info.id)
    assert not catalogue.begun(segmentation_id)
    catalogue.set_begun(segmentation_id)
    assert catalogue.begun(segmentation_id)


def test_a_version_keeps_the_checksum_of_its_schema(catalogue: Catalogue) -> None:
    info = catalogue.add_case("a", "CT", FACTS)
    (segmentation_id,) = catalogue.segmentation_ids(info.id)
    version = VersionInfo(1, "2026-01-05T10:00:00Z", "mk", "", "ab", {}, "cd" * 32)
    catalogue.add_version(segmentation_id, version)
    assert catalogue.versions(segmentation_id) == (version,)


def test_what_a_killed_import_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    workspace = Workspace.open_or_make(tmp_path / "ws")
    info = workspace.catalogue.add_case("a", "CT", FACTS)
    (segmentation_id,) = workspace.catalogue.segmentation_ids(info.id)
    image = workspace.image_path(info.id)
    version = workspace.version_path(segmentation_id, 1)
    kept = [image, version, image.parent / ".DS_Store", image.parent / ".hidden-by-hand"]
    left = [image.parent / ".0123abcd-image.zarr", version.parent / ".0123abcd-1.zarr"]
    for folder in kept + left:
        (folder / "c").mkdir(parents=True)
    workspace.sweep(info.id)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in left)
    workspace.close()


def test_a_removed_case_takes_its_key_with_it(catalogue: Catalogue) -> None:
    info = catalogue.add_case("a", "CT", FACTS)
    catalogue.remove_case(info.id)
    with pytest.raises(InputError, match="no such case"):
        catalogue.case_cipher(info.id)


def test_one_holds_and_the_other_hears_who(tmp_path: Path) -> None:
    first = Hold(tmp_path)
    second = Hold(tmp_path)
    assert first.writable
    assert not second.writable
    assert second.reason.startswith("Open in another window by ")
    first.release()
    third = Hold(tmp_path)
    assert third.writable
    third.release()


def test_who_ended_without_letting_go_is_noticed_once(tmp_path: Path) -> None:
    began = datetime.now().astimezone()
    first = Hold(tmp_path)
    assert first.left_open_since == ""
    first._lock.release()  # as the system does for a process that is killed
    second = Hold(tmp_path)
    since = datetime.fromisoformat(second.left_open_since)
    assert abs((since - began).total_seconds()) < 5
    second.release()
    assert Hold(tmp_path).left_open_since == ""


@pytest.mark.parametrize("note", ["", "[]", '{"since": 3}', '{"since": "late"}'])
def test_a_note_that_says_nothing_is_no_sign_of_a_crash(tmp_path: Path, note: str) -> None:
    (tmp_path / "holder.json").write_text(note, encoding="utf-8")
    hold = Hold(tmp_path)
    assert (hold.writable, hold.left_open_since) == (True, "")
    hold.release()


def test_a_note_that_cannot_be_left_does_not_stop_who_holds(tmp_path: Path) -> None:
    (tmp_path / "holder.json").mkdir()  # writing it fails, as on a full disk
    first = Hold(tmp_path)
    assert first.writable
    assert Hold(tmp_path).reason == "Open in another window: read only here"
    first.release()


def test_loading_tells_what_is_there_and_ends_when_called_off() -> None:
    go = threading.Event()

    def work(loading: Loading) -> None:
        loading.loaded(2, 4)
        go.wait(10)
        if loading.is_cancelled():
            raise Cancelled("called off")

    loading = Loading(6, work)
    loading.wait_for(3)
    assert (loading.done, loading.finished) == (2, False)
    loading.cancel()
    go.set()
    loading.end()
    assert loading.finished
    assert isinstance(loading.error, Cancelled)
    with pytest.raises(Cancelled):
        loading.wait_for(0)


def test_a_failure_while_loading_reaches_whoever_waits() -> None:
    def work(_loading: Loading) -> None:
        raise ZeroDivisionError

    with pytest.raises(InputError, match="ZeroDivisionError"):
        Loading(3, work).wait_for(1)
