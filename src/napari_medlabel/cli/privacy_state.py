"""The subcommands of `medlabel privacy`: what is cleared, and what has to be before what."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, get_args

import typer

from napari_medlabel import commands
from napari_medlabel.cli.options import CaseName, Json, WorkspaceChoice
from napari_medlabel.cli.text import print_json, sentence, table
from napari_medlabel.errors import InputError
from napari_medlabel.session import Session, local_session

__all__ = ["privacy_app"]

privacy_app = typer.Typer(
    name="privacy",
    help="What is known of a case's header, burned-in text and face, and what the rules want.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_PARTS: Final = get_args(commands.PrivacyPart)
_Part = Annotated[commands.PrivacyPart, typer.Argument(metavar="PART", help=", ".join(_PARTS))]
_Why = Annotated[
    str,
    typer.Option(
        "--why", help="One line; it goes into the provenance of exports, so no names or numbers."
    ),
]
_LIST: Final = "headers,burned-in,face; or all, or none."


@privacy_app.command()
def show(
    case: Annotated[
        str, typer.Argument(metavar="[CASE]", help="A case; all of them without it.")
    ] = "",
    *,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """What is known of a case, who said so and why, and what the rules still want of it."""
    session = local_session(workspace)
    if case:
        _tell(session, case, as_json=as_json)
        return
    documents = [commands.privacy_document(session, one) for one in commands.recent_cases(session)]
    if as_json:
        print_json({"format": 1, "cases": documents})
        return
    table(
        ("Case", "Headers", "Burned-in", "Face", "Held back before"),
        ((one["case"], *(part["state"] for part in one["parts"]),
          ", ".join(before for before, missing in one["missing"].items() if missing) or "-")
         for one in documents),
    )  # fmt: skip


@privacy_app.command()
def mark(  # noqa: PLR0913  # one for each option
    case: CaseName,
    part: _Part,
    state: Annotated[
        commands.PrivacyState,
        typer.Argument(metavar="STATE", help="done, not-needed, or unknown to take it back."),
    ],
    *,
    why: _Why,
    report: Annotated[
        Path | None,
        typer.Option(
            "--report", readable=False,
            help="What proves it: a report of deface or burned-in, or any other file.",
        ),
    ] = None,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say what is known of a part of a case; kept with who and when."""
    session = local_session(workspace)
    commands.mark_privacy(session, case, part, state, why=why, report=report)
    _tell(session, case, as_json=as_json)


@privacy_app.command()
def override(
    case: CaseName,
    part: _Part,
    *,
    why: _Why,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """Let a part of a case through as it is, where the rules allow it; kept with the reason."""
    session = local_session(workspace)
    commands.override_privacy(session, case, part, why)
    _tell(session, case, as_json=as_json)


@privacy_app.command()
def policy(  # noqa: PLR0913  # one for each option
    *,
    labelling: Annotated[
        str | None,
        typer.Option(metavar="PARTS", help=f"To be cleared before anybody draws: {_LIST}"),
    ] = None,
    another_user: Annotated[
        str | None,
        typer.Option(metavar="PARTS", help=f"Before somebody draws who did not import it: {_LIST}"),
    ] = None,
    export: Annotated[
        str | None,
        typer.Option(metavar="PARTS", help=f"Before a case leaves the workspace: {_LIST}"),
    ] = None,
    may_override: Annotated[
        bool | None,
        typer.Option(
            "--override/--no-override", help="Whether a part may be let through with a reason."
        ),
    ] = None,
    override_by: Annotated[
        list[str],
        typer.Option("--override-by", metavar="PERSON", help="Only by this person; repeat."),
    ] = [],  # noqa: B006
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin with rules that want nothing.")
    ] = False,
    workspace: WorkspaceChoice = None,
    as_json: Json = False,
) -> None:
    """Show what has to be cleared before labelling, another user's work and export; or set it."""
    session = local_session(workspace)
    wanted = {
        name: _parts(words)
        for name, words in (
            ("labelling", labelling), ("another_user", another_user), ("export", export)
        )
        if words is not None
    }  # fmt: skip
    new: dict[str, Any] = dict(wanted)
    if may_override is not None:
        new["override"] = may_override
    if override_by:
        new["override_by"] = frozenset(override_by)
    rules = commands.PrivacyPolicy() if anew else commands.privacy_policy(session)
    if new or anew:
        rules = commands.set_privacy_policy(session, replace(rules, **new))
    if as_json:
        print_json(rules.document())
        return
    for before, parts in rules.document()["before"].items():
        sentence(f"before {before.replace('-', ' ')}: {', '.join(parts) or 'nothing'}")
    by = ", ".join(sorted(rules.override_by)) or "whoever may clear a case"
    sentence(f"overriding: {f'by {by}, with a reason' if rules.override else 'not allowed'}")


def _parts(words: str) -> frozenset[commands.PrivacyPart]:
    """The parts of a list with commas."""
    if words.strip() == "none":
        return frozenset()
    if words.strip() == "all":
        return frozenset(_PARTS)
    named = {word.strip() for word in words.split(",")}
    if unknown := sorted(named - set(_PARTS)):
        raise InputError(f"there is no part '{unknown[0]}'", f"of {', '.join(_PARTS)}, all, none")
    return frozenset(part for part in _PARTS if part in named)


def _tell(session: Session, case: str, *, as_json: bool) -> None:
    document = commands.privacy_document(session, case)
    if as_json:
        print_json({"format": 1} | document)
    else:
        _print(document)


def _print(document: dict[str, Any]) -> None:
    sentence(f"{document['case']}: {'cleared' if document['cleared'] else 'not cleared'}")
    table(
        ("Part", "State", "Who", "When (UTC)", "Why"),
        (
            (one["part"], one["state"], one["who"] or "-", _minute(one["when"]), one["why"] or "-")
            for one in document["parts"]
        ),
        folds="Why",
    )
    for before, missing in document["missing"].items():
        _print_missing(before, missing)


def _print_missing(before: str, missing: Sequence[dict[str, Any]]) -> None:
    if missing:
        words = "; ".join(one["words"] for one in missing)
        sentence(f"held back before {before.replace('-', ' ')}: {words}")


def _minute(when: str) -> str:
    return when[:16].replace("T", " ") or "-"
