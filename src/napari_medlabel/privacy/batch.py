"""A folder of DICOM files de-identified into a new one, whole or not at all.

The new folder is filled beside its destination and gets its name last, when the release gate has
found nothing in it. Files are independent of each other, and may be done by several processes.
"""

import os
from collections import Counter
from collections.abc import Callable, Generator
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
from napari_medlabel.privacy.pseudonyms import Identity

__all__ = ["Batch", "check_apart", "deidentify_into", "places_in"]

Progress = Callable[[int, int], None]
_AHEAD: Final = 4  # files handed out to each process before it asks


@dataclass(slots=True, eq=False)
class Batch:
    """What became of many files."""

    files: list[tuple[str, str, str]] = field(default_factory=list)  # name, new and old SHA-256
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
        self.files.append((one.file, one.sha256, one.source_sha256))
        self.tally += one.tally
        self.patients.setdefault(one.patient, one.identity)
        self.wanted |= one.wanted
        self.say_burned_in += one.says_burned_in


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
    *,
    jobs: int = 1,
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
    jobs
        Processes that do the work; one is this one.
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
    results = (
        _one_by_one(places, folder, what) if jobs <= 1 else _by_many(places, folder, what, jobs)
    )
    with closing(results):  # whatever happens here, nobody writes any more after it
        for done, one in enumerate(results, 1):
            batch.add(one)
            if progress is not None:
                progress(done, len(places))
            if cancelled():
                raise Cancelled("it was called off; nothing was written")
    batch.files.sort()
    if not batch.files:
        why = max(batch.left_out, key=batch.left_out.__getitem__, default="there is no file")
        raise Refused(
            f"nothing was written: {len(places)} files were left out ({why})",
            "a profile may ask for more kinds of objects: see docs/privacy.md",
        )
    return batch


Results = Generator[FileDone | LeftOut, None, None]


def _one_by_one(places: list[Place], folder: Path, what: Headers) -> Results:
    for place in places:
        yield deidentify_file(place, folder, what)


def _by_many(places: list[Place], folder: Path, what: Headers, jobs: int) -> Results:
    """The same in other processes; the order of the answers is that in which they come."""
    rest = iter(places)
    count = min(jobs, os.cpu_count() or 1, len(places))
    with ProcessPoolExecutor(
        count, mp_context=get_context("spawn"), initializer=_begin, initargs=(folder, what)
    ) as pool:
        waiting: set[Future[FileDone | LeftOut]] = set()
        try:
            while True:
                for place in islice(rest, _AHEAD * count - len(waiting)):
                    waiting.add(pool.submit(_one, place))
                if not waiting:
                    return
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for one in done:
                    yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


_work: list[tuple[Path, Headers]] = []  # of a process that was begun for it


def _begin(folder: Path, what: Headers) -> None:
    _work[:] = [(folder, what)]


def _one(place: Place) -> FileDone | LeftOut:
    return deidentify_file(place, *_work[0])
