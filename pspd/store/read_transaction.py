"""A read transaction as a context manager: passes the gate, ends, and makes LMDB's errors ours.

By hand, for each file that is indexed takes two: as nested generators they were a fifth of all the
processor time that a file costs the daemon.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import lmdb

from pspd.errors import StoreDamaged
from pspd.store.engine import as_store_error
from pspd.store.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType


class ReadTransaction:
    """LMDB's; a context manager, for one use.

    Args:
        begin: Passes the gate and begins.
        leave: Leaves the gate.

    Raises:
        StoreDamaged: LMDB can make no sense of what is read.
        StoreError: It cannot be read.
    """

    __slots__ = ("_begin", "_leave", "_transaction")

    def __init__(
        self, begin: Callable[[], lmdb.Transaction[Any]], leave: Callable[[], None]
    ) -> None:
        self._begin = begin
        self._leave = leave

    def __enter__(self) -> lmdb.Transaction[Any]:
        try:
            self._transaction = self._begin()
        except lmdb.Error as error:
            raise as_store_error(error, "read") from error
        return self._transaction

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            self._transaction.abort()
        finally:
            self._leave()
        if isinstance(error, lmdb.Error):
            raise as_store_error(error, "read") from error


class Moment:
    """A reader on one moment, whatever is written; a context manager, for one use.

    Args:
        transaction: What it reads in.
        databases: The named ones.
        on_damage: Told when something that was read is damaged.

    Raises:
        StoreDamaged: What was asked for is damaged; `on_damage` was told.
        StoreError: The store cannot be read.
    """

    __slots__ = ("_databases", "_on_damage", "_transaction")

    def __init__(
        self,
        transaction: ReadTransaction,
        databases: Mapping[str, lmdb._Database],
        on_damage: Callable[[StoreDamaged], None],
    ) -> None:
        self._transaction = transaction
        self._databases = databases
        self._on_damage = on_damage

    def __enter__(self) -> Reader:
        try:
            transaction = self._transaction.__enter__()
        except StoreDamaged as error:
            self._on_damage(error)
            raise
        try:
            return Reader(transaction, self._databases)
        except BaseException as error:
            # Nobody else leaves the gate then, and the store could never grow again.
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._transaction.__exit__(kind, error, traceback)
        except StoreDamaged as damage:
            self._on_damage(damage)
            raise
        if isinstance(error, StoreDamaged):
            self._on_damage(error)
