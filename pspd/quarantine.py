"""Contents that cost workers their lives, remembered so that they cost no more than two.

    run → worker says the digest → quarantined? refuse : decode → dead? count it, in the store

The key is the content's digest, so a copy or a new name of a poisonous file costs nothing, and an
entry holds for one decoder, so that another version or other limits try again by themselves.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from pspd.core.model import FailureReason, QuarantineEntry
from pspd.core.pausing import Pause, unhindered
from pspd.errors import FileFailure
from pspd.store import batch
from pspd.workers.handle import WorkerLostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspd.core.model import ImageId
    from pspd.store.reader import Reader
    from pspd.store.store import Store
    from pspd.workers.messages import Order
    from pspd.workers.pool import WorkerPool
    from pspd.workers.replies import Outcome

MOST_DEATHS = 2
"""Workers that one content may cost: the first may have been killed for want of memory, by
somebody, or by a disk that slept."""


class QuarantinedError(FileFailure):
    """The content is in quarantine: it is not decoded again."""


class Quarantine:
    """Has files read by workers, except those that are known to kill them.

    Args:
        store: Where deaths are remembered.
        decoder: What reads: versions and limits; deaths of another one do not count.
    """

    def __init__(self, store: Store, decoder: str) -> None:
        self._store = store
        self._decoder = decoder
        self._changed = threading.Condition()
        self._in_hand: set[ImageId] = set()

    def run(  # noqa: PLR0913 - a file, and what is asked about it on the way
        self,
        pool: WorkerPool,
        descriptor: int,
        order: Order,
        *,
        path: str = "",
        is_known: Callable[[Reader, ImageId], bool] | None = None,
        pause: Pause = unhindered,
    ) -> Outcome:
        """Have a worker read a file, as `WorkerPool.run` does.

        Args:
            pool: Whose workers.
            descriptor: Open for reading; stays open.
            order: What is wanted.
            path: Where the file was met, for people.
            is_known: As of `WorkerPool.run`, but with a reader to ask.
            pause: Called before anything is decoded: the worker waits for it, and lets others have
                its core.

        Raises:
            QuarantinedError: It cost workers their lives, by now or before; not to be tried again.
            FileFailure: It cannot be read; a `WorkerLostError` cost a worker its life.
            NoWorker: No worker can be had.
        """
        held: list[ImageId] = []
        refused: list[QuarantineEntry] = []

        def is_settled(image_id: ImageId) -> bool:
            pause()
            if is_known is not None:
                # First, for a search may have the content in hand as long as it compares pixels.
                with self._store.read() as reader:
                    if is_known(reader, image_id):
                        return True
            self._take_in_hand(image_id)
            held.append(image_id)
            entry = self._entry(image_id)
            if entry is not None and entry.deaths >= MOST_DEATHS:
                refused.append(entry)
            return bool(refused)

        try:
            outcome = pool.run(descriptor, order, is_known=is_settled)
        except WorkerLostError as lost:
            if lost.image_id is not None:
                self._raise_if_poison(lost.image_id, lost, path)
            raise
        finally:
            self._let_go(held)
        if refused:
            raise QuarantinedError(refused[0].reason, refused[0].message)
        return outcome

    def run_known(
        self,
        pool: WorkerPool,
        descriptor: int,
        order: Order,
        image_id: ImageId,
        wants_pixels: Callable[[Outcome], bool] | None = None,
    ) -> Outcome:
        """Have a worker read a file of which we know the content: it is not asked for it.

        Args:
            pool: Whose workers.
            descriptor: Open for reading, of a file that nobody else can change.
            order: What is wanted.
            image_id: The file's content digest.
            wants_pixels: As of `WorkerPool.run`.

        Raises:
            QuarantinedError: As `run`; likewise the others.
        """
        held: list[ImageId] = []

        def take_in_hand() -> None:
            # Once there is a worker, as in `run`: who had a content in hand and then waited for a
            # worker would wait for ever for those who have all of them and wait for the content.
            self._take_in_hand(image_id)
            held.append(image_id)
            entry = self._entry(image_id)
            if entry is not None and entry.deaths >= MOST_DEATHS:
                raise QuarantinedError(entry.reason, entry.message)

        try:
            return pool.run(descriptor, order, wants_pixels=wants_pixels, on_worker=take_in_hand)
        except WorkerLostError as lost:
            self._raise_if_poison(image_id, lost, "")
            raise
        finally:
            self._let_go(held)

    def _raise_if_poison(self, image_id: ImageId, lost: WorkerLostError, path: str) -> None:
        """Count a death, and raise QuarantinedError when it is one too many."""
        if self._count(image_id, lost, path) >= MOST_DEATHS:
            raise QuarantinedError(lost.reason, str(lost)) from lost

    def _entry(self, image_id: ImageId) -> QuarantineEntry | None:
        with self._store.read() as reader:
            entry = reader.quarantined(image_id)
        return entry if entry is not None and entry.decoder == self._decoder else None

    def _count(self, image_id: ImageId, lost: WorkerLostError, path: str) -> int:
        """Remember a death; return how many the content has cost."""
        before = self._entry(image_id)
        deaths = 1 if before is None else before.deaths + 1
        entry = QuarantineEntry(
            reason=FailureReason(lost.reason),
            message=str(lost),
            path=path,
            when=int(time.time()),
            deaths=deaths,
            decoder=self._decoder,
        )
        self._store.apply([batch.PutQuarantine(image_id, entry)])
        return deaths

    def _take_in_hand(self, image_id: ImageId) -> None:
        """Wait until nobody else has this content decoded: copies of a poison come together."""
        with self._changed:
            while image_id in self._in_hand:
                self._changed.wait()
            self._in_hand.add(image_id)

    def _let_go(self, held: list[ImageId]) -> None:
        with self._changed:
            self._in_hand.difference_update(held)
            self._changed.notify_all()
