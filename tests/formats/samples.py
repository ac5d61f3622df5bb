"""Small good files of every format, made in code: what is damaged by the mutation tests."""

import bz2
import gzip
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import imagecodecs
import nibabel
import numpy as np
from nibabel.nifti1 import Nifti1Image, Nifti1Pair
from nibabel.nifti2 import Nifti2Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MediaStorageDirectoryStorage,
    RLELossless,
)

from napari_medlabel.core.geometry import Geometry
from tests.formats.made_dicom import (
    oblique,
    one_slice,
    ramp,
    save,
    save_compressed,
    stack,
    uid,
)
from tests.formats.made_frames import enhanced, mosaic
from tests.formats.made_seg import Frame, save_rle, save_seg, seg, segment, structures
from tests.formats.mutations import Sample

__all__ = ["generated_samples"]

SHAPE: Final = (4, 6, 8)
_JPEG: Final = "1.2.840.10008.1.2.4."
VOXELS: Final = ramp(SHAPE)


def generated_samples(folder: Path) -> list[Sample]:
    """Every sample; the folder is used to write in."""
    return [
        *_dicom(folder),
        *_derived(folder),
        *_containers(folder),
        *_nifti(folder),
        *_nrrd(),
        *_metaimage(),
    ]


def dicomdir(names: list[list[str]]) -> bytes:
    """A DICOMDIR with a patient, a study, a series and an image for each name."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = uid("directory")
    dataset.FileSetID = "GENERATED"
    records = []
    kinds = ("PATIENT", "STUDY", "SERIES", *("IMAGE" for _ in names))
    for kind, name in zip(kinds, [None, None, None, *names], strict=True):
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 0
        record.RecordInUseFlag = 0xFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
        record.DirectoryRecordType = kind
        if kind == "PATIENT":
            record.PatientName, record.PatientID = "Secret^Name", "SECRET-ID"
        if name is not None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # pydicom sees that ".." is no proper name
                record.ReferencedFileID = name
        records.append(record)
    dataset.DirectoryRecordSequence = Sequence(records)
    target = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.save_as(target, enforce_file_format=True)
    return target.getvalue()


def multi_frame(**elements: object) -> Dataset:
    """An enhanced MR image of four frames."""
    positions = [(0.0, 0.0, 4.0 * n) for n in range(len(VOXELS))]
    return enhanced(VOXELS, positions, modality="MR", **elements)


# DICOM


def _dicom(folder: Path) -> Iterator[Sample]:
    first = stack(VOXELS, orientation=oblique())[0]
    beside = {
        f"good{n}": save(folder / "good", dataset).read_bytes()
        for n, dataset in enumerate(stack(VOXELS, SeriesInstanceUID=uid("good")))
    }
    for name, syntax in {
        "explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian,
        "deflated": DeflatedExplicitVRLittleEndian, "big": ExplicitVRBigEndian,
    }.items():  # fmt: skip
        data = save(folder / name, first.copy(), syntax).read_bytes()
        yield Sample(f"{name}.dcm", data, beside if name == "explicit" else {})
    picture = ramp((1, 32, 40))[0]
    for end, packed in _compressed(picture).items():
        syntax = RLELossless if end == "rle" else _JPEG + end
        path = save_compressed(folder / end, one_slice(picture, (0, 0, 0)), packed, syntax)
        yield Sample(f"{end}.dcm", path.read_bytes())
    tiles = mosaic(ramp((6, 5, 7)), (0.0, 0.0, 1.0))
    yield Sample("mosaic.dcm", save(folder / "m", tiles).read_bytes())
    yield Sample("frames.dcm", save(folder / "f", multi_frame()).read_bytes())
    packed = multi_frame()
    frames = [bytes(imagecodecs.jpegls_encode(plane.view(np.uint16))) for plane in VOXELS]
    packed.PixelData = encapsulate(frames, has_bot=True)
    packed["PixelData"].is_undefined_length = True
    yield Sample("frames.jls.dcm", save(folder / "p", packed, _JPEG + "80").read_bytes())
    yield Sample("dicom.dcm.gz", gzip.compress(beside["good0"], 1, mtime=0), {}, "gzip")


def _compressed(picture: Any) -> dict[str, bytes]:  # noqa: ANN401  # untyped codecs
    unsigned = picture.view(np.uint16)
    rows = [
        imagecodecs.packbits_encode(
            np.ascontiguousarray(picture.view(np.uint8).reshape(32, -1)[:, n::2]).tobytes()
        )
        for n in (1, 0)
    ]
    header = np.zeros(16, "<u4")
    header[:3] = 2, 64, 64 + len(rows[0])
    return {
        "rle": header.tobytes() + b"".join(rows),
        "50": bytes(imagecodecs.jpeg8_encode((picture >> 4).astype(np.uint8))),
        "57": bytes(imagecodecs.ljpeg_encode(unsigned, bitspersample=16)),
        "80": bytes(imagecodecs.jpegls_encode(unsigned)),
        "90": bytes(imagecodecs.jpeg2k_encode(picture, codecformat="j2k", reversible=True)),
        "201": bytes(imagecodecs.htj2k_encode(picture, reversible=True)),
    }


def _derived(folder: Path) -> Iterator[Sample]:
    """Segmentations of each kind, and contours."""
    grid = Geometry.from_spacing(SHAPE, (3.0, 0.8, 0.7))
    masks = np.random.default_rng(2).integers(0, 2, (2, *SHAPE), np.uint8)
    frames = [Frame(k, n, mask[k]) for n, mask in enumerate(masks, 1) for k in range(SHAPE[0])]
    numbers = [segment(1), segment(2)]
    yield Sample("bits.dcm", save_seg(folder / "b", seg(grid, frames, numbers)).read_bytes())
    map_ = [Frame(k, 0, masks[0][k] + masks[1][k]) for k in range(SHAPE[0])]
    labels = seg(grid, map_, numbers, "LABELMAP")
    yield Sample("labels.dcm", save_rle(folder / "l", labels).read_bytes())
    ring = [(0.0, 0, 3), (4, 0, 3), (4, 5, 3), (0, 5, 3)]
    path = save_seg(folder / "r", structures({1: [ring], 2: [ring, ring]}))
    yield Sample("contours.dcm", path.read_bytes())


def _containers(folder: Path) -> Iterator[Sample]:
    slices = {
        f"IM{n}": save(folder / "slice", dataset).read_bytes()
        for n, dataset in enumerate(stack(VOXELS))
    }
    yield Sample("DICOMDIR", dicomdir([[name] for name in slices]), slices)
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED}.items():
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w", method) as archive:
            for member, data in slices.items():
                archive.writestr(zipfile.ZipInfo(f"images/{member}"), data, method)
        yield Sample(f"{name}.zip", target.getvalue(), slices)


# The formats of one file


def _nifti(folder: Path) -> Iterator[Sample]:
    affine = np.array([[2, 0.1, 0, 5], [-0.1, 2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1.0]])
    voxels = VOXELS.T
    four = np.stack([voxels, voxels + 1], axis=3)
    images: dict[str, Any] = {
        "one.nii": Nifti1Image(voxels, affine),
        "one.nii.gz": Nifti1Image(voxels, affine),
        "four.nii.gz": Nifti1Image(four, affine),
        "two.nii": Nifti2Image(voxels.astype(np.float32), affine),
        "big.nii": Nifti1Image(voxels, affine, Nifti1Image.header_class(endianness=">")),
    }
    for name, image in images.items():
        path = folder / name
        nibabel.save(image, path)
        packed = "gzip" if name.endswith(".gz") else ""
        yield Sample(name, path.read_bytes(), {}, packed)
    nibabel.save(Nifti1Pair(voxels, affine), folder / "pair.img")
    header, data = (folder / "pair.hdr").read_bytes(), (folder / "pair.img").read_bytes()
    yield Sample("pair.hdr", header, {"pair.img": data})


def _nrrd() -> Iterator[Sample]:
    raw = VOXELS.tobytes()
    text = " ".join(map(str, VOXELS.ravel())).encode("ascii")
    encodings = {
        "raw": raw, "gzip": gzip.compress(raw, mtime=0), "bzip2": bz2.compress(raw),
        "ascii": text, "hex": raw.hex().encode("ascii"),
    }  # fmt: skip
    lines = [
        "NRRD0004", "type: short", "dimension: 3", "space: left-posterior-superior",
        "sizes: 8 6 4", "space directions: (2,0,0) (0,3,0) (0,0,4)", "endian: little",
        "space origin: (1,2,3)",
    ]  # fmt: skip
    for encoding, data in encodings.items():
        header = "\n".join([*lines, f"encoding: {encoding}", "", ""]).encode("ascii")
        yield Sample(f"{encoding}.nrrd", header + data)
        if encoding == "gzip":
            detached = "\n".join([*lines, "encoding: gzip", "data file: a.raw.gz", ""])
            yield Sample("apart.nhdr", detached.encode("ascii"), {"a.raw.gz": data})
    four = [*lines[:2], "dimension: 4", lines[3], "sizes: 2 8 6 4"]
    four += ["space directions: none (2,0,0) (0,3,0) (0,0,4)", *lines[6:]]
    four += ["kinds: list domain domain domain", "encoding: raw", "", ""]
    yield Sample("four.nrrd", "\n".join(four).encode("ascii") + raw + raw)


def _metaimage() -> Iterator[Sample]:
    raw = VOXELS.tobytes()
    lines = [
        "ObjectType = Image", "NDims = 3", "BinaryData = True", "BinaryDataByteOrderMSB = False",
        "TransformMatrix = 1 0 0 0 1 0 0 0 1", "Offset = 1 2 3", "ElementSpacing = 2 3 4",
        "DimSize = 8 6 4", "ElementType = MET_SHORT",
    ]  # fmt: skip
    packed = zlib.compress(raw)

    def header(*more: str) -> bytes:
        return "\n".join([*lines, *more, ""]).encode("ascii")

    yield Sample("raw.mha", header("ElementDataFile = LOCAL") + raw)
    size = f"CompressedDataSize = {len(packed)}"
    more = ("CompressedData = True", size, "ElementDataFile = LOCAL")
    yield Sample("packed.mha", header(*more) + packed)
    yield Sample("apart.mhd", header("ElementDataFile = a.raw"), {"a.raw": raw})
    text = header("ElementDataFile = LOCAL").replace(b"BinaryData = True", b"BinaryData = False")
    yield Sample("text.mha", text + " ".join(map(str, VOXELS.ravel())).encode("ascii"))
