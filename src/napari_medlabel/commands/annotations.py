"""Measurements and geometric annotations: every change of them, and what they measure."""

import json
from pathlib import Path
from typing import Any

from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import find_case
from napari_medlabel.commands.opening import opened
from napari_medlabel.commands.privacy_gate import check_export
from napari_medlabel.commands.version_annotations import read_annotations
from napari_medlabel.core.annotation import KIND_WORDS, Annotation
from napari_medlabel.core.annotation_export import AnnotationsToExport, annotations_from_export
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.files import new_file, shown
from napari_medlabel.session import OpenCase, Permission, Session
from napari_medlabel.storage.ome_zarr import open_volume

__all__ = [
    "add_annotation",
    "annotations",
    "annotations_to_export",
    "change_annotation",
    "export_annotations",
    "import_annotations",
    "remove_annotation",
]


@command(needs=Permission.SEGMENT)
def add_annotation(session: Session, case: OpenCase, annotation: Annotation) -> None:  # noqa: ARG001  # the door's
    """Add an annotation: one step of the history.

    Raises
    ------
    InputError
        If it lies far outside the image, or one with its id is there.
    """
    case.check_open()
    found = case.segmentation.annotations
    if found.get(annotation.id) is not None:
        raise InputError("an annotation with this id is there already", "change that one")
    _set(case, found.with_(annotation), "Add", annotation)


@command(needs=Permission.SEGMENT)
def change_annotation(session: Session, case: OpenCase, annotation: Annotation) -> None:  # noqa: ARG001  # the door's
    """Put an annotation in the place of that with its id: moved, renamed, of another colour.

    Raises
    ------
    InputError
        If there is none with its id, or it lies far outside the image.
    """
    case.check_open()
    found = case.segmentation.annotations
    found[annotation.id]  # raises InputError where there is none
    _set(case, found.with_(annotation), "Change", annotation)


@command(needs=Permission.SEGMENT)
def remove_annotation(session: Session, case: OpenCase, annotation_id: str) -> None:  # noqa: ARG001  # the door's
    """Take an annotation away: one step of the history.

    Raises
    ------
    InputError
        If there is none with this id.
    """
    case.check_open()
    found = case.segmentation.annotations
    _set(case, found.without(annotation_id), "Remove", found[annotation_id])


@command(needs=Permission.SEGMENT)
def import_annotations(session: Session, case: OpenCase, path: Path) -> int:  # noqa: ARG001  # the door's
    """Bring in the annotations of a document, by their places in millimetres: one step.

    An annotation with the id of one that is there takes its place. Each belongs to the segment of
    the case that has the name of its own, or to none.

    Returns
    -------
    int
        How many.

    Raises
    ------
    InputError
        If it is no such document, or is of another patient's place in space.
    """
    case.check_open()
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{shown(path)} cannot be read", "it is an .annotations.json file"
        ) from error
    if not isinstance(document, dict):
        raise InputError("this is not a document of annotations")
    seg = case.segmentation
    brought = annotations_from_export(document, seg.geometry, seg.schema)
    new = seg.annotations
    for annotation in brought:
        new = new.with_(annotation)
    seg.set_annotations(new, tool="Import annotations", settings={"annotations": len(brought)})
    return len(brought)


@command(needs=Permission.VIEW)
def annotations(session: Session, case: OpenCase | str) -> dict[str, Any]:
    """The annotations with what they measure, as the document that `export_annotations` writes."""
    with opened(session, case) as work:
        return _document(session, work)


@command(needs=Permission.EXPORT)
def export_annotations(
    session: Session, case: OpenCase | str, path: Path, *, force: bool = False
) -> int:
    """Write the annotations as an open JSON document (docs/annotations.md), read back and compared.

    Returns
    -------
    int
        How many.

    Raises
    ------
    Refused
        If the case is not cleared to leave the workspace; says what is missing.
    OutputError
        If it cannot be written, or is there already.
    IntegrityError
        If it does not read back as what was to be written; nothing is left then.
    """
    check_export(session, case.info if isinstance(case, OpenCase) else find_case(session, case))
    with opened(session, case) as work:
        document = _document(session, work)
    with new_file(path, force=force) as hidden:
        hidden.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
        if json.loads(hidden.read_text(encoding="utf-8")) != document:
            raise IntegrityError(
                "the annotations were not written as they are", "try another folder or disk"
            )
    return len(document["annotations"])


def annotations_to_export(session: Session, work: OpenCase, version: int) -> AnnotationsToExport:
    """The annotations of a version (0 is the present) with the image that they measure."""
    found = read_annotations(session, work, version)
    geometry = work.segmentation.geometry
    if not len(found):
        return AnnotationsToExport(AnnotationSet(), geometry, None, work.volume.unit)
    work.loading.wait()
    workspace = session.workspace
    # As it is at rest: a case that is not open in a window has no image in memory.
    image = open_volume(
        workspace.image_path(work.info.id),
        cipher=workspace.catalogue.case_cipher(work.info.id),
        place=work.info.id,
    )
    return AnnotationsToExport(found, geometry, image.levels[0], image.unit)


def _document(session: Session, work: OpenCase) -> dict[str, Any]:
    wanted = annotations_to_export(session, work, 0)
    return wanted.document(work.volume.source.geometry, work.segmentation.schema)


def _set(case: OpenCase, new: AnnotationSet, verb: str, annotation: Annotation) -> None:
    case.segmentation.set_annotations(
        new,
        tool=f"{verb} {KIND_WORDS[annotation.kind].lower()}",
        settings={"kind": annotation.kind},
    )
