"""From activity to SUVbw: standardised uptake value by body weight.

SUVbw = activity concentration (Bq/mL) x body weight (g) / injected dose (Bq), the dose decayed to
the time that the voxels were decay-corrected to. As the Quantitative Imaging Biomarkers Alliance
(QIBA) and its vendor-neutral pseudo-code have it; units from PS3.3 C.8.9.1.1.3.
"""

import math
from datetime import datetime, timedelta
from typing import IO, Final

from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_header import Header
from napari_medlabel.formats.dicom_instance import InstanceFacts, Suv
from napari_medlabel.formats.dicom_sequence import Item, items_at
from napari_medlabel.formats.dicom_tags import Tag

__all__ = ["suv_of"]

_START_TIME, _START_DATETIME = 0x00181072, 0x00181078
_TOTAL_DOSE, _HALF_LIFE = 0x00181074, 0x00181075
_WANTED: Final = frozenset({_START_TIME, _START_DATETIME, _TOTAL_DOSE, _HALF_LIFE})
_LONGEST: Final = timedelta(hours=24)
_OVERNIGHT: Final = timedelta(hours=8)  # an injection without a day: this long before midnight
_LEAST_BQ: Final = 1e5  # a mouse is given 1e6 and more: less is in MBq, against the standard
_HALF_LIVES: Final = 12.0  # after which nothing is left to see


class _Missing(Exception):  # not an error: an answer
    """Why there is no SUV."""


def suv_of(header: Header, file: IO[bytes], size: int, facts: InstanceFacts) -> Suv:
    """The factor from the volume's values to SUVbw (g/mL), or why there is none."""
    try:
        items = items_at(file, size, header, Tag.RADIOPHARMACEUTICAL, _WANTED)
        return Suv(_factor(header, items[0] if items else {}, facts.units))
    except _Missing as reason:
        return Suv(None, str(reason))


def _factor(header: Header, item: Item, units: str) -> float:
    its = Values(header.values, "little" if header.little else "big")
    if units == "GML":
        if its.text(Tag.SUV_TYPE) not in {"", "BW"}:  # PS3.3 C.8.9.1: body weight where not said
            raise _Missing("its values are SUV by another measure than body weight")
        return 1.0
    to_bq_ml = 1.0
    if units == "CNTS":  # Philips has its own factors beside counts
        own = its.number(Tag.SUV_FACTOR_PHILIPS)
        if own is not None and own > 0:
            return own
        to_bq_ml = _positive(its, Tag.ACTIVITY_FACTOR_PHILIPS, "its values are counts, not Bq/mL")
    elif units != "BQML":
        raise _Missing(f"its values are {_words(units)}, not Bq/mL")
    return to_bq_ml * _suv_of_activity(its, item)


def _suv_of_activity(its: Values, item: Item) -> float:
    """The factor from Bq/mL to g/mL."""
    missing = {"ATTN", "DECY"} - set(its.pieces(Tag.CORRECTED))
    if missing:
        raise _Missing(f"its values are not corrected ({' and '.join(sorted(missing))})")
    about = Values({tag: raw for tag, raw in item.items() if isinstance(raw, bytes)}, its.order)
    weight_kg = _positive(its, Tag.PATIENT_WEIGHT, "the body weight is not in the header")
    dose_bq = _positive(about, _TOTAL_DOSE, "the injected dose is not in the header")
    if dose_bq < _LEAST_BQ:
        raise _Missing("the injected dose is too small to be in Bq")
    correction = its.text(Tag.DECAY_CORRECTION)
    if correction not in {"ADMIN", "START"}:
        raise _Missing("what time its values are decay-corrected to is not in the header")
    if correction == "START":
        half_life_s = _positive(about, _HALF_LIFE, "the half-life of the tracer is not there")
        passed = _waited_s(its, about) / half_life_s
        if passed > _HALF_LIVES:
            raise _Missing(f"{passed:.0f} half-lives lie between the injection and the scan")
        dose_bq *= math.exp2(-passed)
    return weight_kg * 1000.0 / dose_bq


def _positive(its: Values, tag: int, missing: str) -> float:
    value = its.number(tag)
    if value is None or value <= 0:
        raise _Missing(missing)
    return value


def _waited_s(its: Values, about: Values) -> float:
    """Seconds from the injection to the time that the values are corrected to."""
    scan = _moment(its.text(Tag.SERIES_DATE), its.text(Tag.SERIES_TIME))
    acquired = _moment(its.text(Tag.ACQUISITION_DATE), its.text(Tag.ACQUISITION_TIME))
    if scan is None or (acquired is not None and scan > acquired):
        raise _Missing("the time of the series is missing, or later than that of its images")
    injected = _injected(about, scan)
    if injected is None:
        raise _Missing("the time of the injection is not in the header")
    waited = scan - injected
    if not timedelta(0) <= waited <= _LONGEST:
        raise _Missing("the injection was not within the 24 hours before the scan")
    return waited.total_seconds()


def _injected(about: Values, scan: datetime) -> datetime | None:
    """When the tracer was given; a time without a day is that before the scan."""
    full = about.text(_START_DATETIME)
    if full:
        return _moment(full[:8], full[8:].split("+")[0].split("-")[0])
    known = _moment(scan.strftime("%Y%m%d"), about.text(_START_TIME))
    if known is not None and known > scan:
        known -= timedelta(days=1)
        if scan - known > _OVERNIGHT:
            raise _Missing("the injection was after the scan began")
    return known


def _moment(day: str, time: str) -> datetime | None:
    """DICOM's date and time (VR DA, TM)."""
    whole, _, fraction = time.partition(".")
    try:
        moment = datetime.strptime(day + whole.ljust(6, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007
        return moment + timedelta(seconds=float(f"0.{fraction or 0}"))
    except ValueError:
        return None


def _words(units: str) -> str:
    known = {"CPS": "counts per second", "PROPCNTS": "proportional to counts"}
    return known.get(units, "in another unit")
