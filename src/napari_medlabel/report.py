"""A report of finished work as one page: pictures, numbers, checks, times, files.

The page is whole in itself: no script, and a content policy that lets it load nothing. Pictures
follow the radiologists' convention: the patient's right is on the left, the head is up, the nose
points left.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from os import PathLike
from typing import Any, Final, Literal

import imagecodecs
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Window
from napari_medlabel.errors import GeometryError
from napari_medlabel.files import new_file

__all__ = [
    "CaseReport",
    "CheckLine",
    "FileLine",
    "Picture",
    "Plane",
    "ReportFacts",
    "SegmentLine",
    "StepLine",
    "fullest_slice",
    "report_html",
    "slice_picture",
    "write_report",
]

Plane = Literal["axial", "coronal", "sagittal"]
Pixels = npt.NDArray[np.float32]

# Of the canonical array: the axis that a plane's slices are counted along.
_AXIS: Final[dict[Plane, int]] = {"axial": 0, "coronal": 1, "sagittal": 2}
_SIDES: Final[dict[Plane, str]] = {"axial": "RLAP", "coronal": "RLHF", "sagittal": "APHF"}
_FILL: Final = 0.28  # how much of a segment's colour lies over the image


@dataclass(frozen=True, slots=True)
class Picture:
    """A slice as PNG bytes, with its plane and what a reader is told about it."""

    png: bytes
    plane: Plane
    caption: str


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One segment: name, "#RRGGBB", voxels, millilitres."""

    name: str
    color: str
    voxels: int
    ml: float


@dataclass(frozen=True, slots=True)
class CheckLine:
    """Something that was compared, whether it held, and its numbers."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file that was written: its name, its size, its SHA-256 (hex)."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class StepLine:
    """A step of the work and the seconds it took."""

    name: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CaseReport:
    """One series: what it is, pictures, segments, checks and files."""

    title: str
    facts: str
    pictures: tuple[Picture, ...] = ()
    segments: tuple[SegmentLine, ...] = ()
    checks: tuple[CheckLine, ...] = ()
    files: tuple[FileLine, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportFacts:
    """All that a report says; nothing in it may name a patient or a person's folders."""

    title: str
    summary: str
    cases: tuple[CaseReport, ...]
    steps: tuple[StepLine, ...] = ()
    footer: str = ""

    @property
    def checks(self) -> tuple[CheckLine, ...]:
        """The checks of all cases."""
        return tuple(check for case in self.cases for check in case.checks)


def slice_picture(  # noqa: PLR0913, PLR0917  # seven things make a picture
    voxels: npt.NDArray[Any],
    labels: LabelArray,
    geometry: Geometry,
    plane: Plane,
    index: int,
    window: Window,
    schema: LabelSchema,
    *,
    longest: int = 460,
) -> bytes:
    """A slice with its segments, filled and outlined in their colours.

    Parameters
    ----------
    voxels, labels
        `[k, j, i]` on one grid, in any layout.
    geometry
        Of both.
    plane, index
        The slice: axial ones counted from the feet, coronal from the front, sagittal from the
        patient's right.
    window
        The grey range.
    schema
        Has the colours; voxels of values that it lacks are not drawn.
    longest
        Pixels along the longer side. Pixels are square.

    Returns
    -------
    bytes
        A PNG file, 8-bit RGB.

    Raises
    ------
    GeometryError
        If the shapes differ or there is no such slice.
    """
    if voxels.shape != geometry.shape or labels.shape != geometry.shape:
        raise GeometryError("voxels, labels and geometry of a picture have different shapes")
    if not 0 <= index < geometry.canonical.shape(geometry.shape)[_AXIS[plane]]:
        raise GeometryError(f"there is no {plane} slice {index}")
    shape = _square(geometry, plane, longest)
    low, high = window.limits
    gray = _sized(_slice(voxels, geometry, plane, index).astype(np.float32), shape)
    gray = np.clip((gray - low) / max(high - low, 1e-6), 0.0, 1.0)
    picture = np.repeat(gray[..., None], 3, axis=2)
    drawn = _slice(labels, geometry, plane, index)
    for label in schema:
        mask = _sized((drawn == label.value).astype(np.float32), shape) >= 0.5
        color = np.asarray(label.rgb, np.float32)
        picture[mask] += np.float32(_FILL) * (color - picture[mask])
        picture[_outline(mask)] = color
    return bytes(imagecodecs.png_encode(np.rint(picture * 255.0).astype(np.uint8)))


