"""No test touches what belongs to the person who runs it: keys, workspaces, napari's settings.

The places are named as soon as this module is read: napari looks for its settings while it is
imported, and tests of the window import it before pytest is configured.
"""

import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = Path(tempfile.mkdtemp(prefix="medlabel-tests-"))
for kind in ("CONFIG", "DATA", "STATE"):
    os.environ[f"XDG_{kind}_HOME"] = str(_FOLDER / kind.lower())
os.environ["MEDLABEL_WORKSPACE"] = str(_FOLDER / "workspace")
os.environ["MEDLABEL_KEYRING"] = "off"
os.environ["NAPARI_CONFIG"] = str(_FOLDER / "napari" / "settings.yaml")


def pytest_unconfigure() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)
