"""The transfer syntaxes of compressed frames: PS3.5 annex A.4, PS3.6 table A-1."""

from typing import Final

__all__ = [
    "COMPRESSED",
    "HTJ2K",
    "JPEG",
    "JPEG_2000",
    "JPEG_LOSSLESS",
    "JPEG_LS",
    "LOSSLESS",
    "LOSSY",
    "PERHAPS_LOSSY",
    "RLE",
]

_ROOT: Final = "1.2.840.10008.1.2.4."


def _of(*ends: str) -> frozenset[str]:
    return frozenset(_ROOT + end for end in ends)


RLE: Final = "1.2.840.10008.1.2.5"
JPEG: Final = _of("50", "51", "53", "55")  # baseline, extended; 53 and 55 are retired
JPEG_LOSSLESS: Final = _of("57", "70")
JPEG_LS: Final = _of("80", "81")
JPEG_2000: Final = _of("90", "91")
HTJ2K: Final = _of("201", "202", "203")
COMPRESSED: Final = JPEG | JPEG_LOSSLESS | JPEG_LS | JPEG_2000 | HTJ2K | {RLE}

LOSSY: Final = JPEG | _of("81")
PERHAPS_LOSSY: Final = _of("91", "203")  # either way of compressing is allowed
LOSSLESS: Final = COMPRESSED - LOSSY - PERHAPS_LOSSY
