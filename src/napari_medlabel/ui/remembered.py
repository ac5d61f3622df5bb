"""What the window remembers from day to day: how views lie, what is folded, which keys are set.

One small JSON file beside the workspace's own; nothing in it names a case, a person or a place.
"""

import json
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import MedlabelError
from napari_medlabel.files import new_file

__all__ = ["Remembered"]

FORMAT: Final = 1
NAME: Final = "window.json"


class Remembered:
    """Values by name; read once, written when one changes.

    A file that cannot be read or written is no reason to stop anybody: then nothing is remembered.

    Parameters
    ----------
    folder
        Of the workspace.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._values = self._read()

    def get(self, name: str, otherwise: Any = None) -> Any:  # noqa: ANN401  # JSON
        """What was remembered, or something else."""
        return self._values.get(name, otherwise)

    def set(self, name: str, value: object) -> None:
        """Remember a JSON value."""
        if self._values.get(name) == value:
            return
        self._values[name] = value
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with new_file(self._path, force=True) as beside:
                beside.write_text(json.dumps({"format": FORMAT, **self._values}, indent=1))
        except (OSError, MedlabelError):
            return

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict) or found.pop("format", None) != FORMAT:
            return {}
        return found
