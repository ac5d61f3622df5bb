"""Studies de-identified: into a new folder, shown beforehand, and verified afterwards."""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydicom.datadict import keyword_for_tag

from napari_medlabel.commands.door import command
from napari_medlabel.errors import MedlabelError, Refused
from napari_medlabel.files import check_new_file, check_new_folder, new_file, new_folder
from napari_medlabel.privacy.batch import Batch, check_apart, deidentify_into, places_in
from napari_medlabel.privacy.certificate import DOCUMENT, certificate, write
from napari_medlabel.privacy.gate import Searched, search_folder
from napari_medlabel.privacy.headers import Headers, Step, identity_of, new_headers
from napari_medlabel.privacy.links import add_links, read_links
from napari_medlabel.privacy.one_file import opened
from napari_medlabel.privacy.pixel_wishes import FaceWish, TextWish
from napari_medlabel.privacy.pixels_of_study import PixelsFound, look_at_pixels, prove_pixels
from napari_medlabel.privacy.plain_files import write_plain
from napari_medlabel.privacy.profile import Dates, Profile, load_profile
from napari_medlabel.privacy.pseudonyms import Pseudonyms
from napari_medlabel.privacy.verify import Verified, verify_folder
from napari_medlabel.session import Permission, Session, local_session

__all__ = [
    "Dates",
    "Deidentified",
    "FaceWish",
    "Preview",
    "TextWish",
    "deidentify",
    "deidentify_folder",
    "export_pseudonyms",
    "preview_deidentification",
    "verify_deidentified",
]

Progress = Callable[[int, int], None]
_PREVIEWED: Final = 200  # files that are looked at for one of each series


