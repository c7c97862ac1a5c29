"""Reads an image from the clipboard, by the programs each desktop has for that."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from pspc.errors import SetupError, SourceError
from pspc.sources import checked, read_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SECONDS = 10.0
_FILE_LIST = "text/uri-list"
_PREFERRED = ("image/png", "image/jpeg", "image/webp")
"""Formats that lose nothing first; any other image/… comes after."""


def read_clipboard(environ: Mapping[str, str] = os.environ) -> bytes:
    """Return the image in the clipboard, or that of the file copied there.

    Raises:
        SetupError: the program that reads it is not installed; the sentence names it.
        SourceError: there is no image in it.
    """
    if sys.platform == "darwin":
        return _read_macos()
    if environ.get("WAYLAND_DISPLAY"):
        program = _program("wl-paste", "wl-clipboard")
        return _read_typed(
            [program, "--list-types"], lambda kind: [program, "--no-newline", "--type", kind]
        )
    if environ.get("DISPLAY"):
        base = [_program("xclip", "xclip"), "-selection", "clipboard", "-o", "-t"]
        return _read_typed([*base, "TARGETS"], lambda kind: [*base, kind])
    raise SetupError("there is no clipboard: neither WAYLAND_DISPLAY nor DISPLAY is set")


def file_of_uri_list(data: bytes) -> bytes | None:
    """Return the path of the first local file in a text/uri-list (RFC 2483); None without one."""
    for line in data.splitlines():
        found = re.fullmatch(rb"file://(?:localhost)?(/.*)", line.strip())
        if found:
            return unquote_to_bytes(found[1])
    return None


def _read_typed(list_types: Sequence[str], read_type: Callable[[str], Sequence[str]]) -> bytes:
    offered = _output(list_types).decode("utf-8", "replace").split()
    # A copied file first: what a file manager offers as an image beside it is the file's icon.
    if _FILE_LIST in offered:
        path = file_of_uri_list(_output(read_type(_FILE_LIST)))
        if path is not None:
            return read_path(path)
    images = [kind for kind in offered if kind.startswith("image/")]
    for kind in (*_PREFERRED, *images):
        if kind in images:
            return checked(_output(read_type(kind)))
    raise SourceError("it holds no image")


def _read_macos() -> bytes:
    if shutil.which("pngpaste"):
        return checked(_output(["pngpaste", "-"]))
    answer = _output(["osascript", "-e", "the clipboard as «class PNGf»"])
    found = re.search(rb"PNGf([0-9A-F]+)", answer)
    if not found:
        raise SourceError("it holds no image")
    return checked(bytes.fromhex(found[1].decode()))


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SetupError(f"{name} reads the clipboard and is not installed; install {package}")
    return found


def _output(command: Sequence[str]) -> bytes:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=True,
        )
    except subprocess.CalledProcessError as error:
        # wl-paste and xclip end so when the clipboard is empty.
        raise SourceError("it holds no image") from error
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"{os.path.basename(command[0])} does not answer") from error
    except OSError as error:
        raise SetupError(f"{command[0]} does not run: {error.strerror}") from error
    return done.stdout
