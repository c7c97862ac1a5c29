"""Keeps one front process running: starts it, sees that it lives, and replaces it when it does not.

start ─▶ process ─▶ open: settings ─▶ it has bound ─▶ watched ─┐
            ▲                                                  │ it ended, or says nothing
            └───── at once, then after 0.1, 0.2 … 5 s ◀───────┘
"""

from __future__ import annotations

import math
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import suppress
from typing import IO, Final

from pspd.errors import AddressError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.noticeboard import Notice, NoticeBoard
from pspd.rpc import link
from pspd.rpc.endpoints import Endpoint

_log = get_logger(__name__)

COMMAND: Final = (sys.executable, "-P", "-m", "pspd.rpc.front_process")

START_SECONDS: Final = 30.0
"""How long a front may take to bind: 0.1 s on an idle machine."""

SILENCE_SECONDS: Final = 10.0
"""A front that says nothing for so long hangs, and is killed."""

FIRST_DELAY_SECONDS: Final = 0.1
LONGEST_DELAY_SECONDS: Final = 5.0
"""Clients wait 10 s for a front to be back; then they would say that the daemon does not run."""

CALM_SECONDS: Final = 60.0
"""A front that lived so long is replaced at once, and the delays begin anew."""

LOUD_DEATHS: Final = 10
LOUD_SECONDS: Final = 300.0
"""So many deaths in so short a time are somebody's doing, and told as such."""

LOCAL_SECONDS: Final = 60.0
"""A daemon that nobody on its machine can reach for so long ends: its successor may do better."""

_AGAIN_SECONDS: Final = 1.0
"""After a pause of the whole machine a front is given so long to say something."""

_END_SECONDS: Final = 2.0
"""How long a front that was told to end may take for its last replies."""

_LOOK_SECONDS: Final = 0.05
"""How often it is looked whether the thread has just started another one, at the end."""

_KILLED_SECONDS: Final = 0.3
"""How long a killed front is waited for: one that hangs in the kernel is not worth it."""

_REPORT_BYTES: Final = 65_536
_AREA: Final = "sockets"


