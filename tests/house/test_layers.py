"""The layers of docs/architecture.md, read from the imports; inside functions too."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
PACKAGE = "napari_medlabel"


@pytest.fixture(scope="module")
def imports() -> set[tuple[str, str]]:
    """(module of ours, name of an outside package) for every import of one."""
    graph = grimp.build_graph(PACKAGE, include_external_packages=True, cache_dir=None)
    ours = {name for name in graph.modules if name.split(".")[0] == PACKAGE}
    return {
        (module, imported)
        for module in ours
        for imported in graph.find_modules_directly_imported_by(module)
        if imported not in ours
    }


def importers(imports: set[tuple[str, str]], outside: set[str], *, but: str) -> set[str]:
    inside = f"{PACKAGE}.{but}"
    return {
        f"{module} imports {name}"
        for module, name in imports
        if name in outside and module != inside and not module.startswith(f"{inside}.")
    }


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    """Loggers that are on stay on: the linter's own set-up of logging turns all others off."""
    found = [one for one in logging.root.manager.loggerDict.values()
             if isinstance(one, logging.Logger) and not one.disabled]  # fmt: skip
    yield
    for one in found:
        one.disabled = False


@pytest.mark.usefixtures("logging_as_it_was")
def test_every_contract_of_the_layers_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    broken = lint_imports(str(ROOT / "pyproject.toml"), no_cache=True)
    assert broken == 0, capsys.readouterr().out


def test_only_the_window_knows_qt_and_napari(imports: set[tuple[str, str]]) -> None:
    window = {"PySide6", "PyQt6", "qtpy", "napari", "vispy", "superqt", "magicgui", "app_model"}
    assert importers(imports, window, but="ui") == set()


def test_the_domain_knows_numpy_scipy_and_python_only(imports: set[tuple[str, str]]) -> None:
    allowed = {"numpy", "scipy", *sys.stdlib_module_names}
    outside = {name for module, name in imports if module.startswith(f"{PACKAGE}.core")}
    assert outside - allowed == set()


def test_the_command_line_libraries_stay_in_the_command_line(
    imports: set[tuple[str, str]],
) -> None:
    assert importers(imports, {"typer", "click", "rich"}, but="cli") == set()
