"""Stand-ins for patients: the same for the same patient under one key, and known by their look.

A pseudonym is "P", eleven letters and digits of an HMAC of the patient's identity, and five of an
HMAC of those: 55 bits that say who, 25 that say that it is one of ours. The shift of dates is from
the same key, so that all studies of a patient are shifted alike, today and in a year.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from napari_medlabel.privacy.uids import Uids

__all__ = ["Identity", "Pseudonyms"]

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
_WHO, _MARK = 11, 5
_LONGEST_SHIFT: Final = 3652  # days: ten years


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a file is about, as far as it says so; two equal ones are one patient."""

    patient_id: str
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    study: str = ""

    def key(self) -> bytes:
        """What tells patients apart: the id and its issuer; without one, name and birth date."""
        if self.patient_id:
            parts: tuple[str, ...] = ("id", self.patient_id, self.issuer)
        elif self.name:
            parts = ("name", self.name.casefold(), self.birth_date)
        else:
            parts = ("study", self.study)
        return "\0".join(parts).encode("utf-8", "surrogatepass")


class Pseudonyms:
    """Pseudonyms, shifts of dates and UIDs of one workspace.

    Parameters
    ----------
    key
        Secret: whoever has it can test a guess who somebody is.
    """

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.uids = Uids(key)
        self._who = hmac.digest(key, b"patients", "sha256")
        self._mark = hmac.digest(key, b"marks of patients", "sha256")
        self._shift = hmac.digest(key, b"dates", "sha256")

    def of(self, identity: Identity) -> str:
        """What stands for a patient; the id itself where it is one of our pseudonyms."""
        if self.is_ours(identity.patient_id):
            return identity.patient_id
        who = "P" + _letters(hmac.digest(self._who, identity.key(), "sha256"), _WHO)
        return who + self._marked(who)

    def is_ours(self, patient_id: str) -> bool:
        """Whether it was made under this key."""
        start, mark = patient_id[:-_MARK], patient_id[-_MARK:]
        right = len(patient_id) == 1 + _WHO + _MARK and patient_id.isascii()
        return right and hmac.compare_digest(mark, self._marked(start))

    def shift_days(self, identity: Identity) -> int:
        """By how many days a patient's dates are moved: below 0; 0 where they were already."""
        if self.is_ours(identity.patient_id):
            return 0
        number = int.from_bytes(hmac.digest(self._shift, identity.key(), "sha256")[:8])
        return -1 - number % _LONGEST_SHIFT

    def _marked(self, start: str) -> str:
        return _letters(hmac.digest(self._mark, start.encode("ascii"), "sha256"), _MARK)


def _letters(digest: bytes, count: int) -> str:
    number = int.from_bytes(digest)
    return "".join(_ALPHABET[number >> 5 * n & 31] for n in range(count))
