"""DICOM segmentations, written: read back by ours, by plain pydicom, by highdicom and by ITK."""

import shutil
import subprocess
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813  # its usual name
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from napari_medlabel import formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance, ProvenanceStep, Software, source_record
from napari_medlabel.core.schema import Code, Label, LabelSchema
from napari_medlabel.core.volume import Instance, Source
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_seg import read_seg
from napari_medlabel.formats.dicom_seg_write import SegContent, numbers_of, write_seg
from napari_medlabel.testing import geometries, schemas

Array = npt.NDArray[Any]
CT, MR = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SHAPE = (5, 7, 9)
SCHEMA = LabelSchema(
    "Task",
    (
        Label(7, "Ödem \\ links", "#33FFCC"),
        Label(
            3, "Left kidney", "#FF8000", Code("64033007", "SCT", "Kidney"), None,
            (Code("7771000", "SCT", "Left"),), Code("818981001", "SCT", "Abdomen"),
        ),
        Label(300, "Lesion", "#123456", Code("52988006", "SCT", "Lesion")),
    ),
)  # fmt: skip


@pytest.fixture
def grid() -> Geometry:
    turn = np.array([[0.0, 0.1, 0.9949874], [0.0, 0.9949874, -0.1], [1.0, 0.0, 0.0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * (3.0, 0.8, 0.7)
    matrix[:3, 3] = (-20.0, -35.0, 12.0)
    return Geometry(SHAPE, matrix)


@pytest.fixture
def labels() -> Array:
    made = np.random.default_rng(4).choice([0, 0, 3, 7, 300], SHAPE).astype(np.uint16)
    made[0] = made[4] = 0  # ends without any label
    return made


def source_of(geometry: Geometry, sop_class: str = CT, *, in_one_file: bool = False) -> Source:
    instances = tuple(
        Instance("2.25.77" if in_one_file else f"2.25.77{k}", k, frame=k if in_one_file else 0)
        for k in range(geometry.shape[0])
    )
    return Source(
        "dicom", geometry, geometry.canonical, "2.25.1", "2.25.2", "2.25.3", instances,
        sop_class=sop_class,
    )  # fmt: skip


def content(
    labels: Array,
    source: Source,
    schema: LabelSchema = SCHEMA,
    steps: tuple[ProvenanceStep, ...] = (),
    header: Dataset | None = None,
) -> SegContent:
    modality = "CT" if source.sop_class == CT else "MR"
    record = source_record(source, b"secret", modality=modality, unit="", sha256="")
    software = (Software("napari-medlabel", "1.2.3"),)
    provenance = Provenance(software, record, schema.document(), steps, mask_sha256="ab")
    return SegContent(labels, source, schema, provenance, "case-0012", header)


def in_numbers(labels: Array, schema: LabelSchema) -> Array:
    made = np.zeros(labels.shape, np.uint16)
    for value, number in numbers_of(schema).items():
        made[labels == value] = number
    return made


def slice_of(group: Dataset, geometry: Geometry) -> int:
    """The slice of a frame, by its position."""
    k = geometry.kji(np.array(group.PlanePositionSequence[0].ImagePositionPatient, float))[0]
    assert abs(k - round(k)) < 1e-6
    return round(float(k))


def by_plain_pydicom(path: Path, geometry: Geometry) -> Array:
    """The label map, by the bits of the file and the positions of its frames alone."""
    dataset = pydicom.dcmread(path)
    rows, columns = dataset.Rows, dataset.Columns
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    (shared,) = dataset.SharedFunctionalGroupsSequence
    found = np.zeros(geometry.shape, np.uint16)
    for n, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        k = slice_of(group, geometry)
        holder = group if "SegmentIdentificationSequence" in group else shared
        number = holder.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        picture = bits[n * rows * columns : (n + 1) * rows * columns].reshape(rows, columns)
        assert not (found[k][picture == 1]).any()
        found[k][picture == 1] = number
    return found


@settings(max_examples=25)
@given(
    geometry=geometries(shape=st.just(SHAPE), max_shear=0.0, max_origin_mm=300.0),
    schema=schemas(highest_value=400).map(lambda one: one or SCHEMA),
    seed=st.integers(0, 1000),
    sheared=st.floats(-0.3, 0.3),
)
def test_what_is_written_is_read_back_voxel_for_voxel(
    geometry: Geometry, schema: LabelSchema, seed: int, sheared: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    matrix = geometry.lps_from_kji.copy()
    normal = np.cross(matrix[:3, 2], matrix[:3, 1])
    matrix[:3, 0] *= np.sign(matrix[:3, 0] @ normal)
    matrix[:3, 0] += sheared * matrix[:3, 1]  # a tilted stack keeps its shear
    tilted = Geometry(SHAPE, matrix)
    values = [0, *(label.value for label in schema)]
    labels = np.random.default_rng(seed).choice(values, SHAPE).astype(np.uint16)
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    write_seg(content(labels, source_of(tilted), schema), path)
    found = formats.read(path)
    voxels = found.source.axes.inverse().apply(np.asarray(found.levels[0]))
    np.testing.assert_array_equal(voxels, in_numbers(labels, schema))
    assert found.source.geometry.difference_mm(tilted) < 1e-5
    np.testing.assert_array_equal(by_plain_pydicom(path, tilted), voxels)


def test_highdicom_and_itk_read_the_same(tmp_path: Path, grid: Geometry, labels: Array) -> None:
    import highdicom

    path = tmp_path / "a.dcm"
    write_seg(content(labels, source_of(grid)), path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        volume = highdicom.seg.segread(path).get_volume(combine_segments=True)
    # Its k runs the other way; the affine says so.
    corner = volume.affine @ (len(labels) - 1, 0, 0, 1)
    np.testing.assert_allclose(corner[:3], grid.origin_lps, atol=1e-5)
    np.testing.assert_array_equal(volume.array[::-1], in_numbers(labels, SCHEMA))
    # ITK unpacks whole bytes for each frame: one of 8 x 16 voxels is understood.
    wide = Geometry((5, 8, 16), grid.lps_from_kji)
    labels = np.random.default_rng(4).choice([0, 3, 7, 300], wide.shape).astype(np.uint16)
    write_seg(content(labels, source_of(wide)), path)
    frames = sitk.GetArrayFromImage(sitk.ReadImage(str(path))) > 0
    groups = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    slices = [slice_of(group, wide) for group in groups]
    expected = [labels[k] == (3, 7, 300)[n // 5] for n, k in enumerate(slices)]
    np.testing.assert_array_equal(frames, expected)


def test_each_segment_says_what_it_is_and_how_it_was_made(
    tmp_path: Path, grid: Geometry, labels: Array
) -> None:
    def step(kind: Any, tool: str, value: int, **settings: object) -> ProvenanceStep:  # noqa: ANN401
        return ProvenanceStep(kind, tool, settings, "me", "", "", 1, {str(value): 5})

    steps = (
        step("drawn", "Paint", 3), step("restored", "Restore version", 3),
        step("imported", "Import mask", 7, made={"7": "AUTOMATIC"}),
        step("assisted", "Grow", 300), step("drawn", "Paint", 300),
    )  # fmt: skip
    path = tmp_path / "a.dcm"
    write_seg(content(labels, source_of(grid), steps=steps), path)
    kidney, edema, lesion = read_seg(path).segments
    assert [one.number for one in (kidney, edema, lesion)] == [1, 2, 3]
    assert [one.algorithm for one in (kidney, edema, lesion)] == [
        "MANUAL", "AUTOMATIC", "SEMIAUTOMATIC",
    ]  # fmt: skip
    assert (edema.algorithm_name, lesion.algorithm_name) == ("Import mask", "Grow")
    assert (edema.label, edema.color) == ("Ödem / links", "#33FFCC")
    assert kidney.code == Code("64033007", "SCT", "Kidney")
    assert kidney.category == Code("91723000", "SCT", "Anatomical Structure")
    assert kidney.modifiers == (Code("7771000", "SCT", "Left"),)
    assert kidney.region == Code("818981001", "SCT", "Abdomen")
    assert edema.code == edema.category == Code("85756007", "SCT", "Tissue")
    assert lesion.category == Code("49755003", "SCT", "Morphologically Abnormal Structure")
    assert len({one.tracking_uid for one in (kidney, edema, lesion)}) == 3
    assert kidney.tracking_id == "case-0012 Left kidney"


def test_the_same_mask_has_the_same_uids_and_another_mask_others(
    tmp_path: Path, grid: Geometry, labels: Array
) -> None:
    first = content(labels, source_of(grid))
    other = replace(first, provenance=replace(first.provenance, mask_sha256="cd"))
    for name, one in (("a", first), ("b", first), ("c", other)):
        write_seg(one, tmp_path / name)
    a, b, c = (pydicom.dcmread(tmp_path / name) for name in "abc")
    assert a.SOPInstanceUID == b.SOPInstanceUID != c.SOPInstanceUID
    assert a.SeriesInstanceUID == b.SeriesInstanceUID == c.SeriesInstanceUID
    tracked = [[one.TrackingUID for one in dataset.SegmentSequence] for dataset in (a, b, c)]
    assert tracked[0] == tracked[1] == tracked[2]
    assert a.SOPInstanceUID.is_valid


def test_frames_refer_to_the_slices_that_they_were_made_on(
    tmp_path: Path, grid: Geometry, labels: Array
) -> None:
    path = tmp_path / "a.dcm"
    write_seg(content(labels, source_of(grid)), path)
    for frame in pydicom.dcmread(path).PerFrameFunctionalGroupsSequence:
        k = slice_of(frame, grid)
        (image,) = frame.DerivationImageSequence[0].SourceImageSequence
        assert (image.ReferencedSOPClassUID, image.ReferencedSOPInstanceUID) == (CT, f"2.25.77{k}")
        assert "ReferencedFrameNumber" not in image
    write_seg(content(labels, source_of(grid, ENHANCED_MR, in_one_file=True)), path)
    dataset = pydicom.dcmread(path)
    (series,) = dataset.ReferencedSeriesSequence
    assert [one.ReferencedSOPInstanceUID for one in series.ReferencedInstanceSequence] == [
        "2.25.77"
    ]
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        k = slice_of(frame, grid)
        (image,) = frame.DerivationImageSequence[0].SourceImageSequence
        assert (image.ReferencedFrameNumber, image.ReferencedSOPClassUID) == (k + 1, ENHANCED_MR)
    assert read_seg(path).referenced == {"2.25.77"}


def test_a_pseudonym_stands_for_the_patient_unless_a_header_is_given(
    tmp_path: Path, grid: Geometry, labels: Array
) -> None:
    path = tmp_path / "a.dcm"
    write_seg(content(labels, source_of(grid)), path)
    dataset = pydicom.dcmread(path)
    assert (dataset.PatientName, dataset.PatientID) == ("case-0012", "case-0012")
    assert [dataset[word].value or "" for word in ("PatientBirthDate", "StudyDate", "StudyID")] == [
        "", "", "",
    ]  # fmt: skip
    assert not dataset.ContentCreatorName
    header = Dataset()
    header.PatientName, header.PatientID, header.PatientBirthDate = "A^B", "ID", "19700101"
    header.StudyDate, header.AccessionNumber, header.PatientSex = "20200101", "77", "F"
    write_seg(content(labels, source_of(grid), header=header), path)
    dataset = pydicom.dcmread(path)
    assert (dataset.PatientName, dataset.PatientID, dataset.PatientSex) == ("A^B", "ID", "F")
    assert (dataset.StudyDate, dataset.AccessionNumber) == ("20200101", "77")


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"format": "nifti"}, "refers to DICOM images"),
        ({"frame_of_reference_uid": ""}, "lacks a UID"),
        ({"instances": ()}, "have no UIDs"),
    ],
)
def test_what_no_segmentation_can_refer_to_is_refused(
    tmp_path: Path, grid: Geometry, labels: Array, changes: dict[str, Any], what: str
) -> None:
    path = tmp_path / "a.dcm"
    with pytest.raises(InputError, match=what) as caught:
        write_seg(content(labels, replace(source_of(grid), **changes)), path)
    assert "NIfTI" in caught.value.hint
    assert not path.exists()


def test_a_value_without_a_label_is_refused(tmp_path: Path, grid: Geometry, labels: Array) -> None:
    with pytest.raises(InputError, match="a value that its schema does not"):
        write_seg(content(labels, source_of(grid), SCHEMA.without(3)), tmp_path / "a.dcm")
    with pytest.raises(InputError, match="no segment to write"):
        write_seg(content(labels, source_of(grid), LabelSchema()), tmp_path / "a.dcm")


@pytest.mark.parametrize("value", [0, 3])
def test_an_empty_mask_and_a_full_one_come_back(tmp_path: Path, grid: Geometry, value: int) -> None:
    labels = np.full(SHAPE, value, np.uint8)
    write_seg(content(labels, source_of(grid)), tmp_path / "a.dcm")
    found = formats.read(tmp_path / "a.dcm")
    voxels = found.source.axes.inverse().apply(np.asarray(found.levels[0]))
    np.testing.assert_array_equal(voxels, in_numbers(labels, SCHEMA))
    assert found.source.geometry.difference_mm(grid) < 1e-5


@pytest.mark.parametrize("kind", [CT, MR, ENHANCED_MR])
def test_dciodvfy_finds_nothing_wrong(
    tmp_path: Path, grid: Geometry, labels: Array, kind: str
) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not here: install dicom3tools")
    path = tmp_path / "a.dcm"
    write_seg(content(labels, source_of(grid, kind, in_one_file=kind == ENHANCED_MR)), path)
    done = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line.startswith("Error")] == []
    assert "Segmentation" in said
