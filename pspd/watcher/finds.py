"""What one sweep found, on its way to the store.

Changes are handed on in batches; what seems removed is held back to the end, for it may turn up
elsewhere in the same sweep: then it moved.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from pspd.core.model import FileKey
from pspd.core.reconcile import (
    Added,
    Change,
    Modified,
    Moved,
    Removed,
    Suspect,
    match_moves,
)
from pspd.store import batch
from pspd.watcher.deletions import Doomed, directories_dropped
from pspd.watcher.missing import Missing

if TYPE_CHECKING:
    from pspd.core.model import Directory, DirectoryId, WatchRoot
    from pspd.store.store import Store
    from pspd.watcher.coverage import Coverage

FLUSH_CHANGES = 1000
"""Changes that are handed on at once: some 20 ms of the store's time, in which nobody else writes
to it."""


class Finds:
    """Changes, new directories, and what is missing.

    Args:
        store: Says where a missing thing was.
        hand_on: Takes what is decided.
        coverage: Hears of directories that are dropped.
    """

    def __init__(
        self,
        store: Store,
        hand_on: Callable[[Sequence[batch.Operation]], object],
        coverage: Coverage | None,
    ) -> None:
        self._store = store
        self._hand_on = hand_on
        self._coverage = coverage
        self._directories: list[batch.Operation] = []
        self._changes: list[Change] = []
        self._decided: deque[batch.Operation] = deque()
        self._missing = Missing(store)
        self.differences = 0
        """How much was not as the store knew it."""
        self.noted = 0
        """The same, suspicions and drives that are away included."""

    # --- what a look saw

    def compared(
        self, directory: DirectoryId, names: Iterable[str], changes: Sequence[Change]
    ) -> None:
        """Note what is in a directory, and what of it is not as it was known."""
        self._changes += changes
        self.noted += len(changes)
        self.differences += sum(not isinstance(change, Suspect) for change in changes)
        if self._missing.files:
            for name in names:
                self._missing.files.pop(FileKey(directory, name), None)

    def found(self, directory: Directory, before: Directory | None, *, is_new: bool) -> None:
        """Note a directory that is there.

        Args:
            directory: As it is to be known.
            before: As it was known under its name.
            is_new: Whether the store knows nothing below it.
        """
        self._missing.found.add(directory.directory_id)
        if directory == before:
            return
        if is_new:
            self._directories.append(batch.PutDirectory(directory))
        else:
            # At once: what is below is only booked on a record that says where it is.
            self._hand_on([batch.PutDirectory(directory)])
        self.differences += 1
        self.noted += 1

    def found_again(self, directory: DirectoryId) -> None:
        """Note a directory that is there, as it is known."""
        self._missing.found.add(directory)

    def missed(self, directory: Directory) -> None:
        """Note a directory that is not where it was known."""
        self._missing.directories[directory.directory_id] = directory
        self.differences += 1
        self.noted += 1

    def kept(self) -> None:
        """Note a directory that is not there, whose records stay."""
        self.noted += 1

    @property
    def seen_directories(self) -> Collection[DirectoryId]:
        """The directories that this sweep found."""
        return self._missing.found

    @property
    def is_missing_any(self) -> bool:
        """Whether anything seems gone so far."""
        return bool(self._missing.files or self._missing.directories)

    @property
    def is_missing_files(self) -> bool:
        """Whether any file seems gone that may still turn up."""
        return bool(self._missing.files)

    @property
    def is_full(self) -> bool:
        """Whether there is so much that it should be handed on."""
        return len(self._changes) >= FLUSH_CHANGES or self.is_flushing

    # --- handing on

    def flush(self) -> None:
        """Hand on what is decided so far."""
        while self.flush_some():
            pass

    def flush_some(self) -> bool:
        """Hand on a batch of it; say whether there was any."""
        if self._changes:
            self._decide()
        count = min(len(self._decided), FLUSH_CHANGES)
        operations = [*self._directories, *(self._decided.popleft() for _ in range(count))]
        self._directories = []
        if operations:
            self._hand_on(operations)
        return bool(operations)

    def flush_directories(self) -> None:
        """Hand on new directories, or the next look at them would take them for new again."""
        directories, self._directories = self._directories, []
        if directories:
            self._hand_on(directories)

    @property
    def is_flushing(self) -> bool:
        """Whether `flush_some` has to be called again; directories are all handed on then."""
        return bool(self._decided)

    def _decide(self) -> None:
        changes = match_moves([*self._changes, *self._missing.files.values()])
        self._changes = []
        self._missing.files = {}
        for change in changes:
            match change:
                case Removed(key):
                    self._missing.files[key] = change
                case Added(key, stamp) | Modified(key, stamp):
                    self._decided.append(batch.FileSeen(key, stamp))
                case Suspect(key, stamp):
                    self._decided.append(batch.FileSuspect(key, stamp))
                case Moved(old, key, stamp, old_stamp):
                    self._decided.append(batch.FileMoved(old, key, stamp, old_stamp))

    def finish(
        self,
        roots: Collection[WatchRoot],
        scan_begun_ns: int | None,
        believe: Callable[[Doomed], bool],
    ) -> bool:
        """Hand on the rest, and believe that what was not found is gone.

        What was missed long ago in this sweep may be back, and another look may have stored it:
        so it is looked for once more, and the store drops it only as it was known then.

        Args:
            roots: Those that were swept.
            scan_begun_ns: When the sweep began, if it was a scan; ns since the epoch.
            believe: Says of each root whether what is gone from it may be dropped.

        Returns:
            Whether something went during a scan, perhaps to a place that was looked at before.
        """
        self.flush()
        losses = self._missing.judge(roots, scan_begun_ns)
        self._drop(losses.unwanted)
        for each in losses.gone:
            if believe(each):
                self._drop(each.operations)
        return losses.is_disturbed

    def _drop(self, gone: Sequence[batch.Operation]) -> None:
        if self._coverage is not None:
            self._coverage.gone(directories_dropped(self._store, gone))
        for first in range(0, len(gone), FLUSH_CHANGES):
            self._hand_on(gone[first : first + FLUSH_CHANGES])
