"""What the bar of a preview says, as a value; it knows no Qt."""

from dataclasses import dataclass

__all__ = ["PreviewState", "preview_words"]


@dataclass(frozen=True, slots=True)
class PreviewState:
    """All that the bar shows.

    Parameters
    ----------
    what
        Whose preview: "Interpolation".
    segment
        The name of its segment, or "3 segments".
    color
        The segment's, "#RRGGBB".
    ml, slices
        How much it would add or take, as words: "34.2", 12; "" and 0 where nobody has counted.
    seconds
        How long it took; None leaves it out.
    busy
        Done and total while it is made; a total of 0 where nobody knows. None: it is there.
    left
        How long that still takes, in words: "about 2 s left".
    slice_reason
        Why not this slice alone ("It does not reach this slice"); "" where it can be taken.
    change
        How much larger it is than the preview it corrects, as words: "+1.3"; "" for none.
    note
        What else is to be known of it: "stopped at 50 mL"; "" for nothing.
    """

    what: str
    segment: str
    color: str
    ml: str = ""
    slices: int = 0
    seconds: float | None = None
    busy: tuple[int, int] | None = None
    left: str = ""
    slice_reason: str = ""
    change: str = ""
    note: str = ""


def preview_words(state: PreviewState) -> str:
    """The numbers: "34.2 mL (+1.3) · 12 slices · 0.8 s"; while it is made, how far it is."""
    if state.busy is not None:
        done, total = state.busy
        count = f"{done} of {total}" if total else ""
        return ", ".join(filter(None, (count, state.left)))
    change = f" ({state.change})" if state.change else ""
    parts = [f"{state.ml} mL{change}" if state.ml else ""]
    if state.slices:
        parts.append("1 slice" if state.slices == 1 else f"{state.slices} slices")
    parts += ["" if state.seconds is None else f"{state.seconds:.1f} s", state.note]
    return " · ".join(filter(None, parts))
