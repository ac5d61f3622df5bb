import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.problem import Problem
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.volume import (
    Instance,
    Source,
    Window,
    slice_sha256,
    volume_sha256,
)
from napari_medlabel.errors import (
    Cancelled,
    InputError,
    IntegrityError,
    MedlabelError,
    OutputError,
)
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.ome_zarr import (
    open_volume,
    read_into,
    read_labels,
    verify,
    write_labels,
    write_volume,
)
from napari_medlabel.storage.sealed_store import open_folder
from napari_medlabel.storage.stored_grid import StoredGrid, ZarrGrid
from napari_medlabel.storage.zarr_store import zarr_store

CIPHER = Cipher(bytes(32))
SCHEMA = LabelSchema("Liver", (Label(1, "Liver", "#FF8000"), Label(7, "Lesion", "#33FFCC")))


@dataclass
class Reader:
    """A generated series: `VolumeReader`."""

    array: np.ndarray
    source: Source
    modality: str = "CT"
    unit: str = "HU"
    name: str = "echo 2"
    window: Window | None = field(default_factory=lambda: Window(400.0, 40.0, "soft"))
    problems: tuple[Problem, ...] = (Problem("gantry-tilt", "tilted by 3 degrees", "mind it"),)
    read_slices: list[tuple[int, int]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    @property
    def dtype(self) -> np.dtype:
        return self.array.dtype

    def read(self, start: int, stop: int) -> np.ndarray:
        with self.lock:
            self.read_slices.append((start, stop))
        return self.array[start:stop].copy()

    def hashes(self) -> tuple[Instance, ...]:
        return tuple(Instance(one.uid, one.slice, "ab" * 32) for one in self.source.instances)

    def close(self) -> None:
        pass


def reader(shape: tuple[int, int, int], matrix: np.ndarray, kind: type = np.int16) -> Reader:
    rng = np.random.default_rng(sum(shape))
    array = (rng.normal(0, 300, shape)).astype(kind)
    geometry = Geometry(shape, matrix)
    instances = tuple(Instance(f"1.2.3.{k}", k) for k in range(shape[0]))
    source = Source(
        "dicom", geometry, geometry.canonical, "1.2.840.1", "1.2.840.2", "1.2.840.3", instances,
        space_code=3,
    )  # fmt: skip
    return Reader(array, source)


def oblique(order: tuple[int, int, int], flips: tuple[bool, bool, bool]) -> np.ndarray:
    """An affine whose axes are near these patient axes, turned a little, with shear."""
    matrix = np.eye(4)
    matrix[:3, :3] = np.eye(3)[:, list(order)] * [-1.0 if flip else 1.0 for flip in flips]
    turn = np.array([[0.98, -0.17, 0.05], [0.17, 0.98, 0.02], [-0.05, 0.0, 0.99]])
    matrix[:3, :3] = turn @ matrix[:3, :3] * [2.5, 0.8, 0.7]
    matrix[:3, 3] = [-120.5, 33.25, 700.125]
    return matrix


OBLIQUE = oblique((2, 1, 0), (False, False, False))
SAGITTAL = oblique((0, 2, 1), (True, True, False))


def files(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


# What is written is read


@given(
    st.permutations([0, 1, 2]),
    st.tuples(*[st.booleans()] * 3),
    st.tuples(*[st.integers(1, 150)] * 3),
    st.sampled_from([np.int16, np.uint8, np.uint16, np.float32, np.int32]),
    st.booleans(),
    st.integers(0, 200),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_volume_read_back_is_the_volume(  # noqa: PLR0913, PLR0917
    tmp_path: Path,
    order: tuple[int, int, int],
    flips: tuple[bool, bool, bool],
    shape: tuple[int, int, int],
    kind: type,
    sealed: bool,  # noqa: FBT001
    first: int,
) -> None:
    path = tmp_path / "image.zarr"
    shutil.rmtree(path, ignore_errors=True)
    series = reader(shape, oblique(order, flips), kind)
    cipher = CIPHER if sealed else None
    wanted = series.source.axes.apply(series.array)
    into = np.full(wanted.shape, 99, kind)
    write_volume(series, path, cipher=cipher, place="a", into=into, first=first)
    np.testing.assert_array_equal(into, wanted)
    volume = open_volume(path, cipher=cipher, place="a")
    np.testing.assert_array_equal(volume.levels[0][:], wanted)
    assert volume.levels[0].dtype == kind
    assert volume.geometry.same_grid(series.source.geometry.laid_out(series.source.axes), 1e-9)
    back = np.zeros_like(wanted)
    read_into(path, back, cipher=cipher, place="a", first=first)
    np.testing.assert_array_equal(back, wanted)
    assert volume.sha256 == volume_sha256(slice_sha256(plane) for plane in series.array)
    verify(path, cipher, "a")


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("cipher", [None, CIPHER])
def test_everything_about_a_volume_is_kept(
    tmp_path: Path,
    cipher: Cipher | None,
    sharded: bool,  # noqa: FBT001
) -> None:
    series = reader((40, 150, 130), SAGITTAL)
    path = tmp_path / "image.zarr"
    written = write_volume(series, path, cipher=cipher, place="a", sharded=sharded)
    volume = open_volume(path, cipher=cipher, place="a")
    for one in (written, volume):
        assert (one.modality, one.unit, one.name) == ("CT", "HU", "echo 2")
        assert one.window == Window(400.0, 40.0, "soft")
        assert one.problems == series.problems
        assert one.sha256 == written.sha256 != ""
        assert one.source.axes == series.source.axes
        assert one.source.space_code == 3
        np.testing.assert_array_equal(
            one.source.geometry.lps_from_kji, series.source.geometry.lps_from_kji
        )
        assert [i.sha256 for i in one.source.instances] == ["ab" * 32] * 40
    assert written.source.series_uid == "1.2.840.2"
    assert volume.source.series_uid == ("1.2.840.2" if cipher else "")


def test_in_the_clear_no_uid_is_written(tmp_path: Path) -> None:
    write_volume(reader((3, 20, 20), OBLIQUE), tmp_path / "image.zarr")
    assert not any(b"1.2.840" in c or b"1.2.3." in c for c in files(tmp_path).values())


def test_sealed_nothing_is_in_the_clear(tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    write_volume(reader((3, 20, 20), OBLIQUE), path, cipher=CIPHER)
    for content in files(path).values():
        assert content.startswith(b"MLSR")
        assert b"1.2.840" not in content
        assert b"multiscales" not in content


def test_coarser_levels_are_the_mean_and_lie_where_they_should(tmp_path: Path) -> None:
    series = reader((70, 201, 130), np.diag([1.0, 1.0, 1.0, 1.0])[:, [2, 1, 0, 3]])
    volume = write_volume(series, tmp_path / "image.zarr")
    finest, coarser = (level[:].astype(float) for level in volume.levels[:2])
    assert coarser.shape == (70, 101, 65)
    mean = finest[:, :200].reshape(70, 100, 2, 65, 2).mean(axis=(2, 4))
    assert np.abs(coarser[:, :100] - mean).max() <= 0.5
    document = json.loads((tmp_path / "image.zarr" / "zarr.json").read_text())
    first, second = document["attributes"]["ome"]["multiscales"][0]["datasets"][:2]
    assert first["coordinateTransformations"][0]["scale"] == [1.0, 1.0, 1.0]
    assert second["coordinateTransformations"] == [
        {"type": "scale", "scale": [1.0, 2.0, 2.0]},
        {"type": "translation", "translation": [0.0, 0.5, 0.5]},
    ]


@pytest.mark.parametrize("matrix", [OBLIQUE, SAGITTAL])
def test_the_slab_that_is_seen_comes_first_and_all_are_told(
    tmp_path: Path, matrix: np.ndarray
) -> None:
    series = reader((300, 40, 36), matrix)
    axis = series.source.axes.order.index(0)
    wanted = series.source.axes.apply(series.array)
    into = np.zeros(wanted.shape, np.int16)
    told: list[tuple[int, int]] = []

    def loaded(start: int, stop: int) -> None:
        part = [slice(None)] * 3
        part[axis] = slice(start, stop)
        np.testing.assert_array_equal(into[tuple(part)], wanted[tuple(part)])
        told.append((start, stop))

    path = tmp_path / "image.zarr"
    write_volume(series, path, into=into, loaded=loaded, first=200, threads=1)
    assert told[0][0] <= 200 < told[0][1]
    assert min(told)[0] == 0
    assert sum(stop - start for start, stop in told) == 300
    told.clear()
    into[:] = 0
    axis = 0
    read_into(path, into, loaded=loaded, first=20, threads=1)
    assert told[0][0] <= 20 < told[0][1]
    assert sum(stop - start for start, stop in told) == wanted.shape[0]


@pytest.mark.parametrize("sharded", [False, True])
def test_a_slice_asked_for_meanwhile_comes_next_and_the_others_in_order(
    tmp_path: Path,
    sharded: bool,  # noqa: FBT001
) -> None:
    series = reader((300, 40, 36), OBLIQUE)
    into = np.zeros(series.array.shape, np.int16)
    path = tmp_path / "image.zarr"
    wishes = {0: 150, 1: 299, 3: 150, 4: -1, 5: 300, 6: 33}  # after so many slabs
    told: list[tuple[int, int]] = []

    def first() -> int | None:
        return wishes.get(len(told))

    def loaded(start: int, stop: int) -> None:
        told.append((start, stop))

    write_volume(series, path, into=into, loaded=loaded, first=first, threads=1, sharded=sharded)
    starts = [128, 288, 0, 32, 64, 96, 160, 192, 224, 256]
    assert [start for start, _ in told] == starts
    assert series.read_slices == told
    order = told.copy()
    told.clear()
    into[:] = 0
    read_into(path, into, loaded=loaded, first=first, threads=1)
    assert told == order
    np.testing.assert_array_equal(into, series.source.axes.apply(series.array))


@given(st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_level_is_cut_as_numpy_cuts(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "image.zarr"
    series = reader((40, 150, 130), OBLIQUE)
    if not path.exists():
        write_volume(series, path)
        write_volume(series, tmp_path / "sharded.zarr", sharded=True)
    wanted = series.source.axes.apply(series.array)
    key = data.draw(
        st.tuples(*(st.integers(-n, n - 1) | st.slices(n) for n in wanted.shape))
        | st.just(Ellipsis)
        | st.tuples(st.just(Ellipsis), st.slices(130))
        | st.slices(40)
    )
    for name in ("image.zarr", "sharded.zarr"):
        np.testing.assert_array_equal(open_volume(tmp_path / name).levels[0][key], wanted[key])


def test_a_level_is_not_cut_otherwise(tmp_path: Path) -> None:
    level = write_volume(reader((4, 5, 6), OBLIQUE), tmp_path / "image.zarr").levels[0]
    for key in (4, (0, 0, 0, 0), [0, 1], 1.5, None):
        with pytest.raises(IndexError):
            level[key]
    assert np.asarray(level).shape == level.shape
    assert level.ndim == 3


# Other programs read it


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_zarr_python_reads_the_same(tmp_path: Path, sharded: bool, kind: type) -> None:  # noqa: FBT001
    import zarr

    series = reader((40, 300, 140), OBLIQUE, kind)
    for name, cipher in (("plain.zarr", None), ("sealed.zarr", CIPHER)):
        path = tmp_path / name
        volume = write_volume(series, path, cipher=cipher, place="a", sharded=sharded)
        group = zarr.open_group(zarr_store(open_folder(path, cipher, "a")), mode="r")
        for level, grid in enumerate(volume.levels):
            array = group[str(level)]
            assert isinstance(array, zarr.Array)
            np.testing.assert_array_equal(array[:], grid[:])
    plain = zarr.open_group(tmp_path / "plain.zarr", mode="r")
    np.testing.assert_array_equal(plain["0"][:], series.source.axes.apply(series.array))


@pytest.mark.parametrize("sharded", [False, True])
def test_ome_zarr_models_finds_it_valid(tmp_path: Path, sharded: bool) -> None:  # noqa: FBT001
    code = (
        "import sys, zarr\n"
        "from ome_zarr_models.v05 import Image\n"
        "image = Image.from_zarr(zarr.open_group(sys.argv[1], mode='r'))\n"
        "print(image.attributes.ome.multiscales[0].ndim)"
    )
    path = tmp_path / "image.zarr"
    write_volume(reader((40, 300, 140), OBLIQUE), path, sharded=sharded)
    assert run(code, path) == "3"


def test_ome_zarr_models_finds_labels_valid(tmp_path: Path) -> None:
    code = (
        "import sys, zarr\n"
        "from ome_zarr_models.v05 import ImageLabel\n"
        "labels = ImageLabel.from_zarr(zarr.open_group(sys.argv[1], mode='r'))\n"
        "print(labels.attributes.ome.image_label.colors[0].rgba)"
    )
    labels, geometry = drawn()
    write_labels(labels, geometry, SCHEMA, tmp_path / "labels.zarr")
    assert run(code, tmp_path / "labels.zarr") == "(255, 128, 0, 255)"


def test_napari_opens_it_with_its_own_reader(tmp_path: Path) -> None:
    pytest.importorskip("napari_ome_zarr", reason="napari-ome-zarr is not installed")
    code = (
        "import sys\n"
        "from napari_ome_zarr._reader import napari_get_reader\n"
        "layers = napari_get_reader(sys.argv[1])(sys.argv[1])\n"
        "data, meta, kind = layers[0]\n"
        "print(kind, tuple(data[0].shape), int(data[0][3, 4, 5].compute()), len(data))"
    )
    series = reader((40, 300, 140), OBLIQUE)
    path = tmp_path / "image.zarr"
    write_volume(series, path)
    value = series.source.axes.apply(series.array)[3, 4, 5]
    assert run(code, path).splitlines()[-1] == f"image (40, 300, 140) {value} 3"


def run(code: str, path: Path) -> str:
    """What a program in a process of its own prints: its warnings are not ours."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Damage


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sealed") / "image.zarr"
    write_volume(reader((70, 150, 130), OBLIQUE), path, cipher=CIPHER, place="a")
    return path


def assert_hurt(path: Path, words: str = "") -> None:
    with pytest.raises(IntegrityError, match=words):
        verify(path, CIPHER, "a")
    with pytest.raises(IntegrityError, match=words):
        read_all(path)


def read_all(path: Path) -> None:
    for level in open_volume(path, cipher=CIPHER, place="a").levels:
        level[:]


@given(st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_flipped_bit_anywhere_is_an_error_that_names_the_file(
    sealed: Path, tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "image.zarr"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(sealed, path)
    name = data.draw(st.sampled_from(sorted(files(path))))
    content = bytearray((path / name).read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    (path / name).write_bytes(content)
    with pytest.raises(IntegrityError, match=name):
        verify(path, CIPHER, "a")


def chunks(path: Path) -> list[Path]:
    return sorted(path.glob("0/c*"))


def test_a_missing_chunk_is_found_when_it_is_opened(sealed: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sealed, tmp_path / "image.zarr")
    chunks(path)[2].unlink()
    assert_hurt(path, "is missing")


def test_an_added_chunk_is_found_when_it_is_opened(sealed: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sealed, tmp_path / "image.zarr")
    shutil.copy(chunks(path)[0], path / "0" / "c.9.9.9")
    assert_hurt(path, r"c\.9\.9\.9 does not belong")


def test_what_a_file_manager_leaves_behind_is_no_damage(sealed: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sealed, tmp_path / "image.zarr")
    (path / ".DS_Store").write_bytes(b"x")
    (path / "0" / "Thumbs.db").write_bytes(b"x")
    verify(path, CIPHER, "a")


def test_swapped_chunks_are_found(sealed: Path, tmp_path: Path) -> None:
    path = shutil.copytree(sealed, tmp_path / "image.zarr")
    one, other = chunks(path)[:2]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)
    assert_hurt(path, "is damaged")


def test_an_older_chunk_of_the_same_place_is_found(sealed: Path, tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    write_volume(reader((70, 150, 130), OBLIQUE), path, cipher=CIPHER, place="a")
    chunks(path)[1].write_bytes(chunks(sealed)[1].read_bytes())
    assert_hurt(path, "of another time")


@pytest.mark.parametrize(
    ("cipher", "place"), [(Cipher(bytes([1] * 32)), "a"), (CIPHER, "b"), (CIPHER, "")]
)
def test_a_sealed_volume_opens_nowhere_else(sealed: Path, cipher: Cipher, place: str) -> None:
    with pytest.raises(IntegrityError, match="manifest"):
        open_volume(sealed, cipher=cipher, place=place)


def test_a_sealed_volume_says_so_where_there_is_no_key(sealed: Path) -> None:
    with pytest.raises(InputError, match="sealed"):
        open_volume(sealed)


def test_zarr_python_meets_the_same_errors(sealed: Path, tmp_path: Path) -> None:
    import zarr

    path = shutil.copytree(sealed, tmp_path / "image.zarr")
    array = zarr.open_array(zarr_store(open_folder(path, CIPHER, "a")), path="0", mode="r")
    chunks(path)[0].unlink()
    with pytest.raises(IntegrityError, match="missing"):
        array[:]


def test_in_the_clear_a_changed_voxel_is_found_by_its_hash(tmp_path: Path) -> None:
    import zarr

    path = tmp_path / "image.zarr"
    write_volume(reader((40, 60, 50), SAGITTAL), path)
    verify(path)
    array = zarr.open_array(path, path="0", mode="r+")
    array[3, 4, 5] = 12345
    with pytest.raises(IntegrityError, match="SHA-256"):
        verify(path)


def test_in_the_clear_a_cut_chunk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    write_volume(reader((40, 60, 50), OBLIQUE), path)
    chunk = path / "0/c/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-100])
    with pytest.raises(IntegrityError, match="0/c/0/0/0"):
        open_volume(path).levels[0][:]


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    write_volume(reader((4, 6, 5), OBLIQUE), path)
    document = json.loads((path / "zarr.json").read_text())
    document["attributes"]["medlabel"]["format"] = 7
    (path / "zarr.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="format 7") as caught:
        open_volume(path)
    assert "update" in caught.value.hint


@pytest.mark.parametrize("name", ["geometry", "source", "window", "problems", "factors", "kind"])
def test_damaged_attributes_are_an_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / "image.zarr"
    write_volume(reader((4, 6, 5), OBLIQUE), path)
    document = json.loads((path / "zarr.json").read_text())
    for broken in ("nonsense", None, [], {"shape": [1, 2]}):
        if name in ("window", "problems") and not broken:
            continue
        document["attributes"]["medlabel"][name] = broken
        (path / "zarr.json").write_text(json.dumps(document))
        if name == "kind":
            continue
        with pytest.raises(IntegrityError, match="attributes"):
            open_volume(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"zarr_format": 3}'])
def test_a_folder_that_is_no_ome_zarr_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "zarr.json").write_text(content)
    with pytest.raises(MedlabelError):
        open_volume(tmp_path)
    with pytest.raises(InputError):
        open_volume(tmp_path / "nothing")


# All or nothing


def test_calling_it_off_leaves_nothing(tmp_path: Path) -> None:
    series = reader((300, 40, 36), OBLIQUE)
    with pytest.raises(Cancelled):
        write_volume(
            series, tmp_path / "image.zarr", cipher=CIPHER,
            cancelled=lambda: len(series.read_slices) > 3,
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_fails_leaves_nothing(tmp_path: Path) -> None:
    series = reader((300, 40, 36), OBLIQUE)

    def read(start: int, stop: int) -> np.ndarray:
        if start > 100:
            raise InputError("slice 123 cannot be read")
        return series.array[start:stop]

    series.read = read  # type: ignore[method-assign]
    with pytest.raises(InputError, match="slice 123"):
        write_volume(series, tmp_path / "image.zarr")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    write_volume(reader((4, 6, 5), OBLIQUE), path, cipher=CIPHER)
    before = files(path)
    with pytest.raises(OutputError):
        write_volume(reader((5, 6, 5), OBLIQUE), path, cipher=CIPHER)
    assert files(path) == before
    write_volume(reader((5, 6, 5), OBLIQUE), path, cipher=CIPHER, force=True)
    assert open_volume(path, cipher=CIPHER).shape == (5, 6, 5)


def test_an_import_begun_anew_replaces_the_sealed_image_of_the_first_one(tmp_path: Path) -> None:
    """Whatever the first one left: whole, hurt, or sealed under another key."""
    path = tmp_path / "image.zarr"
    write_volume(reader((40, 60, 50), OBLIQUE), path, cipher=Cipher(bytes([1] * 32)), place="b")
    series = reader((70, 60, 50), OBLIQUE)
    write_volume(series, path, cipher=CIPHER, place="a", force=True)
    for lost in ("manifest", "zarr.json"):
        (path / lost).unlink()
        chunks(path)[0].unlink()
        write_volume(series, path, cipher=CIPHER, place="a", force=True)
    verify(path, CIPHER, "a")
    wanted = series.source.axes.apply(series.array)
    np.testing.assert_array_equal(open_volume(path, cipher=CIPHER, place="a").levels[0][:], wanted)
    assert [one.name for one in tmp_path.iterdir()] == ["image.zarr"]


def test_calling_off_an_import_begun_anew_leaves_the_first_image(tmp_path: Path) -> None:
    path = tmp_path / "image.zarr"
    series = reader((300, 40, 36), OBLIQUE)
    write_volume(series, path, cipher=CIPHER)
    before = files(path)
    with pytest.raises(Cancelled):
        write_volume(
            series, path, cipher=CIPHER, force=True, cancelled=lambda: len(series.read_slices) > 13
        )
    assert files(tmp_path) == {f"image.zarr/{name}": content for name, content in before.items()}


@pytest.mark.skipif(os.name != "posix", reason="limits of a file's size are POSIX")
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from napari_medlabel.errors import OutputError\n"
        "from napari_medlabel.core.geometry import Geometry\n"
        "from napari_medlabel.core.schema import LabelSchema\n"
        "from napari_medlabel.storage.ome_zarr import write_labels\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "labels = np.random.default_rng(0).integers(0, 200, (64, 64, 64)).astype('u1')\n"
        "try:\n"
        "    write_labels(labels, Geometry.from_spacing(labels.shape), LabelSchema(),\n"
        "                 Path(sys.argv[1]) / 'x.zarr')\n"
        "except OutputError as error:\n"
        "    print(error)\n"
    )
    assert "the disk is full" in run(code, tmp_path)
    assert list(tmp_path.iterdir()) == []


MEMORY = """
import sys
from pathlib import Path
import numpy as np
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Source
from napari_medlabel.storage.cipher import Cipher
from napari_medlabel.storage.ome_zarr import write_volume

class Generated:
    modality, unit, name, window, problems = "CT", "HU", "", None, ()
    dtype = np.dtype("int16")
    def __init__(self, slices):
        matrix = np.eye(4)[:, [2, 1, 0, 3]]
        self.source = Source("generated", Geometry((slices, 256, 256), matrix))
    def read(self, start, stop):
        return np.random.default_rng(start).integers(0, 99, (stop - start, 256, 256), np.int16)
    def hashes(self):
        return ()

path = Path(sys.argv[1])
cipher = Cipher(bytes(32))
write_volume(Generated(64), path / "warm.zarr", cipher=cipher)
def high():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
before = high()
write_volume(Generated(512), path / "image.zarr", cipher=cipher)
print(high() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_memory_does_not_grow_with_the_number_of_slices(tmp_path: Path) -> None:
    """The 448 slices more are 57 MB; the peak may differ by what threads happen to hold."""
    assert int(run(MEMORY, tmp_path)) < 28_000


# Labels


def drawn(kind: type = np.uint8) -> tuple[np.ndarray, Geometry]:
    labels = np.zeros((40, 150, 130), kind)
    labels[10:30, 20:90, 30:101] = 1
    labels[15:17, 30:33, 40:44] = 7
    return labels, Geometry((40, 150, 130), OBLIQUE)


@pytest.mark.parametrize("cipher", [None, CIPHER])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_labels_read_back_are_the_labels(tmp_path: Path, cipher: Cipher | None, kind: type) -> None:
    labels, geometry = drawn(kind)
    path = tmp_path / "1.zarr"
    write_labels(labels, geometry, SCHEMA, path, cipher=cipher, place="v1")
    again, where, schema = read_labels(path, cipher=cipher, place="v1")
    np.testing.assert_array_equal(again, labels)
    assert again.dtype == kind
    np.testing.assert_array_equal(where.lps_from_kji, geometry.lps_from_kji)
    assert schema == SCHEMA
    again[0, 0, 0] = 1  # can be drawn on
    verify(path, cipher, "v1")


def test_no_coarser_level_of_labels_holds_a_new_value(tmp_path: Path) -> None:
    labels, geometry = drawn()
    write_labels(labels, geometry, SCHEMA, tmp_path / "1.zarr")
    volume = open_volume(tmp_path / "1.zarr")
    assert len(volume.levels) > 1
    for level in volume.levels:
        assert set(np.unique(level[:])) <= {0, 1, 7}


def test_empty_chunks_take_no_room_and_are_still_vouched_for(tmp_path: Path) -> None:
    labels, geometry = drawn()
    labels[:] = 0
    labels[0, 0, 0] = 1
    path = tmp_path / "1.zarr"
    write_labels(labels, geometry, SCHEMA, path, cipher=CIPHER, place="a")
    assert len(chunks(path)) == 1
    chunks(path)[0].unlink()
    with pytest.raises(IntegrityError, match="missing"):
        read_labels(path, cipher=CIPHER, place="a")


def test_an_image_is_no_labels(sealed: Path) -> None:
    with pytest.raises(InputError, match="no labels"):
        read_labels(sealed, cipher=CIPHER, place="a")


# Other programs' files

BRAIN = Path(__file__).parents[3] / "shared/data/ome-zarr-brain/mni152_axial.ome.zarr"


@pytest.mark.skipif(not BRAIN.exists(), reason="the shared test data are not here")
def test_a_foreign_image_of_0_4_opens_with_all_its_levels() -> None:
    volume = open_volume(BRAIN)
    assert [level.shape for level in volume.levels] == [
        (1, 256, 207), (1, 128, 103), (1, 64, 51), (1, 32, 25),
    ]  # fmt: skip
    assert volume.geometry.spacing_mm == pytest.approx((0.7374631,) * 3)
    assert volume.geometry.origin_lps == pytest.approx((-75.7625352, -110.7625352, 7.1460184))
    assert volume.levels[0][0].max() > 0
    assert [problem.code for problem in volume.problems] == ["no-unit"]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_foreign_image_with_channel_unit_and_orientation(
    tmp_path: Path, zarr_format: int
) -> None:
    import zarr

    voxels = np.arange(2 * 3 * 4, dtype=np.int16).reshape(1, 2, 3, 4)
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=zarr_format)  # type: ignore[arg-type]
    group.create_array("s0", data=voxels)
    axes = [
        {"name": "c", "type": "channel"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {
            "name": "x", "type": "space", "unit": "micrometer",
            "orientation": {"type": "anatomical", "value": "left-to-right"},
        },
    ]  # fmt: skip
    scale = {"type": "scale", "scale": [1, 3000, 500, 400]}
    shift = {"type": "translation", "translation": [0, 1000, 2000, 4000]}
    scales = {
        "axes": axes,
        "datasets": [{"path": "s0", "coordinateTransformations": [scale, shift]}],
    }
    if zarr_format == 3:
        group.attrs["ome"] = {"version": "0.5", "multiscales": [scales]}
    else:
        group.attrs["multiscales"] = [scales | {"version": "0.4"}]
    volume = open_volume(tmp_path / "x.zarr")
    assert volume.problems == ()
    assert volume.geometry.spacing_mm == pytest.approx((3.0, 0.5, 0.4))
    own = volume.source.geometry
    np.testing.assert_allclose(own.lps([0, 0, 0]), [-4.0, 2.0, 1.0])
    np.testing.assert_allclose(own.lps([0, 0, 3]), [-5.2, 2.0, 1.0])
    np.testing.assert_array_equal(volume.levels[0][:], voxels[0, :, :, ::-1])
    into = np.zeros(volume.shape, np.int16)
    read_into(tmp_path / "x.zarr", into)
    np.testing.assert_array_equal(into, voxels[0, :, :, ::-1])


def test_a_foreign_image_of_several_channels_is_refused(tmp_path: Path) -> None:
    import zarr

    group = zarr.open_group(tmp_path / "x.zarr", mode="w")
    group.create_array("0", data=np.zeros((2, 3, 4, 5), np.uint8))
    axes = [{"name": name} for name in "czyx"]
    datasets = [{"path": "0", "coordinateTransformations": []}]
    group.attrs["ome"] = {"multiscales": [{"axes": axes, "datasets": datasets}]}
    with pytest.raises(InputError, match="axis 'c'"):
        open_volume(tmp_path / "x.zarr")


def test_the_fast_way_is_taken_for_what_we_wrote_and_no_other(tmp_path: Path) -> None:
    series = reader((4, 6, 5), OBLIQUE)
    ours = write_volume(series, tmp_path / "ours.zarr")
    sharded = write_volume(series, tmp_path / "sharded.zarr", sharded=True)
    assert isinstance(ours.levels[0], StoredGrid)
    assert isinstance(sharded.levels[0], ZarrGrid)
