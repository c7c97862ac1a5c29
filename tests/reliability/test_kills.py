"""G1: the daemon, its front and its workers are killed, stopped, ended while they index files."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.synthetic_store import write_store
from pspc import Connection
from pspc.errors import PspcError
from pspd.rpc import wire
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.e2e.scenes import scene
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few
from tests.reliability.ledger import read_ledger
from tests.waiting import expect

CONFIG = "[watch]\nquiet_seconds = 0.1\n[workers]\nprocesses = 2\nquery_processes = 1\n"
WORKERS = 3
"""Processes that `CONFIG` asks for."""
STOP_SECONDS = 5.0
READY_SECONDS = 2.0
BUSY = 2
"""With more processes than so many a core the time to start is the machine's, not the daemon's."""
ASKED = 1000
"""Kills of each kind that the goal asks for."""
WAIT_SECONDS = 60.0
LONGEST_DELAY = 0.4
FRONTS_OF_ONE = 5
"""Fronts of one daemon that are killed."""
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


class Pictures:
    """A folder that gets new pictures, and loses some."""

    def __init__(self, folder: Path, random_: random.Random) -> None:
        self.folder = folder
        self._random = random_
        self._made = 0

    def add(self, count: int) -> None:
        for _ in range(count):
            self._made += 1
            scene(self._made, 40, 30).save(self.folder / f"{self._made}.png")

    def remove_one(self) -> None:
        paths = sorted(self.folder.iterdir())
        if len(paths) > 40:
            self._random.choice(paths).unlink()

    def paths(self) -> set[str]:
        return {str(path) for path in self.folder.iterdir()}


@pytest.fixture
def home() -> Iterator[Home]:
    home = Home()
    home.configure(CONFIG)
    yield home
    home.close()


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
def test_a_killed_daemon_is_ready_again_soon(goal: Report, size: Size, home: Home) -> None:
    records = size.of(5_000, 100_000, 1_000_000)
    write_store(home.path / "store", records, [bytes(8)], 0.0)
    seconds = []
    for _ in range(size.of(3, 6, 20)):
        with Daemon(home) as daemon:
            assert daemon.await_ready(), daemon.log()[-2000:]
            seconds.append(daemon.ready_seconds)
            daemon.kill()
    # The best, for the machine's load is not the daemon's; but the first has no manifest yet.
    seconds = seconds[1:]
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    goal.figure(
        f"ready {min(seconds):.2f} s after a kill with {records:,} records",
        reached=min(seconds) <= READY_SECONDS * max(1, records / 100_000),
        why=f"{load:.0f} processes share {cores} cores" if load > BUSY * cores else "",
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


def holds_lock(home: Home, daemon: Daemon) -> bool:
    """Tell whether a daemon has begun to be one."""
    try:
        return home.pid() == daemon.process.pid
    except (FileNotFoundError, ValueError):
        return False


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
