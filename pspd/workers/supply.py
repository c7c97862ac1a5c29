"""Where a pool's workers come from: makes them, and knows of failed starts, sandbox and deaths.

A worker is made without waiting for it, and waited for by whoever is the first to need it. One that
does not start is replaced, until three in a row did not.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from pspd.core.model import Limits
from pspd.errors import NoWorker
from pspd.noticeboard import Notice, NoticeBoard
from pspd.workers.handle import COMMAND, SandboxMissingError, WorkerHandle, WorkerStartError
from pspd.workers.messages import Protection
from pspd.workers.template import Template

_MAX_FAILED_STARTS: Final = 3
"""Workers that may fail to start one after the other before the pool gives up: one or two are a
machine short of memory, three are a broken installation."""


class Supply:
    """Makes a pool's workers, from any thread.

    Args:
        limits: What one file may cost.
        name: What to call a worker in messages.
        nice: Added to the processes' niceness.
        command: What to execute instead of the real worker.
        needs_sandbox: Whether nothing may be read where the system cannot confine a worker.
        board: Where to say that a worker is not confined, and to count deaths.
        template: Forks the processes, if it can.
    """

    def __init__(  # noqa: PLR0913 - all but one by their names
        self,
        limits: Limits,
        *,
        name: str,
        nice: int,
        command: Sequence[str] | None,
        needs_sandbox: bool,
        board: NoticeBoard | None,
        template: Template | None,
    ) -> None:
        self._limits = limits
        self._name = name
        self._nice = nice
        self._command = COMMAND if command is None else tuple(command)
        self._needs_sandbox = needs_sandbox
        self._board = NoticeBoard() if board is None else board
        self._template = template
        self._lock = threading.Lock()
        # Under the lock, as whether there shall be no more.
        self._deaths = 0
        self._failed_starts = 0
        self._is_closed = False
        # Of this template and those before it no worker is lent any more.
        self._spoiled = 0
        self.protection: Protection | None = None
        """What of the sandbox was in force in the worker started last; None before the first."""

    @property
    def deaths(self) -> int:
        """Workers lost since the start."""
        return self._deaths

    def close(self) -> None:
        """Make no more workers, and blame none for its end."""
        with self._lock:
            self._is_closed = True

    def closed(self) -> NoWorker:
        """Return what to raise once the pool is closed."""
        return NoWorker(f"the {self._name} pool is closed")

    def prepare(self) -> bool:
        """Begin to prepare the template; False where there is none, and nothing to wait for."""
        if self._template is None:
            return False
        self._template.start()
        return True

    def worker(self) -> WorkerHandle:
        """Start a worker, which is not yet ready.

        Raises:
            NoWorker: the pool is closed, or too many in a row did not start.
        """
        while True:
            try:
                return WorkerHandle(
                    self._command,
                    self._limits,
                    nice=self._nice,
                    needs_sandbox=self._needs_sandbox,
                    template=self._template,
                )
            except WorkerStartError as error:
                self._note_failed_start(error)

    def is_fit(self, worker: WorkerHandle) -> bool:
        """Wait until a worker that nobody has is ready, and tell whether it may have a file.

        It may not when it has ended, nor when another one of its template was lost: whoever crashed
        that one may have learned their addresses.

        Raises:
            NoWorker: the pool is closed, or too many in a row did not start, or it is not confined.
        """
        if worker.template is not None and worker.template <= self._spoiled:
            return False
        if not worker.is_ready and not self._is_started(worker):
            return False
        is_waiting = worker.is_waiting()
        if not is_waiting:
            # Nobody's file: it died between two, when the system ran out of memory for example.
            self.note_death(worker)
        return is_waiting

    def note_death(self, worker: WorkerHandle) -> None:
        """Count a worker that was lost, and have the next ones come from another template.

        Raises:
            NoWorker: the pool is closed, and it was that which killed it.
        """
        with self._lock:
            if self._is_closed:
                raise self.closed() from None
            self._deaths += 1
            self._board.count("worker_deaths")
            if worker.template is not None:
                self._spoiled = max(self._spoiled, worker.template)
        if self._template is not None and worker.template is not None:
            self._template.renew(worker.template)

    def _is_started(self, worker: WorkerHandle) -> bool:
        """Wait until a new worker is ready; False when it did not start."""
        try:
            worker.wait_until_ready()
        except SandboxMissingError as error:
            self._note_protection(error.protection)
            raise NoWorker(f"the {self._name} worker decodes nothing: {error}") from error
        except WorkerStartError as error:
            self._note_failed_start(error)
            return False
        self._note_protection(worker.protection)
        self._failed_starts = 0
        return True

    def _note_protection(self, protection: Protection) -> None:
        """Keep what is in force, and tell people if that is not all."""
        self.protection = protection
        if protection.is_full:
            self._board.withdraw("workers", "sandbox")
            return
        why = f"the sandbox of the decoders is not in force: {protection.missing}"
        if self._needs_sandbox:
            cause = f"no picture is decoded, for {why}"
            cure = 'use a kernel with Landlock and seccomp, or set sandbox = "prefer" in [workers]'
        else:
            cause, cure = why, "a harmful picture could take the daemon's files; mend the kernel"
        self._board.post("sandbox", Notice("workers", cause, cure))

    def _note_failed_start(self, error: WorkerStartError) -> None:
        """Count a worker that did not start.

        Raises:
            NoWorker: it is one too many, or the pool was closed meanwhile.
        """
        with self._lock:
            if self._is_closed:
                raise self.closed() from None
            self._failed_starts += 1
            is_hopeless = self._failed_starts >= _MAX_FAILED_STARTS
        if is_hopeless:
            raise NoWorker(f"the {self._name} cannot be started: {error}") from error
