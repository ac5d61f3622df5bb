"""The search finds what a plain search finds, whatever the strings and wherever blocks end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.privacy import search
from napari_medlabel.privacy.search import Needle, Search

letters = st.sampled_from(b"abcAB1.\0")


def of_letters(shortest: int, longest: int) -> st.SearchStrategy[bytes]:
    return st.lists(letters, min_size=shortest, max_size=longest).map(bytes)


@given(of_letters(0, 300), st.lists(of_letters(4, 7), max_size=6), st.sampled_from([16, 64, 4096]))
def test_every_occurrence_is_found_across_blocks(
    data: bytes, strings: list[bytes], block: int
) -> None:
    needles = {Needle(one.lower(), "any") for one in strings}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "_BLOCK", block)
        found = Search(needles).count(data)["any"]
    small = data.lower()
    places = range(len(small))
    assert found == sum(small.startswith(one.data, at) for one in needles for at in places)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"id 123456.", 1), (b"123456", 1), (b"0123456", 0), (b"1234567", 0), (b"0.123456", 0),
        (b"123456.5", 0), (b"x123456y", 1),
    ],
)  # fmt: skip
def test_digits_count_only_where_they_stand_alone(data: bytes, count: int) -> None:
    assert Search([Needle(b"123456", "number", "digits")]).count(data)["number"] == count
