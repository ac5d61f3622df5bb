"""Text drawn over real images: how much is found, how often clean ones are flagged, seconds.

Text of 8 to 24 pixels, in two fonts, is drawn clear (on an even strip) and over anatomy, on single
images and at one place of all slices of a series. Found is a box over most of it. Beside it stands
rapidocr as it comes: one look at the whole range, a score above 0.7, two letters.

python benchmarks/burned_in.py [FOLDER OF REAL IMAGES] [CASES]
"""

import json
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_medlabel.formats.dicom_pictures import Picture, PictureReader, find_pictures
from napari_medlabel.privacy.burned_in import BurnedIn, TextBox, find_burned_in, look_at
from napari_medlabel.privacy.burned_in_cause import PLAIN
from napari_medlabel.privacy.burned_in_engine import TextReader
from napari_medlabel.privacy.burned_in_fill import Box, fill
from napari_medlabel.privacy.burned_in_stacks import FrameOf, Stack
from napari_medlabel.privacy.burned_in_views import spread

Array = np.ndarray[Any, np.dtype[Any]]
Place = tuple[int, int, int, int]  # left, top, width, height

SIZES = (8, 10, 12, 16, 20, 24)
WORDS = (
    "DOE^JANE", "SMITH JOHN", "M 45Y", "12.03.1987", "1961-07-22", "ID 0084213", "MRN 5530192",
    "St. Mary Hospital", "KAUFMAN SCOTT", "ACC 774512", "DOB 01/02/1950", "Mueller, A.",
)  # fmt: skip
NOISE = 0.85  # images whose neighbouring pixels agree less are no anatomy: scrambled samples
LEGIBLE = 0.2  # of the range, between text and what is behind it: less is read by nobody
SLICES = 6  # of a series that text is repeated on


@dataclass(frozen=True, slots=True)
class Drawn:
    frames: list[Array]
    place: Place
    size: int


def series_of(folder: Path) -> dict[str, list[Array]]:
    """Frames of plain CT and MR series of the folder, a few of each, by series."""
    grouped: dict[tuple[str, tuple[int, int]], list[Picture]] = defaultdict(list)
    for one in find_pictures(folder).pictures:
        if one.space == "grey" and one.facts.modality in {"CT", "MR"} and "burned" not in one.name:
            grouped[one.facts.series_uid, one.shape].append(one)
    found = {}
    with PictureReader() as reader:
        for (_, shape), pictures in sorted(grouped.items(), key=lambda item: item[1][0].name):
            if min(shape) >= 190 and max(shape) <= 600:
                frames = some_frames(pictures, reader)
                if frames and agreement(frames[0]) > NOISE:
                    found[pictures[0].name] = frames
    return found


