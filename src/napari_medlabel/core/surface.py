"""The surface of a mask as triangles in the world: surface nets.

A net has one point in each cell of eight voxel centres that the border of the mask runs through,
and one quadrilateral across each pair of neighbours of which one is inside: Gibson, "Constrained
elastic surface nets", MICCAI 1998, doi:10.1007/BFb0056277. No voxel is lost, however thin the
mask is. The net is then relaxed without shrinking (Taubin, SIGGRAPH 1995,
doi:10.1145/218380.218473), no point leaving its cell: what is seen is what is stored, to half a
voxel. All of it happens in indices, so that any affine, a sheared one too, moves the result
exactly.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.sparse import coo_array, csr_array

from napari_medlabel.core.geometry import BoolArray, FloatArray, Geometry, Index, Spacing
from napari_medlabel.errors import GeometryError

__all__ = ["MOST_FACES", "Surface", "coarser", "surface"]

MOST_FACES: Final = 60_000
_HALF: Final = 0.5
_FORTH, _BACK = 0.5, -0.53  # Taubin's lambda and mu: what is flat stays, what is rough goes
_ROUNDS: Final = 10
_NORMAL_ROUNDS: Final = 3  # the steps between voxels are not what light should show
_KEPT: Final = 0.45  # of a voxel: how far from the middle of its cell a point may go
_RAISED, _NEARLY = 0.75, 0.9  # thin parts of blocks become so full, and those almost as full
_Points = npt.NDArray[np.float32]
_Faces = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Triangles in the world.

    Parameters
    ----------
    points_lps
        float32 `[n, 3]`, mm.
    normals
        float32 `[n, 3]`, of length one, pointing out.
    faces
        uint32 `[m, 3]`, numbers of points; counter-clockwise seen from outside.
    """

    points_lps: _Points
    normals: _Points
    faces: _Faces

    @property
    def is_nothing(self) -> bool:
        """True where the mask had no voxel."""
        return len(self.faces) == 0

    @property
    def volume_ml(self) -> float:
        """What it encloses, in millilitres."""
        a, b, c = np.moveaxis(self.points_lps.astype(np.float64)[self.faces], 1, 0)
        return float(np.einsum("nd,nd->", a, np.cross(b, c)) / 6.0 / 1000.0)


def surface(mask: BoolArray, geometry: Geometry, *, most_faces: int = MOST_FACES) -> Surface:
    """The closed surface around a mask's voxels.

    Parameters
    ----------
    mask
        bool, `[k, j, i]`; a mask that reaches the border of its array is closed there.
    geometry
        Of the mask's own array.
    most_faces
        A surface with more triangles is made from joined voxels, the finest axes first;
        what is thinner than those stays.

    Returns
    -------
    Surface
        Empty where the mask is; about `most_faces` triangles at most.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    if mask.shape != geometry.shape:
        raise GeometryError("the mask does not have the shape of the geometry")
    if not mask.any():
        return _nothing()
    field, grid = _fitting(mask, geometry, most_faces // 2)
    points, quads = _net(field)
    mean = _mean_of_neighbours(quads, len(points))
    points = _relaxed(points, mean)
    if np.linalg.det(grid.lps_from_kji[:3, :3]) < 0:  # the affine turns the inside out
        quads = quads[:, ::-1]
    points_lps = grid.lps(points)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    normals = _normals(points_lps, faces, mean)
    return Surface(
        points_lps.astype(np.float32), normals.astype(np.float32), faces.astype(np.uint32)
    )


def coarser(values: npt.NDArray[Any], factors: Index) -> npt.NDArray[np.float32]:
    """Means of blocks of `factors` voxels along k, j, i; what is outside the array counts as 0.

    The counterpart of `Geometry.coarser`: float32, `[k, j, i]`.
    """
    summed = values
    for axis, factor in enumerate(factors):
        if factor > 1:
            starts = np.arange(0, values.shape[axis], factor)
            kind = np.float32 if values.dtype.kind == "f" else np.int32
            summed = np.add.reduceat(summed, starts, axis=axis, dtype=kind)
    return np.asarray(summed, np.float32) / np.float32(np.prod(factors))


# How


def _nothing() -> Surface:
    return Surface(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32),
                   np.zeros((0, 3), np.uint32))  # fmt: skip


def _fitting(mask: BoolArray, geometry: Geometry, most_quads: int) -> tuple[Any, Geometry]:
    """The mask as a field that is 0.5 at its border, with air around it; coarse enough."""
    field = np.pad(mask.view(np.uint8), 1)
    count = _crossings(field > 0)
    grid = geometry
    step_mm = min(geometry.spacing_mm)
    joined: Index = (1, 1, 1)
    while count > most_quads:
        step_mm *= min(max((count / most_quads) ** 0.5, 1.1), 4.0)
        factors = _factors(geometry, step_mm)
        if factors == joined:
            if factors == geometry.shape:
                break
            continue
        joined = factors
        grid = geometry.coarser(factors)
        field = np.pad(_with_thin(coarser(mask, factors)), 1)
        count = _crossings(field > _HALF)
    # The border of padding is one voxel before the first.
    offset = np.eye(4)
    offset[:3, 3] = -1.0
    return field, Geometry(field.shape, grid.lps_from_kji @ offset)


def _factors(geometry: Geometry, step_mm: float) -> Index:
    """How many voxels to join along each axis, so that none is much finer than the step."""
    spacing: Spacing = geometry.spacing_mm
    k, j, i = (
        min(max(1, round(step_mm / size)), n)
        for size, n in zip(spacing, geometry.shape, strict=True)
    )
    return (k, j, i)


def _with_thin(part: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Parts of blocks, raised where no block around is half full: what is thin stays."""
    fullest = ndimage.maximum_filter(part, 3)
    thin = (part > 0) & (fullest <= _HALF) & (part >= _NEARLY * fullest)
    raised: npt.NDArray[np.float32] = np.where(thin, np.float32(_RAISED), part)
    return raised


