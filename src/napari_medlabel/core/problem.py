"""What is wrong with a file or series, as a value that a person and a program can read."""

from dataclasses import dataclass

__all__ = ["Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing found wrong, with numbers; never a value that names a patient.

    Parameters
    ----------
    code
        A kebab-case noun, listed in docs/formats.md: `uneven-spacing`.
    what
        One sentence with the numbers that matter.
    hint
        What can be done about it.
    blocking
        True where the voxels cannot be one regular grid: the series is refused unless split
        or resampled on request.
    """

    code: str
    what: str
    hint: str = ""
    blocking: bool = False

    def document(self) -> dict[str, str]:
        """The problem as JSON-ready values."""
        return {"code": self.code, "what": self.what, "hint": self.hint}
