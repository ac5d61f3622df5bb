"""Headers de-identified: what goes, what stays, what stands for what, and that twice is once."""

import hashlib
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

import napari_medlabel as medlabel
from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.one_file import FileDone, LeftOut, deidentify_file
from napari_medlabel.privacy.profile import Profile, load_profile
from napari_medlabel.privacy.pseudonyms import Identity, Pseudonyms
from napari_medlabel.privacy.uids import Uids, is_uid
from tests.formats.made_dicom import save, save_all, stack, uid
from tests.privacy.made_headers import SECRETS, patient, plain, reread, write
from tests.privacy.seeding import NEEDLES, seeded

KEY = bytes(range(32))
SYNTAXES = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)  # fmt: skip


def done(path: Path, out: Path, profile: Profile | None = None, key: bytes = KEY) -> FileDone:
    """The file de-identified below `out`."""
    out.mkdir(exist_ok=True)
    what = Headers(profile or load_profile("basic"), Pseudonyms(key))
    answer = deidentify_file(Place(str(path)), out, what)
    assert isinstance(answer, FileDone), answer
    return answer


def cleaned(tmp_path: Path, dataset: Dataset, profile: Profile | None = None) -> Dataset:
    """The data set after it was written, de-identified and read."""
    answer = done(write(tmp_path / "old", dataset), tmp_path / "new", profile)
    return reread((tmp_path / "new" / answer.file).read_bytes())


def traces(data: bytes) -> list[str]:
    """The secrets that are left, in whatever case, in one byte or two for a letter."""
    small = data.lower()
    forms = {word: (word.encode(), word.encode("utf-16-le")) for word in SECRETS}
    return [word for word, both in forms.items() if any(form in small for form in both)]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_nothing_of_the_patient_is_left_in_any_transfer_syntax(tmp_path: Path, syntax: str) -> None:
    answer = done(write(tmp_path / "old", patient(), syntax), tmp_path / "new")
    assert traces((tmp_path / "new" / answer.file).read_bytes()) == []
    assert traces(answer.file.encode()) == []


def test_every_option_at_once_leaves_nothing_of_the_patient(tmp_path: Path) -> None:
    everything = Profile(
        dates="shifted", device=True, patient=True, descriptors=True, structured=True,
        graphics=True, safe_private=True,
    )  # fmt: skip
    answer = done(write(tmp_path / "old", patient()), tmp_path / "new", everything)
    assert traces((tmp_path / "new" / answer.file).read_bytes()) == []


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Müller^Åse"),
        ("ISO_IR 100", "Müller^Åse"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_in_every_character_set_are_gone(tmp_path: Path, charset: object, name: str) -> None:
    old = plain(SpecificCharacterSet=charset)
    old.PatientName, old.SeriesDescription = name, f"Thorax {name.partition('^')[0]}"
    path = write(tmp_path / "old", old)
    raw = reread(path.read_bytes()).get_item("PatientName").value
    answer = done(path, tmp_path / "new", Profile(descriptors=True))
    data = (tmp_path / "new" / answer.file).read_bytes()
    pieces = [piece for piece in raw.split(b"=") if piece]
    forms = [part.encode() for part in name.replace("=", "^").split("^") if len(part) > 1]
    assert [one for one in [*pieces, *forms] if one.lower() in data.lower()] == []
    assert reread(data).SeriesDescription == "Thorax"


def test_a_character_set_that_is_wrongly_declared_hides_nothing(tmp_path: Path) -> None:
    old = plain(PatientName="Zwiebelt\xfcrm^Leonore", SpecificCharacterSet="ISO_IR 100")
    path = write(tmp_path / "old", old)
    path.write_bytes(path.read_bytes().replace(b"ISO_IR 100", b"ISO_IR 192"))
    answer = done(path, tmp_path / "new", Profile(descriptors=True))
    assert b"zwiebelt" not in (tmp_path / "new" / answer.file).read_bytes().lower()


def test_a_file_that_is_no_dicom_is_left_out_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("Zwiebelturm, Leonore: call back")
    what = Headers(load_profile("basic"), Pseudonyms(KEY))
    answer = deidentify_file(Place(str(path)), tmp_path, what)
    assert isinstance(answer, LeftOut)
    assert traces(answer.why.encode()) == []


def test_a_name_in_the_place_of_a_transfer_syntax_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "old", plain())
    data = path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.Zwiebelturm.9.1\0", 1)
    path.write_bytes(data)
    what = Headers(load_profile("basic"), Pseudonyms(KEY))
    answer = deidentify_file(Place(str(path)), tmp_path, what)
    assert isinstance(answer, LeftOut)
    assert traces(answer.why.encode()) == []


