"""Where the daemon listens: both sides derive it from the environment alone."""

from __future__ import annotations

import os
from collections.abc import Mapping

from pspd.rpc.wire.text import quoted

SOCKET_NAME = "pspd.sock"
EVENTS_SOCKET_NAME = "pspd-events.sock"

MAX_SOCKET_PATH = 107 if os.uname().sysname == "Linux" else 103
"""Bytes a socket's path may have: `sun_path` less its NUL (unix(7): 108, BSD and macOS: 104)."""


def runtime_directory(environ: Mapping[str, str]) -> str:
    """Return the directory of the sockets.

    It is $PSP_HOME, or $XDG_RUNTIME_DIR/psp, or psp-UID in the temporary folder.
    """
    home = environ.get("PSP_HOME")
    if home:
        return os.path.abspath(home)
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return os.path.join(runtime, "psp")
    # Anybody may make this name before the user does: both sides check who owns what lies there.
    shared = environ.get("TMPDIR") or "/tmp"  # noqa: S108 - as the line above says
    return os.path.join(shared, f"psp-{os.getuid()}")


def socket_paths(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the default paths of the request socket and of the events socket."""
    directory = runtime_directory(environ)
    return os.path.join(directory, SOCKET_NAME), os.path.join(directory, EVENTS_SOCKET_NAME)


def socket_address(path: str) -> str:
    """Return the ZeroMQ address of the socket at `path`."""
    return f"ipc://{path}"


def socket_path_problem(path: str) -> str:
    """Say in one sentence why no socket can lie at `path`; empty when one can.

    Both sides ask before they use a path: libzmq and the system would only say "invalid".
    """
    if not os.path.isabs(path):
        return f"the socket's path must be absolute: {quoted(path)}"
    length = len(os.fsencode(path))
    if length > MAX_SOCKET_PATH:
        return (
            f"the socket's path has {length} bytes, and this system allows {MAX_SOCKET_PATH}: "
            f"{quoted(path)}; set PSP_HOME or XDG_RUNTIME_DIR to a shorter folder"
        )
    try:
        path.encode()
    except UnicodeEncodeError:
        return f"the socket's path must be UTF-8, ZeroMQ takes no other: {quoted(path)}"
    return ""
