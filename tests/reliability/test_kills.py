"""G1: the daemon is ended in every way, at every moment of its life."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest

from benchmarks.synthetic_store import write_store
from pspc import Connection
from pspc.errors import PspcError
from pspd.rpc import wire
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few
from tests.reliability.ledger import read_ledger
from tests.reliability.lives import ASKED, CONFIG, STOP_SECONDS, WAIT_SECONDS, Pictures
from tests.waiting import expect

READY_SECONDS = 2.0
BUSY = 2
"""With more processes than so many a core the time to start is the machine's, not the daemon's."""
LONGEST_DELAY = 0.4
SYNC_BELOW = 0.2
"""Half of the daemons are asked to acknowledge all that is there, before they are struck."""


class Witness:
    """Listens to a daemon in a thread, and keeps what it said is indexed."""

    def __init__(self, home: Home) -> None:
        self.indexed: set[str] = set()
        self._connection = Connection(home.path)
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(PspcError):
            for event in self._connection.events():
                if isinstance(event, wire.ChangeEvent) and event.kind == "indexed":
                    self.indexed.add(os.fsdecode(event.path))

    def close(self) -> None:
        """Hear the rest; the daemon is gone."""
        self._thread.join(WAIT_SECONDS)
        self._connection.close()


@pytest.fixture
def home(home: Home) -> Home:
    home.configure(CONFIG)
    return home


def live_once(home: Home, pictures: Pictures, number: int, delay: float) -> tuple[set[str], float]:
    """Let a daemon index for a while and end it by a signal; return what it had acknowledged.

    The second value is how long it took to end.
    """
    with Daemon(home) as daemon:
        assert daemon.await_ready(), daemon.log()[-2000:]
        witness = Witness(home)
        with Connection(home.path) as connection:
            if not connection.roots():
                connection.add(pictures.folder)
        pictures.add(6)
        acknowledged: set[str] = set()
        if delay < SYNC_BELOW:
            with Connection(home.path) as connection:
                connection.sync(timeout=WAIT_SECONDS)
            acknowledged = pictures.paths()
        pictures.add(3)
        threading.Event().wait(delay)  # the point of the daemon's life at which it is struck
        workers = daemon.workers()
        status, seconds = daemon.stop(number)
        assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0), status
        witness.close()
        expect(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    return acknowledged | witness.indexed, seconds


@pytest.mark.goal("G1")
def test_what_was_acknowledged_survives_the_end_of_the_daemon(
    goal: Report, size: Size, home: Home
) -> None:
    rounds = size.of(4, 330, 2000)
    deadline = time.monotonic() + size.of(60, 180, 1800)
    random_ = random.Random(7)
    pictures = Pictures(home.pictures(), random_)
    signals = [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGHUP]
    acknowledged_count = lost = faults = 0
    slowest = 0.0
    ended = 0
    while ended < rounds and time.monotonic() < deadline:
        number = signals[ended % len(signals)]
        pictures.remove_one()
        acknowledged, seconds = live_once(
            home, pictures, number, random_.uniform(0.0, LONGEST_DELAY)
        )
        slowest = max(slowest, 0.0 if number == signal.SIGKILL else seconds)
        ledger = read_ledger(home.path / "store")
        acknowledged_count += len(acknowledged)
        lost += len((acknowledged & pictures.paths()) - ledger.indexed)
        faults += len(ledger.faults)
        ended += 1
        if ended % 50 == 0:
            goal.progress(f"{ended} of {rounds} ends: {lost} lost, {faults} faults")
    with Daemon(home) as daemon:
        assert daemon.await_ready()
        with Connection(home.path) as connection:
            connection.sync(timeout=WAIT_SECONDS)
        daemon.stop()
    ledger = read_ledger(home.path / "store")
    is_exact = ledger.indexed == pictures.paths() and not ledger.failed | ledger.pending
    is_well = not lost and not faults and is_exact and slowest <= STOP_SECONDS
    few = too_few(size, ended, ASKED)
    goal.figure(
        f"{ended} ends by SIGKILL, SIGTERM, SIGINT, SIGHUP: {acknowledged_count:,} "
        f"acknowledgements, {lost} lost, {faults} faults in the store, set "
        f"{'exact' if is_exact else 'wrong'}, at most {slowest:.1f} s to end",
        reached=is_well and not few,
        why=few if is_well else "",
    )


@pytest.mark.goal("G1")
def test_an_end_while_it_starts_leaves_nothing_behind(goal: Report, size: Size, home: Home) -> None:
    rounds = size.of(4, 60, 500)
    random_ = random.Random(12)
    statuses: set[int] = set()
    slowest = 0.0
    for _ in range(rounds):
        with Daemon(home) as daemon:
            number = random_.choice((signal.SIGTERM, signal.SIGINT))
            if number == signal.SIGINT:
                # Python's own start may forget an interrupt, or end with a status of 1.
                expect(lambda: holds_lock(home, daemon))
            threading.Event().wait(random_.uniform(0.0, 0.8))
            status, seconds = daemon.stop(number)
        statuses.add(status)
        slowest = max(slowest, seconds)
    with Daemon(home) as daemon:
        is_ready = daemon.await_ready()
        daemon.stop()
    # Before its handlers stand, a signal ends it as any program.
    clean = {0, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGINT}
    goal.figure(
        f"{rounds} ends while it starts: statuses {sorted(statuses)}, at most {slowest:.1f} s, "
        f"{'ready' if is_ready else 'not ready'} afterwards",
        reached=is_ready and statuses <= clean and slowest <= STOP_SECONDS,
    )


@pytest.mark.goal("G1")
def test_a_killed_daemon_is_ready_again_soon(goal: Report, size: Size, home: Home) -> None:
    records = size.of(5_000, 100_000, 1_000_000)
    write_store(home.path, records)
    seconds = []
    for _ in range(size.of(3, 6, 20)):
        with Daemon(home) as daemon:
            assert daemon.await_ready(), daemon.log()[-2000:]
            seconds.append(daemon.ready_seconds)
            daemon.kill()
    # The best, for the machine's load is not the daemon's; but the first follows an orderly end.
    seconds = seconds[1:]
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    goal.figure(
        f"ready {min(seconds):.2f} s after a kill with {records:,} records",
        reached=min(seconds) <= READY_SECONDS * max(1, records / 100_000),
        why=f"{load:.0f} processes share {cores} cores" if load > BUSY * cores else "",
    )


def holds_lock(home: Home, daemon: Daemon) -> bool:
    """Tell whether a daemon has begun to be one."""
    try:
        return home.pid() == daemon.process.pid
    except (FileNotFoundError, ValueError):
        return False
