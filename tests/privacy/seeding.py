"""Real and made headers with a known identifier in every text-like element, at every depth."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.multival import MultiValue

__all__ = ["SEED", "seeded", "structural"]

SEED = "QXSEEDPERSON"
_DATE, _TIME, _NUMBER, _UID = "19470203", "034507", "77345518", "1.2.826.77345518.4"
_AS = {
    "AE": SEED, "AS": "077Y", "CS": SEED, "DA": _DATE, "DS": _NUMBER, "DT": _DATE + _TIME,
    "IS": _NUMBER, "LO": SEED, "LT": f"seen by {SEED} on {_DATE}", "PN": f"{SEED}^ANNA",
    "SH": SEED, "ST": SEED, "TM": _TIME, "UC": SEED, "UI": _UID, "UR": f"http://{SEED}/a",
    "UT": f"{SEED} was here", "UN": SEED.encode(), "OB": SEED.encode() + b"\0\0",
}  # fmt: skip
NEEDLES = (SEED.encode(), _DATE.encode(), _UID.encode())

# Without these it is no image any more, and nobody would release it.
structural = frozenset(
    pydicom.datadict.tag_for_keyword(word)
    for word in (
        "SOPClassUID", "Modality", "PhotometricInterpretation", "NumberOfFrames", "PixelSpacing",
        "ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept",
        "SpecificCharacterSet", "ImageType", "FrameType", "TransferSyntaxUID",
    )
)  # fmt: skip


def seeded(path: Path, *, keep: frozenset[int | None] = structural) -> FileDataset | None:
    """A file whose text-like elements all hold the seed; None where it cannot be read or written.

    Elements with numbers in text (DS, IS) are left as they are: they are geometry.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = pydicom.dcmread(path, force=True)
            elements = list(_all(dataset))
            if "TransferSyntaxUID" not in dataset.file_meta or len(elements) < 5:
                return None
        except Exception:  # noqa: BLE001  # odd files of all kinds
            return None
        for parent, element in elements:
            if int(element.tag) in keep or element.tag == 0x7FE00010:
                continue
            if element.VR in {"DS", "IS"} and not element.tag.is_private:
                continue
            if element.VR in _AS:
                _put(parent, element)
        dataset.file_meta.ImplementationVersionName = SEED
        dataset.file_meta.SourceApplicationEntityTitle = SEED
        dataset.preamble = SEED.encode().ljust(128, b" ")
    return dataset


def _all(dataset: Dataset) -> Iterator[tuple[Dataset, DataElement]]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _all(item)
        else:
            yield dataset, element


def _put(parent: Dataset, element: DataElement) -> None:
    value = _AS[element.VR]
    several = isinstance(element.value, MultiValue) and element.VR not in {"UN", "OB"}
    new = [value] * len(element.value) if several else value
    mode = config.IGNORE
    parent[element.tag] = DataElement(element.tag, element.VR, new, validation_mode=mode)
