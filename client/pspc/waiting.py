"""Waits for the daemon's indexing: shows how far it is, and gives up when it cannot go on."""

from __future__ import annotations

import math
import queue
import threading
import time
from typing import TYPE_CHECKING

from pspc.errors import DaemonError, IndexingStalled, NotRunning, PspcError, TooSlow
from pspc.progress import Estimate, progress_bar, progress_line, progress_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Self

    from pspc.connection import Connection
    from pspc.console import Console
    from pspd.rpc import wire

SHORTEST_PAUSE = 0.02
LONGEST_PAUSE = 0.2
_PAUSED_SHARE = 1 / 16
"""Of the time waited so far: who waits hears of the end late by half of it on average."""

STALL_SECONDS = 20.0
"""How long the daemon may have a problem and get nothing done before nobody waits any longer."""

_LINE_SECONDS = 3.0
"""Between two lines of progress where they cannot be written over."""


class Stall:
    """Notices that the daemon has a problem and gets nothing done."""

    def __init__(self) -> None:
        self._done = -1
        self._since = 0.0

    def check(self, now: float, done: int, problem: str) -> None:
        """Take in that `done` files were done at `now`, in seconds.

        Raises:
            IndexingStalled: there is a problem, and there was one for `STALL_SECONDS` in which
                no file was done.
        """
        if not problem or done != self._done:
            self._done, self._since = done, now
        elif now - self._since >= STALL_SECONDS:
            raise IndexingStalled(problem)


class Pauses:
    """Says how long to wait before looking again: soon after a short wait, seldom in a long one.

    Args:
        began: When the wait began, in seconds.
    """

    def __init__(self, began: float) -> None:
        self._began = began

    def next(self, now: float) -> float:
        """Return for how many seconds nobody need look after `now`."""
        return min(max(_PAUSED_SHARE * (now - self._began), SHORTEST_PAUSE), LONGEST_PAUSE)


class Display:
    """Shows progress on standard error; a context manager that leaves nothing of it behind."""

    def __init__(self, console: Console, *, has_lines: bool) -> None:
        """Show nothing yet.

        Args:
            console: Where to show it.
            has_lines: Whether to write a line now and then where none can be written over.
        """
        self._console = console
        self._has_lines = has_lines
        self._estimate = Estimate()
        self._next_line: float | None = None
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._is_shown:
            self._console.overwrite("")

    def show(self, roots: Sequence[wire.RootStatus], now: float) -> None:
        """Show how far the roots are at `now`, in seconds."""
        progress = progress_of(roots)
        self._estimate.add(now, progress.done)
        if self._next_line is None:
            self._next_line = now + _LINE_SECONDS
        if self._console.shows_progress:
            columns = self._console.progress_columns
            self._console.overwrite(progress_bar(progress, self._estimate, columns))
            self._is_shown = True
        elif self._has_lines and now >= self._next_line:
            self._console.note(progress_line(progress, self._estimate))
            self._next_line = now + _LINE_SECONDS


def wait_for_sync(
    connect: Callable[[], Connection], console: Console, timeout: float | None
) -> wire.Freshness:
    """Return once everything that happened in the roots before now is indexed.

    On a terminal it shows how far that is.

    Args:
        connect: Makes a connection; two are wanted.
        console: Where to show it.
        timeout: Seconds to wait at most; None for as long as it takes.

    Raises:
        IndexingStalled: the daemon has a problem and gets nothing done.
        PspcError: it takes longer than `timeout`, or as for `Connection.sync`.
    """
    # One connection waits for the reply while another asks how far it is. The thread may stay
    # behind when the wait is given up; it ends with the process.
    outcomes: queue.SimpleQueue[wire.Freshness | Exception] = queue.SimpleQueue()
    with connect() as connection, Display(console, has_lines=False) as display:
        threading.Thread(
            target=lambda: outcomes.put(_outcome(connect, timeout)), name="sync", daemon=True
        ).start()
        deadline = None if timeout is None else time.monotonic() + timeout
        outcome = _watched(outcomes, connection, display, deadline)
    if isinstance(outcome, DaemonError) and outcome.code == "deadline" and timeout is not None:
        raise PspcError(f"not everything is indexed after {timeout:g} s; see pspc status")
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def wait_for_comparing(
    connect: Callable[[], Connection], console: Console, timeout: float | None
) -> None:
    """Return once every picture that is there now is compared with the others.

    On a terminal it shows how many are left.

    Args:
        connect: Makes a connection.
        console: Where to show it.
        timeout: Seconds to wait at most; None for as long as it takes.

    Raises:
        IndexingStalled: the daemon has a problem and compares nothing.
        PspcError: it takes longer than `timeout`.
    """
    _wait_for_none(connect, console, timeout, _uncompared, "compare")


