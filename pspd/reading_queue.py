"""Which file is read next: news before the backlog, nothing twice, nothing forgotten.

The queue itself is in the store (`pending`), so a stop or a crash loses none of it; here is only
the order in which it is served. News are files that a hint named, and their directories take turns;
the backlog is served by its sequence numbers, but for its end, which is served by size, so that no
worker is left with a large file when the others have none; a file that is still being written waits
for its time, and one of a paused root in the store.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING

from pspd.core.model import DirectoryId, FileKey
from pspd.core.turns import Turns

if TYPE_CHECKING:
    from pspd.store.reader import Reader
    from pspd.store.store import Store

PREFETCH = 256
"""Backlog entries that are read from the store at once."""

FEWEST_LOOKED_AT = 4
"""Entries that are read at first when the one is looked for that barriers wait for."""

PROBE_SECONDS = 5.0
"""How often one file of an absent root is tried."""

MOST_NEWS = 20_000
"""Beyond so many some of the oldest news are served as backlog."""


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
        self._news: Turns[DirectoryId, Entry] = Turns(MOST_NEWS)
        self._fresh: set[int] = set()
        """News that were served and are not done."""
        self._backlog: deque[Entry] = deque()
        self._served_to = 0
        self._has_more = True
        self._later: list[tuple[float, Entry]] = []
        self._waiting: set[int] = set()
        self._taken: set[int] = set()
        self._parked: dict[int, Entry] = {}
        self._probe = 0
        """The sequence that was served to see whether its root is back; 0 when none is."""
        self._probe_at = 0.0
        self._blocking = 0
        """The first sequence that barriers wait for, when it was last looked for."""
        self._passed = 0
        """Up to this one barriers wait for none; sequences only grow, so nobody looks again."""
        self._epoch = 0
        """Counts what took entries out of the queue or put them aside."""
        self._barriers: list[tuple[int, Future[None]]] = []
        self._closed = False

    def put_news(self, entries: Iterable[tuple[int, FileKey]]) -> None:
        """Serve these before the backlog; the store has them already."""
        with self._condition:
            for sequence, key in entries:
                self._news.put(key.directory, Entry(sequence, key))
            self._has_more = True
            self._condition.notify_all()

    def wake(self) -> None:
        """Look into the store again: the backlog has grown."""
        with self._condition:
            self._has_more = True
            self._condition.notify_all()

    def start_over(self) -> None:
        """Serve the store's queue from its begin: it was mended, and places in it were given anew.

        Barriers wait for all of it, for what they waited for may have got a later place.
        """
        last = self._store.last_sequence()
        with self._condition:
            self._backlog.clear()
            self._served_to = 0
            self._blocking = self._passed = 0
            self._has_more = True
            self._epoch += 1
            self._barriers = [(max(upto, last), future) for upto, future in self._barriers]
            self._condition.notify_all()
        self._tell_reached()

    def put_later(self, sequence: int, key: FileKey, seconds: float) -> None:
        """Serve this after some seconds; it counts as not taken, and barriers wait for it."""
        with self._condition:
            self._taken.discard(sequence)
            self._waiting.add(sequence)
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
                self._condition.wait(self._seconds_to_next())
            return None

    def park(self, entry: Entry) -> None:
        """Put an entry aside until `unpark`: its root is not there, and barriers pass over it.

        Roots come back without a word when they were away for a moment only, so one of those put
        aside is served now and then; if it is not put aside again, all are served.
        """
        with self._condition:
            self._taken.discard(entry.sequence)
            if not self._parked or entry.sequence == self._probe:
                self._probe = 0
                self._probe_at = time.monotonic() + PROBE_SECONDS
            self._parked[entry.sequence] = entry
            self._epoch += 1
            blocks = entry.sequence == self._blocking
        if blocks:
            self._tell_reached()

    def give_back(self, entry: Entry) -> None:
        """Leave an entry in the store's queue: its root is paused, and barriers pass over it."""
        with self._condition:
            self._taken.discard(entry.sequence)
            self._fresh.discard(entry.sequence)
            if entry.sequence == self._probe:
                self._probe = 0
            # It is looked for once more, for its root may have gone on meanwhile.
            self._served_to = min(self._served_to, entry.sequence - 1)
            self._has_more = True
        self.recheck()

    def unpark(self) -> None:
        """Serve what was put aside or left in the store: a root is back, or goes on."""
        with self._condition:
            for entry in self._parked.values():
                self._news.put(entry.key.directory, entry)
            self._has_more = True
            self._parked.clear()
            self._probe = 0
            self._blocking = self._passed = 0
            self._epoch += 1
            self._served_to = 0
            self._condition.notify_all()

    def done(self, sequences: Collection[int]) -> None:
        """Note that entries are no longer in the store's queue, and tell those who waited."""
        with self._condition:
            self._taken.difference_update(sequences)
            self._fresh.difference_update(sequences)
            self._epoch += 1
            blocks = self._blocking in sequences
            is_back = self._probe in sequences and self._probe != 0
        if is_back:
            self.unpark()
        if blocks or is_back:
            self._tell_reached()

    def recheck(self) -> None:
        """Look again which barriers are reached: entries went, or their root was paused."""
        with self._condition:
            self._epoch += 1
        self._tell_reached()

    def _tell_reached(self) -> None:
        while True:
            with self._condition:
                if not self._barriers:
                    return
                epoch, after = self._epoch, self._passed
            first, passed = self._first_sequence(after)
            with self._condition:
                if epoch != self._epoch:
                    # Entries went while the store was read: who waits for one of them would
                    # wait for ever, for nobody tells of it again.
                    continue
                self._blocking, self._passed = first or 0, passed
                reached = [
                    future for upto, future in self._barriers if first is None or first > upto
                ]
                self._barriers = [each for each in self._barriers if each[1] not in reached]
            break
        for future in reached:
            if not future.cancelled():
                future.set_result(None)

    def barrier(self) -> Future[None]:
        """Return a future that is done when all that is queued now was served."""
        future: Future[None] = Future()
        last = self._store.last_sequence()
        with self._condition:
            self._barriers.append((last, future))
        self._tell_reached()
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

    def is_news(self, sequence: int) -> bool:
        """Say whether an entry was served as news and is not done: somebody may look for it."""
        with self._condition:
            return sequence in self._fresh

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
            return entry
        if self._parked and not self._probe and now >= self._probe_at:
            entry = self._parked.pop(next(iter(self._parked)))
            self._probe = entry.sequence
            return entry
        while (news := self._news.take()) is not None:
            if self._is_free(news.sequence):
                self._fresh.add(news.sequence)
                return news
        while True:
            while self._backlog:
                entry = self._backlog.popleft()
                if self._is_free(entry.sequence):
                    return entry
            if not self._has_more or not self._fetch():
                return None  # after a page of paused roots as well: others want the lock

    def _seconds_to_next(self) -> float | None:
        """How long nothing has to be looked for; None for ever."""
        if self._has_more:
            return 0.0
        times = [self._later[0][0]] if self._later else []
        if self._parked and not self._probe:
            times.append(self._probe_at)
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _is_free(self, sequence: int) -> bool:
        return (
            sequence not in self._taken
            and sequence not in self._waiting
            and sequence not in self._parked
        )

    def _fetch(self) -> bool:
        """Read a page of the store's queue; say whether anything of it can be served."""
        with self._store.read() as reader:
            found = reader.queued_with_sizes(self._served_to, PREFETCH)
            paused = _paused(reader, (key for _, key, _ in found))
        self._has_more = len(found) == PREFETCH
        if found:
            self._served_to = found[-1][0]
        if not self._has_more:
            found.sort(key=itemgetter(2), reverse=True)
        self._backlog.extend(
            Entry(sequence, key) for sequence, key, _ in found if key.directory not in paused
        )
        return bool(self._backlog)

    def _first_sequence(self, after: int) -> tuple[int | None, int]:
        """Return the first place above one that barriers wait for, and up to where none is."""
        # The next one is mostly it; of thousands put aside a growing page is read.
        limit = FEWEST_LOOKED_AT
        while True:
            with self._store.read() as reader:
                queued = reader.queued(after, limit)
                paused = _paused(reader, (key for _, key in queued))
            with self._condition:
                for sequence, key in queued:
                    if sequence not in self._parked and key.directory not in paused:
                        return sequence, after
                    after = sequence
            if not queued:
                return None, after
            limit = min(2 * limit, PREFETCH)


def _paused(reader: Reader, keys: Iterable[FileKey]) -> set[DirectoryId]:
    """Return those of the files' directories that are below a paused root."""
    return {number for number in {key.directory for key in keys} if reader.is_paused(number)}
