"""Known parts of the body found without a model: by density, brightness, size and place."""

from napari_medlabel.core.automatic.finding import PARTS, Found, Part, find, part_of
from napari_medlabel.core.automatic.naming import label_for_part

__all__ = ["PARTS", "Found", "Part", "find", "label_for_part", "part_of"]
