"""The tables as data: whole, of the codes that the standard has, and as the documentation says."""

import subprocess
import sys
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_has_tag, dictionary_VR

from napari_medlabel.errors import InputError
from napari_medlabel.privacy import table
from napari_medlabel.privacy.decisions import decider
from napari_medlabel.privacy.profile import Profile, load_profile

CODES = {"X", "Z", "D", "U", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"}
ROOT = Path(__file__).parents[2]
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def test_the_table_has_every_row_of_its_edition() -> None:
    rows = table.rows()
    assert len(rows) == 652  # and three repeating groups, and private attributes
    assert {row.basic for row in rows.values()} == CODES
    assert {code for row in rows.values() for code in row.options.values()} == {"K", "C"}
    assert {row.letter for row in rows.values()} <= set("ABCDEFGHIJKLMNOPQR")


def test_nothing_is_kept_that_the_table_removes_or_that_names_people_or_times() -> None:
    kept = table.kept_tags()
    assert kept.isdisjoint(table.rows())
    assert all(dictionary_has_tag(tag) for tag in kept)
    vrs = {vr for tag in kept for vr in dictionary_VR(tag).split(" or ")}
    assert vrs.isdisjoint({"AE", "DA", "DT", "PN", "TM", "UN", "UR"})


def test_safe_private_attributes_have_odd_groups() -> None:
    found = table.safe_private()
    assert len(found) == 479
    assert all(group & 1 for _, group, _ in found)


def test_the_page_of_the_table_is_what_the_program_does() -> None:
    generate = "import generate_privacy; print(generate_privacy.page(), end='')"
    docs = ROOT / "docs"
    run = subprocess.run(
        [sys.executable, "-c", generate], capture_output=True, text=True, check=False, cwd=docs
    )
    assert run.returncode == 0, run.stderr
    written = (docs / "privacy-table.md").read_text(encoding="utf-8")
    assert written == run.stdout, "docs/privacy-table.md is not current: run ./dev docs"


@pytest.mark.parametrize(
    ("keyword", "sop_class", "nested", "action"),
    [
        ("PatientBirthDate", CT, False, "Z"),
        ("InstitutionName", CT, False, "X"),  # X/Z/D, of type 3
        ("DeviceSerialNumber", CT, False, "X"),
        ("DeviceSerialNumber", ENHANCED_CT, False, "D"),  # of type 1
        ("ContentDate", CT, False, "Z"),  # Z/D, of type 2C
        ("ContentDate", ENHANCED_CT, False, "D"),
        ("DeviceSerialNumber", CT, True, "D"),  # nothing is known of the type: D before Z before X
        ("DeviceSerialNumber", "1.2.3", False, "D"),
        ("ReferencedImageSequence", CT, False, "S"),
        ("PixelSpacing", CT, False, "V"),
        ("PatientComments", CT, False, "X"),
        ("RetrieveURL", CT, False, "X"),  # in no table
    ],
)
def test_a_choice_of_actions_is_settled_by_the_attributes_type(
    keyword: str, sop_class: str, nested: bool, action: str  # noqa: FBT001
) -> None:  # fmt: skip
    decide = decider(Profile(), sop_class, nested=nested)
    assert decide(table.tag_of(keyword)).action == action


def test_basic_is_the_profile_without_options() -> None:
    assert load_profile("basic") == Profile()
    assert load_profile("basic").options == ()


def test_a_profile_is_read_from_its_own_document(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        'name = "trial"\ndates = "year"\npatient = true\nage_band = 5\n'
        'also = ["secondary-capture"]\n'
        '[keep_last]\nAccessionNumber = 2\n[elements]\n00181030 = "C"\n'
    )
    profile = load_profile(path)
    assert profile.options == ("patient", "modified_dates")
    assert profile.elements == {0x00181030: "C"}
    assert Profile.from_document(profile.document()) == profile


@pytest.mark.parametrize(
    "text",
    [
        "dates = 'sometimes'", "patient = 1", "[elements]\nNoSuchThing = 'X'", "nonsense = true",
        "[elements]\nStudyID = 'Q'", "age_band = -1", "also = ['everything']", "also = 3",
        "[keep_last]\nStudyID = 99", "format = 2", "not toml", "name = 3", "elements = 3",
    ],
)  # fmt: skip
def test_a_profile_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p.toml"
    path.write_text(text)
    with pytest.raises(InputError):
        load_profile(path)
