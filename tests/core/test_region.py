"""What all region tools owe a person who waits: how far they are, and an end when called off."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_medlabel.core import (
    region_flood,
    region_islands,
    region_logic,
    region_margin,
    region_seeds,
    region_smoothing,
    region_threshold,
)
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import Cancelled

MM = (3.0, 0.8, 0.7)
GRID = Geometry.from_spacing((12, 30, 32), MM)


def drawn() -> np.ndarray:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[2:9, 5:20, 6:22] = 1
    labels[2:9, 20:26, 6:22] = 2
    labels[4, 9, 9] = 0
    return labels


LABELS = drawn()
IMAGE = np.random.default_rng(0).integers(-100, 100, GRID.shape).astype(np.int16)
TOOLS: dict[str, Callable[..., Edit]] = {
    "fill holes": lambda **more: region_islands.fill_holes(LABELS, 1, **more),
    "fill holes by slice": lambda **more: region_islands.fill_holes(LABELS, 1, axis=0, **more),
    "keep largest": lambda **more: region_islands.keep_largest(LABELS, 1, **more),
    "remove": lambda **more: region_islands.remove_islands(LABELS, 1, 0.1, below_ml=1.0, **more),
    "split": lambda **more: region_islands.split_islands(LABELS, 1, [3], **more),
    "grow": lambda **more: region_margin.grow(LABELS, 1, MM, 3.0, **more),
    "shrink": lambda **more: region_margin.shrink(LABELS, 1, MM, 3.0, **more),
    "hollow": lambda **more: region_margin.hollow(LABELS, 1, MM, 3.0, **more),
    "median": lambda **more: region_smoothing.smooth_median(LABELS, 1, MM, 6.0, **more),
    "Gaussian": lambda **more: region_smoothing.smooth_gaussian(LABELS, 1, MM, 2.0, **more),
    "jointly": lambda **more: region_smoothing.smooth_jointly(LABELS, [1, 2], MM, 2.0, **more),
    "combine": lambda **more: region_logic.combine(LABELS, 1, 2, "union", MM, **more),
    "mirror": lambda **more: region_logic.mirror(LABELS, 1, GRID, into=3, **more),
    "threshold": lambda **more: region_threshold.threshold(LABELS, IMAGE, 1, 0, 50, **more),
    "seeds": lambda **more: region_seeds.grow_from_seeds(LABELS, IMAGE, MM, **more),
    "confident": lambda **more: region_flood.grow_confidently(
        LABELS, IMAGE, 1, (5, 10, 10), **more
    ),
}


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_says_how_far_it_is_until_it_is_done(tool: str) -> None:
    told: list[tuple[int, int]] = []
    report: Any = lambda done, total: told.append((done, total))  # noqa: E731
    assert TOOLS[tool](progress=report).voxels == TOOLS[tool]().voxels
    done = [one for one, _ in told]
    assert done == sorted(done)
    assert len({total for _, total in told}) == 1
    assert 0 < done[-1] <= told[-1][1]
    assert tool == "confident" or done[-1] == told[-1][1]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_is_called_off_gives_nothing(tool: str) -> None:
    with pytest.raises(Cancelled):
        TOOLS[tool](cancelled=lambda: True)
