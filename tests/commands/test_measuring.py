"""Numbers of segments through the commands: as a document, as a table, from the command line."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands, formats
from napari_medlabel.cli import main
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import Cancelled, InputError, OutputError, ReadOnly
from napari_medlabel.session import OpenCase, Session


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, Label(1, "=Liver", "#FF8000"))
    commands.set_label(session, case, Label(2, "Spleen", "#33A680"))
    commands.threshold(
        session, case, 1, box=(slice(2, 5), slice(4, 14), slice(6, 26)), lower=-2000.0
    )
    return case


def test_every_segment_of_a_case_is_measured_with_the_image(
    session: Session, case: OpenCase
) -> None:
    document = commands.case_statistics(session, case)
    liver, spleen = document["segments"]
    inside = np.asarray(case.volume.levels[0])[case.segmentation.labels == 1]
    assert document["unit"] == "HU"
    assert (liver["voxels"], liver["slices"]) == (600, 3)
    assert liver["ml"] == pytest.approx(case.segmentation.volume_ml(1))
    assert liver["mean"] == pytest.approx(inside.mean())
    assert liver["p75"] == pytest.approx(np.percentile(inside, 75))
    assert liver["low_kji"] == [2, 4, 6]
    assert spleen == {"value": 2, "name": "Spleen", "color": "#33A680", "voxels": 0, "ml": 0.0}
    only = commands.case_statistics(session, case, [2], by_image=False)
    assert [one["value"] for one in only["segments"]] == [2]
    assert json.loads(json.dumps(document)) == document


def test_segments_of_other_groups_are_measured_in_theirs(session: Session, case: OpenCase) -> None:
    commands.set_group(session, case, 2, 1)
    where = np.ones((2, 10, 10), bool)
    edit = Edit.fill(case.segmentation.labels_of(2), (3, 4, 6), where, 2, group=1)
    commands.paint(session, case, edit)
    liver, spleen = commands.case_statistics(session, case, by_image=False)["segments"]
    assert (liver["voxels"], spleen["voxels"]) == (600, 200)
    assert spleen["low_kji"] == [3, 4, 6]


def test_the_table_has_a_row_for_each_segment_and_runs_no_formula(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    document = commands.case_statistics(session, case)
    commands.write_statistics(session, document, tmp_path / "s.csv")
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as text:
        liver, spleen = csv.DictReader(text)
    assert liver["name"] == "'=Liver"
    assert float(liver["long_axis_mm"]) == document["segments"][0]["long_axis"]["mm"]
    assert float(liver["long_axis_begin_k"]) == document["segments"][0]["long_axis"]["begin_kji"][0]
    assert float(liver["centroid_x"]) == document["segments"][0]["centroid_lps"][0]
    assert (liver["low_k"], liver["high_i"]) == ("2", "25")
    assert (spleen["voxels"], spleen["surface_cm2"]) == ("0", "")
    commands.write_statistics(session, document, tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == document


def test_what_cannot_be_written_is_refused(session: Session, tmp_path: Path) -> None:
    document = {"segments": []}
    with pytest.raises(InputError, match="names no format"):
        commands.write_statistics(session, document, tmp_path / "s.txt")
    commands.write_statistics(session, document, tmp_path / "s.csv")
    with pytest.raises(OutputError):
        commands.write_statistics(session, document, tmp_path / "s.csv")
    commands.write_statistics(session, document, tmp_path / "s.csv", force=True)


def test_measuring_can_be_called_off_and_needs_an_open_case(
    session: Session, case: OpenCase
) -> None:
    with pytest.raises(Cancelled):
        commands.case_statistics(session, case, cancelled=lambda: True)
    commands.close_case(session, case)
    with pytest.raises(ReadOnly):
        commands.case_statistics(session, case)


def test_the_command_line_writes_a_table_beside_its_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDLABEL_WORKSPACE", str(tmp_path / "workspace"))
    geometry = Geometry.from_spacing((6, 12, 14), (3.0, 0.8, 0.7))
    labels = np.zeros(geometry.shape, np.uint8)
    labels[1:4, 2:9, 3:11] = 4
    image = np.full(geometry.shape, 40, np.int16)
    formats.write(labels, geometry, tmp_path / "m.nii.gz")
    formats.write(image, geometry, tmp_path / "i.nii.gz")
    table, files = tmp_path / "t.csv", [str(tmp_path / name) for name in ("m.nii.gz", "i.nii.gz")]
    assert main(["stats", files[0], "--image", files[1], "--csv", str(table), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["labels"][0]["voxels"] == 168
    with table.open(encoding="utf-8", newline="") as text:
        (row,) = csv.DictReader(text)
    assert (row["value"], row["voxels"], row["p50"]) == ("4", "168", "40.0")
