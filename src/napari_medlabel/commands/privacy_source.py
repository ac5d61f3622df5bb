"""What is known of a case's privacy from its source alone, entered when it is imported.

Little is: a file that is not DICOM may have no text in its header; a folder that this program
de-identified has a certificate. Nothing heavy is done, and nothing is guessed: a modality or a
part of the body is no reason to think that there is no face.
"""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from napari_medlabel.commands.privacy_gate import enter
from napari_medlabel.core.volume import FoundVolume, Series, Source
from napari_medlabel.errors import IntegrityError, MedlabelError, NotSaved
from napari_medlabel.formats import recipe_of
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.formats.header_text import header_texts
from napari_medlabel.formats.nifti_header import NiftiHeader
from napari_medlabel.formats.text_header import TextHeader
from napari_medlabel.privacy.certified import certificate_folder, certified
from napari_medlabel.privacy.wording import Wording
from napari_medlabel.session import CaseInfo, Session

__all__ = ["enter_generated", "enter_known"]

_NAMES: Final = {"nifti": "NIfTI", "nrrd": "NRRD", "metaimage": "MetaImage"}
# What programs write in each of their files, and no list of words has.
_STAMPS: Final = re.compile(r"(?:FSL|SPM|mrtrix version: )\d{1,2}(?:\.\d{1,3}){0,3}")
_GENERATED: Final = "the image was generated: there is no patient"
Later = Callable[[], None]


def enter_generated(session: Session, case: CaseInfo, source: Source) -> None:
    """Enter that nothing is needed of an image that this program made itself."""
    if source.format != "generated" or _is_known(session, case):
        return
    with suppress(NotSaved):
        for part in ("headers", "burned-in", "face"):
            enter(session, case.id, part, "not-needed", why=_GENERATED, first=True)


def enter_known(session: Session, case: CaseInfo, series: Series, volume: int) -> Later | None:
    """Enter what a series' files say of themselves; what takes time is returned, to be called.

    Parameters
    ----------
    case
        The case that was made of it.
    series, volume
        What a scan found, and which of its volumes, from 0.

    Returns
    -------
    callable or None
        Reads every file once, to hold it against the certificate of its folder; None where there
        is none. It may be called on any thread and raises nothing.
    """
    if _is_known(session, case):
        return None
    found = series.volumes[volume]
    found = recipe.found if (recipe := recipe_of(found)) else found
    if series.format in _NAMES:
        with suppress(MedlabelError):  # what cannot be read or entered stays unknown
            _enter_texts(session, case, series, found)
    files = _files(found)
    folder = certificate_folder(files) if files else None
    return None if folder is None else lambda: _enter_certified(session, case, folder, files)


def _is_known(session: Session, case: CaseInfo) -> bool:
    """Whether something was said of the header: by a person, who knows more than the files."""
    try:
        return bool(session.workspace.catalogue.privacy.of(case.id).headers.who)
    except IntegrityError:  # it is said where the gate is asked; looking stays possible
        return True


def _files(found: FoundVolume) -> Collection[Path]:
    """The files of a volume; none where it is in an archive, or they are not known."""
    header = _header(found)
    if header is not None:
        own = (header.path,) if isinstance(header, TextHeader) else ()
        return {*own, *header.files}
    places = [one.place for one in found.parts if isinstance(one, InstanceFacts)]
    if len(places) != len(found.parts) or any(place.member >= 0 for place in places):
        return ()
    return {Path(place.path) for place in places}


def _header(found: FoundVolume) -> NiftiHeader | TextHeader | None:
    return next((one for one in found.parts if isinstance(one, NiftiHeader | TextHeader)), None)


def _enter_certified(
    session: Session, case: CaseInfo, folder: Path, files: Collection[Path]
) -> None:
    with suppress(MedlabelError):  # what cannot be entered stays unknown
        for one in certified(folder, files):
            enter(session, case.id, one.part, one.state, why=one.why, proof=one.proof, first=True)


def _enter_texts(session: Session, case: CaseInfo, series: Series, found: FoundVolume) -> None:
    header = _header(found)
    if header is None:
        return
    path = (
        header.path if isinstance(header, TextHeader) else header.data.parent / series.description
    )
    name, known = _NAMES[series.format], Wording()
    texts = header_texts(header, path)
    kinds = sorted(
        {kind for kind, text in texts if not (_STAMPS.fullmatch(text) or known.is_known(text))}
    )
    if kinds:
        why = f"text in the {name} header that may name somebody: {', '.join(kinds)}"
        enter(session, case.id, "headers", "unknown", why=why, proof={"fields": kinds}, first=True)
        return
    rest = "the text in its own header is of known words" if texts else "its own holds no text"
    why = f"a {name} file has no DICOM header, and {rest}"
    enter(
        session, case.id, "headers", "not-needed", why=why, proof={"texts": len(texts)}, first=True
    )
