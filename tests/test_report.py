"""The report: its pictures' sides, its escaping, and that it needs nothing from outside."""

import re
from html.parser import HTMLParser
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
import pytest

from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.core.volume import Window
from napari_medlabel.errors import GeometryError, OutputError
from napari_medlabel.report import (
    CaseReport,
    CheckLine,
    FileLine,
    Picture,
    Plane,
    ReportFacts,
    SegmentLine,
    StepLine,
    fullest_slice,
    report_html,
    slice_picture,
    write_report,
)

SCHEMA = LabelSchema("Test", (Label(1, "Mark", "#FF0000"),))
WINDOW = Window(100, 50)
GRID = Geometry.from_spacing((20, 30, 40), (3.0, 2.0, 1.5), (5.0, -7.0, 11.0))
LAYOUTS = [
    Axes(),
    Axes((2, 0, 1), (False, True, False)),
    Axes((1, 2, 0), (True, True, False)),
    Axes((0, 1, 2), (True, False, True)),
]


def marked(axes: Axes, kji: tuple[int, int, int]) -> tuple[npt.NDArray[np.uint8], Geometry]:
    """Labels with a 3x3x3 mark near a voxel of `GRID`, laid out in another way."""
    labels = np.zeros(GRID.shape, np.uint8)
    labels[tuple(slice(n - 1, n + 2) for n in kji)] = 1
    return axes.apply(labels), GRID.laid_out(axes)


def red_center(png: bytes) -> tuple[float, float]:
    """Where the red is, as shares of the picture's height and width."""
    picture = imagecodecs.png_decode(png).astype(int)
    rows, columns = np.nonzero(picture[..., 0] > picture[..., 1] + 20)
    return float(rows.mean() / picture.shape[0]), float(columns.mean() / picture.shape[1])


# The mark is high in the head, in front, on the patient's left.
@pytest.mark.parametrize("axes", LAYOUTS)
@pytest.mark.parametrize(
    ("plane", "index", "row", "column"),
    [
        ("axial", 16, 7.5 / 30, 35.5 / 40),  # front up, left on the right
        ("coronal", 7, 1 - 16.5 / 20, 35.5 / 40),  # head up, left on the right
        ("sagittal", 35, 1 - 16.5 / 20, 7.5 / 30),  # head up, front on the left
    ],
)
def test_a_picture_has_the_patients_left_on_its_right_and_the_head_up(
    axes: Axes, plane: Plane, index: int, row: float, column: float
) -> None:
    labels, geometry = marked(axes, (16, 7, 35))
    png = slice_picture(np.zeros_like(labels), labels, geometry, plane, index, WINDOW, SCHEMA)
    assert red_center(png) == pytest.approx((row, column), abs=0.02)


def test_pixels_are_square_and_the_window_maps_to_black_and_white() -> None:
    voxels = np.full(GRID.shape, 200.0)
    voxels[:, :15] = -200.0
    none = np.zeros(GRID.shape, np.uint8)
    png = slice_picture(voxels, none, GRID, "axial", 3, WINDOW, SCHEMA, longest=120)
    picture = imagecodecs.png_decode(png)
    assert picture.shape == (120, 120, 3)  # 30 x 2.0 mm by 40 x 1.5 mm
    assert picture[0].max() == 0
    assert picture[-1].min() == 255


def test_a_slice_that_is_not_there_and_other_shapes_are_refused() -> None:
    none = np.zeros(GRID.shape, np.uint8)
    with pytest.raises(GeometryError, match="no axial slice 20"):
        slice_picture(none, none, GRID, "axial", 20, WINDOW, SCHEMA)
    with pytest.raises(GeometryError, match="shapes"):
        slice_picture(none, none[1:], GRID, "axial", 0, WINDOW, SCHEMA)


@pytest.mark.parametrize("axes", LAYOUTS)
def test_the_fullest_slice_is_counted_from_feet_front_and_right(axes: Axes) -> None:
    labels, geometry = marked(axes, (16, 7, 35))
    found = [
        fullest_slice(labels, geometry, plane, 1) for plane in ("axial", "coronal", "sagittal")
    ]
    np.testing.assert_allclose(found, (15, 6, 34))  # the first of three that are as full
    assert fullest_slice(labels, geometry, "axial", 9) == 10


def facts(name: str = "Liver", *, ok: bool = True) -> ReportFacts:
    none = np.zeros(GRID.shape, np.uint8)
    png = slice_picture(none, none, GRID, "axial", 3, WINDOW, SCHEMA, longest=40)
    case = CaseReport(
        "CT",
        "20 slices",
        (Picture(png, "axial", "Axial, slice 4"),),
        (SegmentLine(name, "#FF8000", 1234567, 12.345),),
        (CheckLine("Voxels equal", ok, "24 000 of 24 000"),),
        (FileLine("ct.nii.gz", 1_434_000, "9f3c" + "0" * 56 + "71ab"),),
    )
    return ReportFacts("A head", "Made here", (case,), (StepLine("Scan", 0.25),), "version 1")


def test_numbers_stand_in_the_report() -> None:
    page = report_html(facts())
    for words in ("12.3", "1\u202f234\u202f567", "1.4 MB", "9f3c…71ab", "0.25 s", "Verified"):
        assert words in page


def test_a_failed_check_is_said_in_words() -> None:
    page = report_html(facts(ok=False))
    assert "1 failed" in page
    assert "Verified" not in page


def test_names_are_escaped() -> None:
    page = report_html(facts("<script>alert(1)</script>"))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


class Links(HTMLParser):
    """All that a page would load, and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in {"src", "href", "data"}]
        if tag not in {"meta", "img", "path"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = report_html(facts())
    links = Links()
    links.feed(page)
    assert links.open == []
    assert all(link.startswith("data:image/png;base64,") for link in links.found)
    assert not re.search(r"url\(|@import|https?:", page)
    assert "default-src 'none'" in page


def test_a_report_is_not_overwritten_without_being_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(path, facts())
    assert path.read_text(encoding="utf-8") == report_html(facts())
    with pytest.raises(OutputError):
        write_report(path, facts("Spleen"))
    write_report(path, facts("Spleen"), force=True)
    assert "Spleen" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]
