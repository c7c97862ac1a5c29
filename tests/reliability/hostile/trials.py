"""Starts trials, notices how each ends, and goes on behind a mutant that ended one."""

from __future__ import annotations

import mmap
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.reliability.hostile.trial import PROGRESS

HANG_SECONDS = 60.0
"""A mutant that takes longer waits for something: one that is only slow ends by SIGXCPU before."""

_LOOK_SECONDS = 1.0
_MOST_CALLS = 6
"""Of the calls that a process is in, the innermost that are told."""
_HANGS = "it hangs"
_TIME_IS_UP = "time is up"


@dataclass(slots=True)
class Outcome:
    """What became of all mutants of some trials together."""

    indexed: int = 0
    failed: int = 0
    longest: float = 0.0
    """Seconds that the slowest took."""
    peak_memory: int = 0
    """Most memory of a process that tries them, in MiB."""
    findings: dict[int, str] = field(default_factory=dict)
    """Number of a mutant → what it did that it may not."""
    stalls: list[str] = field(default_factory=list)
    """How it was with processes that hung once, over mutants that others read at once: the machine
    was to blame, or a decoder waited for something that the mutant alone does not bring about."""

    @property
    def tried(self) -> int:
        """How many mutants there were."""
        return self.indexed + self.failed + len(self.findings)


def try_all(
    seed: int, count: int, *, lanes: int, seconds: float, hang_seconds: float = HANG_SECONDS
) -> Outcome:
    """Try mutants 0 to `count`, some at once, for so many seconds at most."""
    outcome = Outcome()
    lock = threading.Lock()
    deadline = time.monotonic() + seconds

    def run(lane: int) -> None:
        part = _Lane(seed, lane, count, lanes, deadline, hang_seconds).run()
        with lock:
            outcome.indexed += part.indexed
            outcome.failed += part.failed
            outcome.longest = max(outcome.longest, part.longest)
            outcome.peak_memory = max(outcome.peak_memory, part.peak_memory)
            outcome.findings |= part.findings
            outcome.stalls += part.stalls

    threads = [threading.Thread(target=run, args=(lane,)) for lane in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


class _Lane:
    """Every so-manieth mutant, in one process after the other."""

    def __init__(
        self,
        seed: int,
        first: int,
        count: int,
        lanes: int,
        deadline: float,
        hang_seconds: float,
    ) -> None:
        self._seed, self._next, self._count, self._lanes = seed, first, count, lanes
        self._deadline = deadline
        self._hang_seconds = hang_seconds
        self._findings: dict[int, str] = {}
        self._stalls: dict[int, str] = {}
        """Number of a mutant → how it was with the process that hung over it."""

    def run(self) -> Outcome:
        with tempfile.NamedTemporaryFile() as file:
            os.truncate(file.name, PROGRESS.size)
            with mmap.mmap(file.fileno(), PROGRESS.size) as progress:
                while self._next < self._count and time.monotonic() < self._deadline:
                    self._try(file.name, progress)
                _, _, indexed, failed, longest, peak = PROGRESS.unpack_from(progress)
        stalls = [
            f"{number}: {how}"
            for number, how in self._stalls.items()
            if number not in self._findings
        ]
        return Outcome(indexed, failed, longest, peak, self._findings, stalls)

    def _try(self, path: str, progress: mmap.mmap) -> None:
        """Run one trial to its end, whatever that is."""
        numbers = map(str, (self._seed, self._next, self._count, self._lanes))
        command = [sys.executable, "-m", "tests.reliability.hostile.trial", path, *numbers]
        PROGRESS.pack_into(progress, 0, -1, time.monotonic(), *PROGRESS.unpack_from(progress)[2:])
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            killed_for = self._wait(process, progress)
            number = PROGRESS.unpack_from(progress)[0]
            assert process.stdout is not None
            for line in process.stdout:
                found, _, what = line.strip().partition(" ")
                self._findings[int(found)] = what
            status = process.wait()
        if killed_for.startswith(_HANGS):
            # It may have hung before it came so far as to say which one it begins with.
            number = max(number, self._next)
        assert number >= 0, "a trial did not even begin"
        if killed_for.startswith(_HANGS) and number not in self._stalls:
            # Another process shall say whether it is the mutant.
            self._stalls[number] = killed_for
            self._next = number
            return
        self._next = number + self._lanes
        if killed_for.startswith(_HANGS):
            self._findings[number] = killed_for
        elif killed_for != _TIME_IS_UP and status != 0:
            self._findings[number] = f"ended the process with {status}"

    def _wait(self, process: subprocess.Popen[str], progress: mmap.mmap) -> str:
        """Wait until a trial ends or has to be ended; returns why it had to, else nothing."""
        while True:
            try:
                process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                number, begun, *_ = PROGRESS.unpack_from(progress)
                hangs: bool = time.monotonic() - begun > self._hang_seconds
                if hangs or (time.monotonic() > self._deadline and number >= 0):
                    how = f"{_HANGS} ({_state_of(process.pid)})" if hangs else _TIME_IS_UP
                    process.kill()
                    return how
            else:
                return ""


def _state_of(pid: int) -> str:
    """Say what a process is at, as the kernel has it: its state, and where it waits."""
    folder = Path("/proc", str(pid))
    parts = []
    for name, pattern in (("stat", r"\) (\S)"), ("wchan", r"(\S+)"), ("stack", r"\] (\S+)")):
        with suppress(OSError):
            parts += re.findall(pattern, (folder / name).read_text())[:_MOST_CALLS]
    return " < ".join(parts) or "nothing is known of it"
