"""In which quantity a volume is opened, and the originals of a DICOM SEG: chosen in the window."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog, QLabel, QLineEdit

from napari_medlabel import commands
from napari_medlabel.session import local_session
from napari_medlabel.ui.advice import Advice
from napari_medlabel.ui.export_tab import ExportTab, ExportWish
from napari_medlabel.ui.panel import EXPORT
from napari_medlabel.ui.series_card import SeriesCard
from napari_medlabel.ui.state import CaseCard, SeriesRow, VolumeRow, series_rows
from tests.commands.test_quantities import FACTOR, write_pet
from tests.formats.made_dicom import ramp
from tests.gui.alone import press, settle, shown
from tests.gui.real_window import Window, wait_until

CASE = CaseCard("Case 0001", "CT", "In progress", "accent", "9 slices")


@pytest.fixture
def make_card(qapp: object, tmp_path: Path) -> Iterator[Callable[..., SeriesCard]]:
    """Makes the card of the only series in a folder."""
    assert qapp is not None
    session = local_session(tmp_path / "workspace")
    advice = Advice(session)

    def make(folder: Path) -> SeriesCard:
        (row,) = series_rows(commands.scan(session, folder).series)
        return SeriesCard(row, advice)

    yield make
    session.close()


def test_a_volume_offers_what_its_header_allows_and_is_opened_so(
    make_card: Callable[..., SeriesCard], tmp_path: Path
) -> None:
    card = make_card(write_pet(tmp_path / "pet"))
    wanted: list[tuple[SeriesRow, VolumeRow]] = []
    card.wanted.connect(lambda *told: wanted.append(told))
    with shown(card, 820):
        names = [card.quantity.list.itemText(n) for n in range(card.quantity.list.count())]
        assert names == ["As stored", "SUVbw"]
        QTest.mouseClick(card.opener, Qt.MouseButton.LeftButton)
        card.quantity.list.setFocus()
        press(card.quantity.list, "Down")
        QTest.mouseClick(card.opener, Qt.MouseButton.LeftButton)
        press(card.quantity.list, "Up")
        press(card, "Return")
    quantities = [row.series.volumes[volume.number].quantity for row, volume in wanted]
    assert quantities == ["", "SUVbw", ""]
    assert wanted[0][0] is card.shown


def test_what_is_made_of_irregular_slices_is_in_the_quantity_that_was_chosen(
    make_card: Callable[..., SeriesCard], tmp_path: Path
) -> None:
    card = make_card(write_pet(tmp_path / "pet", (0.0, 3.0, 6.0, 12.0, 18.0)))
    taken: list[object] = []
    card.offer_taken.connect(lambda row, offer: taken.append((row, offer)))
    with shown(card, 820):
        assert not card.opener.isVisible()
        assert card.offers is not None
        card.quantity.list.setFocus()
        press(card.quantity.list, "Down")
        QTest.mouseClick(card.offers.buttons[0], Qt.MouseButton.LeftButton)
        settle()
    ((row, offer),) = taken
    assert row is card.shown  # which the table knows
    assert [piece.quantity for piece in offer.pieces] == ["SUVbw"] * len(offer.pieces)
    assert all(piece.quantities == () for piece in offer.pieces)


def test_pet_is_opened_in_suv_from_the_table_and_the_case_says_so(
    window: Window, tmp_path: Path
) -> None:
    window.desk.scan(write_pet(tmp_path / "pet"))
    window.idle()
    page = window.panel.page.series
    assert page.isVisible()  # though it is the only series: there is something to choose
    (card,) = page.rows
    press(card.quantity.list, "Down")
    window.click(card.opener)
    window.idle()
    wait_until(lambda: window.drawing.case.loading.finished, "all slices")
    window.rest(0.2)
    case = window.drawing.case
    np.testing.assert_allclose(
        case.volume.levels[0][0], ramp((5, 4, 6))[0] * 2.0 * FACTOR, rtol=1e-6
    )
    said = [label.text() for label in window.panel.annotate.card.findChildren(QLabel)]
    assert "SUVbw" in said
    # As it is stored it may be laid over itself.
    assert [one.words for one in window.drawing.second.state.choices] == ["Series 1 · PT"]


# Export


@pytest.fixture
def tab(qapp: object) -> Iterator[ExportTab]:
    assert qapp is not None
    made = ExportTab()
    made.set_case(CASE, ())
    made.set_dicom(on=True)
    with shown(made, 304) as root:
        made.setMinimumHeight(560)
        root.resize(304, 600)
        settle()
        yield made


def test_originals_are_asked_for_where_a_dicom_seg_of_dicom_images_is_written(
    tab: ExportTab, tmp_path: Path
) -> None:
    wishes: list[ExportWish] = []
    tab.wanted.connect(wishes.append)
    tab.set_folder(tmp_path / "out")
    assert not tab.originals.isVisible()
    box = tab._formats["dicom-seg"]
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert tab.originals.isVisible()
    tab.run.click()
    QTest.keyClicks(tab.originals, str(tmp_path / "nowhere"))
    assert not tab.run.isEnabled()
    assert tab._why.text() == "The folder of the original images is not there."
    tab.set_originals(tmp_path)
    tab.run.click()
    tab.set_dicom(on=False)  # another case is open
    assert not tab.originals.isVisible()
    tab.run.click()
    assert [wish.originals for wish in wishes] == [None, tmp_path, None]
    tab.set_case(CaseCard("Case 0002", "CT", "In progress", "accent", ""), ())
    assert tab.originals.text() == ""


def test_with_the_originals_a_dicom_seg_names_the_patient_and_errors_name_nobody(
    window: Window, study: Path, tmp_path: Path
) -> None:
    window.open_study(study)
    k, j, i = window.drawing.sight.position
    window.press("P")
    window.stroke((k, j, i), (k, j, i + 5))
    tab = window.panel.export
    window.panel.choose_tab(EXPORT)
    window.rest(0.1)
    tab._formats["dicom-seg"].click()
    tab.set_folder(tmp_path / "out")
    wrong = tmp_path / "Doe^Jane"
    wrong.mkdir()
    tab.set_originals(wrong)
    window.click(tab.run)
    window.idle()
    card = window.desk.error
    assert card is not None
    assert "14 of the image's 14 instances" in card.title
    assert "Doe" not in card.title + card.text + card.details
    tab.originals_wanted.emit()
    window.rest(0.1)
    (dialog,) = window.panel.findChildren(QFileDialog)
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    field.setText(str(study))
    QTest.keyClick(field, Qt.Key.Key_Return)
    wait_until(lambda: tab.originals.text() == str(study), "the folder")
    window.click(tab.run)
    window.idle()
    assert window.desk.error is None
    (written,) = (tmp_path / "out").glob("*.seg.dcm")
    original = pydicom.dcmread(next(study.iterdir()))
    named = pydicom.dcmread(written)
    assert (named.PatientID, named.PatientName) == (original.PatientID, original.PatientName)
