"""The sheet of the bars: set on a child of what is called `medlabel`, it adds to that sheet."""

from dataclasses import asdict
from functools import cache
from importlib.resources import files
from string import Template
from typing import Final

from napari_medlabel.ui.theme import Tokens

__all__ = ["bar_sheet"]

SIZES: Final = (4, 6, 8, 11, 12, 16, 18, 22, 24, 26, 28)


@cache
def bar_sheet(tokens: Tokens) -> str:
    """The sheet in a theme's colours; sizes follow its scale."""
    sheet = files(__package__).joinpath("bars.qss").read_text(encoding="utf-8")
    sizes = {f"px{n}": f"{tokens.px(n)}px" for n in SIZES}
    return Template(sheet).substitute(asdict(tokens), **sizes)
