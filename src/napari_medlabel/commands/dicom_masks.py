"""Segments of DICOM objects brought into a case: which, where, and as which labels."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.schema import HIGHEST_VALUE, Label, LabelSchema
from napari_medlabel.core.volume import Source
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_labels import DicomLabels
from napari_medlabel.formats.dicom_segments import Segment, told
from napari_medlabel.formats.label_planes import overlaps_of, painted
from napari_medlabel.formats.overlap_groups import fewest_groups

__all__ = ["BroughtIn", "brought_in"]


@dataclass(frozen=True, slots=True, eq=False)
class BroughtIn:
    """Labels on a case's grid, the schema with them, and what provenance says of them.

    `arrays` are the labels by their group.
    """

    arrays: Mapping[int, LabelArray]
    schema: LabelSchema
    settings: Mapping[str, Any]


def brought_in(
    mask: DicomLabels,
    source: Source,
    schema: LabelSchema,
    *,
    segments: Sequence[str] = (),
    on_top: Sequence[str] = (),
) -> BroughtIn:
    """A DICOM segmentation or structure set as labels of a case.

    Parameters
    ----------
    mask
        The segmentation or structure set.
    source
        Of the case's volume.
    schema
        Of the case. A segment with the name of a label becomes that label, in its group; any
        other becomes a new one, with its number as value where that is free. New ones that
        overlap come into different groups: as few as possible.
    segments
        Numbers or names of those to take; all without it.
    on_top
        Those that win where segments overlap, the topmost first: all are laid flat then, and
        none overlaps.

    Raises
    ------
    GeometryError
        If it was made on other images; says why.
    InputError
        If segments overlap that are labels of one group already, or are laid flat and nothing
        says which one wins; or there is no such segment.
    """
    check_same_patient_space(mask, source)
    chosen = _chosen(mask.segments, segments) if segments else mask.segments
    above = [one.number for one in _chosen(mask.segments, on_top)]
    ranks = {number: len(above) - n for n, number in enumerate(above)}
    placed = mask.on(source.geometry, frozenset(one.number for one in chosen))
    overlaps = overlaps_of(placed.planes())
    open_ = {(a, b): n for (a, b), n in overlaps.items() if ranks.get(a, 0) == ranks.get(b, 0)}
    values, merged = _values(chosen, schema)
    known = {n: schema[v].group for n, v in values.items() if schema.get(v) is not None}
    flat = dict.fromkeys(values, 0) | known if on_top else known
    _check_apart(mask, {pair: n for pair, n in open_.items() if _together(pair, flat)}, on_top)
    groups = fewest_groups(list(values), open_, fixed=flat, known=schema.groups)
    for number, value in values.items():
        merged = merged.with_label(replace(merged[value], group=groups[number]))
    arrays = {
        group: painted(
            placed.planes(), source.geometry.shape,
            {number: value for number, value in values.items() if groups[number] == group},
            ranks=ranks,
        )
        for group in sorted(set(groups.values()))
    }  # fmt: skip
    notes = sorted({problem.code for problem in (*mask.problems, *placed.problems)})
    settings: dict[str, Any] = {
        "from": mask.kind,
        "made": {str(values[one.number]): one.algorithm for one in chosen if one.algorithm},
    }
    if notes:
        settings["notes"] = notes
    if overlaps:
        settings["on top"] = [values[number] for number in above if number in values]
    if any(groups.values()):
        settings["groups"] = {str(values[number]): group for number, group in groups.items()}
    canonical = {
        group: np.ascontiguousarray(source.axes.apply(labels)) for group, labels in arrays.items()
    }
    return BroughtIn(canonical, merged, settings)


def _together(pair: tuple[int, int], groups: Mapping[int, int]) -> bool:
    return all(one in groups for one in pair) and groups[pair[0]] == groups[pair[1]]


def _check_apart(
    mask: DicomLabels, overlaps: Mapping[tuple[int, int], int], on_top: Sequence[str]
) -> None:
    """Pass where no segments overlap that are to be in one group."""
    if not overlaps:
        return
    hint = (
        "name all of those on top, the topmost first, or none: they then come into groups"
        if on_top
        else "move one of them to another group, or name those on top (--on-top)"
    )
    raise InputError(f"segments overlap: {told(mask.segments, overlaps)}", hint)


def check_same_patient_space(mask: DicomLabels, source: Source) -> None:
    """Pass where positions of a mask and of an image mean the same.

    They do in one frame of reference, or where the mask names only instances of the image. An
    image that is not DICOM has neither, so that only the grids can be compared.

    Raises
    ------
    GeometryError
        If they do not.
    """
    mine = source.frame_of_reference_uid
    if not mine or not mask.frames_of_reference or mine in mask.frames_of_reference:
        return
    instances = {one.uid for one in source.instances}
    if mask.referenced and mask.referenced <= instances:
        return
    raise GeometryError(
        "the mask was made in another frame of reference, on other images",
        "choose the mask that was made on this image",
    )


def _chosen(segments: Sequence[Segment], wanted: Iterable[str]) -> tuple[Segment, ...]:
    """The segments that numbers or names name, in the order of the names."""
    found: dict[int, Segment] = {}
    for word in wanted:
        matches = [one for one in segments if str(one.number) == word.strip()]
        if not matches:
            name = word.strip().casefold()
            matches = [one for one in segments if one.label.strip().casefold() == name]
        if len(matches) != 1:
            count = "no segment" if not matches else "more than one segment"
            numbers = ", ".join(one.words for one in segments)
            raise InputError(f"there is {count} '{word}'", f"its segments are {numbers}")
        found[matches[0].number] = matches[0]
    return tuple(found.values())


def _values(segments: Sequence[Segment], schema: LabelSchema) -> tuple[dict[int, int], LabelSchema]:
    """The label value of each segment, and the schema with their labels."""
    values: dict[int, int] = {}
    for segment in segments:
        label = segment.as_label()
        known = _named(schema, label.name)
        if known is not None and known.value not in values.values():
            _check_same_meaning(known, label)
            values[segment.number] = known.value
            continue
        if schema.get(label.value) is not None:
            label = replace(label, value=schema.next_label().value)
        if label.value > HIGHEST_VALUE:
            raise InputError("there are more segments than label values")
        if known is not None:
            label = replace(label, name=schema.next_label(label.name).name)
        values[segment.number] = label.value
        schema = schema.with_label(label)
    return values, schema


def _named(schema: LabelSchema, name: str) -> Label | None:
    return next((one for one in schema if one.name.casefold() == name.casefold()), None)


def _check_same_meaning(known: Label, offered: Label) -> None:
    if known.code is None or offered.code is None:
        return
    same_scheme = known.code.scheme == offered.code.scheme
    if same_scheme and known.code.value != offered.code.value:
        raise InputError(
            f"label '{known.name}' has another code in the mask than in the case",
            "rename the segment in the case, then import the mask again",
        )
