"""Schemas through the commands: loaded into a case that has work in it, saved, numbered."""

import json
from pathlib import Path

import numpy as np
import pytest

from napari_medlabel import commands
from napari_medlabel.core.schema import Label
from napari_medlabel.errors import InputError, Locked, OutputError
from napari_medlabel.session import OpenCase, Session


@pytest.fixture
def case(session: Session, folder: Path) -> OpenCase:
    (series,) = commands.scan(session, folder).series
    case = commands.open_series(session, series, found_at=folder)
    commands.set_label(session, case, Label(1, "Liver", "#FF8000"))
    commands.threshold(
        session, case, 1, box=(slice(2, 5), slice(4, 14), slice(6, 26)), lower=-2000.0
    )
    return case


def test_a_template_is_loaded_over_work_as_one_step(session: Session, case: OpenCase) -> None:
    drawn = case.segmentation.labels.copy()
    steps = len(case.segmentation.history)
    content = commands.load_schema(session, case, "abdominal-organs")
    (liver,) = (label for label in content.schema if label.name == "Liver")
    np.testing.assert_array_equal(case.segmentation.labels, np.where(drawn == 1, liver.value, 0))
    assert case.segmentation.schema[liver.value].code == liver.code
    assert len(case.segmentation.history) == steps + 1
    assert commands.case_protocol(session, case) == content.protocol
    commands.undo(session, case)
    np.testing.assert_array_equal(case.segmentation.labels, drawn)
    assert [label.name for label in case.segmentation.schema] == ["Liver"]
    assert commands.case_protocol(session, case) == ""


def test_a_locked_segment_is_not_renumbered(session: Session, case: OpenCase) -> None:
    commands.lock_label(session, case, 1)
    drawn = case.segmentation.labels.copy()
    with pytest.raises(Locked):
        commands.load_schema(session, case, "abdominal-organs")
    np.testing.assert_array_equal(case.segmentation.labels, drawn)


def test_a_saved_schema_is_loaded_again_with_its_protocol(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    commands.save_schema(session, case, tmp_path / "s.labels.json", protocol="Draw it whole.")
    with pytest.raises(OutputError):
        commands.save_schema(session, case, tmp_path / "s.labels.json")
    commands.set_label(session, case, Label(1, "Liver", "#000000"))
    content = commands.load_schema(session, case, tmp_path / "s.labels.json")
    assert content.schema == case.segmentation.schema
    assert commands.case_protocol(session, case) == "Draw it whole."
    commands.save_schema(session, case, tmp_path / "again.labels.json")
    again = json.loads((tmp_path / "again.labels.json").read_text(encoding="utf-8"))
    assert again["protocol"] == "Draw it whole."


def test_a_protocol_may_lie_beside_its_schema(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    labels = [{"value": 1, "name": "Liver", "color": "#000000"}]
    (tmp_path / "a.labels.json").write_text(json.dumps({"labels": labels}), encoding="utf-8")
    (tmp_path / "a.protocol.md").write_text("# How", encoding="utf-8")
    assert commands.load_schema(session, case, tmp_path / "a.labels.json").protocol == "# How"


def test_what_cannot_be_loaded_changes_nothing(
    session: Session, case: OpenCase, tmp_path: Path
) -> None:
    other = [{"value": 1, "name": "Kidney", "color": "#000000"}]
    (tmp_path / "k.labels.json").write_text(json.dumps({"labels": other}), encoding="utf-8")
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe{")
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    steps = case.segmentation.history
    for source in (
        "no-such",
        *(tmp_path / n for n in ("k.labels.json", "bad.json", "deep.json", "0")),
    ):
        with pytest.raises(InputError):
            commands.load_schema(session, case, source)
    assert case.segmentation.history == steps


def test_lesions_are_numbered_as_they_are_added(session: Session, case: OpenCase) -> None:
    commands.relabel_segments(session, case, {1: 0})
    commands.delete_label(session, case, 1)
    commands.load_schema(session, case, "lesions")
    (first,) = case.segmentation.schema
    assert (first.name, first.value) == ("Lesion 1", 1)
    assert commands.add_instance(session, case, 1).name == "Lesion 2"
    assert [label.name for label in case.segmentation.schema] == ["Lesion 1", "Lesion 2"]
