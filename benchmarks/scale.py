"""What ten million pictures cost: start, memory, disk, a query, one picture more or less.

    make bench-stores; python -m benchmarks.scale

The store is synthetic and its folders are not there, so that the daemon watches none of them: a
watch is the kernel's memory, about a kilobyte a folder.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.arrivals import Arrivals, arrivals
from benchmarks.feeding import scene
from benchmarks.live_daemon import LiveDaemon
from benchmarks.observed_daemon import APPLIED_FILE, MODULE, noted_seconds
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.report import Row, megabytes, milliseconds, not_measured, within
from benchmarks.similar import TARGETS_MS, similar_rows
from benchmarks.synthetic_store import StoreMissing, queries, synthetic_daemon

START_TARGET_SECONDS = 2.0
STORE_TARGET = 400
"""Bytes a picture."""
MEMORY_TARGET = (150_000_000, 64)
"""Bytes, and bytes a picture."""
CHANGE_TARGET_SECONDS = 0.05


def measure(plan: Plan) -> Iterator[Finding]:
    """Measure the largest store, or say what is not measured without it."""
    count = plan.large_store
    try:
        with synthetic_daemon(plan, count) as daemon:
            yield from _rows(daemon, count, plan)
    except StoreMissing as missing:
        yield f"Not all is measured: {missing}."
        yield from _skipped(count, str(missing))


def _rows(daemon: LiveDaemon, count: int, plan: Plan) -> Iterator[Finding]:
    asked = queries(plan.queries)
    yield start_row(daemon, count, asked[0].data, plan.runs)
    daemon.await_rest(plan.rest)
    yield from weight_rows(daemon, count)
    daemon.stop()
    daemon.start(MODULE)
    daemon.await_rest(plan.rest)
    yield from change_rows(daemon, count, plan.changes)
    yield from similar_rows(daemon, count, asked, plan)


def start_row(daemon: LiveDaemon, count: int, query: bytes, runs: int) -> Row:
    """Start the daemon some times, and leave it running; it was ended in order each time."""
    answered, listening = zip(*(seconds_to_answer(daemon, query) for _ in range(runs)), strict=True)
    seconds = statistics.median(answered)
    return within(
        f"daemon's start to its first answer at {count:,}",
        f"{seconds:.2f} s, listening after {statistics.median(listening):.2f} s",
        f"≤ {START_TARGET_SECONDS:g} s",
        is_reached=seconds <= START_TARGET_SECONDS,
    )


def seconds_to_answer(daemon: LiveDaemon, query: bytes) -> tuple[float, float]:
    """Start the daemon anew; returns after how many seconds it answered a search, and listened."""
    daemon.stop()
    began = time.perf_counter()
    listening = daemon.start()
    with daemon.connect() as connection:
        connection.search(query, effort="fast")
    return time.perf_counter() - began, listening


def weight_rows(daemon: LiveDaemon, count: int) -> Iterator[Row]:
    """Weigh a daemon that has answered and done what it does by itself, and its store."""
    each = daemon.status()["store_bytes"] / count
    yield within(
        f"store of {count:,}",
        f"{each:.0f} bytes a picture",
        f"≤ {STORE_TARGET} bytes",
        is_reached=each <= STORE_TARGET,
    )
    memory = daemon.memory()
    base, more = MEMORY_TARGET
    work, target = f"memory of the daemon at {count:,}", f"≤ {megabytes(base + more * count)}"
    if memory is None:
        yield not_measured(work, "there is no /proc here", target)
        return
    yield within(
        work,
        f"{megabytes(memory.daemon)} resident, {megabytes(memory.anonymous)} of it anonymous; "
        f"workers {megabytes(memory.workers)}",
        target,
        is_reached=memory.daemon <= base + more * count,
    )


def change_rows(daemon: LiveDaemon, count: int, changes: int) -> Iterator[Row]:
    """Add pictures and remove them again; the very next query has to know, each time.

    The time is that of store and index, from the result of the worker to the end of the change:
    before it come the waiting for more hints and the decoding, which the size does not matter to.
    """
    with arrivals(daemon, "changes") as arriving:
        for name, taken in _changed(daemon, arriving, changes).items():
            seconds = max(taken)
            yield within(
                f"{name} one picture at {count:,} until the next query knows",
                f"median {milliseconds(statistics.median(taken))}, longest {milliseconds(seconds)}",
                f"≤ {CHANGE_TARGET_SECONDS * 1e3:g} ms",
                is_reached=seconds <= CHANGE_TARGET_SECONDS,
            )


def _changed(daemon: LiveDaemon, arriving: Arrivals, changes: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {"adding": [], "removing": []}
    for number in range(changes):
        data = scene(number) + b"change %d" % number
        with _longest_change(daemon, taken["adding"]):
            path = arriving.add(data)
            if not arriving.finds(path, data):
                raise RuntimeError("a picture that was added is not found")
        with _longest_change(daemon, taken["removing"]):
            arriving.remove(path)
            if arriving.finds(path, data):
                raise RuntimeError("a picture that was removed is still found")
    return taken


@contextmanager
def _longest_change(daemon: LiveDaemon, taken: list[float]) -> Iterator[None]:
    """Take how long the longest change of store and index was that is made meanwhile."""
    before = len(noted_seconds(daemon.path, APPLIED_FILE))
    yield
    with daemon.connect() as connection:
        connection.sync()  # what was told is noted then
    taken.append(max(noted_seconds(daemon.path, APPLIED_FILE)[before:]))


def _skipped(count: int, why: str) -> Iterator[Row]:
    base, more = MEMORY_TARGET
    half, most = TARGETS_MS.get(count, (0, 0))
    for work, target in (
        (f"daemon's start to its first answer at {count:,}", f"≤ {START_TARGET_SECONDS:g} s"),
        (f"store of {count:,}", f"≤ {STORE_TARGET} bytes"),
        (f"memory of the daemon at {count:,}", f"≤ {megabytes(base + more * count)}"),
        (f"adding or removing one picture at {count:,}", f"≤ {CHANGE_TARGET_SECONDS * 1e3:g} ms"),
        (f"similar query at {count:,}, median", f"≤ {half:g} ms"),
        (f"similar query at {count:,}, 99th percentile", f"≤ {most:g} ms"),
    ):
        yield not_measured(work, why, target)


if __name__ == "__main__":
    run_program("scale", measure, __doc__)
