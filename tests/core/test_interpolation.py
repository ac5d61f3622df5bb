"""Slices between drawn slices: laws on anything, shapes whose truth is known, real organs."""

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import BoolArray, Spacing
from napari_medlabel.core.interpolation import interpolate, undrawn_gaps
from napari_medlabel.core.metrics import dice
from napari_medlabel.errors import Cancelled, GeometryError, InputError
from napari_medlabel.testing import label_arrays

SHAPE = (7, 6, 6)
LABELS = label_arrays(SHAPE, (1, 2))
AXES = st.sampled_from([0, 1, 2])
SPACINGS = st.tuples(*[st.sampled_from([0.7, 1.0, 5.0])] * 3)
MM = (4.0, 1.0, 0.8)


def after(labels: LabelArray, edit: Edit) -> LabelArray:
    changed = labels.copy()
    assert edit.fits(changed)
    edit.write(changed)
    back = changed.copy()
    edit.inverse().write(back)
    np.testing.assert_array_equal(back, labels)
    return changed


def thinned(labels: LabelArray, axis: int, every: int) -> LabelArray:
    """Every n-th slice, the others empty."""
    kept = labels.copy()
    np.moveaxis(kept, axis, 0)[np.arange(labels.shape[axis]) % every != 0] = 0
    return kept


def disc(center: tuple[float, float], radius_mm: float, size: int = 64) -> BoolArray:
    j, i = np.ogrid[:size, :size]
    return ((j - center[0]) * MM[1]) ** 2 + ((i - center[1]) * MM[2]) ** 2 <= radius_mm**2


def stack(places: int, drawn: dict[int, BoolArray]) -> LabelArray:
    labels = np.zeros((places, *next(iter(drawn.values())).shape), np.uint8)
    for place, mask in drawn.items():
        labels[place][mask] = 1
    return labels


# Laws


@given(LABELS, SPACINGS, AXES, st.integers(2, 4), st.booleans())
def test_only_gaps_are_filled_and_only_by_those_who_have_them(
    labels: LabelArray,
    spacing_mm: Spacing,
    axis: int,
    every: int,
    over_others: bool,  # noqa: FBT001
) -> None:
    drawn = thinned(labels, axis, every)
    np.moveaxis(drawn, axis, 0)[1, 2, 3] = 2  # so that the two are not drawn on the same slices
    edit = interpolate(drawn, spacing_mm, axis=axis, over_others=over_others)
    changed = after(drawn, edit)
    for value in (1, 2):
        gained = np.moveaxis((changed == value) & (drawn != value), axis, 0)
        gaps = [n for a, b in undrawn_gaps(drawn, value, axis) for n in range(a + 1, b)]
        assert set(np.flatnonzero(gained.any(axis=(1, 2)))) <= set(gaps)
    if not over_others:
        np.testing.assert_array_equal(changed[drawn > 0], drawn[drawn > 0])


@given(LABELS, SPACINGS, st.permutations([0, 1, 2]))
def test_every_view_gives_the_same(
    labels: LabelArray, spacing_mm: Spacing, order: Sequence[int]
) -> None:
    drawn = thinned(labels, 0, 3)
    plain = after(drawn, interpolate(drawn, spacing_mm, axis=0))
    turned = np.ascontiguousarray(drawn.transpose(order))
    k, j, i = (spacing_mm[n] for n in order)
    if order.index(1) < order.index(2):  # else rows are columns, and ties may fall otherwise
        edit = interpolate(turned, (k, j, i), axis=list(order).index(0))
        np.testing.assert_array_equal(after(turned, edit), plain.transpose(order))


@given(st.integers(0, 2), st.integers(2, 6), st.booleans())
def test_a_shape_that_stays_is_continued_as_it_is(
    axis: int,
    gap: int,
    guided: bool,  # noqa: FBT001
) -> None:
    rng = np.random.default_rng(gap)
    blob = ndimage.gaussian_filter(rng.normal(size=(30, 30)), 2) > 0
    drawn = stack(gap + 1, {0: blob, gap: blob})
    turned = np.ascontiguousarray(np.moveaxis(drawn, 0, axis))
    image = np.full(turned.shape, 7.0) if guided else None
    filled = after(turned, interpolate(turned, (1.0, 1.0, 1.0), axis=axis, image=image))
    np.testing.assert_array_equal(
        np.moveaxis(filled, axis, 0) == 1, np.broadcast_to(blob, drawn.shape)
    )


# Shapes whose truth is known


def test_a_shape_that_moves_by_more_than_its_size_does_not_vanish() -> None:
    old, new = disc((12, 10), 5), disc((48, 50), 5)
    drawn = stack(9, {0: old, 8: new})
    filled = after(drawn, interpolate(drawn, MM))
    for place in range(9):
        center = ndimage.center_of_mass(filled[place])
        expected = np.array([12, 10]) + place / 8 * np.array([36, 40])
        np.testing.assert_allclose(center, expected, atol=0.3)
        assert np.count_nonzero(filled[place]) == pytest.approx(np.count_nonzero(old), rel=0.05)


