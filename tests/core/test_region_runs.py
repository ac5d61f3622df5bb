"""What hangs together with a voxel, against SciPy's numbering of the whole array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from napari_medlabel.core import region_runs
from napari_medlabel.core.geometry import BoolArray, Index
from napari_medlabel.core.region_runs import region_around
from napari_medlabel.errors import Cancelled
from napari_medlabel.testing import shapes


@st.composite
def masks_and_seeds(draw: st.DrawFn) -> tuple[BoolArray, Index]:
    shape = draw(shapes(7))
    mask = draw(hnp.arrays(bool, shape))
    k, j, i = (draw(st.integers(0, n - 1)) for n in shape)
    return mask, (k, j, i)


@given(masks_and_seeds(), st.sampled_from([None, 0, 1, 2]), st.sampled_from([0, 3_000_000]))
def test_the_region_is_the_island_of_the_seed_in_its_smallest_box(
    case: tuple[BoolArray, Index], axis: int | None, most_runs: int
) -> None:
    mask, seed = case
    part = mask
    if axis is not None:
        part = np.zeros_like(mask)
        here = tuple(slice(seed[n], seed[n] + 1) if n == axis else slice(None) for n in range(3))
        part[here] = mask[here]
    numbers, _ = ndimage.label(part)
    truth = (numbers == numbers[seed]) & part
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_runs, "_FIRST", 0)
        patch.setattr(region_runs, "_MOST_RUNS", most_runs)
        box, found = region_around(mask.__getitem__, seed, mask.shape, axis=axis)
    whole = np.zeros_like(mask)
    whole[box] = found
    np.testing.assert_array_equal(whole, truth)
    if truth.any():
        (smallest,) = ndimage.find_objects(truth.astype(int))
        assert box == smallest


def test_a_way_that_leads_down_and_up_again_is_found() -> None:
    mask = np.zeros((40, 5, 9), bool)
    mask[:, 2, 1] = mask[39, 2, :] = mask[:, 2, 7] = True  # a U
    box, found = region_around(mask.__getitem__, (0, 2, 7), mask.shape)
    assert found.sum() == mask.sum()
    assert box == (slice(0, 40), slice(2, 3), slice(0, 9))


def test_only_slices_are_looked_at_that_the_region_may_reach() -> None:
    mask = np.zeros((200, 4, 4), bool)
    mask[95:105] = True
    seen: list[int] = []
    region_around(
        lambda box: seen.append(box[0].start) or mask[box], (100, 1, 1), mask.shape  # type: ignore[func-returns-value]
    )  # fmt: skip
    assert len(seen) == len(set(seen)) == 17


def test_it_can_be_called_off_and_says_how_far_it_is() -> None:
    mask = np.ones((30, 4, 4), bool)
    told: list[tuple[int, int]] = []
    region_around(
        mask.__getitem__, (0, 0, 0), mask.shape,
        progress=lambda done, total: told.append((done, total)),
    )  # fmt: skip
    assert told == [(n + 1, 30) for n in range(30)]
    with pytest.raises(Cancelled):
        region_around(mask.__getitem__, (0, 0, 0), mask.shape, cancelled=lambda: True)
