"""A MONAI bundle's configuration as plain data: looked up, never evaluated.

MONAI runs what its configurations say: text that begins with "$" is Python, an object with
"_target_" names code to call. Here both are only words. What a value refers to with "@" is looked
up; where a value that is needed turns out to be code, that is said and the bundle refused.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from napari_medlabel.errors import InputError

__all__ = ["Configuration", "name_of"]

_DEEPEST: Final = 20
_REFERENCE: Final = re.compile(r"@[A-Za-z_][\w]*(?:(?:::|#)\w+)*")
_TARGET: Final = "_target_"
_HINT: Final = (
    "expressions are never run: write the value down, or a medlabel-model.json (docs/models.md)"
)


class Configuration:
    """`configs/inference.json`, or any other of a bundle, as data.

    Parameters
    ----------
    text
        The file's.
    where
        Its name, for messages.

    Raises
    ------
    InputError
        If it is no JSON object.
    """

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        try:
            read = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{where} cannot be read", "it is a JSON file") from error
        if not isinstance(read, dict):
            raise InputError(f"{where} is no JSON object", "it is a bundle's configuration")
        self._root: dict[str, Any] = read

    def words(self, *path: str) -> Any:  # noqa: ANN401  # any JSON
        """What stands at a place as it is written, unlooked-up; None where nothing does."""
        found: Any = self._root
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def plain(self, *path: str) -> Any:  # noqa: ANN401  # any JSON
        """The value at a place with all references looked up; None where there is none.

        Raises
        ------
        InputError
            If it is, or refers to, an expression or an object to be made by code.
        """
        return self.looked_up(self.words(*path), "/".join(path))

    def looked_up(self, value: Any, called: str) -> Any:  # noqa: ANN401  # any JSON
        """A value with its references looked up; `called` is what it is to a person.

        Raises
        ------
        InputError
            As `plain` does.
        """
        return self._looked_up(value, called, 0)

    def listed(self, value: Any, called: str) -> list[Any]:  # noqa: ANN401  # any JSON
        """A list that is written down or referred to; what is in it stays as it is written.

        Raises
        ------
        InputError
            If it is none.
        """
        found = self._referred(value, called, 0)
        if not isinstance(found, list):
            raise self._code(called)
        return found

    def _looked_up(self, value: Any, called: str, depth: int) -> Any:  # noqa: ANN401
        value = self._referred(value, called, depth)
        if isinstance(value, list):
            return [self._looked_up(one, called, depth + 1) for one in value]
        if isinstance(value, dict):
            if _TARGET in value:
                raise self._code(called)
            return {key: self._looked_up(one, called, depth + 1) for key, one in value.items()}
        return value

    def _referred(self, value: Any, called: str, depth: int) -> Any:  # noqa: ANN401
        """What a reference leads to; other values as they are. Code is refused."""
        while isinstance(value, str):
            depth += 1
            if depth > _DEEPEST:
                raise InputError(f"{self.where}: '{called}' refers to itself", _HINT)
            text = value.strip()
            if text.startswith(("$", "%")):
                raise self._code(called)
            if not _REFERENCE.fullmatch(text):
                return value
            value = self._at(text[1:])
        if depth > _DEEPEST:
            raise InputError(f"{self.where}: '{called}' is nested too deeply", _HINT)
        return value

    def _at(self, place: str) -> Any:  # noqa: ANN401  # any JSON
        found: Any = self._root
        for key in re.split(r"::|#", place):
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, Mapping) and key in found:
                found = found[key]
            else:
                raise InputError(f"{self.where} refers to '{place}', which is not in it", _HINT)
        return found

    def _code(self, called: str) -> InputError:
        return InputError(f"{self.where}: '{called}' is code, not a value", _HINT)


def name_of(entry: object) -> str:
    """The last part of what an object's "_target_" names; nothing where it names nothing."""
    target = entry.get(_TARGET) if isinstance(entry, Mapping) else None
    return target.rpartition(".")[2] if isinstance(target, str) else ""
