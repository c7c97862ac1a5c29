"""Gives back the memory in which this process sees pages of the store's file.

Every page of a map that was touched counts as this process's memory until the kernel wants it for
something else: after all columns were read, 490 MB at ten million pictures. The map is shared and
only read, so that taking its pages out of the process loses nothing: they stay in the kernel's
cache, and who touches one again gets it from there.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FORGET_SECONDS = 0.25
"""How often what goes through all of a store gives its memory back."""

_READ_ONLY_SHARED = "r--s"
_PROC_MAPS = Path("/proc/self/maps")
_PROC_STATM = Path("/proc/self/statm")


def forget_pages(file: Path) -> None:
    """Take a file's pages out of this process's memory, wherever it is mapped to be read alone.

    Nobody may unmap it meanwhile: another map could take its place, and lose what it has. Where a
    system lacks the means, nothing is done.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError):
        library = ctypes.CDLL(None, use_errno=True)
        library.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for first, last in _maps_of(file):
            library.madvise(first, last - first, mmap.MADV_DONTNEED)


@contextmanager
def forgetting(forget: Callable[[], None]) -> Iterator[None]:
    """Give pages back again and again, while something goes through all of a store."""
    is_over = threading.Event()

    def work() -> None:
        while not is_over.wait(FORGET_SECONDS):
            forget()

    thread = threading.Thread(target=work, name="pspd-forgetting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        forget()


def file_bytes() -> int:
    """Return how much of this process's memory are pages of files and shared ones; 0 if unknown."""
    with suppress(OSError, ValueError, IndexError):
        return int(_PROC_STATM.read_text().split()[2]) * mmap.PAGESIZE
    return 0


def _maps_of(file: Path) -> Iterator[tuple[int, int]]:
    """Yield the first and last address of each map of a file that is shared and only read."""
    inode = str(os.stat(file).st_ino)
    for line in _PROC_MAPS.read_text("utf-8", "surrogateescape").splitlines():
        # Not by the device, which Btrfs calls otherwise here than in a stat.
        addresses, permissions, _, _, found, *name = line.split(maxsplit=5)
        if (permissions, found) == (_READ_ONLY_SHARED, inode) and file.name in "".join(name):
            first, last = (int(part, 16) for part in addresses.split("-"))
            yield first, last
