"""Slabs that take long to read: the one that is likely to be wanted next is begun beforehand."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.decoding.pool import Decode, Pool, Work

__all__ = ["SlabsAhead"]

_REMEMBERED: Final = 8  # slabs that were read last: none of them is begun beforehand

ReadSlice = Callable[[int, npt.NDArray[Any], Decode], None]


class SlabsAhead:
    """Reads slabs with all workers of a pool, one slab ahead; from any thread, in any order.

    Ahead is the next slab of the same thickness, once slabs follow each other, upwards or
    downwards, or a thick one begins at an end. Only one is kept, so that memory stays flat.

    Parameters
    ----------
    shape, dtype
        Of all slices.
    read_slice
        Fills the slice with this index; called on threads of the pool.
    pool
        That decodes.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        dtype: np.dtype[Any],
        read_slice: ReadSlice,
        pool: Pool,
    ) -> None:
        self._shape, self._dtype, self._read_slice, self._pool = shape, dtype, read_slice, pool
        self._recent: deque[range] = deque(maxlen=_REMEMBERED)
        self._ahead: _Slab | None = None
        self._lock = threading.Lock()

    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        """Slices `start` to `stop`; raises what `read_slice` did for the first that failed."""
        wanted = range(start, stop)
        if not wanted:
            return np.empty((0, *self._shape[1:]), self._dtype)
        with self._lock:
            slab = self._taken(wanted) or self._begun(wanted)
            following = self._following(wanted)
            self._recent.append(wanted)
            if following is not None:
                self._drop()
                self._ahead = self._begun(following, ahead=True)
        return slab.wait()

    def close(self) -> None:
        """Give up what was begun beforehand, and wait until nothing is read for it any more."""
        with self._lock:
            slab = self._drop()
        if slab is not None:
            slab.settle()

    def _taken(self, wanted: range) -> "_Slab | None":
        """The slab that was begun beforehand, if it is this one."""
        slab = self._ahead
        if slab is None or slab.place != wanted:
            return None
        self._ahead = None
        self._pool.hurry(slab.futures)
        return slab

    def _begun(self, wanted: range, *, ahead: bool = False) -> "_Slab":
        voxels = np.empty((len(wanted), *self._shape[1:]), self._dtype)
        work = [self._work(k, out) for k, out in zip(wanted, voxels, strict=True)]
        return _Slab(wanted, voxels, self._pool.submit(work, ahead=ahead))

    def _work(self, k: int, out: npt.NDArray[Any]) -> Work:
        return lambda decode: self._read_slice(k, out, decode)

    def _following(self, now: range) -> range | None:
        """The slab to begin beforehand, if there is one."""
        count, depth = len(now), self._shape[0]
        before = self._recent[-1] if self._recent else range(-1, -1)
        rises = now.start == before.stop or (now.start == 0 and count > 1)
        falls = now.stop == before.start or (now.stop == depth and count > 1)
        if rises and now.stop < depth:
            following = range(now.stop, min(now.stop + count, depth))
        elif falls and now.start > 0:
            following = range(max(now.start - count, 0), now.start)
        else:
            return None
        begun = self._ahead is not None and self._ahead.place == following
        # The last slab may be thinner: what comes before it in its thickness has no other place.
        known = any(_overlap(following, slab) for slab in self._recent)
        return None if begun or known else following

    def _drop(self) -> "_Slab | None":
        slab, self._ahead = self._ahead, None
        if slab is not None:
            slab.cancel()
        return slab


def _overlap(a: range, b: range) -> bool:
    return a.start < b.stop and b.start < a.stop


class _Slab:
    """A slab that is being read."""

    def __init__(
        self, place: range, voxels: npt.NDArray[Any], futures: Sequence["Future[None]"]
    ) -> None:
        self.place, self.voxels, self.futures = place, voxels, futures

    def wait(self) -> npt.NDArray[Any]:
        """The voxels, when all slices are there."""
        try:
            wait(self.futures, return_when=FIRST_EXCEPTION)  # woken up once, not for each slice
            for future in self.futures:
                future.result()
        except BaseException:
            self.cancel()
            raise
        return self.voxels

    def cancel(self) -> None:
        """Begin no slice any more."""
        for future in self.futures:
            future.cancel()

    def settle(self) -> None:
        """Wait until no slice is being read; what went wrong with one is nobody's any more."""
        for future in self.futures:
            if not future.cancelled():
                future.exception()
