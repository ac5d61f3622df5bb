"""Real series against references that other programs made, and against single pixels.

The folder of real images is not part of the repository; without it these tests skip.
"""

import json
import random
import shutil
import warnings
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from scipy.ndimage import map_coordinates

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.volume import FoundVolume, Series
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_files import Opener, Place, find_files
from napari_medlabel.formats.dicom_header import (
    PIXEL_DATA,
    UNDEFINED,
    HeaderError,
    PixelPlace,
    read_header,
)
from napari_medlabel.formats.dicom_load import DicomReader, open_dicom
from napari_medlabel.formats.dicom_scan import scan_dicom
from napari_medlabel.formats.dicom_tags import WANTED
from napari_medlabel.formats.dicom_volumes import regular_parts

Array = npt.NDArray[Any]

VENDORS, ENHANCED = "dicom2nifti-vendors", "dicom2nifti-enhanced"
MOSAICS = ("axasc36", "cordesc35", "sagint35")
BITS = {2: "12bitUnsigned", 3: "12bitUnsigned_0x0F0F", 4: "12bitSigned_0x0F0F"}
# Folder of the series, and the reference that INDEX.json found right in every point.
TRUSTED = [
    *(
        (f"{VENDORS}/{case}", f"{VENDORS}/expected/{case.replace('/', '_')}.nii.gz")
        for case in (
            "generic/anatomical/001", "generic/anatomical/002_non_isotropic",
            "ge/anatomical/001", "ge/anatomical/001_single_slice", "ge/dti/001", "ge/dti/002",
            "ge/fmri/001", "hitachi/anatomical/001", "philips/anatomical/001",
            "philips/dti/001", "philips/fmri/001",
        )
    ),
    (f"{VENDORS}/hyperfine/anatomical/001",
     f"{VENDORS}/expected/hyperfine_anatomical_001.nii.gz"),
    (
        "dicom2nifti-problems/failing/slicecount/001",
        "dicom2nifti-problems/expected/failing_slicecount_001.nii.gz",
    ),
    *((f"siemens-mosaic/{name}", f"siemens-mosaic/expected/{name}.nii.gz") for name in MOSAICS),
    *((f"transfer-syntaxes-mr/dicom/{n}.dcm", "transfer-syntaxes-mr/expected/1.nii.gz")
      for n in range(1, 10)),
    *((f"bits-stored-12/dicom/{name}.dcm", f"bits-stored-12/expected/{n}.nii.gz")
      for n, name in BITS.items()),
    *((f"{ENHANCED}/{case}/001", f"{ENHANCED}/expected/{case.replace('/', '_')}_001.nii.gz")
      for case in ("philips_enhanced/anatomical", "siemens_multiframe/anatomical")),
    ("enhanced-philips-siemens/siemens-xa10",
     "enhanced-philips-siemens/expected/Siemens_REST1_w_SMS_PF7-8_6.nii.gz"),
]  # fmt: skip
POINTS = [
    *((case, f"{VENDORS}/points_{case.removeprefix(VENDORS + '/').replace('/', '_')}.json")
      for case, _ in TRUSTED if case.startswith(VENDORS)),
    *((f"siemens-mosaic/{name}", f"siemens-mosaic/points_{name}.json") for name in MOSAICS),
    *((f"transfer-syntaxes-mr/dicom/{n}.dcm", f"transfer-syntaxes-mr/points_{n}.json")
      for n in range(1, 10)),
    *((f"bits-stored-12/dicom/{name}.dcm", f"bits-stored-12/points_{n}.json")
      for n, name in BITS.items()),
    *((f"{ENHANCED}/{case}/001", f"{ENHANCED}/points_{case.replace('/', '_')}_001.json")
      for case in ("philips_enhanced/anatomical", "philips_enhanced/dti",
                   "siemens_multiframe/anatomical")),
    *((f"enhanced-philips-siemens/{name}", f"enhanced-philips-siemens/points_{name}.json")
      for name in ("philips-b0", "siemens-xa10")),
    *((f"multiframe-by-pacs/{name}", f"multiframe-by-pacs/points_{name}.json")
      for name in ("agfa", "siemens")),
    ("enhanced-ct-mr/dicom/eCT_Supplemental.dcm", "enhanced-ct-mr/points_eCT_Supplemental.json"),
    ("dicom2nifti-problems/failing/slicecount/001",
     "dicom2nifti-problems/points_failing_slicecount_001.json"),
    ("dicom2nifti-problems/failing/gantrytilting/001",
     "dicom2nifti-problems/points_failing_gantrytilting_001.json"),
    ("dicom2nifti-problems/failing/sliceorientation/001",
     "dicom2nifti-problems/points_failing_sliceorientation_001.json"),
    ("dicom2nifti-problems/failing/sliceincrement/001",
     "dicom2nifti-problems/points_failing_sliceincrement_001.json"),
    ("ct-head-tilt-uneven/dicom.zip", "ct-head-tilt-uneven/points.json"),
    ("ct-multiorgan/dicom", "ct-multiorgan/points.json"),
    ("lesion-ct-lung/dicom", "lesion-ct-lung/points.json"),
    ("multi-echo-philips/dicom", "multi-echo-philips/points.json"),
    ("codecs-ct/dicom/CTImage.dcm", "codecs-ct/points.json"),
    ("dicom-seg/ct", "dicom-seg/points_ct.json"),
]  # fmt: skip
REGULAR = [folder for folder, _ in TRUSTED if not folder.endswith(".dcm")] + [
    "ct-multiorgan/dicom", "lesion-ct-lung/dicom", "multi-echo-philips/dicom",
    "dicom-seg/ct", "dicom2nifti-problems/failing/gantrytilting/001",
]  # fmt: skip
CODECS = {  # file: largest difference to the uncompressed one, in HU
    "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90": 0,
    "JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91": 5,
    "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80": 0,
    "JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81": 1,
    "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70": 0,
    "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57": 0,
    "JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50": 64.3,
    "JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51": 35.7,
    "JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53": 35.7,
    "JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55": 35.7,
    "RLELosslessTransferSyntax_1.2.840.10008.1.2.5": 0,
    "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2": 0,
    "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99": 0,
    "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1": 0,
}


