"""How fast a folder is indexed, against decoding alone; and rescanned, against `find`.

    python -m benchmarks.indexing [--pictures DIR…] [--runs 3] [--peer-python PYTHON]

First indexing: `pspc add DIR --wait` as a process, with a running daemon and an empty store, so
that the figure includes reading, digests, hashes, the store's commits, and up to 0.2 s until the
client looks again. The limit in the same run: each file read and decoded by Pillow, a JPEG at the
daemon's scale, in one process for each usable core, nothing else. The peer, where it is installed:
Immaculate's `find_duplicates(method="pdq")`, which keeps nothing. Files are in the page cache.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import report
from benchmarks.live_daemon import LiveDaemon, Memory, live_daemon, timed
from benchmarks.picture_sets import PictureSet, decode, picture_sets, sources, tiny_files
from benchmarks.report import Row, at_least, at_most

DECODING_TARGET = 0.85
"""Of the rate of decoding alone, for all pictures together."""
PEER_TARGETS = {"JPEG": 0.66, "progressive JPEG": 0.33, "PNG": 0.9}
"""Of the peer's time."""
RESCAN_TARGET = 2.0
RESCANS = 5
WARMING_FILES = 20
DECODED_AT_ONCE = 4
"""Files that a decoding process takes at a time."""

PEER_PROGRAM = """
import sys, time
from immaculate import find_duplicates
began = time.perf_counter()
find_duplicates(sys.argv[1], method="pdq")
print(time.perf_counter() - began)
"""


@dataclass(slots=True)
class Times:
    """Seconds that each run over one set took."""

    decoding: list[float] = field(default_factory=list)
    daemon: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)
    store_bytes: int = 0
    memory: Memory | None = None


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pictures", type=Path, nargs="*", default=[], metavar="DIR")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--megabytes", type=float, default=60, help="of each set, about")
    parser.add_argument("--folders", type=int, default=400, help="of 50 tiny files, to rescan")
    parser.add_argument("--peer-python", metavar="PYTHON", help="an interpreter with Immaculate")
    options = parser.parse_args(arguments)
    peer = _usable_peer(options.peer_python)
    print(report.machine())
    with tempfile.TemporaryDirectory(prefix="psp-bench-") as folder:
        pictures = sources(options.pictures, Path(folder, "samples"))
        sets = picture_sets(pictures, Path(folder, "sets"), round(options.megabytes * 1e6))
        report.print_rows(_rows(sets, options.runs, peer))
    with tempfile.TemporaryDirectory(prefix="psp-bench-") as folder:
        report.print_rows(rescan(Path(folder), options.folders, options.runs))


def _rows(sets: list[PictureSet], runs: int, peer: str | None) -> Iterator[Row]:
    for pictures in sets:
        yield from _set_rows(pictures, measure(pictures, runs, peer))


def measure(pictures: PictureSet, runs: int, peer: str | None) -> Times:
    """Time decoding, the daemon and the peer in turn, so that a busy minute meets all three."""
    times = Times()
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(report.cores(), mp_context=spawning) as pool:
        # The first round starts the processes and fills the page cache.
        _decode_all(pool, pictures)
        for _ in range(runs):
            times.decoding.append(_decode_all(pool, pictures))
            times.daemon.append(_index(pictures, times))
            if peer is not None:
                times.peer.append(_peer_seconds(peer, pictures.folder))
    return times


def _decode_all(pool: ProcessPoolExecutor, pictures: PictureSet) -> float:
    paths = [str(path) for path in pictures.paths]
    began = time.perf_counter()
    for _ in pool.map(decode, paths, chunksize=DECODED_AT_ONCE):
        pass
    return time.perf_counter() - began


def _index(pictures: PictureSet, times: Times) -> float:
    """Index into a fresh store; returns the seconds.

    Raises:
        RuntimeError: Not every picture was indexed, so the time means nothing.
    """
    with live_daemon() as daemon:
        # Until the first file is indexed the workers may still be starting.
        warming = tiny_files(daemon.pictures("warming"), 1, WARMING_FILES)
        daemon.timed("add", daemon.folder / "warming", "--wait")
        seconds = daemon.timed("add", pictures.folder, "--wait")
        status = daemon.status()
        indexed = status["pictures"] - warming
        if indexed != len(pictures.paths):
            raise RuntimeError(f"{indexed} of {len(pictures.paths)} are indexed")
        times.store_bytes = status["store_bytes"]
        times.memory = daemon.memory()
    return seconds


