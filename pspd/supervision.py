"""Starts a part's thread again when it dies of an error that nobody expected.

    body ──dies──▶ counted, told, recovered ──delay──▶ body …    the tenth death in five minutes
                                                                 ends the daemon: systemd takes over

What a part had half done is not lost: it is in the store's queue, or found again by scanning; each
part's `recover` sees to it, so that nobody who waits for it waits for ever.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

from pspd.core.backoff import MOST_FAILURES, WINDOW_SECONDS, Backoff
from pspd.log import get_logger
from pspd.noticeboard import Notice, NoticeBoard

_log = get_logger(__name__)


def nothing() -> None:
    """Recover from nothing: all that the part knows is in the store."""


class ThreadMaker(Protocol):
    """What a part needs to run threads."""

    def __call__(
        self,
        part: str,
        body: Callable[[], None],
        *,
        recover: Callable[[], None] = nothing,
        name: str = "",
    ) -> threading.Thread:
        """Return a thread that runs `body`, not yet started.

        Args:
            part: What `pspc status` calls it; threads of one part share their deaths.
            body: Returns when the part is told to stop.
            recover: Called after each death, before `body` is called again; it must not depend on
                where the death was.
            name: Of the thread; `pspd-` and the part without one.
        """


def unsupervised(
    part: str,
    body: Callable[[], None],
    *,
    recover: Callable[[], None] = nothing,  # noqa: ARG001 - nobody recovers what nobody watches
    name: str = "",
) -> threading.Thread:
    """Return a thread that dies for good."""
    return threading.Thread(target=body, name=name or f"pspd-{part}", daemon=True)


class Supervisor:
    """Watches over the threads of the daemon's parts.

    Args:
        board: Told what is down, and counts `<part>_restarts`.
        give_up: Called with a part's name when it died once too often; it ends the daemon.
        backoff: Makes the rule of one part.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        board: NoticeBoard,
        give_up: Callable[[str], None],
        *,
        backoff: Callable[[], Backoff] = Backoff,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._board = board
        self._give_up = give_up
        self._clock = clock
        self._lock = threading.Lock()
        self._backoffs: defaultdict[str, Backoff] = defaultdict(backoff)
        self._closing = threading.Event()

    def __call__(
        self,
        part: str,
        body: Callable[[], None],
        *,
        recover: Callable[[], None] = nothing,
        name: str = "",
    ) -> threading.Thread:
        """Return a thread that lives until the part is told to stop; see `ThreadMaker`."""
        run = functools.partial(self._run, part, body, recover)
        return threading.Thread(target=run, name=name or f"pspd-{part}", daemon=True)

    def close(self) -> None:
        """Let the dead lie from now on: the daemon is stopping."""
        self._closing.set()

    def _run(self, part: str, body: Callable[[], None], recover: Callable[[], None]) -> None:
        attempt = body
        while True:
            try:
                attempt()
            except Exception as error:  # noqa: BLE001 - whatever it is, the part has to go on
                delay = self._note_death(part, error)
                if delay is None or self._closing.wait(delay):
                    return
                self._board.withdraw("host", _key(part))
                # A death while recovering is a death as well, and recovered from alike.
                attempt = functools.partial(_recover_and_go_on, recover, body)
            else:
                return

    def _note_death(self, part: str, error: Exception) -> float | None:
        """Count a death; return the seconds until the next life, None when there is none."""
        with self._lock:
            delay = self._backoffs[part].failed(self._clock())
        kind = type(error).__name__
        if self._closing.is_set():
            _log.traceback("a part died while the daemon stopped", error, part=part)
            return None
        self._board.count(f"{part}_restarts")
        if delay is None:
            _log.traceback("a part died too often; the daemon ends", error, part=part)
            cause = (
                f"the {part} died {MOST_FAILURES} times in {WINDOW_SECONDS / 60:.0f} minutes "
                f"({kind}); the daemon ends"
            )
            self._board.post(_key(part), Notice("host", cause, "see the daemon's log"))
            self._give_up(part)
            return None
        _log.traceback("a part died and is started again", error, part=part, seconds=delay)
        cause = f"the {part} died of an unexpected error ({kind})"
        cure = f"it is started again within {delay:.1f} s; please report what the log says"
        self._board.post(_key(part), Notice("host", cause, cure))
        return delay


def _recover_and_go_on(recover: Callable[[], None], body: Callable[[], None]) -> None:
    recover()
    body()


def _key(part: str) -> str:
    return f"part:{part}"
