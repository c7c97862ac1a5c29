"""Opens a store in a child process first, for a damaged one can end the process that opens it.

The child looks at pages and values, mends what it can, and prints one line of JSON. It may die of
it: that is an answer too. Whatever else ends it, such as a stop or want of memory, says nothing of
the store, which must not pay for it.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import lmdb
import msgspec

from pspd.errors import StoreDamaged, StoreError, StoreUnusable

if TYPE_CHECKING:
    from pspd.store.environment import Environment

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

_NONSENSE = (ValueError, LookupError, ArithmeticError, struct.error, lmdb.Error)
"""What is said of bytes that make no sense, where it was not foreseen."""

BIT_ROT = "bit rot does not come alone: see to the disk and the memory; pspc check --deep"
"""What to do about values that were damaged."""

_MAP_BYTES = 1 << 34

Verdict = Literal[
    "sound", "mended", "damaged", "fresh", "older", "foreign", "unusable", "unfinished"
]


class Report(msgspec.Struct, frozen=True):
    """What the child found."""

    verdict: Verdict
    """sound: nothing is wrong. mended: values were damaged or missing; see `pspd.store.mending`.
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
    return _ask(folder, seconds, is_stopping, *(["--mend"] if mends else []))


def examine_pages(folder: Path, is_stopping: Callable[[], bool] = _never) -> Report:
    """Have a child look at the pages of a store that is open, and that nobody writes to meanwhile.

    Returns:
        A report whose verdict is sound, damaged, unusable or unfinished.
    """
    return _ask(folder, PAGES_SECONDS, is_stopping, "--pages")


def _ask(folder: Path, seconds: float, is_stopping: Callable[[], bool], *options: str) -> Report:
    words = [sys.executable, "-m", "pspd.store.preflight", os.fspath(folder), str(seconds)]
    deadline = time.monotonic() + seconds + SLACK_SECONDS
    try:
        lifeline, end = os.pipe()
    except OSError as error:
        return _unfinished(f"no process can be started: {error}")
    try:
        # A session of its own: what ends the daemon's group would look like damage, or cut short
        # what is being mended. The child hears of the daemon's end by the pipe.
        with subprocess.Popen(
            [*words, *options],
            stdin=lifeline,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as child:
            return _await(child, deadline, is_stopping)
    except OSError as error:
        return _unfinished(f"no process can be started: {error}")
    finally:
        os.close(lifeline)
        os.close(end)


def _await(
    child: subprocess.Popen[bytes], deadline: float, is_stopping: Callable[[], bool]
) -> Report:
    while True:
        try:
            said, complained = child.communicate(timeout=LOOK_SECONDS)
            return _report(child.returncode, said, complained)
        except subprocess.TimeoutExpired:
            is_late = time.monotonic() > deadline
            if is_late or is_stopping():
                child.kill()
                child.communicate()
                return _unfinished("it takes too long to look at" if is_late else "it was stopped")


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


def _examine_here(folder: Path, seconds: float, *, mends: bool) -> Report:
    from pspd.store import walk  # noqa: PLC0415 - keep the parent's start short
    from pspd.store.environment import Environment  # noqa: PLC0415

    deadline = time.monotonic() + seconds
    is_verified = walk.can_verify(folder, seconds / 2)
    problems = walk.structure_problems(folder) if is_verified else []
    if problems:
        return Report("damaged", problems[: walk.MOST_TOLD])
    environment = Environment(folder, map_bytes=_MAP_BYTES)
    try:
        report = _examine_open(environment, deadline, mends=mends)
        return msgspec.structs.replace(report, is_verified=is_verified)
    finally:
        environment.close()


def _examine_pages(folder: Path) -> Report:
    from pspd.store import walk  # noqa: PLC0415
    from pspd.store.environment import Environment  # noqa: PLC0415

    problems = walk.structure_problems(folder)
    if not problems:
        environment = Environment(folder, map_bytes=_MAP_BYTES)
        environment.walk()
        environment.close()
    return Report("damaged" if problems else "sound", problems[: walk.MOST_TOLD])


def _examine_open(environment: Environment, deadline: float, *, mends: bool) -> Report:
    from pspd.store import migrations, walk  # noqa: PLC0415

    environment.reader_check()
    environment.walk()
    # A damaged format is dropped with other such values, and set again when the store opens; so is
    # one that vanished.
    version = migrations.FORMAT_VERSION
    with suppress(StoreDamaged):
        version = migrations.stored_format(environment)
    if not version and not _has_entries(environment):
        return Report("fresh")
    if migrations.is_older(version):
        return Report("older")
    if version not in {0, migrations.FORMAT_VERSION}:
        return Report("foreign")
    damage = walk.walk(environment, deadline)
    findings = list(walk.told(damage)) or _imbalances(environment)
    if not findings:
        return Report("sound", is_complete=damage.is_complete)
    if damage.pages or not mends:
        return Report("damaged", findings, is_complete=damage.is_complete)
    return _mend(environment, findings)


def _has_entries(environment: Environment) -> bool:
    """Say whether anything is stored; a format that vanished does not make it nothing."""
    if not environment.has_database("meta"):
        return False
    environment.open_databases()
    with environment.read() as transaction:
        databases = environment.databases.values()
        return any(transaction.stat(database)["entries"] for database in databases)


def _imbalances(environment: Environment) -> list[str]:
    from pspd.store import balance  # noqa: PLC0415

    with environment.read() as transaction:
        try:
            return list(balance.problems(transaction, environment.databases))
        except StoreDamaged as error:  # of what the walk had no time for
            return [str(error)]


def _mend(environment: Environment, findings: list[str]) -> Report:
    from pspd.store import manifest  # noqa: PLC0415
    from pspd.store.mending import Mender  # noqa: PLC0415 - brings numpy

    known = manifest.read(environment.folder.parent)
    roots = () if known is None else known.roots
    mended = environment.write(
        lambda transaction: Mender(
            transaction, environment.databases, roots=roots, now=int(time.time())
        ).mend()
    )
    return Report("mended", findings, mended.dropped, mended.queued)


def _end_with_parent() -> None:
    """End this process when nobody holds the other end of its standard input any more."""
    os.read(0, 1)
    os._exit(ORPHANED)


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the child."""
    parser = argparse.ArgumentParser(prog="pspd.store.preflight")
    parser.add_argument("folder", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--mend", action="store_true")
    parser.add_argument("--pages", action="store_true")
    options = parser.parse_args(arguments)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        report = (
            _examine_pages(options.folder)
            if options.pages
            else _examine_here(options.folder, options.seconds, mends=options.mend)
        )
    except StoreDamaged as error:
        report = Report("damaged", [str(error)])
    except StoreUnusable as error:
        report = Report("foreign", [str(error)])
    except (StoreError, OSError) as error:
        report = Report("unusable", [str(error)])
    except lmdb.MemoryError:
        raise
    except _NONSENSE as error:
        report = Report("damaged", [f"reading it fails: {type(error).__name__}: {error}"])
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
