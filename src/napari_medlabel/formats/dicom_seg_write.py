"""Masks written as DICOM segmentations: one frame for each segment and slice that has voxels.

Made by highdicom from what a volume's source tells: the image's files need not be there. A slice
without any label gets one empty frame, so that whoever reads the file back has all of the grid.
"""

import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat, format_number_as_ds

from napari_medlabel.core.derivation import SlicePlanes
from napari_medlabel.core.edit import LabelArray
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import LabelSchema
from napari_medlabel.core.volume import Source
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_seg_deidentified import method_of, say_deidentified
from napari_medlabel.formats.dicom_seg_describe import (
    Described,
    described,
    lasting_uid,
    plain_code,
)
from napari_medlabel.formats.dicom_seg_frames import Part, held_open, joined, slices_of_frames
from napari_medlabel.formats.dicom_segments import cielab_of

__all__ = ["SegContent", "check_can_be_seg", "numbers_of", "write_seg"]

_CT, _MR, _PET = (f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "4", "128"))
_BY_MODALITY: Final = {"CT": _CT, "MR": _MR, "PT": _PET}
_MODALITIES: Final = {uid: name for name, uid in _BY_MODALITY.items()}
_ASKED: Final = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber",
                 "StudyID", "StudyDate", "StudyTime", "ReferringPhysicianName")  # fmt: skip
_SOURCE_IMAGE: Final = ("121322", "DCM", "Source image for image processing operation")
_MAKER: Final = "napari-medlabel"
_SERIES_NUMBER: Final = 1000  # above those of scanners
_UTF_8: Final = "ISO_IR 192"


@dataclass(frozen=True, slots=True, eq=False)
class SegContent:
    """A mask to write, and all that a segmentation says of it.

    Parameters
    ----------
    labels
        Of group 0: `[k, j, i]` on the source's own grid.
    source
        Of the image.
    schema
        What the values mean, all of them.
    provenance
        How the mask came to be.
    subject
        The pseudonym that stands for the patient.
    header
        Of an instance of the image: its patient and study are copied. Without it `subject` is
        name and id, and all else is empty.
    others
        Labels of the other groups of the schema, on the same grid.
    """

    labels: LabelArray
    source: Source
    schema: LabelSchema
    provenance: Provenance
    subject: str
    header: Dataset | None = None
    others: Mapping[int, LabelArray] = field(default_factory=dict)

    @property
    def groups(self) -> dict[int, LabelArray]:
        """The labels of every group."""
        return {0: self.labels, **self.others}

    @property
    def segments(self) -> tuple[Described, ...]:
        """The labels in order of their values, numbered from 1."""
        numbers = numbers_of(self.schema)
        return tuple(
            described(
                number, self.schema[value], self.provenance, self.subject, self.source.series_uid
            )
            for value, number in numbers.items()
        )


def numbers_of(schema: LabelSchema) -> dict[int, int]:
    """The segment's number of each label value: from 1, in order of the values."""
    values = sorted(label.value for label in schema)
    return {value: number for number, value in enumerate(values, 1)}


def check_can_be_seg(source: Source, schema: LabelSchema) -> None:
    """Pass where a mask of this image can be a DICOM segmentation.

    Raises
    ------
    InputError
        If the image is not DICOM, lacks UIDs that a segmentation refers to, or nothing is
        labelled.
    """
    if source.format != "dicom":
        raise InputError(
            "a DICOM segmentation refers to DICOM images, and this image is none",
            "export NIfTI or NRRD",
        )
    if not (source.study_uid and source.series_uid and source.frame_of_reference_uid):
        raise InputError(
            "the image's header lacks a UID that a DICOM segmentation refers to",
            "export NIfTI or NRRD",
        )
    if not source.instances or not all(one.uid for one in source.instances):
        raise InputError("the image's instances have no UIDs", "export NIfTI or NRRD")
    if not len(schema):
        raise InputError("there is no segment to write", "add a segment first")


