"""DICOM segmentations, read: made in code here, and real ones against dcmqi's label maps."""

import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from napari_medlabel import formats
from napari_medlabel.core.geometry import Axes, Geometry
from napari_medlabel.core.schema import Code
from napari_medlabel.errors import GeometryError, InputError
from napari_medlabel.formats.dicom_labels import layers_on, open_dicom_labels
from napari_medlabel.formats.dicom_seg import read_seg
from napari_medlabel.formats.dicom_segments import Segment, cielab_of, rgb_of
from napari_medlabel.formats.label_planes import layers_of, overlaps_of, painted
from napari_medlabel.testing import axes, geometries
from tests.formats.made_seg import (
    SYNTAXES,
    Frame,
    code,
    item,
    save_rle,
    save_seg,
    seg,
    segment,
)

Array = npt.NDArray[Any]
ODD = (4, 7, 5)  # 35 voxels of a slice: no frame but the first begins with a byte
SEGS = {  # and the label maps that dcmqi makes of them
    "seg/liver.dcm": ["seg/liver_seg.nrrd"],
    "seg/partial_overlaps.dcm": [f"seg/partial_overlaps-{n}.nrrd" for n in (1, 2, 3)],
    "seg/sparse-labelmap-noppv.dcm": ["seg/sparse_labelmap_noppv_seg.nrrd"],
    "seg/sparse-labelmap-ppv5.dcm": ["seg/sparse_labelmap_ppv5_seg.nrrd"],
    "23x38x3/seg/label.seg": ["23x38x3/nrrd/label.nrrd"],
    "24x38x3/seg/label.seg": ["24x38x3/nrrd/label.nrrd"],
}
PADDING = 5  # of sparse-labelmap-ppv5: dcmqi keeps it in missing slices, though it is no segment


@pytest.fixture
def grid() -> Geometry:
    turn = np.array([[0.0, 0.1, 0.9949874], [0.0, 0.9949874, -0.1], [1.0, 0.0, 0.0]])
    matrix = np.eye(4)
    matrix[:3, :3] = turn * (3.0, 0.8, 0.7)
    matrix[:3, 3] = (-20.0, -35.0, 12.0)
    return Geometry(ODD, matrix)


def blobs(count: int, shape: tuple[int, int, int] = ODD, seed: int = 3) -> Array:
    """Masks that overlap, `[segment, k, j, i]`."""
    return np.random.default_rng(seed).random((count, *shape)) < 0.4


def frames_of(masks: Array) -> list[Frame]:
    """All frames with voxels, segment by segment."""
    return [
        Frame(k, n, picture.astype(np.uint8))
        for n, mask in enumerate(masks, 1)
        for k, picture in enumerate(mask)
        if picture.any()
    ]


def layers_in(path: Path) -> tuple[list[Array], Geometry]:
    """The label maps on the file's own grid."""
    (series,) = formats.scan(path).series
    readers = [formats.open_reader(series, n) for n in range(len(series.volumes))]
    arrays = [reader.read(0, reader.source.geometry.shape[0]) for reader in readers]
    return arrays, readers[0].source.geometry


def mask_of(layers: list[Array], number: int) -> Array:
    return np.any([layer == number for layer in layers], axis=0)


@pytest.mark.parametrize(("name", "references"), SEGS.items())
def test_real_segmentations_are_what_dcmqi_makes_of_them(
    shared_data: Path, name: str, references: list[str]
) -> None:
    folder = shared_data / "dicom-seg"
    layers, geometry = layers_in(folder / name)
    assert len(layers) == len(references)
    for layer, reference in zip(layers, references, strict=True):
        expected = formats.read(folder / reference)
        voxels = expected.source.axes.inverse().apply(np.asarray(expected.levels[0]))
        is_padding = (voxels == PADDING) & ("ppv5" in name)
        np.testing.assert_array_equal(layer, np.where(is_padding, 0, voxels))
        assert geometry.difference_mm(expected.source.geometry) < 1e-5


