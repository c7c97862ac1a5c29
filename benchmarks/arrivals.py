"""How soon a picture that was written is found, on a machine that has nothing else to do.

    python -m benchmarks.arrivals

Photographs of all sizes are written into a watched folder one after the other. The time goes from
the end of the writing to the daemon's word that the picture is indexed; a search has to find it
then. The limit is the time to decode it at the daemon's scale, in the same run.
"""

from __future__ import annotations

import io
import itertools
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.decoders import DECODERS
from benchmarks.live_daemon import LiveDaemon, live_daemon
from benchmarks.picture_sets import sources, tiny_png
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.report import milliseconds, percentile, within
from examples.make_samples import landscape
from pspc import Connection
from pspc.errors import PspcError
from pspd.rpc import wire

TARGET_SECONDS = 0.3
MOST_SECONDS = 60.0
"""A picture that was not found by then ends the measurement."""
_TRY_SECONDS = 0.5


def measure(plan: Plan) -> Iterator[Finding]:
    """Write pictures while nothing else is to be done."""
    with tempfile.TemporaryDirectory(prefix="psp-bench-") as folder, live_daemon() as daemon:
        photographs = photographs_of(plan, Path(folder))
        with arrivals(daemon) as arriving:
            found = [arriving.seconds_until_found(data) for data in some(photographs, plan)]
    decoding = decoding_seconds(photographs)
    last = percentile(found, 0.95)
    yield within(
        "photograph written → found, idle",
        f"median {milliseconds(statistics.median(found))}, 95th percentile {milliseconds(last)}",
        f"95th percentile ≤ {TARGET_SECONDS * 1e3:g} ms",
        is_reached=last <= TARGET_SECONDS,
        ratio=last / decoding,
        limit=f"decoding one: {milliseconds(decoding)}",
    )


def photographs_of(plan: Plan, samples: Path) -> list[bytes]:
    """Return the photographs of the plan's pictures; made ones where there are none."""
    every = sources(plan.pictures, samples)
    photographs = [each.path.read_bytes() for each in every if each.is_photograph]
    return photographs or [_made(number) for number in range(plan.queries)]


def _made(number: int) -> bytes:
    """Make a JPEG of two megapixels."""
    buffer = io.BytesIO()
    landscape(number).resize((1600, 1200)).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def some(photographs: Sequence[bytes], plan: Plan) -> Iterator[bytes]:
    """Yield as many as are to arrive, each another content."""
    for number, data in enumerate(itertools.islice(itertools.cycle(photographs), plan.arrivals)):
        yield data + b"arrival %d" % number


def decoding_seconds(photographs: Sequence[bytes]) -> float:
    """Return the median time to decode one at the daemon's scale."""
    taken = []
    for data in photographs:
        began = time.perf_counter()
        DECODERS["Pillow"].decode(data)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


class Arrivals:
    """A watched folder that pictures are written into, and what the daemon says of it.

    Args:
        folder: Watched by now.
        connection: To ask by.
        connect: Makes another, to hear by.
    """

    def __init__(
        self, folder: Path, connection: Connection, connect: Callable[[], Connection]
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._connect = connect
        self._changed = threading.Condition()
        self._at: dict[tuple[str, bytes], float] = {}
        self._written = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def seconds_until_found(self, data: bytes) -> float:
        """Write a picture; returns how long it took until it could be found.

        Raises:
            RuntimeError: It was not found in time, or not by a search.
        """
        path, written = self._write(data)
        at = self.wait(path, "indexed", MOST_SECONDS)
        if at is None:
            raise RuntimeError(f"a picture was not indexed within {MOST_SECONDS:g} s")
        if not self.finds(path, data):
            raise RuntimeError("a picture that is indexed was not found")
        return at - written

    def finds(self, path: Path, data: bytes) -> bool:
        """Search for a picture; returns whether a file is found by its content."""
        hits = self._connection.search(data, mode="original").hits
        return any(hit.path == os.fsencode(path) and hit.verdict == "same_file" for hit in hits)

    def add(self, data: bytes) -> Path:
        """Write a picture and wait until it is indexed."""
        path, _ = self._write(data)
        if self.wait(path, "indexed", MOST_SECONDS) is None:
            raise RuntimeError(f"a picture was not indexed within {MOST_SECONDS:g} s")
        return path

    def remove(self, path: Path) -> None:
        """Remove a picture and wait until the daemon knows."""
        path.unlink()
        if self.wait(path, "removed", MOST_SECONDS) is None:
            raise RuntimeError(f"a removal was not noticed within {MOST_SECONDS:g} s")

    def await_events(self, data: bytes) -> None:
        """Write pictures until the first event comes: a subscription takes a moment to count."""
        for number in itertools.count():
            path, _ = self._write(data + b"probe %d" % number)
            if self.wait(path, "indexed", _TRY_SECONDS) is not None:
                return

    def wait(self, path: Path, kind: str, seconds: float) -> float | None:
        """Wait until the daemon tells of a path; returns when it did, None if it did not."""
        key = (kind, os.fsencode(path))
        with self._changed:
            self._changed.wait_for(lambda: key in self._at, seconds)
            return self._at.get(key)

    def _write(self, data: bytes) -> tuple[Path, float]:
        path = self._folder / f"{self._written:06}.jpg"
        self._written += 1
        path.write_bytes(data)
        return path, time.perf_counter()

    def _listen(self) -> None:
        """Hear until the daemon ends, in a thread whose connection is its own."""
        with self._connect() as connection, suppress(PspcError):
            for event in connection.events():
                if isinstance(event, wire.ChangeEvent):
                    with self._changed:
                        self._at[event.kind, event.path] = time.perf_counter()
                        self._changed.notify_all()


@contextmanager
def arrivals(daemon: LiveDaemon, name: str = "arrivals") -> Iterator[Arrivals]:
    """Have a new folder watched, and hear of it."""
    folder = daemon.pictures(name)
    daemon.pspc("add", folder, "--wait")
    with daemon.connect() as connection:
        arriving = Arrivals(folder, connection, daemon.connect)
        arriving.await_events(tiny_png(0))
        yield arriving


if __name__ == "__main__":
    run_program("arrivals", measure, __doc__)
