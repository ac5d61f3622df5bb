"""Cases: a series becomes one, is opened, closed and listed.

Opening answers when the first slice is in memory; the rest follows on a thread of its own. An
import that was cut short goes on from its source when the case is opened again.
"""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import AS_FOUND, check_usable, choose, find_case
from napari_medlabel.commands.labels import import_mask
from napari_medlabel.commands.opening import Seen, case_facts, let_go, lookup_of, open_info
from napari_medlabel.commands.privacy_gate import why_not_drawn
from napari_medlabel.commands.privacy_source import enter_generated, enter_known
from napari_medlabel.commands.saving import fold_if_large
from napari_medlabel.commands.sources import find, open_source
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Series, VolumeReader
from napari_medlabel.errors import NotSaved, OutputError, ReadOnly
from napari_medlabel.formats import TooNarrow
from napari_medlabel.session import CaseInfo, OpenCase, Permission, Session
from napari_medlabel.workspace.holding import Hold
from napari_medlabel.workspace.loading import Loading

__all__ = [
    "abandon_case",
    "case_document",
    "close_case",
    "discard_case",
    "import_series",
    "open_case",
    "open_reader_as_case",
    "open_series",
    "recent_cases",
]

Progress = Callable[[int, int], None]


@command(needs=Permission.IMPORT)
def open_series(
    session: Session,
    series: Series,
    volume: int = 0,
    *,
    found_at: Path | None = None,
    seen: Seen | None = None,
) -> OpenCase:
    """Open a volume of a scanned series as a case; that of an earlier import where there is one.

    Parameters
    ----------
    series, volume
        What a scan found, and which of its volumes, from 0.
    found_at
        What was scanned, to go on from there should the import be cut short.
    seen
        Told, on this thread, as soon as the middle slice is in memory: the volume, and which of
        its slices are there.

    Raises
    ------
    GeometryError
        If it is not one regular grid.
    InputError
        If its first slice cannot be read.
    """
    return _open_series(session, series, volume, found_at, seen)


@command(needs=Permission.IMPORT)
def open_reader_as_case(
    session: Session,
    reader: VolumeReader,
    identity: tuple[object, ...],
    *,
    seen: Seen | None = None,
) -> OpenCase:
    """Open voxels that no file holds, such as the demo head, as a case."""
    catalogue = session.workspace.catalogue
    lookup = catalogue.lookup("reader", *identity)
    known = catalogue.find(lookup)
    if known is not None and known.state == "ready":
        reader.close()
        return open_info(session, known, None, seen=seen)
    info = known or catalogue.add_case(lookup, reader.modality, case_facts(session, reader, {}))
    enter_generated(session, info, reader.source)
    return open_info(session, info, reader, seen=seen)


@command(needs=Permission.VIEW)
def open_case(session: Session, case: str, *, seen: Seen | None = None) -> OpenCase:
    """Open a case by id, number or name.

    Raises
    ------
    InputError
        If there is no such case, or its import was cut short and its source is gone.
    IntegrityError
        If its files are damaged.
    """
    return open_info(session, find_case(session, case), None, seen=seen)


@command(needs=Permission.VIEW)
def close_case(session: Session, case: OpenCase) -> None:
    """Make all durable and let go of the case; a running import is called off.

    Raises
    ------
    NotSaved
        If the last changes cannot be made durable; the case stays open then.
    """
    if case.closed:
        return
    if case.hold.writable and case.journal is not None:
        case.segmentation.settle()
        with contextlib.suppress(NotSaved, OutputError):  # all is saved; these make opening fast
            case.journal.checkpoint(case.segmentation.snapshot())
            fold_if_large(session, case)
            session.workspace.catalogue.set_segments(case.info.id, len(case.segmentation.schema))
    let_go(case)
    _forget_if_empty(session, case)


@command(needs=Permission.VIEW)
def abandon_case(session: Session, case: OpenCase) -> None:  # noqa: ARG001  # the door's
    """Let go of a case though its last change could not be made durable: that change is lost."""
    if not case.closed:
        let_go(case, abandon=True)


@command(needs=Permission.IMPORT)
def discard_case(session: Session, case: str) -> None:
    """Destroy a case's key and files for good; refused while somebody has it open.

    Raises
    ------
    ReadOnly
        If it is open.
    """
    info = find_case(session, case)
    workspace = session.workspace
    (segmentation_id, *_) = workspace.catalogue.segmentation_ids(info.id)
    hold = Hold(workspace.segmentation_folder(segmentation_id))
    if not hold.writable:
        raise ReadOnly(hold.reason, "close it there first")
    hold.release()
    workspace.forget(info.id)


