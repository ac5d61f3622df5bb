"""Text in pixels from end to end: found, taken out, looked for again; nothing said of what it is.

Reading a picture takes half a second, so that what was found and written is made once.
"""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont
from pydicom import dcmread

from napari_medlabel import cli
from napari_medlabel.errors import (
    Cancelled,
    ExtraMissing,
    InputError,
    OutputError,
    Refused,
)
from napari_medlabel.privacy import burned_in_redact
from napari_medlabel.privacy.burned_in import BurnedIn, TextBox, find_burned_in
from napari_medlabel.privacy.burned_in_engine import TextReader, is_installed
from napari_medlabel.privacy.burned_in_redact import Redacted, redact_burned_in
from tests.formats.made_dicom import one_slice, save, save_all, stack
from tests.formats.made_pictures import picture_file

Array = npt.NDArray[Any]
ROOT = Path(__file__).parents[2]
NAME, DATE = "KAUFMAN SCOTT", "22.07.1943"

pytestmark = [
    pytest.mark.skipif(not is_installed(), reason="needs the extra ocr"),
    pytest.mark.xdist_group("ocr"),  # its models are loaded once
]


def with_text(values: Array, *texts: tuple[str, int, int, int], value: float) -> Array:
    """Draw lines of text: each with left, top and size in pixels."""
    drawn = Image.new("L", values.shape[::-1])
    for text, left, top, size in texts:
        font = ImageFont.load_default(size)
        ImageDraw.Draw(drawn).text((left, top), text, fill=255, font=font)
    covered = np.asarray(drawn) / 255.0
    return (values * (1.0 - covered) + value * covered).astype(values.dtype)


def body(seed: int, shape: tuple[int, int] = (192, 224)) -> Array:
    """Something round and uneven, in HU."""
    j, i = np.mgrid[0 : shape[0], 0 : shape[1]]
    rng = np.random.default_rng(seed)
    inside = ((j - 96) / 75) ** 2 + ((i - 112) / 90) ** 2 < 1
    waves = 40 * np.sin(j / 11 + seed) * np.cos(i / 13 - seed)
    return np.where(inside, 30 + waves, -1000).astype(np.int16) + rng.integers(-9, 9, shape, "i2")


