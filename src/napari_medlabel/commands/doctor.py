"""What this computer can do, said as facts; with proof that nothing here can connect."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from typing import Any, Final

from napari_medlabel import __version__
from napari_medlabel.commands.door import command
from napari_medlabel.commands.network import modules_that_connect
from napari_medlabel.engines.network.engine import NetworkEngine
from napari_medlabel.engines.network.weights import read_card
from napari_medlabel.engines.registry import chosen_engine
from napari_medlabel.session import Permission, Session

__all__ = ["doctor"]

_EXTRAS: Final = {
    "ai": ("torch", "monai"),
    "ocr": ("rapidocr", "onnxruntime", "cv2"),
    "window": ("qtpy",),
}
_BINDINGS: Final = ("PySide6", "PyQt6", "PyQt5")
_ENOUGH_BYTES: Final = 10 << 30


@command(needs=Permission.INSPECT)
def doctor(session: Session, *, network: bool = False, graphics: bool = True) -> dict[str, Any]:
    """Checks with what was found, as a JSON-ready document; opens no connection to find out.

    Parameters
    ----------
    network
        Whether what is imported is looked through for network clients.
    graphics
        Whether torch is asked for the card that engines would use, which loads all of it.
    """
    checks = [
        _check("program", f"napari-medlabel {__version__}, Python {platform.python_version()}"),
        _check("napari", _version("napari"), ok=_has("napari")),
        _window(),
        _ai(graphics=graphics),
        _engine(),
        _ocr(),
        _codecs(),
        _space(session),
        _workspace(session),
    ]
    if network:
        checks.append(_network())
    return {"format": 1, "checks": checks}


def _window() -> dict[str, Any]:
    found = [name for name in _BINDINGS if _has(name)]
    screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    screen = screen or sys.platform in ("win32", "darwin")
    words = f"{found[0]}{'' if screen else ', but no screen here'}" if found else (
        'no Qt: pip install "napari-medlabel[pyside]"'
    )  # fmt: skip
    return _check("window", words, ok=bool(found))


def _ai(*, graphics: bool) -> dict[str, Any]:
    missing = [name for name in _EXTRAS["ai"] if not _has(name)]
    if missing:
        return _check("assist", 'no torch: pip install "napari-medlabel[ai]"', ok=False)
    found = f"torch {_version('torch')}, MONAI {_version('monai')}"
    return _check("assist", f"{found}, {_graphics()}" if graphics else found)


def _graphics() -> str:
    """The card that engines would use."""
    import torch

    if not torch.cuda.is_available():
        return "no graphics card: the processor answers"
    room = torch.cuda.get_device_properties(0).total_memory
    return f"{torch.cuda.get_device_name(0)} with {room / 1e9:.0f} GB"


def _engine() -> dict[str, Any]:
    """What would answer prompts, and why not the network."""
    network, name = NetworkEngine(), chosen_engine().name
    if why_not := network.why_not():
        return _check("engine", f"{name} answers; {network.name} cannot: {why_not}", ok=False)
    card = read_card()
    what = f"weights {card.name} {card.version} (SHA-256 {card.sha256[:12]}…)"
    return _check("engine", f"{name} answers, {what}")


def _ocr() -> dict[str, Any]:
    if not all(map(_has, _EXTRAS["ocr"])):
        return _check("text in pixels", 'no rapidocr: pip install "napari-medlabel[ocr]"', ok=False)
    return _check("text in pixels", f"rapidocr {_version('rapidocr')}")


def _codecs() -> dict[str, Any]:
    has = _has("imagecodecs")
    return _check("compressed DICOM", f"imagecodecs {_version('imagecodecs')}", ok=has)


def _space(session: Session) -> dict[str, Any]:
    folder = session.folder
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110  # never raises
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    return _check("disk", f"{free / 1e9:.0f} GB free for the workspace", ok=free > _ENOUGH_BYTES)


def _workspace(session: Session) -> dict[str, Any]:
    try:
        (session.folder / "workspace.json").stat()
    except FileNotFoundError:
        return _check("workspace", "none yet; made, encrypted, when first used")
    except OSError as error:
        return _check("workspace", f"its folder cannot be used: {error.strerror}", ok=False)
    workspace = session.workspace
    where = (
        "the system's keyring" if workspace.key_kept == "keyring" else "a file only you can read"
    )
    cases = len(workspace.catalogue.all_cases())
    return _check(
        "workspace", f"{cases} case{'s' * (cases != 1)}, encrypted, the key is kept in {where}"
    )


def _network() -> dict[str, Any]:
    found = modules_that_connect()
    words = ", ".join(found) if found else "no module of this program imports a network client"
    return _check("network", words, ok=not found)


def _check(name: str, found: str, *, ok: bool = True) -> dict[str, Any]:
    return {"name": name, "ok": ok, "found": found}


def _has(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
