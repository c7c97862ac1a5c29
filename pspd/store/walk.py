"""Looks at every page and every value of a store.

LMDB has neither: a page of zeros ends the process that reads it, a truncated file is a bus error, a
flipped bit comes back as data. So all this is for a child that may die of it.
"""

from __future__ import annotations

import math
import os
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pspd.store import shapes
from pspd.store.engine import DATA_FILE
from pspd.store.environment import ADDED, DATABASES, Environment

if TYPE_CHECKING:
    from pathlib import Path

    import lmdb

STRUCTURE_BYTES_A_SECOND = 40 << 20
"""How much of a file py-lmdb's verification looks at in a second: 80 MiB were measured."""

MOST_TOLD = 100
"""Findings of one kind that are told; their number is told in any case."""

_FALSE_ALARM = "mp_pages"
"""What py-lmdb 3.0's verification says of a healthy file in which a large value was replaced by a
smaller one within one transaction."""

_ASKED_EACH = 1024

NEEDED_FIRST = ("meta", "roots", "counters", "columns")
"""What the daemon reads for its first answer."""

SLICE_SECONDS = 0.5
"""Longest read transaction that others may write beside."""

_TOUCHING = 4
"""Threads that touch pages."""


@dataclass(slots=True)
class Damage:
    """What was found."""

    pages: list[str] = field(default_factory=list)
    """What is wrong with pages, or with what only whole pages could have told."""
    values: list[tuple[str, bytes]] = field(default_factory=list)
    """Database and key of each value that is damaged by itself."""
    is_complete: bool = True
    """Whether everything was looked at; else the time was over."""

    def __bool__(self) -> bool:
        return bool(self.pages or self.values)


def structure_problems(folder: Path) -> list[str]:
    """Return what is wrong with the pages of a store's file; it is read, never mapped."""
    from lmdb import verify  # noqa: PLC0415 - 40 ms that a start without a child can do without

    try:
        problems: list[str] = verify.verify(  # type: ignore[no-untyped-call]
            str(folder / DATA_FILE), subdir=False
        )
    except (verify.VerifyError, OSError) as error:
        return [str(error)]
    return [problem for problem in problems if _FALSE_ALARM not in problem]


def can_verify(folder: Path, seconds: float) -> bool:
    """Say whether the pages can be verified in so many seconds."""
    return (folder / DATA_FILE).stat().st_size <= seconds * STRUCTURE_BYTES_A_SECOND


def missing_databases(environment: Environment) -> set[str]:
    """Return the names of the databases that are not there and should be."""
    return set(DATABASES) - ADDED - environment.database_names()


def touch(environment: Environment) -> None:
    """Read every page of what the daemon needs for its first answer, whatever lies there.

    A page that makes no sense, or that the disk cannot read, ends the process or raises.
    """
    with environment.read(views=True) as transaction:
        values: list[memoryview] = []
        for name in NEEDED_FIRST:
            with transaction.cursor(db=environment.databases[name]) as cursor:
                values.extend(cursor.iternext(keys=False))
        # Several at a time, for a disk that serves them side by side.
        with ThreadPoolExecutor(_TOUCHING) as pool:
            list(pool.map(_touch, [values[first::_TOUCHING] for first in range(_TOUCHING)]))


def _touch(values: Sequence[memoryview]) -> None:
    """Touch each page of some values, without keeping Python to this thread meanwhile."""
    try:
        memory = os.memfd_create("touched")
    except (OSError, AttributeError):  # another system, or one that is short of descriptors
        for value in values:
            zlib.crc32(value)
        return
    # Ten times as fast as a checksum, which whoever reads them computes.
    try:
        for value in values:
            os.pwrite(memory, value, 0)
    finally:
        os.close(memory)


def walk(
    environment: Environment, deadline: float = math.inf, *, is_gentle: bool = False
) -> Damage:
    """Look at every value of an open environment.

    Args:
        environment: Whose pages are whole.
        deadline: Of the monotonic clock; what was not reached by then is left out.
        is_gentle: Whether others may write meanwhile: then read transactions are short.

    Raises:
        StoreDamaged: The pages make no sense.
    """
    damage = Damage()
    missing = missing_databases(environment)
    if missing:
        damage.pages.append(f"there is no database {min(missing)}")
        return damage
    environment.open_databases()
    for name in DATABASES:
        seconds = SLICE_SECONDS if is_gentle else math.inf
        if not _walk_database(environment, name, damage, deadline, seconds):
            damage.is_complete = False
            break
    return damage


def _walk_database(
    environment: Environment, name: str, damage: Damage, deadline: float, slice_seconds: float
) -> bool:
    """Look at all values of a database; returns whether there was time for it."""
    last: bytes | None = None
    count = 0
    moments = set()
    is_through = False
    while not is_through:
        until = min(deadline, time.monotonic() + slice_seconds)
        with environment.read() as transaction:
            moments.add(transaction.id())
            known = transaction.stat(environment.databases[name])["entries"]
            with transaction.cursor(db=environment.databases[name]) as cursor:
                is_there = cursor.first() if last is None else cursor.set_range(last + b"\0")
                found, last, is_through = (
                    _walk_slice(cursor, name, damage, last, until) if is_there else (0, last, True)
                )
        count += found
        if not is_through and time.monotonic() > deadline:
            return False
    # Of more than one moment they need not agree.
    if count != known and len(moments) == 1 and not damage.pages:
        damage.pages.append(f"{name} has {count} entries and should have {known}")
    return True


def _walk_slice(
    cursor: lmdb.Cursor[bytes], name: str, damage: Damage, last: bytes | None, until: float
) -> tuple[int, bytes | None, bool]:
    """Look at values from where a cursor is, for some time.

    Returns:
        How many were looked at, the key of the last, and whether that was all.
    """
    count = 0
    # All in line: a call a value would double the time of a start.
    (shortest_key, longest_key), (shortest, longest) = shapes.lengths(name)
    crc32, number = zlib.crc32, int.from_bytes
    for key, value in cursor:
        count += 1
        if last is not None and key <= last:
            damage.pages.append(f"the keys of {name} are not in their order")
            return count, last, True
        last = key
        if (
            number(value[:4], "little") != crc32(value[4:], crc32(key))
            or not shortest_key <= len(key) <= longest_key
            or not shortest <= len(value) <= longest
        ):
            damage.values.append((name, key))
        if not count % _ASKED_EACH and time.monotonic() > until:
            return count, last, False
    return count, last, True


def told(damage: Damage) -> Iterator[str]:
    """Say what was found, one line each."""
    yield from damage.pages[:MOST_TOLD]
    for name, key in damage.values[:MOST_TOLD]:
        yield f"a value in {name} is damaged (key {key[:24].hex()})"
    more = len(damage.pages[MOST_TOLD:]) + len(damage.values[MOST_TOLD:])
    if more:
        yield f"and {more} more"