def test_a_name_in_the_place_of_a_sop_class_is_replaced(tmp_path: Path) -> None:
    path = write(tmp_path / "old", plain())
    old, new = b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.Zwiebelturm.Leonore.1\0"
    path.write_bytes(path.read_bytes().replace(old, new))
    answer = done(path, tmp_path / "new", Profile(also=frozenset({"unknown"})))
    assert traces((tmp_path / "new" / answer.file).read_bytes()) == []


@settings(max_examples=60)
@given(st.integers(132, 2000), st.binary(min_size=1, max_size=4), st.booleans())
def test_a_damaged_file_is_left_out_or_holds_nothing_of_the_patient(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes, cut: bool  # noqa: FBT001
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("damaged")
    path = write(folder / "old", plain())
    data = bytearray(path.read_bytes())
    data[at : at + len(junk)] = junk
    path.write_bytes(bytes(data[:at] if cut else data))
    what = Headers(Profile(dates="shifted", descriptors=True), Pseudonyms(KEY))
    answer = deidentify_file(Place(str(path)), folder / "new", what)
    written = b"" if isinstance(answer, LeftOut) else (folder / "new" / answer.file).read_bytes()
    assert [word for word in traces(written) if word != "19331224"] == []


# What stays


def test_geometry_pixels_and_acquisition_stay(tmp_path: Path) -> None:
    old = plain()
    new = cleaned(tmp_path, old)
    for keyword in (
        "SOPClassUID", "Modality", "ImageType", "Manufacturer", "ManufacturerModelName",
        "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
        "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
        "SamplesPerPixel", "PhotometricInterpretation", "RescaleSlope", "RescaleIntercept",
        "ConvolutionKernel", "BodyPartExamined", "KVP", "PatientPosition", "SeriesNumber",
        "InstanceNumber", "PixelData",
    ):  # fmt: skip
        assert new[keyword].value == old[keyword].value, keyword


def test_a_volume_opens_with_identical_voxels_and_geometry(tmp_path: Path) -> None:
    voxels = np.random.default_rng(4).integers(-900, 900, (6, 8, 9)).astype(np.int16)
    slices = stack(voxels, AccessionNumber="ACC-88231", StudyDate="20240131")
    for path in sorted(save_all(tmp_path / "old", slices).iterdir()):
        answer = done(path, tmp_path / "new")
    before, after = medlabel.read(tmp_path / "old"), medlabel.read(tmp_path / "new")
    np.testing.assert_array_equal(np.asarray(after.levels[0]), np.asarray(before.levels[0]))
    assert after.geometry.same_grid(before.geometry)
    assert answer.file.count("/") == 3


def test_the_result_says_what_was_done(tmp_path: Path) -> None:
    new = cleaned(tmp_path, plain(), Profile(name="trial", dates="shifted", patient=True))
    codes = [item.CodeValue for item in new.DeidentificationMethodCodeSequence]
    assert new.PatientIdentityRemoved == "YES"
    assert list(new.DeidentificationMethod) == ["napari-medlabel", "profile trial"]
    assert codes == ["113100", "113107", "113108"]
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"
    assert "BurnedInAnnotation" not in new
    assert "RecognizableVisualFeatures" not in new


@pytest.mark.parametrize(("said", "kept"), [("YES", "YES"), ("NO", None), ("OTHER", None)])
def test_a_statement_about_burned_in_text_stays_only_where_it_warns(
    tmp_path: Path, said: str, kept: str | None
) -> None:
    new = cleaned(tmp_path, plain(BurnedInAnnotation=said))
    assert new.get("BurnedInAnnotation") == kept


def test_group_two_is_made_anew_and_the_preamble_is_empty(tmp_path: Path) -> None:
    answer = done(write(tmp_path / "old", patient()), tmp_path / "new")
    data = (tmp_path / "new" / answer.file).read_bytes()
    meta = reread(data).file_meta
    assert data[:128] == bytes(128)
    assert {element.tag.element for element in meta} == {0, 1, 2, 3, 0x10, 0x12, 0x13}
    assert meta.MediaStorageSOPInstanceUID == reread(data).SOPInstanceUID


def test_bytes_behind_the_pixels_are_cut_off(tmp_path: Path) -> None:
    old = plain()
    old.PixelData += b"Zwiebelturm^Leonore!"
    new = cleaned(tmp_path, old)
    assert len(new.PixelData) == 5 * 7 * 2


def test_an_overlay_in_the_unused_bits_of_the_pixels_is_cleared(tmp_path: Path) -> None:
    old = plain(BitsStored=12, HighBit=11, PixelRepresentation=0)
    old.add_new(0x60000010, "US", 5)
    old.add_new(0x60000102, "US", 12)
    clean = np.arange(35, dtype=np.uint16)
    old.PixelData = (clean | 0x1000).tobytes()
    new = cleaned(tmp_path, old)
    np.testing.assert_array_equal(np.frombuffer(new.PixelData, np.uint16)[:35], clean)


# What stands for what


def test_uids_are_the_same_everywhere_and_in_every_run(tmp_path: Path) -> None:
    second = plain(2)
    reference = Dataset()
    reference.ReferencedSOPClassUID = second.SOPClassUID
    reference.ReferencedSOPInstanceUID = uid("instance", 1)
    second.ReferencedImageSequence = [reference]
    one, two = cleaned(tmp_path / "a", plain()), cleaned(tmp_path / "b", second)
    assert two.ReferencedImageSequence[0].ReferencedSOPInstanceUID == one.SOPInstanceUID
    assert one.SeriesInstanceUID == two.SeriesInstanceUID != uid("series")
    assert one.SOPInstanceUID != two.SOPInstanceUID
    assert one.SOPClassUID == two.SOPClassUID == plain().SOPClassUID


def test_another_key_gives_other_stand_ins(tmp_path: Path) -> None:
    path = write(tmp_path / "old", plain())
    first = done(path, tmp_path / "a")
    second = done(path, tmp_path / "b", key=b"z" * 32)
    assert first.patient != second.patient
    assert first.sha256 != second.sha256


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=8))
def test_a_uid_of_ours_is_valid_known_and_lasting(parts: list[int]) -> None:
    ours = Uids(KEY)
    original = "1.2." + ".".join(map(str, parts))
    mapped = ours.mapped(original)
    assert is_uid(mapped)
    assert mapped != original
    assert ours.is_ours(mapped)
    assert ours.mapped(mapped) == mapped
    assert not Uids(b"x" * 32).is_ours(mapped)


