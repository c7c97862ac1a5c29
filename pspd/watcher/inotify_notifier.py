"""Hints from Linux's inotify, thinly: the store's directory numbers in, those numbers out.

    watcher's thread:  enter(descriptor, number) ──add_watch──▶ watch ↔ numbers
    reading thread:    kernel's queue, mount table ──▶ hints

Each directory is watched by its descriptor just before it is listed, so that nothing falls between
the two. No path is kept: where a directory is, and what it was renamed to, the store knows, whose
numbers follow an inode through renames. Several numbers may stand for one watch (bind mounts, a
move that was not looked at yet); all of them are hinted at.

The reading thread makes no call to a file system and waits for nobody, so that the kernel's queue
(16,384 events by default) overflows only under a load that no reader keeps up with.
"""

from __future__ import annotations

import errno
import math
import os
import select
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from pspd.core.debounce import MAX_NAMES
from pspd.core.model import DirectoryId
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.watcher import inotify
from pspd.watcher.inotify import Event, Inotify
from pspd.watcher.notify import AnyHint, DirectoryHint, Hint, MountHint, Sink, WatchError

_ITSELF = inotify.DELETE_SELF | inotify.MOVE_SELF | inotify.UNMOUNT
_AWAY = inotify.DELETE | inotify.MOVED_FROM | inotify.DELETE_SELF | inotify.MOVE_SELF
"""An unmount is none of these: what is on the drive was not removed."""

STUCK_SECONDS = 1.0
"""How long to wait for the reading thread's end."""

_log = get_logger(__name__)


@dataclass(slots=True)
class _Gathered:
    """What one read of the queue tells of one directory."""

    names: set[bytes] | None = field(default_factory=set)
    removals: int = 0
    is_self: bool = False


