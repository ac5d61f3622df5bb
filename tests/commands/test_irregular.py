"""Irregular slices through the commands and the command line: refused, or done as was asked."""

import json
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pytest

import napari_medlabel as medlabel
from napari_medlabel import commands, formats
from napari_medlabel.cli import main
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.provenance import Provenance
from napari_medlabel.core.schema import Label
from napari_medlabel.documents import provenance_schema, scan_schema
from napari_medlabel.errors import GeometryError, InputError, OutputError
from napari_medlabel.phantom import write_ct_series
from napari_medlabel.session import Session
from napari_medlabel.storage.ome_zarr import open_volume

KEPT = [0, 1, 2, 3, 4, 6, 8]  # slices of the regular series, 3 mm apart


@pytest.fixture
def gappy(tmp_path: Path, hu: np.ndarray, grid: Geometry) -> Path:
    """Five slices 3 mm apart and two that are each 6 mm above the one below."""
    for n, path in enumerate(write_ct_series(tmp_path / "ct", hu, grid)):
        if n not in KEPT:
            path.unlink()
    return tmp_path / "ct"


def answer(capsys: pytest.CaptureFixture[str], *argv: object) -> dict:
    capsys.readouterr()
    assert main([str(word) for word in argv]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


# Converting


def test_a_series_with_gaps_is_refused_unless_something_is_chosen(
    session: Session, gappy: Path, tmp_path: Path
) -> None:
    with pytest.raises(GeometryError, match="missing"):
        commands.convert(session, gappy, tmp_path / "a.nii.gz")
    assert not (tmp_path / "a.nii.gz").exists()


def test_splitting_writes_every_run_into_a_file_of_its_own(
    session: Session, gappy: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    done = commands.convert(session, gappy, tmp_path / "a.nii.gz", irregular="split")
    assert [(one["file"], one["name"]) for one in done.volumes] == [
        ("a-1.nii.gz", "run 1"), ("a-2.nii.gz", "run 2"),
    ]  # fmt: skip
    first, second = (medlabel.read(tmp_path / one["file"]) for one in done.volumes)
    np.testing.assert_array_equal(first.levels[0], hu[:5])
    np.testing.assert_array_equal(second.levels[0], hu[[6, 8]])
    assert second.geometry.spacing_mm[0] == pytest.approx(6.0)
    assert not (tmp_path / "a.nii.gz").exists()


def test_the_largest_run_is_one_file_and_says_what_it_lacks(
    session: Session, gappy: Path, tmp_path: Path
) -> None:
    done = commands.convert(session, gappy, tmp_path / "a.mha", irregular="largest-run")
    (entry,) = done.volumes
    assert [problem["code"] for problem in entry["problems"]] == ["left-out-slices"]
    assert medlabel.read(tmp_path / "a.mha").shape[0] == 5


def test_resampling_says_so_in_the_answer_and_in_the_file(
    session: Session, gappy: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    done = commands.convert(session, gappy, tmp_path / "a.ome.zarr", irregular="resample")
    (entry,) = done.volumes
    assert entry["derivation"]["method"] == "linear"
    assert len(entry["derivation"]["source_sha256"]) == 64
    stored = open_volume(tmp_path / "a.ome.zarr")
    made = stored.source.derivation
    assert made is not None
    assert made.document() == entry["derivation"]
    assert made.source_steps_mm == pytest.approx([3, 3, 3, 3, 6, 6], abs=1e-3)
    assert [gap.slices for gap in made.interpolated] == [1, 1]
    assert stored.report.missing
    assert stored.report.slices == 7
    back = formats.onto_source(
        stored.source.axes.inverse().apply(stored.levels[0][:]), stored.source
    )
    np.testing.assert_array_equal(np.concatenate([part for _, part in back]), hu[KEPT])


def test_a_step_makes_slices_of_any_series(
    session: Session, folder: Path, tmp_path: Path, grid: Geometry
) -> None:
    done = commands.convert(session, folder, tmp_path / "a.nrrd", irregular="resample", step_mm=1.5)
    assert done.volumes[0]["derivation"]["interpolated"] == [
        {"after_mm": pytest.approx(a, abs=2), "before_mm": pytest.approx(a + 3, abs=2), "slices": 1}
        for a in (done.volumes[0]["derivation"]["interpolated"][0]["after_mm"] + 3 * np.arange(8))
    ]
    assert medlabel.read(tmp_path / "a.nrrd").shape[0] == 2 * grid.shape[0] - 1
    with pytest.raises(InputError, match="no step"):
        commands.convert(session, folder, tmp_path / "b.nrrd", irregular="resample", step_mm=-1.0)


def test_a_folder_of_all_holds_every_piece(session: Session, gappy: Path, tmp_path: Path) -> None:
    split = commands.convert_all(session, gappy, tmp_path / "split", irregular="split")
    assert [(one["file"], one["volume"]) for one in split.volumes] == [
        ("1-1-1.nii.gz", 1), ("1-1-2.nii.gz", 1),
    ]  # fmt: skip
    one = commands.convert_all(session, gappy, tmp_path / "one", irregular="resample")
    assert [entry["file"] for entry in one.volumes] == ["1-1.nii.gz"]
    none = commands.convert_all(session, gappy, tmp_path / "none")
    assert [entry["code"] for entry in none.refused] == ["missing-slice"]


def test_no_piece_is_written_where_one_of_them_is_there_already(
    session: Session, gappy: Path, tmp_path: Path
) -> None:
    (tmp_path / "a-2.nii.gz").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already"):
        commands.convert(session, gappy, tmp_path / "a.nii.gz", irregular="split")
    assert not (tmp_path / "a-1.nii.gz").exists()


# As a case


@pytest.mark.parametrize("irregular", ["largest-run", "resample"])
def test_a_choice_is_a_case_that_is_found_again(
    session: Session, gappy: Path, irregular: str
) -> None:
    choice = Choice(irregular)  # type: ignore[arg-type]
    first = commands.import_series(session, gappy, choice=choice)
    again = commands.import_series(session, gappy, choice=choice)
    assert again.id == first.id
    (series,) = commands.scan(session, gappy).series
    (offer,) = [o for o in commands.offers(session, series) if o.choice.irregular == irregular]
    made, volume = offer.made()
    case = commands.open_series(session, made, volume, found_at=gappy)
    assert case.info.id == first.id
    assert case.volume.report.slices == (7 if irregular == "resample" else 5)
    commands.close_case(session, case)


def test_runs_of_a_split_series_are_cases_of_their_own(session: Session, gappy: Path) -> None:
    with pytest.raises(InputError, match="1 run 1, 2 run 2"):
        commands.import_series(session, gappy, choice=Choice("split"))
    first = commands.import_series(session, gappy, volume=1, choice=Choice("split"))
    second = commands.import_series(session, gappy, volume=2, choice=Choice("split"))
    assert first.id != second.id
    assert (first.shape[0], second.shape[0]) == (5, 2)


def test_an_import_of_a_resampled_series_goes_on_after_a_cut(session: Session, gappy: Path) -> None:
    info = commands.import_series(session, gappy, choice=Choice("resample", 2.0))
    catalogue = session.workspace.catalogue
    session.workspace.image_path(info.id).rename(gappy.parent / "gone")
    catalogue._update(info.id, state="importing")
    case = commands.open_case(session, info.id)
    case.loading.wait()
    assert case.info.id == info.id
    assert case.volume.shape[0] == 13
    commands.close_case(session, case)


def test_provenance_tells_what_was_made_of_the_slices(
    session: Session, gappy: Path, tmp_path: Path
) -> None:
    info = commands.import_series(session, gappy, choice=Choice("resample"))
    case = commands.open_case(session, info.id)
    case.loading.wait()
    commands.set_label(session, case, Label(1, "Liver", "#aa0000"))
    labels = case.segmentation.labels
    box = np.ones((2, 3, 4), np.bool_)
    commands.paint(session, case, Edit.fill(labels, (3, 2, 2), box, 1))
    commands.export_case(session, case, tmp_path / "out", name="mask")
    commands.close_case(session, case)
    text = (tmp_path / "out" / "mask.provenance.json").read_text()
    document = json.loads(text)
    jsonschema.validate(document, provenance_schema())
    found = Provenance.from_document(document)
    assert found.document() == document
    assert found.source.derivation is not None
    assert found.source.derivation["source_sha256"]
    assert found.source.report is not None
    assert found.source.report["missing"]
    assert len(found.source.instances) == 7
    assert "2.25." not in text
    assert nib.load(tmp_path / "out" / "mask.nii.gz").shape[2] == 9


# The command line


@pytest.mark.parametrize("words", [["--split"], ["--largest-run"], ["--resample", "--step", "2"]])
def test_the_command_line_offers_the_same(
    capsys: pytest.CaptureFixture[str], session: Session, gappy: Path, tmp_path: Path,
    words: list[str],
) -> None:  # fmt: skip
    del session
    done = answer(capsys, "convert", gappy, tmp_path / "a.nii.gz", "--json", *words)
    assert all((tmp_path / one["file"]).exists() for one in done["volumes"])
    volume = ["--volume", "1"] if words == ["--split"] else []
    case = answer(capsys, "import", gappy, "--json", *words, *volume)["case"]
    assert case["state"] == "ready"


@pytest.mark.parametrize(
    "words", [["--split", "--resample"], ["--step", "2"], ["--nearest"], ["--split", "--step", "2"]]
)
def test_options_that_do_not_go_together_are_a_mistake_of_usage(
    capsys: pytest.CaptureFixture[str], gappy: Path, tmp_path: Path, words: list[str]
) -> None:
    assert main(["convert", str(gappy), str(tmp_path / "a.nii.gz"), *words]) == 2
    assert "--" in capsys.readouterr().err


def test_a_scan_is_one_table_and_what_is_wrong_below(
    capsys: pytest.CaptureFixture[str], session: Session, gappy: Path, folder: Path
) -> None:
    del session
    assert main(["scan", str(gappy)]) == 0
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0].split() == ["No", "Kind", "Grid", "Spacing", "mm", "Volumes", "Problems"]
    assert lines[1].split() == [
        "1", "CT", "7", "slices", "3-6", "x", "0.8", "x", "0.7", "1", "missing", "slice",
    ]  # fmt: skip
    assert lines[3] == "Series 1"
    assert lines[4].startswith("  missing-slice: 2 slices missing")
    assert "--resample" in lines[-1]
    assert main(["scan", str(folder)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["scan", "--report", str(gappy)]) == 0
    said = capsys.readouterr().out
    assert "spacing between slices: uneven, 4 of 3.00 mm, 2 of 6.00 mm" in said


def test_the_document_of_a_scan_follows_its_schema(
    capsys: pytest.CaptureFixture[str], session: Session, gappy: Path, folder: Path
) -> None:
    del session
    schema = scan_schema()
    for path in (gappy, folder, gappy.parent):
        document = answer(capsys, "scan", path, "--json")
        jsonschema.validate(document, schema)
        assert all(len(one["report"]) == one["volumes"] for one in document["series"])
    document["series"][0]["extra"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)


# Real series


@pytest.fixture(scope="module")
def uneven(shared_data: Path) -> Path:
    return shared_data / "ct-head-tilt-uneven"


def test_the_runs_of_a_real_tilted_series_hold_every_point(
    session: Session, uneven: Path, tmp_path: Path
) -> None:
    commands.convert(session, uneven / "dicom.zip", tmp_path / "ct.nii.gz", irregular="split")
    points = json.loads((uneven / "points.json").read_text())["points"]
    left = len(points)
    for name in ("ct-1.nii.gz", "ct-2.nii.gz"):
        image = nib.load(tmp_path / name)
        grid = Geometry.from_nifti(image.shape, image.affine)
        kji = grid.kji([point["lps"] for point in points])
        inside = (kji[:, 0] > -0.1) & (kji[:, 0] < grid.shape[0] - 0.9)
        mine = [point for point, yes in zip(points, inside, strict=True) if yes]
        k, j, i = np.rint(kji[inside]).astype(int).T
        voxels = np.asarray(image.dataobj).T
        assert voxels[k, j, i].tolist() == [point["value"] for point in mine]
        assert np.abs(kji[inside] - np.rint(kji[inside])).max() < 1e-2
        left -= len(mine)
    assert left == 0


def test_a_real_tilted_series_is_resampled_by_shifting_its_slices(
    session: Session, uneven: Path
) -> None:
    (series,) = commands.scan(session, uneven / "dicom.zip").series
    (found,) = series.volumes
    assert found.report is not None
    assert found.report.tilt_deg == pytest.approx(18.5, abs=0.05)
    made = formats.open_reader(formats.with_choice(series, Choice("resample")))
    grid = made.source.geometry
    assert grid.is_right_angled
    assert made.source.derivation is not None
    assert made.source.derivation.tilt_deg == found.report.tilt_deg
    run = formats.open_reader(formats.with_choice(series, Choice("split")), 0)
    own = run.source.geometry
    for n, plane in enumerate(run.read(0, own.shape[0])):  # the new planes begin with this run
        k, j, i = grid.kji(own.lps((n, 0, 0)))
        assert abs(k - n) < 0.01
        assert abs(i - round(i)) < 0.01
        (voxels,) = made.read(n, n + 1)
        rows = np.arange(grid.shape[1]) - j
        inside = (rows >= 0) & (rows <= len(plane) - 1)
        low = np.floor(rows[inside]).astype(int)
        share = (rows[inside] - low)[:, None]
        above = plane[np.minimum(low + 1, len(plane) - 1)]
        expected = plane[low] * (1 - share) + above * share
        assert np.abs(voxels[inside] - expected).max() < 1.5 + 0.01 * np.ptp(plane) * 0.1


def test_a_real_series_with_a_gap_keeps_every_point_when_it_is_resampled(
    session: Session, shared_data: Path, tmp_path: Path
) -> None:
    item = shared_data / "dicom2nifti-problems"
    commands.convert(
        session, item / "failing/sliceincrement/001", tmp_path / "a.nii.gz", irregular="resample"
    )
    image = nib.load(tmp_path / "a.nii.gz")
    points = json.loads((item / "points_failing_sliceincrement_001.json").read_text())["points"]
    grid = Geometry.from_nifti(image.shape, image.affine)
    kji = grid.kji([point["lps"] for point in points])
    assert np.abs(kji - np.rint(kji)).max() < 1e-2
    k, j, i = np.rint(kji).astype(int).T
    assert np.asarray(image.dataobj).T[k, j, i].tolist() == [point["value"] for point in points]


def test_masks_on_a_resampled_real_series_go_back_onto_its_slices(
    session: Session, uneven: Path
) -> None:
    (series,) = commands.scan(session, uneven / "dicom.zip").series
    made = formats.open_reader(formats.with_choice(series, Choice("resample")))
    bone = made.read(0, made.source.geometry.shape[0]) > 300
    runs = formats.with_choice(series, Choice("split"))
    parts = formats.onto_source(bone, made.source)
    assert len(parts) == len(runs.volumes)
    for n, (geometry, labels) in enumerate(parts):
        reader = formats.open_reader(runs, n)
        assert geometry.difference_mm(reader.source.geometry) < 1e-3
        own = reader.read(0, labels.shape[0]) > 300
        assert 2 * (labels & own).sum() / (labels.sum() + own.sum()) > (0.95, 0.8)[n]


# Masks back onto the slices


def drawn(session: Session, source: Path, choice: Choice) -> str:
    """The id of a case with one label over its lower half, resampled or not."""
    info = commands.import_series(session, source, choice=choice)
    case = commands.open_case(session, info.id)
    case.loading.wait()
    commands.set_label(session, case, Label(1, "Liver", "#aa0000"))
    box = np.ones((6, 40, 24), np.bool_)
    commands.paint(session, case, Edit.fill(case.segmentation.labels, (0, 0, 0), box, 1))
    commands.close_case(session, case)
    return info.id


def test_a_mask_of_a_resampled_volume_is_exported_onto_its_sources_slices(
    session: Session, gappy: Path, tmp_path: Path
) -> None:
    case = drawn(session, gappy, Choice("resample"))
    out = tmp_path / "out"
    done = commands.export_case(session, case, out, name="mask", onto="source")
    assert all(check.ok for check in done.checks)
    commands.convert(session, gappy, tmp_path / "ct.nii.gz", irregular="split")
    depths = []
    for n, expected in ((1, 5), (2, 0)):
        image, own = (nib.load(p / f"{s}-{n}.nii.gz") for p, s in ((out, "mask"), (tmp_path, "ct")))
        assert image.shape == own.shape
        np.testing.assert_allclose(image.affine, own.affine, atol=1e-4)
        labels = np.asarray(image.dataobj).T
        assert labels[:, :, :24].any(axis=(1, 2)).sum() == expected
        assert not labels[:, :, 24:].any()
        depths.append(labels.shape[0])
        document = json.loads((out / f"mask-{n}.provenance.json").read_text())
        jsonschema.validate(document, provenance_schema())
        assert document["onto"] == "source"
        assert document["source"]["derivation"]["kind"] == "resampled"
    assert depths == [5, 2]


def test_the_command_line_exports_onto_the_source(
    capsys: pytest.CaptureFixture[str], session: Session, folder: Path, gappy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    case = drawn(session, gappy, Choice("resample"))
    session.close()
    files = answer(capsys, "export", case, out, "--name", "a", "--onto", "source", "--json")
    assert [one["file"] for one in files["files"]][:1] == ["a-1.nii.gz"]
    assert len(files["files"]) == 6
    capsys.readouterr()
    assert main(["export", case, str(out), "--name", "a", "--onto", "source"]) == 1
    assert "exists already" in capsys.readouterr().err
    plain = drawn(session, folder, Choice())
    session.close()
    files = answer(capsys, "export", plain, out, "--name", "b", "--onto", "source", "--json")
    assert [one["file"] for one in files["files"]][:1] == ["b.nii.gz"]


def test_a_dicom_segmentation_onto_the_source_refers_to_its_slices(
    session: Session, gappy: Path, tmp_path: Path
) -> None:
    case = drawn(session, gappy, Choice("resample"))
    out = tmp_path / "out"
    commands.export_case(session, case, out, name="m", formats=("dicom-seg",), onto="source")
    back = medlabel.read(out / "m-1.seg.dcm")
    assert back.shape[0] == 5
    assert np.asarray(back.levels[0])[:, :, :24].all()


# Reading into memory


def test_reading_splits_series_with_gaps_and_counts_the_runs(gappy: Path, hu: np.ndarray) -> None:
    with pytest.raises(GeometryError, match="missing"):
        medlabel.read(gappy)
    with pytest.raises(InputError, match="2 volumes: 1 run 1, 2 run 2"):
        medlabel.read(gappy, irregular="split")
    first, second = (medlabel.read(gappy, irregular="split", volume=n) for n in (1, 2))
    np.testing.assert_array_equal(first.levels[0], hu[:5])
    np.testing.assert_array_equal(second.levels[0], hu[[6, 8]])
    assert (first.name, second.name) == ("run 1", "run 2")
    longest = medlabel.read(gappy, irregular="largest-run")
    np.testing.assert_array_equal(longest.levels[0], hu[:5])
    assert [problem.code for problem in longest.problems] == ["left-out-slices"]


@pytest.mark.parametrize("nearest", [False, True])
def test_reading_resamples_as_converting_does(
    session: Session, gappy: Path, tmp_path: Path, *, nearest: bool
) -> None:
    how = {"irregular": "resample", "step_mm": 2.0, "nearest": nearest}
    commands.convert(session, gappy, tmp_path / "a.nii.gz", **how)
    written, straight = medlabel.read(tmp_path / "a.nii.gz"), medlabel.read(gappy, **how)
    np.testing.assert_array_equal(straight.levels[0], written.levels[0])
    assert straight.geometry.same_grid(written.geometry)
    assert straight.source.derivation is not None
    assert straight.source.derivation.method == ("nearest" if nearest else "linear")


def test_a_choice_leaves_a_regular_volume_as_it_is(folder: Path, hu: np.ndarray) -> None:
    for irregular in ("split", "largest-run", "resample"):
        whole = medlabel.read(folder, irregular=irregular)
        np.testing.assert_array_equal(whole.levels[0], hu)
        assert whole.source.derivation is None


def test_an_ome_zarr_is_resampled_to_another_step(
    session: Session, folder: Path, tmp_path: Path, hu: np.ndarray
) -> None:
    commands.convert(session, folder, tmp_path / "a.ome.zarr")
    plain = medlabel.read(tmp_path / "a.ome.zarr", irregular="resample")
    np.testing.assert_array_equal(plain.levels[0], hu)
    finer = medlabel.read(tmp_path / "a.ome.zarr", irregular="resample", step_mm=1.5)
    np.testing.assert_array_equal(finer.levels[0][::2], hu)
    assert finer.shape[0] == 2 * len(hu) - 1
