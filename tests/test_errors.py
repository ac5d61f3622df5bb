"""One tree of errors, each with its next step."""

import inspect
import pickle

import pytest

from napari_medlabel import errors
from napari_medlabel.errors import ExtraMissing, MedlabelError, Refused

TREE = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, MedlabelError)
]


@pytest.mark.parametrize("kind", TREE)
def test_an_error_survives_the_way_between_processes(kind: type[MedlabelError]) -> None:
    back = pickle.loads(pickle.dumps(kind("what", "hint")))  # noqa: S301  # our own bytes
    assert type(back) is kind
    assert (back.what, back.hint, str(back)) == ("what", "hint", "what")


@pytest.mark.parametrize("kind", TREE)
def test_every_error_is_public_and_drawn_in_the_tree(kind: type[MedlabelError]) -> None:
    assert kind.__name__ in errors.__all__
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize("kind", TREE)
def test_what_is_refused_exits_with_3_and_all_else_with_1(kind: type[MedlabelError]) -> None:
    assert kind.exit_code == (3 if issubclass(kind, Refused) else 1)


def test_a_missing_extra_is_named_with_the_command_that_installs_it() -> None:
    error = ExtraMissing.named("ai", "interactive segmentation")
    assert "'ai'" in error.what
    assert 'pip install "napari-medlabel[ai]"' in error.hint