@command(needs=Permission.VIEW)
def recent_cases(session: Session) -> tuple[CaseInfo, ...]:
    """Every case, the one opened last first."""
    return session.workspace.catalogue.all_cases()


@command(needs=Permission.VIEW)
def case_document(session: Session, case: CaseInfo) -> dict[str, Any]:
    """A case as JSON-ready values; nothing of it names anybody."""
    catalogue = session.workspace.catalogue
    (segmentation_id, *_) = catalogue.segmentation_ids(case.id)
    return {
        "name": case.name,
        "id": case.id,
        "segmentation": segmentation_id,
        "modality": case.modality,
        "state": case.state,
        "shape": list(case.shape),
        "spacing_mm": list(case.spacing_mm),
        "segments": case.segments,
        "versions": len(catalogue.versions(segmentation_id)),
        "problems": [problem.document() for problem in case.problems],
        "created": case.created,
        "opened": case.opened,
    }


@command(needs=Permission.IMPORT)
def import_series(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    source: Path,
    *,
    series: str = "",
    volume: int = 0,
    choice: Choice = AS_FOUND,
    mask: Path | None = None,
    schema: LabelSchema | None = None,
    segments: Sequence[str] = (),
    on_top: Sequence[str] = (),
    progress: Progress | None = None,
) -> CaseInfo:
    """Bring a series into the workspace, whole; with the labels of a mask file, where given.

    `segments` and `on_top` as in `import_mask`. With a choice for irregular slices it is what
    that makes of them, and `volume` counts these.
    """
    chosen, index = choose(find(source), series, volume, choice)
    case = _open_series(session, chosen, index, source)
    try:
        try:
            _wait(case.loading, progress)
        except TooNarrow:  # known now, and read again with wider voxels
            close_case(session, case)
            case = _open_source(session, chosen, index, source, wide=True)
            _wait(case.loading, progress)
        if mask is not None:
            import_mask(session, case, mask, schema, segments=segments, on_top=on_top)
        else:
            for label in schema or ():
                if case.segmentation.schema.get(label.value) is None:
                    case.segmentation.set_label(label)
    finally:
        close_case(session, case)
    return session.workspace.catalogue.case(case.info.id)


def _open_series(
    session: Session,
    series: Series,
    volume: int,
    found_at: Path | None,
    seen: Seen | None = None,
) -> OpenCase:
    check_usable(series, volume)
    try:
        return _open_source(session, series, volume, found_at, wide=False, seen=seen)
    except TooNarrow:
        return _open_source(session, series, volume, found_at, wide=True, seen=seen)


def _open_source(  # noqa: PLR0913  # as `open_series`
    session: Session,
    series: Series,
    volume: int,
    found_at: Path | None,
    *,
    wide: bool,
    seen: Seen | None = None,
) -> OpenCase:
    catalogue = session.workspace.catalogue
    reader = open_source(series, volume, wide=wide)
    try:
        lookup = lookup_of(session, series, volume, reader)
        known = catalogue.find(lookup)
        path = str(found_at.absolute()) if found_at else ""
        choice = series.volumes[volume].choice
        resume = {
            "path": path,
            "lookup": lookup,
            "wide": wide,
            "choice": choice.document() if choice else None,
            "quantity": series.volumes[volume].quantity,
        }
        info = known or catalogue.add_case(
            lookup, series.modality, case_facts(session, reader, resume)
        )
        later = enter_known(session, info, series, volume)
        # At the end of the import, unless somebody waits for it: it reads every file once more.
        if later is not None and (info.state == "ready" or why_not_drawn(session, info)):
            later()
            later = None
    except BaseException:
        reader.close()
        raise
    if info.state == "ready":
        reader.close()
        return open_info(session, info, None, seen=seen)
    return open_info(session, info, reader, seen=seen, imported=later)


def _forget_if_empty(session: Session, case: OpenCase) -> None:
    """An import that was called off before anything was drawn leaves no case behind."""
    catalogue = session.workspace.catalogue
    info = catalogue.case(case.info.id)
    seg = case.segmentation
    unused = not (len(seg.schema) or seg.can_undo or seg.can_redo)
    unused = unused and not catalogue.versions(case.segmentation_id)
    if info.state == "importing" and unused and not case.hold.reason:
        session.workspace.forget(info.id)


def _wait(loading: Loading, progress: Progress | None) -> None:
    while not loading.finished:
        loading.pause(0.1)
        if progress is not None:
            progress(loading.done, loading.total)
    loading.wait()
