"""What the windows of statistics and of comparisons show, from the documents of commands. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from napari_medlabel.ui.number_table import Cell
from napari_medlabel.ui.state import NONE, volume_words

__all__ = [
    "AXES",
    "COMPARED",
    "AxisLine",
    "axis_at",
    "compared_rows",
    "number_words",
    "statistics_header",
    "statistics_rows",
]

AXES: Final = (
    ("long_axis", "Long axis", "The longest line in one slice"),
    ("short_axis", "Short axis", "The longest at right angles to it"),
    ("longest_axis", "Longest, 3D", "The longest line from anywhere to anywhere"),
)
_VALUES: Final = (
    ("mean", "Mean"), ("sd", "SD"), ("p5", "5 %"), ("p25", "25 %"), ("p50", "Median"),
    ("p75", "75 %"), ("p95", "95 %"), ("min", "Lowest"), ("max", "Highest"),
)  # fmt: skip
_FIRST_AXIS: Final = 4  # the column after name, mL, voxels and slices
COMPARED: Final = (
    "Segment", "mL here", "mL there", "There \N{MINUS SIGN} here", "Dice", "HD95, mm", "ASSD, mm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AxisLine:
    """An axis of a segment: where it ends, k, j, i in fractions, and its words."""

    value: int
    begin: tuple[float, float, float]
    end: tuple[float, float, float]
    words: str
    color: str

    @property
    def middle(self) -> tuple[float, float, float]:
        """Half way."""
        k, j, i = ((a + b) / 2.0 for a, b in zip(self.begin, self.end, strict=True))
        return (k, j, i)


def statistics_header(unit: str) -> tuple[str, ...]:
    """The columns; those of image values name its unit once."""
    named = f", {unit}" if unit and unit != "stored" else ""
    return (
        "Segment", "mL", "Voxels", "Slices", *(f"{words}, mm" for _key, words, _tip in AXES),
        "Surface, cm\N{SUPERSCRIPT TWO}", f"Mean{named}", *(words for _key, words in _VALUES[1:]),
    )  # fmt: skip


def statistics_rows(document: Mapping[str, Any]) -> tuple[tuple[Cell, ...], ...]:
    """A row for each segment of `case_statistics`; what an empty one has not is a dash."""
    return tuple(_statistics_row(segment) for segment in document["segments"])


def axis_at(document: Mapping[str, Any], row: int, column: int) -> AxisLine | None:
    """The axis that a cell is about; None of other cells and empty segments."""
    segment = document["segments"][row]
    place = column - _FIRST_AXIS
    if not 0 <= place < len(AXES) or AXES[place][0] not in segment:
        return None
    key, words, _tip = AXES[place]
    axis = segment[key]
    return AxisLine(
        segment["value"], tuple(axis["begin_kji"]), tuple(axis["end_kji"]),
        f"{words} {axis['mm']:.1f} mm", segment["color"],
    )  # fmt: skip


def compared_rows(segments: Sequence[Mapping[str, Any]]) -> tuple[tuple[Cell, ...], ...]:
    """A row for each segment of `compare_case`."""
    return tuple(
        (
            Cell(one["name"] or f"Label {one['value']}", color=one["color"] or "#808080"),
            _number(one["ml_a"], volume_words(one["ml_a"])),
            _number(one["ml_b"], volume_words(one["ml_b"])),
            _number(one["ml_difference"], signed_words(one["ml_difference"])),
            _number(one["dice"], f"{one['dice']:.3f}"),
            _distance(one["hd95_mm"]),
            _distance(one["assd_mm"]),
        )
        for one in segments
    )


def number_words(value: float | None) -> str:
    """A measured number with some four figures: "97.3", "\N{MINUS SIGN}1024"; a dash for none."""
    if value is None:
        return NONE
    size = abs(value)
    digits = (
        0 if size >= 1000.0 else (1 if size >= 10.0 or size < 5e-4 else (2 if size >= 1 else 3))
    )
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def signed_words(ml: float) -> str:
    """A difference with its sign: "+0.35"; "0" for none."""
    if ml == 0.0:
        return "0"
    words = volume_words(abs(ml)) if abs(ml) >= 0.005 else "0.00"
    return f"{'+' if ml > 0.0 else chr(0x2212)}{words}"


def _statistics_row(segment: Mapping[str, Any]) -> tuple[Cell, ...]:
    voxels = segment["voxels"]
    counted = f"{voxels:,}".replace(",", "\N{THIN SPACE}") if voxels else NONE
    return (
        Cell(segment["name"], color=segment["color"]),
        _number(segment["ml"], volume_words(segment["ml"])),
        Cell(counted, str(voxels)),
        Cell(str(segment.get("slices", NONE))),
        *(_axis(segment.get(key), tip) for key, _words, tip in AXES),
        _number(segment.get("surface_cm2"), number_words(segment.get("surface_cm2"))),
        *(_number(segment.get(key), number_words(segment.get(key))) for key, _words in _VALUES),
    )


def _axis(axis: Mapping[str, Any] | None, tip: str) -> Cell:
    if axis is None:
        return Cell(NONE)
    return Cell(f"{axis['mm']:.1f}", str(axis["mm"]), link=True, tip=f"{tip}. Click shows it")


def _distance(mm: float | None) -> Cell:
    if mm is None:
        return Cell(NONE, tip="Only one of the two has this segment")
    return _number(mm, f"{mm:.2f}")


def _number(value: float | None, words: str) -> Cell:
    return Cell(words, "" if value is None else repr(float(value)))
