"""Where installed models are: added whole or not at all, listed, verified, removed.

    <models>/<name>/model.json     what it is, its files with their SHA-256, its licence
    <models>/<name>/...            those files, as they were brought
    <models>/.lock                 held while one is added or removed

`<models>` is `MEDLABEL_MODELS`, or `models` in the user's data directory. A model is copied into a
hidden folder, its weights are loaded there once through the code that will answer with them, and
only then has it its name.
"""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

import platformdirs
from filelock import FileLock, Timeout

from napari_medlabel.core.region import Stop, check_not_stopped, never
from napari_medlabel.engines.models.package import MOST_TEXT, Package, Readable, opened
from napari_medlabel.engines.models.recognized import Recognized, recognized
from napari_medlabel.engines.models.record import RECORD, ModelFile, ModelRecord, valid_name
from napari_medlabel.errors import InputError, IntegrityError, OutputError, Refused
from napari_medlabel.files import new_folder, shown

__all__ = [
    "Damaged",
    "add_model",
    "installed_model",
    "installed_models",
    "models_folder",
    "problems_of",
    "remove_model",
]

Check = Callable[[ModelRecord], None]

RESERVED: Final = frozenset({"default", "classic", "network", "all"})
PROGRAMS: Final = (".ts", ".torchscript")
_CHUNK: Final = 1 << 20
_PATIENCE: Final = 30.0  # seconds until somebody else has finished
_LICENSE: Final = "LICENSE"
_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})  # of the target


@dataclass(frozen=True, slots=True)
class Damaged:
    """A folder among the models whose record cannot be read: its name, and what is wrong."""

    name: str
    what: str


def models_folder() -> Path:
    """Where installed models are: `MEDLABEL_MODELS`, or the user's data directory."""
    named = os.environ.get("MEDLABEL_MODELS")
    return Path(named) if named else platformdirs.user_data_path("napari-medlabel") / "models"


def installed_models() -> tuple[ModelRecord | Damaged, ...]:
    """Every installed model by name; reads only their records."""
    try:
        names = sorted(
            one.name
            for one in os.scandir(models_folder())
            if one.is_dir() and not one.name.startswith(".")
        )
    except OSError:
        return ()  # none was ever added
    found: list[ModelRecord | Damaged] = []
    for name in names:
        try:
            found.append(ModelRecord.read(models_folder() / name))
        except IntegrityError as error:
            found.append(Damaged(name, error.what))
    return tuple(found)


def installed_model(name: str) -> ModelRecord:
    """The model of this name.

    Raises
    ------
    InputError
        If there is none.
    IntegrityError
        If its record is damaged.
    """
    if name != valid_name(name) or not (models_folder() / name).is_dir():
        known = ", ".join(one.name for one in installed_models()) or "none"
        raise InputError("there is no model with this name", f"there are: {known}")
    return ModelRecord.read(models_folder() / name)


def add_model(  # noqa: PLR0913  # each is a choice the person makes
    path: Path,
    check: Check,
    *,
    name: str = "",
    license_file: Path | None = None,
    sha256: str = "",
    trust: bool = False,
    taken: Collection[str] = (),
    cancelled: Stop = never,
) -> ModelRecord:
    """Install the model in a folder or zip archive; nothing of it is run to find out what it is.

    Parameters
    ----------
    path
        As it lies on the USB stick.
    check
        Loads its weights through the code that will answer with them, or raises.
    name
        What it is called here; after its folder without one.
    license_file
        The text of its licence, in place of the one that it brings.
    sha256
        What its weights have to have, besides what the model itself says.
    trust
        Whether a file that is run as it is loaded (TorchScript) may be.
    taken
        Names that other engines have.
    cancelled
        Polled while files are copied.

    Raises
    ------
    InputError, IntegrityError, OutputError
        If it is no model, not what it is said to be, or cannot be copied; nothing is installed.
    Refused
        If it is a program and `trust` is not given.
    ExtraMissing
        If what is needed to check it is not installed.
    """
    with opened(path) as package:
        found = recognized(package)
        chosen = _name(name or package.name, taken, given=bool(name))
        if found.spec.weights.endswith(PROGRAMS) and not trust:
            raise Refused(
                "a TorchScript file is a program: it runs as soon as it is loaded",
                "add it with --trust if you trust whoever made it, or bring it as ONNX",
            )
        own_license = None if license_file is None else _license_text(license_file)
        with _alone(), new_folder(models_folder() / chosen) as hidden:
            made = _copied(package, found, hidden, own_license, cancelled)
            record = ModelRecord(chosen, hidden, found.spec, *made, trusted=trust, added=_now())
            _check_hash(record, sha256.strip().lower(), found.spec.sha256)
            check_not_stopped(cancelled)
            check(record)
            text = json.dumps(record.document(), indent=1, ensure_ascii=False)
            (hidden / RECORD).write_text(text + "\n", encoding="utf-8")
    return ModelRecord.read(models_folder() / chosen)


