"""Segmenting by prompts in a case: what accepting an answer would do, and doing it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_medlabel.commands.door import command
from napari_medlabel.commands.rehearsing import Rehearsed, on_slice, rehearse
from napari_medlabel.commands.segmenting import Interactive, interactive
from napari_medlabel.commands.tools import applied, image_of
from napari_medlabel.core.accepting import Where, answer_edit, gained_in
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import BoolArray
from napari_medlabel.core.prompt import to_document
from napari_medlabel.core.region import Box, Stop, never
from napari_medlabel.core.segmentation import IntensityMask
from napari_medlabel.engines.registry import DEFAULT
from napari_medlabel.errors import InputError
from napari_medlabel.session import OpenCase, Permission, Session

__all__ = ["AnswerPreview", "accept_answer", "assist", "preview_answer"]

ACCEPTED = "Accept answer"


@command(needs=Permission.VIEW)
def assist(  # noqa: PLR0913
    session: Session,  # noqa: ARG001  # the door's
    case: OpenCase,
    *,
    refine: int | None = None,
    engine: str = DEFAULT,
    device: str = "auto",
    cancelled: Stop = never,
) -> Interactive:
    """Begin to segment one object of a case by prompts; may be called off the main thread.

    Parameters
    ----------
    session, case
        Whose image is looked at; nothing is changed before `accept_answer`.
    refine
        The label value of a segment to correct, or a new object without it.
    engine, device, cancelled
        As for `interactive`.
    """
    case.check_open()
    image_of(case)
    start = None
    if refine is not None:
        start = np.asarray(case.segmentation.labels_of(refine) == refine)
    return interactive(case.volume, engine, device, start=start, cancelled=cancelled)


@command(needs=Permission.SEGMENT)
def accept_answer(  # noqa: PLR0913
    session: Session, case: OpenCase, value: int, asked: Interactive, *,  # noqa: ARG001
    threshold: float = 0.5, replace: bool = False, over_others: bool = False,
    only_over: int | None = None, inside: int | None = None,
    only_slice: tuple[int, int] | None = None,
) -> Edit:  # fmt: skip
    """Give a segment the voxels of an answer: one step of the history, with all that led to it.

    Locks and the intensity mask trim it, as they do every edit.

    Parameters
    ----------
    session, case
        Where it is written.
    value
        The segment's label value.
    asked
        Whose last answer.
    threshold
        Of the probability.
    replace
        Whether the segment's voxels outside of the answer are erased: for a refined segment.
    over_others
        Whether voxels of other segments may be taken; locked ones never are.
    only_over
        A segment whose voxels alone may be taken.
    inside
        A segment that the answer is cut to. Its voxels may be taken where both are of one group,
        and are given back where `replace` erases.
    only_slice
        Axis and number of the one slice that is written.

    Raises
    ------
    InputError
        If there is no such segment, no answer yet, or the threshold is no probability.
    """
    case.check_open()
    if not 0.0 <= threshold < 1.0:
        raise InputError("the threshold is no probability", "choose one from 0 up to 1")
    if not asked.prompts and not asked.found:
        raise InputError("there is no answer yet", "click into the object first")
    segmentation = case.segmentation
    where = Where(over_others, only_over, inside, _other_group(case, value, inside))
    answer = asked.answer
    edit = answer_edit(
        segmentation.labels_of(value), value, answer.box, answer.mask(threshold), where,
        replace=replace,
    )  # fmt: skip
    if only_slice is not None:
        edit = edit.only(on_slice(edit, *only_slice))
    chosen: dict[str, Any] = {"only_over": only_over, "inside": inside}
    chosen["found_as"] = asked.found or None
    chosen["runner_up"] = asked.chosen or None
    chosen["only_slice"] = None if only_slice is None else list(only_slice)
    chosen = {name: one for name, one in chosen.items() if one is not None}
    return applied(
        case, edit, ACCEPTED, label=value, **asked.facts.document(),
        **to_document(asked.prompts), threshold=threshold, replace=replace,
        over_others=over_others, **chosen, **_mask_settings(segmentation.intensity_mask),
        seconds=round(asked.seconds, 3),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class AnswerPreview:
    """What accepting an answer would do.

    Parameters
    ----------
    what
        What it would write.
    box, mask
        The object as it would be in the segment: of a new one what it would gain, of a refined
        one all of it. bool, the box's shape.
    ml
        Its volume.
    """

    what: Rehearsed
    box: Box
    mask: BoolArray
    ml: float


@command(needs=Permission.VIEW)
def preview_answer(
    session: Session,
    /,
    case: OpenCase,
    value: int,
    asked: Interactive,
    *,
    replace: bool = False,
    **how: Any,  # noqa: ANN401  # as `accept_answer`
) -> AnswerPreview:
    """What `accept_answer` would do now; nothing is written. May be called off the main thread.

    Parameters
    ----------
    session, case, value, asked, replace, **how
        As for `accept_answer`.
    """
    what = rehearse(session, case, accept_answer, value, asked, replace=replace, **how)
    box, labels = asked.answer.box, case.segmentation.labels_of(value)
    mask = np.zeros(asked.answer.probability.shape, bool)
    if replace:
        mask |= (labels[box] == value) & asked.answer.mask(how.get("threshold", 0.5))
    for edit in what.edits:
        mask |= gained_in(edit, box, value)
    return AnswerPreview(what, box, mask, int(mask.sum()) * case.volume.geometry.voxel_ml)


def _other_group(case: OpenCase, value: int, inside: int | None) -> Any:  # noqa: ANN401  # labels
    """The labels that `inside` is of, where that is another group than the segment's."""
    segmentation = case.segmentation
    if inside is None:
        return None
    labels = segmentation.labels_of(inside)
    return None if segmentation.group_of(inside) == segmentation.group_of(value) else labels


def _mask_settings(mask: IntensityMask | None) -> dict[str, Any]:
    if mask is None:
        return {}
    kept: dict[str, Any] = {"intensity_mask": [mask.lower, mask.upper]}
    return kept | ({"outside": True} if mask.outside else {})
