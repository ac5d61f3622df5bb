"""Kinds of objects that are not copied unless asked for: text, documents, screens with text."""

from typing import Final

from napari_medlabel.privacy.dicom_source import Source
from napari_medlabel.privacy.uids import is_well_known

__all__ = ["kind_of", "kind_of_class"]

_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
# PS3.4 table B.5-1.
_EXACT: Final = {
    "88.67": "dose-report", "88.68": "dose-report", "88.73": "dose-report", "88.59": "key-object",
    "66": "raw-data", "7": "secondary-capture", "7.1": "secondary-capture",
    "7.2": "secondary-capture", "7.3": "secondary-capture", "7.4": "secondary-capture",
    "481.5": "plan", "481.8": "plan", "481.4": "plan", "481.6": "plan", "481.7": "plan",
    "481.9": "plan",
}  # fmt: skip
_BELOW: Final = {
    "88.": "structured-report", "104.": "document", "11.": "presentation-state", "9.": "waveform",
}  # fmt: skip


def kind_of(sop_class: str, source: Source) -> str:
    """What kind of refused object it is; nothing where it is an image or the like."""
    if not sop_class:
        return "" if source.pixels is not None else "unknown"
    if kind := kind_of_class(sop_class):
        return kind
    return "document" if any(one.tag == 0x00420011 for one in source.dataset.elements) else ""


def kind_of_class(sop_class: str) -> str:
    """The same, as far as a SOP class that is there tells it."""
    if sop_class == "1.2.840.10008.1.3.10":
        return "directory"
    if not is_well_known(sop_class) or not sop_class.startswith(_ROOT):
        return "unknown"
    end = sop_class.removeprefix(_ROOT)
    below = next((kind for start, kind in _BELOW.items() if end.startswith(start)), "")
    return _EXACT.get(end, below)
