"""Every compressed transfer syntax, against the values that went in; damaged and hostile bytes."""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_medlabel.decoding.codecs import decode
from napari_medlabel.decoding.codestream import Claim, claim_of
from napari_medlabel.decoding.frame import Frame, Outcome, Undecodable
from napari_medlabel.decoding.pool import Pool
from napari_medlabel.decoding.process import FrameLost
from napari_medlabel.decoding.syntaxes import COMPRESSED, LOSSLESS, LOSSY, PERHAPS_LOSSY, RLE

Array = npt.NDArray[Any]
JPEG = "1.2.840.10008.1.2.4."


def frame_for(stored: Array, syntax: str, bits: int = 16, **changes: Any) -> Frame:  # noqa: ANN401
    rows, columns = stored.shape
    allocated = stored.itemsize * 8
    facts = {"bits_stored": bits, "high_bit": bits - 1, "signed": stored.dtype.kind == "i"}
    return Frame(syntax, rows, columns, **({"bits_allocated": allocated} | facts | changes))


def soft(shape: tuple[int, int] = (48, 40), top: int = 4000) -> Array:
    """A picture as tissue is: smooth, with a little noise."""
    j, i = np.mgrid[0 : shape[0], 0 : shape[1]]
    noise = np.random.default_rng(7).integers(0, 9, shape)
    return (np.sin(j / 9) * np.cos(i / 7) * 0.4 * top + 0.5 * top + noise).astype(np.uint16)


def run_lengths(stored: Array, extra: bytes = b"") -> bytes:
    """PS3.5 annex G: one segment for each byte, high byte first."""
    octets = stored.astype(f">u{stored.itemsize}").view(np.uint8).reshape(*stored.shape, -1)
    planes = np.moveaxis(octets, -1, 0)
    segments = [
        b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in plane) for plane in planes
    ]
    even = [segment + bytes(len(segment) % 2) for segment in segments]
    starts = [64 + sum(map(len, even[:n])) for n in range(len(even))]
    head = struct.pack("<16I", len(even), *starts, *[0] * (15 - len(even)))
    return head + b"".join(even) + extra


LOSSLESS_WAYS: dict[str, Callable[[Array], bytes]] = {
    JPEG + "57": lambda a: imagecodecs.jpeg8_encode(a, lossless=True, predictor=4),
    JPEG + "70": lambda a: imagecodecs.ljpeg_encode(a, bitspersample=16),
    JPEG + "80": imagecodecs.jpegls_encode,
    JPEG + "81": imagecodecs.jpegls_encode,
    JPEG + "90": lambda a: imagecodecs.jpeg2k_encode(a, codecformat="j2k", reversible=True),
    JPEG + "91": lambda a: imagecodecs.jpeg2k_encode(a, codecformat="jp2", reversible=True),
    JPEG + "201": lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    JPEG + "202": lambda a: imagecodecs.htj2k_encode(a, reversible=True, resolutions=3),
    JPEG + "203": lambda a: imagecodecs.htj2k_encode(a, reversible=True),
    RLE: run_lengths,
}


@pytest.mark.parametrize("syntax", LOSSLESS_WAYS)
@pytest.mark.parametrize("bits", [12, 16])
def test_lossless_frames_give_back_every_value(syntax: str, bits: int) -> None:
    stored = soft(top=(1 << bits) - 10)
    data = bytes(LOSSLESS_WAYS[syntax](stored))
    decoded = decode(data, frame_for(stored, syntax, bits))
    assert decoded.dtype == np.uint16
    np.testing.assert_array_equal(decoded, stored)


@pytest.mark.parametrize("syntax", sorted(set(LOSSLESS_WAYS) - {JPEG + "57"}))
def test_single_bytes_come_back_too(syntax: str) -> None:
    stored = soft(top=250).astype(np.uint8)
    if syntax == JPEG + "70":
        data = bytes(imagecodecs.ljpeg_encode(stored, bitspersample=8))
    else:
        data = bytes(LOSSLESS_WAYS[syntax](stored))
    np.testing.assert_array_equal(decode(data, frame_for(stored, syntax, 8)), stored)


