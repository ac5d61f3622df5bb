"""What the values of a volume can be, in words."""

from typing import Final

__all__ = ["quantity_tip", "quantity_words"]

_WORDS: Final = {"": "As stored", "SUVbw": "SUVbw", "Philips": "Philips scale"}
_TIPS: Final = {
    "": "Stored values, with the slope and intercept of the header",
    "SUVbw": "Standardised uptake value by body weight, g/mL",
    "Philips": "The maker's own floating point values",
}


def quantity_words(name: str) -> str:
    """A quantity of a volume as a list shows it: "Philips scale", "Real world values 2"."""
    if name in _WORDS:
        return _WORDS[name]
    return name.replace("real world", "Real world values")


def quantity_tip(name: str) -> str:
    """What it means."""
    return _TIPS.get(name, "What the header says its values mean, in its unit")
