"""UIDs that stand for others: the same for the same UID under one key, and known by their look.

    2.25.<n>     n is 16 bytes, big-endian, as a UUID of version 8 (RFC 9562, 5.8)
    bytes 0-11   HMAC-SHA256 of the original under a key for UIDs (with the UUID's six fixed bits)
    bytes 12-15  HMAC-SHA256 of bytes 0-11 under another: tells our own from any other UID

So what is de-identified twice is as if it were once: our own UIDs are left as they are. Without the
key a UID says nothing about the original.
"""

import functools
import hashlib
import hmac
import re
from typing import Final

from pydicom._uid_dict import UID_dictionary

__all__ = ["IMPLEMENTATION", "Uids", "is_part_of_well_known", "is_uid", "is_well_known"]

# Names this program in the files that it writes: 2.25 and a UUID made once.
IMPLEMENTATION: Final = "2.25.290911806471437118902365467261398710417"
_REMEMBERED: Final = 1 << 16
_UID: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_OURS: Final = re.compile(r"2\.25\.([1-9][0-9]{0,38})")


def is_uid(text: str) -> bool:
    """Whether it is a proper UID: PS3.5 section 9."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


def is_well_known(uid: str) -> bool:
    """Whether the standard has registered it, so that it is nobody's: PS3.6 annex A."""
    return uid in UID_dictionary


def is_part_of_well_known(text: str) -> bool:
    """Whether it is a piece of such a UID, as a damaged header may hold it in a text."""
    return "." in text and text in _well_known()


@functools.cache
def _well_known() -> str:
    return "\n".join(UID_dictionary)


class Uids:
    """Maps UIDs under a secret key.

    Parameters
    ----------
    key
        Of the workspace, for this purpose alone.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"uids", "sha256")
        self._mark = hmac.digest(key, b"marks of uids", "sha256")
        self._known: dict[str, str] = {}

    def mapped(self, uid: str) -> str:
        """What stands for a UID; itself where it is well known or one of ours."""
        if uid not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[uid] = self._made(uid)
        return self._known[uid]

    def _made(self, uid: str) -> str:
        if is_well_known(uid) or self.is_ours(uid):
            return uid
        value = bytearray(hmac.digest(self._key, uid.encode("utf-8"), "sha256")[:16])
        value[6] = value[6] & 0x0F | 0x80
        value[8] = value[8] & 0x3F | 0x80
        value[12:] = self._marked(bytes(value[:12]))
        return f"2.25.{int.from_bytes(value)}"

    def is_ours(self, uid: str) -> bool:
        """Whether it was made under this key."""
        found = _OURS.fullmatch(uid)
        if found is None or (number := int(found[1])) >> 128:
            return False
        value = number.to_bytes(16)
        return hmac.compare_digest(value[12:], self._marked(value[:12]))

    def _marked(self, start: bytes) -> bytes:
        return hmac.new(self._mark, start, hashlib.sha256).digest()[:4]
