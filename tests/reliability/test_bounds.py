"""Many files at once: neither the daemon's memory nor its log grows with them (O4, O9)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from pspc import Connection
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.reliability.conftest import Report
from tests.reliability.goals import Size

MOST_BYTES = 400 << 20
MOST_LINES = 1000
ENOUGH = 5000
"""Files of the backlog that are read before the daemon is stopped."""
BROKEN = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00 and nothing more "
HOSTILE = "new\nline \x1b[31m red \u202e turned"


@pytest.fixture
def home(home: Home) -> Home:
    home.configure('[log]\nlevel = "debug"\n')
    return home


class Scales:
    """Weighs the daemon every few milliseconds, in a thread."""

    def __init__(self, daemon: Daemon) -> None:
        self.most = 0
        self._daemon = daemon
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)
        self._thread.start()

    def _weigh(self) -> None:
        while not self._ended.wait(0.02):
            self.most = max(self.most, self._daemon.resident_bytes())

    def close(self) -> None:
        self._ended.set()
        self._thread.join()


def fill(folder: Path, count: int) -> None:
    """Write files that look like pictures at first, each broken in its own way."""
    for number in range(count):
        if number % 1000 == 0:
            below = folder / f"{number // 1000:03} {HOSTILE}"
            below.mkdir()
        (below / f"{number} {HOSTILE}.jpg").write_bytes(BROKEN + number.to_bytes(4))


@pytest.mark.goal("G9")
def test_a_backlog_of_broken_files_fills_neither_memory_nor_log(
    goal: Report, size: Size, home: Home
) -> None:
    files = size.of(200, 100_000, 1_000_000)
    folder = home.pictures()
    fill(folder, files)
    goal.progress(f"{files:,} broken files are there")
    with Daemon(home) as daemon, Connection(home.path, timeout=60) as connection:
        assert daemon.await_ready()
        scales = Scales(daemon)
        connection.add(folder)
        most_pending = 0
        while (status := connection.status()).failed < min(files, ENOUGH) or (
            status.pending + status.failed < files
        ):
            most_pending = max(most_pending, status.pending)
        scales.close()
        exit_status, _ = daemon.stop()
    log = daemon.log()
    assert "\x1b" not in log
    assert "\u202e" not in log
    lines = log.splitlines()
    assert all(line.startswith(("ts=", "  ")) for line in lines)
    goal.figure(
        f"{files:,} broken files, {most_pending:,} of them pending at once: {status.failed:,} "
        f"recorded, daemon at most {scales.most >> 20} MB, {len(lines)} lines logged",
        reached=exit_status == 0 and scales.most <= MOST_BYTES and len(lines) <= MOST_LINES,
    )