def write_seg(content: SegContent, path: Path) -> None:
    """Write a mask as a DICOM segmentation, BINARY, explicit VR little endian.

    Segments are numbered from 1 in the order of the label values (`numbers_of`). UIDs are the
    same whenever the same mask of the same case is written.

    Raises
    ------
    InputError
        As `check_can_be_seg`; or if a voxel has a value that is not in the schema.
    GeometryError
        If the slices' rows and columns are not at right angles.
    """
    check_can_be_seg(content.source, content.schema)
    planes = SlicePlanes.of_grid(content.source.geometry)
    if abs(float(planes.across @ planes.down)) > 1e-4:
        raise GeometryError("rows and columns are not at right angles", "export NIfTI or NRRD")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names and lengths in the original's header
        dataset = _dataset(content, planes)
        dataset.save_as(path, enforce_file_format=True)


def _dataset(content: SegContent, planes: SlicePlanes) -> Dataset:
    filled = [group for group, labels in content.groups.items() if labels.any()] or [0]
    parts = [_part(content, group, planes) for group in filled]
    dataset, slices = joined(parts)
    dataset.SegmentsOverlap = "YES" if _overlap(content.groups) else "NO"
    dataset.ContentCreatorName = ""  # has to be there: PS3.3 10.9
    _refer(dataset, content.source, slices)
    say_deidentified(dataset, content.provenance, content.header)
    return dataset


def _part(content: SegContent, group: int, planes: SlicePlanes) -> Part:
    """The segmentation with the voxels of one group alone."""
    import highdicom  # a second that only this export needs

    source, segments = content.source, content.segments
    numbers, held = held_open(_numbered(content, group))
    series = lasting_uid("series", source.series_uid, content.subject)
    version = content.provenance.software[0].version
    dataset = highdicom.seg.Segmentation(
        source_images=list(_images(content, planes)),
        pixel_array=numbers,
        segmentation_type="BINARY",
        segment_descriptions=[_description(one, version) for one in segments],
        series_instance_uid=series,
        series_number=_SERIES_NUMBER,
        sop_instance_uid=lasting_uid("instance", series, *_state(content)),
        instance_number=max(content.provenance.version, 1),
        manufacturer=_MAKER,
        manufacturer_model_name=_MAKER,
        software_versions=version,
        device_serial_number="none",
        content_label="SEGMENTATION",
        content_description="Segmentation",
        series_description="Segmentation",
        specific_character_set=_UTF_8,
        omit_empty_frames=True,
    )
    return Part(dataset, slices_of_frames(dataset, planes), held)


def _state(content: SegContent) -> tuple[object, ...]:
    """What makes a mask another one: voxels, schema, version, how its image was de-identified."""
    provenance = content.provenance
    schema = json.dumps(content.schema.document(), sort_keys=True)
    others = sorted(provenance.group_sha256.items())
    method = method_of(provenance)
    return (provenance.mask_sha256, schema, provenance.version, *others, *method)


# Voxels


def _numbered(content: SegContent, group: int) -> LabelArray:
    """The labels of a group with segment numbers for label values."""
    labels = content.groups[group]
    numbers = numbers_of(content.schema)
    table = np.zeros(int(labels.max(initial=0)) + 1, np.uint16)
    for label in content.schema.in_group(group):
        if label.value < len(table):
            table[label.value] = numbers[label.value]
    used = np.flatnonzero(np.bincount(labels.reshape(-1), minlength=1))
    if any(value and not table[value] for value in used):
        raise InputError("the mask has a value that its schema does not", "add the segment")
    small = table.astype(np.uint8) if len(numbers) < 256 else table
    mapped: LabelArray = small[labels]
    return mapped


def _overlap(labels: Mapping[int, LabelArray]) -> bool:
    """Whether a voxel has labels of two groups."""
    first, *others = labels.values()
    below = first != 0
    for array in others:
        if (below & (array != 0)).any():
            return True
        below |= array != 0
    return False


# What it says


