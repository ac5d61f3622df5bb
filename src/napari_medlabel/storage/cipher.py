"""A sealed record: one blob that opens only with its key, in its own place.

Who attacks: someone with the files and no key, who may alter, swap, repeat or cut records.
They learn sizes and times, no content. An altered or moved record does not open; a missing or
older one is found by whoever lists the records (a volume's manifest, the chain of a journal's
rows). Somebody who holds the key, or the memory of the running program, is outside of this.

Numbers are little-endian.

    0    4  magic b"MLSR"          8   12  nonce, random
    4    2  format, uint16 (1)    20    n  AES-256-GCM of the content, the 16 bytes of tag last
    6    2  key number, uint16 (0)

Associated data: bytes 0 to 7 of the record, then its place, which says what the record is.

Nonces are random, never derived: two equal ones under one key would reveal content. NIST
SP 800-38D 8.3 allows 2^32 random nonces for one key. Each case has a key of its own, and a case
of 600 slices is some 400 sealed objects; 100 years of strokes, one a second, stay below it.
"""

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from napari_medlabel.errors import IntegrityError

__all__ = ["KEY_BYTES", "TAG_BYTES", "Buffer", "Cipher", "new_key", "tag", "unwrap_key", "wrap_key"]

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
_FORMAT: Final = 1
_HEADER: Final = struct.pack("<4sHH", b"MLSR", _FORMAT, 0)
_NONCE_BYTES: Final = 12
_CONTENT: Final = len(_HEADER) + _NONCE_BYTES

Buffer = bytes | bytearray | memoryview


class Cipher:
    """Seals and opens under one key; may be used by several threads at once.

    Parameters
    ----------
    key
        32 random bytes: `new_key`.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._aead = AESGCM(key)

    def seal(self, plain: Buffer, place: bytes) -> bytes:
        """The content as a sealed record that opens at `place` only."""
        nonce = os.urandom(_NONCE_BYTES)
        return b"".join((_HEADER, nonce, self._aead.encrypt(nonce, plain, _HEADER + place)))

    def open(self, sealed: Buffer, place: bytes) -> bytes:
        """The content of a sealed record.

        Raises
        ------
        IntegrityError
            If it was altered, cut, sealed under another key or for another place. The words
            never hold content or place; the caller knows what it asked for.
        """
        view = memoryview(sealed)
        header = bytes(view[: len(_HEADER)])
        if len(view) < _CONTENT + TAG_BYTES or header[:4] != _HEADER[:4]:
            raise IntegrityError("this is not a sealed record, or it was cut")
        if header != _HEADER:
            found = struct.unpack_from("<H", header, 4)[0]
            raise IntegrityError(
                f"the sealed record has format {found}; this program knows {_FORMAT}",
                "if it was written by a newer version, update napari-medlabel",
            )
        nonce = bytes(view[len(_HEADER) : _CONTENT])
        try:
            return self._aead.decrypt(nonce, view[_CONTENT:], header + place)
        except InvalidTag:
            raise IntegrityError(
                "a sealed record does not open: it was altered or moved, or the key is another"
            ) from None


def tag(sealed: Buffer) -> bytes:
    """What tells this sealed record from every other, older ones of the same place too."""
    return bytes(memoryview(sealed)[-TAG_BYTES:])


def new_key() -> bytes:
    """A random key for `Cipher`."""
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def wrap_key(key: bytes, under: Cipher, place: bytes) -> bytes:
    """The key, sealed under another one."""
    return under.seal(key, place)


def unwrap_key(wrapped: Buffer, under: Cipher, place: bytes) -> bytes:
    """The key that `wrap_key` sealed.

    Raises
    ------
    IntegrityError
        If it does not open.
    """
    key = under.open(wrapped, place)
    if len(key) != KEY_BYTES:
        raise IntegrityError("a sealed key has the wrong length")
    return key
