"""Damaged files for as long as you like: what the suite does for a minute, for an hour.

Run: python -m benchmarks.fuzz MINUTES [KEEP] [--seed N] [--more FOLDER] [--only WORD]

Each finding is printed once for each place in the code, and its file is kept in the folder KEEP.
`--more` adds every small file of a folder to the generated samples.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.formats.mutations import Finding, Sample, findings, mutated, samples_below
from tests.formats.samples import generated_samples

BATCH = 500


def main() -> int:
    """Run cases until the time is over; 1 where there was a finding."""
    options = _options()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "made").mkdir()
        samples = generated_samples(folder / "made")
        if options.more is not None:
            samples += samples_below(options.more)
        samples = [one for one in samples if options.only in one.name]
        print(f"{len(samples)} samples")
        (folder / "work").mkdir()
        return _run(samples, folder / "work", options)


def _run(samples: Sequence[Sample], folder: Path, options: argparse.Namespace) -> int:
    end = time.monotonic() + 60 * options.minutes
    rng = random.Random(options.seed)
    known: set[tuple[str, ...]] = set()
    done = 0
    while time.monotonic() < end:
        cases = [(rng.randrange(len(samples)), rng.randrange(1 << 40)) for _ in range(BATCH)]
        for (number, _), finding in zip(cases, findings(samples, cases, folder), strict=True):
            done += 1
            if finding is not None and _signature(finding) not in known:
                known.add(_signature(finding))
                _keep(samples, number, finding, options.keep, len(known))
    print(f"{done} cases, {len(known)} findings")
    return 1 if known else 0


def _signature(finding: Finding) -> tuple[str, ...]:
    lines = finding.what.splitlines()
    return (lines[0].split(":")[0], *lines[-2:])


def _keep(
    samples: Sequence[Sample], number: int, finding: Finding, keep: Path | None, count: int
) -> None:
    print(f"--- {finding.sample} seed {finding.seed}\n{finding.what}", flush=True)
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        data = mutated(samples[number], finding.seed, [one.data for one in samples])
        (keep / f"{count:03d}-{finding.seed}-{Path(finding.sample).name}").write_bytes(data)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("keep", type=Path, nargs="?", help="folder for the files of findings")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--more", type=Path, help="folder with more samples")
    parser.add_argument("--only", default="", help="part of a sample's name")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
