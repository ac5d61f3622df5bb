"""A workspace on disk: where things are, and what opens them.

    workspace.json        format, id, how its key is kept; nothing about patients
    catalogue.sqlite      cases, segmentations, versions; identifying columns sealed
    series/<case>/image.zarr
    segmentations/<id>/   journal.sqlite, versions/<n>.zarr, lock, holder.json

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
from pathlib import Path
from typing import Final
from uuid import uuid4

import platformdirs

from napari_medlabel.errors import InputError, IntegrityError, OutputError
from napari_medlabel.files import new_file
from napari_medlabel.storage.keys import workspace_key
from napari_medlabel.workspace.catalogue import Catalogue

__all__ = ["Workspace", "personal_folder"]

FORMAT: Final = 1
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
        document = folder / "workspace.json"
        try:
            if not document.exists():
                _make(folder)
            facts = json.loads(document.read_text(encoding="utf-8"))
            workspace_id = str(facts["id"])
            number = int(facts["format"])
        except OSError as error:
            raise OutputError(
                f"the workspace folder cannot be used: {error.strerror}",
                "choose another with MEDLABEL_WORKSPACE or --workspace",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError("workspace.json is damaged", "restore it from a backup") from error
        if number > FORMAT:
            raise InputError(
                f"this workspace has format {number}; this program knows {FORMAT}",
                "update napari-medlabel",
            )
        kept = workspace_key(workspace_id, folder)
        catalogue = Catalogue(folder / "catalogue.sqlite", kept.key)
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
        folder = self.folder / "segmentations" / segmentation_id
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def version_path(self, segmentation_id: str, number: int) -> Path:
        """Where a version is."""
        folder = self.segmentation_folder(segmentation_id) / "versions"
        folder.mkdir(exist_ok=True)
        return folder / f"{number}.zarr"

    def sweep(self, case_id: str) -> None:
        """Remove what a killed process left half written of a case; only for who holds it."""
        folders = [self.image_path(case_id).parent]
        for segmentation_id in self.catalogue.segmentation_ids(case_id):
            folder = self.folder / "segmentations" / segmentation_id
            folders += [folder, folder / "versions"]
        for folder in folders:
            _remove_partials(folder)

    def forget(self, case_id: str) -> None:
        """Destroy a case's key, then its files."""
        segmentation_ids = self.catalogue.segmentation_ids(case_id)
        self.catalogue.remove_case(case_id)
        shutil.rmtree(self.image_path(case_id).parent, ignore_errors=True)
        for segmentation_id in segmentation_ids:
            shutil.rmtree(self.folder / "segmentations" / segmentation_id, ignore_errors=True)


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


def _make(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(
            "the workspace folder is not empty and holds no workspace",
            "choose an empty or a new folder",
        )
    folder.mkdir(parents=True, exist_ok=True)
    if os.name == "posix":
        folder.chmod(0o700)
    facts = {"format": FORMAT, "kind": "personal", "id": uuid4().hex}
    with new_file(folder / "workspace.json") as partial:
        partial.write_text(json.dumps(facts, indent=1), encoding="utf-8")
