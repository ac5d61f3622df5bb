"""The subcommands of `medlabel model`: weights of one's own, from a USB stick."""

from pathlib import Path
from typing import Annotated, Any

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import Json
from napari_medlabel.cli.text import note, print_json, sentence, table
from napari_medlabel.errors import IntegrityError
from napari_medlabel.session import local_session

__all__ = ["models_app"]

models_app = typer.Typer(
    name="model",
    help="Models of your own: DeepEdit, VISTA3D, nnInteractive, TorchScript, ONNX.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@models_app.command()
def add(  # noqa: PLR0913  # one for each option
    source: Annotated[
        Path,
        typer.Argument(readable=False, metavar="FOLDER|ZIP", help="As it lies on the USB stick."),
    ],
    *,
    name: Annotated[
        str, typer.Option("--name", help="What the engine is called; after the folder without it.")
    ] = "",
    license_file: Annotated[
        Path | None,
        typer.Option(
            "--licence", "--license", readable=False, metavar="FILE",
            help="The text of the weights' licence, where the model brings none.",
        ),
    ] = None,
    sha256: Annotated[
        str, typer.Option("--sha256", help="What the weights have to have: 64 hexadecimal digits.")
    ] = "",
    trust: Annotated[
        bool,
        typer.Option(
            "--trust", help="Let a TorchScript file run, which it does as soon as it is loaded."
        ),
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Check a model, copy it and make it an engine."""
    made = commands.add_model(
        local_session(), source, name=name, license_file=license_file, sha256=sha256, trust=trust
    )
    if as_json:
        print_json({"format": 1, "model": made})
        return
    sentence(f"{made['name']}: {_what(made)}, {_size(made)}, sha256 {made['sha256'][:12]}")
    sentence(f"  licence: {made['license'] or 'none given; --licence FILE adds one'}")
    sentence(f"  try it: medlabel segment IMAGE --engine {made['name']} --prompts P.json --out ...")


@models_app.command(name="list")
def list_(*, as_json: Json = False) -> None:
    """List the installed models."""
    document = commands.models(local_session())
    if as_json:
        print_json(document)
    elif document["models"]:
        table(
            ("Model", "What it is", "#Size", "SHA-256", "Licence", "Here"),
            ((m["name"], _what(m), _size(m), f"{m['sha256'][:12]}", m["license"] or "none given",
              m["why_not"] or "ready") for m in document["models"]),
            folds="Here",
        )  # fmt: skip
    else:
        sentence("nothing to list")


@models_app.command()
def verify(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="All without it.")] = "",
    *,
    as_json: Json = False,
) -> None:
    """Read every file of a model, and compare it with what was installed."""
    document = commands.verify_models(local_session(), name)
    if as_json:
        print_json(document)
    for model in document["models"] if not as_json else ():
        sentence(f"{model['name']}: {'; '.join(model['problems']) or 'as it was installed'}")
    if not document["ok"]:
        raise IntegrityError(
            "a model is damaged", "remove it, and add it again from where it came from"
        )


@models_app.command()
def remove(name: Annotated[str, typer.Argument(metavar="NAME")]) -> None:
    """Remove an installed model."""
    commands.remove_model(local_session(), name)
    note(f"{name} is removed")


def _what(model: dict[str, Any]) -> str:
    return " ".join(filter(None, (model["title"], model["version"])))


def _size(model: dict[str, Any]) -> str:
    return f"{model['bytes'] / 1e6:.1f} MB"
