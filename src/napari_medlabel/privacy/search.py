"""Many strings looked for in many bytes at once, upper and lower case alike.

Every string begins with four bytes; a table of 2^20 bits says for each four bytes of the data, at
any offset, whether some string may begin there, and only those places are looked at. So the time
does not grow with the number of strings: some 0.1 s for 20 MB, for ten strings or ten thousand.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["Needle", "Search"]

SHORTEST: Final = 4
_BITS: Final = 20
_MULTIPLIER: Final = np.uint32(2654435761)  # Knuth's, of the golden ratio
_BLOCK: Final = 1 << 22
_BESIDE: Final = 2  # bytes beside a needle that say whether it stands alone
_DIGITS: Final = frozenset(b"0123456789")
_LETTERS: Final = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Needle:
    """A string to be found, in small letters (ASCII's), and what kind of thing it is.

    `alone` is "digits" where no digit may stand before or behind it, nor a point with one;
    "word" where no letter or digit may; empty where it counts wherever it is.
    """

    data: bytes
    kind: str
    alone: str = ""


class Search:
    """Finds needles of at least four bytes."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._by_start: dict[int, list[Needle]] = defaultdict(list)
        for needle in needles:
            self._by_start[int.from_bytes(needle.data[:SHORTEST], "little")].append(needle)
        lengths = [len(one.data) for same in self._by_start.values() for one in same]
        self._longest = max(lengths, default=0)
        starts = np.array(sorted(self._by_start), np.uint32)
        self._table = np.zeros(1 << _BITS, np.bool_)
        self._table[_hashed(starts)] = True

    def count(self, data: bytes | memoryview) -> Counter[str]:
        """How often each kind of needle is in the data, of which a block at a time is copied."""
        found: Counter[str] = Counter()
        if not self._by_start:
            return found
        for begin in range(0, len(data), _BLOCK):
            first = max(0, begin - _BESIDE)
            small = bytes(data[first : begin + _BLOCK + self._longest + _BESIDE]).lower()
            self._in_block(small, begin - first, found)
        return found

    def _in_block(self, small: bytes, offset: int, found: Counter[str]) -> None:
        """Count what begins in the block; before and behind it is what may stand beside it."""
        for at in self._candidates(small[offset : offset + _BLOCK + SHORTEST - 1]):
            place = offset + int(at)
            if place >= offset + _BLOCK:
                continue
            start = int.from_bytes(small[place : place + SHORTEST], "little")
            for needle in self._by_start.get(start, ()):
                if small.startswith(needle.data, place) and _stands(small, place, needle):
                    found[needle.kind] += 1

    def _candidates(self, block: bytes) -> npt.NDArray[np.int64]:
        places = []
        for offset in range(SHORTEST):
            count = (len(block) - offset) // SHORTEST
            if count <= 0:
                continue
            quads = np.frombuffer(block, "<u4", count, offset)
            hits = np.flatnonzero(self._table[_hashed(quads)])
            places.append(hits * SHORTEST + offset)
        return np.concatenate(places) if places else np.empty(0, np.int64)


def _hashed(quads: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    mixed: npt.NDArray[np.uint32] = (quads * _MULTIPLIER) >> np.uint32(32 - _BITS)
    return mixed


def _stands(data: bytes, place: int, needle: Needle) -> bool:
    if not needle.alone:
        return True
    end = place + len(needle.data)
    before, behind = data[max(0, place - 2) : place], data[end : end + 2]
    if needle.alone == "word":
        return not (before[-1:] and before[-1] in _LETTERS) and not (
            behind and behind[0] in _LETTERS
        )
    return not _goes_on(before[::-1]) and not _goes_on(behind)


def _goes_on(beside: bytes) -> bool:
    """Whether a number goes on there: a digit, or a point and a digit."""
    if not beside:
        return False
    if beside[0] in _DIGITS:
        return True
    return beside[0] == 0x2E and len(beside) > 1 and beside[1] in _DIGITS
