"""G3 and G4: bursts and overflows of the kernel's queue leave the store exact."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pspd.watcher.inotify_notifier import InotifyNotifier
from tests.reliability.conftest import Report
from tests.reliability.goals import Size
from tests.waiting import until
from tests.watcher.bench import watching

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")

BURSTS = {
    "in new folders": "for d in range(100): os.makedirs(f'new{d}/s'); fill(f'new{d}/s', n // 100)",
    "in known folders": "for i in range(n): touch(f'known{i % 100}/{i}')",
    "in one folder": "os.mkdir('one'); fill('one', n)",
}
"""What another process does in the root; by the shape of the burst."""

WRITER = """
import os, sys
top, n, burst = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def touch(path): os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
def fill(folder, count):
    for i in range(count): touch(f'{folder}/{i}')
os.chdir(top)
exec(burst)
"""

EXACT_SECONDS = 2.0
"""After the last write: the goal."""

LONGEST_SECONDS = 10.0
"""Never more than this, and `LONGEST_PER_FILE_SECONDS` for each file, however busy the machine is:
no burst waits for the next scan."""

LONGEST_PER_FILE_SECONDS = 0.0002
"""The store takes 42 µs for a new file, and the writer is faster than that."""


@pytest.mark.goal("G3")
def test_a_burst_of_files_is_known_exactly(goal: Report, size: Size, tmp_path: Path) -> None:
    count = size.of(1_000, 100_000, 100_000)
    allowed = LONGEST_SECONDS + count * LONGEST_PER_FILE_SECONDS
    lags = {}
    expected = 0
    with watching(tmp_path) as bench:
        for number in range(100):
            (bench.top / f"known{number}").mkdir()
        bench.sync()
        before = _own_megabytes()
        for shape, burst in BURSTS.items():
            command = [sys.executable, "-c", WRITER, os.fspath(bench.top), str(count), burst]
            subprocess.run(command, check=True)
            expected += count
            lags[shape] = until(lambda: bench.count() == expected, 60 + allowed)  # noqa: B023
        grown = _own_megabytes() - before
        # All stamps are compared at the end: this process holds them twice then, which took up to
        # 120 MB that are not the watcher's.
        is_exact = bench.is_exact()
    wrong = max(not is_exact, sum(lag is None for lag in lags.values()))
    slowest = max(lag or 0.0 for lag in lags.values())
    text = (
        f"3 bursts of {count:,} files, into the store: {wrong:d} not exact, at most "
        f"{slowest:.1f} s after the last write, grew by {grown:.0f} MB"
    )
    assert not wrong, text
    assert slowest <= allowed, text
    is_late = slowest > EXACT_SECONDS
    why = f"storing {count:,} files takes longer than writing them" if is_late else ""
    assert grown <= 200, text
    goal.figure(f"{text}; {EXACT_SECONDS:.0f} s wanted", reached=not is_late, why=why)


@pytest.mark.goal("G4")
def test_an_overflow_of_the_kernels_queue_costs_nothing(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    overflows = size.of(20, 20, 100)
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    gate = threading.Event()
    gate.set()
    slowest, missed = 0.0, 0
    with watching(tmp_path, lambda: InotifyNotifier(gate.wait)) as bench:
        for number in range(100):
            (bench.top / f"{number}").mkdir()
        bench.sync()
        for number in range(overflows):
            gate.clear()
            _flood(bench.top, limit)
            # These the kernel has no more room to tell of.
            (bench.top / "5" / f"late{number}").touch()
            (bench.top / f"new{number}" / "deep").mkdir(parents=True)
            (bench.top / f"new{number}" / "deep" / "file").touch()
            (bench.top / "6" / f"late{number - 1}").unlink(missing_ok=True)
            (bench.top / "5" / f"late{number}").rename(bench.top / "6" / f"late{number}")
            gate.set()
            begun = time.monotonic()
            missed += bench.settles() is None
            slowest = max(slowest, time.monotonic() - begun)
        counted = bench.board.counters().get("queue_overflows", 0)
    text = (
        f"{overflows} overflows, {counted} counted: {missed} not exact, at most {slowest:.2f} s "
        "after each"
    )
    goal.figure(text, reached=not missed and slowest <= 3.0 and counted >= overflows)


def _flood(top: Path, limit: int) -> None:
    """Fill the kernel's queue; equal neighbours are counted once, so the names alternate."""
    rename: Callable[[str, str], None] = os.rename
    here, there = os.fspath(top / "0" / "a"), os.fspath(top / "0" / "b")
    os.close(os.open(here, os.O_CREAT | os.O_WRONLY))
    for _ in range(limit // 4 + 10):
        rename(here, there)
        rename(there, here)


def _own_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