def _description(segment: Described, version: str) -> Any:  # noqa: ANN401  # of highdicom
    import highdicom

    algorithm = None
    if segment.made != "MANUAL":
        algorithm = highdicom.AlgorithmIdentificationSequence(
            segment.algorithm, plain_code(segment.family), version
        )
    label = segment.label
    color = highdicom.color.CIELabColor.from_dicom_value(cielab_of(label.color))
    description = highdicom.seg.SegmentDescription(
        segment_number=segment.number,
        segment_label=segment.name,
        segmented_property_category=plain_code(segment.category),
        segmented_property_type=plain_code(segment.code),
        algorithm_type=segment.made,
        algorithm_identification=algorithm,
        tracking_uid=segment.tracking_uid,
        tracking_id=segment.tracking_id[:64],
        anatomic_regions=[plain_code(label.region)] if label.region else None,
        display_color=color,
    )
    if label.modifiers:
        concept = description.SegmentedPropertyTypeCodeSequence[0]
        concept.SegmentedPropertyTypeModifierCodeSequence = [
            highdicom.sr.CodedConcept.from_code(plain_code(code)) for code in label.modifiers
        ]
    return description


# What it refers to


def _images(content: SegContent, planes: SlicePlanes) -> Iterator[Dataset]:
    """One image for each slice, with as much of a header as highdicom looks at."""
    source = content.source
    kind = source.sop_class or _BY_MODALITY.get(content.provenance.source.modality, _CT)
    # Frames of a multi-frame object stand here as images of their own: see `_refer`.
    kind = kind if kind in _MODALITIES else _CT
    for k, position in enumerate(planes.positions_lps):
        image = Dataset()
        for keyword in _ASKED:
            setattr(image, keyword, content.header.get(keyword) if content.header else None)
        if content.header is None:
            image.PatientName = image.PatientID = content.subject
        image.SOPClassUID = kind
        image.SOPInstanceUID = lasting_uid("slice", source.series_uid, k)
        image.StudyInstanceUID, image.SeriesInstanceUID = source.study_uid, source.series_uid
        image.FrameOfReferenceUID = source.frame_of_reference_uid
        image.Modality = content.provenance.source.modality or _MODALITIES[kind]
        image.Rows, image.Columns = planes.rows, planes.columns
        image.PixelSpacing = _decimals(planes.pixel_mm)
        image.SliceThickness = DSfloat(format_number_as_ds(source.geometry.spacing_mm[0]))
        image.ImageOrientationPatient = _decimals([*planes.across, *planes.down])
        image.ImagePositionPatient = _decimals(position)
        yield image


def _decimals(values: Sequence[float] | npt.NDArray[np.float64]) -> list[DSfloat]:
    """Decimal strings with as many digits as 16 characters hold."""
    return [DSfloat(format_number_as_ds(float(value) + 0.0)) for value in values]


def _refer(dataset: Dataset, source: Source, slices: Sequence[int]) -> None:
    """Refer to the instances, and in each frame to the slice it was made on."""
    kind = source.sop_class or _CT
    frames_of: dict[str, set[int]] = {}
    for one in source.instances:
        frames_of.setdefault(one.uid, set()).add(one.frame)
    is_multi_frame = any(frames != {0} for frames in frames_of.values())
    series = Dataset()
    series.SeriesInstanceUID = source.series_uid
    series.ReferencedInstanceSequence = [_reference(kind, uid) for uid in frames_of]
    dataset.ReferencedSeriesSequence = [series]
    # A derived volume's slices are not the source's: which ones they were made of is not said.
    by_slice = {} if source.derivation else {one.slice: one for one in source.instances}
    for group, k in zip(dataset.PerFrameFunctionalGroupsSequence, slices, strict=True):
        derivation = group.DerivationImageSequence[0]
        if k not in by_slice:
            derivation.SourceImageSequence = []
            continue
        made_on = by_slice[k]
        image = _reference(kind, made_on.uid)
        if is_multi_frame:
            image.ReferencedFrameNumber = made_on.frame + 1
        purpose = Dataset()
        purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = _SOURCE_IMAGE
        image.PurposeOfReferenceCodeSequence = [purpose]
        image.SpatialLocationsPreserved = "YES"
        derivation.SourceImageSequence = [image]


def _reference(kind: str, uid: str) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = kind, uid
    return reference
