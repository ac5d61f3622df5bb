"""An open case beside another mask: agreement, differences, and other grids."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import Cancelled, GeometryError, InputError
from napari_medlabel.session import OpenCase, Session


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, Label(1, "Liver", "#FF8000"))
    commands.set_label(session, case, Label(2, "Spleen", "#33A680"))
    for value, columns in ((1, slice(6, 26)), (2, slice(26, 34))):
        box = (slice(2, 5), slice(4, 14), columns)
        commands.threshold(session, case, value, box=box, lower=-2000.0)
    return case


@pytest.fixture
def other(case: OpenCase) -> np.ndarray:
    """The liver a row lower, a part of the spleen taken for liver, and a segment of its own."""
    labels = np.zeros_like(case.segmentation.labels)
    labels[2:5, 5:15, 6:28] = 1
    labels[2:5, 4:14, 28:34] = 2
    labels[7, 30:33, 30:33] = 9
    return labels


def test_each_segment_is_compared_and_every_difference_marked(
    session: Session, case: OpenCase, other: np.ndarray, tmp_path: Path
) -> None:
    formats.write(other, case.segmentation.geometry, tmp_path / "m.nii.gz")
    answer = commands.compare_case(session, case, tmp_path / "m.nii.gz")
    mine = case.segmentation.labels
    liver, spleen, own = answer.segments
    assert [row["name"] for row in answer.segments] == ["Liver", "Spleen", ""]
    both = np.count_nonzero((mine == 1) & (other == 1))
    assert liver["dice"] == pytest.approx(
        2 * both / (np.count_nonzero(mine == 1) + np.count_nonzero(other == 1))
    )
    voxel_ml = case.segmentation.geometry.voxel_ml
    assert spleen["ml_difference"] == pytest.approx(-3 * 10 * 2 * voxel_ml)
    assert (own["value"], own["dice"], own["hd95_mm"]) == (9, 0.0, None)
    truth = np.select([mine == other, other == 0, mine == 0], [0, 1, 2], 3)
    np.testing.assert_array_equal(answer.difference, truth)
    assert set(np.unique(answer.difference)) == {0, 1, 2, 3}
    assert json.loads(json.dumps(answer.document()))["resampled"] is False


def test_a_version_is_compared_with_the_present(session: Session, case: OpenCase) -> None:
    commands.save_version(session, case, "first")
    box = (slice(2, 3), slice(4, 14), slice(6, 26))
    commands.threshold(session, case, 2, box=box, inside=1, lower=-2000.0)
    answer = commands.compare_case(session, case, 1)
    assert answer.segments[0]["ml_difference"] == pytest.approx(
        200 * case.segmentation.geometry.voxel_ml
    )
    assert np.count_nonzero(answer.difference == commands.comparing.OTHER_LABEL) == 200
    with pytest.raises(InputError, match="no version 7"):
        commands.compare_case(session, case, 7)


def test_another_grid_is_refused_with_numbers_and_resampled_when_asked(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    geometry = case.segmentation.geometry
    finer = np.kron(case.segmentation.labels, np.ones((1, 2, 2), np.uint8))
    matrix = geometry.lps_from_kji @ np.array(
        [[1, 0, 0, 0], [0, 0.5, 0, -0.25], [0, 0, 0.5, -0.25], [0, 0, 0, 1.0]]
    )
    path = tmp_path / "fine.nii.gz"
    formats.write(finer, Geometry(finer.shape, matrix), path)
    with pytest.raises(GeometryError, match="voxels along k, j, i") as caught:
        commands.compare_case(session, case, path)
    assert "resample" in caught.value.hint
    answer = commands.compare_case(session, case, path, resample=True)
    assert answer.resampled
    assert [row["dice"] for row in answer.segments] == [1.0, 1.0]
    assert not answer.difference.any()


def test_comparing_can_be_called_off(session: Session, case: OpenCase) -> None:
    with pytest.raises(Cancelled):
        commands.compare_case(session, case, 0, cancelled=lambda: True)
