"""Copies of DICOM files whose pixels were changed, written uncompressed."""

import warnings
from io import BytesIO
from pathlib import Path

import pydicom.config
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRLittleEndian

from napari_medlabel.errors import InputError

__all__ = ["save_copy"]


def save_copy(dataset: Dataset, target: Path, *, implicit: bool) -> None:
    """Write a data set with uncompressed pixels, little-endian.

    Parameters
    ----------
    dataset
        Its header as it was read, its pixel data new; its file meta is completed.
    target
        A new file.
    implicit
        Whether its elements are written without their VR, as they were read.

    Raises
    ------
    InputError
        If something in the header cannot be written.
    """
    meta = dataset.file_meta
    if not implicit:
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
    wide = implicit or int(dataset.BitsAllocated) > 8
    dataset["PixelData"].VR = "OW" if wide else "OB"
    dataset["PixelData"].is_undefined_length = False
    for keyword, own in (
        ("MediaStorageSOPClassUID", "SOPClassUID"),
        ("MediaStorageSOPInstanceUID", "SOPInstanceUID"),
    ):
        if not meta.get(keyword) and dataset.get(own):
            setattr(meta, keyword, dataset.get(own))
    packed = BytesIO()
    try:
        with warnings.catch_warnings(), pydicom.config.disable_value_validation():
            warnings.simplefilter("ignore")
            dcmwrite(packed, dataset, implicit_vr=implicit, little_endian=True, force_encoding=True)
    except Exception as error:  # whatever it is about, it may hold a value
        raise InputError("its header cannot be written again") from error
    target.write_bytes(packed.getvalue())
