"""A napari window with the dock in it: what `medlabel open` shows."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("PSYGNAL_HIDE_LOCALS", "1")  # before napari is imported

from napari_medlabel.session import Session  # after the line above

if TYPE_CHECKING:
    from napari import Viewer

    from napari_medlabel.ui.panel import MedlabelPanel

__all__ = ["open_window", "panel_of"]

NAME = "Medlabel"


def open_window(path: Path | None, session: Session) -> "Viewer":
    """Open a window; with a path, look for series there at once.

    Parameters
    ----------
    path
        A folder or file as for `scan`; a case of the workspace by its name ("Case 0012") where
        there is no such file; None for the start page.
    session
        Who works, in which workspace.

    Returns
    -------
    Viewer
        napari's; whoever called runs the event loop (`napari.run()`).
    """
    from napari import Viewer  # noqa: PLC0415  # seconds, and only for a window

    viewer = Viewer(title=NAME)
    panel = panel_of(viewer, session)
    if path is not None and not path.exists() and path.name.casefold().startswith("case"):
        panel.desk.open_case(path.name)
    elif path is not None:
        panel.desk.scan(path)
    return viewer


def panel_of(viewer: "Viewer", session: Session) -> "MedlabelPanel":
    """The viewer's dock, shown; made where there is none."""
    from napari_medlabel.ui.panel import MedlabelPanel  # noqa: PLC0415

    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, MedlabelPanel):
            widget.show()
            return widget
    panel = MedlabelPanel(viewer, session)
    viewer.window.add_dock_widget(panel, name=NAME, area="left")
    return panel
