"""Text in the pixels of images: look for it, and write copies without it."""

from collections.abc import Callable, Collection
from pathlib import Path

from napari_medlabel.commands.door import command
from napari_medlabel.privacy.burned_in import BurnedIn, find_burned_in, never
from napari_medlabel.privacy.burned_in_redact import Redacted
from napari_medlabel.privacy.burned_in_redact import redact_burned_in as redact
from napari_medlabel.session import Permission, Session

__all__ = ["BurnedIn", "Redacted", "burned_in", "redact_burned_in"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]


@command(needs=Permission.VIEW)
def burned_in(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    path: Path,
    *,
    allow_marks: bool = False,
    every_frame: bool = False,
    progress: Progress | None = None,
    cancelled: Stop = never,
) -> BurnedIn:
    """Where text is in the pixels below a path; without the extra `ocr`, that nobody looked.

    Parameters
    ----------
    path
        DICOM (folder, file, zip archive, DICOMDIR), NIfTI, NRRD or MetaImage.
    allow_marks
        Whether letters of the patient's sides, positions and scale bars are passed over.
    every_frame
        Look at every frame by itself, also where projections of a series would be enough.
    progress
        Told how much is done, of how much.
    cancelled
        Polled.

    Raises
    ------
    InputError
        If there is nothing at `path`, or no picture.
    """
    return find_burned_in(
        path, allow_marks=allow_marks, every_frame=every_frame, progress=progress,
        cancelled=cancelled,
    )  # fmt: skip


@command(needs=Permission.EXPORT)
def redact_burned_in(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    path: Path,
    out: Path,
    *,
    keep: Collection[int] = (),
    before: BurnedIn | None = None,
    allow_marks: bool = False,
    every_frame: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    cancelled: Stop = never,
) -> Redacted:
    """Write copies of all pictures below a path without the text in them, and look at these again.

    Parameters
    ----------
    path
        As for `burned_in`.
    out
        A new folder; a new file where `path` is a file and this name has a suffix.
    keep
        Numbers of findings that stay where they are.
    before
        What `burned_in` said of the same files, so that they are not looked at twice.
    allow_marks, every_frame, progress, cancelled
        As for `burned_in`.
    force
        Whether an existing file may be replaced.

    Raises
    ------
    ExtraMissing
        If text cannot be looked for here.
    Refused
        If text is still found in what was written; nothing is left of it.
    InputError
        If something cannot be read or written, or `keep` names a finding that there is not.
    """
    return redact(
        path, out, keep=keep, before=before, allow_marks=allow_marks, every_frame=every_frame,
        force=force, progress=progress, cancelled=cancelled,
    )  # fmt: skip
