"""Where slices cut shapes that lie in a plane of another direction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.annotation import EllipseRoi, OrientedBox, Polygon, RectangleRoi
from napari_medlabel.core.annotation_inside import inside
from napari_medlabel.core.annotation_section import section_of
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane

GRID = Geometry.from_spacing((20, 30, 40), (3.0, 1.0, 1.5), (-10.0, 4.0, 100.0))
EDGES = st.floats(0.25, 28.75).map(lambda n: round(n * 4) / 4 + 0.125)  # never a voxel's centre


def test_a_rectangle_is_cut_from_edge_to_edge() -> None:
    shape = RectangleRoi(Plane(0, 7), (10.0, 5.0), (20.0, 25.0))
    (coronal,) = section_of(shape, Plane(1, 12), GRID)
    np.testing.assert_allclose(coronal, [[7.0, 5.0], [7.0, 25.0]])
    (sagittal,) = section_of(shape, Plane(2, 6), GRID)
    np.testing.assert_allclose(sagittal, [[7.0, 10.0], [7.0, 20.0]])
    assert section_of(shape, Plane(1, 9), GRID) == ()


def test_a_shape_in_a_sagittal_plane_is_cut_by_axial_slices_too() -> None:
    shape = RectangleRoi(Plane(2, 30), (4.0, 10.0), (8.0, 20.0))  # rows k, columns j
    (axial,) = section_of(shape, Plane(0, 5), GRID)
    np.testing.assert_allclose(axial, [[10.0, 30.0], [20.0, 30.0]])


def test_a_hollow_outline_is_cut_in_pieces() -> None:
    u = ((2.0, 2.0), (12.0, 2.0), (12.0, 6.0), (6.0, 6.0), (6.0, 10.0), (12.0, 10.0),
         (12.0, 14.0), (2.0, 14.0))  # fmt: skip
    lines = section_of(Polygon(Plane(0, 3), u), Plane(1, 9), GRID)
    assert [line[:, 1].tolist() for line in lines] == [[2.0, 6.0], [10.0, 14.0]]


def test_a_corner_on_the_slice_counts_once() -> None:
    diamond = Polygon(Plane(0, 3), ((2.0, 8.0), (8.0, 14.0), (14.0, 8.0), (8.0, 2.0)))
    assert len(section_of(diamond, Plane(1, 8), GRID)) == 1
    touched = section_of(diamond, Plane(1, 2), GRID)
    assert all(float(np.ptp(line[:, 1])) == 0.0 for line in touched)


@given(st.sampled_from(["ellipse", "turned", "polygon"]), st.integers(0, 29), st.data())
def test_the_cut_holds_the_voxels_that_are_inside(
    kind: str, index: int, data: st.DataObject
) -> None:
    low, high = sorted([data.draw(EDGES), data.draw(EDGES)]), sorted([data.draw(EDGES)] * 2)
    own = Plane(0, 4)
    shape: EllipseRoi | OrientedBox | Polygon
    if kind == "ellipse":
        shape = EllipseRoi(own, (low[0], high[0]), (low[1] + 1.0, high[1] + 9.0))
    elif kind == "turned":
        angle = data.draw(st.floats(-90.0, 90.0))
        shape = OrientedBox(own, (low[0], high[0]), (13.0, 6.0), angle)
    else:
        drawn = st.lists(st.tuples(EDGES, EDGES), min_size=3, max_size=8)
        shape = Polygon(own, tuple(data.draw(drawn)))
    lines = section_of(shape, Plane(1, index), GRID)
    box, where = inside(shape, GRID)
    row = np.zeros(GRID.shape, bool)
    row[box] = where
    centres = np.flatnonzero(row[4, index])
    told = [n for n in range(40) if any(a[1] - 0.3 <= n <= b[1] + 0.3 for a, b in lines)]
    # An ellipse is drawn with 72 corners, a little inside of itself.
    assert set(centres.tolist()) <= set(told)
    strictly = [n for n in range(40) if any(a[1] + 1e-6 < n < b[1] - 1e-6 for a, b in lines)]
    assert set(strictly) <= set(centres.tolist())


def test_its_own_direction_is_no_cut() -> None:
    with pytest.raises(ValueError, match="same direction"):
        section_of(RectangleRoi(Plane(0, 7), (1.0, 5.0), (2.0, 25.0)), Plane(0, 7), GRID)
