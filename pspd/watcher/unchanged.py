"""Remembers of each directory what it looked like when all was as the store had it.

    look ──digest of what was seen──▶ recall ── known: nothing to compare
                                        │
                                        new ──▶ compare with the store ──▶ expect … settle
    store ──directories whose records changed──▶ forget

So a rescan of what has not changed reads no records: comparing takes half of its time. This
is a cache of one sentence, "a look at exactly this finds no difference", which is true for as long
as the store's records of that directory stay as they were; the store says when they do not. What
is racy is a difference, so it is never in here. Once a day all is compared all the same: a record
that vanished from a damaged store is no change that anybody tells of.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pspd.core.model import DirectoryId, WatchRoot
    from pspd.watcher.descriptors import Listing
    from pspd.watcher.directories import Place

MOST_DIRECTORIES = 1 << 18
"""So many are remembered, in some 100 bytes each; the others are compared with the store."""

MOST_SECONDS = 86_400.0
"""After so long all is forgotten."""

_EXPECTED = None
"""Stands for a directory that is being compared, until a change of its records takes it away."""


class Unchanged:
    """Digests of directories; looks come from one thread, changes from any.

    Args:
        most: How many directories are remembered.
        seconds: After how long all is forgotten.
    """

    def __init__(self, most: int = MOST_DIRECTORIES, seconds: float = MOST_SECONDS) -> None:
        self._most = most
        self._seconds = seconds
        self._begun = time.monotonic()
        self._digests: dict[DirectoryId, int | None] = {}
        self._children: dict[DirectoryId, array[int]] = {}
        """Of those that have directories: their numbers, in the order in which they were listed."""
        self._lock = threading.Lock()

    def recall(self, directory: DirectoryId, digest: int) -> Sequence[int] | None:
        """Return the directories in one that looks as it did when all was as the store has it.

        Returns:
            Their numbers as `settle` was given them; None when the directory has to be compared.
        """
        with self._lock:
            if time.monotonic() - self._begun > self._seconds:
                self._forget_all()
            if self._digests.get(directory) != digest:
                return None
            return self._children.get(directory, ())

    def expect(self, directory: DirectoryId) -> None:
        """Begin to compare a directory, before its records are read."""
        with self._lock:
            if len(self._digests) < self._most or directory in self._digests:
                self._digests[directory] = _EXPECTED

    def settle(
        self, directory: DirectoryId, digest: int, children: Collection[DirectoryId] = ()
    ) -> None:
        """Note that no difference was found, unless records changed since `expect`."""
        with self._lock:
            if directory not in self._digests:
                return
            self._digests[directory] = digest
            if children:
                self._children[directory] = array("Q", children)
            else:
                self._children.pop(directory, None)

    def forget(self, directories: Collection[DirectoryId] | None) -> None:
        """Hear whose records changed; None: perhaps all."""
        with self._lock:
            if directories is None:
                self._forget_all()
            else:
                for directory in directories:
                    self._digests.pop(directory, None)
                    self._children.pop(directory, None)

    def _forget_all(self) -> None:
        self._digests.clear()
        self._children.clear()
        self._begun = time.monotonic()


def digest_of(place: Place, listing: Listing, globs: bytes) -> int:
    """Condense all that a comparison with the store starts from into 64 bits.

    By Python's own hash of tuples, which takes a third of the time of packing and digesting: what
    differs has another one, but for one time in 10^18. Nobody can aim at that: names are hashed
    with a secret of the process, and no program can set the time of a status change.

    Args:
        place: Where the directory is; the record that it was taken for is part of it.
        listing: All that was seen in it.
        globs: What tells of the root's globs, which say what is seen.
    """
    record = place.directory
    return hash(
        (
            globs,
            (record.root_id, record.parent, record.device, record.inode),
            place.names,
            tuple(listing.names),
            tuple(listing.stamps),
            tuple(listing.directories.items()),
        )
    )


def globs_of(root: WatchRoot) -> bytes:
    """Return what tells one root's globs from others."""
    return repr((root.hidden, root.include, root.exclude)).encode()
