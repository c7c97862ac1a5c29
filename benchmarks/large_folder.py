"""100,000 small files: what arrives while they wait is found, and a rescan reads none of them.

    python -m benchmarks.large_folder

While the folder is indexed for the first time, photographs are written into another one
(`benchmarks.arrivals`). When it is done, all roots are scanned again, beside `find` on the same
folder.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.arrivals import arrivals, decoding_seconds, photographs_of, some
from benchmarks.live_daemon import LiveDaemon, live_daemon, timed
from benchmarks.picture_sets import FOLDER_FILES, tiny_files
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.report import Row, at_most, megabytes, milliseconds, percentile, within

RESCAN_TARGET = 2.0
RESCANS = 5
BOUND_SECONDS = 2.0
"""Any bound would do for what arrives while others wait; without one it would be minutes."""


def measure(plan: Plan) -> Iterator[Finding]:
    """Index a large folder, with arrivals meanwhile; then rescan it."""
    with tempfile.TemporaryDirectory(prefix="psp-bench-") as folder, live_daemon() as daemon:
        photographs = photographs_of(plan, Path(folder, "samples"))
        pictures = Path(folder, "tiny")
        count = tiny_files(pictures, plan.tiny_files)
        began = time.perf_counter()
        yield _arriving(daemon, pictures, photographs, plan)
        with daemon.connect() as connection:
            connection.sync()
            took = time.perf_counter() - began
            yield Row(
                f"first indexing, {count:,} tiny PNG files", f"{took:.1f} s, {count / took:.0f}/s"
            )
            # One more, not timed: files read within the grain of their own stamps are read again.
            connection.sync()
        yield from _rescan_rows(daemon, pictures, count, max(plan.runs, RESCANS))
        memory = daemon.memory()
        if memory is not None:
            yield Row(
                f"memory after indexing {count:,} tiny files",
                f"daemon {megabytes(memory.daemon)} resident ({megabytes(memory.anonymous)} "
                f"anonymous), workers {megabytes(memory.workers)}",
            )


def _arriving(daemon: LiveDaemon, pictures: Path, photographs: list[bytes], plan: Plan) -> Row:
    """Begin to index the large folder, and write photographs elsewhere meanwhile."""
    found, waiting = [], []
    with arrivals(daemon) as arriving, daemon.connect() as connection:
        connection.add(pictures)
        for data in some(photographs, plan):
            found.append(arriving.seconds_until_found(data))
            waiting.append(connection.status().pending)
    last, longest = percentile(found, 0.95), max(found)
    decoding = decoding_seconds(photographs)
    return within(
        f"photograph written → found, while {plan.tiny_files:,} files wait",
        f"median {milliseconds(statistics.median(found))}, 95th percentile {milliseconds(last)}, "
        f"longest {milliseconds(longest)}; {waiting[0]:,} to {waiting[-1]:,} waited",
        f"bounded: longest ≤ {BOUND_SECONDS:g} s",
        is_reached=longest <= BOUND_SECONDS,
        ratio=last / decoding,
        limit=f"decoding one: {milliseconds(decoding)}",
    )


def _rescan_rows(daemon: LiveDaemon, pictures: Path, count: int, runs: int) -> Iterator[Row]:
    find = shutil.which("find")
    found, asked, whole = [], [], []
    before = daemon.status()["extracted"]
    with daemon.connect() as connection:
        for _ in range(runs):
            if find is not None:
                found.append(timed([find, str(pictures), "-printf", "%s %T@\\n"]))
            began = time.perf_counter()
            connection.sync()
            asked.append(time.perf_counter() - began)
            whole.append(daemon.timed("sync"))
    if daemon.status()["extracted"] != before:
        raise RuntimeError("the rescan read files that have not changed")
    folders = -(-count // FOLDER_FILES)
    work = f"rescan of {count:,} unchanged files in {folders:,} folders"
    for name, values in ((f"{work}, asked over RPC", asked), ("the same, `pspc sync`", whole)):
        seconds = statistics.median(values)
        target = RESCAN_TARGET if values is asked else None
        if not found:
            text = "" if target is None else f"≤ {target:g}"
            yield Row(name, f"{seconds:.3f} s", "find: not here", target=text)
            continue
        limit = statistics.median(found)
        text = f"find -printf: {limit:.3f} s"
        yield at_most(name, f"{seconds:.3f} s", text, seconds / limit, target)


if __name__ == "__main__":
    run_program("large_folder", measure, __doc__)
