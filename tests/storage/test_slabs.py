from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.storage.slabs import slab_starts

depths = st.integers(0, 300)
thicknesses = st.integers(1, 40)


@given(depths, thicknesses, st.lists(st.none() | st.integers(-50, 400)))
def test_whatever_is_asked_for_every_slab_comes_once_and_the_wanted_one_next(
    depth: int, thickness: int, wishes: list[int | None]
) -> None:
    left = list(range(0, depth, thickness))
    asked = iter(wishes)
    wanted: list[int | None] = []

    def first() -> int | None:
        wanted.append(next(asked, None))
        return wanted[-1]

    for start in slab_starts(depth, thickness, first):
        holding = [one for one in left if wanted[-1] in range(one, one + thickness)]
        assert start == (holding or left)[0]
        left.remove(start)
    assert left == []


@given(depths, thicknesses)
def test_without_a_wish_slabs_come_in_order(depth: int, thickness: int) -> None:
    assert list(slab_starts(depth, thickness)) == list(range(0, depth, thickness))
