"""What is drawn for the pictures of measurements and annotations; on the generated body."""

from docs.scenes_tools import SCENES, scene
from docs.studio import Kji, Studio

__all__ = ["SCENES"]

AT: Kji = (48, 112, 82)
WIDE, HIGH = 380, 250


def _made(studio: Studio, kind: str, *places: Kji) -> None:
    """One annotation by clicks."""
    studio.tool(f"annotate:{kind}")
    studio.click(studio.axial, *places)
    studio.rest(0.3)


def _dragged(studio: Studio, kind: str, begin: Kji, end: Kji) -> None:
    """One annotation by a drag from corner to corner."""
    studio.tool(f"annotate:{kind}")
    middle = tuple((a + b) / 2.0 for a, b in zip(begin, end, strict=True))
    studio.press(studio.axial, begin, (middle[0], middle[1], middle[2]), end)
    studio.rest(0.3)


def _show(studio: Studio, name: str, at: Kji = AT) -> None:
    studio.pointer_away()
    studio.save(name, studio.around(studio.axial, at, WIDE, HIGH))


@scene("distance")
def _distance(studio: Studio, name: str) -> None:
    studio.look(AT, 1.6)
    _made(studio, "distance", (48, 80, 60), (48, 150, 70))
    _made(studio, "distance", (48, 98, 66), (48, 112, 85))
    _show(studio, name)


@scene("angle")
def _angle(studio: Studio, name: str) -> None:
    studio.look((48, 150, 127), 2.0)
    _made(studio, "angle", (48, 176, 90), (48, 162, 127), (48, 176, 164))
    _show(studio, name, (48, 160, 127))


@scene("ellipse")
def _ellipse(studio: Studio, name: str) -> None:
    studio.look(AT, 1.6)
    _dragged(studio, "ellipse", (48, 97, 68), (48, 113, 84))
    _dragged(studio, "ellipse", (48, 120, 55), (48, 145, 90))
    _show(studio, name)


@scene("rectangle")
def _rectangle(studio: Studio, name: str) -> None:
    studio.look(AT, 1.6)
    _dragged(studio, "rectangle", (48, 120, 60), (48, 145, 90))
    _show(studio, name)


@scene("box")
def _box(studio: Studio, name: str) -> None:
    studio.look((48, 105, 76), 2.4)
    _dragged(studio, "box", (48, 95, 67), (48, 115, 86))
    _show(studio, name, (48, 105, 78))


@scene("oriented-box")
def _oriented_box(studio: Studio, name: str) -> None:
    studio.look((46, 137, 194), 2.0)
    _made(studio, "oriented-box", (46, 160, 176), (46, 116, 194), (46, 124, 212))
    _show(studio, name, (46, 137, 192))


@scene("annotation-polygon")
def _polygon(studio: Studio, name: str) -> None:
    studio.look((46, 137, 194), 2.0)
    corners = [(46, 110, 203), (46, 124, 184), (46, 156, 177), (46, 163, 188), (46, 130, 212)]
    _made(studio, "polygon", *corners, corners[0])
    _show(studio, name, (46, 137, 192))


@scene("cuboid")
def _cuboid(studio: Studio, name: str) -> None:
    studio.look((48, 105, 76), 1.8, studio.axial, studio.coronal)
    _dragged(studio, "cuboid", (48, 95, 66), (48, 115, 86))
    for edge, end in ((48.5, 51.5), (47.5, 44.5)):
        studio.press(studio.coronal, (edge, 105, 76), (end, 105, 76))
    studio.pointer_away()
    studio.save(
        name,
        studio.around(studio.axial, (48, 105, 82), 330, 220),
        studio.around(studio.coronal, (48, 105, 82), 300, 220),
    )


@scene("keypoints")
def _keypoints(studio: Studio, name: str) -> None:
    studio.look((48, 150, 127), 2.0)
    _made(studio, "keypoints", (48, 146, 127), (48, 170, 127), (48, 176, 100), (48, 176, 154))
    drawn = studio.drawing.annotations
    one = drawn.state.rows[0].id
    for n, words in enumerate(("front", "canal", "right", "left")):
        drawn.rename_point(one, n, words)
    for first, second in ((0, 1), (1, 2), (1, 3)):
        drawn.link(one, first, second)
    _show(studio, name, (48, 160, 127))


@scene("measurements")
def _list(studio: Studio, name: str) -> None:
    studio.look(AT, 1.6)
    _made(studio, "distance", (48, 98, 66), (48, 112, 85))
    _made(studio, "angle", (48, 176, 90), (48, 162, 127), (48, 176, 164))
    _dragged(studio, "ellipse", (48, 120, 55), (48, 145, 90))
    studio.pointer_away()
    tab = studio.window.panel.annotate
    tab.ensureWidgetVisible(tab.annotations)
    studio.rest(0.5)
    studio.save(name, studio.on_screen(tab.annotations, above=26, around=8))
