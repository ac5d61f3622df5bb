"""The key of a personal workspace, kept by the operating system: no questions, nothing to set up.

Kept in the system's keyring where there is one that answers, else in a file that only this user
can read, in the user's configuration folder: never beside the data, so that a copied or backed-up
workspace does not carry its own key. `MEDLABEL_KEYRING=off` chooses the file.

Which of the two it was is written to `key.json` in the workspace when the key is made. From then
on the key is looked for there and nowhere else, and never made anew: a new key would open nothing.
Where that note is missing, a key that either of the two holds is taken up, never written over.

    <workspace>/key.json                                {"format": 1, "where": "keyring" | "file"}
    <configuration>/napari-medlabel/keys/<id>.key       one line: "medlabel-key 1 <base64>"
    keyring                                             service "napari-medlabel", user <id>,
                                                        the same line
"""

import base64
import binascii
import json
import os
import re
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeVar

import keyring
import platformdirs
from filelock import FileLock
from keyring.backend import KeyringBackend

from napari_medlabel.errors import InputError, IntegrityError, MedlabelError, OutputError
from napari_medlabel.files import new_file, shown
from napari_medlabel.storage.cipher import KEY_BYTES, new_key

__all__ = ["KeyKept", "key_file", "workspace_key"]

# Stores of the operating system. Not "fail", "null" and "chainer", which are none, nor the plain
# files of keyrings.alt.
_SYSTEM_BACKENDS: Final = (
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)
_SERVICE: Final = "napari-medlabel"
_FORMAT: Final = 1
_ANSWER_SECONDS: Final = 20.0  # a person may have to unlock it; a headless machine must not hang

