"""A queue in which every client has its turn: one that floods it waits behind itself.

jobs of a: a1 a2 a3 …      taken: a1 b1 a2 …
jobs of b: b1
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from typing import Final, Generic, TypeVar

_T = TypeVar("_T")

MOST_WAITING: Final = 64
"""Jobs of one origin that wait. Its requests in flight are fewer; but one whose deadline passes is
answered, and its job waits on."""


class FairQueue(Generic[_T]):
    """Jobs by origin, taken from one origin after the other; from any thread."""

    def __init__(self, most_of_one: int, most_waiting: int = MOST_WAITING) -> None:
        """Make an empty queue; of one origin so many jobs run at one time, from 1, and wait."""
        self._most_of_one = most_of_one
        self._most_waiting = most_waiting
        self._changed = threading.Condition()
        # Dictionaries keep their order: the first origin is the one whose turn it is.
        self._waiting: dict[bytes, deque[_T]] = {}
        self._running: Counter[bytes] = Counter()
        self._is_closed = False

    def put(self, origin: bytes, job: _T) -> bool:
        """Add a job behind those of the same origin; False when too many wait.

        After `close` jobs are dropped.
        """
        with self._changed:
            if self._is_closed:
                return True
            jobs = self._waiting.setdefault(origin, deque())
            if len(jobs) >= self._most_waiting:
                return False
            jobs.append(job)
            self._changed.notify()
            return True

    def take(self) -> tuple[bytes, _T] | None:
        """Wait for a job that may run; None when the queue is closed."""
        with self._changed:
            while not self._is_closed:
                origin = self._next_origin()
                if origin is not None:
                    return origin, self._take_of(origin)
                self._changed.wait()
            return None

    def finish(self, origin: bytes) -> None:
        """Say that a job of `origin` has ended."""
        with self._changed:
            self._running[origin] -= 1
            if not self._running[origin]:
                del self._running[origin]
            if origin in self._waiting:
                self._changed.notify()

    def close(self) -> None:
        """Drop what waits, and let everybody who takes go."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()

    def _next_origin(self) -> bytes | None:
        for origin in self._waiting:
            if self._running[origin] < self._most_of_one:
                return origin
        return None

    def _take_of(self, origin: bytes) -> _T:
        jobs = self._waiting.pop(origin)
        job = jobs.popleft()
        if jobs:
            self._waiting[origin] = jobs  # now the last
        self._running[origin] += 1
        return job
