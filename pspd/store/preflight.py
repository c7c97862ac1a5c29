"""Opens a store in a child process first, for a damaged one can end the process that opens it.

The child (`pspd.store.examination`) looks at pages and values, mends what it can, and prints a line
of JSON. It may die of it: that is an answer too. Whatever else ends it, such as a stop or want of
memory, says nothing of the store, which must not pay for it.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

import msgspec

SLACK_SECONDS = 20.0
"""How much longer than it was given the child may take before it is ended: mending has no limit of
its own, and a disk may have to wake up."""

PAGES_SECONDS = 600.0
"""How long looking at the pages of an open store may take."""

LOOK_SECONDS = 0.1
"""How often it is asked meanwhile whether the daemon is to stop."""

DAMAGE_SIGNALS = frozenset(
    {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE}
)
"""What a process gets for what it does itself. Any other signal came from somebody: a stop of the
whole group, Ctrl-C, a kernel that is out of memory."""

ORPHANED = 3
"""The child's exit status when its daemon is gone."""

BIT_ROT = "bit rot does not come alone: see to the disk and the memory; pspc check --deep"
"""What to do about values that were damaged."""

_READ_BYTES = 1 << 16

_GO_ON = b"\n"

Verdict = Literal[
    "sound",
    "mended",
    "mendable",
    "damaged",
    "fresh",
    "older",
    "foreign",
    "unusable",
    "unfinished",
]


class Report(msgspec.Struct, frozen=True):
    """What the child found."""

    verdict: Verdict
    """sound: nothing is wrong. mended: values were damaged or missing; see `pspd.store.mending`.
    mendable: values are damaged, and were left to whoever has the store open.
    damaged: its pages are, and nothing in it can be trusted. fresh: nothing was ever stored.
    older: it has an earlier version's format, and its pages were looked at alone.
    foreign: it has another format, and was left untouched. unusable: it cannot be opened, for a
    reason outside it. unfinished: the time was over, or something else ended the look."""
    findings: list[str] = []
    dropped: int = 0
    queued: int = 0
    is_complete: bool = True
    """Whether every value was looked at."""
    is_verified: bool = True
    """Whether every page was; this takes longer."""
    has_more: bool = False
    """Whether the child looks on, and will report once more."""


def what_was_mended(dropped: int, queued: int) -> str:
    """Say what mending did, as one clause; numbers of values, and of files."""
    return f"{dropped:,} values were dropped, {queued:,} files are read again"


def _never() -> bool:
    return False


def examine(
    folder: Path,
    *,
    seconds: float,
    mends: bool = True,
    is_stopping: Callable[[], bool] = _never,
) -> Report:
    """Have a child look at a store that nobody has open.

    Args:
        folder: The store's.
        seconds: How long it may look; what it did not reach is not reported.
        mends: Whether it may change the store.
        is_stopping: Asked ten times a second whether to break off.
    """
    return _ask(Look(folder, seconds, *(["--mend"] if mends else [])), is_stopping)


def examine_pages(folder: Path, is_stopping: Callable[[], bool] = _never) -> Report:
    """Have a child look at the pages of a store that is open, and that nobody writes to meanwhile.

    Returns:
        A report whose verdict is sound, damaged, unusable or unfinished.
    """
    return _ask(Look(folder, PAGES_SECONDS, "--pages"), is_stopping)


def _ask(look: Look, is_stopping: Callable[[], bool]) -> Report:
    with closing(look):
        return look.report(is_stopping)


