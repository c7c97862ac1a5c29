"""The one place where a directory's record changes, and with it all that hangs on it.

What leads to it by its name and by its inode, and, when it goes, what is below it.
"""

from __future__ import annotations

from collections.abc import Callable

from pspd.core.model import Directory, DirectoryId, FileKey, FileRecord
from pspd.store import codec, keys
from pspd.store.tables import Tables


class DirectoryLedger:
    """Directories of one write transaction.

    Args:
        tables: The transaction's databases.
        remove_file: Removes a file that lies in a directory that goes.
    """

    def __init__(self, tables: Tables, remove_file: Callable[[FileKey, FileRecord], None]) -> None:
        self._tables = tables
        self._reader = tables.reader
        self._remove_file = remove_file
        self._there: set[DirectoryId] = set()
        """Directories that are known to be there."""
        self.touched: set[DirectoryId] = set()
        """Directories that changed."""

    def is_there(self, directory_id: DirectoryId) -> bool:
        """Say whether a directory is known; asked for each file that is new in it."""
        if directory_id not in self._there and self._reader.directory(directory_id) is not None:
            self._there.add(directory_id)
        return directory_id in self._there

    def put(self, directory: Directory) -> None:
        """Set the record of a directory, and what leads to it; who was in its place is removed."""
        number = directory.directory_id
        old = self._reader.directory(number)
        if directory.parent and self._reader.directory(directory.parent) is None:
            return  # removed since somebody looked into it
        is_moved = old is not None and old.parent != directory.parent
        if is_moved and self._reader.is_below(directory.parent, number):
            return  # a directory inside itself: somebody looked while both were moved
        if old is not None:
            self._forget_place(old)
        self.touched |= {number, directory.parent}
        place = keys.file_key(FileKey(directory.parent, directory.name))
        if directory.parent:
            tenant = self._reader.child(directory.parent, directory.name)
            if tenant is not None and tenant.directory_id != number:
                self.remove(tenant.directory_id)
            self._tables.put("children", place, codec.encode_number(number))
        inode = keys.inode_key(directory.device, directory.inode)
        self._tables.put("inodes", inode, codec.encode_number(number))
        self._tables.put("directories", keys.number_key(number), codec.encode_directory(directory))
        self._reader.forget_paths()

    def remove_missed(self, directory_id: DirectoryId, place: FileKey | None) -> None:
        """Remove a directory that was missed, if it is still where it was; None for anywhere."""
        directory = self._reader.directory(directory_id)
        if directory is not None and place in {None, FileKey(directory.parent, directory.name)}:
            self.remove(directory_id)

    def remove(self, directory_id: DirectoryId) -> None:
        """Remove a directory with all that is below it."""
        top = self._reader.directory(directory_id)
        below = [] if top is None else [top]
        for directory in below:  # grows while it is walked: parents come before children
            below.extend(self._reader.children(directory.directory_id))
        for directory in reversed(below):
            number = directory.directory_id
            for key, record in self._reader.files_in(number).items():
                self._remove_file(key, record)
            self._forget_place(directory)
            self._there.discard(number)
            self._tables.delete("directories", keys.number_key(number))

    def _forget_place(self, directory: Directory) -> None:
        """Delete what leads to a directory, unless it leads to another one by now."""
        self.touched |= {directory.directory_id, directory.parent}
        number = codec.encode_number(directory.directory_id)
        place = keys.file_key(FileKey(directory.parent, directory.name))
        inode = keys.inode_key(directory.device, directory.inode)
        for database, key in (("children", place), ("inodes", inode)):
            if self._reader.get(database, key) == number:
                self._tables.delete(database, key)