def _set_rows(pictures: PictureSet, times: Times) -> Iterator[Row]:
    seconds, alone = statistics.median(times.daemon), statistics.median(times.decoding)
    count = len(pictures.paths)
    work = f"first indexing, {pictures.name}: {count} files, {report.megabytes(pictures.size)}"
    figure = _rate(pictures, seconds)
    limit = f"decoding alone: {_rate(pictures, alone)}"
    if pictures.name == "all":
        yield at_least(work, figure, limit, alone / seconds, DECODING_TARGET)
    else:
        yield Row(work, figure, limit, alone / seconds)
    yield _peer_row(pictures, times, seconds)
    if pictures.name == "all":
        yield Row(f"store of {count} pictures", f"{times.store_bytes / count:.0f} bytes a picture")
        if times.memory is not None:
            memory = times.memory
            figure = (
                f"daemon {report.megabytes(memory.daemon)} resident "
                f"({report.megabytes(memory.anonymous)} anonymous), "
                f"workers {report.megabytes(memory.workers)}"
            )
            yield Row(f"memory after indexing {count} pictures", figure)


def _rate(pictures: PictureSet, seconds: float) -> str:
    return (
        f"{seconds:.2f} s, {pictures.size / seconds / 1e6:.1f} MB/s, "
        f"{len(pictures.paths) / seconds:.0f} pictures/s"
    )


def _peer_row(pictures: PictureSet, times: Times, seconds: float) -> Row:
    work = f"the same, {pictures.name}"
    target = PEER_TARGETS.get(pictures.name)
    if not times.peer:
        text = "" if target is None else f"≤ {target:g}"
        return Row(work, f"{seconds:.2f} s", "Immaculate: not installed, not compared", None, text)
    peer = statistics.median(times.peer)
    return at_most(work, f"{seconds:.2f} s", f"Immaculate: {peer:.2f} s", seconds / peer, target)


def _usable_peer(python: str | None) -> str | None:
    """Return the interpreter if Immaculate can be imported there; say so if not."""
    if python is None:
        print("Immaculate: no --peer-python was given, so nothing is compared with it.")
        return None
    program = "import immaculate; print(immaculate.__version__)"
    try:
        done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    except OSError as error:
        print(f"Immaculate: {python} cannot be run ({error.strerror}), nothing is compared.")
        return None
    if done.returncode != 0:
        print(f"Immaculate: {python} cannot import it, so nothing is compared with it.")
        return None
    print(f"Immaculate {done.stdout.strip()} in {python}.")
    return python


def _peer_seconds(python: str, folder: Path) -> float:
    """Time the peer in its own process, without its start."""
    command = [python, "-c", PEER_PROGRAM, str(folder)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def rescan(folder: Path, folders: int, runs: int) -> Iterator[Row]:
    """Measure a rescan of tiny files of which none has changed, beside `find`."""
    pictures = folder / "tiny"
    count = tiny_files(pictures, folders, 50)
    with live_daemon() as daemon:
        seconds = daemon.timed("add", pictures, "--wait")
        yield Row(f"first indexing, {count} tiny PNG files", f"{count / seconds:.0f} pictures/s")
        # One more, not timed: files read within the grain of their own stamps are read again.
        daemon.timed("sync")
        yield from _rescan_rows(daemon, pictures, count, max(runs, RESCANS))


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
    work = f"rescan of {count} unchanged files in {count // 50} folders"
    for name, values in ((f"{work}, asked over RPC", asked), ("the same, `pspc sync`", whole)):
        seconds = statistics.median(values)
        if not found:
            yield Row(name, f"{seconds:.3f} s", "find: not here, not compared")
            continue
        limit = statistics.median(found)
        target = RESCAN_TARGET if values is asked else None
        text = f"find -printf: {limit:.3f} s"
        yield at_most(name, f"{seconds:.3f} s", text, seconds / limit, target)


if __name__ == "__main__":
    main(sys.argv[1:])
