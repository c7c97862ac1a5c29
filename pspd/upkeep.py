"""What can wait until nothing else is to do: old features, forgotten pictures, old failures.

It also has the index make its tables, half a second at a time.

After a change of `FEATURES_VERSION` every image is extracted again, in the order of its number,
while the index answers from the old features; a restart goes on with those still outdated.
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from typing import TYPE_CHECKING

from pspd import __version__
from pspd.core.model import FailureReason, ImageNumber, Limits
from pspd.errors import NoWorker, StoreError
from pspd.features.extract import FEATURES_VERSION
from pspd.features.extras import decoder_versions, installed_extras
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.store import batch
from pspd.supervision import ThreadMaker, unsupervised

if TYPE_CHECKING:
    from collections.abc import Collection

    from pspd.indexer import Indexer
    from pspd.reading import FileReader
    from pspd.store.store import Store

PAUSE_SECONDS = 1.0
"""How often it is asked whether there is nothing else to do."""

FORGET_SECONDS = 600.0
"""How often pictures without files are looked for."""

DAY_SECONDS = 86_400

REFRESH_AGAIN_SECONDS = 3600.0
"""When pictures are tried again that could not be extracted again: a drive may be back."""

CLOSE_SECONDS = 2.0
"""How long `close` waits for the image at hand; what becomes of it is lost, and done again."""

_MAY_HEAL = frozenset(
    {
        FailureReason.MISSING_EXTRA,
        FailureReason.UNSUPPORTED,
        FailureReason.TOO_BIG,
        FailureReason.TIMEOUT,
        FailureReason.OUT_OF_MEMORY,
        FailureReason.CRASHED,
        FailureReason.BROKEN,
    }
)
"""Failures that another version, extra or limit may turn into pictures."""

_PAGE = 64
"""Images that are refreshed between two questions whether something better is to do."""

_log = get_logger(__name__)


class Upkeep:
    """A thread that works only while the indexer is idle."""

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        indexer: Indexer,
        reader: FileReader,
        *,
        limits: Limits,
        keep_removed_days: float,
        make_thread: ThreadMaker = unsupervised,
    ) -> None:
        self._store = store
        self._indexer = indexer
        self._reader = reader
        self._abilities = _abilities(limits)
        self._keep_seconds = keep_removed_days * DAY_SECONDS
        self._stopping = threading.Event()
        self._next_forget = 0.0
        self._next_refresh = 0.0
        self._refreshed_to = -1
        self.stale = 0
        """Images whose features are of another version."""
        self._thread = make_thread("upkeep", self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def take_stock(self) -> None:
        """See what an upgrade, a new extra or another limit has left to do.

        Counts the images whose features are of another version, and queues the files again that
        failed with other abilities than today's.

        Raises:
            StoreError: It is to be done again.
        """
        with self._store.read() as reader:
            if reader.meta("features_version") != FEATURES_VERSION:
                self.stale = reader.count_outdated(FEATURES_VERSION)
            can_more = reader.meta("abilities") != self._abilities
        if not self.stale:
            self._store.set_meta("features_version", FEATURES_VERSION)
        if can_more:
            self.retry_failures(_MAY_HEAL)
            self._store.set_meta("abilities", self._abilities)

    def step(self) -> bool:
        """Do a piece of work; returns whether there is more to do now.

        Raises:
            StoreError: What was done is not stored; it is done again.
        """
        if self._indexer.settle_index():
            return True
        self._forget()
        if self._has_work():
            self._refresh()
        return self._has_work()

    def retire(self) -> None:
        """Stop after the image at hand."""
        self._stopping.set()

    def close(self, deadline: float = math.inf) -> None:
        """Stop, and wait for it up to `deadline` of `time.monotonic()`."""
        self.retire()
        if self._thread.is_alive():
            self._thread.join(seconds_left(deadline, CLOSE_SECONDS))

    def _run(self) -> None:
        is_known = False
        # At once: failures of this very start are no older version's, and need no second try.
        has_more = True
        while not self._stopping.wait(0.0 if has_more else PAUSE_SECONDS):
            try:
                if not is_known:
                    self.take_stock()
                    is_known = True
                has_more = self.step()
            except (StoreError, NoWorker) as error:
                _log.error("upkeep is put off", error=error)
                self._stopping.wait(FORGET_SECONDS)

    def _has_work(self) -> bool:
        is_due = time.monotonic() >= self._next_refresh
        return self.stale > 0 and is_due and self._indexer.is_idle

    def _forget(self) -> None:
        now = time.monotonic()
        if now < self._next_forget:
            return
        before = int(time.time() - self._keep_seconds)
        applied = self._indexer.apply([batch.ForgetOrphans(before)])
        if not applied.dropped:
            self._next_forget = now + FORGET_SECONDS

    def _refresh(self) -> None:
        with self._store.read() as reader:
            numbers = reader.outdated(self._refreshed_to, FEATURES_VERSION, _PAGE)
        if not numbers:
            self._end_refresh()
            return
        for number in numbers:
            if self._stopping.is_set() or not self._indexer.is_idle:
                return
            self._refresh_image(number)
            self._refreshed_to = number
        if not self.stale:
            self._end_refresh()

    def _refresh_image(self, number: ImageNumber) -> None:
        refreshed = self._reader.extract_again(number)
        if refreshed is not None:
            self._indexer.apply([refreshed])
            self.stale -= 1

    def _end_refresh(self) -> None:
        """Every image was tried; those that could not be read keep their old features."""
        with self._store.read() as reader:
            self._refreshed_to = -1
            self.stale = reader.count_outdated(FEATURES_VERSION)
        if self.stale:
            self._next_refresh = time.monotonic() + REFRESH_AGAIN_SECONDS
            _log.warning("pictures keep the features of an older version", pictures=self.stale)
        else:
            self._store.set_meta("features_version", FEATURES_VERSION)

    def retry_failures(self, reasons: Collection[str]) -> None:
        """Queue the files again that failed for one of these reasons.

        Raises:
            StoreError: Not all are queued.
        """
        after: bytes | None = None
        while True:
            with self._store.read() as reader:
                page, after = reader.failed_files(after, _PAGE)
                known = [(key, reader.file(key)) for key, reason in page if reason in reasons]
            seen = [
                batch.FileSuspect(key, record.stamp) for key, record in known if record is not None
            ]
            if seen:
                self._indexer.hand_on(seen, is_news=False)
            if after is None or self._stopping.is_set():
                return


def _abilities(limits: Limits) -> int:
    """Return a number that changes when this installation can read other files than before."""
    parts = (__version__, decoder_versions(), FEATURES_VERSION, limits, installed_extras())
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")
