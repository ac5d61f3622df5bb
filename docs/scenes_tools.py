"""What is drawn for the picture of each tool; on the generated body."""

from collections.abc import Callable
from typing import Final

import numpy as np

from docs.studio import Kji, Patient, Studio

Scene = Callable[[Studio, str], None]
SCENES: Final[dict[str, tuple[Patient, Scene]]] = {}
LIVER: Final[Kji] = (48, 112, 82)


def scene(name: str, patient: Patient = "body") -> Callable[[Scene], Scene]:
    """Name a picture and whom it shows."""

    def keep(draw: Scene) -> Scene:
        SCENES[name] = (patient, draw)
        return draw

    return keep


@scene("paint")
def _paint(studio: Studio, name: str) -> None:
    studio.add("Lesion", "Liver")
    studio.look((48, 105, 76), 3.0)
    studio.tool("paint", size_mm=12.0)
    studio.press(studio.axial, (48, 103, 72), (48, 108, 72), (48, 108, 80), (48, 102, 80))
    studio.hover(studio.axial, (48, 105, 90))
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (48, 105, 78)))


@scene("paint-ball")
def _ball(studio: Studio, name: str) -> None:
    studio.add("Lesion")
    studio.look((48, 105, 76), 3.0, studio.axial, studio.coronal)
    studio.tool("paint", size_mm=22.0, shape="ball")
    studio.press(studio.axial, (48, 105, 76))
    studio.hover(studio.axial, (48, 105, 76))
    studio.save(
        name,
        studio.tools_part(),
        studio.around(studio.axial, (48, 105, 76), 200, 200),
        studio.around(studio.coronal, (48, 105, 76), 200, 200),
    )


@scene("erase")
def _erase(studio: Studio, name: str) -> None:
    studio.add("Liver")
    studio.draw("Liver")
    studio.look(LIVER, 1.5)
    studio.tool("erase", size_mm=24.0)
    studio.press(studio.axial, (48, 80, 60), (48, 100, 75), let_go=False)
    studio.save(name, studio.tools_part(), studio.around(studio.axial, LIVER))
    studio.press(studio.axial, (48, 100, 75))


@scene("fill")
def _fill(studio: Studio, name: str) -> None:
    studio.add("Kidneys")
    studio.look((30, 148, 85), 3.0)
    studio.tool("paint", size_mm=4.0)
    studio.press(studio.axial, *_ring((30.0, 148.0, 85.0), 20.0))
    part = studio.around(studio.axial, (30, 148, 85), 200, 200)
    studio.tool("fill")
    tools, before = studio.grabbed(studio.tools_part()), studio.grabbed(part)
    studio.click(studio.axial, (30, 148, 82))
    studio.rest(0.6)
    studio.keep(name, [tools, before, studio.grabbed(part)])


@scene("polygon")
def _polygon(studio: Studio, name: str) -> None:
    studio.add("Liver")
    studio.look(LIVER, 1.5)
    studio.tool("polygon")
    corners = [(48, 76, 110), (48, 72, 75), (48, 92, 47), (48, 125, 42), (48, 155, 60)]
    studio.click(studio.axial, *corners)
    studio.hover(studio.axial, (48, 160, 84))
    studio.save(name, studio.tools_part(), studio.around(studio.axial, LIVER))


@scene("lasso")
def _lasso(studio: Studio, name: str) -> None:
    studio.add("Lesion")
    studio.look((48, 105, 76), 3.0)
    studio.tool("lasso")
    ring = _ring((48.0, 105.0, 76.0), 13.0)[:34]
    studio.press(studio.axial, *ring, let_go=False)
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (48, 105, 78)))
    studio.press(studio.axial, ring[-1])


@scene("scissors")
def _scissors(studio: Studio, name: str) -> None:
    studio.add("Spleen")
    studio.look((46, 137, 194), 2.2)
    studio.tool("scissors")
    held = studio.drawing.tools.pointer
    for corner in ((46, 112, 203), (46, 127, 183), (46, 158, 179)):
        studio.click(studio.axial, corner)
        studio.wait(lambda: held is not None and getattr(held, "ready", True))
    for row in range(158, 140, -3):
        studio.hover(studio.axial, (46, row, 205))
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (46, 137, 190)))


@scene("smart-paint")
def _smart(studio: Studio, name: str) -> None:
    studio.add("Kidneys")
    studio.look((30, 148, 85), 3.0)
    studio.tool("smart_paint", diameter_mm=20.0)
    studio.press(studio.axial, (30, 143, 78), (30, 148, 77), (30, 154, 82))
    studio.hover(studio.axial, (30, 154, 82))
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (30, 148, 85)))


@scene("threshold")
def _threshold(studio: Studio, name: str) -> None:
    studio.add("Spine")
    studio.look((48, 159, 127), 2.0)
    studio.tool("threshold", limits=(180.0, 1500.0))
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (48, 150, 127)))


@scene("grow")
def _grow(studio: Studio, name: str) -> None:
    studio.add("Spleen")
    studio.look((46, 137, 194), 2.2)
    studio.tool("grow")
    studio.click(studio.axial, (46, 137, 194))
    studio.wait(lambda: studio.drawing.sight.proposal is not None)
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (46, 137, 190)))


