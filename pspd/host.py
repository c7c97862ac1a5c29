"""What the daemon needs of its process and of the system: signals, limits, private folders."""

from __future__ import annotations

import os
import resource
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pspd.errors import AddressError
from pspd.log import get_logger
from pspd.rpc.wire import quoted

OPEN_FILES = 65_536
"""Descriptors the daemon asks for: libzmq ends the process when an ipc listener has none left."""

SWITCH_SECONDS = 5e-5
"""How long a thread of pure Python keeps the interpreter from others that wait for it. numpy gives
it up in every call and gets it back only after this time when such a thread is busy: a scan over a
million hashes took 246 ms so at the default of 5 ms, and takes 6 ms at this (alone: 0.7 ms)."""

_log = get_logger(__name__)


class StopSignal:
    """Tells the main thread to end; may be set by signal handlers and from any thread.

    A pipe, not a `threading.Event`: a handler that runs while the main thread is inside
    `Event.wait` would wait for a lock that its own thread holds.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)

    @property
    def descriptor(self) -> int:
        """A byte that is written to it asks for the end."""
        return self._writer

    def set(self) -> None:
        """Ask for the end; again is no error."""
        with suppress(BlockingIOError):
            os.write(self._writer, b"\0")

    def wait(self, seconds: float | None) -> bool:
        """Wait for it, for so long at most, None for ever; returns whether it was set."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        return bool(ready)


def prepare_process(stop: StopSignal) -> None:
    """Set what holds for the whole process: umask, threads, signals, descriptors."""
    os.umask(0o077)
    sys.setswitchinterval(SWITCH_SECONDS)
    # Python runs a handler when the main thread comes back to it, be that from a disk that hangs;
    # this byte is written at once.
    signal.set_wakeup_fd(stop.descriptor, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    # A broken lease is told by SIGIO, which ends a process that does not expect it.
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # macOS has a further limit, which it does not tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def seconds_left(deadline: float, most: float = threading.TIMEOUT_MAX) -> float:
    """Return how long to wait for a moment of `time.monotonic()`: from 0 to `most` seconds."""
    return max(0.0, min(most, deadline - time.monotonic()))


@contextmanager
def watched_threads(stop: StopSignal, deaths: list[str]) -> Iterator[None]:
    """End the daemon when one of its own threads dies: a part alone would only hang its clients.

    The supervised parts are started again and never die here. The names of those that did are put
    into `deaths`. A notifier's threads are not the daemon's own: the watcher replaces them.
    """
    previous = threading.excepthook

    def note(arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread is not None else "?"
        if arguments.exc_value is not None:
            _log.traceback("a thread died", arguments.exc_value, thread=name)
        if name.startswith(("pspd-", "rpc-")):
            deaths.append(name)
            stop.set()

    threading.excepthook = note
    try:
        yield
    finally:
        threading.excepthook = previous


def make_private(folder: Path) -> None:
    """Make a folder for the user alone, or see that nobody else can put anything into it.

    Raises:
        AddressError: It cannot be made; or others could put their own socket or store there.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise AddressError(
            f"{quoted(str(folder))} cannot be made: {error.strerror}; "
            "choose another folder by PSP_HOME"
        ) from error
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise AddressError(
            f"{quoted(str(folder))} belongs to another user or can be written by others; "
            f"choose another folder by PSP_HOME, or: chmod go-w {quoted(str(folder))}"
        )


def usable_cores() -> int:
    """Count the processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
