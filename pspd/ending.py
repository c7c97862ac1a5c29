"""Ends the daemon in time: every part is told at once, and each is waited for up to its moment.

    asked ──▶ all parts are told ──▶ hands ──▶ batch ──▶ server ──▶ workers ──▶ store ──▶ guard
    0 s                              1.5       2.0       2.9        3.1         3.5       4.2 s

Every moment counts from the same begin, so the whole takes as long as the latest of them, however
many parts hang. What hangs where nobody can wait with a limit, such as in a system call of a disk
that does not answer, meets the guard: a thread that ends the process. It counts from the signal,
also when that comes in the middle of a start.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from pspd.host import StopSignal
from pspd.log import get_logger

PROMISED_SECONDS: Final = 5.0
"""How long a stop may take, as people are told; the unit's TimeoutStopSec is four times this."""

HANDS_SECONDS: Final = 1.5
"""Until when the parts may finish what they have in hand; what they do not is done again."""

BATCH_SECONDS: Final = 2.0
"""Until when what was read by then is stored."""

SERVER_SECONDS: Final = 2.9
"""Until when the last replies have left, and the fronts have ended."""

WORKERS_SECONDS: Final = 3.1
"""Until when the worker processes, which are killed, are waited for."""

STORE_SECONDS: Final = 3.5
"""Until when the store waits for those who read it."""

GUARD_SECONDS: Final = 4.2
"""When the guard ends the process; the rest of the promise is for a busy machine."""

SLOW_SECONDS: Final = 2.0
"""An end that takes longer tells which part took how long."""

_TOLD_SECONDS: Final = 0.05
"""Parts that took less are not named."""

_log = get_logger(__name__)


def nothing() -> None:
    """Tell a part nothing: it has no threads, or needs those that are still at work."""


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    close: Callable[[float], None]
    seconds: float
    tell: Callable[[], None]


class Ending:
    """The parts that are to end, in the order of their start; ends them when it is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._parts: list[_Part] = []
        self._took: list[tuple[str, float]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def add(
        self,
        name: str,
        close: Callable[[float], None],
        *,
        seconds: float,
        tell: Callable[[], None] = nothing,
    ) -> None:
        """Have a part ended before all that were added earlier.

        Args:
            name: For people who read the log.
            close: Ends it, and returns by the moment of `time.monotonic()` that it is given.
            seconds: That moment, counted from the begin of the end.
            tell: Tells it, before anything is closed, that it will be; must not wait.
        """
        self._parts.append(_Part(name, close, seconds, tell))

    def _end(self) -> None:
        begun = self._clock()
        with ExitStack() as stack:
            stack.callback(self._tell_how_long, begun)
            for part in self._parts:
                stack.callback(self._close, part, begun)
            for part in reversed(self._parts):
                part.tell()

    def _tell_how_long(self, begun: float) -> None:
        took = self._clock() - begun
        if took > SLOW_SECONDS:
            parts = ", ".join(
                f"{name} {seconds:.2f}" for name, seconds in self._took if seconds > _TOLD_SECONDS
            )
            _log.warning("the end took long", seconds=round(took, 2), parts=parts)

    def _close(self, part: _Part, begun: float) -> None:
        before = self._clock()
        try:
            part.close(begun + part.seconds)
        finally:
            self._took.append((part.name, self._clock() - before))


def guard_end(stop: StopSignal, exit_status: Callable[[], int]) -> None:
    """Start a thread that ends the process when it has not ended by itself in time.

    The store is as safe then as after a crash: what was acknowledged is there.

    Args:
        stop: From whose setting on the time is counted.
        exit_status: Asked when it comes to that.
    """

    def guard() -> None:
        stop.wait(None)
        # Not interruptible by anybody: whoever asked for the end has been promised it.
        threading.Event().wait(GUARD_SECONDS)
        names = ", ".join(sorted(thread.name for thread in threading.enumerate()))
        _log.error("the daemon does not stop by itself and is ended", threads=names)
        os._exit(exit_status())

    threading.Thread(target=guard, name="pspd-guard", daemon=True).start()
