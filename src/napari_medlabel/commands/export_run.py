"""Many cases leave the workspace in one run: one that is held back does not stop the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medlabel.commands.door import command
from napari_medlabel.commands.exporting import export_case
from napari_medlabel.commands.finding import find_case
from napari_medlabel.commands.privacy_gate import missing_before
from napari_medlabel.core.case_privacy import Missing
from napari_medlabel.core.provenance import Onto
from napari_medlabel.errors import Cancelled, InputError, MedlabelError, Refused
from napari_medlabel.export import Exported
from napari_medlabel.session import CaseInfo, Permission, Session

__all__ = ["ExportRow", "ExportRun", "export_cases"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class ExportRow:
    """What became of one case: `exported`, or `why` not; `missing` holds it back."""

    case: CaseInfo
    exported: Exported | None = None
    why: str = ""
    missing: tuple[Missing, ...] = ()
    refused: bool = False

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        told: dict[str, Any] = {"case": self.case.name}
        if self.exported is not None:
            return told | {"state": "verified"} | self.exported.document()
        missing = [one.document() for one in self.missing]
        state = "held back" if self.refused else "failed"
        return told | {"state": state, "why": self.why, "missing": missing}


@dataclass(frozen=True, slots=True)
class ExportRun:
    """What became of every case, in the order in which they were named."""

    rows: tuple[ExportRow, ...]

    @property
    def held_back(self) -> tuple[ExportRow, ...]:
        """Cases that may not leave."""
        return tuple(row for row in self.rows if row.refused)

    @property
    def failed(self) -> tuple[ExportRow, ...]:
        """Cases that could not be written."""
        return tuple(row for row in self.rows if row.exported is None and not row.refused)

    def document(self) -> dict[str, Any]:
        """The answer as JSON-ready values."""
        return {"format": 1, "cases": [row.document() for row in self.rows]}


@command(needs=Permission.EXPORT)
def export_cases(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    cases: Sequence[str],
    folder: Path,
    *,
    formats: Sequence[str] = ("nifti",),
    force: bool = False,
    onto: Onto = "grid",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> ExportRun:
    """Export several cases, each as `export_case` does, by its pseudonym.

    Parameters
    ----------
    cases
        Their names; all are looked for before the first is written.
    folder, formats, force, onto
        As for `export_case`.
    progress
        Told how many cases are done, of how many.
    cancelled
        Asked before each case; files of cases that are done stay.

    Raises
    ------
    InputError
        If there is no such case, or one is named twice.
    Cancelled
        If `cancelled` said so.
    """
    found = [find_case(session, name) for name in cases]
    if len({case.id for case in found}) < len(found):
        raise InputError("a case is named twice", "name each once")
    rows = []
    for done, case in enumerate(found):
        if progress is not None:
            progress(done, len(found))
        if cancelled():
            raise Cancelled(f"it was called off; {done} of {len(found)} cases were looked at")
        rows.append(_one(session, case, folder, formats, onto, force=force))
    return ExportRun(tuple(rows))


def _one(  # noqa: PLR0913  # as `export_cases`
    session: Session, case: CaseInfo, folder: Path, formats: Sequence[str], onto: Onto, *,
    force: bool,
) -> ExportRow:  # fmt: skip
    try:
        exported = export_case(session, case.id, folder, formats=formats, force=force, onto=onto)
    except Refused as error:
        return ExportRow(
            case, None, error.what, missing_before(session, case, "export"), refused=True
        )
    except MedlabelError as error:
        return ExportRow(case, None, error.what)
    return ExportRow(case, exported)
