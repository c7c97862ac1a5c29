"""Keeps the store well while it is used: has jobs done, mends damage, watches disk and readers.

What takes long is a job (`pspd.store_care`) on a thread of its own. One job runs at a time.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.core.pausing import Pause, unhindered
from pspd.errors import RequestError, StoreDamaged, StoreError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.noticeboard import Notice, NoticeBoard
from pspd.store.preflight import BIT_ROT, what_was_mended
from pspd.store_care import Job, StoreCare, Verb
from pspd.store_rounds import Options, StoreRounds
from pspd.supervision import ThreadMaker, unsupervised

if TYPE_CHECKING:
    from pspd.indexer import Indexer
    from pspd.reading import FileReader
    from pspd.store.opened_store import OpenedStore

TICK_SECONDS = 1.0
"""Pause between two rounds."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for what is under way; it only looks, or can be done again."""

_log = get_logger(__name__)


class Storekeeper:
    """Two threads: one for jobs, one that makes the rounds.

    Args:
        opened: The store and its manifest.
        indexer: Through which the store is mended, so that the index follows.
        reader: Reads pictures, for a deep check.
        rescan: Has every root scanned.
        board: Where notices go.
        stop: Ends the daemon in order.
        give_up: Ends it because a part is beyond help, for another to be started.
        options: How.
        make_thread: Makes the threads.
        pause: Called between the steps of a check; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913 - each part by its name
        self,
        *,
        opened: OpenedStore,
        indexer: Indexer,
        reader: FileReader,
        rescan: Callable[[], object],
        board: NoticeBoard,
        stop: Callable[[], None],
        give_up: Callable[[str], None],
        options: Options,
        make_thread: ThreadMaker = unsupervised,
        pause: Pause = unhindered,
    ) -> None:
        self._opened = opened
        self._store = opened.store
        self._board = board
        self._stop = stop
        self._give_up = give_up
        self._condition = threading.Condition()
        self._jobs: dict[int, Job] = {}
        self._waiting: list[Job] = []
        self._is_damaged = False
        self._is_giving_way = False
        """Whether the job at hand gives way to others: it may take hours."""
        self._stopping = threading.Event()
        self._care = StoreCare(
            opened=opened,
            indexer=indexer,
            reader=reader,
            rescan=rescan,
            board=board,
            state=options.state,
            backups_kept=options.backups_kept,
            is_stopping=self._is_interrupted,
            pause=pause,
        )
        self.rounds = StoreRounds(
            opened.store, indexer, board, options, self._open_jobs, lambda: self.begin("backup")
        )
        """What is looked at again and again."""
        self._threads = [
            make_thread("storekeeper", self._work),
            make_thread("storekeeper", self._watch, name="pspd-store-watch"),
        ]

    def start(self) -> None:
        """Begin; what the opening left unchecked is checked first."""
        self._store.on_damage = self._note_damage
        for number, notice in enumerate(self._opened.notices):
            self._board.post(f"opening-{number}", notice)
        if self._opened.unchecked != "nothing":
            is_gentle = self._opened.unchecked == "entries"
            self._begin(Job(0, "check", is_own=True, is_gentle=is_gentle))
        for thread in self._threads:
            thread.start()

    def retire(self) -> None:
        """Break off what is under way."""
        self._stopping.set()
        with self._condition:
            self._condition.notify_all()

    def close(self, deadline: float = math.inf) -> None:
        """Wait for the end of what is under way, up to `deadline` of `time.monotonic()`."""
        self.retire()
        deadline = min(deadline, time.monotonic() + CLOSE_SECONDS)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(seconds_left(deadline))

    # --- jobs

    def begin(
        self,
        verb: Verb,
        *,
        is_deep: bool = False,
        part: int = 1,
        parts: int = 1,
        folder: Path | None = None,
    ) -> Job:
        """Begin something long, after what is under way already.

        Args:
            verb: What.
            is_deep: Whether the pictures are read again.
            part: Which of `parts` parts of the pictures, from 1; a picture is always in the same.
            parts: From 1.
            folder: For a backup: where it is to lie.

        Raises:
            RequestError: There is no such part.
        """
        if not 1 <= part <= parts:
            raise RequestError("bad_request", f"there is no part {part} of {parts}")
        return self._begin(Job(0, verb, is_deep, part, parts, folder))

    def _begin(self, job: Job) -> Job:
        with self._condition:
            job.number = len(self._jobs) + 1
            self._jobs[job.number] = job
            self._waiting.append(job)
            self._condition.notify_all()
        return job

    def job(self, number: int) -> Job:
        """Return a job.

        Raises:
            RequestError: There is none of this number.
        """
        with self._condition:
            if number not in self._jobs:
                raise RequestError(
                    "bad_request", f"there is no job {number}: it went with a restart"
                )
            return self._jobs[number]

    def _work(self) -> None:
        while not self._stopping.is_set():
            with self._condition:
                self._condition.wait_for(
                    lambda: self._waiting or self._is_damaged or self._stopping.is_set()
                )
                job = self._waiting.pop(0) if self._waiting else None
                is_damaged, self._is_damaged = self._is_damaged, False
            if self._stopping.is_set():
                return
            if is_damaged:
                self._mend_after_damage()
            if job is not None:
                self._do(job)

    def _do(self, job: Job) -> None:
        self._is_giving_way = job.is_gentle
        self._care.do(job)
        self._is_giving_way = False
        if job.is_broken_off:
            self._begin(Job(0, job.verb, is_own=True, is_gentle=True))
        if job.needs_restart:
            self._stop()

    def _is_interrupted(self) -> bool:
        is_awaited = bool(self._waiting) or self._is_damaged
        return self._stopping.is_set() or (self._is_giving_way and is_awaited)

    # --- damage that was met

    def _note_damage(self, _error: StoreDamaged) -> None:
        with self._condition:
            self._is_damaged = True
            self._condition.notify_all()

    def _mend_after_damage(self) -> None:
        self._board.count("store_damages")
        try:
            mended = self._care.mend()
        except StoreError as error:
            # What is not damage passes, such as a full disk: then it is met again, and tried again.
            _log.error("the store cannot be mended", error=error)
            if isinstance(error, StoreDamaged):
                self._opened.condemn()
                self._give_up("store")
            return
        cause = f"damage was met: {what_was_mended(mended.dropped, mended.queued)}"
        self._board.post("damage", Notice("store", cause, BIT_ROT))

    # --- the watch

    def _watch(self) -> None:
        while not self._stopping.is_set():
            self._hear_of_look()
            self.rounds.make()
            self._stopping.wait(TICK_SECONDS)

    def _hear_of_look(self) -> None:
        """Do what follows from what was found by the child that looks at the rest of the store."""
        report = self._opened.poll_look()
        if report is None or report.verdict == "sound":
            return
        reason = report.findings[0]
        match report.verdict:
            case "mendable":
                _log.error("values of the store are damaged", reason=reason)
                self._note_damage(StoreDamaged(reason))
            case "damaged":
                _log.error("the store is damaged, and is built anew", reason=reason)
                self._opened.condemn()
                self._give_up("store")
            case _:
                _log.warning("the rest of the store was not looked at", reason=reason)

    def _open_jobs(self) -> list[Job]:
        with self._condition:
            return [job for job in self._jobs.values() if not job.is_finished]
