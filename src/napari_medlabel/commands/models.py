"""Models of one's own: brought from a folder or an archive, listed, verified, removed."""

from pathlib import Path
from typing import Any

from napari_medlabel.commands.door import command
from napari_medlabel.core.region import Stop, never
from napari_medlabel.engines.adapters.engine import ModelEngine, check_model
from napari_medlabel.engines.models import store
from napari_medlabel.engines.models.record import ModelRecord
from napari_medlabel.engines.models.store import Damaged
from napari_medlabel.engines.registry import engines
from napari_medlabel.session import Permission, Session

__all__ = ["add_model", "models", "remove_model", "verify_models"]


@command(needs=Permission.IMPORT)
def add_model(  # noqa: PLR0913  # each is a choice the person makes
    session: Session,  # noqa: ARG001  # the door's
    path: Path,
    *,
    name: str = "",
    license_file: Path | None = None,
    sha256: str = "",
    trust: bool = False,
    cancelled: Stop = never,
) -> dict[str, Any]:
    """Install a model as an engine: checked, copied, kept with its licence and hash.

    Parameters
    ----------
    session
        Whose.
    path
        A folder or a zip archive: docs/models.md says what is in it.
    name
        What the engine is called; after the folder without it.
    license_file
        The text of the weights' licence, in place of the one that the model brings.
    sha256
        What the weights have to have.
    trust
        Whether a TorchScript file may run, which it does as soon as it is loaded.
    cancelled
        Polled.

    Returns
    -------
    dict
        The model, as one entry of `models`.

    Raises
    ------
    InputError, IntegrityError, OutputError, Refused, ExtraMissing
        If it cannot be used or kept, with the reason; nothing is installed then.
    """
    taken = {one.name for one in engines()} - {one.name for one in store.installed_models()}
    made = store.add_model(
        path, check_model, name=name, license_file=license_file, sha256=sha256, trust=trust,
        taken=taken, cancelled=cancelled,
    )  # fmt: skip
    return _entry(made)


@command(needs=Permission.INSPECT)
def models(session: Session) -> dict[str, Any]:  # noqa: ARG001  # the door's
    """The installed models, as a JSON-ready document; reads their records only."""
    return {"format": 1, "models": [_entry(one) for one in store.installed_models()]}


@command(needs=Permission.INSPECT)
def verify_models(
    session: Session,  # noqa: ARG001  # the door's
    name: str = "",
    *,
    cancelled: Stop = never,
) -> dict[str, Any]:
    """Whether the files of a model, or of all, are still those that were installed.

    Raises
    ------
    InputError
        If there is no model of this name.
    """
    chosen = store.installed_models()
    if name and name not in {one.name for one in chosen}:
        store.installed_model(name)  # raises, and says which there are
    checked = [
        {"name": one.name, "problems": _problems(one, cancelled)}
        for one in chosen
        if name in {"", one.name}
    ]
    return {
        "format": 1,
        "ok": not any(one["problems"] for one in checked),
        "models": checked,
    }


@command(needs=Permission.IMPORT)
def remove_model(session: Session, name: str) -> None:  # noqa: ARG001  # the door's
    """Remove an installed model; what was segmented with it stays as it is.

    Raises
    ------
    InputError, OutputError
        If there is none of this name, or it cannot be removed.
    """
    store.remove_model(name)


def _problems(model: ModelRecord | Damaged, cancelled: Stop) -> list[str]:
    if isinstance(model, Damaged):
        return [model.what]
    return list(store.problems_of(model, cancelled=cancelled))


def _entry(model: ModelRecord | Damaged) -> dict[str, Any]:
    if isinstance(model, Damaged):
        return {
            "name": model.name, "kind": "", "title": "", "version": "", "license": "",
            "sha256": "", "bytes": 0, "added": "", "finds": [], "why_not": model.what,
        }  # fmt: skip
    engine = ModelEngine(model)
    return {
        "name": model.name, "kind": model.spec.kind, "title": model.spec.title,
        "version": model.spec.version, "license": model.license, "sha256": model.sha256,
        "bytes": sum(file.bytes for file in model.files), "added": model.added,
        "finds": list(engine.findable()), "why_not": engine.why_not(),
    }  # fmt: skip
