"""The worker process: builds the surfaces of the masks that come through its standard input.

It dumps no core, since that would put a mask on the disk, gives way to whatever the person does,
and ends with its standard input, so that it does not outlive whoever started it. What a library
prints goes nowhere: answers have a pipe of their own.
"""

import os
import signal
from contextlib import suppress
from typing import Final

from napari_medlabel.core.skin import skin_of
from napari_medlabel.core.surface import surface
from napari_medlabel.decoding.beginning import forbid_core_dumps, take_pipes
from napari_medlabel.decoding.messages import Lost, Pipe, write_all
from napari_medlabel.surfaces.messages import (
    HELLO,
    Outcome,
    Part,
    read_question,
    write_answer,
)

__all__ = ["main"]

_NICE: Final = 5


def main() -> None:
    """Answer questions until there are none."""
    questions, answers = take_pipes()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
    forbid_core_dumps()
    if hasattr(os, "nice"):
        os.nice(_NICE)
    with suppress(Lost):  # nobody reads the answers any more
        write_all(answers, HELLO)
        while (part := read_question(questions)) is not None:
            _answer(answers, part)


def _answer(answers: Pipe, part: Part) -> None:
    try:
        if part.skin:
            built = skin_of(part.mask, part.geometry, most_faces=part.most_faces)
        else:
            built = surface(part.mask, part.geometry, most_faces=part.most_faces)
    except MemoryError:
        write_answer(answers, Outcome.MEMORY)
    except Exception:  # noqa: BLE001  # whatever it is, the next mask may be sound
        write_answer(answers, Outcome.BROKEN)
    else:
        write_answer(answers, Outcome.NO_HEAD if built is None else Outcome.DONE, built)
