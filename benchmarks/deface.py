"""Faces on heads and on what is none: verdicts, what is left, the brain, time and memory.

Without a folder, generated heads: CT and MR, adults and children, tilted to 30 degrees, cut. With
one, every volume in it that can be read, too; a brain mask NAME_brain.nii.gz beside NAME.nii.gz is
held against what is taken out.

python benchmarks/deface.py [FOLDER]
"""

import resource
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import MedlabelError
from napari_medlabel.formats import read
from napari_medlabel.phantom import Body, Head
from napari_medlabel.privacy.face import (
    FaceFinding,
    FacePlan,
    face_region,
    fill_in,
    find_in,
    left_of,
    look,
)
from napari_medlabel.privacy.face_fit import turned
from napari_medlabel.privacy.face_grid import patient_grid
from napari_medlabel.privacy.face_mask import skin_of

Array = np.ndarray[Any, np.dtype[Any]]
MODES = ("blank", "noise", "blur")
GRID = Geometry.from_spacing((116, 124, 100), (2.0, 2.0, 2.0), (-99.0, -127.0, -118.0))
LARGE = (400, 512, 512)


class Case(NamedTuple):
    name: str
    array: Array
    grid: Geometry
    unit: str
    brain: Array | None
    has_face: bool


def tilted(grid: Geometry, degrees: tuple[float, float, float], size: float = 1.0) -> Geometry:
    """The grid turned about its middle, so that the head in it is, and made smaller."""
    center = grid.lps((np.array(grid.shape) - 1) / 2)
    move = np.eye(4)
    move[:3, :3] = turned(np.radians(np.array(degrees))) * size
    move[:3, 3] = center - move[:3, :3] @ center
    return Geometry(grid.shape, move @ grid.lps_from_kji)


def generated() -> Iterator[Case]:
    for seed in (0, 1, 2):
        head = Head(seed)
        for kind, array in (("CT", head.ct(GRID)), ("MR", head.mr(GRID))):
            unit = "HU" if kind == "CT" else ""
            brain = head.brain(GRID)
            yield Case(f"{kind} {seed}", array, GRID, unit, brain, has_face=True)
            if seed == 0:
                for turn in ((30, 0, 0), (-30, 0, 0), (0, 30, 0), (0, 0, 30)):
                    grid = tilted(GRID, turn)
                    yield Case(f"{kind} tilted {turn}", array, grid, unit, brain, has_face=True)
                child = tilted(GRID, (0, 0, 0), 0.8)
                yield Case(f"{kind} child", array, child, unit, brain, has_face=True)
                top = Geometry((86, *GRID.shape[1:]), GRID.lps_from_kji)
                yield Case(f"{kind} cut", array[:86], top, unit, brain[:86], has_face=True)
    body = Geometry.from_spacing((60, 100, 120), (4.0, 4.0, 4.0), (-238.0, -198.0, -120.0))
    yield Case("torso CT", Body(0).ct(body), body, "HU", None, has_face=False)


def found_in(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.iterdir()):
        if "_brain" in path.name or "_region" in path.name:
            continue
        try:
            volume = read(path)
        except MedlabelError:
            continue
        mask = folder / f"{path.name.split('.')[0]}_brain.nii.gz"
        brain = np.asarray(read(mask).levels[0]) > 0 if mask.exists() else None
        array = np.array(volume.levels[0])
        yield Case(path.name, array, volume.geometry, volume.unit, brain, has_face=True)


