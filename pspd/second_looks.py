"""Says whether and when a file that could not be read is looked at again.

    not ready       it is left in the queue for some seconds, and nothing is booked
    provisional     it is booked as failed, so that nobody waits for it, and read again all the same

How often each is done is remembered here, by file, for as long as the file is not read.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pspd.core.model import FailureReason
from pspd.quarantine import MOST_DEATHS

if TYPE_CHECKING:
    from pspd.core.model import FileKey, FileStamp
    from pspd.store import batch

ABSENT_ROOT_SECONDS = 30.0
"""How long to wait for a root that is not there."""

GONE_SECONDS = 0.5
"""How long to wait for the watcher to say what became of a file that is not where it was."""

PASSING_SECONDS = 5.0
"""How long to wait when the system, not the file, is to blame."""

INCOMPLETE_STEPS = (10.0, 60.0)
"""When a file that ends early is read again, in seconds after its last change: a copy over a slow
network pauses for so long, and some writers tell nobody that they went on (a shared mapping)."""

OVERLOAD_SECONDS = 60.0
"""When a file that took too long is read once more: the machine may have been busy."""

GONE_ATTEMPTS = 20
"""After so many tries a file that is not where it was, and that the watcher keeps all the same, is
taken for one on a drive that is away: nobody need wait for it."""

MOST_ATTEMPTS = 4
"""How often a file is tried that the system, by its own word, could not read just now."""

DEATH_SECONDS = 1.0
"""How long to wait after a worker's death before its file is tried again, once."""

MOST_REMEMBERED = 10_000
"""Files that took too long once; beyond so many each is given up at once."""


class NotReady(Exception):
    """The file is looked at again after some seconds."""

    def __init__(self, seconds: float, *, is_absent: bool = False) -> None:
        super().__init__(f"not ready for {seconds} s")
        self.seconds = seconds
        self.is_absent = is_absent
        """Whether its root is not there, so that nobody need wait for it."""


class RootPaused(NotReady):
    """Its root is paused: the file stays in the store's queue, and nobody waits for it."""

    def __init__(self) -> None:
        super().__init__(0.0)


class Missing(NotReady):
    """The file is not where it was; the watcher has to look what became of it or of its folder."""


class SecondLooks:
    """What was tried in vain; any thread may ask.

    Args:
        incomplete_seconds: So long after its last change a file that ends early is read again.
    """

    def __init__(self, incomplete_seconds: float) -> None:
        self._incomplete_seconds = incomplete_seconds
        self._attempts: dict[FileKey, int] = {}
        self._timed_out: dict[FileKey, FileStamp] = {}
        self._lock = threading.Lock()

    def forget(self, key: FileKey) -> None:
        """Count a file's attempts from the beginning: it was read, or is nobody's concern."""
        with self._lock:
            self._attempts.pop(key, None)

    def after_absence(self, key: FileKey, *, is_root_in_place: bool) -> NotReady:
        """Return when a file is looked for again that is not where it was."""
        # A root whose drive is gone looks like this as well; then nothing is believed.
        if not is_root_in_place or self._count_attempt(key) > GONE_ATTEMPTS:
            return NotReady(ABSENT_ROOT_SECONDS, is_absent=True)
        return Missing(GONE_SECONDS)

    def after_passing_error(self, key: FileKey) -> None:
        """Put a file off that the system could not read just now, some times and then no more.

        Raises:
            NotReady: It is not the last time.
        """
        self._try_again(key, MOST_ATTEMPTS, PASSING_SECONDS)

    def after_death(self, key: FileKey) -> None:
        """Put a file off that a worker died of, which may not be its fault, but not twice.

        Raises:
            NotReady: It is not the last time.
        """
        self._try_again(key, MOST_DEATHS, DEATH_SECONDS)

    def seconds_to_recheck(self, failed: batch.FileFailed) -> float | None:
        """Return when a failure is worth another look; None when it is final.

        Such a file is booked as failed at once, so that nobody waits for it and everybody is told,
        but as racy: the next look at it, a scan's as well, queues it again.
        """
        if failed.reason is FailureReason.TIMEOUT:
            return OVERLOAD_SECONDS if failed.racy else None
        if failed.reason is not FailureReason.TRUNCATED:
            return None
        age = time.time() - failed.stamp.ctime_ns / 1e9
        # A time in the future says nothing.
        steps = (*INCOMPLETE_STEPS, self._incomplete_seconds) if age >= 0 else ()
        return next((step - age for step in steps if age < step <= self._incomplete_seconds), None)

    def is_provisional(self, failed: batch.FileFailed) -> bool:
        """Say whether a file that failed is to be read again although nothing tells of a change."""
        if failed.reason is not FailureReason.TIMEOUT:
            return self.seconds_to_recheck(failed) is not None
        with self._lock:
            if self._timed_out.pop(failed.key, None) == failed.stamp:
                return False
            if len(self._timed_out) < MOST_REMEMBERED:
                self._timed_out[failed.key] = failed.stamp
                return True
        return False

    def _try_again(self, key: FileKey, most: int, seconds: float) -> None:
        """Put a file off that may not be to blame, some times and then no more.

        Raises:
            NotReady: It is not the last time.
        """
        if self._count_attempt(key) < most:
            raise NotReady(seconds)
        self.forget(key)

    def _count_attempt(self, key: FileKey) -> int:
        with self._lock:
            self._attempts[key] = self._attempts.get(key, 0) + 1
            return self._attempts[key]
