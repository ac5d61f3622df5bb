"""Values that may stay: checked by what their VR allows, cleaned, or with stand-ins instead."""

import re
from typing import Final

from napari_medlabel.privacy.dates import changed
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.pseudonyms import Pseudonyms
from napari_medlabel.privacy.uids import is_uid, is_well_known
from napari_medlabel.privacy.values import BINARY, encoded, fits, known_tags, numbers, split
from napari_medlabel.privacy.wording import Wording

__all__ = ["Keeper"]

_AGE, _SEX, _ZONE = 0x00101010, 0x00100040, 0x00080201
_IMAGE_TYPES: Final = frozenset({0x00080008, 0x00089007})
_OLDEST: Final = 89  # years that may be told: 45 CFR 164.514(b)(2)(i)(C)
_ENOUGH: Final = 5  # digits of an id that a number must not be
_ZONE_FORM: Final = re.compile(r"[+-]\d{4}")

Kept = tuple[str, bytes]  # K, C or U, and the value


class Keeper:
    """What stays of the values of one patient's file.

    Parameters
    ----------
    profile, names
        What to keep, and the key of what stands for UIDs.
    shift_days
        By how much the patient's dates are moved.
    wording
        What text may hold.
    """

    def __init__(
        self, profile: Profile, names: Pseudonyms, shift_days: int, wording: Wording
    ) -> None:
        self.profile, self.names, self.wording = profile, names, wording
        self.kept: set[str] = set()  # texts that stay because somebody asked for it
        self.is_ascii = True
        self._shift = shift_days
        self._coded = Wording(frozenset(), profile.own_words)  # a defined term is nobody's name

    def value(  # noqa: PLR0911, PLR0913, PLR0917  # one line for each kind of value
        self, tag: int, vr: str, raw: bytes, encodings: tuple[str, ...], action: str, order: str
    ) -> Kept | None:
        """What stays of a value that is to be kept or cleaned; None where nothing does."""
        if vr == "UI":
            return self._uids(raw, keep=action == "K")
        if vr in {"DA", "DT", "TM"}:
            return self._dates(vr, split(raw, vr, encodings), kept=action == "K")
        if vr in {"DS", "IS"}:
            return self._numbers(raw, vr)
        if vr == "AT":
            right = len(raw) % 4 == 0 and known_tags(raw, little=order == "<")
            return ("K", raw) if right else None
        if vr in BINARY:
            return ("K", raw) if fits(tag, raw, vr) else None
        values = split(raw, vr, encodings)
        if not any(values):
            return ("K", b"") if action in {"K", "V"} else None
        made = self._texts(tag, vr, values, action)
        return None if made is None or not any(made) else self._written(values, made, vr)

    def mapped(self, raw: bytes) -> bytes:
        """UIDs, or what stands in their place, as our own."""
        return encoded([self.names.uids.mapped(one) for one in split(raw, "UI", ())], "UI")

    def coded(self, text: str) -> bytes:
        """A value of a coded entry."""
        self.is_ascii = self.is_ascii and text.isascii()
        return encoded([text], "LO")

    def _uids(self, raw: bytes, *, keep: bool) -> Kept | None:
        values = [one for one in split(raw, "UI", ()) if one]
        if not values:
            return ("K", b"") if not raw.strip(b"\0 ") else None
        if all(map(is_well_known, values)):
            return "K", encoded(values, "UI")
        if keep and all(map(is_uid, values)):
            self.kept.update(values)
            return "K", encoded(values, "UI")
        return "U", self.mapped(encoded(values, "UI"))

    def _dates(self, vr: str, values: list[str], *, kept: bool) -> Kept | None:
        how = "kept" if kept else self.profile.dates
        if how == "removed" or not any(values):
            return None
        made = [changed(one, vr, how, self._shift, times=self.profile.times) for one in values]
        whole = [one for one in made if one is not None]
        if len(whole) < len(made):
            return None
        if kept:
            self.kept.update(whole)
        return "K" if kept else "C", encoded(whole, vr)

    def _numbers(self, raw: bytes, vr: str) -> Kept | None:
        values = numbers(raw, vr)
        if values is None:
            return None
        digits = (re.sub(r"\D", "", one) for one in values)
        own = any(len(one) >= _ENOUGH and one in self.wording.own for one in digits)
        return None if own else ("K", raw.rstrip(b"\0 ") + b" " * (len(raw.rstrip(b"\0 ")) % 2))

    def _texts(  # noqa: PLR0911  # a line for each kind of text
        self, tag: int, vr: str, values: list[str], action: str
    ) -> list[str] | None:
        last = self.profile.keep_last.get(tag)
        if last is not None:
            return [_masked(one, last) for one in values]
        if tag == _AGE or vr == "AS":
            ages = [_age(one, self.profile.age_band) for one in values]
            return None if None in ages else [one for one in ages if one]
        if tag == _SEX:
            return values if values[0] in {"M", "F", "O"} and len(values) == 1 else None
        if tag == _ZONE:
            return values if _ZONE_FORM.fullmatch(values[0]) and len(values) == 1 else None
        if action == "K":
            self.kept.update(values)
            return values
        if vr == "CS":
            return self._terms(tag, values)
        return [self.wording.cleaned(one, code=action == "V") for one in values]

    def _terms(self, tag: int, values: list[str]) -> list[str]:
        """Defined terms; what is none is left out, or "OTHER" where places have a meaning."""
        known = [one if one == "" or self._coded.is_known(one) else None for one in values]
        if tag in _IMAGE_TYPES:
            return ["OTHER" if one is None else one for one in known]
        return [one for one in known if one is not None]

    def _written(self, before: list[str], after: list[str], vr: str) -> Kept:
        data = encoded(after, vr)
        self.is_ascii = self.is_ascii and data.isascii()
        return "K" if before == after else "C", data


def _masked(text: str, last: int) -> str:
    """Asterisks for all but the last characters; all of them where there are no more."""
    shown = text[-last:] if len(text) > last else ""
    return "*" * (len(text) - len(shown)) + shown


def _age(text: str, band: int) -> str | None:
    """An AS, "090Y" above 89 years, in bands of years where they are wanted; None if it is none."""
    if not re.fullmatch(r"\d{3}[DWMY]", text):
        return None
    years = int(text[:3]) if text[3] == "Y" else 0
    months = int(text[:3]) // {"D": 30, "W": 4, "M": 1, "Y": 1}[text[3]]
    years = years or (months // 12 if text[3] != "Y" else 0)
    if years > _OLDEST:
        return "090Y"
    if band:
        return f"{years // band * band:03d}Y"
    return text
