"""Headers, text and faces in one copy: what is done to pixels, what is said of it, what stops it.

Looking for a face takes seconds, so that one study is de-identified once for most of these.
"""

import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import jsonschema
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from napari_medlabel import commands, formats
from napari_medlabel.cli import main
from napari_medlabel.commands import FaceWish, TextWish
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.documents import deidentification_schema
from napari_medlabel.errors import Cancelled, InputError, Refused
from napari_medlabel.formats.dicom_files import Place, Skipped
from napari_medlabel.formats.dicom_instance import Tile
from napari_medlabel.formats.dicom_pictures import PictureReader, picture_at
from napari_medlabel.phantom import Head, Study, write_ct_series
from napari_medlabel.privacy.burned_in import BurnedIn, TextBox
from napari_medlabel.privacy.burned_in_engine import is_installed
from napari_medlabel.privacy.burned_in_fill import Box
from napari_medlabel.privacy.certified import certified
from napari_medlabel.privacy.face_found import FacesFound, HeadFound, State
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.one_file import FileDone, deidentify_file
from napari_medlabel.privacy.pixel_change import PixelChange, patch_of
from napari_medlabel.privacy.pixels_of_study import PixelsFound
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.pseudonyms import Pseudonyms
from napari_medlabel.privacy.text_plan import TextFound
from napari_medlabel.session import Session, local_session
from tests.formats.made_dicom import save, stack
from tests.formats.made_pictures import KINDS, picture_file
from tests.privacy.test_burned_in import body, with_text

GRID = Geometry.from_spacing((56, 60, 50), (4.0, 4.0, 4.0), (-98.0, -128.0, -112.0))
WHO = Study(patient_name="Zwiebelturm^Leonore", patient_id="ZX-4711-9")
WHAT = Headers(Profile(also=frozenset({"secondary-capture"})), Pseudonyms(b"k" * 32))


def _scout(folder: Path, hu: np.ndarray) -> None:
    """Two sagittal slices through the nose, in the same frame of reference as the head."""
    cut = np.ascontiguousarray(np.moveaxis(hu[:, :, 24:26], 2, 0))
    matrix = GRID.lps_from_kji[:, [2, 0, 1, 3]].copy()
    matrix[:3, 3] = GRID.lps((0, 0, 24))
    write_ct_series(folder, cut, Geometry(cut.shape, matrix), WHO, number=2)


@pytest.fixture(scope="module")
def hu() -> np.ndarray:
    return Head(1).ct(GRID)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, hu: np.ndarray) -> Path:
    """A head of which a half is deflated, and a scout of it; one slice is there twice."""
    folder = tmp_path_factory.mktemp("joined") / "Zwiebelturm"
    paths = write_ct_series(folder / "head", hu, GRID, WHO)
    for path in paths[::2]:
        dataset = dcmread(path)
        dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        dataset.save_as(path)
    shutil.copy(paths[20], folder / "once-more.dcm")
    _scout(folder / "scout", hu)
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Session:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("MEDLABEL_KEYRING", "off")
        patch.setenv("XDG_CONFIG_HOME", str(home))
        session = local_session(home / "workspace")
        assert session.workspace.id
        return session


@pytest.fixture(scope="module")
def released(study: Path, workspace: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("released") / "out"
    commands.deidentify_folder(workspace, study, out, face=FaceWish())
    return out


def told(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "deidentification.json").read_text())
    return document


def new_files(study: Path, released: Path) -> dict[Path, Path]:
    """Each new file by the old one."""
    new = {one["source_sha256"]: released / one["file"] for one in told(released)["files"]}
    old = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in study.rglob("*.dcm")}
    return {path: new[digest] for digest, path in old.items()}


def test_the_face_goes_and_every_other_voxel_stays(released: Path, hu: np.ndarray) -> None:
    (volume,) = [
        formats.read(released, series=one.number)
        for one in formats.scan(released).series if one.geometry and one.geometry.shape[0] == 56
    ]  # fmt: skip
    assert volume.geometry.same_grid(GRID)
    changed = volume.levels[0][:] != hu
    (head, *_) = told(released)["faces"]["volumes"]
    assert 0 < changed.sum() <= head["voxels_removed"]
    assert (volume.levels[0][changed] == -1000).all()
    assert not (changed[27:] & Head(1).brain(GRID)[27:]).any()  # as far as the phantom's is right


