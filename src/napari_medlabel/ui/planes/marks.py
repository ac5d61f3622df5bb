"""Lines and words over a view: crosshair, letters, numbers, scale bar; white on a dark plate."""

from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen

if TYPE_CHECKING:
    from napari_medlabel.ui.planes.plane_view import PlaneView

__all__ = ["ACCENT", "PLATE", "border", "corner", "crosshair", "plate", "ring", "words"]

Line = list[tuple[str, QColor, bool]]  # words, each with its colour, and whether it is bold

WORDS_PX = 12.0
GAP_PX = 14.0  # at the centre of the crosshair, so that the voxel is never covered
EDGE_PX = 10.0
LETTER: Final = QColor("#FFE9A8")
PLATE: Final = QColor(0, 0, 0, 153)
ACCENT: Final = QColor("#6C86F0")
WHITE: Final = QColor("#F0F1F2")
DIM: Final = QColor("#BCC1CA")
LETTER_PX = 26.0  # half a letter, the border of a plate and air
SMALL_PX = 220  # narrower views leave out all but letters and the plane's name


def crosshair(painter: QPainter, view: "PlaneView") -> None:
    """Two lines through the position, with a gap in the middle."""
    if not view.sight.look.crosshair:
        return
    middle = view.point(view.sight.position)
    x, y = round(middle.x()) + 0.5, round(middle.y()) + 0.5
    lines = (
        (QPointF(0, y), QPointF(x - GAP_PX, y)),
        (QPointF(x + GAP_PX, y), QPointF(view.width(), y)),
        (QPointF(x, 0), QPointF(x, y - GAP_PX)),
        (QPointF(x, y + GAP_PX), QPointF(x, view.height())),
    )  # fmt: skip
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
    for color, width in ((QColor(0, 0, 0, 140), 3.0), (QColor(255, 255, 255, 184), 1.0)):
        painter.setPen(QPen(color, width))
        for start, end in lines:
            painter.drawLine(start, end)


