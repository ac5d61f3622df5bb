"""Windows are tested as without torch: the plain install's engine answers, at once and the same."""

import sys

import pytest


@pytest.fixture(autouse=True)
def no_torch_in_windows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `default` fall back to `classic` in the tests of windows."""
    if "gui" in request.path.parts:
        monkeypatch.setitem(sys.modules, "torch", None)