def some_frames(pictures: list[Picture], reader: PictureReader) -> list[Array]:
    all_ = [(one, n) for one in pictures for n in range(one.frames)]
    step = max(1, len(all_) // SLICES)
    frames = []
    for one, n in all_[::step][:SLICES]:
        try:
            frames.append(reader.read(one, n).astype(np.float32))
        except Exception as error:  # noqa: BLE001  # damaged samples are among them
            print(f"left out: {type(error).__name__}", file=sys.stderr)
    return frames


def agreement(frame: Array) -> float:
    return float(np.corrcoef(frame[:, :-1].ravel(), frame[:, 1:].ravel())[0, 1])


def draw(frames: Sequence[Array], rng: random.Random, *, clear: bool, size: int) -> Drawn | None:
    """One line at one place of all frames, bright, or dark on bright; None without room."""
    text = rng.choice(WORDS)
    font = ImageFont.load_default(size)
    left, top, right, bottom = (int(x) for x in font.getbbox(text))
    rows, columns = frames[0].shape
    if right + 4 > columns:
        return None
    x = rng.randint(1, columns - right - 2)
    y = 2 if clear else rng.randint(rows // 4, 3 * rows // 4 - bottom)
    ink = Image.new("L", (columns, rows))
    ImageDraw.Draw(ink).text((x, y), text, fill=255, font=font)
    covered = np.asarray(ink, np.float32) / 255.0
    level = rng.choice((1.0, 1.0, 0.85))
    high, low = max(np.percentile(f, 99.9) for f in frames), min(f.min() for f in frames)
    value = low + (high - low) * level
    behind = float(np.median([frame[y : y + bottom, x : x + right] for frame in frames]))
    if not clear and value - behind < LEGIBLE * (high - low):
        value = low
    drawn = []
    for frame in frames:
        below = frame.copy()
        if clear:
            below[: bottom + 6] = low
        drawn.append(below * (1 - covered) + value * covered)
    return Drawn(drawn, (x + left, y + top, right - left, bottom - top), size)


def stack_of(frames: Sequence[Array], cause: str) -> Stack:
    return Stack(
        tuple(FrameOf("a", n) for n in range(len(frames))),
        (cause,) * len(frames),
        frames[0].shape,
        lambda n: (spread(frames[n]), frames[n]),
        lambda area: area,
    )


def look(frames: Sequence[Array], reader: TextReader, cause: str) -> BurnedIn:
    return look_at([stack_of(frames, cause)], (), (), reader)


def is_found(boxes: Sequence[TextBox], place: Place, frame: int = 0) -> bool:
    """Whether boxes of a frame cover more than half of the place."""
    left, top, width, height = place
    covered = np.zeros((height, width), bool)
    for box in boxes:
        if box.frame == frame:
            rows = slice(max(0, box.top - top), max(0, box.top + box.height - top))
            columns = slice(max(0, box.left - left), max(0, box.left + box.width - left))
            covered[rows, columns] = True
    return float(covered.mean()) > 0.5


def as_it_comes(frame: Array, reader: TextReader, place: Place) -> bool:
    boxes = [
        TextBox("a", 0, round(one.left), round(one.top), round(one.right - one.left),
                round(one.bottom - one.top), one.score, 1)
        for one in reader.read(spread(frame))
        if one.score > 0.7 and sum(map(str.isalnum, one.text)) >= 2
    ]  # fmt: skip
    return is_found(boxes, place)


def single_images(series: dict[str, list[Array]], reader: TextReader, cases: int) -> None:
    rng = random.Random(7)
    names = sorted(series)
    counts: Counter[tuple[str, str, str]] = Counter()
    left_after, ratios, seconds = 0, [], []
    for n in range(cases):
        frames = series[names[n % len(names)]]
        frame = frames[len(frames) // 2]
        for kind in ("clear", "over anatomy"):
            size = SIZES[n % len(SIZES)]
            drawn = draw([frame], rng, clear=kind == "clear", size=size)
            if drawn is None:
                continue
            begin = time.process_time()
            found = look(drawn.frames, reader, "asked for")
            ours = time.process_time() - begin
            begin = time.process_time()
            peer = as_it_comes(drawn.frames[0], reader, drawn.place)
            ratios.append(ours / (time.process_time() - begin))
            if frame.shape == (512, 512):
                seconds.append(ours)
            band = "8-10 px" if size <= 10 else "12-24 px"
            for who, hit in (("ours", is_found(found.boxes, drawn.place)), ("peer", peer)):
                counts[kind, band, who + " found"] += hit
            counts[kind, band, "of"] += 1
            if found.boxes:
                left_after += bool(look(filled(drawn.frames, found), reader, "asked").boxes)
    for kind, band in sorted({key[:2] for key in counts}):
        found, peer, of = (counts[kind, band, w] for w in ("ours found", "peer found", "of"))
        print(f"single, {kind}, {band}: {found}/{of} = {found / of:.2f}; peer {peer / of:.2f}")
    print(f"processor time, ours / peer: {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f}-{max(ratios):.2f})")  # fmt: skip
    print(f"a 512 x 512 frame: {statistics.median(seconds):.2f} s of processor time")
    print(f"text after one round of filling: {left_after} frames", flush=True)


def filled(frames: Sequence[Array], found: BurnedIn) -> list[Array]:
    copies = [frame.copy() for frame in frames]
    for n, copy in enumerate(copies):
        boxes = [
            Box(b.left - 2, b.top - 2, b.left + b.width + 2, b.top + b.height + 2)
            for b in found.boxes
            if b.frame == n
        ]
        fill(copy, boxes)
    return copies


def repeated(series: dict[str, list[Array]], reader: TextReader, cases: int) -> None:
    rng = random.Random(11)
    names = [name for name in sorted(series) if len(series[name]) >= SLICES]
    hits = of = 0
    for n in range(cases):
        drawn = draw(series[names[n % len(names)]], rng, clear=False, size=SIZES[n % len(SIZES)])
        if drawn is None:
            continue
        found = look(drawn.frames, reader, PLAIN)
        of += len(drawn.frames)
        hits += sum(is_found(found.boxes, drawn.place, k) for k in range(len(drawn.frames)))
    print(f"repeated over anatomy, {len(names)} series: {hits}/{of} slices = {hits / of:.3f}",
          flush=True)  # fmt: skip


def clean(series: dict[str, list[Array]], reader: TextReader) -> None:
    single = of = whole = 0
    for frames in series.values():
        some = frames[:: max(1, len(frames) // 2)][:2]
        of += len(some)
        single += sum(bool(look([one], reader, "asked for").boxes) for one in some)
        whole += len(frames) >= 3 and bool(look(frames, reader, PLAIN).boxes)
    print(f"clean: {single}/{of} images flagged one by one, {whole}/{len(series)} series",
          flush=True)  # fmt: skip


def real(folder: Path, reader: TextReader) -> None:
    truth = json.loads((folder / "burned-in-text" / "boxes.json").read_text())
    found = find_burned_in(folder / "burned-in-text" / "dicom", reader=reader)
    hits = of = flagged = 0
    for file, words in truth.items():
        boxes = [box for box in found.boxes if box.file == file]
        for word in words:
            place = (word["left"], word["top"], word["width"], word["height"])
            hits += is_found(boxes, place)
            of += 1
        flagged += not words and bool(boxes)
    print(f"real radiograph and CT: {hits}/{of} words; {flagged} images without text flagged",
          flush=True)  # fmt: skip


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "shared/data")
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 36
    reader = TextReader()
    series = series_of(folder)
    print(f"{len(series)} series", flush=True)
    real(folder, reader)
    single_images(series, reader, cases)
    repeated(series, reader, max(6, cases // 3))
    clean(series, reader)


if __name__ == "__main__":
    main()
