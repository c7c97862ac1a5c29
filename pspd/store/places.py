"""Where things are: watch roots, directories and paths, asked inside one read transaction."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from pspd.core.model import Directory, DirectoryId, FileKey, RootId, WatchRoot
from pspd.store import codec, keys
from pspd.store.entries import Entries

if TYPE_CHECKING:
    from collections.abc import Mapping

    import lmdb


class Places(Entries):
    """Questions about roots and directories; valid only while the transaction is open."""

    def __init__(
        self, transaction: lmdb.Transaction[bytes], databases: Mapping[str, lmdb._Database]
    ) -> None:
        super().__init__(transaction, databases)
        self._places: dict[DirectoryId, tuple[str, tuple[str, ...]] | None] = {}

    def roots(self) -> list[WatchRoot]:
        """Return all watch roots, those being removed included."""
        return [
            self._decoded_root(keys.root_from_key(key), body) for key, body in self.items("roots")
        ]

    def directory(self, directory_id: DirectoryId) -> Directory | None:
        """Return a directory's record."""
        body = self.get("directories", keys.number_key(directory_id))
        return None if body is None else codec.decode_directory(directory_id, body)

    def child(self, parent: DirectoryId, name: str) -> Directory | None:
        """Return the directory `name` in `parent`."""
        body = self.get("children", keys.file_key(FileKey(parent, name)))
        return None if body is None else self.directory(DirectoryId(codec.decode_number(body)))

    def children(self, parent: DirectoryId) -> list[Directory]:
        """Return the directories in `parent`."""
        numbers = [
            DirectoryId(codec.decode_number(body))
            for _, body in self.items("children", keys.number_key(parent))
        ]
        found = (self.directory(number) for number in numbers)
        return [directory for directory in found if directory is not None]

    def directory_by_inode(self, device: int, inode: int) -> Directory | None:
        """Return the directory last seen with this device and inode."""
        body = self.get("inodes", keys.inode_key(device, inode))
        return None if body is None else self.directory(DirectoryId(codec.decode_number(body)))

    def is_below(self, directory_id: DirectoryId, top: DirectoryId) -> bool:
        """Say whether a directory is `top` or below it."""
        directory = self.directory(directory_id)
        while directory is not None:
            if directory.directory_id == top:
                return True
            directory = self.directory(directory.parent) if directory.parent else None
        return False

    def root_of(self, directory_id: DirectoryId) -> WatchRoot | None:
        """Return the root that a directory is below; None when it is gone or going."""
        directory = self.directory(directory_id)
        return None if directory is None else self._root(directory.root_id)

    def is_paused(self, directory_id: DirectoryId) -> bool:
        """Say whether a directory is below a root that is paused."""
        root = self.root_of(directory_id)
        return root is not None and root.paused

    def _root(self, root_id: RootId) -> WatchRoot | None:
        """Return a root; None when it is gone or going."""
        body = self.get("roots", keys.root_key(root_id))
        root = None if body is None else self._decoded_root(root_id, body)
        return None if root is None or root.removing else root

    def _decoded_root(self, root_id: RootId, body: bytes) -> WatchRoot:
        root = codec.decode_root(root_id, body)
        is_paused = self.get("meta", keys.paused_key(root_id)) is not None
        return replace(root, paused=True) if is_paused else root

    def place_of(self, directory_id: DirectoryId) -> tuple[str, tuple[str, ...]] | None:
        """Return a directory's root path and the names from there; None as `path_of`."""
        if directory_id in self._places:
            return self._places[directory_id]
        names: list[str] = []
        directory = own = self.directory(directory_id)
        while directory is not None and directory.parent:
            names.append(directory.name)
            directory = self.directory(directory.parent)
        root = None if directory is None or own is None else self._root(own.root_id)
        place = None if root is None else (root.path, tuple(reversed(names)))
        self._places[directory_id] = place
        return place

    def path_of(self, directory_id: DirectoryId) -> str | None:
        """Return a directory's absolute path; None when its root is gone or going."""
        place = self.place_of(directory_id)
        if place is None:
            return None
        root, names = place
        # Of 1,900 names `os.path.join` takes 0.5 ms, for each file that changes below them.
        return os.path.join(root, "/".join(names)) if names else root

    def file_path(self, key: FileKey) -> str | None:
        """Return a file's absolute path; None when its root is gone or going."""
        directory = self.path_of(key.directory)
        return None if directory is None else os.path.join(directory, key.name)

    def forget_paths(self) -> None:
        """Compute paths anew: a directory moved within this transaction."""
        self._places.clear()
