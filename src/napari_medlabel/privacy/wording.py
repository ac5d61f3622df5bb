"""Text that may stay: words of a list, small numbers, and the marks of technique; nothing else.

What is not known is removed, so that a name needs no recognising. Whatever else it means, a word
that is part of this patient's own identifiers goes too: "Hand" stays, but not of Dr Hand.
"""

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydicom.datadict import tag_for_keyword

from napari_medlabel.privacy.table import words

__all__ = ["Wording", "parts_of"]

# Dates, times, telephone numbers, addresses of machines: gone before single words are looked at.
_DATE_LIKE: Final = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d[-./ ]\d{1,2}[-./ ]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d\d"
    r"|\d{2}[-./]\d{2}[-./]\d{2}|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?|\d{3}-\d{2}-\d{4}"
    r"|\d{1,3}(?:\.\d{1,3}){3}|[+0]\d[\d ()/-]{5,}\d|\d{3}[-. ]\d{3,4}(?:[-. ]\d{3,4})?)(?!\d)"
)
_ADDRESS_LIKE: Final = re.compile(r"\S+@\S+|\b\w+://\S+|\bwww\.\S+", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"([\s_/,;:+()\[\]{}=&|\\^*#<>\"'%!?-]+|\.(?!\d)|(?<!\d)\.)")

_UNITS: Final = "mm|cm|ms|sec|s|min|t|kv|kvp|ma|mas|hz|khz|mhz|ppm|deg|dir|sl|slc|ch|x|ml|bit"
_NUMBERS: Final = re.compile(
    rf"(?!(?:19|20)\d\d$)\d{{1,4}}|\d{{1,4}}\.\d{{1,6}}|\d{{1,3}}(?:\.\d{{1,3}})?(?:{_UNITS})"
    r"|\d{1,4}x\d{1,4}(?:x\d{1,4})?|\d{1,2}(?:st|nd|rd|th)|[1-4]d",
    re.IGNORECASE,
)
_MARKS: Final = re.compile(
    r"[wocstlr]|t[12](?:w|wi|star)?|pdw?|[clts][1-9](?:[0-2])?|b\d{1,4}"
    r"|(?:te|tr|ti|fa|nex|gk|ph|bw|st|sd|i|p|r|e|f)\d{1,3}(?:\.\d{1,3})?|(?:19|20)\d\dt|v\d{1,2}(?:\.\d{1,2})?",
    re.IGNORECASE,
)
# Kernels (B30f, Hr64), coil elements (H87), sequences (epfid2d1, tfl3d1, 16ns), software (E11).
_CODES: Final = re.compile(
    r"[A-Za-z]{1,2}\d{1,3}[a-z]{0,2}|[A-Z]{1,2}|[APLRHF]{3}|[a-z]|\d{1,3}[a-zA-Z]{1,2}"
    r"|\d{1,2}(?:\.\d{1,3}){1,3}|(?:ep|fl|tfl|tse|tir|tgse|fi|se|spc|qfl|csi|svs|gre|re|h|de|fid|me"
    r"|ir|epfid|epse|tfi|fisp|psif|ciss|dess|medic|haste)(?:[123]d)?\d{0,3}(?:fid|ns|rr|r|b|t|m)?",
)
_LONGEST: Final = 24  # letters of a word; longer ones are codes


@dataclass(frozen=True, slots=True)
class Wording:
    """What may stay in the text of one patient's files.

    Parameters
    ----------
    own
        Words of the patient's own identifiers, casefolded.
    more
        Words that a profile adds to the list.
    """

    own: frozenset[str] = frozenset()
    more: frozenset[str] = frozenset()

    @functools.lru_cache(maxsize=1 << 15)  # noqa: B019
    def cleaned(self, text: str, *, code: bool = False) -> str:
        """The text without what is not known; unchanged where all of it is.

        Parameters
        ----------
        text
            One value.
        code
            Whether it is a technical name, in which kernels and sequences are known too.
        """
        without = _ADDRESS_LIKE.sub(" ", text)
        without = _DATE_LIKE.sub(" ", without)
        pieces = _BETWEEN.split(without)
        kept = [piece for piece in pieces[::2] if piece and self.knows(piece, code=code)]
        if without == text and len(kept) == sum(map(bool, pieces[::2])):
            return text if kept and text.isprintable() else ""
        again = " ".join(kept)
        return again if again == text else self.cleaned(again, code=code)

    @functools.lru_cache(maxsize=1 << 15)  # noqa: B019  # a frozen value: equal ones share it
    def unknown(self, text: str) -> list[str]:
        """The words of a text that may not stay, as technical names have them; casefolded."""
        if self.cleaned(text, code=True) == text:
            return []
        pieces = _BETWEEN.split(text)[::2]
        return [one.casefold() for one in pieces if one and not self.knows(one, code=True)]

    def is_known(self, text: str) -> bool:
        """Whether a coded value may stay as it is."""
        return bool(text) and self.cleaned(text, code=True) == text

    @functools.lru_cache(maxsize=1 << 15)  # noqa: B019
    def knows(self, word: str, *, code: bool = False) -> bool:
        """Whether one word may stay."""
        small = word.casefold()
        if self.is_own(small):
            return False
        if small in words() or small in self.more:
            return True
        if len(word) > _LONGEST or not word.isascii():
            return False
        if _NUMBERS.fullmatch(word) or _MARKS.fullmatch(word):
            return True
        return code and (_CODES.fullmatch(word) is not None or tag_for_keyword(word) is not None)

    def is_own(self, small: str) -> bool:
        """Whether a casefolded word is, or holds, part of the patient's own identifiers."""
        if small in self.own:
            return True
        return any(len(one) >= 4 and one in small for one in self.own if one not in words())


def parts_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of identifiers, casefolded; single letters and lone small numbers are left out."""
    found = set()
    for text in texts:
        for word in re.split(r"[\s^=,;:/\\_.@()\[\]'\"-]+", text.casefold()):
            if len(word) > 2 or (len(word) == 2 and not word.isascii()):
                found.add(word)
    return frozenset(found)