def wait_for_describing(
    connect: Callable[[], Connection], console: Console, timeout: float | None
) -> None:
    """Return once every picture that is there now has a learned descriptor, if it can have one.

    On a terminal it shows how many are left.

    Args:
        connect: Makes a connection.
        console: Where to show it.
        timeout: Seconds to wait at most; None for as long as it takes.

    Raises:
        IndexingStalled: there is no model, or it cannot be used.
        PspcError: it takes longer than `timeout`.
    """
    _wait_for_none(connect, console, timeout, _undescribed, "describe")


def _uncompared(status: wire.StatusReply) -> tuple[int, str]:
    return status.uncompared, status.problem


def _undescribed(status: wire.StatusReply) -> tuple[int, str]:
    if not status.model:
        raise IndexingStalled(status.undescribed_because or "no model is in use: pspc model list")
    return max(0, status.describable - status.described), status.undescribed_because


def _wait_for_none(
    connect: Callable[[], Connection],
    console: Console,
    timeout: float | None,
    left_of: Callable[[wire.StatusReply], tuple[int, str]],
    verb: str,
) -> None:
    """Wait until there is no picture left to do something with."""
    stall = Stall()
    began = time.monotonic()
    pauses = Pauses(began)
    deadline = math.inf if timeout is None else began + timeout
    with connect() as connection:
        while True:
            left, problem = left_of(connection.status())
            if not left:
                break
            now = time.monotonic()
            if now >= deadline:
                raise PspcError(f"not every picture was {verb}d in time; see pspc status")
            stall.check(now, -left, problem)
            if console.shows_progress:
                console.overwrite(f"{left:,} pictures to {verb}")
            time.sleep(pauses.next(now))
        if console.shows_progress:
            console.overwrite("")


def _outcome(
    connect: Callable[[], Connection], timeout: float | None
) -> wire.Freshness | Exception:
    try:
        with connect() as connection:
            return connection.sync(timeout)
    except Exception as error:  # noqa: BLE001 - raised again where it is waited for
        return error


def _watched(
    outcomes: queue.SimpleQueue[wire.Freshness | Exception],
    connection: Connection,
    display: Display,
    deadline: float | None,
) -> wire.Freshness | Exception:
    stall = Stall()
    while (outcome := _soon(outcomes)) is None:
        if deadline is not None:
            connection.timeout = deadline - time.monotonic()
            if connection.timeout <= 0:
                continue  # The other connection keeps to the same deadline.
        try:
            status = connection.status()
        except NotRunning:
            pass  # It may be on its way back; the other connection knows how long to wait for it.
        except TooSlow:
            if deadline is None:
                raise
        else:
            now = time.monotonic()
            stall.check(now, status.indexed + status.failed, status.problem)
            display.show(status.roots, now)
    return outcome


def _soon(
    outcomes: queue.SimpleQueue[wire.Freshness | Exception],
) -> wire.Freshness | Exception | None:
    try:
        # What is waited for comes by itself; the pause is that of the display.
        return outcomes.get(timeout=LONGEST_PAUSE)
    except queue.Empty:
        return None