@pytest.mark.parametrize("syntax", sorted(set(LOSSLESS_WAYS) - {JPEG + "57"}))
def test_signed_values_keep_their_sign(syntax: str) -> None:
    stored = (soft().astype(np.int32) - 2000).astype(np.int16)
    knows_sign = syntax in {JPEG + end for end in ("90", "91", "201", "202", "203")}
    data = bytes(LOSSLESS_WAYS[syntax](stored if knows_sign else stored.view(np.uint16)))
    decoded = decode(data, frame_for(stored, syntax))
    assert decoded.dtype == np.int16
    np.testing.assert_array_equal(decoded, stored)


@given(arrays(np.uint16, (16, 17)), st.sampled_from([RLE, JPEG + "80", JPEG + "70", JPEG + "57"]))
def test_any_values_come_back(stored: Array, syntax: str) -> None:
    data = bytes(LOSSLESS_WAYS[syntax](stored))
    np.testing.assert_array_equal(decode(data, frame_for(stored, syntax)), stored)


@pytest.mark.parametrize(
    ("syntax", "data", "bits", "near"),
    [
        (
            JPEG + "50",
            lambda a: imagecodecs.jpeg8_encode((a >> 4).astype(np.uint8), level=95),
            8,
            6,
        ),
        (JPEG + "51", lambda a: imagecodecs.jpeg8_encode(a, level=95, bitspersample=12), 12, 60),
        (JPEG + "81", lambda a: imagecodecs.jpegls_encode(a, level=3), 16, 3),
        (JPEG + "91", lambda a: imagecodecs.jpeg2k_encode(a, codecformat="j2k", level=85), 16, 30),
        (JPEG + "203", lambda a: imagecodecs.htj2k_encode(a, level=0.0005), 16, 90),
    ],
)
def test_lossy_frames_are_near_what_went_in(
    syntax: str, data: Callable[[Array], bytes], bits: int, near: int
) -> None:
    stored = soft()
    expected = (stored >> 4 if bits == 8 else stored).astype(int)
    shape = expected.astype(np.uint8 if bits == 8 else np.uint16)
    decoded = decode(bytes(data(stored)), frame_for(shape, syntax, bits))
    assert decoded.dtype == shape.dtype
    assert 0 < np.abs(decoded - expected).max() <= near


def test_lossy_values_that_overshoot_stop_at_the_limit_of_the_header() -> None:
    stored = np.where(soft() > 2000, 4095, 0).astype(np.uint16)
    data = bytes(imagecodecs.jpeg2k_encode(stored, codecformat="j2k", level=35))
    raw = imagecodecs.jpeg2k_decode(data)
    assert raw.max() > 4095
    decoded = decode(data, frame_for(stored, JPEG + "91", 12))
    np.testing.assert_array_equal(decoded, np.clip(raw, 0, 4095))


@pytest.mark.parametrize("syntax", [RLE, JPEG + "80", JPEG + "70", JPEG + "90"])
def test_rubbish_in_unused_bits_of_lossless_frames_is_dropped(syntax: str) -> None:
    stored = soft()
    rubbish = stored | 0xA000
    decoded = decode(bytes(LOSSLESS_WAYS[syntax](rubbish)), frame_for(stored, syntax, 12))
    np.testing.assert_array_equal(decoded, stored)


def test_values_at_the_top_of_their_pixels_are_brought_down_once() -> None:
    stored = soft()
    shifted = decode(run_lengths(stored << 4), frame_for(stored, RLE, 12, high_bit=15))
    np.testing.assert_array_equal(shifted, stored)
    narrow = bytes(imagecodecs.ljpeg_encode(stored, bitspersample=12))
    down = decode(narrow, frame_for(stored, JPEG + "70", 12, high_bit=15))
    np.testing.assert_array_equal(down, stored)


def test_a_lossless_jpeg_that_one_library_does_not_take_goes_to_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = soft()
    data = bytes(imagecodecs.ljpeg_encode(stored, bitspersample=16))

    def refuse(_: bytes) -> Array:
        raise imagecodecs.Jpeg8Error("jpeg8_decode", "no")

    monkeypatch.setattr(imagecodecs, "jpeg8_decode", refuse)
    np.testing.assert_array_equal(decode(data, frame_for(stored, JPEG + "70")), stored)


ALL_WAYS: dict[str, Callable[[Array], bytes]] = {
    **LOSSLESS_WAYS,
    JPEG + "51": lambda a: imagecodecs.jpeg8_encode(a, level=90, bitspersample=12),
}


