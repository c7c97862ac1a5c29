"""The parent's side of one worker process: start it, have it read files, end it.

    started ──wait_until_ready──> usable ──read──> usable ──…──> spent │ lost ──end──> gone

A worker that is late, dead or talks nonsense is lost, and costs the file it had in hand. One that
has read enough files, or met something that may have left it in a bad state, is spent.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from pspd.core.model import FailureReason, ImageId, Limits
from pspd.errors import FileFailure
from pspd.workers.channel import ChannelClosedError, NonsenseError
from pspd.workers.child import END_SECONDS
from pspd.workers.messages import (
    Digest,
    Done,
    Failed,
    Job,
    Order,
    Proceed,
    Protection,
    Ready,
    Setup,
)
from pspd.workers.replies import Outcome, check_digest, checked_outcome, printable
from pspd.workers.sandbox import MAX_FILES
from pspd.workers.starting import START_SECONDS, started

if TYPE_CHECKING:
    from pspd.workers.template import Template

COMMAND: Final = (sys.executable, "-P", "-m", "pspd.workers.process")
"""Starts a worker; the number of its socket's descriptor is appended."""

GRACE_SECONDS: Final = 0.5
"""Added to the limit on a file's time: for waking up, and for reading from a slow disk."""

_SIGNALS_OF_TIME: Final = frozenset({signal.SIGXCPU, signal.SIGALRM})

_T = TypeVar("_T")

_readiness = msgspec.msgpack.Decoder(Ready)
_digest_or_failure = msgspec.msgpack.Decoder(Digest | Failed)
_end_or_failure = msgspec.msgpack.Decoder(Done | Failed)


class WorkerLostError(FileFailure):
    """The worker is gone, and with it the file it was reading."""

    image_id: ImageId | None = None
    """The content that it was about to decode, if it came so far as to say so."""


class WorkerStartError(Exception):
    """A worker did not get as far as reading files; the message has its last words."""


class SandboxMissingError(WorkerStartError):
    """A worker is not confined as it has to be; it was ended before it saw a file."""

    def __init__(self, protection: Protection) -> None:
        super().__init__(f"its sandbox is not in force ({protection.missing})")
        self.protection = protection


