import threading
from pathlib import Path

import pytest

from napari_medlabel.errors import Cancelled, InputError, IntegrityError, OutputError
from napari_medlabel.storage.cipher import new_key
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
