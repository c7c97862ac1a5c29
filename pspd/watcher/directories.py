"""Which record belongs to the directory that a look saw: a known one, one that moved, a new one."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pspd.core.globs import PathFilter
from pspd.core.model import Directory, DirectoryId, FileKey, WatchRoot
from pspd.core.reconcile import FINE_GRAIN_NS, Known
from pspd.watcher.descriptors import Inode, inode_from, look_at_names, open_directory

if TYPE_CHECKING:
    from pspd.store.reader import Reader
    from pspd.store.store import Store


Entry = tuple[str, bool]
"""What a directory has: its name, and whether it is a directory."""


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


def known_place(
    store: Store, root: WatchRoot, names: tuple[str, ...], only: Collection[str] | None
) -> tuple[Place, Collection[str] | None]:
    """Go down as far as the store knows the way; what it does not know is to be looked at."""
    with store.read() as reader:
        directory = reader.directory(root.directory)
        assert directory is not None, "a root's own directory is stored with it"
        for depth, name in enumerate(names):
            child = reader.child(directory.directory_id, name)
            if child is None:
                return Place(names[:depth], directory), {name}
            directory = child
    return Place(names, directory), only


def known_in(
    reader: Reader, number: DirectoryId, only: Collection[str] | None
) -> tuple[dict[str, Known], dict[str, Directory]]:
    """Return what the store knows of a directory, or of some names in it."""
    if only is None:
        children = {child.name: child for child in reader.children(number)}
        return reader.stamps_in(number), children
    files: dict[str, Known] = {}
    children = {}
    for name in only:
        record = reader.file(FileKey(number, name))
        if record is not None:
            files[name] = (record.stamp, record.racy)
        child = reader.child(number, name)
        if child is not None:
            children[name] = child
    return files, children


def is_inode_of(status: os.stat_result, expected: Directory) -> bool:
    """Say whether an open directory is the one that a record says; a root may be another."""
    return not expected.parent or inode_from(status) == (expected.device, expected.inode)


def is_in_place(reader: Reader, expected: Directory, *, is_new: bool) -> bool:
    """Say whether an open directory is still the one that its record was taken for.

    Between the look that found it and this one, another may have moved it, or others may have
    put another directory into its place: then the files here belong to another record.
    """
    if not expected.parent:
        return True
    known = reader.directory(expected.directory_id)
    return known == expected or (known is None and is_new)


def newcomer(
    store: Store, parent: Directory, name: str, inode: Inode, found: Collection[DirectoryId]
) -> tuple[Directory, bool]:
    """Return the record of a directory that is new in `parent`, and whether it is new at all.

    A known one that moved brings its record along, if it moved inside its root: across roots the
    files' contents tell that they are known. One that `parent` itself is below is not taken for
    moved, although its inode says so: both were moved while somebody looked, and the store would
    have a directory inside itself.

    Args:
        store: Where the records are.
        parent: The directory it is in.
        name: Its name there.
        inode: What it is.
        found: Directories that this sweep saw elsewhere.
    """
    with store.read() as reader:
        old = reader.directory_by_inode(*inode)
        old_path = None if old is None else reader.path_of(old.directory_id)
        is_ancestor = old is not None and reader.is_below(parent.directory_id, old.directory_id)
    if (
        old is not None
        and old.parent
        and old.root_id == parent.root_id
        and old.directory_id not in found
        and not is_ancestor
        and not _is_at(old_path, inode)
    ):
        return replace(old, parent=parent.directory_id, name=name), False
    number = store.new_directory_id()
    return Directory(number, parent.root_id, parent.directory_id, name, *inode), True


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What of some entries that were missed a directory has after all."""

    present: Collection[Entry]
    """In doubt an entry is there."""
    changed_ns: int | None
    """When its entries changed last, in ns since the epoch; None when nobody can tell."""

    def has_changed_since(self, moment_ns: int) -> bool:
        """Say whether entries came or went after a moment; in doubt, that they did."""
        return self.changed_ns is None or self.changed_ns >= moment_ns - FINE_GRAIN_NS


def look_again(root: WatchRoot, names: tuple[str, ...], entries: Collection[Entry]) -> SecondLook:
    """Look whether a directory has entries that were missed, and that belong.

    All of them at once: 1,900 names deep, to open the directory takes milliseconds.

    Args:
        root: The root it is below.
        names: Its path below the root.
        entries: What was missed.
    """
    try:
        descriptor = open_directory(root.path, names)
    except (FileNotFoundError, NotADirectoryError):
        return SecondLook((), None)
    except OSError:
        return SecondLook(entries, None)
    try:
        changed_ns = os.fstat(descriptor).st_mtime_ns
        path_filter, below = PathFilter.of(root), "/".join(names)
        present = {each for each in entries if _has(descriptor, path_filter, below, each)}
        return SecondLook(present, changed_ns)
    finally:
        os.close(descriptor)


def _has(descriptor: int, path_filter: PathFilter, below: str, entry: Entry) -> bool:
    name, is_directory = entry
    try:
        seen = look_at_names(descriptor, path_filter, below, [name])
    except OSError:
        return True
    return name in (seen.directories if is_directory else seen.files)


def _is_at(path: str | None, inode: Inode) -> bool:
    if path is None:
        return False
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return inode_from(status) == inode
