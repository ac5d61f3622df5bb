"""Where voxels are on the screen and what colour they have: numbers, without a window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.core.volume import Window
from napari_medlabel.ui.planes.colors import COLORMAPS, colored
from napari_medlabel.ui.planes.frame import Frame
from napari_medlabel.ui.planes.greys import (
    Palette,
    argb,
    greys,
    hatched,
    labelled_span,
    slice_of,
    tinted,
)

mm = st.floats(0.2, 8.0)
sizes = st.integers(1, 60)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    frame = Frame(
        draw(sizes), draw(sizes), draw(mm), draw(mm), upwards=draw(st.booleans()),
        width=draw(st.integers(60, 300)), height=draw(st.integers(60, 300)),
    ).fitted()  # fmt: skip
    zoomed = frame.zoomed(draw(st.floats(0.5, 6.0)), draw(st.floats(0, 60)), draw(st.floats(0, 60)))
    return zoomed.panned(draw(st.floats(-40, 40)), draw(st.floats(-40, 40)))


@given(frames(), st.floats(-10, 80), st.floats(-10, 80))
def test_a_place_and_its_pixel_are_each_other_s(frame: Frame, row: float, column: float) -> None:
    assert frame.place(*frame.px(row, column)) == pytest.approx((row, column), abs=1e-6)


@given(frames(), st.floats(0.3, 4.0), st.floats(0, 300), st.floats(0, 300))
def test_zooming_keeps_what_is_under_the_pointer(
    frame: Frame, factor: float, x: float, y: float
) -> None:
    assert frame.zoomed(factor, x, y).place(x, y) == pytest.approx(frame.place(x, y), abs=1e-6)


@given(frames())
def test_a_fitted_slice_is_all_in_sight_and_millimetres_are_alike(frame: Frame) -> None:
    fitted = frame.fitted()
    left, top, width, height = fitted.box_px(fitted.whole)
    assert left >= -1e-6
    assert top >= -1e-6
    assert left + width <= fitted.width + 1e-6
    assert top + height <= fitted.height + 1e-6
    assert abs(fitted.row_px) / fitted.row_mm == pytest.approx(fitted.column_px / fitted.column_mm)
    above = fitted.px(fitted.rows - 1, 0)[1] <= fitted.px(0, 0)[1]
    assert above == (fitted.upwards or fitted.rows == 1)


@given(frames())
def test_the_scale_bar_is_round_and_fits(frame: Frame) -> None:
    length_mm, pixels = frame.scale_bar()
    assert pixels == pytest.approx(length_mm * frame.zoom)
    assert 0.1 * frame.width <= pixels <= 0.25 * frame.width
    digits = f"{length_mm:.0e}"
    assert digits[0] in "125"
    assert float(digits) == pytest.approx(length_mm)


def test_a_resized_pane_shows_what_it_showed() -> None:
    frame = Frame(100, 80, 1.0, 1.0, width=200, height=200).fitted()
    assert frame.sized(400, 300) == Frame(100, 80, 1.0, 1.0, width=400, height=300).fitted()
    near = frame.zoomed(3.0, 50.0, 60.0)
    larger = near.sized(400, 400)
    assert (larger.row, larger.column) == (near.row, near.column)
    assert larger.zoom == pytest.approx(2.0 * near.zoom)


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.int8, np.uint8, np.int32, np.float32])
@pytest.mark.parametrize("inverted", [False, True])
def test_greys_are_those_of_the_window(dtype: type, *, inverted: bool) -> None:
    low = 0 if np.dtype(dtype).kind == "u" else -100
    values = np.linspace(low, 120, 64).astype(dtype).reshape(8, 8)
    shown = greys(values, Window(80.0, 20.0), inverted=inverted)
    part = np.clip((values.astype(np.float64) + 20.0) / 80.0, 0.0, 1.0)
    wanted = 1.0 - part if inverted else part
    assert np.abs(shown.astype(float) - 255.0 * wanted).max() <= 1.01


def test_what_is_no_number_is_black() -> None:
    shown = greys(np.array([[np.nan, np.inf, -np.inf, 0.5]]), Window(1.0, 0.5), inverted=False)
    np.testing.assert_array_equal(shown, [[0, 255, 0, 127]])


def test_slices_are_rows_and_columns_of_each_plane() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(slice_of(array, 0, 1), array[1])
    np.testing.assert_array_equal(slice_of(array, 1, 2), array[:, 2])
    np.testing.assert_array_equal(slice_of(array, 2, 3), array[:, :, 3])


labels = hnp.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)),
                    elements=st.integers(0, 3))  # fmt: skip
COLORS = {1: (1.0, 0.5, 0.0), 2: (0.2, 1.0, 0.8), 3: (0.2, 0.6, 0.5)}
PALETTE = Palette.of(COLORS, 2, fill=0.25, outline=1.0, highest=3)


@given(labels, st.data())
def test_a_part_is_painted_as_the_whole_is(plane: np.ndarray, data: st.DataObject) -> None:
    frame = Frame(*plane.shape, 1.5, 1.0, upwards=data.draw(st.booleans()), width=90, height=70)
    frame = frame.fitted()
    whole = _picture(tinted(plane, frame, (0, 0, 90, 70), PALETTE))
    x, y = data.draw(st.integers(0, 60)), data.draw(st.integers(0, 50))
    part = _picture(tinted(plane, frame, (x, y, 25, 15), PALETTE))
    np.testing.assert_array_equal(part[y : y + 15, x : x + 25], whole[y : y + 15, x : x + 25])
    mask = plane > 0
    striped = _picture(hatched(mask, frame, (0, 0, 90, 70), (1.0, 0.5, 0.0)))
    cut = _picture(hatched(mask, frame, (x, y, 25, 15), (1.0, 0.5, 0.0)))
    np.testing.assert_array_equal(cut[y : y + 15, x : x + 25], striped[y : y + 15, x : x + 25])


@given(labels)
def test_each_pixel_has_the_colour_of_its_voxel(plane: np.ndarray) -> None:
    frame = Frame(*plane.shape, 1.0, 1.0, width=200, height=200).fitted()
    picture = _picture(tinted(plane, frame, (0, 0, 200, 200), PALETTE), (200, 200))
    for row, column in np.ndindex(plane.shape):
        x, y = (int(n) for n in frame.px(row, column))
        found = picture[y, x]
        if plane[row, column] == 0:
            assert found == 0
            continue
        rgb = COLORS[int(plane[row, column])]
        strengths = {argb(rgb, strength) for strength in (0.25, 0.625, 1.0)}
        assert int(found) in strengths


def test_borders_run_along_voxel_edges_and_the_one_in_hand_is_wider() -> None:
    plane = np.zeros((9, 20), np.uint8)
    plane[2:7, 2:8], plane[2:7, 11:17] = 1, 2
    frame = Frame(9, 20, 1.0, 1.0, width=200, height=90, zoom=10.0, row=4.0, column=9.5)
    picture = _picture(tinted(plane, frame, (0, 0, 200, 90), PALETTE), (90, 200))
    row = picture[45]
    inside = {value: np.flatnonzero(row == argb(COLORS[value], 0.25)) for value in (1, 2)}
    whole = {value: np.flatnonzero(row == argb(COLORS[value], 1.0)) for value in (1, 2)}
    assert (whole[1].min(), whole[1].max()) == (20, 79)  # the voxels' own edges
    assert (whole[2].min(), whole[2].max()) == (110, 169)
    assert len(whole[2]) > len(whole[1])
    assert len(inside[2]) < len(inside[1])


def test_what_is_hidden_is_not_painted_and_nothing_is_nothing() -> None:
    plane = np.full((4, 4), 3, np.uint8)
    shown = Palette.of({1: COLORS[1]}, 1, fill=0.25, outline=1.0, highest=3)
    frame = Frame(4, 4, 1.0, 1.0, width=40, height=40).fitted()
    found = tinted(plane, frame, (0, 0, 40, 40), shown)
    assert found is None or not found[0].any()
    assert tinted(np.zeros((4, 4), np.uint8), frame, (0, 0, 40, 40), shown) is None
    assert labelled_span(plane) == (0, 4, 0, 4)


def test_a_colour_that_is_there_twice_has_a_dashed_outline() -> None:
    plane = np.zeros((9, 20), np.uint8)
    plane[2:7, 2:8], plane[2:7, 11:17] = 1, 2
    twice = Palette.of({1: COLORS[1], 2: COLORS[1]}, 0, fill=0.25, outline=1.0, highest=2)
    frame = Frame(9, 20, 1.0, 1.0, width=200, height=90, zoom=10.0, row=4.0, column=9.5)
    picture = _picture(tinted(plane, frame, (0, 0, 200, 90), twice), (90, 200))
    whole = argb(COLORS[1], 1.0)
    top_edge = picture[20]
    assert (top_edge[20:80] == whole).all()
    assert 0.3 < (top_edge[110:170] == whole).mean() < 0.7


def test_many_segments_keep_their_own_colours() -> None:
    many = {n: (n / 300.0, 0.5, 1.0 - n / 300.0) for n in range(1, 301)}
    palette = Palette.of(many, 7, fill=0.5, outline=0.0, highest=300)
    plane = np.arange(1, 301, dtype=np.uint16).reshape(15, 20)
    frame = Frame(15, 20, 1.0, 1.0, width=200, height=150, zoom=10.0, row=7.0, column=9.5)
    picture = _picture(tinted(plane, frame, (0, 0, 200, 150), palette), (150, 200))
    middles = picture[5::10, 5::10]
    wanted = [argb(many[int(value)], 0.5) for value in plane.ravel()]
    np.testing.assert_array_equal(middles.ravel(), wanted)


@pytest.mark.parametrize("name", COLORMAPS)
def test_a_second_image_is_clear_where_it_has_nothing(name: str) -> None:
    pixels = colored(np.array([[np.nan, -5.0, 0.0, 5.0, 10.0, 20.0]]), (0.0, 10.0), name)
    alpha = pixels >> 24
    assert list(alpha[0, :3]) == [0, 0, 0]
    assert alpha[0, 4] == alpha[0, 5] == 255
    for shift in (0, 8, 16):  # premultiplied
        assert ((pixels >> shift) & 255 <= alpha).all()


def _picture(
    found: tuple[np.ndarray, tuple[int, int, int, int]] | None, shape: tuple[int, int] = (70, 90)
) -> np.ndarray:
    """What was painted, where it belongs in a pane of that height and width."""
    margin = 300
    room = np.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin), np.uint32)
    if found is not None:
        pixels, (left, top, width, height) = found
        room[top + margin : top + margin + height, left + margin : left + margin + width] = pixels
    return room[margin : margin + shape[0], margin : margin + shape[1]]
