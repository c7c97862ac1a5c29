"""Looks at directories and compares them with the store.

A `Pass` is one sweep over directories: a scan of a whole root, or a look where hints point. What it
finds goes to the store by `Finds`; of what is as it was the last time nothing is compared.
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
from pspd.core.model import Directory, DirectoryId, WatchRoot
from pspd.core.reconcile import reconcile
from pspd.rpc.wire import quoted
from pspd.store import batch
from pspd.watcher.deletions import Doomed
from pspd.watcher.descent import Descent
from pspd.watcher.descriptors import (
    Inode,
    Listing,
    list_directory,
    look_at_names,
    opened_directory,
)
from pspd.watcher.directories import (
    Found,
    Place,
    is_in_place,
    is_inode_of,
    known_in,
    known_place,
    newcomer,
)
from pspd.watcher.drives import Drives
from pspd.watcher.finds import Finds
from pspd.watcher.unchanged import Unchanged, digest_of, globs_of

if TYPE_CHECKING:
    from pspd.store.store import Store
    from pspd.watcher.coverage import Coverage

_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


class Pass:
    """One sweep over directories of one or more roots."""

    def __init__(
        self,
        store: Store,
        hand_on: Callable[[Sequence[batch.Operation]], object],
        own: Collection[Inode] = (),
        coverage: Coverage | None = None,
        unchanged: Unchanged | None = None,
    ) -> None:
        self._store = store
        self._coverage = coverage
        """Hears of each directory before it is listed, and of those that cannot be."""
        self._drives = Drives(store, coverage)
        self._own = own
        """Directories of PSP itself: looking at the store would change it."""
        self._unchanged = Unchanged() if unchanged is None else unchanged
        self._filter: tuple[WatchRoot, PathFilter, bytes] | None = None
        """Of the root that was asked for last."""
        self._finds = Finds(store, hand_on, coverage)
        self._begun_ns = time.time_ns()
        self._is_scan = False
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
        # The next look may lead here again.
        self._finds.flush_directories()

    @property
    def differences(self) -> int:
        """How much was not as the store knew it."""
        return self._finds.differences

    @property
    def is_missing_any(self) -> bool:
        """Whether anything seems gone so far."""
        return self._finds.is_missing_any

    def flush(self) -> None:
        """Hand on what is decided so far."""
        self._finds.flush()

    def make_way(self) -> None:
        """Hand on what another look has to know, but not thousands of files at once."""
        if not self._finds.is_flushing:
            self._finds.flush()

    def finish(
        self, roots: Collection[WatchRoot], believe: Callable[[Doomed], bool] = lambda _: True
    ) -> None:
        """Hand on the rest, and believe that what was not found is gone.

        Args:
            roots: Those that were swept.
            believe: Says of each root whether what is gone from it may be dropped.
        """
        begun_ns = self._begun_ns if self._is_scan else None
        self.is_disturbed |= self._finds.finish(roots, begun_ns, believe)

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
                while self._finds.is_full:
                    self._finds.flush_some()
                    yield
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
        status = os.fstat(descriptor)
        if not is_inode_of(status, place.directory):
            return None
        if self._coverage is not None:
            self._coverage.enter(descriptor, status.st_dev, root, place)
        path_filter, globs = self._filter_of(root)
        if only is not None:
            listing = look_at_names(descriptor, path_filter, place.below, only)
            return self._compare(descriptor, root, place, listing, only, is_new=is_new)
        listing = list_directory(descriptor, path_filter, place.below)
        digest = digest_of(place, listing, globs)
        # What was missed before in this sweep may be in any listing.
        proven = self._unchanged.recall(number, digest)
        if proven is not None and not self._finds.is_missing_files:
            return self._as_known(place.directory, listing, proven)
        self._unchanged.expect(number)
        before = self._finds.noted
        children = self._compare(descriptor, root, place, listing, None, is_new=is_new)
        if children is not None and self._finds.noted == before:
            numbers = [each.directory.directory_id for each in children]
            self._unchanged.settle(number, digest, numbers)
        return children

    def _as_known(self, parent: Directory, listing: Listing, numbers: Sequence[int]) -> list[Found]:
        """Return the directories in one that is as it was when nothing differed from the store."""
        if not listing.directories:
            return []
        here = [item for item in listing.directories.items() if item[1] not in self._own]
        children: list[Found] = []
        for number, (name, inode) in zip(numbers, here, strict=True):
            known = DirectoryId(number)
            child = Directory(known, parent.root_id, parent.directory_id, name, *inode)
            self._drives.tell_present(child)
            self._finds.found_again(known)
            children.append(Found(child, is_new=False, is_changed=False))
        return children

    def _compare(  # noqa: PLR0913 - where, what was seen, and of how much
        self,
        descriptor: int,
        root: WatchRoot,
        place: Place,
        listing: Listing,
        only: Collection[str] | None,
        *,
        is_new: bool,
    ) -> list[Found] | None:
        """Compare what was seen in a directory with what the store knows of it, as `_visit`."""
        number = place.directory.directory_id
        with self._store.read() as reader:
            if not is_in_place(reader, place.directory, is_new=is_new):
                return None
            known, children = known_in(reader, number, only)
        changes = reconcile(number, listing.files, known)
        self._finds.compared(number, listing.names, changes)
        path_filter, _ = self._filter_of(root)
        for name, child in children.items():
            if name in listing.directories:
                continue
            is_wanted = path_filter.has_directory(place.below, name)
            if is_wanted and self._drives.is_missing(root, place, child):
                self._finds.kept()
            else:
                self._finds.missed(child)
        here: dict[str, Inode] = {}
        for name, inode in listing.directories.items():
            if inode in self._own:
                continue
            if self._drives.is_bare(descriptor, root, place, children.get(name), inode):
                self._finds.kept()
            else:
                here[name] = inode
        return self._children(place.directory, here, children)

    def _children(
        self, parent: Directory, here: Mapping[str, Inode], known: Mapping[str, Directory]
    ) -> list[Found]:
        children: list[Found] = []
        for name, inode in here.items():
            old = known.get(name)
            if old is None:
                found = self._finds.seen_directories
                child, is_new = newcomer(self._store, parent, name, inode, found)
            else:
                # Another inode under the old name: what is below it is told by stamps.
                child, is_new = replace(old, device=inode[0], inode=inode[1]), False
                if old.device != child.device:
                    self._drives.note_change(child.directory_id, old.device)
            self._finds.found(child, old, is_new=is_new)
            children.append(Found(child, is_new, child != old))
        return children

    def _filter_of(self, root: WatchRoot) -> tuple[PathFilter, bytes]:
        if self._filter is None or self._filter[0] is not root:
            self._filter = (root, PathFilter.of(root), globs_of(root))
        return self._filter[1:]

    def _note_unreadable(self, root: WatchRoot, place: Place, error: OSError) -> None:
        if self._coverage is not None:
            self._coverage.closed(root, place, error)
        self.unreadable.append(
            f"{quoted(os.path.join(root.path, *place.names))}: {os.strerror(error.errno or 0)}"
        )
