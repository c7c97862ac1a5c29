"""Starts the daemon when none runs, as tmux and watchman do, and waits until it answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from pspc.errors import StartFailed, TooSlow, Unreachable
from pspc.processes import log_path
from pspc.transport import Transport, is_running
from pspd.rpc import wire
from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import BinaryIO

START_SECONDS = 10.0
"""How long a daemon may take to answer; it maps its store, which takes a second or two at most."""

MAX_LOG_BYTES = 8 << 20
"""A log longer than this is put aside when the daemon is started, in place of the one before."""

_ANOTHER_RUNS = 75
"""The exit status of a daemon that found its store held by another (`pspd.errors`)."""

_MISCONFIGURED = 78
"""The exit status of a daemon that cannot run as it is configured; it says all that is wrong."""

_RELAUNCH_SECONDS = 0.5
_PROBE_INTERVAL = 0.02
_TAIL_BYTES = 4096

_COMMAND = (sys.executable, "-m", "pspd")


def ensure_running(
    environ: Mapping[str, str],
    *,
    command: Sequence[str] = _COMMAND,
    seconds: float = START_SECONDS,
) -> bool:
    """Start the daemon unless it runs; return whether it was started here.

    Args:
        environ: The environment the daemon gets, which also says where it listens.
        command: What to run.
        seconds: How long it may take until it answers.

    Raises:
        StartFailed: it ended at once; the error has what it said.
        TooSlow: it does not answer in time.
    """
    if is_running(environ, seconds):
        return False
    deadline = time.monotonic() + seconds
    path = log_path(environ)
    with _open_log(path) as log:
        begin = log.tell()
        while (status := _await_start(command, environ, log, deadline)) == _ANOTHER_RUNS:
            # The other one ended before it could be reached: it is our turn again.
            continue
    if status is not None:
        raise StartFailed(_said(path, begin, status))
    is_silent = not is_running(environ)
    if not is_silent:
        is_silent = not _greets(environ, max(0.0, deadline - time.monotonic()))
    if is_silent:
        raise TooSlow(f"pspd does not answer after {seconds:g} s; its log is {quoted(path)}")
    return True


def _open_log(path: str) -> BinaryIO:
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        if os.path.exists(path) and os.path.getsize(path) > MAX_LOG_BYTES:
            os.replace(path, f"{path}.old")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unreachable(f"cannot write pspd's log {quoted(path)}: {error.strerror}") from error
    log = os.fdopen(descriptor, "ab", buffering=0)
    log.seek(0, os.SEEK_END)
    return log


def _await_start(
    command: Sequence[str], environ: Mapping[str, str], log: BinaryIO, deadline: float
) -> int | None:
    """Launch once; return the status it ended with, None once one listens or time is over."""
    process = _launch(command, environ, log)
    # A daemon that found another one at work leaves it some time to listen.
    end = min(deadline, time.monotonic() + _RELAUNCH_SECONDS)
    while not is_running(environ):
        now = time.monotonic()
        status = process.poll()
        if now >= deadline or status not in {None, _ANOTHER_RUNS}:
            break
        if status == _ANOTHER_RUNS and now >= end:
            return status
        time.sleep(_PROBE_INTERVAL)
    status = process.poll()
    # It outlives us; a Popen that believes otherwise warns when it is collected.
    process.returncode = 0
    return None if is_running(environ) or status == _ANOTHER_RUNS else status


def _launch(
    command: Sequence[str], environ: Mapping[str, str], log: BinaryIO
) -> subprocess.Popen[bytes]:
    home = environ.get("PSP_HOME")
    absolute = {"PSP_HOME": os.path.abspath(home)} if home else {}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        # Keeps no file system busy; and `python -m` would import from the current folder first.
        cwd="/",
        env={**environ, **absolute},
    )


def _said(path: str, begin: int, status: int) -> list[str]:
    """Return what was logged last, after byte `begin`: of a configuration, all its mistakes."""
    with open(path, "rb") as log:
        log.seek(max(begin, os.path.getsize(path) - _TAIL_BYTES))
        lines = log.read().decode("utf-8", "backslashreplace").split("\n")
    said = [line.rstrip() for line in lines if line.strip()]
    if not said:
        return [f"it ended with status {status} and said nothing"]
    return said if status == _MISCONFIGURED else [said[-1].strip()]


def _greets(environ: Mapping[str, str], seconds: float) -> bool:
    transport = Transport(*wire.socket_paths(environ))
    try:
        transport.request(wire.Hello("pspc"), timeout=seconds)
    except TooSlow:
        return False
    finally:
        transport.close()
    return True
