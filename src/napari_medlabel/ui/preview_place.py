"""Where a floating bar goes: near the preview, never over it, aside for a hand that draws.

Pure; rectangles are left, top, width and height in pixels of the views' area.
"""

from typing import Final

__all__ = ["GAP", "Rect", "place_of"]

Rect = tuple[int, int, int, int]
Point = tuple[int, int]

GAP: Final = 16  # from the preview and from the sides of the area
EDGE: Final = 40  # from its foot and head, where letters and the scale bar stand
AWAY: Final = 32  # from a hand that draws


def place_of(
    area: Rect, bar: tuple[int, int], preview: Rect | None, hand: Point | None = None
) -> Point:
    """Where the bar's top left corner goes.

    Below the preview, else above, right or left of it, else at the foot or head of the area: the
    first place inside of the area that is clear of the preview and of the hand. Where none is
    clear of both, the first that is clear of the preview.

    Parameters
    ----------
    area
        Where the bar may be.
    bar
        Its width and height.
    preview
        What it shall not cover; None where the preview is not in sight.
    hand
        The pointer while a button is down; None where it only hovers: a bar that fled from it
        could not be pressed.
    """
    wide, high = bar
    left, top, width, height = area
    foot = (left + (width - wide) // 2, top + height - high - EDGE)
    head = (foot[0], top + EDGE)
    places = [foot, head]
    if preview is not None:
        x, y, w, h = preview
        middle, level = x + (w - wide) // 2, y + (h - high) // 2
        around = [
            (middle, y + h + GAP), (middle, y - high - GAP),
            (x + w + GAP, level), (x - wide - GAP, level),
        ]  # fmt: skip
        places = [*(_inside(area, bar, one) for one in around), *places]
    clear = [one for one in places if preview is None or not _touch((*one, *bar), preview, 0)]
    best = [one for one in clear if hand is None or not _touch((*one, *bar), (*hand, 1, 1), AWAY)]
    return (best or clear or [foot])[0]


def _inside(area: Rect, bar: tuple[int, int], place: Point) -> Point:
    """The place moved into the area, clear of its border."""
    moved = []
    for n, gap in ((0, GAP), (1, EDGE)):
        most = area[n] + area[n + 2] - bar[n] - gap
        moved.append(max(min(place[n], most), area[n] + gap))
    return (moved[0], moved[1])


def _touch(a: Rect, b: Rect, margin: int) -> bool:
    return all(
        a[n] < b[n] + b[n + 2] + margin and b[n] < a[n] + a[n + 2] + margin for n in (0, 1)
    )  # fmt: skip
