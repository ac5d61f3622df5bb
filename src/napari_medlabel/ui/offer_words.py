"""What an offer would do, in words with numbers, before it is done."""

from napari_medlabel.commands import Offer
from napari_medlabel.ui.geometry_facts import DEGREE, slices_words

__all__ = ["offer_verb", "offer_words"]


def offer_verb(offer: Offer) -> str:
    """What its button says."""
    match offer.choice.irregular:
        case "largest-run":
            return "Open longest run"
        case "split":
            return f"Split into {len(offer.pieces)} {_what(offer)}"
        case _:
            return "Resample to a regular grid\N{HORIZONTAL ELLIPSIS}"


def offer_words(offer: Offer) -> str:
    """What comes of it: slices, distances, what is left out, what is corrected."""
    match offer.choice.irregular:
        case "largest-run":
            return _run_words(offer)
        case "split":
            return _split_words(offer)
        case _:
            return _resampled_words(offer)


def _what(offer: Offer) -> str:
    copies = any(p.code == "copies-by-number" for piece in offer.pieces for p in piece.problems)
    return "volumes" if copies else "runs"


def _run_words(offer: Offer) -> str:
    grid = offer.pieces[0].geometry
    if grid is None:
        return ""
    words = f"{grid.shape[0]} of {slices_words(offer.slices)}, {_step(offer)} apart; "
    return f"{words}{slices_words(offer.left_out)} left out{_still_tilted(offer)}"


def _split_words(offer: Offer) -> str:
    counts = [piece.geometry.shape[0] for piece in offer.pieces if piece.geometry is not None]
    bad = sum(not piece.usable for piece in offer.pieces)
    if not counts:
        return ""
    listed = (
        f"{', '.join(map(str, counts[:-1]))} and {counts[-1]}" if counts[1:] else f"{counts[0]}"
    )
    span = f"{min(counts)} to {slices_words(max(counts))}"
    own = "each a volume of its own"
    words = f"{listed} slices, {own}" if len(counts) <= 4 else f"{own}, of {span}"
    refused = f"; {bad} of them cannot be opened" if bad else ""
    return f"{words}{refused}{_still_tilted(offer)}"


def _resampled_words(offer: Offer) -> str:
    grid = offer.pieces[0].geometry
    if grid is None:
        return ""
    words = f"{slices_words(grid.shape[0])} on a grid of {grid.spacing_mm[0]:.2f} mm"
    if offer.tilt_deg:
        words += f", tilt of {offer.tilt_deg:.1f}{DEGREE} corrected"
    words += (
        ", the nearest value is taken everywhere" if offer.choice.nearest
        else ", values between slices are interpolated"
    )  # fmt: skip
    if offer.made_up:
        words += f"; {offer.made_up} of them where the scanner has none"
    return words


def _step(offer: Offer) -> str:
    report = offer.pieces[0].geometry_report()
    step = None if report is None else report.step_mm
    return "as its header says" if step is None else f"{step:.2f} mm"


def _still_tilted(offer: Offer) -> str:
    reports = [piece.geometry_report() for piece in offer.pieces]
    tilts = [report.tilt_deg for report in reports if report is not None and report.tilt_deg]
    return f"; still tilted by {max(tilts):.1f}{DEGREE}" if tilts else ""
