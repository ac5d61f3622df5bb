"""napari.yaml says what is there."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from npe2 import PluginManager, PluginManifest

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "src" / "napari_medlabel" / "napari.yaml"


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    return PluginManifest.from_file(MANIFEST)


@pytest.fixture
def plugins(manifest: PluginManifest) -> Iterator[PluginManager]:
    manager = PluginManager()
    manager.register(manifest)
    yield manager
    manager.unregister(manifest.name)


def readers(plugins: PluginManager, path: Path) -> list[str]:
    return [reader.command for reader in plugins.iter_compatible_readers([str(path)])]


def test_npe2_finds_nothing_wrong_with_the_manifest() -> None:
    validate = [sys.executable, "-m", "npe2.cli", "validate", str(MANIFEST)]
    done = subprocess.run(validate, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifest_at_the_top_is_the_one_in_the_package() -> None:
    assert (ROOT / "napari.yaml").resolve() == MANIFEST.resolve()


def test_every_function_that_the_manifest_names_is_there(manifest: PluginManifest) -> None:
    named = [str(command.python_name) for command in manifest.contributions.commands or ()]
    places = [name.split(":") for name in named]
    missing = [f"{module}:{name}" for module, name in places if not hasattr(loaded(module), name)]
    assert named
    assert missing == []


def loaded(module: str) -> object:
    return import_module(module)


@pytest.mark.parametrize(
    "name",
    [
        *("IM0001.dcm", "IM0001.DCM", "slice.IMA", "head.nii", "head.nii.gz", "head.NII.GZ"),
        *("head.nrrd", "head.nhdr", "head.mha", "head.mhd", "study.zip", "DICOMDIR"),
    ],
)
def test_a_file_that_may_be_a_study_is_offered_to_our_reader(
    plugins: PluginManager, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    assert readers(plugins, tmp_path / name) == ["napari-medlabel.get_reader"]


@pytest.mark.parametrize("name", ["a study", "head.ome.zarr"])
def test_a_folder_is_offered_to_our_reader_once(
    plugins: PluginManager, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).mkdir()
    assert readers(plugins, tmp_path / name) == ["napari-medlabel.get_reader"]


@pytest.mark.parametrize("name", ["notes.txt", "photo.png", "table.csv"])
def test_other_files_are_left_to_other_readers(
    plugins: PluginManager, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).touch()
    assert readers(plugins, tmp_path / name) == []
