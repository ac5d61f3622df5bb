"""Find a known part of the body in a volume, or say why it cannot be found."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from napari_medlabel.core.automatic.body import SKIN_HU, coarse_body, tissue_limit
from napari_medlabel.core.automatic.bone import BONE_HU, coarse_bone
from napari_medlabel.core.automatic.brain import HEAD_MM, coarse_brain
from napari_medlabel.core.automatic.look import CoarseLook, coarse_look, enlarged, refined
from napari_medlabel.core.automatic.lungs import (
    LUNG_LIMITS_HU,
    GasAndLungs,
    gas_and_lungs,
    in_two,
)
from napari_medlabel.core.automatic.shapes import grown, islands, shrunk
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.region import (
    Box,
    Report,
    Stop,
    box_of,
    check_not_stopped,
    never,
    silent,
    whole_box,
)
from napari_medlabel.core.schema import Code
from napari_medlabel.core.volume import Volume
from napari_medlabel.errors import InputError

__all__ = ["PARTS", "Found", "Part", "find", "part_of"]

VERSION: Final = 1  # of the rules; provenance keeps it
_STEP_MM: Final = 2.5
_BONE_STEP_MM: Final = 2.25
_BRAIN_STEP_MM: Final = 1.75
_FLAT_STEP_MM: Final = 1.0  # for a brain in thick slices
_FLAT_MM: Final = 3.0
_LEAST_BODY_ML: Final = 50.0
_LEAST_SHARE: Final = 0.01
_TABLE_HU: Final = -500.0
_THIN_TABLE_HU: Final = -800.0  # a table's shell is thinner than a coarse voxel
_LEAST_TABLE_ML: Final = 5.0
_LEAST_GAS_ML: Final = 0.5
_LEAST_BONE_ML: Final = 2.0
SKIN_MM: Final = 2.0
_STORED_CT: Final = 300.0  # the median of a CT that nobody rescaled

_LEFT, _RIGHT = Code("7771000", "SCT", "Left"), Code("24028007", "SCT", "Right")
_LUNG: Final = Code("39607008", "SCT", "Lung")


@dataclass(frozen=True, slots=True)
class Part:
    """A part that can be found.

    Parameters
    ----------
    id
        For scripts: "left-lung".
    name
        For people, and of its segment: "Left lung".
    tip
        What is taken, in one sentence.
    code, modifiers
        What it is, for machines.
    ct_only
        Why it cannot be found in MR; "" where it can.
    """

    id: str
    name: str
    tip: str
    code: Code | None = None
    modifiers: tuple[Code, ...] = ()
    ct_only: str = ""


_BY_DENSITY: Final = "gas and lung are told by their density in HU"
PARTS: Final = (
    Part("body", "Body", "The patient with all that lies within, without table and sheets",
         Code("38266002", "SCT", "Entire body")),
    Part("skin", "Skin", f"The outer {SKIN_MM:g} mm of the body", Code("39937001", "SCT", "Skin")),
    Part("lungs", "Lungs", "Both lungs with their vessels, without the large airways", _LUNG,
         ct_only=_BY_DENSITY),
    Part("left-lung", "Left lung", "The patient's left lung", _LUNG, (_LEFT,), _BY_DENSITY),
    Part("right-lung", "Right lung", "The patient's right lung", _LUNG, (_RIGHT,), _BY_DENSITY),
    Part("bone", "Bone", "Bones with their marrow, without vessels that contrast fills",
         Code("272673000", "SCT", "Bone"), ct_only="in MR bone is as dark as air"),
    Part("brain", "Brain", "The brain with cerebellum and stem, without skull and skin",
         Code("12738006", "SCT", "Brain")),
    Part("air", "Air in the body", "Gas inside of the body that is not lung", ct_only=_BY_DENSITY),
    Part("airways", "Airways", "Windpipe and large airways; in a head all gas",
         Code("89187006", "SCT", "Airway"), ct_only=_BY_DENSITY),
    Part("bowel-gas", "Bowel gas", "Gas inside of the body that is neither lung nor airway",
         ct_only=_BY_DENSITY),
    Part("table", "Table", "What lies around the body: table, sheets and tubes",
         ct_only="an MR shows no table"),
    Part("outside", "Outside", "All that is not the body: air, table and what else is there"),
)  # fmt: skip
_BY_ID: Final = {part.id: part for part in PARTS}


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A part that was found.

    Parameters
    ----------
    part
        Which.
    mask
        bool, `[k, j, i]`, the volume's shape.
    ml
        How large.
    notes
        What a person should know about it, in words.
    settings
        How it was found: for provenance.
    """

    part: Part
    mask: BoolArray
    ml: float
    notes: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)


def part_of(name: str) -> Part:
    """The part with this id.

    Raises
    ------
    InputError
        If there is none.
    """
    part = _BY_ID.get(name)
    if part is None:
        raise InputError(f"{name!r} is not among the known parts", f"they are: {', '.join(_BY_ID)}")
    return part


