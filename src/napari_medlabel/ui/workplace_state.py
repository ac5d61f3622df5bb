"""What strip, view bar, status line and preview bar show of an open case; pure functions."""

from typing import Final, Literal

from napari_medlabel.session import OpenCase
from napari_medlabel.ui.annotate_state import AnnotateState
from napari_medlabel.ui.kept_state import KeptRow, change_words
from napari_medlabel.ui.preview_bar import PreviewState
from napari_medlabel.ui.proposals import Proposals
from napari_medlabel.ui.readout import Readout, StatusState, readout
from napari_medlabel.ui.sight import Overlay, Proposal, RangePreview, Sight
from napari_medlabel.ui.state import volume_words
from napari_medlabel.ui.strip_state import Lane, Mark, StripState, as_flags
from napari_medlabel.ui.tool_settings import limit_words
from napari_medlabel.ui.view_bar_state import ViewBarState

__all__ = [
    "kept_rows", "preview_state", "status_state", "strip_state", "under_pointer", "view_bar_state",
]  # fmt: skip

_SAVED: Final[dict[str, Literal["saved", "saving", "failed"]]] = {
    "failed": "failed", "saving": "saving",
}  # fmt: skip


def strip_state(
    case: OpenCase, sight: Sight, axis: int, active: int, marks: tuple[Mark, ...] = ()
) -> StripState:
    """Which slices along an axis carry which segments, and where one is."""
    segmentation, geometry = case.segmentation, case.volume.geometry
    count = sight.shape[axis]
    lanes = tuple(
        Lane(one.value, one.name, one.color,
             as_flags((int(n) for n in segmentation.slices_along(one.value, axis)), count))
        for one in segmentation.schema
    )  # fmt: skip
    proposal = sight.proposal
    preview = proposal.slices(axis) if isinstance(proposal, Proposal) else ()
    along = geometry.direction[:, axis]
    step, origin = geometry.spacing_mm[axis], float(along @ geometry.lps_from_kji[:3, 3])
    ends = sight.ends(axis)
    return StripState(
        count, sight.position[axis], "Slices", (ends[0].upper(), ends[1].upper()), lanes,
        active, frozenset(preview), marks, tuple(origin + step * n for n in range(count)),
    )  # fmt: skip


def view_bar_state(
    state: AnnotateState, sight: Sight, *, initials: str = "", heads: bool = False
) -> ViewBarState:
    """Layout, what is seen, window, undo; `heads` where two heads stand over the slices."""
    look, choices = sight.look, state.choices
    return ViewBarState(
        "2x2" if heads else look.layout, look.crosshair, look.linked, choices.shown, choices.style,
        round(100.0 * look.fill), choices.windows, state.window, state.unit,
        sight.layers.inverted, state.undo, state.redo, initials,
    )  # fmt: skip


def status_state(
    state: AnnotateState, under: Readout, overlay: Overlay | None,
    engine: tuple[str, bool] = ("", True),
) -> StatusState:  # fmt: skip
    """What is under the pointer, whether all is saved, and the engine: words, whether ready."""
    overlaid = overlay is not None and overlay.shown and overlay.value_of is not None
    saved = _SAVED.get(state.saved_kind, "saved")
    words, ready = engine
    return StatusState(
        under, state.saved, saved, overlaid=overlaid, engine=words, engine_ready=ready
    )


def under_pointer(
    case: OpenCase, sight: Sight, kji: tuple[float, float, float] | None, value: int
) -> Readout:
    """The place in the patient, the image there and the segment it belongs to."""
    if kji is None or not sight.holds(kji):
        return Readout()
    label = case.segmentation.schema.get(value)
    named = ("", "") if label is None else (label.name, label.color)
    unit = "" if case.volume.unit == "stored" else case.volume.unit
    voxel = sight.nearest(kji)
    geometry, second = case.volume.geometry, sight.overlaid_at(voxel)
    return readout(geometry, kji, sight.value_at(voxel), unit, named, second=second)


def preview_state(case: OpenCase, proposals: Proposals, axis: int) -> PreviewState | None:
    """The preview that waits for an answer, or what is being made; None for neither."""
    schema, found = case.segmentation.schema, proposals.open
    if proposals.making and proposals.slow:
        label = schema.get(proposals.making_value)
        return PreviewState(
            proposals.making, label.name if label else "", label.color if label else "",
            busy=proposals.progress or (0, 0),
        )  # fmt: skip
    if found is None:
        return None
    label = schema.get(found.value)
    name, color = (label.name, label.color) if label else ("", "")
    if isinstance(found, RangePreview):
        return PreviewState(found.words, name, color)
    slices = found.slices(axis)
    here = proposals.here(axis) in slices
    return PreviewState(
        found.words, name, color, volume_words(found.voxels * case.volume.geometry.voxel_ml),
        len(slices), found.seconds,
        slice_reason="" if here else "It does not reach this slice",
        change="" if found.change_ml is None else change_words(found.change_ml),
        note=found.note or limit_words(found.what.settings),
    )  # fmt: skip


def kept_rows(case: OpenCase, proposals: Proposals) -> tuple[KeptRow, ...]:
    """The chips that lead back to previews put aside."""
    schema, voxel_ml = case.segmentation.schema, case.volume.geometry.voxel_ml
    return tuple(
        KeptRow(schema[one.value].name, schema[one.value].color, one.words,
                f"{volume_words(one.voxels * voxel_ml)} mL")
        for one in proposals.kept
    )  # fmt: skip
