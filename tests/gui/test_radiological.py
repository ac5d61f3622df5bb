"""Left, right, front, back, head and feet on the screen, against single pixels of real series.

Where a voxel is in the patient comes from the headers alone: points computed from single DICOM
frames, nibabel's affine, or a patient made of landmarks. What is checked is what is painted.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from qtpy.QtCore import QPoint, QPointF
from qtpy.QtGui import QColor, QFont, QImage, QPainterPath
from qtpy.QtTest import QTest

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Window as GreyWindow
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.ui.planes import marks
from napari_medlabel.ui.planes.plane_view import PlaneView
from tests.gui.real_window import Window, wait_until

Floats = npt.NDArray[np.float64]

# What grows towards the right and towards the bottom of each view, in LPS: radiological.
RIGHT_DOWN = (((1, 0, 0), (0, 1, 0)), ((1, 0, 0), (0, 0, -1)), ((0, 1, 0), (0, 0, -1)))
EDGES = ("RLAP", "RLHF", "APHF")  # left, right, top, bottom of axial, coronal, sagittal
AXES = "LPH"
SERIES = (
    ("siemens-mosaic/axasc36", "siemens-mosaic/points_axasc36.json"),
    ("siemens-mosaic/cordesc35", "siemens-mosaic/points_cordesc35.json"),
    ("siemens-mosaic/sagint35", "siemens-mosaic/points_sagint35.json"),
    ("lesion-ct-lung/dicom", "lesion-ct-lung/points.json"),
    ("ct-multiorgan/dicom", "ct-multiorgan/points.json"),
    ("multi-echo-philips/dicom", "multi-echo-philips/points.json"),
    *(
        (f"dicom2nifti-vendors/{name}",
         f"dicom2nifti-vendors/points_{name.replace('/', '_')}.json")
        for name in (
            "generic/anatomical/001", "generic/anatomical/002_non_isotropic",
            "ge/anatomical/001", "philips/anatomical/001", "philips/fmri/001",
            "hitachi/anatomical/001",
        )
    ),
)  # fmt: skip
FILES = (
    *(f"odd-nifti/orientations/{axes}.nii.gz"
      for axes in ("AIL", "IPR", "LAS", "PSL", "RAS", "SLP")),
    "spinal-cord-mr/t2.nii.gz", "spinal-cord-mr/t1w.nii.gz",
)  # fmt: skip
# Row and column direction of an axial image as scanners write it (PS3.3 C.7.6.2.1.1).
POSITIONS = {
    "HFS": ((1, 0, 0), (0, 1, 0)), "HFP": ((-1, 0, 0), (0, -1, 0)),
    "FFS": ((-1, 0, 0), (0, 1, 0)), "FFP": ((1, 0, 0), (0, -1, 0)),
    "HFDR": ((0, 1, 0), (-1, 0, 0)), "HFDL": ((0, -1, 0), (1, 0, 0)),
    "FFDR": ((0, 1, 0), (1, 0, 0)), "FFDL": ((0, -1, 0), (-1, 0, 0)),
}  # fmt: skip
ACQUIRED = {
    **{code: (row, column, code) for code, (row, column) in POSITIONS.items()},
    "coronal": ((1, 0, 0), (0, 0, -1), "HFS"), "sagittal": ((0, 1, 0), (0, 0, -1), "HFS"),
    "coronal, feet first": ((-1, 0, 0), (0, 0, 1), "FFS"),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Places in the patient, LPS mm, with the image's value there."""

    lps: Floats
    values: Floats

    @classmethod
    def of_dicom(cls, file: Path) -> "Points":
        told = json.loads(file.read_text())["points"]
        return cls(np.array([p["lps"] for p in told]), np.array([p["value"] for p in told]))

    @classmethod
    def of_nifti(cls, file: Path, count: int = 60) -> "Points":
        image = nibabel.load(file)
        voxels = np.asarray(image.dataobj)
        rng = np.random.default_rng(5)
        inside = np.argwhere(voxels > np.percentile(voxels, 60))
        ijk = rng.choice(inside, count, replace=False)
        ras = nibabel.affines.apply_affine(image.affine, ijk)
        return cls(ras * (-1, -1, 1), voxels[tuple(ijk.T)].astype(float))


