"""Shows a file in the desktop's file manager, without a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote

from pspc.errors import SetupError, SourceError
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECONDS = 10.0
_NAME = "org.freedesktop.FileManager1"
_OBJECT = "/org/freedesktop/FileManager1"


def show(path: bytes, environ: Mapping[str, str]) -> None:
    """Open a file's folder, with the file chosen where the file manager can do that.

    Raises:
        SourceError: The file is gone.
        SetupError: There is no desktop, or nothing that opens a folder.
    """
    if not os.path.lexists(path):
        raise SourceError(f"{quoted(path)} is not there any more")
    commands = list(_commands(path, environ))
    if not any(_succeeds(command) for command in commands):
        raise SetupError("there is no desktop here that opens a folder")


def _commands(path: bytes, environ: Mapping[str, str]) -> Iterator[list[str | bytes]]:
    """Yield what may do it, the best first."""
    if sys.platform == "darwin":
        yield ["open", "-R", path]
        return
    # A quote or a comma would end a word of theirs; all but letters, digits and `/_.-~` is escaped.
    address = f"file://{quote(path)}"
    if shutil.which("gdbus"):
        yield [
            *("gdbus", "call", "--session", "--dest", _NAME, "--object-path", _OBJECT),
            *("--method", f"{_NAME}.ShowItems", f"['{address}']", ""),
        ]
    if shutil.which("dbus-send"):
        yield [
            *("dbus-send", "--session", "--print-reply", f"--dest={_NAME}", _OBJECT),
            *(f"{_NAME}.ShowItems", f"array:string:{address}", "string:"),
        ]
    has_screen = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    if has_screen and shutil.which("xdg-open"):
        yield ["xdg-open", os.path.dirname(path)]


def _succeeds(command: list[str | bytes]) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
