"""Reading a JSON object field by field: each has its type and bounds, and no other may be there."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from napari_medlabel.errors import InputError
from napari_medlabel.files import shown

__all__ = ["Fields"]

T = TypeVar("T", bound=str)

_LONGEST: Final = 500  # characters of a text
_MISSING: Final = object()


class Fields:
    """An object of a document, read once; `end` refuses what nobody asked for.

    Parameters
    ----------
    document
        Any JSON.
    where
        What it is to a person: "medlabel-model.json".

    Raises
    ------
    InputError
        If it is no object; so do all methods where a field is not what it has to be.
    """

    def __init__(self, document: object, where: str) -> None:
        self.where = where
        if not isinstance(document, Mapping):
            raise InputError(f"{where} is no JSON object", _HINT)
        self._left: dict[str, Any] = {str(key): value for key, value in document.items()}

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def wrong(self, key: str, wanted: str) -> InputError:
        """The error for a field that is not what is wanted."""
        return InputError(f"{self.where}: '{key}' has to be {wanted}", _HINT)

    def text(self, key: str, default: str | None = None) -> str:
        """Printable text in one line."""
        value = self._take(key, default)
        if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
            raise self.wrong(key, "one line of text")
        return value

    def one_of(self, key: str, allowed: Sequence[T], default: T | None = None) -> T:
        """One of some words."""
        value = self._take(key, default)
        for word in allowed:
            if value == word:
                return word
        raise self.wrong(key, f"one of {', '.join(allowed)}")

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A finite number between two others."""
        value = self._take(key, default)
        if not _is_number(value) or not low <= value <= high:
            raise self.wrong(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def triple(self, key: str, low: float, high: float) -> tuple[float, float, float]:
        """Three finite numbers between two others."""
        value = self._take(key, None)
        numbers = value if isinstance(value, list | tuple) else []
        if len(numbers) != 3 or not all(_is_number(n) and low <= n <= high for n in numbers):
            raise self.wrong(key, f"three numbers from {low:g} to {high:g}")
        return (float(numbers[0]), float(numbers[1]), float(numbers[2]))

    def mapping(self, key: str) -> dict[str, Any]:
        """An object; an empty one where it is missing."""
        value = self._take(key, {})
        if not isinstance(value, Mapping):
            raise self.wrong(key, "an object")
        return dict(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of words; an empty one where it is missing."""
        value = self._take(key, ())
        words = value if isinstance(value, list | tuple) else [None]
        if not all(isinstance(word, str) for word in words):
            raise self.wrong(key, "a list of words")
        return tuple(words)

    def is_null(self, key: str) -> bool:
        """Whether a field is missing or null; read then."""
        return self._left.get(key) is None and self._left.pop(key, None) is None

    def end(self) -> None:
        """Pass where every field was read."""
        if self._left:
            names = ", ".join(shown(key) for key in sorted(self._left))
            raise InputError(f"{self.where} has unknown fields: {names}", _HINT)

    def _take(self, key: str, default: object) -> Any:  # noqa: ANN401  # any JSON
        value = self._left.pop(key, _MISSING)
        if value is _MISSING:
            if default is None:
                raise InputError(f"{self.where}: '{key}' is missing", _HINT)
            return default
        return value


_HINT: Final = "docs/models.md lists what has to be in it"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
