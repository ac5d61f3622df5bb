import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.kill import CIPHER, GEOMETRY, PLACE, act, empty
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.history import State
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.errors import (
    InputError,
    IntegrityError,
    MedlabelError,
    NotSaved,
    ReadOnly,
)
from napari_medlabel.storage import journal as journal_module
from napari_medlabel.storage import journal_file
from napari_medlabel.storage.cipher import Cipher, new_key
from napari_medlabel.storage.journal import SqliteJournal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path, CIPHER, PLACE)
    yield journal
    journal.close(abandon=True)


def segmentation(journal: SqliteJournal) -> Segmentation:
    return Segmentation(GEOMETRY, journal.load(empty()), journal)


def paint(path: Path, actions: int) -> Segmentation:
    """Make the first actions, and close."""
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    for number in range(journal.last + 1, journal.last + 1 + actions):
        act(work, number)
    journal.close()
    return work


def load(path: Path) -> State:
    journal = SqliteJournal(path, CIPHER, PLACE, read_only=True)
    try:
        state = journal.load(empty())
        for number in (*state.done, *state.undone):
            journal.step(number)
        return state
    finally:
        journal.close()


def change(path: Path, sql: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql, values)
    connection.commit()
    connection.close()


def assert_same(state: State, work: Segmentation) -> None:
    np.testing.assert_array_equal(state.labels, work.labels)
    assert tuple(state.done) == work.history
    assert state.schema == work.schema
    assert state.locked == work.locked
    assert state.annotations == work.annotations


# What is kept


@pytest.mark.parametrize("checkpoint_at", [None, 0, 7, 60])
def test_opening_again_gives_mask_undo_redo_and_locks(
    path: Path, checkpoint_at: int | None
) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    for number in range(1, 61):
        if number - 1 == checkpoint_at:
            journal.checkpoint(work.snapshot())
        act(work, number)
    if checkpoint_at == 60:
        journal.checkpoint(work.snapshot())
    work.undo()
    journal.close()

    journal = SqliteJournal(path, CIPHER, PLACE)
    again = segmentation(journal)
    assert_same(journal.load(empty()), work)
    again.redo()
    while again.undo() is not None:
        pass
    assert not again.labels.any()
    journal.close()


def test_a_checkpoint_of_an_earlier_state_is_gone_on_from(path: Path) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    for number in range(1, 11):
        act(work, number)
    at, state = journal.last, work.snapshot()
    for number in range(11, 21):
        act(work, number)
    journal.checkpoint(state, at=at)
    journal.close()
    assert_same(load(path), work)


def test_a_second_process_can_look_while_the_first_writes(path: Path) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    act(work, 1)
    work.settle()
    assert_same(load(path), work)
    looking = SqliteJournal(path, CIPHER, PLACE, read_only=True)
    seen = segmentation(looking)
    with pytest.raises(ReadOnly):
        seen.lock(1)
    looking.close()
    journal.close()


def test_who_looks_sees_all_that_was_drawn_since_the_file_was_opened(path: Path) -> None:
    """A checkpoint that came meanwhile was once taken for a journal that had lost records."""
    work = paint(path, 5)
    looking = SqliteJournal(path, CIPHER, PLACE, read_only=True)
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    for number in range(6, 13):
        act(work, number)
    journal.checkpoint(work.snapshot())
    journal.close()
    assert_same(looking.load(empty()), work)
    assert (looking.last, looking.head) == (12, journal.head)
    looking.close()


def test_who_looks_while_another_draws_folds_and_closes_sees_one_moment(path: Path) -> None:
    paint(path, 20)
    over = threading.Event()
    failures: list[Exception] = []
    seen: list[int] = []

    def look() -> None:
        while not over.is_set():
            try:
                looking = SqliteJournal(path, CIPHER, PLACE, read_only=True)
                looking.load(empty())
                seen.append(looking.last)
                looking.close()
            except MedlabelError as error:
                failures.append(error)

    watcher = threading.Thread(target=look)
    watcher.start()
    for _ in range(6):
        journal = SqliteJournal(path, CIPHER, PLACE)
        work = segmentation(journal)
        for number in range(journal.last + 1, journal.last + 9):
            act(work, number)
            if number % 3 == 0:
                journal.checkpoint(work.snapshot())
        journal.fold(work.snapshot(), keep=5, above_bytes=0)
        journal.close()
    over.set()
    watcher.join()
    assert failures == []
    assert seen == sorted(seen)


