"""Prompts: where a person points to say what belongs to an object and what does not.

Indices are `[k, j, i]` of one grid; `from_document` reads them of a file's own grid or as LPS
positions, `moved` takes them to another layout of the same voxels.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.geometry import FloatArray, Geometry, Index
from napari_medlabel.core.lasso import inside_outline
from napari_medlabel.errors import InputError

__all__ = [
    "Box",
    "Indices",
    "Lasso",
    "Point",
    "Prompt",
    "Scribble",
    "check_inside",
    "from_document",
    "kind_of",
    "moved",
    "to_document",
    "voxels_of",
]

Indices = npt.NDArray[np.intp]
Corner = tuple[float, float, float]
Kind = Literal["point", "box", "scribble", "lasso"]

_MOST_POINTS: Final = 100_000  # more is no hand's drawing
_FARTHEST: Final = 1e6  # voxels


@dataclass(frozen=True, slots=True)
class Point:
    """A click on one voxel, `(k, j, i)`.

    Raises
    ------
    InputError
        If it is no index: three whole numbers.
    """

    kji: Index
    include: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "kji", _index(self.kji))
        _check_flag(self.include)


@dataclass(frozen=True, slots=True)
class Box:
    """A box that the object lies in, from its first to its last voxel, both in it.

    One that is a voxel thin along an axis is drawn on a slice: it bounds the object there only.
    With `include` False nothing of the object lies in it.

    Raises
    ------
    InputError
        If a corner is no index, or the first lies beyond the last.
    """

    low: Index
    high: Index
    include: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", _index(self.low))
        object.__setattr__(self, "high", _index(self.high))
        _check_flag(self.include)
        if any(a > b for a, b in zip(self.low, self.high, strict=True)):
            raise InputError("a box's low corner lies beyond its high one", "swap them")

    @property
    def thin_axis(self) -> int | None:
        """The axis across which it is one voxel thin; None of a 3-D box."""
        thin = [n for n in range(3) if self.low[n] == self.high[n]]
        return thin[0] if thin else None


@dataclass(frozen=True, slots=True)
class Scribble:
    """Voxels a hand drew through, in order; straight lines join them.

    Raises
    ------
    InputError
        If one is no index, or there is none.
    """

    kji: tuple[Index, ...]
    include: bool = True

    def __post_init__(self) -> None:
        if not 0 < len(self.kji) <= _MOST_POINTS:
            raise InputError("a scribble needs voxels", "give from 1 to 100,000 of them")
        object.__setattr__(self, "kji", tuple(_index(one) for one in self.kji))
        _check_flag(self.include)


@dataclass(frozen=True, slots=True)
class Lasso:
    """A closed outline drawn on one slice around, roughly, the object's part there.

    Corners are fractional `(k, j, i)`; along one axis all of them lie on the same whole number.

    Raises
    ------
    InputError
        If there are fewer than three corners, or they lie on no one slice.
    """

    kji: tuple[Corner, ...]
    include: bool = True

    def __post_init__(self) -> None:
        if not 3 <= len(self.kji) <= _MOST_POINTS:
            raise InputError("a lasso needs corners", "give from 3 to 100,000 of them")
        object.__setattr__(self, "kji", tuple(_corner(one) for one in self.kji))
        _check_flag(self.include)
        self.plane  # noqa: B018  # raises InputError where there is none

    @property
    def plane(self) -> tuple[int, int]:
        """The axis across it, and its slice along that."""
        for axis in range(3):
            places = {corner[axis] for corner in self.kji}
            if len(places) == 1 and float(one := places.pop()).is_integer():
                return axis, int(one)
        raise InputError("a lasso's corners lie on no one slice", "draw it on one slice")


Prompt = Point | Box | Scribble | Lasso
_KINDS: Final[Mapping[type, Kind]] = {
    Point: "point", Box: "box", Scribble: "scribble", Lasso: "lasso",
}  # fmt: skip


def kind_of(prompt: Prompt) -> Kind:
    """The word that documents and provenance have for it."""
    return _KINDS[type(prompt)]


def voxels_of(prompt: Prompt, shape: Index) -> Indices:
    """The voxels a prompt covers on a grid of this shape, `[n, 3]`; those outside left out.

    Of a box all of them: ask for those of thin boxes only where memory matters.
    """
    if isinstance(prompt, Point):
        found = np.array([prompt.kji], np.intp)
    elif isinstance(prompt, Scribble):
        found = _through(np.array(prompt.kji, np.intp))
    elif isinstance(prompt, Lasso):
        return _in_lasso(prompt, shape)
    else:
        low, high = np.maximum(prompt.low, 0), np.minimum(np.add(prompt.high, 1), shape)
        sides = [np.arange(a, max(a, b)) for a, b in zip(low, high, strict=True)]
        found = np.stack(np.meshgrid(*sides, indexing="ij"), -1).reshape(-1, 3)
    inside: Indices = found[((found >= 0) & (found < np.array(shape))).all(axis=1)]
    return inside


def check_inside(prompt: Prompt, shape: Index) -> None:
    """Pass where a prompt lies on the grid, at least in part for a box, a scribble or a lasso.

    Raises
    ------
    InputError
        If it does not; says where it is and how large the image is.
    """
    if isinstance(prompt, Box):
        inside = all(
            low < n and high >= 0
            for low, high, n in zip(prompt.low, prompt.high, shape, strict=True)
        )
        where = prompt.low
    else:
        inside = len(voxels_of(prompt, shape)) > 0
        first = prompt.kji if isinstance(prompt, Point) else prompt.kji[0]
        where = _index(np.round(first))
    if not inside:
        size = " x ".join(str(n) for n in shape)
        raise InputError(
            f"the {kind_of(prompt)} at {', '.join(map(str, where))} is outside of the image",
            f"indices are k, j, i of {size} voxels, from 0",
        )


def moved(prompt: Prompt, kji_from_kji: Callable[[FloatArray], FloatArray]) -> Prompt:
    """The prompt on another layout of the grid.

    Parameters
    ----------
    prompt
        Any.
    kji_from_kji
        New fractional indices, `[n, 3]`, from old ones; points are rounded to voxels.
    """
    if isinstance(prompt, Point):
        return Point(
            _index(np.round(kji_from_kji(np.array([prompt.kji], float))[0])), prompt.include
        )
    if isinstance(prompt, Scribble):
        new = np.round(kji_from_kji(np.array(prompt.kji, float)))
        return Scribble(tuple(_index(one) for one in new), prompt.include)
    if isinstance(prompt, Lasso):
        corners = kji_from_kji(np.array(prompt.kji, float))
        return Lasso(_on_a_slice(corners), prompt.include)
    ends = zip(prompt.low, prompt.high, strict=True)
    corners = np.round(kji_from_kji(np.array(list(product(*ends)), float)))
    return Box(_index(corners.min(axis=0)), _index(corners.max(axis=0)), prompt.include)


def from_document(document: Any, geometry: Geometry) -> tuple[Prompt, ...]:  # noqa: ANN401  # any JSON
    """The prompts of a JSON document, on a grid.

    `{"prompts": [{"kind": "point", "kji": [k, j, i], "include": true},
    {"kind": "box", "low": [...], "high": [...]}, {"kind": "scribble", "kji": [[...], ...]},
    {"kind": "lasso", "kji": [[...], ...]}]}`. Places are of the grid; with `"lps"` for `"kji"`,
    or `"space": "lps"` beside a box or for the whole document, they are millimetres.

    Raises
    ------
    InputError
        If it is none, names the first prompt that is wrong.
    """
    entries = document.get("prompts") if isinstance(document, Mapping) else None
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise InputError("there are no prompts in this document", 'it is {"prompts": [...]}')
    space = document.get("space", "kji")
    found: list[Prompt] = []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_read(entry, geometry, space))
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            what = (
                error.what
                if isinstance(error, InputError)
                else "it lacks a part or has a wrong one"
            )
            raise InputError(f"prompt {number} cannot be used: {what}", _HINT) from error
    return tuple(found)


_HINT: Final = "kinds are point, box, scribble and lasso: see docs/interactive.md"


def to_document(prompts: Iterable[Prompt]) -> dict[str, Any]:
    """What `from_document` reads: prompts as JSON-ready values, as indices."""
    return {"space": "kji", "prompts": [_written(prompt) for prompt in prompts]}


# How


def _written(prompt: Prompt) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": kind_of(prompt)}
    if isinstance(prompt, Box):
        entry |= {"low": list(prompt.low), "high": list(prompt.high)}
    elif isinstance(prompt, Point):
        entry["kji"] = list(prompt.kji)
    else:
        entry["kji"] = [list(one) for one in prompt.kji]
    return entry | {"include": prompt.include}


def _read(entry: Mapping[str, Any], geometry: Geometry, space: Any) -> Prompt:  # noqa: ANN401
    kind, include = entry["kind"], entry.get("include", True)
    space = entry.get("space", space)
    if space not in {"kji", "lps"}:
        raise InputError("its space is none", "spaces are kji and lps")
    if kind not in _KINDS.values():
        raise InputError("its kind is none")
    if kind == "box":
        ends = np.array([entry["low"], entry["high"]], float)
        if space == "lps":
            places = geometry.kji(list(product(*ends.T)))
            ends = np.round([places.min(axis=0), places.max(axis=0)])
        _check_places(ends)
        return Box(_index(ends[0]), _index(ends[1]), include)
    in_mm = "lps" in entry or ("kji" in entry and space == "lps")
    places = np.array(entry["lps"] if "lps" in entry else entry["kji"], float)
    places = geometry.kji(places) if in_mm else places
    _check_places(places)
    if kind == "lasso":
        corners = _on_a_slice(places) if in_mm else tuple(_corner(one) for one in places)
        return Lasso(corners, include)
    places = np.round(places) if in_mm else places
    if kind == "point":
        return Point(_index(places), include)
    return Scribble(tuple(_index(one) for one in places), include)


def _check_places(places: FloatArray) -> None:
    if places.shape[-1:] != (3,) or not (np.abs(places) <= _FARTHEST).all():
        raise InputError("its places are not numbers k, j, i or x, y, z")


def _on_a_slice(corners: FloatArray) -> tuple[Corner, ...]:
    """Corners put on the slice that they lie nearest to."""
    axis = int(np.ptp(corners, axis=0).argmin())
    flat = corners.copy()
    flat[:, axis] = np.round(corners[:, axis].mean())
    return tuple(_corner(one) for one in flat)


def _index(place: Any) -> Index:  # noqa: ANN401  # a sequence of numbers, or not
    try:
        k, j, i = (float(n) for n in place)
    except (TypeError, ValueError) as error:
        raise InputError("a place needs three numbers: k, j, i") from error
    if not all(n.is_integer() and abs(n) <= _FARTHEST for n in (k, j, i)):
        raise InputError("a voxel's indices are whole numbers")
    return (int(k), int(j), int(i))


def _corner(place: Any) -> Corner:  # noqa: ANN401  # a sequence of numbers, or not
    k, j, i = (float(n) for n in place)
    if not all(abs(n) <= _FARTHEST for n in (k, j, i)):
        raise InputError("a corner is three numbers: k, j, i")
    return (k, j, i)


def _check_flag(include: object) -> None:
    if not isinstance(include, bool):
        raise InputError("a prompt's include is true or false")


def _through(visited: Indices) -> Indices:
    """All voxels on the straight lines from one to the next."""
    lines = [visited[:1]]
    for start, end in pairwise(visited):
        steps = max(int(np.abs(end - start).max()), 1)
        way = np.linspace(start, end, min(steps, _MOST_POINTS) + 1)[1:]
        lines.append(np.round(way).astype(np.intp))
    return np.unique(np.concatenate(lines), axis=0)


def _in_lasso(lasso: Lasso, shape: Index) -> Indices:
    axis, index = lasso.plane
    rest = [n for n in range(3) if n != axis]
    if not 0 <= index < shape[axis]:
        return np.zeros((0, 3), np.intp)
    outline = np.array(lasso.kji)[:, rest]
    inside = np.argwhere(inside_outline(outline, (shape[rest[0]], shape[rest[1]])))
    return np.insert(inside, axis, index, axis=1)
