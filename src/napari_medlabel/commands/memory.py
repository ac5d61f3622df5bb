"""What fits in memory beside what is there already."""

import os
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["fits_in_memory"]

SHARE_OF_MEMORY: Final = 0.5  # of what is free


def fits_in_memory(shape: Sequence[int], dtype: npt.DTypeLike) -> bool:
    """True where an array takes less than half of the memory that is free now."""
    needed = int(np.prod(shape)) * np.dtype(dtype).itemsize
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return True  # this system does not say
    return needed < SHARE_OF_MEMORY * free
