"""Folders de-identified: whole or not at all, searched before release, verified afterwards."""

import gzip
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.encaps import encapsulate, generate_frames

from napari_medlabel import commands
from napari_medlabel.cli import main
from napari_medlabel.errors import (
    Cancelled,
    InputError,
    IntegrityError,
    OutputError,
    PermissionDenied,
    Refused,
)
from napari_medlabel.privacy.certificate import CERTIFICATE, DOCUMENT
from napari_medlabel.session import Permission, Session
from tests.formats.made_dicom import save
from tests.privacy.made_headers import NAME, SECRETS, patient, plain, reread, write

KINDS = ("date", "name", "number", "place or contact", "uid")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Three slices of one patient, named after her, beside a letter and a DICOMDIR."""
    folder = tmp_path / "Zwiebelturm_Leonore" / "ct"
    for number in (1, 2, 3):
        write(folder / f"zwiebelturm-{number}.dcm", plain(number))
    (folder / "letter.txt").write_text("Dear Mrs Zwiebelturm")
    return folder.parent


@pytest.fixture
def released(session: Session, study: Path, tmp_path: Path) -> Path:
    commands.deidentify_folder(session, study, tmp_path / "out")
    return tmp_path / "out"


def everything(folder: Path) -> bytes:
    """All bytes below a folder, and all names."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"\n".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in files)


def test_a_folder_holds_nothing_of_the_patient_not_even_in_names(released: Path) -> None:
    data = everything(released).lower()
    assert [word for word in SECRETS if word.encode() in data] == []
    assert len(list(released.rglob("*.dcm"))) == 3


def test_the_source_is_never_touched(session: Session, study: Path, tmp_path: Path) -> None:
    before = everything(study)
    for path in study.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    commands.deidentify_folder(session, study, tmp_path / "out")
    assert everything(study) == before


def test_the_certificate_counts_checks_and_names_nobody(released: Path) -> None:
    told = json.loads((released / DOCUMENT).read_text())
    elements = {one["keyword"]: one["actions"] for one in told["elements"]}
    assert (told["written"], told["patients"]) == (3, 1)
    assert told["left_out"] == [{"why": "it is not DICOM, or it is damaged", "files": 1}]
    assert elements["PatientName"] == {"D": 3}
    assert elements["InstitutionName"] == {"X": 3}
    assert elements["PixelSpacing"] == {"K": 3}
    assert told["checks"][0]["ok"] is True
    assert [one["ok"] for one in told["checks"][1:]] == [None, None]
    assert len({one["sha256"] for one in told["files"]}) == 3


def test_the_certificates_page_loads_nothing(released: Path) -> None:
    page = (released / CERTIFICATE).read_text()
    assert "default-src 'none'" in page
    assert re.findall(r"(?:src|href)=|<script|url\(", page) == []
    assert "De-identification certificate" in page


def test_a_zip_archive_is_read_where_it_is(session: Session, study: Path, tmp_path: Path) -> None:
    archive = tmp_path / "study.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for path in study.rglob("*.dcm"):
            made.write(path, path.name)
    done = commands.deidentify_folder(session, archive, tmp_path / "out")
    assert done.document()["written"] == 3


def test_several_processes_write_what_one_does(
    session: Session, study: Path, released: Path, tmp_path: Path
) -> None:
    commands.deidentify_folder(session, study, tmp_path / "many", jobs=2)
    one = {path.relative_to(released) for path in released.rglob("*.dcm")}
    many = {path.relative_to(tmp_path / "many") for path in (tmp_path / "many").rglob("*.dcm")}
    assert one == many
    for name in one:
        assert (released / name).read_bytes() == (tmp_path / "many" / name).read_bytes()


def test_two_patients_stay_two_and_one_stays_one(session: Session, tmp_path: Path) -> None:
    for number, who in enumerate(("A-100417", "A-100417", "B-200317"), 1):
        save(tmp_path / "in" / str(number), plain(number, PatientID=who))
    commands.deidentify_folder(session, tmp_path / "in", tmp_path / "out")
    people = [path.name for path in (tmp_path / "out").iterdir() if path.is_dir()]
    assert len(people) == 2


# Whole or not at all


