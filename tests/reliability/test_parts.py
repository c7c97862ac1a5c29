"""G1: the daemon's parts are killed or frozen while it indexes files, and the daemon with them."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time

import pytest

from pspc import Connection
from pspc.errors import PspcError
from pspd.rpc import wire
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few
from tests.reliability.ledger import read_ledger
from tests.reliability.lives import ASKED, CONFIG, STOP_SECONDS, WAIT_SECONDS, WORKERS, Pictures
from tests.waiting import expect

FRONTS_OF_ONE = 5
"""Fronts of one daemon that are killed."""


@pytest.fixture
def home(home: Home) -> Home:
    home.configure(CONFIG)
    return home


@pytest.mark.goal("G1")
def test_killed_workers_cost_nothing(goal: Report, size: Size, home: Home) -> None:
    kills = size.of(6, 100, 2000)
    pictures = Pictures(home.pictures(), random.Random(8))
    random_ = random.Random(9)
    with Daemon(home) as daemon, Connection(home.path, timeout=WAIT_SECONDS) as connection:
        assert daemon.await_ready()
        connection.add(pictures.folder)
        for _ in range(kills):
            known = connection.status().indexed
            pictures.add(4)
            expect(lambda: bool(daemon.workers()))
            with contextlib.suppress(ProcessLookupError):
                os.kill(random_.choice(daemon.workers()), signal.SIGKILL)
            # The next one dies when something else is read, or a file would seem to kill them.
            expect(lambda known=known: connection.status().indexed >= known + 3)  # type: ignore[misc]
        connection.sync(timeout=WAIT_SECONDS)
        status, _ = daemon.stop()
    ledger = read_ledger(home.path / "store")
    is_exact = ledger.indexed == pictures.paths()
    is_well = is_exact and not ledger.faults and status == 0
    few = too_few(size, kills, ASKED)
    goal.figure(
        f"{kills} workers killed: {len(pictures.paths()):,} pictures, {len(ledger.failed)} failed, "
        f"{len(ledger.faults)} faults, set {'exact' if is_exact else 'wrong'}",
        reached=is_well and not few,
        why=few if is_well else "",
    )


class FrontKills:
    """Kills fronts of one daemon after the other, while files are indexed and searches run."""

    def __init__(self, home: Home, pictures: Pictures) -> None:
        self.killed = self.restarts = 0
        self.longest = 0.0
        self._home = home
        self._pictures = pictures
        self._random = random.Random(13)

    def live_once(self, kills: int) -> None:
        with Daemon(self._home) as daemon, Connection(self._home.path, timeout=WAIT_SECONDS) as c:
            assert daemon.await_ready()
            c.add(self._pictures.folder)
            self._pictures.add(3)
            c.sync(timeout=WAIT_SECONDS)
            for _ in range(kills):
                self._kill_one(daemon, c)
            c.sync(timeout=WAIT_SECONDS)
            self.restarts += c.status().counters.get("front_restarts", 0)
            assert daemon.stop()[0] == 0

    def _kill_one(self, daemon: Daemon, connection: Connection) -> None:
        self._pictures.add(3)
        answers: list[str] = []
        searching = threading.Thread(target=search_into, args=(self._home, self._pictures, answers))
        searching.start()
        threading.Event().wait(self._random.uniform(0.0, 0.1))  # where in the search it is struck
        kill_front(daemon)
        begun = time.monotonic()
        connection.status()
        self.longest = max(self.longest, time.monotonic() - begun)
        searching.join(WAIT_SECONDS)
        assert answers == ["hits"], answers
        self.killed += 1


@pytest.mark.goal("G1")
def test_killed_fronts_cost_a_reconnect(goal: Report, size: Size, home: Home) -> None:
    kills = size.of(4, 200, 2000)
    deadline = time.monotonic() + size.of(30, 90, 900)
    pictures = Pictures(home.pictures(), random.Random(8))
    fronts = FrontKills(home, pictures)
    while fronts.killed < kills and time.monotonic() < deadline:
        # A front that dies again and again comes back later and later.
        fronts.live_once(min(FRONTS_OF_ONE, kills - fronts.killed))
    ledger = read_ledger(home.path / "store")
    is_exact = ledger.indexed == pictures.paths()
    is_well = is_exact and not ledger.faults and fronts.restarts >= fronts.killed
    few = too_few(size, fronts.killed, ASKED)
    goal.figure(
        f"{fronts.killed} fronts killed while files are indexed and a search runs: "
        f"{fronts.restarts} started again, every search got its hits, a client waited "
        f"{fronts.longest:.1f} s at most, {len(ledger.faults)} faults, set "
        f"{'exact' if is_exact else 'wrong'}",
        reached=is_well and not few,
        why=few if is_well else "",
    )


@pytest.mark.goal("G1")
def test_a_daemon_that_was_frozen_finds_what_changed_meanwhile(
    goal: Report, size: Size, home: Home
) -> None:
    rounds = size.of(2, 10, 50)
    pictures = Pictures(home.pictures(), random.Random(10))
    wrong = 0
    with Daemon(home) as daemon, Connection(home.path, timeout=WAIT_SECONDS) as connection:
        assert daemon.await_ready()
        connection.add(pictures.folder)
        for _ in range(rounds):
            daemon.process.send_signal(signal.SIGSTOP)
            pictures.add(20)
            pictures.remove_one()
            daemon.process.send_signal(signal.SIGCONT)
            connection.sync(timeout=WAIT_SECONDS)
            wrong += connection.status().indexed != len(pictures.paths())
        daemon.stop()
    ledger = read_ledger(home.path / "store")
    goal.figure(
        f"{rounds} times frozen while files changed: {wrong} wrong sets",
        reached=not wrong and ledger.indexed == pictures.paths(),
    )


@pytest.mark.goal("G1")
def test_nothing_that_hangs_holds_up_the_end(goal: Report, size: Size, home: Home) -> None:
    rounds = size.of(1, 10, 100)
    pictures = Pictures(home.pictures(), random.Random(11))
    pictures.add(8)
    slowest, statuses, outcomes = 0.0, set(), set()
    for _ in range(rounds):
        with Daemon(home) as daemon, Connection(home.path, timeout=WAIT_SECONDS) as connection:
            assert daemon.await_ready()
            connection.add(pictures.folder)
            connection.sync(timeout=WAIT_SECONDS)
            expect(lambda: len(daemon.workers()) >= WORKERS)
            frozen = daemon.workers()
            for worker in frozen:
                os.kill(worker, signal.SIGSTOP)
            pictures.add(4)
            expect(lambda: connection.status().pending > 0)
            # A check waits for a worker, a backup behind it, and a search for another worker.
            connection.start_job(wire.StartJob("check", deep=True))
            connection.start_job(wire.StartJob("backup"))
            answers: list[str] = []
            searching = threading.Thread(target=search_into, args=(home, pictures, answers))
            searching.start()
            threading.Event().wait(0.2)  # until the search is in hand
            front = daemon.front()
            assert front is not None
            os.kill(front, signal.SIGSTOP)
            status, seconds = daemon.stop()
            searching.join(WAIT_SECONDS)
        slowest = max(slowest, seconds)
        statuses.add(status)
        outcomes.update(answers)
        assert len(answers) == 1
    ledger = read_ledger(home.path / "store")
    goal.figure(
        f"{rounds} ends with every worker and the front frozen, files, a deep check, a backup and "
        f"a search in hand: statuses {statuses}, at most {slowest:.1f} s, {len(ledger.faults)} "
        f"faults, the searches got {sorted(outcomes)}",
        reached=statuses == {0} and slowest <= STOP_SECONDS and not ledger.faults,
    )


def kill_front(daemon: Daemon) -> None:
    """Kill the front, once there is one."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (front := daemon.front()) is None:
        assert time.monotonic() < deadline, "no front was started"
    with contextlib.suppress(ProcessLookupError):  # it has just ended
        os.kill(front, signal.SIGKILL)


def search_into(home: Home, pictures: Pictures, answers: list[str]) -> None:
    """Search with a picture, and note what comes of it."""
    with Connection(home.path, timeout=WAIT_SECONDS) as connection:
        try:
            connection.search(next(iter(pictures.paths())))
            answers.append("hits")
        except PspcError as error:
            answers.append(getattr(error, "code", type(error).__name__))
