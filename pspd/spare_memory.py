"""Gives back the memory that was freed and that the C library keeps.

The tables of an index are made from arrays as large as themselves; what those leave free glibc
keeps for the next ones: 15 MB at ten million pictures, and after a first indexing what its batches
took.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

LOOK_SECONDS: Final = 10.0
"""How often it is asked how much there is, at most; that takes 20 µs."""

GROWN_BYTES: Final = 4 << 20
"""What has to have come since the last time: to look through all of it takes some milliseconds."""

_PROC_STATM: Final = Path("/proc/self/statm")


class SpareMemory:
    """Remembers how much there was when something was given back; for one thread."""

    def __init__(self) -> None:
        self._least = 0
        self._next = 0.0

    def give_back(self) -> int:
        """Give back what is free, if the process has grown; returns how many bytes it shrank by.

        Where a system lacks the means, nothing is done.
        """
        now = time.monotonic()
        if now < self._next:
            return 0
        self._next = now + LOOK_SECONDS
        before = own_bytes()
        if before < self._least + GROWN_BYTES:
            return 0
        _trim()
        self._least = own_bytes()
        return before - self._least


def own_bytes() -> int:
    """Return how much memory is this process's alone, of no file; 0 if unknown."""
    with suppress(OSError, ValueError):
        _, resident, shared, *_ = _PROC_STATM.read_text().split()
        return (int(resident) - int(shared)) * mmap.PAGESIZE
    return 0


def _trim() -> None:
    """Have glibc give back free pages of all its arenas; other C libraries do so by themselves."""
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
