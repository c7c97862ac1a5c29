"""How long the index takes to answer, against reading its hashes once from memory.

    python -m benchmarks.index_latency --sizes 10000 100000 1000000

The hashes are random, so that next to nothing is near: what is timed is
looking into tables and comparing. The limit it is
compared with is `numpy.sum` over one contiguous column of the same length, in the same run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from pspd.core.verdict import COPY_DISTANCE
from pspd.search.index import Query, Rows
from pspd.search.multi_index import MultiIndex

RADII = (8, 16)
COUNTS_OF_HASHES = (1, 8)
BUDGET_SECONDS = 2.0
"""Wall-clock time for one figure; at least `MINIMUM_RUNS` runs, whatever they take."""
MINIMUM_RUNS = 20
MAXIMUM_RUNS = 2_000


def random_rows(count: int) -> Rows:
    """Return rows of random hashes, 5 % of them flat at a flat quality of 10."""
    random = np.random.default_rng(count)
    return Rows(
        numbers=np.arange(count, dtype=np.int64),
        phash64=random.integers(0, 2**64, count, dtype=np.uint64),
        phash256=random.integers(0, 2**64, (count, 4), dtype=np.uint64),
        shapes=random.integers(1, 5_000, count, dtype=np.uint64) << np.uint64(32),
        quality=random.integers(5, 101, count, dtype=np.uint8),
    )


def timings(action: Callable[[], object]) -> list[float]:
    """Return how long single runs took, in milliseconds, ascending."""
    action()
    taken: list[float] = []
    began = time.perf_counter()
    while len(taken) < MAXIMUM_RUNS and (
        len(taken) < MINIMUM_RUNS or time.perf_counter() - began < BUDGET_SECONDS
    ):
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1e3)
    return sorted(taken)


def line(name: str, taken: list[float], limit_ms: float) -> str:
    """Return one line of the table: median, 99th percentile, ratio of the median to the limit."""
    median = statistics.median(taken)
    p99 = taken[min(len(taken) - 1, len(taken) * 99 // 100)]
    return f"  {name:<28}{median:>10.3f}{p99:>10.3f}{median / limit_ms:>10.2f}"


def measure(count: int) -> None:
    rows = random_rows(count)
    index = MultiIndex(flat_quality=10)
    start = time.perf_counter()
    index.put(rows)
    while index.settle():
        pass
    put_ms = (time.perf_counter() - start) * 1e3

    read = timings(rows.phash64.sum)
    limit_ms = statistics.median(read)
    print(f"{count:,} rows, put in {put_ms:.1f} ms")
    print(f"  {'':<28}{'median ms':>10}{'p99 ms':>10}{'ratio':>10}")
    print(line("read the column once", read, limit_ms))
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, 8, dtype=np.uint64)
    words = random.integers(0, 2**64, (8, 4), dtype=np.uint64)
    for used in COUNTS_OF_HASHES:
        for radius in RADII:
            name = f"{used} hash{'es' if used > 1 else ''}, radius {radius}"
            query = Query(hashes[:used], words[:used])
            action = partial(index.near, query, radius, COPY_DISTANCE)
            print(line(name, timings(action), limit_ms))
    query = Query(hashes[:1], words[:1])
    print(line("by shape", timings(lambda: index.shaped(query, 640, 480, 100)), limit_ms))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for count in parser.parse_args().sizes:
        measure(count)


if __name__ == "__main__":
    main()