def fullest_slice(
    labels: LabelArray, geometry: Geometry, plane: Plane, value: int | None = None
) -> int:
    """The slice of a plane with most voxels of a label (of any where None); the middle if none."""
    mask = labels > 0 if value is None else labels == value
    axis = _AXIS[plane]
    laid: BoolArray = geometry.canonical.apply(mask)
    counts = np.count_nonzero(laid, axis=tuple(n for n in range(3) if n != axis))
    return int(counts.argmax()) if counts.any() else len(counts) // 2


def write_report(path: str | PathLike[str], facts: ReportFacts, *, force: bool = False) -> None:
    """Write the report as one HTML file, whole or not at all.

    Raises
    ------
    OutputError
        If the file is there already (without `force`) or cannot be written.
    """
    with new_file(path, force=force) as hidden:
        hidden.write_text(report_html(facts), encoding="utf-8")


def report_html(facts: ReportFacts) -> str:
    """The report as a page; all text is escaped."""
    failed = sum(not check.ok for check in facts.checks)
    chip = _chip("Verified", ok=True) if not failed else _chip(f"{failed} failed", ok=False)
    style = files("napari_medlabel").joinpath("report.css").read_text(encoding="utf-8")
    cases = "".join(_case(case) for case in facts.cases)
    return (
        "<!doctype html>\n"
        '<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{escape(facts.title)}</title><style>{style}</style></head><body><main>"
        f"<header><div><h1>{escape(facts.title)}</h1><p>{escape(facts.summary)}</p></div>"
        f"{chip if facts.checks else ''}</header>"
        f"{cases}{_steps(facts.steps)}"
        f"<footer>{escape(facts.footer)}</footer></main></body></html>\n"
    )


def _case(case: CaseReport) -> str:
    pictures = "".join(_picture(picture) for picture in case.pictures)
    tables = _segments(case.segments) + _checks(case.checks)
    return (
        f"<section><h2>{escape(case.title)}</h2><p class=facts>{escape(case.facts)}</p>"
        + (f"<div class=pictures>{pictures}</div>" if pictures else "")
        + (f"<div class=pair>{tables}</div>" if tables else "")
        + _files(case.files)
        + "</section>"
    )


def _picture(picture: Picture) -> str:
    data = base64.b64encode(picture.png).decode("ascii")
    sides = "".join(
        f"<i class={place}>{letter}</i>"
        for place, letter in zip(
            ("west", "east", "north", "south"), _SIDES[picture.plane], strict=True
        )
    )
    caption = escape(picture.caption)
    return (
        f'<figure><div class=film><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"{sides}</div><figcaption>{caption}</figcaption></figure>"
    )


def _segments(segments: Sequence[SegmentLine]) -> str:
    rows = (
        f'<tr><td><b class=dot style="background:{escape(s.color)}"></b>{escape(s.name)}</td>'
        f"<td class=n>{_ml(s.ml)}</td><td class=n>{_count(s.voxels)}</td></tr>"
        for s in segments
    )
    return _table("Segments", ("Segment", "mL", "Voxels"), rows)


def _checks(checks: Sequence[CheckLine]) -> str:
    rows = (
        f"<tr><td>{_mark(ok=c.ok)}{escape(c.name)}</td><td class=d>{escape(c.detail)}</td></tr>"
        for c in checks
    )
    return _table("Checks", ("Compared", "Result"), rows)


