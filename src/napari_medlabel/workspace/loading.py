"""A volume being brought into memory by a thread of its own, the slice that is seen first."""

import threading
from collections.abc import Callable

import numpy as np

from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.errors import Cancelled, InputError, MedlabelError

__all__ = ["Loading"]

Work = Callable[["Loading"], None]


class Loading:
    """Progress of a volume's slices on their way into memory.

    Parameters
    ----------
    total
        Slices of the volume along its canonical k.
    work
        Does it, on a thread of its own from `start` on: tells `loaded` and asks `is_cancelled`.
    """

    def __init__(self, total: int, work: Work | None = None) -> None:
        self.total = total
        self.filled: BoolArray = np.zeros(total, bool)
        self.error: MedlabelError | None = None
        self._wanted = total // 2
        self._cancelled = threading.Event()
        self._some = threading.Condition()
        self._over = work is None
        self._thread: threading.Thread | None = None
        if work is None:
            self.filled[:] = True
        else:
            self._thread = threading.Thread(
                target=self._run, args=(work,), name="medlabel-loading", daemon=True
            )
        self._begun = False

    @property
    def done(self) -> int:
        """Slices that are in memory."""
        return int(np.count_nonzero(self.filled))

    @property
    def finished(self) -> bool:
        """True once nothing more will come: all is there, or `error` says why not."""
        return self._over

    def start(self) -> None:
        """Begin, if it has not begun; whoever waits for a slice that is missing begins it too."""
        with self._some:
            if self._thread is None or self._begun:
                return
            self._begun = True
        self._thread.start()

    def loaded(self, start: int, stop: int) -> None:
        """Slices `start` to `stop` are in memory now."""
        with self._some:
            self.filled[start:stop] = True
            self._some.notify_all()

    def bring_first(self, k: int) -> None:
        """Somebody waits for slice `k`: what holds it comes next."""
        self._wanted = k

    def wanted(self) -> int:
        """The slice that somebody waits for; at first the middle one."""
        return self._wanted

    def is_cancelled(self) -> bool:
        """Whether somebody called it off."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Call it off."""
        self._cancelled.set()

    def wait_for(self, k: int) -> None:
        """Return when slice `k` is in memory.

        Raises
        ------
        MedlabelError
            If loading failed before.
        """
        if not self.filled[k]:
            self.start()
        with self._some:
            self._some.wait_for(lambda: bool(self.filled[k]) or self._over)
        if not self.filled[k] and self.error is not None:
            raise self.error

    def pause(self, seconds: float) -> None:
        """Return when more slices are in memory, or after the time given."""
        self.start()
        with self._some:
            if not self._over:
                self._some.wait(seconds)

    def wait(self) -> None:
        """Return when all slices are in memory.

        Raises
        ------
        MedlabelError
            If loading failed.
        """
        self.start()
        if self._thread is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def end(self) -> None:
        """Call it off and return when its thread is gone; raises nothing."""
        self.cancel()
        self.start()  # so that `work` lets go of what it holds
        if self._thread is not None:
            self._thread.join()

    def _run(self, work: Work) -> None:
        try:
            work(self)
        except MedlabelError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001  # whoever waits must hear of any failure
            self.error = InputError(f"reading stopped: {type(error).__name__}")
            self.error.__cause__ = error
        finally:
            if self._cancelled.is_set() and self.error is None and not self.filled.all():
                self.error = Cancelled("loading was called off")
            with self._some:
                if self.error is None:
                    self.filled[:] = True
                self._over = True
                self._some.notify_all()
