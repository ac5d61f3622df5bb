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

__all__ = ["MOST_FACES", "Surface", "coarser", "hit", "surface"]

MOST_FACES: Final = 60_000
_HALF: Final = 0.5
_FORTH, _BACK = 0.5, -0.53  # Taubin's lambda and mu: what is flat stays, what is rough goes
_ROUNDS: Final = 10
_NORMAL_ROUNDS: Final = 3  # the steps between voxels are not what light should show
_KEPT: Final = 0.45  # of a voxel: how far from the middle of its cell a point may go
# Blocks that something thin runs through count as so full, if it fills so much of them at least
# beside its middle; it is thin where two blocks on there is less than so much of it.
_RAISED, _GRAZED, _LESS, _FULL = 0.75, 0.15, 0.75, 0.9
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
    count = int(np.prod(factors))
    kind = _sum_type(values.dtype, count)
    summed = values
    for axis, factor in enumerate(factors):
        if factor > 1:
            along = np.moveaxis(summed, axis, 0)
            total = along[::factor].astype(kind)
            for n in range(1, min(factor, len(along))):
                part = along[n::factor]
                total[: len(part)] += part
            summed = np.moveaxis(total, 0, axis)
    return np.asarray(summed, np.float32) / np.float32(count)


def hit(surface: Surface, start: FloatArray, way: FloatArray) -> float | None:
    """How far along a ray the surface is first met, mm; None where it is not.

    Moeller and Trumbore, Journal of Graphics Tools 2:21-28 (1997),
    doi:10.1080/10867651.1997.10487468, for all triangles at once.

    Parameters
    ----------
    surface
        What may be met, from either side.
    start, way
        The ray; `way` of length one.
    """
    if surface.is_nothing:
        return None
    side = _across(way)
    flat = (surface.points_lps - start) @ side  # the ray is at 0, 0: most triangles are not
    a, b, c = (flat[surface.faces[:, n]] for n in range(3))
    low, high = np.minimum(np.minimum(a, b), c), np.maximum(np.maximum(a, b), c)
    near = np.flatnonzero(((low <= 0.0) & (high >= 0.0)).all(axis=1))
    p, q, r = (surface.points_lps[surface.faces[near, n]].astype(np.float64) for n in range(3))
    first, second, offset = q - p, r - p, start - p
    cross = np.cross(way, second)
    size = np.einsum("nd,nd->n", first, cross)
    with np.errstate(divide="ignore", invalid="ignore"):
        u = np.einsum("nd,nd->n", offset, cross) / size
        turned = np.cross(offset, first)
        v = turned @ way / size
        far_mm = np.einsum("nd,nd->n", second, turned) / size
        met = (u >= 0.0) & (v >= 0.0) & (u + v <= 1.0) & (far_mm >= 0.0)
    return float(far_mm[met].min()) if met.any() else None


# How


def _sum_type(dtype: np.dtype[Any], count: int) -> type[np.generic]:
    """What the sum of so many values fits into; the smaller, the faster."""
    if dtype.kind == "f":
        return np.float32
    return np.uint8 if dtype.kind == "b" and count < 256 else np.int32


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
    """Parts of blocks, raised in the middle of what is thinner than a block or two.

    Along one axis it is fullest there, and two blocks on to both sides there is clearly less.
    """
    padded = np.pad(part, 2)
    thin = np.zeros(part.shape, bool)
    for axis in range(3):
        near, far = (_neighbours(padded, axis, step) for step in (1, 2))
        thin |= (part >= near) & (far < _LESS * part)
    solid = (part > _FULL) & ~thin
    thin &= ~ndimage.binary_dilation(solid, np.ones((3, 3, 3), bool))  # a solid thing's skin
    # And what it grazes beside: a sheet one block thick would be joined with its own back.
    thin |= ndimage.binary_dilation(thin) & (part > _GRAZED)
    raised: npt.NDArray[np.float32] = np.where(thin, np.maximum(part, np.float32(_RAISED)), part)
    return raised


def _neighbours(padded: npt.NDArray[np.float32], axis: int, step: int) -> npt.NDArray[np.float32]:
    """The larger of the two values so many steps away, for all but the two at each border."""
    inner = [slice(2, -2)] * 3
    before, after = inner.copy(), inner.copy()
    before[axis] = slice(2 - step, -2 - step)
    after[axis] = slice(2 + step, (step - 2) or None)
    return np.maximum(padded[tuple(before)], padded[tuple(after)])


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


def _across(way: FloatArray) -> FloatArray:
    """Two directions at right angles to a ray, as columns."""
    first = np.cross(way, np.eye(3)[int(np.abs(way).argmin())])
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(way, first)], axis=1)
