"""Faces on heads and on what is none: verdicts, what is left, the brain, time and memory.

Generated heads: CT, T1, T2 and FLAIR, adults, children and newborns, turned to 30 degrees, stored
in other orders, cut. With folders, also every volume in HEADS that can be read (a brain mask
NAME_brain.nii.gz beside NAME.nii.gz is held against what is taken out), and every one in OTHERS,
which show no face. Then everybody's face before is held against everybody's after.

python -m benchmarks.deface [HEADS [OTHERS]]
python -m benchmarks.deface large
"""

import resource
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import chain, combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from napari_medlabel.commands.sources import read
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.errors import MedlabelError
from napari_medlabel.phantom import Body, Head
from napari_medlabel.phantom.looks import Weighting
from napari_medlabel.privacy.face import (
    FaceFinding,
    FacePlan,
    Residual,
    face_region,
    fill_in,
    find_in,
    left_of,
    look,
)
from napari_medlabel.privacy.face_fit import turned
from napari_medlabel.privacy.face_grid import patient_grid
from napari_medlabel.privacy.face_mask import skin_of
from napari_medlabel.privacy.face_plan import Mode

Array = np.ndarray[Any, np.dtype[Any]]
MODES: tuple[Mode, ...] = ("blank", "noise", "blur")
LEFT: dict[Mode, list[tuple[FaceFinding, Residual]]] = {}
GRID = Geometry.from_spacing((116, 124, 100), (2.0, 2.0, 2.0), (-99.0, -127.0, -118.0))
LARGE = (400, 512, 512)
AGAIN = (True, True)  # a face, of a head that is among the others, too


class Case(NamedTuple):
    name: str
    array: Array
    grid: Geometry
    unit: str
    brain: Array | None
    has_face: bool = False
    variant: bool = False  # of a head that is among the others, too


def tilted(grid: Geometry, degrees: tuple[float, float, float], size: float = 1.0) -> Geometry:
    """The grid turned about its middle, so that the head in it is, and made smaller."""
    center = grid.lps((np.array(grid.shape) - 1) / 2)
    move = np.eye(4)
    move[:3, :3] = turned(np.radians(np.array(degrees))) * size
    move[:3, 3] = center - move[:3, :3] @ center
    return Geometry(grid.shape, move @ grid.lps_from_kji)


def younger(array: Array, grid: Geometry, outside: float) -> Array:
    """A head with the proportions of a newborn's: the face is short and lies back."""
    k, j, i = np.indices(array.shape, np.float32)
    z = np.float32(grid.origin_lps[2]) + k * np.float32(grid.spacing_mm[0])
    y = np.float32(grid.origin_lps[1]) + j * np.float32(grid.spacing_mm[1])
    below = np.minimum(z - 2.0, 0.0) / 0.72 - np.minimum(z - 2.0, 0.0)
    front = np.minimum(y, 0.0) * 0.12 * np.clip(-z / 60.0, 0.0, 1.0)
    places = [k + below / grid.spacing_mm[0], j + front / grid.spacing_mm[1], i]
    young: Array = ndimage.map_coordinates(
        array, places, order=1, mode="constant", cval=outside, output=array.dtype
    )
    return young


def stored_otherwise(array: Array, grid: Geometry, order: tuple[int, int, int]) -> tuple[Any, ...]:
    """The same head as another scanner stores it, lying on a side or prone: axes and ends."""
    kept = np.ascontiguousarray(np.transpose(array, order)[::-1, :, ::-1])
    matrix = grid.lps_from_kji[:, [*order, 3]].copy()
    for axis in (0, 2):
        matrix[:3, 3] += matrix[:3, axis] * (kept.shape[axis] - 1)
        matrix[:3, axis] *= -1.0
    return kept, Geometry(kept.shape, matrix)