@pytest.fixture(scope="session")
def reader() -> TextReader:
    return TextReader()


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain series with a name on every slice, a capture with a date, and a clean series."""
    place = tmp_path_factory.mktemp("burned-in")
    slices = [with_text(body(n), (NAME, 60, 90, 14), value=420) for n in range(3)]
    save_all(place / "series", stack(np.stack(slices)))
    plain = np.full((120, 200), 20, np.uint8)
    picture_file(place / "capture.dcm", "rgb", with_text(plain, (DATE, 20, 30, 16), value=230))
    (place / "notes.txt").write_text("no picture")
    return place


@pytest.fixture(scope="session")
def found(folder: Path, reader: TextReader) -> BurnedIn:
    return find_burned_in(folder, reader=reader)


@pytest.fixture(scope="session")
def redacted(
    folder: Path, found: BurnedIn, reader: TextReader, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Redacted, Path]:
    out = tmp_path_factory.mktemp("redacted") / "out"
    return redact_burned_in(folder, out, before=found, reader=reader), out


def covers(boxes: Iterable[TextBox], file: str, left: int, top: int, width: int) -> bool:
    return any(
        box.file == file
        and box.left <= left + 6
        and box.left + box.width >= left + width - 6
        and box.top <= top + 8 <= box.top + box.height
        for box in boxes
    )


def test_text_is_found_on_every_slice_and_in_colour(found: BurnedIn) -> None:
    assert found.checked
    assert found.findings == 2
    assert all(covers(found.boxes, f"series/IM{n:04d}", 60, 90, 105) for n in range(3))
    assert covers(found.boxes, "capture.dcm", 20, 30, 80)
    assert [one.file for one in found.skipped] == ["notes.txt"]


def test_the_answer_says_where_and_never_what(found: BurnedIn) -> None:
    said = json.dumps(found.document())
    assert set(found.document()["boxes"][0]) >= {
        *("file", "frame", "left", "top", "width", "height", "score")
    }
    assert not any(word in said + repr(found) for word in ("KAUFMAN", "SCOTT", "1943", "Secret"))


def test_what_was_looked_at_is_said_with_its_cause(found: BurnedIn) -> None:
    causes = {cause for one in found.looked for cause, _ in one.causes}
    assert "a projection shows text" in causes
    assert "said to hold text" in causes
    assert sum(one.frames for one in found.looked) == 4


def test_the_copies_show_no_text_and_change_nowhere_else(
    folder: Path, found: BurnedIn, redacted: tuple[Redacted, Path]
) -> None:
    done, out = redacted
    assert (done.files, done.changed, done.after.boxes) == (4, 4, ())
    for file in found.files:
        old, new = (dcmread(place / file).pixel_array for place in (folder, out))
        outside = np.ones(old.shape[:2], bool)
        for box in (box for box in found.boxes if box.file == file):
            rows = slice(max(0, box.top - 2), box.top + box.height + 2)
            columns = slice(max(0, box.left - 2), box.left + box.width + 2)
            outside[rows, columns] = False
        np.testing.assert_array_equal(new[outside], old[outside])
        assert not np.array_equal(new, old)


def test_the_copies_say_that_they_were_cleaned(redacted: tuple[Redacted, Path]) -> None:
    headers = [dcmread(path) for path in redacted[1].rglob("*") if path.is_file()]
    assert {header.BurnedInAnnotation for header in headers} == {"NO"}
    codes = {header.DeidentificationMethodCodeSequence[0].CodeValue for header in headers}
    assert codes == {"113101"}


def test_the_sources_stay_as_they_are(folder: Path, redacted: tuple[Redacted, Path]) -> None:
    assert redacted[1].is_dir()
    assert dcmread(folder / "capture.dcm").BurnedInAnnotation == "YES"
    assert {path.name for path in redacted[1].rglob("*.txt")} == set()


def test_a_finding_that_is_kept_stays_and_nothing_claims_otherwise(
    folder: Path, found: BurnedIn, reader: TextReader, tmp_path: Path
) -> None:
    only = folder / "capture.dcm"
    boxes = tuple(box for box in found.boxes if box.file == "capture.dcm")
    before = BurnedIn(boxes=boxes, files=("capture.dcm",))
    done = redact_burned_in(
        only, tmp_path / "a.dcm", before=before, keep=[boxes[0].finding], reader=reader
    )
    assert done.kept == (boxes[0].finding,)
    assert (tmp_path / "a.dcm").read_bytes() == only.read_bytes()
    with pytest.raises(InputError):
        redact_burned_in(only, tmp_path / "b.dcm", before=before, keep=[99], reader=reader)


def test_where_text_is_left_nothing_is(
    folder: Path, reader: TextReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(burned_in_redact, "ROUNDS", 1)
    nothing = BurnedIn(files=("capture.dcm",))
    with pytest.raises(Refused) as told:
        redact_burned_in(folder / "capture.dcm", tmp_path / "a.dcm", before=nothing, reader=reader)
    assert told.value.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_what_was_missed_at_first_is_filled_in_a_second_round(
    folder: Path, reader: TextReader, tmp_path: Path
) -> None:
    nothing = BurnedIn(files=("capture.dcm",))
    done = redact_burned_in(
        folder / "capture.dcm", tmp_path / "a.dcm", before=nothing, reader=reader
    )
    assert (done.rounds, done.changed, done.after.boxes) == (2, 1, ())


def test_a_nifti_is_looked_at_the_right_way_round(reader: TextReader, tmp_path: Path) -> None:
    slices = np.stack([with_text(body(n), (NAME, 60, 90, 16), value=420) for n in range(3)])
    # As most converters lay it out: rows from back to front, columns from right to left.
    array = np.ascontiguousarray(slices[:, ::-1, ::-1].T)
    affine = np.diag([0.8, 0.8, 3.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "in.nii.gz")
    done = redact_burned_in(tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", reader=reader)
    written = np.asarray(nibabel.load(tmp_path / "out.nii.gz").dataobj)
    changed = (written != array).any(axis=2)
    assert done.before.findings == 1
    assert {box.frame for box in done.before.boxes} == {0, 1, 2}
    assert changed[224 - 160 : 224 - 65, 192 - 100 : 192 - 96].mean() > 0.9
    assert changed.mean() < 0.15


# The command line


def test_the_command_line_keeps_its_contract(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["burned-in", str(folder / "capture.dcm"), "--redact", str(tmp_path / "out"), "--json"]
    assert cli.main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["capture.dcm"]
    assert (said["redacted"]["changed"], said["redacted"]["left"]) == (1, 0)
    assert (said["format"], said["checked"]) == (1, True)
    (box,) = said["boxes"]
    assert (box["file"], box["frame"]) == ("capture.dcm", 0)
    assert 0.7 < box["score"] <= 1.0


@pytest.fixture
def without_ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    monkeypatch.setattr("napari_medlabel.privacy.burned_in.is_installed", lambda: False)
    monkeypatch.setattr("napari_medlabel.privacy.burned_in_redact.is_installed", lambda: False)


@pytest.mark.usefixtures("without_ocr")
def test_without_the_extra_nobody_has_looked(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["burned-in", str(folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["checked"], said["boxes"]) == (False, [])
    assert cli.main(["burned-in", str(folder)]) == 0
    assert "not checked" in capsys.readouterr().out
    assert cli.main(["burned-in", str(folder), "--redact", str(tmp_path / "out")]) == 1
    assert "napari-medlabel[ocr]" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_read_is_not_called_checked(
    reader: TextReader, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save(tmp_path / "cut.dcm", one_slice(body(1), (0, 0, 0)))
    path.write_bytes(path.read_bytes()[:-500])
    answer = find_burned_in(tmp_path, reader=reader)
    assert (answer.checked, answer.boxes) == (False, ())
    assert [one.file for one in answer.unread] == ["cut.dcm"]
    assert cli.main(["burned-in", str(tmp_path)]) == 1
    said, told = capsys.readouterr()
    assert "1 picture could not be looked at" in told
    assert "not checked" in said
    assert "no text" not in said
    assert "Secret" not in said + told


def test_what_cannot_be_done_is_refused_before_the_work(
    folder: Path, reader: TextReader, tmp_path: Path
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    with pytest.raises(OutputError):
        redact_burned_in(folder, tmp_path / "there", reader=reader)
    with pytest.raises(InputError):
        find_burned_in(tmp_path / "nowhere", reader=reader)
    with pytest.raises(InputError):
        find_burned_in(tmp_path / "there", reader=reader)


def test_called_off_leaves_nothing(
    folder: Path, found: BurnedIn, reader: TextReader, tmp_path: Path
) -> None:
    with pytest.raises(Cancelled):
        redact_burned_in(
            folder, tmp_path / "out", before=found, reader=reader, cancelled=lambda: True
        )
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(
    folder: Path,
    found: BurnedIn,
    reader: TextReader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_path: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="disk is full"):
        redact_burned_in(folder, tmp_path / "out", before=found, reader=reader)
    assert list(tmp_path.iterdir()) == []


# Models, and no network


def test_a_missing_model_is_said_and_not_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "rapidocr"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "rapidocr", raising=False)
    with pytest.raises(ExtraMissing, match="none is fetched"):
        TextReader()
    assert list((package / "models").iterdir()) == []


GUARDED = """
import sys
from pathlib import Path
from tests.plugins import no_network
from tests.house import test_no_network
no_network.install()
if sys.argv[1] == "wall":
    test_no_network.forbid_internet_sockets()
from napari_medlabel.privacy.burned_in import find_burned_in
print(find_burned_in(Path(sys.argv[2])).findings)
sys.stderr.write("".join(no_network.take_refused()))
"""


def test_reading_asks_for_no_network_and_says_nothing(folder: Path, tmp_path: Path) -> None:
    from tests.house.test_no_network import python  # noqa: PLC0415  # not its tests

    wall = "from tests.house.test_no_network import *; forbid_internet_sockets()"
    kind = "no wall" if python(wall, home=tmp_path).returncode else "wall"
    done = python(GUARDED, kind, str(folder / "capture.dcm"), home=tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_the_extra_is_not_loaded_until_it_is_asked_for() -> None:
    code = (
        "import sys; from napari_medlabel import commands; "
        "print(sorted({'rapidocr', 'cv2', 'onnxruntime'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stderr
