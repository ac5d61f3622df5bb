"""Segments that overlap, in groups in which none do: as few as possible, always the same ones.

This is the colouring of a graph. Segments are put into the first group that has room, in their
order; where that takes more groups than a search finds to be enough, the search's answer is taken.
The search ends after a number of trials, not after a time, so that the answer never depends on the
machine. With many segments it may then not be the smallest there is.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

__all__ = ["fewest_groups"]

TRIALS: Final = 20_000


def fewest_groups(
    numbers: Sequence[int],
    overlaps: Iterable[tuple[int, int]],
    *,
    fixed: Mapping[int, int] | None = None,
    known: Iterable[int] = (0,),
) -> dict[int, int]:
    """A group for each segment, so that no two segments of one group overlap.

    Parameters
    ----------
    numbers
        Of the segments.
    overlaps
        Pairs of numbers.
    fixed
        Groups of segments that have one already. Whether two of these overlap is not looked at.
    known
        Groups that there are; they come first, growing, then others from 0.

    Returns
    -------
    dict
        The group of each number.
    """
    given = {n: group for n, group in (fixed or {}).items() if n in set(numbers)}
    beside: dict[int, set[int]] = defaultdict(set)
    for a, b in overlaps:
        beside[a].add(b)
        beside[b].add(a)
    first = sorted({*known, *given.values()})
    others = [group for group in range(len(numbers) + len(first)) if group not in first]
    groups = (first + others)[: len(first) + len(numbers)]
    free = [number for number in numbers if number not in given]
    best = _first_fit(free, beside, given, groups)
    used = max((groups.index(best[number]) for number in free), default=0)
    busiest = sorted(free, key=lambda number: -len(beside[number]))
    search = _Search(beside, busiest)
    for count in range(1, used + 1):
        found = search.within(groups[:count], given)
        if found is not None:
            return found
    return best


def _first_fit(
    free: Sequence[int],
    beside: Mapping[int, set[int]],
    given: Mapping[int, int],
    groups: Sequence[int],
) -> dict[int, int]:
    answer = dict(given)
    for number in free:
        taken = {answer[other] for other in beside[number] if other in answer}
        answer[number] = next(group for group in groups if group not in taken)
    return answer


class _Search:
    """Whether some groups are enough; gives up after `TRIALS` in all."""

    def __init__(self, beside: Mapping[int, set[int]], order: Sequence[int]) -> None:
        self._beside = beside
        self._order = order
        self._left = TRIALS

    def within(self, groups: Sequence[int], given: Mapping[int, int]) -> dict[int, int] | None:
        """A group of these for each, or None where there is none, or none was found."""
        answer, at = dict(given), 0
        chosen = [-1] * len(self._order)  # which of the groups each was last tried in
        while 0 <= at < len(self._order):
            number = self._order[at]
            answer.pop(number, None)
            taken = {answer[other] for other in self._beside[number] if other in answer}
            self._left -= 1
            if self._left < 0:
                return None
            fits = (n for n in range(chosen[at] + 1, len(groups)) if groups[n] not in taken)
            chosen[at] = next(fits, -1)
            if chosen[at] < 0:
                at -= 1
                continue
            answer[number] = groups[chosen[at]]
            at += 1
        return answer if at >= 0 else None
