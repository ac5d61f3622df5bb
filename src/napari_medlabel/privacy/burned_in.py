"""Text in the pixels: whether there is any, and where; never what it says.

Projections of every series come first. Frames are looked at one by one where there is a cause:
their kind (`burned_in_cause`), or that a projection showed text. A text that two frames or the
least value of all have at one place is one of the whole stack: others hide it in bright tissue.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from math import ceil, floor
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import Cancelled, ExtraMissing, InputError
from napari_medlabel.files import shown
from napari_medlabel.formats.dicom_files import Skipped
from napari_medlabel.formats.dicom_pictures import FoundPictures, PictureReader, find_pictures
from napari_medlabel.privacy.burned_in_cause import PLAIN
from napari_medlabel.privacy.burned_in_engine import (
    LARGE,
    SMALL,
    Reading,
    TextReader,
    is_installed,
)
from napari_medlabel.privacy.burned_in_projections import Projections
from napari_medlabel.privacy.burned_in_stacks import (
    Array,
    Bytes,
    Stack,
    stacks_of_pictures,
    stacks_of_volumes,
)
from napari_medlabel.privacy.burned_in_text import (
    LEAST_SCORE,
    LEAST_SCORE_LOCALLY,
    Spot,
    counts,
    fits,
    merged,
)
from napari_medlabel.privacy.burned_in_views import looks, spread

__all__ = ["BurnedIn", "Looked", "TextBox", "find_burned_in", "look_at"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
Found = list[tuple[int | str, Reading]]  # by frame, or projection
_ENOUGH: Final = 3  # frames that projections are made of


def never() -> bool:
    """Nobody calls it off."""
    return False


@dataclass(frozen=True, slots=True)
class TextBox:
    """Where text is: pixels of a frame of a file, counted from 0.

    `finding` is the same for one text in all frames that it was found in, and counts from 1.
    `kind` is what it looks like ("a date"), for who decides about it; no report has it.
    """

    file: str
    frame: int
    left: int
    top: int
    width: int
    height: int
    score: float
    finding: int
    kind: str = ""

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        told = asdict(self) | {"file": shown(self.file), "score": round(self.score, 3)}
        del told["kind"]
        return told


@dataclass(frozen=True, slots=True)
class Looked:
    """What was looked at of one stack of frames: how many by themselves, and why these."""

    files: int
    frames: int
    one_by_one: int
    projections: int
    causes: tuple[tuple[str, int], ...]

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return asdict(self) | {"causes": dict(self.causes)}


@dataclass(frozen=True, slots=True)
class BurnedIn:
    """What a search for text found. No text is in here.

    Parameters
    ----------
    boxes
        In order of files and frames.
    looked
        One for each stack of frames.
    skipped
        Files without any picture.
    unread
        Pictures that could not be looked at, with the reason.
    models
        SHA-256 of the models that read, by name.
    why_not
        Why nothing was looked at; "" otherwise.
    files
        All that were looked at as a whole, with or without text.
    """

    boxes: tuple[TextBox, ...] = ()
    looked: tuple[Looked, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    unread: tuple[Skipped, ...] = ()
    models: tuple[tuple[str, str], ...] = ()
    why_not: str = ""
    files: tuple[str, ...] = ()

    @property
    def checked(self) -> bool:
        """Whether every picture was looked at: only then do no boxes mean no text."""
        return not self.why_not and not self.unread

    @property
    def findings(self) -> int:
        """How many different texts."""
        return len({box.finding for box in self.boxes})

    def document(self) -> dict[str, Any]:
        """The answer of `burned-in --json`."""
        return {
            "format": 1,
            "checked": self.checked,
            "boxes": [box.document() for box in self.boxes],
            "looked": [one.document() for one in self.looked],
            "skipped": [{"file": shown(one.file), "why": one.why} for one in self.skipped],
            "unread": [{"file": shown(one.file), "why": one.why} for one in self.unread],
            "models": dict(self.models),
            "why_not": self.why_not,
        }


def find_burned_in(  # noqa: PLR0913  # what is looked at, and how
    path: str | Path,
    *,
    allow_marks: bool = False,
    every_frame: bool = False,
    reader: TextReader | None = None,
    progress: Progress | None = None,
    cancelled: Stop = never,
) -> BurnedIn:
    """Look for text in the pixels of everything below a path.

    Parameters
    ----------
    path
        DICOM (folder, file, zip archive, DICOMDIR), NIfTI, NRRD or MetaImage.
    allow_marks
        Whether letters of the patient's sides, positions and scale bars are passed over.
    every_frame
        Look at every frame by itself, also where projections would be enough.
    reader
        That is loaded already.
    progress
        Told how many frames are done, of how many that are known to be looked at.
    cancelled
        Polled before each frame.

    Raises
    ------
    InputError
        If there is nothing at `path`, or no picture.
    Cancelled
        If `cancelled` said so.
    """
    if reader is None and not is_installed():
        missing = ExtraMissing.named("ocr", "looking for text in pictures")
        return BurnedIn(why_not=f"not checked: {missing.what}; {missing.hint}")
    with opened(Path(path), cancelled=cancelled) as (found, stacks, unread):
        if not stacks and not unread:
            raise InputError(f"{shown(path)} holds no picture", "name DICOM, NIfTI, NRRD or MHA")
        return look_at(
            stacks, found.skipped, unread, reader or TextReader(), allow_marks=allow_marks,
            every_frame=every_frame, progress=progress, cancelled=cancelled,
        )  # fmt: skip


@contextmanager
def opened(
    path: Path, *, cancelled: Stop = never
) -> Iterator[tuple[FoundPictures, list[Stack], list[Skipped]]]:
    """All that has pictures below a path, and what may have some but cannot be read."""
    found = find_pictures(path, cancelled=cancelled)
    with ExitStack() as closing:
        stacks = stacks_of_pictures(found, closing.enter_context(PictureReader()))
        volumes, readers, unread = stacks_of_volumes(path, found.skipped)
        for one in readers:
            closing.callback(one.close)
        yield found, [*stacks, *volumes], [*found.unread, *unread]


def look_at(  # noqa: PLR0913  # what is looked at, and how
    stacks: Sequence[Stack],
    skipped: Sequence[Skipped],
    unread: Sequence[Skipped],
    reader: TextReader,
    *,
    allow_marks: bool = False,
    every_frame: bool = False,
    progress: Progress | None = None,
    cancelled: Stop = never,
) -> BurnedIn:
    """Look for text in stacks of frames; `find_burned_in` says how."""
    counting = _Counting(sum(map(len, stacks)), progress, cancelled)
    looks = [_Look(one, reader, counting, allow_marks=allow_marks) for one in stacks]
    boxes: list[TextBox] = []
    numbers = count(1)
    for look in looks:
        for spot in look.spots(every_frame=every_frame):
            boxes += _boxes(look.stack, spot, next(numbers))
    lost = (*unread, *(one for look in looks for one in look.unread))
    with_pixels = {place.file for stack in stacks for place in stack.places}
    return BurnedIn(
        tuple(sorted(boxes, key=lambda box: (box.file, box.frame, box.finding))),
        tuple(look.looked() for look in looks),
        tuple(one for one in skipped if one.file not in with_pixels),
        lost,
        tuple(reader.models().items()),
        files=tuple(sorted(with_pixels - {one.file for one in lost})),
    )


class _Counting:
    """How far it is; asked before each frame."""

    def __init__(self, total: int, progress: Progress | None, cancelled: Stop) -> None:
        self.total, self._done = total, 0
        self._progress, self._cancelled = progress, cancelled

    def step(self) -> None:
        if self._cancelled():
            raise Cancelled("looking for text was called off")
        if self._progress is not None:
            self._progress(self._done, max(self.total, self._done + 1))
        self._done += 1


class _Look:
    """One stack while it is looked at."""

    def __init__(
        self, stack: Stack, reader: TextReader, counting: _Counting, *, allow_marks: bool
    ) -> None:
        self.stack = stack
        self.unread: list[Skipped] = []
        self._reader, self._counting, self._allow_marks = reader, counting, allow_marks
        self._causes: Counter[str] = Counter()
        self._projections = 0

    def spots(self, *, every_frame: bool) -> list[Spot]:
        """Where text is, as it is looked at."""
        causes = list(self.stack.causes)
        found: Found = []
        if len(causes) >= _ENOUGH:
            found += self._in_projections()
        reason = "a projection shows text" if found else "few frames, no projections"
        if found or len(causes) < _ENOUGH:
            causes = [cause or reason for cause in causes]
        elif every_frame:
            causes = [cause or "asked for" for cause in causes]
        one_by_one = [n for n, cause in enumerate(causes) if cause != PLAIN]
        self._counting.total += len(one_by_one)
        for n in one_by_one:
            found += self._in_frame(n, causes[n])
        return merged(found)

    def looked(self) -> Looked:
        """What was looked at."""
        files = len({place.file for place in self.stack.places})
        causes = tuple(sorted(self._causes.items()))
        return Looked(
            files, len(self.stack), self._causes.total(), self._projections, causes
        )  # fmt: skip

    def _in_projections(self) -> Found:
        projections = Projections(self.stack.shape)
        for n in range(len(self.stack)):
            self._counting.step()
            try:
                projections.add(self.stack.load(n)[1])
            except InputError as error:
                self._lost(n, error)
        found: Found = []
        for name, values in projections.values():
            self._counting.step()
            self._projections += 1
            found += [(name, one) for one in self._readings(spread(values), values)]
        return found

    def _in_frame(self, n: int, cause: str) -> Found:
        self._counting.step()
        try:
            view, values = self.stack.load(n)
        except InputError as error:
            self._lost(n, error)
            return []
        self._causes[cause] += 1
        return [(n, one) for one in self._readings(view, values)]

    def _readings(self, view: Bytes, values: Array) -> list[Reading]:
        whole, local = looks(view, values)
        return [
            reading
            for picture, side, least in (
                (whole, LARGE, LEAST_SCORE),
                (local, SMALL, LEAST_SCORE_LOCALLY),
            )
            for reading in self._reader.read(picture, side)
            if counts(reading, least_score=least, allow_marks=self._allow_marks)
            and fits(reading, self.stack.shape)
        ]

    def _lost(self, n: int, error: InputError) -> None:
        place = self.stack.places[n]
        lost = Skipped(place.file, f"frame {place.frame + 1}: {error.what}")
        if lost not in self.unread:
            self.unread.append(lost)


def _boxes(stack: Stack, spot: Spot, finding: int) -> Iterator[TextBox]:
    """A text in every frame that it is in."""
    is_everywhere = bool(spot.projections & {"min", "std"}) or len(spot.frames) != 1
    frames = range(len(stack)) if is_everywhere else sorted(spot.frames)
    left, top, right, bottom = stack.in_file((spot.left, spot.top, spot.right, spot.bottom))
    left, top = floor(max(0.0, left)), floor(max(0.0, top))
    size = (ceil(right) - left, ceil(bottom) - top)
    for n in frames:
        place = stack.places[n]
        yield TextBox(place.file, place.frame, left, top, *size, spot.score, finding, spot.kind)
