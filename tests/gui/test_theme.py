"""Words can be read and icons seen on every ground, in both themes."""

import pytest

from napari_medlabel.ui import theme
from napari_medlabel.ui.theme import DARK, LIGHT, Tokens


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
@pytest.mark.parametrize(
    ("words", "ground"),
    [
        ("text1", "bg"), ("text2", "bg"), ("text3", "bg"), ("text1", "bg1"), ("text2", "bg1"),
        ("text1", "bg2"), ("text2", "bg2"), ("accent_text", "bg"), ("accent_on_bg", "accent_bg"),
        ("text2", "accent_bg"), ("ok_text", "ok_bg"), ("warn", "warn_bg"),
        ("error_text", "error_bg"), ("text1", "error_bg"), ("text1", "input"), ("text3", "page"),
    ],
)  # fmt: skip
def test_text_reaches_four_and_a_half_to_one(tokens: Tokens, words: str, ground: str) -> None:
    assert theme.contrast(getattr(tokens, words), getattr(tokens, ground)) >= 4.5


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_white_is_readable_on_the_main_button(tokens: Tokens) -> None:
    assert theme.contrast("#FFFFFF", tokens.accent) >= 4.5


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21.0)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_napari_s_own_theme_gives_the_grounds_and_a_readable_accent(name: str) -> None:
    tokens = theme.tokens_for(name)
    assert theme.contrast("#FFFFFF", tokens.accent) >= 4.5
    assert tokens.bg == {"dark": "#23242b", "light": "#ebe7e6"}[name]


def test_the_sheet_has_every_token_filled_in_and_follows_the_font() -> None:
    small, large = theme.style_sheet(DARK), theme.style_sheet(theme.tokens_for("dark", 18.0))
    assert "@" not in small.replace("/* @name is a token", "").replace("@pxN a size", "")
    assert "font-size: 12px" in small
    assert "font-size: 24px" in large
