"""`import napari_medlabel` costs nothing."""

import json
import subprocess
import sys

import pytest

SLOW = {
    *("PySide6", "PyQt6", "qtpy", "napari", "vispy", "npe2", "magicgui", "superqt", "torch"),
    *("monai", "zarr", "pydicom", "highdicom", "nibabel", "SimpleITK", "scipy", "skimage"),
    *("sqlalchemy", "pydantic", "cryptography", "keyring", "typer", "rich", "dask", "pandas"),
}


def loaded_after(code: str) -> set[str]:
    report = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_importing_the_package_loads_no_other_library() -> None:
    assert loaded_after("import napari_medlabel") & {*SLOW, "numpy"} == set()


@pytest.mark.parametrize("name", ["Geometry", "Edit", "LabelSchema"])
def test_a_value_of_the_domain_loads_neither_window_nor_formats(name: str) -> None:
    loaded = loaded_after(f"from napari_medlabel import {name}")
    assert loaded & (SLOW - {"scipy"}) == set()


def test_the_command_line_loads_no_window_and_no_network() -> None:
    loaded = loaded_after("import napari_medlabel.cli.program")
    windows = {"PySide6", "PyQt6", "qtpy", "napari", "vispy", "torch", "monai"}
    # pydicom loads requests where it finds it, for its own sample files.
    assert loaded & {*windows, "zarr", "fsspec", "aiohttp", "dask"} == set()
