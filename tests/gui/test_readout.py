"""The words of the status line and the view bar, decided without a window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.directions import vector
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Window
from napari_medlabel.testing import geometries
from napari_medlabel.ui import readout
from napari_medlabel.ui.readout import Readout
from napari_medlabel.ui.view_bar_state import ViewBarState, parsed, preset_words

COORDINATE = st.floats(-9999.0, 9999.0)


@pytest.mark.parametrize(
    ("lps_mm", "words"),
    [
        ((-14.0, -64.4, 18.0), "R 14.0  A 64.4  H 18.0 mm"),
        ((14.0, 64.4, -18.0), "L 14.0  P 64.4  F 18.0 mm"),
        ((0.0, -0.0, 0.04), "L 0.0  P 0.0  H 0.0 mm"),
        ((-0.04, -0.06, 1234.56), "L 0.0  A 0.1  H 1234.6 mm"),
    ],
)
def test_positions_are_written_with_the_letters_of_their_side(
    lps_mm: tuple[float, float, float], words: str
) -> None:
    assert readout.position_words(lps_mm) == words


@given(st.tuples(COORDINATE, COORDINATE, COORDINATE))
def test_a_position_can_be_read_back_to_a_twentieth_of_a_millimetre(
    lps_mm: tuple[float, float, float],
) -> None:
    words = readout.position_words(lps_mm).removesuffix(" mm").split()
    back = sum(
        float(mm) * np.array(vector(letter))
        for letter, mm in zip(words[::2], words[1::2], strict=True)
    )
    np.testing.assert_allclose(back, lps_mm, atol=0.0501)


@given(st.integers(0, 2), st.floats(-999.9, 999.9))
def test_a_coordinate_below_a_metre_always_takes_the_same_room(axis: int, mm: float) -> None:
    assert len(readout.axis_words(axis, mm)) == len("R 999.9")


@given(geometries(), st.data())
def test_the_position_of_a_voxel_follows_the_affine_of_any_grid(
    grid: Geometry, data: st.DataObject
) -> None:
    kji = data.draw(st.tuples(*[st.integers(0, n - 1) for n in grid.shape]))
    shown = readout.readout(grid, kji, 1.0)
    lps_mm = grid.lps_from_kji[:3, :3] @ np.array(kji) + grid.lps_from_kji[:3, 3]
    said = "  ".join(shown.position).replace(readout.FIGURE_SPACE, "")
    assert f"{said} mm" == readout.position_words([float(n) for n in lps_mm])
    assert shown.voxel == str(list(kji))


GRID = Geometry.from_spacing((4, 6, 8), (5.0, 1.0, 0.5), (-10.0, -20.0, 30.0))


def test_between_two_centres_the_position_is_exact_and_the_voxel_the_nearer_one() -> None:
    shown = readout.readout(GRID, (0.6, 2.4, 7.49), 97, "HU", ("Liver", "#FF8000"))
    pad = readout.FIGURE_SPACE
    assert shown == Readout(
        (f"R {pad * 2}6.3", f"A {pad}17.6", f"H {pad}33.0"), "[1, 2, 7]", "97 HU", "Liver",
        "#FF8000",
    )  # fmt: skip


@pytest.mark.parametrize("kji", [(-0.6, 0, 0), (4, 0, 0), (0, 5.5, 0), (0, 0, 7.5)])
def test_outside_the_volume_nothing_is_said(kji: tuple[float, float, float]) -> None:
    assert readout.readout(GRID, kji, 97, "HU") == Readout()


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (97, "HU", "97 HU"), (np.int16(-1024), "HU", "\N{MINUS SIGN}1024 HU"), (0.0, "", "0"),
        (2.35071, "SUVbw", "2.351 SUVbw"), (-0.5, "", "\N{MINUS SIGN}0.5000"),
        (1234.56, "", "1235"), (np.float32(0.1), "", "0.1000"), (-0.0, "", "0"),
        (0.00012, "", "1.2e-04"), (float("nan"), "HU", "\N{EN DASH} HU"),
    ],
)  # fmt: skip
def test_values_are_said_with_their_unit(value: float, unit: str, words: str) -> None:
    assert readout.value_words(value, unit) == words


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (Window(400, 50), "W 400  L 50"), (Window(1500, -600), "W 1500  L \N{MINUS SIGN}600"),
        (Window(0.5, 0.25), "W 0.5  L 0.25"),
        (Window(333.4, -0.001), "W 333  L \N{MINUS SIGN}0.001"),
        (Window(2481.7, 1240.9), "W 2482  L 1241"),
    ],
)  # fmt: skip
def test_windows_are_said_shortly(window: Window, words: str) -> None:
    assert readout.window_words(window) == words


def test_the_first_nine_presets_have_a_key() -> None:
    lung = Window(1500, -600, "Lung")
    assert preset_words(lung, 1) == "Lung   W 1500  L \N{MINUS SIGN}600\tAlt+2"
    assert preset_words(lung, 8).endswith("\tAlt+9")
    assert "\t" not in preset_words(lung, 9)


def test_the_preset_that_is_on_gives_its_name() -> None:
    windows = (Window(400, 50, "Soft tissue"), Window(1500, -600, "Lung"))
    assert ViewBarState(windows=windows, window=Window(1500, -600)).preset_name == "Lung"
    assert ViewBarState(windows=windows, window=Window(1400, -600)).preset_name == "Own window"


@pytest.mark.parametrize(
    ("width", "level", "window"),
    [
        ("400", "50", Window(400, 50)), (" 1500 ", "\N{MINUS SIGN}600", Window(1500, -600)),
        ("0,5", "-1e-3", Window(0.5, -0.001)), ("0", "50", None), ("-1", "5", None),
        ("", "5", None), ("4", "x", None), ("inf", "0", None), ("1", "nan", None),
    ],
)  # fmt: skip
def test_a_typed_window_is_taken_only_where_it_is_one(
    width: str, level: str, window: Window | None
) -> None:
    assert parsed(width, level) == window
