"""Pictures in every way that DICOM stores them, made in code."""

from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
)

from tests.formats.made_dicom import one_slice, save

__all__ = ["KINDS", "grey_picture", "picture_file"]

Array = npt.NDArray[Any]
_JPEG: Final = "1.2.840.10008.1.2.4."
_RLE: Final = "1.2.840.10008.1.2.5"


def grey_picture(shape: tuple[int, int] = (24, 32), seed: int = 1) -> Array:
    """A smooth picture with noise, uint8."""
    j, i = np.mgrid[0 : shape[0], 0 : shape[1]]
    noise = np.random.default_rng(seed).integers(0, 9, shape)
    return (90 + 60 * np.sin(j / 9) * np.cos(i / 7) + noise).astype(np.uint8)


def colors(grey: Array) -> Array:
    return np.stack([grey, 255 - grey, np.roll(grey, 3, axis=1)], axis=-1)


def _dataset(grey: Array, **elements: object) -> Dataset:
    """A secondary capture; the pixel data is set by the caller."""
    made = one_slice(
        grey, (0, 0, 0), SOPClassUID=SecondaryCaptureImageStorage, Modality="OT",
        ImageType=["DERIVED", "SECONDARY"], ConversionType="WSD", BurnedInAnnotation="YES",
    )  # fmt: skip
    del made.RescaleSlope, made.RescaleIntercept
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def _in_color(grey: Array, photometric: str, data: bytes, planar: int = 0) -> Dataset:
    return _dataset(
        grey, SamplesPerPixel=3, PhotometricInterpretation=photometric, PixelData=data,
        PlanarConfiguration=planar,
    )  # fmt: skip


def _packed(made: Dataset, frames: list[bytes]) -> Dataset:
    made.PixelData = encapsulate(frames)
    made["PixelData"].is_undefined_length = True
    return made


def _run_lengths(array: Array) -> bytes:
    """PS3.5 annex G, of samples of one byte."""
    planes = np.moveaxis(array.reshape(*array.shape[:2], -1), -1, 0)
    parts = [b"".join(imagecodecs.packbits_encode(r.tobytes()) for r in p) for p in planes]
    parts = [part + bytes(len(part) % 2) for part in parts]
    starts = [64 + sum(map(len, parts[:n])) for n in range(len(parts))]
    head = np.zeros(16, "<u4")
    head[: len(parts) + 1] = len(parts), *starts
    return head.tobytes() + b"".join(parts)


def _halved(rgb: Array) -> bytes:
    """YBR_FULL_422: two brightnesses, then the colours of both."""
    pairs = rgb.reshape(rgb.shape[0], rgb.shape[1] // 2, 2, 3)
    return np.concatenate([pairs[..., 0], pairs[:, :, 0, 1:]], axis=-1).tobytes()


def _palette(grey: Array) -> Dataset:
    made = _dataset(grey, PhotometricInterpretation="PALETTE COLOR")
    for name, table in zip(("Red", "Green", "Blue"), (1.0, 0.5, 0.25), strict=True):
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        words = (np.arange(256) * 257 * table).astype("<u2")
        setattr(made, f"{name}PaletteColorLookupTableData", words.tobytes())
    return made


def _bits(shape: tuple[int, int] = (9, 13), frames: int = 3) -> Dataset:
    rng = np.random.default_rng(4)
    bits = rng.integers(0, 2, (frames, *shape)).astype(np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    return _dataset(
        bits[0], NumberOfFrames=frames, BitsAllocated=1, BitsStored=1, HighBit=0,
        PixelData=packed + bytes(len(packed) % 2),
    )  # fmt: skip


def _made(kind: str, grey: Array) -> tuple[Dataset, str]:  # noqa: C901, PLR0911, PLR0912  # a table of kinds
    rgb = colors(grey)
    wide = (grey.astype(np.int16) - 100) * 13
    match kind:
        case "grey":
            return _dataset(grey), ExplicitVRLittleEndian
        case "signed, rubbish above":
            twelve = (wide.view(np.uint16) & 0xFFF) | 0x5000
            return one_slice(
                twelve, (0, 0, 0), BitsStored=12, HighBit=11, PixelRepresentation=1
            ), ImplicitVRLittleEndian  # fmt: skip
        case "big-endian":
            return one_slice(wide, (0, 0, 0)), ExplicitVRBigEndian
        case "deflated":
            return one_slice(wide, (0, 0, 0)), DeflatedExplicitVRLittleEndian
        case "frames":
            three = np.stack([wide, wide + 1, wide + 2])
            made = one_slice(wide, (0, 0, 0), NumberOfFrames=3)
            made.PixelData = three.tobytes()
            return made, ExplicitVRLittleEndian
        case "bits":
            return _bits(), ExplicitVRLittleEndian
        case "palette":
            return _palette(grey), ExplicitVRLittleEndian
        case "rgb":
            return _in_color(grey, "RGB", rgb.tobytes()), ExplicitVRLittleEndian
        case "planar":
            planes = np.ascontiguousarray(np.moveaxis(rgb, -1, 0)).tobytes()
            return _in_color(grey, "RGB", planes, 1), ImplicitVRLittleEndian
        case "ybr":
            return _in_color(grey, "YBR_FULL", rgb.tobytes()), ExplicitVRLittleEndian
        case "halved":
            return _in_color(grey, "YBR_FULL_422", _halved(rgb)), ExplicitVRLittleEndian
        case "rgb run lengths":
            return _packed(_in_color(grey, "RGB", b""), [_run_lengths(rgb)]), _RLE
        case "rgb JPEG-LS":
            data = bytes(imagecodecs.jpegls_encode(rgb))
            return _packed(_in_color(grey, "RGB", b""), [data]), _JPEG + "80"
        case "rgb JPEG 2000":
            data = bytes(
                imagecodecs.jpeg2k_encode(rgb, codecformat="j2k", reversible=True, mct=True)
            )
            return _packed(_in_color(grey, "YBR_RCT", b""), [data]), _JPEG + "90"
        case "JPEG":
            data = bytes(imagecodecs.jpeg8_encode(rgb, level=95))
            return _packed(_in_color(grey, "YBR_FULL_422", b""), [data]), _JPEG + "50"
        case _:
            raise ValueError(kind)


KINDS: Final = (
    "grey", "signed, rubbish above", "big-endian", "deflated", "frames", "bits", "palette", "rgb",
    "planar", "ybr", "halved", "rgb run lengths", "rgb JPEG-LS", "rgb JPEG 2000", "JPEG",
)  # fmt: skip


def picture_file(path: Path, kind: str, grey: Array | None = None) -> Path:
    """A DICOM file that stores a picture in one of the `KINDS` of ways."""
    made, syntax = _made(kind, grey_picture() if grey is None else grey)
    return save(path, made, syntax)
