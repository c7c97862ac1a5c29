"""What a person should know or mend, and what happened how often: `pspc status` shows both.

A part posts a notice while something is wrong and withdraws it when it is right again; the notice
names cause and cure. Counters only grow. Any thread may use the board; it never blocks for long.
"""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from typing import Literal

Area = Literal["watching", "workers", "store", "sockets", "host", "learned"]
"""The part of the daemon that a notice is about."""

MOST_NOTICES = 1000
"""Notices kept of one area; a limit on watches may concern every directory of a million."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that a person should know, or mend."""

    area: Area
    cause: str
    """One clause that says what is wrong."""
    cure: str = ""
    """What to do about it; empty when it mends itself."""
    path: str = ""
    """The file or directory it is about; empty when it is about none."""


class NoticeBoard:
    """The notices that stand, and the counters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notices: dict[tuple[Area, str], Notice] = {}
        self._posted: Counter[Area] = Counter()
        self._counters: Counter[str] = Counter()

    def post(self, key: str, notice: Notice) -> None:
        """Put a notice up, in place of the one of the same area and key.

        Beyond `MOST_NOTICES` of an area it is dropped, and counted as `notices_dropped`.
        """
        place = (notice.area, key)
        with self._lock:
            if place not in self._notices:
                if self._posted[notice.area] >= MOST_NOTICES:
                    self._counters["notices_dropped"] += 1
                    return
                self._posted[notice.area] += 1
            self._notices[place] = notice

    def withdraw(self, area: Area, key: str) -> None:
        """Take a notice down; one that is not up is no error."""
        with self._lock:
            if self._notices.pop((area, key), None) is not None:
                self._posted[area] -= 1

    def count(self, name: str, by: int = 1) -> None:
        """Count something that happened, such as `queue_overflows` or `worker_deaths`."""
        with self._lock:
            self._counters[name] += by

    def notices(self) -> list[Notice]:
        """Return what is up, in the order in which it was posted."""
        with self._lock:
            return list(self._notices.values())

    def counters(self) -> dict[str, int]:
        """Return how often what happened since the daemon's start."""
        with self._lock:
            return dict(sorted(self._counters.items()))
