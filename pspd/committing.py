"""Gathers what the readers found into batches, and has each stored before it counts as done.

    readers ──results──▶ Committer ──one batch──▶ store, index ──▶ queue: done, later, or again

A batch that cannot be stored is tried again; one whose storing ended in an error that nobody
expected goes back to the queue, file by file, for the store may have it or not.
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pspd.core.pausing import Pause, unhindered
from pspd.errors import StoreError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.reading_queue import ReadingQueue
from pspd.room import RETRY_SECONDS as RETRY_WRITE_SECONDS
from pspd.room import Room
from pspd.store import batch
from pspd.supervision import ThreadMaker

RETRY_SECONDS = 5.0
"""How long to wait before what the store could not give is tried again."""

RATE_SECONDS = 10.0
"""The rate is taken over so many seconds."""

NEWS_SECONDS = 0.05
"""News are stored so long after the last batch at the latest: a picture that was just saved is
looked for. A commit takes some milliseconds, so that many news cost little more than few."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for the last batch: a disk that hangs must not keep the daemon."""

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How files are read and stored."""

    threads: int
    """Files read at once; one worker process each."""
    quiet_seconds: float
    """How long a file that somebody writes is left alone."""
    batch_files: int
    batch_seconds: float
    min_free_bytes: int = 0
    """Kept free on the store's disk; see `pspd.store.file_system.missing_room`."""
    retry_seconds: Sequence[float] = RETRY_WRITE_SECONDS
    """How long to wait before what could not be stored is tried again."""


class Committer:
    """A thread that stores results in batches.

    Args:
        reading_queue: Told what is done.
        store: Stores a batch; raises StoreError when nothing of it was stored.
        options: How large and how late a batch may be.
        make_thread: Makes the thread.
        room: Of the store's disk: says when to try again.
        pause: Called between two results; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        reading_queue: ReadingQueue,
        store: Callable[[Sequence[batch.Operation]], batch.Applied],
        options: Options,
        make_thread: ThreadMaker,
        room: Room,
        pause: Pause = unhindered,
    ) -> None:
        self._queue = reading_queue
        self._store = store
        self._options = options
        self._room = room
        self._pause = pause
        self._results: queue.Queue[batch.Operation | None] = queue.Queue(4 * options.threads)
        self._in_hand: list[batch.Operation] = []
        self._is_ended = False
        self._stopping = threading.Event()
        self._finished: deque[float] = deque()
        self._last_commit = 0.0
        self._thread = make_thread("committer", self._commit, recover=self._recover)

    @property
    def rate(self) -> float:
        """Files finished per second, over the last seconds."""
        now = time.monotonic()
        recent = [at for at in list(self._finished) if at > now - RATE_SECONDS]
        return len(recent) / max(now - recent[0], 0.1) if recent else 0.0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, deadline: float = math.inf) -> None:
        """Store what there is and stop, within `CLOSE_SECONDS`; the rest stays queued.

        Args:
            deadline: Of `time.monotonic()`, if that is sooner.
        """
        self._stopping.set()
        deadline = min(deadline, time.monotonic() + CLOSE_SECONDS)
        while self._thread.is_alive() and time.monotonic() < deadline:
            with suppress(queue.Full):
                self._results.put(None, timeout=0.1)
                self._thread.join(seconds_left(deadline))
        if self._thread.is_alive():
            _log.warning("a batch is left behind; it is read again at the next start")

    def take(self, result: batch.Operation) -> None:
        """Take a result, waiting for room; without a thread it is dropped, and read again."""
        while self._thread.is_alive():
            with suppress(queue.Full):
                self._results.put(result, timeout=1.0)
                return

    def offer(self, operations: Sequence[batch.Operation]) -> None:
        """Take operations, or drop them when there is no room; never waits."""
        with suppress(queue.Full):
            for operation in operations:
                self._results.put_nowait(operation)

    # --- the committing thread

    def _commit(self) -> None:
        while not self._is_ended:
            first = self._results.get()
            if first is None:
                return
            self._in_hand = [first]
            self._gather(self._last_commit + self._options.batch_seconds)
            self._store_results()
            self._in_hand = []
            self._last_commit = time.monotonic()

    def _gather(self, until: float) -> None:
        """Collect results until the batch is full or late, or nothing more is on its way."""
        while len(self._in_hand) < self._options.batch_files:
            self._pause()
            if self._queue.is_news(_sequence(self._in_hand[-1])):
                until = min(until, self._last_commit + NEWS_SECONDS)
            wait = max(0.0, until - time.monotonic())
            if self._queue.count_taken() <= len(self._in_hand):
                wait = 0.0
            try:
                result = self._results.get(timeout=wait) if wait else self._results.get_nowait()
            except queue.Empty:
                return
            if result is None:
                self._is_ended = True
                return
            self._in_hand.append(result)

    def _store_results(self) -> None:
        for failures in itertools.count(1):
            try:
                applied = self._store(self._in_hand)
                break
            except StoreError as error:
                _log.error("a batch cannot be stored; trying again", error=error)
                if self._room.wait(failures, self._stopping):
                    return
        self._pause()
        now = time.monotonic()
        self._finished.extend([now] * len(self._in_hand))
        while self._finished and self._finished[0] < now - RATE_SECONDS:
            self._finished.popleft()
        for sequence, key in applied.deferred:
            self._queue.put_later(sequence, key, self._options.quiet_seconds)
        if applied.queued:
            self._queue.wake()
        try:
            self._queue.done([_sequence(result) for result in self._in_hand])
        except StoreError as error:
            # Stored they are; but who waits at a barrier has to be told, by reading them again.
            _log.error("the queue cannot be read; trying again", error=error)
            self._recover()

    def _recover(self) -> None:
        """Have the files at hand read again: nobody knows whether the store has them."""
        for result in self._in_hand:
            if isinstance(result, batch.FileIndexed | batch.FileFailed | batch.FileDeferred):
                self._queue.put_later(result.sequence, result.key, 0.0)
        self._in_hand = []


def _sequence(result: batch.Operation) -> int:
    if isinstance(result, batch.FileIndexed | batch.FileFailed | batch.FileDeferred):
        return result.sequence
    return 0
