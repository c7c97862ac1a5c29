"""Drives that are mounted inside a root: one that goes away takes no record with it.

What an unmounted drive leaves is its mount point, bare, or (when the system made that for it)
nothing. Both look as if everything had been deleted. A directory is taken for a drive that is away
when it was on another device than the one above it, or was seen mounted since the daemon's start
(a bind mount has no device of its own), and is missing or empty now.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pspd.watcher.descriptors import is_vacant

if TYPE_CHECKING:
    from pspd.core.model import Directory, DirectoryId, WatchRoot
    from pspd.store.store import Store
    from pspd.watcher.coverage import Coverage
    from pspd.watcher.descriptors import Inode
    from pspd.watcher.directories import Place


class Drives:
    """Judges the directories that one sweep finds missing or replaced.

    Args:
        store: Where the records are.
        coverage: Knows the mounts, and what a person confirmed; told of what is away.
    """

    def __init__(self, store: Store, coverage: Coverage | None) -> None:
        self._store = store
        self._coverage = coverage
        self._former: dict[DirectoryId, int] = {}

    def note_change(self, directory: DirectoryId, former_device: int) -> None:
        """Note that a directory is on another device than before, and all below it may be."""
        self._former[directory] = former_device

    def is_missing(self, root: WatchRoot, place: Place, child: Directory) -> bool:
        """Say whether a known directory that is not there was a drive, whose records stay."""
        return self._was_drive(place, child, _path(root, place, child)) and self._keep(
            child, _path(root, place, child)
        )

    def is_bare(
        self,
        descriptor: int,
        root: WatchRoot,
        place: Place,
        known: Directory | None,
        inode: Inode,
    ) -> bool:
        """Say whether a directory is only what a drive, whose records stay, was mounted on.

        Args:
            descriptor: The directory above it.
            root: The root it is below.
            place: Where the directory above it is.
            known: What was known under its name.
            inode: What is there.
        """
        if known is None:
            return False
        if (known.device, known.inode) == inode:
            self.tell_present(known)
            return False
        path = _path(root, place, known)
        is_exchanged = known.device != inode[0] and not self._moved_along(place, known, inode)
        is_away = is_exchanged or self._was_mounted(path)
        if is_away and is_vacant(descriptor, known.name) and self._keep(known, path):
            return True
        self.tell_present(known)
        return False

    def _moved_along(self, place: Place, known: Directory, inode: Inode) -> bool:
        """Say whether the device changed only because that of the directory above did."""
        parent = place.directory
        return known.device == self._former.get(parent.directory_id) and inode[0] == parent.device

    def _was_drive(self, place: Place, child: Directory, path: str) -> bool:
        parent = place.directory
        devices = {parent.device, self._former.get(parent.directory_id)}
        return child.device not in devices or self._was_mounted(path)

    def _was_mounted(self, path: str) -> bool:
        return self._coverage is not None and self._coverage.was_mounted(path)

    def _keep(self, known: Directory, path: str) -> bool:
        """Keep the records of a drive that is away, unless there are none or a person said no."""
        if self._coverage is None or self._coverage.is_confirmed(path):
            return False
        with self._store.read() as reader:
            if not reader.has_entries(known.directory_id):
                return False
        self._coverage.absent(known.directory_id, path)
        return True

    def tell_present(self, directory: Directory) -> None:
        """Note that a directory is there, should it have been a drive that was away."""
        if self._coverage is not None:
            self._coverage.present(directory.directory_id)


def _path(root: WatchRoot, place: Place, child: Directory) -> str:
    return os.path.join(root.path, *place.names, child.name)
