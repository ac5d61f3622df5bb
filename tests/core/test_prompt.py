"""Prompts are checked once, read from documents in either space, and follow their voxels."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_medlabel.core.geometry import Geometry
from napari_medlabel.core.prompt import (
    Box,
    Lasso,
    Point,
    Prompt,
    Scribble,
    check_inside,
    from_document,
    moved,
    to_document,
    voxels_of,
)
from napari_medlabel.errors import InputError
from napari_medlabel.testing import axes, geometries, shapes

SHAPE = (9, 12, 15)
GRID = Geometry.from_spacing(SHAPE, (3.0, 0.8, 0.7), (10.0, -20.0, 5.0))
INDEX = st.tuples(*(st.integers(0, n - 1) for n in SHAPE))


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    include = draw(st.booleans())
    kind = draw(st.sampled_from(["point", "box", "scribble", "lasso"]))
    if kind == "point":
        return Point(draw(INDEX), include)
    if kind == "box":
        ends = np.array([draw(INDEX), draw(INDEX)])
        return Box(tuple(ends.min(axis=0)), tuple(ends.max(axis=0)), include)
    if kind == "scribble":
        return Scribble(tuple(draw(st.lists(INDEX, min_size=1, max_size=5))), include)
    k = draw(st.integers(0, SHAPE[0] - 1))
    corner = st.tuples(st.just(float(k)), st.floats(0, SHAPE[1] - 1), st.floats(0, SHAPE[2] - 1))
    return Lasso(tuple(draw(st.lists(corner, min_size=3, max_size=6))), include)


@given(st.lists(prompts(), max_size=4))
def test_a_document_gives_back_what_was_written(given_prompts: list[Prompt]) -> None:
    document = json.loads(json.dumps(to_document(given_prompts)))
    assert from_document(document, GRID) == tuple(given_prompts)


@given(geometries(shape=st.just(SHAPE)), INDEX, INDEX)
def test_positions_in_millimetres_are_the_voxels_there(
    grid: Geometry, a: tuple[int, int, int], b: tuple[int, int, int]
) -> None:
    positions = grid.lps([a, b]).tolist()
    document = {
        "prompts": [
            {"kind": "point", "lps": positions[0]},
            {"kind": "scribble", "lps": positions, "include": False},
        ]
    }
    assert from_document(document, grid) == (Point(a), Scribble((a, b), include=False))


def test_a_box_in_millimetres_holds_the_voxels_of_its_corners() -> None:
    low, high = GRID.lps([[1, 2, 3], [4, 5, 6]]).tolist()
    document = {"space": "lps", "prompts": [{"kind": "box", "low": high, "high": low}]}
    assert from_document(document, GRID) == (Box((1, 2, 3), (4, 5, 6)),)


@given(st.data())
def test_a_prompt_follows_its_voxels_to_another_layout(data: st.DataObject) -> None:
    laid_out, prompt = data.draw(axes()), data.draw(prompts())
    new_from_old = np.linalg.inv(laid_out.old_from_new(SHAPE))
    marked = np.zeros(SHAPE, np.uint8)
    marked[tuple(voxels_of(prompt, SHAPE).T)] = 1
    new = moved(prompt, lambda kji: kji @ new_from_old[:3, :3].T + new_from_old[:3, 3])
    there = laid_out.apply(marked)
    found = np.zeros_like(there)
    found[tuple(voxels_of(new, there.shape).T)] = 1
    # A corner exactly on a centre belongs to one side of the outline, and a flip swaps sides;
    # a line between voxels may be rounded the other way.
    if isinstance(prompt, Point | Box):
        np.testing.assert_array_equal(found, there)
    elif isinstance(prompt, Scribble):
        assert {tuple(one) for one in np.argwhere(found)} >= set(new.kji)


def test_a_scribble_covers_the_line_between_its_voxels() -> None:
    drawn = voxels_of(Scribble(((2, 0, 0), (2, 0, 6), (2, 3, 6))), SHAPE)
    assert len(drawn) == 10
    assert (drawn[:, 0] == 2).all()


def test_a_lasso_covers_the_inside_of_its_outline() -> None:
    square = Lasso(((3.0, 1.5, 2.5), (3.0, 1.5, 6.5), (3.0, 4.5, 6.5), (3.0, 4.5, 2.5)))
    assert square.plane == (0, 3)
    assert len(voxels_of(square, SHAPE)) == 12


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Point((1, 2)), "three numbers"),
        (lambda: Point((1, 2, 2.5)), "whole numbers"),
        (lambda: Point((1, 2, float("nan"))), "whole numbers"),
        (lambda: Point((1, 2, 3), include="yes"), "true or false"),
        (lambda: Box((3, 0, 0), (2, 5, 5)), "beyond"),
        (lambda: Scribble(()), "needs voxels"),
        (lambda: Lasso(((0, 0, 0), (0, 1, 1))), "corners"),
        (lambda: Lasso(((0, 0, 0), (1, 1, 2), (2, 3, 1))), "one slice"),
    ],
)
def test_what_is_no_prompt_is_refused(make: Callable[[], Prompt], words: str) -> None:
    with pytest.raises(InputError, match=words):
        make()


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"prompts": "point"},
        {"prompts": [1]},
        {"prompts": [{"kind": "circle", "kji": [1, 2, 3]}]},
        {"prompts": [{"kind": "point"}]},
        {"prompts": [{"kind": "point", "kji": [1, 2]}]},
        {"prompts": [{"kind": "point", "kji": [1, 2, None]}]},
        {"prompts": [{"kind": "point", "kji": [1, 2, 1e300]}]},
        {"prompts": [{"kind": "point", "kji": [1, 2, 3], "include": 1}]},
        {"prompts": [{"kind": "box", "low": [1, 2, 3]}]},
        {"prompts": [{"kind": "box", "low": [1, 2, 3], "high": [0, 2, 3]}]},
        {"space": "ras", "prompts": [{"kind": "point", "kji": [1, 2, 3]}]},
        {"prompts": [{"kind": "lasso", "kji": [[1, 2, 3], [1, 4, 3]]}]},
    ],
)
def test_a_document_that_is_none_is_refused_with_a_hint(document: object) -> None:
    with pytest.raises(InputError) as caught:
        from_document(document, GRID)
    assert caught.value.hint


def test_the_wrong_prompt_is_named() -> None:
    good = {"kind": "point", "kji": [1, 2, 3]}
    with pytest.raises(InputError, match="prompt 2 cannot be used: a voxel's"):
        from_document({"prompts": [good, {"kind": "point", "kji": [0.5, 0, 0]}]}, GRID)


@given(shapes(), prompts())
def test_a_prompt_is_inside_where_it_covers_a_voxel(
    shape: tuple[int, int, int], prompt: Prompt
) -> None:
    if len(voxels_of(prompt, shape)) > 0:
        check_inside(prompt, shape)
        return
    with pytest.raises(InputError, match="outside of the image"):
        check_inside(prompt, shape)
