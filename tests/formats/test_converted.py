"""Single frames that another library has put into one enhanced object read as they did."""

import logging
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, MRImageStorage, PositronEmissionTomographyImageStorage

import napari_medlabel as medlabel
from tests.formats.made_dicom import oblique, ramp, save, stack, uid

SHAPE = (5, 4, 6)
KINDS = {
    "CT": (CTImageStorage, "LegacyConvertedEnhancedCTImage"),
    "MR": (MRImageStorage, "LegacyConvertedEnhancedMRImage"),
    "PT": (PositronEmissionTomographyImageStorage, "LegacyConvertedEnhancedPETImage"),
}


def classic(modality: str, **elements: object) -> list[Dataset]:
    """A stack with all that the converter asks for."""
    slices = stack(
        ramp(SHAPE), None, oblique(), SOPClassUID=KINDS[modality][0], Modality=modality, **elements
    )
    for dataset in slices:
        for keyword in ("StudyID", "AccessionNumber", "StudyDate", "StudyTime", "PatientBirthDate",
                        "PatientSex", "ReferringPhysicianName", "Manufacturer"):  # fmt: skip
            setattr(dataset, keyword, "")
        dataset.SliceThickness = 4.0
    return slices


def converted(path: Path, slices: list[Dataset], modality: str) -> Path:
    """One enhanced object of all slices."""
    from highdicom import legacy  # slow to import

    logging.getLogger("highdicom").setLevel(logging.CRITICAL)
    read = [as_read(path.with_name(f"{n}.dcm"), one) for n, one in enumerate(slices)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = getattr(legacy, KINDS[modality][1])(
            read, series_instance_uid=uid("new"), series_number=9, sop_instance_uid=uid("one"),
            instance_number=1,
        )  # fmt: skip
        whole.save_as(path)
    return path


def as_read(path: Path, dataset: Dataset) -> Dataset:
    """The dataset as pydicom reads it from a file."""
    return pydicom.dcmread(save(path, dataset))


@pytest.mark.parametrize("modality", KINDS)
def test_converted_frames_are_where_and_what_the_single_ones_were(
    tmp_path: Path, modality: str
) -> None:
    for folder in ("single", "whole"):
        (tmp_path / folder).mkdir()
    slices = classic(modality)
    whole = converted(tmp_path / "single" / "x", slices, modality)
    moved = whole.rename(tmp_path / "whole" / "x")
    ours, theirs = medlabel.read(moved), medlabel.read(tmp_path / "single")
    assert ours.geometry.difference_mm(theirs.geometry) <= 1e-5
    np.testing.assert_array_equal(ours.levels[0][:], theirs.levels[0][:])
    assert ours.modality == modality


def test_converted_echoes_are_volumes(tmp_path: Path) -> None:
    (tmp_path / "single").mkdir()
    slices = [*classic("MR", EchoTime=5.0), *classic("MR", EchoTime=9.0)]
    for n, dataset in enumerate(slices, 1):
        dataset.InstanceNumber = n
        dataset.SOPInstanceUID = uid("echo", n)
    whole = converted(tmp_path / "single" / "x", slices, "MR").rename(tmp_path / "x")
    found = medlabel.read_sequence(whole)
    assert found.names == ("echo 1", "echo 2")
    np.testing.assert_array_equal(found.array[0], found.array[1])
