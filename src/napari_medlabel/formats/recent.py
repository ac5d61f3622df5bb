"""Large values that were just made, kept while they fit: files in memory, decoded pictures."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Recent"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values used last, up to a number of bytes; from any thread, each made once.

    The newest is kept whatever its size. Who needs a value that another thread is making waits
    for it; a value that cannot be made is tried again by the next who needs it.

    Parameters
    ----------
    limit
        In bytes.
    size
        Of a value, in bytes.
    """

    def __init__(self, limit: int, size: Callable[[V], int]) -> None:
        self._limit, self._size = limit, size
        self._values: OrderedDict[K, V] = OrderedDict()
        self._making: dict[K, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value, made now where it is not kept; what `make` raises is passed on."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if key in self._values:  # another thread has made it meanwhile
                    return self._values[key]
            value = make()
            with self._lock:
                self._values[key] = value
                self._making.pop(key, None)
                self._forget_old()
            return value

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._values.clear()
            self._making.clear()

    def _forget_old(self) -> None:
        held = sum(map(self._size, self._values.values()))
        while held > self._limit and len(self._values) > 1:
            _, oldest = self._values.popitem(last=False)
            held -= self._size(oldest)
