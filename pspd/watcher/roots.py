"""How each root is, and the scans that wait for their turn."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from pspd.core.model import RootId, WatchRoot
from pspd.watcher.descriptors import Inode, inode_from

MOST_REPEATS = 5
"""How often a scan is done again that directories were moved under."""


@dataclass(slots=True)
class RootState:
    """One root as the watcher sees it; written by the watcher's thread alone."""

    root: WatchRoot
    is_scanned: bool = False
    """Whether it was scanned since the daemon's start."""
    is_unavailable: bool = False
    """Whether its folder is missing; its records stay and answer."""
    reason: str = ""
    """Why it is unavailable."""
    watch_problem: str = ""
    """Why hints do not come from all of it."""
    unreadable: tuple[str, ...] = ()
    """Directories that the last scan could not list."""
    watched: Inode | None = None
    """The directory that the notifier watches."""
    next_scan: float = 0.0
    """When it is scanned again, by the monotonic clock."""

    @property
    def prefix(self) -> str:
        """What the paths below it begin with."""
        return self.root.path.rstrip("/") + "/"

    @property
    def problem(self) -> str:
        """What a person should know of it, as one line."""
        parts = [part for part in (self.reason, self.watch_problem) if part]
        if self.unreadable:
            more = f" and {len(self.unreadable) - 1} more" if len(self.unreadable) > 1 else ""
            parts.append(f"cannot be read: {self.unreadable[0]}{more}")
        return "; ".join(parts)

    def is_in_place(self) -> bool:
        """Say whether the root's folder is still the one that is watched."""
        return inode_of(self.root.path) == self.watched

    def make_unavailable(self, reason: str) -> None:
        """Note that the root's folder is not there."""
        self.is_unavailable = True
        self.reason = reason
        self.watched = None

    def make_available(self) -> None:
        """Note that the root's folder is there."""
        self.is_unavailable = False
        self.reason = ""


@dataclass(slots=True)
class ScanRequest:
    """A scan of one root that was asked for."""

    root_id: RootId
    waiters: list[Future[None]] = field(default_factory=list)
    """Futures of those who wait for it."""
    repeats: int = 0
    """How often it was done again, because it was disturbed or broken off."""

    def may_repeat(self) -> bool:
        """Count one more repetition; say no when there were too many: the tree never rests."""
        self.repeats += 1
        return self.repeats <= MOST_REPEATS

    def finish(self) -> None:
        """Tell those who wait that the scan is through."""
        for future in self.waiters:
            future.set_result(None)

    def cancel(self) -> None:
        """Tell those who wait that the scan will not be."""
        for future in self.waiters:
            future.cancel()

    @staticmethod
    def join(requests: Sequence[ScanRequest], done: Future[None]) -> None:
        """Complete `done` when all requests are through."""
        open_requests = len(requests)
        if not open_requests:
            done.set_result(None)
            return

        def count(future: Future[None]) -> None:
            nonlocal open_requests
            if future.cancelled():
                done.cancel()
                return
            open_requests -= 1
            if not open_requests and not done.cancelled():
                done.set_result(None)

        for request in requests:
            part: Future[None] = Future()
            part.add_done_callback(count)
            request.waiters.append(part)


def inode_of(path: str) -> Inode | None:
    """Return a directory's device and inode; None when there is no directory."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return inode_from(status) if stat.S_ISDIR(status.st_mode) else None


def is_empty(path: str) -> bool:
    """Say whether a directory has no entries; one that cannot be read counts as empty."""
    try:
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:
        return True
