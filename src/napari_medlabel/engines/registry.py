"""Which engines there are, ours and those other packages bring, and which can run here."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from napari_medlabel.engines.classic.engine import ClassicEngine
from napari_medlabel.engines.engine import Engine
from napari_medlabel.errors import InputError

__all__ = ["DEFAULT", "GROUP", "EngineStatus", "chosen_engine", "engines"]

GROUP: Final = "napari_medlabel.engines"
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine by name: what it is, and why it cannot run here, or nothing.

    `source` is the package that brings it; empty for ours.
    """

    name: str
    title: str
    why_not: str = ""
    source: str = ""

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "name": self.name, "title": self.title, "available": not self.why_not,
            "why_not": self.why_not, "source": self.source,
        }  # fmt: skip


class _NoWeights:
    """Stands for an engine whose weights are not part of this version."""

    name = DEFAULT
    title = "network for any object"

    def why_not(self) -> str:
        return "its weights are not part of this version: 'classic' answers instead"


def engines() -> tuple[EngineStatus, ...]:
    """Every engine there is, ours first; one that cannot even be loaded says why."""
    absent = _NoWeights()
    found = [EngineStatus(absent.name, absent.title, absent.why_not())]
    found.append(_status(ClassicEngine(), ""))
    for entry in _foreign():
        source = entry.dist.name if entry.dist else "another package"
        try:
            found.append(_status(_made(entry), source))
        except InputError as error:
            found.append(EngineStatus(entry.name, "", error.what, source))
    return tuple(found)


def chosen_engine(name: str = DEFAULT) -> Engine:
    """The engine of this name; for `default`, while it cannot run, `classic`.

    Raises
    ------
    InputError
        If there is none, or it cannot run here; says why.
    """
    if name in {DEFAULT, ClassicEngine.name}:
        return ClassicEngine()
    for entry in _foreign():
        if entry.name == name:
            engine = _made(entry)
            if why_not := engine.why_not():
                raise InputError(f"the engine {name} cannot run here: {why_not}", _LIST)
            return engine
    known = ", ".join(one.name for one in engines())
    raise InputError("there is no engine with this name", f"there are: {known}")


_LIST: Final = "medlabel engines lists those that can"


def _foreign() -> tuple[EntryPoint, ...]:
    """Of other packages, by name; ours cannot be replaced."""
    own = {DEFAULT, ClassicEngine.name}
    found = {one.name: one for one in entry_points(group=GROUP) if one.name not in own}
    return tuple(found[name] for name in sorted(found))


def _made(entry: EntryPoint) -> Engine:
    try:
        engine = entry.load()()
    except Exception as error:  # any: a package of somebody else must not stop ours
        what = f"the engine {entry.name} cannot be loaded ({type(error).__name__})"
        raise InputError(what, "ask whoever made the package that brings it") from error
    if not isinstance(engine, Engine):
        raise InputError(f"the engine {entry.name} is none", "see napari_medlabel.engines.engine")
    return engine


def _status(engine: Engine, source: str) -> EngineStatus:
    return EngineStatus(engine.name, engine.title, engine.why_not(), source)
