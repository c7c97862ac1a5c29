"""Raw access to the databases of one write transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pspd.errors import StoreDamaged
from pspd.store import checksum, codec, keys, shapes
from pspd.store.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    import lmdb

    from pspd.core.model import WatchRoot


class Tables:
    """Puts and deletes values; numbers of `meta` are collected and written once."""

    def __init__(
        self, transaction: lmdb.Transaction[bytes], databases: Mapping[str, lmdb._Database]
    ) -> None:
        self._transaction = transaction
        self._databases = databases
        self._meta: dict[str, int] = {}
        self.reader = Reader(transaction, databases)

    def put(self, database: str, key: bytes, body: bytes) -> None:
        """Set a value."""
        self._transaction.put(key, checksum.seal(key, body), db=self._databases[database])

    def put_root(self, root: WatchRoot) -> None:
        """Set a watch root, and beside it whether it is paused: earlier versions pass that over."""
        self.put("roots", keys.root_key(root.root_id), codec.encode_root(root))
        if root.paused:
            self.put("meta", keys.paused_key(root.root_id), codec.encode_number(1))
        else:
            self.delete("meta", keys.paused_key(root.root_id))

    def delete(self, database: str, key: bytes) -> None:
        """Delete a value; one that is not there is no error."""
        self._transaction.delete(key, db=self._databases[database])

    def has_prefix(self, database: str, prefix: bytes) -> bool:
        """Say whether any key begins so."""
        with self._transaction.cursor(db=self._databases[database]) as cursor:
            return bool(cursor.set_range(prefix)) and cursor.key().startswith(prefix)

    def number(self, name: str) -> int:
        """Return a number of `meta` as it is by now."""
        if name not in self._meta:
            self._meta[name] = self.reader.meta(name)
        return self._meta[name]

    def require(self, name: str, least: int) -> None:
        """See that a number of `meta` did not go back.

        Raises:
            StoreDamaged: It did, or is not there any more.
        """
        if self.number(name) < least:
            raise StoreDamaged(f"{name} of meta went back to {self.number(name):,} from {least:,}")

    def set_number(self, name: str, number: int) -> None:
        """Set a number of `meta`."""
        self._meta[name] = number

    def next_number(self, name: str, *, first: int = 1) -> int:
        """Take the next number of a counter in `meta`, whose keys are numbers.

        Raises:
            StoreDamaged: It was given before, and what has it would be overwritten.
        """
        number = max(first, self.number(name))
        if self.reader.get(shapes.NUMBERED_BY[name], keys.number_key(number)) is not None:
            raise StoreDamaged(f"{name} of meta, {number:,}, was given already")
        self._meta[name] = number + 1
        return number

    def finish(self) -> None:
        """Write the numbers."""
        for name, number in self._meta.items():
            self.put("meta", name.encode(), codec.encode_number(number))
