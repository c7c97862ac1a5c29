"""Names in, open descriptors and stamps out: the only place that touches the watched trees.

Every path is walked from its root one name at a time, so a symbolic link is never followed, even
one that is swapped in, and no path is too long. Nothing here writes.
"""

from __future__ import annotations

import errno
import fcntl
import operator
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from pspd.core.globs import PathFilter
from pspd.core.model import FileStamp, StampFields

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
"""O_NONBLOCK: opening a FIFO would wait for a writer for ever."""

_U64 = (1 << 64) - 1
_KINDS = 0o170000
"""Bits of a mode that tell what it is (inode(7))."""

Inode = tuple[int, int]
"""Device and inode."""


_fields_of: Callable[[os.stat_result], StampFields] = operator.attrgetter(
    "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino", "st_dev"
)
_mode_of = operator.attrgetter("st_mode")


@dataclass(slots=True)
class Listing:
    """What one look at a directory saw."""

    names: list[str] = field(default_factory=list)
    """Everything that is neither a directory nor a symbolic link: FIFOs and devices as well."""
    stamps: list[StampFields] = field(default_factory=list)
    """Of each name."""
    directories: dict[str, Inode] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, StampFields]:
        """The stamps by name."""
        return dict(zip(self.names, self.stamps, strict=True))

    @classmethod
    def of(cls, names: list[str], statuses: list[os.stat_result]) -> Listing:
        """Sort out what stats said of names."""
        kinds = {mode & _KINDS for mode in set(map(_mode_of, statuses))}
        if kinds <= {stat.S_IFREG}:
            return cls(names, list(map(_fields_of, statuses)))
        listing = cls()
        for name, status in zip(names, statuses, strict=True):
            listing._add(name, status)
        return listing

    def _add(self, name: str, status: os.stat_result) -> None:
        kind = status.st_mode & _KINDS
        if kind == stat.S_IFDIR:
            self.directories[name] = inode_from(status)
        elif kind != stat.S_IFLNK:
            self.names.append(name)
            self.stamps.append(_fields_of(status))


def stamp_of(status: os.stat_result) -> FileStamp:
    """Take the stamp out of a stat."""
    return FileStamp.of(_fields_of(status))


def inode_from(status: os.stat_result) -> Inode:
    """Take device and inode out of a stat, as 64-bit numbers."""
    return (status.st_dev & _U64, status.st_ino & _U64)


def open_directory(root: str, names: Sequence[str]) -> int:
    """Open the directory that `names` lead to from the root; the caller closes it.

    Raises:
        OSError: One of them is missing, no directory, a symbolic link or not readable.
    """
    descriptor = os.open(root, _DIRECTORY)
    for name in names:
        try:
            child = open_child(descriptor, name)
        finally:
            os.close(descriptor)
        descriptor = child
    return descriptor


@contextmanager
def opened_directory(root: str, names: Sequence[str]) -> Iterator[int]:
    """Open a directory as `open_directory` does, for as long as the block takes."""
    descriptor = open_directory(root, names)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def open_child(parent: int, name: str) -> int:
    """Open a directory in an open directory; the caller closes it.

    Raises:
        OSError: As `open_directory` does.
    """
    return os.open(name, _DIRECTORY, dir_fd=parent)


def open_file(root: str, names: Sequence[str], name: str) -> int:
    """Open a file below a root for reading, without waiting; the caller closes it.

    What it is has to be asked of the descriptor once more: it may have become a FIFO or a device.

    Raises:
        OSError: It is missing, a symbolic link or not readable; ENXIO if it is no regular file.
    """
    directory = open_directory(root, names)
    try:
        # Opening alone has effects: a FIFO lets its writer in, a tape winds back.
        mode = os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise OSError(errno.ENXIO, os.strerror(errno.ENXIO), name)
        return os.open(name, _FILE, dir_fd=directory)
    finally:
        os.close(directory)


def list_directory(descriptor: int, path_filter: PathFilter, below: str) -> Listing:
    """List an open directory.

    Args:
        descriptor: The directory; it is not closed.
        path_filter: What of it belongs.
        below: Its path below the root, "" for the root.

    Raises:
        OSError: It cannot be listed completely, so that nothing may be believed to be missing.
    """
    with os.scandir(descriptor) as entries:
        found = list(entries)
    if path_filter.has_globs:
        found = [each for each in found if _belongs(each, path_filter, below)]
    names = [each.name for each in found]
    # All at once: a microsecond for each is a tenth of a second for 100,000 files.
    if not (path_filter.hidden or path_filter.has_globs) and "\0." in "\0".join(("", *names)):
        found = [each for each in found if not each.name.startswith(".")]
        names = [each.name for each in found]
    try:
        statuses = [each.stat(follow_symlinks=False) for each in found]
    except FileNotFoundError:  # gone since it was listed
        return look_at_names(descriptor, path_filter, below, names)
    return Listing.of(names, statuses)


def _belongs(entry: os.DirEntry[str], path_filter: PathFilter, below: str) -> bool:
    try:
        is_directory = entry.is_dir(follow_symlinks=False)
    except FileNotFoundError:
        return False
    return belongs(path_filter, below, entry.name, is_directory)


def look_at_names(
    descriptor: int, path_filter: PathFilter, below: str, names: Iterable[str]
) -> Listing:
    """Look at some names in an open directory, as `list_directory` does at all."""
    found: list[str] = []
    statuses: list[os.stat_result] = []
    for name in names:
        try:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if belongs(path_filter, below, name, stat.S_ISDIR(status.st_mode)):
            found.append(name)
            statuses.append(status)
    return Listing.of(found, statuses)


def is_vacant(descriptor: int, name: str) -> bool:
    """Say whether a directory in an open directory has no entries; in doubt that it has some."""
    try:
        child = open_child(descriptor, name)
    except OSError:
        return False
    try:
        with os.scandir(child) as entries:
            return next(entries, None) is None
    except OSError:
        return False
    finally:
        os.close(child)


def has_writer(descriptor: int) -> bool | None:
    """Say whether anybody has this file open for writing; None where that cannot be asked.

    A read lease is only granted on a file without writers, a writable mapping included (seen on
    ext4 and tmpfs, Linux 6.18); it is given back at once. Asking is the right of the owner and of
    root, and of Linux. Whoever opens the file for writing in between waits some microseconds, and
    this process is sent SIGIO, which the daemon ignores.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    return False


def belongs(path_filter: PathFilter, below: str, name: str, is_directory: bool) -> bool:  # noqa: FBT001
    """Say whether an entry of the directory at `below`, a path below the root, is looked at."""
    if is_directory:
        return path_filter.has_directory(below, name)
    return path_filter.has_file(below, name)
