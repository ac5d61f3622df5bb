"""The ten kinds of action that MIDI-B scores, on a set made here: each element must get its due.

Rutherford et al., the Medical Image De-Identification Benchmark (2024), names the actions; the set
and the answers are ours: three patients, two of them with two studies, text with names in it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from pydicom.dataset import Dataset

from napari_medlabel.formats.dicom_files import Place
from napari_medlabel.privacy.burned_in_fill import Box
from napari_medlabel.privacy.headers import Headers
from napari_medlabel.privacy.one_file import FileDone, deidentify_file
from napari_medlabel.privacy.pixel_change import PixelChange
from napari_medlabel.privacy.profile import Profile
from napari_medlabel.privacy.pseudonyms import Pseudonyms
from tests.formats.made_dicom import save, uid
from tests.privacy.made_headers import plain, reread

PEOPLE = (
    ("Sommer^Ilse", "MRN-553120", 2), ("Okonkwo^Chidi", "MRN-771054", 2),
    ("Brand^Paul", "K99-20", 1),
)  # fmt: skip
KEPT_TEXT = {
    "Modality": "CT", "BodyPartExamined": "CHEST", "PatientPosition": "HFS",
    "Manufacturer": "SIEMENS", "ConvolutionKernel": "B30f", "ScanOptions": "HELICAL MODE",
}  # fmt: skip
KEPT_TAGS = ("SliceThickness", "KVP", "PixelSpacing", "ImagePositionPatient", "Rows", "Columns")
UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
MARKED = Box(2, 1, 5, 4)  # where text was found in the second slice of each
PROFILE = Profile(dates="shifted", patient=True, descriptors=True)


@dataclass(frozen=True)
class Pair:
    """A slice before and after."""

    old: Dataset
    new: Dataset


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    folder = tmp_path_factory.mktemp("midi")
    what = Headers(PROFILE, Pseudonyms(b"m" * 32))
    made = []
    for number, old in enumerate(_set()):
        path = save(folder / f"{number}.dcm", old)
        change = PixelChange({0: (MARKED,)}, text="none") if old.InstanceNumber == 2 else None
        answer = deidentify_file(Place(str(path)), folder, what, change)
        assert isinstance(answer, FileDone)
        made.append(Pair(reread(path.read_bytes()), reread((folder / answer.file).read_bytes())))
    return made


def _set() -> Iterator[Dataset]:
    for name, number, studies in PEOPLE:
        family = name.partition("^")[0]
        for study in range(studies):
            for k in range(3):
                yield plain(
                    k + 1, PatientName=name, PatientID=number, ScanOptions="HELICAL MODE",
                    StudyInstanceUID=uid(name, study), SeriesInstanceUID=uid(name, study, "s"),
                    SOPInstanceUID=uid(name, study, k), StudyDate=f"2023051{study + 2}",
                    SeriesDescription=f"Thorax axial {family} 3mm",
                    StudyDescription=f"CT chest for Dr {family} 05/13/2023 tel 555-1234",
                    ImageComments=f"{number} seen by {family}",
                )  # fmt: skip


def scored(pairs: list[Pair]) -> Counter[tuple[str, bool]]:
    """How often each action was right and wrong."""
    score: Counter[tuple[str, bool]] = Counter()
    ids: dict[str, set[str]] = {}
    uids: dict[str, set[str]] = {}
    shifts: dict[str, set[int]] = {}
    for old, new in ((pair.old, pair.new) for pair in pairs):
        for keyword in KEPT_TAGS:
            score["tag_retained", new[keyword].value == old[keyword].value] += 1
        for keyword, text in KEPT_TEXT.items():
            score["text_retained", new[keyword].value == text] += 1
        for keyword in ("PatientName", "PatientID", "SOPClassUID", "Modality"):
            score["text_notnull", bool(new.get(keyword))] += 1
        for word in _forbidden(old):
            score["text_removed", word not in str(new.to_json()).casefold()] += 1
        score["text_retained", new.SeriesDescription == "Thorax axial 3mm"] += 1
        score["text_retained", new.StudyDescription == "CT chest for"] += 1
        shift = _days(new.StudyDate) - _days(old.StudyDate)
        score["date_shifted", shift < 0] += 1
        shifts.setdefault(old.PatientID, set()).add(shift)
        for keyword in UIDS:
            score["uid_changed", new[keyword].value != old[keyword].value] += 1
            uids.setdefault(old[keyword].value, set()).add(new[keyword].value)
        ids.setdefault(old.PatientID, set()).add(new.PatientID)
        before, after = old.pixel_array, new.pixel_array
        rest = np.ones(before.shape, bool)
        if old.InstanceNumber == 2:  # where a name stood
            rest[MARKED.top : MARKED.bottom, MARKED.left : MARKED.right] = False
            score["pixels_hidden", bool((after[~rest] == after[1, 2]).all())] += 1
            score["pixels_hidden", bool((after[~rest] != before[~rest]).any())] += 1
        score["pixels_retained", bool((after[rest] == before[rest]).all())] += 1
    score.update(("uid_consistent", len(new) == 1) for new in uids.values())
    score.update(("patid_consistent", len(new) == 1) for new in ids.values())
    score.update(("date_shifted", len(days) == 1) for days in shifts.values())
    score["patid_consistent", len(set.union(*ids.values())) == len(PEOPLE)] += 1
    return score


def _forbidden(old: Dataset) -> list[str]:
    texts = (old.PatientName, old.PatientID, old.AccessionNumber, old.InstitutionName)
    words = [word for text in texts for word in re.split(r"[\^\s]", str(text).casefold())]
    return [*(word for word in words if len(word) > 3), old.PatientBirthDate, "555-1234", "05/13"]


def _days(date: str) -> int:
    return int(np.datetime64(f"{date[:4]}-{date[4:6]}-{date[6:]}").astype(int))


def test_every_action_is_right_every_time(pairs: list[Pair]) -> None:
    score = scored(pairs)
    wrong = {action: count for (action, right), count in score.items() if not right}
    actions = {action for action, _ in score}
    assert wrong == {}
    assert len(pairs) == 15
    assert actions == {
        "tag_retained", "text_notnull", "text_retained", "text_removed", "date_shifted",
        "uid_changed", "uid_consistent", "patid_consistent", "pixels_hidden", "pixels_retained",
    }  # fmt: skip
