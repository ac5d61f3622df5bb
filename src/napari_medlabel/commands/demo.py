"""The whole job on a generated head: as files, in the workspace, labelled, exported, verified."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from napari_medlabel import __version__
from napari_medlabel.commands.cases import close_case, open_case, open_reader_as_case, open_series
from napari_medlabel.commands.door import command
from napari_medlabel.commands.exporting import export_case
from napari_medlabel.commands.files import convert
from napari_medlabel.commands.files import scan as scan_files
from napari_medlabel.commands.labels import lock_label, paint, redo, set_label, undo
from napari_medlabel.commands.opening import Seen
from napari_medlabel.core.edit import Edit, LabelArray
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import Series, Source, Window
from napari_medlabel.errors import IntegrityError, OutputError
from napari_medlabel.export import Exported
from napari_medlabel.files import shown
from napari_medlabel.formats import read
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.phantom import (
    CT_GRID,
    HEAD_SCHEMA,
    MR_GRID,
    Head,
    write_ct_series,
    write_mr_series,
)
from napari_medlabel.report import (
    CaseReport,
    CheckLine,
    FileLine,
    Picture,
    ReportFacts,
    SegmentLine,
    StepLine,
    fullest_slice,
    slice_picture,
    write_report,
)
from napari_medlabel.session import OpenCase, Permission, Session, local_session

__all__ = ["demo", "open_demo"]

Progress = Callable[[int, int], None]
_STEPS: Final = 10
_OURS: Final = {"dicom", "workspace", "masks", "converted", "report.html"}


@dataclass(frozen=True, slots=True, eq=False)
class _Patient:
    """One generated series and what is true of it, in canonical layout."""

    name: str
    modality: Literal["CT", "MR"]
    grid: Geometry
    voxels: npt.NDArray[Any]
    truth: LabelArray
    window: Window

    @classmethod
    def of(cls, head: Head, modality: Literal["CT", "MR"]) -> "_Patient":
        """The head as this modality sees it."""
        grid = CT_GRID if modality == "CT" else MR_GRID
        voxels = head.ct(grid) if modality == "CT" else head.mr(grid)
        window = Window(90, 40) if modality == "CT" else Window(900, 450)
        axes = grid.canonical
        truth = np.ascontiguousarray(axes.apply(head.labels(grid)[0]))
        return cls(f"head-{modality.lower()}", modality, grid, voxels, truth, window)

    @property
    def canonical(self) -> npt.NDArray[Any]:
        """The voxels as a workspace holds them."""
        return self.grid.canonical.apply(self.voxels)


@dataclass(slots=True)
class _Run:
    """What the demo has done so far."""

    progress: Progress | None
    steps: list[StepLine] = field(default_factory=list)
    checks: list[CheckLine] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step of the job."""
        start = time.perf_counter()
        yield
        self.steps.append(StepLine(name, round(time.perf_counter() - start, 3)))
        if self.progress is not None:
            self.progress(len(self.steps), _STEPS)

    def check(self, name: str, ok: object, detail: str) -> None:
        """Compare, and stop where it does not hold."""
        self.checks.append(CheckLine(name, bool(ok), detail))
        if not ok:
            raise IntegrityError(f"the demo found a fault: {name} ({detail})", "please report it")


@command(needs=Permission.IMPORT)
def open_demo(
    session: Session, kind: Literal["ct", "mr"] = "ct", *, seen: Seen | None = None
) -> OpenCase:
    """Open the generated head as a case; the same case every time."""
    head = Head()
    grid = CT_GRID if kind == "ct" else MR_GRID
    voxels = head.ct(grid) if kind == "ct" else head.mr(grid)
    modality, unit = ("CT", "HU") if kind == "ct" else ("MR", "stored")
    source = Source("generated", grid, grid.canonical)
    window = Window(90, 40, "Brain") if kind == "ct" else Window(900, 450)
    reader = MemoryReader(voxels, source, modality, unit, "Demo head", window)
    return open_reader_as_case(session, reader, ("demo head", kind, 1), seen=seen)