@scene("seeds")
def _seeds(studio: Studio, name: str) -> None:
    studio.add("Liver", "Kidneys", "Spine", "Spleen")
    studio.drawing.rename(studio.value("Spleen"), "Outside")
    studio.look((35, 140, 90), 1.6)
    studio.tool("paint", size_mm=8.0)
    for segment, *strokes in (
        ("Liver", ((35, 95, 60), (35, 110, 85), (35, 130, 60))),
        ("Kidneys", ((35, 146, 78), (35, 148, 92))),
        ("Spine", ((35, 157, 120), (35, 157, 136))),
        ("Spleen", ((35, 72, 110), (35, 110, 118), (35, 130, 108), (35, 160, 98), (35, 168, 70)),
         ((35, 72, 110), (35, 66, 70), (35, 90, 36), (35, 130, 32), (35, 165, 60)),
         ((35, 175, 90), (35, 174, 120), (35, 172, 145), (35, 150, 150), (35, 120, 120))),
    ):  # fmt: skip
        studio.drawing.pick(studio.value(segment))
        for stroke in strokes:
            studio.press(studio.axial, *stroke)
    studio.drawing.pick(studio.value("Liver"))
    studio.pointer_away()
    part = studio.around(studio.axial, (35, 125, 95), 240, 230)
    drawn = studio.grabbed(part)
    studio.preview("seeds", outside=studio.value("Spleen"))
    studio.drawing.proposals.accept()
    studio.rest(0.5)
    studio.keep(name, [studio.grabbed(studio.tools_part()), drawn, studio.grabbed(part)])


@scene("interpolate")
def _interpolate(studio: Studio, name: str) -> None:
    studio.add("Liver")
    every = np.zeros_like(studio.truth, bool)
    every[26:66:6] = studio.truth[26:66:6] == studio.value("Liver")
    studio.draw("Liver", every)
    studio.drawing.looking.set_plane(1)
    studio.look((46, 110, 90), 1.5, studio.coronal)
    studio.preview("interpolate")
    studio.save(name, studio.tools_part(), studio.around(studio.coronal, (46, 110, 98)))


@scene("carry")
def _carry(studio: Studio, name: str) -> None:
    studio.add("Spleen")
    one = np.zeros_like(studio.truth, bool)
    one[44] = studio.truth[44] == studio.value("Spleen")
    studio.draw("Spleen", one)
    studio.look((44, 137, 194), 2.2)
    studio.preview("carry", count=5)
    studio.look((46, 137, 194), 2.2)
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (46, 137, 190)))


def _region(tool: str, name: str, at: Kji, zoom: float = 2.0, **options: object) -> None:
    """A region tool's preview on a slice of a segment as it truly is."""

    @scene(tool.replace("_", "-"))
    def draw(studio: Studio, picture: str) -> None:
        studio.add(name)
        studio.draw(name)
        studio.look(at, zoom)
        studio.preview(tool, **options)
        studio.save(picture, studio.tools_part(), studio.around(studio.axial, at))


_region("margin", "Kidneys", (30, 148, 85), 3.0, by_mm=5.0)
_region("hollow", "Liver", LIVER, 1.5, thickness_mm=6.0)
_region("mirror", "Lesion", (48, 105, 127), 1.2)


@scene("smooth")
def _smooth(studio: Studio, name: str) -> None:
    studio.add("Spleen")
    image = np.asarray(studio.drawing.case.volume.levels[0])
    spleen = studio.truth == studio.value("Spleen")
    rough = spleen & (image > np.median(image[spleen]) - 15)
    studio.draw("Spleen", rough)
    studio.look((46, 137, 194), 3.0)
    studio.preview("smooth", how="median", size_mm=6.0)
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (46, 137, 192)))


@scene("fill-holes")
def _holes(studio: Studio, name: str) -> None:
    studio.add("Liver")
    studio.draw("Liver")
    studio.look(LIVER, 1.8)
    studio.preview("fill_holes", extent="volume")
    studio.save(name, studio.tools_part(), studio.around(studio.axial, LIVER))


@scene("islands")
def _islands(studio: Studio, name: str) -> None:
    studio.add("Spine")
    bright = np.zeros_like(studio.truth, bool)
    image = np.asarray(studio.drawing.case.volume.levels[0])
    bright[46:51] = image[46:51] > 250
    studio.draw("Spine", bright)
    studio.look((48, 120, 127), 1.0)
    studio.preview("islands", how="largest")
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (48, 120, 127)))


@scene("combine")
def _combine(studio: Studio, name: str) -> None:
    studio.add("Liver", "Lesion")
    studio.draw("Liver")
    studio.draw("Lesion")
    studio.look((48, 105, 76), 3.0)
    studio.preview("combine", how="subtract", other=studio.value("Lesion"), margin_mm=5.0)
    studio.save(name, studio.tools_part(), studio.around(studio.axial, (48, 105, 78)))


def _ring(middle: Kji, across: float) -> list[Kji]:
    """A circle on an axial slice, so many voxels across."""
    k, j, i = middle
    turns = np.linspace(0.0, 2.0 * np.pi, 40)
    return [(k, j + across / 2 * np.sin(t), i + across / 2 * np.cos(t)) for t in turns]
