"""An installed model: its folder, and `model.json` in it, which says what was checked and when."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.engines.models.fields import Fields
from napari_medlabel.engines.models.spec import ModelSpec
from napari_medlabel.errors import InputError, IntegrityError

__all__ = ["RECORD", "ModelFile", "ModelRecord", "valid_name"]

RECORD: Final = "model.json"
FORMAT: Final = 1
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}[a-z0-9]|[a-z0-9]")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def valid_name(text: str) -> str:
    """A name that a model, its folder and its engine can have, as near to the text as can be."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("._-")[:60].strip("._-")
    return plain or "model"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of an installed model: its name below the folder, its length and its SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A model as it was installed.

    Parameters
    ----------
    name
        Of the model and of its engine.
    folder
        Where its files are.
    spec
        What it is.
    files
        All of them but the record.
    license
        The first line of the licence's text; empty where none was given.
    license_file
        Its name, or nothing.
    trusted
        Whether whoever added it let its file run as a program: TorchScript.
    added
        When, UTC.
    """

    name: str
    folder: Path
    spec: ModelSpec
    files: tuple[ModelFile, ...]
    license: str
    license_file: str
    trusted: bool
    added: str

    @property
    def weights(self) -> Path:
        """The file of the weights."""
        return self.folder / self.spec.weights

    @property
    def sha256(self) -> str:
        """Of the weights."""
        return next(file.sha256 for file in self.files if file.name == self.spec.weights)

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "format": FORMAT, "name": self.name, "added": self.added, "trusted": self.trusted,
            "license": self.license, "license_file": self.license_file,
            "files": [
                {"name": one.name, "bytes": one.bytes, "sha256": one.sha256} for one in self.files
            ],
            "model": self.spec.document(),
        }  # fmt: skip

    @classmethod
    def read(cls, folder: Path) -> "ModelRecord":
        """The record in a model's folder.

        Raises
        ------
        IntegrityError
            If it is missing or damaged.
        """
        try:
            document = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            return cls._made(folder, document)
        except (OSError, ValueError, KeyError, TypeError, RecursionError, InputError) as error:
            raise IntegrityError(
                f"the record of the model {folder.name} is damaged",
                f"remove it and add it again: medlabel model remove {folder.name}",
            ) from error

    @classmethod
    def _made(cls, folder: Path, document: object) -> "ModelRecord":
        fields = Fields(document, RECORD)
        fields.number("format", 1, FORMAT)
        name = fields.text("name")
        if name != folder.name or _NAME.fullmatch(name) is None:
            raise ValueError("not this folder's")
        spec = ModelSpec.from_document(fields.mapping("model"))
        added, trusted = fields.text("added"), fields.flag("trusted", default=False)
        license_name, license_file = fields.text("license", ""), fields.text("license_file", "")
        listed = document["files"] if isinstance(document, dict) else []
        files = tuple(_file(entry) for entry in listed)
        if spec.weights not in {file.name for file in files}:
            raise ValueError("no weights")
        return cls(name, folder, spec, files, license_name, license_file, trusted, added)


def _file(entry: dict[str, Any]) -> ModelFile:
    name, size, sha256 = entry["name"], entry["bytes"], entry["sha256"]
    outside = Path(name).is_absolute() or ".." in Path(name).parts
    if outside or not isinstance(size, int) or _SHA256.fullmatch(sha256) is None:
        raise ValueError("not a file of the model")
    return ModelFile(name, size, sha256)
