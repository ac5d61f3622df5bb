"""What the first case would otherwise wait for, read beside the window while nobody needs it."""

import gc
import logging
import threading

import numpy as np

__all__ = ["leave_alone_what_stays", "warm_up"]

_LOG = logging.getLogger(__name__)
_left: list[bool] = []
_SELDOM = 2000  # searches of the younger ones between two of all


def leave_alone_what_stays() -> None:
    """Once, with the first window: leave out of every search for garbage what lives as long.

    napari and all it brings are half a million objects. Looking through them takes a third of a
    second, in which the window answers nobody: Python does it now and then by itself, and napari
    asks for it with every layer that goes. What is made from here on is collected as ever, but
    what has lived for long only when napari asks for it, and not in the middle of a stroke.
    """
    if not _left:
        _left.append(True)
        gc.freeze()
        young, middle, _old = gc.get_threshold()
        gc.set_threshold(young, middle, _SELDOM)


def warm_up() -> threading.Thread:
    """Make two small layers that nobody sees: napari then has read its tables and its units.

    The first layer of a process takes two seconds longer than the next; on the main thread they
    would fall between the choice of a case and its first stroke.
    """
    thread = threading.Thread(target=_make_layers, name="medlabel-warm-up", daemon=True)
    thread.start()
    return thread


def _make_layers() -> None:
    from napari.layers import Image, Labels  # noqa: PLC0415  # slow, which is the point

    try:
        shown = {"units": ("mm",) * 3, "axis_labels": ("z", "y", "x"), "scale": (2.0, 1.0, 1.0)}
        Image(np.zeros((2, 2, 2), np.int16), multiscale=False, rgb=False, **shown)
        Labels(np.zeros((2, 2, 2), np.uint8), multiscale=False, **shown)
    except Exception:  # noqa: BLE001  # a bug of somebody's: the case itself will say so
        _LOG.debug("layers could not be made beforehand", exc_info=False)