@given(st.text(min_size=1, max_size=20), st.text(max_size=5))
def test_a_pseudonym_is_lasting_and_another_for_another_patient(name: str, issuer: str) -> None:
    names = Pseudonyms(KEY)
    pseudonym = names.of(Identity(name, issuer))
    assert names.of(Identity(name, issuer, "Other^Name")) == pseudonym
    assert names.of(Identity(name + "x", issuer)) != pseudonym
    assert names.of(Identity(pseudonym)) == pseudonym
    assert -3652 <= names.shift_days(Identity(name, issuer)) < 0
    assert names.shift_days(Identity(pseudonym)) == 0


# Laws


@pytest.mark.parametrize(
    "profile",
    [
        Profile(),
        Profile(dates="shifted", patient=True, descriptors=True, device=True, institution=True),
        Profile(dates="month", patient=True, age_band=5, safe_private=True),
    ],
)
def test_de_identifying_twice_is_de_identifying_once(tmp_path: Path, profile: Profile) -> None:
    once = done(write(tmp_path / "old", patient()), tmp_path / "once", profile)
    again = done(tmp_path / "once" / once.file, tmp_path / "twice", profile)
    assert (again.sha256, again.file) == (once.sha256, once.file)


def test_the_same_input_and_key_give_the_same_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "old", patient())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    first, second = done(path, tmp_path / "a"), done(path, tmp_path / "b")
    assert first.sha256 == second.sha256
    assert first.source_sha256 == digest == hashlib.sha256(path.read_bytes()).hexdigest()


words = st.sampled_from(["Thorax", "axial", "T1", "Zwiebelturm", "Meier", "3mm", "55F", "1.5T"])


