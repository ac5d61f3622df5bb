"""Where the frames of a DICOM segmentation are: on their own grid, or on that of an image.

Only positions say where a frame belongs; numbers and the order of frames decide nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_geometry import OFF_MM, SAME_MM
from napari_medlabel.formats.dicom_seg import DicomSeg, SegFrame
from napari_medlabel.formats.dicom_seg_pixels import SegPixels
from napari_medlabel.formats.label_planes import Patch

__all__ = ["PlacedFrames", "own_grid"]

# A slice of an image may be this far off its even grid, and a frame this far from its slice.
_REACH_MM: Final = OFF_MM + SAME_MM
_SAME_DIRECTION: Final = 1e-4
_SPARSE: Final = 4  # as many slices as frames: more are mostly empty, and are limited
_MOST_VOXELS: Final = 1 << 30
_MOST_SLICES: Final = 1 << 14


def own_grid(seg: DicomSeg) -> Geometry:
    """The regular grid of a segmentation's own frames, `[k, j, i]`; k along their normal.

    Slices between frames that are left out are counted by the spacing that the header states,
    where that fits, else by the smallest step between frames.

    Raises
    ------
    GeometryError
        If its frames are no parallel, evenly spaced slices; says why.
    """
    first = seg.frames[0]
    if any(not _alike(frame, first) for frame in seg.frames):
        raise GeometryError(
            "its frames differ in orientation or spacing",
            "import it into the case of the images that it was made on",
        )
    across, down = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    normal = np.cross(across, down)
    normal /= np.linalg.norm(normal)
    positions = _distinct(np.array([frame.position for frame in seg.frames]), normal)
    step, count = _step(positions, normal, seg)
    facts = seg.facts
    is_sparse = count > _SPARSE * len(positions)
    is_huge = count > _MOST_SLICES or count * facts.rows * facts.columns > _MOST_VOXELS
    if is_sparse and is_huge:
        raise GeometryError(f"its {len(positions)} slices lie in a stack of {count}")
    matrix = np.eye(4)
    matrix[:3, 0] = step
    matrix[:3, 1] = down * first.pixel_mm[0]
    matrix[:3, 2] = across * first.pixel_mm[1]
    matrix[:3, 3] = positions[0]
    return Geometry((count, facts.rows, facts.columns), matrix)


class PlacedFrames:
    """A segmentation's frames on a grid, each where its position says.

    A frame may lie along any two axes of the grid, either way round, and may be smaller than a
    slice.

    Parameters
    ----------
    seg, pixels
        The segmentation, and what reads its frames.
    geometry
        The grid.
    numbers
        Segments to place; all without it.

    Raises
    ------
    GeometryError
        If a frame does not lie on the grid; says how far off it is.
    InputError
        If two frames hold one segment in one place.
    """

    def __init__(
        self,
        seg: DicomSeg,
        pixels: SegPixels,
        geometry: Geometry,
        numbers: frozenset[int] | None = None,
    ) -> None:
        self._pixels, self._geometry, self._numbers = pixels, geometry, numbers
        self._planes: dict[tuple[int, int], list[tuple[SegFrame, _Placing]]] = defaultdict(list)
        snap = _Snap(geometry, (seg.facts.rows, seg.facts.columns))
        for frame in seg.frames:
            if numbers is None or frame.segment == 0 or frame.segment in numbers:
                placing = snap.placing(frame)
                self._planes[placing.plane].append((frame, placing))
        for (_, index), members in self._planes.items():
            _check_once([frame for frame, _ in members], index)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Nothing: what does not lie on the grid is refused."""
        return ()

    def planes(self) -> Iterator[Sequence[Patch]]:
        """All planes, in order.

        Raises
        ------
        InputError
            If a frame cannot be read, or has voxels of a segment outside of the grid.
        """
        return (self._patches(key) for key in sorted(self._planes))

    def shared(self) -> Iterator[Sequence[Patch]]:
        """The planes that hold frames of several segments; only there two can overlap."""
        return (
            self._patches(key)
            for key, members in sorted(self._planes.items())
            if len({frame.segment for frame, _ in members}) > 1
        )

    def slices(self, start: int, stop: int) -> Iterator[Sequence[Patch]]:
        """The planes across k from `start` to before `stop`."""
        return (self._patches((0, k)) for k in range(start, stop) if (0, k) in self._planes)

    def _patches(self, key: tuple[int, int]) -> list[Patch]:
        return [
            patch
            for frame, placing in self._planes[key]
            for number, mask in self._pixels.masks(frame)
            if self._numbers is None or number in self._numbers
            for patch in placing.patches(number, mask, self._geometry)
        ]