def border(painter: QPainter, view: "PlaneView") -> None:
    """Around the view that keys act on."""
    painter.setPen(QPen(ACCENT, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(view.rect()).adjusted(0.75, 0.75, -0.75, -0.75))


def words(painter: QPainter, view: "PlaneView") -> None:
    """Plane and slice, window, letters, scale bar."""
    sight, wide = view.sight, view.width() >= SMALL_PX
    axis = view.axis
    count = sight.shape[axis]
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    name = [(view.plane.name, WHITE, True), (f" {view.index + 1} / {count}", DIM, False)]
    where = [(sight.where_along(axis), DIM, False)]
    window = _window_lines(view)
    half = view.width() / 2.0 - LETTER_PX * sight.scale  # the upper letter stands in the middle
    if max(_width_of(view, line) for line in (name, where)) > half:
        name, where = name[:1], [(name[1][0].lstrip(), DIM, False)]
    corner(painter, view, [name, where] if wide else [name], right=False)
    if wide:
        if max(_width_of(view, line) for line in window) <= half:
            corner(painter, view, window, right=True)
        _scale_bar(painter, view)
    _letters(painter, view)


def _width_of(view: "PlaneView", line: Line) -> float:
    """How far into the view a line of words reaches from its corner, in px."""
    wide: float = EDGE_PX + sum(
        QFontMetricsF(font_of(view, WORDS_PX, bold=bold)).horizontalAdvance(shown)
        for shown, _color, bold in line
    )
    return wide


def _window_lines(view: "PlaneView") -> list[Line]:
    sight = view.sight
    window = sight.layers.window
    digits = 0 if window.width >= 20 else 2
    shown = f"W {window.width:.{digits}f}  L {window.level:.{digits}f}"
    named = sight.window_name
    inverted = " · inverted" if sight.layers.turned else ""
    large = view.sight.look.large == view.number
    lines = [[(shown + inverted, DIM, False)]]
    return [[(named, WHITE, False)], *lines] if named and large else lines


def corner(painter: QPainter, view: "PlaneView", lines: list[Line], *, right: bool) -> QRectF:
    """Lines of words in an upper corner; each word with its colour, and whether it is bold."""
    fonts = {bold: font_of(view, WORDS_PX, bold=bold) for bold in (False, True)}
    metrics = {bold: QFontMetricsF(font) for bold, font in fonts.items()}
    step = metrics[False].height() + 1.0
    widths = [sum(metrics[b].horizontalAdvance(w) for w, _c, b in line) for line in lines]
    wide = max(widths, default=0.0)
    left = view.width() - EDGE_PX - wide if right else EDGE_PX
    area = QRectF(left - 5.0, EDGE_PX - 4.0, wide + 10.0, step * len(lines) + 5.0)
    plate(painter, area)
    for n, (line, own) in enumerate(zip(lines, widths, strict=True)):
        x = left + (wide - own if right else 0.0)
        y = EDGE_PX + n * step + metrics[False].ascent()
        for shown, color, bold in line:
            painter.setFont(fonts[bold])
            painter.setPen(color)
            painter.drawText(QPointF(x, y), shown)
            x += metrics[bold].horizontalAdvance(shown)
    return area


def plate(painter: QPainter, area: QRectF) -> None:
    """Dark ground for words, so that they read on bone."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(PLATE)
    painter.drawRoundedRect(area, 4.0, 4.0)


def font_of(view: "PlaneView", pixels: float, *, bold: bool = False) -> QFont:
    """The window's font at a size of the design, which follows napari's."""
    font = QFont(view.font())
    font.setPixelSize(max(8, round(pixels * view.sight.scale)))
    font.setBold(bold)
    return font


def _letters(painter: QPainter, view: "PlaneView") -> None:
    rows, columns = view.sight.ends(view.plane.order[1]), view.sight.ends(view.plane.order[2])
    above, below = rows[::-1] if view.frame.upwards else rows
    font = font_of(view, 14.0, bold=True)
    metrics = QFontMetricsF(font)
    width, height = float(view.width()), float(view.height())
    rise = (metrics.ascent() - metrics.descent()) / 2.0
    places = (
        (above, width / 2.0, EDGE_PX + metrics.ascent() - 2.0),
        (below, width / 2.0, height - EDGE_PX),
        (columns[0], EDGE_PX + metrics.horizontalAdvance(columns[0]) / 2.0, height / 2.0 + rise),
        (columns[1], width - EDGE_PX - metrics.horizontalAdvance(columns[1]) / 2.0,
         height / 2.0 + rise),
    )  # fmt: skip
    for letter, x, y in places:
        path = QPainterPath()
        path.addText(QPointF(x - metrics.horizontalAdvance(letter) / 2.0, y), font, letter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(0, 0, 0, 220), 3.5))
        painter.drawPath(path)
        painter.fillPath(path, LETTER)


def _scale_bar(painter: QPainter, view: "PlaneView") -> None:
    length_mm, pixels = view.frame.scale_bar()
    font = font_of(view, 12.0)
    metrics = QFontMetricsF(font)
    shown = f"{length_mm:g} mm" if length_mm >= 1.0 else f"{length_mm * 1000.0:g} µm"
    right, y = view.width() - 14.0, view.height() - 14.0
    left = right - pixels
    wide = metrics.horizontalAdvance(shown)
    high = metrics.height()
    plate(painter, QRectF(min(left, right - wide) - 6.0, y - high - 7.0,
                          max(pixels, wide) + 12.0, high + 13.0))  # fmt: skip
    painter.setFont(font)
    painter.setPen(WHITE)
    painter.drawText(QPointF((left + right - wide) / 2.0, y - 6.0 - metrics.descent()), shown)
    painter.setPen(QPen(WHITE, 1.2))
    painter.drawLine(QPointF(left, y), QPointF(right, y))
    for x in (left, right):
        painter.drawLine(QPointF(x, y - 4.0), QPointF(x, y + 0.5))


def ring(
    painter: QPainter, path: QPainterPath, *, dashed: bool = False, color: QColor = WHITE
) -> None:
    """A line that is seen on black and on white."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3.0))
    painter.drawPath(path)
    pen = QPen(color, 1.3)
    if dashed:
        pen.setDashPattern([4.0, 3.0])
    painter.setPen(pen)
    painter.drawPath(path)
