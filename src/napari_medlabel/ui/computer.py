"""What this computer can do, found out beside the window."""

from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_medlabel import commands
from napari_medlabel.session import Session
from napari_medlabel.ui.work import Job, Report

__all__ = ["Computer"]


class Computer(QObject):
    """Asks the doctor: on another thread, since it looks at packages, disks and keyrings.

    Its signal: `known` with the checks, as `commands.doctor` gives them.
    """

    known = Signal(object)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._job: Job | None = None

    def look(self) -> None:
        """Find out, in place of what was asked before; nothing is said where that fails."""
        if self._job is not None:
            self._job.end()

        def checks(_progress: Report, _cancelled: object) -> list[dict[str, Any]]:
            # Without torch: its hundred thousands of objects would make the window stutter.
            found: list[dict[str, Any]] = commands.doctor(self._session, graphics=False)["checks"]
            return found

        self._job = Job(checks, self)
        self._job.done.connect(self._tell)
        self._job.failed.connect(self._forget)

    def _tell(self, found: object) -> None:
        self._forget()
        self.known.emit(found)

    def _forget(self, _error: object = None) -> None:
        self._job = None
