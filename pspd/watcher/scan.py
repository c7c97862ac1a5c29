"""Looks at directories, compares them with the store, and hands on what changed.

A `Pass` is one sweep over directories: a scan of a whole root, or a look where hints point. What it
finds goes to the store in batches; what seems removed is held back to the end, for it may turn up
elsewhere in the same sweep: then it moved.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.globs import PathFilter
from pspd.core.model import Directory, FileKey, WatchRoot
from pspd.core.reconcile import (
    Added,
    Change,
    Modified,
    Moved,
    Removed,
    Suspect,
    match_moves,
    reconcile,
)
from pspd.rpc.wire import quoted
from pspd.store import batch
from pspd.watcher.deletions import Doomed, directories_dropped
from pspd.watcher.descent import Descent
from pspd.watcher.descriptors import (
    Inode,
    list_directory,
    look_at_names,
    opened_directory,
)
from pspd.watcher.directories import Found, Place, is_in_place, known_in, known_place, newcomer
from pspd.watcher.drives import Drives
from pspd.watcher.missing import Missing

if TYPE_CHECKING:
    from pspd.store.store import Store
    from pspd.watcher.coverage import Coverage

FLUSH_CHANGES = 1000
"""Changes that are handed on at once; the store takes 42 µs for each, so 40 ms."""

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class Pass:
    """One sweep over directories of one or more roots."""

    def __init__(
        self,
        store: Store,
        hand_on: Callable[[Sequence[batch.Operation]], object],
        own: Collection[Inode] = (),
        coverage: Coverage | None = None,
    ) -> None:
        self._store = store
        self._hand_on = hand_on
        self._coverage = coverage
        """Hears of each directory before it is listed, and of those that cannot be."""
        self._drives = Drives(store, coverage)
        self._own = own
        """Directories of PSP itself: looking at the store would change it."""
        self._operations: list[batch.Operation] = []
        self._changes: list[Change] = []
        self._missing = Missing(store)
        self._begun_ns = time.time_ns()
        self._is_scan = False
        self.differences = 0
        """How much was not as the store knew it."""
        self.is_disturbed = False
        """Whether directories were moved under its feet, so that it has to be done again."""
        self.unreadable: list[str] = []
        """Directories that could not be listed; what is known of them stays."""

    # --- sweeping

    def scan(self, root: WatchRoot, former_device: int | None = None) -> Iterator[None]:
        """Look at everything below a root; yields after each directory.

        Args:
            root: The root.
            former_device: The device it was on, if it is on another now.
        """
        self._is_scan = True
        if former_device is not None:
            self._drives.note_change(root.directory, former_device)
        with self._store.read() as reader:
            directory = reader.directory(root.directory)
        assert directory is not None, "a root's own directory is stored with it"
        yield from self._below(root, Place((), directory), is_new=False)

    def look(
        self, root: WatchRoot, names: tuple[str, ...], only: Collection[str] | None
    ) -> Iterator[None]:
        """Look at one directory, or at some names in it, and below what is new in it."""
        while True:
            place, only = known_place(self._store, root, names, only)
            try:
                with opened_directory(root.path, place.names) as descriptor:
                    children = self._visit(descriptor, root, place, only, is_new=False)
                if children is not None or not place.names:
                    break
            except OSError as error:
                if error.errno not in _GONE or not place.names:
                    self._note_unreadable(root, place, error)
                    return
            # Not there, or another one is in its place: the directory above tells what became.
            names, only = place.names[:-1], {place.names[-1]}
        self.is_disturbed |= children is None
        for child in children or ():
            if child.is_changed or (only is not None and child.directory.name in only):
                yield from self._below(root, place.child(child.directory), is_new=child.is_new)
        # The next look may lead here again; then the store must know these directories, or they
        # would be taken for new ones a second time.
        if self._operations:
            self._hand_on(self._operations)
            self._operations = []

    @property
    def is_missing_any(self) -> bool:
        """Whether anything seems gone so far."""
        return bool(self._missing.files or self._missing.directories)

    def finish(
        self, roots: Collection[WatchRoot], believe: Callable[[Doomed], bool] = lambda _: True
    ) -> None:
        """Hand on the rest, and believe that what was not found is gone.

        What was missed long ago in this sweep may be back, and another look may have stored it:
        so it is looked for once more, and the store drops it only as it was known then.

        Args:
            roots: Those that were swept.
            believe: Says of each root whether what is gone from it may be dropped.
        """
        self.flush()
        losses = self._missing.judge(roots, self._begun_ns if self._is_scan else None)
        self.is_disturbed |= losses.is_disturbed
        self._drop(losses.unwanted)
        for each in losses.gone:
            if believe(each):
                self._drop(each.operations)

    def _drop(self, gone: Sequence[batch.Operation]) -> None:
        if self._coverage is not None:
            self._coverage.gone(directories_dropped(self._store, gone))
        for first in range(0, len(gone), FLUSH_CHANGES):
            self._hand_on(gone[first : first + FLUSH_CHANGES])

    def flush(self) -> None:
        """Hand on what is decided so far."""
        operations = self._operations
        self._operations = []
        changes = match_moves([*self._changes, *self._missing.files.values()])
        self._changes = []
        self._missing.files = {}
        for change in changes:
            match change:
                case Removed(key):
                    self._missing.files[key] = change
                case Added(key, stamp) | Modified(key, stamp):
                    operations.append(batch.FileSeen(key, stamp))
                case Suspect(key, stamp):
                    operations.append(batch.FileSuspect(key, stamp))
                case Moved(old, key, stamp, old_stamp):
                    operations.append(batch.FileMoved(old, key, stamp, old_stamp))
        if operations:
            self._hand_on(operations)

    # --- one directory

    def _below(self, root: WatchRoot, top: Place, *, is_new: bool) -> Iterator[None]:
        stack = [(top, is_new)]
        with closing(Descent(root.path)) as descent:
            while stack:
                place, is_new = stack.pop()
                children = self._visit_below(descent, root, place, is_new=is_new)
                # New directories in the order of their numbers: that of the store's keys.
                stack.extend(
                    (place.child(each.directory), each.is_new) for each in reversed(children)
                )
                if len(self._changes) >= FLUSH_CHANGES:
                    self.flush()
                yield

    def _visit_below(
        self, descent: Descent, root: WatchRoot, place: Place, *, is_new: bool
    ) -> list[Found]:
        """Look at one directory on the way down; returns the directories in it."""
        try:
            with descent.opened(place.names) as descriptor:
                children = self._visit(descriptor, root, place, None, is_new=is_new)
        except OSError as error:
            if error.errno in _GONE:
                # It was there when its parent was listed. A look needs not care: that it went is
                # hinted at as well.
                self.is_disturbed |= self._is_scan
            else:
                self._note_unreadable(root, place, error)
            return []
        self.is_disturbed |= children is None
        return children or []

    def _visit(
        self,
        descriptor: int,
        root: WatchRoot,
        place: Place,
        only: Collection[str] | None,
        *,
        is_new: bool,
    ) -> list[Found] | None:
        """Look at one open directory; returns the directories in it, None when it is another."""
        number = place.directory.directory_id
        if not is_in_place(self._store, descriptor, place, is_new=is_new):
            return None
        if self._coverage is not None:
            self._coverage.enter(descriptor, root, place)
        path_filter = PathFilter.of(root)
        if only is None:
            listing = list_directory(descriptor, path_filter, place.below)
        else:
            listing = look_at_names(descriptor, path_filter, place.below, only)
        seen = {FileKey(number, name): stamp for name, stamp in listing.files.items()}
        with self._store.read() as reader:
            known, children = known_in(reader, number, only)
        changes = reconcile(seen, known)
        self._changes += changes
        self.differences += sum(not isinstance(change, Suspect) for change in changes)
        for key in seen.keys() & self._missing.files.keys():
            del self._missing.files[key]
        for name, child in children.items():
            if name in listing.directories:
                continue
            is_wanted = path_filter.has_directory(place.below, name)
            if not (is_wanted and self._drives.is_missing(root, place, child)):
                self._missing.directories[child.directory_id] = child
                self.differences += 1
        here = {
            name: inode
            for name, inode in listing.directories.items()
            if inode not in self._own
            and not self._drives.is_bare(descriptor, root, place, children.get(name), inode)
        }
        return self._children(place.directory, here, children)

    def _children(
        self, parent: Directory, here: Mapping[str, Inode], known: Mapping[str, Directory]
    ) -> list[Found]:
        children: list[Found] = []
        for name, inode in here.items():
            old = known.get(name)
            if old is None:
                child, is_new = newcomer(self._store, parent, name, inode, self._missing.found)
            else:
                # Another inode under the old name: what is below it is told by stamps.
                child, is_new = replace(old, device=inode[0], inode=inode[1]), False
            if is_new:
                self._operations.append(batch.PutDirectory(child))
            elif child != old:
                # At once: what is below is only booked on a record that says where it is.
                self._hand_on([batch.PutDirectory(child)])
                if old is not None and old.device != child.device:
                    self._drives.note_change(child.directory_id, old.device)
            self.differences += child != old
            self._missing.found.add(child.directory_id)
            children.append(Found(child, is_new, child != old))
        return children

    def _note_unreadable(self, root: WatchRoot, place: Place, error: OSError) -> None:
        if self._coverage is not None:
            self._coverage.closed(root, place, error)
        self.unreadable.append(
            f"{quoted(os.path.join(root.path, *place.names))}: {os.strerror(error.errno or 0)}"
        )