@settings(max_examples=40)
@given(st.lists(words, max_size=6).map(" ".join))
def test_cleaned_text_holds_known_words_only_and_stays_clean(text: str) -> None:
    from napari_medlabel.privacy.wording import Wording  # noqa: PLC0415

    wording = Wording(frozenset({"axial"}))
    made = wording.cleaned(text)
    assert set(made.split()) <= {"Thorax", "T1", "3mm", "1.5T"}
    assert wording.cleaned(made) == made


@pytest.mark.parametrize(
    "text",
    [
        "mail leonore.z@example.org", "call +49 8761 4711-22", "call 555-1234", "ssn 078-05-1120",
        "http://example.org/zwiebel", "born 24.12.1933", "on 2024-01-31", "at 10:11:12",
        "IP 192.168.4.77", "car WOBZK99912", "Nr 4711889", "VIN WVWZZZ1JZXW000010",
    ],
)  # fmt: skip
def test_numbers_addresses_and_dates_in_text_are_removed(tmp_path: Path, text: str) -> None:
    new = cleaned(tmp_path, plain(StudyDescription=f"CT {text} chest"), Profile(descriptors=True))
    left = set(new.StudyDescription.split()) - {"CT", "chest", "on", "at", "IP"}
    assert left == set()


# Options


def test_shifted_dates_keep_their_intervals(tmp_path: Path) -> None:
    new = cleaned(tmp_path, plain(), Profile(dates="shifted"))
    days = [np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (new.StudyDate, new.ContentDate)]
    assert days[1] - days[0] == np.timedelta64(1, "D")
    assert days[0] < np.datetime64("2024-01-31")
    assert new.ContentTime == "101530.25"


@pytest.mark.parametrize(
    ("dates", "date", "time", "word"),
    [
        ("kept", "20240131", "101112", "UNMODIFIED"),
        ("month", "20240101", "", "MODIFIED"),
        ("year", "20240101", "", "MODIFIED"),
        ("removed", "", "", "REMOVED"),
    ],
)
def test_dates_are_kept_made_coarser_or_removed(
    tmp_path: Path, dates: str, date: str, time: str, word: str
) -> None:
    new = cleaned(tmp_path, plain(), Profile(dates=dates))  # type: ignore[arg-type]
    assert (new.StudyDate, new.StudyTime) == (date, time)
    assert new.LongitudinalTemporalInformationModified == word


@pytest.mark.parametrize(
    ("age", "band", "told"),
    [("043Y", 0, "043Y"), ("043Y", 5, "040Y"), ("091Y", 0, "090Y"), ("089Y", 0, "089Y"),
     ("006M", 0, "006M"), ("abcd", 0, None)],
)  # fmt: skip
def test_ages_above_89_are_one_and_others_may_be_in_bands(
    tmp_path: Path, age: str, band: int, told: str | None
) -> None:
    old = plain()
    old["PatientAge"]._value = age
    new = cleaned(tmp_path, old, Profile(patient=True, age_band=band))
    assert new.get("PatientAge") == told
    assert new.PatientSex == "F"


def test_device_and_institution_stay_where_they_are_asked_for(tmp_path: Path) -> None:
    new = cleaned(tmp_path, plain(), Profile(device=True, institution=True))
    assert (new.StationName, new.DeviceSerialNumber) == ("MOOSCT1", "SN-55129")
    assert new.InstitutionName == "Klinikum Moosburg"
    assert new.ReferringPhysicianName == ""


def test_descriptions_keep_known_words_that_are_nobodys_name(tmp_path: Path) -> None:
    new = cleaned(tmp_path, plain(), Profile(descriptors=True))
    assert (new.StudyDescription, new.SeriesDescription) == ("CT chest", "Thorax axial 3mm")


def test_a_known_word_that_is_the_patients_name_is_removed(tmp_path: Path) -> None:
    old = plain(PatientName="Hand^Anna", SeriesDescription="Hand left axial")
    assert cleaned(tmp_path, old, Profile(descriptors=True)).SeriesDescription == "left axial"


def test_last_characters_stay_where_a_profile_asks(tmp_path: Path) -> None:
    profile = Profile.from_document({"keep_last": {"AccessionNumber": 3}})
    assert cleaned(tmp_path, plain(), profile).AccessionNumber == "******231"


