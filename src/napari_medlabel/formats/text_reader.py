"""The voxels of an NRRD or MetaImage file as a volume."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.volume import FoundVolume, Instance, Source, Window
from napari_medlabel.errors import GeometryError
from napari_medlabel.formats.packed import Joined, Stretch, opened_stretch
from napari_medlabel.formats.text_header import TextHeader

__all__ = ["TextReader", "open_text", "voxels_of"]


def open_text(found: FoundVolume) -> "TextReader":
    """A volume of a file whose header was read, ready to be read.

    Raises
    ------
    GeometryError
        If it cannot be read as one regular grid.
    """
    header, number, voxels = found.parts
    if found.geometry is None or voxels is None:
        raise GeometryError("the file holds no volume of numbers", "see the problems of its scan")
    return TextReader(header, number, voxels, found)


class TextReader:
    """One volume of an NRRD or MetaImage file as a `VolumeReader`.

    Only what is asked for is held; of a packed file it is reached by unpacking what is before.
    """

    unit = "stored"

    def __init__(
        self, header: TextHeader, number: int, voxels: Stretch, found: FoundVolume
    ) -> None:
        assert found.geometry is not None  # noqa: S101  # open_text has looked
        grid, space_code = found.geometry, 1 if header.has_orientation else 0
        self.source = Source(header.format, grid, grid.canonical, space_code=space_code)
        self.modality = header.modality
        self.name = found.name
        self.problems = found.problems
        self.window: Window | None = None
        self._stored: np.dtype[Any] = np.dtype(header.stored)
        self.dtype: np.dtype[Any] = self._stored.newbyteorder("=")
        self._outer, self._place = divmod(number, header.inner)
        self._inner, self._skipped = header.inner, header.skipped
        self._bytes = voxels

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop` along the file's slowest axis, `[k, j, i]`.

        Raises
        ------
        InputError
            If the file is truncated, damaged or gone.
        """
        depth, rows, columns = self.source.geometry.shape
        start, stop = max(0, start), min(stop, depth)
        first = self._outer * depth + start
        count = max(0, stop - start)
        if self._inner == 1:
            flat = self._values(first, count)
            return flat.reshape(count, rows, columns).astype(self.dtype, copy=False)
        slices = []
        for n in range(count):  # one by one: all volumes of a slice lie together
            values = self._values(first + n, 1)[self._place :: self._inner]
            slices.append(values.reshape(rows, columns).astype(self.dtype))
        return np.stack(slices) if slices else np.empty((0, rows, columns), self.dtype)

    def hashes(self) -> tuple[Instance, ...]:
        """No instances: these formats have none."""
        return ()

    def close(self) -> None:
        """Nothing to let go of: files are only open while they are read."""

    def _values(self, first: int, count: int) -> npt.NDArray[Any]:
        _, rows, columns = self.source.geometry.shape
        size = rows * columns * self._inner * self._stored.itemsize
        data = self._bytes.read(self._skipped + first * size, count * size)
        return np.frombuffer(data, self._stored)


def voxels_of(header: TextHeader) -> Stretch | None:
    """The bytes of all volumes, None where they are no numbers."""
    if header.stored is None:
        return None
    each = header.bytes // len(header.files)
    parts = [
        opened_stretch(path, header.encoding, header.offset, header.skipped + each, header.stored)
        for path in header.files
    ]
    return parts[0] if len(parts) == 1 else Joined(parts, each)
