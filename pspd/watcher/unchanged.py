"""Remembers of each directory what it looked like when all was as the store had it.

    look ──digest of what was seen──▶ is_same? ── yes: nothing to compare
                                          │
                                          no ──▶ compare with the store ──▶ expect … settle
    store ──directories whose records changed──▶ forget

So a rescan of what has not changed reads no records: comparing took four fifths of its time. This
is a cache of one sentence, "a look at exactly this finds no difference", which is true for as long
as the store's records of that directory stay as they were; the store says when they do not. What
is racy is a difference, so it is never in here.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pspd.core.model import DirectoryId, WatchRoot
    from pspd.watcher.descriptors import Listing
    from pspd.watcher.directories import Place

MOST_DIRECTORIES = 1 << 18
"""So many are remembered, in some 120 bytes each; the others are compared with the store."""

_DIGEST_BYTES = 16
_EXPECTED = b""
"""Stands for a directory that is being compared, until a change of its records takes it away."""


class Unchanged:
    """Digests of directories; looks come from one thread, changes from any.

    Args:
        most: How many directories are remembered.
    """

    def __init__(self, most: int = MOST_DIRECTORIES) -> None:
        self._most = most
        self._digests: dict[DirectoryId, bytes] = {}
        self._lock = threading.Lock()

    def is_same(self, directory: DirectoryId, digest: bytes) -> bool:
        """Say whether a directory is known to be as the store has it when it looks like this."""
        return self._digests.get(directory) == digest

    def expect(self, directory: DirectoryId) -> None:
        """Begin to compare a directory, before its records are read."""
        with self._lock:
            if len(self._digests) < self._most or directory in self._digests:
                self._digests[directory] = _EXPECTED

    def settle(self, directory: DirectoryId, digest: bytes) -> None:
        """Note that no difference was found, unless records changed since `expect`."""
        with self._lock:
            if directory in self._digests:
                self._digests[directory] = digest

    def forget(self, directories: Collection[DirectoryId] | None) -> None:
        """Hear whose records changed; None: perhaps all."""
        with self._lock:
            if directories is None:
                self._digests.clear()
            else:
                for directory in directories:
                    self._digests.pop(directory, None)


def digest_of(place: Place, listing: Listing, belongs: bytes) -> bytes:
    """Condense all that a comparison with the store starts from.

    Args:
        place: Where the directory is; the record that it was taken for is part of it.
        listing: All that was seen in it.
        belongs: What tells of the root's globs, which say what is seen.
    """
    record = place.directory
    about = f"{record.root_id} {record.parent} {record.device} {record.inode} {place.below}\0"
    digest = hashlib.blake2b(belongs, digest_size=_DIGEST_BYTES)
    digest.update(os.fsencode(about))
    digest.update(listing.packed)
    return digest.digest()


def globs_of(root: WatchRoot) -> bytes:
    """Return what tells one root's globs from others."""
    return repr((root.hidden, root.include, root.exclude)).encode() + b"\0"