class WorkerHandle:
    """One worker process; used by one thread at a time, but for `kill`.

    Args:
        command: What to execute.
        limits: What one file may cost.
        nice: Added to the process's niceness.
        needs_sandbox: Whether it must not see a file without all of its sandbox.
        template: Forks it, if it can; otherwise `command` is executed.

    Raises:
        WorkerStartError: the process cannot be started.
    """

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits,
        *,
        nice: int,
        needs_sandbox: bool = False,
        template: Template | None = None,
    ) -> None:
        self._limits = limits
        self._needs_sandbox = needs_sandbox
        self.protection = Protection()
        """What of its sandbox is in force, once it is ready."""
        self._files = 0
        self._announced: ImageId | None = None
        self._is_ready = False
        self._is_usable = True
        try:
            self._child, self._channel = started(command, Setup(limits, nice), template)
        except OSError as error:
            raise WorkerStartError(f"{command[0]}: {error.strerror}") from error
        # From now: a template that hung has taken its own time.
        self._deadline = time.monotonic() + START_SECONDS
        self.template = self._child.template
        """Number of the template that forked it; None if it was executed."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def files_left(self) -> int:
        """How many files it may still be given."""
        return MAX_FILES - self._files if self._is_usable else 0

    @property
    def is_ready(self) -> bool:
        """Whether it was seen to be ready."""
        return self._is_ready

    def is_waiting(self) -> bool:
        """Tell whether it is alive and said nothing unasked."""
        return self._channel.is_silent()

    def wait_until_ready(self) -> None:
        """Wait until the process has its imports and is in its sandbox.

        Raises:
            WorkerStartError: it ended, or took too long.
            SandboxMissingError: it is not confined as it has to be.
        """
        if self._is_ready:
            return
        self._is_usable = False
        try:
            self.protection = self._channel.receive(_readiness, deadline=self._deadline).protection
        except (ChannelClosedError, NonsenseError, TimeoutError) as error:
            self.kill()
            raise WorkerStartError(self._child.last_words() or str(error)) from error
        self._child.forget_words()
        if self._needs_sandbox and not self.protection.is_full:
            self.kill()
            raise SandboxMissingError(self.protection)
        self._is_ready = self._is_usable = True

    def read(
        self,
        descriptor: int,
        order: Order,
        is_known: Callable[[ImageId], bool] | None,
        wants_pixels: Callable[[Outcome], bool] | None = None,
    ) -> Outcome:
        """Have a file read.

        Args:
            descriptor: Open for reading; stays open.
            order: What is wanted.
            is_known: Called with the file's digest before it is decoded; if it says True, the
                outcome has the digest alone. The time it takes is not the worker's.
            wants_pixels: Called with all but the pixels that were ordered, if they were; if it says
                False, they are left out. The time it takes is not the worker's.

        Raises:
            WorkerLostError: `crashed` or `timeout`; this worker cannot be used again.
            FileFailure: the file cannot be read; the worker is well.
        """
        size = _size_of(descriptor)
        # Until the conversation came to its end: whatever cuts it short leaves it out of step.
        self._is_usable = False
        self._announced = None
        self._deadline = time.monotonic() + self._limits.max_seconds + GRACE_SECONDS
        try:
            if not order.pixels:
                wants_pixels = None
            job = Job(order, is_known is not None, size, shows_first=wants_pixels is not None)
            self._channel.send(job, descriptor=descriptor, deadline=self._deadline)
            outcome = self._converse(order, is_known, wants_pixels)
        except TimeoutError as error:
            raise self._late() from error
        except ChannelClosedError as error:
            raise self._dead() from error
        except NonsenseError as error:
            text = printable(f"the worker answered nonsense: {error}")
            raise self._lost(FailureReason.CRASHED, text) from error
        self._files += 1
        if isinstance(outcome, Failed):
            self._is_usable = not outcome.is_spent
            raise FileFailure(outcome.reason, printable(outcome.message))
        self._is_usable = True
        return outcome

    def kill(self, seconds: float = END_SECONDS) -> None:
        """End the process; any thread may, and the one that waits for its reply is told.

        Args:
            seconds: How long to wait for its end.
        """
        self._child.kill(seconds)

    def end(self, seconds: float = END_SECONDS) -> None:
        """End the process, waiting so long for its end, and the conversation."""
        # It has no state to put away, and a kill is over sooner than an interpreter's farewell.
        self.kill(seconds)
        self._channel.close()
        self._child.forget_words()

    def _converse(
        self,
        order: Order,
        is_known: Callable[[ImageId], bool] | None,
        wants_pixels: Callable[[Outcome], bool] | None,
    ) -> Outcome | Failed:
        image_id: ImageId | None = None
        if is_known is not None:
            asked = self._channel.receive(_digest_or_failure, deadline=self._deadline)
            if isinstance(asked, Failed):
                return asked
            image_id = asked.image_id
            check_digest(image_id)
            self._announced = image_id
            if not self._proceeds(not self._ask(is_known, image_id)):
                return self._outcome(Order(features=False), image_id)
        if wants_pixels is None:
            return self._outcome(order, image_id)
        shown = self._outcome(msgspec.structs.replace(order, pixels=False), image_id)
        if isinstance(shown, Failed):
            return shown
        is_wanted = self._proceeds(self._ask(wants_pixels, shown))
        # A second decode, of the whole picture, may take as long as the first.
        self._deadline = time.monotonic() + self._limits.max_seconds + GRACE_SECONDS
        rest = self._outcome(Order(features=False, pixels=is_wanted), shown.image_id)
        return rest if isinstance(rest, Failed) else replace(shown, pixels=rest.pixels)

    def _outcome(self, order: Order, known_as: ImageId | None) -> Outcome | Failed:
        reply = self._channel.receive(_end_or_failure, deadline=self._deadline)
        if isinstance(reply, Failed):
            return reply
        return checked_outcome(reply, order, self._limits, known_as)

    def _proceeds(self, is_wanted: bool) -> bool:  # noqa: FBT001 - the one thing that is said
        self._channel.send(Proceed(is_wanted), deadline=self._deadline)
        return is_wanted

    def _ask(self, question: Callable[[_T], bool], about: _T) -> bool:
        before = time.monotonic()
        answer = question(about)
        self._deadline += time.monotonic() - before
        return answer

    def _late(self) -> WorkerLostError:
        seconds = f"{self._limits.max_seconds:g} s"
        return self._lost(FailureReason.TIMEOUT, f"reading it took longer than {seconds}")

    def _lost(self, reason: FailureReason, message: str) -> WorkerLostError:
        error = WorkerLostError(reason, message)
        error.image_id = self._announced
        return error

    def _dead(self) -> WorkerLostError:
        """Say how the process died; its end of the socket closes a moment earlier."""
        status = self._child.end_status()
        if status is None:
            return self._lost(FailureReason.CRASHED, "the worker hung up on this file")
        if -status in _SIGNALS_OF_TIME:
            return self._late()
        how = f"was killed by {_name(-status)}" if status < 0 else f"exited with status {status}"
        return self._lost(FailureReason.CRASHED, f"the worker {how} while it read this file")


def _size_of(descriptor: int) -> int:
    """Return a file's size in bytes.

    Raises:
        FileFailure: `not_a_file`.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise FileFailure(FailureReason.NOT_A_FILE, "not a regular file")
    return status.st_size


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        # Real-time signals between the first and the last have no names.
        return f"signal {number}"
