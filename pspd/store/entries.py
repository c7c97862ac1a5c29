"""Entries of any database, asked inside one read transaction: keys and bodies as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from pspd.store import balance, checksum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import lmdb


class Entries:
    """Raw questions to the databases; valid only while the transaction is open."""

    def __init__(
        self, transaction: lmdb.Transaction[bytes], databases: Mapping[str, lmdb._Database]
    ) -> None:
        self._transaction = transaction
        self._databases = databases

    def imbalances(self) -> list[str]:
        """Return what does not add up between the databases; see `pspd.store.balance`."""
        return list(balance.problems(self._transaction, self._databases))

    def entries(self, database: str) -> int:
        """Return how many values a database has."""
        count: int = self._transaction.stat(self._databases[database])["entries"]
        return count

    def raw_items(self, database: str, after: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys above `after` and values as they are, checksum and all, damaged or not."""
        if database not in self._databases:  # of an earlier version, before it is lifted
            return
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            is_there = cursor.first() if after is None else cursor.set_range(after)
            for key, value in cursor if is_there else ():
                if key != after:
                    yield key, value

    def raw_keys(self, database: str, after: bytes, most: int) -> list[bytes]:
        """Return up to so many keys above `after`, whatever their values are worth."""
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            if not cursor.set_range(after + b"\0"):
                return []
            return list(islice(cursor.iternext(keys=True, values=False), most))

    def keys_from(self, database: str, start: bytes) -> Iterator[bytes]:
        """Yield keys from `start` on, whatever their values are worth."""
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            if cursor.set_range(start):
                yield from cursor.iternext(keys=True, values=False)

    def last_up_to(self, database: str, key: bytes) -> tuple[bytes, bytes] | None:
        """Return the last entry up to `key`, that one included: key and body."""
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            if not cursor.set_range(key):
                is_there = cursor.last()
            else:
                is_there = cursor.key() == key or cursor.prev()
            return (cursor.key(), checksum.unseal(*cursor.item())) if is_there else None

    def get(self, database: str, key: bytes) -> bytes | None:
        """Return the body of one value of one database."""
        value = self._transaction.get(key, db=self._databases[database])
        return None if value is None else checksum.unseal(key, value)

    def get_many(self, database: str, keys: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Yield those of many keys that are there, and their bodies, in the order asked."""
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            for key, value in cursor.getmulti(keys):
                yield key, checksum.unseal(key, value)

    def items(
        self, database: str, prefix: bytes = b"", start: bytes = b""
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys that begin with `prefix` and their bodies, from `start` on."""
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            first = max(prefix, start)
            if not (cursor.set_range(first) if first else cursor.first()):
                return
            for key, value in cursor:
                if not key.startswith(prefix):
                    return
                yield key, checksum.unseal(key, value)
