"""Volumes of DICOM files in which faces are looked for: read, changed by slices, read again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.geometry import BoolArray, Geometry
from napari_medlabel.core.volume import FoundVolume, Series, Source
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats import TooNarrow, onto_source, open_reader, recipe_of, with_choice
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.formats.dicom_instance import InstanceFacts
from napari_medlabel.privacy.pixel_change import Patch, patch_of

__all__ = ["HeadImage", "parts_of", "patches_of", "pieces_of", "read_image", "read_written"]

Array = npt.NDArray[Any]
Patches = dict[Place, dict[int, tuple[Patch, ...]]]
_CHOICES: Final = (Choice("resample"), Choice("split"))
_DEPTHS: Final = frozenset({8, 16, 32})


@dataclass(frozen=True, slots=True, eq=False)
class HeadImage:
    """A volume in memory, in its source's own layout, and the slices that it is made of.

    Parameters
    ----------
    series
        Of this one volume.
    array
        `[k, j, i]` on `source.geometry`.
    source, unit
        As a reader tells them.
    """

    series: Series
    array: Array
    source: Source
    unit: str

    @property
    def found(self) -> FoundVolume:
        """The volume as it was found, or made of what was."""
        return self.series.volumes[0]

    @property
    def geometry(self) -> Geometry:
        """Of the array."""
        return self.source.geometry

    @property
    def is_derived(self) -> bool:
        """Whether its slices are no regular grid, so that it was resampled to be looked at."""
        return recipe_of(self.found) is not None

    @property
    def parts(self) -> tuple[InstanceFacts, ...]:
        """The slices as they are stored."""
        return parts_of(self.found)


def parts_of(found: FoundVolume) -> tuple[InstanceFacts, ...]:
    """The slices of a volume as they are stored."""
    recipe = recipe_of(found)
    return (recipe.found if recipe else found).parts


def pieces_of(series: Series, volume: int) -> list[Series]:
    """What is looked at of a volume, each a series of one volume.

    One that is no regular grid is to be resampled, else each of its regular runs is looked at; what
    can be neither stays as it is, and is refused when it is read.
    """
    found = replace(series, volumes=(series.volumes[volume],))
    if found.volumes[0].usable:
        return [found]
    for choice in _CHOICES:
        made = with_choice(found, choice).volumes
        if made and all(one.usable for one in made):
            return [replace(series, volumes=(one,)) for one in made]
    return [found]


def read_image(one: Series) -> HeadImage:
    """Read the one volume of a series.

    Raises
    ------
    GeometryError
        If its slices are no volume.
    InputError
        If it cannot be read, or its pixels could not be changed; in words for a person.
    """
    if not one.volumes[0].usable:
        raise GeometryError("its slices have no one place in space")
    for facts in parts_of(one.volumes[0]) if one.format == "dicom" else ():
        if facts.samples != 1 or facts.bits_allocated not in _DEPTHS or facts.pixels is None:
            raise InputError("its pixels are not plain numbers")
    array, source, unit = _read(one)
    if array.dtype.kind not in "iuf":
        raise InputError("its pixels are not plain numbers")
    if not array.flags.writeable or not array.flags.owndata:
        array = np.array(array)
    return HeadImage(one, array, source, unit)


def read_written(image: HeadImage, new: Mapping[Place, InstanceFacts]) -> Array:
    """The voxels of the written files of a volume, on the same grid.

    Parameters
    ----------
    image
        The volume as it was read.
    new
        By each old file, the facts of the new one.

    Raises
    ------
    InputError
        If one of them is missing, or cannot be read.
    """
    return _read(replace(image.series, volumes=(_moved(image.found, new),)))[0]


def patches_of(image: HeadImage, where: BoolArray) -> Patches:
    """What changes in each file and frame, of a volume whose array was changed at some voxels."""
    values, masks = image.array, where
    if image.is_derived:
        values, masks = _on_slices(image, image.array), _on_slices(image, where.astype(np.uint8))
    found: Patches = {}
    for k, facts in enumerate(image.parts):
        one = patch_of(masks[k].astype(bool), values[k], facts)
        if one is not None:
            frames = found.setdefault(facts.place, {})
            frames[facts.frame] = (*frames.get(facts.frame, ()), one)
    return found


def _read(series: Series) -> tuple[Array, Source, str]:
    try:
        return _read_as(series, wide=False)
    except TooNarrow:
        return _read_as(series, wide=True)


def _read_as(series: Series, *, wide: bool) -> tuple[Array, Source, str]:
    reader = open_reader(series, wide=wide)
    try:
        return reader.read(0, reader.source.geometry.shape[0]), reader.source, reader.unit
    finally:
        reader.close()


def _moved(found: FoundVolume, new: Mapping[Place, InstanceFacts]) -> FoundVolume:
    """The same volume in other files."""
    recipe = recipe_of(found)
    if recipe is not None:
        return replace(found, parts=(replace(recipe, found=_moved(recipe.found, new)),))
    return replace(found, parts=tuple(_moved_slice(facts, new) for facts in found.parts))


def _moved_slice(facts: InstanceFacts, new: Mapping[Place, InstanceFacts]) -> InstanceFacts:
    there = new.get(facts.place)
    if there is None:
        raise InputError("a file of the volume was not written")
    return replace(
        facts, place=there.place, syntax=there.syntax, little=there.little, pixels=there.pixels,
        photometric=there.photometric, bits_stored=there.bits_stored, high_bit=there.high_bit,
    )  # fmt: skip


def _on_slices(image: HeadImage, values: Array) -> Array:
    """Values of a resampled grid on the slices as they are, in the order of the parts."""
    stacked = np.concatenate([one for _, one in onto_source(values, image.source)])
    places = {(one.uid, one.frame): one.slice for one in image.source.instances}
    return stacked[[places[facts.sop_uid, facts.frame] for facts in image.parts]]
