"""What counts as text, what is one text, and which frames are looked at by themselves."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.formats.dicom_pictures import find_pictures
from napari_medlabel.privacy.burned_in_cause import PLAIN, causes_to_look
from napari_medlabel.privacy.burned_in_engine import Reading
from napari_medlabel.privacy.burned_in_projections import Projections
from napari_medlabel.privacy.burned_in_text import counts, fits, kind_of, merged
from tests.formats.made_dicom import one_slice, save, stack, uid
from tests.formats.made_pictures import grey_picture, picture_file


def reading(text: str, score: float = 0.95, left: float = 0, top: float = 0) -> Reading:
    return Reading(left, top, left + 40, top + 10, score, text)


@pytest.mark.parametrize("text", ["DOE^JANE", "12.03.1987", "M 45", "7F", "R 12345", "Ref. L. Roy"])
def test_what_may_identify_counts_with_marks_allowed_or_not(text: str) -> None:
    assert counts(reading(text))
    assert counts(reading(text), allow_marks=True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("12.03.1987", "a date"), ("Born 1987-03-12", "a date"), ("19870312", "a date"),
     ("14:05:22", "a time"), ("R 12345", "a number"), ("DOE^JANE", "a name")],
)  # fmt: skip
def test_a_text_is_told_by_what_it_looks_like_and_never_by_what_it_says(
    text: str, kind: str
) -> None:
    assert kind_of(text) == kind
    (spot,) = merged([(0, reading(text)), (1, reading("M 45"))])
    assert spot.kind == min(kind, "a number", key=["a date", "a time", "a number", "a name"].index)


@pytest.mark.parametrize(
    "text", ["RA", "HFS", "5 cm", "10 mm", "2.5cm", "PORTABLE", "Semi-Upright", "R / L", "AP ERECT"]
)
def test_marks_of_the_picture_may_be_allowed(text: str) -> None:
    assert counts(reading(text), allow_marks=True) is False
    assert counts(reading(text)) is (sum(map(str.isalnum, text)) >= 2)


@pytest.mark.parametrize(
    ("text", "score"), [("DO", 0.7), ("R", 0.99), ("--.", 0.9), ("00 00", 0.9)]
)
def test_the_unsure_and_the_short_do_not_count(text: str, score: float) -> None:
    assert not counts(reading(text, score))


def test_a_number_full_of_zeros_counts_where_it_is_read_surely() -> None:
    assert counts(reading("MRN 0000001", 0.97))
    assert counts(reading("0000001", 0.97))
    assert not counts(reading("0000006", 0.83))


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 200), st.integers(0, 9)), max_size=9))
def test_every_reading_lies_in_a_place_that_knows_its_frame(
    found: list[tuple[int, int, int]],
) -> None:
    readings = [(frame, reading("text", 0.9, left, top)) for left, top, frame in found]
    spots = merged([*readings])
    for frame, one in readings:
        assert any(
            frame in spot.frames
            and spot.left <= one.left
            and spot.right >= one.right
            and spot.top <= one.top
            and spot.bottom >= one.bottom
            for spot in spots
        )
    assert len(spots) <= len(readings)


def test_lines_below_each_other_are_two_texts() -> None:
    assert len(merged([(0, reading("one")), (0, reading("two", top=7))])) == 2
    assert len(merged([(0, reading("one")), ("min", reading("one", top=2))])) == 1


def test_a_whole_picture_is_no_line_of_text_and_a_line_across_it_is_one() -> None:
    assert not fits(Reading(1, 1, 122, 101, 0.9, "Co"), (101, 122))
    assert not fits(Reading(8, 4, 383, 58, 0.72, "368886"), (384, 384))
    assert fits(Reading(0, 0, 120, 24, 0.95, "KAUFMAN"), (60, 122))
    assert fits(Reading(0, 0, 12, 100, 0.72, "KAUFMAN"), (101, 122))


def cause(folder: Path, **elements: object) -> str:
    save(folder / "a.dcm", one_slice(np.zeros((64, 64), np.int16), (0, 0, 0), **elements))
    return causes_to_look(find_pictures(folder).pictures)[0]


def test_a_plain_section_is_left_to_projections_whatever_its_flag(tmp_path: Path) -> None:
    assert cause(tmp_path / "a") == PLAIN
    assert cause(tmp_path / "b", BurnedInAnnotation="NO") == PLAIN


@pytest.mark.parametrize(
    "elements",
    [
        {"BurnedInAnnotation": "YES"},
        {"ImageType": ["DERIVED", "SECONDARY"]},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"ImageType": ["ORIGINAL"]},
        {"ImageType": None},
        {"ConversionType": "WSD"},
        {"Modality": "US"},
        {"Modality": "OT"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.12.1"},
        {"BurnedInAnnotation": "NO", "ConversionType": "DI"},
    ],
)
def test_whatever_is_not_plain_is_looked_at(tmp_path: Path, elements: dict[str, object]) -> None:
    assert cause(tmp_path, **elements) != PLAIN


def test_a_picture_in_colour_or_of_another_size_is_looked_at(tmp_path: Path) -> None:
    for n, made in enumerate(stack(np.zeros((4, 64, 64), np.int16))):
        save(tmp_path / f"{n}.dcm", made)
    odd = one_slice(np.zeros((64, 80), np.int16), (0, 0, 9), SeriesInstanceUID=uid("series"))
    save(tmp_path / "odd.dcm", odd)
    pictures = find_pictures(tmp_path).pictures
    causes = dict(zip((one.name for one in pictures), causes_to_look(pictures), strict=True))
    assert {name for name, why in causes.items() if why != PLAIN} == {"odd.dcm"}
    (rgb,) = find_pictures(picture_file(tmp_path / "rgb" / "a.dcm", "rgb")).pictures
    assert causes_to_look([rgb])[0] != PLAIN


@given(st.integers(3, 6), st.integers(0, 99))
def test_projections_are_those_of_the_whole_stack(count: int, seed: int) -> None:
    frames = np.random.default_rng(seed).normal(1000, 50, (count, 5, 7)).astype(np.float32)
    projections = Projections((5, 7))
    for frame in frames:
        projections.add(frame)
    found = dict(projections.values())
    np.testing.assert_array_equal(found["min"], frames.min(axis=0))
    np.testing.assert_array_equal(found["max"], frames.max(axis=0))
    np.testing.assert_allclose(found["std"], frames.std(axis=0), rtol=1e-3, atol=0.05)


def test_two_frames_are_too_few_for_projections() -> None:
    projections = Projections((4, 4))
    projections.add(grey_picture((4, 4)))
    projections.add(grey_picture((4, 4)))
    assert list(projections.values()) == []
