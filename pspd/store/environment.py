"""The LMDB environment: its named databases, its transactions, and its growth when it is full.

A map must not grow while it is read, nor a file be opened again: readers and growth wait for each
other at a gate.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import lmdb

from pspd.errors import StoreDamaged, StoreError
from pspd.host import seconds_left
from pspd.store import map_memory
from pspd.store.engine import (
    DAMAGE,
    DATA_FILE,
    make_private,
    open_file,
    translated,
    why_unwritable,
)
from pspd.store.gate import Gate
from pspd.store.read_transaction import ReadTransaction

DATABASES = (
    "meta",
    "roots",
    "directories",
    "children",
    "inodes",
    "files",
    "pending",
    "failures",
    "images",
    "digests",
    "links",
    "orphans",
    "pixels",
    "columns",
    "counters",
    "quarantine",
    "copies",
    "models",
    "descriptors",
    "undescribed",
)

ADDED = frozenset({"quarantine", "copies", "models", "descriptors", "undescribed"})
"""Databases that a store made by an earlier PSP of the same format may lack."""

ResultT = TypeVar("ResultT")


class Environment:
    """One LMDB environment with its named databases; one per process and folder.

    Raises:
        StoreDamaged: The file is none of LMDB's, or its pages are damaged.
        StoreError: It cannot be opened.
    """

    def __init__(self, folder: Path, *, map_bytes: int) -> None:
        try:
            make_private(folder)
            self._environment = open_file(folder, map_bytes, most_databases=len(DATABASES))
        except DAMAGE as error:
            raise StoreDamaged(f"the store in {folder} is damaged: {error}") from error
        except (lmdb.Error, OSError) as error:
            raise StoreError(f"the store in {folder} cannot be opened: {error}") from error
        self.folder = folder
        self._map_bytes = map_bytes
        self._gate = Gate()
        self._writing = threading.RLock()
        self._process = os.getpid()
        self.databases: dict[str, lmdb._Database] = {}

    def open_databases(self, *, makes: bool = True) -> None:
        """Open all named databases, making those that are missing or leaving them out."""
        for name in DATABASES:
            if makes or self.has_database(name):
                self.databases[name] = self._environment.open_db(name.encode(), create=makes)

    def has_database(self, name: str) -> bool:
        """Say whether a named database exists, without making it."""
        with self._environment.begin() as transaction:
            return transaction.get(name.encode()) is not None

    def is_empty(self) -> bool:
        """Say whether nothing was ever stored."""
        return not self._environment.stat()["entries"]

    def peek(self, name: str, key: bytes) -> bytes | None:
        """Read one value of one named database before the others are opened."""
        database = self._environment.open_db(name.encode(), create=False)
        with self._environment.begin(db=database) as transaction:
            value: bytes | None = transaction.get(key)
            return value

    def read(self, *, views: bool = False) -> ReadTransaction:
        """Open a read transaction; keep it short, an old one makes the file grow.

        Args:
            views: Whether values are views of the map, good until the end, instead of copies.
        """
        assert os.getpid() == self._process, "an LMDB environment must not be used after a fork"
        begin = self._begin_viewing if views else self._begin_reading
        return ReadTransaction(begin, self._gate.leave)

    def forget_pages(self) -> None:
        """Take the file's pages out of this process's memory; see `pspd.store.map_memory`."""
        with self._gate.kept():
            map_memory.forget_pages(self.folder / DATA_FILE)

    def write(self, change: Callable[[lmdb.Transaction[bytes]], ResultT]) -> ResultT:
        """Run `change` in a write transaction; upon a full map, grow it and run it again.

        `change` must therefore have no effect but on the transaction it is given.

        Raises:
            StoreError: The transaction could not be committed; nothing of it was stored.
        """
        assert os.getpid() == self._process, "an LMDB environment must not be used after a fork"
        # One at a time, so that no other write transaction is open when the map grows.
        with self._writing:
            try:
                return self._write(change)
            except DAMAGE as error:
                raise StoreDamaged(f"the store is damaged: {error}") from error
            except lmdb.Error as error:
                self._reopen_if_stuck()
                raise StoreError(
                    f"the store cannot be written: {why_unwritable(error, self.folder)}"
                ) from error

    @contextmanager
    def writes_paused(self) -> Iterator[None]:
        """Let nobody write meanwhile: then even a long reader does not make the file grow."""
        with self._writing:
            yield

    def _write(self, change: Callable[[lmdb.Transaction[bytes]], ResultT]) -> ResultT:
        while True:
            try:
                with self._environment.begin(write=True) as transaction:
                    return change(transaction)
            except lmdb.MapFullError:
                self._resize(2 * self._environment.info()["map_size"])
            except lmdb.MapResizedError:
                self._resize(0)

    def _begin_viewing(self) -> lmdb.Transaction[Any]:
        return self._begin_reading(views=True)

    def _begin_reading(self, *, views: bool = False) -> lmdb.Transaction[Any]:
        """Pass the gate and begin; whoever ends the transaction leaves the gate."""
        for _ in range(_ATTEMPTS):
            self._gate.enter()
            environment = self._environment
            try:
                return environment.begin(buffers=True) if views else environment.begin()
            except BaseException as error:
                self._gate.leave()
                if not isinstance(error, lmdb.MapResizedError | lmdb.PanicError):
                    raise
                problem = error
            if isinstance(problem, lmdb.MapResizedError):
                self._resize(0)  # another process made the file larger: take its size over
            else:
                self._reopen(environment)
        raise StoreError(f"the store cannot be read: {problem}")

    def _resize(self, size: int) -> None:
        # set_mapsize pulls the map from under open readers (seen), so it waits for them at a gate.
        with self._gate.alone():
            self._environment.set_mapsize(size)

    def _reopen_if_stuck(self) -> None:
        """Open the file again if LMDB gave up: after some failures it refuses even to read."""
        environment = self._environment
        try:
            environment.begin().abort()
        except lmdb.PanicError:
            # If that fails as well, who reads next is told; and for long, the daemon ends.
            with suppress(lmdb.Error, OSError):
                self._reopen(environment)
        except lmdb.Error:
            return

    def _reopen(self, stuck: lmdb.Environment) -> None:
        """Open the file again, unless another thread did so already."""
        with self._writing, self._gate.alone():
            if self._environment is not stuck:
                return
            stuck.close()
            self._environment = open_file(
                self.folder, self._map_bytes, most_databases=len(DATABASES)
            )
            self.open_databases()

    def copy(self, folder: Path) -> None:
        """Write a compact copy of this moment into an empty folder; readers do not wait for it.

        Raises:
            StoreError: It cannot be written, or the store cannot be read.
        """
        # To a descriptor: as a name, lmdb takes nothing but strict UTF-8.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(folder / DATA_FILE, flags, 0o600)
        try:
            self._copy(descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def walk(self) -> None:
        """Touch every page that can be reached, at the speed of memory.

        A page that makes no sense ends the process or raises; so this is for a child.
        """
        descriptor = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._copy(descriptor)
        finally:
            os.close(descriptor)

    def _copy(self, descriptor: int) -> None:
        with (
            translated("copied"),
            map_memory.forgetting(self.forget_pages),
            self._gate.kept(),
        ):
            self._environment.copyfd(descriptor, compact=True)

    def database_names(self) -> set[str]:
        """Return the names of the databases that are there."""
        with self.read() as transaction, transaction.cursor() as cursor:
            return {key.decode("latin-1") for key, _ in cursor}

    def used_bytes(self) -> int:
        """Bytes of the store on disk."""
        with translated("read"), self._gate.kept():
            pages: int = self._environment.info()["last_pgno"] + 1
            size: int = self._environment.stat()["psize"]
            return pages * size

    def last_transaction(self) -> int:
        """Return the number of the last transaction that was committed."""
        with translated("read"), self._gate.kept():
            number: int = self._environment.info()["last_txnid"]
            return number

    def reader_check(self) -> int:
        """Free the slots of readers that died; returns how many."""
        with translated("read"), self._gate.kept():
            return int(self._environment.reader_check())

    def oldest_reader_lag(self) -> int:
        """Return how many transactions were committed since the oldest open reader began."""
        with translated("read"), self._gate.kept():
            lines = str(self._environment.readers()).splitlines()
        rows = [line.split() for line in lines[1:]]
        begun = [int(row[2]) for row in rows if len(row) > 2 and row[2].isdigit()]  # noqa: PLR2004
        return max(0, self.last_transaction() - min(begun)) if begun else 0

    def close(self, deadline: float = math.inf) -> bool:
        """Close the environment once nobody uses it; returns whether that was so in time.

        Args:
            deadline: Of `time.monotonic()`; after it the environment stays open, as in a crash.
        """
        if not self._writing.acquire(timeout=seconds_left(deadline)):
            return False
        try:
            return self._gate.end(self._environment.close, seconds_left(deadline))
        finally:
            self._writing.release()


_ATTEMPTS = 5
"""How often a reader begins anew, after the map was resized or the file opened again."""
