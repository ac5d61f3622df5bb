"""When something happened, in the one form that every file of ours uses."""

from datetime import UTC, datetime

__all__ = ["utc_now"]


def utc_now() -> str:
    """Now: UTC, ISO 8601 with milliseconds and a Z."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
