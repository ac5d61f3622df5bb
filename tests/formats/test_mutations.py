"""Damaged files of every format: a volume or an error of ours, in bounded memory and time.

The long run, for as many minutes as you like, is `python -m benchmarks.fuzz`.
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from napari_medlabel.formats import open_reader, scan
from tests.formats.mutations import Finding, Sample, findings, mutated, samples_below
from tests.formats.samples import generated_samples

GENERATED = 90  # cases of each sample
REAL = 1500  # cases of all real files together
BATCHES = 3


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    return generated_samples(tmp_path_factory.mktemp("samples"))


def told(found: Iterator[Finding | None]) -> list[str]:
    return [f"{one.sample} seed {one.seed}: {one.what}" for one in found if one is not None]


def test_the_samples_are_good_before_they_are_damaged(
    samples: list[Sample], tmp_path: Path
) -> None:
    (good,) = (one for one in samples if one.name == "explicit.dcm")
    names = [one.name for one in samples]
    assert len(set(names)) == len(names) > 30
    assert mutated(good, 7) == mutated(good, 7)
    assert len({mutated(good, seed) for seed in range(50)}) > 40
    for sample in samples:
        place = tmp_path / sample.name
        place.mkdir()
        (place / sample.name).write_bytes(sample.data)
        for name, data in sample.beside.items():
            (place / name).write_bytes(data)
        if sample.packed == "gzip" and sample.name.endswith(".dcm.gz"):
            continue
        series = scan(place / sample.name).series
        assert series, sample.name
        for number in range(len(series[0].volumes)):
            open_reader(series[0], number).read(0, 1)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_damaged_files_are_a_volume_or_an_error_of_ours(
    samples: list[Sample], tmp_path: Path, batch: int
) -> None:
    cases = [
        (number, seed)
        for number in range(batch, len(samples), BATCHES)
        for seed in range(GENERATED)
    ]
    assert told(findings(samples, cases, tmp_path)) == []


def test_damaged_real_files_are_a_volume_or_an_error_of_ours(
    shared_data: Path, tmp_path: Path
) -> None:
    real = samples_below(shared_data, most_bytes=1 << 18)
    rng = random.Random(4)  # noqa: S311  # the same cases each time
    cases = [(rng.randrange(len(real)), rng.randrange(1 << 40)) for _ in range(REAL)]
    found = findings(real, sorted(cases), tmp_path)
    # by number: a real file's name is not for a log
    assert [(one.seed, one.what) for one in found if one is not None] == []


def breaking(path: Path, _: int) -> None:
    """Crash on the first case, hang on the second, fail on the third."""
    count = path.parent.parent / "count"
    done = len(count.read_bytes()) if count.exists() else 0
    count.write_bytes(bytes(done + 1))
    if done == 0:
        os.abort()
    if done == 1:
        time.sleep(100)
    raise AssertionError(str(done))


def test_a_crash_and_a_hang_are_findings_and_the_rest_goes_on(
    samples: list[Sample], tmp_path: Path
) -> None:
    cases = [(0, 1), (0, 2), (0, 3)]
    found = list(findings(samples, cases, tmp_path, opening=breaking, hang_s=2.0))
    assert [one.what.splitlines()[0].split(",")[0] for one in found if one is not None] == [
        "a crash", "a hang", "AssertionError: 2",
    ]  # fmt: skip
    assert "Fatal Python error: Aborted" in (found[0].what if found[0] else "")
