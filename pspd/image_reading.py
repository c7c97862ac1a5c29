"""Reads an indexed image again, from any of its files that still has its content."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pspd.core.pausing import Pause, unhindered
from pspd.errors import FileFailure
from pspd.watcher.descriptors import open_file

if TYPE_CHECKING:
    from pspd.core.model import ImageId, ImageNumber
    from pspd.quarantine import Quarantine
    from pspd.store.store import Store
    from pspd.workers.messages import Order
    from pspd.workers.pool import WorkerPool
    from pspd.workers.replies import Outcome


class ImageReader:
    """Has workers read images that are known by their numbers; from any thread.

    Args:
        store: Says where their files are.
        pool: The workers.
        quarantine: Stands before them.
        pause: Called before anything is decoded; those who search may be let pass.
        heeds_pauses: Whether files below paused roots are left alone: nobody asked for an image.
    """

    def __init__(
        self,
        store: Store,
        pool: WorkerPool,
        quarantine: Quarantine,
        pause: Pause = unhindered,
        *,
        heeds_pauses: bool = False,
    ) -> None:
        self._store = store
        self._pool = pool
        self._quarantine = quarantine
        self._pause = pause
        self._heeds_pauses = heeds_pauses

    def read(self, number: ImageNumber, image_id: ImageId, order: Order) -> Outcome | None:
        """Read an image; None when no file has its content any more, or can be read.

        Args:
            number: The image's.
            image_id: Its content digest.
            order: What is wanted of it.

        Raises:
            NoWorker: No worker can be had.
        """
        with self._store.read() as reader:
            places = [
                (reader.place_of(key.directory), key.name)
                for key in reader.links(number)
                if not (self._heeds_pauses and reader.is_paused(key.directory))
            ]
        for place, name in places:
            if place is None:
                continue
            try:
                descriptor = open_file(*place, name)
            except OSError:
                continue
            try:
                outcome = self._quarantine.run(self._pool, descriptor, order, pause=self._pause)
            except FileFailure:
                continue
            finally:
                os.close(descriptor)
            if outcome.image_id == image_id:
                return outcome
        return None
