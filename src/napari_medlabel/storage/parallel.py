"""The same work on many things, on a few threads, in order, until one fails or it is called off."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from napari_medlabel.errors import Cancelled

__all__ = ["in_parallel", "never"]

T = TypeVar("T")


def never() -> bool:
    """Not called off."""
    return False


def in_parallel(
    work: Callable[[T], object],
    things: Iterable[T],
    *,
    threads: int = 2,
    cancelled: Callable[[], bool] = never,
) -> None:
    """Call `work` with each thing; they are begun in order.

    Raises
    ------
    Cancelled
        If `cancelled()` says so; it is asked before each thing.
    Exception
        The first that `work` raised. No thing is begun after it, and all threads are gone.
    """
    queue = _Queue(things, cancelled)

    def run() -> None:
        try:
            for thing in queue:
                work(thing)
        except BaseException as error:  # noqa: BLE001  # raised below, on the caller's thread
            queue.failures.append(error)

    running = [
        threading.Thread(target=run, name=f"medlabel-storage-{n}", daemon=True)
        for n in range(max(1, threads))
    ]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if queue.failures:
        raise queue.failures[0]


class _Queue(Generic[T]):
    """Things for several threads; ends early after a failure."""

    def __init__(self, things: Iterable[T], cancelled: Callable[[], bool]) -> None:
        self.failures: list[BaseException] = []
        self._things = iter(things)
        self._cancelled = cancelled
        self._lock = threading.Lock()

    def __iter__(self) -> "_Queue[T]":
        return self

    def __next__(self) -> T:
        with self._lock:
            if self.failures:
                raise StopIteration
            if self._cancelled():
                raise Cancelled("it was called off; nothing was left behind")
            return next(self._things)
