"""Faces: find whether there is one, take it out, and prove it on what was written."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.door import command
from napari_medlabel.commands.files import SUFFIXES
from napari_medlabel.commands.finding import choose, choose_series
from napari_medlabel.commands.sources import find, open_source
from napari_medlabel.core.derivation import Choice, Irregular
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.volume import FoundVolume, Series, Source, VolumeReader
from napari_medlabel.errors import Cancelled, InputError, OutputError, Refused
from napari_medlabel.files import check_new_file, check_new_folder, new_file, new_folder, shown
from napari_medlabel.formats import Found, TooNarrow, onto_source, recipe_of, write
from napari_medlabel.formats.memory_reader import MemoryReader
from napari_medlabel.formats.nifti_patch import can_patch, write_patched
from napari_medlabel.privacy.face import (
    USUAL_PLAN,
    FaceFinding,
    FacePlan,
    Region,
    Residual,
    face_region,
    fill_in,
    find_in,
    left_of,
    look,
)
from napari_medlabel.privacy.face_copies import check_copyable, write_copies
from napari_medlabel.session import Permission, Session
from napari_medlabel.storage.ome_zarr import write_volume

__all__ = ["Defaced", "FacePlan", "deface"]

Progress = Callable[[int, int], None]
Stop = Callable[[], bool]
_COPIED: Final = frozenset({"already-defaced", "not-a-head"})
_STEPS: Final = 6


@dataclass(frozen=True, slots=True)
class Defaced:
    """What was found and done.

    Parameters
    ----------
    verdict
        "face-removed", "already-defaced", "not-a-head", "face-not-in-view", "uncertain" or
        "wrong-orientation".
    why
        The reason, for a person.
    written
        Whether anything was written.
    facts
        The numbers of the report.
    """

    verdict: str
    why: str
    written: bool
    facts: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The report as JSON-ready values; no value of a header is in it."""
        start = {"format": 1, "verdict": self.verdict, "why": self.why, "written": self.written}
        return start | dict(self.facts)


@command(needs=Permission.EXPORT)
def deface(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    source: Path,
    destination: Path,
    *,
    series: str = "",
    volume: int = 0,
    plan: FacePlan = USUAL_PLAN,
    mask: Path | None = None,
    report: Path | None = None,
    accept_uncertain: bool = False,
    irregular: Irregular = "refuse",
    step_mm: float | None = None,
    force: bool = False,
    progress: Progress | None = None,
    cancelled: Stop = lambda: False,
) -> Defaced:
    """A copy of a volume without the face, if it has one; proved on what was written.

    Parameters
    ----------
    source
        DICOM (folder, file, zip, DICOMDIR), NIfTI, NRRD, MetaImage or OME-Zarr.
    destination
        A new `.nii`, `.nii.gz`, `.nrrd`, `.mha` or `.ome.zarr`; for DICOM also a new folder, of
        copies of its files. Outside the face every voxel stays as it is.
    series, volume
        Which, as a scan counts them; needed where there are several.
    plan
        What comes in the place of the face, how near to the brain, and what else goes.
    mask
        A new file for the mask of what was taken out, on the source's grid.
    report
        A new JSON file for the answer; written whatever the answer is.
    accept_uncertain
        Whether a person has looked and says: take out what there seems to be.
    irregular, step_mm
        What to do about slices that are no one right-angled grid, as in `convert`. Copies of
        DICOM files need none: the face is looked for in a resampled volume, and taken out of the
        slices as they are.
    force
        Whether files that are there may be replaced.
    progress
        Told how much is done, of how much.
    cancelled
        Polled.

    Raises
    ------
    InputError
        If the source cannot be read as one volume, or the destination not be written.
    Refused
        If the brain cannot be told from the rest, or the face is still there after all.
    Cancelled
        If it was called off; nothing is left of it.
    """
    steps = _Steps(progress, cancelled)
    target = _Target.of(destination, force=force)
    for path in (mask, report):
        if path is not None:
            check_new_file(path, force=force)
    image = _read(
        find(source, cancelled=cancelled), target, series, volume, Choice(irregular, step_mm)
    )
    steps.done()
    finding = find_in(image.array, image.geometry, image.unit, cancelled=cancelled)
    steps.done()
    takes_out = finding.verdict == "face" or (
        accept_uncertain and finding.verdict in {"uncertain", "wrong-orientation"}
        and finding.brain is not None
    )  # fmt: skip
    copies = finding.verdict in _COPIED or accept_uncertain
    if takes_out:
        answer = _take_out(image, finding, plan, target, mask, steps)
    elif copies:
        with target.place() as hidden:
            _write(image, hidden, None, target, steps, faceless=False)
        answer = Defaced(finding.verdict, finding.why, True, _facts(finding, None, None))  # noqa: FBT003
    else:
        answer = Defaced(finding.verdict, finding.why, False, _facts(finding, None, None))  # noqa: FBT003
    if report is not None:
        with new_file(report, force=force) as hidden:
            hidden.write_text(json.dumps(answer.document(), indent=1), encoding="utf-8")
    steps.finish()
    return answer


