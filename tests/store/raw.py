"""A store's databases without the store's own code, to harm them."""

from __future__ import annotations

from pathlib import Path

import lmdb

from pspd.store import checksum


class Raw:
    """The databases of a store that nobody has open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = lmdb.open(str(folder), max_dbs=20, lib_version=0, map_size=1 << 26)
        self._is_open = True

    def first(self, database: str) -> bytes:
        with self._environment.begin(db=self._open(database)) as transaction:
            key: bytes = next(iter(transaction.cursor()))[0]
            return key

    def put(self, database: str, key: bytes, body: bytes) -> None:
        self.put_value(database, key, checksum.seal(key, body))

    def put_value(self, database: str, key: bytes, value: bytes) -> None:
        with self._environment.begin(write=True, db=self._open(database)) as transaction:
            transaction.put(key, value)

    def delete(self, database: str, key: bytes) -> None:
        with self._environment.begin(write=True, db=self._open(database)) as transaction:
            assert transaction.delete(key)

    def body(self, database: str, key: bytes) -> bytes:
        with self._environment.begin(db=self._open(database)) as transaction:
            return checksum.unseal(key, transaction.get(key) or b"")

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._environment.close()

    def _open(self, database: str) -> lmdb._Database:
        return self._environment.open_db(database.encode(), create=False)
