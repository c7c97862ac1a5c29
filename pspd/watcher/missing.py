"""What one sweep did not find where it was: gone, unless it turns up elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from pspd.core.model import Directory, DirectoryId, FileKey, WatchRoot
from pspd.core.reconcile import Removed
from pspd.store import batch
from pspd.watcher.deletions import Doomed
from pspd.watcher.directories import Entry, look_again

if TYPE_CHECKING:
    from pspd.store.store import Store

Loss = tuple[Entry, batch.Operation]
"""What was missed, and what would drop it."""


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
        is_disturbed = False
        for number, lost in self._take_lost().items():
            with self._store.read() as reader:
                parent = reader.directory(number)
                way = reader.place_of(number)
            if parent is None or way is None or parent.root_id not in doomed:
                continue  # with the directory that it was in, or in a root that was not swept
            those = doomed[parent.root_id]
            again = look_again(those.root, way[1], {entry for entry, _ in lost})
            if scan_begun_ns is not None:
                is_disturbed |= again.has_changed_since(scan_begun_ns)
            those.operations += [each for entry, each in lost if entry not in again.present]
        return [each for each in doomed.values() if each.operations], is_disturbed

    def _take_lost(self) -> Mapping[DirectoryId, list[Loss]]:
        """Return what was missed, by the directory it was in."""
        lost: defaultdict[DirectoryId, list[Loss]] = defaultdict(list)
        for key, removed in self.files.items():
            gone: batch.Operation = batch.FileGone(key, removed.stamp)
            lost[key.directory].append(((key.name, False), gone))
        for number, directory in self.directories.items():
            place = FileKey(directory.parent, directory.name)
            if number not in self.found:
                gone = batch.RemoveDirectory(number, place)
                lost[directory.parent].append(((directory.name, True), gone))
        self.files, self.directories = {}, {}
        return lost
