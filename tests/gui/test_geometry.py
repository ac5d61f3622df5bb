"""Geometry in a real window: the report, volumes to choose from, offers that are taken."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QPushButton

from napari_medlabel.ui.panel import EXPORT
from napari_medlabel.ui.series_card import SeriesCard
from napari_medlabel.ui.step_bars import StepBars
from tests.formats.made_dicom import SAGITTAL, oblique, ramp, save_all, stack
from tests.gui.real_window import Window, wait_until

GAP_MM = (0.0, 4.0, 8.0, 12.0, 24.0, 28.0)  # two slices missing


@pytest.fixture
def gap(tmp_path: Path) -> Path:
    return save_all(tmp_path / "Doe^Jane", stack(ramp((6, 20, 16)), GAP_MM))


def the_row(window: Window, folder: Path) -> SeriesCard:
    """Scan; the only row of the table."""
    window.desk.scan(folder)
    window.idle()
    (row,) = window.panel.page.series.rows
    assert row.isVisible()
    return row


def loaded(window: Window) -> None:
    window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "all slices")
    window.rest()


def button_called(place: object, words: str) -> QPushButton:
    found = [one for one in place.findChildren(QPushButton) if one.text() == words]
    assert len(found) == 1, [one.text() for one in place.findChildren(QPushButton)]
    return found[0]


def words_in(place: object) -> str:
    return "\n".join(one.text() for one in place.findChildren(QLabel) if one.isVisibleTo(place))


def test_a_refused_series_is_resampled_on_request_and_says_so(window: Window, gap: Path) -> None:
    row = the_row(window, gap)
    assert not row.opener.isVisible()
    assert "2 slices missing where the step is 4.00 mm" in words_in(row)
    assert "8 slices on a grid of 4.00 mm" in words_in(row)
    assert row.offers is not None
    form = row.offers.form
    window.click(row.offers.buttons[2])
    assert form.isVisible()
    assert window.desk.drawing is None  # nothing is done yet
    form.step.selectAll()
    QTest.keyClicks(form.step, "2")
    window.press("Return", to=form.step)
    wait_until(lambda: "15 slices on a grid of 2.00 mm" in form.words.text(), "the numbers")
    window.click(form.go)
    loaded(window)

    assert window.drawing.case.volume.shape == (15, 20, 16)
    card = window.panel.annotate.card
    assert card.chosen.words == "Resampled to 2.00 mm"
    assert "Not the scanner's own slices" in words_in(card)
    assert not card.warning.isVisible()
    window.click(card.chosen)
    report = window.panel.report
    assert report.isVisible()
    # From 12 to 24 mm no slice was there: its middle, 18 mm above the first, is slice 10.
    link = next(one for one in report.findChildren(QPushButton) if one.text() == "Slice 10 of 15")
    window.click(link)
    assert window.drawing.sight.position[0] == 9
    assert "Slice 10 of 15 is shown" in words_in(report)
    bars = report.findChild(StepBars)
    spot = bars.column_box(4).center().toPoint()  # from 24 to 28 mm
    window.click(bars, spot)
    assert window.drawing.sight.position[0] == 12
    window.press("Escape", to=report)
    assert not report.isVisible()
    assert "Doe" not in words_in(report) + report.windowTitle() + window.viewer.title


def test_a_mask_on_a_resampled_volume_goes_onto_the_scanner_s_slices_when_asked(
    window: Window, gap: Path, tmp_path: Path
) -> None:
    row = the_row(window, gap)
    assert row.offers is not None
    window.click(row.offers.buttons[2])
    window.click(row.offers.form.go)
    loaded(window)
    window.press("P")
    k, j, i = (n // 2 for n in window.drawing.case.volume.shape)
    window.stroke((k, j, i - 3), (k, j, i + 3))
    tab = window.panel.export
    window.panel.choose_tab(EXPORT)
    tab.set_folder(tmp_path / "out")
    assert "Not the scanner's own slices" in words_in(tab)
    window.click(next(one for one in tab.onto.children() if one.isWidgetType() and (
        one.accessibleName() == "Scanner's slices"
    )))  # fmt: skip
    window.click(tab.run)
    window.idle()
    assert window.desk.error is None
    assert tab.result.count() == 2
    shapes = [nibabel.load(one).shape for one in sorted((tmp_path / "out").glob("*.nii.gz"))]
    assert shapes == [(16, 20, 4), (16, 20, 2)]


def test_a_series_is_split_into_runs_and_one_is_chosen_by_keys(window: Window, gap: Path) -> None:
    row = the_row(window, gap)
    assert row.offers is not None
    row.offers.buttons[1].setFocus()
    window.press("Space", to=row.offers.buttons[1])
    window.idle()
    (row,) = window.panel.page.series.rows
    assert row.list is not None
    assert [row.list.itemText(n) for n in range(row.list.count())] == ["run 1", "run 2"]
    wait_until(lambda: not row._picture.pixmap().isNull(), "the picture")
    window.click(button_called(row, "Back to the series as it was found"))
    (found,) = window.panel.page.series.rows
    assert found.offers is not None
    window.click(found.offers.buttons[1])
    (row,) = window.panel.page.series.rows
    window.press("Down", to=row.list)
    assert "2 voxels" in words_in(row)
    window.press("Return", to=row.list)
    loaded(window)
    assert window.drawing.case.volume.shape == (2, 20, 16)
    assert "run 2" in words_in(window.panel.annotate.card)


def test_the_longest_run_says_what_it_leaves_out(window: Window, gap: Path) -> None:
    row = the_row(window, gap)
    assert row.offers is not None
    window.click(row.offers.buttons[0])
    loaded(window)
    card = window.panel.annotate.card
    assert window.drawing.case.volume.shape == (4, 20, 16)
    assert card.chosen.words == "Longest run"
    assert "2 of 6 slices left out" in words_in(card)


def test_the_amber_chip_opens_the_report_and_goes_to_the_slice(
    window: Window, tmp_path: Path
) -> None:
    images = stack(ramp((6, 20, 16)))
    for n, image in enumerate(images):
        image.SliceThickness = 9.0 if n in {0, 1} else 5.0
    row = the_row(window, save_all(tmp_path / "thick", images))
    assert row.warning.words == "Overlapping slices"
    window.click(row.warning)
    report = window.panel.report
    assert report.isVisible()
    assert not [one for one in report.findChildren(QPushButton) if one.text().startswith("Slice")]
    window.click(row.opener)
    loaded(window)
    assert not report.isVisible()  # it was of a series that is not what is looked at any more

    card = window.panel.annotate.card
    window.drawing.sight.move_along(0, 5)
    window.press("Tab", to=card.grid)
    window.click(card.warning)
    assert report.isVisible()
    assert not report.isModal()
    assert window.drawing.sight.position[0] == 0
    assert "Slices 5.00 mm thick are 4.00 mm apart." in words_in(report)
    window.press("P")  # the work goes on beside it
    assert window.drawing.choices.tool == "paint"
    window.click(button_called(report, "Copy report"))
    assert "Slices 5.00 mm thick" in QApplication.clipboard().text()
    window.panel.annotate.close_pressed.emit()
    window.idle()
    assert not report.isVisible()


def test_slices_that_lie_another_way_are_shown_in_their_own_plane(
    window: Window, tmp_path: Path
) -> None:
    folder = save_all(tmp_path / "sagittal", stack(ramp((6, 20, 16)), GAP_MM, SAGITTAL))
    row = the_row(window, folder)
    assert row.offers is not None
    window.click(row.offers.buttons[2])
    window.click(row.offers.form.go)
    loaded(window)
    window.drawing.sight.move_along(2, 0)
    window.click(window.panel.annotate.card.grid)
    assert window.drawing.sight.position[2] == 0  # it was not asked to go anywhere
    window.panel.report.jump_to_first()
    window.rest()
    assert window.drawing.choices.plane == 2
    shown = int(window.drawing.sight.position[2])
    volume = window.drawing.case.volume
    # 18 mm above the first slice along the normal of the slices, which is 5, 30 and 20 mm off.
    x = (volume.geometry.lps_from_kji @ np.array([0, 0, shown, 1.0]))[0]
    assert abs(abs(x - (-20.0)) - 18.0) <= 2.0


def test_a_regular_volume_has_no_chip_and_its_report_is_still_there(
    window: Window, study: Path
) -> None:
    window.open_study(study)
    card = window.panel.annotate.card
    assert not card.warning.isVisible()
    assert not card.chosen.isVisible()
    assert card.grid.words.startswith("14 slices")
    window.press("Tab")  # who comes by Tab presses buttons with Space; else it pans
    window.press("Space", to=card.grid)
    assert window.panel.report.isVisible()
    said = words_in(window.panel.report)
    assert "No problems were found" in said
    assert "4 mm, all alike" in said


def test_volumes_of_a_series_are_chosen_and_the_unusable_say_why(
    window: Window, tmp_path: Path
) -> None:
    images = [*stack(ramp((6, 20, 16)), GAP_MM, SAGITTAL), *stack(ramp((5, 20, 16)))]
    row = the_row(window, save_all(tmp_path / "two", images))
    assert row.list is not None
    assert row.volume.name == "axial"
    assert row.opener.isVisible()
    other = 1 - row.list.currentIndex()
    assert row.list.itemText(other) == "sagittal, cannot be opened"
    row.list.setFocus()
    window.press("Up" if other == 0 else "Down", to=row.list)
    assert row.volume.name == "sagittal"
    assert not row.opener.isVisible()
    assert "Cannot be opened" in words_in(row)
    assert row.offers is not None
    QTest.mouseClick(row, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(30, 30))
    window.rest()
    assert window.desk.drawing is None
    window.press("Down" if other == 0 else "Up", to=row.list)
    window.click(row)
    loaded(window)
    assert window.drawing.case.volume.shape[0] == 5


def test_a_tilted_volume_opens_as_it_was_scanned_and_resampling_is_offered(
    window: Window, tmp_path: Path
) -> None:
    images = stack(ramp((5, 20, 16)), orientation=oblique(15.0))
    for n, image in enumerate(images):
        image.ImagePositionPatient = [-20.0, 30.0, 5.0 + 4.0 * n]
    row = the_row(window, save_all(tmp_path / "tilted", images))
    assert row.warning.words == "Tilted by 15.0\N{DEGREE SIGN}"
    assert row.offers is not None
    assert [one.text() for one in row.offers.buttons] == [
        "Resample to a regular grid\N{HORIZONTAL ELLIPSIS}"
    ]
    window.click(row.offers, QPoint(6, 6))  # a click beside the buttons opens nothing
    window.click(row.offers.buttons[0])
    window.press("Return", to=row.offers.form.step)  # nor does Enter in a field
    assert window.desk.busy is None
    assert window.desk.drawing is None
    row.setFocus()
    window.press("Return", to=row)
    loaded(window)
    assert window.panel.annotate.card.warning.words == "Tilted by 15.0\N{DEGREE SIGN}"
    assert not window.panel.annotate.card.chosen.isVisible()