def scanned(path: Path) -> Series:
    series, _ = scan_dicom(path)
    (only,) = series
    return only


def voxels(series: Series, volume: int = 0) -> Array:
    reader = open_dicom(series, volume)
    try:
        return reader.read(0, reader.source.geometry.shape[0])
    finally:
        reader.close()


def canonical(array: Array, geometry: Geometry) -> tuple[Array, Geometry]:
    axes = geometry.canonical
    return axes.apply(array), geometry.laid_out(axes)


def reference(path: Path) -> list[tuple[Array, Geometry]]:
    """The volumes of a NIfTI file, in canonical layout."""
    image = nibabel.load(path)
    array = np.asarray(image.dataobj)
    frames = array[..., None] if array.ndim == 3 else array
    geometry = Geometry.from_nifti(array.shape[:3], image.affine)
    return [canonical(frames[..., n].T, geometry) for n in range(frames.shape[3])]


def codes(series: Series) -> set[str]:
    return {problem.code for problem in series.all_problems()}


@pytest.mark.parametrize(("folder", "expected"), TRUSTED)
def test_a_series_lies_where_its_reference_lies_with_the_same_values(
    shared_data: Path, folder: str, expected: str
) -> None:
    series = scanned(shared_data / folder)
    references = reference(shared_data / expected)
    assert len(series.volumes) == len(references)
    matched = []
    for n, volume in enumerate(series.volumes):
        assert volume.geometry is not None
        array, geometry = canonical(voxels(series, n), volume.geometry)
        matched += [
            m
            for m, (other, grid) in enumerate(references)
            if geometry.same_grid(grid, 1e-3) and np.abs(array - other).max() <= 0.5
        ]
    assert sorted(set(matched)) == list(range(len(references)))


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("lesion-ct-lung/dicom", "lesion-ct-lung/expected/mask.nii.gz"),
        *(("multi-echo-philips/dicom", f"multi-echo-philips/expected/{name}.nii.gz")
          for name in ("e1", "e1_ph", "e2", "e2_ph")),
        # Three of this reference's four volumes are empty; the file's are not.
        (f"{ENHANCED}/philips_enhanced/dti/001",
         f"{ENHANCED}/expected/philips_enhanced_dti_001.nii.gz"),
        *(("enhanced-philips-siemens/philips-b0",
           f"enhanced-philips-siemens/expected/Philips_WIP_B0_NS_801_{name}.nii.gz")
          for name in ("e1", "e2_fieldmaphz")),
    ],
)  # fmt: skip
def test_a_series_has_the_grid_of_its_reference(
    shared_data: Path, folder: str, expected: str
) -> None:
    geometry = scanned(shared_data / folder).geometry
    (_, grid), *_ = reference(shared_data / expected)
    assert geometry is not None
    assert geometry.laid_out(geometry.canonical).difference_mm(grid) <= 1e-3