# Its own grid


def _alike(a: SegFrame, b: SegFrame) -> bool:
    if a.orientation == b.orientation and a.pixel_mm == b.pixel_mm:
        return True
    off = max(abs(x - y) for x, y in zip(a.orientation, b.orientation, strict=True))
    spacing = max(abs(x / y - 1.0) for x, y in zip(a.pixel_mm, b.pixel_mm, strict=True))
    return off <= _SAME_DIRECTION and spacing <= _SAME_DIRECTION


def _distinct(positions: FloatArray, normal: FloatArray) -> FloatArray:
    """Each position once, in order along the normal."""
    ordered = positions[np.argsort(positions @ normal, kind="stable")]
    moves = np.linalg.norm(np.diff(ordered, axis=0), axis=1)
    once: FloatArray = ordered[np.concatenate([[True], moves > SAME_MM])]
    return once


def _step(positions: FloatArray, normal: FloatArray, seg: DicomSeg) -> tuple[FloatArray, int]:
    """From slice to slice, mm, and how many slices there are with those left out."""
    heights = (positions - positions[0]) @ normal
    if len(positions) == 1:
        known = [mm for mm in (seg.between_mm, seg.thickness_mm) if mm is not None and mm > 0]
        return normal * (known[0] if known else 1.0), 1
    steps = np.diff(heights)
    if steps.min() <= SAME_MM:
        raise GeometryError("its frames lie side by side in one plane, as tiles do")
    for spacing in (seg.between_mm, float(steps.min())):
        if spacing is None or not SAME_MM < spacing <= steps.min() + OFF_MM:
            continue
        count = round(heights[-1] / spacing)
        step = (positions[-1] - positions[0]) / count
        along = np.rint(heights / heights[-1] * count)
        off = np.linalg.norm(positions - positions[0] - np.outer(along, step), axis=1)
        if off.max() <= OFF_MM:
            return step, count + 1
    smallest, largest = steps.min(), steps.max()
    raise GeometryError(
        f"its frames are not evenly spaced: steps from {smallest:.3f} to {largest:.3f} mm",
        "import it into the case of the images that it was made on",
    )


# On another grid


@dataclass(frozen=True, slots=True)
class _Placing:
    """Where a frame lies on a grid: the index of its first voxel, and the axes it runs along.

    `rows` and `columns` are (axis, +1 or -1).
    """

    first: tuple[int, int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]

    @property
    def plane(self) -> tuple[int, int]:
        """The axis that the frame does not run along, and its index there."""
        axis = 3 - self.rows[0] - self.columns[0]
        return axis, self.first[axis]

    def patches(self, number: int, mask: BoolArray, geometry: Geometry) -> Iterator[Patch]:
        """The part of a frame's mask that has voxels, on the grid."""
        picture = mask
        for axis, (_, sign) in enumerate((self.rows, self.columns)):
            picture = np.flip(picture, axis) if sign < 0 else picture
        used = [np.flatnonzero(picture.any(axis=1 - axis)) for axis in (0, 1)]
        if not used[0].size:
            return
        where = [slice(n, n + 1) for n in self.first]
        cut = []
        for size, hit, (axis, sign) in zip(
            picture.shape, used, (self.rows, self.columns), strict=True
        ):
            low = self.first[axis] - (size - 1 if sign < 0 else 0)
            start, stop = int(hit[0]), int(hit[-1]) + 1
            where[axis] = slice(low + start, low + stop)
            cut.append(slice(start, stop))
        for side, length in zip(where, geometry.shape, strict=True):
            if side.start < 0 or side.stop > length:
                raise GeometryError(
                    f"segment {number} has voxels outside of the image",
                    "choose the images that it was made on",
                )
        part = picture[cut[0], cut[1]]
        flat = part if self.rows[0] < self.columns[0] else part.T
        shape = [side.stop - side.start for side in where]
        yield Patch(number, (where[0], where[1], where[2]), flat.reshape(shape))


