"""What else a volume's values can be: SUVbw, a maker's own scale, real world values.

A volume is in stored x slope + intercept of its header. Another quantity is another slope and
intercept for each slice, so that it is read, kept and exported as any volume is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_instance import InstanceFacts

__all__ = ["PHILIPS", "SUV", "in_quantity", "no_suv", "quantities_of"]

SUV: Final = "SUVbw"
PHILIPS: Final = "Philips"
# UCUM codes of real world values, and how they are written here; others are not shown, since a
# header may hold anything.
_UNITS: Final = {
    "[hnsf'U]": "HU", "Hz": "Hz", "mm2/s": "mm2/s", "um2/s": "um2/s", "ms": "ms", "s": "s",
    "Bq/ml": "BQML", "g/ml": "g/mL", "{SUVbw}g/ml": SUV, "%": "%", "/s": "1/s", "/min": "1/min",
    "1": "ratio", "mg/ml": "mg/mL", "ml/min/g": "mL/min/g", "rad": "rad", "T": "T",
}  # fmt: skip


def quantities_of(parts: Sequence[InstanceFacts]) -> tuple[str, ...]:
    """The names of the other quantities that all slices can be turned into."""
    names: list[str] = []
    if all(facts.suv is not None and facts.suv.factor is not None for facts in parts):
        names.append(SUV)
    if all(facts.private_scale is not None and facts.slope != 0 for facts in parts):
        names.append(PHILIPS)
    count = min((len(facts.real_world) for facts in parts), default=0)
    names += [f"real world {n + 1}" if count > 1 else "real world" for n in range(count)]
    return tuple(names)


def no_suv(parts: Sequence[InstanceFacts]) -> Iterator[Problem]:
    """PET whose values cannot be made SUV, and the reason."""
    reasons = sorted({facts.suv.why for facts in parts if facts.suv and facts.suv.factor is None})
    if reasons:
        yield Problem("no-suv", f"no SUV can be given: {'; '.join(reasons)}")


def in_quantity(series: Series, volume: int, name: str) -> Series:
    """The series with one volume's values in another quantity.

    SUVbw is value x the header's factor (see `dicom_pet`). "Philips" is the maker's floating point
    value, (stored x slope + intercept) / (slope x scale slope): Chenevert et al., Transl Oncol
    2014;7:65. "real world" is a RealWorldValueMapping's slope and intercept on stored values.

    Raises
    ------
    InputError
        If the volume does not have this quantity; says which it has.
    """
    found = series.volumes[volume]
    if series.format != "dicom" or name not in found.quantities:
        offered = ", ".join(found.quantities) or "none"
        raise InputError(f"this volume has no values called so; it has: {offered}")
    parts = tuple(_turned(facts, name) for facts in found.parts)
    label = ", ".join(part for part in (found.name, name) if part)
    turned = replace(found, name=label, parts=parts, quantities=(), quantity=name)
    volumes = (*series.volumes[:volume], turned, *series.volumes[volume + 1 :])
    return replace(series, volumes=volumes)


def _turned(facts: InstanceFacts, name: str) -> InstanceFacts:
    """The facts with other values, which are not to be turned once more."""
    return replace(_valued(facts, name), suv=None, private_scale=None, real_world=())


def _valued(facts: InstanceFacts, name: str) -> InstanceFacts:
    slope = 1.0 if facts.slope is None else facts.slope
    intercept = facts.intercept or 0.0
    if name == SUV and facts.suv is not None and facts.suv.factor is not None:
        return _scaled(facts, slope, intercept, facts.suv.factor, SUV)
    if name == PHILIPS and facts.private_scale is not None:
        return _scaled(facts, slope, intercept, 1.0 / (slope * facts.private_scale[0]), PHILIPS)
    number = int(name.rsplit(maxsplit=1)[-1]) - 1 if name[-1].isdecimal() else 0
    mapping = facts.real_world[number]
    return replace(
        facts,
        slope=mapping.slope,
        intercept=mapping.intercept,
        unit=_UNITS.get(mapping.unit, "real world"),
        window=None,
    )


def _scaled(
    facts: InstanceFacts, slope: float, intercept: float, factor: float, unit: str
) -> InstanceFacts:
    """The facts with all values multiplied."""
    window = (facts.window[0] * factor, facts.window[1] * factor) if facts.window else None
    return replace(
        facts, slope=slope * factor, intercept=intercept * factor, unit=unit, window=window
    )
