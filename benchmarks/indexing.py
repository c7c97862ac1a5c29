"""How fast a folder is indexed, against decoding alone and against Immaculate.

    python -m benchmarks.indexing [--pictures DIR…] [--peer-python PYTHON]

First indexing: `pspc add DIR --wait` as a process, with a running daemon and an empty store, so
that the figure includes reading, digests, hashes, the store's commits, and the time until the
client looks again. The limit in the same run: each file read and decoded by the fastest decoder of
its kind (`benchmarks.decoders`), in one process for each usable core, nothing else. The peer:
Immaculate's `find_duplicates(method="pdq")`, which keeps nothing. Files are in the page cache.
"""

from __future__ import annotations

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import decoders
from benchmarks.live_daemon import LiveDaemon, live_daemon
from benchmarks.machine import cores
from benchmarks.peer import Peer
from benchmarks.picture_sets import PictureSet, picture_sets, sources, tiny_files
from benchmarks.plan import Plan
from benchmarks.program import Finding, run_program
from benchmarks.report import Row, at_least, at_most, megabytes

DECODING_TARGET = 0.85
"""Of the rate of decoding alone, for all pictures together."""
PEER_TARGETS = {"photographs": 0.66, "progressive JPEG": 0.33, "PNG": 0.9}
"""Of the peer's time."""
WARMING_FILES = 20
DECODED_AT_ONCE = 4
"""Files that a decoding process takes at a time."""


@dataclass(slots=True)
class Times:
    """Seconds that each run over one set took."""

    decoding: list[float] = field(default_factory=list)
    in_colour: list[float] = field(default_factory=list)
    """As `decoding`, by decoders that yield colours."""
    daemon: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)


def measure(plan: Plan) -> Iterator[Finding]:
    """Index each set of pictures."""
    peer = Peer(plan)
    yield peer.note
    if decoders.missing():
        yield f"Decoders that are not installed: {', '.join(decoders.missing())}."
    with tempfile.TemporaryDirectory(prefix="psp-bench-") as folder:
        pictures = sources(plan.pictures, Path(folder, "samples"))
        for each in picture_sets(pictures, Path(folder, "sets"), round(plan.megabytes * 1e6)):
            best = decoders.fastest(each.files)
            yield from _rows(each, best, _times(each, best, plan.runs, peer))


def _times(pictures: PictureSet, best: dict[str, str], runs: int, peer: Peer) -> Times:
    """Time decoding, the daemon and the peer in turn, so that a busy minute meets all of them."""
    times = Times()
    is_all = pictures.name == "all"
    coloured = decoders.fastest(pictures.files, in_colour=True) if is_all else {}
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores(), mp_context=spawning) as pool:
        # The first round starts the processes and fills the page cache.
        _decode_all(pool, pictures, best)
        for _ in range(runs):
            times.decoding.append(_decode_all(pool, pictures, best))
            if is_all:
                times.in_colour.append(_decode_all(pool, pictures, coloured))
            times.daemon.append(seconds_to_index(pictures))
            if peer.is_there:
                times.peer.append(peer.seconds(pictures.folder))
    return times


def _decode_all(pool: ProcessPoolExecutor, pictures: PictureSet, best: dict[str, str]) -> float:
    names = [best[file.kind] for file in pictures.files]
    paths = [str(file.path) for file in pictures.files]
    began = time.perf_counter()
    for _ in pool.map(decoders.decode_file, names, paths, chunksize=DECODED_AT_ONCE):
        pass
    return time.perf_counter() - began


def seconds_to_index(pictures: PictureSet) -> float:
    """Index a set into a fresh store."""
    with live_daemon() as daemon:
        return seconds_in(daemon, pictures)


def seconds_in(daemon: LiveDaemon, pictures: PictureSet) -> float:
    """Index a set by a daemon that has no pictures yet.

    Raises:
        RuntimeError: Not every picture was indexed, so the time means nothing.
    """
    # Until the first file is indexed the workers may still be starting.
    warming = tiny_files(daemon.pictures("warming"), WARMING_FILES)
    daemon.timed("add", daemon.folder / "warming", "--wait")
    seconds = daemon.timed("add", pictures.folder, "--wait")
    indexed = daemon.status()["pictures"] - warming
    if indexed != len(pictures.files):
        raise RuntimeError(f"{indexed} of {len(pictures.files)} are indexed")
    return seconds


def _rows(pictures: PictureSet, best: dict[str, str], times: Times) -> Iterator[Row]:
    seconds = statistics.median(times.daemon)
    alone = min(statistics.median(each) for each in (times.decoding, times.in_colour) if each)
    count = len(pictures.files)
    work = f"first indexing, {pictures.name}: {count} files, {megabytes(pictures.size)}"
    figure = _rate(pictures, seconds)
    names = ", ".join(sorted(set(best.values())))
    limit = f"decoding alone ({names}): {_rate(pictures, alone)}"
    if pictures.name == "all":
        yield at_least(work, figure, limit, alone / seconds, DECODING_TARGET)
        coloured = statistics.median(times.in_colour)
        text = f"decoding alone, to colours: {_rate(pictures, coloured)}"
        yield Row("the same, all", figure, text, coloured / seconds)
    else:
        yield Row(work, figure, limit, alone / seconds)
    yield _peer_row(pictures, times, seconds)


def _rate(pictures: PictureSet, seconds: float) -> str:
    return (
        f"{seconds:.2f} s, {pictures.size / seconds / 1e6:.1f} MB/s, "
        f"{len(pictures.files) / seconds:.0f} pictures/s"
    )


def _peer_row(pictures: PictureSet, times: Times, seconds: float) -> Row:
    work = f"the same, {pictures.name}, beside the peer"
    target = PEER_TARGETS.get(pictures.name)
    if not times.peer:
        text = "" if target is None else f"≤ {target:g}"
        return Row(work, f"{seconds:.2f} s", "Immaculate: not installed", target=text)
    peer = statistics.median(times.peer)
    return at_most(work, f"{seconds:.2f} s", f"Immaculate: {peer:.2f} s", seconds / peer, target)


if __name__ == "__main__":
    run_program("indexing", measure, __doc__)