class InotifyNotifier:
    """One inotify instance, one reading thread.

    Args:
        before_read: Called by the reading thread before it empties the queue; for tests.
    """

    name = "inotify"
    echo_seconds: float | None = 10.0

    def __init__(self, before_read: Callable[[], object] = lambda: None) -> None:
        self._before_read = before_read
        self._inotify: Inotify | None = None
        self._numbers: dict[int, tuple[DirectoryId, ...]] = {}
        self._watches: dict[DirectoryId, int] = {}
        # The watcher's thread enters and leaves; the reading thread drops what the kernel dropped.
        self._lock = threading.Lock()
        self._sink: Sink = lambda _: None
        self._wake: int | None = None
        self._thread: threading.Thread | None = None
        self._bytes_passed = 0
        """How much of the kernel's queue was read and hinted at."""
        self._passed = threading.Condition()

    def start(self, sink: Sink) -> None:
        """Open the queue and begin to read it.

        Raises:
            WatchError: The limit of instances is reached.
        """
        try:
            wake, self._wake = os.pipe()
            try:
                self._inotify = Inotify()
            except OSError:
                os.close(wake)
                raise
        except OSError as error:
            raise WatchError(_no_instance(error)) from error
        self._sink = sink
        self._thread = threading.Thread(
            target=self._read, args=(self._inotify, wake), name="inotify", daemon=True
        )
        self._thread.start()

    def watch(self, path: str) -> None:
        """Do nothing: the tree's directories are entered one by one."""

    def unwatch(self, path: str) -> None:
        """Do nothing: the tree's directories are left one by one."""

    @property
    def count(self) -> int:
        """How many directories are watched."""
        return len(self._numbers)

    def enter(self, descriptor: int, directory: DirectoryId) -> None:
        """Watch an open directory under the number that the store has for it.

        Raises:
            OSError: ENOSPC when the limit of watches is reached.
        """
        with self._lock:
            if self._inotify is None:
                raise OSError(errno.EBADF, "the notifier is dead")
            watch = self._inotify.add(descriptor)
            before = self._watches.get(directory)
            self._watches[directory] = watch
            numbers = self._numbers.get(watch, ())
            if directory not in numbers:
                self._numbers[watch] = (*numbers, directory)
            if before is not None and before != watch:
                self._drop(before, directory)

    def leave(self, directories: Iterable[DirectoryId]) -> None:
        """Stop watching directories."""
        with self._lock:
            for directory in directories:
                watch = self._watches.pop(directory, None)
                if watch is not None:
                    self._drop(watch, directory)

    def _drop(self, watch: int, directory: DirectoryId) -> None:
        """Take a number off a watch, and the watch off the kernel when it has none left."""
        left = tuple(each for each in self._numbers.get(watch, ()) if each != directory)
        if left:
            self._numbers[watch] = left
        elif self._numbers.pop(watch, None) is not None and self._inotify is not None:
            self._inotify.remove(watch)

    def catch_up(self, seconds: float) -> None:
        """Wait until what is in the kernel's queue has been hinted at."""
        with self._lock, self._passed:
            if self._inotify is None:
                return
            wanted = self._inotify.bytes_read + self._inotify.bytes_waiting()
        with self._passed:
            self._passed.wait_for(lambda: self._bytes_passed >= wanted, seconds)

    def is_alive(self) -> bool:
        """Say whether the reading thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def close(self, deadline: float = math.inf) -> None:
        """Stop the reading thread, which drops all watches; one that is stuck is left behind."""
        self._sink = lambda _: None
        with self._lock:
            self._inotify = None
        if self._wake is not None:
            os.close(self._wake)
        if self._thread is not None:
            self._thread.join(seconds_left(deadline, STUCK_SECONDS))
        self._wake = self._thread = None

    # --- the reading thread

    def _read(self, queue: Inotify, wake: int) -> None:
        poller = select.poll()
        poller.register(queue.descriptor, select.POLLIN)
        poller.register(wake, select.POLLIN)
        mounts = _open_mounts()
        if mounts is not None:
            poller.register(mounts, select.POLLPRI | select.POLLERR)
        try:
            while True:
                ready = {descriptor for descriptor, _ in poller.poll()}
                if wake in ready:
                    return
                if mounts in ready:
                    self._sink(MountHint())
                if queue.descriptor in ready:
                    self._before_read()
                    with self._passed:  # so that what is read is counted before it is asked for
                        events = queue.read()
                    for hint in self._hints(events):
                        self._sink(hint)
                    with self._passed:
                        self._bytes_passed = queue.bytes_read
                        self._passed.notify_all()
        except OSError as error:
            _log.error("the kernel's queue cannot be read", error=error)
        finally:
            with self._lock:
                self._inotify = None
            queue.close()
            os.close(wake)
            if mounts is not None:
                os.close(mounts)

    def _hints(self, events: Iterable[Event]) -> list[AnyHint]:
        """Turn what one read told into one hint for each directory."""
        hints: list[AnyHint] = []
        gathered: dict[DirectoryId, _Gathered] = {}
        with self._lock:
            for event in events:
                if event.mask & inotify.Q_OVERFLOW:
                    hints.append(Hint(None))
                for directory in self._numbers.get(event.watch, ()):
                    if event.mask & inotify.IGNORED:
                        # The kernel dropped the watch, and will use its number for another one day.
                        if self._watches.get(directory) == event.watch:
                            del self._watches[directory]
                    else:
                        _gather(gathered.setdefault(directory, _Gathered()), event)
                if event.mask & inotify.IGNORED:
                    self._numbers.pop(event.watch, None)
        hints += [_hint(directory, seen) for directory, seen in gathered.items()]
        return hints


def _gather(seen: _Gathered, event: Event) -> None:
    seen.removals += bool(event.mask & _AWAY)
    if event.mask & _ITSELF or not event.name:
        seen.is_self = True
    elif seen.names is not None:
        seen.names.add(event.name)
        if len(seen.names) > MAX_NAMES:
            seen.names = None


def _hint(directory: DirectoryId, seen: _Gathered) -> DirectoryHint:
    names = None if seen.names is None else frozenset(map(os.fsdecode, seen.names))
    return DirectoryHint(directory, names, seen.removals, seen.is_self)


def _open_mounts() -> int | None:
    """Open the table of mounts, which poll(2) reports as urgent when it changed (proc(5))."""
    with suppress(OSError):
        return os.open("/proc/self/mountinfo", os.O_RDONLY | os.O_CLOEXEC)
    return None


def _no_instance(error: OSError) -> str:
    if error.errno in {errno.EMFILE, errno.ENOSPC}:
        return (
            "cannot be watched: the limit of inotify instances or of open files is reached; "
            "raise fs.inotify.max_user_instances"
        )
    return f"cannot be watched: {os.strerror(error.errno or 0)}"