def _crossings(inside: BoolArray) -> int:
    """How many neighbours of voxels inside are outside: the quadrilaterals of the net."""
    flat = inside.ravel()
    return sum(int(np.count_nonzero(flat[:-s] != flat[s:])) for s in _strides(inside.shape))


def _strides(shape: tuple[int, ...]) -> Index:
    """Steps in a flat array; around a row's end both neighbours are padding, so none crosses."""
    return (shape[1] * shape[2], shape[2], 1)


def _net(field: npt.NDArray[Any]) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Points in indices `[n, 3]` and quadrilaterals `[m, 4]`, counter-clockwise in k, j, i."""
    cells: list[npt.NDArray[np.intp]] = []
    at: list[FloatArray] = []
    for cell, place in _edges(field):
        cells.append(cell)
        at.append(place)
    corners = np.concatenate(cells)
    places = np.concatenate(at)
    names, flat = np.unique(corners, return_inverse=True)
    quads = flat.reshape(corners.shape)
    # Where the border meets a cell's edges, on average.
    members = np.bincount(quads.ravel(), minlength=len(names))
    points = np.empty((len(names), 3))
    for axis in range(3):
        weights = np.repeat(places[:, axis], 4)
        points[:, axis] = np.bincount(quads.ravel(), weights, len(names)) / members
    return points, quads


def _edges(field: npt.NDArray[Any]) -> Iterator[tuple[npt.NDArray[np.intp], FloatArray]]:
    """For each axis: the four cells around each crossed edge, in order, and where it is crossed."""
    flat = field.ravel()
    inside = flat > _HALF
    strides = _strides(field.shape)
    for axis in range(3):
        step, u, v = (strides[(axis + n) % 3] for n in range(3))
        here = np.flatnonzero(inside[:-step] != inside[step:])
        around = np.stack([here - u - v, here - v, here, here - u], axis=1)
        leaving = inside[here]
        around[~leaving] = around[~leaving, ::-1]
        place = np.stack(np.unravel_index(here, field.shape), axis=1).astype(np.float64)
        a, b = flat[here].astype(np.float64), flat[here + step].astype(np.float64)
        place[:, axis] += (_HALF - a) / (b - a)
        yield around, place


def _relaxed(points: FloatArray, mean: csr_array) -> FloatArray:
    """The points drawn towards the mean of their neighbours and back, each in its own cell."""
    middle = np.floor(points) + _HALF
    low, high = middle - _KEPT, middle + _KEPT
    for _ in range(_ROUNDS):
        for part in (_FORTH, _BACK):
            points = points + part * (mean @ points - points)
        points = np.clip(points, low, high)
    return points


def _mean_of_neighbours(quads: npt.NDArray[np.intp], count: int) -> csr_array:
    start = quads.ravel()
    end = np.roll(quads, -1, axis=1).ravel()
    both = (np.concatenate([start, end]), np.concatenate([end, start]))
    links = coo_array((np.ones(2 * len(start)), both), (count, count)).tocsr()
    share = 1.0 / np.asarray(links.sum(axis=1)).ravel()
    links.data *= np.repeat(share, np.diff(links.indptr))
    return links


def _normals(points: FloatArray, faces: npt.NDArray[np.intp], mean: csr_array) -> FloatArray:
    """Of points, from the faces around them and around their neighbours, large ones more."""
    a, b, c = (points[faces[:, n]] for n in range(3))
    across = np.cross(b - a, c - a)
    summed = np.empty_like(points)
    for axis in range(3):
        weights = np.repeat(across[:, axis], 3)
        summed[:, axis] = np.bincount(faces.ravel(), weights, len(points))
    normals = _of_length_one(summed)
    for _ in range(_NORMAL_ROUNDS):
        normals = _of_length_one(normals + mean @ normals)
    return normals


def _of_length_one(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: FloatArray = vectors / np.where(length > 0, length, 1.0)
    return scaled
