"""What each format was: files in tests/data/storage, made once by `make` below and never again.

journal-1.sqlite is what `make` wrote before there were annotations and groups of labels.
"""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.core.annotation import Annotation, Distance, EllipseRoi
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import State
from napari_medlabel.core.plane import Plane
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.core.segmentation import Segmentation
from napari_medlabel.core.volume import Source
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.journal import SqliteJournal
from napari_medlabel.storage.ome_zarr import (
    open_volume,
    read_labels,
    verify,
    write_labels,
    write_volume,
)

DATA = Path(__file__).parents[1] / "data" / "storage"
CIPHER = Cipher(bytes(range(32)))
GEOMETRY = Geometry.from_spacing((5, 20, 18), (3.0, 0.8, 0.7), (-3.0, 12.0, 700.0))
SCHEMA = LabelSchema("Liver", (Label(2, "Liver", "#FF8000", Code("10200004", "SCT", "Liver")),))

LESION = Label(3, "Lesion", "#33FFCC", group=1)
LINE = Annotation("line", Distance((1.0, 2.5, 3.0), (1.0, 12.0, 9.25)), "Longest axis", segment=2)
ROI = Annotation(
    "roi", EllipseRoi(Plane(1, 4), (0.5, 2.0), (3.5, 9.0)), "Rötung", "#EBEB33",
    code=Code("52988006", "SCT", "Lesion"),
)  # fmt: skip


class Ramp:
    """A volume whose voxels count up."""

    modality, unit, name, window, problems = "CT", "HU", "", None, ()
    dtype = np.dtype(np.int16)
    source = Source("generated", GEOMETRY)

    def read(self, start: int, stop: int) -> np.ndarray:
        return np.arange(5 * 20 * 18, dtype=np.int16).reshape(GEOMETRY.shape)[start:stop] - 900

    def hashes(self) -> tuple[()]:
        return ()

    def close(self) -> None:
        pass


def draw(segmentation: Segmentation) -> None:
    where = np.ones((2, 5, 4), bool)
    segmentation.apply(Edit.fill(segmentation.labels, (1, 6, 7), where, 2), tool="Paint")
    segmentation.apply(Edit.fill(segmentation.labels, (0, 6, 7), where, 2), tool="Paint")
    segmentation.undo()
    segmentation.lock(2)


def draw_more(segmentation: Segmentation) -> None:
    """What format 2 brought: annotations, in a checkpoint and after it, and other groups."""
    over = Edit.fill(segmentation.arrays[1], (1, 6, 7), np.ones((1, 2, 2), bool), 3, group=1)
    segmentation.apply(over, tool="Paint")
    two = segmentation.annotations.with_(ROI)
    segmentation.set_annotations(two, tool="Add ellipse", settings={"kind": "ellipse"})
    segmentation.set_annotations(two.without("line"), tool="Remove distance")
    segmentation.undo()


def make(folder: Path) -> None:
    """Write files of the present format: `python -c` this when there is a new one."""
    for name, cipher in (("sealed", CIPHER), ("plain", None)):
        write_volume(Ramp(), folder / f"image-1-{name}.zarr", cipher=cipher, place="golden")
    journal = SqliteJournal(folder / "journal-2.sqlite", CIPHER, "golden")
    state = State(np.zeros(GEOMETRY.shape, np.uint8), SCHEMA.with_label(LESION))
    work = Segmentation(GEOMETRY, state, journal)
    work.set_annotations(AnnotationSet((LINE,)), tool="Add distance")
    journal.checkpoint(work.snapshot())
    draw(work)
    draw_more(work)
    journal.close()
    write_labels(
        work.labels, GEOMETRY, SCHEMA, folder / "labels-1.zarr", cipher=CIPHER, place="golden"
    )


@pytest.mark.parametrize(("name", "cipher"), [("sealed", CIPHER), ("plain", None)])
def test_images_of_format_1_are_read(name: str, cipher: Cipher | None) -> None:
    path = DATA / f"image-1-{name}.zarr"
    volume = open_volume(path, cipher=cipher, place="golden")
    np.testing.assert_array_equal(volume.levels[0][:], Ramp().read(0, 5))
    assert volume.geometry.same_grid(GEOMETRY)
    assert (volume.modality, volume.unit) == ("CT", "HU")
    assert volume.source.space_code == 1  # not in these files
    verify(path, cipher, "golden")


def test_labels_of_format_1_are_read() -> None:
    labels, geometry, schema = read_labels(DATA / "labels-1.zarr", cipher=CIPHER, place="golden")
    assert (int((labels == 2).sum()), schema) == (40, SCHEMA)
    assert geometry.same_grid(GEOMETRY)


def test_a_journal_of_format_1_is_read(tmp_path: Path) -> None:
    path = shutil.copy(DATA / "journal-1.sqlite", tmp_path)
    journal = SqliteJournal(Path(path), CIPHER, "golden")
    state = journal.load(State(np.zeros(GEOMETRY.shape, np.uint8), LabelSchema()))
    assert int((state.labels == 2).sum()) == 40
    assert (state.done, state.undone, state.locked) == ([1], [2], {2})
    assert state.schema == SCHEMA
    assert journal.step(2).tool == "Paint"
    journal.close()


def test_a_journal_of_format_1_becomes_one_of_the_present_when_it_is_written(
    tmp_path: Path,
) -> None:
    path = Path(shutil.copy(DATA / "journal-1.sqlite", tmp_path))
    assert _format(path) == 1
    SqliteJournal(path, CIPHER, "golden", read_only=True).close()
    assert _format(path) == 1
    journal = SqliteJournal(path, CIPHER, "golden")
    work = Segmentation(GEOMETRY, journal.load(State(np.zeros(GEOMETRY.shape, np.uint8), SCHEMA)))
    journal.close()
    assert _format(path) == 2
    assert (work.voxels(2), len(work.annotations)) == (40, 0)


def test_a_journal_of_format_2_is_read(tmp_path: Path) -> None:
    path = Path(shutil.copy(DATA / "journal-2.sqlite", tmp_path))
    journal = SqliteJournal(path, CIPHER, "golden")
    state = journal.load(State(np.zeros(GEOMETRY.shape, np.uint8), LabelSchema()))
    work = Segmentation(GEOMETRY, state, journal)
    assert (work.voxels(2), work.voxels(3), work.group_of(3)) == (40, 4, 1)
    assert work.annotations.annotations == (LINE, ROI)
    assert work.locked == {2}
    work.redo()
    assert work.annotations.annotations == (ROI,)
    for _ in range(3):
        work.undo()
    assert (work.voxels(3), work.annotations.annotations) == (0, (LINE,))
    journal.close()


def test_the_present_format_is_what_is_made_now(tmp_path: Path) -> None:
    make(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names | {"journal-1.sqlite"} == {path.name for path in DATA.iterdir()}
    assert _format(tmp_path / "journal-2.sqlite") == 2


def _format(path: Path) -> int:
    connection = sqlite3.connect(path)
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return number