def values_at(lps: list[float], readers: list[DicomReader], arrays: list[Array]) -> list[float]:
    """What each volume that reaches there has at a position, linearly interpolated."""
    found = []
    for reader, array in zip(readers, arrays, strict=True):
        kji = reader.source.geometry.kji(lps)
        size = np.array(array.shape)
        if (kji > -1e-3).all() and (kji < size - 1 + 1e-3).all():
            assert np.abs(kji - np.rint(kji)).max() < 1e-2  # on a voxel's centre
            at = kji[:, None].clip(0, size[:, None] - 1)
            found.append(float(map_coordinates(array, at, order=1)[0]))
    return found


def all_parts(series: list[Series]) -> list[tuple[Series, FoundVolume]]:
    images = [one for one in series if one.kind == "image"]
    return [(s, part) for s in images for v in s.volumes for part in regular_parts(v)]


@pytest.mark.parametrize(("folder", "points"), POINTS)
def test_every_reference_point_has_its_value(shared_data: Path, folder: str, points: str) -> None:
    series, _ = scan_dicom(shared_data / folder)
    readers = []
    for found, part in all_parts(series):
        assert part.geometry is not None
        readers.append(DicomReader(part.parts, part.geometry, name=found.format))
    stacks = [reader.read(0, reader.source.geometry.shape[0]) for reader in readers]
    arrays = [voxels.astype(np.float64) for voxels in stacks]
    document = json.loads((shared_data / points).read_text())
    assert document["points"]
    # Headers round positions, to some 1e-3 of a voxel: at a steep edge this is much.
    close = 0.1 + 1e-3 * max(float(np.ptp(array)) for array in arrays)
    for point in document["points"]:
        expected = point.get("values_of_all_volumes", [point["value"]])
        found = values_at(point["lps"], readers, arrays)
        if len(found) < len(expected):
            pytest.fail(f"a point is in {len(found)} volumes, not in {len(expected)}")
        for value in expected:
            assert min(abs(value - other) for other in found) <= close


@pytest.mark.parametrize("name", CODECS)
def test_a_transfer_syntax_gives_the_same_hounsfield_units(shared_data: Path, name: str) -> None:
    plain = voxels(scanned(shared_data / "codecs-ct/dicom/CTImage.dcm"))
    series = scanned(shared_data / f"codecs-ct/dicom/CTImage.dcm_{name}.dcm")
    difference = np.abs(voxels(series).astype(np.float64) - plain).max()
    assert difference <= CODECS[name]
    assert ("lossy-pixels" in codes(series)) == (CODECS[name] > 0)


def frames_of(path: Path) -> Array:
    """All frames of a file that does not say where they are."""
    (volume,) = scanned(path).volumes
    facts = volume.parts[0]
    grid = Geometry.from_spacing((len(volume.parts), facts.rows, facts.columns))
    return DicomReader(volume.parts, grid).read(0, len(volume.parts))


def test_frames_in_five_transfer_syntaxes_have_the_same_values(shared_data: Path) -> None:
    folder = shared_data / "enhanced-ct-mr/dicom"
    names = ("", "_big_endian", "_jpeg_2k_lossless", "_jpeg_ls_lossless", "_RLE")
    plain, *others = [frames_of(folder / f"emri_small{name}.dcm") for name in names]
    assert plain.shape == (10, 64, 64)
    for other in others:
        np.testing.assert_array_equal(other, plain)


def test_a_copy_that_a_pacs_has_rewritten_is_the_same(shared_data: Path) -> None:
    agfa, siemens = (
        scanned(shared_data / "multiframe-by-pacs" / name) for name in ("agfa", "siemens")
    )
    assert [v.name for v in agfa.volumes] == [v.name for v in siemens.volumes] == [
        "time 1", "time 2",
    ]  # fmt: skip
    for n, (one, other) in enumerate(zip(agfa.volumes, siemens.volumes, strict=True)):
        assert one.geometry is not None
        assert other.geometry is not None
        assert one.geometry.same_grid(other.geometry, 1e-5)
        np.testing.assert_array_equal(voxels(agfa, n), voxels(siemens, n))


def test_frames_of_different_kinds_in_one_file_are_volumes_of_their_own(shared_data: Path) -> None:
    series = scanned(shared_data / "enhanced-philips-siemens/philips-b0")
    assert [len(volume.parts) for volume in series.volumes] == [32, 32]
    assert len({volume.parts[0].slope for volume in series.volumes}) == 2


