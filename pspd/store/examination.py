"""What the child does that looks at a store: pages, values, sums; see `pspd.store.preflight`.

Of a store that was closed in order it first looks at what the daemon needs for its first answer,
and reports; then, beside the running daemon and with the lowest priority, at all the rest.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import lmdb
import msgspec

from pspd.errors import StoreDamaged, StoreError, StoreUnusable
from pspd.store import balance, map_memory, migrations, shapes, walk
from pspd.store.entries import Entries
from pspd.store.environment import Environment
from pspd.store.preflight import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

_NONSENSE = (ValueError, LookupError, ArithmeticError, struct.error, lmdb.Error)
"""What is said of bytes that make no sense, where it was not foreseen."""

_MAP_BYTES = 1 << 34


def reports(
    folder: Path,
    seconds: float,
    *,
    mends: bool,
    transactions: range | None = None,
    rest: Callable[[], object] = lambda: None,
) -> Iterator[Report]:
    """Yield what is found in a store that nobody has open.

    Args:
        folder: The store's.
        seconds: How long to look at it before the report that the daemon waits for.
        mends: Whether the store may be changed.
        transactions: What the last one may be, of a store that may be in order; then only what is
            needed first is looked at first. Where that is not in order, all is looked at, as in any
            other.
        rest: Waits until the rest may be looked at.
    """
    if transactions is not None:
        with _opened(folder) as environment:
            if _is_needed_in_order(environment, transactions):
                yield Report("sound", is_complete=False, is_verified=False, has_more=True)
                rest()
                yield _translated(lambda: _rest(environment))
                return
    yield _translated(lambda: _of_all(folder, seconds, mends=mends))


def of_pages(folder: Path) -> Report:
    """Look at the pages of a store that is open, and that nobody writes to meanwhile."""
    return _translated(lambda: _pages(folder))


def _translated(look: Callable[[], Report]) -> Report:
    """Have errors be reports."""
    try:
        return look()
    except StoreDamaged as error:
        return Report("damaged", [str(error)])
    except StoreUnusable as error:
        return Report("foreign", [str(error)])
    except (StoreError, OSError) as error:
        return Report("unusable", [str(error)])
    except lmdb.MemoryError:
        raise
    except _NONSENSE as error:
        return Report("damaged", [f"reading it fails: {type(error).__name__}: {error}"])


@contextmanager
def _opened(folder: Path) -> Iterator[Environment]:
    environment = Environment(folder, map_bytes=_MAP_BYTES)
    try:
        yield environment
    finally:
        environment.close()


def _of_all(folder: Path, seconds: float, *, mends: bool) -> Report:
    deadline = time.monotonic() + seconds
    is_verified = walk.can_verify(folder, seconds / 2)
    problems = walk.structure_problems(folder) if is_verified else []
    if problems:
        return Report("damaged", problems[: walk.MOST_TOLD])
    with _opened(folder) as environment:
        report = _examine_open(environment, deadline, mends=mends)
    return msgspec.structs.replace(report, is_verified=is_verified)


def _pages(folder: Path) -> Report:
    problems = walk.structure_problems(folder)
    if not problems:
        with _opened(folder) as environment:
            environment.walk()
    return Report("damaged" if problems else "sound", problems[: walk.MOST_TOLD])


def _examine_open(environment: Environment, deadline: float, *, mends: bool) -> Report:
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
    with environment.read() as transaction:
        try:
            return list(balance.problems(transaction, environment.databases))
        except StoreDamaged as error:  # of what the walk had no time for
            return [str(error)]


def _mend(environment: Environment, findings: Sequence[str]) -> Report:
    from pspd.store import manifest  # noqa: PLC0415
    from pspd.store.mending import Mender  # noqa: PLC0415 - brings numpy

    known = manifest.read(environment.folder.parent)
    roots = () if known is None else known.roots
    mended = environment.write(
        lambda transaction: Mender(
            transaction, environment.databases, roots=roots, now=int(time.time())
        ).mend()
    )
    return Report("mended", list(findings), mended.dropped, mended.queued)


# --- a store that was closed in order


def _is_needed_in_order(environment: Environment, transactions: range) -> bool:
    """Say whether a store is the one that is known, and what the daemon needs first is whole."""
    try:
        environment.reader_check()
        if (
            environment.last_transaction() not in transactions
            or migrations.stored_format(environment) != migrations.FORMAT_VERSION
            or walk.missing_databases(environment)
        ):
            return False
        environment.open_databases()
        walk.touch(environment)
        _check_values(environment)
        return not _imbalances(environment)
    except (StoreError, OSError, *_NONSENSE):
        return False


def _check_values(environment: Environment) -> None:
    """See that the values are whole that the daemon reads before all others; they are few.

    One that is not would end each start, or cost the store: only a look at everything mends it.

    Raises:
        StoreDamaged: One is not.
    """
    with environment.read() as transaction:
        entries = Entries(transaction, environment.databases)
        for name in ("meta", "roots", "counters", "models"):
            for key, value in entries.raw_items(name):
                shapes.check(name, key, value)


def _rest(environment: Environment) -> Report:
    """Look at everything beside the daemon, which has the store open by now."""
    with suppress(OSError):
        os.nice(19)
    environment.walk()
    with map_memory.forgetting(environment.forget_pages):
        damage = walk.walk(environment, is_gentle=True)
    findings = list(walk.told(damage))
    if damage.pages:
        return Report("damaged", findings)
    return Report("mendable" if findings else "sound", findings)