def test_a_closed_journal_is_one_plain_file(path: Path) -> None:
    """Bytes 18 and 19 of a SQLite file: 1 without, 2 with a WAL."""
    paint(path, 3)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes()[18:20] == b"\1\1"


def test_a_journal_closed_while_another_looks_leaves_nothing_in_its_wal(path: Path) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    act(work, 1)
    work.settle()
    looking = SqliteJournal(path, CIPHER, PLACE, read_only=True)
    journal.close()
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
    alone = path.with_name("copy.sqlite")
    shutil.copy(path, alone)
    assert_same(load(alone), work)
    looking.close()
    assert_same(load(path), work)


def in_wal_mode(path: Path) -> None:
    """As a program leaves the file that closes it without leaving the mode."""
    change(path, "PRAGMA journal_mode = WAL")
    assert path.read_bytes()[18:20] == b"\2\2"


def keep_from_sharing_memory(path: Path) -> None:
    """SQLite follows no link there, whoever runs it."""
    path.with_name(f"{path.name}-shm").symlink_to("nowhere")


def test_a_journal_in_wal_mode_is_looked_at_where_no_shared_memory_can_be_made(path: Path) -> None:
    work = paint(path, 12)
    in_wal_mode(path)
    keep_from_sharing_memory(path)
    assert_same(load(path), work)


def test_a_journal_that_was_not_closed_says_so_where_nothing_can_be_written(path: Path) -> None:
    paint(path, 12)
    in_wal_mode(path)
    path.with_name(f"{path.name}-wal").write_bytes(b"not empty")
    keep_from_sharing_memory(path)
    with pytest.raises(InputError, match="was not closed") as caught:
        load(path)
    assert "copy the folder" in caught.value.hint


READ_ONLY = """
import sys
from pathlib import Path
from benchmarks.kill import *
path = Path(sys.argv[1])
try:
    (path.parent / "x").touch()
except OSError:
    pass
else:
    sys.exit("the folder can be written to")
journal = SqliteJournal(path, CIPHER, PLACE, read_only=True)
state = journal.load(empty())
print(journal.last, int(state.labels.astype(int).sum()))
"""
MOUNT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def unshare(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, *command],
        check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip


@pytest.mark.parametrize("wal", [False, True])
def test_a_journal_on_a_read_only_file_system_is_looked_at(path: Path, wal: bool) -> None:  # noqa: FBT001
    if shutil.which("unshare") is None or unshare(str(path.parent), "true").returncode:
        pytest.skip("no file system can be mounted here")
    work = paint(path, 12)
    if wal:
        in_wal_mode(path)
    done = unshare(str(path.parent), sys.executable, "-c", READ_ONLY, str(path))
    assert done.stdout.split() == ["12", str(int(work.labels.astype(int).sum()))], done.stderr


def test_looking_makes_no_file(path: Path) -> None:
    with pytest.raises(InputError):
        SqliteJournal(path, CIPHER, PLACE, read_only=True)
    assert not path.exists()


def test_nothing_drawn_is_in_the_clear(path: Path) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    work.set_label(work.schema.next_label("Hepatocellular"))
    journal.checkpoint(work.snapshot())
    journal.close()
    stored = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"Hepatocellular" not in stored
    assert b"Add segment" not in stored


def test_the_saved_state_speaks_plain_words(journal: SqliteJournal) -> None:
    assert (journal.saved.kind, journal.saved.words) == ("saved", "All changes saved")
    work = segmentation(journal)
    with journal._file._lock:  # the disk is slow
        work.lock(1)
        assert (journal.saved.kind, journal.saved.words) == ("saving", "Saving")
    journal.settle()
    assert journal.saved.kind == "saved"


def test_the_history_can_be_read_for_provenance(path: Path) -> None:
    work = paint(path, 12)
    journal = SqliteJournal(path, CIPHER, PLACE)
    assert [number for number, _ in journal.records()] == list(range(1, 13))
    assert journal.head[0] == journal.last == 12
    assert work.history
    journal.close()


# Folding