def test_what_one_series_shows_is_taken_out_of_the_others(
    released: Path, study: Path, hu: np.ndarray
) -> None:
    head, scout = told(released)["faces"]["volumes"]
    assert (head["state"], scout["state"]) == ("face-removed", "carried-over")
    assert scout["carried_from"] == 1
    (volume,) = [
        formats.read(released, series=one.number)
        for one in formats.scan(released).series if one.files == 2
    ]  # fmt: skip
    (before,) = [
        formats.read(study, series=one.number)
        for one in formats.scan(study).series if one.files == 2
    ]  # fmt: skip
    gone = volume.levels[0][:] != before.levels[0][:]
    assert gone.sum() > 300
    # The same voxels of space: the head's own slices lack them, too.
    heads = formats.read(released, series=1).levels[0][:] != hu
    places = np.argwhere(gone)
    kji = np.rint(GRID.kji(volume.geometry.lps(places))).astype(int)
    assert heads[tuple(kji.T)].mean() > 0.9


def test_a_copy_of_a_slice_keeps_no_face(released: Path, study: Path) -> None:
    files = new_files(study, released)
    assert len(list(released.rglob("*.dcm"))) == 58
    assert all(one.exists() for one in files.values())


def test_headers_say_what_was_proved_and_no_more(released: Path) -> None:
    for path in released.rglob("*.dcm"):
        copy = dcmread(path)
        codes = {one.CodeValue for one in copy.DeidentificationMethodCodeSequence}
        assert copy.RecognizableVisualFeatures == "NO"
        assert "113102" in codes
        assert "113101" not in codes
        assert "BurnedInAnnotation" not in copy  # the source's NO is no evidence


def test_the_certificate_has_the_numbers_of_each_volume(released: Path) -> None:
    document = told(released)
    (head, _) = document["faces"]["volumes"]
    assert head["brain_voxels_removed"] == 0
    assert head["nearest_brain_mm"] >= 2.0
    assert head["face_points_matched_after"] <= 0.10 < head["face_points_matched_before"]
    assert {one["face"] for one in document["files"]} == {"face-removed", "carried-over"}
    assert document["text"] is None
    checks = {one["name"]: one["ok"] for one in document["checks"]}
    assert checks == {
        "identifiers of the originals in the new files": True,
        "text in the pixels": None, "faces": True,
    }  # fmt: skip
    assert "zwiebelturm" not in json.dumps(document).casefold()
    jsonschema.Draft202012Validator(deidentification_schema()).validate(document)


def test_verifying_finds_a_face_that_the_certificate_denies(
    released: Path, study: Path, workspace: Session, tmp_path: Path
) -> None:
    shutil.copytree(released, tmp_path / "forged")
    document = told(released)
    for one in [one for one in document["files"] if one["face"] == "carried-over"]:
        (tmp_path / "forged" / one["file"]).unlink()
        document["files"].remove(one)
    originals = {new: old for old, new in new_files(study, released).items()}
    for one in document["files"]:
        path = tmp_path / "forged" / one["file"]
        copy = dcmread(path)
        copy.PixelData = dcmread(originals[released / one["file"]]).PixelData
        copy.save_as(path)
        one["sha256"] = _sha256(path)
    (tmp_path / "forged" / "deidentification.json").write_text(json.dumps(document))
    found = commands.verify_deidentified(workspace, tmp_path / "forged")
    assert not found.ok
    assert not found.changed
    assert found.pixels is not None
    seen = {one.told: one.ok for one in found.pixels.faces or ()}
    assert seen == {"face-removed": False}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# What is done to pixels of every kind