class FrontKeeper:
    """One front and its successors; `start`, `open` and `close` are for one thread."""

    def __init__(self, name: str, settings: link.Settings, board: NoticeBoard) -> None:
        """Prepare it; `name` is for people."""
        self.name = name
        self.settings = settings
        self._board = board
        self._endpoints: list[Endpoint] = []
        self._replacing_since: float | None = None
        self._deaths: deque[float] = deque(maxlen=LOUD_DEATHS)
        self._is_retired = threading.Event()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process number of the front that runs; None between two."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Start the process; it prepares itself, and binds nothing before `open`."""
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd="/"
        )

    def open(self) -> None:
        """Have it bind, wait until it has, and keep it running from then on.

        Raises:
            AddressError: an address cannot be used.
        """
        if self._process is None:
            self.start()
        self._bind()
        self._thread = threading.Thread(target=self._watch, name=f"rpc-{self.name}", daemon=True)
        self._thread.start()

    def is_reachable(self) -> bool:
        """Say whether the sockets still lie where clients look for them, or will.

        A successor that cannot bind has removed what it had bound, and is tried again: for ever
        where other machines ask, whose network may be back one day, and for a minute here.
        """
        endpoints = self._endpoints
        if all(endpoint.is_in_place() for endpoint in endpoints):
            return True
        since = self._replacing_since
        if since is not None:
            return bool(self.settings.keys) or time.monotonic() - since < LOCAL_SECONDS
        # A successor may have been done between the two looks.
        return endpoints is not self._endpoints

    def retire(self) -> None:
        """Expect the front to end, and do not replace it any more."""
        self._is_retired.set()

    def close(self, deadline: float = math.inf) -> None:
        """Wait until the front has ended; one that does not is killed.

        Args:
            deadline: When it is killed, in `time.monotonic()`, if that is in less than two seconds.
        """
        self.retire()
        process = self._process
        if process is None:
            return
        if self._thread is None:
            _close(process.stdin)  # It waits for its settings.
        self._end(process, seconds_left(deadline, _END_SECONDS))
        latest = deadline + _KILLED_SECONDS
        while self._thread is not None and self._thread.is_alive() and time.monotonic() < latest:
            # It may have begun to replace the front before it was told not to.
            self._kill_successor(process)
            self._thread.join(_LOOK_SECONDS)
        if self._thread is None or not self._thread.is_alive():
            self._kill_successor(process)
            for each in (process, self._process):
                if each is not None:
                    _close(each.stdin)
                    _close(each.stdout)
        for endpoint in self._endpoints:
            endpoint.unlink()  # One that had to be killed has left them.

    # --- one process ------------------------------------------------------------------------

    def _kill_successor(self, former: subprocess.Popen[bytes]) -> None:
        """Kill the front that replaced another; its pipes are the thread's, while that lives."""
        successor = self._process
        if successor is not None and successor is not former:
            successor.kill()
            with suppress(subprocess.TimeoutExpired):
                successor.wait(_KILLED_SECONDS)

    def _bind(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        # ValueError: `close` has closed it meanwhile.
        with suppress(BrokenPipeError, ValueError):
            process.stdin.write(link.encode(self.settings))
        report = self._report(process)
        if report.problem:
            self._end(process, 0.0)
            raise AddressError(report.problem)
        self._endpoints = report.endpoints

    def _report(self, process: subprocess.Popen[bytes]) -> link.Report:
        deadline = time.monotonic() + START_SECONDS
        line = b""
        while not line.endswith(b"\n"):
            part = _read(process, deadline - time.monotonic())
            if not part:
                return link.Report(problem="the process that holds the sockets does not start")
            line += part
        try:
            return link.decode_report(line)
        except ValueError as error:
            return link.Report(problem=f"the process that holds the sockets says {error}")

    def _end(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        """Let it end by itself for so long, then kill it."""
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_KILLED_SECONDS)
        _close(process.stdin)
        if threading.current_thread() is self._thread or self._thread is None:
            _close(process.stdout)

    # --- the thread ---------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self._is_retired.is_set():
            begun = time.monotonic()
            self._await_end()
            if self._is_retired.is_set():
                break
            if time.monotonic() - begun >= CALM_SECONDS:
                self._deaths.clear()
                self._board.withdraw(_AREA, f"{self.name} again and again")
            self._replace()
            self._board.withdraw(_AREA, self.name)

    def _await_end(self) -> None:
        """Return when the front has ended; kill it when it hangs."""
        process = self._process
        assert process is not None
        said: bytes | None = b"\n"
        while said:
            said = _read(process, SILENCE_SECONDS)
            if said is None:
                said = _read(process, _AGAIN_SECONDS)
        if self._is_retired.is_set():
            return
        if said is None:
            _log.error("a front hangs and is killed", front=self.name, pid=process.pid)
        self._end(process, 0.0 if said is None else _END_SECONDS)

    def _replace(self) -> None:
        """Start the next one, and the one after it, until one has bound."""
        self._replacing_since = time.monotonic()
        self._tell_of_death()
        tries = len(self._deaths)
        while not self._is_retired.wait(_pause(tries)):
            try:
                self.start()
                self._bind()
            except (AddressError, OSError) as error:
                tries += 1
                _log.error("a front cannot be started", front=self.name, error=error)
                cause = f"the process that holds the sockets cannot be started again: {error}"
                cure = "it is tried again every few seconds"
                self._board.post(self.name, Notice(_AREA, cause, cure))
            else:
                self._replacing_since = None
                return

    def _tell_of_death(self) -> None:
        """Count and tell."""
        status = self._process.returncode if self._process is not None else None
        self._board.count("front_restarts")
        _log.warning("a front ended and is started again", front=self.name, status=status)
        cause = "the process that holds the sockets ended, and is started again"
        self._board.post(self.name, Notice(_AREA, cause))
        deaths = self._deaths
        deaths.append(time.monotonic())
        if len(deaths) >= LOUD_DEATHS and deaths[-1] - deaths[0] < LOUD_SECONDS:
            _log.error("a front ends again and again", front=self.name, deaths=len(deaths))
            cause = f"the process that holds the sockets died {len(deaths)} times in five minutes"
            cure = "some client overloads it; the daemon's log has more"
            self._board.post(f"{self.name} again and again", Notice(_AREA, cause, cure))


def _pause(tries: int) -> float:
    """Return how long to wait before the next front, in seconds, after so many that failed."""
    if tries == 1:
        return 0.0
    return min(FIRST_DELAY_SECONDS * (1 << (min(tries, LOUD_DEATHS) - 2)), LONGEST_DELAY_SECONDS)


def _read(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """Return what it says within so many seconds: None for nothing, empty when it has ended."""
    assert process.stdout is not None
    poller = select.poll()
    poller.register(process.stdout, select.POLLIN)
    if poller.poll(max(0, int(1000 * seconds))):
        return os.read(process.stdout.fileno(), _REPORT_BYTES)
    return None


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with suppress(BrokenPipeError):
            pipe.close()
