"""A DICOM series as voxels, slice by slice, straight from the files."""

import hashlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.volume import Instance, Series, Source
from napari_medlabel.decoding.pool import Decode, Pool, shared_pool
from napari_medlabel.decoding.stored_bits import unpack_bits
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_header import HeaderError
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.dicom_pixels import decode_into, is_lossy, is_native
from napari_medlabel.formats.dicom_stored import UNREADABLE, StoredFrames
from napari_medlabel.formats.dicom_values import (
    TooNarrow,
    check_fits,
    has_wide_padding,
    rescale,
    unit_of,
    voxel_type,
    window_of,
)
from napari_medlabel.formats.recent import Recent
from napari_medlabel.formats.slabs_ahead import SlabsAhead

__all__ = ["DicomReader", "TooNarrow", "open_dicom"]

_THREADS: Final = min(4, os.cpu_count() or 1)
_FEW: Final = 4  # slices, for which threads are not worth their while
_PICTURES: Final = 1 << 26  # bytes of decoded pictures with several tiles; the newest anyway


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
    if wide or reader.dtype != np.int16 or not any(map(has_wide_padding, parts)):
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
    """One volume of DICOM instances: `napari_medlabel.core.volume.VolumeReader`.

    Each slice is an instance, a frame of one, or a tile of one's picture.

    Values are stored x RescaleSlope + RescaleIntercept of each slice: int16 where slopes and
    intercepts are whole numbers and the range fits, else uint16, int32 or float32. CT with all
    16 bits in use and a small intercept is int16, too, since no HU needs more; `read` holds each
    value against that. Pixel padding is rescaled as any other value. MONOCHROME1 keeps its
    values: that low ones are shown bright is for the display to follow, `is_inverted` says so.

    Parameters
    ----------
    parts
        The slices in order of k.
    geometry
        Their grid.
    name
        What tells the volume from its siblings.
    problems
        What was found wrong with it.
    wide
        Never int16 by expectation only.
    decoders
        The pool that decodes compressed slices, if not that of the whole process.
    """

    def __init__(  # noqa: PLR0913  # what a volume is
        self,
        parts: tuple[InstanceFacts, ...],
        geometry: Geometry,
        *,
        name: str = "",
        problems: tuple[Problem, ...] = (),
        wide: bool = False,
        decoders: Pool | None = None,
    ) -> None:
        first = parts[0]
        self._parts, self._frames = parts, StoredFrames()
        self._pictures: Recent[tuple[Place, int], _Picture] = Recent(_PICTURES, _bytes_of)
        self._hashes: dict[int, str] = {}
        self._lock = threading.Lock()
        self.dtype = voxel_type(parts, wide=wide)
        self.modality = first.modality
        self.unit = unit_of(first)
        self.name = name
        self.window = window_of(parts)
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
            inverted=self.is_inverted,
        )
        self._ahead: SlabsAhead | None = None
        if not all(map(is_native, parts)):
            pool = decoders or shared_pool()
            pool.warm(len(parts))
            self._ahead = SlabsAhead(geometry.shape, self.dtype, self._read_named, pool)

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
        if self._ahead is not None:
            return self._ahead.read(start, stop)
        slab = np.empty((stop - start, rows, columns), self.dtype)
        if stop - start <= _FEW:
            for k, out in zip(range(start, stop), slab, strict=True):
                self._read_named(k, out)
        else:  # several threads, since the digest of a frame takes longer than reading it
            with ThreadPoolExecutor(_THREADS) as threads:
                list(threads.map(self._read_named, range(start, stop), slab))
        return slab

    def hashes(self) -> tuple[Instance, ...]:
        """The instances with the SHA-256 of those slices' pixel data that were read.

        It is taken over the frame's bytes as they are in the file: uncompressed ones without
        what pads them to an even length, compressed ones with all fragments joined, deflated
        ones after inflating. Slices that are tiles of a picture have the picture's.
        """
        with self._lock:
            return tuple(
                Instance(facts.sop_uid, k, self._hashes.get(k, ""), facts.frame)
                for k, facts in enumerate(self._parts)
            )

    def close(self) -> None:
        """Let go of files; they open again when something is read."""
        if self._ahead is not None:
            self._ahead.close()
        self._frames.close()
        self._pictures.clear()

    def _read_named(self, k: int, out: npt.NDArray[Any], decode: Decode | None = None) -> None:
        """Fill `out` with a slice; errors say which."""
        try:
            self._read_slice(k, out, decode)
        except TooNarrow:
            raise
        except InputError as error:
            what = f"slice {k + 1} cannot be read: {error.what}"
            raise InputError(what, error.hint) from error
        except UNREADABLE as error:
            hint = "look whether the files are still there"
            raise InputError(f"slice {k + 1} cannot be read", hint) from error

    def _read_slice(self, k: int, out: npt.NDArray[Any], decode: Decode | None) -> None:
        facts = self._parts[k]
        if facts.tile is None:
            stored, digest = self._read_picture(facts, out, decode, is_hashed=self._is_hashed(k))
        else:
            key = (facts.place, facts.frame)
            picture, digest = self._pictures.get(key, lambda: self._read_all_tiles(facts, decode))
            top, left = facts.tile.top, facts.tile.left
            stored = picture[top : top + facts.rows, left : left + facts.columns]
        if stored.shape != out.shape:
            raise HeaderError("it is larger than the picture that it is a part of")
        self._note_hash(k, digest)
        if out.dtype == np.int16:
            check_fits(k, stored, facts)
        rescale(stored, facts, out)

    def _read_all_tiles(self, facts: InstanceFacts, decode: Decode | None) -> "_Picture":
        out = np.empty(facts.frame_shape, f"u{facts.bits_allocated // 8}")
        return self._read_picture(facts, out, decode, is_hashed=False)

    def _read_picture(
        self, facts: InstanceFacts, out: npt.NDArray[Any], decode: Decode | None, *, is_hashed: bool
    ) -> "_Picture":
        """A whole frame; in the memory of `out` where stored values are as wide as a voxel."""
        if is_native(facts):
            return self._read_native(facts, out, is_hashed=is_hashed)
        assert decode is not None  # noqa: S101  # compressed slices are read on the pool's threads
        data = self._frames.read_compressed(facts)
        digest = "" if is_hashed else _sha256(data)
        return _Picture(decode_into(decode, data, facts, out), digest)

    def _read_native(
        self, facts: InstanceFacts, out: npt.NDArray[Any], *, is_hashed: bool
    ) -> "_Picture":
        unsigned = np.dtype(f"u{facts.bits_allocated // 8}")
        fits = unsigned.itemsize == out.itemsize and out.dtype.kind in "iu"
        raw = out.view(unsigned) if fits else np.empty(out.shape, unsigned)
        self._frames.read_native(facts, raw.data.cast("B"))
        digest = "" if is_hashed else _sha256(raw.data.cast("B"))
        if not facts.little:
            _swap_bytes(raw, words=facts.pixels is not None and facts.pixels.words)
        return _Picture(unpack_bits(raw, facts), digest)

    def _is_hashed(self, k: int) -> bool:
        with self._lock:
            return k in self._hashes

    def _note_hash(self, k: int, digest: str) -> None:
        with self._lock:
            self._hashes.setdefault(k, digest)


class _Picture(NamedTuple):
    """Stored values, `[row, column]`, and the digest of the bytes they were made of, or ""."""

    stored: npt.NDArray[Any]
    sha256: str


def _bytes_of(picture: _Picture) -> int:
    return picture.stored.nbytes


def _sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _swap_bytes(raw: npt.NDArray[Any], *, words: bool) -> None:
    """From big endian; single bytes in words (VR OW) are swapped in pairs: PS3.5 8.1.1."""
    if raw.itemsize > 1:
        raw.byteswap(inplace=True)
    elif words:
        even = raw.reshape(-1)[: raw.size // 2 * 2]
        even.view(np.uint16).byteswap(inplace=True)
