"""The network guard: a test in which anything in this process reaches for a network fails.

Python tells its audit hooks of every connection, datagram and name look-up before it happens,
whichever library asks. The guard refuses all but the local sockets of the screen (X), of the
desktop (D-Bus) and of `multiprocessing`, and remembers what it refused, so that a library that
swallows the error is found all the same. `install()` guards any other process in the same way.
"""

import multiprocessing.util
import os
import re
import socket  # noqa: TID251  # to know an address's family
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

_ASKS = {
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostbyaddr",
    "socket.gethostbyname",
    "socket.getnameinfo",
    "socket.sendmsg",
    "socket.sendto",
    "socket.bind",
}
_LOCAL = re.compile(r"\0?/tmp/\.X11-unix/X\d+|\0?/tmp/dbus-\w+|/run/(user/\d+/bus|dbus/\S+)")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class NetworkForbidden(OSError):
    """Something reached for a network."""


_refused: list[str] = []
_installed = False


def install() -> None:
    """Guard this process from now on; an audit hook cannot be taken away again."""
    global _installed  # noqa: PLW0603  # one hook for each process
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)


def take_refused() -> list[str]:
    """What was refused since the last time, with the lines of code that asked."""
    taken = _refused.copy()
    _refused.clear()
    return taken


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event in _ASKS and not _allowed(event, args):
        what = f"{event}{args[1:] if isinstance(args[0], socket.socket) else args}"
        _refused.append(f"{what}\n{''.join(traceback.format_stack(limit=12)[:-1])}")
        raise NetworkForbidden(f"no test may reach for a network: {what}")


def _allowed(event: str, args: tuple[object, ...]) -> bool:
    if not isinstance(args[0], socket.socket):
        return False  # a name look-up
    address = args[1] if len(args) > 1 else None
    if args[0].family == socket.AF_UNIX:
        return _is_local(address)
    # Some libraries bind a loopback port at import to learn whether there is IPv6: nothing is sent.
    return event == "socket.bind" and isinstance(address, tuple) and address[0] in _LOOPBACK


def _is_local(address: object) -> bool:
    if address in ("", b"", None):
        return True  # a connected pair within this process
    path = os.fsdecode(address) if isinstance(address, str | bytes) else ""
    own = Path(multiprocessing.util.get_temp_dir())
    of_ours = Path(path).is_relative_to(own) or Path(path).parent.name.startswith("pymp-")
    named = path and path in os.environ.get("DBUS_SESSION_BUS_ADDRESS", "")
    return bool(of_ours or named or _LOCAL.fullmatch(path))


def _fail_if_refused(when: str) -> None:
    if refused := take_refused():
        pytest.fail(f"the network was asked for {when}:\n\n" + "\n".join(refused), pytrace=False)


def pytest_configure() -> None:
    install()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    _fail_if_refused(f"before {item.nodeid}")
    yield
    _fail_if_refused("while the test was set up")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    yield
    _fail_if_refused("by this test")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    yield
    _fail_if_refused("while the test was torn down")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if refused := take_refused():
        sys.stderr.write("the network was asked for outside a test:\n" + "\n".join(refused))
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