class _Snap:
    """Finds frames on a grid."""

    def __init__(self, geometry: Geometry, size: tuple[int, int]) -> None:
        self._geometry, self._size = geometry, size
        self._kji_from_lps = np.linalg.inv(geometry.lps_from_kji[:3, :3])
        self._axes: dict[tuple[tuple[float, ...], ...], tuple[FloatArray, FloatArray]] = {}

    def placing(self, frame: SegFrame) -> _Placing:
        """Where a frame lies.

        Raises
        ------
        GeometryError
            If one of its corners is no voxel's centre.
        """
        down, across = self._steps(frame)
        first = self._geometry.kji(np.array(frame.position))
        nearest = np.rint(first)
        whole = np.rint(down), np.rint(across)
        self._check(frame, first - nearest, (down - whole[0], across - whole[1]))
        rows, columns = _axis(whole[0]), _axis(whole[1])
        if rows is None or columns is None or rows[0] == columns[0]:
            raise GeometryError(
                f"frame {frame.number + 1} has voxels of another size than the image",
                "choose the images that it was made on",
            )
        k, j, i = (int(n) for n in np.clip(nearest, -(1 << 40), 1 << 40))
        return _Placing((k, j, i), rows, columns)

    def _steps(self, frame: SegFrame) -> tuple[FloatArray, FloatArray]:
        """One row down and one column across, in voxels of the grid."""
        key = (frame.orientation, frame.pixel_mm)
        known = self._axes.get(key)
        if known is None:
            across, down = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
            known = (
                self._kji_from_lps @ (down * frame.pixel_mm[0]),
                self._kji_from_lps @ (across * frame.pixel_mm[1]),
            )
            self._axes[key] = known
        return known

    def _check(
        self, frame: SegFrame, off: FloatArray, drift: tuple[FloatArray, FloatArray]
    ) -> None:
        """Hold the frame's four corners against the nearest voxels."""
        rows, columns = self._size
        corners = [
            off + j * drift[0] + i * drift[1] for j in (0, rows - 1) for i in (0, columns - 1)
        ]
        matrix = self._geometry.lps_from_kji[:3, :3]
        worst = max(float(np.linalg.norm(matrix @ corner)) for corner in corners)
        if worst > _REACH_MM:
            raise GeometryError(
                f"frame {frame.number + 1} lies {worst:.3f} mm off the voxels of the image",
                "choose the images that it was made on",
            )


def _axis(step: FloatArray) -> tuple[int, int] | None:
    """The one axis that a step of one voxel runs along, and which way."""
    if sorted(np.abs(step)) != [0.0, 0.0, 1.0]:
        return None
    axis = int(np.abs(step).argmax())
    return axis, int(step[axis])


def _check_once(frames: Sequence[SegFrame], index: int) -> None:
    """Pass where no two frames hold the same segment in the same place."""
    segments = [frame.segment for frame in frames]
    if len(set(segments)) == len(segments):
        return
    places = [(frame.segment, tuple(np.round(frame.position, 2))) for frame in frames]
    if len(set(places)) < len(places):
        raise InputError(
            f"two of its frames hold the same segment in slice {index + 1}",
            "segmentations of several times are not opened",
        )
