"""A DICOM series as voxels, slice by slice, straight from the files."""

import hashlib
import threading
import zipfile
import zlib
from io import BytesIO
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Instance, Series, Source, Window
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_files import Opener
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_pixels import (
    decode_frame,
    encapsulated_frame,
    is_lossy,
    is_native,
    native_frame,
    unpack_bits,
    value_range,
)

__all__ = ["DicomReader", "TooNarrow", "open_dicom"]

# What files that are gone, cut or damaged raise, and members of damaged archives.
_UNREADABLE: Final = (
    OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error, RuntimeError,
)  # fmt: skip
_TRAILING: Final = 1 << 24  # bytes after the pixels of a member: private elements, padding
_SMALL_SHIFT: Final = 8192  # HU are stored with an intercept of -1024, sometimes -8192

_UNITS: Final = frozenset(
    {"HU", "OD", "MGML", "BQML", "CNTS", "GML", "PROPCPS", "PCNT"}
)  # PS3.3 C.8.9.1


class TooNarrow(InputError):
    """A value does not fit the voxel type that the headers suggested: open with `wide=True`."""


def open_dicom(series: Series, volume: int = 0, *, wide: bool = False) -> "DicomReader":
    """Open one volume of a series that a scan found.

    Parameters
    ----------
    series
        As `scan_dicom` found it.
    volume
        Its place among `series.volumes`.
    wide
        Voxels that hold every value a header allows, after `read` has raised `TooNarrow`.

    Raises
    ------
    InputError
        If there is no such volume, or a problem keeps it from being one regular grid; the text
        is the problem's.
    """
    if not 0 <= volume < len(series.volumes):
        raise InputError(f"the series has {len(series.volumes)} volumes, none with this number")
    found = series.volumes[volume]
    for problem in found.problems:
        if problem.blocking:
            raise GeometryError(problem.what, problem.hint)
    if found.geometry is None:
        raise GeometryError("the slices are not one regular grid")
    problems = (*series.problems, *found.problems)
    parts, grid = found.parts, found.geometry
    reader = DicomReader(parts, grid, name=found.name, problems=problems, wide=wide)
    if wide or reader.dtype != np.int16 or not any(map(_has_wide_padding, parts)):
        return reader
    try:
        reader.read(0, 1)  # a declared padding is often not used; where it is, in every slice
    except TooNarrow:
        reader.close()
        return DicomReader(parts, grid, name=found.name, problems=problems, wide=True)
    except InputError:
        pass  # said when this slice is asked for
    return reader


