"""The goals: what is asked, and of what size a run is."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass

SIZE_VARIABLE = "PSP_TEST_SIZE"


class Size(enum.IntEnum):
    """How much is done to reach the figures."""

    COMMIT = 0
    NIGHTLY = 1
    RELEASE = 2

    def of(self, commit: int, nightly: int, release: int) -> int:
        """Return the number for this size."""
        return (commit, nightly, release)[self]

    @classmethod
    def chosen(cls) -> Size:
        """Return the size that the environment asks for."""
        return cls[os.environ.get(SIZE_VARIABLE, "commit").upper()]


def too_few(size: Size, done: int, asked: int) -> str:
    """Say why a nightly run does less than its goal asks for; empty where that is not so."""
    if size is not Size.NIGHTLY or done >= asked:
        return ""
    return f"{done:,} of {asked:,} fit into a night; the release size does more"


GOALS: Mapping[str, str] = {
    "G1": "kill -9 of each process while indexing: no acknowledged record lost, none corrupt or "
    "doubled; ready again in 2 s with 100,000 records",
    "G2": "simulated power cuts: every image opens clean, nothing acknowledged is lost",
    "G3": "a burst of 100,000 files: exact 2 s after the last write, watcher below 200 MB",
    "G4": "forced overflows of the kernel's queue: exact 3 s after each",
    "G5": "random file operations under load: no difference to the truth, every folder answers",
    "G6": "no blind directory in silence: 12 causes, each in `pspc status` with its cure in 5 s, "
    "and polled",
    "G7": "unmounting and mounting drives: nothing deleted by mistake, nothing decoded again",
    "G8": "a file closed, then searched for after a sync: found every time, p99 400 ms + decoding",
    "G9": "hostile files: the daemon lives, each has a disposition within 10 s and 768 MB; good "
    "files behind them lose at most 20 % of throughput",
    "G10": "mutated pictures: the daemon lives; every death of a worker leaves its cause",
    "G11": "25 forbidden acts of a decoder: all denied; at most 45 system calls; at most 5 % "
    "slower",
    "G12": "malformed frames and sessions: no crash, at most 16 MB of growth, honest p99 at "
    "most twice its idle time",
    "G13": "exhausted sockets and memory: the index goes on, answers are back in 1 s, 512 MB in "
    "all",
    "G14": "`systemd-analyze security`: 0.8 local, 1.6 with tcp; what holds is checked at run time",
    "G15": "the n-th system call fails: nothing corrupt, no hang of 30 s, no traceback shown, "
    "healed 60 s after",
    "G16": "bit rot: no wrong answer, `pspc check --deep` finds all, start within 10 s, rebuilt "
    "exactly",
    "G18": "500 hostile names: indexed, found, listed and removed through every interface",
    "G19": "rewrites with equal size and mtime, racy and partial writes: no stale features",
    "G20": "30 daemons at once: one wins, the others exit with 75 in 1 s; stale leftovers cost 1 s",
    "G21": "old stores open or are refused cleanly; kills inside a migration lose nothing",
    "G22": "nothing of PSP can be read or reached by other users, even with umask 000",
    "G24": "`pspc` returns 0.2 s after its deadline at the latest, whatever the server does",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What one test measured of a goal."""

    goal: str
    test: str
    text: str
    """Such as "1,000 kills: 0 lost, 0 corrupt"."""
    reached: bool
    why: str = ""
    """Why it is not reached, or why it could not be run."""
