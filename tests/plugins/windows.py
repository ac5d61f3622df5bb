"""Tests of the window: in one process, on a screen; without one they skip, loudly, but not in CI.

A test is one of the window's when it is under `tests/gui/` or marked `gui`. Qt's offscreen
platform does not count as a screen: it has no OpenGL, and napari draws with OpenGL.
"""

import os
import sys
from pathlib import Path

import pytest

_WHY = "no screen for windows: run ./dev test where Xvfb is, or can be installed"


def _screen() -> bool:
    if os.environ.get("QT_QPA_PLATFORM", "xcb") in {"offscreen", "minimal"}:
        return False
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY"))


def pytest_configure() -> None:
    os.environ.setdefault("QT_API", "pyside6")
    if sys.platform == "linux" and os.environ.get("DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "xcb")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    gui = config.rootpath / "tests" / "gui"
    for item in items:
        if Path(item.path).is_relative_to(gui):
            item.add_marker(pytest.mark.gui)
        if item.get_closest_marker("gui"):
            item.add_marker(pytest.mark.xdist_group("window"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gui") and not _screen():
        if os.environ.get("CI"):
            pytest.fail(f"CI must run the tests of the window; {_WHY}", pytrace=False)
        pytest.skip(_WHY)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if count := sum(_WHY in str(report.longrepr) for report in skipped):
        terminalreporter.section("THE WINDOW WAS NOT TESTED", sep="!", red=True, bold=True)
        terminalreporter.write_line(f"{count} tests were skipped: {_WHY}", red=True, bold=True)
