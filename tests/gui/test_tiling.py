"""Views in gaps that can be dragged, whoever lays them out."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QWidget

from napari_medlabel.ui.planes.tiling import GAP_PX, Split, Tiling

ACROSS, DOWN = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def tiling(qapp: object) -> Iterator[Tiling]:  # noqa: ARG001  # widgets need one
    made = Tiling()
    made.resize(602, 402)
    made.show()
    yield made
    made.deleteLater()


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 300)), min_size=1, max_size=4),
    st.integers(0, 2000),
)
def test_parts_share_all_of_the_room(parts: list[tuple[float, int]], room: int) -> None:
    split = Split(ACROSS, [], [share for share, _ in parts], [least for _, least in parts])
    split.parts = [Split(DOWN, []) for _ in parts]
    sizes = split.sizes(room)
    assert sum(sizes) == room
    if sum(split.least) <= room and len(parts) * max(split.least) <= room:
        assert all(size >= least - 1 for size, least in zip(sizes, split.least, strict=True))


def test_the_same_widgets_are_laid_out_in_other_ways_and_stay_where_they_are(
    tiling: Tiling,
) -> None:
    one, two, three = (QWidget() for _ in range(3))
    tiling.arrange(Split(ACROSS, [one, Split(DOWN, [two, three])]))
    assert one.geometry() == QRect(0, 0, 300, 402)
    assert two.geometry() == QRect(300 + GAP_PX, 0, 300, 200)
    assert three.geometry() == QRect(300 + GAP_PX, 200 + GAP_PX, 300, 200)
    parents = [part.parent() for part in (one, two, three)]
    tiling.arrange(Split(ACROSS, [three]))
    assert three.geometry() == tiling.rect()
    assert not one.isVisible()
    assert not two.isVisible()
    assert [part.parent() for part in (one, two, three)] == parents


def test_a_gap_is_dragged_and_stops_at_the_least(tiling: Tiling) -> None:
    one, two = QWidget(), QWidget()
    tiling.arrange(Split(ACROSS, [one, two], least=[100, 200]))
    gap = QPoint(301, 50)
    QTest.mousePress(tiling, LEFT, pos=gap)
    QTest.mouseMove(tiling, gap + QPoint(-60, 0))
    assert (one.width(), two.width()) == (240, 360)
    QTest.mouseMove(tiling, gap + QPoint(500, 0))
    assert (one.width(), two.width()) == (400, 200)
    QTest.mouseMove(tiling, gap + QPoint(-500, 0))
    assert (one.width(), two.width()) == (100, 500)
    QTest.mouseRelease(tiling, LEFT, pos=gap)
    tiling.resize(1202, 402)
    assert one.width() == pytest.approx(200, abs=1)


def test_a_row_of_tabs_keeps_its_height(tiling: Tiling) -> None:
    tabs, view = QWidget(), QWidget()
    tabs.setFixedHeight(28)
    tiling.arrange(Split(DOWN, [tabs, view]))
    assert (tabs.height(), view.height()) == (28, 402 - 28 - GAP_PX)
