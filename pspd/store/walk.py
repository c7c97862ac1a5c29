"""Looks at every page and every value of a store that nobody writes to.

LMDB has neither: a page of zeros ends the process that reads it, a truncated file is a bus error, a
flipped bit comes back as data. So all this is for a child that may die of it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
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


def walk(environment: Environment, deadline: float) -> Damage:
    """Look at every value of an open environment, until `deadline` by the monotonic clock.

    Raises:
        StoreDamaged: The pages make no sense.
    """
    damage = Damage()
    missing = set(DATABASES) - ADDED - environment.database_names()
    if missing:
        damage.pages.append(f"there is no database {min(missing)}")
        return damage
    environment.open_databases()
    for name in DATABASES:
        with environment.read() as transaction:
            if not _walk_database(transaction, environment.databases[name], name, damage, deadline):
                damage.is_complete = False
                break
    return damage


def _walk_database(
    transaction: lmdb.Transaction[bytes],
    database: lmdb._Database,
    name: str,
    damage: Damage,
    deadline: float,
) -> bool:
    count = 0
    last = b""
    # All in line: a call a value would double the time of a start.
    (shortest_key, longest_key), (shortest, longest) = shapes.lengths(name)
    crc32, number = zlib.crc32, int.from_bytes
    with transaction.cursor(db=database) as cursor:
        for key, value in cursor:
            count += 1
            if key <= last and count > 1:
                damage.pages.append(f"the keys of {name} are not in their order")
                return True
            last = key
            if (
                number(value[:4], "little") != crc32(value[4:], crc32(key))
                or not shortest_key <= len(key) <= longest_key
                or not shortest <= len(value) <= longest
            ):
                damage.values.append((name, key))
            if not count % _ASKED_EACH and time.monotonic() > deadline:
                return False
    known = transaction.stat(database)["entries"]
    if count != known:
        damage.pages.append(f"{name} has {count} entries and should have {known}")
    return True


def told(damage: Damage) -> Iterator[str]:
    """Say what was found, one line each."""
    yield from damage.pages[:MOST_TOLD]
    for name, key in damage.values[:MOST_TOLD]:
        yield f"a value in {name} is damaged (key {key[:24].hex()})"
    more = len(damage.pages[MOST_TOLD:]) + len(damage.values[MOST_TOLD:])
    if more:
        yield f"and {more} more"
