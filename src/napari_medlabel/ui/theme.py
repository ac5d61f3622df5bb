"""Colours, sizes and the one style sheet; read from napari's theme when it runs.

Colours keep 4.5:1 for text and 3:1 for icons and focus rings on the grounds they are used on.
"""

from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files

from napari.utils.theme import get_theme
from qtpy.QtCore import QByteArray, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QApplication

__all__ = ["DARK", "LIGHT", "Tokens", "icon", "pixmap", "style_sheet", "tokens_for"]

NORMAL_POINTS = 9.0  # napari's font size at which 1 unit is 12 px
READABLE = 4.5  # WCAG 2.1, 1.4.3


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the interface is painted with; colours are "#RRGGBB", `scale` follows the font."""

    bg: str
    bg1: str
    bg2: str
    page: str
    hover: str
    input: str
    line: str
    line2: str
    text1: str
    text2: str
    text3: str
    accent: str
    accent_hover: str
    accent_text: str
    accent_bg: str
    accent_on_bg: str
    ok: str
    ok_text: str
    ok_bg: str
    warn: str
    warn_bg: str
    error: str
    error_text: str
    error_bg: str
    scale: float = 1.0

    def px(self, size: float) -> int:
        """A size in pixels at napari's font size, from one at 9 pt."""
        return max(1, round(size * self.scale))


DARK = Tokens(
    bg="#23242B", bg1="#292C35", bg2="#2E333E", page="#18191E", hover="#363C48", input="#1A1B20",
    line="#383D48", line2="#505967", text1="#F0F1F2", text2="#BCC1CA", text3="#949BA8",
    accent="#4560C4", accent_hover="#5470D6", accent_text="#9DB1FF", accent_bg="#2F3A66",
    accent_on_bg="#C5D0FF", ok="#4CC38A", ok_text="#7FDDB0", ok_bg="#1E3A30", warn="#F2BC42",
    warn_bg="#40351B", error="#FF7B7B", error_text="#FF9C9C", error_bg="#472428",
)  # fmt: skip
LIGHT = Tokens(
    bg="#EBE7E6", bg1="#F4F1F0", bg2="#DDDAD8", page="#F7F5F4", hover="#D2CECC", input="#FFFFFF",
    line="#CFCBC8", line2="#A8A39F", text1="#1E1E21", text2="#4A4B50", text3="#5E6066",
    accent="#3A4FA8", accent_hover="#4560C4", accent_text="#3A4FA8", accent_bg="#D5DDF8",
    accent_on_bg="#2B3C86", ok="#116246", ok_text="#116246", ok_bg="#CFEADD", warn="#7A5200",
    warn_bg="#F7E7BC", error="#A11B2B", error_text="#A11B2B", error_bg="#F6D9DA",
)  # fmt: skip


def tokens_for(theme_name: str, points: float = NORMAL_POINTS) -> Tokens:
    """The tokens that fit napari's theme: its grounds and text, the nearer of our two sets else."""
    theme = get_theme(theme_name)
    near = LIGHT if theme.type == "light" else DARK
    current = theme.current.as_hex("long")
    accent = current if contrast(current, "#FFFFFF") >= READABLE else near.accent
    return replace(
        near, bg=theme.background.as_hex("long"), bg2=theme.foreground.as_hex("long"),
        text1=theme.text.as_hex("long"), accent=accent, scale=points / NORMAL_POINTS,
    )  # fmt: skip


def contrast(a: str, b: str) -> float:
    """The contrast ratio of two colours, 1 to 21: WCAG 2.1, relative luminance."""
    bright, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[n : n + 2], 16) / 255.0 for n in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@cache
def _drawing(name: str) -> str:
    return files(__package__).joinpath("icons", f"{name}.svg").read_text(encoding="utf-8")


def pixmap(name: str, color: str, size: int = 20) -> QPixmap:
    """An icon drawn in a colour, sharp at the screen's own density."""
    screen = QApplication.primaryScreen()
    density = screen.devicePixelRatio() if screen else 1.0
    shown = QPixmap(QSize(round(size * density), round(size * density)))
    shown.fill(Qt.GlobalColor.transparent)
    drawing = _drawing(name).replace("currentColor", color)
    painter = QPainter(shown)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter)
    painter.end()
    shown.setDevicePixelRatio(density)
    return shown


def icon(name: str, color: str, *, selected: str = "", off: str = "", size: int = 20) -> QIcon:
    """An icon; `selected` is its colour on a pressed button, `off` on a disabled one."""
    made = QIcon(pixmap(name, color, size))
    if selected:
        made.addPixmap(pixmap(name, selected, size), QIcon.Mode.Normal, QIcon.State.On)
    if off:
        made.addPixmap(pixmap(name, off, size), QIcon.Mode.Disabled, QIcon.State.Off)
    return made


def faded(color: str, ground: str, part: float) -> str:
    """`part` of a colour over a ground."""
    mixed = [
        round(int(color[n : n + 2], 16) * part + int(ground[n : n + 2], 16) * (1.0 - part))
        for n in (1, 3, 5)
    ]
    return str(QColor(*mixed).name())


def style_sheet(tokens: Tokens) -> str:
    """The sheet of everything called `medlabel`; napari's own widgets keep their look."""
    names = {field.name: getattr(tokens, field.name) for field in fields(Tokens)}
    names["accent_off"] = faded(tokens.accent, tokens.bg, 0.45)
    names["white_off"] = faded("#FFFFFF", tokens.bg, 0.5)
    names["error_line"] = faded(tokens.error, tokens.bg, 0.5)
    names["knob"] = str(tokens.px(KNOB))
    sizes = {f"px{n}": tokens.px(n / 10 if n > 100 else n) for n in _SIZES}
    sheet = files(__package__).joinpath("medlabel.qss").read_text(encoding="utf-8")
    for name, value in sorted({**names, **sizes}.items(), key=lambda item: -len(item[0])):
        sheet = sheet.replace(f"@{name}", str(value))
    return sheet


KNOB = 6.6  # half of a slider's handle: rounded by more, it would be drawn square
_SIZES = (4, 6, 7, 8, 10, 11, 12, 13, 14, 16, 20, 24, 26, 30, 32, 40, 52, 115, 125, 135)
