"""The pages build offline, load nothing from outside, and say what the program says."""

import ast
import contextlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("docs")  # built once
OUTSIDE = re.compile(
    r"""<(?:script|img|iframe|source|audio|video)\b[^>]*\bsrc\s*=\s*["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?=[^>]*\brel=["']?(?:stylesheet|preload|preconnect|icon))[^>]*\bhref=["']?"""
    r"""(?:https?:)?//[^"'\s>]+"""
    r"""|@import\s+(?:url\()?["']?(?:https?:)?//\S+|url\(["']?(?:https?:)?//[^)]+""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the extra 'docs' is not installed")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder]
    done = subprocess.run(build, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_page_of_the_command_line_is_what_the_program_says() -> None:
    generate = "import generate_cli; print(generate_cli.page(), end='')"
    docs = ROOT / "docs"
    done = subprocess.run(
        [sys.executable, "-c", generate], capture_output=True, text=True, check=False, cwd=docs
    )
    assert done.returncode == 0, done.stderr
    written = (docs / "cli.md").read_text(encoding="utf-8")
    assert written == done.stdout, "docs/cli.md is not current: run ./dev docs"


def test_the_built_pages_load_nothing_from_outside(site: Path) -> None:
    pages = [path for path in site.rglob("*") if path.suffix in {".html", ".css"}]
    found = {
        f"{path.relative_to(site)}: {match[0]}"
        for path in pages
        for match in OUTSIDE.finditer(path.read_text(encoding="utf-8"))
    }
    assert len(pages) > 10
    assert found == set()


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://example.org/x.js">',
        '<link rel="stylesheet" href="//example.org/x.css">',
        "@import url(https://example.org/x.css);",
        "a { background: url('https://example.org/x.png') }",
    ],
)
def test_the_search_finds_what_is_loaded_from_outside(page: str) -> None:
    assert OUTSIDE.search(page)


def test_every_problem_code_in_the_source_is_explained() -> None:
    page = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
    codes = {
        node.args[0].value
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem" and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    assert codes
    assert {code for code in codes if f"`{code}`" not in page} == set()


def test_a_key_that_the_tutorial_names_is_one_of_the_program() -> None:
    from napari_medlabel.ui.key_sets import KeyChoice, keymap  # noqa: PLC0415
    from napari_medlabel.ui.key_text import UnknownKey, normal  # noqa: PLC0415

    known = {key for keys in keymap(KeyChoice()).values() for key in keys}
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    rows = text.partition("| key | does |")[2].partition("\n\n")[0]
    wrong = []
    for name in re.findall(r"`([^`]+)`", rows):
        with contextlib.suppress(UnknownKey):  # Ctrl, held
            if normal(name) not in known:
                wrong.append(name)
    assert rows
    assert wrong == []


def test_every_link_between_the_sources_leads_somewhere() -> None:
    link = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*top, *(ROOT / "docs").rglob("*.md")]
        for target in link.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