def part(case: Case, name: str, low: tuple[int, int, int], high: tuple[int, int, int]) -> Case:
    """The part of an image from one corner to another, counted from the ends."""
    where = tuple(slice(a, n - b) for a, b, n in zip(low, high, case.array.shape, strict=True))
    matrix = case.grid.lps_from_kji.copy()
    matrix[:3, 3] = case.grid.lps(np.array(low))
    array = np.ascontiguousarray(case.array[where])
    assert case.brain is not None
    return Case(
        f"{case.name} {name}", array, Geometry(array.shape, matrix), case.unit,
        case.brain[where], *AGAIN,
    )  # fmt: skip


def changed(case: Case) -> Iterator[Case]:
    """The same head turned, cut, stored otherwise, and smaller."""
    name, array, grid, unit, brain, *_ = case
    assert brain is not None
    for turn in ((30, 0, 0), (-30, 0, 0), (0, 30, 0), (0, 0, 30), (0, 0, -30)):
        yield Case(f"{name} turned {turn}", array, tilted(grid, turn), unit, brain, *AGAIN)
    for way, order in (("on its side", (2, 0, 1)), ("prone", (0, 1, 2)), ("sagittal", (2, 1, 0))):
        stored, place = stored_otherwise(array, grid, order)
        lying, _ = stored_otherwise(brain, grid, order)
        yield Case(f"{name} {way}", stored, place, unit, lying, *AGAIN)
    yield part(case, "cut at the top", (0, 0, 0), (30, 0, 0))
    yield part(case, "cut at the mouth", (24, 0, 0), (0, 0, 0))
    yield part(case, "cut at the nose", (0, 9, 0), (0, 0, 0))
    yield part(case, "cut at the back", (0, 0, 0), (0, 40, 0))
    yield part(case, "cut at a side", (0, 0, 24), (0, 0, 0))
    for size in (0.9, 0.8, 0.7):
        small = tilted(grid, (0, 0, 0), size)
        yield Case(f"{name} of {size:.0%}", array, small, unit, brain, *AGAIN)
    outside = -1000.0 if unit == "HU" else 0.0
    young = younger(array, grid, outside)
    inside = younger(brain.astype(np.uint8), grid, 0.0) > 0
    for size in (0.75, 0.65):
        small = tilted(grid, (0, 0, 0), size)
        yield Case(f"{name} newborn {size:.0%}", young, small, unit, inside, *AGAIN)


def generated() -> Iterator[Case]:
    for seed in range(4):
        head = Head(seed)
        brain = head.brain(GRID)
        ct = Case(f"CT {seed}", head.ct(GRID), GRID, "HU", brain, has_face=True)
        mr = Case(f"T1 {seed}", head.mr(GRID), GRID, "", brain, has_face=True)
        yield from (ct, mr)
        if seed == 0:
            yield from changed(ct)
            yield from changed(mr)
            yield from _contrasts(head, brain)
            for case in _faceless(ct, mr):
                yield case._replace(has_face=False)


def _contrasts(head: Head, brain: Array) -> Iterator[Case]:
    weightings: tuple[Weighting, ...] = ("T2", "FLAIR")
    for name in weightings:
        yield Case(f"{name} 0", head.mr(GRID, name), GRID, "", brain, *AGAIN)
    slow = np.array(GRID.spacing_mm)[0] * 3
    thick = Geometry.from_spacing((38, *GRID.shape[1:]), (slow, 2.0, 2.0), GRID.origin_lps)
    for name in weightings:
        array = head.mr(thick, name)
        yield Case(f"{name} 6 mm slices", array, thick, "", head.brain(thick), *AGAIN)


