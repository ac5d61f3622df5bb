"""The command line: parses, calls one command, prints its answer. Nothing is decided here.

Exit codes: 0 done; 1 a problem with the input, in one line on stderr with what to do; 2 usage;
3 refused; 70 a bug. With `--json` one JSON document is printed on stdout and nothing else.
"""

import os
import sys
import traceback
from collections.abc import Sequence

from napari_medlabel.cli.program import app
from napari_medlabel.cli.text import complain
from napari_medlabel.errors import MedlabelError

__all__ = ["app", "main", "run"]

BUG = 70
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; only here is an error made an exit code.

    Parameters
    ----------
    argv
        The words after `medlabel`; those of this process where None.

    Returns
    -------
    int
        The exit code.
    """
    try:
        app(args=None if argv is None else list(argv), prog_name="medlabel")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except MedlabelError as error:
        complain(error.what, error.hint)
        return error.exit_code
    except KeyboardInterrupt:
        complain("called off", "")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last line of defence: say that it is a bug
        complain(*_bug(error))
        return BUG
    return 0


def run() -> None:
    """The entry point `medlabel`."""
    sys.exit(main())


def _bug(error: Exception) -> tuple[str, str]:
    """Where it happened, without any value: those may be of a patient."""
    if os.environ.get("MEDLABEL_DEBUG"):
        traceback.print_exc()
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "napari_medlabel" in frame.filename] or frames
    place = f"{os.path.basename(ours[-1].filename)}, line {ours[-1].lineno}" if ours else "start"  # noqa: PTH119
    return (
        f"this is a bug: {type(error).__name__} in {place}",
        "please report it; MEDLABEL_DEBUG=1 shows the whole story, which may hold patient data",
    )
