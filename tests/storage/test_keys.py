import json
import os
import time
from pathlib import Path

import keyring
import keyring.errors
import pytest
from keyring.backend import KeyringBackend

from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.storage import keys
from napari_medlabel.storage.keys import key_file, workspace_key

posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")


class Remembering(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        self.lines: dict[tuple[str, str], str] = {}

    def set_password(self, service: str, username: str, password: str) -> None:
        self.lines[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self.lines.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self.lines[service, username]


class Locked(Remembering):
    """A keyring that waits for somebody to unlock it."""

    def set_password(self, service: str, username: str, password: str) -> None:
        time.sleep(5)
        super().set_password(service, username, password)


class Shut(Remembering):
    """A keyring that may refuse to answer."""

    shut = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.shut:
            raise keyring.errors.KeyringLocked
        return super().get_password(service, username)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    monkeypatch.setattr(keys.platformdirs, "user_config_path", lambda _: tmp_path / "config")
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def use(backend: KeyringBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDLABEL_KEYRING")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    monkeypatch.setattr(keys, "_SYSTEM_BACKENDS", (type(backend).__module__,))


def test_the_key_is_made_once_and_found_again(workspace: Path) -> None:
    made = workspace_key("w1", workspace)
    assert made.where == "file"
    assert workspace_key("w1", workspace) == made
    assert len(made.key) == 32


def test_the_key_is_not_beside_the_data_and_not_in_its_words(workspace: Path) -> None:
    made = workspace_key("w1", workspace)
    assert key_file("w1").is_file()
    for path in workspace.iterdir():
        assert made.key not in path.read_bytes()
    assert json.loads((workspace / "key.json").read_text()) == {"format": 1, "where": "file"}
    assert "key=" not in repr(made)


@posix
def test_the_key_file_is_for_its_owner_alone(workspace: Path) -> None:
    workspace_key("w1", workspace)
    assert key_file("w1").stat().st_mode & 0o777 == 0o600
    assert key_file("w1").parent.stat().st_mode & 0o777 == 0o700


@posix
def test_a_key_file_that_others_may_read_is_refused_with_what_to_do(workspace: Path) -> None:
    workspace_key("w1", workspace)
    key_file("w1").chmod(0o640)
    with pytest.raises(InputError) as caught:
        workspace_key("w1", workspace)
    assert "chmod 600" in caught.value.hint


def test_a_lost_key_is_an_error_and_never_made_anew(workspace: Path) -> None:
    workspace_key("w1", workspace)
    key_file("w1").unlink()
    with pytest.raises(IntegrityError, match="lost") as caught:
        workspace_key("w1", workspace)
    assert "backup" in caught.value.hint
    assert not key_file("w1").exists()


@pytest.mark.parametrize("text", ["", "medlabel-key 1 AAAA", "medlabel-key x %%", "\u00e4"])
def test_a_damaged_key_file_is_an_error_without_its_content(workspace: Path, text: str) -> None:
    workspace_key("w1", workspace)
    key_file("w1").write_text(text, encoding="utf-8")
    with pytest.raises(IntegrityError) as caught:
        workspace_key("w1", workspace)
    assert "AAAA" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1, "where": "cloud"}'])
def test_a_damaged_note_is_an_error(workspace: Path, text: str) -> None:
    (workspace / "key.json").write_text(text)
    with pytest.raises(IntegrityError, match=r"key\.json"):
        workspace_key("w1", workspace)


def test_a_real_keyring_keeps_the_key(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(Remembering(), monkeypatch)
    made = workspace_key("w1", workspace)
    assert made.where == "keyring"
    assert not key_file("w1").exists()
    assert workspace_key("w1", workspace) == made


def test_a_key_in_the_keyring_is_not_looked_for_elsewhere(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Remembering()
    use(backend, monkeypatch)
    workspace_key("w1", workspace)
    backend.lines.clear()
    with pytest.raises(IntegrityError, match="lost"):
        workspace_key("w1", workspace)
    monkeypatch.setenv("MEDLABEL_KEYRING", "off")
    with pytest.raises(InputError, match="keyring"):
        workspace_key("w1", workspace)


def test_a_locked_keyring_does_not_hold_anybody_up(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Locked(), monkeypatch)
    monkeypatch.setattr(keys, "_ANSWER_SECONDS", 0.1)
    assert workspace_key("w1", workspace).where == "file"


def test_a_keyring_that_keeps_nothing_is_not_used(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Remembering(), monkeypatch)
    monkeypatch.setattr(keys, "_SYSTEM_BACKENDS", ("keyring.backends.SecretService",))
    assert workspace_key("w1", workspace).where == "file"


def test_an_id_that_is_a_path_is_refused(workspace: Path) -> None:
    with pytest.raises(ValueError, match="id"):
        workspace_key("../w1", workspace)


def test_a_lost_note_does_not_cost_the_key_in_the_keyring(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(Remembering(), monkeypatch)
    made = workspace_key("w1", workspace)
    (workspace / "key.json").unlink()
    assert workspace_key("w1", workspace) == made
    assert json.loads((workspace / "key.json").read_text())["where"] == "keyring"


def test_a_kill_between_key_file_and_note_costs_nothing(workspace: Path) -> None:
    made = workspace_key("w1", workspace)
    (workspace / "key.json").unlink()
    assert workspace_key("w1", workspace) == made
    assert json.loads((workspace / "key.json").read_text())["where"] == "file"


def test_the_key_file_is_taken_up_where_the_keyring_holds_none(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace_key("w1", workspace)
    (workspace / "key.json").unlink()
    backend = Remembering()
    use(backend, monkeypatch)
    assert workspace_key("w1", workspace) == made
    assert not backend.lines


def test_two_different_keys_and_no_note_are_not_guessed_about(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_key("w1", workspace)
    in_file = key_file("w1").read_text()
    (workspace / "key.json").unlink()
    key_file("w1").unlink()
    backend = Remembering()
    use(backend, monkeypatch)
    workspace_key("w1", workspace)
    (workspace / "key.json").unlink()
    with keys.new_file(key_file("w1")) as partial:
        partial.chmod(0o600)
        partial.write_text(in_file)
    with pytest.raises(IntegrityError, match="different keys"):
        workspace_key("w1", workspace)


def test_no_key_is_made_where_something_is_sealed_already(workspace: Path) -> None:
    with pytest.raises(IntegrityError, match="lost"):
        workspace_key("w1", workspace, make=False)
    assert not (workspace / "key.json").exists()
    assert not key_file("w1").exists()


def test_a_keyring_that_may_hold_the_key_is_waited_for_another_time(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Shut()
    use(backend, monkeypatch)
    made = workspace_key("w1", workspace)
    (workspace / "key.json").unlink()
    backend.shut = True
    with pytest.raises(InputError, match="keyring"):
        workspace_key("w1", workspace, make=False)
    backend.shut = False
    assert workspace_key("w1", workspace, make=False) == made


def test_a_key_that_a_kill_left_half_kept_is_removed(workspace: Path) -> None:
    key_file("w1").parent.mkdir(parents=True)
    left = key_file("w1").with_name(".0123abcd-w1.key")
    left.write_text("medlabel-key 1 AAAA")
    workspace_key("w1", workspace)
    assert not left.exists()
