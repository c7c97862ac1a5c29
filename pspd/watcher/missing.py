"""What one sweep did not find where it was: gone, unless it turns up elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pspd.core.globs import PathFilter
from pspd.core.model import Directory, DirectoryId, FileKey, WatchRoot
from pspd.core.reconcile import Removed
from pspd.store import batch
from pspd.watcher.deletions import Doomed
from pspd.watcher.descriptors import belongs
from pspd.watcher.directories import Entry, look_again

if TYPE_CHECKING:
    from pspd.store.store import Store

Loss = tuple[Entry, batch.Operation]
"""What was missed, and what would drop it."""


@dataclass(slots=True)
class Losses:
    """What one sweep lost."""

    gone: list[Doomed] = field(default_factory=list)
    """By root: what belongs there and is not there."""
    unwanted: list[batch.Operation] = field(default_factory=list)
    """What drops what does not belong any more: a person asked for other globs."""
    is_disturbed: bool = False
    """Whether something went during a scan, perhaps to a place that was looked at before."""


class Missing:
    """Files and directories that a sweep missed, and directories that it found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.files: dict[FileKey, Removed] = {}
        self.directories: dict[DirectoryId, Directory] = {}
        self.found: set[DirectoryId] = set()

    def judge(self, roots: Collection[WatchRoot], scan_begun_ns: int | None) -> Losses:
        """Look for what is missing once more, and forget it.

        Args:
            roots: Those that were swept.
            scan_begun_ns: When the sweep began, if it was a scan; ns since the epoch.
        """
        doomed = {root.root_id: Doomed(root) for root in roots}
        losses = Losses()
        for number, lost in self._take_lost().items():
            with self._store.read() as reader:
                parent = reader.directory(number)
                way = reader.place_of(number)
            if parent is None or way is None or parent.root_id not in doomed:
                continue  # with the directory that it was in, or in a root that was not swept
            those = doomed[parent.root_id]
            again = look_again(those.root, way[1], {entry for entry, _ in lost})
            if scan_begun_ns is not None:
                losses.is_disturbed |= again.has_changed_since(scan_begun_ns)
            path_filter, below = PathFilter.of(those.root), "/".join(way[1])
            for entry, operation in lost:
                if not belongs(path_filter, below, *entry):
                    losses.unwanted.append(operation)
                elif entry not in again.present:
                    those.operations.append(operation)
        losses.gone = [each for each in doomed.values() if each.operations]
        return losses

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
