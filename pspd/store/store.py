"""The store: the truth about what is in the watched folders.

    Batch ──apply──▶ Writer ─┐
                             ├─ Environment (LMDB) ─ data.mdb
    question ──read──▶ Reader┘

One thread writes at a time (LMDB sees to it); readers never wait for it and each sees one moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.core.model import DirectoryId, RootId
from pspd.store import migrations
from pspd.store.batch import Applied, Batch, Operation
from pspd.store.environment import Environment
from pspd.store.reader import Reader
from pspd.store.writer import Writer

if TYPE_CHECKING:
    import lmdb


class Store:
    """Opens, reads and changes one store.

    Raises:
        StoreTooNew: A newer version of PSP wrote it; it is left untouched.
        StoreError: It cannot be opened.
    """

    def __init__(self, folder: Path, *, map_bytes: int = 1 << 36) -> None:
        self._environment = Environment(folder, map_bytes=map_bytes)
        try:
            migrations.check_format(self._environment)
            self._environment.open_databases()
            self._environment.write(self._migrate)
            self._environment.reader_check()
        except BaseException:
            self._environment.close()
            raise
        self._numbers = threading.Lock()
        with self.read() as reader:
            self._next_directory = max(1, reader.meta("next_directory"))
            self._next_root = max(1, reader.meta("next_root"))

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """Open a reader on this moment; not to be nested, and to be kept short."""
        with self._environment.read() as transaction:
            yield Reader(transaction, self._environment.databases)

    def apply(self, operations: Sequence[Operation], *, now: int | None = None) -> Applied:
        """Apply operations in one transaction: all of them or none.

        Raises:
            StoreError: Nothing was applied; the same operations may be tried again.
        """
        batch = Batch(tuple(operations), int(time.time()) if now is None else now)

        def change(transaction: lmdb.Transaction[bytes]) -> Applied:
            writer = Writer(transaction, self._environment.databases, batch.now)
            for operation in batch.operations:
                writer.apply(operation)
            with self._numbers:
                writer.set_meta("next_directory", self._next_directory)
                writer.set_meta("next_root", self._next_root)
            return writer.finish()

        return self._environment.write(change)

    def set_meta(self, name: str, number: int) -> None:
        """Set a number of `meta` that the store itself gives no meaning to."""

        def change(transaction: lmdb.Transaction[bytes]) -> None:
            writer = Writer(transaction, self._environment.databases, 0)
            writer.set_meta(name, number)
            writer.finish()

        self._environment.write(change)

    def new_directory_id(self) -> DirectoryId:
        """Return a number that no directory of this store ever had."""
        with self._numbers:
            self._next_directory += 1
            return DirectoryId(self._next_directory - 1)

    def new_root_id(self) -> RootId:
        """Return a number that no root of this store ever had."""
        with self._numbers:
            self._next_root += 1
            return RootId(self._next_root - 1)

    def used_bytes(self) -> int:
        """Bytes of the store on disk."""
        return self._environment.used_bytes()

    def close(self) -> None:
        """Close the store; everything applied is on disk already."""
        self._environment.close()

    def _migrate(self, transaction: lmdb.Transaction[bytes]) -> None:
        writer = Writer(transaction, self._environment.databases, 0)
        migrations.migrate(Reader(transaction, self._environment.databases), writer)
        writer.finish()