@pytest.fixture(scope="module")
def one_window(qapp: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """One window for all of them: each series is opened as somebody would, one after another."""
    assert qapp is not None
    window = Window(tmp_path_factory.mktemp("workspace"))
    window.frame.resize(1600, 1000)
    yield window
    window.close()


def show(window: Window, path: Path) -> tuple[PlaneView, PlaneView, PlaneView]:
    """Open the first volume of a folder or file, all views side by side."""
    window.desk.scan(path)
    window.idle()
    if window.desk.drawing is None:
        usable = [row for row in window.desk.found if row.usable]
        window.desk.open_row(usable[0])
        window.idle()
    drawing = window.drawing
    wait_until(lambda: drawing.case.loading.finished, "all slices")
    drawing.looking.set_layout("2x2")
    drawing.sight.choose(linked=False)
    window.rest(0.3)
    axial, coronal, sagittal = drawing.looking.room.planes
    return axial, coronal, sagittal


def index_of(window: Window, lps: Floats) -> tuple[int, int, int]:
    kji = window.drawing.case.volume.geometry.kji(lps)
    assert np.abs(kji - np.rint(kji)).max() < 0.02, "the point is not on a voxel's centre"
    k, j, i = (int(n) for n in np.rint(kji))
    return k, j, i


def grabbed(view: PlaneView) -> QImage:
    return view.grab().toImage()


def grey_at(image: QImage, where: QPointF) -> float:
    ratio = image.devicePixelRatio()
    color = QColor(image.pixel(int(where.x() * ratio), int(where.y() * ratio)))
    return float(color.red())


def expected_grey(values: Floats, limits: tuple[float, float]) -> Floats:
    low, high = limits
    grey: Floats = np.clip((values - low) / (high - low), 0.0, 1.0) * 255.0
    return grey


def greys_from(window: Window, points: Points) -> tuple[float, float]:
    """Set a grey range that the points' values fill."""
    low, high = float(points.values.min()), float(points.values.max())
    window.drawing.set_window(GreyWindow(high - low, (low + high) / 2.0))
    if window.drawing.layers.inverted:
        window.drawing.invert()
    window.rest(0.05)
    return low, high


def check_values(window: Window, views: tuple[PlaneView, ...], points: Points) -> None:
    """Close up, the pixel where a point is has its value's grey, in every view."""
    limits = greys_from(window, points)
    for lps, value in list(zip(points.lps, points.values, strict=True))[:8]:
        kji = index_of(window, lps)
        window.drawing.sight.move_to(kji)
        for view in views:
            place = view.frame.place(view.point(kji).x(), view.point(kji).y())
            near = view.frame.centred(*place).zoomed(1e6, view.width() / 2, view.height() / 2)
            view.set_frame(near)
            shown = grey_at(grabbed(view), view.point(kji))
            assert shown == pytest.approx(expected_grey(np.array(value), limits), abs=2.5)
    for view in views:
        view.fit()


def check_directions(window: Window, views: tuple[PlaneView, ...], points: Points) -> None:
    """With all of the slice in sight: what is further left is further right, and so on."""
    limits = greys_from(window, points)
    places: list[list[tuple[float, float]]] = [[], [], []]
    seen: list[list[tuple[float, ...]]] = [[], [], []]
    for lps in points.lps[:40]:
        kji = index_of(window, lps)
        window.drawing.sight.move_to(kji)
        for n, view in enumerate(views):
            image, at = grabbed(view), view.point(kji)
            x, y = at.x(), at.y()
            places[n].append((x, y))
            turned = [(x, y), (view.width() - 1 - x, y), (x, view.height() - 1 - y)]
            seen[n].append(tuple(grey_at(image, QPointF(*one)) for one in turned))
    for n, view in enumerate(views):
        wanted = expected_grey(points.values[:40], limits)
        as_is, mirrored, upturned = (
            np.corrcoef(column, wanted)[0, 1] if np.std(column) else 0.0
            for column in np.array(seen[n]).T
        )
        check_axes(np.array(places[n]), points.lps[:40], n, view)
        if min(view.frame.row_mm, view.frame.column_mm) * view.frame.zoom < 1.0:
            continue  # voxels finer than pixels: what is seen is a mixture
        # Not 1: all of a slice in a small view is drawn between its voxels.
        assert as_is > 0.4
        assert as_is > max(mirrored, upturned) + 0.15


def check_axes(places: Floats, lps: Floats, number: int, view: PlaneView) -> None:
    """Where the pixels go as the patient's axes do; how far, by the spacing of the scale bar."""
    around = lps - lps.mean(axis=0)
    # Least squares with no more freedom than the points have: some series have few slices.
    steps = np.linalg.lstsq(around, places - places.mean(axis=0), rcond=None)[0].T
    for direction, wanted in zip(steps, RIGHT_DOWN[number], strict=True):
        assert np.argmax(np.abs(direction)) == np.argmax(np.abs(wanted))
        assert direction @ np.array(wanted) > 0
    assert np.linalg.norm(steps[0]) == pytest.approx(view.frame.zoom, rel=0.02)


def lower_if_oblique(letter: str, axes: Floats) -> str:
    """The letter as it should be drawn: small where the nearest image axis is off by 5 degrees."""
    patient = np.zeros(3)
    patient["LPH".index({"R": "L", "A": "P", "F": "H"}.get(letter, letter))] = 1.0
    nearest = max(axes, key=lambda axis: abs(float(axis @ patient)))
    off = np.abs(np.delete(nearest, np.argmax(patient))).max()
    return letter.lower() if off > np.sin(np.radians(5.0)) else letter


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, float, str]]:
    """The letters that are painted from now on, and where."""
    told: list[tuple[float, float, str]] = []

    class Told(QPainterPath):
        def addText(self, at: QPointF, font: QFont, words: str) -> None:  # noqa: N802  # Qt's
            told.append((at.x(), at.y(), words))
            super().addText(at, font, words)

    monkeypatch.setattr(marks, "QPainterPath", Told)
    return told