class Look:
    """A child that looks at a store; it begins at once.

    Args:
        folder: The store's.
        seconds: How long it may look.
        options: What the child is told besides; see its `main`.
    """

    def __init__(self, folder: Path, seconds: float, *options: str) -> None:
        self._deadline = time.monotonic() + seconds + SLACK_SECONDS
        self._said = b""
        self._is_resting = False
        """Whether the child waits to be told to go on: the daemon is to start undisturbed."""
        self._child: subprocess.Popen[bytes] | None = None
        self._problem = ""
        words = [sys.executable, "-m", "pspd.store.preflight", os.fspath(folder), str(seconds)]
        try:
            lifeline, self._end = os.pipe()
        except OSError as error:
            self._problem = f"no process can be started: {error}"
            return
        try:
            # A session of its own: what ends the daemon's group would look like damage, or cut
            # short what is being mended. The child hears of the daemon's end by the pipe.
            self._child = subprocess.Popen(
                [*words, *options],
                stdin=lifeline,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self._problem = f"no process can be started: {error}"
            os.close(self._end)
        finally:
            os.close(lifeline)

    def report(self, is_stopping: Callable[[], bool] = _never) -> Report:
        """Wait for what the child reports next."""
        while True:
            report = self.poll(LOOK_SECONDS)
            if report is not None:
                return report
            if is_stopping():
                self.close()
                return _unfinished("it was stopped")

    def poll(self, seconds: float = 0.0) -> Report | None:
        """Return what the child reports next, if it does within some seconds.

        After a report that `has_more` the child goes on when this is called again.
        """
        if self._child is None:
            return _unfinished(self._problem)
        if self._is_resting:
            self._is_resting = False
            with suppress(OSError):  # it has ended, and is heard of below
                os.write(self._end, _GO_ON)
        assert self._child.stdout is not None
        waiting = select.poll()
        waiting.register(self._child.stdout, select.POLLIN)
        if waiting.poll(seconds * 1000):
            part = os.read(self._child.stdout.fileno(), _READ_BYTES)
            self._said += part
            if not part:
                return self._last()
        elif time.monotonic() > self._deadline:
            self.close()
            return _unfinished("it takes too long to look at")
        return self._first()

    def close(self) -> None:
        """End the child, whatever it does."""
        if self._child is None:
            return
        with self._child as child:
            child.kill()
        os.close(self._end)
        self._child = None
        self._problem = "the look at it was ended"

    def _first(self) -> Report | None:
        """Take a report out of what was said, if another will follow it."""
        line, end, rest = self._said.partition(b"\n")
        with suppress(msgspec.MsgspecError):
            report = msgspec.json.decode(line, type=Report)
            if end and report.has_more:
                self._said = rest
                self._is_resting = True
                self._deadline = math.inf
                return report
        return None

    def _last(self) -> Report:
        assert self._child is not None
        assert self._child.stderr is not None
        complained = self._child.stderr.read()
        status = self._child.wait()
        self.close()
        return _report(status, self._said, complained)


def _report(status: int, said: bytes, complained: bytes) -> Report:
    """Return what the child found, by what it said and by how it ended."""
    if -status in DAMAGE_SIGNALS:
        return Report("damaged", [f"reading it ends a process ({signal.Signals(-status).name})"])
    if status < 0:
        return _unfinished(f"the look at it was ended by signal {-status}")
    with suppress(msgspec.MsgspecError, IndexError):
        return msgspec.json.decode(said.splitlines()[-1], type=Report)
    last = complained.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return _unfinished(f"the look at it failed with status {status}: {last[:200]}")


def _unfinished(reason: str) -> Report:
    return Report("unfinished", [reason], is_complete=False, is_verified=False)


def _hear_parent(goes_on: threading.Event) -> None:
    """Hear that the child is to go on, and end it when nobody is there any more to say so."""
    while os.read(0, 1):
        goes_on.set()
    os._exit(ORPHANED)


def _transactions(first: int | None, *, or_later: bool) -> range | None:
    """Return what the last transaction may be for a store to be the one that is known."""
    if first is None:
        return None
    return range(first, sys.maxsize if or_later else first + 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the child."""
    parser = argparse.ArgumentParser(prog="pspd.store.preflight")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--mend", action="store_true")
    parser.add_argument("--pages", action="store_true")
    parser.add_argument("--needed-first", type=int, metavar="TRANSACTION")
    parser.add_argument("--or-later", action="store_true")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    goes_on = threading.Event()
    threading.Thread(target=_hear_parent, args=(goes_on,), daemon=True).start()
    from pspd.store import examination  # noqa: PLC0415 - keep the parent's start short

    if options.pages:
        reports = iter([examination.of_pages(options.folder)])
    else:
        reports = examination.reports(
            options.folder,
            options.seconds,
            mends=options.mend,
            transactions=_transactions(options.needed_first, or_later=options.or_later),
            rest=goes_on.wait,
        )
    for report in reports:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
