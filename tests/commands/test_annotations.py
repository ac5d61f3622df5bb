"""Measurements through the commands and the command line: kept, undone, exported, read back."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pytest

from napari_medlabel import commands, export
from napari_medlabel.cli import main
from napari_medlabel.core.annotation import (
    Angle,
    Annotation,
    Box2d,
    Cuboid,
    Distance,
    EllipseRoi,
    Keypoint,
    Keypoints,
    OrientedBox,
    Polygon,
    RectangleRoi,
)
from napari_medlabel.core.annotation_inside import inside
from napari_medlabel.core.annotation_set import AnnotationSet
from napari_medlabel.core.derivation import Choice
from napari_medlabel.core.edit import Edit
from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.plane import Plane
from napari_medlabel.core.schema import Code, Label
from napari_medlabel.documents import annotations_schema, provenance_schema
from napari_medlabel.errors import InputError, IntegrityError, OutputError, ReadOnly
from napari_medlabel.session import OpenCase, Session

LIVER = Label(1, "Liver", "#FF8000")
LINE = Annotation("line", Distance((2.0, 5.0, 5.0), (2.0, 15.0, 25.0)), "Longest axis")
ROI = Annotation(
    "roi", EllipseRoi(Plane(1, 20), (1.0, 8.0), (7.0, 30.0)), "Contrast", "#33FFCC", 1,
    Code("10200004", "SCT", "Liver"),
)  # fmt: skip
KEYPOINTS = Keypoints(
    (Keypoint("Femoral head", (3.0, 4.0, 5.0)), Keypoint("Knee", (7.0, 9.0, 9.0), visible=False)),
    ((0, 1),),
)
EVERY_KIND = (
    LINE,
    ROI,
    Annotation("angle", Angle((2.0, 5.0, 5.0), (2.0, 9.0, 9.0), (4.0, 9.0, 20.0)), "Cobb"),
    Annotation("rect", RectangleRoi(Plane(0, 3), (2.0, 3.0), (9.0, 11.0)), "Fat"),
    Annotation("box", Box2d(Plane(2, 40), (1.0, 3.0), (5.0, 11.0)), "Nodule"),
    Annotation("turned", OrientedBox(Plane(0, 3), (20.0, 20.0), (9.0, 4.0), 30.0), "Stent"),
    Annotation("poly", Polygon(Plane(0, 3), ((2.0, 2.0), (2.0, 30.0), (30.0, 9.0))), "Bowel"),
    Annotation("cuboid", Cuboid((1.5, 2.5, 3.5), (5.5, 20.5, 30.5)), "Tumour"),
    Annotation("points", KEYPOINTS, "Leg"),
)


@pytest.fixture
def case(session: Session, folder: Path) -> Iterator[OpenCase]:
    (series,) = commands.scan(session, folder).series
    opened = commands.open_series(session, series, found_at=folder)
    opened.loading.wait()
    commands.set_label(session, opened, LIVER)
    yield opened
    commands.close_case(session, opened)


def add_all(session: Session, case: OpenCase) -> None:
    for annotation in EVERY_KIND:
        commands.add_annotation(session, case, annotation)


def again(session: Session, case: OpenCase) -> OpenCase:
    commands.close_case(session, case)
    return commands.open_case(session, case.info.id)


def test_annotations_are_added_changed_removed_and_each_is_one_step(
    session: Session, case: OpenCase
) -> None:
    add_all(session, case)
    moved = LINE.with_shape(Distance((2.0, 5.0, 5.0), (2.0, 16.0, 25.0)))
    commands.change_annotation(session, case, moved)
    commands.remove_annotation(session, case, "angle")
    assert case.segmentation.annotations["line"] == moved
    assert case.segmentation.annotations.get("angle") is None
    steps = [case.segmentation.step(number) for number in case.segmentation.history]
    assert [step.tool for step in steps[1:]] == [
        "Add distance", "Add ellipse", "Add angle", "Add rectangle", "Add box",
        "Add oriented box", "Add polygon", "Add cuboid", "Add keypoints", "Change distance",
        "Remove angle",
    ]  # fmt: skip
    commands.undo(session, case)
    commands.undo(session, case)
    assert case.segmentation.annotations.annotations == EVERY_KIND
    commands.redo(session, case)
    assert case.segmentation.annotations["line"] == moved


def test_annotations_are_there_when_the_case_is_opened_again(
    session: Session, case: OpenCase
) -> None:
    add_all(session, case)
    opened = again(session, case)
    assert opened.segmentation.annotations.annotations == EVERY_KIND
    commands.undo(session, opened)
    assert opened.segmentation.annotations.annotations == EVERY_KIND[:-1]
    commands.close_case(session, opened)


def test_what_is_there_already_or_is_not_there_is_said(session: Session, case: OpenCase) -> None:
    commands.add_annotation(session, case, LINE)
    with pytest.raises(InputError, match="already"):
        commands.add_annotation(session, case, LINE)
    with pytest.raises(InputError, match="no annotation"):
        commands.change_annotation(session, case, ROI)
    with pytest.raises(InputError, match="no annotation"):
        commands.remove_annotation(session, case, "roi")
    far = Annotation("far", Distance((0.0, 0.0, 0.0), (0.0, 0.0, 900.0)), "Far")
    with pytest.raises(InputError, match="far outside"):
        commands.add_annotation(session, case, far)
    assert case.segmentation.annotations.annotations == (LINE,)


def test_a_second_window_may_look_and_not_change(session: Session, case: OpenCase) -> None:
    commands.add_annotation(session, case, LINE)
    case.segmentation.settle()
    second = commands.open_case(session, case.info.id)
    assert second.segmentation.annotations.annotations == (LINE,)
    with pytest.raises(ReadOnly):
        commands.add_annotation(session, second, ROI)
    commands.close_case(session, second)


# Documents


def test_the_document_says_what_was_measured_on_the_image(
    session: Session, case: OpenCase, hu: np.ndarray, grid: Geometry
) -> None:
    add_all(session, case)
    document = commands.annotations(session, case)
    jsonschema.Draft202012Validator(annotations_schema()).validate(document)
    found = {entry["id"]: entry for entry in document["annotations"]}
    step = grid.lps((2.0, 15.0, 25.0)) - grid.lps((2.0, 5.0, 5.0))
    assert found["line"]["measure"]["length_mm"] == pytest.approx(np.linalg.norm(step), abs=1e-4)
    box, mask = inside(ROI.shape, grid)
    values = found["roi"]["measure"]["values"]
    assert values["voxels"] == mask.sum()
    assert values["mean"] == pytest.approx(hu[box][mask].mean(), abs=1e-4)
    assert values["sd"] == pytest.approx(hu[box][mask].std(), abs=1e-4)
    assert found["roi"]["segment"] == {"value": 1, "name": "Liver"}
    assert found["roi"]["words"].endswith(" cm²")
    assert "HU" in found["roi"]["words"]
    assert document["unit"] == "HU"


def test_an_export_has_the_annotations_verified_and_in_the_checksums(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    add_all(session, case)
    done = commands.export_case(session, case, tmp_path / "out", name="mask")
    path = tmp_path / "out" / "mask.annotations.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(annotations_schema()).validate(document)
    assert document == commands.annotations(session, case)
    checks = {check.name: check for check in done.checks}
    read_back = checks["mask.annotations.json: reads back in its places"]
    assert (read_back.ok, read_back.detail) == (True, "9 annotations")
    sums = (tmp_path / "out" / "mask.sha256").read_text(encoding="utf-8")
    assert f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" in sums
    # The indices are those of the mask beside it: checked by another library.
    mask = nib.load(tmp_path / "out" / "mask.nii.gz")
    for entry in document["annotations"]:
        for point in entry["points"]:
            ras = mask.affine @ [*point["kji"][::-1], 1.0]
            np.testing.assert_allclose(ras[:3] * (-1, -1, 1), point["lps"], atol=1e-3)
    provenance = json.loads((tmp_path / "out" / "mask.provenance.json").read_text("utf-8"))
    jsonschema.Draft202012Validator(provenance_schema()).validate(provenance)
    kinds = [(step["kind"], step["tool"]) for step in provenance["steps"]]
    assert ("annotation", "Add distance") in kinds


def test_an_export_without_annotations_has_no_file_of_them(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.export_case(session, case, tmp_path / "out", name="mask")
    assert not (tmp_path / "out" / "mask.annotations.json").exists()


def test_annotations_of_an_earlier_export_do_not_stay_beside_a_new_mask(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.add_annotation(session, case, LINE)
    commands.export_case(session, case, tmp_path / "out", name="mask")
    commands.remove_annotation(session, case, "line")
    with pytest.raises(OutputError):
        commands.export_case(session, case, tmp_path / "out", name="mask")
    commands.export_case(session, case, tmp_path / "out", name="mask", force=True)
    left = json.loads((tmp_path / "out" / "mask.annotations.json").read_text(encoding="utf-8"))
    assert left["annotations"] == []


def test_an_export_whose_annotations_do_not_read_back_leaves_nothing(
    session: Session, case: OpenCase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands.add_annotation(session, case, LINE)
    real = json.dumps

    def hurt(document: dict, **options: object) -> str:
        text = real(document, **options)
        return text.replace("Longest", "Shortest") if "indent" in options else text

    monkeypatch.setattr(export.json, "dumps", hurt)
    with pytest.raises(IntegrityError, match="annotations"):
        commands.export_case(session, case, tmp_path / "out", name="mask")
    monkeypatch.undo()
    assert list((tmp_path / "out").iterdir()) == []


def test_exported_annotations_come_in_again_as_one_step(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    add_all(session, case)
    path = tmp_path / "a.annotations.json"
    assert commands.export_annotations(session, case, path) == 9
    with pytest.raises(OutputError):
        commands.export_annotations(session, case, path)
    case.segmentation.set_annotations(AnnotationSet(), tool="Remove all")
    assert commands.import_annotations(session, case, path) == 9
    assert [one.id for one in case.segmentation.annotations] == [one.id for one in EVERY_KIND]
    assert case.segmentation.annotations["roi"].code == ROI.code
    commands.undo(session, case)
    assert len(case.segmentation.annotations) == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99}'])
def test_a_file_that_holds_no_annotations_is_refused(
    session: Session, case: OpenCase, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        commands.import_annotations(session, case, path)
    with pytest.raises(InputError, match="cannot be read"):
        commands.import_annotations(session, case, tmp_path / "none.json")


# Versions


def test_a_version_keeps_its_annotations_and_brings_them_back(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.add_annotation(session, case, LINE)
    first = commands.save_version(session, case)
    assert commands.save_version(session, case).number == first.number
    commands.add_annotation(session, case, ROI)
    assert commands.save_version(session, case).number == first.number + 1
    where = np.ones((2, 3, 4), bool)
    commands.paint(session, case, Edit.fill(case.segmentation.labels, (1, 2, 3), where, 1))
    commands.restore(session, case, first.number)
    assert case.segmentation.annotations.annotations == (LINE,)
    assert case.segmentation.voxels(1) == 0
    commands.undo(session, case)
    assert case.segmentation.annotations.annotations == (LINE, ROI)
    assert case.segmentation.voxels(1) == 24
    commands.export_case(session, case, tmp_path, name="old", version=first.number)
    document = json.loads((tmp_path / "old.annotations.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in document["annotations"]] == ["line"]


def test_annotations_of_a_version_are_sealed_and_their_loss_is_found(
    session: Session, case: OpenCase
) -> None:
    commands.add_annotation(session, case, LINE)
    number = commands.save_version(session, case).number
    path = session.workspace.version_path(case.segmentation_id, number)
    sealed = path.with_name(f"{number}.annotations")
    content = sealed.read_bytes()
    assert b"Longest" not in content
    for damaged in (content[:-1], content[:40] + b"?" + content[41:], None):
        if damaged is None:
            sealed.unlink()
        else:
            sealed.write_bytes(damaged)
        with pytest.raises(IntegrityError):
            commands.restore(session, case, number)
    assert commands.save_version(session, case).number == number + 1  # the old one is not whole
    commands.restore(session, case, number + 1)


# The command line


def test_the_command_line_lists_annotations_and_what_they_measure(
    session: Session, case: OpenCase, capsys: pytest.CaptureFixture[str]
) -> None:
    name = case.info.name
    commands.close_case(session, case)
    assert main(["annotations", name]) == 0
    assert "nothing to list" in capsys.readouterr().out
    opened = commands.open_case(session, name)
    add_all(session, opened)
    commands.close_case(session, opened)
    assert main(["annotations", name]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) == 10
    assert rows[1].split()[:3] == ["Longest", "axis", "Distance"]
    assert "coronal 20" in rows[2]
    assert "±" in rows[2]
    assert main(["annotations", name, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(annotations_schema()).validate(document)
    assert len(document["annotations"]) == 9


# Real images


@pytest.mark.parametrize(
    ("item", "points"),
    [
        ("dicom2nifti-problems/failing/gantrytilting/001",
         "dicom2nifti-problems/points_failing_gantrytilting_001.json"),
        ("lesion-ct-lung/dicom", "lesion-ct-lung/points.json"),
    ],
)  # fmt: skip
def test_measures_on_real_series_are_those_of_their_reference_points(
    session: Session, shared_data: Path, tmp_path: Path, item: str, points: str
) -> None:
    """Of a tilted series, whose voxels are sheared, and of a straight one."""
    known = json.loads((shared_data / points).read_text(encoding="utf-8"))["points"][:20]
    info = commands.import_series(session, shared_data / item)
    case = commands.open_case(session, info.id)
    geometry = case.segmentation.geometry
    voxels = [tuple(round(n) for n in geometry.kji(one["lps"])) for one in known]
    for n, (k, j, i) in enumerate(voxels):
        around = RectangleRoi(Plane(0, k), (j - 0.4, i - 0.4), (j + 0.4, i + 0.4))
        commands.add_annotation(session, case, Annotation(f"value-{n}", around, f"Value {n}"))
        line = Distance(tuple(map(float, voxels[0])), (float(k), float(j), float(i)))
        commands.add_annotation(session, case, Annotation(f"line-{n}", line, f"Line {n}"))
    commands.export_case(session, case, tmp_path, name="a")
    commands.close_case(session, case)
    document = json.loads((tmp_path / "a.annotations.json").read_text(encoding="utf-8"))
    found = {entry["id"]: entry for entry in document["annotations"]}
    for n, one in enumerate(known):
        assert found[f"value-{n}"]["measure"]["values"]["mean"] == pytest.approx(one["value"])
        line = found[f"line-{n}"]
        np.testing.assert_allclose(line["points"][1]["lps"], one["lps"], atol=0.01)
        gap = np.linalg.norm(np.subtract(one["lps"], known[0]["lps"]))
        assert line["measure"]["length_mm"] == pytest.approx(gap, abs=0.02)


# Onto the slices of a resampled series


def test_annotations_go_with_the_mask_onto_the_slices_of_a_resampled_series(
    session: Session, folder: Path, tmp_path: Path
) -> None:
    for n, path in enumerate(sorted(folder.rglob("*.dcm"))):
        if n in {5, 7}:
            path.unlink()
    info = commands.import_series(session, folder, choice=Choice("resample"))
    case = commands.open_case(session, info.id)
    add_all(session, case)
    commands.export_case(session, case, tmp_path / "out", name="a", onto="source")
    geometry = case.segmentation.geometry
    for n in (1, 2):
        document = json.loads((tmp_path / "out" / f"a-{n}.annotations.json").read_text("utf-8"))
        mask = nib.load(tmp_path / "out" / f"a-{n}.nii.gz")
        assert document["space"]["shape"] == list(mask.shape[::-1])
        found = {entry["id"]: entry for entry in document["annotations"]}
        assert len(found) == 9
        for place, end in zip(found["line"]["points"], ("start", "end"), strict=True):
            lps = geometry.lps(getattr(LINE.shape, end))
            np.testing.assert_allclose(place["lps"], lps, atol=1e-4)
            ras = mask.affine @ [*place["kji"][::-1], 1.0]
            np.testing.assert_allclose(ras[:3] * (-1, -1, 1), lps, atol=1e-3)
    commands.close_case(session, case)


def test_an_annotation_goes_with_its_segment_wherever_that_goes(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    seg = case.segmentation
    box = (slice(2, 4), slice(4, 14), slice(6, 26))
    for value in (LIVER.value + 1, LIVER.value + 2):
        commands.set_label(session, case, Label(value, f"S{value}", "#123456"))
    commands.threshold(session, case, LIVER.value, box=box, lower=-2000.0)
    commands.add_annotation(session, case, replace(LINE, segment=LIVER.value))
    commands.add_annotation(session, case, replace(ROI, segment=LIVER.value + 2))
    commands.export_annotations(session, case, tmp_path / "a.json")
    commands.merge_segments(session, case, LIVER.value, LIVER.value + 1)
    assert seg.annotations["line"].segment == LIVER.value + 1
    commands.delete_label(session, case, LIVER.value + 2)
    assert seg.annotations["roi"].segment == 0
    commands.undo(session, case)
    assert seg.annotations["roi"].segment == LIVER.value + 2
    new = {"labels": [{"value": 77, "name": f"S{LIVER.value + 1}", "color": "#000000"}]}
    (tmp_path / "n.labels.json").write_text(json.dumps(new), encoding="utf-8")
    commands.load_schema(session, case, tmp_path / "n.labels.json")
    assert seg.annotations["line"].segment == 77
    commands.import_annotations(session, case, tmp_path / "a.json")  # no Liver any more
    assert seg.annotations["line"].segment == 0
    assert seg.annotations["roi"].segment == LIVER.value + 2