Where = Literal["keyring", "file"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyKept:
    """A workspace's key and what keeps it; the key is never shown."""

    key: bytes = field(repr=False)
    where: Where


def workspace_key(workspace_id: str, folder: Path, *, make: bool = True) -> KeyKept:
    """The key of a workspace; made and kept when it is asked for the first time.

    Parameters
    ----------
    workspace_id
        Letters, digits, "-" and "_".
    folder
        The workspace: it is told where its key is kept.
    make
        Whether a key may be made: not where something is sealed already.

    Raises
    ------
    IntegrityError
        If the key that was made is not there any more, or is damaged.
    InputError
        If the keyring does not answer, or others may read the key file.
    OutputError
        If the key cannot be kept.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", workspace_id):
        raise ValueError("a workspace's id is letters, digits, '-' and '_'")
    note = folder / "key.json"
    if note.exists():
        return _find(workspace_id, _where(note))
    with FileLock(folder / "key.lock"):  # two first uses at once: one key
        if note.exists():
            return _find(workspace_id, _where(note))
        kept = _without_note(workspace_id, make=make)
        with new_file(note) as partial:
            document = {"format": _FORMAT, "where": kept.where}
            partial.write_text(json.dumps(document), encoding="utf-8")
    return kept


def key_file(workspace_id: str) -> Path:
    """Where the key of a workspace is, when a file keeps it."""
    return platformdirs.user_config_path(_SERVICE) / "keys" / f"{workspace_id}.key"


def _where(note: Path) -> Where:
    hint = "restore key.json from a backup"
    try:
        facts = json.loads(note.read_text(encoding="utf-8"))
        number, where = int(facts["format"]), facts["where"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IntegrityError("key.json of the workspace is damaged", hint) from error
    if number > _FORMAT:
        raise InputError(f"key.json has format {number}", "update napari-medlabel")
    if where not in ("keyring", "file"):
        raise IntegrityError("key.json of the workspace is damaged", hint)
    return "keyring" if where == "keyring" else "file"


def _find(workspace_id: str, where: Where) -> KeyKept:
    if where == "file":
        return KeyKept(_read_file(key_file(workspace_id)), where)
    backend = _system_keyring()
    if backend is None:
        raise InputError(
            "the workspace's key is in the system's keyring, and none is running",
            "sign in to the desktop as usual, or start the keyring service",
        )
    line = _asked(lambda: backend.get_password(_SERVICE, workspace_id))
    if line is None:
        raise _lost("the system's keyring does not hold it")
    return KeyKept(_key(line), where)


def _without_note(workspace_id: str, *, make: bool) -> KeyKept:
    """The key that the key file or the keyring holds already, else a new one."""
    path = key_file(workspace_id)
    in_file = _read_file(path) if path.exists() else None
    backend, in_keyring = _system_keyring(), None
    if backend is not None:
        asked = backend
        try:
            in_keyring = _asked(lambda: asked.get_password(_SERVICE, workspace_id))
        except InputError:
            if in_file is None and not make:
                raise  # it may hold the key: another time it answers
            backend = None  # the file keeps the key
    if in_keyring is not None:
        kept = KeyKept(_key(in_keyring), "keyring")
        if in_file not in (None, kept.key):
            raise IntegrityError(
                "the system's keyring and the key file hold different keys of this workspace",
                "restore key.json from a backup: it says which of them is right",
            )
        return kept
    if in_file is not None:
        return KeyKept(in_file, "file")
    if not make:
        raise _lost("key.json is not there, and neither keyring nor key file holds it")
    return _keep(workspace_id, new_key(), backend)


def _keep(workspace_id: str, key: bytes, backend: KeyringBackend | None) -> KeyKept:
    """Keep a new key, and be sure that it is found again."""
    if backend is not None and _accepts(backend, workspace_id, key):
        return KeyKept(key, "keyring")
    path = key_file(workspace_id)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        what = f"there is no place for the key: {shown(path.parent)} cannot be made"
        raise OutputError(what, "make that folder, or set XDG_CONFIG_HOME to another") from error
    for left in path.parent.glob(f".*-{path.name}"):  # by a process that was killed right here
        left.unlink(missing_ok=True)
    with new_file(path) as partial:
        partial.chmod(0o600)  # before there is anything to read
        partial.write_text(_line(key), encoding="ascii")
    return KeyKept(_read_file(path), "file")


def _accepts(backend: KeyringBackend, workspace_id: str, key: bytes) -> bool:
    def keep() -> str | None:
        backend.set_password(_SERVICE, workspace_id, _line(key))
        return backend.get_password(_SERVICE, workspace_id)

    try:
        return _asked(keep) == _line(key)
    except InputError:
        return False  # it does not answer: the file keeps the key


def _system_keyring() -> KeyringBackend | None:
    """The keyring that the user has chosen or the system offers, if it is a real one."""
    if os.environ.get("MEDLABEL_KEYRING", "").casefold() in ("off", "0", "no", "false"):
        return None
    if sys.platform == "linux" and "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        return None  # all Linux keyrings speak D-Bus, and looking for it may start a daemon
    try:
        chosen = _asked(keyring.get_keyring)
        offered = _asked(lambda: list(getattr(chosen, "backends", [chosen])))
    except InputError:
        return None
    return next((b for b in offered if type(b).__module__.startswith(_SYSTEM_BACKENDS)), None)


def _asked(question: Callable[[], T]) -> T:
    """The keyring's answer, or InputError: a locked one may wait for a person for ever."""
    answer: list[T] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            answer.append(question())
        except Exception as error:  # noqa: BLE001  # each backend has errors of its own
            errors.append(error)

    asking = threading.Thread(target=ask, name="medlabel-keyring", daemon=True)
    asking.start()
    asking.join(_ANSWER_SECONDS)
    if answer:
        return answer[0]
    reason = type(errors[0]).__name__ if errors else "no answer"
    raise InputError(
        f"the system's keyring cannot be used ({reason})", "unlock the keyring and try again"
    )


def _read_file(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        line = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise _lost(f"{shown(path)} is not there") from None
    except (OSError, ValueError) as error:
        raise IntegrityError(f"the key file {shown(path)} cannot be read") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise InputError(
            f"other users of this computer may read the key file {shown(path)}",
            f"make it yours alone: chmod 600 {shown(path)}",
        )
    return _key(line)


def _line(key: bytes) -> str:
    return f"medlabel-key {_FORMAT} {base64.b64encode(key).decode('ascii')}"


def _key(line: str) -> bytes:
    damaged = IntegrityError("the workspace's key is damaged", "restore it from a backup")
    try:
        word, number, text = line.split()
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise damaged from None  # the line itself is secret
    if word != "medlabel-key" or len(key) != KEY_BYTES or not number.isdigit():
        raise damaged
    if int(number) > _FORMAT:
        raise InputError(f"the workspace's key has format {number}", "update napari-medlabel")
    return key


def _lost(why: str) -> MedlabelError:
    return IntegrityError(
        f"the key of this workspace is lost: {why}",
        "without it nothing in the workspace can be read; restore the key from a backup",
    )
