"""The store's format version: refuses newer stores, lifts older ones.

    store/data.mdb ──read──▶ store/lifted/data.mdb ──renamed──▶ store/data.mdb

An older store is written anew beside itself and then takes its own place in one step, so that
whatever ends that in between leaves the old one as it was; and the new one is as compact as can be.

`FORMAT_VERSION` changes whenever stored bytes change their meaning; each change adds one step to
`_STEPS`, golden bytes to the tests and a section to `docs/store-format.md`.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.errors import StartBrokenOff, StoreDamaged, StoreError, StoreTooNew, StoreUnusable
from pspd.log import get_logger
from pspd.store import checksum, codec, file_system
from pspd.store.engine import DATA_FILE
from pspd.store.entries import Entries
from pspd.store.environment import Environment
from pspd.store.manifest import sync_folder

if TYPE_CHECKING:
    import lmdb

FORMAT_VERSION = 2

BATCH_ENTRIES = 20_000
"""Entries that are written in one transaction while a store is lifted."""

FOLDER = "lifted"
"""In the store's own: what it is lifted to, until that takes its place."""

_MAP_BYTES = 1 << 30

KEY = "format"
"""The version's name in `meta`."""

_log = get_logger(__name__)

_Entry = tuple[str, bytes, bytes]
"""Database, key and body."""


def opened(folder: Path, *, map_bytes: int) -> Environment:
    """Open a store's environment in this version's format; an older one is lifted to it first.

    Raises:
        StoreTooNew: A newer version wrote it; it is left untouched.
        StoreUnusable: It is an LMDB environment, but not PSP's.
        StoreError: It cannot be opened or lifted.
    """
    environment = Environment(folder, map_bytes=map_bytes)
    try:
        version = _known_format(environment)
    except BaseException:
        environment.close()
        raise
    if not is_older(version):
        return environment
    environment.close()
    lift(folder)
    return Environment(folder, map_bytes=map_bytes)


def _known_format(environment: Environment) -> int:
    version = stored_format(environment)
    if version > FORMAT_VERSION:
        raise StoreTooNew(
            f"the store has format {version}, this version of PSP knows up to {FORMAT_VERSION}; "
            "it is left untouched: upgrade PSP, or use another PSP_HOME"
        )
    return version


def stored_format(environment: Environment) -> int:
    """Return the format version of a store; 0 where it has none yet.

    Raises:
        StoreDamaged: It cannot be told.
        StoreUnusable: It is an LMDB environment, but not PSP's.
    """
    if not environment.has_database("meta"):
        if not environment.is_empty():
            raise StoreUnusable("the store's folder holds another program's LMDB environment")
        return 0
    key = KEY.encode()
    value = environment.peek("meta", key)
    return 0 if value is None else codec.decode_number(checksum.unseal(key, value))


def is_older(version: int) -> bool:
    """Say whether a format is one that `lift` lifts."""
    return 0 < version < FORMAT_VERSION


def lift(folder: Path, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Lift an older store that nobody has open to this version's format.

    What is damaged is left out: whoever opens the store then looks at what does not add up.

    Args:
        folder: The store's.
        is_stopping: Asked between transactions whether to break off.

    Raises:
        StartBrokenOff: It was to stop; the store is as it was before the step at hand.
        StoreError: It cannot be lifted, and is as it was.
    """
    passing = folder / FOLDER
    while True:
        shutil.rmtree(passing, ignore_errors=True)
        old = Environment(folder, map_bytes=_MAP_BYTES)
        try:
            version = stored_format(old)
            if not is_older(version):
                return
            _log.info("the store is lifted to another format", old=version, new=version + 1)
            _require_room(folder, old.used_bytes())
            old.open_databases(makes=False)
            _copy(old, passing, _STEPS[version], is_stopping)
        except BaseException:
            shutil.rmtree(passing, ignore_errors=True)
            raise
        finally:
            old.close()
        _take_place(passing, folder)


def _require_room(folder: Path, size: int) -> None:
    missing = size - file_system.free_bytes(folder)
    if missing > 0:
        raise StoreUnusable(
            "the store is of an earlier version of PSP and has to be written anew, for which its "
            f"disk lacks {(missing >> 20) + 1:,} MiB; make room and start again"
        )


def _copy(
    old: Environment,
    passing: Path,
    step: Callable[[Entries], Iterator[_Entry]],
    is_stopping: Callable[[], bool],
) -> None:
    new = Environment(passing, map_bytes=_MAP_BYTES)
    try:
        new.open_databases()
        with old.read() as transaction:
            entries = step(Entries(transaction, old.databases))
            while batch := list(itertools.islice(entries, BATCH_ENTRIES)):
                if is_stopping():
                    raise StartBrokenOff("it was asked to stop while the store was lifted")
                new.write(partial(_put, new.databases, batch))
    finally:
        new.close()


def _put(
    databases: Mapping[str, lmdb._Database],
    batch: list[_Entry],
    transaction: lmdb.Transaction[bytes],
) -> None:
    for name, key, body in batch:
        transaction.put(key, checksum.seal(key, body), db=databases[name])


def _take_place(passing: Path, folder: Path) -> None:
    try:
        os.rename(passing / DATA_FILE, folder / DATA_FILE)
        sync_folder(folder)
    except OSError as error:
        raise StoreError(f"the lifted store cannot be put in place: {error.strerror}") from error
    shutil.rmtree(passing, ignore_errors=True)


def _from_1(old: Entries) -> Iterator[_Entry]:
    """Yield the entries of format 2 of a store of format 1."""
    from pspd.store import format_1  # noqa: PLC0415 - brings numpy

    for name in format_1.DATABASES:
        if name == "columns":
            blocks = dict(_whole(old, name))
            for key, body in format_1.lifted_columns(blocks, format_1.images_in(blocks)):
                yield name, key, body
            continue
        for key, body in _whole(old, name):
            with suppress(StoreDamaged):
                yield name, *format_1.lifted(name, key, body)
    key = KEY.encode()
    yield "meta", key, codec.encode_number(2)


def _whole(old: Entries, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield what is not damaged; what is, is missed when the store opens."""
    for key, value in old.raw_items(name):
        with suppress(StoreDamaged):
            yield key, checksum.unseal(key, value)


_STEPS: Mapping[int, Callable[[Entries], Iterator[_Entry]]] = {1: _from_1}
"""Step n yields what a store of format n is in format n + 1."""
