"""Known parts of the body found without a model: by density, brightness, size and place."""

from napari_medlabel.core.automatic.finding import PARTS, Found, Part, find, part_of

__all__ = ["PARTS", "Found", "Part", "find", "part_of"]