@dataclass(frozen=True, slots=True)
class Deidentified:
    """What was done, as `deidentification.json` beside the files tells it."""

    folder: Path
    told: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """JSON-ready values, without any identifier."""
        return dict(self.told)

    def lines(self) -> list[str]:
        """The answer for people."""
        told = self.told
        many = _many(told["written"], "file")
        if told["patients"]:
            many += f" of {_many(told['patients'], 'patient')}"
        left = [f"left out: {one['files']} x {one['why']}" for one in told["left_out"]]
        marks = {True: "ok", False: "FAILED", None: "--"}
        checks = [f"  {marks[one['ok']]}  {one['name']}: {one['detail']}" for one in told["checks"]]
        return [f"{many} written; {sum(told['actions'].values())} elements", *left, *checks]


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be done to the header of one file of each series: for the screen, never kept.

    `pixels` has what was found of text and faces, where these were looked for.
    """

    steps: tuple[tuple[Step, ...], ...]
    refused: tuple[str, ...]
    pixels: PixelsFound = field(default_factory=PixelsFound)

    def document(self, *, values: bool) -> dict[str, Any]:
        """JSON-ready values; with those of the headers only where they are asked for."""
        return {
            "format": 1,
            "refused": list(self.refused),
            "series": [[_told(step, values=values) for step in series] for series in self.steps],
            "text": self.pixels.text and self.pixels.text.found.document(),
            "faces": self.pixels.faces and self.pixels.faces.document(),
        }


@command(needs=Permission.EXPORT)
def deidentify_folder(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    source: Path,
    out: Path,
    *,
    profile: str | Path | Profile = "basic",
    dates: Dates | None = None,
    burned_in: TextWish | None = None,
    face: FaceWish | None = None,
    report: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Deidentified:
    """De-identified copies of DICOM files in a new folder; the old ones are never touched.

    The folder is there whole or not at all: only when every byte of it was searched for the
    originals' identifiers, and none was found; and where text and faces were to go, when what was
    written was looked at and shows none. No pixel that is to go is written anywhere.

    Parameters
    ----------
    source
        Folder, file, DICOMDIR or zip archive.
    out
        The new folder.
    profile
        "basic", or a TOML file: see docs/privacy.md.
    dates
        What is done with dates, instead of what the profile says.
    burned_in
        What is done about text in pixels; None does not look.
    face
        What is done about faces, in every volume of a head and in what lies in its frame of
        reference; None does not look.
    report
        Where `deidentification.json` is to be written once more.
    jobs
        Processes that share the work.
    progress
        Called with what is done, of how much.
    cancelled
        Asked before each file.

    Raises
    ------
    InputError
        If the source or the profile cannot be read.
    OutputError
        If the destination is there already, cannot be written, or the disk is full.
    ExtraMissing
        If text is to be looked for without the extra `ocr`.
    Refused
        If there is nothing to write, an identifier, text or a face was found in what was written,
        or a person has to say something first: that text or a face is there, what is uncertain,
        what cannot be looked at.
    Cancelled
        If `cancelled` said so.
    """
    chosen = _chosen(profile, dates)
    check_new_folder(out)
    check_apart(source, out)
    if report is not None:
        check_new_file(report)
    places = places_in(source)
    names = _names(session)
    what = Headers(chosen, names)
    pixels = look_at_pixels(
        source, places, chosen, burned_in, face, progress=progress, cancelled=cancelled
    )
    pixels.check()
    changes = pixels.changes()
    rest = [one for one in places if one not in pixels.plain_files]
    with new_folder(out) as hidden:
        batch = deidentify_into(
            rest, hidden, what, changes, jobs=jobs, may_be_none=bool(pixels.plain),
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
        batch.left_out += write_plain(
            pixels.plain, hidden, names, burned_in, pixels.reader, cancelled=cancelled
        )
        batch.wanted |= {word for one in pixels.plain for word in one.wanted}
        again = prove_pixels(hidden, batch, what, pixels, changes, cancelled=cancelled)
        first = search_folder(hidden, batch.wanted, progress=progress, cancelled=cancelled)
        _release(first)
        _check_reasons(batch, burned_in, face)
        told = certificate(
            batch, what, first, session.person.id,
            pixels=pixels, changes=changes, looked_again=again,
        )  # fmt: skip
        write(hidden, told)
        _release(search_folder(hidden, batch.wanted, only_documents=True))
        add_links(session.workspace.folder, names, batch.patients)
    if report is not None:
        with new_file(report) as partial:
            partial.write_text((out / DOCUMENT).read_text("utf-8"), encoding="utf-8")
    return Deidentified(out, told)


@command(needs=Permission.VIEW)
def preview_deidentification(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,
    source: Path,
    *,
    profile: str | Path | Profile = "basic",
    dates: Dates | None = None,
    burned_in: TextWish | None = None,
    face: FaceWish | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Preview:
    """What would be done to each element of one file of each series, and why; nothing is written.

    Text and faces are looked for where that is wished; findings of text have the numbers by which
    they can be kept.

    Raises
    ------
    InputError
        If the source or the profile cannot be read.
    ExtraMissing
        If text is to be looked for without the extra `ocr`.
    Cancelled
        If `cancelled` said so.
    """
    chosen = _chosen(profile, dates)
    what = Headers(chosen, _names(session))
    places = places_in(source)
    seen: set[bytes] = set()
    steps: list[tuple[Step, ...]] = []
    refused: list[str] = []
    for place in places[:_PREVIEWED]:
        try:
            one, _ = opened(place)
        except MedlabelError as error:
            refused.append(error.what)
            continue
        with one.file:
            series = one.dataset.get(0x0020000E) + identity_of(one).key()
            if series in seen:
                continue
            seen.add(series)
            told: list[Step] = []
            new_headers(one, what, told.append)
            steps.append(tuple(sorted(told, key=lambda step: (step.path, step.tag))))
    pixels = look_at_pixels(
        source, places, chosen, burned_in, face, progress=progress, cancelled=cancelled
    )
    return Preview(tuple(steps), tuple(refused), pixels)


@command(needs=Permission.VIEW)
def verify_deidentified(
    session: Session,
    folder: Path,
    *,
    against: Path | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Verified:
    """A de-identified folder held against its certificate, and searched for the originals' words.

    Parameters
    ----------
    folder
        What is to be released.
    against
        The originals; without them only the certificate is looked at.
    progress
        Called with what is done, of how much.
    cancelled
        Asked before each file.

    Raises
    ------
    InputError
        If there is no certificate and no original, or neither can be read.
    """
    originals = None if against is None else places_in(against)
    return verify_folder(folder, originals, _names(session), progress=progress, cancelled=cancelled)


@command(needs=Permission.REIDENTIFY)
def export_pseudonyms(session: Session, out: Path, *, force: bool = False) -> int:
    """Who is behind each pseudonym, in the clear, as a new JSON file; how many there are.

    Raises
    ------
    OutputError
        If it is there already, or cannot be written.
    IntegrityError
        If the sealed list was altered.
    """
    patients = read_links(session.workspace.folder, _names(session))
    with new_file(out, force=force) as partial:
        partial.chmod(0o600)
        text = json.dumps({"format": 1, "patients": patients}, indent=1, ensure_ascii=False)
        partial.write_text(text + "\n", encoding="utf-8")
    return len(patients)


def deidentify(  # noqa: PLR0913  # each is a choice the person makes
    source: str | Path,
    out: str | Path,
    *,
    profile: str | Path = "basic",
    burned_in: TextWish | None = None,
    face: FaceWish | None = None,
    jobs: int = 1,
) -> Deidentified:
    """De-identify files into a new folder, in the personal workspace: see docs/privacy.md.

    Parameters
    ----------
    source
        Folder, file, DICOMDIR or zip archive; never touched.
    out
        The new folder; it is there whole or not at all.
    profile
        "basic", or a TOML file.
    burned_in, face
        What is done about text in pixels and about faces; None does not look.
    jobs
        Processes that share the work.

    Raises
    ------
    InputError, OutputError
        If something cannot be read or written.
    ExtraMissing
        If text is to be looked for without the extra `ocr`.
    Refused
        If something that was to go was found in what was written, there is nothing to write, or a
        person has to say something first.
    """
    return deidentify_folder(
        local_session(), Path(source), Path(out), profile=profile, burned_in=burned_in, face=face,
        jobs=jobs,
    )  # fmt: skip


def _chosen(profile: str | Path | Profile, dates: Dates | None) -> Profile:
    return profile if isinstance(profile, Profile) else load_profile(profile, dates=dates)


def _names(session: Session) -> Pseudonyms:
    """The pseudonyms of the session's workspace: one key for all of them, for nothing else."""
    return Pseudonyms(hmac.digest(session.workspace.pseudonym_key, b"de-identified", "sha256"))


def _release(searched: Searched) -> None:
    """Pass where nothing was found."""
    if not searched.findings:
        return
    kinds = ", ".join(sorted({one.kind for one in searched.findings}))
    files = len({one.file for one in searched.findings})
    raise Refused(
        f"identifiers of the originals ({kinds}) were found in {files} new files: nothing is "
        "released",
        "see what the profile keeps, with --preview; please report it where it is `basic`",
    )


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _check_reasons(batch: Batch, *wishes: TextWish | FaceWish | None) -> None:
    """Pass where no reason that goes into the certificate names the patient."""
    words = {word for one in wishes if one for word in re.findall(r"\w+", one.reason.casefold())}
    own = {one.text.casefold() for one in batch.wanted if one.kind in {"name", "number"}}
    if words & own:
        raise Refused(
            "a reason holds a name or number of the originals, and would stand in the certificate",
            "say it without",
        )


def _told(step: Step, *, values: bool) -> dict[str, Any]:
    told = {
        "path": step.path,
        "tag": f"{step.tag:08X}",
        "keyword": keyword_for_tag(step.tag),
        "action": step.action,
        "why": step.why,
        "safe_harbor": step.letter,
    }
    return told | {"before": step.before, "after": step.after} if values else told
