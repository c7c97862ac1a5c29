"""The store's format version: refuses newer stores, lifts older ones step by step.

`FORMAT_VERSION` changes whenever stored bytes change their meaning; each change adds one step to
`_STEPS`, golden bytes to the tests and a section to `docs/store-format.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pspd.errors import StoreTooNew, StoreUnusable
from pspd.store import checksum, codec

if TYPE_CHECKING:
    from pspd.store.environment import Environment
    from pspd.store.reader import Reader
    from pspd.store.writer import Writer

FORMAT_VERSION = 1

_KEY = "format"

_STEPS: dict[int, Callable[[Reader, Writer], None]] = {}
"""Step n lifts a store from format n to n + 1."""


def check_format(environment: Environment) -> None:
    """Refuse a store that this version does not understand, before anything is written.

    Raises:
        StoreTooNew: A newer version wrote it.
        StoreUnusable: It is an LMDB environment, but not PSP's.
    """
    version = stored_format(environment)
    if version > FORMAT_VERSION:
        raise StoreTooNew(
            f"the store has format {version}, this version of PSP knows up to {FORMAT_VERSION}; "
            "it is left untouched: upgrade PSP, or use another PSP_HOME"
        )


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
    key = _KEY.encode()
    value = environment.peek("meta", key)
    return 0 if value is None else codec.decode_number(checksum.unseal(key, value))


def migrate(reader: Reader, writer: Writer) -> None:
    """Lift a store to `FORMAT_VERSION`; a new one begins there."""
    version = reader.meta(_KEY) or FORMAT_VERSION
    while version < FORMAT_VERSION:
        _STEPS[version](reader, writer)
        version += 1
    writer.set_meta(_KEY, FORMAT_VERSION)
