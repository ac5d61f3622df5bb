"""What the files of the repository say, and what they must not say."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import napari_medlabel

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cff", ".json", ".css", ".qss", ".svg", ""}

# Places of one machine, hosts that a configuration should name, unfinished thoughts.
FORBIDDEN = re.compile(
    r"/home/\w+|/Users/\w+|/root/|C:\\Users|file:///\w"
    r"|\bpypi\.(?:org|python)|pythonhosted|--(?:extra-)?index-url|deb\.debian\.org|registry\.npmjs"
    r"|\b(?:TODO|FIXME|XXX|HACK)\b"
)


def sources() -> Iterator[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix in TEXT and path.is_file() and path.name != "test_house.py":
            yield path


def test_no_file_names_a_place_of_one_machine_or_a_host_of_packages() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in sources()
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        for match in FORBIDDEN.finditer(line)
    ]
    assert found == []


@pytest.fixture(scope="module")
def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    inexact = [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.+!]+", pin)]
    assert inexact == []
    return {_normal(name): version for name, version in (pin.split("==") for pin in pins)}


def test_everything_that_is_installed_has_a_pinned_version(constraints: dict[str, str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    tested = ("test", "docs", "pyside", "ocr", "ai")
    wanted = chain(project["dependencies"], *(extras[name] for name in tested))
    unpinned = [
        str(requirement)
        for requirement in map(Requirement, wanted)
        if constraints.get(_normal(requirement.name), "") not in requirement.specifier
    ]
    assert unpinned == []


def test_the_version_is_the_same_wherever_it_is_said() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {napari_medlabel.__version__}\n" in citation


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
