"""What a person does in the list of annotations, done to those of the open case."""

from typing import TYPE_CHECKING

from napari_medlabel.ui.annotation_list import AnnotationList

if TYPE_CHECKING:
    from napari_medlabel.ui.desk import Desk

__all__ = ["link_annotations"]


def link_annotations(shown: AnnotationList, desk: "Desk") -> None:
    """Connect the list with the annotations of whatever case is open."""
    for signal, method in (
        (shown.picked, "show"),
        (shown.renamed, "rename"),
        (shown.recolored, "recolor"),
        (shown.assigned, "assign"),
        (shown.deleted, "remove"),
        (shown.exported, "export"),
        (shown.imported, "bring_in"),
        (shown.point_picked, "show_point"),
        (shown.point_renamed, "rename_point"),
        (shown.point_deleted, "remove_point"),
        (shown.linked, "link"),
        (shown.unlinked, "unlink"),
    ):
        desk.act_on(
            signal,
            lambda drawing, *told, method=method: getattr(drawing.annotations, method)(*told),
        )
    desk.act_on(
        shown.point_seen,
        lambda drawing, name, number, on: drawing.annotations.see_point(name, number, seen=on),
    )