def change_of(path: Path, **more: Literal["none"]) -> PixelChange:
    """A patch of one value in a corner of the first frame, and a box in its middle."""
    picture = picture_at(Place(str(path)))
    assert picture is not None
    rows, columns = picture.shape
    patches = {}
    if picture.facts.samples == 1 and picture.facts.bits_allocated > 1:
        where = np.zeros((rows, columns), bool)
        where[1:4, 1:3] = True
        patch = patch_of(where, np.full((rows, columns), 9), replace(picture.facts, intercept=0.0))
        assert patch is not None
        patches = {0: (patch,)}
    box = Box(columns // 2, rows // 2, columns // 2 + 5, rows // 2 + 4)
    return PixelChange({0: (box,)}, patches, *more.values())


def frames(path: Path) -> list[np.ndarray]:
    picture = picture_at(Place(str(path)))
    assert picture is not None
    with PictureReader() as reader:
        return [reader.read(picture, n) for n in range(picture.frames)]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_is_to_change_changes_whatever_the_pixels_are(tmp_path: Path, kind: str) -> None:
    path = picture_file(tmp_path / "in.dcm", kind)
    before = frames(path)
    done = deidentify_file(Place(str(path)), tmp_path, WHAT, change_of(path, text="none"))
    assert isinstance(done, FileDone), done
    assert done.pixels
    after = frames(tmp_path / done.file)
    copy = dcmread(tmp_path / done.file)
    assert copy.BurnedInAnnotation == "NO"
    assert copy.PatientIdentityRemoved == "YES"
    rows, columns = before[0].shape[:2]
    kept = np.ones((rows, columns), bool)
    kept[rows // 2 : rows // 2 + 4, columns // 2 - 1 : columns // 2 + 6] = False
    if before[0].ndim == 2 and kind != "bits":
        assert (after[0][1:4, 1:3] == 9).all()
        kept[1:4, 1:3] = False
    np.testing.assert_array_equal(after[0][kept], before[0][kept])
    box = after[0][rows // 2 : rows // 2 + 4, columns // 2 : columns // 2 + 5]
    assert (box == box[0, 0]).all()
    for old, new in zip(before[1:], after[1:], strict=True):
        np.testing.assert_array_equal(old, new)


def test_changing_pixels_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "in.dcm", "rgb JPEG-LS")
    hashes = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        done = deidentify_file(Place(str(path)), tmp_path / name, WHAT, change_of(path))
        assert isinstance(done, FileDone)
        hashes.add((done.file, done.sha256))
    assert len(hashes) == 1


def test_a_member_of_an_archive_is_changed_where_it_is(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "in.dcm", "frames")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.write(path, "in.dcm")
    change = change_of(path)
    done = [
        deidentify_file(place, tmp_path / name, WHAT, change)
        for name, place in (("a", Place(str(path))), ("b", Place(str(tmp_path / "a.zip"), 0)))
    ]
    assert all(isinstance(one, FileDone) for one in done)
    assert len({getattr(one, "sha256", "") for one in done}) == 1


def test_a_slice_that_is_a_tile_is_changed_in_its_own_place(tmp_path: Path) -> None:
    picture = picture_at(Place(str(picture_file(tmp_path / "in.dcm", "frames"))))
    assert picture is not None
    facts = replace(picture.facts, intercept=0.0, tile=Tile(12, 16, 24, 32), rows=12, columns=16)
    where = np.zeros((12, 16), bool)
    where[3, 5:8] = True
    patch = patch_of(where, np.full((12, 16), 7), facts)
    assert patch is not None
    frame = np.zeros((24, 32), np.uint16)
    patch.put(frame, facts, native=True)
    assert np.argwhere(frame == 7).tolist() == [[15, 21], [15, 22], [15, 23]]


# Text


def test_a_case_made_of_it_is_known_to_have_no_face_and_no_words_in_its_header(
    released: Path,
) -> None:
    head = [one["file"] for one in told(released)["files"] if one["face"] == "face-removed"]
    parts = {one.part: one for one in certified(released, [released / name for name in head])}
    assert {part: one.state for part, one in parts.items()} == {"headers": "done", "face": "done"}
    volumes = parts["face"].proof["faces"]["volumes"]
    assert volumes[0]["brain_voxels_removed"] == 0
    assert not {"why", "reason"} & set(volumes[0])
    assert certified(released, [released / "certificate.html"]) == ()


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series with a name on every slice, and a capture with one."""
    folder = tmp_path_factory.mktemp("marked")
    slices = [with_text(body(n), ("KAUFMAN SCOTT", 60, 90, 14), value=420) for n in range(1)]
    for n, dataset in enumerate(stack(np.stack(slices))):
        save(folder / f"{n}.dcm", dataset)
    return folder


needs_ocr = pytest.mark.skipif(not is_installed(), reason="needs the extra ocr")


@needs_ocr
@pytest.mark.xdist_group("ocr")
def test_text_is_filled_and_was_in_no_file_at_any_time(
    marked: Path, workspace: Session, tmp_path: Path
) -> None:
    seen: list[bytes] = []

    def watched(_done: int, _total: int) -> None:
        hidden = [one for one in tmp_path.iterdir() if one.name.startswith(".")]
        seen.extend(p.read_bytes() for one in hidden for p in one.rglob("*.dcm"))

    out = tmp_path / "out"
    done = commands.deidentify_folder(
        workspace, marked, out, burned_in=TextWish(), progress=watched
    ).document()
    assert done["text"]["findings"] == 1
    assert (done["text"]["files_filled"], done["text"]["files_looked_at_again"]) == (1, 1)
    assert {one["text"] for one in done["files"]} == {"redacted"}
    assert done["checks"][1]["ok"] is True
    states = {one.part: one.state for one in certified(out, list(out.rglob("*.dcm")))}
    assert states == {"headers": "done", "burned-in": "done"}
    lines = [dcmread(path).pixel_array[90:104, 60:160] for path in out.rglob("*.dcm")]
    assert [len(np.unique(one)) for one in lines] == [1]
    # Nothing with the name was ever in a file that is not whole yet.
    with_name = [dcmread(path).pixel_array.tobytes() for path in sorted(marked.iterdir())]
    assert seen
    assert not any(pixels in data for pixels in with_name for data in seen)


def test_text_that_is_only_looked_for_stops_the_run_and_says_which() -> None:
    boxes = tuple(TextBox("a", n, 1, 2, 30, 9, 0.9, 1 + n // 2) for n in range(4))
    found = BurnedIn(boxes, files=("a",), unread=(Skipped("b", "it is cut"),))
    text = TextFound(TextWish("find"), found, {"a": Place("a")})
    with pytest.raises(Refused, match=r"finding 1, 2.*1 pictures cannot be looked at") as caught:
        PixelsFound(text).check()
    assert "--keep-text" in caught.value.hint
    assert "--accept-unread" in caught.value.hint
    kept = replace(
        text, wish=TextWish("find", frozenset({1, 2}), accept_unread=True, reason="a scale"),
        kept=frozenset(boxes),
    )  # fmt: skip
    PixelsFound(kept).check()
    assert PixelsFound(kept).changes()[Place("a")].text == "kept"
    assert not PixelsFound(kept).changes()[Place("a")].boxes


def test_what_stays_needs_a_reason_that_names_nobody(
    marked: Path, workspace: Session, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="reason"):
        TextWish(keep=frozenset({1}))
    with pytest.raises(InputError, match="reason"):
        FaceWish(keep=True)
    with pytest.raises(InputError, match="200"):
        FaceWish(keep=True, reason="x" * 201)
    wish = FaceWish("find", accept_uncertain=True, reason="as Secret said")
    with pytest.raises(Refused, match="reason holds a name"):
        commands.deidentify_folder(workspace, marked, tmp_path / "out", face=wish)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words", [["--face", "remove", "--keep-face"], ["--burned-in", "find", "--accept-unread"]]
)
def test_the_command_line_asks_why_before_it_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    assert main(["deidentify", str(tmp_path / "in"), str(tmp_path / "out"), *words]) == 1
    captured = capsys.readouterr()
    assert "needs a reason" in captured.err
    assert captured.err.count("\n") == 1


# What stops it


def test_a_face_stops_the_run_until_somebody_says_what_to_do(study: Path) -> None:
    (series, *_) = formats.scan(study).series
    states: list[tuple[State, str]] = [("face", "clear"), ("uncertain", "cut by a plane")]
    heads = tuple(
        HeadFound(n, 0, state, why, frozenset(), series) for n, (state, why) in enumerate(states, 1)
    )
    with pytest.raises(Refused, match="a face is in series 1; series 2 is uncertain") as caught:
        PixelsFound(faces=FacesFound(FaceWish("find"), heads)).check()
    assert "--keep-face" in caught.value.hint
    assert "--accept-uncertain" in caught.value.hint


def test_a_volume_that_cannot_be_read_stops_the_run(
    workspace: Session, tmp_path: Path, hu: np.ndarray
) -> None:
    paths = write_ct_series(tmp_path / "in", hu, GRID, WHO)
    data = paths[0].read_bytes()
    paths[0].write_bytes(data[:-4000])
    with pytest.raises(Refused, match="unread"):
        commands.deidentify_folder(workspace, tmp_path / "in", tmp_path / "out", face=FaceWish())


def test_calling_it_off_while_looking_leaves_nothing(
    study: Path, workspace: Session, tmp_path: Path
) -> None:
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 70

    with pytest.raises(Cancelled):
        commands.deidentify_folder(
            workspace, study, tmp_path / "out", face=FaceWish(), cancelled=cancelled
        )
    assert list(tmp_path.iterdir()) == []
