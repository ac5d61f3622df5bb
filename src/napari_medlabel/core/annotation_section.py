"""How an annotation that lies in a plane is cut by slices of the other two directions."""

import numpy as np

from napari_medlabel.core.annotation import PlanarShape
from napari_medlabel.core.annotation_lines import lines_on
from napari_medlabel.core.geometry import FloatArray, Geometry
from napari_medlabel.core.plane import Plane

__all__ = ["section_of"]


def section_of(shape: PlanarShape, plane: Plane, geometry: Geometry) -> tuple[FloatArray, ...]:
    """The straight lines along which a slice cuts what a planar shape encloses.

    Inside is by the even-odd rule, as everywhere for these shapes.

    Parameters
    ----------
    shape
        What lies in a plane.
    plane
        A slice across another axis.
    geometry
        Of the canonical grid.

    Returns
    -------
    tuple of arrays
        Each float64 `[2, 2]`, `(row, column)` of `plane`; none where the slice passes by.

    Raises
    ------
    ValueError
        If the slice is across the same axis as the shape's own.
    """
    own = shape.plane
    if plane.axis == own.axis:
        raise ValueError("a slice of the same direction does not cut across the shape")
    drawn = lines_on(shape, own, geometry)
    if drawn is None:  # a shape is always seen on its own slice
        return ()
    (ring,) = drawn.lines
    across = own.axes.index(plane.axis)  # the ring's coordinate along which the slice steps
    along = own.axes[1 - across]
    starts, ends = ring[:-1], ring[1:]
    # Half open, so that a corner on the slice is crossed once, not twice.
    cut = (starts[:, across] <= plane.index) != (ends[:, across] <= plane.index)
    starts, steps = starts[cut], ends[cut] - starts[cut]
    parts = (plane.index - starts[:, across]) / steps[:, across]
    places = np.sort(starts[:, 1 - across] + parts * steps[:, 1 - across])
    kji = np.zeros((places.size, 3))
    kji[:, own.axis], kji[:, plane.axis], kji[:, along] = own.index, plane.index, places
    lines: FloatArray = kji[:, plane.axes].reshape(-1, 2, 2)
    return tuple(lines)
