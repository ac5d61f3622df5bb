"""A mask file into an open case through its window, by real events."""

from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_medlabel import commands, formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.ui.import_window import ImportWindow
from tests.gui.real_window import Window, wait_until


@pytest.fixture
def opened(window: Window, study: Path) -> Window:
    """A small CT with a segment."""
    window.open_study(study)
    window.click(window.panel.annotate.add)
    if not window.drawing.choices.tool:
        window.press("P")
    k, j, i = (n // 2 for n in window.drawing.case.volume.shape)
    window.stroke((k, j, i - 8), (k, j, i + 8))
    return window


def show(window: Window, path: Path) -> ImportWindow:
    """Choose a file as a person does, and wait for its segments."""
    shown = window.panel.segment_windows.importing.window
    entries = window.panel.annotate.segments.case_menu().actions()
    next(one for one in entries if one.text().startswith("Import mask")).trigger()
    dialog = next(
        one for one in QApplication.topLevelWidgets()
        if isinstance(one, QFileDialog) and one.isVisible()
    )  # fmt: skip
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    wait_until(lambda: shown.chosen() or shown.error.isVisible(), "the mask's segments")
    return shown


def mask_of(window: Window) -> np.ndarray:
    labels = np.zeros_like(window.drawing.case.segmentation.labels)
    labels[2:4, 10:20, 10:20] = 1
    labels[9:11, 30:40, 20:30] = 5
    return labels


def test_chosen_segments_come_in_where_they_were_told_and_one_undo_takes_them_out(
    opened: Window, tmp_path: Path
) -> None:
    seg = opened.drawing.case.segmentation
    before, steps = seg.labels.copy(), len(seg.history)
    formats.write(mask_of(opened), seg.geometry, tmp_path / "m.nrrd")
    shown = show(opened, tmp_path / "m.nrrd")
    assert shown.chosen() == {1: 1, 5: 0}  # the value that is known goes where it is
    first = shown._rows[0].take
    opened.click(first, QPoint(8, first.height() // 2))
    assert shown.take.text() == "Import 1 segment"
    opened.click(first, QPoint(8, first.height() // 2))
    shown.choose(1, into=0)
    shown.choose(5, into=1)
    opened.click(shown.take)
    wait_until(lambda: not shown.isVisible(), "the import")
    after = before.copy()
    (new,) = [label.value for label in seg.schema if label.value != 1]
    after[2:4, 10:20, 10:20] = new
    after[9:11, 30:40, 20:30] = 1
    np.testing.assert_array_equal(seg.labels, after)
    assert len(seg.history) == steps + 1
    opened.press("Ctrl+Z")
    np.testing.assert_array_equal(seg.labels, before)
    assert [label.value for label in seg.schema] == [1]


def test_another_grid_is_said_with_numbers_and_resampled_only_when_asked(
    opened: Window, tmp_path: Path
) -> None:
    seg = opened.drawing.case.segmentation
    lps_from_kji = seg.geometry.lps_from_kji.copy()
    lps_from_kji[:3, 2] *= 2.0
    lps_from_kji[:3, 3] += lps_from_kji[:3, 2] / 4.0  # both grids share voxel borders
    coarse = np.zeros((*seg.geometry.shape[:2], seg.geometry.shape[2] // 2), np.uint8)
    coarse[5, 20:25, 5:10] = 1
    formats.write(coarse, Geometry(coarse.shape, lps_from_kji), tmp_path / "m.nii.gz")
    shown = show(opened, tmp_path / "m.nii.gz")
    assert shown.differs.isVisible()
    times = "\N{MULTIPLICATION SIGN}"
    assert f"25 {times} 60 {times} 14 voxels, not 50 {times} 60 {times} 14" in (
        shown.grid_words.text()
    )
    assert not shown.take.isEnabled()
    assert shown.why.text() == "Resample it first"
    opened.click(shown.resample, QPoint(8, shown.resample.height() // 2))
    assert shown.take.isEnabled()
    shown.choose(1, into=0)
    opened.click(shown.take)
    wait_until(lambda: not shown.isVisible(), "the import")
    found = np.argwhere(seg.labels == 2)
    assert (found.min(axis=0).tolist(), found.max(axis=0).tolist()) == ([5, 20, 10], [5, 24, 19])


def test_a_mask_over_a_locked_segment_is_refused_whole(opened: Window, tmp_path: Path) -> None:
    seg = opened.drawing.case.segmentation
    commands.lock_label(opened.session, opened.drawing.case, 1)
    before = seg.labels.copy()
    formats.write(np.full_like(before, 4), seg.geometry, tmp_path / "m.nii.gz")
    shown = show(opened, tmp_path / "m.nii.gz")
    opened.click(shown.take)
    wait_until(shown.error.isVisible, "the refusal")
    assert shown.error.shown is not None
    assert "locked" in f"{shown.error.shown.title} {shown.error.shown.text}".lower()
    np.testing.assert_array_equal(seg.labels, before)
    assert shown.isVisible()


def test_a_file_without_labels_is_refused_without_its_name(opened: Window, tmp_path: Path) -> None:
    path = tmp_path / "Doe_John.nii.gz"
    image = np.linspace(-3.0, 3.0, 14 * 60 * 50, dtype=np.float32).reshape(14, 60, 50)
    formats.write(image, opened.drawing.case.segmentation.geometry, path)
    shown = show(opened, path)
    card = shown.error.shown
    assert card is not None
    assert "labels" in f"{card.title} {card.text}"
    assert "Doe" not in f"{card.title} {card.text} {card.details}"
    assert not shown.take.isEnabled()
