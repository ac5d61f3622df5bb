"""Every error raised on purpose, in one tree.

MedlabelError            the base: what, where, and a hint
├── InputError           exit 1   this file or value cannot be used
│   ├── GeometryError             its voxels have no one place in space
│   ├── OutputError               the destination cannot be written, or is there already
│   └── ValueTaken                a label value means another segment here
├── IntegrityError       exit 1   bytes at rest are not what was written
│   └── DamagedHistory            a segmentation's journal is; its saved versions are apart from it
├── NotSaved             exit 1   an edit could not be made durable: disk full, folder gone
├── ExtraMissing         exit 1   says which extra to install
├── Cancelled            exit 1   a person called it off; nothing was left behind
└── Refused              exit 3   not you, or not now
    ├── PermissionDenied          the signed-in person may not do this
    ├── ReadOnly                  somebody else holds the case, or a version is signed off
    ├── Locked                    the edit would change a locked segment
    └── StaleEdit                 the edit's `before` is not what is there
"""

from typing import ClassVar

__all__ = [
    "Cancelled",
    "DamagedHistory",
    "ExtraMissing",
    "GeometryError",
    "InputError",
    "IntegrityError",
    "Locked",
    "MedlabelError",
    "NotSaved",
    "OutputError",
    "PermissionDenied",
    "ReadOnly",
    "Refused",
    "StaleEdit",
    "ValueTaken",
]


class MedlabelError(Exception):
    """What went wrong and where; `hint` says what to do. Never a value from a header.

    Parameters
    ----------
    what
        One sentence for a person.
    hint
        The next step for that person, or nothing.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)  # both in `args`, so that pickling keeps them
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return self.what


class InputError(MedlabelError):
    """This file or value cannot be used."""


class GeometryError(InputError):
    """The voxels have no one place in space, or two grids differ."""


class OutputError(InputError):
    """The destination cannot be written, or is there already."""


class ValueTaken(InputError):
    """A label value that has voxels would mean another segment."""


class IntegrityError(MedlabelError):
    """Bytes at rest are not what was written."""


class DamagedHistory(IntegrityError):
    """The journal of a segmentation is hurt; its saved versions are kept apart from it."""


class NotSaved(MedlabelError):
    """An edit could not be made durable; it is still in memory."""


class ExtraMissing(MedlabelError):
    """A part that is installed separately is not there."""

    @classmethod
    def named(cls, extra: str, purpose: str) -> "ExtraMissing":
        """The error for a missing extra: `named("ai", "interactive segmentation")`."""
        return cls(
            f"{purpose} needs the extra '{extra}', which is not installed",
            f'install it with: pip install "napari-medlabel[{extra}]"',
        )


class Cancelled(MedlabelError):
    """A person called it off; nothing was left behind."""


class Refused(MedlabelError):
    """Not you, or not now."""

    exit_code = 3


class PermissionDenied(Refused):
    """The signed-in person may not do this."""


class ReadOnly(Refused):
    """The segmentation cannot be changed here and now; the text says why."""


class Locked(Refused):
    """The edit would change a locked segment."""


class StaleEdit(Refused):
    """The voxels are no longer what the edit expects to find."""
