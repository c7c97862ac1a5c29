"""What can wait until nothing else is to do: old features, forgotten pictures, dead readers.

After a change of `FEATURES_VERSION` every image is extracted again, in the order of its number,
while the index answers from the old features; a restart goes on with those still outdated.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pspd.core.model import ImageNumber
from pspd.errors import StoreError
from pspd.features.extract import FEATURES_VERSION
from pspd.log import get_logger
from pspd.store import batch

if TYPE_CHECKING:
    from pspd.indexer import Indexer
    from pspd.reading import FileReader
    from pspd.store.store import Store

PAUSE_SECONDS = 1.0
"""How often it is asked whether there is nothing else to do."""

FORGET_SECONDS = 600.0
"""How often pictures without files are looked for."""

DAY_SECONDS = 86_400

_PAGE = 64
"""Images that are refreshed between two questions whether something better is to do."""

_log = get_logger(__name__)


class Upkeep:
    """A thread that works only while the indexer is idle."""

    def __init__(
        self, store: Store, indexer: Indexer, reader: FileReader, *, keep_removed_days: float
    ) -> None:
        self._store = store
        self._indexer = indexer
        self._reader = reader
        self._keep_seconds = keep_removed_days * DAY_SECONDS
        self._stopping = threading.Event()
        self._next_forget = 0.0
        self._refreshed_to = -1
        self.stale = 0
        """Images whose features are of another version."""
        self._thread = threading.Thread(target=self._run, name="pspd-upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        self.take_stock()
        self._thread.start()

    def take_stock(self) -> None:
        """Count the images whose features are of another version."""
        with self._store.read() as reader:
            if reader.meta("features_version") != FEATURES_VERSION:
                self.stale = reader.count_outdated(FEATURES_VERSION)
        if not self.stale:
            self._store.set_features_version(FEATURES_VERSION)

    def step(self) -> bool:
        """Do a piece of work; returns whether there is more to do now.

        Raises:
            StoreError: What was done is not stored; it is done again.
        """
        self._forget()
        if self._has_work():
            self._refresh()
        return self._has_work()

    def close(self) -> None:
        """Stop after the image at hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        has_more = self._has_work()
        while not self._stopping.wait(0.0 if has_more else PAUSE_SECONDS):
            try:
                has_more = self.step()
            except StoreError as error:
                _log.error("upkeep is put off: the store cannot be written", error=error)
                self._stopping.wait(FORGET_SECONDS)

    def _has_work(self) -> bool:
        return self.stale > 0 and self._indexer.is_idle

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
        with self._store.read() as reader:
            links = reader.links(number)
        for key in links:
            refreshed = self._reader.extract_again(number, key)
            if refreshed is not None:
                self._indexer.apply([refreshed])
                self.stale -= 1
                return

    def _end_refresh(self) -> None:
        """Every image was tried; those that could not be read keep their old features."""
        with self._store.read() as reader:
            self._refreshed_to = -1
            left = reader.count_outdated(FEATURES_VERSION)
        self.stale = 0
        if left:
            _log.warning("pictures keep the features of an older version", pictures=left)
        else:
            self._store.set_features_version(FEATURES_VERSION)
