"""Opens a store in a child process first, for a damaged one can end the process that opens it.

The child looks at pages and values, mends what it can, and prints one line of JSON. It may die of
it: that is an answer too.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from pspd.errors import StoreDamaged, StoreError, StoreUnusable

if TYPE_CHECKING:
    from pspd.store.environment import Environment

SLACK_SECONDS = 20.0
"""How much longer than it was given the child may take before it is ended: mending has no limit of
its own, and a disk may have to wake up."""

PAGES_SECONDS = 600.0
"""How long looking at the pages of an open store may take."""

BIT_ROT = "bit rot does not come alone: see to the disk and the memory; pspc check --deep"
"""What to do about values that were damaged."""

_MAP_BYTES = 1 << 34

Verdict = Literal["sound", "mended", "damaged", "fresh", "foreign", "unusable", "unfinished"]


class Report(msgspec.Struct, frozen=True):
    """What the child found."""

    verdict: Verdict
    """sound: nothing is wrong. mended: values were damaged or missing; see `pspd.store.mending`.
    damaged: its pages are, and nothing in it can be trusted. fresh: nothing was ever stored.
    foreign: it has another format, and was left untouched. unusable: it cannot be opened, for a
    reason outside it. unfinished: the time was over."""
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


def examine(folder: Path, *, seconds: float, mends: bool = True) -> Report:
    """Have a child look at a store that nobody has open.

    Args:
        folder: The store's.
        seconds: How long it may look; what it did not reach is not reported.
        mends: Whether it may change the store.
    """
    return _ask(folder, seconds, *(["--mend"] if mends else []))


def examine_pages(folder: Path) -> Report:
    """Have a child look at the pages of a store that is open, and that nobody writes to meanwhile.

    Returns:
        A report whose verdict is sound or damaged.
    """
    return _ask(folder, PAGES_SECONDS, "--pages")


def _ask(folder: Path, seconds: float, *options: str) -> Report:
    words = [sys.executable, "-m", "pspd.store.preflight", os.fspath(folder), str(seconds)]
    try:
        done = subprocess.run(
            [*words, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds + SLACK_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Report("unfinished", ["it takes too long to look at"], is_complete=False)
    except OSError as error:
        return Report("unfinished", [f"no process can be started: {error}"], is_complete=False)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return Report("damaged", [f"reading it ends a process ({name})"])
    with suppress(msgspec.MsgspecError, IndexError):
        return msgspec.json.decode(done.stdout.splitlines()[-1], type=Report)
    last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return Report("damaged", [f"reading it fails: {last[:200]}"])


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
    # A damaged format is dropped with other such values, and set again when the store opens.
    version = migrations.FORMAT_VERSION
    with suppress(StoreDamaged):
        version = migrations.stored_format(environment)
    if not version:
        return Report("fresh")
    if version != migrations.FORMAT_VERSION:
        return Report("foreign")
    damage = walk.walk(environment, deadline)
    findings = list(walk.told(damage)) or _imbalances(environment)
    if not findings:
        return Report("sound", is_complete=damage.is_complete)
    if damage.pages or not mends:
        return Report("damaged", findings, is_complete=damage.is_complete)
    return _mend(environment, findings)


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
    sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