def test_a_cone_becomes_a_cone_in_millimetres() -> None:
    radii = np.linspace(4, 22, 10)
    truth = stack(10, {place: disc((32, 32), radius) for place, radius in enumerate(radii)})
    drawn = stack(10, {0: disc((32, 32), radii[0]), 9: disc((32, 32), radii[9])})
    filled = after(drawn, interpolate(drawn, MM))
    assert min(dice(a == 1, b == 1) for a, b in zip(filled, truth, strict=True)) > 0.97


def test_a_ball_drawn_on_every_fourth_slice_is_round_in_between() -> None:
    k = np.arange(25)
    radii = np.sqrt(np.maximum(24.0**2 - ((k - 12) * 2.0) ** 2, 0))
    truth = stack(25, {n: disc((32, 32), r) for n, r in enumerate(radii)})
    drawn = thinned(truth, 0, 4)
    filled = after(drawn, interpolate(drawn, (2.0, *MM[1:])))
    inner = slice(4, 21)  # what is left are caps, of which one drawn slice is a single point
    assert dice(filled[inner] == 1, truth[inner] == 1) > 0.985


def test_one_shape_becomes_two_and_two_become_one() -> None:
    two = disc((32, 16), 9) | disc((32, 48), 9)
    for drawn in (
        stack(9, {0: disc((32, 32), 16), 8: two}),
        stack(9, {0: two, 8: disc((32, 32), 16)}),
    ):
        filled = after(drawn, interpolate(drawn, MM))
        counts = [ndimage.label(plane)[1] for plane in filled]
        assert min(counts) == 1
        assert counts in (sorted(counts), sorted(counts, reverse=True))
        assert max(counts) == 2


def test_a_part_without_a_counterpart_ends_halfway_and_harms_no_other() -> None:
    big = disc((32, 40), 12)
    drawn = stack(9, {0: big | disc((12, 8), 4), 8: big})
    filled = after(drawn, interpolate(drawn, MM))
    counts = [ndimage.label(plane)[1] for plane in filled]
    assert counts == [2, 2, 2, 2, 1, 1, 1, 1, 1]
    assert all((plane[big] == 1).all() for plane in filled)


def test_a_hole_stays_a_hole_even_when_it_moves() -> None:
    big = disc((32, 32), 24)
    drawn = stack(7, {0: big & ~disc((32, 20), 5), 6: big & ~disc((32, 44), 5)})
    filled = after(drawn, interpolate(drawn, MM))
    for place, plane in enumerate(filled):
        numbers, count = ndimage.label(plane == 0)
        assert count == 2
        hole = numbers == numbers[32, round(20 + 4 * place)]
        assert np.count_nonzero(hole) == pytest.approx(np.count_nonzero(disc((32, 20), 5)), rel=0.1)


def test_neighbours_that_touch_where_drawn_touch_in_between() -> None:
    big = disc((32, 32), 24)
    i = np.arange(64)[None]
    drawn = np.zeros((9, 64, 64), np.uint8)
    for place, border in ((0, 20), (8, 43)):
        drawn[place] = np.where(big, np.where(i < border, 1, 2), 0)
    filled = after(drawn, interpolate(drawn, MM))
    for place, plane in enumerate(filled):
        assert (plane > 0)[big].mean() > 0.98
        edge = np.count_nonzero(plane[32] == 1) + np.flatnonzero(big[32])[0]
        assert edge == pytest.approx(20 + place / 8 * 23, abs=1.5)


def test_other_segments_are_painted_over_only_when_asked() -> None:
    drawn = stack(5, {0: disc((32, 32), 10), 4: disc((32, 32), 10)})
    drawn[2, 30:34, 30:34] = 5
    filled = after(drawn, interpolate(drawn, MM, values=[1]))
    assert (filled[2, 30:34, 30:34] == 5).all()
    over = after(drawn, interpolate(drawn, MM, values=[1], over_others=True))
    np.testing.assert_array_equal(over[2] == 1, drawn[0] == 1)


def test_only_the_segments_asked_for_are_filled() -> None:
    drawn = stack(5, {0: disc((32, 12), 5), 4: disc((32, 12), 5)})
    drawn[[0, 4]] += 2 * disc((32, 50), 5).astype(np.uint8)
    assert interpolate(drawn, MM, values=[2]).gained().keys() == {2}
    assert interpolate(drawn, MM).gained().keys() == {1, 2}
    assert interpolate(drawn, MM, values=[9]).is_nothing


def test_the_image_pulls_the_border_to_its_edge() -> None:
    radii = 14 + 3 * np.sin(np.linspace(0, np.pi, 11))  # wider in between than the shapes say
    truth = stack(11, {n: disc((32, 32), r) for n, r in enumerate(radii)})
    image = ndimage.gaussian_filter(100.0 * truth, (0, 1, 1))
    image += np.random.default_rng(1).normal(0, 10, image.shape)
    drawn = stack(11, {0: truth[0] == 1, 10: truth[10] == 1})
    plain = after(drawn, interpolate(drawn, MM))
    guided = after(drawn, interpolate(drawn, MM, image=image.astype(np.int16), reach_mm=4.0))
    assert dice(plain == 1, truth == 1) < 0.95
    assert dice(guided == 1, truth == 1) > 0.96
    near = after(drawn, interpolate(drawn, MM, image=image, reach_mm=1.0))
    wider = ndimage.distance_transform_edt(plain[5] == 0, MM[1:])
    assert wider[near[5] == 1].max() <= 1.0 + MM[1]


