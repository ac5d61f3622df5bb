"""Files that were damaged on purpose, and the process in which they are opened.

A case is a sample and a seed, and the two always give the same bytes. Every case is opened as a
person would: scanned, then read. What must come out is a volume or an error of ours; a traceback,
a warning, a crash, a hang or memory that the file's bytes do not explain is a finding.

Cases run in a process of their own, whose address space is limited and which is killed when one
of them takes far too long: the process that watches is never at risk.
"""

import faulthandler
import gzip
import json
import math
import multiprocessing
import os
import random
import re
import resource
import shutil
import struct
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np

from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError, MedlabelError
from napari_medlabel.formats import open_reader, scan
from napari_medlabel.formats.dicom_rtstruct import read_structures

__all__ = ["Finding", "Sample", "check", "findings", "mutated", "samples_below"]

HANG_S: Final = 60.0  # of one case; they take some milliseconds
_SPARE_BYTES: Final = 3 << 30  # of address space, for the codecs' own
_PLAIN_BYTES: Final = 80 << 20  # what any case may allocate: slabs and tables
_SWELL: Final = 2200  # twice what deflate makes of a byte
Opening = Callable[[Path, int], None]
_SECRETS: Final = ("secret", "geheim")
_NUMBERS: Final = re.compile(rb"-?\d+(?:\.\d+)?")
_ODD_NUMBERS: Final = (
    b"0", b"-1", b"nan", b"inf", b"-inf", b"1e308", b"1e-320", b"30000", b"99999999999", b"",
    b"4294967296", b"9223372036854775807", b"18446744073709551616", b"1" * 400, b"0x10", b"1.5",
)  # fmt: skip
_ODD_LENGTHS: Final = (
    0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000,
    0xFFFFFFFE, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A good file, and the files that lie beside it.

    `packed` says how it can be unpacked, damaged inside and packed again: "gzip" for all of it,
    "deflate" for what follows its header.
    """

    name: str
    data: bytes
    beside: dict[str, bytes] = field(default_factory=dict)
    packed: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A case that did not end as it must."""

    sample: str
    seed: int
    what: str


# How files are damaged


def mutated(sample: Sample, seed: int, others: Sequence[bytes] = ()) -> bytes:
    """The sample's bytes, damaged in one to four ways."""
    rng = random.Random(f"{sample.name} {seed}")  # noqa: S311  # no secret
    if sample.packed == "gzip" and rng.random() < 0.5:
        return gzip.compress(_damaged(gzip.decompress(sample.data), rng, others), 1, mtime=0)
    return _damaged(sample.data, rng, others)


def _damaged(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(_WAYS)(data, rng)
        if others and rng.random() < 0.05:
            data = _spliced(data, rng, rng.choice(others))
    return data


def _flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        if changed:
            changed[_place(rng, len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replaced(data: bytes, rng: random.Random) -> bytes:
    at, count = _place(rng, len(data)), rng.choice((1, 2, 4, 16, 64))
    return data[:at] + rng.randbytes(count) + data[at + count :]


def _cut_off(data: bytes, rng: random.Random) -> bytes:
    return data[: _place(rng, len(data) + 1)]


def _cut_out(data: bytes, rng: random.Random) -> bytes:
    at = _place(rng, len(data))
    return data[:at] + data[at + rng.choice((1, 2, 4, 8, 100, 1000)) :]


def _twice(data: bytes, rng: random.Random) -> bytes:
    at, count = _place(rng, len(data)), rng.choice((2, 8, 20, 128, 1024))
    return data[:at] + data[at : at + count] * rng.choice((2, 3, 50)) + data[at + count :]


def _blank(data: bytes, rng: random.Random) -> bytes:
    at, count = _place(rng, len(data)), rng.choice((1, 4, 16, 256, 4096))
    return data[:at] + rng.choice((b"\0", b"\xff", b" "))[:1] * count + data[at + count :]


def _other_length(data: bytes, rng: random.Random) -> bytes:
    form = rng.choice(("<H", ">H", "<I", ">I", "<Q", "<h"))
    at, size = _place(rng, len(data)), struct.calcsize(form)
    value = rng.choice(_ODD_LENGTHS) & (0x7FFF if form == "<h" else (1 << 8 * size) - 1)
    return data[:at] + struct.pack(form, value) + data[at + size :]


def _other_float(data: bytes, rng: random.Random) -> bytes:
    at, form = _place(rng, len(data)), rng.choice(("<f", ">f", "<d"))
    value = rng.choice((0.0, -1.0, math.nan, math.inf, -math.inf, 1e38, 1e-40))
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


def _other_number(data: bytes, rng: random.Random) -> bytes:
    """Another number, where the file has one as text."""
    found = [*_NUMBERS.finditer(data[:4096])]
    if not found:
        return _flipped(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(_ODD_NUMBERS) + data[one.end() :]


def _spliced(data: bytes, rng: random.Random, other: bytes) -> bytes:
    return data[: _place(rng, len(data))] + other[_place(rng, len(other)) :]


def _place(rng: random.Random, size: int) -> int:
    """A place in the file, most often in the header."""
    high = rng.choice((200, 400, 1200, 4000, size))
    return rng.randrange(max(1, min(size, high)))


_WAYS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _flipped, _flipped, _replaced, _cut_off, _cut_out, _twice, _blank,
    _other_length, _other_length, _other_float, _other_number, _other_number,
)  # fmt: skip


# How they are opened


def check(path: Path, size: int) -> None:
    """Open a file as a person would.

    Raises
    ------
    AssertionError
        If a law is broken; whatever else is raised is a finding, too.
    """
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    try:
        found = scan(path)
    except MedlabelError as error:
        _check_words(error.what, error.hint)
        found = None
    if found is not None:
        for one in found.skipped:
            _check_words(one.why)
        json.dumps(found.document())
        for series in found.series[:4]:
            _check_series(series)
    peak = tracemalloc.get_traced_memory()[1] - before
    allowed = _PLAIN_BYTES + _SWELL * size
    assert peak <= allowed, f"{peak >> 20} MiB for a file of {size} bytes"
    _check_contours(path)


def _check_contours(path: Path) -> None:
    """Contours are no volume; they are read by the file's own name."""
    if path.is_file():
        try:
            read_structures(path)
        except MedlabelError as error:
            _check_words(error.what, error.hint)


def _check_series(series: Series) -> None:
    for problem in series.all_problems():
        _check_words(problem.what, problem.hint)
    for number, volume in enumerate(series.volumes[:3]):
        if volume.geometry is not None and volume.usable:
            assert np.isfinite(volume.geometry.lps_from_kji).all(), "a place that is no number"
        try:
            reader = open_reader(series, number)
        except MedlabelError as error:
            _check_words(error.what, error.hint)
            continue
        depth, rows, columns = reader.source.geometry.shape
        try:
            for start, stop in ((0, min(2, depth)), (depth - 1, depth)):
                slab = reader.read(start, stop)
                assert slab.shape == (stop - start, rows, columns), "a slab of another shape"
                assert slab.dtype == reader.dtype, "a slab of another type"
        except InputError as error:
            _check_words(error.what, error.hint)
        finally:
            reader.close()


def _check_words(*texts: str) -> None:
    """One line, and nothing of the header that identifies."""
    for text in texts:
        assert text.isprintable(), "an error of more than one line"
        assert not any(secret in text.lower() for secret in _SECRETS), "an error that tells"


# The process in which that is done


def findings(
    samples: Sequence[Sample],
    cases: Iterable[tuple[int, int]],
    folder: Path,
    *,
    opening: Opening | None = None,
    hang_s: float = HANG_S,
) -> Iterator[Finding | None]:
    """Run cases, each the number of a sample and a seed; None for each that is as it must be.

    Parameters
    ----------
    samples
        Good files.
    cases
        Which to damage, and how.
    folder
        Empty; the case that is being opened lies in it.
    opening
        What is done with a file of so many bytes: `check`.
    hang_s
        After how many seconds a case is taken for a hang.
    """
    left = list(cases)
    while left:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        work = context.Process(
            target=_work, args=(samples, left, folder, theirs, opening or check, hang_s)
        )
        work.start()
        theirs.close()
        done = 0
        try:
            while done < len(left):
                yield _finding(samples, left[done], ours.recv())
                done += 1
        except EOFError:  # it is dead: the case it was at has killed it
            work.join()
            text = (folder / "stacks").read_text("utf-8", "replace").strip()
            kind = "a hang" if "Timeout" in text else f"a crash, exit {work.exitcode}"
            shutil.rmtree(folder / "case", ignore_errors=True)
            yield _finding(samples, left[done], f"{kind}\n{text}")
            done += 1
        finally:
            if work.is_alive() and done < len(left):
                work.kill()
            work.join()
            ours.close()
        left = left[done:]


def _finding(samples: Sequence[Sample], case: tuple[int, int], what: str) -> Finding | None:
    return Finding(samples[case[0]].name, case[1], what) if what else None


def _work(  # noqa: PLR0913, PLR0917  # one process, all of its task
    samples: Sequence[Sample],
    cases: Sequence[tuple[int, int]],
    folder: Path,
    told: Connection,
    opening: Opening,
    hang_s: float,
) -> None:
    """Open the cases one by one; tell for each what was wrong, or an empty text."""
    size = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + _SPARE_BYTES, size + _SPARE_BYTES))
    warnings.simplefilter("error")
    tracemalloc.start()
    others = [one.data for one in samples]
    with (folder / "stacks").open("w", encoding="utf-8") as stacks:
        faulthandler.enable(stacks)
        for number, seed in cases:
            stacks.truncate(0)
            faulthandler.dump_traceback_later(hang_s, exit=True, file=stacks)
            try:
                told.send(_run(opening, samples[number], seed, others, folder))
            finally:
                faulthandler.cancel_dump_traceback_later()
    told.close()


def _run(opening: Opening, sample: Sample, seed: int, others: Sequence[bytes], folder: Path) -> str:
    """What is wrong with how a case is opened."""
    data = mutated(sample, seed, others)
    place = folder / "case"
    place.mkdir()
    try:
        path = place / Path(sample.name).name
        path.write_bytes(data)
        for name, content in sample.beside.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        # in its folder each fourth time: there its neighbours must open all the same
        opening(path if seed % 4 or path.suffix == ".zip" else place, _weight(sample, data))
    except Exception as error:  # noqa: BLE001  # every kind is a finding
        return _told(error)
    finally:
        shutil.rmtree(place)
    return ""


def _weight(sample: Sample, data: bytes) -> int:
    return len(data) + sum(map(len, sample.beside.values()))


def _told(error: BaseException) -> str:
    """The error with the last places it came through."""
    lines = [f"{type(error).__name__}: {error}"]
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        lines.append(f"  {Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return "\n".join(lines[:1] + lines[-8:])


# Files to damage that are not made here


def samples_below(folder: Path, most_bytes: int = 1 << 20) -> list[Sample]:
    """Every file of a folder that is small enough, in order of name, with its `.img` or `.hdr`."""
    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not 0 < path.stat().st_size <= most_bytes:
            continue
        beside = {
            other.name: other.read_bytes()
            for other in (path.with_suffix(".img"), path.with_suffix(".hdr"))
            if other != path and other.is_file() and other.stat().st_size <= most_bytes
        }
        data = path.read_bytes()
        packed = "gzip" if data.startswith(b"\x1f\x8b") and _inflates(data) else ""
        found.append(Sample(os.fspath(path.relative_to(folder)), data, beside, packed))
    return found


def _inflates(data: bytes) -> bool:
    try:
        gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return False
    return True
