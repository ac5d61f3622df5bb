"""Overlapping segments in one DICOM segmentation: read by ours, by plain pydicom, by highdicom."""

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
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label, LabelSchema
from napari_medlabel.formats.dicom_labels import open_dicom_labels
from napari_medlabel.formats.dicom_seg_write import SegContent, write_seg
from napari_medlabel.formats.label_planes import painted
from napari_medlabel.testing import geometries, label_arrays
from tests.formats.test_dicom_seg_write import (
    CT,
    ENHANCED_MR,
    MR,
    content,
    grid,
    slice_of,
    source_of,
)

__all__ = ["grid"]  # a fixture

Array = npt.NDArray[Any]
SHAPE = (5, 7, 9)  # 63 pixels in a frame: frames begin inside of bytes
SCHEMA = LabelSchema(
    "Liver",
    (
        Label(5, "Liver", "#FF8000"),
        Label(3, "Lesion", "#33FFCC", group=1),
        Label(300, "Vessel", "#A633A6", group=6),
        Label(9, "Spleen", "#338033"),
    ),
)
NUMBERS = {3: 1, 5: 2, 9: 3, 300: 4}


def content_of(groups: dict[int, Array], geometry: Geometry, kind: str = CT) -> SegContent:
    source = source_of(geometry, kind, in_one_file=kind == ENHANCED_MR)
    made = content(groups[0], source, SCHEMA)
    return replace(made, others={group: array for group, array in groups.items() if group})


def masks_of(groups: dict[int, Array]) -> dict[int, Array]:
    """Where each segment is, by its number."""
    return {NUMBERS[label.value]: groups[label.group] == label.value for label in SCHEMA}


def by_plain_pydicom(path: Path, geometry: Geometry) -> dict[int, Array]:
    """The segments, by the bits of the file and the positions of its frames alone."""
    dataset = pydicom.dcmread(path)
    size = dataset.Rows * dataset.Columns
    bits = np.unpackbits(np.frombuffer(dataset.PixelData, np.uint8), bitorder="little")
    found = {number: np.zeros(geometry.shape, bool) for number in NUMBERS.values()}
    seen: set[tuple[int, int]] = set()
    for n, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        place = slice_of(group, geometry)
        number = group.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        assert (number, place) not in seen
        seen.add((number, place))
        found[number][place] = bits[n * size : (n + 1) * size].reshape(geometry.shape[1:])
    assert dataset.NumberOfFrames == n + 1
    assert {k for _, k in seen} == set(range(geometry.shape[0]))  # all of the grid is there
    return found


@settings(max_examples=30, deadline=None)
@given(
    geometry=geometries(shape=st.just(SHAPE), max_shear=0.0, max_origin_mm=300.0),
    groups=st.fixed_dictionaries({
        0: label_arrays(SHAPE, (5, 9)),
        1: label_arrays(SHAPE, (3,)),
        6: label_arrays(SHAPE, (300,), np.uint16),
    }),
    empty=st.sets(st.integers(0, 4)),
)  # fmt: skip
def test_every_segment_is_read_back_voxel_for_voxel(
    geometry: Geometry, groups: dict[int, Array], empty: set[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:  # fmt: skip
    matrix = geometry.lps_from_kji.copy()
    normal = np.cross(matrix[:3, 2], matrix[:3, 1])
    matrix[:3, 0] *= np.sign(matrix[:3, 0] @ normal)
    upright = Geometry(SHAPE, matrix)
    for array in groups.values():
        array[list(empty)] = 0
    path = tmp_path_factory.mktemp("seg") / "a.dcm"
    write_seg(content_of(groups, upright), path)
    expected = masks_of(groups)
    plain = by_plain_pydicom(path, upright)
    found = open_dicom_labels(path)
    assert found is not None
    for number, mask in expected.items():
        np.testing.assert_array_equal(plain[number], mask)
        placed = found.on(upright, frozenset({number}))
        np.testing.assert_array_equal(painted(placed.planes(), SHAPE, {number: 1}) == 1, mask)
    both = sum(array != 0 for array in groups.values())
    assert pydicom.dcmread(path).SegmentsOverlap == ("YES" if both.max() > 1 else "NO")


@pytest.fixture
def groups() -> dict[int, Array]:
    rng = np.random.default_rng(4)
    made = {
        0: rng.choice([0, 5, 9], SHAPE).astype(np.uint8),
        1: rng.choice([0, 0, 3], SHAPE).astype(np.uint8),
        6: rng.choice([0, 0, 300], SHAPE).astype(np.uint16),
    }
    for array in made.values():
        array[0] = array[4] = 0  # ends without any label
    made[0][2] = 0  # and a slice that only others have
    return made


def test_highdicom_reads_the_same(tmp_path: Path, grid: Geometry, groups: dict[int, Array]) -> None:
    import highdicom

    write_seg(content_of(groups, grid), tmp_path / "a.dcm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = highdicom.seg.segread(tmp_path / "a.dcm")
        volume = theirs.get_volume()
    assert theirs.number_of_segments == 4
    # Its k runs the other way; the affine says so.
    corner = volume.affine @ (SHAPE[0] - 1, 0, 0, 1)
    np.testing.assert_allclose(corner[:3], grid.origin_lps, atol=1e-5)
    for number, mask in masks_of(groups).items():
        np.testing.assert_array_equal(volume.array[::-1, ..., number - 1] == 1, mask)


@pytest.mark.parametrize("kind", [CT, MR, ENHANCED_MR])
def test_dciodvfy_finds_nothing_wrong(
    tmp_path: Path,
    grid: Geometry,
    groups: dict[int, Array],
    kind: str,
) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not here: install dicom3tools")
    write_seg(content_of(groups, grid, kind), tmp_path / "a.dcm")
    done = subprocess.run(
        ["dciodvfy", tmp_path / "a.dcm"], capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).splitlines()
    assert [line for line in said if line.startswith("Error")] == []
    assert "Segmentation" in said


def test_frames_are_in_the_order_of_segments_and_slices(
    tmp_path: Path,
    grid: Geometry,
    groups: dict[int, Array],
) -> None:
    write_seg(content_of(groups, grid), tmp_path / "a.dcm")
    dataset = pydicom.dcmread(tmp_path / "a.dcm")
    indices = [
        tuple(group.FrameContentSequence[0].DimensionIndexValues)
        for group in dataset.PerFrameFunctionalGroupsSequence
    ]
    assert indices == sorted(set(indices))
    named = {
        int(group.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        for group in dataset.PerFrameFunctionalGroupsSequence
    }
    assert named == {1, 2, 3, 4}


def test_another_mask_in_one_group_alone_has_another_uid(
    tmp_path: Path,
    grid: Geometry,
    groups: dict[int, Array],
) -> None:
    uids = []
    for name, sha256 in (("a", "1"), ("b", "2"), ("c", "1")):
        made = content_of(groups, grid)
        provenance = replace(made.provenance, group_sha256={"1": sha256, "6": "3"})
        write_seg(replace(made, provenance=provenance), tmp_path / name)
        uids.append(pydicom.dcmread(tmp_path / name).SOPInstanceUID)
    assert uids[0] == uids[2] != uids[1]
