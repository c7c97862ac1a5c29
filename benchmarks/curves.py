"""Cost against size, for the plots and the forecast of docs/performance.md.

    make bench-stores; python -m benchmarks.curves --record benchmarks-curves.json

Indexing from 100 to 30,000 files; queries, memory, store and start from ten thousand to ten million
pictures. A store that is not there is left out, and said so.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks.feeding import scene
from benchmarks.indexing import seconds_in
from benchmarks.live_daemon import LiveDaemon, live_daemon
from benchmarks.observed_daemon import MODULE
from benchmarks.picture_sets import FOLDER_FILES, PictureFile, PictureSet
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.record import Curve, Point
from benchmarks.report import percentile
from benchmarks.scale import seconds_to_answer
from benchmarks.similar import ask
from benchmarks.synthetic_store import StoreMissing, queries, synthetic_daemon

INDEXING = "indexing"
MEDIAN = "similar query, median"
SLOWEST = "similar query, 99th percentile"
COLUMN = "reading the column once"
MEMORY = "memory of the daemon"
STORE = "store"
START = "start to the first answer"
MOST_REPEATED = 3_000
"""Larger folders are indexed once: what disturbs a run of minutes disturbs little of it."""
UNITS = {
    INDEXING: "s",
    MEDIAN: "ms",
    SLOWEST: "ms",
    COLUMN: "ms",
    MEMORY: "MB",
    STORE: "MB",
    START: "s",
}


def measure(plan: Plan) -> Iterator[Finding]:
    """Measure all sizes of the plan."""
    yield Curve(INDEXING, UNITS[INDEXING], tuple(_indexing(plan)))
    points: defaultdict[str, list[Point]] = defaultdict(list)
    for count in plan.curve_stores:
        try:
            with synthetic_daemon(plan, count) as daemon:
                for name, value in _costs(daemon, count, plan):
                    points[name].append(Point(count, value))
        except StoreMissing as missing:
            yield f"The curves end before {count:,} pictures: {missing}."
    for name, found in points.items():
        yield Curve(name, UNITS[name], tuple(found))


def _indexing(plan: Plan) -> Iterator[Point]:
    """Index folders of JPEG pictures of 640 × 480, each into an empty store."""
    for count in plan.curve_files:
        taken = []
        for _ in range(plan.runs if count <= MOST_REPEATED else 1):
            with tempfile.TemporaryDirectory(prefix="psp-bench-") as folder, live_daemon() as each:
                taken.append(seconds_in(each, _scene_set(Path(folder), count)))
        yield Point(count, statistics.median(taken))


def _scene_set(top: Path, count: int) -> PictureSet:
    files = []
    for number in range(count):
        folder = top / f"{number // FOLDER_FILES:05}"
        folder.mkdir(exist_ok=True)
        path = folder / f"{number:06}.jpg"
        path.write_bytes(scene(number) + b"%d" % number)
        files.append(PictureFile(path, "JPEG"))
    return PictureSet("scenes", top, tuple(files), sum(file.path.stat().st_size for file in files))


def _costs(daemon: LiveDaemon, count: int, plan: Plan) -> Iterator[tuple[str, float]]:
    asked = queries(plan.queries)
    starts = [seconds_to_answer(daemon, asked[0].data)[0] for _ in range(plan.runs)]
    yield START, statistics.median(starts)
    yield STORE, daemon.status()["store_bytes"] / 1e6
    daemon.await_rest(plan.rest)
    memory = daemon.memory()
    if memory is not None:
        yield MEMORY, memory.daemon / 1e6
    daemon.stop()
    daemon.start(MODULE)
    daemon.await_rest(plan.rest)
    with daemon.connect() as connection:
        times = ask(connection, count, asked, plan.seconds / 2)
    yield MEDIAN, statistics.median(times.inside) * 1e3
    yield SLOWEST, percentile(times.inside, 0.99) * 1e3
    yield COLUMN, statistics.median(times.column) * 1e3


if __name__ == "__main__":
    run_program("curves", measure, __doc__)
