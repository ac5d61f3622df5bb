"""Makers' own elements: whose they are, and where their block lies (PS3.5 7.8.1).

An element (gggg,bbee) belongs to the maker named in (gggg,00bb). What is read of them is known by
the first block, 10; here elements of other blocks are brought there, and those of other makers
left out. Where nobody is named, since that was removed, they are taken as they are.
"""

from collections.abc import MutableMapping
from typing import Any, Final

from napari_medlabel.formats.dicom_tags import Tag

__all__ = ["PRIVATE_TAGS", "settle"]

_BLOCKS: Final = range(0x10, 0x14)
# What the names of their blocks begin with, in capitals.
_MAKERS: Final = {
    Tag.MOSAIC_TILES: "SIEMENS MR HEADER",
    Tag.B_VALUE_SIEMENS: "SIEMENS MR HEADER",
    Tag.GRADIENT_SIEMENS: "SIEMENS MR HEADER",
    Tag.GRADIENT_X_GE: "GEMS_ACQU",
    Tag.GRADIENT_Y_GE: "GEMS_ACQU",
    Tag.GRADIENT_Z_GE: "GEMS_ACQU",
    Tag.CSA_IMAGE: "SIEMENS CSA HEADER",
    Tag.B_VALUE_GE: "GEMS_PARM",
    Tag.B_VALUE_PHILIPS: "PHILIPS IMAGING DD",
    Tag.SCALE_INTERCEPT_PHILIPS: "PHILIPS MR IMAGING DD",
    Tag.SCALE_SLOPE_PHILIPS: "PHILIPS MR IMAGING DD",
    Tag.B_VALUE_UIH: "IMAGE PRIVATE HEADER",
    Tag.GRADIENT_UIH: "IMAGE PRIVATE HEADER",
    Tag.TILES_UIH: "IMAGE PRIVATE HEADER",
    Tag.TILE_PLACES_UIH: "IMAGE PRIVATE HEADER",
    Tag.SUV_FACTOR_PHILIPS: "PHILIPS PET PRIVATE",
    Tag.ACTIVITY_FACTOR_PHILIPS: "PHILIPS PET PRIVATE",
}
_GROUPS: Final = frozenset(tag >> 16 for tag in _MAKERS)


def _moved(tag: int, block: int) -> int:
    return tag & 0xFFFF00FF | block << 8


PRIVATE_TAGS: Final = frozenset(
    {_moved(tag, block) for tag in _MAKERS for block in _BLOCKS}
    | {group << 16 | block for group in _GROUPS for block in _BLOCKS}
)


def settle(values: MutableMapping[int, bytes], *others: MutableMapping[int, Any]) -> None:
    """Bring makers' own elements to the block that they are known by, in place.

    Parameters
    ----------
    values
        By tag; the names of the makers are among them.
    others
        What else was found by tag: places, items.
    """
    names = {
        tag: raw.decode("latin-1").strip(" \0").upper()
        for tag, raw in values.items()
        if tag >> 16 in _GROUPS and tag & 0xFFFF in _BLOCKS
    }
    if not names:
        return
    for tag, maker in _MAKERS.items():
        group = tag >> 16 << 16
        own = next(
            (b for b in _BLOCKS if names.get(group | b, "").startswith(maker)),
            0x10 if group | 0x10 not in names else None,
        )
        for one in (values, *others):
            kept = one.get(_moved(tag, own)) if own is not None else None
            one.pop(tag, None)
            if kept is not None:
                one[tag] = kept
