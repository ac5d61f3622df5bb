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

    An array:     uint8   bytes of one value: 1 or 2; 0 for the bits of `changed`, in C order,
                          the first voxel in the highest bit, zeros to a whole byte
                  uint8   1 where all values are equal: one of them follows; 0: zstd follows
                  uint32  values (not bytes)
                  uint32  bytes that follow

A state is a list of parts. The first is JSON: shape, type ("|u1", "<u2"), slices in a slab, schema,
locked, done, undone, annotations where there are any, and which slabs have a part; the others are
those slabs of the labels, as numcodecs' LZ4 writes them (uint32 size, one LZ4 block): zstd takes
15 times as long to open the long runs of an ordinary mask. Slabs without a voxel have no part.
"""

import json
import struct
from collections.abc import Callable, Sequence
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

_DID, _UNDID, _REDID, _LOCKS, _DID_MORE = 1, 2, 3, 4, 5
_BOX: Final = struct.Struct("<B6I")
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
                return partial(_joined, _box(step), step.edit, _json(_facts(step)))
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
    if kind not in (_DID, _UNDID, _REDID, _LOCKS, _DID_MORE):
        raise IntegrityError(
            f"a record of the history is of kind {kind}, which this program does not know",
            "if it was written by a newer version, update napari-medlabel",
        )
    try:
        if kind in {_DID, _DID_MORE}:
            return Did(_decode_step(data))
        if kind == _LOCKS:
            return LocksSet(frozenset(np.frombuffer(data, "<u2", offset=1).tolist()))
        number = _STEP_NUMBER.unpack(data)[1]
        return Undid(number) if kind == _UNDID else Redid(number)
    except (ValueError, KeyError, RuntimeError, struct.error, MedlabelError) as error:
        raise IntegrityError("a record of the history is damaged") from error


def encode_state(state: State) -> list[bytes]:
    """The state as parts."""
    labels = state.labels
    starts = [k for k in range(0, len(labels), _SLAB) if labels[k : k + _SLAB].max(initial=0)]
    head = {
        "shape": labels.shape,
        "type": labels.dtype.newbyteorder("<").str,
        "slab": _SLAB,
        "slabs": starts,
        "schema": state.schema.document(),
        "locked": sorted(state.locked),
        "done": state.done,
        "undone": state.undone,
    }
    if len(state.annotations):
        head["annotations"] = state.annotations.document()
    return [_json(head), *(_slab(labels[k : k + _SLAB]) for k in starts)]


def decode_state(parts: Sequence[bytes]) -> State:
    """The state that `encode_state` wrote.

    Raises
    ------
    IntegrityError
        If the parts are not one.
    """
    try:
        head: dict[str, Any] = json.loads(parts[0])
        labels: LabelArray = np.zeros(head["shape"], np.dtype(head["type"]))
        for k, part in zip(head["slabs"], parts[1:], strict=True):
            lz4.decompress(part, labels[k : k + head["slab"]])
        native: Any = labels.astype(labels.dtype.newbyteorder("="), copy=False)
        return State(
            native,
            LabelSchema.from_document(head["schema"]),
            frozenset(head["locked"]),
            list(head["done"]),
            list(head["undone"]),
            annotations=AnnotationSet.from_document(head.get("annotations", ())),
        )
    except (ValueError, KeyError, IndexError, TypeError, RuntimeError, MedlabelError) as error:
        raise IntegrityError("the state of the labels is damaged") from error


def _box(step: Step) -> bytes:
    kind = _DID if step.annotations is None else _DID_MORE
    return _BOX.pack(kind, *step.edit.low, *step.edit.changed.shape)


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


def _joined(box: bytes, edit: Edit, facts: bytes) -> bytes:
    arrays = (_encode_bits(edit.changed), _encode_values(edit.before), _encode_values(edit.after))
    return b"".join((box, *arrays, facts))


def _decode_step(data: bytes) -> Step:
    _, *box = _BOX.unpack_from(data)
    low, shape = (box[0], box[1], box[2]), (box[3], box[4], box[5])
    changed, at = _decode_array(data, _BOX.size)
    before, at = _decode_array(data, at)
    after, at = _decode_array(data, at)
    facts: dict[str, Any] = json.loads(data[at:])
    old, new = (
        LabelSchema.from_document(facts[key]) if key in facts else None
        for key in ("schema_before", "schema_after")
    )
    edit = Edit(low, changed.reshape(shape), before, after)
    moved = facts.get("annotations")
    return Step(
        edit, facts["tool"], facts["settings"], facts["who"], facts["when"], old, new,
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
