"""Many clients that ask at once, against one alone: throughput, and the slowest answer.

The clients are threads with a connection each, spread over a few processes, so that no interpreter
lock of theirs is measured. All ask whole queries, extraction included, and none twice.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.live_daemon import LiveDaemon
from benchmarks.plan import Plan
from benchmarks.report import Row, at_least, milliseconds, within
from benchmarks.synthetic_pictures import Query
from pspc import Connection

THROUGHPUT_TARGET = 1.5
SLOWEST_TARGET = 10.0
"""Times the median."""
PROCESSES = 4
SERIES_SHARE = 0.25
"""Of the plan's seconds, for each series."""
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What some clients saw."""

    seconds: list[float]
    """Of each answer, repetitions after "busy" included."""
    span: float
    """From the first question to the last answer."""

    @classmethod
    def of(cls, parts: Sequence[Sequence[tuple[float, float]]]) -> Asked:
        """Join what several processes saw: the moments of each question and its answer."""
        spans = [span for part in parts for span in part]
        begun, ended = min(span[0] for span in spans), max(span[1] for span in spans)
        return cls([end - begin for begin, end in spans], ended - begun)

    @property
    def throughput(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.span


def crowd_rows(
    daemon: LiveDaemon, count: int, queries: Sequence[Query], plan: Plan
) -> Iterator[Row]:
    """Let one client ask, and then all, in turn."""
    images = [query.data for query in queries]
    seconds = plan.seconds * SERIES_SHARE
    alone, together = [], []
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(min(PROCESSES, plan.clients)) as pool:

        def asked(clients: int) -> Asked:
            processes = min(PROCESSES, clients)
            shares = [len(range(number, clients, processes)) for number in range(processes)]
            start = manager.Barrier(processes)
            work = partial(_ask_in_threads, daemon.path, images, seconds, start)
            return Asked.of(pool.map(work, shares, chunksize=1))

        for _ in range(plan.runs):
            alone.append(asked(1))
            together.append(asked(plan.clients))
    one = statistics.median(each.throughput for each in alone)
    many = statistics.median(each.throughput for each in together)
    yield at_least(
        f"{plan.clients} clients at once at {count:,}, throughput",
        f"{many:.0f} answers/s",
        f"one client: {one:.0f} answers/s",
        many / one,
        THROUGHPUT_TARGET,
    )
    medians = [statistics.median(each.seconds) for each in together]
    ratio = max(max(each.seconds) / median for each, median in zip(together, medians, strict=True))
    yield within(
        "the same, the slowest answer",
        milliseconds(max(max(each.seconds) for each in together)),
        f"≤ {SLOWEST_TARGET:g} times the median",
        is_reached=ratio <= SLOWEST_TARGET,
        ratio=ratio,
        limit=f"the median: {milliseconds(statistics.median(medians))}",
    )


def _ask_in_threads(
    home: Path, images: Sequence[bytes], seconds: float, start: threading.Barrier, clients: int
) -> list[tuple[float, float]]:
    """Be some of the clients; returns when each answer's question began, and when it came.

    Whatever one of them meets is raised: an answer that never came must not be left out.
    """
    spans: list[tuple[float, float]] = []
    ready = threading.Barrier(clients + 1, timeout=_TIMEOUT)
    with ThreadPoolExecutor(clients) as threads:
        asking = []
        for number in range(clients):
            first = number % len(images)
            own = [*images[first:], *images[:first]]
            asking.append(threads.submit(_ask, home, own, seconds, ready, spans))
        start.wait(_TIMEOUT)
        ready.wait()
        for each in asking:
            each.result()
    return spans


def _ask(
    home: Path,
    images: Sequence[bytes],
    seconds: float,
    ready: threading.Barrier,
    spans: list[tuple[float, float]],
) -> None:
    with Connection(home, timeout=_TIMEOUT) as connection:
        connection.hello()
        ready.wait()
        until = time.monotonic() + seconds
        for number, image in enumerate(itertools.cycle(images)):
            # Bytes behind its end make it a question that nobody asked before.
            question = image + b"%d %d %d" % (os.getpid(), threading.get_ident(), number)
            began = time.monotonic()
            connection.search(question, "similar")
            spans.append((began, time.monotonic()))
            if time.monotonic() > until:
                return