def test_folding_keeps_the_last_steps_and_what_can_be_redone(path: Path) -> None:
    paint(path, 80)
    journal = SqliteJournal(path, CIPHER, PLACE)
    state = journal.load(empty())
    oldest, wanted = state.done[0], state.done[-5:]
    assert not journal.fold(state, keep=5)  # it is small
    assert journal.fold(state, keep=5, above_bytes=0)
    assert state.done == wanted
    with pytest.raises(IntegrityError, match="folded"):
        SqliteJournal(path, CIPHER, PLACE, read_only=True).step(oldest)
    work = Segmentation(GEOMETRY, state, journal)
    for number in range(journal.last + 1, journal.last + 30):
        act(work, number)
    journal.close()
    assert_same(load(path), work)


def test_folding_gives_room_back(path: Path) -> None:
    paint(path, 200)
    rows = path.stat().st_size
    journal = SqliteJournal(path, CIPHER, PLACE)
    state = journal.load(empty())
    journal.checkpoint(state)
    before = journal.size_bytes
    journal.fold(state, keep=5, above_bytes=0)
    journal.close()
    assert path.stat().st_size < before - rows / 2


# Damage


@given(st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_in_a_row_is_an_error_that_names_it(
    tmp_path: Path, data: st.DataObject
) -> None:
    template = tmp_path / "template.sqlite"
    if not template.exists():
        paint(template, 12)
    hurt = tmp_path / "hurt.sqlite"
    shutil.copy(template, hurt)
    number = data.draw(st.integers(0, 12))
    connection = sqlite3.connect(hurt)
    query = "SELECT sealed FROM records WHERE number = ?"
    sealed = bytearray(connection.execute(query, (number,)).fetchone()[0])
    connection.close()
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    change(hurt, "UPDATE records SET sealed = ? WHERE number = ?", bytes(sealed), number)
    with pytest.raises(IntegrityError, match=f"record {number} ") as caught:
        load(hurt)
    assert "version" in caught.value.hint


@given(st.integers(0, 1 << 30), st.sampled_from([0, 1, 2]), st.integers(0, 7))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_bit_flipped_anywhere_in_the_file_is_an_error_or_no_harm(
    tmp_path: Path, position: int, where: int, bit: int
) -> None:
    template = tmp_path / "template.sqlite"
    if not template.exists():
        paint(template, 12)
        journal = SqliteJournal(template, CIPHER, PLACE)
        journal.checkpoint(journal.load(empty()))
        journal.close()
        paint(template, 7)
    before, content = load(template), bytearray(template.read_bytes())
    page = 4096 * (position % (len(content) // 4096))
    offset = (position % len(content), page + position % 60, position % 100)[where]
    content[offset] ^= 1 << bit
    hurt = tmp_path / "hurt.sqlite"
    for file in tmp_path.glob("hurt.sqlite*"):
        file.unlink()
    hurt.write_bytes(content)
    try:
        after = load(hurt)
    except MedlabelError:
        return
    np.testing.assert_array_equal(after.labels, before.labels)
    assert (after.done, after.undone) == (before.done, before.undone)


@pytest.mark.parametrize("number", [0, 1, 5, 11])
def test_a_missing_row_is_an_error_that_names_it(path: Path, number: int) -> None:
    paint(path, 12)
    change(path, "DELETE FROM records WHERE number = ?", number)
    with pytest.raises(IntegrityError, match=f"record {number}"):
        load(path)


def test_swapped_rows_are_an_error(path: Path) -> None:
    paint(path, 12)
    for sql in ("= -1 WHERE number = 4", "= 4 WHERE number = 5", "= 5 WHERE number = -1"):
        change(path, f"UPDATE records SET number {sql}")  # noqa: S608
    with pytest.raises(IntegrityError, match="record 4"):
        load(path)


def test_a_row_of_another_past_is_an_error(tmp_path: Path) -> None:
    """An old backup is worked on; then a row of what had been drawn meanwhile is put back."""
    path, backup = tmp_path / "a.sqlite", tmp_path / "b.sqlite"
    paint(path, 5)
    shutil.copy(path, backup)
    paint(path, 3)
    paint(backup, 3)
    connection = sqlite3.connect(path)
    connection.execute("ATTACH ? AS other", (str(backup),))
    connection.execute("DELETE FROM records WHERE number = 7")
    connection.execute("INSERT INTO records SELECT * FROM other.records WHERE number = 7")
    connection.commit()
    connection.close()
    with pytest.raises(IntegrityError, match="record 7"):
        load(path)


def test_rows_cut_off_before_the_checkpoint_are_an_error(path: Path) -> None:
    paint(path, 12)
    journal = SqliteJournal(path, CIPHER, PLACE)
    journal.checkpoint(journal.load(empty()))
    journal.close()
    change(path, "DELETE FROM records WHERE number > 10")
    with pytest.raises(IntegrityError, match="record 11"):
        load(path)


def test_a_damaged_checkpoint_is_an_error(path: Path) -> None:
    paint(path, 12)
    journal = SqliteJournal(path, CIPHER, PLACE)
    journal.checkpoint(journal.load(empty()))
    journal.close()
    change(path, "DELETE FROM checkpoint WHERE part = 1")
    with pytest.raises(IntegrityError, match="checkpoint at record 12"):
        load(path)


@pytest.mark.parametrize(
    ("cipher", "place"), [(Cipher(new_key()), PLACE), (CIPHER, "another segmentation")]
)
def test_a_journal_opens_nowhere_else(path: Path, cipher: Cipher, place: str) -> None:
    paint(path, 1)
    before = path.read_bytes()
    with pytest.raises(IntegrityError):
        SqliteJournal(path, cipher, place)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(200), b"text" * 2000])
def test_a_file_that_is_no_journal_is_an_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        SqliteJournal(path, CIPHER, PLACE)
    assert path.read_bytes() == content


def test_pages_overwritten_in_the_file_are_an_error(path: Path) -> None:
    paint(path, 60)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(IntegrityError):
        load(path)


def test_a_newer_format_says_so(path: Path) -> None:
    paint(path, 1)
    change(path, "PRAGMA user_version = 9")
    with pytest.raises(InputError, match="format 9") as caught:
        SqliteJournal(path, CIPHER, PLACE)
    assert "update" in caught.value.hint


# Disk trouble


def test_a_folder_that_goes_away_refuses_the_next_stroke_and_loses_none(tmp_path: Path) -> None:
    folder, away = tmp_path / "case", tmp_path / "away"
    folder.mkdir()
    journal = SqliteJournal(folder / "journal.sqlite", CIPHER, PLACE)
    work = segmentation(journal)
    act(work, 1)
    work.settle()
    folder.rename(away)
    act(work, 2)
    with pytest.raises(NotSaved, match="folder is gone") as caught:
        act(work, 3)
    assert "bring" in caught.value.hint
    assert journal.saved.kind == "failed"
    assert journal.saved.words == "Not saved: the folder is gone"
    with pytest.raises(NotSaved):
        journal.close()
    assert work.history
    work.next_undo()  # the step is still at hand
    away.rename(folder)
    act(work, 3)
    journal.close()
    assert journal.saved.kind == "saved"
    assert_same(load(folder / "journal.sqlite"), work)


def test_what_could_not_be_saved_is_saved_by_itself_once_it_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_RETRY_S", 0.05)
    folder, away = tmp_path / "case", tmp_path / "away"
    folder.mkdir()
    journal = SqliteJournal(folder / "journal.sqlite", CIPHER, PLACE)
    work = segmentation(journal)
    folder.rename(away)
    act(work, 1)
    wait_for(journal, "failed")
    time.sleep(0.2)
    assert journal.saved.kind == "failed"  # while it is tried again too
    away.rename(folder)
    wait_for(journal, "saved")
    assert_same(load(folder / "journal.sqlite"), work)  # no further stroke, not closed
    journal.close()


def wait_for(journal: SqliteJournal, kind: str) -> None:
    until = time.monotonic() + 20
    while journal.saved.kind != kind:
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("value", [object(), {1}, "\ud800"], ids=["object", "set", "surrogate"])
def test_a_stroke_that_cannot_be_stored_is_refused_and_the_next_one_is_saved(
    path: Path, value: object
) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    act(work, 1)
    before = work.labels.copy()
    wanted = Edit.fill(work.labels, (30, 0, 0), np.ones((2, 3, 4), bool), 2)
    with pytest.raises(InputError, match="this change cannot be stored"):
        work.apply(wanted, tool="Paint", settings={"size": value})
    np.testing.assert_array_equal(work.labels, before)
    assert (work.history, journal.last, journal.saved.kind) == ((1,), 1, "saved")
    work.apply(wanted, tool="Paint", settings={"size": 3})
    journal.close()
    assert_same(load(path), work)


def test_a_journal_put_in_the_place_of_ours_is_not_written_on(path: Path) -> None:
    other = path.with_name("other.sqlite")
    paint(other, 3)
    before = other.read_bytes()
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    act(work, 1)
    work.settle()
    for file in path.parent.glob("journal.sqlite*"):
        file.unlink()
    other.replace(path)
    act(work, 2)
    with pytest.raises(NotSaved):
        work.settle()
    with pytest.raises(NotSaved, match="another program"):
        work.settle()
    journal.close(abandon=True)
    assert path.read_bytes() == before


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from benchmarks.kill import *
from napari_medlabel.errors import NotSaved
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
journal, work = open_journal(path)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
try:
    while True:
        act(work, journal.last + 1)
except NotSaved as error:
    print(error, "|", error.hint)
assert journal.saved.kind == "failed"
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
act(work, journal.last + 1)
work.settle()
assert journal.saved.kind == "saved"
journal.close()
journal, found = open_journal(path)
assert found.history == work.history
np.testing.assert_array_equal(found.labels, work.labels)
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of a file's size are POSIX")
def test_a_full_disk_is_said_and_every_stroke_is_saved_once_there_is_room(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL_DISK, str(path)],
        check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("not saved: ")


AND_THEN_A_CRASH = (
    FULL_DISK[: FULL_DISK.index("act(work, journal.last + 1)\nwork.settle")]
    + """
import os, time
until = time.monotonic() + 20
while journal.saved.kind != "saved":
    assert time.monotonic() < until
    time.sleep(0.05)
print(journal.last, int(work.labels.astype(int).sum()), flush=True)
os._exit(0)
"""
)


@pytest.mark.skipif(os.name != "posix", reason="limits of a file's size are POSIX")
def test_a_stroke_that_waited_for_room_on_the_disk_outlives_a_crash(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", AND_THEN_A_CRASH, str(path)],
        check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    journal = SqliteJournal(path, CIPHER, PLACE)
    state = journal.load(empty())
    last = done.stdout.splitlines()[-1]
    assert last == f"{journal.last} {int(state.labels.astype(int).sum())}"
    journal.close()


def test_a_full_disk_during_a_checkpoint_leaves_the_journal_as_it_was(path: Path) -> None:
    work = paint(path, 30)
    journal = SqliteJournal(path, CIPHER, PLACE)
    connection = journal._file._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 1}")  # SQLite's own full disk
    rng = np.random.default_rng(0)
    noise = work.snapshot()
    noise.labels[:] = rng.integers(0, 4, noise.labels.shape)
    with pytest.raises(NotSaved, match="disk is full"):
        journal.checkpoint(noise)
    journal.close()
    assert_same(load(path), work)


def test_a_stroke_waits_for_the_one_before_only(journal: SqliteJournal) -> None:
    work = segmentation(journal)
    hold = threading.Event()
    release = threading.Thread(target=lambda: (time.sleep(0.2), hold.set()))
    with journal._file._lock:
        started = time.perf_counter()
        work.lock(1)
        assert time.perf_counter() - started < 0.1  # did not wait for the disk
        release.start()
        hold.wait()
    work.lock(1, on=False)
    release.join()
    journal.settle()
    assert journal.last == 2


def test_an_edit_of_a_whole_volume_is_durable(path: Path) -> None:
    journal = SqliteJournal(path, CIPHER, PLACE)
    work = segmentation(journal)
    rng = np.random.default_rng(1)
    answer = rng.integers(0, 4, GEOMETRY.shape).astype(np.uint8)
    work.apply(Edit.between((0, 0, 0), work.labels, answer), tool="Segment")
    journal.close()
    assert_same(load(path), work)


def test_where_the_file_system_has_no_wal_the_rollback_journal_serves(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_wal(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        connection.execute("PRAGMA synchronous = FULL")

    monkeypatch.setattr(journal_file, "make_durable", without_wal)
    work = paint(path, 20)
    journal = SqliteJournal(path, CIPHER, PLACE)
    again = segmentation(journal)
    act(again, 21)
    again.settle()
    assert list(path.parent.glob("*-wal")) == []
    assert_same(load(path), again)
    journal.close()
    assert work.history
