"""The annotations of a saved version: a sealed file beside its labels, where there are any."""

import hashlib
import json
from pathlib import Path
from typing import Final

from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.errors import InputError, IntegrityError, MedlabelError
from napari_medlabel.files import new_file
from napari_medlabel.session import OpenCase, Session

__all__ = ["annotations_sha256", "read_annotations", "write_annotations"]

_FORMAT: Final = 1


def write_annotations(
    session: Session, work: OpenCase, number: int, annotations: AnnotationSet
) -> None:
    """Write the annotations of a version that is about to be saved; no file where there are none.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    if not len(annotations):
        return
    cipher = session.workspace.catalogue.case_cipher(work.info.id)
    document = {"format": _FORMAT, "annotations": annotations.document()}
    with new_file(_path(session, work, number), force=True) as hidden:
        hidden.write_bytes(cipher.seal(json.dumps(document).encode(), _place(work, number)))


def read_annotations(session: Session, work: OpenCase, number: int) -> AnnotationSet:
    """The annotations of a version; 0 is the present.

    Raises
    ------
    IntegrityError
        If they are not what was saved with the version.
    InputError
        If they are of a newer format.
    """
    if number == 0:
        return work.segmentation.annotations
    catalogue = session.workspace.catalogue
    path, found = _path(session, work, number), AnnotationSet()
    if path.exists():
        try:
            cipher = catalogue.case_cipher(work.info.id)
            document = json.loads(cipher.open(path.read_bytes(), _place(work, number)))
            newer = document["format"] > _FORMAT
            found = found if newer else AnnotationSet.from_document(document["annotations"])
        except (OSError, ValueError, KeyError, TypeError, MedlabelError) as error:
            raise _damaged(number) from error
        if newer:
            raise InputError("the version is of a newer format", "update napari-medlabel")
    saved = catalogue.versions(work.segmentation_id)
    wanted = next((one.annotations_sha256 for one in saved if one.number == number), "")
    if annotations_sha256(found) != wanted:
        raise _damaged(number)
    return found


def annotations_sha256(annotations: AnnotationSet) -> str:
    """SHA-256 (hex) that tells annotations from others; "" where there are none."""
    if not len(annotations):
        return ""
    return hashlib.sha256(json.dumps(annotations.document()).encode()).hexdigest()


def _damaged(number: int) -> IntegrityError:
    return IntegrityError(
        f"the annotations of version {number} are damaged",
        "export or restore another version; the present state is kept apart from the versions",
    )


def _path(session: Session, work: OpenCase, number: int) -> Path:
    labels = session.workspace.version_path(work.segmentation_id, number)
    return labels.with_name(f"{number}.annotations")


def _place(work: OpenCase, number: int) -> bytes:
    return f"medlabel annotations 1|{work.segmentation_id}/versions/{number}".encode()
