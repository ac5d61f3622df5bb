"""Which frames are looked at one by one, and why: decided by risk, whatever a flag says.

A plain section of CT, MR or PET rarely has text in it, and projections of its series show what
there is. That is an allow-list: whatever is not plain in every respect is looked at frame by
frame. BurnedInAnnotation=NO counts for nothing, since pages full of text say it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from napari_medlabel.formats.dicom_pictures import Picture

__all__ = ["PLAIN", "causes_to_look"]

PLAIN: Final = ""

_ROOT: Final = "1.2.840.10008.5.1.4.1.1."
_SECTIONS: Final = frozenset(
    _ROOT + end
    for end in (
        *("2", "4", "128"),  # CT, MR, PET
        *("2.1", "2.2", "4.1", "4.4", "128.1", "130"),  # the same, enhanced
        *("66.4", "66.7"),  # segmentations: masks on such sections
    )
)
_MODALITIES: Final = frozenset({"CT", "MR", "PT", "SEG"})
# Values 3 and later of ImageType by which makers name views, screens, reports and protocols.
_WORDS: Final = frozenset({
    *("LOCALIZER", "SCOUT", "TOPOGRAM", "SURVEY"),
    *("SCREEN SAVE", "SCREENSAVE", "CAPTURE", "DOSE", "DOSE_INFO", "REPORT", "PROT", "PROTOCOL"),
    *("CSAPARALLEL", "CSA REPORT", "CSA RESULT", "RESULT", "3D RENDERING", "VRT", "FUSED"),
})  # fmt: skip
_WIDEST: Final = 1024  # pixels of a section's side


def causes_to_look(pictures: Sequence[Picture]) -> list[str]:
    """Why each picture is looked at frame by frame, in words without a value of its header.

    Parameters
    ----------
    pictures
        Of one series.

    Returns
    -------
    list of str
        One for each; `PLAIN` where projections of the series are enough.
    """
    usual = Counter(one.shape for one in pictures).most_common(1)
    return [_cause(one, usual[0][0]) for one in pictures]


def _cause(picture: Picture, usual: tuple[int, int]) -> str:
    for words, is_so in _CAUSES:
        if is_so(picture):
            return words
    return PLAIN if picture.shape == usual else "of another size than its series"


def _is_derived(picture: Picture) -> bool:
    kind = picture.facts.image_type
    return len(kind) > 1 and kind[0] == "DERIVED" and kind[1] == "SECONDARY"


def _is_told_otherwise(picture: Picture) -> bool:
    """Whether its ImageType is none that a plain section has."""
    kind = picture.facts.image_type
    return len(kind) < 2 or kind[0] not in {"ORIGINAL", "DERIVED"} or kind[1] != "PRIMARY"


_CAUSES: Final[tuple[tuple[str, Callable[[Picture], bool]], ...]] = (
    ("said to hold text", lambda one: one.flag.upper() == "YES"),
    ("in colour", lambda one: one.space != "grey"),
    ("no section of CT, MR or PET by its class", lambda one: one.facts.sop_class not in _SECTIONS),
    ("of a modality at risk", lambda one: one.facts.modality not in _MODALITIES),
    ("converted from something else", lambda one: bool(one.conversion)),
    ("a localizer, a capture or a report", lambda one: not _WORDS.isdisjoint(one.facts.image_type)),
    ("derived and secondary", _is_derived),
    ("of a kind that is not told", _is_told_otherwise),
    ("of an unusual size", lambda one: max(one.shape) > _WIDEST),
)
