"""The pages about annotating name every tool, option, key and picture that there is."""

import ast
import re
from pathlib import Path

import pytest

from napari_medlabel.ui.actions import ACTIONS
from napari_medlabel.ui.key_sets import SETS, KeyChoice, keymap
from napari_medlabel.ui.key_text import caps
from napari_medlabel.ui.tool_specs import SPECS, Choice, SegmentPick, ToolSpec

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "annotate").glob("*.md"))
COMING = DOCS / "coming-from.md"
TOOLS = sorted(SPECS)
# Held, or meant for one view alone: no action has them.
HELD = {"Ctrl", "Shift", "Alt", "Space", "Tab", "?"}
IN_3D = {"+", "-", "Home"}
LATER = {"lock-workspace"}  # workspaces with people are to come


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _section(spec: ToolSpec) -> str:
    """What is said of a tool: from its heading to the next."""
    for page in PAGES:
        if (page.stem == "measuring") != (spec.kind == "annotation"):
            continue
        found = re.search(
            rf"^## {re.escape(spec.words)}\n(.*?)(?=^## |\Z)", _text(page), re.MULTILINE | re.DOTALL
        )
        if found:
            return found[1]
    return ""


def _codes(text: str) -> list[str]:
    """What is set as code, outside of blocks."""
    plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return [code.strip() for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", plain)]


def _written(key: str) -> str:
    """A key as pages write it: "Ctrl+Up", "Page Up"."""
    return caps(key).replace(" ", "+").replace("Page+", "Page ")


def _keys_of(tool: str) -> list[str]:
    name = {"carry": "carry-up"}.get(tool, tool.replace("_", "-").replace(":", "-"))
    return [_written(key) for key in keymap(KeyChoice())[name]]


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_is_explained_with_its_options(tool: str) -> None:
    spec = SPECS[tool]
    section = " ".join(_section(spec).split())
    assert section, f"no heading '{spec.words}'"
    wanted = [option.words for option in spec.options if option.words]
    for option in spec.options:
        if isinstance(option, Choice):
            wanted += [words for _value, words in option.choices]
        elif isinstance(option, SegmentPick):
            wanted += [words for _value, words in option.first if option.name != "paint_over"]
    told = re.findall(r"\*([^*]+)\*", section) + re.findall(r"\[([^]]+)\]\(", section)
    assert [words for words in wanted if words not in told] == []


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_its_keys_and_its_name_in_history(tool: str) -> None:
    spec, section = SPECS[tool], _section(SPECS[tool])
    assert [key for key in _keys_of(tool) if key not in _codes(section)] == []
    if spec.kind != "annotation":
        assert re.search(r"Recorded\s+as\s+[*`]", section)


def test_what_is_said_to_be_recorded_is_what_the_program_writes() -> None:
    sources = [*(ROOT / "src/napari_medlabel/commands").glob("*.py")]
    sources += (ROOT / "src/napari_medlabel/ui").rglob("*.py")
    written: set[str] = set()
    for path in sources:
        for node in ast.walk(ast.parse(_text(path))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written.add(node.value)
    written |= {f"{how} segments" for how in ("Union", "Subtract", "Intersect")}  # put together
    recorded = [
        name
        for page in PAGES
        for told in re.findall(r"Recorded\s+as\s+([^.,]+(?:, [*`][^.,]+)*)", _text(page))
        for name in re.findall(r"[*`]([^*`]+)[*`]", told)
    ]
    assert len(recorded) > 20
    assert [name for name in recorded if " ".join(name.split()) not in written] == []


def test_every_picture_is_there_and_every_picture_is_shown() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in [*DOCS.rglob("*.md"), ROOT / "README.md"]
        for target in re.findall(r"!\[[^]]+\]\((?!https?:)([^)\s]+)\)", _text(page))
    }
    there = {path.resolve() for path in (DOCS / "images").iterdir()}
    assert {str(path.name) for path in shown - there} == set()
    assert {str(path.name) for path in there - shown} == set()


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in (DOCS / "images").iterdir()}
    assert sum(sizes.values()) < 2_000_000
    assert {name: size for name, size in sizes.items() if size > 220_000} == {}


def test_every_key_that_is_named_is_one_of_the_program() -> None:
    known = {
        _written(key) for one in SETS for keys in keymap(KeyChoice(one.id)).values() for key in keys
    }
    named = {(page.name, code) for page in (*PAGES, COMING) for code in _codes(_text(page))}
    words = re.compile(r"[a-z][a-z_ -]+")  # a command, no key
    assert {
        (page, code) for page, code in named
        if code.upper() not in {key.upper() for key in known | HELD | IN_3D}
        and not words.fullmatch(code)
    } == set()  # fmt: skip


def test_every_key_of_the_program_is_explained() -> None:
    told = {code for page in PAGES for code in _codes(_text(page))} | {"`"}
    told |= {f"{held}+{n}" for held in ("Alt", "Shift") for n in range(1, 10)}  # "1 to 9"
    missing = {
        one.id: one.keys for one in ACTIONS
        if one.keys and one.id not in LATER and told.isdisjoint(map(_written, one.keys))
    }  # fmt: skip
    assert missing == {}
