"""What one sweep did not find where it was: gone, unless it turns up elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from pspd.core.model import Directory, DirectoryId, FileKey, WatchRoot
from pspd.core.reconcile import Removed
from pspd.store import batch
from pspd.watcher.deletions import Doomed
from pspd.watcher.directories import changed_since, is_there

if TYPE_CHECKING:
    from pspd.store.store import Store


class Missing:
    """Files and directories that a sweep missed, and directories that it found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.files: dict[FileKey, Removed] = {}
        self.directories: dict[DirectoryId, Directory] = {}
        self.found: set[DirectoryId] = set()

    def doomed(
        self, roots: Collection[WatchRoot], scan_begun_ns: int | None
    ) -> tuple[list[Doomed], bool]:
        """Look for what is missing once more, and forget it.

        Args:
            roots: Those that were swept.
            scan_begun_ns: When the sweep began, if it was a scan; ns since the epoch.

        Returns:
            What is gone, by root; and whether something went during the scan, perhaps to a place
            that was looked at before.
        """
        doomed = {root.root_id: Doomed(root) for root in roots}
        lost: list[tuple[FileKey, bool, batch.Operation]] = [
            (key, False, batch.FileGone(key, removed.stamp)) for key, removed in self.files.items()
        ]
        for number, directory in self.directories.items():
            place = FileKey(directory.parent, directory.name)
            if number not in self.found:
                lost.append((place, True, batch.RemoveDirectory(number, place)))
        self.files, self.directories = {}, {}
        is_disturbed = False
        for key, is_directory, operation in lost:
            with self._store.read() as reader:
                parent = reader.directory(key.directory)
                way = reader.place_of(key.directory)
            if parent is None or way is None or parent.root_id not in doomed:
                continue  # with the directory that it was in, or in a root that was not swept
            root = doomed[parent.root_id].root
            if scan_begun_ns is not None:
                is_disturbed |= changed_since(root, way[1], scan_begun_ns)
            if not is_there(root, way[1], key.name, is_directory=is_directory):
                doomed[parent.root_id].operations.append(operation)
        return [each for each in doomed.values() if each.operations], is_disturbed
