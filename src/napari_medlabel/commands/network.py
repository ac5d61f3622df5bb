"""Proof that the network is not there: every module of ours, read and searched for clients."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

__all__ = ["CLIENTS", "modules_that_connect"]

CLIENTS: Final = frozenset({
    "PyQt6.QtNetwork", "PySide6.QtNetwork", "aiohttp", "boto3", "fsspec", "ftplib", "gcsfs", "grpc",
    "http", "httpx", "huggingface_hub", "imaplib", "paramiko", "pooch", "poplib", "qtpy.QtNetwork",
    "requests", "s3fs", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib.request",
    "urllib3", "websocket", "websockets", "wget", "xmlrpc", "zmq",
})  # fmt: skip


def modules_that_connect(folder: Path | None = None) -> list[str]:
    """Modules of this program that import a network client anywhere, with the client's name."""
    root = folder or Path(__file__).parents[1]
    return [
        f"{path.relative_to(root)}: {name}"
        for path in sorted(root.rglob("*.py"))
        for name in _imported(ast.parse(path.read_text(encoding="utf-8")))
        if any(name == client or name.startswith(f"{client}.") for client in CLIENTS)
    ]


def _imported(tree: ast.AST) -> Iterator[str]:
    """Every name that is imported, inside functions too, or handed to `import_module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
            yield from (
                a.value
                for a in node.args
                if isinstance(a, ast.Constant) and isinstance(a.value, str)
            )


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
