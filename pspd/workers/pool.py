"""The pool of worker processes that read and decode untrusted files.

    thread of the indexer ──run(descriptor, order)──> borrow a worker ──> WorkerHandle.read
                          <──Outcome or FileFailure── give it back    <──

Each caller has one worker to itself and each worker one file in hand, so that a worker's death
costs that file and nothing else: one segmentation fault makes `ProcessPoolExecutor` fail every
job it has, and `multiprocessing.Pool` hang. Nothing is pickled in either direction.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from pspd.core.model import ImageId, Limits
from pspd.errors import NoWorker
from pspd.host import seconds_left
from pspd.noticeboard import NoticeBoard
from pspd.workers.child import END_SECONDS
from pspd.workers.fair_places import FairPlaces
from pspd.workers.handle import WorkerHandle, WorkerLostError
from pspd.workers.messages import Order, Protection
from pspd.workers.replies import Outcome
from pspd.workers.supply import Supply
from pspd.workers.template import Template

LAST_FILES: Final = 100
"""Files before a worker's end at which its successor is started: a start takes 0.2 s, and whoever
searched then would wait for it; a search takes a worker 2 ms at least."""


class WorkerPool:
    """A fixed number of worker processes, each lent to one calling thread at a time.

    Args:
        size: Most processes at once, at least 1.
        limits: What one file may cost.
        name: What to call a worker in messages.
        nice: Added to the processes' niceness; with it goes their priority for the disk.
        command: What to execute instead of the real worker.
        needs_sandbox: Whether nothing may be read where the system cannot confine a worker.
        board: Where to say that a worker is not confined, and to count deaths.
        template: Forks the processes, if it can.
    """

    def __init__(  # noqa: PLR0913 - all but two by their names
        self,
        size: int,
        limits: Limits,
        *,
        name: str = "worker",
        nice: int = 0,
        command: Sequence[str] | None = None,
        needs_sandbox: bool = False,
        board: NoticeBoard | None = None,
        template: Template | None = None,
    ) -> None:
        self._supply = Supply(
            limits,
            name=name,
            nice=nice,
            command=command,
            needs_sandbox=needs_sandbox,
            board=board,
            template=template,
        )
        self._places = FairPlaces(size)
        self._lock = threading.Lock()
        # Under the lock: all workers, those nobody has, the one that follows the next to go.
        self._workers: set[WorkerHandle] = set()
        self._idle: list[WorkerHandle] = []
        self._successor: WorkerHandle | None = None
        self._is_closed = False

    @property
    def free(self) -> int:
        """Workers that nobody has, started or not; 0 while anybody waits for one."""
        return self._places.free

    @property
    def waiting(self) -> int:
        """How many wait for a worker."""
        return self._places.waiting

    @property
    def deaths(self) -> int:
        """Workers lost since the start: dead, late, or talking nonsense."""
        return self._supply.deaths

    @property
    def protection(self) -> Protection | None:
        """What of the sandbox was in force in the worker started last; None before the first."""
        return self._supply.protection

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers there are now."""
        with self._lock:
            return tuple(sorted(worker.pid for worker in self._workers))

    def start(self) -> None:
        """Start all workers without waiting for them; otherwise each starts when it is needed.

        Raises:
            NoWorker: the pool is closed, or processes cannot be started.
        """
        if self._is_closed:
            raise self._supply.closed()
        if not self._supply.prepare():
            self._start_all()
            return
        # It answers when it is prepared.
        threading.Thread(target=self._start_in_background, name="pspd-workers", daemon=True).start()

    def _start_in_background(self) -> None:
        with suppress(NoWorker):  # whoever needs one says so
            self._start_all()

    def _start_all(self) -> None:
        taken: list[WorkerHandle | None] = []
        try:
            while self._places.take(waits=False):
                taken.append(self._pick())
            for number, worker in enumerate(taken):
                taken[number] = worker or self._started()
        finally:
            for worker in taken:
                self._give_back(worker)

    def run(
        self,
        descriptor: int,
        order: Order,
        *,
        is_known: Callable[[ImageId], bool] | None = None,
        wants_pixels: Callable[[Outcome], bool] | None = None,
        on_worker: Callable[[], None] | None = None,
    ) -> Outcome:
        """Have a worker read a file; waits for a worker and then for its answer.

        Args:
            descriptor: Of a file open for reading, wherever its offset is; stays open.
            order: What is wanted.
            is_known: If given, called in this thread with the file's digest before anything is
                decoded; if it says True, the outcome has the digest alone.
            wants_pixels: If given, and pixels are ordered, called in this thread with all the rest
                before anything is decoded for them; if it says False, they are left out.
            on_worker: If given, called in this thread once there is a worker, before it gets the
                file; what it raises is raised.

        Raises:
            FileFailure: the file cannot be read, or cost a worker its life.
            NoWorker: the pool is or was closed, or workers cannot be started.
        """
        worker = self._ready(self._borrow())
        try:
            if on_worker is not None:
                on_worker()
            return worker.read(descriptor, order, is_known, wants_pixels)
        except WorkerLostError:
            # If it was `close` that killed it, the file is not to blame.
            self._supply.note_death(worker)
            raise
        finally:
            self._give_back(worker)

    def close(self, deadline: float = math.inf) -> None:
        """End all workers; whoever waits for one, or for its answer, gets a NoWorker.

        Args:
            deadline: Of `time.monotonic()`: so long it waits for their ends, a few seconds at most.
        """
        with self._lock:
            self._is_closed = True
            self._supply.close()
            idle, self._idle = self._idle, []
            if self._successor is not None:
                idle.append(self._successor)
                self._successor = None
            lent = self._workers.difference(idle)
            self._workers.clear()
        self._places.close()
        for worker in (*lent, *idle):
            worker.kill(0.0)  # all of them, before the first is waited for
        deadline = min(deadline, time.monotonic() + END_SECONDS)
        for worker in lent:
            worker.kill(seconds_left(deadline))
        for worker in idle:
            worker.end(seconds_left(deadline))

    def _borrow(self) -> WorkerHandle | None:
        """Wait for a place, and take it; None if its worker is still to be started."""
        if not self._places.take():
            raise self._supply.closed()
        return self._pick()

    def _pick(self) -> WorkerHandle | None:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            successor, self._successor = self._successor, None
            return successor

    def _give_back(self, worker: WorkerHandle | None) -> None:
        """Give back a place, with its worker if it has one."""
        left = 0 if worker is None else worker.files_left
        with self._lock:
            is_kept = left > 0 and not self._is_closed
            if is_kept and worker is not None:
                self._idle.append(worker)
        self._places.give()
        if worker is not None and not is_kept:
            self._dismiss(worker)
        elif is_kept and left <= LAST_FILES and self._successor is None:
            self._raise_successor()

    def _raise_successor(self) -> None:
        """Start the worker that follows the next one to go, so that nobody has to wait for it."""
        with suppress(NoWorker):  # whoever needs one says so
            successor = self._started()
            with self._lock:
                is_first = self._successor is None and not self._is_closed
                if is_first:
                    self._successor = successor
            if not is_first:
                self._dismiss(successor)

    def _dismiss(self, worker: WorkerHandle) -> None:
        worker.end()
        with self._lock:
            self._workers.discard(worker)

    def _ready(self, worker: WorkerHandle | None) -> WorkerHandle:
        """Make sure of a worker that waits for a file, in a place that was taken.

        Raises:
            NoWorker: the pool is closed, or workers cannot be started; the place is given up.
        """
        try:
            while True:
                worker = worker or self._started()
                if self._supply.is_fit(worker):
                    return worker
                self._dismiss(worker)
                worker = None
        except BaseException:
            if worker is not None:
                self._dismiss(worker)
            self._places.give()
            raise

    def _started(self) -> WorkerHandle:
        """Start a worker, without the lock, so that nobody else waits for it."""
        worker = self._supply.worker()
        with self._lock:
            if not self._is_closed:
                self._workers.add(worker)
                return worker
        worker.end()
        raise self._supply.closed()