def left_beside(tmp_path: Path) -> list[str]:
    """Hidden beginnings that something left."""
    return [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_calling_it_off_leaves_nothing(session: Session, study: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        commands.deidentify_folder(session, study, tmp_path / "out", cancelled=lambda: True)
    assert not (tmp_path / "out").exists()
    assert left_beside(tmp_path) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_half_way_leaves_nothing(
    session: Session, study: Path, tmp_path: Path, jobs: int
) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done > 1:
            raise Stop

    with pytest.raises(Stop):
        commands.deidentify_folder(session, study, tmp_path / "out", jobs=jobs, progress=stop)
    assert not (tmp_path / "out").exists()
    assert left_beside(tmp_path) == []


def test_a_full_disk_is_said_in_one_line(
    session: Session, study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", _failing_below(tmp_path, Path.mkdir, full))
    with pytest.raises(OutputError, match="disk is full"):
        commands.deidentify_folder(session, study, tmp_path / "out")
    assert left_beside(tmp_path) == []


def _failing_below(
    tmp_path: Path, real: Callable[..., None], fails: Callable[..., None]
) -> Callable[..., None]:
    """`mkdir` that fails for the folders of patients."""

    def mkdir(path: Path, *args: object, **options: object) -> None:
        inside = path.is_relative_to(tmp_path) and "study-" in path.as_posix()
        (fails if inside else real)(path, *args, **options)

    return mkdir


def test_a_destination_that_is_there_or_inside_the_source_is_refused(
    session: Session, study: Path, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError, match="exists already"):
        commands.deidentify_folder(session, study, tmp_path / "there")
    with pytest.raises(OutputError, match="inside each other"):
        commands.deidentify_folder(session, study, study / "out")


def test_a_folder_with_nothing_to_write_is_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("no image")
    with pytest.raises(Refused, match="nothing was written"):
        commands.deidentify_folder(session, tmp_path / "in", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_gate_stops_what_a_careless_profile_lets_through(
    session: Session, study: Path, tmp_path: Path
) -> None:
    profile = tmp_path / "careless.toml"
    profile.write_text('[elements]\nAccessionNumber = "K"\n')
    commands.deidentify_folder(session, study, tmp_path / "meant", profile=profile)
    write(study / "ct" / "other.dcm", plain(4, PatientComments="ask acc-88231 about ZX-4711-9"))
    profile.write_text('[elements]\nPatientComments = "K"\n')
    with pytest.raises(Refused, match="number"):
        commands.deidentify_folder(session, study, tmp_path / "out", profile=profile)
    assert not (tmp_path / "out").exists()


# Verifying


def test_what_was_released_verifies(session: Session, study: Path, released: Path) -> None:
    found = commands.verify_deidentified(session, released, against=study)
    assert found.ok
    assert (found.originals, found.changed) == (3, ())
    assert found.searched is not None
    assert found.searched.strings > 15


def one_file(folder: Path) -> Path:
    return min(folder.rglob("*.dcm"))


def in_pixels(folder: Path) -> None:
    path = one_file(folder)
    path.write_bytes(path.read_bytes()[:-20] + b"Zwiebelturm, Leonore")


def in_compressed_pixels(folder: Path) -> None:
    path = one_file(folder)
    made = reread(path.read_bytes())
    frame = b"\xff\xd8\xff\xfe\x00\x0dZwiebelturm\xff\xda\x00\x02" + bytes(200) + b"\xff\xd9"
    made.PixelData = encapsulate([frame])
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.70"
    made.save_as(path)


def in_deflated_bytes(folder: Path) -> None:
    path = one_file(folder)
    made = reread(path.read_bytes())
    made.add_new(0x00291010, "OB", gzip.compress(b"of Leonore Zwiebelturm, born 24.12.1933"))
    made.save_as(path)


def in_two_byte_letters(folder: Path) -> None:
    made = reread(one_file(folder).read_bytes())
    made.add_new(0x00291010, "OB", "LEONORE".encode("utf-16-be"))
    made.save_as(one_file(folder))


def in_a_volumes_header(folder: Path) -> None:
    header = bytearray(352)
    header[148:159] = b"Zwiebelturm"
    (folder / "a.nii.gz").write_bytes(gzip.compress(bytes(header) + bytes(9000)))


def in_an_archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "more.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("note.txt", "see ZX-4711-9 " * 40)


def in_a_date(folder: Path) -> None:
    (folder / "dates.csv").write_text("born,1933-12-24\n")


def in_a_name(folder: Path) -> None:
    (folder / "zwiebelturm.csv").write_text("nothing\n")


def in_an_old_uid(folder: Path) -> None:
    from tests.formats.made_dicom import uid  # noqa: PLC0415

    (folder / "uids.txt").write_text(uid("study"))


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (in_pixels, "name"), (in_compressed_pixels, "name"), (in_deflated_bytes, "name"),
        (in_two_byte_letters, "name"), (in_a_volumes_header, "name"), (in_an_archive, "number"),
        (in_a_date, "date"), (in_a_name, "name"), (in_an_old_uid, "uid"),
    ],
)  # fmt: skip
def test_a_planted_identifier_is_found_and_never_told(  # noqa: PLR0913, PLR0917  # fixtures
    session: Session, study: Path, released: Path, capsys: pytest.CaptureFixture[str],
    plant: Callable[[Path], None], kind: str,
) -> None:  # fmt: skip
    plant(released)
    found = commands.verify_deidentified(session, released, against=study)
    assert found.searched is not None
    assert kind in {one.kind for one in found.searched.findings}
    assert main(["deidentify", "--verify", str(released), "--against", str(study)]) == 3
    told = "".join(capsys.readouterr()).replace(str(study), "").lower()
    hidden = ("leonore", "zx-4711", "19331224", "1933-12-24", "acc-88231")
    assert [word for word in hidden if word in told] == []


def test_a_changed_file_is_not_what_the_certificate_says(session: Session, released: Path) -> None:
    path = one_file(released)
    path.write_bytes(path.read_bytes() + b"\0\0")
    found = commands.verify_deidentified(session, released)
    assert found.changed == (path.relative_to(released).as_posix(),)
    assert not found.ok


def test_shifted_dates_are_no_false_alarm(session: Session, study: Path, tmp_path: Path) -> None:
    commands.deidentify_folder(session, study, tmp_path / "out", dates="shifted")
    assert commands.verify_deidentified(session, tmp_path / "out", against=study).ok


def test_random_pixels_are_no_false_alarm(session: Session, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (256, 512), np.uint8)
    noisy = plain(1, PatientName="Lee^Kim^Ann", PatientID="1234", Rows=256, Columns=256)
    noisy.PixelData = pixels.tobytes()
    save(tmp_path / "in" / "a.dcm", noisy)
    commands.deidentify_folder(session, tmp_path / "in", tmp_path / "out")


def test_a_folder_without_certificate_or_original_says_so(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"deidentification\.json"):
        commands.verify_deidentified(session, tmp_path)


# Who is who


def test_the_list_of_pseudonyms_is_sealed_and_tells_who_is_who(
    session: Session, released: Path, tmp_path: Path
) -> None:
    sealed = (session.workspace.folder / "links").read_bytes()
    count = commands.export_pseudonyms(session, tmp_path / "who.json")
    told = json.loads((tmp_path / "who.json").read_text())["patients"]
    (pseudonym,) = [path.name for path in released.iterdir() if path.is_dir()]
    assert count == 1
    assert told[pseudonym]["patient_id"] == "ZX-4711-9"
    assert told[pseudonym]["shift_days"] < 0
    assert b"Zwiebelturm" not in sealed


def test_who_is_who_needs_its_own_permission(session: Session, tmp_path: Path) -> None:
    session._permissions = frozenset(Permission) - {Permission.REIDENTIFY}
    with pytest.raises(PermissionDenied):
        commands.export_pseudonyms(session, tmp_path / "who.json")
    assert not (tmp_path / "who.json").exists()


@pytest.mark.usefixtures("released")
def test_an_altered_list_of_pseudonyms_does_not_open(session: Session, tmp_path: Path) -> None:
    path = session.workspace.folder / "links"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(IntegrityError):
        commands.export_pseudonyms(session, tmp_path / "who.json")


# The command line


@pytest.mark.usefixtures("session")
def test_the_command_line_writes_reports_and_verifies(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    words = ["deidentify", str(study), str(out), "--shift-dates", "--report", str(report)]
    assert main(words) == 0
    assert "3 files of 1 patient written" in capsys.readouterr().out
    assert json.loads(report.read_text()) == json.loads((out / DOCUMENT).read_text())
    assert json.loads(report.read_text())["profile"]["dates"] == "shifted"
    assert main(["deidentify", "--verify", str(out), "--against", str(study), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True


@pytest.mark.usefixtures("session")
def test_a_preview_tells_what_and_why_and_values_only_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.dcm", patient())
    assert main(["deidentify", str(path), "--preview"]) == 0
    quiet = capsys.readouterr().out
    assert "Table E.1-1" in quiet
    assert "zwiebelturm" not in quiet.lower()
    assert main(["deidentify", str(path), "--preview", "--values", "--json"]) == 0
    (steps,) = json.loads(capsys.readouterr().out)["series"]
    name = next(step for step in steps if step["tag"] == "00100010" and not step["path"])
    assert (name["before"], name["action"], name["safe_harbor"]) == (NAME, "D", "A")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("session")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["deidentify"], 2),
        (["deidentify", "a", "b", "--keep-dates", "--shift-dates"], 2),
        (["deidentify", "a", "--verify", "b"], 2),
        (["deidentify", "a", "b", "--values"], 2),
        (["deidentify", "nowhere", "out"], 1),
        (["deidentify", "--verify", "nowhere"], 1),
        (["deidentify", "a", "b", "--profile", "none.toml"], 1),
    ],
)
def test_wrong_words_and_missing_files_have_their_exit_codes(
    words: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == code


def test_compressed_frames_keep_their_pixels_and_lose_their_comments(
    session: Session, tmp_path: Path
) -> None:
    frame = b"\xff\xd8\xff\xfe\x00\x0dZwiebelturm\xff\xda\x00\x02" + bytes(range(200)) + b"\xff\xd9"
    made = plain()
    made.PixelData = encapsulate([frame])
    made["PixelData"].is_undefined_length = True
    save(tmp_path / "in" / "a.dcm", made, "1.2.840.10008.1.2.4.70")
    commands.deidentify_folder(session, tmp_path / "in", tmp_path / "out")
    new = reread(one_file(tmp_path / "out").read_bytes())
    (after,) = generate_frames(new.PixelData, number_of_frames=1)
    assert after[: len(frame)] == frame.replace(b"Zwiebelturm", bytes(11))
