"""The door that every action passes: permission before, a record after."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from napari_medlabel.errors import PermissionDenied
from napari_medlabel.session import Permission, Session

__all__ = ["command"]

P = ParamSpec("P")
R = TypeVar("R")


def command(
    *, needs: Permission
) -> Callable[[Callable[Concatenate[Session, P], R]], Callable[Concatenate[Session, P], R]]:
    """Make a function a command: it asks for the permission first and is recorded, come what may.

    The record names the command and how it ended, never what it was given.
    """

    def decorate(
        function: Callable[Concatenate[Session, P], R],
    ) -> Callable[Concatenate[Session, P], R]:
        action = function.__name__

        @functools.wraps(function)
        def guarded(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> R:
            try:
                session.permit(needs)
            except PermissionDenied:
                session.record(action, "denied")
                raise
            try:
                answer = function(session, *args, **kwargs)
            except Exception as error:
                session.record(action, "failed", error=type(error).__name__)
                raise
            session.record(action, "done")
            return answer

        guarded.permission = needs  # type: ignore[attr-defined]  # read by the house's test
        return guarded

    return decorate