def test_a_profiles_own_rule_comes_first(tmp_path: Path) -> None:
    rules = {"elements": {"StudyID": "K", "Manufacturer": "X", "KVP": "Z"}}
    new = cleaned(tmp_path, plain(), Profile.from_document(rules))
    assert (new.StudyID, "Manufacturer" in new, new.KVP) == ("17", False, None)


def test_safe_private_numbers_stay_and_other_private_elements_do_not(tmp_path: Path) -> None:
    old = plain()
    block = old.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0C, "IS", "1000")
    block.add_new(0x0D, "CS", "ZWIEBELTURM")
    block.add_new(0x99, "IS", "5")
    new = cleaned(tmp_path, old, Profile(safe_private=True))
    kept = {int(element.tag): element.value for element in new if element.tag.is_private}
    assert kept == {0x00190010: "SIEMENS MR HEADER", 0x0019100C: 1000}


def test_coded_entries_stay_whole_or_not_at_all(tmp_path: Path) -> None:
    new = cleaned(tmp_path, patient())
    code = new.AnatomicRegionSequence[0]
    assert (code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning) == (
        "T-D3000", "SRT", "Chest of",
    )  # fmt: skip
    assert "ProcedureCodeSequence" not in new


def test_objects_of_text_are_left_out_unless_asked_for(tmp_path: Path) -> None:
    report = plain(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", Modality="SR")
    path = write(tmp_path / "old", report)
    what = Headers(load_profile("basic"), Pseudonyms(KEY))
    answer = deidentify_file(Place(str(path)), tmp_path, what)
    asked = done(path, tmp_path / "new", Profile(also=frozenset({"structured-report"})))
    assert answer == LeftOut("a structured report")
    assert traces((tmp_path / "new" / asked.file).read_bytes()) == []


# Real files


def test_no_seeded_identifier_is_left_in_real_headers(tmp_path: Path, shared_data: Path) -> None:
    chosen = [files[0] for files in _by_folder(shared_data)[::2] if files]
    checked = left = 0
    for path in chosen:
        dataset = seeded(path)
        if dataset is None:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset.save_as(tmp_path / "in.dcm", enforce_file_format=False)
        what = Headers(load_profile("basic"), Pseudonyms(KEY))
        answer = deidentify_file(Place(str(tmp_path / "in.dcm")), tmp_path, what)
        if isinstance(answer, LeftOut):
            continue
        data = (tmp_path / answer.file).read_bytes().lower()
        left += sum(needle.lower() in data for needle in NEEDLES)
        checked += 1
    assert checked > 15
    assert left == 0


def test_real_volumes_open_with_identical_voxels(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "lesion-ct-lung" / "dicom"
    for path in sorted(source.iterdir()):
        what = Headers(load_profile("basic"), Pseudonyms(KEY))
        deidentify_file(Place(str(path)), tmp_path, what)
    before, after = medlabel.read(source), medlabel.read(tmp_path)
    np.testing.assert_array_equal(np.asarray(after.levels[0]), np.asarray(before.levels[0]))
    assert after.geometry.same_grid(before.geometry)


def test_a_real_mosaic_opens_where_safe_private_facts_are_kept(
    tmp_path: Path, shared_data: Path
) -> None:
    source = shared_data / "siemens-mosaic" / "sagint35"
    for path in sorted(source.iterdir()):
        what = Headers(Profile(safe_private=True), Pseudonyms(KEY))
        deidentify_file(Place(str(path)), tmp_path, what)
    before, after = (_first_volume(folder) for folder in (source, tmp_path))
    np.testing.assert_array_equal(np.asarray(after.levels[0]), np.asarray(before.levels[0]))
    assert after.geometry.same_grid(before.geometry)


def _first_volume(folder: Path) -> medlabel.Volume:
    return medlabel.read(folder, volume=1)


def test_dciodvfy_finds_no_error_that_was_not_there_before(tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy is not here: install dicom3tools")
    old = save(tmp_path / "old", plain())
    new = tmp_path / "new" / done(old, tmp_path / "new").file
    assert _errors(new) - _errors(old) == set()


def _errors(path: Path) -> set[str]:
    run = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    return {line for line in run.stderr.splitlines() if line.startswith("Error")}


def _by_folder(folder: Path) -> list[list[Path]]:
    folders = sorted({path.parent for path in folder.rglob("*.dcm")})
    return [sorted(one.glob("*.dcm")) for one in folders]
