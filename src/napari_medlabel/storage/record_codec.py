"""A journal's record, and a state of labels, as bytes; what is sealed, without the seal.

Numbers are little-endian. The first byte is the kind of record.

    1  Did        then: uint32 low k j i, uint32 shape k j i; changed, before and after, each an
                  array; the facts, JSON in UTF-8, to the end: tool, settings, who, when, and
                  schema_before and schema_after where the schema changed
    2  Undid      then: uint64 number
    3  Redid      then: uint64 number
    4  LocksSet   then: uint16 label values, growing
    5  Did        as 1, with facts that programs before format 2 of the journal did not know and
                  must not pass over: annotations, a change of them
    6  Did        of labels in groups other than 0, with any of these facts; then: uint16 format,
                  1; uint16 edits; of each edit uint16 group and all that stands in kind 1 before
                  the facts; the facts

    An array:     uint8   bytes of one value: 1 or 2; 0 for the bits of `changed`, in C order,
                          the first voxel in the highest bit, zeros to a whole byte
                  uint8   1 where all values are equal: one of them follows; 0: zstd follows
                  uint32  values (not bytes)
                  uint32  bytes that follow

A state is a list of parts. The first is JSON: shape, type ("|u1", "<u2"), slices in a slab, schema,
locked, done, undone, annotations where there are any, and which slabs have a part; the others are
those slabs of the labels, as numcodecs' LZ4 writes them (uint32 size, one LZ4 block): zstd takes
15 times as long to open the long runs of an ordinary mask. Slabs without a voxel have no part.
Where other groups than 0 have voxels, it says `format` 2 (else none, which means 1) and under
`groups` the group, type and slabs of each; their parts follow those of group 0 in this order.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numcodecs import lz4, zstd

from napari_medlabel.core.annotation_set import AnnotationEdit, AnnotationSet
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.history import Did, LocksSet, Record, Redid, State, Step, Undid
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.errors import InputError, IntegrityError, MedlabelError

__all__ = ["decode", "decode_state", "encode", "encode_state", "encoder"]

_DID, _UNDID, _REDID, _LOCKS, _DID_MORE, _DID_IN_GROUPS = 1, 2, 3, 4, 5, 6
_GROUPS_FORMAT: Final = 1
_STATE_FORMAT: Final = 2
_GROUPS: Final = struct.Struct("<BHH")
_GROUP: Final = struct.Struct("<H")
_BOX: Final = struct.Struct("<6I")
_ARRAY: Final = struct.Struct("<BBII")
_STEP_NUMBER: Final = struct.Struct("<BQ")
_LEVEL: Final = 1  # of zstd
_SLAB: Final = 32
_TYPES: Final[dict[int, np.dtype[Any]]] = {1: np.dtype("u1"), 2: np.dtype("<u2")}


def encode(record: Record) -> bytes:
    """The record as bytes.

    Raises
    ------
    InputError
        If it holds what cannot be stored.
    """
    return encoder(record)()


def encoder(record: Record) -> Callable[[], bytes]:
    """What gives the record as bytes: it only has voxels left to compress, and does not fail.

    Raises
    ------
    InputError
        At once, if the record holds what cannot be stored.
    """
    try:
        match record:
            case Did(step):
                return partial(_joined, _heads(step), step.edits, _json(_facts(step)))
            case Undid(number):
                return partial(bytes, _STEP_NUMBER.pack(_UNDID, number))
            case Redid(number):
                return partial(bytes, _STEP_NUMBER.pack(_REDID, number))
            case LocksSet(locked):
                values = np.array(sorted(locked), "<u2")
                return partial(bytes, bytes([_LOCKS]) + values.tobytes())
    except (TypeError, ValueError, OverflowError, RecursionError, struct.error) as error:
        raise InputError(
            "this change cannot be stored",
            "its names and settings may hold text, numbers, lists and tables only",
        ) from error


def decode(data: bytes) -> Record:
    """The record that `encode` wrote.

    Raises
    ------
    IntegrityError
        If the bytes are not one.
    """
    kind = data[0] if data else 0
    if kind not in (_DID, _UNDID, _REDID, _LOCKS, _DID_MORE, _DID_IN_GROUPS):
        raise _unknown(f"is of kind {kind}")
    if kind == _DID_IN_GROUPS and data[1:3] != _GROUP.pack(_GROUPS_FORMAT):
        raise _unknown(f"is of another format of kind {kind}")
    try:
        if kind in {_DID, _DID_MORE, _DID_IN_GROUPS}:
            return Did(_decode_step(data))
        if kind == _LOCKS:
            return LocksSet(frozenset(np.frombuffer(data, "<u2", offset=1).tolist()))
        number = _STEP_NUMBER.unpack(data)[1]
        return Undid(number) if kind == _UNDID else Redid(number)
    except (
        ValueError, KeyError, IndexError, RuntimeError, struct.error, MedlabelError
    ) as error:  # fmt: skip
        raise IntegrityError("a record of the history is damaged") from error


def encode_state(state: State) -> list[bytes]:
    """The state as parts."""
    arrays = state.arrays
    filled = {group: _filled(array) for group, array in arrays.items()}
    head: dict[str, Any] = {
        "shape": state.labels.shape,
        "slab": _SLAB,
        **filled[0],
        "schema": state.schema.document(),
        "locked": sorted(state.locked),
        "done": state.done,
        "undone": state.undone,
    }
    if len(state.annotations):
        head["annotations"] = state.annotations.document()
    if len(arrays) > 1:
        head["format"] = _STATE_FORMAT
        head["groups"] = [{"group": group} | filled[group] for group in arrays if group]
    slabs = (arrays[group][k : k + _SLAB] for group in arrays for k in filled[group]["slabs"])
    return [_json(head), *map(_slab, slabs)]


def decode_state(parts: Sequence[bytes]) -> State:
    """The state that `encode_state` wrote.

    Raises
    ------
    IntegrityError
        If the parts are not one.
    """
    try:
        head: dict[str, Any] = json.loads(parts[0])
        if head.get("format", 1) <= _STATE_FORMAT:
            return _state(head, parts)
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError, MedlabelError) as error:
        raise IntegrityError("the state of the labels is damaged") from error
    raise _unknown(f"is a state of format {head['format']}")


def _state(head: Mapping[str, Any], parts: Sequence[bytes]) -> State:
    named: list[dict[str, Any]] = [{"group": 0, **head}, *head.get("groups", ())]
    if len(parts) != 1 + sum(len(one["slabs"]) for one in named):
        raise ValueError("slabs are missing")
    left = iter(parts[1:])
    arrays = {int(one["group"]): _unpacked(one, head, left) for one in named}
    return State(
        arrays.pop(0),
        LabelSchema.from_document(head["schema"]),
        frozenset(head["locked"]),
        list(head["done"]),
        list(head["undone"]),
        others=arrays,
        annotations=AnnotationSet.from_document(head.get("annotations", ())),
    )


def _unknown(what: str) -> IntegrityError:
    return IntegrityError(
        f"a record of the history {what}, which this program does not know",
        "if it was written by a newer version, update napari-medlabel",
    )


def _heads(step: Step) -> list[bytes]:
    """What stands before the arrays of each edit."""
    boxes = [_BOX.pack(*edit.low, *edit.changed.shape) for edit in step.edits]
    groups = [edit.group for edit in step.edits]
    if groups == [0]:
        kind = _DID if step.annotations is None else _DID_MORE
        return [bytes([kind]) + boxes[0]]
    heads = [_GROUP.pack(group) + box for group, box in zip(groups, boxes, strict=True)]
    heads[0] = _GROUPS.pack(_DID_IN_GROUPS, _GROUPS_FORMAT, len(groups)) + heads[0]
    return heads


def _facts(step: Step) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "tool": step.tool, "settings": step.settings, "who": step.who, "when": step.when,
    }  # fmt: skip
    if step.schema_before is not None and step.schema_after is not None:
        facts["schema_before"] = step.schema_before.document()
        facts["schema_after"] = step.schema_after.document()
    if step.annotations is not None:
        facts["annotations"] = step.annotations.document()
    return facts


def _joined(heads: Sequence[bytes], edits: Sequence[Edit], facts: bytes) -> bytes:
    parts: list[bytes] = []
    for head, edit in zip(heads, edits, strict=True):
        values = (_encode_values(edit.before), _encode_values(edit.after))
        parts += (head, _encode_bits(edit.changed), *values)
    return b"".join((*parts, facts))


def _decode_edits(data: bytes) -> tuple[list[Edit], int]:
    """The edits of a step, and where its facts begin."""
    if data[0] != _DID_IN_GROUPS:
        edit, at = _decode_edit(data, 1, 0)
        return [edit], at
    count = _GROUPS.unpack_from(data)[2]
    edits, at = list[Edit](), _GROUPS.size
    for _ in range(count):
        (group,) = _GROUP.unpack_from(data, at)
        edit, at = _decode_edit(data, at + _GROUP.size, group)
        edits.append(edit)
    return edits, at


def _decode_edit(data: bytes, at: int, group: int) -> tuple[Edit, int]:
    box = _BOX.unpack_from(data, at)
    low, shape = (box[0], box[1], box[2]), (box[3], box[4], box[5])
    changed, at = _decode_array(data, at + _BOX.size)
    before, at = _decode_array(data, at)
    after, at = _decode_array(data, at)
    return Edit(low, changed.reshape(shape), before, after, group), at


def _decode_step(data: bytes) -> Step:
    edits, at = _decode_edits(data)
    facts: dict[str, Any] = json.loads(data[at:])
    old, new = (
        LabelSchema.from_document(facts[key]) if key in facts else None
        for key in ("schema_before", "schema_after")
    )
    moved = facts.get("annotations")
    return Step(
        edits[0], facts["tool"], facts["settings"], facts["who"], facts["when"], old, new,
        more=tuple(edits[1:]),
        annotations=None if moved is None else AnnotationEdit.from_document(moved),
    )  # fmt: skip


def _encode_bits(changed: BoolArray) -> bytes:
    if changed.all():
        return _ARRAY.pack(0, 1, changed.size, 1) + b"\x01"
    squeezed = _squeeze(np.packbits(changed))
    return _ARRAY.pack(0, 0, changed.size, len(squeezed)) + squeezed


def _encode_values(values: LabelArray) -> bytes:
    plain = values.astype(values.dtype.newbyteorder("<"), copy=False)
    width = plain.dtype.itemsize
    if plain.size and plain.min() == plain.max():
        return _ARRAY.pack(width, 1, plain.size, width) + plain[:1].tobytes()
    squeezed = _squeeze(plain)
    return _ARRAY.pack(width, 0, plain.size, len(squeezed)) + squeezed


def _decode_array(data: bytes, at: int) -> tuple[npt.NDArray[Any], int]:
    width, constant, count, length = _ARRAY.unpack_from(data, at)
    start, end = at + _ARRAY.size, at + _ARRAY.size + length
    content = memoryview(data)[start:end]
    if len(content) != length:
        raise ValueError("the array is cut")
    if width == 0:
        if constant:
            return np.ones(count, bool), end
        bits = np.frombuffer(zstd.decompress(content), np.uint8)
        return np.unpackbits(bits, count=count).view(bool), end
    kind = _TYPES[width]
    if constant:
        return np.full(count, np.frombuffer(content, kind)[0], kind.newbyteorder("=")), end
    values = np.frombuffer(zstd.decompress(content), kind, count) if count else np.zeros(0, kind)
    return values.astype(kind.newbyteorder("=")), end


def _filled(labels: LabelArray) -> dict[str, Any]:
    """Of which type the labels are, and where slabs that have voxels begin."""
    starts = [k for k in range(0, len(labels), _SLAB) if labels[k : k + _SLAB].max(initial=0)]
    return {"type": labels.dtype.newbyteorder("<").str, "slabs": starts}


def _unpacked(one: Mapping[str, Any], head: Mapping[str, Any], parts: Iterator[bytes]) -> Any:  # noqa: ANN401
    """The labels of one group, from its own parts of those that are left."""
    labels = np.zeros(head["shape"], np.dtype(one["type"]))
    for k in one["slabs"]:
        lz4.decompress(next(parts), labels[k : k + head["slab"]])
    return labels.astype(labels.dtype.newbyteorder("="), copy=False)


def _slab(labels: LabelArray) -> bytes:
    plain = labels.astype(labels.dtype.newbyteorder("<"), copy=False)
    squeezed: bytes = lz4.compress(np.ascontiguousarray(plain))
    return squeezed


def _squeeze(array: npt.NDArray[Any]) -> bytes:
    if array.size == 0:
        return b""
    squeezed: bytes = zstd.compress(np.ascontiguousarray(array), _LEVEL)
    return squeezed


def _json(document: dict[str, Any]) -> bytes:
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
    )
    return text.encode()


def _plain(value: object) -> object:
    """A number of numpy's as Python's own.

    Raises
    ------
    TypeError
        If it is something else, which would not be read back as what it was.
    """
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} cannot be stored")
