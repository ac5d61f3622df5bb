"""What format 1 was: files in tests/data/storage, made once by `make` below and never again."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.history import State
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


def make(folder: Path) -> None:
    """Write files of the present format: `python -c` this when there is a format 2."""
    for name, cipher in (("sealed", CIPHER), ("plain", None)):
        write_volume(Ramp(), folder / f"image-1-{name}.zarr", cipher=cipher, place="golden")
    journal = SqliteJournal(folder / "journal-1.sqlite", CIPHER, "golden")
    work = Segmentation(GEOMETRY, State(np.zeros(GEOMETRY.shape, np.uint8), SCHEMA), journal)
    journal.checkpoint(work.snapshot())
    draw(work)
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


def test_the_present_format_is_what_is_made_now(tmp_path: Path) -> None:
    make(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in DATA.iterdir())
