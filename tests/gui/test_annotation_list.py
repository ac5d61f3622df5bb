"""The list of measurements by itself, and what it is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QColorDialog, QFileDialog, QLineEdit

from napari_medlabel.core.annotation import (
    Annotation,
    Box2d,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
)
from napari_medlabel.core.annotation_measure import measure, measure_words
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import InputError
from napari_medlabel.ui.annotation_list import AnnotationList
from napari_medlabel.ui.annotations import points_state
from napari_medlabel.ui.annotations.list_state import AnnotationsState, annotations_state
from napari_medlabel.ui.theme import LIGHT
from tests.gui.alone import press, settle, shown

GRID = Geometry.from_spacing((20, 60, 50), (4.0, 1.0, 1.5), (0.0, 0.0, 0.0))
LEG = Keypoints(
    (
        Keypoint("Hip", (3.0, 10.0, 10.0)),
        Keypoint("Knee", (8.0, 12.0, 10.0)),
        Keypoint("Ankle", (15.0, 12.0, 11.0), visible=False),
    ),
    ((0, 1), (1, 2)),
)
MADE = (
    Annotation("d", Distance((5.0, 10.0, 10.0), (5.0, 10.0, 30.0)), "Distance 1"),
    Annotation("e", EllipseRoi(Plane(1, 30), (4.0, 10.0), (8.0, 20.0)), "Contrast", "#FF8000"),
    Annotation("b", Box2d(Plane(0, 7), (10.0, 10.0), (20.0, 25.0)), "Box 1"),
    Annotation("k", LEG, "Leg"),
)


def words_of(annotation: Annotation) -> str:
    return measure_words(annotation.shape, measure(annotation.shape, GRID))


def state(chosen: str = "", *, read_only: bool = False, wanted: bool = False,
          made: tuple[Annotation, ...] = MADE) -> AnnotationsState:  # fmt: skip
    segmentation = Segmentation(GRID)
    segmentation.set_annotations(AnnotationSet(made), tool="Add")
    return annotations_state(
        segmentation, chosen, words_of, 0, wanted=wanted, read_only=read_only
    )  # fmt: skip


@pytest.fixture
def listed(qapp: object) -> Iterator[AnnotationList]:
    assert qapp is not None
    widget = AnnotationList()
    with shown(widget):
        widget.set_state(state("k"))
        settle()
        yield widget


def click(widget: AnnotationList, place: QPoint, *, double: bool = False) -> None:
    for how in (QTest.mouseClick, QTest.mouseDClick)[: 2 if double else 1]:
        how(widget.list.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
            place)  # fmt: skip
    settle()


def test_rows_say_kind_name_and_what_is_measured() -> None:
    told = state("e")
    assert [row.kind for row in told.rows] == ["distance", "ellipse", "box", "keypoints"]
    assert [told.words_of(row.id) for row in told.rows] == [
        "30.0 mm", "1.9 cm²", "22.5 \N{MULTIPLICATION SIGN} 10.0 mm", "3 points",
    ]  # fmt: skip
    assert [row.place for row in told.rows][1:3] == ["Coronal, slice 31", "Axial, slice 8"]
    assert told.chosen_row is not None
    assert told.chosen_row.color == "#FF8000"
    assert told.points == ()
    assert told.words_of("gone") == ""
    assert state("gone").chosen == ""


def test_keypoints_list_their_points_and_links() -> None:
    told = state("k")
    assert [(one.name, one.seen) for one in told.points] == [
        ("Hip", True), ("Knee", True), ("Ankle", False),
    ]  # fmt: skip
    assert [one.words for one in told.links] == ["Hip → Knee", "Knee → Ankle"]


def test_a_click_picks_a_sign_deletes_and_a_double_click_renames(listed: AnnotationList) -> None:
    told: list[tuple[object, ...]] = []
    listed.picked.connect(lambda name: told.append(("picked", name)))
    listed.deleted.connect(lambda name: told.append(("deleted", name)))
    listed.renamed.connect(lambda name, new: told.append(("renamed", name, new)))
    name = listed.list.row_rect("e").center() - QPoint(60, 0)
    click(listed, name)
    click(listed, listed.list.sign_rect("d", 0).center())
    assert told == [("picked", "e"), ("deleted", "d")]
    told.clear()
    click(listed, name, double=True)
    editor = listed.list.findChild(QLineEdit)
    assert editor.text() == "Contrast"
    editor.setText("Aorta")
    press(editor, "Return")
    assert told[-1] == ("renamed", "e", "Aorta")


def test_a_click_on_its_colour_asks_for_another(listed: AnnotationList) -> None:
    told: list[tuple[str, str]] = []
    listed.recolored.connect(lambda name, color: told.append((name, color)))
    row = listed.list.row_rect("e")
    click(listed, QPoint(row.left() + 10, row.center().y()))
    dialog = listed.findChild(QColorDialog)
    assert dialog.windowTitle() == "Colour of Contrast"
    assert dialog.currentColor() == QColor("#FF8000")
    dialog.setCurrentColor(QColor("#33A680"))
    dialog.accept()
    settle()
    assert told == [("e", "#33a680")]


def test_keys_move_rename_and_delete(listed: AnnotationList) -> None:
    told: list[tuple[object, ...]] = []
    listed.picked.connect(lambda name: told.append(("picked", name)))
    listed.deleted.connect(lambda name: told.append(("deleted", name)))
    listed.list.setFocus()
    press(listed.list, "Up")
    press(listed.list, "Down")
    press(listed.list, "Del")
    assert told == [("picked", "b"), ("picked", "k"), ("deleted", "k")]


def test_nothing_can_be_changed_in_a_case_that_is_only_read(listed: AnnotationList) -> None:
    listed.set_state(state("k", read_only=True))
    settle()
    told: list[object] = []
    for signal in (listed.deleted, listed.point_deleted, listed.point_seen, listed.unlinked):
        signal.connect(lambda *what: told.append(what))
    click(listed, listed.list.sign_rect("d", 0).center())
    listed.list.rename("d")
    settle()
    press(listed.list, "Del")
    assert told == []
    assert listed.list.findChild(QLineEdit) is None
    assert not listed.points.new_link.isVisibleTo(listed)
    menu = listed.menu_of("d")
    assert menu is not None
    assert not any(one.isEnabled() for one in menu.actions() if not one.isSeparator())
    picked: list[str] = []
    listed.picked.connect(picked.append)
    click(listed, listed.list.row_rect("e").center() - QPoint(60, 0))
    assert picked == ["e"]


def test_points_are_seen_named_linked_and_deleted(listed: AnnotationList) -> None:
    told: list[tuple[object, ...]] = []
    for name in ("point_picked", "point_seen", "point_deleted", "point_renamed", "linked",
                 "unlinked"):  # fmt: skip
        getattr(listed, name).connect(lambda *what, name=name: told.append((name, *what)))
    points, links = listed.points.points, listed.points.links

    def hit(rows: object, place: QPoint) -> None:
        QTest.mouseClick(
            rows.viewport(), Qt.MouseButton.LeftButton,  # type: ignore[attr-defined]
            Qt.KeyboardModifier.NoModifier, place,
        )  # fmt: skip
        settle()

    hit(points, points.row_rect("1").center())
    hit(points, points.sign_rect("2", 0).center())
    hit(points, points.sign_rect("0", 1).center())
    hit(links, links.sign_rect("1", 0).center())
    listed.points.first.setCurrentIndex(0)
    listed.points.second.setCurrentIndex(2)
    listed.points.add.click()
    assert told == [
        ("point_picked", "k", 1), ("point_seen", "k", 2, True), ("point_deleted", "k", 0),
        ("unlinked", "k", 1), ("linked", "k", 0, 2),
    ]  # fmt: skip


def test_it_is_worth_showing_with_rows_or_a_tool(qapp: object) -> None:
    assert qapp is not None
    widget, told = AnnotationList(), []
    widget.worth_showing.connect(told.append)
    widget.set_state(state(wanted=True, made=()))
    widget.set_state(state(made=()))
    widget.set_state(state())
    widget.set_state(state(wanted=True))
    assert told == [True, False, True]


def test_the_menu_gives_it_to_a_segment_and_export_asks_for_a_file(
    listed: AnnotationList, tmp_path: Path
) -> None:
    told: list[object] = []
    listed.exported.connect(told.append)
    listed.save.click()
    settle()
    dialog = listed.findChild(QFileDialog)
    assert dialog.selectedFiles()[0].endswith("measurements.annotations.json")
    assert dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave
    wanted = tmp_path / "a.annotations.json"
    dialog.fileSelected.emit(str(wanted))
    dialog.close()
    assert told == [wanted]
    menu = listed.menu_of("b")
    assert menu is not None
    assert [one.text().split("\t")[0] for one in menu.actions() if one.text()] == [
        "Rename", "Colour…", "Belongs to", "Delete",
    ]  # fmt: skip
    assert listed.menu_of("gone") is None


def test_it_takes_the_light_theme(qapp: object) -> None:
    assert qapp is not None
    widget = AnnotationList()
    with shown(widget, tokens=LIGHT):
        widget.set_state(state("k"))
        settle()
        picture = widget.list.viewport().grab().toImage()
        chosen = widget.list.row_rect("k")
        colour = picture.pixelColor(chosen.left() + 1, chosen.center().y())
        assert colour.name().upper() == LIGHT.accent_text


names = st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True)


@given(names, st.data())
def test_taking_a_point_away_keeps_the_links_between_the_others(
    points: list[str], data: st.DataObject
) -> None:
    count = len(points)
    pair = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    links = data.draw(
        st.lists(pair.filter(lambda one: one[0] != one[1]), unique_by=frozenset, max_size=6)
    )
    shape = Keypoints(
        tuple(Keypoint(name, (float(n), 0.0, 0.0)) for n, name in enumerate(points)), tuple(links)
    )
    gone = data.draw(st.integers(0, count - 1))
    left = points_state.without_point(shape, gone)

    def named(one: Keypoints) -> set[frozenset[str]]:
        return {frozenset((one.points[a].name, one.points[b].name)) for a, b in one.links}

    assert named(left) == {link for link in named(shape) if points[gone] not in link}
    assert [one.name for one in left.points] == [name for name in points if name != points[gone]]


def test_names_and_links_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="same name"):
        points_state.with_point_name(LEG, 0, "knee")
    with pytest.raises(InputError, match="needs a name"):
        points_state.with_point_name(LEG, 0, "  ")
    with pytest.raises(InputError, match="linked twice"):
        points_state.with_link(LEG, 1, 0)
    with pytest.raises(InputError, match="two different"):
        points_state.with_link(LEG, 1, 1)
    numbered = points_state.with_point(
        points_state.with_point(None, (1.0, 2.0, 3.0)), (1.0, 2.0, 4.0)
    )
    assert [one.name for one in numbered.points] == ["1", "2"]
    taken = points_state.with_point_name(numbered, 0, "3")
    assert points_state.with_point(taken, (0.0, 0.0, 0.0)).points[-1].name == "4"
