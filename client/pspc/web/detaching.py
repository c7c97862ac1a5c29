"""A process that stays in the background, and what it says first."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from pspc.errors import SetupError
from pspc.web.token_file import state_folder
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import IO

LOG_NAME = "web.log"


def detach(words: Sequence[str], environ: Mapping[str, str]) -> str:
    """Start `pspc` in the background; returns its first line, once it says that.

    Args:
        words: The command line.
        environ: The environment that it gets.

    Raises:
        SetupError: It ended before it said anything.
    """
    path = os.path.join(state_folder(environ), LOG_NAME)
    log = _open_log(path)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "pspc", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            # Keeps no file system busy; and `python -m` would import from the current folder first.
            cwd="/",
            env={**environ, **_absolute_home(environ)},
        )
    finally:
        os.close(log)
    said = _first_line(process.stdout)
    if not said:
        status = process.wait()
        raise SetupError(_why(path, status))
    # It outlives us; a Popen that believes otherwise warns when it is collected.
    process.returncode = 0
    return said


def _open_log(path: str) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise SetupError(f"the log {quoted(path)} cannot be written: {error.strerror}") from error


def _absolute_home(environ: Mapping[str, str]) -> dict[str, str]:
    home = environ.get("PSP_HOME")
    return {"PSP_HOME": os.path.abspath(home)} if home else {}


def _first_line(stream: IO[bytes] | None) -> str:
    assert stream is not None, "it was asked for"
    with stream:
        return stream.readline().decode("utf-8", "replace").strip()


def _why(path: str, status: int) -> str:
    with open(path, "rb") as log:
        lines = log.read().decode("utf-8", "backslashreplace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    if not said:
        return f"it ended with status {status} and said nothing"
    return said[-1].removeprefix("pspc: ")
