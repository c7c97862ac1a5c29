"""G15: the n-th system call of a kind fails in the daemon, once or until the fault is mended."""

from __future__ import annotations

import errno
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pspc import Connection
from pspc.errors import PspcError
from tests.e2e.daemon import Daemon
from tests.e2e.home import Home
from tests.e2e.scenes import scene
from tests.reliability import read_only, shim
from tests.reliability.conftest import Report
from tests.reliability.goals import Size, too_few
from tests.reliability.ledger import read_ledger
from tests.reliability.namespace import run_scenario

KINDS = (
    *("open", "read", "write", "sync", "mmap", "stat"),
    *("watch", "rename", "truncate", "mkdir", "list", "socket"),
)
ERRORS = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENOMEM, errno.EINTR)
HIGHEST = 200
"""The n-th call that fails is drawn from 1 to this, lower ones more often: there are fewer of most
kinds."""
ASKED = len(KINDS) * len(ERRORS) * HIGHEST
"""Runs that the goal asks for."""
AT_ONCE = 2
HANG_SECONDS = 30.0
READY_SECONDS = 10.0
HEAL_SECONDS = 60.0
PICTURES = 5
CONFIG = "[watch]\nquiet_seconds = 0.1\n[workers]\nprocesses = 1\nquery_processes = 1\n"
DAEMON_ROLE = "-m pspd "
"""With the space: workers are `-m pspd.workers.process`."""

_TRACEBACK = re.compile(r"^Traceback .*?^\S*Error", re.DOTALL | re.MULTILINE)
"""One of Python's own making; those in the log are indented."""
_OWN_FRAME = re.compile(r'File ".*?/pspd/(\S+?)", line \d+, in (\S+)')


@dataclass(frozen=True, slots=True)
class Fault:
    """Which call fails, how, and how often."""

    kind: str
    error: int
    first: int
    is_lasting: bool

    def __str__(self) -> str:
        often = "on" if self.is_lasting else ""
        return f"{self.kind}:{self.first}{often}:{errno.errorcode[self.error]}"


@dataclass(slots=True)
class Outcome:
    """What came of one run."""

    fault: Fault
    fired: bool = False
    ended: bool = False
    """Whether the daemon ended of it, so that another was started."""
    wrong: list[str] = field(default_factory=list)


class Run:
    """One short life of a daemon under a fault, and what comes after it."""

    def __init__(self, fault: Fault, library: Path) -> None:
        self._outcome = Outcome(fault)
        self._home = Home()
        self._home.configure(CONFIG)
        self._folder = self._home.pictures()
        for seed in range(PICTURES):
            scene(seed, 40, 30).save(self._folder / f"{seed}.png")
        self._fired = self._home.folder / "fired"
        self._mended = self._home.folder / "mended"
        self._environ = shim.environ(
            library,
            {
                "FAIL": f"{fault.kind}:{fault.first}:{fault.error}",
                "FAIL_TIMES": "0" if fault.is_lasting else "1",
                "FAIL_ROLE": DAEMON_ROLE,
                "FIRED": self._fired,
                "UNTIL": self._mended,
            },
        )

    def __call__(self) -> Outcome:
        try:
            self._live()
        except Exception as error:  # noqa: BLE001 - a run that breaks is a finding
            self._wrong(f"{type(error).__name__}: {error}")
        finally:
            self._home.close()
        return self._outcome

    def _wrong(self, what: str) -> None:
        self._outcome.wrong.append(f"{self._outcome.fault}: {what}")

    def _live(self) -> None:
        with Daemon(self._home, environ=self._environ) as daemon:
            if daemon.await_ready(READY_SECONDS):
                self._use(seconds=3.0)
            self._outcome.fired = self._fired.exists()
            self._mended.touch()
            if daemon.ready_seconds == float("inf"):
                # A lasting fault may keep it from saying so, and no longer than that.
                is_ready = daemon.await_ready(HANG_SECONDS)
                if not is_ready and daemon.process.poll() is None:
                    self._wrong("neither ready nor ended")
            self._outcome.ended = daemon.process.poll() is not None
            if not self._outcome.ended:
                self._heal(daemon)
                # It may end of the fault only now.
                if daemon.process.poll() is None:
                    self._end(daemon)
                    self._judge(daemon)
                    return
        with Daemon(self._home) as successor:
            if not successor.await_ready(HANG_SECONDS):
                self._wrong(f"no daemon can be started any more: {successor.log()[-300:]}")
                return
            self._outcome.ended = True
            self._heal(successor)
            self._end(successor)
            self._judge(successor)

    def _use(self, seconds: float) -> bool:
        """Do what a person does; returns whether all of it went well."""
        begun = time.monotonic()
        try:
            with Connection(self._home.path, timeout=seconds) as connection:
                if not connection.roots():
                    connection.add(self._folder)
                connection.sync(timeout=seconds)
                hits = connection.search(self._folder / "0.png").hits
                status = connection.status()
        except PspcError:
            return False
        finally:
            if time.monotonic() - begun > HANG_SECONDS:
                self._wrong("a client had to wait")
        return bool(hits) and (status.indexed, status.pending) == (PICTURES, 0)

    def _heal(self, daemon: Daemon) -> None:
        """Wait until all is well, or until the daemon ends for its successor to see to it."""
        deadline = time.monotonic() + HEAL_SECONDS
        while not self._use(seconds=15.0) and daemon.process.poll() is None:
            if time.monotonic() > deadline:
                self._wrong("it does not heal")
                return
            time.sleep(0.05)

    def _end(self, daemon: Daemon) -> None:
        status, seconds = daemon.stop(seconds=HANG_SECONDS)
        if status != 0 or seconds > HANG_SECONDS / 2:
            self._wrong(f"the end took {seconds:.1f} s and had status {status}")

    def _judge(self, daemon: Daemon) -> None:
        ledger = read_ledger(self._home.path / "store")
        paths = {str(path) for path in self._folder.iterdir()}
        if ledger.indexed != paths or ledger.faults:
            self._wrong(f"the store has {len(ledger.indexed)} of {PICTURES}; {ledger.faults}")
        for trace in _TRACEBACK.findall(daemon.log()):
            # While `__main__` itself is imported, tracebacks are the interpreter's.
            if set(_OWN_FRAME.findall(trace)) - {("__main__.py", "<module>")}:
                self._wrong(f"a traceback: {trace}")


