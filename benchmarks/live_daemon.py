"""A daemon of its own for a measurement: started, timed, weighed, stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pspc import Connection
from pspc.transport import is_running
from tests.e2e.home import Home

START_SECONDS = 60.0
_PROBE_SECONDS = 0.002
_LOOK_SECONDS = 1.0
_RESTING_LOOKS = 3
_REST_SHARE = 0.05
"""Of one core: what a daemon without work takes, and other small things."""
_KIBIBYTE = 1024
_CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident bytes, pages shared with others included, but for the workers'."""

    daemon: int
    anonymous: int
    """Of the daemon's: what is not a mapped file, such as the store."""
    workers: int
    """Pages that several share, as those of a template, count in parts."""


class LiveDaemon(Home):
    """A `PSP_HOME` in a temporary folder, with or without a daemon at the moment."""

    def __init__(self) -> None:
        super().__init__()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, module: str = "pspd") -> float:
        """Start the daemon; returns after how many seconds it listens.

        Args:
            module: What to run; another one than `pspd` is the daemon with something measured.

        Raises:
            RuntimeError: It does not start; the message has its log.
        """
        log_path = self.folder / "pspd.log"
        began = time.perf_counter()
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdout=log,
                stderr=log,
                env={**self.environ, "PYTHONPATH": os.fspath(_CHECKOUT)},
                cwd="/",
            )
        while not is_running(self.environ):
            late = time.perf_counter() - began > START_SECONDS
            if late or self._process.poll() is not None:
                raise RuntimeError(f"the daemon does not start: {log_path.read_text()}")
            time.sleep(_PROBE_SECONDS)
        return time.perf_counter() - began

    def stop(self) -> None:
        """Stop the daemon and keep its files."""
        if self._process is not None:
            self.pspc("stop")
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Stop the daemon and remove everything."""
        try:
            self.stop()
        finally:
            super().close()

    def connect(self) -> Connection:
        """Return a connection; close it."""
        return Connection(self.path)

    def timed(self, *arguments: str | os.PathLike[str], statuses: Sequence[int] = (0,)) -> float:
        """Run the client as a process; returns the seconds it took, however many.

        Raises:
            RuntimeError: It ended with a status not in `statuses`.
        """
        return timed(
            [sys.executable, "-m", "pspc", *(os.fspath(each) for each in arguments)],
            environ=self.environ,
            statuses=statuses,
        )

    def cpu_seconds(self) -> float | None:
        """Return the processor's time of the daemon and its processes; None without /proc."""
        pid = self.pid()
        if not Path(f"/proc/{pid}/stat").exists():
            return None
        return sum(map(_cpu_seconds, (pid, *_children(pid))))

    def await_rest(self, most: float) -> float:
        """Wait until the daemon is done with what it does by itself; returns the seconds waited.

        Args:
            most: Wait no longer, in seconds: a check of a huge store takes very long.
        """
        began = time.perf_counter()
        before, rested = self.cpu_seconds(), 0
        while before is not None and time.perf_counter() - began < most:
            time.sleep(_LOOK_SECONDS)
            now = self.cpu_seconds()
            assert now is not None, "a system has /proc or has it not"
            rested = rested + 1 if now - before <= _REST_SHARE * _LOOK_SECONDS else 0
            if rested == _RESTING_LOOKS:
                break
            before = now
        return time.perf_counter() - began

    def memory(self) -> Memory | None:
        """Weigh the daemon; None where there is no /proc."""
        if not Path("/proc/self/status").exists():
            return None
        pid = self.pid()
        return Memory(
            daemon=_status_bytes(pid, "VmRSS"),
            anonymous=_status_bytes(pid, "RssAnon"),
            workers=sum(_shared_bytes(child) for child in _children(pid)),
        )


@contextmanager
def live_daemon(*, started: bool = True) -> Iterator[LiveDaemon]:
    """Yield a daemon of its own, and remove it with all that it kept."""
    daemon = LiveDaemon()
    try:
        if started:
            daemon.start()
        yield daemon
    finally:
        daemon.close()


def timed(
    command: Sequence[str],
    *,
    environ: dict[str, str] | None = None,
    statuses: Sequence[int] = (0,),
) -> float:
    """Run a command with its output thrown away; returns the seconds it took.

    Raises:
        RuntimeError: It ended with a status not in `statuses`.
    """
    began = time.perf_counter()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environ, check=False
    )
    took = time.perf_counter() - began
    if done.returncode not in statuses:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}, {done.stderr.decode()}")
    return took


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started: workers, fronts, a look at the store."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in tasks for child in path.read_text().split()]


def _cpu_seconds(pid: int) -> float:
    """Return the processor's time of a process; none when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _shared_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * _KIBIBYTE


def _status_bytes(pid: int, field: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * _KIBIBYTE
    return 0
