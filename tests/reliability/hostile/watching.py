"""A real daemon that watches hostile files: what it answers meanwhile, and what becomes of them."""

from __future__ import annotations

import collections
import os
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pspc import Connection
from pspd.rpc import wire
from tests.e2e.home import Home
from tests.reliability.hostile.classes import INDEXED

NOISE_SECONDS = 0.05
"""Added to twice the idle time of a search: what a busy machine alone may cost."""

_SAMPLE_SECONDS = 0.05
_IDLE_SEARCHES = 40
_MOST_SYNCS = 20
_PAUSE_SECONDS = 0.05
"""Between two searches: one after the other without a pause would take a whole core from what is
watched. Those for comparison have the same: what follows at once finds every process awake and its
data at hand, and takes half of the time (1.8 ms instead of 3.6), idle or not."""


@dataclass(slots=True)
class Watch:
    """What was seen while files were indexed."""

    seconds: float = 0.0
    searches: list[float] = field(default_factory=list)
    """Seconds that each search took meanwhile."""
    idle: list[float] = field(default_factory=list)
    """Seconds of searches afterwards, over the same index."""
    peak_memory: int = 0
    """Most resident memory of a worker, in MiB; 0 where the system does not tell."""

    @property
    def ratio(self) -> float:
        """How much longer the median search took than when the daemon is idle."""
        return statistics.median(self.searches) / statistics.median(self.idle)

    @property
    def answers_in_time(self) -> bool:
        """Whether the median search took at most twice its idle time, and some noise."""
        median, idle = statistics.median(self.searches), statistics.median(self.idle)
        return median <= 2 * idle + NOISE_SECONDS

    @property
    def why_late(self) -> str:
        """Why the median search took more than twice its idle time; empty when it did not."""
        is_late = self.ratio > 2
        return "within twice its idle time and 50 ms: all cores decode meanwhile" if is_late else ""


def watch_indexing(home: Home, connection: Connection, query: bytes) -> Watch:
    """Search again and again until all that is there now is indexed, and then for comparison."""
    seen = Watch()
    begun = time.monotonic()
    with _sampled_memory(home.pid(), seen):
        finished = threading.Event()
        syncing = threading.Thread(target=_sync, args=(home, finished))
        syncing.start()
        while not seen.searches or not finished.wait(_PAUSE_SECONDS):
            seen.searches.append(_search_seconds(connection, query))
        syncing.join()
    seen.seconds = time.monotonic() - begun
    for _ in range(_IDLE_SEARCHES):
        finished.clear()
        finished.wait(_PAUSE_SECONDS)
        seen.idle.append(_search_seconds(connection, query))
    return seen


def _sync(home: Home, finished: threading.Event) -> None:
    try:
        with Connection(home.path) as connection:
            connection.sync()
    finally:
        finished.set()


def _search_seconds(connection: Connection, query: bytes) -> float:
    begun = time.monotonic()
    connection.search(query, effort="fast")
    return time.monotonic() - begun


def wrong_dispositions(
    connection: Connection, right: Mapping[bytes, frozenset[str]]
) -> dict[bytes, str]:
    """Return the files whose disposition is none, or not right for them."""
    status = _settled(connection)
    reasons = {each.path: each.reason for each in connection.failures()}
    wrong = {
        path: reasons.get(path, INDEXED)
        for path, dispositions in right.items()
        if reasons.get(path, INDEXED) not in dispositions
    }
    wrong |= dict.fromkeys(reasons.keys() - right.keys(), "is not there")
    counted = (status.indexed, status.failed, status.pending)
    expected = (len(right) - len(reasons.keys() & right.keys()), len(reasons), 0)
    return wrong if counted == expected else wrong | {b"": f"{counted} instead of {expected}"}


def _settled(connection: Connection) -> wire.StatusReply:
    """Return the state between two looks at what ends early: these come 10 s and more later."""
    for _ in range(_MOST_SYNCS):
        connection.sync()
        status = connection.status()
        if not status.pending:
            break
    return status


def deaths(connection: Connection) -> Mapping[bytes, wire.FailureEntry]:
    """Return the files that cost a worker its life."""
    ended = {"crashed", "timeout"}
    return {each.path: each for each in connection.failures() if each.reason in ended}


@contextmanager
def _sampled_memory(daemon: int, seen: Watch) -> Iterator[None]:
    """Note the peak of every worker, again and again."""
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            peaks = [peak_of(pid) for pid in children_of(daemon)]
            seen.peak_memory = max([seen.peak_memory, *peaks])

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def children_of(parent: int) -> Iterator[int]:
    """Yield the processes that a process started, where /proc tells."""
    for path in Path("/proc").glob("[0-9]*"):
        fields = _fields_of(int(path.name))
        if fields and int(fields[1]) == parent:
            yield int(path.name)


def processor_seconds(daemon: int) -> float:
    """Return how long a process, its children, and those that are gone kept processors busy."""
    ticks = 0
    for pid in (daemon, *children_of(daemon)):
        ticks += sum(map(int, _fields_of(pid)[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields_of(pid: int) -> list[str]:
    """Return what /proc tells of a process, from its state on; nothing when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def peak_of(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM")), 0)


def summary(wrong: Mapping[bytes, str]) -> str:
    """Say in few words, in brackets, which files had a wrong disposition; empty when none had."""
    folders = collections.Counter(
        f"{os.path.basename(os.path.dirname(os.fsdecode(path)))}: {what}"
        for path, what in wrong.items()
    )
    texts = [f"{count} × {text}" for text, count in folders.most_common(5)]
    return f" ({'; '.join(texts)})" if texts else ""
