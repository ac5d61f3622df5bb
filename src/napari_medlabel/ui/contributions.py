"""The functions named in napari.yaml: the panel, the reader, the sample heads."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

os.environ.setdefault("PSYGNAL_HIDE_LOCALS", "1")  # its tracebacks would show values of headers

from napari_medlabel.errors import InputError
from napari_medlabel.session import Session, local_session  # after the line above

if TYPE_CHECKING:
    from napari import Viewer

    from napari_medlabel.ui.panel import MedlabelPanel

__all__ = ["get_reader", "medlabel_panel", "open_study", "sample_head_ct", "sample_head_mr"]

LayerData = tuple[Any, dict[str, Any], str]
Reader = Callable[[str | list[str]], list[LayerData]]


def medlabel_panel() -> "MedlabelPanel":
    """The dock for the window in front, in the personal workspace."""
    from napari_medlabel.ui.panel import MedlabelPanel  # noqa: PLC0415  # Qt only when it is shown

    return MedlabelPanel(_viewer(), _session())


def open_study() -> None:
    """Show the dock of the window in front and ask for a folder."""
    from napari_medlabel.ui.window import panel_of  # noqa: PLC0415

    panel_of(_viewer(), _session()).open_folder()


def get_reader(path: str | list[str]) -> Reader | None:
    """A reader for what napari opens beside the panel, or None where the content is not ours."""
    from napari_medlabel.ui.readers import reader_for  # noqa: PLC0415

    return reader_for(path, _session())


def sample_head_ct() -> list[LayerData]:
    """The generated head as CT."""
    from napari_medlabel.ui.readers import sample_head  # noqa: PLC0415

    return sample_head("ct")


def sample_head_mr() -> list[LayerData]:
    """The generated head as MR."""
    from napari_medlabel.ui.readers import sample_head  # noqa: PLC0415

    return sample_head("mr")


def _viewer() -> "Viewer":
    """The viewer itself: what napari hands to plugins is a proxy that hides its window."""
    from napari import current_viewer  # noqa: PLC0415

    viewer = current_viewer()
    if viewer is None:
        raise InputError("there is no napari window", "start napari, or run: medlabel open")
    return viewer


_sessions: list[Session] = []


def _session() -> Session:
    """One session for the whole application, made when it is first needed."""
    if not _sessions:
        _sessions.append(local_session())
    return _sessions[0]
