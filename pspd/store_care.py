"""What is done for the store's good, each as a job: a check, a repair, a backup.

A job takes long; whoever asked for it looks now and then how far it is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pspd import distinctions
from pspd.core.pausing import Pause
from pspd.errors import PspError
from pspd.log import get_logger
from pspd.noticeboard import Notice, NoticeBoard
from pspd.picture_check import picture_problems
from pspd.store import backups
from pspd.store.checking import Checker, Finding, Progress
from pspd.store.preflight import BIT_ROT, what_was_mended

if TYPE_CHECKING:
    from pspd.core.model import ImageNumber
    from pspd.indexer import Indexer
    from pspd.reading import FileReader
    from pspd.store.mending import Mended
    from pspd.store.opened_store import OpenedStore

MOST_FINDINGS = 10_000
"""Findings that are kept of one job; all are counted."""

Verb = Literal["check", "repair", "backup"]

_log = get_logger(__name__)


@dataclass(slots=True)
class Job:
    """Something long that somebody asked for."""

    number: int
    verb: Verb
    is_deep: bool = False
    part: int = 1
    parts: int = 1
    folder: Path | None = None
    """Where a backup is to lie; None for the state directory."""
    is_own: bool = False
    """Whether the daemon began it by itself, and mends what can be mended in place."""
    is_gentle: bool = False
    """Whether a check keeps nobody waiting, other jobs neither; the pages are known to be whole."""
    is_broken_off: bool = False
    """Whether it gave way to other jobs, and is to be done anew."""
    progress: Progress = field(default_factory=Progress)
    findings: list[Finding] = field(default_factory=list)
    found: int = 0
    summary: str = ""
    """What was done, as one clause."""
    needs_restart: bool = False
    """Whether the daemon has to be started anew for the rest of it, and stops."""
    error: PspError | None = None
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def is_finished(self) -> bool:
        """Whether nothing of it changes any more."""
        return self.finished.is_set()

    def note(self, finding: Finding) -> None:
        """Count a finding, and keep it while there are not too many."""
        self.found += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)


class StoreCare:
    """Does jobs, one after the other; for one thread.

    Args:
        opened: The store and its manifest.
        indexer: Through which the store is mended, so that the index follows.
        reader: Reads pictures, for a deep check.
        rescan: Has every root scanned.
        board: Where notices go.
        state: The daemon's state directory.
        backups_kept: How many backups are left there after another was made.
        is_stopping: Tells whether what is under way is to be broken off.
        pause: Called every few values; those who search may be let pass.
    """

    def __init__(  # noqa: PLR0913 - each part by its name
        self,
        *,
        opened: OpenedStore,
        indexer: Indexer,
        reader: FileReader,
        rescan: Callable[[], object],
        board: NoticeBoard,
        state: Path,
        backups_kept: int,
        is_stopping: Callable[[], bool],
        pause: Pause,
    ) -> None:
        self._opened = opened
        self._store = opened.store
        self._indexer = indexer
        self._reader = reader
        self._rescan = rescan
        self._board = board
        self._state = state
        self._backups_kept = backups_kept
        self._is_stopping = is_stopping
        self._pause = pause

    def do(self, job: Job) -> None:
        """Do a job to its end; an error is noted in it."""
        try:
            {"check": self._check, "repair": self._repair, "backup": self._backup}[job.verb](job)
        except PspError as error:
            job.error = error
            _log.error(f"the {job.verb} failed", error=error)
        finally:
            job.finished.set()

    def mend(self, distrusted: frozenset[ImageNumber] = frozenset()) -> Mended:
        """Drop what is damaged and derive the rest anew; what was lost is scanned and read again.

        Args:
            distrusted: Images whose features are known to be wrong.

        Raises:
            StoreError: Nothing was changed.
        """
        mended = self._indexer.mend(self._opened.roots, distrusted)
        _log.error("the store was mended", dropped=mended.dropped, queued=mended.queued)
        self._rescan()
        return mended

    def _check(self, job: Job) -> None:
        checker = Checker(
            self._store,
            job.progress,
            self._is_stopping,
            is_gentle=job.is_gentle,
            pause=self._pause,
        )
        for finding in checker.run(pages=not job.is_gentle):
            job.note(finding)
        is_through = not self._is_stopping()
        if job.is_gentle and not is_through:
            job.is_broken_off = True
            return
        are_pages_whole = not any(finding.level == "page" for finding in job.findings)
        if are_pages_whole:
            self._check_index(job)
            if job.is_deep:
                self._check_pictures(job)
        job.summary = f"{job.found:,} findings" if job.found else "nothing is wrong"
        if job.found:
            self._tell_findings(job)
        if job.found and job.is_own and are_pages_whole:
            # Looked at once more: somebody may have asked for something else by now.
            job.is_broken_off = self._is_stopping()
            if not job.is_broken_off:
                self._mend_findings(job)
        if job.is_own and is_through and are_pages_whole and not job.is_broken_off:
            self._opened.unchecked = "nothing"

    def _mend_findings(self, job: Job) -> None:
        mended = self.mend()
        job.summary = what_was_mended(mended.dropped, mended.queued)
        self._board.withdraw("store", "check")
        cause = f"after the last end {job.found:,} things were wrong ({job.findings[0].text}): "
        self._board.post("damage", Notice("store", cause + job.summary, BIT_ROT))

    def _check_index(self, job: Job) -> None:
        job.progress.step = "index"
        with self._indexer.at_rest() as index, self._store.read() as reader:
            count = 0
            for rows in reader.row_parts():
                count += len(rows)
                for number in index.differing(rows).tolist():
                    job.note(Finding("index", f"the index has image {number} otherwise"))
            if len(index) != count:
                job.note(Finding("index", f"the index has {len(index)} rows, not {count}"))

    def _check_pictures(self, job: Job) -> None:
        job.progress.step = "pictures"
        for finding in picture_problems(
            self._store, self._reader, job.progress, part=job.part, parts=job.parts,
            is_stopping=self._is_stopping,
        ):  # fmt: skip
            job.note(finding)

    def _repair(self, job: Job) -> None:
        self._check(job)
        if any(finding.level == "page" for finding in job.findings):
            self._opened.condemn()
            job.needs_restart = True
            job.summary = "the store is built anew by the next daemon"
            return
        distrusted = frozenset(f.image for f in job.findings if f.image is not None)
        mended = self.mend(distrusted)
        job.summary = what_was_mended(mended.dropped, mended.queued)
        job.progress = Progress()
        checker = Checker(self._store, job.progress, self._is_stopping, pause=self._pause)
        left = list(checker.run())
        if left:
            self._opened.condemn()
            job.needs_restart = True
            job.summary = "mending was not enough; the store is built anew by the next daemon"
        else:
            self._board.withdraw("store", "check")

    def _backup(self, job: Job) -> None:
        job.progress.step = "copy"
        folder = job.folder or self._state / backups.FOLDER
        # What a person has decided no picture tells again.
        place = backups.make(self._store, folder, time.time(), [self._state / distinctions.NAME])
        job.summary = str(place)
        backups.thin_out(self._state, self._backups_kept)
        self._board.withdraw("store", "backup")

    def _tell_findings(self, job: Job) -> None:
        cause = f"a check found {job.found:,} things wrong, such as: {job.findings[0].text}"
        self._board.post("check", Notice("store", cause, "mend it with: pspc repair"))
