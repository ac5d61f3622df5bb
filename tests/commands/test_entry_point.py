"""The process `medlabel`: how it ends, and what it says on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import formats
from napari_medlabel.cli import main
from napari_medlabel.core.geometry import Geometry

pytestmark = pytest.mark.usefixtures("session")
MEDLABEL = [sys.executable, "-c", "from napari_medlabel.cli import run; run()"]


def ended(
    *words: object, before: str = "", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """The entry point in a process of its own, after a line of Python."""
    code = f"{before}\nfrom napari_medlabel.cli import run\nrun()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def called_off(folder: Path, destination: Path, number: signal.Signals) -> tuple[int, str]:
    """Exit code and stderr of a conversion that gets a signal once it writes."""
    process = subprocess.Popen(
        [*MEDLABEL, "convert", str(folder), str(destination)],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not list(destination.parent.glob(".*")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A volume that takes seconds to compress."""
    shape = (120, 256, 256)
    noise = np.random.default_rng(1).integers(0, 30000, shape, dtype=np.int16)
    path = tmp_path_factory.mktemp("large") / "noise.nii"
    formats.write(noise, Geometry.from_spacing(shape), path)
    return path


@pytest.mark.skipif(os.name == "nt", reason="signals are sent otherwise there")
@pytest.mark.parametrize("name", ["x.nii.gz", "x.ome.zarr"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_conversion_that_is_called_off_leaves_nothing_and_says_so(
    large: Path, tmp_path: Path, name: str, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert called_off(large, out / name, number) == (code, "medlabel: called off\n")
    assert list(out.iterdir()) == []


def test_ctrl_c_while_the_program_is_still_loading_is_one_line() -> None:
    interrupt = """
import builtins
real = builtins.__import__
def interrupted(name, *rest, **named):
    if name.startswith("typer"):
        raise KeyboardInterrupt
    return real(name, *rest, **named)
builtins.__import__ = interrupted
"""
    done = ended("list", before=interrupt)
    assert (done.returncode, done.stderr) == (130, b"medlabel: called off\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--help"], 0), (["--version"], 0), (["scan", "--help"], 0), (["scam"], 2), (["scan"], 2),
     (["list", "--no-such-option"], 2), ([], 2)],
)  # fmt: skip
def test_help_and_usage_end_as_they_should(words: list[str], code: int) -> None:
    assert main(words) == code


def test_an_answer_in_ascii_has_no_character_that_ascii_lacks(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(folder), "--json"]) == 0
    assert main(["export", "1", str(folder / "out"), "--json"]) == 0
    capsys.readouterr()
    done = ended("versions", "1", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"..." in done.stdout


def test_json_is_json_in_every_encoding_and_for_every_file_name(
    folder: Path,
) -> None:
    (folder / "gr\u00f6\u00dfe.txt").write_text("no image")
    try:
        (folder / os.fsdecode(b"\xff.txt")).write_text("no image")
    except OSError as error:
        assert error.errno == errno.EILSEQ  # noqa: PT017  # a file system of UTF-8 names only
    for encoding in ("ascii", "utf-8"):
        done = ended("scan", folder, "--json", PYTHONIOENCODING=encoding)
        assert done.returncode == 0, done.stderr
        names = [one["file"] for one in json.loads(done.stdout)["skipped"]]
        assert "gr\u00f6\u00dfe.txt" in names


def test_an_answer_that_nobody_reads_any_more_is_no_bug(folder: Path) -> None:
    command = subprocess.Popen(
        [*MEDLABEL, "scan", str(folder), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert command.stdout is not None
    command.stdout.close()
    _, said = command.communicate(timeout=60)
    assert (command.returncode, said) == (1, b"")


@pytest.mark.parametrize("text", [":warning: [bold]", "a [red]b[/red] :smile:"])
def test_what_looks_like_markup_or_an_emoji_is_shown_as_it_is(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    assert main(["scan", text]) == 1
    assert text in capsys.readouterr().err


def test_what_would_steer_a_terminal_is_escaped(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["list", "--workspace", str(tmp_path / "\x1b[2J" / ("x" * 300))]) == 1
    assert "\x1b" not in capsys.readouterr().err
