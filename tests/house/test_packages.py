"""What a person installs: built from the checkout, put into a new environment, found by napari."""

import json
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import napari_medlabel

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("packages")  # built once
OURS = ("napari_medlabel", "_napari_medlabel", "__editable__", "_editable_impl_napari_medlabel")

LOOK = """
import json, sys
from importlib.metadata import distribution
from npe2 import PluginManager
import napari_medlabel
manager = PluginManager()
manager.discover()
manifest = manager.get_manifest("napari-medlabel")
print(json.dumps({
    "file": napari_medlabel.__file__,
    "version": distribution("napari-medlabel").version,
    "commands": [entry.name for entry in distribution("napari-medlabel").entry_points],
    "widgets": [widget.display_name for widget in manifest.contributions.widgets],
    "samples": [sample.key for sample in manifest.contributions.sample_data],
}))
"""


def run(*command: object, cwd: Path) -> str:
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that git knows, in a place of their own: building leaves nothing in the tree."""
    if not (ROOT / ".git").exists():
        pytest.skip("packages are built from a git checkout")
    folder = tmp_path_factory.mktemp("checkout")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists() or (ROOT / name).is_symlink():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


@pytest.fixture(scope="module")
def built(checkout: Path) -> tuple[Path, Path]:
    """The sdist, and the wheel made from that sdist."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", ".", cwd=checkout)
    (sdist,), (wheel,) = checkout.glob("dist/*.tar.gz"), checkout.glob("dist/*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment with our wheel, and all else lent by this one."""
    folder = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    python = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    lent = folder / "lent"
    lent.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(OURS) and entry.suffix != ".pth":
            (lent / entry.name).symlink_to(entry)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site_packages = Path(run(python, "-c", where, cwd=folder).strip())
    (site_packages / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    run(*pip, built[1], cwd=folder)
    return python


def test_the_wheel_holds_the_package_and_its_data(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        names = set(wheel.namelist())
    sources = ROOT / "src" / "napari_medlabel"
    wanted = {
        f"napari_medlabel/{path.relative_to(sources).as_posix()}"
        for path in sources.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    strangers = {name for name in names if not name.startswith("napari_medlabel")}
    assert wanted - names == set()
    assert strangers == set()


def test_the_sdist_holds_what_a_packager_needs(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    wanted = {
        *("pyproject.toml", "constraints.txt", "conftest.py", "dev", "mkdocs.yml", "napari.yaml"),
        *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff"),
        *("src/napari_medlabel/napari.yaml", "tests/house/test_packages.py", "docs/index.md"),
    }
    assert wanted - names == set()


def test_napari_finds_the_installed_wheel(installed: Path, tmp_path: Path) -> None:
    found = json.loads(run(installed, "-c", LOOK, cwd=tmp_path).splitlines()[-1])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert Path(found["file"]).is_relative_to(installed.parents[1])
    assert {"medlabel", project["name"]} <= set(found["commands"])
    assert found["widgets"] == ["Medlabel"]
    assert found["samples"] == ["head_ct", "head_mr"]


def test_the_installed_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    shown = run(installed.parent / "medlabel", "--version", cwd=tmp_path)
    assert shown.split()[-1] == napari_medlabel.__version__