# How it ends


def test_progress_is_told_slice_by_slice_and_cancelling_ends_it() -> None:
    drawn = stack(9, {0: disc((32, 32), 10), 4: disc((32, 36), 10), 8: disc((32, 40), 10)})
    told: list[tuple[int, int]] = []
    interpolate(drawn, MM, progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {6}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (6, 6)
    polls = iter([False, False, True])
    with pytest.raises(Cancelled):
        interpolate(drawn, MM, cancelled=lambda: next(polls))


def test_what_cannot_be_is_refused_and_no_gap_is_no_edit() -> None:
    drawn = stack(3, {0: disc((32, 32), 10), 1: disc((32, 32), 10)})
    assert interpolate(drawn, MM).is_nothing
    assert interpolate(np.zeros((3, 4, 5), np.uint16), MM).is_nothing
    with pytest.raises(InputError, match="no axis 3"):
        interpolate(drawn, MM, axis=3)
    with pytest.raises(InputError, match="spacing"):
        interpolate(drawn, (1.0, -1.0, 1.0))
    with pytest.raises(InputError, match="reach"):
        interpolate(drawn, MM, reach_mm=float("nan"))
    with pytest.raises(GeometryError):
        interpolate(drawn, MM, image=np.zeros((3, 4, 5)))


# Real masks


def loaded(path: Path) -> tuple[np.ndarray, Spacing]:
    image = nibabel.load(path)
    i, j, k = (float(step) for step in image.header.get_zooms()[:3])
    return np.asarray(image.dataobj).T, (k, j, i)


def kept_and_hidden(mask: BoolArray, axis: int, every: int) -> tuple[LabelArray, list[int]] | None:
    """Every n-th slice of an object, and the slices to be found; None for fewer than four."""
    turned = np.moveaxis(mask, axis, 0)
    places = np.flatnonzero(turned.any(axis=(1, 2)))
    kept = [n for n in range(places[0], places[-1] + 1, every) if turned[n].any()]
    if len(kept) < 4:
        return None
    drawn = np.zeros(mask.shape, np.uint8)
    np.moveaxis(drawn, axis, 0)[kept] = turned[kept]
    return drawn, [n for n in range(kept[0], kept[-1]) if n not in kept]


def found_again(
    labels: np.ndarray, spacing_mm: Spacing, axis: int, every: int,
    image: np.ndarray | None = None,
) -> list[float]:  # fmt: skip
    """Dice of the interpolated slices of each label with four kept slices or more."""
    scores = []
    for value, box in enumerate(ndimage.find_objects(labels.astype(np.int32)), 1):
        case = None if box is None else kept_and_hidden(labels[box] == value, axis, every)
        if case is None:
            continue
        drawn, hidden = case
        part = None if image is None else image[box]
        filled = after(drawn, interpolate(drawn, spacing_mm, axis=axis, image=part))
        found, truth = (
            np.moveaxis(array, axis, 0)[hidden] for array in (filled == 1, labels[box] == value)
        )
        scores.append(dice(found, truth))
    return scores


@pytest.mark.parametrize(
    ("axis", "least"),
    [(0, (0.975, 0.950, 0.930)), (1, (0.98, 0.96, 0.92)), (2, (0.98, 0.96, 0.92))],
)
def test_a_brain_is_found_again(
    shared_data: Path, axis: int, least: tuple[float, float, float]
) -> None:
    path = shared_data / "t1-brain-mask" / "bet_tcia_example_t1c_mask.nii.gz"
    if not path.is_file():
        pytest.skip(f"{path.name} is not there")
    labels, spacing_mm = loaded(path)
    for every, bound in zip((3, 5, 8), least, strict=True):
        (score,) = found_again(labels, spacing_mm, axis, every)
        assert score >= bound


@pytest.mark.parametrize(("every", "least", "guided"), [(3, 0.89, 0.91), (8, 0.85, 0.87)])
def test_organs_are_found_again_and_better_with_the_image(
    shared_data: Path, every: int, least: float, guided: float
) -> None:
    folder = shared_data / "ct-multiorgan"
    if not (folder / "example_ct_labels.nii.gz").is_file():
        pytest.skip("the labelled CT is not there")
    labels, spacing_mm = loaded(folder / "example_ct_labels.nii.gz")
    image, _ = loaded(folder / "example_ct.nii.gz")
    shapes = found_again(labels, spacing_mm, 0, every)
    both = found_again(labels, spacing_mm, 0, every, image)
    assert len(shapes) > 30
    assert np.mean(shapes) > least
    assert np.mean(both) > guided
