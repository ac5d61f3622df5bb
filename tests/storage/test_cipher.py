import os
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import IntegrityError
from napari_medlabel.storage.cipher import Cipher, new_key, tag, unwrap_key, wrap_key

KEY = bytes(range(32))
CIPHER = Cipher(KEY)
places = st.binary(max_size=40)


@given(st.binary(max_size=300), places)
def test_a_sealed_record_opens_at_its_place(plain: bytes, place: bytes) -> None:
    assert CIPHER.open(CIPHER.seal(plain, place), place) == plain


@given(st.binary(max_size=300), places, places)
def test_a_sealed_record_opens_nowhere_else(plain: bytes, place: bytes, other: bytes) -> None:
    sealed = CIPHER.seal(plain, place)
    for cipher, where in ((CIPHER, other), (Cipher(new_key()), place)):
        if (cipher, where) != (CIPHER, place):
            with pytest.raises(IntegrityError):
                cipher.open(sealed, where)


@given(st.binary(max_size=60), st.data())
def test_a_flipped_bit_is_an_error(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal(plain, b"here"))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(IntegrityError):
        CIPHER.open(sealed, b"here")


@given(st.binary(max_size=60), st.data())
def test_a_cut_record_is_an_error(plain: bytes, data: st.DataObject) -> None:
    sealed = CIPHER.seal(plain, b"here")
    with pytest.raises(IntegrityError):
        CIPHER.open(sealed[: data.draw(st.integers(0, len(sealed) - 1))], b"here")


def test_the_same_content_is_never_sealed_the_same() -> None:
    first, second = CIPHER.seal(b"stroke", b"here"), CIPHER.seal(b"stroke", b"here")
    assert first != second
    assert tag(first) != tag(second)


def test_an_error_shows_no_content_and_survives_pickling() -> None:
    sealed = bytearray(CIPHER.seal(b"a secret", b"a secret place"))
    sealed[-1] ^= 1
    with pytest.raises(IntegrityError) as caught:
        CIPHER.open(sealed, b"a secret place")
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert "secret" not in f"{caught.value!r}{again!r}{again.hint}"
    assert caught.value.__cause__ is None


def test_a_newer_format_says_so() -> None:
    sealed = bytearray(CIPHER.seal(b"", b""))
    sealed[4] = 7
    with pytest.raises(IntegrityError, match="format 7"):
        CIPHER.open(sealed, b"")


def test_a_wrapped_key_opens_where_it_was_wrapped() -> None:
    key = new_key()
    wrapped = wrap_key(key, CIPHER, b"case 1")
    assert unwrap_key(wrapped, CIPHER, b"case 1") == key
    assert key not in wrapped
    with pytest.raises(IntegrityError):
        unwrap_key(wrapped, CIPHER, b"case 2")
    with pytest.raises(IntegrityError):
        unwrap_key(CIPHER.seal(b"short", b"case 1"), CIPHER, b"case 1")


def test_large_content_is_taken_without_a_copy_to_bytes() -> None:
    plain = bytearray(os.urandom(1 << 20))
    assert CIPHER.open(memoryview(CIPHER.seal(memoryview(plain), b"")), b"") == plain