@command(needs=Permission.EXPORT)
def demo(
    session: Session,
    out: Path,
    *,
    force: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Do the whole job on a generated head and draw `OUT/report.html`; needs no window.

    Writes a CT and an MR as DICOM files, scans them, brings them into a workspace of its own,
    labels them slice by slice, closes and opens them again, exports, reads back and compares.

    Raises
    ------
    OutputError
        If OUT is there already and is not empty, unless `force`.
    IntegrityError
        If anything does not compare.
    """
    _make(out, force=force)
    run = _Run(progress)
    head = Head()
    with run.step("Generate a head, write CT and MR as DICOM files"):
        patients = {"CT": _Patient.of(head, "CT"), "MR": _Patient.of(head, "MR")}
        write_ct_series(out / "dicom" / "ct", patients["CT"].voxels, CT_GRID)
        write_mr_series(out / "dicom" / "mr", patients["MR"].voxels, MR_GRID)
    with run.step("Scan the folder"):
        found = scan_files(session, out / "dicom").series
    run.check("series found", len(found) == 2, f"{len(found)} of 2")
    own = local_session(out / "workspace")
    own.person = session.person
    try:
        reports = [_do_one(run, own, one, patients[one.modality], out) for one in found]
    finally:
        own.close()
    facts = ReportFacts(
        "One head, from DICOM to verified masks",
        "A generated head was written as DICOM files, read, labelled slice by slice in an "
        "encrypted workspace, exported, read back and compared. It is nobody's head.",
        tuple(reports),
        tuple(run.steps),
        f"napari-medlabel {__version__}. Everything ran on this computer, without a network.",
    )
    write_report(out / "report.html", facts, force=force)
    return {
        "format": 1,
        "steps": [asdict(step) for step in run.steps],
        "checks": [asdict(check) for check in run.checks],
        "files": [file.name for report in reports for file in report.files],
        "report": "report.html",
    }


def _do_one(run: _Run, own: Session, series: Series, patient: _Patient, out: Path) -> CaseReport:
    """Import, label, reopen, export and convert one series."""
    first = len(run.checks)
    with run.step(f"{patient.modality}: import, sealed, with its pyramid"):
        case = open_series(own, series, found_at=out / "dicom")
        case.loading.wait()
    same = np.array_equal(case.volume.levels[0][:], patient.canonical)
    run.check("values in the workspace", same, f"{patient.voxels.size} voxels")
    with run.step(f"{patient.modality}: label slice by slice"):
        _draw(own, case, patient.truth)
        _undo_and_lock(run, own, case)
        close_case(own, case)
    with run.step(f"{patient.modality}: open again, export, read back"):
        case = open_case(own, case.info.id)
        same = np.array_equal(case.segmentation.labels, patient.truth)
        run.check("labels after opening again", same, f"{np.count_nonzero(patient.truth)} voxels")
        exported = export_case(own, case, out / "masks", name=patient.name)
        run.checks += [CheckLine(one.name, one.ok, one.detail) for one in exported.checks]
    with run.step(f"{patient.modality}: convert to NIfTI and compare"):
        _convert(run, own, series, patient, out)
    report = _report(run, case, patient, exported, first)
    close_case(own, case)
    return report


def _draw(own: Session, case: OpenCase, truth: LabelArray) -> None:
    """As a hand would: segment by segment, slice by slice, through the same door."""
    for label in HEAD_SCHEMA:
        set_label(own, case, label)
        mask = truth == label.value
        for k in np.flatnonzero(mask.any(axis=(1, 2))):
            edit = Edit.fill(case.segmentation.labels, (int(k), 0, 0), mask[k][None], label.value)
            paint(own, case, edit, tool="Paint", settings={"slice by slice": True})


def _undo_and_lock(run: _Run, own: Session, case: OpenCase) -> None:
    """Undo everything of the last segment and make it again; then try to harm a locked one."""
    before = case.segmentation.labels.copy()
    taken = 0
    while (step := case.segmentation.next_undo()) is not None and step.tool == "Paint":
        undo(own, case)
        taken += 1
    for _ in range(taken):
        redo(own, case)
    same = np.array_equal(case.segmentation.labels, before)
    run.check("undo and redo", same, f"{taken} steps, back and forth")
    lock_label(own, case, 1)
    everywhere = np.ones(before.shape, bool)
    whole = paint(own, case, Edit.fill(case.segmentation.labels, (0, 0, 0), everywhere, 2))
    kept = np.array_equal(case.segmentation.labels == 1, before == 1)
    run.check("a locked segment survives a fill", kept, f"{whole.voxels} others were filled")
    undo(own, case)
    lock_label(own, case, 1, on=False)


def _convert(run: _Run, own: Session, series: Series, patient: _Patient, out: Path) -> None:
    path = out / "converted" / f"{patient.name}.nii.gz"
    path.parent.mkdir(exist_ok=True)
    convert(own, out / "dicom", path, series=str(series.number))
    image = read(path)
    wanted = patient.grid.laid_out(patient.grid.canonical)
    gap_mm = image.geometry.difference_mm(wanted)
    same = np.array_equal(np.asarray(image.levels[0]), patient.canonical)
    run.check("converted values", same, f"{patient.voxels.size} voxels")
    run.check("converted place", gap_mm < 1e-3, f"corners within {gap_mm:.2g} mm")


def _report(
    run: _Run, case: OpenCase, patient: _Patient, exported: Exported, first: int
) -> CaseReport:
    """What the report says of one case."""
    voxels, labels = np.asarray(case.volume.levels[0][:]), case.segmentation.labels
    geometry, schema = case.volume.geometry, case.segmentation.schema
    pictures = []
    for plane in ("axial", "coronal", "sagittal"):
        index = fullest_slice(labels, geometry, plane, value=3)
        png = slice_picture(voxels, labels, geometry, plane, index, patient.window, schema)
        pictures.append(Picture(png, plane, f"{plane.capitalize()} {index + 1}, at the lesion"))
    k, j, i = geometry.shape
    spacing = " x ".join(f"{mm:.2f}" for mm in geometry.spacing_mm)
    segments = tuple(
        SegmentLine(
            label.name, label.color, case.segmentation.voxels(label.value),
            case.segmentation.volume_ml(label.value),
        )
        for label in schema
    )  # fmt: skip
    return CaseReport(
        f"{case.info.name}, {patient.modality}",
        f"{k} x {j} x {i} voxels of {spacing} mm",
        tuple(pictures),
        segments,
        tuple(run.checks[first:]),
        tuple(FileLine(one.path.name, one.bytes, one.sha256) for one in exported.files),
    )


def _make(out: Path, *, force: bool) -> None:
    """A new, empty folder; with `force` what an earlier demo left there is removed first."""
    try:
        if out.exists() and not out.is_dir():
            raise OutputError(f"{shown(out)} is not a folder", "name a new folder")
        left = {entry.name for entry in out.iterdir()} if out.exists() else set()
        if left and not (force and left <= _OURS):
            raise OutputError(
                f"{shown(out)} is not empty",
                "name a new folder, or use --force on one that an earlier demo made",
            )
        for name in left:
            _remove(out / name)
        (out / "dicom").mkdir(parents=True)
    except OSError as error:
        raise OutputError(
            f"{shown(out)} cannot be written: {error.strerror}", "choose another folder"
        ) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
