"""The files of a saved version: an OME-Zarr for each group of labels, that of group 0 last.

That of group 0 has the whole schema, which says what groups there are.
"""

from collections.abc import Mapping

from napari_medlabel.commands.version_annotations import read_annotations
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.errors import InputError, IntegrityError
from napari_medlabel.session import OpenCase, Session
from napari_medlabel.storage.ome_metadata import labels_from
from napari_medlabel.storage.ome_zarr import read_labels, verify, write_labels
from napari_medlabel.storage.sealed_store import open_folder
from napari_medlabel.storage.zarr_group import our_attributes

__all__ = ["is_whole", "read_version", "write_version"]


def write_version(
    session: Session,
    work: OpenCase,
    number: int,
    arrays: Mapping[int, LabelArray],
    schema: LabelSchema,
) -> None:
    """Write the labels of every group of the schema.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    for group in reversed(schema.groups):
        write_labels(
            arrays[group], work.segmentation.geometry,
            schema.in_group(group) if group else schema,
            session.workspace.version_path(work.segmentation_id, number, group),
            cipher=session.workspace.catalogue.case_cipher(work.info.id),
            place=_place(work, number, group), force=True,
        )  # fmt: skip


def read_version(
    session: Session, work: OpenCase, number: int
) -> tuple[dict[int, LabelArray], LabelSchema]:
    """The labels of every group of a version's schema, and the schema.

    Raises
    ------
    IntegrityError, InputError
        If they are not what was written.
    """
    labels, schema = _read(session, work, number, 0)
    others = {group: _read(session, work, number, group)[0] for group in schema.groups if group}
    return {0: labels} | others, schema


def is_whole(session: Session, work: OpenCase, number: int) -> bool:
    """Whether every file of a version is what was written."""
    try:
        for group in _groups(session, work, number):
            path = session.workspace.version_path(work.segmentation_id, number, group)
            cipher = session.workspace.catalogue.case_cipher(work.info.id)
            verify(path, cipher=cipher, place=_place(work, number, group))
        read_annotations(session, work, number)
    except (IntegrityError, InputError):
        return False
    return True


def _groups(session: Session, work: OpenCase, number: int) -> tuple[int, ...]:
    """The groups of a version's schema; no voxel is read."""
    path = session.workspace.version_path(work.segmentation_id, number)
    cipher = session.workspace.catalogue.case_cipher(work.info.id)
    found = our_attributes(open_folder(path, cipher, _place(work, number, 0)))
    if found is None:
        raise IntegrityError(f"version {number} holds no labels")
    return labels_from(found, path.name)[1].groups


def _read(
    session: Session, work: OpenCase, number: int, group: int
) -> tuple[LabelArray, LabelSchema]:
    path = session.workspace.version_path(work.segmentation_id, number, group)
    cipher = session.workspace.catalogue.case_cipher(work.info.id)
    labels, _, schema = read_labels(path, cipher=cipher, place=_place(work, number, group))
    return labels, schema


def _place(work: OpenCase, number: int, group: int) -> str:
    whole = f"{work.segmentation_id}/versions/{number}"
    return f"{whole}/group/{group}" if group else whole
