"""The daemon's side of the template: start it, have it fork workers, replace it.

It is started once for all pools, and anew

* when it did not answer in time, or has ended. The worker that was wanted is then executed, as it
  is without a template, with all the time that it may take; the next one is asked of another
  template. After some failures in a row nobody asks any more. So failure costs time alone: at most
  that of `START_SECONDS` for each of these;
* when a worker was lost that came from the present one. All workers of a template have the same
  addresses, and whoever crashes one after the other on purpose shall not learn them bit by bit. The
  lost one's pool lends no more of its template's workers (`Supply.is_fit`), but those that have a
  file in hand finish it, and those of the other pool live on: a template's addresses can be tried
  as often as it has workers at that moment, and not once more.
"""

from __future__ import annotations

import math
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.workers.channel import Channel, ChannelClosedError, NonsenseError
from pspd.workers.child import END_SECONDS, Child, ForkedChild
from pspd.workers.messages import Fork, Forked

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND: Final = (sys.executable, "-P", "-m", "pspd.workers.template_process")
"""Starts a template; the number of its socket's descriptor is appended."""

START_SECONDS: Final = 20.0
"""How long it may take to import the decoders and answer; less than a worker, which can be had
without it, may take."""

ANSWER_SECONDS: Final = 10.0
"""How long it may take to fork once it has: some milliseconds, but the machine may be busy."""

MOST_FAILURES: Final = 3
"""After so many in a row nobody asks it any more."""

_LOCK_SECONDS: Final = 0.05
"""How long `close` waits for the lock before it looks again whom to kill."""

_log = get_logger(__name__)

_forked = msgspec.msgpack.Decoder(Forked)


class TemplateError(Exception):
    """No worker can be had of the template."""


class Template:
    """Forks workers, from any thread.

    Args:
        command: What to execute instead of the real template.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = tuple(command)
        self._lock = threading.Lock()
        # Under the lock, but that `close` may look at the process.
        self._process: _Process | None = None
        self._made = 0
        self._failures = 0
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the template there is now."""
        process = self._process
        return None if process is None else process.child.pid

    def start(self) -> None:
        """Begin to prepare without waiting for anybody; who forks says if that fails."""
        # Whoever has the lock prepares it already.
        if self._lock.acquire(blocking=False):
            try:
                with suppress(OSError, TemplateError):
                    self._prepared()
            finally:
                self._lock.release()

    def fork(self, descriptor: int) -> ForkedChild:
        """Return a new worker, which gets its own descriptor of a socket; waits for the template.

        Raises:
            TemplateError: There is none, or it failed.
        """
        with self._lock:
            try:
                process = self._prepared()
                pid = process.fork(descriptor)
            except (OSError, ChannelClosedError, NonsenseError, TimeoutError) as error:
                self._fail(error)
                raise TemplateError from error
            self._failures = 0
            return ForkedChild(pid, process.child.last_words, process.number)

    def renew(self, number: int) -> None:
        """Have the next worker forked by another process, which begins to prepare now.

        Args:
            number: Of the template to replace; if that is done already, nothing happens.
        """
        if number < self._made:
            return
        with self._lock, suppress(OSError, TemplateError):
            if number == self._made:
                self._end_process()
                self._prepared()

    def close(self, deadline: float = math.inf) -> None:
        """End it; who waits for it gets a TemplateError. Its workers live on.

        Args:
            deadline: Of `time.monotonic()`; a killed process is not waited for beyond it, nor
                whoever has the lock, who ends it instead.
        """
        self._is_closed = True
        while True:
            process = self._process
            if process is not None:
                process.child.kill(0.0)
            if self._lock.acquire(timeout=seconds_left(deadline, _LOCK_SECONDS)):
                break
            if time.monotonic() >= deadline:
                return
        try:
            self._end_process(seconds_left(deadline, END_SECONDS))
        finally:
            self._lock.release()

    def _prepared(self) -> _Process:
        if self._is_closed or self._failures >= MOST_FAILURES:
            raise TemplateError
        if self._process is None:
            self._made += 1
            self._process = _Process(self._command, self._made)
            # `close` has seen the process, or it is seen here that it was closed.
            if self._is_closed:
                self._end_process()
                raise TemplateError
        return self._process

    def _fail(self, error: Exception) -> None:
        """End what failed, and tell people."""
        process = self._process
        words = "" if process is None else process.words_of_failure()
        self._end_process()
        if self._is_closed:
            return
        self._failures += 1
        reason = words or str(error) or type(error).__name__
        _log.warning("the template forked no worker", reason=reason)
        if self._failures >= MOST_FAILURES:
            event = "no template is asked any more: workers take longer to start"
            _log.warning(event, reason=reason)

    def _end_process(self, seconds: float = END_SECONDS) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end(seconds)


class _Process:
    """One template.

    Args:
        command: What to execute.
        number: Tells it from others.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str], number: int) -> None:
        self.number = number
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        self._patience = START_SECONDS
        with theirs:
            try:
                self.child = Child(command, theirs.fileno())
            except BaseException:
                self._channel.close()
                raise

    def fork(self, descriptor: int) -> int:
        """Return the process id of a new worker.

        Raises:
            ChannelClosedError, NonsenseError, TimeoutError: It failed.
        """
        deadline = time.monotonic() + self._patience
        self._channel.send(Fork(), descriptor=descriptor, deadline=deadline)
        pid = self._channel.receive(_forked, deadline=deadline).pid
        self._patience = ANSWER_SECONDS
        return pid

    def words_of_failure(self) -> str:
        """End it after `fork` failed, and the worker that it forked too late; return its words."""
        self.child.kill(END_SECONDS)
        # A worker says its number as soon as it is there, and then lets go of this socket, so that
        # its other end is closed once there is none.
        with suppress(OSError, ChannelClosedError, NonsenseError, TimeoutError):
            late = self._channel.receive(_forked, deadline=time.monotonic() + END_SECONDS)
            ForkedChild(late.pid, str, self.number).kill()
        return self.child.last_words()

    def end(self, seconds: float) -> None:
        """End it, and wait so long for its end."""
        self.child.kill(seconds)
        self._channel.close()
        self.child.forget_words()