def test_fragments_of_a_frame_are_joined(shared_data: Path) -> None:
    path = shared_data / "fragmented-and-colour/D_CLUNIE_CT1_RLE_FRAGS.dcm"
    expected = pydicom.dcmread(path).pixel_array.astype(int) - 1024
    np.testing.assert_array_equal(voxels(scanned(path))[0], expected)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ct-head-tilt-uneven/dicom.zip", ("13 of 4.00 mm, 13 of 7.00 mm, 1 of 1.08 mm",)),
        ("ct-head-tilt-uneven/dicom.zip", ("18.5 degrees", "shear 0.335")),
        ("dicom2nifti-problems/failing/gantrytilting/001", ("14.0 degrees", "shear 0.249")),
        ("dicom2nifti-problems/failing/notavolume/001", ("all 4 slices are at one place",)),
        (
            "dicom2nifti-problems/failing/sliceincrement/001",
            ("1 slice missing", "step is 5.00 mm", "10.00 mm between slices 3 and 4", "28.11"),
        ),
        ("dicom2nifti-problems/failing/sliceorientation/001", ("2 orientations",)),
        ("dicom2nifti-problems/failing/slicecount/001", ("two slices only, 1.00 mm apart",)),
    ],
)
def test_what_is_wrong_with_a_series_is_said_with_numbers(
    shared_data: Path, path: str, words: tuple[str, ...]
) -> None:
    said = [problem.what for problem in scanned(shared_data / path).all_problems()]
    assert any(all(word in what for word in words) for what in said)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("ct-head-tilt-uneven/dicom.zip", "uneven-spacing"),
        ("dicom2nifti-problems/failing/notavolume/001", "duplicate-position"),
        ("dicom2nifti-problems/failing/sliceincrement/001", "missing-slice"),
        ("dicom2nifti-vendors/generic/rgb/001", "colour"),
        ("enhanced-ct-mr/dicom/emri_small.dcm", "no-position"),
        ("fragmented-and-colour/no-pixel-data.dcm", "no-pixel-data"),
        ("fragmented-and-colour/no-pixel-spacing.dcm", "colour"),
        ("fragmented-and-colour/TestPattern_Palette.dcm", "colour"),
        ("odd-dicom/pydicom/MR_truncated.dcm", "truncated"),
    ],
)
def test_what_is_no_regular_grid_is_refused_with_its_reason(
    shared_data: Path, path: str, code: str
) -> None:
    series, _ = scan_dicom(shared_data / path)
    for one in series:
        blocking = [problem.code for problem in one.all_problems() if problem.blocking]
        assert code in blocking
        assert not one.regular
        with pytest.raises(InputError) as refusal:
            open_dicom(one)
        assert str(shared_data) not in refusal.value.what


def test_a_tilted_stack_keeps_its_shear(shared_data: Path) -> None:
    folder = shared_data / "dicom2nifti-problems"
    document = json.loads((folder / "sheared_affine_failing_gantrytilting_001.json").read_text())
    geometry = scanned(folder / "failing/gantrytilting/001").geometry
    assert geometry is not None
    sheared = np.array(document["affine_lps"]) @ np.eye(4)[[2, 1, 0, 3]]
    assert geometry.difference_mm(Geometry(geometry.shape, sheared)) < 1e-3


def test_two_orientations_are_two_volumes(shared_data: Path) -> None:
    series = scanned(shared_data / "dicom2nifti-problems/failing/sliceorientation/001")
    assert sorted(volume.name for volume in series.volumes) == ["axial", "sagittal"]
    assert series.geometry is None
    assert all(volume.usable for volume in series.volumes)


def test_echoes_magnitude_and_phase_are_four_volumes(shared_data: Path) -> None:
    series = scanned(shared_data / "multi-echo-philips/dicom")
    assert [volume.name for volume in series.volumes] == [
        "echo 1, magnitude", "echo 1, phase", "echo 2, magnitude", "echo 2, phase",
    ]  # fmt: skip
    assert {len(volume.parts) for volume in series.volumes} == {30}


@pytest.mark.parametrize(
    ("folder", "way"),
    [
        (folder, way)
        for folder in REGULAR
        for way in ("renamed", "nested", "zip", "stored zip")
        # Without a series UID the folder tells what belongs together.
        if (folder, way) != ("ct-multiorgan/dicom", "nested")
    ],
)
def test_names_order_folders_and_packing_of_files_change_nothing(
    shared_data: Path, tmp_path: Path, folder: str, way: str
) -> None:
    files = sorted(path for path in (shared_data / folder).iterdir() if path.is_file())
    random.Random(folder).shuffle(files)  # noqa: S311  # any order will do
    moved = repacked(tmp_path, files, way)
    ours, theirs = scanned(shared_data / folder), scanned(moved)
    assert [volume.name for volume in ours.volumes] == [volume.name for volume in theirs.volumes]
    for n, (a, b) in enumerate(zip(ours.volumes, theirs.volumes, strict=True)):
        assert a.geometry is not None
        assert b.geometry is not None
        np.testing.assert_array_equal(a.geometry.lps_from_kji, b.geometry.lps_from_kji)
        np.testing.assert_array_equal(voxels(ours, n), voxels(theirs, n))