def check_letters(
    views: tuple[PlaneView, ...], axes: Floats, drawn: list[tuple[float, float, str]]
) -> None:
    """The four letters of each view, at their edges; small where the axis is oblique."""
    for view, edges in zip(views, EDGES, strict=True):
        drawn.clear()
        view.grab()
        found = {letter: (x, y) for x, y, letter in drawn}
        left, right, top, bottom = (lower_if_oblique(letter, axes) for letter in edges)
        assert set(found) == {left, right, top, bottom}
        assert found[left][0] < view.width() / 2 < found[right][0]
        assert found[top][1] < view.height() / 2 < found[bottom][1]


def image_axes(folder: Path) -> Floats:
    """Row, column and normal directions of a series, from its first header alone."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        header = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        if "ImageOrientationPatient" in header:
            row, column = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
            return np.array([row, column, np.cross(row, column)])
    raise AssertionError("no image here")


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(("folder", "points"), SERIES)
def test_real_series_lie_the_right_way_round(
    one_window: Window, shared_data: Path, drawn: list[tuple[float, float, str]],
    folder: str, points: str,
) -> None:  # fmt: skip
    where = shared_data / folder
    views = show(one_window, where)
    told = Points.of_dicom(shared_data / points)
    check_values(one_window, views, told)
    check_directions(one_window, views, told)
    check_letters(views, image_axes(where), drawn)


@pytest.mark.parametrize("file", FILES)
def test_files_of_every_axis_order_lie_the_right_way_round(
    one_window: Window, shared_data: Path, drawn: list[tuple[float, float, str]], file: str
) -> None:
    where = shared_data / file
    views = show(one_window, where)
    told = Points.of_nifti(where)
    check_values(one_window, views, told)
    check_directions(one_window, views, told)
    affine = nibabel.load(where).affine[:3, :3] * np.array([[-1], [-1], [1]])
    check_letters(views, (affine / np.linalg.norm(affine, axis=0)).T, drawn)


def landmarks(lps: Floats) -> npt.NDArray[np.int16]:
    """A patient: a trunk with a cube at the left, one in front and one at the head."""
    x, y, z = np.moveaxis(lps, -1, 0)
    hu = np.where((x / 60) ** 2 + (y / 45) ** 2 < 1.0, 0, -1000)
    for value, (a, b, c) in ((1000, (35, 0, 0)), (700, (0, -25, 0)), (400, (0, 0, 35))):
        near = np.maximum.reduce([np.abs(x - a), np.abs(y - b), np.abs(z - c)]) < 9.0
        hu = np.where(near, value, hu)
    return hu.astype(np.int16)


def write_patient(folder: Path, row: Any, column: Any, position: str) -> None:  # noqa: ANN401
    """The patient, scanned with these image axes."""
    row, column = np.array(row, float), np.array(column, float)
    matrix = np.eye(4)
    shape, spacing = (34, 60, 64), np.array([4.0, 2.5, 2.5])
    matrix[:3, :3] = np.column_stack([np.cross(row, column), column, row]) * spacing
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(shape) - 1.0) / 2.0
    grid = Geometry(shape, matrix)
    kji = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    lps = kji @ matrix[:3, :3].T + matrix[:3, 3]
    for file in write_ct_series(folder, landmarks(lps), grid):
        instance = pydicom.dcmread(file)
        instance.PatientPosition = position
        instance.save_as(file, enforce_file_format=True)


def middle_of(image: QImage, grey: int) -> tuple[float, float]:
    """Where the pixels of one grey are, as a part of the picture from -0.5 to 0.5."""
    shown = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(shown.constBits(), np.uint8).reshape(shown.height(), -1)
    y, x = np.nonzero(np.abs(rows[:, : shown.width()].astype(int) - grey) <= 3)
    assert len(x) > 60, "the landmark is not to be seen"
    return (
        float(np.median(x)) / shown.width() - 0.5, float(np.median(y)) / shown.height() - 0.5
    )  # fmt: skip


@pytest.mark.parametrize("name", ACQUIRED)
def test_landmarks_lie_where_a_reader_expects_them_however_the_patient_lay(
    one_window: Window, tmp_path: Path, drawn: list[tuple[float, float, str]], name: str
) -> None:
    row, column, position = ACQUIRED[name]
    write_patient(tmp_path / "patient", row, column, position)
    axial, coronal, sagittal = views = show(one_window, tmp_path / "patient")
    one_window.drawing.set_window(GreyWindow(2000, 0))
    one_window.drawing.sight.choose(crosshair=False)
    one_window.rest(0.1)
    left, front, head = (round((hu + 1000) / 2000 * 255) for hu in (996, 700, 400))
    # Each landmark lies off the middle in one direction alone, and is cut by two middle slices.
    for view in (axial, coronal):
        x, y = middle_of(grabbed(view), left)
        assert (x > 0.08, abs(y) < 0.08) == (True, True)
    for view, expected in ((axial, (0.0, -1.0)), (sagittal, (-1.0, 0.0))):
        x, y = middle_of(grabbed(view), front)
        assert (np.sign(np.round(x, 1)), np.sign(np.round(y, 1))) == expected
    for view in (coronal, sagittal):
        x, y = middle_of(grabbed(view), head)
        assert (abs(x) < 0.08, y < -0.08) == (True, True)
    check_letters(views, np.eye(3), drawn)
    one_window.drawing.sight.choose(crosshair=True)


def bar_length_px(view: PlaneView) -> int:
    """The longest white line at the lower right."""
    image = grabbed(view)
    longest = 0
    for y in range(image.height() - 24, image.height() - 4):
        run = 0
        for x in range(image.width() // 2, image.width()):
            run = run + 1 if QColor(image.pixel(x, y)).red() > 115 else 0  # over its plate
            longest = max(longest, run)
    return longest


def test_numbers_on_a_real_series_are_those_of_its_headers(
    one_window: Window, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shared_data / "lesion-ct-lung" / "dicom"
    headers = {
        path.name: pydicom.dcmread(path, stop_before_pixels=True)
        for path in folder.glob("*.dcm")
    }  # fmt: skip
    heights = sorted(float(one.ImagePositionPatient[2]) for one in headers.values())
    (spacing_mm,) = {float(one.PixelSpacing[0]) for one in headers.values()}
    axial, _coronal, _sagittal = views = show(one_window, folder)
    told = Points.of_dicom(shared_data / "lesion-ct-lung" / "points.json")
    said: list[str] = []
    corner = marks.corner

    def listen(painter: Any, view: Any, lines: Any, *, right: bool) -> Any:  # noqa: ANN401
        said.append(" ".join("".join(words for words, _c, _b in line) for line in lines))
        return corner(painter, view, lines, right=right)

    monkeypatch.setattr(marks, "corner", listen)
    status = one_window.desk.workplace.status
    for lps, value in list(zip(told.lps, told.values, strict=True))[:10]:
        kji = index_of(one_window, lps)
        one_window.drawing.sight.move_to(kji)
        said.clear()
        axial.grab()
        number = int(np.argmin(np.abs(np.array(heights) - lps[2]))) + 1
        side = "H" if lps[2] >= 0 else "F"
        assert said[0] == f"Axial {number} / {len(heights)} {side} {abs(lps[2]):.1f} mm"
        QTest.mouseMove(axial, QPoint(round(axial.point(kji).x()), round(axial.point(kji).y())))
        one_window.rest(0.03)
        words = [part.words.split() for part in status.position]
        told_mm = [float(mm) * (1 if side in "LPH" else -1) for side, mm in words]
        half_px = 0.51 / axial.frame.zoom + 0.05  # the pointer stands on whole pixels
        assert told_mm[:2] == pytest.approx(lps[:2], abs=half_px)
        assert told_mm[2] == pytest.approx(lps[2], abs=0.06)
        assert status.value.words.replace("\N{MINUS SIGN}", "-") == f"{value:.0f} HU"
    # How many pixels the bar has, by the spacing in the header and the columns of the picture.
    for view in views:
        length_mm, _pixels = view.frame.scale_bar()
        left, width = view.frame.box_px(view.frame.whole)[0::2]
        assert left >= 0
        if view is axial:
            columns = headers["DCM_IMG_00000.dcm"].Columns
            assert bar_length_px(view) == pytest.approx(
                length_mm / spacing_mm * width / columns, abs=2.5
            )
        assert 0.12 * view.width() <= bar_length_px(view) + 2
        assert bar_length_px(view) <= 0.25 * view.width() + 3
