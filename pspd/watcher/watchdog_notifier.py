"""Hints from the `watchdog` library: the kernel's events, or its polling where those do not reach.

Its known gaps (7.1.0, seen): a queue overflow is only logged, its reading thread may die in
silence, a renamed root and some renamed directories go blind. None of it costs an answer: the log
line of an overflow becomes a hint to look at everything, `is_alive` looks at its threads, and the
rolling rescan heals the rest.
"""

from __future__ import annotations

import errno
import logging
import math
import os
import sys
import threading
import warnings
from typing import TYPE_CHECKING

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.polling import PollingObserver

from pspd.host import seconds_left
from pspd.watcher.notify import Hint, Sink, TreeNotifier, WatchError

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver, ObservedWatch

_EVENTS: list[type[events.FileSystemEvent]] = [
    events.FileCreatedEvent,
    events.FileClosedEvent,
    events.FileMovedEvent,
    events.FileDeletedEvent,
    events.FileAttribEvent,
    events.DirCreatedEvent,
    events.DirMovedEvent,
    events.DirDeletedEvent,
    events.DirAttribEvent,
]
"""Without opening, reading and (on Linux) every single write: those only fill the queue, and the
library lost two thirds of a burst of 100,000 files with them, none or a third without."""

_EVENTS_WITHOUT_CLOSE = [*_EVENTS, events.FileModifiedEvent]
"""Where nobody tells that a writer has closed a file: polling, and systems other than Linux."""

_CURES = {
    errno.ENOSPC: "the limit of inotify watches is reached; raise fs.inotify.max_user_watches",
    errno.EMFILE: "the limit of inotify instances is reached; raise fs.inotify.max_user_instances",
}


STUCK_SECONDS = 1.0
"""How long to wait for the observer's end."""


class WatchdogNotifier(TreeNotifier):
    """One observer of the `watchdog` library with a watch for each root."""

    def __init__(self, *, polling: bool = False, poll_seconds: float = 30.0) -> None:
        self.name = "polling" if polling else "watchdog"
        self.echo_seconds = None if polling else 10.0
        self._polling = polling
        self._poll_seconds = poll_seconds
        self._observer: BaseObserver | None = None
        tells_close = sys.platform.startswith("linux") and not polling
        self._events = _EVENTS if tells_close else _EVENTS_WITHOUT_CLOSE
        self._watches: dict[str, ObservedWatch] = {}
        self._overflows = _OverflowListener()
        self._sink: Sink = lambda _: None

    def start(self, sink: Sink) -> None:
        """Start the observer's threads."""
        # Each watch that is made again warns with a list of all watches (30 kB a line, seen).
        warnings.filterwarnings("ignore", category=RuntimeWarning, module=r"watchdog\.")
        self._sink = sink
        self._overflows.attach(sink)
        try:
            observer = PollingObserver(timeout=self._poll_seconds) if self._polling else Observer()
            observer.start()
        except OSError as error:
            self._overflows.detach()
            raise _watch_error(error) from error
        self._observer = observer

    def watch(self, path: str) -> None:
        """Watch a tree; the library adds its subdirectories before this returns."""
        assert self._observer is not None, "start comes first"
        self.unwatch(path)
        handler = _Handler(self._sink)
        try:
            self._watches[path] = self._observer.schedule(
                handler, path, recursive=True, event_filter=self._events
            )
        except OSError as error:
            raise _watch_error(error) from error

    def unwatch(self, path: str) -> None:
        """Stop watching a tree."""
        watch = self._watches.pop(path, None)
        if watch is not None and self._observer is not None:
            # A root that vanished took its emitter along: the library then forgets it or raises.
            try:
                self._observer.unschedule(watch)
            except (KeyError, OSError):
                return

    def is_alive(self) -> bool:
        """Say whether every thread of the library still runs.

        The observer and its emitters survive the death of the thread that reads the kernel's
        queue, so that one is looked at as well; it has no public name.
        """
        if self._observer is None or not self._observer.is_alive():
            return False
        reader = getattr(self._observer, "_inotify_fd", None)
        return not isinstance(reader, threading.Thread) or reader.is_alive()

    def close(self, deadline: float = math.inf) -> None:
        """Stop the observer's threads; one that hangs in a drive is left behind."""
        self._overflows.detach()
        observer, self._observer = self._observer, None
        if observer is not None:
            # `stop` itself waits, without a limit, for an emitter that hangs in a drive.
            end = threading.Thread(target=_end, args=(observer,), name="watchdog-end", daemon=True)
            end.start()
            end.join(seconds_left(deadline, STUCK_SECONDS))
        self._watches.clear()


def _end(observer: BaseObserver) -> None:
    observer.stop()
    observer.join()


def _watch_error(error: OSError) -> WatchError:
    reason = _CURES.get(error.errno or 0, os.strerror(error.errno or 0))
    return WatchError(f"cannot be watched: {reason}")


class _Handler(events.FileSystemEventHandler):
    """Turns each event into hints: the path it happened at, and where a move went."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        is_removal = event.event_type in {events.EVENT_TYPE_DELETED, events.EVENT_TYPE_MOVED}
        self._sink(Hint(os.fsdecode(event.src_path), is_removal))
        if event.dest_path:
            self._sink(Hint(os.fsdecode(event.dest_path)))


class _OverflowListener(logging.Handler):
    """Hears of lost events in the only place where the library tells: its log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._sink: Sink = lambda _: None

    def attach(self, sink: Sink) -> None:
        self._sink = sink
        logging.getLogger("watchdog.observers").addHandler(self)

    def detach(self) -> None:
        logging.getLogger("watchdog.observers").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in str(record.msg):
            self._sink(Hint(None))
