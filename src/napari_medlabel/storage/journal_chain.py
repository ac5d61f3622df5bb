"""What binds a journal's rows: each is sealed with the tag of the row before it.

Places, integers as little-endian uint64:

    a row                 "journal row " place number | tag of the row before (row 0: 16 zeros)
    a checkpoint's part   "journal checkpoint " place number | tag of row `number` | part | parts

So a row opens only after the very rows it was written after. Altered, swapped, missing and older
rows are found; rows cut off at the end are not: whoever keeps the last row's tag elsewhere finds
those.
"""

import struct
from collections.abc import Sequence
from typing import Final

from napari_medlabel.errors import IntegrityError
from napari_medlabel.storage.cipher import TAG_BYTES, Cipher
from napari_medlabel.storage.sqlite_errors import RESTORE

__all__ = ["NO_TAG", "Chain"]

NO_TAG: Final = bytes(TAG_BYTES)  # before row 0


class Chain:
    """Seals and opens the rows and checkpoints of one journal.

    Parameters
    ----------
    cipher, place
        What seals them, and what they belong to.
    """

    def __init__(self, cipher: Cipher, place: str) -> None:
        self._cipher = cipher
        self._place = place.encode()

    def seal_row(self, number: int, content: bytes, before: bytes) -> bytes:
        """The row, after the one with the tag `before`."""
        return self._cipher.seal(content, self._row_place(number, before))

    def open_row(self, number: int, sealed: bytes | None, before: bytes) -> bytes:
        """What was written at this number, after the row with the tag `before`.

        Raises
        ------
        IntegrityError
            If it is not what was written there, or was folded away.
        """
        if sealed is None:
            raise IntegrityError(
                f"record {number} of the history was folded into a saved version",
                "steps this old cannot be taken back; restore a version instead",
            )
        try:
            return self._cipher.open(sealed, self._row_place(number, before))
        except (IntegrityError, TypeError) as error:
            what = f"record {number} of the history is damaged, moved or of another segmentation"
            raise IntegrityError(what, RESTORE) from error

    def seal_parts(self, number: int, its_tag: bytes, parts: Sequence[bytes]) -> list[bytes]:
        """The parts of a checkpoint after the row with this number and tag."""
        return [
            self._cipher.seal(content, self._part_place(number, its_tag, part, len(parts)))
            for part, content in enumerate(parts)
        ]

    def open_parts(self, number: int, its_tag: bytes, sealed: Sequence[bytes]) -> list[bytes]:
        """The parts that `seal_parts` sealed.

        Raises
        ------
        IntegrityError
            If they are not what was written there.
        """
        try:
            return [
                self._cipher.open(content, self._part_place(number, its_tag, part, len(sealed)))
                for part, content in enumerate(sealed)
            ]
        except (IntegrityError, TypeError) as error:
            what = f"the checkpoint at record {number} is damaged"
            raise IntegrityError(what, RESTORE) from error

    def _row_place(self, number: int, before: bytes) -> bytes:
        return b"".join((b"journal row ", self._place, struct.pack("<Q", number), before))

    def _part_place(self, number: int, its_tag: bytes, part: int, parts: int) -> bytes:
        numbers = struct.pack("<QQ", part, parts)
        start = struct.pack("<Q", number) + its_tag
        return b"".join((b"journal checkpoint ", self._place, start, numbers))
