"""No test touches what belongs to the person who runs it: keys, workspaces, napari's settings."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

_FOLDER = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix="medlabel-tests-"))
    config.stash[_FOLDER] = folder
    for kind in ("CONFIG", "DATA", "STATE"):
        os.environ[f"XDG_{kind}_HOME"] = str(folder / kind.lower())
    os.environ["MEDLABEL_WORKSPACE"] = str(folder / "workspace")
    os.environ["MEDLABEL_KEYRING"] = "off"
    os.environ["NAPARI_CONFIG"] = str(folder / "napari" / "settings.yaml")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[_FOLDER], ignore_errors=True)
