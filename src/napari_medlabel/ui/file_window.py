"""Asks for a file in a window of Qt's own: no native one, which keeps a list of recent names."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

__all__ = ["ask_for_file"]


def ask_for_file(  # noqa: PLR0913  # what may be asked for
    parent: QWidget, title: str, then: Callable[[Path], object], *, files: str = "",
    save_as: str = "", folder: bool = False,
) -> QFileDialog:  # fmt: skip
    """Ask for a file, or a folder; with `save_as`, a suffix, for one to write.

    Nothing of it is remembered.
    """
    dialog = QFileDialog(parent, title)
    dialog.setObjectName("medlabel_files")
    dialog.setHistory([])
    if save_as:
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(save_as)
    else:
        mode = QFileDialog.FileMode.Directory if folder else QFileDialog.FileMode.ExistingFile
        dialog.setFileMode(mode)
    if files:
        dialog.setNameFilters([files, "All files (*)"])
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
