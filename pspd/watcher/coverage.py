"""Which directories no hint comes from, why, and when each is looked at all the same.

A directory may be closed to us, beyond a limit of the kernel, or on a drive that others write. It
is then polled: looked at after some seconds, at double the pause for as long as nothing changes.
Each look tries to watch it again, so that a raised limit or a given permission needs no restart.
"""

from __future__ import annotations

import heapq
import itertools
import os
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.core.model import DirectoryId
from pspd.noticeboard import Notice
from pspd.rpc.wire import quoted
from pspd.watcher.blindness import AWAY, Cause, cause_of_closed, cause_of_polled, cause_of_unwatched

if TYPE_CHECKING:
    from pspd.core.model import WatchRoot
    from pspd.noticeboard import NoticeBoard
    from pspd.watcher.directories import Place
    from pspd.watcher.mounts import MountTable
    from pspd.watcher.notify import Notifier

POLL_SHARE = 10
"""Polling pauses so many times as long as it took, less once: at most a tenth of one core."""

POLLED_AT_ONCE = 64
"""Directories that one sweep of polling takes."""

FIRST_NAMED = 5
"""Directories that a notice names; the others are counted."""


@dataclass(slots=True)
class _Blind:
    cause: Cause
    pause: float
    due: float = 0.0


class Coverage:
    """The directories that are polled, and the notices about them.

    Args:
        board: Where a person reads of them.
        mounts: What is mounted where.
        notifier: Returns the present notifier.
        shortest: Pause before a directory is first polled, in seconds.
        longest: Longest pause, in seconds.
    """

    def __init__(
        self,
        board: NoticeBoard,
        mounts: MountTable,
        notifier: Callable[[], Notifier],
        *,
        shortest: float,
        longest: float,
    ) -> None:
        self._board = board
        self._mounts = mounts
        self._notifier = notifier
        self._shortest = shortest
        self._longest = longest
        self._blind: dict[DirectoryId, _Blind] = {}
        self._agenda: list[tuple[float, DirectoryId]] = []
        self._named: dict[Cause, dict[DirectoryId, str]] = {}
        self._counts: dict[Cause, int] = {}
        self._posted: set[str] = set()
        self._is_stale = False
        self._not_before = 0.0
        self._absent: dict[DirectoryId, str] = {}
        self._confirmed: frozenset[str] = frozenset()
        self._has_returned = False

    # --- what a sweep tells

    def enter(self, descriptor: int, device: int, root: WatchRoot, place: Place) -> None:
        """Hear of a directory before it is listed: have it watched, or note that it cannot be.

        Args:
            descriptor: The directory.
            device: Where it is, as a stat says.
            root: The root it is below.
            place: Where in the root.
        """
        number = place.directory.directory_id
        cause = None
        try:
            self._notifier().enter(descriptor, number)
        except OSError as error:
            cause = cause_of_unwatched(error)
        mount = self._mounts.polled_kind(device)
        if cause is None and mount is not None:
            cause = cause_of_polled(mount)
        if cause is None:
            if number in self._blind:
                self.forget([number])
        else:
            self._note(number, cause, os.path.join(root.path, *place.names))

    def closed(self, root: WatchRoot, place: Place, error: OSError) -> None:
        """Hear of a directory that cannot be listed."""
        path = os.path.join(root.path, *place.names)
        self._note(place.directory.directory_id, cause_of_closed(error), path)

    def absent(self, directory: DirectoryId, path: str) -> None:
        """Hear of a drive inside a root that is not there; its records stay."""
        if self._absent.get(directory) != path:
            self._absent[directory] = path
            # Nobody hints at what a drive gets that is mounted over a watched directory.
            self._note(directory, AWAY, path)
            self._board.post(
                _absent_key(directory),
                Notice(
                    "watching",
                    "a drive that was mounted here is not; what is known of its files stays",
                    f"mount it, or forget its files: pspc roots confirm {quoted(path)}",
                    path,
                ),
            )

    def present(self, directory: DirectoryId) -> None:
        """Hear of a directory that is there."""
        if self._absent.pop(directory, None) is not None:
            self.forget([directory])
            self._board.withdraw("watching", _absent_key(directory))
            self._has_returned = True

    def confirm(self, path: str, *, is_confirmed: bool) -> None:
        """Note whether a person said that what is missing at and below a path is really gone."""
        # Any thread may say so: the set is exchanged, never changed.
        self._confirmed = self._confirmed | {path} if is_confirmed else self._confirmed - {path}

    def is_confirmed(self, path: str) -> bool:
        """Say whether a person said that what is missing at a path is really gone."""
        return any(path == top or path.startswith(f"{top}/") for top in self._confirmed)

    def was_mounted(self, path: str) -> bool:
        """Say whether something was mounted at a path, and nothing is now."""
        return self._mounts.was_mounted(path)

    def gone(self, directories: Collection[DirectoryId]) -> None:
        """Hear of directories that are no longer known."""
        self._notifier().leave(directories)
        self.forget(directories)
        for number in directories:
            self.present(number)

    def take_returned(self) -> bool:
        """Say whether a drive came back since this was last asked."""
        has_returned, self._has_returned = self._has_returned, False
        return has_returned

    def forget(self, directories: Iterable[DirectoryId]) -> None:
        """Stop polling directories."""
        for number in directories:
            blind = self._blind.pop(number, None)
            if blind is not None:
                self._uncount(number, blind.cause)

    def _note(self, number: DirectoryId, cause: Cause, path: str) -> None:
        blind = self._blind.get(number)
        if blind is not None and blind.cause == cause:
            return
        if blind is not None:
            self._uncount(number, blind.cause)
        self._blind[number] = _Blind(cause, self._shortest)
        self._plan(number, self._blind[number], time.monotonic())
        self._counts[cause] = self._counts.get(cause, 0) + 1
        named = self._named.setdefault(cause, {})
        if len(named) < FIRST_NAMED:
            named[number] = path
        self._is_stale = True

    def _uncount(self, number: DirectoryId, cause: Cause) -> None:
        self._counts[cause] -= 1
        self._named[cause].pop(number, None)
        if not self._counts[cause]:
            del self._counts[cause], self._named[cause]
        self._is_stale = True

    # --- polling

    def take_due(self, now: float) -> list[DirectoryId]:
        """Return directories to look at now, and plan the next look at each."""
        due: list[DirectoryId] = []
        if now < self._not_before:
            return due
        while self._agenda and self._agenda[0][0] <= now and len(due) < POLLED_AT_ONCE:
            at, number = heapq.heappop(self._agenda)
            blind = self._blind.get(number)
            if blind is not None and blind.due == at:
                due.append(number)
                self._plan(number, blind, now)
        return due

    def polled(self, directory: DirectoryId, now: float, *, is_changed: bool) -> None:
        """Note that a directory was looked at: one that rests is looked at less often."""
        blind = self._blind.get(directory)
        if blind is not None:
            blind.pause = self._shortest if is_changed else min(2 * blind.pause, self._longest)
            self._plan(directory, blind, now)

    def _plan(self, directory: DirectoryId, blind: _Blind, now: float) -> None:
        blind.due = now + blind.pause
        heapq.heappush(self._agenda, (blind.due, directory))

    def took(self, seconds: float) -> None:
        """Note how long a sweep of polling took."""
        self._not_before = time.monotonic() + (POLL_SHARE - 1) * seconds

    def next_due(self) -> float | None:
        """When the next directory is to be polled; None when none is."""
        return max(self._agenda[0][0], self._not_before) if self._agenda else None

    @property
    def count(self) -> int:
        """How many directories are polled."""
        return len(self._blind)

    # --- notices

    def publish(self) -> None:
        """Bring the notices up to what is known: one for each cause, however many it concerns."""
        if not self._is_stale:
            return
        self._is_stale = False
        posted = set()
        for cause, count in self._counts.items():
            if cause == AWAY:
                continue  # each has a notice of its own
            named = list(itertools.islice(self._named[cause].values(), FIRST_NAMED))
            posted.add(cause.key)
            self._board.post(cause.key, _notice(cause, count, named, self._longest))
        for key in self._posted - posted:
            self._board.withdraw("watching", key)
        self._posted = posted


def _notice(cause: Cause, count: int, named: list[str], longest: float) -> Notice:
    """Return what is said of all directories with one cause."""
    which = "one folder" if count == 1 else f"{count:,} folders"
    if count > 1 and named:
        which += f" ({', '.join(quoted(path) for path in named)}{', …' * (count > len(named))})"
    path = named[0] if count == 1 and named else ""
    text = f"{which}: {cause.text_for(count)}; polled, at least every {longest:g} s"
    return Notice("watching", text, cause.cure_for(count, next(iter(named), "")), path)


def _absent_key(directory: DirectoryId) -> str:
    return f"absent {directory}"