class DicomReader:
    """One volume of single-frame instances: `napari_medlabel.core.volume.VolumeReader`.

    Values are stored x RescaleSlope + RescaleIntercept of each slice: int16 where slopes and
    intercepts are whole numbers and the range fits, else uint16, int32 or float32. CT with all
    16 bits in use and a small intercept is int16, too, since no HU needs more; `read` holds each
    value against that. Pixel padding is rescaled as any other value. MONOCHROME1 keeps its
    values: that low ones are shown bright is for the display to follow, `is_inverted` says so.

    Parameters
    ----------
    parts
        The instances in order of k.
    geometry
        Their grid.
    name
        What tells the volume from its siblings.
    problems
        What was found wrong with it.
    wide
        Never int16 by expectation only.
    """

    def __init__(
        self,
        parts: tuple[InstanceFacts, ...],
        geometry: Geometry,
        *,
        name: str = "",
        problems: tuple[Problem, ...] = (),
        wide: bool = False,
    ) -> None:
        first = parts[0]
        self._parts, self._opener = parts, Opener()
        self._hashes: dict[int, str] = {}
        self._lock = threading.Lock()
        self.dtype = _dtype_of(parts, wide=wide)
        self.modality = first.modality
        self.unit = _unit_of(first)
        self.name = name
        self.window = _window_of(parts)
        self.problems = problems
        self.is_inverted = first.photometric == "MONOCHROME1"
        self.source = Source(
            format="dicom",
            geometry=geometry,
            axes=geometry.canonical,
            study_uid=first.study_uid,
            series_uid=first.series_uid,
            frame_of_reference_uid=first.frame_of_reference_uid,
            instances=tuple(
                Instance(facts.sop_uid, k, frame=facts.frame) for k, facts in enumerate(parts)
            ),
            lossy=any(is_lossy(facts) for facts in parts),
            sop_class=first.sop_class,
        )

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along k of the source's own grid, `[k, j, i]`.

        Raises
        ------
        InputError
            If a slice cannot be read or decoded; says which, counted from 1. `TooNarrow` if it
            has a value that the voxel type cannot hold.
        """
        depth, rows, columns = self.source.geometry.shape
        if not 0 <= start <= stop <= depth:
            raise ValueError(f"slices {start} to {stop} of {depth}")
        slab = np.empty((stop - start, rows, columns), self.dtype)
        for k in range(start, stop):
            try:
                self._read_slice(k, slab[k - start])
            except TooNarrow:
                raise
            except InputError as error:
                raise InputError(f"slice {k + 1} cannot be read: {error.what}") from error
            except _UNREADABLE as error:
                hint = "look whether the files are still there"
                raise InputError(f"slice {k + 1} cannot be read", hint) from error
        return slab

    def hashes(self) -> tuple[Instance, ...]:
        """The instances with the SHA-256 of those slices' pixel data that were read.

        It is taken over the frame's bytes as they are in the file: uncompressed ones without
        what pads them to an even length, compressed ones with all fragments joined, deflated
        ones after inflating.
        """
        with self._lock:
            return tuple(
                Instance(facts.sop_uid, k, self._hashes.get(k, ""), facts.frame)
                for k, facts in enumerate(self._parts)
            )

    def close(self) -> None:
        """Let go of files."""
        self._opener.close()

    def _read_slice(self, k: int, out: npt.NDArray[Any]) -> None:
        facts = self._parts[k]
        file, size = self._opener.open(facts.place)
        if facts.place.member >= 0:
            file = _unpacked(file, size, facts)
        with file:
            read = self._read_native if is_native(facts) else self._read_compressed
            stored = read(k, file, size, out)
        if out.dtype == np.int16:
            _check_fits(k, stored, facts)
        _rescale(stored, facts, out)

    def _read_compressed(
        self, k: int, file: IO[bytes], size: int, _: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        data = encapsulated_frame(file, size, self._parts[k])
        self._note_hash(k, data)
        return decode_frame(data, self._parts[k])

    def _read_native(
        self, k: int, file: IO[bytes], size: int, out: npt.NDArray[Any]
    ) -> npt.NDArray[Any]:
        """Stored values; in the memory of `out` where they are as wide as a voxel."""
        facts = self._parts[k]
        unsigned = np.dtype(f"u{facts.bits_allocated // 8}")
        fits = unsigned.itemsize == out.itemsize and out.dtype.kind in "iu"
        raw = out.view(unsigned) if fits else np.empty(out.shape, unsigned)
        native_frame(file, size, facts, raw.data.cast("B"))
        self._note_hash(k, raw.data.cast("B"))
        if not facts.little:
            _swap_bytes(raw, words=facts.pixels is not None and facts.pixels.words)
        return unpack_bits(raw, facts)

    def _note_hash(self, k: int, data: bytes | memoryview) -> None:
        with self._lock:
            known = k in self._hashes
        if not known:
            digest = hashlib.sha256(data).hexdigest()
            with self._lock:
                self._hashes[k] = digest


def _unpacked(file: IO[bytes], size: int, facts: InstanceFacts) -> IO[bytes]:
    """An archive's member in memory, all of it, so that its checksum is compared."""
    assert facts.pixels is not None  # noqa: S101  # checked by the scan
    if size > facts.pixels.offset + 2 * facts.frame_bytes + _TRAILING:
        raise InputError("there is far more in its file than its pixels")
    with file:
        return BytesIO(file.read())


