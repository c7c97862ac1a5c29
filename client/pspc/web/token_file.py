"""The permanent token: a file of the user's alone, made when it is missing."""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from pspc.deciding.files import move
from pspc.errors import SetupError
from pspc.processes import log_path
from pspc.web.sessions import SECRET_BYTES
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "web-token"

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600
_OTHERS = 0o077
_MOST_BYTES = 256
_TOKEN = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}\n?")


def state_folder(environ: Mapping[str, str]) -> str:
    """Return where the gateway keeps its files, and the daemon its log."""
    return os.path.dirname(os.path.abspath(log_path(environ)))


def permanent_token(environ: Mapping[str, str]) -> str:
    """Return the token; made now when there is none.

    Raises:
        SetupError: It cannot be read or made, or others can read it.
    """
    folder = state_folder(environ)
    path = os.path.join(folder, NAME)
    try:
        os.makedirs(folder, mode=_PRIVATE_FOLDER, exist_ok=True)
        while (token := _read(path)) is None:
            _make(path)
    except OSError as error:
        raise SetupError(f"the token {quoted(path)} cannot be kept: {error.strerror}") from error
    return token


def _read(path: str) -> str | None:
    """Return what the file has; None where there is none."""
    text = read_private(path, _MOST_BYTES)
    if text is None:
        return None
    if not _TOKEN.fullmatch(text):
        raise SetupError(f"{quoted(path)} has no token in it; remove it, and another one is made")
    return text.strip()


def read_private(path: str, most: int) -> str | None:
    """Return the text of a small file that nobody else can read; None where there is none.

    Raises:
        SetupError: It is no file of this user's, or others can read it.
        OSError: It cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid():
            raise SetupError(f"{quoted(path)} is no file of yours")
        if status.st_mode & _OTHERS:
            raise SetupError(
                f"{quoted(path)} can be read by others; remove it, or: chmod 600 {quoted(path)}"
            )
        return file.read(most).decode("utf-8", "replace")


def _make(path: str) -> None:
    """Make the file, whole or not at all, unless somebody else is sooner."""
    passing = f"{path}.{secrets.token_hex(8)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(passing, flags, _PRIVATE_FILE)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, _PRIVATE_FILE)
            file.write(secrets.token_hex(SECRET_BYTES).encode("ascii") + b"\n")
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            move(os.fsencode(passing), os.fsencode(path))
    finally:
        with suppress(FileNotFoundError):
            os.unlink(passing)
