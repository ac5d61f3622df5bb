"""Full disks, vanished folders, shares that may not be written, odd stacks: in the window."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import nibabel
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.phantom import write_ct_series
from tests.gui.real_window import Window, wait_until

MOUNT = shutil.which("mount")
SMALL_DISK = "24m"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, that a test can fill or make read-only."""
    place = tmp_path / "disk"
    place.mkdir()
    if MOUNT is None or _mount("-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", place) != 0:
        pytest.skip("needs a small disk: only an administrator may mount one")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def _mount(*options: object) -> int:
    call = [str(MOUNT), *(str(one) for one in options)]
    return subprocess.run(call, check=False, capture_output=True).returncode


def fill_up(place: Path) -> Path:
    """Leave not one byte free."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return filler


def middle(window: Window) -> tuple[int, int, int]:
    k, j, i = window.drawing.case.volume.shape
    return k // 2, j // 2, i // 2


def paint(window: Window, shift: int = 0) -> None:
    if window.drawing.choices.tool != "paint":
        window.press("P")
    k, j, i = middle(window)
    window.stroke((k, j + shift, i), (k, j + shift, i + 4))


def paint_until_refused(window: Window) -> None:
    """Stroke after stroke: the first ones may fit into what the files have left."""
    k, j, i = middle(window)
    for n in range(400):
        if window.drawing.case.saved().kind == "failed":
            return
        window.stroke((k, j - 15 + n % 30, i - 15), (k, j + 15 - n % 30, i + 15))
    raise AssertionError("the disk takes everything")


def reopen(window: Window) -> None:
    (recent,) = window.desk.recent()
    window.desk.open_case(recent.id)
    window.idle()


def write_ct(folder: Path, shape: tuple[int, int, int]) -> Path:
    k, j, _i = np.ogrid[: shape[0], : shape[1], : shape[2]]
    hu = np.broadcast_to((k % 100) * 5 + j, shape).astype(np.int16)
    write_ct_series(folder, hu, Geometry.from_spacing(shape, (1.0, 1.0, 1.0)))
    return folder


def test_a_full_disk_is_told_in_words_and_the_stroke_is_saved_once_there_is_room(
    open_windows: Callable[..., Window], small_disk: Path, study: Path
) -> None:
    window = open_windows(small_disk / "workspace")
    window.open_study(study)
    paint(window)
    segmentation = window.drawing.case.segmentation
    segmentation.settle()
    filler = fill_up(small_disk)
    before = segmentation.voxels(1)
    paint_until_refused(window)
    wait_until(lambda: window.drawing.state.saved_kind == "failed", "the words", 5.0)
    assert "disk is full" in window.drawing.state.saved
    status = window.desk.workplace.status
    wait_until(lambda: "disk is full" in status.saved.words, "the words in the status line", 5.0)
    assert status.remedy.isVisible()
    kept = segmentation.labels.copy()
    assert np.count_nonzero(kept) > before  # what was drawn is still in memory, and on screen
    filler.unlink()
    window.click(status.remedy)
    wait_until(lambda: window.drawing.state.saved_kind == "saved", "the stroke on disk", 10.0)
    paint(window, 14)
    drawn = segmentation.labels.copy()
    window.desk.close_case()
    window.idle()
    reopen(window)
    np.testing.assert_array_equal(window.drawing.case.segmentation.labels, drawn)


def test_a_full_disk_does_not_lose_the_stroke_when_the_case_is_closed(
    open_windows: Callable[..., Window], small_disk: Path, study: Path
) -> None:
    window = open_windows(small_disk / "workspace")
    window.open_study(study)
    paint(window)
    window.drawing.case.segmentation.settle()
    filler = fill_up(small_disk)
    paint_until_refused(window)
    drawn = window.drawing.case.segmentation.labels.copy()
    window.desk.close_case()
    window.idle()
    # What was drawn may just fit into what closing sets free; else the case stays open.
    said = window.desk.error.title.lower() if window.desk.error else ""
    assert window.desk.drawing is None or "disk is full" in said
    filler.unlink()
    window.desk.close_case()
    window.idle()
    assert window.desk.drawing is None
    reopen(window)
    np.testing.assert_array_equal(window.drawing.case.segmentation.labels, drawn)


def test_a_case_whose_folder_is_removed_says_so_and_the_window_lives_on(
    window: Window, study: Path, tmp_path: Path
) -> None:
    window.open_study(study)
    paint(window)
    window.drawing.case.segmentation.settle()
    journals = list((tmp_path / "workspace").rglob("journal*"))
    folder = journals[0].parent
    shutil.rmtree(folder)
    for shift in (-14, -7, 7):
        paint(window, shift)
    wait_until(lambda: window.drawing.state.saved_kind == "failed", "the words", 5.0)
    assert str(tmp_path) not in window.drawing.state.saved
    window.press("Up")  # it can be looked at meanwhile
    assert window.drawing.sight.position[0] == middle(window)[0] + 1
    window.desk.close_case()
    window.idle()
    assert window.desk.error is not None
    assert str(tmp_path) not in f"{window.desk.error}"
    assert folder.name not in window.desk.error.title


def test_on_a_share_that_may_not_be_written_a_case_opens_to_be_looked_at(
    open_windows: Callable[..., Window], small_disk: Path, study: Path
) -> None:
    first = open_windows(small_disk / "workspace")
    first.open_study(study)
    paint(first)
    drawn = first.drawing.case.segmentation.voxels(1)
    first.desk.close_case()
    first.idle()
    first.panel.shut()
    if _mount("-o", "remount,ro", small_disk) != 0:
        pytest.skip("this system does not let a file system be made read-only")
    second = open_windows(small_disk / "workspace")
    reopen(second)
    assert second.drawing.read_only
    assert second.drawing.state.card.chip == "Read only"
    assert second.drawing.case.segmentation.voxels(1) == drawn
    paint(second, 9)
    assert second.drawing.case.segmentation.voxels(1) == drawn


def test_the_second_of_two_windows_may_draw_once_the_first_has_put_the_case_away(
    open_windows: Callable[[], Window], study: Path
) -> None:
    first, second = open_windows(), open_windows()
    first.open_study(study)
    paint(first)
    drawn = first.drawing.case.segmentation.voxels(1)
    reopen(second)
    assert second.drawing.read_only
    second.desk.close_case()
    second.idle()
    first.desk.close_case()
    first.idle()
    reopen(second)
    assert not second.drawing.read_only
    assert second.drawing.case.segmentation.voxels(1) == drawn
    paint(second, 9)
    assert second.drawing.case.segmentation.voxels(1) > drawn


def test_a_stack_of_one_slice_is_drawn_on_in_every_view(window: Window, tmp_path: Path) -> None:
    folder = write_ct(tmp_path / "one", (1, 40, 36))
    window.desk.scan(folder)
    window.idle()
    if window.desk.drawing is None:  # it is said that one slice is no volume, and asked
        window.desk.open_row(window.desk.found[0])
        window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "the slice")
    window.rest()
    window.press("P")
    for number in range(3):
        window.drawing.looking.set_plane(number)
        window.rest(0.1)
        before = window.drawing.case.segmentation.voxels(1)
        window.stroke((0, 12 + 5 * number, 9), (0, 12 + 5 * number, 13))
        assert window.drawing.case.segmentation.voxels(1) > before
    window.drawing.looking.set_plane(0)
    for key in ("Up", "Down", "PgUp", "PgDown", "Home", "End", ".", ",", "G"):
        window.press(key)
    assert window.drawing.sight.position[0] == 0
    assert window.desk.error is None


def test_two_thousand_slices_stream_in_and_share_columns_of_the_strip(
    window: Window, tmp_path: Path
) -> None:
    folder = write_ct(tmp_path / "long", (2000, 24, 20))
    window.desk.scan(folder)
    window.idle()
    drawing = window.drawing  # open before all of it is read
    wait_until(lambda: drawing.case.loading.finished, "all slices", 120.0)
    drawing.tools.set_tool("paint")
    drawing.tools.set_size(3.0)
    for k in (700, 704, 1500):
        drawing.sight.move_to((k, 12, 10))
        window.rest(0.05)
        window.stroke((k, 12, 10))
    assert set(drawing.case.segmentation.slices(1)) == {700, 704, 1500}
    window.rest(0.3)
    strip = window.desk.workplace.strip
    plot = strip.plot
    picture = plot.grab().toImage()
    assert plot.width() < 2000  # so that columns hold more than one slice
    amber = [
        x for x in range(picture.width()) if any(
            picture.pixelColor(x, y).red() > picture.pixelColor(x, y).blue() + 60
            for y in range(picture.height() // 2)
        )
    ]  # fmt: skip
    # From the first labelled slice to the last there are gaps, which win over a label.
    assert np.array([amber[0], amber[-1]]) / picture.width() == pytest.approx(
        np.array([700, 1500]) / 2000, abs=0.03
    )
    window.press("End")
    assert drawing.sight.position[0] == 1999
    assert drawing.sight.value_at((1999, 5, 5)) == (1999 % 100) * 5 + 5


def test_each_volume_of_a_series_in_time_can_be_chosen(window: Window, tmp_path: Path) -> None:
    voxels = np.zeros((12, 14, 10, 3), np.int16)
    for n in range(3):
        voxels[..., n] = 100 * (n + 1)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([2.0, 2.0, 3.0, 1.0])), tmp_path / "4d.nii.gz")
    window.desk.scan(tmp_path / "4d.nii.gz")
    window.idle()
    (row,) = window.desk.found
    assert len(row.volumes) == 3
    for number, volume in enumerate(row.volumes):
        window.desk.open_row(row, volume)
        window.idle()
        wait_until(lambda: window.drawing.case.loading.finished, "all slices")
        assert window.drawing.sight.value_at((5, 6, 7)) == 100 * (number + 1)
    assert len(window.desk.recent()) == 3


@pytest.mark.parametrize("way", ["close the case", "close the window"])
def test_closing_right_after_a_stroke_keeps_it(
    open_windows: Callable[[], Window], study: Path, way: str
) -> None:
    window = open_windows()
    window.open_study(study)
    window.drawing.tools.set_tool("paint")
    k, j, i = middle(window)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    place = window.pixel((k, j, i))
    QTest.mousePress(window.canvas, left, none, place)
    QTest.mouseMove(window.canvas, window.pixel((k, j, i + 6)))
    QTest.mouseRelease(window.canvas, left, none, window.pixel((k, j, i + 6)))
    drawn = window.drawing.case.segmentation.labels.copy()
    assert drawn.any()
    if way == "close the case":
        window.desk.close_case()  # not one turn of the loop in between
        window.idle()
    else:
        window.panel.shut()
        window.viewer.close()
        window = open_windows()
    reopen(window)
    np.testing.assert_array_equal(window.drawing.case.segmentation.labels, drawn)


def test_closing_under_the_hand_leaves_the_case_as_it_was_before_the_stroke(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    paint(window)
    drawn = window.drawing.case.segmentation.labels.copy()
    k, j, i = middle(window)
    QTest.mousePress(
        window.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        window.pixel((k, j + 9, i)),
    )  # fmt: skip
    QApplication.processEvents()
    window.desk.close_case()
    window.idle()
    assert window.desk.error is None
    reopen(window)
    np.testing.assert_array_equal(window.drawing.case.segmentation.labels, drawn)