def _faceless(ct: Case, mr: Case) -> Iterator[Case]:
    body = Geometry.from_spacing((60, 100, 120), (4.0, 4.0, 4.0), (-238.0, -198.0, -120.0))
    yield Case("torso CT", Body(0).ct(body), body, "HU", None)
    assert mr.brain is not None
    yield Case("brain alone", np.where(mr.brain, mr.array, 0), GRID, "", None)
    inside = ndimage.binary_dilation(mr.brain, iterations=3)
    yield Case("brain in its skull", np.where(inside, ct.array, -1000), GRID, "HU", None)
    k, j, i = (np.indices(GRID.shape) - np.reshape(GRID.shape, (3, 1, 1, 1)) / 2.0) * 2.0
    ball = (np.hypot(np.hypot(k, j), i) < 90.0) * 900.0
    tube = (np.hypot(j / 0.9, i) < 80.0) * 900.0
    egg = (np.hypot(np.hypot(k / 1.15, j / 1.2), i) < 75.0) * 900.0
    random = np.random.default_rng(0)
    for name, array in (("ball", ball), ("tube", tube), ("egg", egg)):
        noisy = np.hypot(array, random.normal(0.0, 20.0, array.shape)).astype(np.float32)
        yield Case(name, noisy, GRID, "", None)
    yield Case("noise", random.normal(100.0, 30.0, GRID.shape).astype(np.float32), GRID, "", None)
    yield Case("nothing", np.zeros(GRID.shape, np.int16), GRID, "", None)


def found_in(folder: Path, *, has_face: bool) -> Iterator[Case]:
    for path in sorted(folder.iterdir()):
        if "_brain" in path.name:
            continue
        try:
            volume = read(path, irregular="resample")
        except MedlabelError:
            continue
        mask = folder / f"{path.name.split('.')[0]}_brain.nii.gz"
        brain = np.asarray(read(mask).levels[0]) > 0 if mask.exists() else None
        array = np.array(volume.levels[0])
        yield Case(path.name, array, volume.geometry, volume.unit, brain, has_face)


def measure(case: Case) -> dict[str, Array]:
    """Print one line; the surfaces of what is left, by mode."""
    cpu = time.process_time()
    finding = find_in(case.array, case.grid, case.unit)
    seconds = time.process_time() - cpu
    if finding.verdict != "face":
        print(
            f"| {case.name} | {finding.verdict}: {finding.why} | | | | {seconds:.1f} |", flush=True
        )
        return {}
    region = face_region(finding)
    before = look(finding, case.array)
    surfaces = {"before": surface(case.array, case.grid, finding)}
    words = []
    for mode in MODES:
        after = np.array(case.array)
        fill_in(after, finding, region, FacePlan(mode=mode))
        assert (after != case.array)[~region.mask].sum() == 0
        left = left_of(finding, before, after)
        assert left is not None
        words.append(f"{left.matched_after:.2f} {left.moved:.2f} {left.relief_correlation:.2f}")
        LEFT.setdefault(mode, []).append((finding, left))
        surfaces[mode] = surface(after, case.grid, finding)
        if mode != "blur" and not case.variant:
            again = find_in(after, case.grid, case.unit)
            if again.verdict != "already-defaced":
                words[-1] += f" ({again.verdict})"
    margin = "-"
    if case.brain is not None:
        away = ndimage.distance_transform_edt(~case.brain, sampling=case.grid.spacing_mm)
        taken = int((region.mask & case.brain).sum())
        margin = f"{taken}, {float(away[region.mask].min()):.1f} mm"
    view = finding.measures.face.seen if finding.measures else 0.0
    print(
        f"| {case.name} | face {finding.face_points_matched:.2f}, {view:.0%} in view | {margin} | "
        + " | ".join(words) + f" | {seconds:.1f} |", flush=True,
    )  # fmt: skip
    return surfaces


def surface(array: Array, grid: Geometry, finding: FaceFinding) -> Array:
    """The depth of the skin before the middle of the head, mm, in the fitted head's own frame."""
    pose = finding.pose
    assert pose is not None
    skin = skin_of(patient_grid(array, grid), finding.limit)
    assert skin is not None
    z, x = np.meshgrid(np.arange(-130.0, 4.0, 2.0), np.arange(-50.0, 51.0, 2.0), indexing="ij")
    depth = np.full(z.shape, np.nan)
    for y in np.arange(20.0, 135.0, 1.0):  # from inside: the foremost that is in the body
        points = np.stack([x.ravel(), np.full(x.size, -y), z.ravel()], axis=1)
        distance, _, seen = skin.at(points @ pose.turn.T + pose.place)
        depth[(seen & (distance < 0.0)).reshape(z.shape)] = y
    return depth


