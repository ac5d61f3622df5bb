"""The network is not there: not in the source, not while the main job runs, not for the kernel."""

import ast
import ctypes
import errno
import os
import platform
import socket  # noqa: TID251  # the guard and the wall are tried out with it
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins import no_network

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

FORBIDDEN_MODULES = {
    *("socket", "ssl", "http", "urllib.request", "urllib.robotparser", "ftplib", "smtplib"),
    *("poplib", "imaplib", "nntplib", "telnetlib", "socketserver", "xmlrpc", "wsgiref"),
    *("webbrowser", "multiprocessing.managers", "multiprocessing.connection"),
    *("requests", "httpx", "httplib2", "aiohttp", "urllib3", "fsspec", "s3fs", "gcsfs", "boto3"),
    *("botocore", "paramiko", "websocket", "websockets", "tornado", "zmq", "grpc", "pooch"),
    *("huggingface_hub", "pyconify", "distributed", "dask", "torch.hub", "monai.apps"),
    *("PySide6.QtNetwork", "PySide6.QtWebEngineWidgets", "qtpy.QtNetwork", "qtpy.QtWebSockets"),
}
FORBIDDEN_NAMES = {
    *("open_connection", "open_unix_connection", "start_server", "create_connection"),
    *("create_server", "create_datagram_endpoint", "sock_connect"),  # asyncio
    *("FsspecStore", "ObjectStore", "from_url"),  # zarr
    *("QNetworkAccessManager", "QTcpSocket", "QUdpSocket", "QWebSocket"),
    *("SocketHandler", "DatagramHandler", "SysLogHandler", "SMTPHandler", "HTTPHandler"),  # logging
    *("urlopen", "urlretrieve", "download_url", "download_and_extract", "load_from_http"),
}
FORBIDDEN_PROGRAMS = {"curl", "wget", "ssh", "scp", "rsync", "nc", "ftp"}


def reaches(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything in a module that leads to a network."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            names += [alias.name for alias in node.names if alias.name in FORBIDDEN_NAMES]
        elif isinstance(node, ast.Attribute):
            names = [node.attr] if node.attr in FORBIDDEN_NAMES else []
        elif isinstance(node, ast.Call) and _called(node) in {"import_module", "__import__"}:
            names = [arg.value for arg in node.args if _is_text(arg)]
        elif isinstance(node, ast.List | ast.Tuple):  # a command to run
            names = [
                e.value for e in node.elts[:1] if _is_text(e) and e.value in FORBIDDEN_PROGRAMS
            ]
        yield from ((node.lineno, name) for name in names if _is_forbidden(name))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_forbidden(name: str) -> bool:
    parts = name.split(".")
    prefixes = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return bool(prefixes & FORBIDDEN_MODULES) or name in FORBIDDEN_NAMES | FORBIDDEN_PROGRAMS


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "def f():\n    from urllib import request",
        "import http.client as harmless",
        "from importlib import import_module\nimport_module('ssl')",
        "__import__('requests')",
        "import asyncio\nasyncio.open_connection('h', 1)",
        "import subprocess\nsubprocess.run(['curl', 'x'])",
        "from zarr.storage import FsspecStore",
    ],
)
def test_the_search_finds_a_way_to_the_network(source: str) -> None:
    assert list(reaches(ast.parse(source)))


def test_no_source_file_leads_to_a_network() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in SOURCES
        for line, name in reaches(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_slow_libraries_are_imported_only_inside_functions() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
        if name.split(".")[0] in {"torch", "monai"}
    ]
    assert found == []


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("127.0.0.1", 9)])
def test_the_guard_refuses_a_connection_and_remembers_it(address: tuple[str, int]) -> None:
    with socket.socket() as client, pytest.raises(no_network.NetworkForbidden):
        client.connect(address)
    assert "test_the_guard_refuses" in "".join(no_network.take_refused())


def test_the_guard_refuses_a_look_up() -> None:
    with pytest.raises(no_network.NetworkForbidden):
        socket.getaddrinfo("example.org", 80)
    assert no_network.take_refused()


# The main job, in a process of its own: guarded, and where the kernel can, behind a wall. There
# the kernel gives out no internet socket, whatever language asks.

MAIN_JOB = """
import sys
from tests.plugins import no_network
from tests.house import test_no_network
no_network.install()
if sys.argv.pop(1) == "wall":
    test_no_network.forbid_internet_sockets()
from napari_medlabel.cli import main
code = main(sys.argv[1:])
sys.stderr.write("".join(no_network.take_refused()))
sys.exit(code)
"""

# linux/seccomp.h, linux/filter.h and linux/audit.h
_ARCHITECTURES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EAFNOSUPPORT
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2


def forbid_internet_sockets() -> None:
    """From now on the kernel gives this process and its children no internet socket."""
    architecture, socket_call = _ARCHITECTURES[platform.machine()]
    program = [
        (_LOAD, 0, 0, 4),  # the architecture
        (_JUMP_IF_EQUAL, 0, 6, architecture),
        (_LOAD, 0, 0, 0),  # the system call
        (_JUMP_IF_EQUAL, 0, 4, socket_call),
        (_LOAD, 0, 0, 16),  # its first argument: the family
        (_JUMP_IF_EQUAL, 1, 0, socket.AF_INET),
        (_JUMP_IF_EQUAL, 0, 1, socket.AF_INET6),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]

    class Instruction(ctypes.Structure):
        _fields_ = (
            ("code", ctypes.c_uint16),
            ("if_true", ctypes.c_uint8),
            ("if_false", ctypes.c_uint8),
            ("value", ctypes.c_uint32),
        )

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.POINTER(Instruction)))

    instructions = (Instruction * len(program))(*(Instruction(*line) for line in program))
    wall = Program(len(program), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for call in (
        (_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(wall), 0, 0),
    ):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the kernel takes no filter of system calls")


def python(code: str, *argv: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a new Python at home in a folder of its own."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        **{f"XDG_{kind}_HOME": str(home / kind) for kind in ("DATA", "CONFIG", "CACHE", "STATE")},
    }
    return subprocess.run(
        [sys.executable, "-c", code, *argv],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
        env=environment,
        timeout=240,
    )


@pytest.fixture(scope="session")
def wall(tmp_path_factory: pytest.TempPathFactory) -> str:
    """`wall` where the kernel takes filters of system calls, `no wall` elsewhere."""
    if sys.platform != "linux" or platform.machine() not in _ARCHITECTURES:
        return "no wall"
    code = "from tests.house.test_no_network import *; forbid_internet_sockets()"
    refused = python(code, home=tmp_path_factory.mktemp("wall")).returncode
    return "no wall" if refused else "wall"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6"])
def test_behind_the_wall_there_is_no_internet_socket(
    wall: str, tmp_path: Path, family: str
) -> None:
    if wall == "no wall":
        pytest.skip("this kernel takes no filter of system calls")
    code = "from tests.house.test_no_network import *; forbid_internet_sockets(); socket.socket"
    refused = python(f"{code}(socket.{family})", home=tmp_path)
    allowed = python(f"{code}pair()", home=tmp_path)
    assert f"[Errno {errno.EAFNOSUPPORT}]" in refused.stderr
    assert allowed.returncode == 0, allowed.stderr


def test_the_main_job_asks_for_no_network(wall: str, tmp_path: Path) -> None:
    done = python(MAIN_JOB, wall, "demo", "demo-out", home=tmp_path)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