@pytest.mark.parametrize("syntax", ALL_WAYS)
@pytest.mark.parametrize("left", [0, 1, 30, 200, 0.3, 0.7, 0.98])
def test_a_frame_that_was_cut_is_refused(syntax: str, left: float) -> None:
    stored = soft((64, 64))
    data = bytes(ALL_WAYS[syntax](stored)).rstrip(b"\0")
    cut = data[: int(left * len(data)) if 0 < left < 1 else int(left)]
    with pytest.raises(Undecodable) as refusal:
        decode(cut, frame_for(stored, syntax, 12 if syntax == JPEG + "51" else 16))
    assert "compressed image" in refusal.value.outcome.words or "run" in refusal.value.outcome.words


@pytest.mark.parametrize("syntax", ALL_WAYS)
def test_bytes_after_the_end_do_no_harm(syntax: str) -> None:
    stored = soft()
    data = bytes(ALL_WAYS[syntax](stored))
    bits = 12 if syntax == JPEG + "51" else 16
    plain, longer = (decode(one, frame_for(stored, syntax, bits)) for one in (data, data + b"\0"))
    np.testing.assert_array_equal(plain, longer)


@pytest.mark.parametrize("syntax", sorted(set(ALL_WAYS) - {RLE}))
def test_a_picture_of_another_size_is_refused_before_it_is_decoded(syntax: str) -> None:
    data = bytes(ALL_WAYS[syntax](soft((64, 32))))
    with pytest.raises(Undecodable) as refusal:
        decode(data, frame_for(soft((32, 64)), syntax))
    assert refusal.value.outcome is Outcome.OTHER_SIZE


def test_colours_are_refused() -> None:
    data = bytes(imagecodecs.jpeg8_encode(np.zeros((8, 8, 3), np.uint8)))
    with pytest.raises(Undecodable):
        decode(data, frame_for(np.zeros((8, 8), np.uint8), JPEG + "50", 8))


def test_an_unknown_syntax_is_refused() -> None:
    with pytest.raises(Undecodable) as refusal:
        decode(b"", frame_for(soft(), "1.2.3"))
    assert refusal.value.outcome is Outcome.UNKNOWN_SYNTAX


def test_every_syntax_is_lossless_lossy_or_either() -> None:
    assert LOSSLESS | LOSSY | PERHAPS_LOSSY == COMPRESSED
    assert not LOSSLESS & LOSSY
    assert {JPEG + end for end in ("70", "80", "90", "201", "202")} < LOSSLESS
    assert JPEG + "81" in LOSSY


@given(st.binary(max_size=200))
def test_any_bytes_claim_something_or_nothing(data: bytes) -> None:
    for begin in (b"", b"\xff\xd8\xff\xc0", b"\xff\xd8\xff\xe0\0\2", b"\xff\x4f\xff\x51"):
        claim = claim_of(begin + data)
        assert claim is None or isinstance(claim, Claim)


@given(
    st.builds(
        Frame,
        st.sampled_from(sorted(COMPRESSED)) | st.text("0123456789.", max_size=64),
        *[st.integers(0, 2**32 - 1)] * 2,
        *[st.integers(0, 255)] * 3,
        st.booleans(),
    )
)
def test_a_frame_comes_back_from_its_bytes(frame: Frame) -> None:
    assert len(frame.packed()) == Frame.PACKED
    assert Frame.unpacked(frame.packed()) == frame


@pytest.fixture(scope="module")
def workers() -> Iterator[Pool]:
    """Real decoders, under their limits: what follows may end one."""
    pool = Pool(2)
    yield pool
    pool.close()


@given(data=st.data())
def test_damaged_frames_are_decoded_or_refused_by_a_worker(
    workers: Pool, data: st.DataObject
) -> None:
    syntax = data.draw(st.sampled_from(sorted(ALL_WAYS)))
    stored = soft((32, 24))
    frame = frame_for(stored, syntax, 12)
    damaged = bytearray(ALL_WAYS[syntax](stored))
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    out = np.zeros(stored.shape, np.uint16)
    (future,) = workers.submit([lambda decode: decode(frame, bytes(damaged), out.data.cast("B"))])
    try:
        future.result()
    except FrameLost as error:
        assert "image" in error.what or "run lengths" in error.what or "decoder" in error.what  # noqa: PT017
    else:
        assert out.max() < 1 << 12
