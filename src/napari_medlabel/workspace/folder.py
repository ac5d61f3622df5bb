"""A workspace on disk: where things are, and what opens them.

    workspace.json        format, id, how its key is kept; nothing about patients
    catalogue.sqlite      cases, segmentations, versions; identifying columns sealed
    series/<case>/        image.zarr, key (the case's key once more, sealed as in the catalogue)
    segmentations/<id>/   journal.sqlite, versions/<n>.zarr, and <n>.group-<g>.zarr of other groups
                          of labels, lock, holder.json

Every sealed thing is bound to its place: the case's id and its path.
"""

import contextlib
import hashlib
import hmac
import json
import os
import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import platformdirs
from filelock import FileLock

from napari_medlabel.errors import InputError, IntegrityError, OutputError
from napari_medlabel.files import new_file
from napari_medlabel.storage.keys import workspace_key
from napari_medlabel.workspace.catalogue import Catalogue

__all__ = ["Workspace", "personal_folder"]

FORMAT: Final = 1
_ALWAYS: Final = ("workspace.json", "key.json", "catalogue.sqlite")
_MANIFEST: Final = "manifest"  # of what is sealed: written when all else is there
_PARTIAL: Final = re.compile(r"\.[0-9a-f]{8}-")  # as `files` names what is not whole yet


def personal_folder() -> Path:
    """Where the personal workspace is: `MEDLABEL_WORKSPACE`, or the user's data directory."""
    named = os.environ.get("MEDLABEL_WORKSPACE")
    return Path(named) if named else platformdirs.user_data_path("napari-medlabel") / "workspace"


@dataclass(frozen=True, slots=True, eq=False)
class Workspace:
    """An open workspace."""

    folder: Path
    id: str
    key: bytes
    key_kept: str
    catalogue: Catalogue

    @classmethod
    def open_or_make(cls, folder: Path) -> "Workspace":
        """The workspace in a folder; made, with a key of its own, where there is none.

        Raises
        ------
        InputError, OutputError
            If the folder is something else, cannot be written, or is of a newer format.
        IntegrityError
            If its key is lost or its files are damaged.
        """
        try:
            if not all((folder / name).exists() for name in _ALWAYS):
                _check_place(folder)
                with FileLock(folder / ".lock", timeout=60):  # several first uses at once
                    _make_document(folder)
                    return cls._open(folder)
            return cls._open(folder)
        except OSError as error:
            raise OutputError(
                f"the workspace folder cannot be used: {error.strerror or 'somebody holds it'}",
                "choose another with MEDLABEL_WORKSPACE or --workspace",
            ) from error

    @classmethod
    def _open(cls, folder: Path) -> "Workspace":
        workspace_id = _id(folder / "workspace.json")
        database = folder / "catalogue.sqlite"
        sealed = any(_visible(folder / name) for name in ("series", "segmentations"))
        kept = workspace_key(workspace_id, folder, make=not sealed and _is_empty(database))
        catalogue = Catalogue(
            database, kept.key, make=not sealed, keep_key=partial(_keep_case_key, folder)
        )
        return cls(folder, workspace_id, kept.key, kept.where, catalogue)

    def close(self) -> None:
        """Let go of the catalogue."""
        self.catalogue.close()

    @property
    def pseudonym_key(self) -> bytes:
        """What identifiers in provenance are made pseudonyms with; one for the workspace."""
        return hmac.new(self.key, b"medlabel pseudonyms", hashlib.sha256).digest()

    def image_path(self, case_id: str) -> Path:
        """Where a case's image is."""
        return self.folder / "series" / case_id / "image.zarr"

    def segmentation_folder(self, segmentation_id: str) -> Path:
        """Where a segmentation's journal and versions are; made where it is missing."""
        return _made(self.folder / "segmentations" / segmentation_id)

    def version_path(self, segmentation_id: str, number: int, group: int = 0) -> Path:
        """Where a version's labels of a group are."""
        name = f"{number}.group-{group}.zarr" if group else f"{number}.zarr"
        return _made(self.segmentation_folder(segmentation_id) / "versions") / name

    def sweep(self, case_id: str) -> None:
        """Remove what a killed process left half written of a case; only for who holds it."""
        _put_back(self.image_path(case_id))
        folders = [self.image_path(case_id).parent]
        for segmentation_id in self.catalogue.segmentation_ids(case_id):
            folder = self.folder / "segmentations" / segmentation_id
            folders += [folder, folder / "versions"]
        for folder in folders:
            _remove_partials(folder)

    def forget(self, case_id: str) -> None:
        """Destroy a case's key, in both its places, then its files.

        Raises
        ------
        OutputError, NotSaved
            If the key cannot be destroyed; the case is still there then.
        """
        segmentation_ids = self.catalogue.segmentation_ids(case_id)
        _destroy(_case_key(self.folder, case_id))
        self.catalogue.remove_case(case_id)
        shutil.rmtree(self.image_path(case_id).parent, ignore_errors=True)
        for segmentation_id in segmentation_ids:
            shutil.rmtree(self.folder / "segmentations" / segmentation_id, ignore_errors=True)


