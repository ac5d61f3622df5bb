"""De-identifying 300 CT files, against dicognito and dicom-anonymizer where they are installed.

Run: python -m benchmarks.deidentify [FILES]

First what each leaves of an identifier in every text-like element is counted, then each is timed
in turn over the same files, written to disk. Ours reads, decides, writes and hashes; the search
before release is timed by itself.
"""

import importlib
import shutil
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom import dcmread

from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.privacy.batch import Batch, deidentify_into
from napari_medlabel.privacy.gate import search_folder
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.profile import load_profile
from napari_medlabel.privacy.pseudonyms import Pseudonyms
from tests.formats.made_dicom import save
from tests.privacy.made_headers import NAME, patient, plain

ROUNDS = 5
Tool = Callable[[Path, Path], object]


def main(files: int = 300) -> None:
    """Make the files, count what is left, time all in turn."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder / "in", files)
        (folder / "seeded").mkdir()
        save(folder / "seeded" / "a.dcm", patient())
        tools = {"ours": ours, **peers()}
        for tool, run in tools.items():
            print(f"{tool}: {left(run, folder)} traces of a name left in one seeded file")
        times = {tool: [seconds(run, folder) for _ in range(ROUNDS)] for tool, run in tools.items()}
        search = timed_search(folder)
    middle = statistics.median(times["ours"])
    print(f"{files} files: {files / middle:.0f} files/s; the search {search / middle:.2f} of that")
    for tool in tools:
        ratios = [a / b for a, b in zip(times["ours"], times[tool], strict=True)]
        print(
            f"ours / {tool}: {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        )


def make(folder: Path, files: int) -> None:
    """CT slices of 256 x 256 pixels, of one patient."""
    pixels = np.random.default_rng(0).integers(0, 2000, (256, 256), np.int16)
    for number in range(files):
        made = plain(number + 1, Rows=256, Columns=256)
        made.PixelData = pixels.tobytes()
        save(folder / f"{number:04d}.dcm", made)


def ours(source: Path, out: Path) -> Batch:
    """This program, without the search."""
    places = [Place(str(path)) for path in sorted(source.iterdir())]
    return deidentify_into(places, out, Headers(load_profile("basic"), Pseudonyms(b"b" * 32)))


def peers() -> dict[str, Tool]:
    """The other tools that are here."""
    found: dict[str, Tool] = {}
    try:
        anonymizer: Any = importlib.import_module("dicognito.anonymizer")
        found["dicognito"] = lambda source, out: _dicognito(anonymizer, source, out)
    except ImportError:
        print("dicognito is not installed: pip install dicognito")
    try:
        simple: Any = importlib.import_module("dicomanonymizer")
        found["dicom-anonymizer"] = lambda source, out: _dicom_anonymizer(simple, source, out)
    except ImportError:
        print("dicom-anonymizer is not installed: pip install dicom-anonymizer")
    return found


def _dicognito(module: Any, source: Path, out: Path) -> None:  # noqa: ANN401
    tool = module.Anonymizer(seed="bench")
    for path in sorted(source.iterdir()):
        dataset = dcmread(path)
        tool.anonymize(dataset)
        dataset.save_as(out / path.name)


def _dicom_anonymizer(module: Any, source: Path, out: Path) -> None:  # noqa: ANN401
    for path in sorted(source.iterdir()):
        module.anonymize_dicom_file(str(path), str(out / path.name))


def left(run: Tool, folder: Path) -> str:
    """How often parts of the name are in what a tool wrote."""
    out = fresh(folder)
    try:
        run(folder / "seeded", out)
    except Exception as error:  # noqa: BLE001  # of a peer, on odd elements
        return f"no answer ({type(error).__name__}),"
    data = b"".join(path.read_bytes().lower() for path in out.rglob("*") if path.is_file())
    return str(sum(data.count(part.lower().encode()) for part in NAME.split("^")))


def seconds(run: Tool, folder: Path) -> float:
    """One run over all files."""
    out = fresh(folder)
    start = time.perf_counter()
    run(folder / "in", out)
    return time.perf_counter() - start


def timed_search(folder: Path) -> float:
    """The search of what we wrote."""
    out = fresh(folder)
    batch = ours(folder / "in", out)
    start = time.perf_counter()
    found = search_folder(out, batch.wanted)
    assert found.findings == ()
    return time.perf_counter() - start


def fresh(folder: Path) -> Path:
    """An empty folder."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").mkdir()
    return folder / "out"


if __name__ == "__main__":
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    main(*map(int, sys.argv[1:]))
