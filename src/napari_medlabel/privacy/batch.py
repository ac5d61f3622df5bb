"""A folder of DICOM files de-identified into a new one, whole or not at all.

The new folder is filled beside its destination and gets its name last, when the release gate has
found nothing in it. Files are independent of each other, and may be done by several processes.
"""

import os
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from napari_medlabel.errors import Cancelled, InputError, OutputError, Refused
from napari_medlabel.formats.dicom_files import Opener, Place, find_files, find_members
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.one_file import FileDone, LeftOut, deidentify_file
from napari_medlabel.privacy.pixel_change import PixelChange
from napari_medlabel.privacy.pseudonyms import Identity

__all__ = ["Batch", "Changes", "check_apart", "deidentify_into", "places_in", "write_again"]

Progress = Callable[[int, int], None]
Changes = Mapping[Place, PixelChange]
_NONE: Final[Changes] = {}
_AHEAD: Final = 4  # files handed out to each process before it asks


@dataclass(slots=True, eq=False)
class Batch:
    """What became of many files."""

    done: dict[Place, FileDone] = field(default_factory=dict)  # by the old file
    tally: Counter[tuple[int, str]] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    patients: dict[str, Identity] = field(default_factory=dict)
    wanted: set[Identifier] = field(default_factory=set)
    say_burned_in: int = 0

    def add(self, one: FileDone | LeftOut) -> None:
        """Count one file."""
        if isinstance(one, LeftOut):
            self.left_out[one.why] += 1
            return
        self.done[one.place] = one
        self.tally += one.tally
        self.patients.setdefault(one.patient, one.identity)
        self.wanted |= one.wanted
        self.say_burned_in += one.says_burned_in

    @property
    def files(self) -> list[tuple[str, str, str]]:
        """Name, new and old SHA-256 of each new file, sorted."""
        return sorted((one.file, one.sha256, one.source_sha256) for one in self.done.values())


def places_in(source: Path) -> list[Place]:
    """The files of a folder, a file, or a zip archive; a DICOMDIR stands for its folder.

    Raises
    ------
    InputError
        If there is nothing, or it cannot be read.
    """
    if source.is_dir():
        return [one.place for one in find_files(source)[0]]
    try:
        with source.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        there = source.exists()
        what = "this file cannot be read" if there else "there is no such file or folder"
        raise InputError(what, "check its permissions" if there else "check the name") from error
    if head == b"PK\3\4":
        with Opener() as opener:
            return [one.place for one in find_members(opener, source)[0]]
    if source.name.upper() == "DICOMDIR":
        return places_in(source.parent)
    return [Place(str(source))]


def check_apart(source: Path, out: Path) -> None:
    """Pass where writing `out` leaves `source` as it is.

    Raises
    ------
    OutputError
        If one is inside the other.
    """
    old, new = source.resolve(), out.resolve()
    if old == new or (old.is_dir() and old in new.parents) or new in old.parents:
        raise OutputError(
            "the new folder and the old one are inside each other",
            "name a folder elsewhere: the old files are never touched",
        )


def deidentify_into(  # noqa: PLR0913  # what, where, how, and two callbacks
    places: list[Place],
    folder: Path,
    what: Headers,
    changes: Changes = _NONE,
    *,
    jobs: int = 1,
    may_be_none: bool = False,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Batch:
    """Write the de-identified copies of files below an empty folder.

    Parameters
    ----------
    places
        The files.
    folder
        Empty.
    what
        Profile and key.
    changes
        What is done to the pixels of files; nothing to those that are not in it.
    jobs
        Processes that do the work; one is this one.
    may_be_none
        Whether it is well if none of them can be written: there are others.
    progress
        Called with the number of files done and the number of all.
    cancelled
        Asked before each file.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    Refused
        If no file could be written.
    """
    batch = Batch()
    work = [(place, changes.get(place)) for place in places]
    results = _one_by_one(work, folder, what) if jobs <= 1 else _by_many(work, folder, what, jobs)
    with closing(results):  # whatever happens here, nobody writes any more after it
        for done, one in enumerate(results, 1):
            batch.add(one)
            if progress is not None:
                progress(done, len(places))
            if cancelled():
                raise Cancelled("it was called off; nothing was written")
    if not batch.done and not may_be_none:
        why = max(batch.left_out, key=batch.left_out.__getitem__, default="there is no file")
        raise Refused(
            f"nothing was written: {len(places)} files were left out ({why})",
            "a profile may ask for more kinds of objects: see docs/privacy.md",
        )
    return batch


def write_again(
    batch: Batch, places: Iterable[Place], folder: Path, what: Headers, changes: Changes
) -> None:
    """Write some of the files once more, with other changes of their pixels.

    Raises
    ------
    Refused
        If one of them can be written no more.
    """
    for place in places:
        old = batch.done[place]
        (folder / old.file).unlink(missing_ok=True)
        new = deidentify_file(place, folder, what, changes.get(place))
        if isinstance(new, LeftOut):
            raise Refused(f"a file cannot be written again: {new.why}", "nothing was written")
        batch.done[place] = new


Work = list[tuple[Place, PixelChange | None]]
Results = Generator[FileDone | LeftOut, None, None]


def _one_by_one(work: Work, folder: Path, what: Headers) -> Results:
    for place, change in work:
        yield deidentify_file(place, folder, what, change)


def _by_many(work: Work, folder: Path, what: Headers, jobs: int) -> Results:
    """The same in other processes; the order of the answers is that in which they come."""
    rest = iter(work)
    count = min(jobs, os.cpu_count() or 1, len(work))
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_begin, initargs=(folder, what)
    ) as pool:
        waiting: set[Future[FileDone | LeftOut]] = set()
        try:
            while True:
                for one in islice(rest, _AHEAD * count - len(waiting)):
                    waiting.add(pool.submit(_one, *one))
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for answer in done:
                    yield answer.result()
        finally:
            pool.shutdown(cancel_futures=True)


_work: list[tuple[Path, Headers]] = []  # of a process that was begun for it


def _begin(folder: Path, what: Headers) -> None:
    _work[:] = [(folder, what)]


def _one(place: Place, change: PixelChange | None) -> FileDone | LeftOut:
    return deidentify_file(place, *_work[0], change)
