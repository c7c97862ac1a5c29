"""How each root is."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

from pspd.core.model import WatchRoot
from pspd.watcher.deletions import Suspicion
from pspd.watcher.descriptors import Inode, inode_from


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
    former_device: int | None = None
    """The device it was on, until it is scanned on the present one."""
    suspicion: Suspicion = field(default_factory=Suspicion)
    """Whether too much of it seems gone."""
    next_scan: float = 0.0
    """When it is scanned again, by the monotonic clock."""

    @property
    def is_resting(self) -> bool:
        """Whether nothing of it is looked at: it is not there, or a person has paused it."""
        return self.is_unavailable or self.root.paused

    @property
    def prefix(self) -> str:
        """What the paths below it begin with."""
        return self.root.path.rstrip("/") + "/"

    @property
    def problem(self) -> str:
        """What a person should know of it, as one line."""
        parts = [part for part in (self.reason, self.watch_problem) if part]
        if self.suspicion.files:
            parts.append(
                f"{self.suspicion.files:,} files seem to be gone; waiting for a second look"
            )
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
