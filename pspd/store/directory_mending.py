"""Mends the tree of directories: each root has its top, and each directory a way up to one.

A root that was lost is put back as the manifest has it, with its numbers where they are free: by
them the watcher knows it, and what is below it is kept. One that is paused there is paused again. A
directory that leads to none is dropped, and the next scan finds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.model import Directory, DirectoryId, FileKey, RootId
from pspd.store import codec, keys

if TYPE_CHECKING:
    from pspd.core.model import WatchRoot
    from pspd.store.manifest import KeptRoot
    from pspd.store.tables import Tables

_NO_TOP = (0, 0)
"""Device and inode of a root's directory that is not known: the watcher notes them at its scan."""


class DirectoryMender:
    """Mends `roots` and `directories`, and derives `children` and `inodes`, which must be empty.

    Args:
        tables: Those of the write transaction.
        roots: The roots as the manifest has them.

    Attributes:
        dropped: Directories that led to no root.
    """

    def __init__(self, tables: Tables, roots: Sequence[KeptRoot]) -> None:
        self.dropped = 0
        self._tables = tables
        self._reader = tables.reader
        self._kept_roots = roots
        self._directories: dict[DirectoryId, Directory] = {}

    def mend(self) -> dict[DirectoryId, Directory]:
        """Do it, and return the directories that there are then."""
        for key, body in self._reader.items("directories"):
            number = DirectoryId(keys.number_from_key(key))
            self._directories[number] = codec.decode_directory(number, body)
        self._mend_roots()
        whole = self._reachable()
        lost = [number for number in self._directories if number not in whole]
        for number in lost:
            self._tables.delete("directories", keys.number_key(number))
        self.dropped = len(lost)
        self._directories = {number: self._directories[number] for number in sorted(whole)}
        for number, directory in self._directories.items():
            body = codec.encode_number(number)
            if directory.parent:
                place = keys.file_key(FileKey(directory.parent, directory.name))
                self._tables.put("children", place, body)
            inode = keys.inode_key(directory.device, directory.inode)
            self._tables.put("inodes", inode, body)
        return self._directories

    def _mend_roots(self) -> None:
        roots = self._reader.roots()
        paths = {root.path for root in roots}
        next_root, next_directory = self._next_numbers(roots)
        for kept in self._kept_roots:
            if kept.path in paths:
                continue
            if self._is_free(kept, roots):
                root = kept.as_root(RootId(kept.root_id), DirectoryId(kept.directory))
            else:
                root = kept.as_root(RootId(next_root), DirectoryId(next_directory))
                next_root += 1
                next_directory += 1
            self._tables.put_root(root)
            roots.append(root)
        paused = {kept.path for kept in self._kept_roots if kept.paused}
        for root in roots:
            if root.path in paused and not root.paused:
                self._tables.put_root(replace(root, paused=True))
        for root in roots:
            top = self._directories.get(root.directory)
            if top is None or top.parent or top.root_id != root.root_id:
                top = Directory(root.directory, root.root_id, DirectoryId(0), "", *_NO_TOP)
                self._directories[root.directory] = top
                self._tables.put(
                    "directories", keys.number_key(root.directory), codec.encode_directory(top)
                )
        self._tables.set_number("next_root", next_root)
        self._tables.set_number("next_directory", next_directory)

    def _next_numbers(self, roots: Sequence[WatchRoot]) -> tuple[int, int]:
        """Return the numbers of the next root and the next directory, above all that are known."""
        root_ids = [self._tables.number("next_root") - 1, 0]
        root_ids += [root.root_id for root in roots]
        root_ids += [directory.root_id for directory in self._directories.values()]
        directories = [self._tables.number("next_directory") - 1, 0, *self._directories]
        for kept in self._kept_roots:
            root_ids.append(kept.root_id)
            directories.append(kept.directory)
        return max(root_ids) + 1, max(directories) + 1

    def _is_free(self, kept: KeptRoot, roots: Sequence[WatchRoot]) -> bool:
        """Say whether a root that was lost can have the numbers that the manifest has for it."""
        top = self._directories.get(DirectoryId(kept.directory))
        is_its_own = top is None or (not top.parent and top.root_id == kept.root_id)
        return (
            kept.root_id != 0
            and kept.directory != 0
            and is_its_own
            and all(
                kept.root_id != root.root_id and kept.directory != root.directory for root in roots
            )
        )

    def _reachable(self) -> set[DirectoryId]:
        """Return the directories that lead up to a root, each name in a parent once."""
        below: dict[DirectoryId, list[Directory]] = {}
        for directory in self._directories.values():
            below.setdefault(directory.parent, []).append(directory)
        tops = {root.directory: root.root_id for root in self._reader.roots()}
        found: set[DirectoryId] = set()
        waiting = [directory for directory in below.get(DirectoryId(0), [])
                   if tops.get(directory.directory_id) == directory.root_id]  # fmt: skip
        while waiting:
            directory = waiting.pop()
            found.add(directory.directory_id)
            names: set[str] = set()
            for child in below.get(directory.directory_id, []):
                if child.root_id == directory.root_id and child.name not in names:
                    names.add(child.name)
                    waiting.append(child)
        return found
