"""Waits until there is room on the store's disk again, and says how much is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pspd.rpc.wire import quoted
from pspd.store import file_system

RETRY_SECONDS = (30.0, 300.0, 900.0)
"""How long to wait before what could not be stored is tried again: first, next, from then on."""

LOOK_SECONDS = 1.0
"""How often the disk is looked at, meanwhile and otherwise."""

GAINED_BYTES = 1 << 20
"""Space that makes a try worth while at once."""


class Room:
    """The room on the disk of one folder.

    Args:
        folder: The store's.
        floor: Bytes that are kept free; see `file_system.missing_room`.
        retry_seconds: How long to wait after the first, the second… failure in a row.
    """

    def __init__(
        self, folder: Path, floor: int, retry_seconds: Sequence[float] = RETRY_SECONDS
    ) -> None:
        self._folder = folder
        self._floor = floor
        self._retry_seconds = retry_seconds
        self._missing = 0
        self._next_look = 0.0

    def problem(self) -> str:
        """Say why nothing should be read at present; empty when all is well."""
        now = time.monotonic()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            with suppress(OSError):  # what is wrong with the folder is told by who writes there
                self._missing = file_system.missing_room(self._folder, self._floor)
        if not self._missing:
            return ""
        return (
            f"is the disk full? {-(-self._missing >> 20)} MiB more have to be free where "
            f"{quoted(str(self._folder))} is, before indexing goes on"
        )

    def wait(self, failures: int, stopping: threading.Event) -> bool:
        """Wait before the next try, less when room is made; returns whether to stop instead.

        Args:
            failures: How many there were in a row, from 1.
            stopping: Ends the wait.
        """
        seconds = self._retry_seconds[min(failures, len(self._retry_seconds)) - 1]
        until = time.monotonic() + seconds
        least = self._free()
        while (left := until - time.monotonic()) > 0:
            if stopping.wait(min(LOOK_SECONDS, left)):
                return True
            free = self._free()
            if free >= least + GAINED_BYTES:
                return False
            least = min(least, free)
        return False

    def _free(self) -> int:
        with suppress(OSError):
            return file_system.free_bytes(self._folder)
        return 0