def find(volume: Volume, what: str, *, cancelled: Stop = never, progress: Report = silent) -> Found:
    """Find a known part of the body, by rules alone.

    Parameters
    ----------
    volume
        CT in HU, or MR; of a file that does not say which, numbers that look like HU are HU.
    what
        The id of one of `PARTS`.
    cancelled
        Polled.
    progress
        Called with hundredths done, and 100.

    Raises
    ------
    InputError
        If it is not in view, cannot be told in such an image, or is not plausible; with why.
    Cancelled
        If `cancelled` says so.
    """
    part = part_of(what)
    look = coarse_look(volume, _step(volume, what), cancelled=cancelled,
                       progress=_share(progress, 0, 30))  # fmt: skip
    _check_kind(look, part)
    search = _Search(look, cancelled, _share(progress, 60, 100))
    mask, notes = _FINDERS[what](search)
    check_not_stopped(cancelled)
    ml = float(np.count_nonzero(mask)) * volume.geometry.voxel_ml
    if not ml:
        raise InputError(f"no {part.name.lower()} in view", "choose another part, or draw it")
    if look.assumed:
        notes += ("the file does not say so, but its numbers look like HU and were taken as such",)
    settings = {"what": what, "rules": VERSION, "as": "CT" if look.is_ct else "MR",
                "coarse_mm": [round(mm, 3) for mm in look.spacing_mm]}  # fmt: skip
    progress(100, 100)
    return Found(part, mask, ml, notes, settings)


_Mask = tuple[BoolArray, tuple[str, ...]]


class _Search:
    """One look at a volume, and each part that can be found from it."""

    def __init__(self, look: CoarseLook, cancelled: Stop, progress: Report) -> None:
        self.look, self.cancelled, self.progress = look, cancelled, progress
        self.coarse = coarse_body(look)
        check_not_stopped(cancelled)
        ml = look.ml(self.coarse)
        if ml < max(_LEAST_BODY_ML, _LEAST_SHARE * float(look.means.size) * look.geometry.voxel_ml):
            limit = f"{tissue_limit(look):.0f} HU" if look.is_ct else "the noise"
            raise InputError(
                f"no body in view: {ml:.0f} mL are brighter than {limit} and hang together",
                "choose an image that shows a patient",
            )

    def body(self) -> _Mask:
        limits = (tissue_limit(self.look), np.inf)
        return self._fine(self.coarse, limits), self._cut(self.coarse)

    def skin(self) -> _Mask:
        body, _notes = self.body()
        spacing = self.look.volume.geometry.spacing_mm
        deep_mm = max(SKIN_MM, min(spacing))  # one voxel at least
        halo = int(deep_mm / spacing[0]) + 1
        inner = body.copy()
        thick = max(4 * halo, 8)
        for start in range(0, len(body), thick):
            check_not_stopped(self.cancelled)
            first = max(start - halo, 0)
            deep = shrunk(body[first : start + thick + halo], deep_mm, spacing)
            inner[start : start + thick] = deep[start - first : start - first + thick]
        return body & ~inner, (
            f"the outer {deep_mm:.2g} mm, and none where the image cuts the body off",
        )

    def outside(self) -> _Mask:
        body, _notes = self.body()
        return np.logical_not(body, out=body), ()

    def table(self) -> _Mask:
        look = self.look
        body, _notes = self.body()
        around = ~grown(self.coarse, 1.01 * max(look.spacing_mm), look.spacing_mm)
        numbers, sizes = islands(around & (look.means > _THIN_TABLE_HU), corners=True)
        things = np.asarray((sizes * look.geometry.voxel_ml > _LEAST_TABLE_ML)[numbers])
        fine = refined(look, things, (_TABLE_HU, np.inf), reach_mm=_STEP_MM,
                       kept=np.zeros_like(things), cancelled=self.cancelled,
                       progress=self.progress)  # fmt: skip
        fine &= ~body
        if not fine.any():
            raise InputError("no table in view: nothing but air is around the body")
        return fine, ("everything around the body that is denser than foam",)

    def lungs(self) -> _Mask:
        found = self._air()
        return self._lung(found, found.lungs), self._cut(found.lungs)

    def left_lung(self) -> _Mask:
        return self._one_lung(1)

    def right_lung(self) -> _Mask:
        return self._one_lung(0)

    def bone(self) -> _Mask:
        look, box = self._around_body()
        bone = self._placed(coarse_bone(look, self.coarse[box]), box)
        ml = self.look.ml(bone)
        if ml < _LEAST_BONE_ML:
            raise InputError(f"no bone in view: {ml:.1f} mL are as dense and rough as bone")
        return self._fine(bone, (BONE_HU, np.inf)), ("calcium in vessels may be among it",)

    def brain(self) -> _Mask:
        look, box = self._around_body(HEAD_MM)
        brain, notes = coarse_brain(look, self.coarse[box], cancelled=self.cancelled)
        return enlarged(self.look, self._placed(brain, box), cancelled=self.cancelled), notes

    def air(self) -> _Mask:
        found = self._air(lungs=False)
        return self._gas(found, found.gas, "gas")

    def airways(self) -> _Mask:
        found = self._air(lungs=False)
        return self._gas(found, found.airways, "airways")

    def bowel_gas(self) -> _Mask:
        found = self._air(lungs=False)
        return self._gas(found, found.gas & ~found.airways, "bowel gas")

    # How

    def _around_body(self, tall_mm: float = np.inf) -> tuple[CoarseLook, Box]:
        """The look at the body's box, or at what of it is so far from its top."""
        box = box_of(self.coarse, 1) or whole_box(self.coarse.shape)
        rows = tall_mm / self.look.spacing_mm[0]
        first = max(box[0].start, int(box[0].stop - rows)) if np.isfinite(rows) else box[0].start
        box = (slice(first, box[0].stop), box[1], box[2])
        return self.look.cut(box), box

    def _placed(self, mask: BoolArray, box: Box) -> BoolArray:
        out = np.zeros_like(self.coarse)
        out[box] = mask
        return out

    def _fine(self, coarse: BoolArray, limits: tuple[float, float], **more: Any) -> BoolArray:  # noqa: ANN401
        return refined(
            self.look, coarse, limits, reach_mm=min(_STEP_MM, *self.look.spacing_mm),
            cancelled=self.cancelled, progress=self.progress, **more,
        )  # fmt: skip

    def _air(self, *, lungs: bool = True) -> GasAndLungs:
        found = gas_and_lungs(self.look, self.coarse)
        check_not_stopped(self.cancelled)
        if lungs and not found.lungs.any():
            raise InputError(
                "no lungs in view: no part of the body is as dense as lung and large, or cut off "
                "by the image", "choose an image that shows the chest",
            )  # fmt: skip
        return found

    def _lung(self, found: GasAndLungs, lung: BoolArray) -> BoolArray:
        others = found.gas | (found.lungs & ~lung)
        return self._fine(lung, LUNG_LIMITS_HU, allowed=~others)

    def _one_lung(self, side: int) -> _Mask:
        found = self._air()
        lung = in_two(self.look, self.coarse, found.lungs)[side]
        if not lung.any():
            name = ("right", "left")[side]
            raise InputError(f"no {name} lung in view", "choose both lungs, or the other one")
        return self._lung(found, lung), self._cut(lung)

    def _gas(self, found: GasAndLungs, gas: BoolArray, name: str) -> _Mask:
        if self.look.ml(gas) < _LEAST_GAS_ML:
            raise InputError(f"no {name} in view: {self.look.ml(gas):.1f} mL of gas are there")
        limits = (-np.inf, tissue_limit(self.look))
        return self._fine(gas, limits, allowed=~found.lungs & self.coarse), ()

    def _cut(self, mask: BoolArray) -> tuple[str, ...]:
        """Which ends of the image it reaches, of those that a part as tall would not."""
        ends = [name for name, at in (("below", 0), ("above", -1)) if mask[at].any()]
        sides = any(mask[:, at].any() or mask[:, :, at].any() for at in (0, -1))
        words = [*ends, *(["at the sides"] if sides else [])]
        return (f"the image cuts it off {' and '.join(words)}",) if words else ()


