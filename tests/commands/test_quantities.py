"""A volume opened in another quantity: its values, what it is called, an import cut short."""

from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.derivation import Choice
from napari_medlabel.errors import InputError
from napari_medlabel.session import Session
from tests.formats.made_dicom import ramp, save, uid
from tests.formats.made_frames import pet

FACTOR = 70_000 / (1e8 / 2)  # g of body per Bq left of the dose


def write_pet(folder: Path, places: tuple[float, ...] = (0.0, 3.0, 6.0, 9.0)) -> Path:
    """Slices of PET at places in millimetres, all with the same values."""
    for n, z in enumerate(places):
        where = {"ImagePositionPatient": [0.0, 0.0, z], "SOPInstanceUID": uid("pet", n)}
        save(folder / f"{n}.dcm", pet(InstanceNumber=n + 1, **where))
    return folder


@pytest.fixture
def scanner(tmp_path: Path) -> Path:
    return write_pet(tmp_path / "pet")


def test_a_case_in_suv_has_its_values_its_unit_and_its_name(
    session: Session, scanner: Path
) -> None:
    (series,) = commands.scan(session, scanner).series
    assert series.volumes[0].quantities == ("SUVbw",)
    turned = commands.in_quantity(session, series, 0, "SUVbw")
    assert (turned.volumes[0].quantity, turned.volumes[0].quantities) == ("SUVbw", ())
    case = commands.open_series(session, turned, found_at=scanner)
    case.loading.wait()
    stored = commands.open_series(session, series, found_at=scanner)
    stored.loading.wait()
    assert (case.volume.unit, case.info.volume) == ("SUVbw", "SUVbw")
    assert (stored.volume.unit, stored.info.volume) == ("BQML", "")
    assert case.info.id != stored.info.id
    values = stored.volume.levels[0][:]
    np.testing.assert_allclose(values[0], ramp((5, 4, 6))[0] * 2.0)
    np.testing.assert_allclose(case.volume.levels[0][:], values * FACTOR, rtol=1e-6)
    for one in (case, stored):
        commands.close_case(session, one)


def test_values_are_turned_once_and_only_into_what_there_is(
    session: Session, scanner: Path
) -> None:
    (series,) = commands.scan(session, scanner).series
    turned = commands.in_quantity(session, series, 0, "SUVbw")
    for asked in (turned, series):
        with pytest.raises(InputError, match="no values called so"):
            commands.in_quantity(session, asked, 0, "SUVbw" if asked is turned else "ADC")
    with pytest.raises(InputError, match="no volume 2"):
        commands.in_quantity(session, series, 1, "SUVbw")


@pytest.mark.parametrize("irregular", ["refuse", "resample", "largest-run"])
def test_an_import_in_suv_that_was_cut_short_goes_on_in_suv(
    session: Session, tmp_path: Path, irregular: str
) -> None:
    regular = irregular == "refuse"
    heights = (0.0, 3.0, 6.0, 9.0) if regular else (0.0, 3.0, 6.0, 12.0)
    folder = write_pet(tmp_path / "pet", heights)
    (series,) = commands.scan(session, folder).series
    turned = commands.in_quantity(session, series, 0, "SUVbw")
    if not regular:
        made, index = commands.offer(session, turned, 0, Choice(irregular)).made()
        assert made.volumes[index].quantity == "SUVbw"
        assert made.volumes[index].quantities == ()  # not to be turned once more
        turned = made
    case = commands.open_series(session, turned, found_at=folder)
    case.loading.wait()
    values = case.volume.levels[0][:].copy()
    np.testing.assert_allclose(values[0], ramp((5, 4, 6))[0] * 2.0 * FACTOR, rtol=1e-6)
    commands.set_label(session, case, case.segmentation.schema.next_label())
    commands.close_case(session, case)
    catalogue = session.workspace.catalogue
    catalogue._update(case.info.id, state="importing")  # as a power cut leaves it
    image = session.workspace.image_path(case.info.id)
    image.rename(image.with_name("gone"))
    again = commands.open_case(session, case.info.id)
    again.loading.wait()
    np.testing.assert_array_equal(again.volume.levels[0][:], values)
    assert again.volume.unit == "SUVbw"
    commands.close_case(session, again)
