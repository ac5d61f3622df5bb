"""The reader of text in pictures: rapidocr with the models of its own package, and no network.

It would fetch a model that is missing, so that the models are looked for first and handed over by
their paths. What was read is what may identify somebody: it never leaves this process but sealed.
"""

import hashlib
import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from napari_medlabel.errors import ExtraMissing

__all__ = ["LARGE", "SMALL", "Reading", "TextReader", "is_installed"]

Array = npt.NDArray[Any]

LARGE: Final = 736  # pixels of a picture's shorter side: its own default, for small letters
SMALL: Final = 576  # for larger ones, of which it misses some in larger pictures

_NEEDED: Final = ("rapidocr", "onnxruntime", "cv2")
_MODELS: Final = {"Det": "*_det_*.onnx", "Rec": "*_rec_*.onnx", "Cls": "*_cls_*.onnx"}
_ALPHABET: Final = b"character"  # a recognizer without its own alphabet would have one fetched
_MOST_ENLARGED: Final = 2  # times: more costs time and finds nothing more
_LONGEST: Final = 2000  # pixels: the reader shrinks what is larger
_TILE: Final = 1536
_OVERLAP: Final = 192


@dataclass(frozen=True, slots=True)
class Reading:
    """A line of text in a picture: its box in pixels, how sure it is, and what it says.

    `text` may identify somebody: it is not shown, logged or written in the clear.
    """

    left: float
    top: float
    right: float
    bottom: float
    score: float
    text: str

    def __repr__(self) -> str:
        return f"Reading({self.left:.0f}, {self.top:.0f}, {self.right:.0f}, {self.bottom:.0f})"


def is_installed() -> bool:
    """Whether text can be read here: the extra `ocr`."""
    return all(importlib.util.find_spec(name) is not None for name in _NEEDED)


class TextReader:
    """Reads the text in pictures; holds some 200 MB and is for one thread.

    Raises
    ------
    ExtraMissing
        If the extra `ocr`, or a model that comes with it, is not installed.
    """

    def __init__(self) -> None:
        if not is_installed():
            raise ExtraMissing.named("ocr", "looking for text in pictures")
        models = _models()
        from rapidocr import RapidOCR

        logging.getLogger("RapidOCR").setLevel(logging.CRITICAL)
        _silence_onnxruntime()
        self._models = models
        paths = {f"{part}.model_path": str(path) for part, path in models.items()}
        self._reader = RapidOCR(
            params={"Global.log_level": "critical", "Global.text_score": 0.0, **paths}
        )

    def models(self) -> dict[str, str]:
        """SHA-256 (hex) of each model, by the name of its file."""
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self._models.values()
        }

    def read(self, picture: Array, enlarged_to: int = LARGE) -> list[Reading]:
        """All that looks like text, however unsure.

        Parameters
        ----------
        picture
            uint8, `[row, column]`, or `[row, column, sample]` in red, green and blue.
        enlarged_to
            The shorter side at which text is looked for, in pixels, where it is smaller.
        """
        colored = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
        plain = np.ascontiguousarray(colored[..., ::-1])  # blue first, as it wants it
        self._enlarge(plain, enlarged_to)
        found = self._read_at(plain, 0, 0)
        if max(plain.shape[:2]) > _LONGEST:
            for top in _starts(plain.shape[0]):
                for left in _starts(plain.shape[1]):
                    tile = np.ascontiguousarray(plain[top : top + _TILE, left : left + _TILE])
                    found += self._read_at(tile, left, top)
        return found

    def _enlarge(self, picture: Array, enlarged_to: int) -> None:
        detector: Any = self._reader.text_det  # there from the second picture on
        if detector is not None:
            detector.limit_side_len = min(enlarged_to, _MOST_ENLARGED * min(picture.shape[:2]))

    def _read_at(self, picture: Array, left: int, top: int) -> list[Reading]:
        answer: Any = self._reader(picture)
        if answer.boxes is None:
            return []
        readings = []
        for corners, text, score in zip(answer.boxes, answer.txts, answer.scores, strict=True):
            (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
            place = (left + float(x0), top + float(y0), left + float(x1), top + float(y1))
            readings.append(Reading(*place, float(score), str(text)))
        return readings


def _models() -> dict[str, Path]:
    """The models that came with rapidocr."""
    found = importlib.util.find_spec("rapidocr")
    folders = list(found.submodule_search_locations or ()) if found else []
    models = {}
    for part, pattern in _MODELS.items():
        paths = [path for folder in folders for path in Path(folder, "models").glob(pattern)]
        if len(paths) != 1:
            raise _incomplete()
        models[part] = paths[0]
    if _ALPHABET not in models["Rec"].read_bytes():
        raise _incomplete()
    return models


def _incomplete() -> ExtraMissing:
    return ExtraMissing(
        "the models of rapidocr are not in its package as they should be, and none is fetched",
        'install it again: pip install --force-reinstall "rapidocr>=3.10"',
    )


def _silence_onnxruntime() -> None:
    """On Windows it tells the system what it does, unless it is told not to."""
    import onnxruntime

    onnxruntime.disable_telemetry_events()


def _starts(length: int) -> list[int]:
    """Where tiles begin, so that each overlaps the next."""
    count = max(1, -(-(length - _OVERLAP) // (_TILE - _OVERLAP)))
    last = max(0, length - _TILE)
    return sorted({round(n * last / max(1, count - 1)) for n in range(count)})
