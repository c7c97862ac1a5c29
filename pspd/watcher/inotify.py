"""The kernel's inotify, raw: three system calls and the layout of an event (inotify(7)).

By ctypes: the library that gives as raw an access, inotify_simple 2.0, finds libc by running
ldconfig or a compiler as a child, which the service may not, and has no types.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import termios
from collections.abc import Iterator
from typing import NamedTuple

ATTRIB = 0x0000_0004
CLOSE_WRITE = 0x0000_0008
MOVED_FROM = 0x0000_0040
MOVED_TO = 0x0000_0080
CREATE = 0x0000_0100
DELETE = 0x0000_0200
DELETE_SELF = 0x0000_0400
MOVE_SELF = 0x0000_0800
UNMOUNT = 0x0000_2000
Q_OVERFLOW = 0x0000_4000
IGNORED = 0x0000_8000
ONLYDIR = 0x0100_0000
EXCL_UNLINK = 0x0400_0000

MASK = (
    ATTRIB
    | CLOSE_WRITE
    | MOVED_FROM
    | MOVED_TO
    | CREATE
    | DELETE
    | DELETE_SELF
    | MOVE_SELF
    | ONLYDIR
    | EXCL_UNLINK
)
"""One mask for all: a second watch of an inode replaces the mask of the first. Nothing that reading
a file causes (OPEN, ACCESS), nor every single write (MODIFY): those only fill the queue."""

_HEADER = struct.Struct("iIII")
_INT = struct.Struct("i")
_READ_BYTES = 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)


class Event(NamedTuple):
    """What the kernel tells."""

    watch: int
    mask: int
    name: bytes
    """Empty when it is about the directory itself."""


class Inotify:
    """One queue of the kernel.

    Raises:
        OSError: EMFILE or ENOSPC when the limit of instances is reached.
    """

    def __init__(self) -> None:
        self.descriptor = _checked(_libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        self.bytes_read = 0

    def add(self, directory: int) -> int:
        """Watch an open directory; the same inode gives the same watch again.

        By its descriptor: a path could lead elsewhere by now, or be too long.

        Raises:
            OSError: ENOSPC when the limit of watches is reached.
        """
        path = b"/proc/self/fd/%d" % directory
        return _checked(_libc.inotify_add_watch(self.descriptor, path, MASK))

    def remove(self, watch: int) -> None:
        """Stop watching; a watch that the kernel dropped before is no error."""
        _libc.inotify_rm_watch(self.descriptor, watch)

    def read(self) -> Iterator[Event]:
        """Return what is in the queue, not waiting for more.

        Raises:
            OSError: The queue cannot be read.
        """
        try:
            data = os.read(self.descriptor, _READ_BYTES)
        except BlockingIOError:
            return iter(())
        self.bytes_read += len(data)
        return events_in(data)

    def bytes_waiting(self) -> int:
        """Return how much is in the queue (`FIONREAD`, inotify(7))."""
        size = fcntl.ioctl(self.descriptor, termios.FIONREAD, bytes(_INT.size))
        waiting: int = _INT.unpack(size)[0]
        return waiting

    def close(self) -> None:
        """Drop the queue and every watch."""
        os.close(self.descriptor)


def events_in(data: bytes) -> Iterator[Event]:
    """Yield the events that the kernel wrote; each name is padded with zeros."""
    offset = 0
    while offset < len(data):
        watch, mask, _, length = _HEADER.unpack_from(data, offset)
        begin = offset + _HEADER.size
        offset = begin + length
        yield Event(watch, mask, data[begin:offset].rstrip(b"\0"))


def _checked(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
