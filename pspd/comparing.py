"""Compares each image with all others in the background, so that its copies are known beforehand.

    numbers above `compared`, and those marked ──CopySearch──▶ pairs ──one batch──▶ store

Images are numbered as they come, so one number says how far this is; it is stored together with
what was found, so that a restart goes on there, and a death in the middle loses nothing.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING

from pspd.copy_search import CopySearch, Known, known
from pspd.core.model import ImageNumber
from pspd.core.pausing import Pause, unhindered
from pspd.errors import StoreError
from pspd.host import seconds_left
from pspd.log import get_logger
from pspd.store import batch, copies
from pspd.store.copy_codec import AGAIN
from pspd.supervision import ThreadMaker, nothing, unsupervised

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pspd.indexer import Indexer
    from pspd.store.store import Store

KEPT_COPIES = 32
"""Pairs that an image keeps, the nearest: the square of ten thousand frames of a time lapse would
outgrow the disk. Who wants all copies of a crowded image asks the index."""

BATCH_IMAGES = 256
BATCH_SECONDS = 1.0
BATCH_COPIES = 20_000
"""A batch is stored when it has so many images, is so old, or has found so many copies."""

PAUSE_SECONDS = 0.5
"""How often it is asked whether there is something to compare."""

RETRY_SECONDS = 10.0
"""When it is tried again after the store failed."""

HOLD_SECONDS = 5.0
"""So long it leaves the processors to files that are being read: who adds a folder waits for those,
and comparing was up to a tenth of that wait."""

_LOOK_SECONDS = 0.05

WORK_SECONDS = 0.01
"""After so long it rests, as long as it worked; four times as long while files are read."""

BUSY_RESTS = 4

CLOSE_SECONDS = 1.0
"""How long `close` waits for the image at hand; a batch that is not stored is compared again."""

_log = get_logger(__name__)


class Comparer:
    """A thread that gives way to searching and indexing.

    It has no lower priority: who holds Python's lock and is not scheduled keeps everybody waiting.

    Args:
        store: The truth.
        indexer: Through which it is changed; brings the index up to it.
        search: Finds the copies.
        pause: Called between two images; those who search may be let pass.
        make_thread: Makes the thread.
        at_leisure: Called now and then, once there is nothing more to compare.
    """

    def __init__(  # noqa: PLR0913 - every part by its name
        self,
        store: Store,
        indexer: Indexer,
        search: CopySearch,
        *,
        pause: Pause = unhindered,
        make_thread: ThreadMaker = unsupervised,
        at_leisure: Callable[[], None] = nothing,
    ) -> None:
        self._store = store
        self._indexer = indexer
        self._search = search
        self._pause = pause
        self._at_leisure = at_leisure
        self._stopping = threading.Event()
        self._thread = make_thread("comparer", self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def retire(self) -> None:
        """Stop after the image at hand."""
        self._stopping.set()

    def close(self, deadline: float = math.inf) -> None:
        """Stop, and wait for it up to `deadline` of `time.monotonic()`."""
        self.retire()
        if self._thread.is_alive():
            self._thread.join(seconds_left(deadline, CLOSE_SECONDS))

    def step(self) -> bool:
        """Compare some images; returns whether there is more to do now.

        Raises:
            StoreError: What was found is not stored; it is found again.
        """
        since, upto, again = self._work()
        if since >= upto and not again:
            return False
        room = BATCH_IMAGES - len(again)
        new = range(since, min(upto, since + room))
        with self._store.read() as reader:
            images = known(reader, [*again, *map(ImageNumber, new)])
        found = _Found(since)
        found.drop(set(again).difference(image.number for image in images))
        until = time.monotonic() + BATCH_SECONDS
        for image in images:
            if self._stopping.is_set():
                return False
            found.add(image, self._search.copies_of(image))
            if found.copies >= BATCH_COPIES or time.monotonic() >= until:
                break
            self._rest_a_while(found)
        else:
            found.upto = new.stop
        self._indexer.apply([found.operation()])
        # Not for what came meanwhile: while files are read, each of their commits would have
        # another behind it.
        return bool(again) or found.upto < upto

    def _work(self) -> tuple[int, int, list[ImageNumber]]:
        """Return where to begin, where the index ends, and what is to be compared again."""
        with self._store.read() as reader:
            since, upto = reader.meta("compared"), reader.meta("next_image")
            marked = copies.marked(reader, AGAIN, BATCH_IMAGES)
        again = [number for number in marked if number < since]
        if since < upto or again:
            # The index may lag behind what was just read, and nobody would look once more.
            with self._indexer.at_rest(), self._store.read() as reader:
                upto = reader.meta("next_image")
        return since, upto, again

    def _rest_a_while(self, found: _Found) -> None:
        self._pause()
        worked = time.monotonic() - found.rested
        if worked >= WORK_SECONDS:
            self._stopping.wait(worked * (1 if self._indexer.is_idle else BUSY_RESTS))
            found.rested = time.monotonic()

    def _run(self) -> None:
        is_ruled = has_more = False
        while not self._stopping.wait(0.0 if has_more else PAUSE_SECONDS):
            try:
                if not is_ruled:
                    self._see_rule()
                    is_ruled = True
                if not has_more:
                    self._hold_back()
                has_more = self.step()
                if not has_more:
                    self._at_leisure()
            except StoreError as error:
                _log.error("comparing is put off", error=error)
                has_more = False
                self._stopping.wait(RETRY_SECONDS)

    def _hold_back(self) -> None:
        """Wait for the files that are being read, but not for as long as there are any."""
        until = time.monotonic() + HOLD_SECONDS
        while not self._indexer.is_idle and time.monotonic() < until:
            if self._stopping.wait(_LOOK_SECONDS):
                return

    def _see_rule(self) -> None:
        """Begin anew when pairs were found by another rule, such as another threshold."""
        with self._store.read() as reader:
            rule, compared = reader.meta("copy_rule"), reader.meta("compared")
        if rule != self._search.rule:
            if compared:
                _log.warning("what makes a copy has changed: all pictures are compared anew")
            self._indexer.apply([batch.CompareAnew(self._search.rule)])


class _Found:
    """What is to be stored of one batch."""

    def __init__(self, since: int) -> None:
        self.since = self.upto = since
        self.copies = 0
        self.rested = time.monotonic()
        self._comparisons: list[batch.Compared] = []
        self._crowded: set[ImageNumber] = set()

    def add(self, image: Known, found: list[batch.CopyFound]) -> None:
        """Add an image; those of greater numbers find it when it is their turn."""
        number = image.number
        below = max(number, self.since)
        found = [copy for copy in found if copy.other < below]
        kept, left_out = found[:KEPT_COPIES], found[KEPT_COPIES:]
        self._comparisons.append(
            batch.Compared(number, image.phash256, tuple(kept), bool(left_out))
        )
        self._crowded.update(copy.other for copy in left_out)
        self.copies += len(found) + 1
        self.upto = max(self.since, number + 1)

    def drop(self, numbers: Collection[ImageNumber]) -> None:
        """Have marks dropped that lead to no image, or they would be looked at for ever."""
        self._comparisons += [batch.Compared(number, b"") for number in numbers]

    def operation(self) -> batch.ImagesCompared:
        """Return it as the store takes it."""
        return batch.ImagesCompared(
            self.since, self.upto, tuple(self._comparisons), tuple(sorted(self._crowded))
        )