class _Steps:
    """How far it is, and whether to go on."""

    def __init__(self, progress: Progress | None, cancelled: Stop) -> None:
        self._progress, self.cancelled, self._count = progress, cancelled, 0

    def done(self) -> None:
        self.check()
        self._count = min(self._count + 1, _STEPS)
        if self._progress is not None:
            self._progress(self._count, _STEPS)

    def finish(self) -> None:
        if self._progress is not None:
            self._progress(_STEPS, _STEPS)

    def check(self) -> None:
        if self.cancelled():
            raise Cancelled("defacing was called off")


@dataclass(frozen=True, slots=True)
class _Target:
    """Where to write, and what."""

    path: Path
    kind: str  # a suffix, or "dicom" for a folder of copies
    force: bool

    @classmethod
    def of(cls, path: Path, *, force: bool) -> "_Target":
        kind = next((one for one in SUFFIXES if path.name.casefold().endswith(one)), "dicom")
        if kind == "dicom" and path.suffix and not path.is_dir():
            raise InputError(
                f"'{shown(path.name)}' names no format",
                f"end it with {', '.join(SUFFIXES)}, or name a folder for copies of DICOM files",
            )
        target = cls(path, kind, force)
        if kind == ".ome.zarr":
            check_new_folder(path, force=force, marker="zarr.json")
        elif kind == "dicom":
            check_new_folder(path, force=force or target.is_empty, marker="0001.dcm")
        else:
            check_new_file(path, force=force)
        return target

    @property
    def is_empty(self) -> bool:
        return self.path.is_dir() and next(self.path.iterdir(), None) is None

    @contextmanager
    def place(self) -> Iterator[Path]:
        if self.kind == "dicom":
            force = self.force or self.is_empty
            with new_folder(self.path, force=force, marker="0001.dcm") as hidden:
                yield hidden
        elif self.kind == ".ome.zarr":
            # The volume is made in a folder of its own, which nobody sees until it is proved.
            with new_folder(self.path.with_name(f".{self.path.name}.parts"), force=True) as outer:
                inner = outer / "volume.ome.zarr"
                yield inner
                _move(inner, self)
            shutil.rmtree(self.path.with_name(f".{self.path.name}.parts"), ignore_errors=True)
        else:
            with new_file(self.path, force=self.force) as hidden:
                yield hidden


def _move(inner: Path, target: _Target) -> None:
    with new_folder(target.path, force=target.force, marker="zarr.json") as hidden:
        hidden.rmdir()
        inner.rename(hidden)


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """A volume in memory, in its source's own layout, and where it came from."""

    series: Series
    index: int
    found: FoundVolume
    array: npt.NDArray[Any]
    source: Source
    reader: VolumeReader
    unit: str

    @property
    def geometry(self) -> Any:  # noqa: ANN401  # Geometry
        return self.source.geometry


def _read(found: Found, target: _Target, series: str, volume: int, choice: Choice) -> _Image:
    if target.kind == "dicom":
        chosen = choose_series(found, series)
        if chosen.format != "dicom":
            raise InputError("only DICOM is copied into a folder", "name a .nii.gz to write")
        if choice.irregular not in {"refuse", "resample"}:
            raise InputError("copies of DICOM files are of all slices", "leave the choice out")
        number = max(volume - 1, 0)
        if number < len(chosen.volumes) and not chosen.volumes[number].usable:
            choice = Choice("resample", choice.step_mm)
    picked, index = choose(found, series, volume, choice)
    if target.kind == "dicom":
        check_copyable(_parts(picked.volumes[index]))
    reader = open_source(picked, index)
    try:
        array = reader.read(0, reader.source.geometry.shape[0])
    except TooNarrow:
        reader.close()
        reader = open_source(picked, index, wide=True)
        array = reader.read(0, reader.source.geometry.shape[0])
    finally:
        reader.close()
    if array.dtype.kind not in "iufb":
        raise InputError("its voxels are no plain numbers", "medlabel scan shows what there is")
    if not array.flags.writeable or not array.flags.owndata:
        array = np.array(array)
    return _Image(picked, index, picked.volumes[index], array, reader.source, reader, reader.unit)


def _parts(found: FoundVolume) -> tuple[Any, ...]:
    recipe = recipe_of(found)
    return (recipe.found if recipe else found).parts


