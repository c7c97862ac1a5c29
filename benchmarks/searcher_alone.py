"""Times similar queries in this process, with extraction excluded exactly."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pspd.core import verdict
from pspd.core.model import ImageId, Limits
from pspd.features.extract import extract_query
from pspd.quarantine import Quarantine
from pspd.search.index import Query, Rows
from pspd.search.multi_index import MultiIndex
from pspd.searcher import Options, Searcher
from pspd.store.store import Store
from pspd.workers.messages import Order
from pspd.workers.pool import WorkerPool
from pspd.workers.replies import Outcome

_LONG_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SearcherTimes:
    """Seconds of single queries, and what they are to be compared with."""

    whole: list[float]
    """`Searcher.search`, the query's extraction excluded."""
    index: list[float]
    """The part of it that scans the 64-bit hashes, for all eight turns."""
    column_seconds: float
    """To read the column of 64-bit hashes once from memory, median."""
    candidates: float
    """Rows that the scan leaves for the 256-bit hashes, median."""


class RememberingPool(WorkerPool):
    """Workers that read each query once, and answer from memory from then on."""

    def __init__(self) -> None:
        super().__init__(1, Limits(), name="query")
        self._outcomes: dict[tuple[bytes, Order], Outcome] = {}

    def run(
        self,
        descriptor: int,
        order: Order,
        *,
        is_known: Callable[[ImageId], bool] | None = None,
        wants_pixels: Callable[[Outcome], bool] | None = None,
    ) -> Outcome:
        """Have a file read, unless an equal one was."""
        key = (os.pread(descriptor, os.fstat(descriptor).st_size, 0), order)
        if key not in self._outcomes:
            self._outcomes[key] = super().run(
                descriptor, order, is_known=is_known, wants_pixels=wants_pixels
            )
        return self._outcomes[key]


def time_searcher(folder: Path, queries: Sequence[bytes], repeats: int) -> SearcherTimes:
    """Time `repeats` rounds of all queries against the store in `folder`, which nobody has open."""
    store = Store(folder)
    pool = RememberingPool()
    try:
        with store.read() as reader:
            rows = reader.rows()
        index = MultiIndex(verdict.FLAT_QUALITY)
        index.put(rows)
        while index.settle():
            pass
        options = Options(
            copy_distance=verdict.COPY_DISTANCE,
            mean_difference=None,
            pixel_comparisons=0,
            verify_seconds=0.0,
        )
        searcher = Searcher(
            store, index, pool, Quarantine(store, "benchmark"), options, remember=lambda _: None
        )

        def search(query: bytes) -> None:
            searcher.search(query, "similar", None, time.monotonic() + _LONG_SECONDS)

        repeated(search, queries, 1)
        return _against_limits(index, rows, queries, repeated(search, queries, repeats), repeats)
    finally:
        pool.close()
        store.close()


def repeated(
    action: Callable[[bytes], object], queries: Sequence[bytes], repeats: int
) -> list[float]:
    """Time each query, round after round; returns seconds."""
    return [seconds(partial(action, query)) for _ in range(repeats) for query in queries]


def seconds(action: Callable[[], object]) -> float:
    """Time one call."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def _against_limits(
    index: MultiIndex, rows: Rows, queries: Sequence[bytes], whole: list[float], repeats: int
) -> SearcherTimes:
    hashes = {query: _turned_hashes(query) for query in queries}
    column = np.ascontiguousarray(rows.phash64)

    def near(query: bytes) -> int:
        return len(index.near(hashes[query], verdict.SHORTLIST_RADIUS, verdict.COPY_DISTANCE))

    return SearcherTimes(
        whole=whole,
        index=repeated(near, queries, repeats),
        column_seconds=statistics.median(repeated(lambda _: column.sum(), queries, repeats)),
        candidates=statistics.median(near(query) for query in queries),
    )


def _turned_hashes(query: bytes) -> Query:
    """Return the query's 64-bit hashes.

    Raises:
        ValueError: The query is flat, so that nothing would be searched for.
    """
    features, turns = extract_query(query, Limits())
    if features.quality < verdict.FLAT_QUALITY:
        raise ValueError("a query image must not be flat")
    return Query.of(turns)
