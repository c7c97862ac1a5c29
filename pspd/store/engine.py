"""LMDB's file: how it is opened, who may read it, and what LMDB says when it is damaged.

`sync` stays on and `writemap` off: in 250 simulated power cuts and 1,000 kills nothing was lost
with them so, while 94 of 250 images were damaged without `sync`. `lib_version=0` pins LMDB 0.9's
format, for py-lmdb 3 carries two that cannot read each other.
"""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import lmdb

from pspd.errors import StoreDamaged, StoreError

DATA_FILE = "data.mdb"
LOCK_FILE = "lock.mdb"

_FORMAT_VARIABLE = "LMDB_DEFAULT_LIB_VERSION"
"""Makes py-lmdb write a format that PSP does not read."""

_LARGEST_SHARE_OF_ADDRESSES = 4
"""Part of a limited address space that the map may take: one in so many."""

_LITTLE_BYTES = 1 << 20
"""With less than this a disk is called full."""

DAMAGE = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.PageFullError,
    lmdb.CursorFullError,
)
"""What LMDB says of a file that it cannot make sense of."""


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Have LMDB's errors be the store's.

    Args:
        what: What the store could not be: "read", "copied".

    Raises:
        StoreDamaged: LMDB can make no sense of the file.
        StoreError: Any other error of LMDB's.
    """
    try:
        yield
    except lmdb.Error as error:
        raise as_store_error(error, what) from error


def as_store_error(error: lmdb.Error, what: str) -> StoreError:
    """Return what to raise instead of an error of LMDB's; `what` as of `translated`."""
    if isinstance(error, DAMAGE):
        return StoreDamaged(f"the store is damaged: {error}")
    return StoreError(f"the store cannot be {what}: {error}")


def open_file(folder: Path, map_bytes: int, *, most_databases: int) -> lmdb.Environment:
    """Open the file in a folder, or make one, with the options that keep data safe.

    Args:
        folder: Made by `make_private`.
        map_bytes: Wanted; the map is made larger for a large file, and smaller where the process's
            address space is limited.
        most_databases: How many named databases there are.

    Raises:
        lmdb.Error: It cannot be opened.
    """
    os.environ.pop(_FORMAT_VARIABLE, None)
    return lmdb.open(
        # As bytes: lmdb encodes text as strict UTF-8.
        os.fsencode(folder),
        map_size=max(_affordable(map_bytes), 2 * _size(folder)),
        max_dbs=most_databases,
        mode=0o700,
        lib_version=0,
        meminit=True,
    )


def make_private(folder: Path) -> None:
    """Make the folder, for its owner alone; take from others what they may do with an old one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, mode in (
        (folder, 0o700),
        *((folder / name, 0o600) for name in (DATA_FILE, LOCK_FILE)),
    ):
        with suppress(FileNotFoundError):
            if path.stat().st_mode & 0o077:
                path.chmod(mode)


def _size(folder: Path) -> int:
    data = folder / DATA_FILE
    return data.stat().st_size if data.exists() else 0


def _affordable(map_bytes: int) -> int:
    """Bound the map by the process's address space, where that is limited."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return map_bytes
    return min(map_bytes, limit // _LARGEST_SHARE_OF_ADDRESSES)


def engine_version() -> str:
    """Return the version of LMDB's own code, for the format that stores have."""
    return ".".join(str(part) for part in lmdb.version()[:3])


def why_unwritable(error: lmdb.Error, folder: Path) -> str:
    """Say why nothing could be written; LMDB calls a full disk "Input/output error"."""
    reason = str(error)
    with suppress(OSError):
        status = os.statvfs(folder)
        # Linux 6.18 does not set the flag when ext4 met an error (seen).
        if status.f_flag & os.ST_RDONLY or os.strerror(errno.EROFS) in reason:
            return f"{reason}; its disk became read-only: did it fail?"
        if status.f_bavail * status.f_frsize < _LITTLE_BYTES:
            return f"{reason}; is the disk full?"
    return f"{reason}; is the disk full or failing?"