def unlike(a: Array, b: Array, way: str) -> float:
    """How much two faces differ as an attacker may see it: in depth, or in their relief."""
    both = np.isfinite(a) & np.isfinite(b)
    if both.mean() < 0.1:
        return np.inf
    if way == "depth":
        gap = (a - b)[both]
        return float(np.abs(gap - np.median(gap)).mean())
    one, other = (band(depth)[both] for depth in (a, b))
    spread = one.std() * other.std()
    return float(1.0 - np.cov(one, other, bias=True)[0, 1] / spread) if spread > 0.0 else np.inf


def band(depth: Array) -> Array:
    """Of the depth, what noses, eyes and lips are: between 2 and 14 mm."""
    known = np.isfinite(depth).astype(float)
    parts = []
    for sigma in (1.0, 7.0):
        weight = np.maximum(ndimage.gaussian_filter(known, sigma), 1e-3)
        parts.append(ndimage.gaussian_filter(np.nan_to_num(depth), sigma) / weight)
    relief: Array = np.clip(parts[0] - parts[1], -14.0, 14.0)
    return relief


def identified(heads: dict[str, dict[str, Array]], mode: str, way: str) -> tuple[int, float]:
    """How many faces after are nearest to their own before, and their mean rank: 0 the first."""
    hits, ranks = 0, []
    for name in heads:
        gaps = {other: unlike(heads[name][mode], heads[other]["before"], way) for other in heads}
        rank = sum(gap < gaps[name] for gap in gaps.values())
        hits += rank == 0 and np.isfinite(gaps[name])
        ranks.append(rank / max(len(heads) - 1, 1))
    return hits, statistics.mean(ranks)


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


def summary(heads: dict[str, dict[str, Array]]) -> None:
    """Averages by mode, and who was recognised."""
    for done, found in LEFT.items():
        wide = [left for finding, left in found if finding.measures.face.seen >= 0.6]  # type: ignore[union-attr]
        print(
            f"{done}: {len(wide)} heads with 60 % of the face in view: moved at least "
            f"{min(one.moved for one in wide):.2f}, matched at most "
            f"{max(one.matched_after for one in wide):.2f}, relief on average "
            f"{statistics.mean(one.relief_correlation for one in wide):.2f}"
        )
    pairs = list(combinations(heads.values(), 2))
    gaps = [unlike(a["before"], b["before"], "depth") for a, b in pairs]
    print(f"{len(heads)} faces before differ by {statistics.median(gaps):.1f} mm in the median")
    for way in ("depth", "relief"):
        for mode in ("before", *MODES):
            hits, rank = identified(heads, mode, way)
            print(
                f"by {way}, {mode}: {hits} of {len(heads)} are nearest to themselves (by chance "
                f"1), mean rank {rank:.2f} (by chance 0.50)"
            )


def main(arguments: list[str]) -> None:
    if arguments == ["large"]:
        large()
        return
    print("| head | found | brain taken, nearest | blank | noise | blur | s of processor |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    heads: dict[str, dict[str, Array]] = {}
    folders = [found_in(Path(one), has_face=not n) for n, one in enumerate(arguments[:2])]
    for case in chain(*folders, generated()):
        surfaces = measure(case)
        assert case.has_face or not surfaces, f"{case.name}: taken out of what has no face"
        if surfaces and not case.variant and not case.name.startswith("CT"):  # a person once
            heads[case.name] = surfaces
    summary(heads)


if __name__ == "__main__":
    main(sys.argv[1:])
