"""An instance's slices: the frames of a multi-frame object, the tiles of a mosaic, or itself.

What differs from frame to frame is in functional groups (PS3.3 C.7.6.16): shared by all frames,
or one item for each. Objects without them may say where their frames are in other ways.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Any, Final, Literal

import numpy as np

from napari_medlabel.formats.dicom_elements import Values
from napari_medlabel.formats.dicom_geometry import normal_of
from napari_medlabel.formats.dicom_header import UNDEFINED, Header, HeaderError
from napari_medlabel.formats.dicom_instance import InstanceFacts, ValueMap
from napari_medlabel.formats.dicom_mosaic import tiles_of
from napari_medlabel.formats.dicom_pet import suv_of
from napari_medlabel.formats.dicom_sequence import Item, items_at
from napari_medlabel.formats.dicom_tags import Tag

__all__ = ["slices_of"]

MAX_FRAMES: Final = 1 << 20
_AXIAL: Final = 0.9999  # the cosine of slices that are not oblique
_FEW: Final = 4096  # frames whose description costs nothing
_LEAST_BYTES: Final = 48  # of a frame, with the head of what it is compressed with
_SEGMENTATIONS: Final = "1.2.840.10008.5.1.4.1.1.66."
_REAL_WORLD: Final = Tag.REAL_WORLD_VALUES
_POSITION_IN_STACK, _STACK, _TEMPORAL = 0x00209057, 0x00209056, 0x00209128
_DIMENSION_VALUES, _POINTER = 0x00209157, 0x00209165
_MAP_INTERCEPT, _MAP_SLOPE = 0x00409224, 0x00409225
_MAP_UNITS, _CODE = 0x004008EA, 0x00080100

# What FrameIncrementPointer names: FrameTime, FrameTimeVector; SliceVector, SpacingBetweenSlices.
_TIMES: Final = frozenset({0x00181063, 0x00181065})
_SLICES: Final = frozenset({0x00540080, Tag.SPACING_BETWEEN_SLICES})
_PRIVATE: Final = frozenset({0x2005140E, 0x2005140F})  # Philips: shared, and for each frame
_LEFT_OVER: Final = frozenset({0x00209170, 0x00209171})
# Functional groups, PS3.3 C.7.6.16.2 and following, and the makers' own.
_MACROS: Final = frozenset({
    0x00209111,  # frame content
    0x00209113, 0x00209116, 0x00289110,  # position, orientation, pixel measures
    0x00289145, 0x00289132,  # rescale, window
    0x00189114, 0x00189112, 0x00189115,  # MR echo, timing, modifiers
    0x00189117, 0x00189076,  # MR diffusion, its gradient
    0x00189118, 0x00209310,  # cardiac phase, temporal position
    0x00189226, 0x00189329, 0x00189751,  # frame type of MR, CT, PET
    0x00189314,  # CT reconstruction
    *_PRIVATE, *_LEFT_OVER,
})  # fmt: skip


def _text(tag: int) -> Callable[[Values], Any]:
    return lambda its: its.text(tag)


def _number(tag: int) -> Callable[[Values], Any]:
    return lambda its: its.number(tag)


def _double(tag: int) -> Callable[[Values], Any]:
    return lambda its: its.double(tag)


# Tag: the fact it is, and how it is read. Later ones win over earlier ones.
_FACTS: Final[Mapping[int, tuple[str, Callable[[Values], Any]]]] = {
    Tag.POSITION: ("position", lambda its: its.position()),
    Tag.ORIENTATION: ("orientation", lambda its: its.orientation()),
    Tag.PIXEL_SPACING: ("pixel_spacing", lambda its: its.pixel_spacing()),
    Tag.SLICE_THICKNESS: ("slice_thickness", _number(Tag.SLICE_THICKNESS)),
    Tag.SPACING_BETWEEN_SLICES: ("spacing_between_slices", _number(Tag.SPACING_BETWEEN_SLICES)),
    Tag.SLOPE: ("slope", _number(Tag.SLOPE)),
    Tag.INTERCEPT: ("intercept", _number(Tag.INTERCEPT)),
    Tag.RESCALE_TYPE: ("rescale_type", _text(Tag.RESCALE_TYPE)),
    Tag.WINDOW_WIDTH: ("window", lambda its: its.window()),
    Tag.ECHO_TIME: ("echo_time", _number(Tag.ECHO_TIME)),
    0x00189082: ("echo_time", _double(0x00189082)),
    Tag.REPETITION_TIME: ("repetition_time", _number(Tag.REPETITION_TIME)),
    Tag.FLIP_ANGLE: ("flip_angle", _number(Tag.FLIP_ANGLE)),
    Tag.INVERSION_TIME: ("inversion_time", _number(Tag.INVERSION_TIME)),
    0x00189079: ("inversion_time", _double(0x00189079)),
    Tag.TRIGGER_TIME: ("trigger_time", _number(Tag.TRIGGER_TIME)),
    0x00209153: ("trigger_time", _double(0x00209153)),
    Tag.B_VALUE: ("b_value", _double(Tag.B_VALUE)),
    Tag.GRADIENT: ("gradient", lambda its: its.binary(Tag.GRADIENT, "d", 3)),
    Tag.KERNEL: ("kernel", _text(Tag.KERNEL)),
    0x00080008: ("image_type", lambda its: its.pieces(0x00080008)),
    0x00089007: ("image_type", lambda its: its.pieces(0x00089007)),
    _STACK: ("stack", _text(_STACK)),
    _TEMPORAL: ("temporal_position", lambda its: float(its.whole(_TEMPORAL))),
    0x0020930D: ("frame_time", _double(0x0020930D)),
    0x00209156: ("acquisition", lambda its: float(its.whole(0x00209156))),
    Tag.SCALE_SLOPE_PHILIPS: ("private_scale", lambda its: its.private_scale()),
}

_LEAVES: Final = frozenset({
    *_FACTS, Tag.WINDOW_CENTER, Tag.SCALE_INTERCEPT_PHILIPS, _DIMENSION_VALUES,
    _MAP_INTERCEPT, _MAP_SLOPE, _CODE,
})  # fmt: skip
_WANTED: Final = _LEAVES | _MACROS | {_REAL_WORLD, _MAP_UNITS}


def slices_of(
    header: Header, file: IO[bytes], size: int, facts: InstanceFacts
) -> tuple[InstanceFacts, ...]:
    """The slices of an instance, as they are in its file.

    A segmentation is left as one: what its frames are is for its own reader.

    Parameters
    ----------
    header, facts
        What `read_header` and `facts_of` found.
    file, size
        The opened file.

    Raises
    ------
    HeaderError
        If what it says about its frames is damaged or contradicts itself.
    """
    if header.is_cut and header.pixels is None:
        raise HeaderError("the file ends inside its header")
    facts = _with_dose(header, _with_values(header, file, size, facts))
    if facts.sop_class.startswith(_SEGMENTATIONS) or facts.pixels is None:
        return (facts,)
    if facts.is_mosaic and facts.frames == 1:
        return tiles_of(header, file, size, facts)
    if facts.frames == 1 and not facts.is_enhanced:
        return (facts,)
    if not 1 <= facts.frames <= MAX_FRAMES:
        raise HeaderError("its number of frames makes no sense")
    _check_size(facts)
    groups = items_at(file, size, header, Tag.FRAME_GROUPS, _WANTED)
    shared = items_at(file, size, header, Tag.SHARED_GROUPS, _WANTED)
    if groups and len(groups) != facts.frames:
        raise HeaderError(f"it has {facts.frames} frames and describes {len(groups)}")
    order: Literal["little", "big"] = "little" if header.little else "big"
    base = replace(facts, **_changes(_flat(shared[:1]), order))
    if not groups:
        return tuple(_by_offsets(header, base))
    pointers = items_at(file, size, header, Tag.DIMENSIONS, frozenset({_POINTER}))
    dimensions = _told_apart_by(pointers, order)
    frames = tuple(
        replace(
            base,
            frame=n,
            instance_number=_numbered(base, n),
            dimensions=_dimension_values(flat, dimensions, order),
            **_changes(flat, order),
        )
        for n, flat in enumerate(_flat([group]) for group in groups)
    )
    if len({facts.stack for facts in frames}) == len(frames) > 1:
        return tuple(replace(one, stack="") for one in frames)  # numbered frames are no stacks
    return frames


def _with_values(header: Header, file: IO[bytes], size: int, facts: InstanceFacts) -> InstanceFacts:
    """The facts with what other quantities its values can be turned into."""
    changes: dict[str, Any] = {}
    if facts.modality == "PT":
        changes["suv"] = suv_of(header, file, size, facts)
    if _REAL_WORLD in header.values:
        items = items_at(file, size, header, _REAL_WORLD, _WANTED)
        order = "little" if header.little else "big"
        changes["real_world"] = _value_maps(items, order)
    return replace(facts, **changes) if changes else facts


def _with_dose(header: Header, facts: InstanceFacts) -> InstanceFacts:
    """A dose grid with its own scale in place of a slope: PS3.3 C.8.8.3."""
    its = Values(header.values, "little" if header.little else "big")
    scale = its.number(Tag.DOSE_SCALING)
    if facts.slope is not None or not scale:
        return facts
    unit = "Gy" if its.text(Tag.DOSE_UNITS) == "GY" else "relative"
    return replace(facts, slope=scale, intercept=0.0, unit=unit)


def _check_size(facts: InstanceFacts) -> None:
    """Hold the number of frames against the bytes that are there, before a list is made of them."""
    assert facts.pixels is not None  # noqa: S101  # checked by the caller
    is_native = facts.pixels.length != UNDEFINED
    there = facts.pixels.length if is_native else facts.pixels.stored
    least = facts.frame_bytes // 4 if is_native else 0  # a part of them may be cut off
    if facts.frames > _FEW and facts.frames * max(least, _LEAST_BYTES) > there:
        raise HeaderError(f"it claims {facts.frames} frames and has {there} bytes of pixels")


def _numbered(facts: InstanceFacts, frame: int) -> float | None:
    """A number that runs on from frame to frame and from instance to instance."""
    return (facts.instance_number or 0.0) * MAX_FRAMES + frame


# Functional groups


def _flat(items: Sequence[Item]) -> Item:
    """The wanted elements of all macros of a functional group, in one.

    Makers' own macros repeat elements of the standard with other meanings: only the makers' own
    count there. What was left over when single frames were converted yields to all else.
    """
    flat: Item = {}
    for item in items:
        for tag, value in item.items():
            if tag == _REAL_WORLD or not isinstance(value, list):
                flat[tag] = value
                continue
            inner = _flat(value[:1])
            if tag in _PRIVATE:
                inner = {t: raw for t, raw in inner.items() if t >> 16 & 1}
            elif tag in _LEFT_OVER:
                inner = {t: raw for t, raw in inner.items() if t not in flat}
            flat.update(inner)
    return flat


def _changes(flat: Item, order: Any) -> dict[str, Any]:  # noqa: ANN401  # Literal of Values
    """The facts that a functional group states."""
    its = Values({tag: raw for tag, raw in flat.items() if isinstance(raw, bytes)}, order)
    changes = {}
    for tag, (name, read) in _FACTS.items():
        if tag in its.values:
            value = read(its)
            if value is not None:
                changes[name] = value
    if _REAL_WORLD in flat and isinstance(flat[_REAL_WORLD], list):
        changes["real_world"] = _value_maps(flat[_REAL_WORLD], order)
    return changes


def _value_maps(items: Sequence[Item], order: Any) -> tuple[ValueMap, ...]:  # noqa: ANN401
    """Real world value mappings with a slope: PS3.3 C.7.6.16.2.11."""
    maps = []
    for item in items:
        its = Values({tag: raw for tag, raw in item.items() if isinstance(raw, bytes)}, order)
        slope, intercept = its.double(_MAP_SLOPE), its.double(_MAP_INTERCEPT)
        if slope is None or intercept is None or slope == 0:
            continue  # a lookup table: not offered
        units = item.get(_MAP_UNITS)
        code = units[0].get(_CODE) if isinstance(units, list) and units else None
        unit = Values({_CODE: code}, order).text(_CODE) if isinstance(code, bytes) else ""
        maps.append(ValueMap(unit, slope, intercept))
    return tuple(maps)


def _told_apart_by(dimensions: Sequence[Item], order: Literal["little", "big"]) -> tuple[int, ...]:
    """Which dimension indices are not about the place of a frame, nor about its time."""
    known = {_POSITION_IN_STACK, _STACK, _TEMPORAL, Tag.POSITION}
    pointers = [_tags(item.get(_POINTER, b""), order) for item in dimensions]
    return tuple(n for n, tags in enumerate(pointers) if tags and not tags <= known)


def _dimension_values(flat: Item, which: tuple[int, ...], order: Any) -> tuple[int, ...]:  # noqa: ANN401
    raw = flat.get(_DIMENSION_VALUES, b"")
    if not which or not isinstance(raw, bytes):
        return ()
    values = [int.from_bytes(raw[n : n + 4], order) for n in range(0, len(raw) // 4 * 4, 4)]
    return tuple(values[n] for n in which if n < len(values))


# Frames without functional groups


def _by_offsets(header: Header, base: InstanceFacts) -> Iterator[InstanceFacts]:
    """Frames that follow each other in space or time, as the header has it."""
    normal = normal_of(base.orientation) if base.orientation else None
    offsets, is_assumed = _offsets_mm(header, base, 0.0 if normal is None else float(normal[2]))
    is_time = len(offsets) > 1 and not any(offsets)
    for n in range(base.frames):
        position: tuple[float, ...] | None = None
        if normal is not None and base.position is not None and offsets:
            moved = np.asarray(base.position) + offsets[n] * normal
            position = (float(moved[0]), float(moved[1]), float(moved[2]))
        yield replace(
            base,
            frame=n,
            instance_number=_numbered(base, n),
            position=position,
            frame_time=float(n) if is_time else base.frame_time,
            is_place_assumed=is_assumed,
        )


def _offsets_mm(header: Header, base: InstanceFacts, upward: float) -> tuple[Sequence[float], bool]:
    """Heights of the frames above the first, and whether they are assumed; none if not known.

    `upward` is the normal's z. FrameIncrementPointer says what changes from frame to frame: PS3.3
    C.7.6.6.
    """
    its = Values(header.values, "little" if header.little else "big")
    pointers = _tags(its.raw(Tag.FRAME_POINTER), its.order)
    if base.frames == 1:
        return [0.0], False
    given = its.numbers(Tag.DOSE_GRID_OFFSETS, base.frames)
    if given is not None and pointers <= {Tag.DOSE_GRID_OFFSETS}:
        # With a first offset of 0 they are relative, else z itself, of axial slices: PS3.3
        # C.8.8.3.2.
        if given[0] == 0:
            return given, False
        sign = float(np.sign(upward)) if abs(upward) > _AXIAL else 0.0
        return ([sign * (z - given[0]) for z in given] if sign else ()), False
    if pointers and pointers <= _TIMES:
        return [0.0] * base.frames, False
    step = base.spacing_between_slices
    if pointers <= _SLICES and step is not None and step > 0:
        return [n * step for n in range(base.frames)], True
    return (), False


def _tags(raw: bytes, order: Literal["little", "big"]) -> set[int]:
    """The tags that an element of VR AT holds."""
    halves = [int.from_bytes(raw[n : n + 2], order) for n in range(0, len(raw) // 4 * 4, 2)]
    return {group << 16 | element for group, element in zip(halves[::2], halves[1::2], strict=True)}
