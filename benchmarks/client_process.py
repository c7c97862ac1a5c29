"""How long `pspc search` takes as a whole process, beside one that only imports ZeroMQ."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

from benchmarks.live_daemon import LiveDaemon, timed
from benchmarks.plan import Plan
from benchmarks.report import Row, at_most, milliseconds
from benchmarks.synthetic_pictures import Query

TARGET = 2.0
STATUSES = (0, 1, 3)
"""Found, not found, not found yet: the synthetic root is unavailable."""


def client_rows(daemon: LiveDaemon, count: int, query: Query, plan: Plan) -> Iterator[Row]:
    """Run both in turn."""
    small = daemon.folder / "small.jpg"
    client, importing = [], []
    for number in range(plan.pairs):
        # Bytes behind its end make it a query that nobody asked before.
        small.write_bytes(query.data + b"%d" % number)
        client.append(daemon.timed("search", "--fast", small, statuses=STATUSES))
        importing.append(timed([sys.executable, "-c", "import zmq"]))
    whole, limit = statistics.median(client), statistics.median(importing)
    yield at_most(
        f"`pspc search --fast small.jpg` at {count:,}, whole process",
        milliseconds(whole),
        f"python -c 'import zmq': {milliseconds(limit)}",
        whole / limit,
        TARGET,
    )
