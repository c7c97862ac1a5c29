"""How fast a query is answered, by size of the store; and what start, memory and disk cost.

    python -m benchmarks.query [--sizes 10000 100000 1000000] [--near SHARE]

The stores are synthetic (`benchmarks.synthetic_store`), the daemon and the client are real.

"In the searcher" is timed in this process: `Searcher.search` on the same store, with workers that
extract each query once and then answer from memory, so that extraction is excluded exactly; taking
the time of one reply from another's would put the noise of two decodes into the percentiles. What
it leaves out, the wire, is in "over RPC", which includes extraction as well. Nothing is indexed
meanwhile. The limit is reading the column of 64-bit hashes once from memory (`numpy.sum`).
"""

from __future__ import annotations

import argparse
import io
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from benchmarks import report
from benchmarks.live_daemon import LiveDaemon, live_daemon, timed
from benchmarks.report import Row, at_most, milliseconds, percentile
from benchmarks.searcher_alone import repeated, seconds, time_searcher
from benchmarks.synthetic_store import NEAR_SHARE, write_store
from examples.make_samples import LANDSCAPES, landscape
from pspc import Connection
from pspd.core.model import Limits
from pspd.features.extract import extract_query

TARGETS_MS = {1_000_000: (1.5, 3.0), 10_000_000: (12.0, 20.0)}
"""Pictures → median and 99th percentile of a similar query without extraction."""
ORIGINAL_TARGET_SECONDS = 0.005
"""Above one decode of the query and one of each candidate."""
CLIENT_TARGET = 2.0
START_TARGET_SECONDS = 2.0
STORE_TARGET = 400
MEMORY_TARGET = (150_000_000, 64)
"""Bytes, and bytes a picture."""
SECOND_TIMES = 3
CLIENT_STATUSES = (0, 1, 3)
"""Found, not found, not found yet: the synthetic root is unavailable."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument(
        "--near", type=float, default=NEAR_SHARE, metavar="SHARE", help="pictures around a query"
    )
    parser.add_argument("--queries", type=int, default=LANDSCAPES, help="query images, at most 24")
    parser.add_argument("--repeats", type=int, default=20, help="queries of each image")
    parser.add_argument("--pairs", type=int, default=15, help="runs of the client as a process")
    options = parser.parse_args(arguments)
    print(report.machine())
    queries = [_jpeg(landscape(number)) for number in range(options.queries)]
    for size in options.sizes:
        report.print_rows(_measure(size, queries, options))


def _measure(count: int, queries: Sequence[bytes], options: argparse.Namespace) -> Iterator[Row]:
    extracted = [extract_query(query, Limits()) for query in queries]
    with live_daemon(started=False) as daemon:
        began = time.perf_counter()
        hashes = [features.phash64 for features, _ in extracted]
        write_store(daemon.path / "store", count, hashes, options.near)
        written = time.perf_counter() - began
        yield Row(f"{count:,} pictures written to the store", f"{count / written:.0f} pictures/s")
        yield from _in_searcher(daemon.path / "store", count, queries, options.repeats)
        yield from _start(daemon, count, queries[0])
        yield from _over_rpc(daemon, queries, options.repeats)
        yield from _whole_process(daemon, queries[0], options.pairs)
        yield from _sizes(daemon, count)
        yield from _original(daemon, options.queries)


def _in_searcher(folder: Path, count: int, queries: Sequence[bytes], repeats: int) -> Iterator[Row]:
    times = time_searcher(folder, queries, repeats)
    limit = f"the column once: {milliseconds(times.column_seconds)}"
    targets = TARGETS_MS.get(count, (None, None))
    for name, taken, target in (
        ("median", statistics.median(times.whole), targets[0]),
        ("99th percentile", percentile(times.whole, 0.99), targets[1]),
        ("the index alone, median", statistics.median(times.index), None),
    ):
        yield Row(
            f"similar query in the searcher, {name}",
            milliseconds(taken),
            limit,
            taken / times.column_seconds,
            "" if target is None else f"≤ {target:g} ms",
            None if target is None else taken * 1e3 <= target,
        )
    yield Row("candidates of a query, median", f"{times.candidates:.0f}")


def _start(daemon: LiveDaemon, count: int, query: bytes) -> Iterator[Row]:
    began = time.perf_counter()
    listening = daemon.start()
    with daemon.connect() as connection:
        connection.search(query)
    answered = time.perf_counter() - began
    yield Row(
        "daemon's start to its first answer to a search",
        f"{answered:.2f} s, listening after {listening:.2f} s",
        "",
        None,
        f"≤ {START_TARGET_SECONDS:g} s at 10,000,000",
        answered <= START_TARGET_SECONDS if count >= 10_000_000 else None,
    )


def _over_rpc(daemon: LiveDaemon, queries: Sequence[bytes], repeats: int) -> Iterator[Row]:
    with daemon.connect() as connection:
        inside: list[float] = []

        def search(query: bytes) -> None:
            inside.append(connection.search(query, "similar").elapsed_ms / 1e3)

        taken = repeated(search, queries, repeats)
    for name, values in (("over RPC, whole", taken), ("over RPC, in the daemon", inside)):
        yield Row(
            f"similar query {name}, extraction included",
            f"median {milliseconds(statistics.median(values))}, "
            f"99th percentile {milliseconds(percentile(values, 0.99))}",
        )


def _whole_process(daemon: LiveDaemon, query: bytes, pairs: int) -> Iterator[Row]:
    """Time `pspc search` and an import of ZeroMQ in turn."""
    small = daemon.folder / "small.jpg"
    small.write_bytes(query)
    client, importing = [], []
    for _ in range(pairs):
        client.append(daemon.timed("search", small, statuses=CLIENT_STATUSES))
        importing.append(timed([sys.executable, "-c", "import zmq"]))
    whole, limit = statistics.median(client), statistics.median(importing)
    yield at_most(
        "`pspc search small.jpg`, whole process",
        milliseconds(whole),
        f"python -c 'import zmq': {milliseconds(limit)}",
        whole / limit,
        CLIENT_TARGET,
    )


def _sizes(daemon: LiveDaemon, count: int) -> Iterator[Row]:
    each = daemon.status()["store_bytes"] / count
    yield Row(
        "store",
        f"{each:.0f} bytes a picture",
        "",
        None,
        f"≤ {STORE_TARGET} bytes",
        each <= STORE_TARGET,
    )
    memory = daemon.memory()
    if memory is not None:
        base, more = MEMORY_TARGET
        yield Row(
            "memory of the daemon",
            f"{report.megabytes(memory.daemon)} resident, "
            f"{report.megabytes(memory.anonymous)} of it anonymous; "
            f"workers {report.megabytes(memory.workers)}",
            "",
            None,
            f"≤ {report.megabytes(base + more * count)}",
            memory.daemon <= base + more * count,
        )


def _original(daemon: LiveDaemon, count: int) -> Iterator[Row]:
    """Time original queries whose one candidate is another file with the query's pixels."""
    pictures = daemon.pictures("originals")
    queries = []
    for number in range(count):
        data = _jpeg(landscape(number))
        (pictures / f"{number:03}.jpg").write_bytes(data)
        queries.append(_lossless(data))
    daemon.pspc("add", pictures, "--wait")
    decoding = statistics.median(
        seconds(partial(_decode, query, path.read_bytes()))
        for query, path in zip(queries, sorted(pictures.iterdir()), strict=True)
    )
    with daemon.connect() as connection:
        search = partial(_same_pixels, connection)
        first = repeated(search, queries, 1)
        second = repeated(search, queries, SECOND_TIMES)
    limit = f"decoding both: {milliseconds(decoding)}"
    for name, taken in (("first time", first), ("second time", second)):
        last = percentile(taken, 0.99)
        allowed = decoding + ORIGINAL_TARGET_SECONDS
        yield Row(
            f"original query over RPC, {name}",
            f"median {milliseconds(statistics.median(taken))}, 99th percentile "
            f"{milliseconds(last)}",
            limit,
            last / decoding,
            f"99th percentile ≤ {milliseconds(allowed)}",
            last <= allowed,
        )


def _same_pixels(connection: Connection, query: bytes) -> None:
    verdicts = [hit.verdict for hit in connection.search(query, "original").hits]
    if "same_pixels" not in verdicts:
        raise RuntimeError(f"the same pixels were not found, but {verdicts}")


def _jpeg(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.resize((image.width // 2, image.height // 2)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _lossless(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(buffer, "PNG")
    return buffer.getvalue()


def _decode(*files: bytes) -> None:
    for data in files:
        with Image.open(io.BytesIO(data)) as image:
            image.load()


if __name__ == "__main__":
    main()
