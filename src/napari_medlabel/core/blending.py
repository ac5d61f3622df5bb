"""A shape between two drawn slices: signed distances that change along a smooth curve.

Shape-based interpolation after Raya and Udupa, IEEE TMI 9:32-42 (1990), doi:10.1109/42.52980,
with a curve of third order where the shape is drawn on more than two slices (Grevera and Udupa,
IEEE TMI 15:881-892, 1996, doi:10.1109/42.544506), after the movement of the shape is taken out, so
that a shape that moves by more than its own size does not vanish on the way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from napari_medlabel.core.following import Link
from napari_medlabel.core.geometry import FloatArray
from napari_medlabel.core.outline import MmArray, Outline, Pixel, Shape, Window, margin, signed_mm

__all__ = ["Blend", "Distances", "blends"]

_SWING: Final = 0.1  # of the change between two slices,
_BULGE: Final = 0.5  # and pixels that the curve may leave the straight line by
_END: Final = 0.5  # a shape without a counterpart ends halfway to the next drawn slice


@dataclass(slots=True, eq=False)
class Distances:
    """Signed distances of shapes, kept while they are needed."""

    spacing_mm: tuple[float, float]
    _kept: dict[int, tuple[Shape, Window, MmArray]] = field(default_factory=dict)

    def of(self, shape: Shape, window: Window) -> MmArray:
        """Of one shape on a window; see `signed_mm`."""
        known = self._kept.get(id(shape))
        if known is None or known[1].with_(window) != known[1]:
            whole = shape.window.wider(2 * margin(shape.window)).with_(window)
            if known is not None:
                whole = whole.with_(known[1])
            known = (shape, whole, signed_mm(shape, whole, self.spacing_mm))
            self._kept[id(shape)] = known
        return window.of(known[2], known[1].low)

    def keep_only(self, shapes: set[int]) -> None:
        """Let go of all but the shapes with these identities."""
        self._kept = {key: value for key, value in self._kept.items() if key in shapes}


@dataclass(frozen=True, slots=True, eq=False)
class Blend:
    """What is between two drawn slices of one segment, for one link.

    Parameters
    ----------
    link
        From the old to the new slice.
    places
        Of the slices before the old one, the old, the new, and the one after the new; the first
        and the last are only looked at where there is such a link.
    before, after
        The links that lead to the old and away from the new shape, if they are the same shapes.
    """

    link: Link
    places: tuple[int, int, int, int]
    before: Link | None = None
    after: Link | None = None

    def shapes(self) -> set[int]:
        """Identities of all shapes that it needs."""
        ends = [self.link.old, self.link.new]
        ends += [self.before.old] if self.before else []
        ends += [self.after.new] if self.after else []
        ends += [end for hole in self.link.holes for end in (hole.old, hole.new)]
        return {id(shape) for shape in ends if shape is not None}

    def at(self, place: int, distances: Distances) -> tuple[Window, MmArray] | None:
        """Signed distances on the slice at `place` and the window they lie in; None for nowhere."""
        if self.link.old is None or self.link.new is None:
            return self._ending(place, distances)
        window = self.link.window.wider(margin(self.link.window))
        t = (place - self.places[1]) / (self.places[2] - self.places[1])
        profiles = [distances.of(shape, window.moved(shift)) for shape, shift in self._profiles()]
        own = 0 if self.before is None else 1
        mixed = _curved(profiles, own, self._weights(t), t, distances.spacing_mm)
        path = self.path(t)
        window, mixed = _moved(window, mixed, path)
        return self._cut(window, mixed, place, distances)

    def _profiles(self) -> list[tuple[Shape, Pixel]]:
        """Each shape that counts, and how it lies against the old one."""
        link = self.link
        assert link.old is not None  # noqa: S101  # see `at`
        assert link.new is not None  # noqa: S101
        profiles = [(link.old, (0, 0)), (link.new, link.shift)]
        if self.before is not None and self.before.old is not None:
            back = (-self.before.shift[0], -self.before.shift[1])
            profiles.insert(0, (self.before.old, back))
        if self.after is not None and self.after.new is not None:
            on = (link.shift[0] + self.after.shift[0], link.shift[1] + self.after.shift[1])
            profiles.append((self.after.new, on))
        return profiles

    def _weights(self, t: float) -> FloatArray:
        """How much each profile counts: a cubic Hermite curve through old and new."""
        known = [n for n, there in enumerate((self.before, True, True, self.after)) if there]
        places = np.array([self.places[n] for n in known], np.float64)
        return _curve(places, known.index(1), t)

    def path(self, t: float) -> FloatArray:
        """How far the shape has moved from where it is on the old slice, in pixels."""
        if self.link.old is None or self.link.new is None:
            return np.zeros(2)
        known = [n for n, there in enumerate((self.before, True, True, self.after)) if there]
        places = np.array([self.places[n] for n in known], np.float64)
        at = np.array([shift for _, shift in self._profiles()], np.float64)
        path: FloatArray = _curve(places, known.index(1), t) @ at
        return path

    def _ending(self, place: int, distances: Distances) -> tuple[Window, MmArray] | None:
        """A shape that is drawn on one side only: it shrinks to nothing halfway."""
        link = self.link
        shape = link.old or link.new
        assert shape is not None  # noqa: S101  # a link has an end
        span = self.places[2] - self.places[1]
        away = (place - self.places[1] if link.old else self.places[2] - place) / span
        if away >= _END:
            return None
        window = shape.window.wider(1)
        signed = distances.of(shape, window)
        left = signed - np.float32(signed.max() * _shrunk(away / _END))
        return self._cut(window, left, place, distances)

    def _cut(
        self, window: Window, signed: MmArray, place: int, distances: Distances
    ) -> tuple[Window, MmArray]:
        for link in self.link.holes:
            found = Blend(link, self.places).at(place, distances)
            if found is not None:
                both = window.within(found[0])
                part = both.of(signed, window.low)
                np.minimum(part, -both.of(found[1], found[0].low), out=part)
        return window, signed


def _shrunk(part: float) -> float:
    return float(1.0 - np.sqrt(1.0 - part * part))


def _curve(places: FloatArray, old: int, t: float) -> FloatArray:
    """Weights of values at `places` for the point at `t` from place `old` to the next."""
    own = np.eye(len(places))
    steps = np.diff(places)
    slopes = np.diff(own, axis=0) / steps[:, None]
    span = steps[old]
    tangents = [slopes[old], slopes[old]]
    for side, (first, second) in enumerate(((old - 1, old), (old, old + 1))):
        if first >= 0 and second < len(steps):
            both = steps[first] + steps[second]
            tangents[side] = (slopes[first] * steps[second] + slopes[second] * steps[first]) / both
    weights: FloatArray = (
        (1 + 2 * t) * (1 - t) ** 2 * own[old]
        + t * (1 - t) ** 2 * span * tangents[0]
        + t**2 * (3 - 2 * t) * own[old + 1]
        + t**2 * (t - 1) * span * tangents[1]
    )
    return weights


def _curved(
    profiles: Sequence[MmArray], own: int, weights: FloatArray, t: float,
    spacing_mm: tuple[float, float],
) -> MmArray:  # fmt: skip
    """The curve, but never far from the straight line.

    A slice in which a pixel is far outside says little about one in which it is just inside; the
    curve alone would swing over and thicken what is thin.
    """
    old, new = profiles[own], profiles[own + 1]
    change = new - old
    straight: MmArray = old + np.float32(t) * change
    if len(profiles) == 2:
        return straight
    curve = np.zeros(old.shape, np.float32)
    for weight, profile in zip(weights, profiles, strict=True):
        curve += np.float32(weight) * profile
    room = np.abs(change) * np.float32(_SWING) + np.float32(_BULGE * max(spacing_mm))
    curve -= straight
    np.clip(curve, -room, room, out=curve)
    curve += straight
    return curve


def _moved(window: Window, values: MmArray, path: FloatArray) -> tuple[Window, MmArray]:
    """The values moved by fractions of pixels; one row and column are lost for that."""
    whole = np.floor(path).astype(int)
    down, right = (path - whole).astype(np.float32)
    one = np.float32(1.0)
    rows: MmArray = down * values[:-1] + (one - down) * values[1:]
    both: MmArray = right * rows[:, :-1] + (one - right) * rows[:, 1:]
    low = (window.low[0] + 1 + int(whole[0]), window.low[1] + 1 + int(whole[1]))
    return Window(low, (low[0] + both.shape[0], low[1] + both.shape[1])), both


def blends(outlines: Sequence[Outline], links: Sequence[Sequence[Link]], own: int) -> list[Blend]:
    """The blends between drawn slice `own` and the next.

    Parameters
    ----------
    outlines
        Of the drawn slices, in order.
    links
        From each of them to the next.
    own
        Which of them.
    """
    last = len(outlines) - 1
    places = tuple(outlines[min(max(own + n, 0), last)].place for n in (-1, 0, 1, 2))
    return [
        Blend(
            link,
            (places[0], places[1], places[2], places[3]),
            _leading_to(link, outlines[own - 1], links[own - 1]) if own else None,
            _going_on(link, outlines[own + 2], links[own + 1]) if own + 2 <= last else None,
        )
        for link in links[own]
    ]


def _leading_to(link: Link, outline: Outline, links: Sequence[Link]) -> Link | None:
    """All that becomes the link's old shape, on the drawn slice before it, as one link."""
    found = [one for one in links if one.old is not None and one.new_parts & link.old_parts]
    if not found or link.holes or link.new is None:
        return None
    parts = frozenset[int]().union(*(one.old_parts for one in found))
    return replace(_largest(found), old=outline.joined(parts), old_parts=parts)


def _going_on(link: Link, outline: Outline, links: Sequence[Link]) -> Link | None:
    """All that the link's new shape becomes, on the drawn slice after it, as one link."""
    found = [one for one in links if one.new is not None and one.old_parts & link.new_parts]
    if not found or link.holes or link.old is None:
        return None
    parts = frozenset[int]().union(*(one.new_parts for one in found))
    return replace(_largest(found), new=outline.joined(parts), new_parts=parts)


def _largest(links: Sequence[Link]) -> Link:
    return max(links, key=lambda link: link.old.area if link.old else 0)