def repacked(target: Path, files: list[Path], way: str) -> Path:
    """The files with names that turn their order round, in folders or in an archive."""
    names = [f"{len(files) - n:04d}" for n in range(len(files))]
    if "zip" in way:
        kind = zipfile.ZIP_STORED if "stored" in way else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(target / "s.zip", "w", kind) as archive:
            for name, path in zip(names, files, strict=True):
                archive.write(path, f"a/{name}")
        return target / "s.zip"
    for n, (name, path) in enumerate(zip(names, files, strict=True)):
        below = target / f"part {n % 3} ä" if way == "nested" else target
        below.mkdir(exist_ok=True)
        shutil.copy(path, below / name)
    return target


def odd_files(folder: Path) -> list[Path]:
    found, _ = find_files(folder)
    return [Path(candidate.place.path) for candidate in found]


def test_odd_files_are_read_or_refused_with_one_line(shared_data: Path) -> None:
    files = odd_files(shared_data / "odd-dicom") + odd_files(shared_data / "odd-nifti")
    assert len(files) > 70
    refused: list[str] = []
    for path in files:
        try:
            series, skipped = scan_dicom(path)
        except InputError as error:
            refused.append(error.what)
            continue
        if not path.name.startswith("DICOMDIR"):
            assert series or skipped
        for one in series:
            for problem in one.all_problems():
                assert "\n" not in problem.what
                assert str(path.parent) not in problem.what
            for n, volume in enumerate(one.volumes):
                assert volume.usable or any(p.blocking for p in (*volume.problems, *one.problems))
                if volume.usable:
                    assert voxels(one, n).shape == volume.geometry.shape
    assert not any("\n" in what for what in refused)


@pytest.mark.parametrize(
    "name",
    ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-nooffset",
     "DICOMDIR-nopatient", "DICOMDIR-reordered"],
)  # fmt: skip
def test_every_form_of_a_dicomdir_finds_what_its_folder_has(shared_data: Path, name: str) -> None:
    folder = shared_data / "odd-dicom/dicomdirtests"
    whole, _ = scan_dicom(folder)
    named, skipped = scan_dicom(folder / name)
    assert not skipped
    assert [(s.uid, s.files) for s in named] == [(s.uid, s.files) for s in whole]


def raw_values(dataset: pydicom.Dataset) -> dict[int, bytes]:
    """The wanted elements as pydicom finds them, undecoded."""
    elements = {int(tag): dataset.get_item(tag) for tag in dataset.keys()}  # noqa: SIM118
    raw = pydicom.dataelem.RawDataElement
    return {
        tag: element.value or b""
        for tag, element in elements.items()
        if tag in WANTED and isinstance(element, raw) and element.VR != "SQ"
    }


def test_headers_agree_with_pydicom_on_every_file(shared_data: Path) -> None:
    compared = 0
    with Opener() as opener:
        for path in odd_files(shared_data):
            try:
                file, size = opener.open(Place(str(path)))
                with file:
                    header = read_header(file, size, WANTED)
            except InputError:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some of these files are odd on purpose
                dataset = pydicom.dcmread(path, force=True)
            expected = raw_values(dataset)
            found = {tag: header.values.get(tag) for tag in expected}
            assert found == expected, path.name
            pixels = dataset.get_item(PIXEL_DATA) if PIXEL_DATA in dataset else None
            ours = header.pixels if header.pixels is None or header.pixels.whole else None
            assert pixels is None or header.pixels is not None, path.name
            assert ours is None or pixels is not None, path.name
            if pixels is not None and ours is not None:
                compare_pixels(path, ours, pixels.value)
            compared += 1
    assert compared > 400


def compare_pixels(path: Path, place: PixelPlace, value: bytes) -> None:
    if place.length == UNDEFINED:
        assert place.stored <= len(value)
        return
    data = path.read_bytes()[place.offset : place.offset + place.length]
    assert data == value or path.name.count("eflated") or path.name == "image_dfl.dcm"


def test_a_damaged_header_is_an_error_of_ours(shared_data: Path) -> None:
    path = (
        shared_data / "odd-dicom/fo-dicom/GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm"
    )
    series, skipped = scan_dicom(path)
    assert not series
    assert skipped[0].why == "its header is malformed"
    assert issubclass(HeaderError, InputError)
