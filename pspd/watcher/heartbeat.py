"""A file touched now and then in PSP's own folder: if no hint comes of it, the notifier is dead."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.log import get_logger
from pspd.watcher.notify import HEARTBEAT, AnyHint, DirectoryHint, Hint, WatchError

if TYPE_CHECKING:
    from pspd.watcher.notify import Notifier

_log = get_logger(__name__)


class Heartbeat:
    """Touches a file and waits for its echo; the watcher's thread beats, any thread hears.

    Args:
        folder: A directory of PSP's own, made when it is not there; None: do nothing.
        interval: Seconds between two beats.
    """

    def __init__(self, folder: Path | None, interval: float) -> None:
        self._folder = folder
        self._interval = interval
        self._patience: float | None = None
        self._next = 0.0
        self._sent: float | None = None
        self.heard = 0
        """Echoes since the start of the present notifier."""

    def begin(self, notifier: Notifier) -> None:
        """Have a notifier watch the folder; without an echo to expect, or a watch, do nothing."""
        self._patience = None
        self._sent = None
        self.heard = 0
        self._next = time.monotonic() + self._interval
        if self._folder is None or notifier.echo_seconds is None:
            return
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                notifier.enter(descriptor, HEARTBEAT)
            finally:
                os.close(descriptor)
            notifier.watch(os.fspath(self._folder))
        except (OSError, WatchError) as error:
            _log.warning("the notifier's life cannot be watched", reason=error)
            return
        self._patience = notifier.echo_seconds

    def is_echo(self, hint: AnyHint) -> bool:
        """Say whether a hint is about the folder, and if so note that it was heard."""
        match hint:
            case DirectoryHint(directory):
                is_ours = directory == HEARTBEAT
            case Hint(str(path)) if self._folder is not None:
                top = os.fspath(self._folder)
                is_ours = path == top or path.startswith(f"{top}/")
            case _:
                is_ours = False
        if is_ours:
            self._sent = None
            self.heard += 1
        return is_ours

    def is_silent(self) -> bool:
        """Beat when it is time; say whether the last beat had no echo for too long."""
        now = time.monotonic()
        sent = self._sent
        if self._patience is None or self._folder is None:
            return False
        if sent is not None:
            return now - sent > self._patience
        if now >= self._next:
            self._next = now + self._interval
            self._sent = now
            try:
                # Of a file that exists only the time is set, which a full disk allows.
                (self._folder / "beat").touch(mode=0o600)
            except OSError as error:
                self._sent = None
                _log.warning("the notifier's life cannot be watched", reason=error)
        return False
