"""How a case is opened: hold, journal, image; composed of parts that know nothing of each other."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.finding import find_case
from napari_medlabel.commands.memory import fits_in_memory
from napari_medlabel.commands.privacy_gate import why_not_drawn
from napari_medlabel.commands.sources import find, fingerprint, open_source
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.history import State
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import Series, Volume, VolumeReader
from napari_medlabel.errors import DamagedHistory, InputError, IntegrityError, ReadOnly
from napari_medlabel.formats import TooNarrow, in_quantity, with_choice
from napari_medlabel.session import CaseInfo, OpenCase, Session
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.journal import SqliteJournal
from napari_medlabel.storage.ome_zarr import open_volume, read_into, write_volume
from napari_medlabel.workspace.holding import Hold
from napari_medlabel.workspace.loading import Loading

__all__ = ["Seen", "case_facts", "let_go", "lookup_of", "open_info", "opened", "set_history_aside"]

Seen = Callable[[Volume, BoolArray], None]

JOURNAL: Final = "journal.sqlite"
_VERSIONS_ONLY: Final = "Only saved versions are looked at"


@contextlib.contextmanager
def opened(session: Session, case: OpenCase | str, *, history: bool = True) -> Iterator[OpenCase]:
    """A case to work on its labels: the open one, or one opened for the time of the block.

    The image is not read; `volume` tells where it is and where it came from. Without `history`
    the journal is left alone, for work on saved versions only.
    """
    if isinstance(case, OpenCase):
        case.check_open()
        yield case
        return
    mine = open_info(session, find_case(session, case), None, image=False, history=history)
    try:
        yield mine
        if mine.hold.writable:
            mine.segmentation.settle()
    finally:
        let_go(mine)


def let_go(case: OpenCase, *, abandon: bool = False) -> None:
    """Stop loading, close the journal, let the next one write.

    With `abandon` a change that is not durable is lost; without it NotSaved is raised.
    """
    case.loading.end()
    if case.journal is not None:
        case.journal.close(abandon=abandon)
    case.hold.release()
    case.closed = True


def open_info(  # noqa: PLR0913  # what to open, and how much of it
    session: Session,
    info: CaseInfo,
    reader: VolumeReader | None,
    *,
    image: bool = True,
    history: bool = True,
    seen: Seen | None = None,
    imported: Callable[[], None] | None = None,
) -> OpenCase:
    """Open a case; `reader` is there where its image is still to be imported.

    One that is not cleared to be worked on is opened for looking. `seen` is told, on this
    thread, as soon as the middle slice is in memory; `imported` is called, on another, when the
    image has been imported whole.

    Raises
    ------
    DamagedHistory
        If its journal is missing or hurt.
    IntegrityError, InputError, ReadOnly
        If its image cannot be opened.
    """
    workspace = session.workspace
    (segmentation_id, *_) = workspace.catalogue.segmentation_ids(info.id)
    cipher = workspace.catalogue.case_cipher(info.id)
    with contextlib.ExitStack() as undo:
        if reader is not None:
            undo.callback(reader.close)
        hold = Hold(workspace.segmentation_folder(segmentation_id))
        undo.callback(hold.release)
        if hold.writable:
            workspace.sweep(info.id)
            info = _ready_if_whole(session, info, cipher)
        if info.state == "importing":
            _check_import_possible(info, hold, image=image)
            reader = reader or _found_again(session, info)
            threads = 2 if seen is None else 1  # a window that watches needs the rest to draw
            volume, loading = _import(session, info, cipher, reader, imported, threads=threads)
        else:
            volume, loading = _load(workspace.image_path(info.id), info.id, cipher, image=image)
        undo.callback(loading.end)
        middle = volume.shape[0] // 2
        if info.state == "ready":
            loading.start()
        elif seen is not None and loading.filled[middle]:
            seen(volume, loading.filled)
            seen = None
        journal, state = None, _empty(volume)
        if history:
            journal, state = _history(session, info, segmentation_id, hold, state)
            undo.callback(journal.close)
        segmentation = Segmentation(
            volume.geometry, state, journal, who=session.person.id,
            read_only=(hold.reason or why_not_drawn(session, info)) if history else _VERSIONS_ONLY,
        )  # fmt: skip
        loading.wait_for(middle)
        if seen is not None:
            seen(volume, loading.filled)
        workspace.catalogue.set_opened(info.id)
        loading.start()  # only now: it leaves little of the processor to others
        undo.pop_all()
    return OpenCase(
        workspace.catalogue.case(info.id), volume, segmentation, segmentation_id, loading,
        journal, hold,
    )  # fmt: skip


def set_history_aside(session: Session, case: str) -> None:
    """Keep a damaged journal under another name and begin a new, empty one.

    Raises
    ------
    ReadOnly
        If another window holds the case, or it is not cleared to be worked on.
    """
    info = find_case(session, case)
    workspace = session.workspace
    (segmentation_id, *_) = workspace.catalogue.segmentation_ids(info.id)
    folder = workspace.segmentation_folder(segmentation_id)
    hold = Hold(folder)
    if not hold.writable:
        raise ReadOnly(hold.reason, "close it there first")
    try:
        if why := why_not_drawn(session, info):
            raise ReadOnly(why, "see: medlabel privacy show")
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        for ending in ("", "-wal", "-shm", "-journal"):
            path = folder / f"{JOURNAL}{ending}"
            if path.exists():
                path.rename(folder / f"damaged-{moment}-{path.name}")
        cipher = workspace.catalogue.case_cipher(info.id)
        SqliteJournal(folder / JOURNAL, cipher, segmentation_id).close()
    finally:
        hold.release()


def _history(
    session: Session, info: CaseInfo, segmentation_id: str, hold: Hold, empty: State
) -> tuple[SqliteJournal, State]:
    """The journal and the state it leads to; made where the segmentation was never opened."""
    catalogue = session.workspace.catalogue
    path = session.workspace.segmentation_folder(segmentation_id) / JOURNAL
    cipher = catalogue.case_cipher(info.id)
    begun = catalogue.begun(segmentation_id)
    try:
        if begun:
            _check_there(path)
        journal = SqliteJournal(path, cipher, segmentation_id, read_only=not hold.writable)
        with contextlib.ExitStack() as undo:
            undo.callback(journal.close)
            state = journal.load(empty)
            undo.pop_all()
    except IntegrityError as error:
        numbers = [str(one.number) for one in catalogue.versions(segmentation_id)]
        raise DamagedHistory(
            f"the history of {info.name} cannot be read: {error.what}",
            f"saved versions: {', '.join(numbers)}; `medlabel restore` brings one of them back"
            if numbers
            else "restore the workspace from a backup",
        ) from error
    if not begun and hold.writable:
        catalogue.set_begun(segmentation_id)
    return journal, state


def _check_there(path: Path) -> None:
    if not path.exists():
        raise IntegrityError("its file is missing")


def _empty(volume: Volume) -> State:
    return State(np.zeros(volume.shape, np.uint8), LabelSchema())


def _check_import_possible(info: CaseInfo, hold: Hold, *, image: bool) -> None:
    if not hold.writable:
        raise ReadOnly("the case is being imported in another window", "wait until it is done")
    if not image:
        raise InputError(f"the import of {info.name} is not finished", "open it in the window")


def _ready_if_whole(session: Session, info: CaseInfo, cipher: Cipher) -> CaseInfo:
    """A case whose image was written just before its import was cut short is ready."""
    path = session.workspace.image_path(info.id)
    if info.state != "importing" or not path.exists():
        return info
    try:
        volume = open_volume(path, cipher=cipher, place=info.id)
    except (IntegrityError, InputError):
        return info  # imported once more, from its source
    catalogue = session.workspace.catalogue
    catalogue.set_ready(info.id, catalogue.facts(info.id) | {"sha256": volume.sha256})
    return catalogue.case(info.id)


def _import(  # noqa: PLR0913  # what the work needs
    session: Session,
    info: CaseInfo,
    cipher: Cipher,
    reader: VolumeReader,
    imported: Callable[[], None] | None,
    *,
    threads: int,
) -> tuple[Volume, Loading]:
    """Get ready to write the image into the workspace and into memory at the same time."""
    workspace = session.workspace
    source = reader.source
    geometry = source.geometry.laid_out(source.axes)
    into = np.zeros(geometry.shape, reader.dtype)
    path = workspace.image_path(info.id)
    path.parent.mkdir(parents=True, exist_ok=True)

    def work(loading: Loading) -> None:
        try:
            written = write_volume(
                reader, path, cipher=cipher, place=info.id, into=into, first=loading.wanted,
                loaded=_along_k(loading, source.axes.order.index(0)),
                cancelled=loading.is_cancelled, force=True, threads=threads,
            )  # fmt: skip
            facts = workspace.catalogue.facts(info.id) | {"sha256": written.sha256}
            workspace.catalogue.set_ready(info.id, facts)
            if imported is not None:
                imported()
        except TooNarrow as error:
            facts = workspace.catalogue.facts(info.id)
            facts["resume"]["wide"] = True
            workspace.catalogue.set_facts(info.id, facts)
            raise TooNarrow(error.what, "open it again: it will be read with more bits") from error
        finally:
            reader.close()

    seen = _read_first(reader, into)
    volume = Volume(
        (into,), geometry, source, reader.modality, reader.unit, reader.name, reader.window,
        tuple(reader.problems),
    )  # fmt: skip
    loading = Loading(geometry.shape[0], work)
    if seen is not None:
        loading.loaded(seen, seen + 1)
    return volume, loading


def _read_first(reader: VolumeReader, into: npt.NDArray[Any]) -> int | None:
    """Bring the middle slice into memory before anything else: somebody waits for it.

    None where the source's slices lie along another axis than the canonical ones.
    """
    axes, depth = reader.source.axes, len(into)
    if axes.order[0] != 0:
        return None
    k = depth // 2
    own = depth - 1 - k if axes.flipped[0] else k
    into[k] = axes.apply(reader.read(own, own + 1))[0]
    return k


def _load(path: Path, case_id: str, cipher: Cipher, *, image: bool) -> tuple[Volume, Loading]:
    """Get ready to read the image from the workspace into memory, where it fits."""
    volume = open_volume(path, cipher=cipher, place=case_id)
    finest = volume.levels[0]
    if not image or not fits_in_memory(volume.shape, finest.dtype):
        return volume, Loading(volume.shape[0])
    into = np.zeros(volume.shape, finest.dtype)

    def work(loading: Loading) -> None:
        read_into(
            path, into, cipher=cipher, place=case_id, first=loading.wanted,
            loaded=loading.loaded, cancelled=loading.is_cancelled,
        )  # fmt: skip

    return replace(volume, levels=(into, *volume.levels[1:])), Loading(volume.shape[0], work)


def _along_k(loading: Loading, axis: int) -> Callable[[int, int], None]:
    """What to tell when slices along `axis` are there: other axes fill every k at their end."""
    if axis == 0:
        return loading.loaded
    return lambda _start, _stop: None


def _found_again(session: Session, info: CaseInfo) -> VolumeReader:
    """The reader of a case whose import was cut short, from its source."""
    facts = session.workspace.catalogue.facts(info.id)
    path = Path(facts.get("resume", {}).get("path", ""))
    gone = InputError(
        f"the import of {info.name} was cut short and its source is not there any more",
        "open the source again from where it is now",
    )
    if not facts.get("resume", {}).get("path") or not path.exists():
        raise gone
    choice = Choice(**facts["resume"].get("choice") or {})
    quantity = facts["resume"].get("quantity") or ""
    for series in (_as_chosen(one, choice, quantity) for one in find(path).series):
        for n, found in enumerate(series.volumes):
            if not found.usable:
                continue
            reader = open_source(series, n, wide=bool(facts["resume"].get("wide")))
            if lookup_of(session, series, n, reader) == facts["resume"]["lookup"]:
                return reader
            reader.close()
    raise gone


def _as_chosen(series: Series, choice: Choice, quantity: str) -> Series:
    """The series as a person had it before them when an import began."""
    for n, found in enumerate(series.volumes):
        if quantity in found.quantities:
            series = in_quantity(series, n, quantity)
    return with_choice(series, choice)


def lookup_of(session: Session, series: Series, volume: int, reader: VolumeReader) -> str:
    """By what the case of an earlier import is found: headers, grid and some of the voxels."""
    # What a choice made of a volume has no number of its own: the window makes it of one volume,
    # the command line of all.
    choice = series.volumes[volume].choice
    which = choice.document() if choice else volume
    return session.workspace.catalogue.lookup(
        series.format, series.uid, which, reader.name, reader.source.geometry.document(),
        [one.uid for one in reader.source.instances], fingerprint(reader),
    )  # fmt: skip


def case_facts(
    session: Session, reader: VolumeReader, resume: Mapping[str, object]
) -> dict[str, Any]:
    """What the catalogue keeps sealed of a case."""
    geometry: Geometry = reader.source.geometry.laid_out(reader.source.axes)
    return {
        "shape": list(geometry.shape),
        "spacing_mm": list(geometry.spacing_mm),
        "problems": [problem.document() for problem in reader.problems],
        "volume": reader.name,
        "imported_by": session.person.id,
        "resume": dict(resume),
    }
