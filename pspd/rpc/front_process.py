"""`python -P -m pspd.rpc.front_process`: a front within limits, for as long as its daemon lives.

Started by `front_keeper`; the settings are a line on standard input, whose end is the daemon's end.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Final

from pspd import log
from pspd.errors import AddressError
from pspd.rpc import link
from pspd.rpc.front import Front

MAX_MEMORY: Final = 320 << 20
"""Data that a front may hold, in bytes: the largest query image, and some room. Measured: 26 MB
when it has started."""

OPEN_FILES: Final = 65_536
"""Descriptors it asks for; each connection is one."""


def main() -> int:
    """Run until the daemon says so or is gone; returns the exit status."""
    _ignore_signals()
    most_files = _limit()
    line = sys.stdin.buffer.readline()
    if not line:
        return 0
    settings = link.decode_settings(line)
    log.configure(settings.log_level, settings.log_format, sys.stderr, os.environ)
    os.umask(0o077)
    os.set_blocking(sys.stdout.fileno(), False)
    front = Front(settings, most_files=most_files)
    try:
        endpoints = front.open()
    except AddressError as error:
        _tell(link.encode(link.Report(problem=str(error))))
        return error.exit_status
    _tell(link.encode(link.Report(endpoints)))
    # What is there by now stays; to look through it for cycles held up a request for 3 ms.
    gc.freeze()
    return _serve(front)


def _serve(front: Front) -> int:
    is_last_word = False
    try:
        is_last_word = front.serve(sys.stdin.fileno(), _tell)
    except AddressError as error:
        sys.stderr.write(f"pspd: a front lets its connections go: {error}\n")
        return error.exit_status
    finally:
        front.close(is_last_word=is_last_word)
    return 0


def _ignore_signals() -> None:
    # The terminal and systemd signal the whole group; the daemon says when it is over.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _limit() -> int:
    """Limit the process; returns how many descriptors it may open."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    with suppress(ValueError, OSError):  # macOS has a further limit, which it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    # Not RLIMIT_AS: malloc reserves 64 MiB of addresses a thread, and uses a fraction.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY, MAX_MEMORY))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return OPEN_FILES if soft == resource.RLIM_INFINITY else soft


def _tell(line: bytes) -> None:
    # A daemon that is stopped reads nothing, which must not stop the front.
    with suppress(BlockingIOError, BrokenPipeError):
        os.write(sys.stdout.fileno(), line)


if __name__ == "__main__":
    sys.exit(main())
