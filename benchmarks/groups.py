"""The groups of copies among a million pictures: how soon they are listed, what keeping them costs.

    python -m benchmarks.groups

The first page of the list is asked for after each picture that arrives, so that no list is the one
before. Then many arrive: the time in which the daemon searches for the copies of each, and stores
what it found, is taken without the rests between.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence

from benchmarks.arrivals import arrivals
from benchmarks.feeding import fed, scene
from benchmarks.live_daemon import LiveDaemon
from benchmarks.observed_daemon import COMPARED_FILE, MODULE, SEARCHED_FILE, noted_seconds
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.report import Row, milliseconds, percentile, within
from benchmarks.synthetic_store import synthetic_daemon
from pspc import Connection

LIST_TARGET_SECONDS = 1.0
KEEPING_TARGET_SECONDS = 0.002
"""For each picture that arrives."""
KEEPING_FILES = (SEARCHED_FILE, COMPARED_FILE)
KEPT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05


def measure(plan: Plan) -> Iterator[Finding]:
    """List the groups and have pictures arrive."""
    with synthetic_daemon(plan, plan.small_store) as daemon:
        daemon.start(MODULE)
        daemon.await_rest(plan.rest)
        yield from _rows(daemon, plan)


def _rows(daemon: LiveDaemon, plan: Plan) -> Iterator[Row]:
    pages, groups = [], 0
    with arrivals(daemon, "grouped") as arriving, daemon.connect() as connection:
        for number in range(plan.arrivals):
            arriving.add(scene(number) + b"grouped %d" % number)
            _await_compared(connection)
            began = time.perf_counter()
            page = next(connection.duplicates())
            pages.append(time.perf_counter() - began)
            groups = page.total
        yield _list_row(pages, groups, plan.small_store)
        before = [len(noted_seconds(daemon.path, name)) for name in KEEPING_FILES]
        with fed(daemon, plan.waiting):
            time.sleep(plan.seconds / 4)
        _await_compared(connection)
        searches, changes = (
            noted_seconds(daemon.path, name)[first:]
            for name, first in zip(KEEPING_FILES, before, strict=True)
        )
    yield _keeping_row(searches, changes, plan.small_store)


def _await_compared(connection: Connection) -> None:
    """Wait until the daemon knows the copies of every picture.

    Raises:
        RuntimeError: It does not get there.
    """
    until = time.monotonic() + KEPT_SECONDS
    while connection.status().uncompared:
        if time.monotonic() > until:
            raise RuntimeError("the copies of what arrived are not found")
        time.sleep(_PAUSE_SECONDS)


def _list_row(pages: Sequence[float], groups: int, count: int) -> Row:
    last = percentile(pages, 0.95)
    return within(
        f"list of the {groups:,} groups of copies among {count:,}, after each arrival",
        f"first page: median {milliseconds(statistics.median(pages))}, 95th percentile "
        f"{milliseconds(last)}",
        f"95th percentile ≤ {LIST_TARGET_SECONDS:g} s",
        is_reached=last <= LIST_TARGET_SECONDS,
    )


def _keeping_row(searches: Sequence[float], changes: Sequence[float], count: int) -> Row:
    each = (sum(searches) + sum(changes)) / len(searches)
    return within(
        f"keeping the groups at {count:,} while {len(searches)} pictures arrive",
        f"{milliseconds(each)} a picture, {milliseconds(statistics.mean(searches))} of it search",
        f"≤ {KEEPING_TARGET_SECONDS * 1e3:g} ms a picture",
        is_reached=each <= KEEPING_TARGET_SECONDS,
    )


if __name__ == "__main__":
    run_program("groups", measure, __doc__)
