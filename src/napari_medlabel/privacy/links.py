"""Who is behind each pseudonym: one sealed file in the workspace.

    links     a sealed record (storage/cipher.py) under a key of its own, made from the workspace's;
              its content is JSON: {"format": 1, "patients": {pseudonym: {...}}}

Who attacks: someone with the files and no key, who learns how long the list is. It is written
whole, beside and renamed, under a lock.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from napari_medlabel.errors import IntegrityError
from napari_medlabel.files import new_file
from napari_medlabel.privacy.pseudonyms import Identity, Pseudonyms
from napari_medlabel.storage.cipher import Cipher

__all__ = ["add_links", "read_links"]

_NAME: Final = "links"
_PLACE: Final = b"medlabel links 1"
_FORMAT: Final = 1


def add_links(folder: Path, names: Pseudonyms, patients: Mapping[str, Identity]) -> None:
    """Add patients to the list of a workspace.

    Parameters
    ----------
    folder
        The workspace.
    names
        Its pseudonyms: their key seals the list.
    patients
        By pseudonym; those that are pseudonyms themselves are left out.

    Raises
    ------
    IntegrityError
        If the list that is there was altered.
    OutputError
        If it cannot be written.
    """
    new = {
        pseudonym: asdict(identity) | {"shift_days": names.shift_days(identity)}
        for pseudonym, identity in patients.items()
        if not names.is_ours(identity.patient_id)
    }
    if not new:
        return
    with FileLock(folder / ".links.lock", timeout=60):
        document = {"format": _FORMAT, "patients": read_links(folder, names) | new}
        content = json.dumps(document, sort_keys=True).encode("utf-8")
        with new_file(folder / _NAME, force=True) as partial:
            partial.chmod(0o600)
            partial.write_bytes(_cipher(names).seal(content, _PLACE))


def read_links(folder: Path, names: Pseudonyms) -> dict[str, dict[str, Any]]:
    """Who is behind each pseudonym; empty where nobody was de-identified yet.

    Raises
    ------
    IntegrityError
        If it was altered, or sealed under another key.
    """
    try:
        sealed = (folder / _NAME).read_bytes()
    except FileNotFoundError:
        return {}
    try:
        document = json.loads(_cipher(names).open(sealed, _PLACE))
        patients: dict[str, dict[str, Any]] = document["patients"]
    except (ValueError, KeyError) as error:
        raise IntegrityError("the list of pseudonyms is damaged", "restore a backup") from error
    return patients


def _cipher(names: Pseudonyms) -> Cipher:
    return Cipher(hmac.digest(names.key, b"links", "sha256"))
