"""Why a directory is not watched, as a person reads it: the limit by its name, and the cure."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.rpc.wire import quoted

if TYPE_CHECKING:
    from pspd.watcher.mounts import Mount

WATCH_LIMITS = ("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches")
"""The limit of a user and that of a user namespace; the smaller one counts."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One kind of reason; directories that share it share one notice."""

    key: str
    text: str
    cure: str = ""
    limit: str = ""
    """The kernel's file with the limit that is reached, if one is."""

    def text_for(self, count: int) -> str:
        """Return the reason, with the limit's present and needed value."""
        if not self.limit:
            return self.text
        have = _limit_in(self.limit)
        return f"{self.text}: {_sysctl(self.limit)} is {have:,}, needed is {have + count:,} or more"

    def cure_for(self, count: int, path: str) -> str:
        """Return what mends it; `path` is one directory that it concerns."""
        if not self.limit:
            return self.cure.replace("{path}", quoted(path))
        # Twice what is needed: folders grow, and other programs watch as well.
        return f"sudo sysctl {_sysctl(self.limit)}={2 * (_limit_in(self.limit) + count)}"


def cause_of_unwatched(error: OSError) -> Cause:
    """Say why the kernel refused a watch."""
    if error.errno == errno.ENOSPC:
        limit = min(WATCH_LIMITS, key=_limit_in)
        return Cause("watch limit", "the limit of inotify watches is reached", limit=limit)
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return _TOO_MANY_FILES
    return Cause(f"unwatched {error.errno}", f"cannot be watched: {os.strerror(error.errno or 0)}")


def cause_of_closed(error: OSError) -> Cause:
    """Say why a directory could not be listed."""
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return _TOO_MANY_FILES
    reason = os.strerror(error.errno or 0)
    if error.errno in {errno.EACCES, errno.EPERM}:
        cure = "allow reading: chmod u+rx {path}, or exclude it: pspc add --exclude"
        return Cause("permission", f"cannot be read: {reason}", cure)
    return Cause(f"closed {error.errno}", f"cannot be read: {reason}", "see to its drive")


def cause_of_polled(mount: Mount) -> Cause:
    """Say why a file system is polled."""
    text = f"others can change files on {mount.kind} without this system's knowing"
    return Cause(f"file system {mount.kind} at {mount.path}", text)


AWAY = Cause("away", "its drive is away")

_TOO_MANY_FILES = Cause(
    "open files",
    "cannot be read: too many open files",
    "raise the limit of open files: ulimit -n, or LimitNOFILE= of the service",
)


def _limit_in(path: str) -> int:
    """Return a limit of the kernel; what cannot be read limits nothing."""
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 1 << 31


def _sysctl(path: str) -> str:
    return path.removeprefix("/proc/sys/").replace("/", ".")
