"""How many cases look alike to somebody who knows a little of them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_medlabel.commands.door import command
from napari_medlabel.privacy.risk import risk_report
from napari_medlabel.privacy.risk_sources import DEFAULT_QUASI, cases_of
from napari_medlabel.session import Permission, Session

__all__ = ["risk"]


@command(needs=Permission.VIEW)
def risk(
    session: Session,  # noqa: ARG001  # the door's
    path: Path,
    *,
    quasi: Sequence[str] = (),
    wanted_k: int = 5,
    cancelled: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """k-anonymity of the cases below a path, who is alone, and what would mend it.

    Parameters
    ----------
    path
        A folder of DICOM files (or a file, archive, DICOMDIR), or a table `.csv` or `.tsv`.
    quasi
        What others may know: age and sex without it.
    wanted_k
        How many are to look alike at least.
    cancelled
        Polled.

    Returns
    -------
    dict
        JSON-ready, with names of cases and no value of theirs.

    Raises
    ------
    InputError
        If there are no cases, or a quasi-identifier is not known.
    """
    cases, kinds = cases_of(path, list(quasi) or list(DEFAULT_QUASI), cancelled=cancelled)
    return risk_report(cases, kinds, wanted_k=wanted_k)
