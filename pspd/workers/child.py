"""A worker as a child process: what it is given of our environment, how it ends, its last words.

Child          started by us, with an environment of its own
ForkedChild    forked by a template, and a child of ours all the same
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO, Final

END_SECONDS: Final = 5.0
"""How long to wait for a killed process: one that hangs in a disk's read dies when that returns."""

_KEPT_VARIABLES: Final = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LC_CTYPE"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONUTF8"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"),
)
"""What an interpreter needs to find its modules; secrets in the environment stay here."""

_KEPT_MEMORY: Final = {
    "MALLOC_TRIM_THRESHOLD_": str(64 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
}
"""What glibc keeps for the next picture instead of giving it back to the system, which clears each
page anew: an eighth of the time of progressive JPEGs. It goes so far by itself, but only once it
has freed 32 MB at once. Other libraries do not know these."""

_FIRST_PAUSE: Final = 0.0005
_LONGEST_PAUSE: Final = 0.05
"""Between two looks at whether a process has ended; as in `subprocess`."""

_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""There are as many workers as wanted already, and each thread's stack is address space."""


class Child:
    """A process that shares nothing with this one but the other end of a socket.

    Args:
        command: What to execute; the number of the socket's descriptor is appended.
        descriptor: The socket's.

    Raises:
        OSError: It cannot be started.
    """

    template: Final = None
    """Forked by none."""

    def __init__(self, command: Sequence[str], descriptor: int) -> None:
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        self._errors = _scratch_file()
        try:
            self._process = subprocess.Popen(
                [*command, str(descriptor)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd="/",
                env=environment | _ONE_THREAD | _KEPT_MEMORY,
                pass_fds=(descriptor,),
                # Ctrl-C in a terminal is for the daemon.
                start_new_session=True,
            )
        except BaseException:
            self._errors.close()
            raise

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self, seconds: float = END_SECONDS) -> None:
        """End it, and wait for its end for so long at most; any thread may."""
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def end_status(self) -> int | None:
        """Wait a little for its end; returns its status, None when it goes on."""
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return None

    def last_words(self) -> str:
        """Return the end of what it wrote to its standard error, as one line; "" if forgotten."""
        try:
            self._errors.seek(0)
            words = self._errors.read()
        except ValueError:
            # Closed, perhaps between the two: a template's end does not wait for its workers.
            return ""
        lines = words.decode("utf-8", "replace").strip().splitlines()
        return " / ".join(line.strip() for line in lines[-3:])

    def forget_words(self) -> None:
        """Keep nothing of what it wrote; it may be called twice."""
        self._errors.close()


class ForkedChild:
    """A process that somebody else forked, with us as its parent.

    Args:
        pid: Its process id. Until somebody here has waited for its end nobody else can have it.
        last_words: Returns what whoever forked it wrote to their common standard error.
        template: Which template that was.
    """

    def __init__(self, pid: int, last_words: Callable[[], str], template: int) -> None:
        self.pid = pid
        self.last_words = last_words
        self.template = template
        self._lock = threading.Lock()
        self._status: int | None = None

    def kill(self, seconds: float = END_SECONDS) -> None:
        """As of `Child`."""
        with self._lock:
            if self._look() is None:
                # Not where the system waits by itself, as for who ignores SIGCHLD.
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)
        self._wait(seconds)

    def end_status(self) -> int | None:
        """As of `Child`."""
        return self._wait(END_SECONDS)

    def forget_words(self) -> None:
        """Keep nothing; it has nothing of its own."""

    def _wait(self, seconds: float) -> int | None:
        """Wait for its end for so long; return its status, None when it goes on."""
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        while (status := self._poll()) is None and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)
        return status

    def _poll(self) -> int | None:
        with self._lock:
            return self._look()

    def _look(self) -> int | None:
        """Return its status if it has ended; under the lock."""
        if self._status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Somebody else has waited; `subprocess` calls that a good end as well.
                pid, status = self.pid, 0
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status


def _scratch_file() -> IO[bytes]:
    """Open a file without a name; in memory where that can be: a hardened unit has no /tmp."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("pspd-worker-errors", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()