def _files(written: Sequence[FileLine]) -> str:
    rows = (
        f"<tr><td>{escape(f.name)}</td><td class=n>{_size(f.bytes)}</td>"
        f'<td class=n><code title="{escape(f.sha256)}">{_hash(f.sha256)}</code></td></tr>'
        for f in written
    )
    return _table("Files", ("File", "Size", "SHA-256, first and last"), rows)


def _steps(steps: Sequence[StepLine]) -> str:
    longest = max((step.seconds for step in steps), default=0.0) or 1.0
    rows = (
        f"<tr><td>{escape(s.name)}<span class=note>{escape(s.detail)}</span></td>"
        f"<td class=bar><b style=width:{100.0 * s.seconds / longest:.1f}%></b></td>"
        f"<td class=n>{s.seconds:.2f} s</td></tr>"
        for s in steps
    )
    total = sum(step.seconds for step in steps)
    table = _table(f"Steps, {total:.1f} s in all", ("Step", "", "Time"), rows)
    return f"<section>{table}</section>" if table else ""


def _table(title: str, heads: Iterable[str], rows: Iterable[str]) -> str:
    body = "".join(rows)
    if not body:
        return ""
    top = "".join(
        f"<th scope=col{' class=n' if n else ''}>{escape(head)}</th>"
        for n, head in enumerate(heads)
    )
    return (
        f"<div class=card><h3>{escape(title)}</h3><table><thead><tr>{top}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _chip(words: str, *, ok: bool) -> str:
    return f"<span class='chip {'ok' if ok else 'bad'}'>{_mark(ok=ok)}{escape(words)}</span>"


def _mark(*, ok: bool) -> str:
    """A tick or a cross, with a word for those who do not see it."""
    word, line = ("passed", "M3 8.5l3.2 3.2L13 5") if ok else ("failed", "M4 4l8 8M12 4l-8 8")
    return (
        f"<svg class={'ok' if ok else 'bad'} viewBox='0 0 16 16' role=img aria-label={word}>"
        f"<path d='{line}'/></svg>"
    )


def _slice(
    array: npt.NDArray[Any], geometry: Geometry, plane: Plane, index: int
) -> npt.NDArray[Any]:
    """Rows downwards and columns to the right as they are shown."""
    laid = geometry.canonical.apply(array)
    cut: npt.NDArray[Any] = np.take(laid, index, axis=_AXIS[plane])
    return cut if plane == "axial" else cut[::-1]


def _square(geometry: Geometry, plane: Plane, longest: int) -> tuple[int, int]:
    """Rows and columns of the picture, so that its pixels are square."""
    laid = geometry.laid_out(geometry.canonical)
    others = [n for n in range(3) if n != _AXIS[plane]]
    height, width = (laid.shape[n] * laid.spacing_mm[n] for n in others)
    per_mm = longest / max(height, width)
    return (max(round(height * per_mm), 1), max(round(width * per_mm), 1))


def _sized(pixels: Pixels, shape: tuple[int, int]) -> Pixels:
    """Resampled to a shape, pixel edges kept where they are."""
    steps = [n / m for n, m in zip(pixels.shape, shape, strict=True)]
    starts = [(step - 1.0) / 2.0 for step in steps]
    sized: Pixels = ndimage.affine_transform(
        pixels, np.asarray(steps), starts, shape, np.float32, order=1, mode="nearest"
    )
    return sized


def _outline(mask: BoolArray) -> BoolArray:
    line: BoolArray = mask & ~ndimage.binary_erosion(mask, border_value=1)
    return line


def _count(number: int) -> str:
    return f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _ml(ml: float) -> str:
    return f"{ml:.2f}" if ml < 10.0 else f"{ml:.1f}"


def _size(count: int) -> str:
    if count < 1000:
        return f"{count} B"
    return f"{count / 1e3:.0f} kB" if count < 1_000_000 else f"{count / 1e6:.1f} MB"


def _hash(sha256: str) -> str:
    return escape(f"{sha256[:4]}…{sha256[-4:]}" if len(sha256) > 8 else sha256)