def faults(random_: random.Random) -> Iterator[Fault]:
    """Yield faults for ever: every kind and error in turn, at random calls."""
    while True:
        pairs = [(kind, error) for kind in KINDS for error in ERRORS]
        random_.shuffle(pairs)
        for kind, error in pairs:
            first = round(HIGHEST ** random_.random())
            # An interruption is passing by its nature: Python tries again for ever (PEP 475).
            is_lasting = error != errno.EINTR and random_.random() < 1 / 3
            yield Fault(kind, error, first, is_lasting)


def outcomes(
    faults: Iterator[Fault], library: Path, runs: int, seconds: float
) -> Iterator[Outcome]:
    """Run so many, or for so long, some at once."""
    deadline = time.monotonic() + seconds
    begun = 0
    under_way: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(AT_ONCE) as executor:
        while True:
            while begun < runs and len(under_way) < AT_ONCE and time.monotonic() < deadline:
                under_way.add(executor.submit(Run(next(faults), library)))
                begun += 1
            if not under_way:
                return
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()


@pytest.mark.goal("G15")
def test_a_failing_system_call_costs_time_and_nothing_else(goal: Report, size: Size) -> None:
    library = shim.build()
    if library is None:
        goal.cannot_run("needs a C compiler on Linux")
        return
    runs, seconds = size.of(6, 5000, 50_000), size.of(60, 150, 2 * 3600)
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    chosen = faults(random.Random(2024 if size is Size.COMMIT else None))
    for outcome in outcomes(chosen, library, runs, seconds):
        counts["runs"] += 1
        counts["fired"] += outcome.fired
        counts["ended"] += outcome.ended
        wrong += outcome.wrong
        for each in outcome.wrong:
            goal.progress(each)
        if counts["runs"] % 20 == 0:
            goal.progress(f"{counts['runs']} runs, {len(wrong)} findings")
    is_well = not wrong and counts["fired"] > 0
    few = too_few(size, counts["runs"], ASKED)
    goal.figure(
        f"{counts['runs']} runs, {counts['fired']} met their fault, {counts['ended']} ended the "
        f"daemon: {len(wrong)} wrong" + "".join(f"; {each[:100]}" for each in wrong[:5]),
        reached=is_well and not few,
        why=few if is_well else "",
    )


@pytest.mark.goal("G15")
def test_a_disk_that_becomes_read_only_is_told_and_costs_nothing(
    goal: Report, size: Size, tmp_path: Path
) -> None:
    if size is Size.COMMIT:
        goal.cannot_run("only by night: tests/e2e/test_store_disk.py has it without a real disk")
    if not read_only.can_fail():
        goal.cannot_run("needs root, loop devices and ext4")
    seen = run_scenario("read_only", str(tmp_path), options="-m")
    ((cause, cure),) = seen["notices"]
    is_told = "read-only" in cause and "pspc stop" in cure
    goal.figure(
        f"the disk under the store becomes read-only: {'told' if is_told else 'not told'} after "
        f"{seen['told']:.1f} s, searches {'answered' if seen['finds'] else 'fail'}, ended with "
        f"{seen['status']} after {seen['seconds']:.1f} s; mounted anew {seen['indexed']} of 2 "
        f"pictures, {seen['faults']} faults",
        reached=is_told
        and seen["finds"]
        and seen["status"] == 0
        and seen["indexed"] == 2
        and not seen["faults"]
        and not seen["traceback"],
    )
