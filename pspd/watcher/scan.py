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
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pspd.core.globs import PathFilter
from pspd.core.model import Directory, DirectoryId, FileKey, RootId, WatchRoot
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
from pspd.watcher.descriptors import (
    Inode,
    Listing,
    inode_from,
    list_directory,
    look_at_names,
    open_directory,
)
from pspd.watcher.directories import Place, changed_since, is_there, known_in, newcomer

if TYPE_CHECKING:
    from pspd.store.store import Store

FLUSH_CHANGES = 1000
"""Changes that are handed on at once; the store takes 42 µs for each, so 40 ms."""

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


@dataclass(frozen=True, slots=True)
class Found:
    """A directory that a look saw."""

    directory: Directory
    is_new: bool
    """The store knows nothing below it."""
    is_changed: bool
    """It is new, moved here, or another one under a known name."""


class Pass:
    """One sweep over directories of one or more roots."""

    def __init__(
        self,
        store: Store,
        hand_on: Callable[[Sequence[batch.Operation]], object],
        own: Collection[Inode] = (),
    ) -> None:
        self._store = store
        self._hand_on = hand_on
        self._own = own
        """Directories of PSP itself: looking at the store would change it."""
        self._operations: list[batch.Operation] = []
        self._changes: list[Change] = []
        self._missing_files: dict[FileKey, Removed] = {}
        self._missing_directories: dict[DirectoryId, Directory] = {}
        self._found_directories: set[DirectoryId] = set()
        self._begun_ns = time.time_ns()
        self._is_scan = False
        self.is_disturbed = False
        """Whether directories were moved under its feet, so that it has to be done again."""
        self.unreadable: list[str] = []
        """Directories that could not be listed; what is known of them stays."""

    # --- sweeping

    def scan(self, root: WatchRoot) -> Iterator[None]:
        """Look at everything below a root; yields after each directory."""
        self._is_scan = True
        with self._store.read() as reader:
            directory = reader.directory(root.directory)
        assert directory is not None, "a root's own directory is stored with it"
        yield from self._below(root, Place((), directory), is_new=False)

    def look(
        self, root: WatchRoot, names: tuple[str, ...], only: Collection[str] | None
    ) -> Iterator[None]:
        """Look at one directory, or at some names in it, and below what is new in it."""
        while True:
            place, only = self._known_place(root, names, only)
            try:
                with _opened(root, place) as descriptor:
                    children = self._visit(descriptor, root, place, only, is_new=False)
                break
            except OSError as error:
                if error.errno not in _GONE or not place.names:
                    self._note_unreadable(root, place, error)
                    return
                names, only = place.names[:-1], {place.names[-1]}
        for child in children:
            if child.is_changed or (only is not None and child.directory.name in only):
                yield from self._below(root, place.child(child.directory), is_new=child.is_new)
        # The next look may lead here again; then the store must know these directories, or they
        # would be taken for new ones a second time.
        if self._operations:
            self._hand_on(self._operations)
            self._operations = []

    def finish(self, roots: Collection[WatchRoot]) -> None:
        """Hand on the rest, and believe that what was not found is gone.

        What was missed long ago in this sweep may be back, and another look may have stored it:
        so it is looked for once more, and the store drops it only as it was known then.

        Args:
            roots: Those that were swept.
        """
        self.flush()
        by_id = {root.root_id: root for root in roots}
        gone: list[batch.Operation] = []
        for key, removed in self._missing_files.items():
            if self._is_gone(by_id, key, is_directory=False):
                gone.append(batch.FileGone(key, removed.stamp))
        for number, directory in self._missing_directories.items():
            place = FileKey(directory.parent, directory.name)
            is_found = number in self._found_directories
            if not is_found and self._is_gone(by_id, place, is_directory=True):
                gone.append(batch.RemoveDirectory(number, place))
        self._missing_files.clear()
        self._missing_directories.clear()
        for first in range(0, len(gone), FLUSH_CHANGES):
            self._hand_on(gone[first : first + FLUSH_CHANGES])

    def _is_gone(
        self, roots: Mapping[RootId, WatchRoot], key: FileKey, *, is_directory: bool
    ) -> bool:
        with self._store.read() as reader:
            parent = reader.directory(key.directory)
            place = reader.place_of(key.directory)
        if parent is None or place is None:
            return True
        root = roots.get(parent.root_id)
        if root is None:
            return False
        if self._is_scan and changed_since(root, place[1], self._begun_ns):
            # It went during the scan, perhaps to a place that was looked at before.
            self.is_disturbed = True
        return not is_there(root, place[1], key.name, is_directory=is_directory)

    def flush(self) -> None:
        """Hand on what is decided so far."""
        operations = self._operations
        self._operations = []
        changes = match_moves([*self._changes, *self._missing_files.values()])
        self._changes = []
        self._missing_files = {}
        for change in changes:
            match change:
                case Removed(key):
                    self._missing_files[key] = change
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
        while stack:
            place, is_new = stack.pop()
            try:
                with _opened(root, place) as descriptor:
                    children = self._visit(descriptor, root, place, None, is_new=is_new)
            except OSError as error:
                if error.errno in _GONE:
                    # It was there when its parent was listed. A look needs not care: that it went
                    # is hinted at as well.
                    self.is_disturbed |= self._is_scan
                else:
                    self._note_unreadable(root, place, error)
                continue
            stack.extend((place.child(child.directory), child.is_new) for child in children)
            if len(self._changes) >= FLUSH_CHANGES:
                self.flush()
            yield

    def _visit(
        self,
        descriptor: int,
        root: WatchRoot,
        place: Place,
        only: Collection[str] | None,
        *,
        is_new: bool,
    ) -> list[Found]:
        """Look at one open directory; returns the directories in it."""
        number = place.directory.directory_id
        if not self._is_in_place(descriptor, place, is_new=is_new):
            self.is_disturbed = True
            return []
        path_filter = PathFilter.of(root)
        if only is None:
            listing = list_directory(descriptor, path_filter, place.below)
        else:
            listing = look_at_names(descriptor, path_filter, place.below, only)
        seen = {FileKey(number, name): stamp for name, stamp in listing.files.items()}
        with self._store.read() as reader:
            known, children = known_in(reader, number, only)
        self._changes += reconcile(seen, known)
        for key in seen.keys() & self._missing_files.keys():
            del self._missing_files[key]
        for name, child in children.items():
            if name not in listing.directories:
                self._missing_directories[child.directory_id] = child
        return self._children(place.directory, listing, children)

    def _is_in_place(self, descriptor: int, place: Place, *, is_new: bool) -> bool:
        """Say whether an open directory is still the one that its record was taken for.

        Between the look that found it and this one, another may have moved it, or others may have
        put another directory into its place: then the files here belong to another record.
        """
        expected = place.directory
        is_root = not expected.parent
        if inode_from(os.fstat(descriptor)) != (expected.device, expected.inode) and not is_root:
            return False
        with self._store.read() as reader:
            known = reader.directory(expected.directory_id)
        return known == expected or is_root or (known is None and is_new)

    def _children(
        self, parent: Directory, listing: Listing, known: dict[str, Directory]
    ) -> list[Found]:
        children: list[Found] = []
        for name, inode in listing.directories.items():
            if inode in self._own:
                continue
            old = known.get(name)
            if old is None:
                child, is_new = newcomer(self._store, parent, name, inode, self._found_directories)
            else:
                # Another inode under the old name: what is below it is told by stamps.
                child, is_new = replace(old, device=inode[0], inode=inode[1]), False
            if is_new:
                self._operations.append(batch.PutDirectory(child))
            elif child != old:
                # At once: what is below is only booked on a record that says where it is.
                self._hand_on([batch.PutDirectory(child)])
            self._found_directories.add(child.directory_id)
            children.append(Found(child, is_new, child != old))
        return children

    def _known_place(
        self, root: WatchRoot, names: tuple[str, ...], only: Collection[str] | None
    ) -> tuple[Place, Collection[str] | None]:
        """Go down as far as the store knows the way; what it does not know is to be looked at."""
        with self._store.read() as reader:
            directory = reader.directory(root.directory)
            assert directory is not None, "a root's own directory is stored with it"
            for depth, name in enumerate(names):
                child = reader.child(directory.directory_id, name)
                if child is None:
                    return Place(names[:depth], directory), {name}
                directory = child
        return Place(names, directory), only

    def _note_unreadable(self, root: WatchRoot, place: Place, error: OSError) -> None:
        self.unreadable.append(
            f"{quoted(os.path.join(root.path, *place.names))}: {os.strerror(error.errno or 0)}"
        )


@contextmanager
def _opened(root: WatchRoot, place: Place) -> Iterator[int]:
    descriptor = open_directory(root.path, place.names)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
