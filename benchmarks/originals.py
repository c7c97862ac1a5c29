"""How long an original query takes, first and second time, beyond the decoding it cannot avoid.

Each query is a lossless copy of an indexed JPEG: another file with its pixels. The first time the
candidate is decoded and the digest of its pixels kept, the second time only the query is decoded.
Each time it is another file, with a few bytes behind its end: the daemon would know an equal one.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Iterator, Sequence

from PIL import Image

from benchmarks.live_daemon import LiveDaemon
from benchmarks.plan import Plan
from benchmarks.report import Row, milliseconds, percentile, within
from examples.make_samples import landscape
from pspc import Connection

TARGET_SECONDS = 0.005
"""Beyond one decode of the query and one of each candidate, 99th percentile."""
SECOND_TIMES = 3
DECODES = 3
_FIRST_LANDSCAPE = 100
"""Not one that the synthetic store has pictures around."""


def original_rows(daemon: LiveDaemon, count: int, plan: Plan) -> Iterator[Row]:
    """Ask a running daemon for pictures of its own that are indexed first."""
    folder = daemon.pictures("originals")
    files, queries = [], []
    for number in range(2 * plan.queries):
        scene = landscape(_FIRST_LANDSCAPE + number)
        files.append(_encoded(scene.resize((scene.width // 2, scene.height // 2)), "JPEG"))
        with Image.open(io.BytesIO(files[-1])) as image:
            queries.append(_encoded(image, "PNG"))
        (folder / f"{number:03}.jpg").write_bytes(files[-1])
    daemon.pspc("add", folder, "--wait")
    # Their learned descriptors are made now, on all cores.
    daemon.await_rest(plan.rest)
    both = [_decoding(file) + _decoding(query) for file, query in zip(files, queries, strict=True)]
    one = [_decoding(query) for query in queries]
    with daemon.connect() as connection:
        connection.search(files[0], "original")
        yield _row(
            f"original query at {count:,}, first time",
            _ask(connection, queries, 1),
            both,
            "decoding query and candidate",
        )
        taken = _ask(connection, queries, SECOND_TIMES)
        yield _row("the same, second time", taken, one * SECOND_TIMES, "decoding the query")


def _row(work: str, taken: Sequence[float], decoding: Sequence[float], name: str) -> Row:
    """Judge each answer by what its own pictures take to decode."""
    beyond = [seconds - least for seconds, least in zip(taken, decoding, strict=True)]
    last = percentile(beyond, 0.99)
    return within(
        work,
        f"median {milliseconds(statistics.median(taken))}, 99th percentile "
        f"{milliseconds(percentile(taken, 0.99))}; beyond decoding {milliseconds(last)}",
        f"99th percentile ≤ decoding + {TARGET_SECONDS * 1e3:g} ms",
        is_reached=last <= TARGET_SECONDS,
        ratio=statistics.median(taken) / statistics.median(decoding),
        limit=f"{name}: {milliseconds(statistics.median(decoding))}",
    )


def _ask(connection: Connection, queries: Sequence[bytes], times: int) -> list[float]:
    """Ask each query so many times.

    Raises:
        RuntimeError: The daemon did not find the picture with the query's pixels.
    """
    taken = []
    for round_ in range(times):
        for query in queries:
            question = query + b"%d of %d" % (round_, times)
            began = time.perf_counter()
            hits = connection.search(question, "original").hits
            taken.append(time.perf_counter() - began)
            if "same_pixels" not in {hit.verdict for hit in hits}:
                raise RuntimeError("a picture with the query's pixels was not found")
    return taken


def _encoded(image: Image.Image, format_: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_)
    return buffer.getvalue()


def _decoding(data: bytes) -> float:
    """Return the seconds that Pillow takes to decode a file in full, median."""
    taken = []
    for _ in range(DECODES):
        began = time.perf_counter()
        with Image.open(io.BytesIO(data)) as image:
            image.load()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)
