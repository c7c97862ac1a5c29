"""The daemon's side of the template: start it, have it fork workers, replace it.

It is started once for all pools, and anew

* when it does not answer, or has ended. Until there is another one, and for good when it fails
  again and again, workers are started without it, so that its failure costs only time;
* when a worker was lost. All workers of a template have the same addresses, and whoever crashes one
  after the other on purpose shall not learn them bit by bit.
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

from pspd.workers.child import END_SECONDS, Child, ForkedChild
from pspd.workers.messages import Channel, ChannelClosedError, Fork, Forked, NonsenseError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND: Final = (sys.executable, "-P", "-m", "pspd.workers.template_process")
"""Starts a template; the number of its socket's descriptor is appended."""

START_SECONDS: Final = 60.0
"""How long it may take to import the decoders and answer; as of a worker."""

ANSWER_SECONDS: Final = 10.0
"""How long it may take to fork once it has: some milliseconds, but the machine may be busy."""

MOST_FAILURES: Final = 3
"""After so many in a row nobody asks it any more."""

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
        self._failures = 0
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """Process id of the template there is now."""
        process = self._process
        return None if process is None else process.child.pid

    def start(self) -> None:
        """Begin to prepare without waiting for it; who forks says if that fails."""
        with self._lock, suppress(OSError):
            self._prepared()

    def fork(self, descriptor: int) -> ForkedChild:
        """Return a new worker, which gets its own descriptor of a socket; waits for the template.

        Raises:
            TemplateError: There is none, or it failed.
        """
        with self._lock:
            if self._is_closed or self._failures >= MOST_FAILURES:
                raise TemplateError
            try:
                process = self._prepared()
                pid = process.fork(descriptor)
            except (OSError, ChannelClosedError, NonsenseError, TimeoutError) as error:
                self._failures += 1
                self._end_process()
                raise TemplateError from error
            self._failures = 0
            return ForkedChild(pid, process.child.last_words)

    def renew(self) -> None:
        """Have the next worker forked by another process, which begins to prepare now."""
        with self._lock, suppress(OSError):
            self._end_process()
            if not self._is_closed:
                self._prepared()

    def close(self, deadline: float = math.inf) -> None:
        """End it; who waits for it gets a TemplateError. Its workers live on.

        Args:
            deadline: Of `time.monotonic()`; a killed process is not waited for beyond it.
        """
        self._is_closed = True
        process = self._process
        if process is not None:
            process.child.kill(max(0.0, min(deadline - time.monotonic(), END_SECONDS)))
        with self._lock:
            self._end_process()

    def _prepared(self) -> _Process:
        if self._process is None:
            self._process = _Process(self._command)
        return self._process

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.end()


class _Process:
    """One template.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
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

    def end(self) -> None:
        """End it."""
        self.child.kill(END_SECONDS)
        self._channel.close()
        self.child.forget_words()
