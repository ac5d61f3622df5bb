"""The workspace's rules of privacy: `privacy.json`, to be read by people, held by the catalogue.

    privacy.json   {"format": 1, "before": {"labelling": [..], "another-user": [..],
                   "export": [..]}, "override": {"allowed": true, "by": [..]},
                   "set": {"who": "..", "when": ".."}}

The catalogue keeps the SHA-256 of what was written, sealed, with every earlier setting. A file
that somebody changed, added or took away by hand therefore does not count, and says so.
"""

import hashlib
import json
from pathlib import Path
from typing import Final

from napari_medlabel.core.case_privacy import PrivacyPolicy
from napari_medlabel.core.moment import utc_now
from napari_medlabel.errors import IntegrityError, OutputError
from napari_medlabel.files import new_file
from napari_medlabel.workspace.privacy_records import PrivacyRecords

__all__ = ["RULES", "read_rules", "write_rules"]

RULES: Final = "privacy.json"


def read_rules(folder: Path, records: PrivacyRecords) -> PrivacyPolicy:
    """The rules that hold; those that want nothing, where none were ever set.

    Raises
    ------
    IntegrityError
        If the file is not as it was set.
    """
    settings = records.rules()
    content = _content(folder / RULES)
    wanted = settings[-1]["sha256"] if settings else None
    if wanted != (None if content is None else hashlib.sha256(content).hexdigest()):
        raise IntegrityError(
            f"{RULES} of the workspace was added, changed or removed by hand",
            "restore it from a backup, or set the rules anew: medlabel privacy policy",
        )
    if content is None:
        return PrivacyPolicy()
    document = json.loads(content)
    document.pop("set")
    return PrivacyPolicy.from_document(document)


def write_rules(folder: Path, records: PrivacyRecords, policy: PrivacyPolicy, who: str) -> None:
    """Set the rules, whole or not at all, and keep who did and when.

    Raises
    ------
    OutputError, NotSaved
        If it cannot be written.
    """
    now = utc_now()
    document = policy.document() | {"set": {"who": who, "when": now}}
    content = (json.dumps(document, indent=1) + "\n").encode()
    entry = {
        "policy": policy.document(), "who": who, "when": now,
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip

    def write() -> None:
        with new_file(folder / RULES, force=True) as hidden:
            hidden.write_bytes(content)

    records.add_rules(entry, now, write)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(
            f"{RULES} of the workspace cannot be read: {(error.strerror or 'no reason').lower()}",
            "make it readable",
        ) from error
