"""MANIFEST: what must be true of the store, kept beside it.

LMDB takes an empty file for a new database and an old copy for the newest one; the manifest knows
better. It also keeps the watch roots, which alone cannot be found again from the pictures.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from pspd.core.model import DirectoryId, RootId, WatchRoot
from pspd.errors import StoreError

NAME = "MANIFEST"

ENGINE = "LMDB 0.9"


Unchecked = Literal["nothing", "entries", "all"]
"""What an opening has no time for. entries: every one of them, with what it leads to."""


class KeptRoot(msgspec.Struct, frozen=True):
    """A watch root as the manifest keeps it."""

    path: str
    """In UTF-8, other bytes as surrogate escapes."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hidden: bool = False
    root_id: int = 0
    """Its number in the store; 0 where an earlier version wrote this."""
    directory: int = 0
    """The number of its own directory there."""
    paused: bool = False

    def as_root(self, number: RootId, directory: DirectoryId) -> WatchRoot:
        """Return it as a root of a store."""
        return WatchRoot(
            number,
            self.path,
            self.include,
            self.exclude,
            self.hidden,
            directory=directory,
            paused=self.paused,
        )


class Manifest(msgspec.Struct, frozen=True):
    """What the daemon knew of the store when it wrote this."""

    store_id: int
    """Drawn when the store was made; it is in the store's `meta` as well."""
    format: int
    engine: str = ENGINE
    roots: tuple[KeptRoot, ...] = ()
    is_clean: bool = False
    """Whether the store was closed in order, and not opened since."""
    transaction: int = 0
    """The last transaction when this was written; the store cannot be behind it."""
    images: int = 0
    """When the store was closed last."""
    files: int = 0
    bytes: int = 0
    """Of the data file, when the store was closed last."""
    opened_in: str = ""
    """While the store is open: the boot of the machine and the file, as `first_look` names them.
    Empty when that is not known, or when the store was not looked at as a whole before."""
    unchecked: Unchecked = "nothing"
    """What was still to be checked when the store was closed; the next opening leaves no less."""
    is_condemned: bool = False
    """Whether the store is to be built anew at the next start, because of what a check found."""
    rebuilds: tuple[int, ...] = ()
    """When the store was built anew, seconds since the epoch; the last few."""


def new_store_id() -> int:
    """Draw the number of a store; never 0."""
    return secrets.randbits(63) | 1


def kept(roots: list[WatchRoot]) -> tuple[KeptRoot, ...]:
    """Return the roots as a manifest keeps them, without those that are being removed."""
    return tuple(
        KeptRoot(
            root.path,
            root.include,
            root.exclude,
            root.hidden,
            root.root_id,
            root.directory,
            root.paused,
        )
        for root in roots
        if not root.removing
    )


def read(folder: Path) -> Manifest | None:
    """Return the manifest in a folder; None where there is none, or none that can be read."""
    try:
        # msgspec refuses surrogate escapes in JSON, which paths have; the json module takes them.
        document = json.loads((folder / NAME).read_bytes())
        return msgspec.convert(document, Manifest)
    except (OSError, ValueError, msgspec.MsgspecError):
        return None


def write(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of the old one; after a crash either is there, and whole.

    Raises:
        StoreError: It cannot be written; the old one stays.
    """
    document = json.dumps(msgspec.to_builtins(manifest), indent=1).encode("ascii") + b"\n"
    passing = folder / f"{NAME}.new"
    try:
        descriptor = os.open(passing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb", closefd=False) as file:
                file.write(document)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(passing, folder / NAME)
        sync_folder(folder)
    except OSError as error:
        with suppress(OSError):
            passing.unlink()
        raise StoreError(f"{folder / NAME} cannot be written: {error.strerror}") from error


def sync_folder(folder: Path) -> None:
    """Have a folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
