"""The DICOM files that a volume came from, found again by their instances' UIDs."""

import warnings
import zipfile
from pathlib import Path
from typing import Any, Final

from pydicom import dcmread
from pydicom.dataset import Dataset

from napari_medlabel.core.volume import Source
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener, Place, find_files, open_regular
from napari_medlabel.formats.dicom_header import HeaderError, NotDicom, read_header
from napari_medlabel.formats.dicom_odd import Bounded

__all__ = ["original_header"]

_INSTANCE: Final = 0x00080018


def original_header(folder: Path, source: Source) -> Dataset:
    """The header of an instance of a volume, once all of its instances have been found.

    It names the patient: it is only for files that are written to do so.

    Parameters
    ----------
    folder
        Where the image's files are, at any depth.
    source
        Of the volume.

    Raises
    ------
    InputError
        If one of the volume's instances is not there.
    """
    if not folder.is_dir():
        raise InputError("the folder of originals is not there", "name that of the image's files")
    missing = {one.uid for one in source.instances}
    count = len(missing)
    header: Dataset | None = None
    with Opener() as opener:
        for candidate in find_files(folder)[0]:
            uid = _instance_uid(candidate.place, opener)
            if uid in missing:
                missing.remove(uid)
                header = header or _read(Path(candidate.place.path))
    if missing or header is None:
        raise InputError(
            f"{len(missing)} of the image's {count} instances are not in the folder of originals",
            "name the folder that the case was imported from",
        )
    return header


def _instance_uid(place: Place, opener: Opener) -> str:
    try:
        file, size = opener.open(place)
        with file:
            raw = read_header(file, size, frozenset({_INSTANCE})).values.get(_INSTANCE, b"")
    except (NotDicom, HeaderError, OSError, EOFError, zipfile.BadZipFile):
        return ""
    return raw.decode("latin-1").strip(" \0")


def _read(path: Path) -> Dataset:
    try:
        file, size = open_regular(str(path))
        with file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bounded: Any = Bounded(file, size)
            return dcmread(bounded, force=True, stop_before_pixels=True)
    except Exception as error:  # pydicom fails in many ways on a damaged header
        raise InputError("the header of one of the image's files is damaged") from error
