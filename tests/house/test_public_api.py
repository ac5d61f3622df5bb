"""The public Python API, name by name and signature by signature, as in tests/public_api.txt.

A change of the API is a line in that file's diff. To write it anew:

    python -m tests.house.test_public_api
"""

import ast
import difflib
import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import napari_medlabel

PINNED = Path(__file__).parents[1] / "public_api.txt"


def describe() -> str:
    """Every public name with its signature as written in the source, one line for each."""
    return (
        "\n".join(line for name in sorted(napari_medlabel.__all__) for line in _lines(name)) + "\n"
    )


def _lines(name: str) -> Iterator[str]:
    value = getattr(napari_medlabel, name)
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"class {name}({bases})" if bases else f"class {name}"
        for owner in reversed(value.__mro__):
            if owner.__module__.split(".")[0] == napari_medlabel.__name__:
                yield from _members(owner, name)
    elif inspect.isfunction(value):
        yield from (_function(node, name) for node in _tree(value).body if _is_function(node))
    else:
        yield f"{name}: {type(value).__name__}"


def _members(owner: type, name: str) -> Iterator[str]:
    (node,) = _tree(owner).body
    assert isinstance(node, ast.ClassDef)
    for member in node.body:
        if isinstance(member, ast.AnnAssign) and _is_public(ast.unparse(member.target)):
            yield f"{name}.{ast.unparse(member)}"
        elif _is_function(member) and _is_public(member.name):
            kinds = [ast.unparse(kind) for kind in member.decorator_list]
            yield f"{_function(member, f'{name}.{member.name}')}{'  @' if kinds else ''}" + (
                " @".join(kinds)
            )


def _function(node: ast.FunctionDef, name: str) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{name}({ast.unparse(node.args)}){returns}"


def _tree(value: object) -> ast.Module:
    return ast.parse(textwrap.dedent(inspect.getsource(value)))  # type: ignore[arg-type]


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef)


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.endswith("__") and name != "__post_init__")


def test_the_public_api_is_the_pinned_one() -> None:
    pinned, now = PINNED.read_text(encoding="utf-8"), describe()
    diff = difflib.unified_diff(pinned.splitlines(), now.splitlines(), "pinned", "now", lineterm="")
    changed = "\n".join(diff)
    assert not changed, f"the public API changed; if meant: {__doc__}\n{changed}"


if __name__ == "__main__":
    PINNED.write_text(describe(), encoding="utf-8")