def problems_of(record: ModelRecord, *, cancelled: Stop = never) -> tuple[str, ...]:
    """What is wrong with a model's files, each read whole; nothing where all are as installed."""
    found = []
    for file in record.files:
        try:
            with (record.folder / file.name).open("rb") as opened_file:
                size, sha256 = _digest(opened_file, cancelled)
        except OSError:
            found.append(f"{shown(file.name)} is missing or cannot be read")
            continue
        if (size, sha256) != (file.bytes, file.sha256):
            found.append(f"{shown(file.name)} is not the file that was installed")
    return tuple(found)


def remove_model(name: str) -> None:
    """Remove an installed model, a damaged one too.

    Raises
    ------
    InputError
        If there is none of this name.
    OutputError
        If it cannot be removed.
    """
    folder = models_folder() / name
    with _alone():
        if name not in {one.name for one in installed_models()}:
            installed_model(name)  # raises, and says which there are
        gone = folder.with_name(f".removed-{name}")
        try:
            shutil.rmtree(gone, ignore_errors=True)
            folder.rename(gone)  # at once: half a model is never listed
            shutil.rmtree(gone)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise OutputError(f"the model {name} cannot be removed: {reason}", _FOLDER) from error


_FOLDER: Final = "make the models' folder writable; MEDLABEL_MODELS names another"


def _name(wanted: str, taken: Collection[str], *, given: bool) -> str:
    chosen = valid_name(wanted)
    if given and chosen != wanted:
        raise InputError(
            f"a model cannot be called {shown(wanted)}",
            f"use small letters, digits, '.', '-' and '_': {chosen}",
        )
    if chosen in RESERVED or chosen in taken:
        raise InputError(f"there is an engine called {chosen} already", "choose another --name")
    if os.path.lexists(models_folder() / chosen):
        raise OutputError(
            f"there is a model called {chosen} already",
            f"choose another --name, or remove it: medlabel model remove {chosen}",
        )
    return chosen


@contextmanager
def _alone() -> Iterator[None]:
    """While nobody else adds or removes; what a killed one left half made is cleared away."""
    folder = models_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock", timeout=_PATIENCE):
            for left in folder.glob(".*-*"):
                if left.is_dir() and not left.is_symlink():
                    shutil.rmtree(left, ignore_errors=True)
            yield
    except Timeout as error:
        raise OutputError("another program is changing the models", "try again later") from error
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(f"the models' folder cannot be used: {reason}", _FOLDER) from error


def _copied(
    package: Package, found: Recognized, into: Path, own_license: bytes | None, cancelled: Stop
) -> tuple[tuple[ModelFile, ...], str, str]:
    """Copy a model's files, with their hashes, and its licence: files, its name, its file."""
    files = []
    license_file = found.license_file if own_license is None else _LICENSE
    for name in found.files:
        if own_license is not None and name in {found.license_file, _LICENSE}:
            continue
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with package.open(name) as source, target.open("wb") as file:
                size, sha256 = _digest(source, cancelled, file)
        except OSError as error:
            if error.errno in _DISK:
                raise
            what = f"the model's {shown(name)} cannot be read"
            raise InputError(what, "copy the whole model again") from error
        files.append(ModelFile(name, size, sha256))
    if own_license is not None:
        (into / _LICENSE).write_bytes(own_license)
        sha256 = hashlib.sha256(own_license).hexdigest()
        files.append(ModelFile(_LICENSE, len(own_license), sha256))
    title = _first_line((into / license_file).read_bytes()) if license_file else ""
    return tuple(files), title, license_file


def _digest(source: Readable, cancelled: Stop, into: BinaryIO | None = None) -> tuple[int, str]:
    """Length and SHA-256 of what is read, which is written on where there is a place for it."""
    digest, size = hashlib.sha256(), 0
    while part := source.read(_CHUNK):
        check_not_stopped(cancelled)
        digest.update(part)
        size += len(part)
        if into is not None:
            into.write(part)
    return size, digest.hexdigest()


def _check_hash(record: ModelRecord, *wanted: str) -> None:
    for sha256 in filter(None, wanted):
        if sha256 != record.sha256:
            raise IntegrityError(
                f"the weights are not the file that was meant: their SHA-256 is "
                f"{record.sha256[:12]}..., not {shown(sha256[:12])}...",
                "copy them again from where they come from",
            )


def _license_text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            read = file.read(MOST_TEXT + 1)
    except OSError as error:
        raise InputError("the licence cannot be read", "name the file of its text") from error
    if len(read) > MOST_TEXT or b"\0" in read or not read.strip():
        raise InputError("the licence is no text", "name the file of its text")
    return read


def _first_line(text: bytes) -> str:
    """What a licence calls itself: the first line of its text that is not empty."""
    for line in text.decode("utf-8", "replace").splitlines():
        plain = " ".join("".join(c if c.isprintable() else " " for c in line).split())
        if plain:
            return plain[:80]
    return ""


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