def _check_fits(k: int, stored: npt.NDArray[Any], facts: InstanceFacts) -> None:
    """Hold the slice's values against int16, where the header alone does not do so."""
    shift = int(facts.intercept or 0)
    low, high = _rescaled_range(facts)
    if low < -32768 and int(stored.min()) + shift < -32768:
        raise TooNarrow(f"slice {k + 1} has values below 16 bits")
    if high > 32767 and int(stored.max()) + shift > 32767:
        raise TooNarrow(f"slice {k + 1} has values beyond 16 bits")


def _rescale(stored: npt.NDArray[Any], facts: InstanceFacts, out: npt.NDArray[Any]) -> None:
    """Write stored x slope + intercept; `stored` may be the memory of `out`."""
    slope = 1.0 if facts.slope is None else facts.slope
    intercept = facts.intercept or 0.0
    if not np.may_share_memory(stored, out):
        np.copyto(out, stored, casting="unsafe")
    kind = out.dtype.type
    if slope != 1.0:
        np.multiply(out, kind(slope), out=out)
    if intercept != 0.0:
        np.add(out, kind(intercept), out=out)


def _swap_bytes(raw: npt.NDArray[Any], *, words: bool) -> None:
    """From big endian; single bytes in words (VR OW) are swapped in pairs: PS3.5 8.1.1."""
    if raw.itemsize > 1:
        raw.byteswap(inplace=True)
    elif words:
        even = raw.reshape(-1)[: raw.size // 2 * 2]
        even.view(np.uint16).byteswap(inplace=True)


def _dtype_of(parts: tuple[InstanceFacts, ...], *, wide: bool) -> np.dtype[Any]:
    """The smallest type that holds every value to expect; if `wide`, every possible one."""
    distinct = {_meaning(facts): facts for facts in parts}.values()
    if not all(_is_integral(facts) for facts in distinct):
        return np.dtype(np.float32)
    if not wide and all(_is_ct_of_16_bits(facts) for facts in distinct):
        return np.dtype(np.int16)
    ranges = [_rescaled_range(facts) for facts in distinct]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    for dtype in (np.int16, np.uint16, np.int32):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return np.dtype(dtype)
    return np.dtype(np.float64)


def _is_integral(facts: InstanceFacts) -> bool:
    return all(float(v).is_integer() for v in (facts.slope or 1.0, facts.intercept or 0.0))


def _is_ct_of_16_bits(facts: InstanceFacts) -> bool:
    """True for HU that use all bits of a stored value, shifted a little."""
    is_shifted = facts.slope in {None, 1.0} and abs(facts.intercept or 0.0) <= _SMALL_SHIFT
    return facts.modality == "CT" and facts.bits_stored <= 16 and is_shifted


def _has_wide_padding(facts: InstanceFacts) -> bool:
    """True where pixel padding, rescaled, does not fit int16."""
    return any(not -32768 <= v + (facts.intercept or 0.0) <= 32767 for v in facts.padding)


def _rescaled_range(facts: InstanceFacts) -> tuple[int, int]:
    slope = 1 if facts.slope is None else int(facts.slope)
    ends = [value * slope + int(facts.intercept or 0) for value in value_range(facts)]
    return min(ends), max(ends)


def _meaning(facts: InstanceFacts) -> tuple[object, ...]:
    return facts.slope, facts.intercept, facts.signed, facts.bits_stored


def _unit_of(facts: InstanceFacts) -> str:
    """What the numbers mean; a header's own word only where it is a known one."""
    if facts.modality == "CT" and facts.rescale_type in {"", "HU"}:
        return "HU"
    for word in (facts.rescale_type, facts.units):
        if word in _UNITS:
            return word
    return "stored" if facts.slope is None and facts.intercept is None else "rescaled"


def _window_of(parts: tuple[InstanceFacts, ...]) -> Window | None:
    window = parts[len(parts) // 2].window
    return None if window is None else Window(*window)
