"""The real daemon as a child of the test, which hears when it is ready and sees how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pspd.workers import sandbox
from tests.e2e.home import Home

START_SECONDS = 60.0


class Daemon:
    """One run of `pspd` under a home.

    Args:
        home: Where it keeps everything.
        wrapper: A command that starts it, such as a sandbox.
        environ: Added to the home's.
    """

    def __init__(
        self, home: Home, *, wrapper: Sequence[str] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        self.log_path = home.folder / "pspd.log"
        notices = home.folder / "notify"
        notices.unlink(missing_ok=True)
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.bind(str(notices))
        self._begun = time.monotonic()
        self.ready_seconds = float("inf")
        """From its start until it was ready."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*wrapper, sys.executable, "-m", "pspd"],
                env={**home.environ, "NOTIFY_SOCKET": str(notices), **(environ or {})},
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        self._told.close()

    def await_ready(self, seconds: float = START_SECONDS) -> bool:
        """Wait until it says that it is ready; returns whether it did, and did not end."""
        deadline = time.monotonic() + seconds
        self._told.settimeout(0.05)
        while time.monotonic() < deadline:
            try:
                message = self._told.recv(4096)
            except TimeoutError:
                if self.process.poll() is not None:
                    return False
                continue
            if b"READY=1" in message:
                self.ready_seconds = time.monotonic() - self._begun
                return True
        return False

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        self.process.wait(START_SECONDS)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30.0) -> tuple[int, float]:
        """Ask for the end; returns the exit status and the seconds that it took."""
        begun = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(seconds)
        return status, time.monotonic() - begun

    def workers(self) -> list[int]:
        """Return the process numbers of those of its children that decode."""
        return [each for each in self._children() if _is_called(each, sandbox.NAME)]

    def front(self) -> int | None:
        """Return the process number of its front for local clients; None between two."""
        fronts = [each for each in self._children() if _runs(each, b"pspd.rpc.front_process")]
        return fronts[0] if fronts else None

    def _children(self) -> list[int]:
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        found: set[int] = set()
        for children in path.parent.parent.glob("*/children"):
            try:
                found.update(int(each) for each in children.read_text().split())
            except OSError:  # a thread that ended meanwhile
                continue
        return sorted(found)

    def resident_bytes(self) -> int:
        """Return how much memory it has now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def log(self) -> str:
        """Return what it and its predecessors under this home have logged."""
        return self.log_path.read_text(errors="replace")


def _is_called(pid: int, name: str) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == name
    except OSError:  # it ended meanwhile
        return False


def _runs(pid: int, module: bytes) -> bool:
    try:
        return module in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:  # it ended meanwhile
        return False
