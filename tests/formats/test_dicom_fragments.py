"""Which fragments are which frame: by either table, by their number, by where codestreams begin."""

import io
import struct
from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_fragments import frame_table
from napari_medlabel.formats.dicom_header import UNDEFINED, HeaderError, PixelPlace

BEGINS = [
    b"\xff\xd8\xff\xc3",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cjP  \r\n\x87\n",
    struct.pack("<16I", 2, 64, 80, *[0] * 13),
]


def item(value: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def offsets_of(frames: Sequence[Sequence[bytes]]) -> list[int]:
    """Of each frame's first item, from the first one's."""
    sizes = [sum(8 + len(piece) for piece in frame) for frame in frames]
    return [0, *accumulate(sizes)][:-1]


def lengths_of(frames: Sequence[Sequence[bytes]]) -> list[int]:
    return [sum(map(len, frame)) for frame in frames]


def stored(
    frames: Sequence[Sequence[bytes]],
    basic: Sequence[int] = (),
    extended: tuple[Sequence[int], Sequence[int]] | None = None,
    *,
    total: bool = False,
    before: bytes = bytes(200),
) -> tuple[bytes, PixelPlace]:
    """The end of a file, with the tables as asked for."""
    data = before
    if extended is not None:
        for tag, numbers in zip((0x7FE00001, 0x7FE00002), extended, strict=True):
            data += element(tag, b"OV", struct.pack(f"<{len(numbers)}Q", *numbers))
    if total:
        data += element(0x7FE00003, b"UV", struct.pack("<Q", sum(lengths_of(frames))))
    data += struct.pack("<HH2s2xI", 0x7FE0, 0x10, b"OB", UNDEFINED)
    offset = len(data)
    data += item(struct.pack(f"<{len(basic)}I", *basic))
    data += b"".join(item(piece) for frame in frames for piece in frame)
    return data + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), PixelPlace(offset, UNDEFINED)


def read(made: tuple[bytes, PixelPlace], count: int) -> list[bytes]:
    """Each frame, its fragments joined."""
    data, pixels = made
    table = frame_table(io.BytesIO(data), len(data), pixels, count)
    return [b"".join(data[at : at + size] for at, size in frame) for frame in table]


def joined(frames: Sequence[Sequence[bytes]]) -> list[bytes]:
    return [b"".join(frame) for frame in frames]


# No piece but a frame's first begins as a codestream does: the letters are none of their bytes.
pieces = st.text("abcdef", min_size=1, max_size=70).map(lambda text: text.encode() + b"z")
frame = st.builds(
    lambda begin, rest: [begin + rest[0], *rest[1:]],
    st.sampled_from(BEGINS),
    st.lists(pieces, min_size=1, max_size=4),
)
some_frames = st.lists(frame, min_size=1, max_size=6)


@given(frames=some_frames, basic=st.booleans(), extended=st.booleans(), total=st.booleans())
def test_frames_come_back_whatever_tables_there_are(
    frames: list[list[bytes]], *, basic: bool, extended: bool, total: bool
) -> None:
    made = stored(
        frames,
        offsets_of(frames) if basic else (),
        (offsets_of(frames), lengths_of(frames)) if extended else None,
        total=total,
    )
    assert read(made, len(frames)) == joined(frames)


numbers = st.one_of(st.integers(0, 200), st.integers(0, 2**32 - 1))


@given(some_frames, st.data())
def test_a_wrong_table_changes_nothing(frames: list[list[bytes]], data: st.DataObject) -> None:
    wrong = st.lists(numbers, min_size=len(frames), max_size=len(frames))
    basic, offsets, lengths = (data.draw(wrong) for _ in range(3))
    made = stored(frames, basic, (offsets, lengths))
    assert read(made, len(frames)) == joined(frames)


@given(some_frames, st.integers(0, 400), st.integers(0, 255))
@example([[BEGINS[0]], [BEGINS[0]]], 0, 0)
def test_one_wrong_byte_gives_frames_or_an_error_of_ours(
    frames: list[list[bytes]], at: int, value: int
) -> None:
    data, pixels = stored(frames, offsets_of(frames))
    changed = bytearray(data)
    changed[min(pixels.offset + at, len(data) - 1)] = value
    try:
        found = read((bytes(changed), pixels), len(frames))
    except InputError:
        return
    assert len(found) == len(frames)


@given(some_frames)
def test_a_table_counts_where_codestreams_begin_in_an_unknown_way(
    frames: list[list[bytes]],
) -> None:
    plain = [[b"x" + piece for piece in frame] for frame in frames]
    assert read(stored(plain, offsets_of(plain)), len(plain)) == joined(plain)
    extended = offsets_of(plain), [length - 1 for length in lengths_of(plain)]  # made even
    assert read(stored(plain, (), extended), len(plain)) == joined(plain)


def test_one_fragment_for_each_frame_needs_no_table() -> None:
    frames = [[b"one"], [b"two"], [b"three"]]
    assert read(stored(frames), 3) == [b"one", b"two", b"three"]


def test_a_single_frame_is_all_fragments_joined_whatever_the_table_says() -> None:
    frames = [[b"a", b"b", b"\xff\xd8\xff", b""]]
    assert read(stored(frames, [77]), 1) == [b"ab\xff\xd8\xff"]


def test_a_table_that_splits_frames_elsewhere_than_codestreams_begin_is_not_believed() -> None:
    frames = [[BEGINS[0], b"more"], [BEGINS[0], b"end"]]
    shifted = [0, 8 + len(BEGINS[0])]  # an item, but the second piece of the first frame
    assert read(stored(frames, shifted), 2) == joined(frames)


@given(some_frames, st.integers(2, 9))
def test_fragments_that_nothing_assigns_are_refused(frames: list[list[bytes]], more: int) -> None:
    count = len(frames) + more
    pieces_in_all = sum(map(len, frames))
    assume(pieces_in_all != count)
    with pytest.raises(HeaderError, match=f"of {count} frames|for {count} frames"):
        read(stored(frames), count)


@pytest.mark.parametrize("count", [-1, 0, 10**9])
def test_an_absurd_number_of_frames_is_refused(count: int) -> None:
    with pytest.raises(HeaderError, match="3 fragments for"):
        read(stored([[b"a"], [b"b"], [b"c"]]), count)


def test_a_file_that_begins_with_its_pixels_has_no_extended_table() -> None:
    frames = [[BEGINS[1]], [BEGINS[1], b"rest"]]
    assert read(stored(frames, before=b""), 2) == joined(frames)


def test_pixel_data_without_fragments_is_refused() -> None:
    with pytest.raises(HeaderError, match="0 fragments for 1 frame"):
        read(stored([]), 1)