def measure(case: Case) -> dict[str, Array]:
    """Print one line; the surfaces of what is left, by mode."""
    start = time.perf_counter()
    finding = find_in(case.array, case.grid, case.unit)
    seconds = time.perf_counter() - start
    if finding.verdict != "face":
        print(f"{case.name:24} {finding.verdict:18} {seconds:5.1f} s  {finding.why}")
        return {}
    region = face_region(finding)
    before = look(finding, case.array)
    surfaces = {"before": _surface(case.array, case.grid, finding)}
    words = []
    for mode in MODES:
        after = np.array(case.array)
        fill_in(after, finding, region, FacePlan(mode=mode))
        assert (after != case.array)[~region.mask].sum() == 0
        left = left_of(finding, before, after)
        assert left is not None
        again = find_in(after, case.grid, case.unit).verdict if mode != "blur" else ""
        words.append(
            f"{mode} {left.matched_after:.2f} {left.relief_correlation:5.2f} "
            f"{left.moved:.2f} {again}"
        )
        surfaces[mode] = _surface(after, case.grid, finding)
    margin = float("nan")
    if case.brain is not None:
        away = ndimage.distance_transform_edt(~case.brain, sampling=case.grid.spacing_mm)
        margin = float(away[region.mask].min())
        assert not (region.mask & case.brain).any(), f"{case.name}: brain was taken out"
    print(
        f"{case.name:24} {finding.verdict:18} {seconds:5.1f} s  matched "
        f"{finding.face_points_matched:.2f}, brain {margin:.1f} mm; " + "; ".join(words)
    )
    return surfaces


def _surface(array: Array, grid: Geometry, finding: FaceFinding) -> Array:
    """The depth of the skin along lines from the middle of the face, in the head's own frame."""
    pose = finding.pose
    assert pose is not None
    skin = skin_of(patient_grid(array, grid), finding.limit)
    assert skin is not None
    z, x = np.meshgrid(np.arange(-90.0, 40.0, 4.0), np.arange(-50.0, 51.0, 4.0), indexing="ij")
    depth = np.full(z.shape, np.nan)
    for y in np.arange(-20.0, -130.0, -2.0):  # from inside: the foremost that is in the body
        points = np.stack([x.ravel(), np.full(x.size, y), z.ravel()], axis=1)
        distance, _, seen = skin.at(pose.lps(points))
        inside = (seen & (distance < 0.0)).reshape(z.shape)
        depth[inside] = y
    return depth


def identified(heads: dict[str, dict[str, Array]], mode: str) -> tuple[int, int]:
    """How many of the heads are nearest to themselves before: chance is one."""
    names = sorted(heads)
    hits = 0
    for name in names:
        gaps = {
            other: np.nanmean(np.abs(heads[name][mode] - heads[other]["before"]))
            if np.isfinite(heads[name][mode] - heads[other]["before"]).any() else np.inf
            for other in names
        }  # fmt: skip
        hits += min(gaps, key=lambda one: gaps[one]) == name
    return hits, len(names)


def large() -> None:
    """Time and memory for 400 slices of 512 x 512."""
    step = (0.6, 0.46, 0.46)
    grid = Geometry.from_spacing(LARGE, step, (-118.0, -127.0, -118.0))
    array = Head(0).ct(grid)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cpu, start = time.process_time(), time.perf_counter()
    finding = find_in(array, grid, "HU")
    region = face_region(finding)
    before = look(finding, array)
    fill_in(array, finding, region)
    left = left_of(finding, before, array)
    assert left is not None
    assert left.is_gone
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{LARGE}: {time.perf_counter() - start:.1f} s ({time.process_time() - cpu:.1f} s of "
        f"processor), peak {peak / 1024:.0f} MB of which {base / 1024:.0f} MB before"
    )


def main(arguments: list[str]) -> None:
    if arguments == ["large"]:
        large()
        return
    heads: dict[str, dict[str, Array]] = {}
    cases = found_in(Path(arguments[0])) if arguments else generated()
    for case in cases:
        surfaces = measure(case)
        assert case.has_face or not surfaces, f"{case.name}: taken out of what has no face"
        if surfaces and "tilted" not in case.name and "cut" not in case.name:
            heads[case.name] = surfaces
    if len(heads) > 1:
        gaps = [
            float(np.nanmean(np.abs(a["before"] - b["before"])))
            for a, b in combinations(heads.values(), 2)
        ]
        print(f"faces before differ by {statistics.median(gaps):.1f} mm in the median")
        for mode in MODES:
            hits, count = identified(heads, mode)
            print(f"{mode}: {hits} of {count} are nearest to themselves, by chance 1")


if __name__ == "__main__":
    main(sys.argv[1:])
