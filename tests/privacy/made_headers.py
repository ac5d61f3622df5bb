"""CT files of an invented patient, with a word of theirs in every place that one can think of."""

import io
import warnings
from pathlib import Path

import numpy as np
from pydicom import config, dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence

from tests.formats.made_dicom import one_slice, save, uid

__all__ = ["NAME", "SECRETS", "patient", "plain", "reread", "write"]

NAME = "Zwiebelturm^Leonore"
# What must not be found in any form: the parts that are looked for in every byte.
SECRETS = (
    "zwiebelturm", "leonore", "zx-4711-9", "acc-88231", "19331224", "moosburg", "quittenbaum",
)  # fmt: skip


def plain(number: int = 1, **elements: object) -> Dataset:
    """One CT slice, as any scanner makes it; `elements` add, change or (None) remove."""
    stored = (np.arange(35, dtype=np.int16) * number).reshape(5, 7)
    made = one_slice(stored, (1.0, 2.0, 3.0 * number), number)
    made.PatientName, made.PatientID = NAME, "ZX-4711-9"
    made.PatientBirthDate, made.PatientSex, made.PatientAge = "19331224", "F", "090Y"
    made.SOPInstanceUID = uid("instance", number)
    made.AccessionNumber, made.StudyID = "ACC-88231", "17"
    made.StudyDate, made.SeriesDate = "20240131", "20240131"
    made.AcquisitionDate, made.ContentDate = "20240201", "20240201"
    made.StudyTime, made.ContentTime = "101112", "101530.25"
    made.InstitutionName, made.InstitutionAddress = "Klinikum Moosburg", "Am Platz 1"
    made.ReferringPhysicianName = "Quittenbaum^Horst^^Dr"
    made.StudyDescription = "CT chest - 91F Dr Quittenbaum"
    made.SeriesDescription = "Thorax axial 3mm Zwiebelturm"
    made.ProtocolName, made.StationName = "Thorax", "MOOSCT1"
    made.Manufacturer, made.ManufacturerModelName = "SIEMENS", "SOMATOM Definition AS+"
    made.ConvolutionKernel, made.BodyPartExamined, made.KVP = "B30f", "CHEST", "120"
    made.SliceThickness, made.PatientPosition = "3", "HFS"
    made.DeviceSerialNumber = "SN-55129"
    for keyword, value in elements.items():
        if value is None:
            del made[keyword]
        else:
            setattr(made, keyword, value)
    return made


def patient() -> Dataset:
    """A slice with the patient's name where no list would look for it."""
    made = plain()
    block = made.private_block(0x0029, "ZWIEBEL PRIVATE 1", create=True)
    block.add_new(0x01, "LO", "Zwiebelturm")
    block.add_new(0x02, "OB", b"Zwiebelturm, Leonore\0\0")
    block.add_new(0x03, "SQ", [_nested(3)])
    made.RequestAttributesSequence = [_nested(10)]
    made.SourceImageSequence = [_nested(2)]
    _odd(made, 0x00091234, "UN", b"Leonore Zwiebelturm")
    _odd(made, 0x00180080, "LO", "Zwiebelturm")  # repetition time, as text
    _odd(made, 0x00181151, "DS", "Leonore")  # tube current
    _odd(made, 0x00080018, "UI", uid("instance", 1))
    _odd(made, 0x00200052, "UI", "Zwiebelturm.1")  # a name in a UID
    _odd(made, 0x00280010, "US", 5)
    _odd(made, 0x00189999, "LO", "Zwiebelturm")  # in no dictionary
    _odd(made, 0x60003000, "OW", b"Zwiebelturm Leonore ")
    _odd(made, 0x60004000, "LT", "Zwiebelturm")
    _odd(made, 0x50000022, "LO", "Zwiebelturm")
    _odd(made, 0xFFFCFFFC, "OB", b"Zwiebelturm " * 4)
    made.IconImageSequence = [_nested(1)]
    made.ImageType = ["ORIGINAL", "PRIMARY", "ZWIEBELTURM"]
    made.ScanOptions = "ZWIEBELTURM"
    made.ContrastBolusAgent = "Omnipaque for Zwiebelturm"
    made.AnatomicRegionSequence = [_code("T-D3000", "SRT", "Chest of Leonore")]
    made.ProcedureCodeSequence = [_code("ZWIEBEL1", "99LOCAL", "Zwiebelturm")]
    return made


def write(path: Path, dataset: Dataset, *syntax: str) -> Path:
    """The dataset as a file with the patient's name in its preamble."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom dislikes what these values are
        save(path, dataset, *syntax)
    data = bytearray(path.read_bytes())
    data[:24] = b"Zwiebelturm Leonore     "
    path.write_bytes(bytes(data))
    return path


def reread(data: bytes) -> FileDataset:
    """Bytes as a data set."""
    return dcmread(io.BytesIO(data))


def _nested(depth: int) -> Dataset:
    """Sequences in sequences, the name in each."""
    item = Dataset()
    _odd(item, 0x00100010, "PN", NAME)
    _odd(item, 0x00081030, "LO", "of Zwiebelturm")
    _odd(item, 0x00180015, "CS", "ZWIEBELTURM")
    _odd(item, 0x00081155, "UI", uid("instance", 1))
    if depth > 1:
        item.add_new(0x00082112, "SQ", Sequence([_nested(depth - 1)]))
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _odd(dataset: Dataset, tag: int, vr: str, value: object) -> None:
    dataset[tag] = DataElement(tag, vr, None, validation_mode=config.IGNORE)
    if vr == "PN":
        dataset[tag].value = value
    else:
        dataset[tag]._value = value  # as no writer with manners would