_FINDERS: Final[dict[str, Callable[[_Search], _Mask]]] = {
    "body": _Search.body, "skin": _Search.skin, "lungs": _Search.lungs,
    "left-lung": _Search.left_lung, "right-lung": _Search.right_lung, "bone": _Search.bone,
    "brain": _Search.brain, "air": _Search.air, "airways": _Search.airways,
    "bowel-gas": _Search.bowel_gas, "table": _Search.table, "outside": _Search.outside,
}  # fmt: skip


def _step(volume: Volume, what: str) -> float:
    if what == "bone":
        return _BONE_STEP_MM
    if what == "brain":
        thick = max(volume.geometry.spacing_mm) > _FLAT_MM
        return _FLAT_STEP_MM if thick else _BRAIN_STEP_MM
    return _STEP_MM


def _share(progress: Report, first: int, last: int) -> Report:
    """A part of the progress, in hundredths of the whole."""
    return lambda done, total: progress(first + (last - first) * done // max(total, 1), 100)


def _check_kind(look: CoarseLook, part: Part) -> None:
    if look.is_ct:
        some = look.means[::2, ::2, ::2]
        low, usual = (float(x) for x in np.percentile(some, (5, 50)))
        if low > -5.0 and usual > _STORED_CT:
            raise InputError(
                f"this is not a CT in HU: half of it is above {usual:.0f}",
                "open the DICOM series it was made from, which says how to rescale it",
            )
        if part.ct_only == _BY_DENSITY and float(look.means.min()) > SKIN_HU:
            raise InputError(
                f"{part.name} cannot be found: nothing in the image is below {SKIN_HU:.0f} HU, so "
                "that it shows no air, or is not a CT in HU", "open the DICOM series, or draw it",
            )  # fmt: skip
        return
    if part.ct_only:
        raise InputError(
            f"{part.name} cannot be found: this is not a CT in HU, and {part.ct_only}",
            "draw it, or open the CT",
        )
