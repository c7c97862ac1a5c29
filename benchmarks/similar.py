"""How long a similar query takes in the daemon while it indexes, extraction excluded.

The limit is reading the column of 64-bit hashes once from memory (`numpy.sum`), in turn with the
queries on the same busy machine.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.feeding import fed
from benchmarks.live_daemon import LiveDaemon
from benchmarks.plan import Plan
from benchmarks.report import Row, milliseconds, percentile
from benchmarks.synthetic_pictures import Query
from pspc import Connection

TARGETS_MS = {1_000_000: (1.5, 3.0), 10_000_000: (12.0, 20.0)}
"""Pictures → median and 99th percentile."""
MOST_QUERIES = 4_000
COLUMN_EVERY = 10
"""Queries between two readings of the column."""


@dataclass(slots=True)
class SimilarTimes:
    """Seconds of single queries, of those that went with them, and of the limit."""

    inside: list[float] = field(default_factory=list)
    """In the daemon."""
    whole: list[float] = field(default_factory=list)
    """As the client saw them: with the wire."""
    column: list[float] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)


def similar_rows(
    daemon: LiveDaemon, count: int, queries: Sequence[Query], plan: Plan
) -> Iterator[Row]:
    """Ask a daemon that is observed (`benchmarks.observed_daemon`) while it indexes."""
    with daemon.connect() as connection, fed(daemon, plan.waiting) as feeder:
        times = ask(connection, count, queries, plan.seconds, lambda: feeder.indexed() > 0)
        rate = feeder.rate()
        is_fed = rate and daemon.status()["pending"]
        if count in TARGETS_MS and not is_fed:
            raise RuntimeError("nothing was indexed meanwhile, or it came to its end too soon")
    column = statistics.median(times.column)
    limit = f"the column once: {milliseconds(column)}"
    work = f"similar query at {count:,}, extraction excluded"
    targets = TARGETS_MS.get(count, (None, None))
    for name, share, target in zip(
        ("median", "99th percentile"), (0.5, 0.99), targets, strict=True
    ):
        taken = percentile(times.inside, share)
        yield Row(
            f"{work}, {name}",
            f"{milliseconds(taken)} (of {len(times.inside)}; {rate:.0f} pictures/s indexed "
            "meanwhile)",
            limit,
            taken / column,
            "" if target is None else f"≤ {target:g} ms",
            None if target is None else taken * 1e3 <= target,
        )
    yield Row(
        "the same with the wire",
        f"median {milliseconds(statistics.median(times.whole))}, 99th percentile "
        f"{milliseconds(percentile(times.whole, 0.99))}, {statistics.median(times.hits):g} hits",
    )


def ask(
    connection: Connection,
    count: int,
    queries: Sequence[Query],
    seconds: float,
    is_enough: Callable[[], bool] = lambda: True,
) -> SimilarTimes:
    """Ask one query after the other; each once before, for its extraction.

    Args:
        connection: To an observed daemon.
        count: Pictures in its store.
        queries: What to ask.
        seconds: How long.
        is_enough: Asked then whether what was to go on meanwhile did.
    """
    values = np.random.default_rng(count).integers(0, 1 << 63, count, dtype=np.uint64)
    times = SimilarTimes()
    for query in queries:
        times.hits.append(connection.search(query.data, "similar").total)
    until = time.perf_counter() + seconds
    for number, query in zip(range(MOST_QUERIES), itertools.cycle(queries)):
        began = time.perf_counter()
        reply = connection.search(query.data, "similar")
        times.whole.append(time.perf_counter() - began)
        times.inside.append(reply.elapsed_ms / 1e3)
        if number % COLUMN_EVERY == 0:
            began = time.perf_counter()
            values.sum()
            times.column.append(time.perf_counter() - began)
        if time.perf_counter() > until and is_enough():
            break
    return times
