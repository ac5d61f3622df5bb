"""Which engines there are, ours and those other packages bring, and which can run here."""

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from napari_medlabel.engines.adapters.engine import ModelEngine
from napari_medlabel.engines.classic.engine import ClassicEngine
from napari_medlabel.engines.engine import Engine, FindingEngine
from napari_medlabel.engines.models.record import ModelRecord
from napari_medlabel.engines.models.store import Damaged, installed_models
from napari_medlabel.engines.network.engine import NetworkEngine
from napari_medlabel.errors import InputError

__all__ = ["DEFAULT", "GROUP", "EngineStatus", "chosen_engine", "engines"]

GROUP: Final = "napari_medlabel.engines"
DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """An engine by name: what it is, and why it cannot run here, or nothing.

    `source` is the package that brings it, or "installed model"; empty for ours. `finds` names
    what it finds without a prompt.
    """

    name: str
    title: str
    why_not: str = ""
    source: str = ""
    finds: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {
            "name": self.name, "title": self.title, "available": not self.why_not,
            "why_not": self.why_not, "source": self.source, "finds": list(self.finds),
        }  # fmt: skip


def engines() -> tuple[EngineStatus, ...]:
    """Every engine there is, ours first; one that cannot even be loaded says why."""
    found = [_status(own, "") for own in (NetworkEngine(), ClassicEngine())]
    found += [_of_model(one) for one in installed_models()]
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
        network = NetworkEngine()
        return network if name == DEFAULT and not network.why_not() else ClassicEngine()
    models = [one for one in installed_models() if one.name == name]
    for own in models:
        if isinstance(own, Damaged):
            raise InputError(f"the engine {name} cannot run here: {own.what}", _LIST)
        return _able(ModelEngine(own))
    for entry in _foreign():
        if entry.name == name:
            return _able(_made(entry))
    known = ", ".join(one.name for one in engines())
    raise InputError("there is no engine with this name", f"there are: {known}")


_LIST: Final = "medlabel engines lists those that can"
_MODEL: Final = "installed model"


def _of_model(model: ModelRecord | Damaged) -> EngineStatus:
    if isinstance(model, Damaged):
        return EngineStatus(model.name, "", model.what, _MODEL)
    return _status(ModelEngine(model), _MODEL)


def _able(engine: Engine) -> Engine:
    """The engine, if it can run here."""
    if why_not := engine.why_not():
        raise InputError(f"the engine {engine.name} cannot run here: {why_not}", _LIST)
    return engine


def _foreign() -> tuple[EntryPoint, ...]:
    """Of other packages, by name; ours cannot be replaced."""
    own = {DEFAULT, ClassicEngine.name, *(one.name for one in installed_models())}
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
    finds = tuple(engine.findable()) if isinstance(engine, FindingEngine) else ()
    return EngineStatus(engine.name, engine.title, engine.why_not(), source, finds)