def _take_out(  # noqa: PLR0913, PLR0917  # what the work needs
    image: _Image, finding: FaceFinding, plan: FacePlan, target: _Target, mask: Path | None,
    steps: _Steps,
) -> Defaced:  # fmt: skip
    region = face_region(finding, plan, cancelled=steps.cancelled)
    before = look(finding, image.array)
    steps.done()
    fill_in(image.array, finding, region, plan, cancelled=steps.cancelled)
    steps.done()
    with ExitStack() as written:
        hidden = written.enter_context(target.place())
        sure = finding.verdict == "face"
        _write(image, hidden, region, target, steps, faceless=sure)
        steps.done()
        again = _read_again(image, hidden, target)
        left = left_of(finding, before, again)
        if left is not None and not left.is_gone:
            raise Refused(
                f"{left.matched_after:.0%} of the face's surface is still there",
                "nothing was written; look at the image and draw the face by hand",
            )
        if mask is not None:
            partial = written.enter_context(new_file(mask, force=target.force))
            code = image.source.space_code
            write(
                region.mask.astype(np.uint8), image.geometry, partial, force=True,
                space_code=code, labels=True,
            )  # fmt: skip
        steps.check()
    facts = _facts(finding, region, left) | plan.document()
    return Defaced("face-removed", finding.why, True, facts)  # noqa: FBT003


def _write(  # noqa: PLR0913  # what is written, and where
    image: _Image, hidden: Path, region: Region | None, target: _Target, steps: _Steps, *,
    faceless: bool,
) -> None:  # fmt: skip
    where = None if region is None else region.mask
    if target.kind == "dicom":
        values, masks = _on_slices(image, where)
        write_copies(
            _parts(image.found), hidden, values, masks, faceless=faceless, check=steps.check
        )
    elif target.kind == ".ome.zarr":
        write_volume(_in_memory(image), hidden, identifiers=False)
    elif image.series.format == "nifti" and can_patch(image.found, target.path):
        write_patched(image.found, hidden, image.array, where)
    else:
        code = image.source.space_code
        write(image.array, image.geometry, hidden, force=True, space_code=code)


def _in_memory(image: _Image) -> MemoryReader:
    reader = image.reader
    return MemoryReader(
        image.array, image.source, reader.modality, reader.unit, reader.name, reader.window,
        tuple(reader.problems),
    )  # fmt: skip


def _on_slices(image: _Image, where: BoolArray | None) -> tuple[npt.NDArray[Any], BoolArray | None]:
    """Values and mask on the slices as they are, in the order of the volume's parts."""
    if where is None or recipe_of(image.found) is None:
        return image.array, where
    values = np.concatenate([one for _, one in onto_source(image.array, image.source)])
    masks = np.concatenate([one for _, one in onto_source(where.astype(np.uint8), image.source)])
    places = {(one.uid, one.frame): one.slice for one in image.source.instances}
    order = [places[facts.sop_uid, facts.frame] for facts in _parts(image.found)]
    return values[order], masks[order].astype(bool)


def _read_again(image: _Image, hidden: Path, target: _Target) -> npt.NDArray[Any]:
    """What was written, on the grid of the image; it must be what was meant.

    Raises
    ------
    OutputError
        If it is not.
    """
    found = find(hidden)
    series = choose_series(found)
    if target.kind == "dicom" and recipe_of(image.found) is not None:
        series, _ = choose(found, "", 0, Choice("resample"))
    reader = open_source(replace(series, volumes=series.volumes[:1]), 0)
    try:
        again = reader.read(0, reader.source.geometry.shape[0])
    except TooNarrow:
        reader.close()
        reader = open_source(replace(series, volumes=series.volumes[:1]), 0, wide=True)
        again = reader.read(0, reader.source.geometry.shape[0])
    finally:
        reader.close()
    if target.kind == "dicom" and recipe_of(image.found) is not None:
        return again  # resampled anew: its values near the region differ
    written = reader.source.axes.apply(again)
    meant = image.source.axes.apply(image.array)
    same = written.shape == meant.shape and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(written, meant, strict=True)
    )
    if not same and not _rounded(written, meant):
        raise OutputError("what was written is not what was meant", "try another format")
    return again


def _rounded(written: npt.NDArray[Any], meant: npt.NDArray[Any]) -> bool:
    """Whether the two differ by no more than the steps in which values are stored."""
    if written.shape != meant.shape or meant.dtype.kind != "f":
        return False
    gap = np.abs(written.astype(np.float64) - meant.astype(np.float64))
    spread = float(np.nanmax(np.abs(meant))) if meant.size else 0.0
    return bool(np.nanmax(gap) <= 1e-3 * max(spread, 1e-12))


def _facts(finding: FaceFinding, region: Region | None, left: Residual | None) -> dict[str, Any]:
    near = None if region is None or not np.isfinite(region.nearest_brain_mm) else (
        round(region.nearest_brain_mm, 2)
    )  # fmt: skip
    before = finding.face_points_matched
    measures = finding.measures
    return {
        "cost": None if measures is None else round(measures.cost, 3),
        "voxels_removed": 0 if region is None else region.voxels,
        "brain_voxels_removed": 0 if region is None else region.brain_voxels,
        "nearest_brain_mm": near,
        "face_points_matched_before": round(before, 4),
        "face_points_matched_after": round(before if left is None else left.matched_after, 4),
        "face_in_view": None if measures is None else round(measures.face.seen, 4),
        "face_surface_moved": None if left is None else round(left.moved, 4),
        "relief_correlation": None if left is None else round(left.relief_correlation, 4),
        "face_likeness": None if left is None else round(left.likeness, 4),
    }
