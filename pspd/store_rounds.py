"""What is looked after again and again while a store is used: disk, readers, backups.

Nothing here takes long: what does is a job of the storekeeper's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pspd.errors import StoreError
from pspd.log import get_logger
from pspd.noticeboard import Notice, NoticeBoard
from pspd.store import backups

if TYPE_CHECKING:
    from pspd.indexer import Indexer
    from pspd.store.store import Store
    from pspd.store_care import Job

READER_SECONDS = 60.0
"""How often readers of dead processes are looked for."""

BACKUP_LOOK_SECONDS = 600.0
"""How often it is asked whether a backup is due."""

FIRST_BACKUP_LOOK_SECONDS = 60.0
"""When it is asked for the first time: a start is busy enough."""

TELL_SECONDS = 5.0
"""How long a check of the daemon's own may take before a person is told of it."""

LONG_READER_TRANSACTIONS = 10_000
"""A reader that is so far behind makes the file grow, and a person is told."""

DAY_SECONDS = 86_400

_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How the store is kept."""

    state: Path
    """The daemon's state directory."""
    backup_days: float
    """How often a backup is made; 0 for never."""
    backups_kept: int


class StoreRounds:
    """Looks, tells and asks for backups; for one thread.

    Args:
        store: The store.
        indexer: Says what keeps it from writing.
        board: Where notices go.
        options: How.
        open_jobs: Returns the jobs that are not finished.
        begin_backup: Begins a backup.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it looks at, and whom it tells
        self,
        store: Store,
        indexer: Indexer,
        board: NoticeBoard,
        options: Options,
        open_jobs: Callable[[], list[Job]],
        begin_backup: Callable[[], object],
    ) -> None:
        self._store = store
        self._indexer = indexer
        self._board = board
        self._options = options
        self._open_jobs = open_jobs
        self._begin_backup = begin_backup
        self._begun = time.monotonic()
        self._next_readers = 0.0
        self._next_backup = self._begun + FIRST_BACKUP_LOOK_SECONDS

    def make(self) -> None:
        """Look at what is due."""
        now = time.monotonic()
        self._store.bound_memory()
        self._look_at_disk()
        self._tell_own_check()
        try:
            if now >= self._next_readers:
                self._next_readers = now + READER_SECONDS
                self.look_at_readers()
            if now >= self._next_backup:
                self._next_backup = now + BACKUP_LOOK_SECONDS
                self.back_up_when_due()
        except StoreError as error:
            _log.error("the store cannot be looked after", error=error)

    def look_at_readers(self) -> None:
        """Free what dead processes left open, and tell of one that reads for too long."""
        freed = self._store.free_dead_readers()
        if freed:
            self._board.count("dead_readers_freed", freed)
        lag = self._store.oldest_reader_lag()
        if lag < LONG_READER_TRANSACTIONS:
            self._board.withdraw("store", "reader")
            return
        cause = f"a process reads the store since {lag:,} transactions, and the file grows for it"
        self._board.post("reader", Notice("store", cause, "end what reads it; fuser names it"))

    def back_up_when_due(self) -> None:
        """Begin a backup if the newest is too old and nothing else is to do."""
        if not self._options.backup_days or not self._indexer.is_idle or self._open_jobs():
            return
        with self._store.read() as reader:
            is_worthwhile = reader.meta("pictures") > 0
        age = backups.age_of_newest(self._options.state, time.time())
        if is_worthwhile and (age is None or age >= self._options.backup_days * DAY_SECONDS):
            self._begin_backup()

    def _look_at_disk(self) -> None:
        problem = self._indexer.problem
        if not problem:
            self._board.withdraw("store", "writing")
            return
        cure = (
            "it goes on by itself once that is mended, and searches are answered meanwhile; "
            "a disk that is mounted anew needs: pspc stop, pspc start"
        )
        self._board.post("writing", Notice("store", problem, cure, str(self._options.state)))

    def _tell_own_check(self) -> None:
        """Say how far the check is that the opening left to do, once it takes a while."""
        own = [job for job in self._open_jobs() if job.is_own]
        if not own or time.monotonic() - self._begun <= TELL_SECONDS:
            self._board.withdraw("store", "checking")
            return
        progress = own[0].progress
        # More than were counted at its begin may be there by now.
        percent = min(100, 100 * progress.done // max(1, progress.total))
        cause = f"the start left a check of the store to be done: {percent} % of it is done"
        cure = "what is found is mended; searches are answered meanwhile"
        self._board.post("checking", Notice("store", cause, cure))
