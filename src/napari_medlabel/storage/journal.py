"""Every change durable before the next one, without the hand feeling it.

`append` makes sure that a record can be stored and hands it to a thread that compresses, seals and
writes it; `settle` waits for that. What could not be written is tried again, every two seconds.
What the file looks like is told in `journal_file`, what a record looks like in `record_codec`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from napari_medlabel.core.history import Did, Record, State, Step
from napari_medlabel.errors import IntegrityError, NotSaved, ReadOnly
from napari_medlabel.storage.cache import Cache
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.journal_file import JournalFile
from napari_medlabel.storage.record_codec import decode, decode_state, encode_state, encoder

__all__ = ["SaveState", "SqliteJournal"]

_STEPS_IN_MEMORY: Final = 64 << 20  # bytes of steps at hand for undo
_RETRY_S: Final = 2.0
FOLD_AT: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class _Pending:
    """A record that is not durable yet, and what gives its bytes."""

    record: Record
    encoded: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class SaveState:
    """Whether all changes are durable, and in words for the status line."""

    kind: Literal["saved", "saving", "failed"]
    words: str


class SqliteJournal:
    """The journal of one segmentation, in a file of its own: see `core.history.Journal`.

    Opening finds or makes the file; a thread of its own writes. One process at a time may
    write: whoever opens it for writing sees to that.

    Parameters
    ----------
    path
        The file.
    cipher, place
        What seals it, and what it belongs to: the segmentation's id.
    read_only
        Only to look; `append` refuses.

    Raises
    ------
    IntegrityError
        If it is damaged, or of another place or key.
    InputError, OutputError
        If it cannot be opened or made, or is of a newer format.
    """

    def __init__(self, path: Path, cipher: Cipher, place: str, *, read_only: bool = False) -> None:
        self._file = JournalFile(path, cipher, place, read_only=read_only)
        self._read_only = read_only
        self._last = self._file.last
        self._pending: dict[int, _Pending] = {}
        self._steps: Cache[Step] = Cache(_STEPS_IN_MEMORY)
        self._failure: NotSaved | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write, name="medlabel-journal", daemon=True)
        if not read_only:
            self._writer.start()

    # core.history.Journal

    def append(self, record: Record) -> int:
        """Take a record; it becomes durable in the background.

        Raises
        ------
        ReadOnly
            If the journal was opened only to look, or is closed.
        InputError
            If the record holds what cannot be stored; nothing is taken then.
        """
        if self._read_only or self._closed:
            raise ReadOnly("the journal is not open for writing", "open the case again")
        pending = _Pending(record, encoder(record))
        with self._changed:
            self._last += 1
            number = self._last
            self._pending[number] = pending
            if isinstance(record, Did):
                self._remember(number, record.step)
            self._changed.notify_all()
        return number

    def settle(self) -> None:
        """Wait until all is durable; what failed before is tried again at once.

        Raises
        ------
        NotSaved
            If it fails; the records stay in memory.
        """
        with self._changed:
            self._failure = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._pending or self._failure)
            if self._failure is not None:
                raise NotSaved(self._failure.what, self._failure.hint)

    def step(self, number: int) -> Step:
        """The step made at this number.

        Raises
        ------
        IntegrityError
            If there is none, or it is not what was written, or was folded away.
        """
        step = self._steps.get(number)
        if step is not None:
            return step
        with self._changed:
            pending = self._pending.get(number)
        record = self._read(number) if pending is None else pending.record
        if not isinstance(record, Did):
            raise IntegrityError(f"record {number} of the history is not a step")
        self._remember(number, record.step)
        return record.step

    # Opening, saving, closing

    @property
    def saved(self) -> SaveState:
        """Whether all is durable now."""
        with self._changed:
            if self._failure is not None:
                what = self._failure.what
                return SaveState("failed", what[:1].upper() + what[1:])
            if self._pending:
                return SaveState("saving", "Saving")
        return SaveState("saved", "All changes saved")

    @property
    def last(self) -> int:
        """The number of the last record taken; 0 where there is none."""
        return self._last

    @property
    def head(self) -> tuple[int, str]:
        """Number and tag of the last durable record: names the whole history up to there."""
        return self._file.head

    @property
    def size_bytes(self) -> int:
        """What the journal takes on disk."""
        return self._file.size_bytes

    def load(self, empty: State) -> State:
        """The state that the journal leads to: its checkpoint, then the records after it.

        Parameters
        ----------
        empty
            What the journal began with; it is changed and given back where there is no
            checkpoint.

        Raises
        ------
        IntegrityError
            If a record is missing, damaged or does not fit; it says which.
        """
        with self._file.one_moment():
            state = self._replayed(empty)
        if self._read_only:
            self._last = self._file.last
        return state

    def records(self, after: int = 0, *, folded: bool = False) -> Iterator[tuple[int, Record]]:
        """The durable records after this number; `folded` passes over those folded away.

        Raises
        ------
        IntegrityError
            At the first one that is missing or damaged.
        """
        for number, content in self._file.rows(after, folded=folded):
            try:
                yield number, decode(content)
            except IntegrityError as error:
                raise IntegrityError(f"record {number}: {error}", error.hint) from error

    def checkpoint(self, state: State, at: int | None = None) -> None:
        """Keep the whole state, so that opening need not replay what led to it.

        Parameters
        ----------
        state
            Not changed meanwhile.
        at
            The number of the record that it is the state after; the last one if not given.

        Raises
        ------
        NotSaved
            If it cannot be kept; the journal is as before.
        """
        number = self._last if at is None else at
        self.settle()
        self._file.set_checkpoint(number, encode_state(state))

    def fold(self, state: State, *, keep: int = 500, above_bytes: int = FOLD_AT) -> bool:
        """Let go of old records once the journal has grown large; call when a version was saved.

        The last `keep` steps that can be undone, and all that can be redone, stay. Best done
        when a case is opened or closed, since a segmentation that is at work knows the others.

        Parameters
        ----------
        state
            After the last record; steps let go of are taken from its `done`.
        keep
            How many steps can still be undone.
        above_bytes
            Nothing is done below this size.

        Returns
        -------
        bool
            Whether records were let go.

        Raises
        ------
        NotSaved
            If it cannot be done; all is as before.
        """
        if self.size_bytes <= above_bytes:
            return False
        self.settle()
        done = state.done[max(0, len(state.done) - keep) :]
        parts = encode_state(replace(state, done=done))
        self._file.set_checkpoint(self._last, parts, kept={*done, *state.undone})
        state.done[:] = done
        return True

    def close(self, *, abandon: bool = False) -> None:
        """Wait until all is durable, then let go of the file.

        Parameters
        ----------
        abandon
            Close even if records are not durable: they are lost.

        Raises
        ------
        NotSaved
            If records are not durable and are not abandoned; the journal stays open.
        """
        if self._closed:
            return
        try:
            self.settle()
        except NotSaved:
            if not abandon:
                raise
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if not self._read_only:
            self._writer.join()
        self._file.close()

    # How

    def _replayed(self, empty: State) -> State:
        state, start = empty, 0
        found = self._file.checkpoint()
        if found is not None:
            start, state = found[0], decode_state(found[1])
            if state.labels.shape != empty.labels.shape:
                raise IntegrityError("the journal is of labels with another shape")
        for number, record in self.records(start):
            if isinstance(record, Did):
                self._remember(number, record.step)
            try:
                state.take(number, record, self.step)
            except IntegrityError as error:
                raise IntegrityError(f"record {number}: {error}", error.hint) from error
        return state

    def _remember(self, number: int, step: Step) -> None:
        size = sum(
            edit.changed.nbytes + edit.before.nbytes + edit.after.nbytes for edit in step.edits
        )
        self._steps.put(number, step, size + 1000)

    def _read(self, number: int) -> Record:
        try:
            return decode(self._file.row(number))
        except IntegrityError as error:
            raise IntegrityError(f"record {number}: {error}", error.hint) from error

    def _write(self) -> None:
        """The writer's thread."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closed or (self._pending and self._failure is None),
                    None if self._failure is None else _RETRY_S,
                )
                if self._closed:
                    return
                batch = dict(self._pending)
            failure = self._attempt(batch)
            with self._changed:
                self._failure = failure
                if failure is None:
                    for number in batch:
                        del self._pending[number]
                self._changed.notify_all()

    def _attempt(self, batch: Mapping[int, _Pending]) -> NotSaved | None:
        try:
            self._file.add({number: pending.encoded() for number, pending in batch.items()})
        except NotSaved as error:
            return error
        except Exception as error:  # noqa: BLE001  # a thread must not die and leave settle waiting
            return NotSaved(f"not saved: {type(error).__name__} while writing")
        return None