def _put_back(image: Path) -> None:
    """The old image, where a process was killed between taking it away and naming the new one."""
    if image.exists():
        return
    whole = [one for one in image.parent.glob(f".*-{image.name}") if (one / _MANIFEST).exists()]
    named = [one for one in whole if _PARTIAL.match(one.name)]
    if len(named) > 1:  # of a first import there is but one
        min(named, key=lambda one: (one / _MANIFEST).stat().st_mtime_ns).rename(image)


def _remove_partials(folder: Path) -> None:
    """Remove the hidden beginnings of files and folders that `files` makes; as far as it can."""
    for left in folder.glob(".*-*"):
        if _PARTIAL.match(left.name) is None:
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                left.unlink()


def _check_place(folder: Path) -> None:
    """Make the folder, where it is missing; refuse one that holds something else."""
    names = _visible(folder)
    if names and not (folder / "workspace.json").exists():  # it is made before all else
        if not names.isdisjoint(("key.json", "catalogue.sqlite")):
            raise IntegrityError("workspace.json is missing", "restore it from a backup")
        raise OutputError(
            "the workspace folder is not empty and holds no workspace",
            "choose an empty or a new folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "posix" and not names:
        folder.chmod(0o700)


def _make_document(folder: Path) -> None:
    """Write workspace.json, where it is missing; only under the lock."""
    _remove_partials(folder)
    if (folder / "workspace.json").exists():
        return
    _check_place(folder)  # somebody else may have filled it meanwhile
    facts = {"format": FORMAT, "kind": "personal", "id": uuid4().hex}
    with new_file(folder / "workspace.json") as hidden:
        hidden.write_text(json.dumps(facts, indent=1), encoding="utf-8")


def _id(document: Path) -> str:
    try:
        facts = json.loads(document.read_text(encoding="utf-8"))
        number, workspace_id = int(facts["format"]), str(facts["id"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged() from error
    if number > FORMAT:
        raise InputError(
            f"this workspace has format {number}; this program knows {FORMAT}",
            "update napari-medlabel",
        )
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", workspace_id) is None:
        raise _damaged()
    return workspace_id


def _damaged() -> IntegrityError:
    return IntegrityError("workspace.json is damaged", "restore it from a backup")


def _visible(folder: Path) -> set[str]:
    """Names in a folder; hidden ones are locks, beginnings, and what file managers leave."""
    if not folder.exists():
        return set()
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def _is_empty(file: Path) -> bool:
    return not file.exists() or not file.stat().st_size


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise OutputError(
            f"a folder cannot be made in the workspace: {reason}",
            "make room, or make the workspace writable",
        ) from error
    return folder


def _case_key(folder: Path, case_id: str) -> Path:
    return folder / "series" / case_id / "key"


def _keep_case_key(folder: Path, case_id: str, wrapped: bytes) -> None:
    path = _case_key(folder, case_id)
    try:
        with new_file(_made(path.parent) / path.name) as hidden:
            hidden.write_bytes(wrapped)
    except BaseException:
        shutil.rmtree(path.parent, ignore_errors=True)  # the case is not entered
        raise


def _destroy(path: Path) -> None:
    """Overwrite a small file with zeros, then remove it."""
    try:
        if path.exists():
            path.write_bytes(bytes(path.stat().st_size))
            path.unlink()
    except OSError as error:
        raise OutputError(
            f"the case's key cannot be destroyed: {(error.strerror or 'no reason').lower()}",
            "make the workspace writable and try again",
        ) from error
