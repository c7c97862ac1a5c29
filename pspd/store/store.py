"""The store: the truth about what is in the watched folders.

    Batch ──apply──▶ Writer ─┐
                             ├─ Environment (LMDB) ─ data.mdb
    question ──read──▶ Reader┘

One thread writes at a time (LMDB sees to it); readers never wait for it and each sees one moment.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.core.model import DirectoryId, ImageNumber, RootId, WatchRoot
from pspd.core.pausing import Pause, unhindered
from pspd.errors import StoreDamaged
from pspd.store import map_memory, migrations
from pspd.store.batch import Applied, Batch, ForgetRoot, Operation, PutRoot
from pspd.store.column_reading import Columns, read_columns, read_parts
from pspd.store.read_transaction import Moment
from pspd.store.writer import Writer

if TYPE_CHECKING:
    import lmdb

    from pspd.search.index import Rows
    from pspd.store.manifest import KeptRoot
    from pspd.store.mending import Mended

FORGET_PARTS = 16
"""Parts of the columns after which the memory is given back in which they were seen; 25 MB."""

MOST_FILE_BYTES = 96 << 20
"""How much memory pages of files may take, the store's and those of programs, of which there are
about 40 MB."""


class Store:
    """Opens, reads and changes one store.

    Raises:
        StoreTooNew: A newer version of PSP wrote it; it is left untouched.
        StoreError: It cannot be opened.
    """

    def __init__(self, folder: Path, *, map_bytes: int = 1 << 36) -> None:
        self._environment = migrations.opened(folder, map_bytes=map_bytes)
        try:
            # What is in order already is not written: a full disk must not keep it from opening.
            is_new = migrations.stored_format(self._environment) != migrations.FORMAT_VERSION
            self._environment.open_databases()
            if is_new:
                self.set_meta(migrations.KEY, migrations.FORMAT_VERSION)
            self._environment.reader_check()
        except BaseException:
            self._environment.close()
            raise
        self.on_roots: Callable[[list[WatchRoot]], None] = lambda _roots: None
        """Told of all roots after one changed."""
        self.on_touched: Callable[[Collection[DirectoryId] | None], None] = lambda _touched: None
        """Told of directories whose records, or those of what is in them, changed; None: of all.
        From the thread that changed them, once others can read it."""
        self.on_damage: Callable[[StoreDamaged], None] = lambda _error: None
        """Told when something that was read or was to be changed is damaged; from any thread."""
        self._numbers = threading.Lock()
        self._next_directory = self._next_root = 1
        self._given = dict.fromkeys(("next_image", "next_sequence"), 0)
        """Numbers of `meta` as they were last; one that is smaller then was lost meanwhile."""
        self._take_numbers()

    def read(self) -> Moment:
        """Open a reader on this moment; not to be nested, and to be kept short.

        Raises:
            StoreDamaged: What was asked for is damaged; `on_damage` was told.
        """
        return Moment(self._environment.read(), self._environment.databases, self.on_damage)

    def read_columns(self) -> Columns:
        """Return the rows of every image, without keeping memory for what was read.

        Raises:
            StoreDamaged: They are damaged; `on_damage` was told.
        """
        try:
            with self._environment.read(views=True) as transaction:
                return read_columns(transaction, self._environment.databases["columns"])
        except StoreDamaged as error:
            self.on_damage(error)
            raise
        finally:
            self._environment.forget_pages()

    def row_parts(self) -> Iterator[Rows]:
        """Yield what the index holds of every image, in parts, in the order of their numbers.

        Raises:
            StoreDamaged: As `read_columns`; what was yielded before is whole.
        """
        database = self._environment.databases["columns"]
        try:
            # Its threads are to be through before the transaction is.
            with (
                self._environment.read(views=True) as transaction,
                closing(read_parts(transaction, database)) as parts,
            ):
                for count, (first, part) in enumerate(parts):
                    yield part.rows(first)
                    if count % FORGET_PARTS == FORGET_PARTS - 1:
                        self._environment.forget_pages()
        except StoreDamaged as error:
            self.on_damage(error)
            raise
        finally:
            self._environment.forget_pages()

    def bound_memory(self) -> None:
        """Give back the memory in which this process sees the store's pages, if it is much."""
        if map_memory.file_bytes() > MOST_FILE_BYTES:
            self._environment.forget_pages()

    def apply(
        self,
        operations: Sequence[Operation],
        *,
        now: int | None = None,
        pause: Pause = unhindered,
    ) -> Applied:
        """Apply operations in one transaction: all of them or none.

        Args:
            operations: What to do, in this order.
            now: Wall clock, seconds since the epoch.
            pause: Called before each; no lock that a reader needs is held then.

        Raises:
            StoreError: Nothing was applied; the same operations may be tried again.
        """
        batch = Batch(tuple(operations), int(time.time()) if now is None else now)

        def change(transaction: lmdb.Transaction[bytes]) -> tuple[Applied, dict[str, int]]:
            writer = Writer(transaction, self._environment.databases, batch.now)
            for name, least in self._given.items():
                writer.require(name, least)
            for operation in batch.operations:
                pause()
                writer.apply(operation)
            pause()
            with self._numbers:
                writer.set_meta("next_directory", self._next_directory)
                writer.set_meta("next_root", self._next_root)
            return writer.finish(), {name: writer.number(name) for name in self._given}

        touched: Collection[DirectoryId] | None = None
        try:
            applied, given = self._environment.write(change)
            touched = applied.touched
        except StoreDamaged as error:
            self.on_damage(error)
            raise
        finally:
            self.on_touched(touched)
        self._remember(given)
        if any(isinstance(operation, PutRoot | ForgetRoot) for operation in operations):
            with self.read() as reader:
                self.on_roots(reader.roots())
        return applied

    def mend(
        self,
        roots: Sequence[KeptRoot],
        distrusted: frozenset[ImageNumber] = frozenset(),
        *,
        now: int | None = None,
    ) -> Mended:
        """Drop what is damaged and derive the rest anew; see `pspd.store.mending`.

        Args:
            roots: As the manifest has them: one that the store lost is put back.
            distrusted: Images that are dropped, because their features are known to be wrong.
            now: Wall clock, seconds since the epoch.

        Raises:
            StoreError: Nothing was changed.
        """
        from pspd.store.mending import Mender  # noqa: PLC0415 - hardly ever wanted

        moment = int(time.time()) if now is None else now

        def change(transaction: lmdb.Transaction[bytes]) -> Mended:
            databases = self._environment.databases
            with self._numbers:
                least = {
                    **self._given,
                    "next_directory": self._next_directory,
                    "next_root": self._next_root,
                }
            return Mender(
                transaction, databases, roots=roots, now=moment, distrusted=distrusted, least=least
            ).mend()

        try:
            mended = self._environment.write(change)
        finally:
            self.on_touched(None)
        self._take_numbers()
        return mended

    @contextmanager
    def writes_paused(self) -> Iterator[None]:
        """Let nobody write meanwhile."""
        with self._environment.writes_paused():
            yield

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

    def last_sequence(self) -> int:
        """Return the last place in the queue of files that was given."""
        with self._numbers:
            return max(0, self._given["next_sequence"] - 1)

    def used_bytes(self) -> int:
        """Bytes of the store on disk."""
        return self._environment.used_bytes()

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._environment.folder

    def last_transaction(self) -> int:
        """Return the number of the last transaction that was committed."""
        return self._environment.last_transaction()

    def free_dead_readers(self) -> int:
        """Free what processes that died left open; returns how many readers that were."""
        return self._environment.reader_check()

    def oldest_reader_lag(self) -> int:
        """Return how many transactions were committed since the oldest open reader began."""
        return self._environment.oldest_reader_lag()

    def copy(self, folder: Path) -> None:
        """Write a compact copy of this moment into an empty folder.

        Raises:
            StoreError: It cannot be written.
        """
        self._environment.copy(folder)

    def close(self, deadline: float = math.inf) -> bool:
        """Close the store; everything applied is on disk already.

        Args:
            deadline: Of `time.monotonic()`; who reads it after that goes on, and it stays open.

        Returns:
            Whether it is closed.
        """
        return self._environment.close(deadline)

    def _take_numbers(self) -> None:
        with self.read() as reader:
            self._remember({name: reader.meta(name) for name in self._given})
            with self._numbers:
                # What was given out and not stored yet stays given.
                self._next_directory = max(self._next_directory, reader.meta("next_directory"))
                self._next_root = max(self._next_root, reader.meta("next_root"))

    def _remember(self, given: Mapping[str, int]) -> None:
        with self._numbers:
            self._given = {name: max(self._given[name], given[name]) for name in given}
