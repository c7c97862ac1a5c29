"""How a store of a million pictures is asked: similar, original, by one client and by many.

    python -m benchmarks.queries

The store is synthetic (`benchmarks.synthetic_store`), the daemon and the clients are real.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.client_process import client_rows
from benchmarks.crowd import crowd_rows
from benchmarks.observed_daemon import MODULE
from benchmarks.originals import original_rows
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.similar import similar_rows
from benchmarks.synthetic_store import queries, synthetic_daemon


def measure(plan: Plan) -> Iterator[Finding]:
    """Ask the store in all ways."""
    count = plan.small_store
    asked = queries(plan.queries)
    with synthetic_daemon(plan, count) as daemon:
        daemon.start()
        daemon.await_rest(plan.rest)
        yield from client_rows(daemon, count, asked[0], plan)
        yield from original_rows(daemon, count, plan)
        yield from crowd_rows(daemon, count, asked, plan)
        daemon.stop()
        daemon.start(MODULE)
        daemon.await_rest(plan.rest)
        yield from similar_rows(daemon, count, asked, plan)


if __name__ == "__main__":
    run_program("queries", measure, __doc__)
