"""Overlapping segments in as few groups as possible."""

from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.formats import overlap_groups
from napari_medlabel.formats.overlap_groups import fewest_groups


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], set[tuple[int, int]]]:
    numbers = draw(st.lists(st.integers(1, 50), min_size=1, max_size=6, unique=True))
    pairs = [(min(a, b), max(a, b)) for a, b in combinations(numbers, 2)]
    return numbers, draw(st.sets(st.sampled_from(pairs))) if pairs else set()


@given(graphs())
def test_no_two_of_a_group_overlap_and_there_is_no_way_with_fewer(
    graph: tuple[list[int], set[tuple[int, int]]],
) -> None:
    numbers, overlaps = graph
    groups = fewest_groups(numbers, overlaps)
    assert list(groups.keys() ^ set(numbers)) == []
    assert all(groups[a] != groups[b] for a, b in overlaps)
    count = len(set(groups.values()))
    assert set(groups.values()) == set(range(count))
    for tried in product(range(count - 1), repeat=len(numbers)):
        chosen = dict(zip(numbers, tried, strict=True))
        assert any(chosen[a] == chosen[b] for a, b in overlaps)


@given(graphs(), st.data())
def test_groups_that_are_given_are_kept(
    graph: tuple[list[int], set[tuple[int, int]]], data: st.DataObject
) -> None:
    numbers, overlaps = graph
    kept = data.draw(st.dictionaries(st.sampled_from(numbers), st.sampled_from([0, 2, 7])))
    groups = fewest_groups(numbers, overlaps, fixed=kept, known=(0, 2))
    assert groups.keys() == set(numbers)
    assert {number: groups[number] for number in kept} == kept
    open_ = [(a, b) for a, b in overlaps if not (a in kept and b in kept)]
    assert all(groups[a] != groups[b] for a, b in open_)


def test_segments_that_do_not_overlap_stay_together() -> None:
    assert fewest_groups([3, 1, 2], []) == {3: 0, 1: 0, 2: 0}


def test_a_bad_order_takes_no_more_groups() -> None:
    crown = [(1, 4), (1, 6), (3, 2), (3, 6), (5, 2), (5, 4)]  # first fit takes three
    groups = fewest_groups([1, 2, 3, 4, 5, 6], crown)
    assert set(groups.values()) == {0, 1}


def test_a_search_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap_groups, "TRIALS", 3)
    crown = [(1, 4), (1, 6), (3, 2), (3, 6), (5, 2), (5, 4)]
    groups = fewest_groups([1, 2, 3, 4, 5, 6], crown)
    assert all(groups[a] != groups[b] for a, b in crown)
    assert set(groups.values()) == {0, 1, 2}