def test_real_segments_have_the_colours_that_dcmqi_was_given(shared_data: Path) -> None:
    found = read_seg(shared_data / "dicom-seg/seg/partial_overlaps.dcm").segments
    rgb = [(128, 174, 128), (216, 101, 79), (183, 156, 220), (140, 224, 228), (0, 151, 206)]
    assert [one.color for one in found] == ["#{:02X}{:02X}{:02X}".format(*one) for one in rgb]
    assert [one.code.meaning for one in found if one.code] == [
        "Tissue", "Artery", "Capillary", "Edema", "Vein",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["binary_fractional", "true_fractional"])
def test_real_shares_of_at_least_a_half_are_in_the_segment(shared_data: Path, name: str) -> None:
    path = shared_data / f"dicom-seg/highdicom/seg_image_ct_{name}.dcm"
    (layer,), _ = layers_in(path)
    data = path.read_bytes()
    stored = np.frombuffer(data[len(data) - layer.size :], np.uint8).reshape(layer.shape)
    np.testing.assert_array_equal(layer, stored >= 128)
    (series,) = formats.scan(path).series
    assert [problem.code for problem in series.all_problems()] == ["fractional-values"]


@settings(max_examples=30)
@given(
    geometry=geometries(shape=st.just(ODD), max_shear=0.0, max_origin_mm=200.0),
    seed=st.integers(0, 1000),
    count=st.integers(1, 4),
    written=st.tuples(st.sampled_from(SYNTAXES), st.randoms(use_true_random=False)),
)
def test_every_segment_comes_back_from_its_layer(
    geometry: Geometry, seed: int, count: int, written: tuple[str, random.Random],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    matrix = geometry.lps_from_kji.copy()
    normal = np.cross(matrix[:3, 2], matrix[:3, 1])
    matrix[:3, 0] *= np.sign(matrix[:3, 0] @ normal)  # frames are counted along the normal
    masks = blobs(count, seed=seed)
    frames = frames_of(masks)
    syntax, order = written
    order.shuffle(frames)
    dataset = seg(Geometry(ODD, matrix), frames, [segment(n) for n in range(1, count + 1)])
    path = save_seg(tmp_path_factory.mktemp("seg") / "a.dcm", dataset, syntax)
    layers, found = layers_in(path)
    assert found.difference_mm(Geometry(ODD, matrix)) < 1e-5
    for n, mask in enumerate(masks, 1):
        np.testing.assert_array_equal(mask_of(layers, n), mask)


@given(st.integers(0, 1000), st.integers(1, 5))
def test_layers_hold_each_segment_once_and_no_two_that_overlap(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    numbers = range(1, count + 1)
    overlaps = {(a, b): 1 for a in numbers for b in numbers if a < b and rng.random() < 0.4}
    layers = layers_of(tuple(numbers), overlaps)
    assert sorted(n for layer in layers for n in layer) == list(numbers)
    assert not any((a, b) in overlaps for layer in layers for a in layer for b in layer)


@given(st.text(max_size=20))
def test_the_words_of_a_segment_are_one_line(meaning: str) -> None:
    assert Segment(1, code=Code("SCT", "51114001", meaning)).words.isprintable()


def test_slices_whose_frames_were_left_out_are_empty(tmp_path: Path, grid: Geometry) -> None:
    picture = np.ones(ODD[1:], np.uint8)
    frames = [Frame(0, 1, picture), Frame(3, 1, picture)]
    stated = save_seg(tmp_path / "a.dcm", seg(grid, frames, [segment(1)], between_mm=3.0))
    (layer,), geometry = layers_in(stated)
    assert geometry.difference_mm(grid) < 1e-6
    assert layer.any(axis=(1, 2)).tolist() == [True, False, False, True]
    guessed = save_seg(tmp_path / "b.dcm", seg(grid, frames, [segment(1)]))
    assert layers_in(guessed)[1].shape == (2, 7, 5)  # nothing says that there were more


def test_scattered_frames_are_refused_with_their_steps(tmp_path: Path, grid: Geometry) -> None:
    picture = np.ones(ODD[1:], np.uint8)
    dataset = seg(grid, [Frame(k, 1, picture) for k in (0, 1, 3)], [segment(1)])
    at = dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0]
    at.ImagePositionPatient = [float(v) for v in np.round(grid.lps((1.3, 0, 0)), 6)]
    path = save_seg(tmp_path / "a.dcm", dataset)
    with pytest.raises(GeometryError, match=r"steps from 3\.900 to 5\.100 mm") as caught:
        formats.read(path)
    assert "case" in caught.value.hint


def test_a_label_map_of_16_bits_has_the_colours_of_its_palette(
    tmp_path: Path, grid: Geometry
) -> None:
    labels = np.random.default_rng(1).choice([0, 2, 300], ODD).astype("<u2")
    frames = [Frame(k, 0, picture) for k, picture in enumerate(labels)]
    ramp = (np.arange(301) * 200).astype("<u2").tobytes()
    described = [segment(2), segment(300)]
    dataset = seg(grid, frames, described, "LABELMAP", PhotometricInterpretation="PALETTE COLOR")
    for color in ("Red", "Green", "Blue"):
        setattr(dataset, f"{color}PaletteColorLookupTableDescriptor", [301, 0, 16])
        setattr(dataset, f"{color}PaletteColorLookupTableData", ramp)
    path = save_seg(tmp_path / "a.dcm", dataset)
    (layer,), _ = layers_in(path)
    np.testing.assert_array_equal(layer, labels)
    assert [one.color for one in read_seg(path).segments] == ["#010101", "#EAEAEA"]


def test_a_compressed_label_map_is_the_same_as_a_plain_one(tmp_path: Path, grid: Geometry) -> None:
    labels = np.random.default_rng(1).choice([0, 2, 7], ODD).astype(np.uint8)
    frames = [Frame(k, 0, picture) for k, picture in enumerate(labels)]
    described = [segment(2), segment(7)]
    plain = save_seg(tmp_path / "a.dcm", seg(grid, frames, described, "LABELMAP"))
    packed = save_rle(tmp_path / "b.dcm", seg(grid, frames, described, "LABELMAP"))
    np.testing.assert_array_equal(layers_in(plain)[0][0], labels)
    np.testing.assert_array_equal(layers_in(packed)[0][0], labels)


def test_what_a_segment_says_of_itself_is_read(tmp_path: Path, grid: Geometry) -> None:
    kind = code("64033007", "SCT", "Kidney")
    kind.SegmentedPropertyTypeModifierCodeSequence = [code("7771000", "SCT", "Left")]
    one = segment(
        1, SegmentLabel="Niere ü", SegmentDescription="links", kind=kind,
        SegmentAlgorithmType="AUTOMATIC", SegmentAlgorithmName="Robot", TrackingID="kidney",
        TrackingUID="2.25.7", RecommendedDisplayCIELabValue=list(cielab_of("#12AB34")),
        AnatomicRegionSequence=[code("818981001", "SCT", "Abdomen")],
    )  # fmt: skip
    dataset = seg(grid, [Frame(0, 1, np.ones(ODD[1:], np.uint8))], [one])
    dataset.SpecificCharacterSet = "ISO_IR 192"
    (found,) = read_seg(save_seg(tmp_path / "a.dcm", dataset)).segments
    assert (found.label, found.description, found.color) == ("Niere ü", "links", "#12AB34")
    assert found.code == Code("64033007", "SCT", "Kidney")
    assert found.category == Code("85756007", "SCT", "Tissue")
    assert found.modifiers == (Code("7771000", "SCT", "Left"),)
    assert found.region == Code("818981001", "SCT", "Abdomen")
    assert (found.algorithm, found.algorithm_name) == ("AUTOMATIC", "Robot")
    assert (found.tracking_id, found.tracking_uid) == ("kidney", "2.25.7")
    label = found.as_label(4)
    assert (label.value, label.name, label.region) == (4, "Niere ü", found.region)


@given(st.integers(0, 0xFFFFFF))
def test_a_colour_survives_being_written_as_cielab(number: int) -> None:
    color = f"#{number:06X}"
    assert rgb_of(cielab_of(color)) == color


@settings(max_examples=40)
@given(layout=axes(), seed=st.integers(0, 100))
def test_frames_are_found_on_any_grid_that_has_their_voxels(
    layout: Axes, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    matrix = np.diag([3.0, 0.8, 0.7, 1.0])[:, [2, 1, 0, 3]]
    own = Geometry(ODD, matrix)
    (mask,) = blobs(1, seed=seed)
    path = save_seg(
        tmp_path_factory.mktemp("seg") / "a.dcm", seg(own, frames_of(mask[None]), [segment(1)])
    )
    mine = open_dicom_labels(path)
    assert mine is not None
    other = own.laid_out(layout)
    labels = painted(mine.on(other, frozenset({1})).planes(), other.shape, {1: 1})
    np.testing.assert_array_equal(labels, layout.apply(mask))


@pytest.mark.parametrize("name", ["seg/liver.dcm", "seg/partial_overlaps.dcm"])
def test_a_real_segmentation_lies_on_the_images_that_it_was_made_on(
    shared_data: Path, name: str
) -> None:
    image = formats.read(shared_data / "dicom-seg/ct").source
    mine = open_dicom_labels(shared_data / "dicom-seg" / name)
    assert mine is not None
    assert mine.referenced == {one.uid for one in image.instances}
    placed = layers_on(mine, image.geometry)
    own, _ = layers_in(shared_data / "dicom-seg" / name)
    np.testing.assert_array_equal(placed, own)


def test_a_frame_off_the_grid_is_refused_by_how_much(tmp_path: Path, grid: Geometry) -> None:
    path = save_seg(tmp_path / "a.dcm", seg(grid, frames_of(blobs(1)), [segment(1)]))
    mine = open_dicom_labels(path)
    assert mine is not None
    near, far = np.eye(4), np.eye(4)
    near[2, 3], far[2, 3] = 0.009, 0.05
    assert mine.on(Geometry(ODD, near @ grid.lps_from_kji), frozenset({1}))
    with pytest.raises(GeometryError, match=r"0\.050 mm off the voxels"):
        mine.on(Geometry(ODD, far @ grid.lps_from_kji), frozenset({1}))
    smaller = Geometry((2, 7, 5), grid.lps_from_kji)
    with pytest.raises(GeometryError, match="outside of the image"):
        list(mine.on(smaller, frozenset({1})).planes())


def test_segments_that_overlap_are_counted_voxel_by_voxel(tmp_path: Path, grid: Geometry) -> None:
    masks = blobs(3)
    path = save_seg(
        tmp_path / "a.dcm", seg(grid, frames_of(masks), [segment(n) for n in (1, 2, 3)])
    )
    mine = open_dicom_labels(path)
    assert mine is not None
    found = overlaps_of(mine.on(grid, frozenset({1, 2, 3})).planes())
    pairs = [(1, 2), (1, 3), (2, 3)]
    assert found == {(a, b): int((masks[a - 1] & masks[b - 1]).sum()) for a, b in pairs}
    (series,) = formats.scan(path).series
    assert [volume.name for volume in series.volumes] == ["layer 1", "layer 2", "layer 3"]
    assert {problem.code for problem in series.all_problems()} == {"overlapping-segments"}


def damaged(dataset: Dataset, **elements: object) -> Dataset:
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def without(dataset: Dataset, keyword: str) -> Dataset:
    delattr(dataset, keyword)
    return dataset


def group(dataset: Dataset, number: int, keyword: str, **elements: object) -> Dataset:
    setattr(dataset.PerFrameFunctionalGroupsSequence[number], keyword, [item(**elements)])
    return dataset


HOSTILE = {
    "claims 60000 frames": lambda d: damaged(d, NumberOfFrames=60000),
    "claims too few frames": lambda d: damaged(d, NumberOfFrames=1),
    "no rows": lambda d: damaged(d, Rows=0),
    "huge rows": lambda d: damaged(d, Rows=65535, Columns=65535),
    "no segments": lambda d: damaged(d, SegmentSequence=[]),
    "two of a number": lambda d: damaged(d, SegmentSequence=[segment(1), segment(1)]),
    "number 0": lambda d: damaged(d, SegmentSequence=[segment(0), segment(1)]),
    "no kind": lambda d: damaged(d, SegmentationType="SHAPES"),
    "wrong bits": lambda d: damaged(d, BitsAllocated=16),
    "no pixels": lambda d: without(d, "PixelData"),
    "no groups": lambda d: without(d, "PerFrameFunctionalGroupsSequence"),
    "no shared groups": lambda d: without(d, "SharedFunctionalGroupsSequence"),
    "segment unknown": lambda d: group(
        d, 0, "SegmentIdentificationSequence", ReferencedSegmentNumber=9
    ),
    "position lost": lambda d: group(d, 0, "PlanePositionSequence"),
    "same place twice": lambda d: group(
        d, 1, "PlanePositionSequence",
        ImagePositionPatient=d.PerFrameFunctionalGroupsSequence[0]
        .PlanePositionSequence[0].ImagePositionPatient,
    ),
    "far away": lambda d: group(d, 1, "PlanePositionSequence", ImagePositionPatient=[9e4] * 3),
    "another orientation": lambda d: group(
        d, 1, "PlaneOrientationSequence", ImageOrientationPatient=[1, 0, 0, 0, 1, 0]
    ),
    "no orientation": lambda d: group(
        d, 1, "PlaneOrientationSequence", ImageOrientationPatient=[1, 0, 0, 1, 0, 0]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_segmentation_that_contradicts_itself_is_refused_in_one_line(
    tmp_path: Path, grid: Geometry, name: str
) -> None:
    path = tmp_path / "a.dcm"
    save_seg(path, HOSTILE[name](seg(grid, frames_of(blobs(1)), [segment(1)])))
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            formats.read(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert "secret" not in (str(caught.value) + caught.value.hint).lower()


def test_a_value_that_no_segment_has_is_never_dropped(tmp_path: Path, grid: Geometry) -> None:
    labels = np.full(ODD, 4, np.uint8)
    frames = [Frame(k, 0, picture) for k, picture in enumerate(labels)]
    path = save_seg(tmp_path / "a.dcm", seg(grid, frames, [segment(1)], "LABELMAP"))
    with pytest.raises(InputError, match="the value 4"):
        formats.read(path)
    padded = seg(grid, frames, [segment(1)], "LABELMAP", PixelPaddingValue=4)
    (layer,), _ = layers_in(save_seg(tmp_path / "b.dcm", padded))
    assert not layer.any()


@settings(max_examples=150)
@given(data=st.data())
def test_no_damage_to_the_bytes_of_a_segmentation_is_a_crash(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, damaged_seg: bytes
) -> None:
    at = data.draw(st.integers(0, len(damaged_seg) - 1))
    kind = data.draw(st.sampled_from(["flip", "cut", "splice"]))
    if kind == "flip":
        changed = bytearray(damaged_seg)
        changed[at] ^= data.draw(st.integers(1, 255))
        result = bytes(changed)
    elif kind == "cut":
        result = damaged_seg[:at]
    else:
        size = data.draw(st.integers(1, 40))
        result = damaged_seg[:at] + damaged_seg[at + size :]
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    path.write_bytes(result)
    try:
        found = formats.read(path)
    except InputError:
        return
    assert np.asarray(found.levels[0]).shape == found.shape


@pytest.fixture(scope="module")
def damaged_seg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    matrix = np.diag([3.0, 0.8, 0.7, 1.0])[:, [2, 1, 0, 3]]
    dataset = seg(Geometry(ODD, matrix), frames_of(blobs(2)), [segment(1), segment(2)])
    return save_seg(tmp_path_factory.mktemp("seg") / "a.dcm", dataset).read_bytes()
