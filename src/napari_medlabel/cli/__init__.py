"""The command line: parses, calls one command, prints its answer. Nothing is decided here.

Exit codes: 0 done; 1 a problem with the input, in one line on stderr with what to do; 2 usage;
3 refused; 70 a bug; 130 and 143 called off, by Ctrl-C and by SIGTERM. With `--json` one JSON
document is printed on stdout and nothing else.

The program itself is imported when it is run, so that what goes wrong or is called off meanwhile
is one line too.
"""

import importlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from types import FrameType
from typing import Any, Final, NoReturn

from napari_medlabel.errors import MedlabelError
from napari_medlabel.files import shown

__all__ = ["main", "run"]

BUG: Final = 70
INTERRUPTED: Final = 130
TERMINATED: Final = 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM: what was begun is taken back as after Ctrl-C."""


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
        program: Any = importlib.import_module("napari_medlabel.cli.program")
        code: int = program.run(sys.argv[1:] if argv is None else list(argv))
        sys.stdout.flush()
    except MedlabelError as error:
        _complain(error.what, error.hint)
        return error.exit_code
    except KeyboardInterrupt as ended:
        _complain("called off", "")
        return TERMINATED if isinstance(ended, _Terminated) else INTERRUPTED
    except BrokenPipeError:  # whoever read the answer has gone: `medlabel scan . | head`
        _let_go_of_stdout()
        return 1
    except Exception as error:  # noqa: BLE001  # the last line of defence: say that it is a bug
        _complain(*_bug(error))
        return BUG
    return code


def run() -> NoReturn:
    """The entry point `medlabel`."""
    signal.signal(signal.SIGTERM, _terminate)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # not a test's
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries, for who develops; stderr is for one line
    sys.exit(main())


def _terminate(number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # once is enough: let what was begun be taken back
    raise _Terminated


def _complain(what: str, hint: str) -> None:
    """One line on stderr: what is wrong, and what to do."""
    words = shown(" ".join(what.split()))  # a newline in a path stays one line
    after = shown(" ".join(f"{hint[:1].upper()}{hint[1:]}".split()))
    print(f"medlabel: {words}{f'. {after}' if after else ''}", file=sys.stderr)


def _let_go_of_stdout() -> None:
    """What is still to be flushed goes nowhere, in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


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
