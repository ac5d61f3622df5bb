"""A DICOM series as voxels, slice by slice, straight from the files."""

import hashlib
import threading
from typing import Any

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

__all__ = ["DicomReader", "open_dicom"]

_UNITS = frozenset({"HU", "OD", "MGML", "BQML", "CNTS", "GML", "PROPCPS", "PCNT"})  # PS3.3 C.8.9.1


def open_dicom(series: Series, volume: int = 0) -> "DicomReader":
    """Open one volume of a series that a scan found.

    Parameters
    ----------
    series
        As `scan_dicom` found it.
    volume
        Its place among `series.volumes`.

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
    return DicomReader(found.parts, found.geometry, name=found.name, problems=series.all_problems())


class DicomReader:
    """One volume of single-frame instances: `napari_medlabel.core.volume.VolumeReader`.

    Values are stored x RescaleSlope + RescaleIntercept of each slice: int16 where slopes and
    intercepts are whole numbers and the range fits, else uint16, int32 or float32. Pixel padding
    is rescaled as any other value. MONOCHROME1 keeps its values, too: that low ones are shown
    bright is for the display to follow, `is_inverted` says so.

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
    """

    def __init__(
        self,
        parts: tuple[InstanceFacts, ...],
        geometry: Geometry,
        *,
        name: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        first = parts[0]
        self._parts, self._opener = parts, Opener()
        self._hashes: dict[int, str] = {}
        self._lock = threading.Lock()
        self.dtype = _dtype_of(parts)
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
            instances=tuple(Instance(facts.sop_uid, k) for k, facts in enumerate(parts)),
            lossy=any(is_lossy(facts) for facts in parts),
        )

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along k of the source's own grid, `[k, j, i]`.

        Raises
        ------
        InputError
            If a slice cannot be read or decoded; says which, counted from 1.
        """
        depth, rows, columns = self.source.geometry.shape
        if not 0 <= start <= stop <= depth:
            raise ValueError(f"slices {start} to {stop} of {depth}")
        slab = np.empty((stop - start, rows, columns), self.dtype)
        for k in range(start, stop):
            try:
                self._read_slice(k, slab[k - start])
            except InputError as error:
                raise InputError(f"slice {k + 1} cannot be read: {error.what}") from error
            except (OSError, ValueError, EOFError, MemoryError) as error:
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
                Instance(facts.sop_uid, k, self._hashes.get(k, ""))
                for k, facts in enumerate(self._parts)
            )

    def close(self) -> None:
        """Let go of files."""
        self._opener.close()

    def _read_slice(self, k: int, out: npt.NDArray[Any]) -> None:
        facts = self._parts[k]
        file, size = self._opener.open(facts.place)
        with file:
            if not is_native(facts):
                data = encapsulated_frame(file, size, facts)
                self._note_hash(k, data)
                stored = decode_frame(data, facts)
            else:
                # Where a stored value is as wide as a voxel, the file is read into the slab.
                same = facts.bits_allocated == out.itemsize * 8 and out.dtype.kind in "iu"
                unsigned = np.dtype(f"u{facts.bits_allocated // 8}")
                raw = out.view(unsigned) if same else np.empty(out.shape, unsigned)
                flat = raw.data.cast("B")
                native_frame(file, size, facts, flat)
                self._note_hash(k, flat)
                if not facts.little:
                    _swap_bytes(raw, words=facts.pixels is not None and facts.pixels.words)
                stored = unpack_bits(raw, facts)
        _rescale(stored, facts, out)

    def _note_hash(self, k: int, data: bytes | memoryview) -> None:
        with self._lock:
            known = k in self._hashes
        if not known:
            digest = hashlib.sha256(data).hexdigest()
            with self._lock:
                self._hashes[k] = digest


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


def _dtype_of(parts: tuple[InstanceFacts, ...]) -> np.dtype[Any]:
    """The smallest type that holds every value the headers allow."""
    lows, highs = [], []
    for facts in {_meaning(facts): facts for facts in parts}.values():
        slope = 1.0 if facts.slope is None else facts.slope
        intercept = facts.intercept or 0.0
        if not (slope.is_integer() and intercept.is_integer()):
            return np.dtype(np.float32)
        ends = [value * int(slope) + int(intercept) for value in value_range(facts)]
        lows.append(min(ends))
        highs.append(max(ends))
    for dtype in (np.int16, np.uint16, np.int32):
        limits = np.iinfo(dtype)
        if limits.min <= min(lows) and max(highs) <= limits.max:
            return np.dtype(dtype)
    return np.dtype(np.float64)


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
