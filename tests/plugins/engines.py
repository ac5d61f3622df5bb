"""Windows are tested as without torch: the plain install's engine answers, at once and the same."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_torch_in_windows(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let `default` fall back to `classic` as long as a window lives: a module shares some."""
    with pytest.MonkeyPatch.context() as patch:
        if "gui" in request.path.parts:
            patch.setitem(sys.modules, "torch", None)
        yield
