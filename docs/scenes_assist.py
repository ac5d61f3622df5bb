"""What is drawn for the pictures of pointing at objects; on the generated body."""

from qtpy.QtCore import QRect

from docs.scenes_tools import SCENES, scene
from docs.studio import Kji, Studio
from tests.gui.pointing import CTRL, Mouse

__all__ = ["SCENES"]


@scene("assist")
def _assist(studio: Studio, name: str) -> None:
    at = _pointed(studio)
    panel = studio.window.panel.annotate
    panel.ensureWidgetVisible(panel.assist, 0, 12)
    studio.rest(0.4)
    studio.save(
        name, studio.on_screen(panel.assist, above=30, around=8),
        studio.around(studio.axial, at, 440, 360), most_kb=80, bar=True,
    )  # fmt: skip
    panel.verticalScrollBar().setValue(0)


@scene("assist-kept")
def _kept(studio: Studio, name: str) -> None:
    at = _pointed(studio)
    studio.drawing.pick(studio.value("Liver"))
    studio.rest(0.4)
    panel = studio.window.panel.annotate
    table = studio.on_screen(panel.table, above=30, around=8)
    part = QRect(table)
    part.setBottom(studio.on_screen(panel.kept, around=6).bottom())
    studio.save(name, part, studio.around(studio.axial, at, 300, part.height()))


def _pointed(studio: Studio) -> Kji:
    """A box, two clicks that include and one that does not, with what was found."""
    studio.add("Liver", "Spleen", "Kidneys", "Lesion")
    for segment in ("Liver", "Spleen", "Kidneys"):
        studio.draw(segment)
    drawing, (k, j, i) = studio.drawing, studio.middle("Lesion")
    drawing.pick(studio.value("Lesion"))
    drawing.assist.set_engine("classic")  # which every install has
    studio.look((k, j, i), 3.0)
    studio.tool("prompt")
    mouse = Mouse(studio.window)
    drawing.assist.kind = "box"
    mouse.drag((k, j - 11, i - 12), (k, j, i), (k, j + 11, i + 12))
    drawing.assist.kind = "include"
    mouse.click((k, j - 3, i - 3), (k, j + 3, i + 3))
    mouse.click((k, j - 3, i + 20), keys=CTRL)
    studio.wait(lambda: drawing.proposals.open is not None and not drawing.proposals.making)
    studio.pointer_away()
    return (k, j, i)
