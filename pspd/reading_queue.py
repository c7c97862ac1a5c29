"""Which file is read next: news before the backlog, nothing twice, nothing forgotten.

The queue itself is in the store (`pending`), so a stop or a crash loses none of it; here is only
the order in which it is served. News are files that a hint named; the backlog is served by its
sequence numbers; a file that is still being written waits for its time.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pspd.core.model import FileKey

if TYPE_CHECKING:
    from pspd.store.store import Store

PREFETCH = 256
"""Backlog entries that are read from the store at once."""

MOST_NEWS = 20_000
"""Beyond so many the oldest news are served as backlog."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A place in the queue and the file it is for."""

    sequence: int
    key: FileKey = field(compare=False)


class ReadingQueue:
    """Serves the store's queue to several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._condition = threading.Condition()
        self._news: deque[Entry] = deque(maxlen=MOST_NEWS)
        self._backlog: deque[Entry] = deque()
        self._served_to = 0
        self._has_more = True
        self._later: list[tuple[float, Entry]] = []
        self._waiting: set[int] = set()
        self._taken: set[int] = set()
        self._ignored: set[int] = set()
        self._barriers: list[tuple[int, Future[None]]] = []
        self._closed = False

    def put_news(self, entries: Iterable[tuple[int, FileKey]]) -> None:
        """Serve these before the backlog; the store has them already."""
        with self._condition:
            self._news.extend(Entry(sequence, key) for sequence, key in entries)
            self._has_more = True
            self._condition.notify_all()

    def wake(self) -> None:
        """Look into the store again: the backlog has grown."""
        with self._condition:
            self._has_more = True
            self._condition.notify_all()

    def put_later(
        self, sequence: int, key: FileKey, seconds: float, *, holds_barrier: bool = True
    ) -> None:
        """Serve this after some seconds; it counts as not taken.

        Args:
            sequence: Its place in the queue.
            key: The file.
            seconds: How long to leave it alone.
            holds_barrier: Whether barriers wait for it.
        """
        with self._condition:
            self._taken.discard(sequence)
            self._waiting.add(sequence)
            if not holds_barrier:
                self._ignored.add(sequence)
            heapq.heappush(self._later, (time.monotonic() + seconds, Entry(sequence, key)))
            self._condition.notify_all()

    def take(self) -> Entry | None:
        """Return the next entry, waiting for one; None when the queue is closed."""
        with self._condition:
            while not self._closed:
                entry = self._next()
                if entry is not None:
                    self._taken.add(entry.sequence)
                    return entry
                due = self._later[0][0] if self._later else None
                self._condition.wait(None if due is None else max(0.0, due - time.monotonic()))
            return None

    def done(self, sequences: Iterable[int]) -> None:
        """Note that entries are no longer in the store's queue, and tell those who waited."""
        with self._condition:
            self._taken.difference_update(sequences)
            barriers = self._barriers
            if not barriers:
                return
        first = self._first_sequence()
        with self._condition:
            reached = [future for upto, future in barriers if first is None or first > upto]
            self._barriers = [each for each in self._barriers if each[1] not in reached]
        for future in reached:
            if not future.cancelled():
                future.set_result(None)

    def barrier(self) -> Future[None]:
        """Return a future that is done when all that is queued now was served."""
        future: Future[None] = Future()
        with self._store.read() as reader:
            last = reader.meta("next_sequence") - 1
        with self._condition:
            self._barriers.append((last, future))
            # Their root may be back by now.
            self._later = [
                (0.0 if entry.sequence in self._ignored else due, entry)
                for due, entry in self._later
            ]
            heapq.heapify(self._later)
            self._ignored.clear()
            self._condition.notify_all()
        self.done(())
        return future

    @property
    def is_idle(self) -> bool:
        """Whether nothing is taken and nothing can be taken now."""
        with self._condition:
            return not (self._taken or self._news or self._backlog or self._has_more)

    def count_taken(self) -> int:
        """How many entries are taken and not done."""
        with self._condition:
            return len(self._taken)

    def close(self) -> None:
        """Wake everybody who waits; what is queued stays in the store."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
            barriers, self._barriers = self._barriers, []
        for _, future in barriers:
            future.cancel()

    def _next(self) -> Entry | None:
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            entry = heapq.heappop(self._later)[1]
            self._waiting.discard(entry.sequence)
            self._ignored.discard(entry.sequence)
            return entry
        while self._news:
            entry = self._news.popleft()
            if entry.sequence not in self._taken and entry.sequence not in self._waiting:
                return entry
        while True:
            while self._backlog:
                entry = self._backlog.popleft()
                if entry.sequence not in self._taken and entry.sequence not in self._waiting:
                    return entry
            if not self._has_more:
                return None
            self._fetch()

    def _fetch(self) -> None:
        with self._store.read() as reader:
            found = reader.queued(self._served_to, PREFETCH)
        self._backlog.extend(Entry(sequence, key) for sequence, key in found)
        self._has_more = len(found) == PREFETCH
        if found:
            self._served_to = found[-1][0]

    def _first_sequence(self) -> int | None:
        """Return the first place in the store's queue that barriers wait for."""
        with self._condition:
            ignored = set(self._ignored)
        after = 0
        while True:
            with self._store.read() as reader:
                queued = reader.queued(after, PREFETCH if ignored else 1)
            for sequence, _ in queued:
                if sequence not in ignored:
                    return sequence
            if not queued:
                return None
            after = queued[-1][0]
