"""Files in and out of the workspace's sight: scan, convert, measure, compare."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.commands.door import command
from napari_medlabel.commands.finding import check_usable, choose, choose_series, turned
from napari_medlabel.commands.masks import label_maps, pairs_of
from napari_medlabel.commands.sources import find, open_source, read_source
from napari_medlabel.core.derivation import Choice, Irregular
from napari_medlabel.core.metrics import compare_labels, label_statistics
from napari_medlabel.core.volume import Series, VolumeReader
from napari_medlabel.errors import InputError, MedlabelError, OutputError
from napari_medlabel.export import same_grid_or_refuse
from napari_medlabel.files import check_new_file, check_new_folder, new_file, shown
from napari_medlabel.formats import Found, TooNarrow, pieces_of, write
from napari_medlabel.session import Permission, Session
from napari_medlabel.storage.ome_zarr import write_volume

__all__ = ["Converted", "compare", "convert", "convert_all", "scan", "stats", "thumbnail"]

Progress = Callable[[int, int], None]
THUMBNAIL: Final = 96  # pixels of the longer side
SUFFIXES: Final = (".ome.zarr", ".nii.gz", ".nii", ".nrrd", ".mha")


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote, and what it refused with the reason."""

    volumes: tuple[Mapping[str, Any], ...]
    refused: tuple[Mapping[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """The answer as JSON-ready values; `index.json` of a folder is the same."""
        return {"volumes": list(self.volumes), "refused": list(self.refused)}

    def lines(self) -> list[str]:
        """The answer for people."""
        return [
            *(
                f"{one['file']}: series {one['series']}"
                + "".join(f"\n  {p['code']}: {p['what']}" for p in one["problems"])
                for one in self.volumes
            ),
            *(f"series {one['series']} refused: {one['what']}" for one in self.refused),
        ]


@command(needs=Permission.VIEW)
def scan(
    session: Session,  # noqa: ARG001  # the door's
    path: Path,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Found:
    """The series in a folder, file, zip or DICOMDIR: headers only."""
    return find(path, progress=progress, cancelled=cancelled)


@command(needs=Permission.VIEW)
def thumbnail(
    session: Session,  # noqa: ARG001  # the door's
    series: Series,
    volume: int = 0,
) -> npt.NDArray[np.uint8]:
    """The middle slice as grey values, `[row, column]`, at most 96 on a side; never kept.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    check_usable(series, volume)
    reader = open_source(series, volume)
    try:
        middle = reader.source.geometry.shape[0] // 2
        plane = reader.read(middle, middle + 1)[0]
        step = max(1, -(-max(plane.shape) // THUMBNAIL))
        small = plane[::step, ::step].astype(np.float32)
        low, high = reader.window.limits if reader.window else np.percentile(small, (1, 99))
        grey = np.clip((small - low) / max(float(high - low), 1e-6), 0.0, 1.0) * 255.0
        picture: npt.NDArray[np.uint8] = grey.astype(np.uint8)
        return 255 - picture if reader.source.inverted else picture
    finally:
        reader.close()


@command(needs=Permission.EXPORT)
def convert(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    source: Path,
    destination: Path,
    *,
    series: str = "",
    volume: int = 0,
    irregular: Irregular = "refuse",
    step_mm: float | None = None,
    nearest: bool = False,
    quantity: str = "",
    force: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """One volume as a file of the kind that the destination's suffix names, on its own grid.

    Parameters
    ----------
    source, destination
        From where to where.
    series, volume
        Which, as a scan counts them; needed where there are several.
    irregular
        What to do where the slices are not one right-angled grid. "split" writes every evenly
        spaced run into a file of its own, `NAME-1.nii.gz`, `NAME-2.nii.gz`, from the first slice
        to the last; of all volumes where none is named. "largest-run" keeps the longest.
        "resample" makes a right-angled grid, and keeps a volume that is one.
    step_mm
        Between slices that are resampled; the most frequent step without it.
    nearest
        Resample labels: no values in between.
    quantity
        What its values are to be, of those that a scan says it has: "SUVbw".
    force
        Whether files that are there may be replaced.
    progress
        Told how much is done, of how much.

    Raises
    ------
    GeometryError
        If it is not one regular grid, or what was chosen does not make it one.
    OutputError
        If a destination is there already and not to be replaced, or cannot be written.
    """
    suffix = suffix_of(destination)
    choice = Choice(irregular, step_mm, nearest)
    if irregular != "split":  # its files have names of their own
        _check_free(destination, force=force)
    found = find(source)
    if irregular != "split":
        chosen, index = choose(found, series, volume, choice, quantity)
        only = _Wanted(chosen, index, index + 1, destination)
        return Converted((_converted(only, force=force, progress=progress),))
    chosen = turned(choose_series(found, series), volume, quantity)
    volumes = [volume] if volume else range(1, len(chosen.volumes) + 1)
    pieces = [(n, piece) for n in volumes for piece in pieces_of(chosen, n - 1, choice)]
    chosen = replace(chosen, volumes=tuple(piece for _, piece in pieces))
    wanted = [
        _Wanted(chosen, index, n, _numbered(destination, suffix, index + 1, len(pieces)))
        for index, (n, _) in enumerate(pieces)
    ]
    for one in wanted:  # all of them before the first is written
        check_usable(one.series, one.index)
        _check_free(one.path, force=force)
    return Converted(tuple(_converted(one, force=force, progress=progress) for one in wanted))


@command(needs=Permission.EXPORT)
def convert_all(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    source: Path,
    folder: Path,
    *,
    kind: str = "nii.gz",
    irregular: Irregular = "refuse",
    step_mm: float | None = None,
    nearest: bool = False,
    force: bool = False,
    progress: Progress | None = None,
) -> Converted:
    """Every volume that can be one into a folder with `index.json`; the others are named there.

    With a choice for irregular slices as in `convert`, a volume may become several files:
    `2-1-1.nii.gz` and `2-1-2.nii.gz` are the runs of the first volume of series 2.
    """
    suffix = suffix_of(Path(f"x.{kind.lstrip('.')}"))
    found = find(source)
    images = [one for one in found.series if one.kind in {"image", "segmentation"}]
    if not images:
        raise InputError("no image series was found", "medlabel scan shows what there is")
    choice = Choice(irregular, step_mm, nearest)
    wanted = [one for series in images for one in _wanted(series, choice, folder, suffix)]
    _make_folder(folder)
    check_new_file(folder / "index.json", force=force)
    for one in wanted:  # all of them before the first is written
        _check_free(one.path, force=force)
    volumes: list[Mapping[str, Any]] = []
    refused: list[Mapping[str, Any]] = []
    for done, one in enumerate(wanted, 1):
        try:
            volumes.append(_converted(one, force=force))
        except OutputError:
            raise
        except MedlabelError as error:
            refused.append(_refusal(one, error))
        if progress is not None:
            progress(done, len(wanted))
    answer = Converted(tuple(volumes), tuple(refused))
    with new_file(folder / "index.json", force=force) as partial:
        partial.write_text(json.dumps(answer.document(), indent=1), encoding="utf-8")
    return answer


@command(needs=Permission.VIEW)
def stats(
    session: Session,  # noqa: ARG001  # the door's
    mask: Path,
    *,
    image: Path | None = None,
) -> dict[str, Any]:
    """Voxels and mL of each label of a mask file; with an image its values there too."""
    labels = label_maps(mask)
    values = None
    if image is not None:
        below = read_source(image)
        same_grid_or_refuse(labels.geometry, below.geometry)
        values = np.asarray(below.levels[0])
    found = [
        one for array in labels.arrays for one in label_statistics(array, labels.geometry, values)
    ]
    found.sort(key=lambda one: one.value)
    return {"format": 1, "labels": [one.document() for one in found]}


@command(needs=Permission.VIEW)
def compare(session: Session, a: Path, b: Path) -> dict[str, Any]:  # noqa: ARG001  # the door's
    """Dice, HD95, ASSD and volume difference of each label of two mask files on one grid."""
    first, second = label_maps(a), label_maps(b)
    same_grid_or_refuse(first.geometry, second.geometry)
    found = [
        one for pair in pairs_of(first, second) for one in compare_labels(*pair, first.geometry)
    ]
    found.sort(key=lambda one: one.value)
    return {"format": 1, "labels": [one.document() for one in found]}


def suffix_of(path: Path) -> str:
    """The suffix that says what kind of file it is to be.

    Raises
    ------
    InputError
        If it is none that can be written.
    """
    for suffix in SUFFIXES:
        if path.name.casefold().endswith(suffix):
            return suffix
    raise InputError(f"'{shown(path.name)}' names no format", f"end it with {', '.join(SUFFIXES)}")


@dataclass(frozen=True, slots=True, eq=False)
class _Wanted:
    """A volume that is to be a file; `volume` is its number, from 1, as a scan counts them."""

    series: Series
    index: int
    volume: int
    path: Path


def _wanted(series: Series, choice: Choice, folder: Path, suffix: str) -> Iterator[_Wanted]:
    """What the choice makes of every volume of a series, with the names of the files."""
    if not series.volumes:
        yield _Wanted(series, 0, 1, folder / f"{series.number}-1{suffix}")
    for n in range(len(series.volumes)):
        pieces = pieces_of(series, n, choice)
        own = replace(series, volumes=pieces)
        path = folder / f"{series.number}-{n + 1}{suffix}"
        for index in range(len(pieces)):
            yield _Wanted(own, index, n + 1, _numbered(path, suffix, index + 1, len(pieces)))


def _numbered(path: Path, suffix: str, number: int, count: int) -> Path:
    """The name of one of several files that are made where one was named."""
    stem = path.name[: -len(suffix)]
    return path if count == 1 else path.with_name(f"{stem}-{number}{path.name[-len(suffix) :]}")


def _converted(
    wanted: _Wanted, *, force: bool, progress: Progress | None = None
) -> Mapping[str, Any]:
    if not wanted.series.volumes:
        raise InputError("it holds no image")
    check_usable(wanted.series, wanted.index)
    try:
        return _convert(wanted, wide=False, force=force, progress=progress)
    except TooNarrow:
        return _convert(wanted, wide=True, force=force, progress=progress)


def _convert(
    wanted: _Wanted, *, wide: bool, force: bool, progress: Progress | None
) -> Mapping[str, Any]:
    reader = open_source(wanted.series, wanted.index, wide=wide)
    try:
        _write(reader, wanted.path, force=force, progress=progress)
        return _entry(wanted, reader)
    finally:
        reader.close()


def _write(reader: VolumeReader, path: Path, *, force: bool, progress: Progress | None) -> None:
    if suffix_of(path) == ".ome.zarr":
        total = max(reader.source.geometry.shape)
        done = 0

        def loaded(start: int, stop: int) -> None:
            nonlocal done
            done += stop - start
            if progress is not None:
                progress(done, max(done, total))

        write_volume(reader, path, identifiers=False, loaded=loaded, force=force)
        return
    geometry = reader.source.geometry
    voxels = reader.read(0, geometry.shape[0])
    write(voxels, geometry, path, force=force, space_code=reader.source.space_code)


def _entry(wanted: _Wanted, reader: VolumeReader) -> Mapping[str, Any]:
    entry = {
        "file": wanted.path.name,
        "series": wanted.series.number,
        "volume": wanted.volume,
        "name": reader.name,
        "problems": [problem.document() for problem in reader.problems],
    }
    made = reader.source.derivation  # a plain file has no other place for it
    return entry if made is None else entry | {"derivation": made.document()}


def _refusal(wanted: _Wanted, error: MedlabelError) -> Mapping[str, Any]:
    series = wanted.series
    own = series.volumes[wanted.index].problems if series.volumes else ()
    problems = [*own, *series.problems]
    blocking = [problem for problem in problems if problem.blocking] or problems
    code = blocking[0].code if blocking else "undecodable"
    return {"series": series.number, "volume": wanted.volume, "code": code, "what": error.what}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{shown(folder)} cannot be made: {error.strerror}", "choose another folder"
        ) from error


def _check_free(path: Path, *, force: bool) -> None:
    """Before anything is read: a minute of work must not end in "exists already"."""
    if suffix_of(path) == ".ome.zarr":
        check_new_folder(path, force=force, marker="zarr.json")
    else:
        check_new_file(path, force=force)
