"""Dates and times of day as DICOM writes them: checked, shifted, made coarser."""

import re
from datetime import date, timedelta
from typing import Final

from napari_medlabel.privacy.profile import Dates

__all__ = ["changed", "day_of", "is_time"]

# PS3.5 section 6.2; the dots are ACR-NEMA's.
_DATE: Final = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_TIME: Final = re.compile(r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?")
_ZONE: Final = re.compile(r"[+-]\d{4}")


def day_of(text: str) -> date | None:
    """The day that a DA begins with, or a DT; None where it is none."""
    found = _DATE.match(text)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def is_time(text: str) -> bool:
    """Whether it is a TM."""
    return _TIME.fullmatch(text) is not None


def changed(text: str, vr: str, how: Dates, shift_days: int, *, times: bool) -> str | None:
    """A DA, TM or DT as the profile wants it; None where it cannot be told and must go.

    Parameters
    ----------
    text
        One value, without padding.
    vr
        Which of the three it is.
    how
        What the profile does with dates: not "removed".
    shift_days
        Below 0, or 0 where dates were shifted already.
    times
        Whether a time of day stays.
    """
    if vr == "TM":
        return text if times and how in {"kept", "shifted"} and is_time(text) else None
    found, day = _DATE.match(text), day_of(text)
    if found is None or day is None or (vr == "DA" and found.end() != len(text)):
        return None
    try:
        moved = _moved(day, how, shift_days)
    except OverflowError:
        return None
    if vr == "DA":
        return moved
    rest = text[found.end() :]
    zone = _ZONE.search(rest)
    clock = rest[: zone.start()] if zone else rest
    if clock and not is_time(clock):
        return None
    return moved + (rest if times and how in {"kept", "shifted"} else "")


def _moved(day: date, how: Dates, shift_days: int) -> str:
    if how == "shifted":
        day += timedelta(days=shift_days)
    elif how == "month":
        day = day.replace(day=1)
    elif how == "year":
        day = day.replace(month=1, day=1)
    return f"{day.year:04d}{day.month:02d}{day.day:02d}"
