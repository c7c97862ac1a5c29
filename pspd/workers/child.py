"""A worker as a child process: what it is given of our environment, how it ends, its last words."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
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
        """Return the end of what it wrote to its standard error, as one line."""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return " / ".join(line.strip() for line in lines[-3:])

    def forget_words(self) -> None:
        """Keep nothing of what it wrote; it may be called twice."""
        self._errors.close()


def _scratch_file() -> IO[bytes]:
    """Open a file without a name; in memory where that can be: a hardened unit has no /tmp."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("pspd-worker-errors", os.MFD_CLOEXEC), "w+b")
    return tempfile.TemporaryFile()
