"""Which segment a part goes to."""

from dataclasses import replace

from napari_medlabel.core.automatic.finding import Part
from napari_medlabel.core.schema import Label
from napari_medlabel.core.segmentation import Segmentation

__all__ = ["label_for_part"]


def label_for_part(segmentation: Segmentation, part: Part, active: int = 0) -> Label:
    """The label that a part goes to.

    The one that has its name; else the segment in hand, as long as nothing is drawn of it and its
    name is only a number, with the part's name and code from then on; else a new one.
    """
    schema = segmentation.schema
    for label in schema:
        if label.name.casefold() == part.name.casefold():
            return label
    named = replace(schema.next_label(part.name), code=part.code, modifiers=part.modifiers)
    held = schema.get(active)
    if held is None or held.value in segmentation.locked or segmentation.voxels(held.value):
        return named
    if held.name.casefold() != f"segment {held.value}" or held.code is not None:
        return named
    return replace(held, name=named.name, code=part.code, modifiers=part.modifiers)
