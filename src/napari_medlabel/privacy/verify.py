"""A de-identified folder held against its certificate and against the originals."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_medlabel.errors import Cancelled, InputError, MedlabelError
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.privacy.certificate import changed_files, read_certificate
from napari_medlabel.privacy.gate import Searched, search_folder
from napari_medlabel.privacy.headers import Headers, new_headers
from napari_medlabel.privacy.identifiers import Identifier
from napari_medlabel.privacy.one_file import opened
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.pseudonyms import Pseudonyms
from napari_medlabel.privacy.verify_pixels import PixelsChecked, check_pixels

__all__ = ["Verified", "verify_folder"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check of a folder came to; `searched` is None where no originals were named.

    `pixels` is what a look at text and faces came to, None where nobody looked.
    """

    changed: tuple[str, ...]
    searched: Searched | None
    originals: int = 0
    pixels: PixelsChecked | None = None

    @property
    def ok(self) -> bool:
        """Whether it is as the certificate says, and nothing that was to go was found."""
        clean = self.searched is None or not self.searched.findings
        return not self.changed and clean and (self.pixels is None or self.pixels.ok)

    def document(self) -> dict[str, Any]:
        """JSON-ready values; never an identifier."""
        return {
            "format": 1,
            "ok": self.ok,
            "changed": list(self.changed),
            "originals": self.originals,
            "searched": None if self.searched is None else self.searched.document(),
            "pixels": None if self.pixels is None else self.pixels.document(),
        }


def verify_folder(
    folder: Path,
    originals: list[Place] | None,
    names: Pseudonyms,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Verified:
    """Hold a folder against its certificate, and search it for what the originals said.

    What the certificate says to be without text or faces is looked at again, as if nobody had.

    Parameters
    ----------
    folder
        As `medlabel deidentify` wrote it, or any folder where originals are named.
    originals
        The files it was made from; None looks at the certificate alone.
    names
        Of the workspace it was made in: which dates are shifted ones follows from them.
    progress
        Called with the number of files done and the number of all.
    cancelled
        Asked before each file.

    Raises
    ------
    InputError
        If there is neither certificate nor originals, or no original can be read.
    Cancelled
        If `cancelled` said so.
    """
    try:
        document = read_certificate(folder)
    except InputError:
        if originals is None or not folder.is_dir():
            raise
        document = None
    changed = changed_files(folder, document) if document else []
    pixels = None
    if document and not changed:
        pixels = check_pixels(folder, document, progress=progress, cancelled=cancelled)
    if originals is None:
        return Verified(tuple(changed), None, pixels=pixels)
    profile = Profile.from_document(document["profile"]) if document else Profile()
    wanted, read = _wanted(originals, Headers(profile, names), progress, cancelled)
    if not read:
        raise InputError("none of the originals can be read", "name the folder they are in")
    searched = search_folder(folder, wanted, progress=progress, cancelled=cancelled)
    return Verified(tuple(changed), searched, read, pixels)


def _wanted(
    originals: list[Place],
    what: Headers,
    progress: Progress | None,
    cancelled: Callable[[], bool],
) -> tuple[set[Identifier], int]:
    wanted: set[Identifier] = set()
    read = 0
    for done, place in enumerate(originals, 1):
        if cancelled():
            raise Cancelled("the search was called off")
        try:
            source, _ = opened(place)
            with source.file:
                wanted |= new_headers(source, what).wanted
            read += 1
        except MedlabelError:
            continue
        if progress is not None:
            progress(done, len(originals))
    return wanted, read
