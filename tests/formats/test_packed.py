"""Bytes that are packed, read from any place in any order."""

import bz2
import gzip
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.errors import InputError
from napari_medlabel.formats.packed import Encoding, Joined, Stretch, opened_stretch


def packed(kind: str, data: bytes) -> bytes:
    ways: dict[str, Callable[[bytes], bytes]] = {
        "raw": bytes,
        "gzip": lambda d: gzip.compress(d[:100]) + gzip.compress(d[100:]) + bytes(5),
        "zlib": zlib.compress,
        "bzip2": bz2.compress,
        "hex": lambda d: d.hex(" ").encode("ascii"),
    }
    return ways[kind](data)


@pytest.mark.parametrize("kind", ["raw", "gzip", "zlib", "bzip2", "hex"])
@given(places=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), max_size=8))
def test_any_part_is_read_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, kind: Encoding, places: list[tuple[int, int]]
) -> None:
    data = np.random.default_rng(1).integers(0, 9, 3000, np.uint8).tobytes()
    path = tmp_path_factory.mktemp("packed") / "a"
    path.write_bytes(b"before" + packed(kind, data))
    stretch = opened_stretch(path, kind, 6, len(data), np.dtype("u1"))
    for start, count in places:
        if start + count <= len(data):
            assert stretch.read(start, count) == data[start : start + count]
        else:
            with pytest.raises(InputError):
                stretch.read(start, count)


def test_an_earlier_place_is_reached_without_beginning_anew(tmp_path: Path) -> None:
    data = np.random.default_rng(1).integers(0, 200, 40 << 20, np.uint8).tobytes()
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(data, 1))
    stretch = opened_stretch(path, "gzip", 0, len(data), np.dtype("u1"))
    assert stretch.read(len(data) - 100, 100) == data[-100:]
    size = path.stat().st_size
    with path.open("r+b") as file:  # what is before is not read again: it is gone
        file.write(bytes(size // 2))
    assert stretch.read(36 << 20, 1000) == data[36 << 20 : (36 << 20) + 1000]


def test_stretches_are_joined_without_a_seam(tmp_path: Path) -> None:
    parts: list[Stretch] = []
    for n in range(3):
        (tmp_path / str(n)).write_bytes(bytes([n] * 10))
        parts.append(opened_stretch(tmp_path / str(n), "raw", 0, 10, np.dtype("u1")))
    joined = Joined(parts, 10)
    assert joined.read(5, 20) == bytes([0] * 5 + [1] * 10 + [2] * 5)
    with pytest.raises(InputError):
        joined.read(25, 6)
