"""Looks at directories, compares them with the store, and hands on what changed.

A `Pass` is one sweep over directories: a scan of a whole root, or a look where hints point. What it
finds goes to the store in batches; what seems removed is held back to the end, for it may turn up
elsewhere in the same sweep: then it moved.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pspd.core.globs import PathFilter
from pspd.core.model import Directory, DirectoryId, FileKey, FileRecord, WatchRoot
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

if TYPE_CHECKING:
    from pspd.store.reader import Reader
    from pspd.store.store import Store

FLUSH_CHANGES = 1000
"""Changes that are handed on at once; the store takes 42 µs for each, so 40 ms."""

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


@dataclass(frozen=True, slots=True)
class Place:
    """A directory below a root, by name and by number."""

    names: tuple[str, ...]
    directory: Directory

    @property
    def below(self) -> str:
        """The path below the root."""
        return "/".join(self.names)

    def child(self, directory: Directory) -> Place:
        """Return the place of a directory in this one."""
        return Place((*self.names, directory.name), directory)


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
        self.unreadable: list[str] = []
        """Directories that could not be listed; what is known of them stays."""

    # --- sweeping

    def scan(self, root: WatchRoot) -> Iterator[None]:
        """Look at everything below a root; yields after each directory."""
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

    def finish(self) -> None:
        """Hand on the rest, and believe that what was not found is gone."""
        self.flush()
        gone: list[batch.Operation] = [batch.FileGone(key) for key in self._missing_files]
        gone += [
            batch.RemoveDirectory(number)
            for number in self._missing_directories
            if number not in self._found_directories
        ]
        self._missing_files.clear()
        self._missing_directories.clear()
        for first in range(0, len(gone), FLUSH_CHANGES):
            self._hand_on(gone[first : first + FLUSH_CHANGES])

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
                case Moved(old, key, stamp):
                    operations.append(batch.FileMoved(old, key, stamp))
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
                if error.errno not in _GONE:
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
        path_filter = PathFilter.of(root)
        if only is None:
            listing = list_directory(descriptor, path_filter, place.below)
        else:
            listing = look_at_names(descriptor, path_filter, place.below, only)
        number = place.directory.directory_id
        seen = {FileKey(number, name): stamp for name, stamp in listing.files.items()}
        if is_new:
            self._changes += reconcile(seen, {})
            return self._children(place.directory, listing, {})
        with self._store.read() as reader:
            known, children = _known(reader, number, only)
        self._changes += reconcile(seen, known)
        for key in seen.keys() & self._missing_files.keys():
            del self._missing_files[key]
        for name, child in children.items():
            if name not in listing.directories:
                self._missing_directories[child.directory_id] = child
        return self._children(place.directory, listing, children)

    def _children(
        self, parent: Directory, listing: Listing, known: dict[str, Directory]
    ) -> list[Found]:
        children: list[Found] = []
        for name, inode in listing.directories.items():
            if inode in self._own:
                continue
            old = known.get(name)
            if old is None:
                child, is_new = self._newcomer(parent, name, inode)
            else:
                # Another inode under the old name: what is below it is told by stamps.
                child, is_new = replace(old, device=inode[0], inode=inode[1]), False
            if child != old:
                self._operations.append(batch.PutDirectory(child))
            self._found_directories.add(child.directory_id)
            children.append(Found(child, is_new, child != old))
        return children

    def _newcomer(self, parent: Directory, name: str, inode: Inode) -> tuple[Directory, bool]:
        """Return the record of a directory that is new here: moved from elsewhere, or really new.

        Only a move inside one root takes the record along; across roots the files' contents tell
        that they are known.
        """
        device, number = inode
        with self._store.read() as reader:
            old = reader.directory_by_inode(device, number)
            old_path = None if old is None else reader.path_of(old.directory_id)
        if (
            old is not None
            and old.parent
            and old.root_id == parent.root_id
            and old.directory_id not in self._found_directories
            and not _is_at(old_path, inode)
        ):
            return replace(old, parent=parent.directory_id, name=name), False
        directory_id = self._store.new_directory_id()
        new = Directory(directory_id, parent.root_id, parent.directory_id, name, device, number)
        return new, True

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


def _known(
    reader: Reader, number: DirectoryId, only: Collection[str] | None
) -> tuple[dict[FileKey, FileRecord], dict[str, Directory]]:
    """Return what the store knows of a directory, or of some names in it."""
    if only is None:
        children = {child.name: child for child in reader.children(number)}
        return reader.files_in(number), children
    files: dict[FileKey, FileRecord] = {}
    children = {}
    for name in only:
        record = reader.file(FileKey(number, name))
        if record is not None:
            files[FileKey(number, name)] = record
        child = reader.child(number, name)
        if child is not None:
            children[name] = child
    return files, children


def _is_at(path: str | None, inode: Inode) -> bool:
    if path is None:
        return False
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return inode_from(status) == inode
