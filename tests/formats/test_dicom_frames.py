"""Several slices in one file: enhanced multi-frames, mosaics, dose grids; and their values."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RTDoseStorage,
)

from napari_medlabel.core.volume import Series
from napari_medlabel.errors import InputError
from napari_medlabel.formats.dicom_header import HeaderError
from napari_medlabel.formats.dicom_load import open_dicom
from napari_medlabel.formats.dicom_quantities import in_quantity
from napari_medlabel.formats.dicom_scan import scan_dicom
from napari_medlabel.formats.dicom_sequence import items_of
from tests.formats.made_dicom import AXIAL, NATIVE, normal, oblique, one_slice, ramp, save, uid
from tests.formats.made_frames import enhanced, mosaic, pet, with_macros

SHAPE = (5, 4, 6)


def only(path: Path) -> Series:
    series, _ = scan_dicom(path)
    (found,) = series
    return found


def voxels(series: Series, volume: int = 0) -> np.ndarray:
    reader = open_dicom(series, volume)
    try:
        return reader.read(0, reader.source.geometry.shape[0])
    finally:
        reader.close()


def places(
    count: int, orientation: Sequence[float] = AXIAL, step_mm: float = 4.0
) -> list[np.ndarray]:
    return [np.array([-20.0, 30.0, 5.0]) + n * step_mm * normal(orientation) for n in range(count)]


def codes(series: Series) -> set[str]:
    return {problem.code for problem in series.all_problems()}


# Enhanced multi-frames


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("orientation", [AXIAL, oblique()])
def test_frames_lie_where_their_functional_groups_say(
    tmp_path: Path, syntax: str, orientation: tuple[float, ...]
) -> None:
    at = places(5, orientation)
    path = save(tmp_path / "f", enhanced(ramp(SHAPE), at, orientation), syntax)
    series = only(path)
    (volume,) = series.volumes
    assert not volume.problems
    assert series.files == 1
    np.testing.assert_array_equal(voxels(series), ramp(SHAPE) - 1024)
    for k, place in enumerate(at):
        np.testing.assert_allclose(volume.geometry.lps((k, 0, 0)), place, atol=1e-5)
    assert volume.geometry.spacing_mm == pytest.approx((4.0, 2.0, 3.0))


def test_the_order_of_frames_says_nothing(tmp_path: Path) -> None:
    order = [3, 0, 4, 1, 2]
    at = places(5)
    series = only(save(tmp_path / "f", enhanced(ramp(SHAPE)[order], [at[n] for n in order])))
    np.testing.assert_array_equal(voxels(series), ramp(SHAPE) - 1024)
    reader = open_dicom(series)
    assert [one.frame for one in reader.source.instances] == [1, 3, 4, 0, 2]
    assert len({one.uid for one in reader.source.instances}) == 1


def test_each_frame_has_its_own_slope(tmp_path: Path) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    for n, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.PixelValueTransformationSequence[0].RescaleSlope = 1 + n
    series = only(save(tmp_path / "f", dataset))
    factors = np.arange(1, 6)[:, None, None]
    np.testing.assert_array_equal(voxels(series), ramp(SHAPE).astype(int) * factors - 1024)
    assert "varying-rescale" in codes(series)


def test_times_echoes_and_b_values_of_one_file_are_volumes(tmp_path: Path) -> None:
    stored = ramp((12, 4, 6))
    dataset = enhanced(stored, places(3) * 4, modality="MR")
    for n, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].TemporalPositionIndex = n // 3 % 2 + 1
        with_macros(frame, MRDiffusionSequence={"DiffusionBValue": 1000.0 * (n // 6)})
    series = only(save(tmp_path / "f", dataset))
    assert [volume.name for volume in series.volumes] == [
        "b 0, time 1", "b 0, time 2", "b 1000, time 1", "b 1000, time 2",
    ]  # fmt: skip
    for n in range(4):
        np.testing.assert_array_equal(voxels(series, n), stored[3 * n : 3 * n + 3] - 1024)


def test_two_stacks_of_one_file_are_two_volumes(tmp_path: Path) -> None:
    at = [*places(3), *(place + np.array([0, 0, 100.0]) for place in places(2))]
    dataset = enhanced(ramp(SHAPE), at)
    for n, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].StackID = "neck" if n < 3 else "knee"
    series = only(save(tmp_path / "f", dataset))
    assert [len(volume.parts) for volume in series.volumes] == [3, 2]
    assert all(volume.usable for volume in series.volumes)


def test_frames_numbered_as_stacks_are_one(tmp_path: Path) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    for n, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].StackID = str(n)
    assert only(save(tmp_path / "f", dataset)).regular


def test_a_dimension_index_tells_volumes_apart(tmp_path: Path) -> None:
    dataset = enhanced(ramp((6, 4, 6)), places(3) * 2)
    dataset.DimensionIndexSequence = Items()
    for pointer in (0x00209057, 0x00189108):  # place in the stack, and something else
        item = Dataset()
        item.DimensionIndexPointer = pointer
        dataset.DimensionIndexSequence.append(item)
    for n, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        frame.FrameContentSequence[0].DimensionIndexValues = [n % 3 + 1, n // 3 + 1]
    series = only(save(tmp_path / "f", dataset))
    assert [volume.name for volume in series.volumes] == ["dimension 1", "dimension 2"]


def test_a_makers_own_position_does_not_count(tmp_path: Path) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        block = frame.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        inner = Dataset()
        inner.ImagePositionPatient = [1.0, 2.0, 3.0]
        block.add_new(0x0F, "SQ", [inner])
    assert only(save(tmp_path / "f", dataset)).regular


def test_one_series_in_two_files_of_frames_is_two_times(tmp_path: Path) -> None:
    for n in (1, 2):
        dataset = enhanced(ramp(SHAPE) + n, places(5))
        dataset.SOPInstanceUID, dataset.InstanceNumber = uid("file", n), n
        save(tmp_path / f"{3 - n}", dataset)
    series = only(tmp_path)
    assert [volume.name for volume in series.volumes] == ["volume 1", "volume 2"]
    for n in range(2):
        np.testing.assert_array_equal(voxels(series, n), ramp(SHAPE) + n + 1 - 1024)


def test_frames_without_groups_or_positions_are_refused(tmp_path: Path) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    del dataset.PerFrameFunctionalGroupsSequence
    series = only(save(tmp_path / "f", dataset))
    assert "no-position" in codes(series)
    assert not series.regular


@pytest.mark.parametrize("said", [4, 6, 10**6, 0])
def test_a_lying_number_of_frames_is_refused(tmp_path: Path, said: int) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    dataset.NumberOfFrames = said
    series, skipped = scan_dicom(save(tmp_path / "f", dataset))
    assert not series
    assert "frames" in skipped[0].why


def test_frames_that_are_cut_off_are_named(tmp_path: Path) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    dataset.PixelData = dataset.PixelData[: 3 * 4 * 6 * 2]
    series = only(save(tmp_path / "f", dataset))
    (problem,) = [one for one in series.all_problems() if one.code == "truncated"]
    assert "slices 4, 5" in problem.what


def test_a_dose_grid_has_its_frames_at_its_offsets(tmp_path: Path) -> None:
    dataset = one_slice(ramp(SHAPE)[0], (0.0, 0.0, 7.0), SOPClassUID=RTDoseStorage)
    dataset.Modality, dataset.NumberOfFrames = "RTDOSE", 5
    dataset.GridFrameOffsetVector = [0.0, 3.0, 6.0, 9.0, 12.0]
    dataset.PixelData = ramp(SHAPE).tobytes()
    geometry = only(save(tmp_path / "f", dataset)).geometry
    assert geometry.spacing_mm[0] == pytest.approx(3.0)
    assert geometry.origin_lps[2] == pytest.approx(7.0)


# Mosaics


@pytest.mark.parametrize("count", [4, 5, 9])
@pytest.mark.parametrize("way", [1, -1])
def test_the_tiles_of_a_mosaic_are_its_slices(tmp_path: Path, count: int, way: int) -> None:
    volume = ramp((count, 4, 6))
    series = only(save(tmp_path / "m", mosaic(volume, (0.0, 0.0, float(way)))))
    (found,) = series.volumes
    assert found.geometry.shape == volume.shape
    np.testing.assert_array_equal(voxels(series), volume[::way] - 1024)
    across = int(np.ceil(np.sqrt(count)))
    first = [-50.0 + 3.0 * (across - 1) * 6 / 2, -40.0 + 2.0 * (across - 1) * 4 / 2, 10.0]
    k = 0 if way > 0 else count - 1
    np.testing.assert_allclose(found.geometry.lps((k, 0, 0)), first)


@pytest.mark.parametrize("bad", [None, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)])
def test_a_mosaic_that_hides_its_tiles_is_refused(
    tmp_path: Path, bad: tuple[float, ...] | None
) -> None:
    series = only(save(tmp_path / "m", mosaic(ramp((4, 4, 6)), bad)))
    assert codes(series) == {"mosaic"}
    assert not series.regular


@pytest.mark.parametrize("cut", [0, 7, 16, 90, 120, 200])
def test_a_damaged_maker_header_is_none(tmp_path: Path, cut: int) -> None:
    dataset = mosaic(ramp((4, 4, 6)), (0.0, 0.0, 1.0))
    element = dataset[0x00291010]
    element.value = element.value[:cut]
    assert codes(only(save(tmp_path / "m", dataset))) == {"mosaic"}


def test_tiles_with_their_own_positions_lie_there(tmp_path: Path) -> None:
    dataset = mosaic(ramp((4, 4, 6)), None)
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    block.add_new(0x50, "DS", "4")
    items = []
    for n in range(4):
        item = Dataset()
        item.ImagePositionPatient = [1.0, 2.0, 30.0 + 5.0 * n]
        items.append(item)
    block.add_new(0x51, "SQ", items)
    geometry = only(save(tmp_path / "m", dataset)).geometry
    np.testing.assert_allclose(geometry.lps((2, 0, 0)), (1.0, 2.0, 40.0))


# Sequences


@given(data=st.binary(max_size=200), explicit=st.booleans(), undefined=st.booleans())
def test_no_bytes_make_the_sequence_parser_fail_otherwise(
    data: bytes, *, explicit: bool, undefined: bool
) -> None:
    try:
        items = items_of(data, None, explicit=explicit, undefined=undefined)
    except HeaderError:
        return
    assert isinstance(items, list)


def test_deep_nesting_ends() -> None:
    item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
    sequence = b"\x18\x00\x14\x91SQ\x00\x00\xff\xff\xff\xff"
    with pytest.raises(HeaderError, match="deep"):
        items_of((item + sequence) * 100_000, None, undefined=True)


@settings(max_examples=40, deadline=None)
@given(
    syntax=st.sampled_from((ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian,
                            DeflatedExplicitVRLittleEndian)),
    undefined=st.booleans(), heights=st.permutations(range(5)),
)  # fmt: skip
def test_every_way_to_write_a_sequence_reads_the_same(
    tmp_path_factory: pytest.TempPathFactory, syntax: str, *, undefined: bool, heights: list[int]
) -> None:
    dataset = enhanced(ramp(SHAPE), [(0.0, 0.0, 3.0 * n) for n in heights])
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        dataset[keyword].is_undefined_length = undefined
        for item in dataset[keyword].value:
            item.is_undefined_length_sequence_item = undefined
    series = only(save(tmp_path_factory.mktemp("s") / "f", dataset, syntax))
    np.testing.assert_array_equal(voxels(series)[heights], ramp(SHAPE) - 1024)


# Values


def test_suv_takes_weight_dose_and_decay(tmp_path: Path) -> None:
    series = only(save(tmp_path / "p", pet()))
    assert series.volumes[0].quantities == ("SUVbw",)
    assert open_dicom(series).unit == "BQML"  # as stored, unless asked
    turned = in_quantity(series, 0, "SUVbw")
    factor = 70_000 / (1e8 / 2)  # injected the day before, 4500 s = one half-life earlier
    np.testing.assert_allclose(voxels(turned)[0], ramp(SHAPE)[0] * 2.0 * factor, rtol=1e-6)
    assert open_dicom(turned).unit == "SUVbw"


def test_suv_of_a_dose_corrected_to_its_injection_has_no_decay(tmp_path: Path) -> None:
    series = only(save(tmp_path / "p", pet(DecayCorrection="ADMIN")))
    turned = in_quantity(series, 0, "SUVbw")
    np.testing.assert_allclose(voxels(turned)[0], ramp(SHAPE)[0] * 2.0 * 7e-4, rtol=1e-6)


@pytest.mark.parametrize(
    ("element", "value", "factor"),
    [(0x00, "0.25", 0.25), (0x09, "4.0", 4.0 * 70_000 / (1e8 / 2))],
)
def test_counts_of_philips_have_factors_of_their_own(
    tmp_path: Path, element: int, value: str, factor: float
) -> None:
    dataset = pet(Units="CNTS")
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(element, "DS", value)
    turned = in_quantity(only(save(tmp_path / "p", dataset)), 0, "SUVbw")
    np.testing.assert_allclose(voxels(turned)[0], ramp(SHAPE)[0] * 2.0 * factor, rtol=1e-6)


def test_a_dose_that_is_not_in_bq_gives_no_suv(tmp_path: Path) -> None:
    dataset = pet()
    dataset.RadiopharmaceuticalInformationSequence[0].RadionuclideTotalDose = 350.0
    assert "no-suv" in codes(only(save(tmp_path / "p", dataset)))


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({"Units": "CNTS"}, "counts"),
        ({"CorrectedImage": ["ATTN"]}, "DECY"),
        ({"PatientWeight": None}, "weight"),
        ({"DecayCorrection": "NONE"}, "decay"),
        ({"SeriesTime": "003000"}, "later"),
        ({"SeriesDate": None}, "time of the series"),
        ({"SeriesTime": "120000", "AcquisitionTime": "120000"}, "after the scan began"),
        ({"SeriesTime": "225400", "AcquisitionTime": "225400"}, "after the scan began"),
    ],
)
def test_why_there_is_no_suv_is_said(tmp_path: Path, elements: dict[str, object], why: str) -> None:
    dataset = pet()
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            dataset[keyword].value = value
    series = only(save(tmp_path / "p", dataset))
    (problem,) = [one for one in series.all_problems() if one.code == "no-suv"]
    assert why in problem.what
    assert not problem.blocking
    with pytest.raises(InputError):
        in_quantity(series, 0, "SUVbw")


def test_philips_has_both_its_values(tmp_path: Path) -> None:
    dataset = one_slice(ramp(SHAPE)[0], (0.0, 0.0, 0.0), RescaleSlope=4, RescaleIntercept=8)
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0D, "FL", 0.0)
    block.add_new(0x0E, "FL", 0.25)
    series = only(save(tmp_path / "f", dataset))
    np.testing.assert_array_equal(voxels(series)[0], ramp(SHAPE)[0].astype(int) * 4 + 8)
    own = voxels(in_quantity(series, 0, "Philips"))[0]
    np.testing.assert_allclose(own, (ramp(SHAPE)[0] * 4.0 + 8) / (4 * 0.25), rtol=1e-6)


def test_real_world_values_are_of_stored_ones(tmp_path: Path) -> None:
    dataset = enhanced(ramp(SHAPE), places(5))
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "mm2/s", "UCUM", "square mm"
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        with_macros(
            frame,
            RealWorldValueMappingSequence={
                "LUTLabel": "ADC", "RealWorldValueSlope": 0.5, "RealWorldValueIntercept": 3.0,
                "MeasurementUnitsCodeSequence": Items([code]),
            },
        )  # fmt: skip
    series = only(save(tmp_path / "f", dataset))
    turned = in_quantity(series, 0, "real world")
    np.testing.assert_allclose(voxels(turned), ramp(SHAPE) * 0.5 + 3.0, rtol=1e-6)
    assert open_dicom(turned).unit == "mm2/s"


def test_the_same_series_of_two_patients_is_two_series(tmp_path: Path) -> None:
    for n, name in enumerate(("A", "B")):
        for k in range(3):
            dataset = one_slice(ramp(SHAPE)[k], (0.0, 0.0, 4.0 * k), PatientID=name)
            save(tmp_path / f"{n}{k}", dataset)
    series, _ = scan_dicom(tmp_path)
    assert [one.files for one in series] == [3, 3]
    assert all(one.regular for one in series)


# Frames over time, and what tells slices apart


def pointing_at(tag: int, **elements: object) -> Dataset:
    """Ten frames in one file, of which only the first says where it is."""
    stored = ramp((10, 4, 6))
    dataset = one_slice(stored[0], (0.0, 0.0, 7.0), SpacingBetweenSlices=5.0, **elements)
    dataset.NumberOfFrames, dataset.PixelData = 10, stored.tobytes()
    if tag:
        dataset.FrameIncrementPointer = tag
    return dataset


def test_frames_over_time_are_no_stack(tmp_path: Path) -> None:
    series = only(save(tmp_path / "f", pointing_at(0x00181063)))
    assert len(series.volumes) == 10
    assert {volume.geometry.shape for volume in series.volumes} == {(1, 4, 6)}


def test_places_that_follow_from_the_first_are_told(tmp_path: Path) -> None:
    series = only(save(tmp_path / "f", pointing_at(0)))
    (problem,) = [one for one in series.all_problems() if one.code == "assumed-positions"]
    assert "5.00 mm" in problem.what
    assert series.volumes[0].geometry.spacing_mm[0] == pytest.approx(5.0)


def test_frames_over_something_else_have_no_places(tmp_path: Path) -> None:
    series = only(save(tmp_path / "f", pointing_at(0x00540010)))
    assert "no-position" in codes(series)


def test_suv_by_another_measure_is_not_by_body_weight(tmp_path: Path) -> None:
    series = only(save(tmp_path / "p", pet(Units="GML", SUVType="LBM")))
    assert "no-suv" in codes(series)
    turned = only(save(tmp_path / "q", pet(Units="GML", SUVType="BW")))
    assert turned.volumes[0].quantities == ("SUVbw",)


# Makers' own elements


def test_another_makers_element_is_not_taken_for_a_mosaic(tmp_path: Path) -> None:
    dataset = one_slice(ramp(SHAPE)[0], (0.0, 0.0, 0.0))
    dataset.private_block(0x0019, "SOMEBODY ELSE", create=True).add_new(0x0A, "US", 12)
    assert only(save(tmp_path / "f", dataset)).regular


def test_a_makers_block_may_lie_behind_another(tmp_path: Path) -> None:
    dataset = one_slice(ramp(SHAPE)[0], (0.0, 0.0, 0.0), RescaleSlope=4, RescaleIntercept=8)
    dataset.private_block(0x2005, "SOMEBODY ELSE", create=True).add_new(0x0E, "FL", 9.0)
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", 0.25)
    series = only(save(tmp_path / "f", dataset))
    own = voxels(in_quantity(series, 0, "Philips"))[0]
    np.testing.assert_allclose(own, (ramp(SHAPE)[0] * 4.0 + 8) / (4 * 0.25), rtol=1e-6)


def test_a_mosaic_without_a_step_says_what_is_taken(tmp_path: Path) -> None:
    dataset = mosaic(ramp((4, 4, 6)), (0, 0, 1), SliceThickness=3.0)
    del dataset.SpacingBetweenSlices
    series = only(save(tmp_path / "m", dataset))
    assert codes(series) == {"assumed-positions"}
    assert series.geometry.spacing_mm[0] == pytest.approx(3.0)


# Dose


def dose(offsets: list[float], orientation: Sequence[float] = AXIAL) -> Dataset:
    """A dose grid of five frames whose first is at z = 7."""
    stored = ramp(SHAPE)
    dataset = one_slice(
        stored[0], (0.0, 0.0, 7.0), orientation=orientation, SOPClassUID=RTDoseStorage,
        Modality="RTDOSE", RescaleSlope=None, RescaleIntercept=None,
    )  # fmt: skip
    dataset.NumberOfFrames, dataset.GridFrameOffsetVector = 5, offsets
    dataset.DoseGridScaling, dataset.DoseUnits = 0.5, "GY"
    dataset.PixelData = stored.tobytes()
    return dataset


def test_dose_is_in_gray(tmp_path: Path) -> None:
    series = only(save(tmp_path / "f", dose([0.0, 3.0, 6.0, 9.0, 12.0])))
    assert open_dicom(series).unit == "Gy"
    np.testing.assert_allclose(voxels(series), ramp(SHAPE) * 0.5)


@pytest.mark.parametrize("orientation", [AXIAL, (1, 0, 0, 0, -1, 0)])
def test_heights_of_a_dose_grid_are_heights_whichever_way_its_rows_run(
    tmp_path: Path, orientation: Sequence[float]
) -> None:
    series = only(save(tmp_path / "f", dose([7.0, 10.0, 13.0, 16.0, 19.0], orientation)))
    heights = sorted(facts.position[2] for facts in series.volumes[0].parts)
    assert heights == pytest.approx([7.0, 10.0, 13.0, 16.0, 19.0])


def test_many_frames_of_nothing_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    dataset = one_slice(np.zeros((1, 1), np.int16), (0.0, 0.0, 0.0))
    dataset.NumberOfFrames, dataset.PixelData = 200_000, bytes(400_000)
    series, skipped = scan_dicom(save(tmp_path / "f", dataset))
    assert not series
    assert "200000 frames" in skipped[0].why
