"""Bytes of a query image → its features, the hashes of its turns, and its pixels when they matter.

    image ──▶ a worker: content digest ──▶ known? ──▶ features, turns ──▶ pixels wanted? ──▶ pixels

Pixels cost a full decode, and few queries have a candidate that they could equal: so the worker
shows the features first and waits. What the last queries were is kept, for people ask twice: first
for all, then for originals only.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from pspd.errors import FileFailure
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspd.core.model import Features, ImageId, PixelDigest, TurnedHashes
    from pspd.quarantine import Quarantine
    from pspd.workers.pool import WorkerPool
    from pspd.workers.replies import Outcome

MOST_KEPT = 256
"""Queries that are kept, of 2 kB each."""

_EVERYTHING = Order(turns=True, pixels=True)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """What a query image is."""

    features: Features
    turns: tuple[TurnedHashes, ...]
    """In the order of `Turn`."""
    pixels: PixelDigest | None
    """None when nobody wanted them, or they cannot be read."""


class QueryReader:
    """Reads query images, from any thread.

    Args:
        pool: Workers of its own, so that no query waits behind indexing.
        quarantine: Stands before them.
    """

    def __init__(self, pool: WorkerPool, quarantine: Quarantine) -> None:
        self._pool = pool
        self._quarantine = quarantine
        self._lock = threading.Lock()
        # Under the lock; the last used is the last.
        self._kept: OrderedDict[ImageId, ReadQuery] = OrderedDict()

    def read(self, image: bytes, wants_pixels: Callable[[Features], bool]) -> ReadQuery:
        """Read a query image.

        Args:
            image: The bytes of its file.
            wants_pixels: Called once, in this thread, as soon as the features are known.

        Raises:
            FileFailure: It cannot be read as a picture.
        """
        reading = _Reading(wants_pixels)
        with _as_descriptor(image) as descriptor:
            try:
                outcome = self._quarantine.run(
                    self._pool,
                    descriptor,
                    _EVERYTHING,
                    is_known=lambda image_id: reading.is_answered_by(self._recall(image_id)),
                    wants_pixels=reading.take,
                )
            except FileFailure:
                # Without its pixels it can still be searched for.
                if reading.query is None:
                    raise
            else:
                if outcome.pixels is not None:
                    reading.take_pixels(outcome.pixels)
        assert reading.query is not None, "either it was known or it was shown"
        self._keep(reading.query)
        return reading.query

    def _recall(self, image_id: ImageId) -> ReadQuery | None:
        with self._lock:
            return self._kept.get(image_id)

    def _keep(self, query: ReadQuery) -> None:
        image_id = query.features.image_id
        with self._lock:
            self._kept[image_id] = query
            self._kept.move_to_end(image_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


class _Reading:
    """What is known of a query while it is read."""

    def __init__(self, wants_pixels: Callable[[Features], bool]) -> None:
        self._wants_pixels = wants_pixels
        self.query: ReadQuery | None = None
        self._is_wanted = False

    def is_answered_by(self, kept: ReadQuery | None) -> bool:
        """Take what is kept of an equal query; tell whether nothing is to be decoded."""
        if kept is None:
            return False
        self.query = kept
        self._is_wanted = self._wants_pixels(kept.features)
        return kept.pixels is not None or not self._is_wanted

    def take(self, outcome: Outcome) -> bool:
        """Take features and turns; tell whether the pixels are wanted too."""
        assert outcome.features is not None, "they were ordered"
        if self.query is None:
            self.query = ReadQuery(outcome.features, outcome.turns, None)
            self._is_wanted = self._wants_pixels(outcome.features)
        return self._is_wanted

    def take_pixels(self, pixels: PixelDigest) -> None:
        """Take the pixels as well."""
        assert self.query is not None, "the features come first"
        self.query = replace(self.query, pixels=pixels)


@contextmanager
def _as_descriptor(image: bytes) -> Iterator[int]:
    """Give bytes to a worker as it gets files: as an open descriptor."""
    if hasattr(os, "memfd_create"):
        opened: IO[bytes] = os.fdopen(os.memfd_create("pspd-query", os.MFD_CLOEXEC), "w+b")
    else:
        opened = tempfile.TemporaryFile(prefix="pspd-query-")  # noqa: SIM115 - closed below
    with opened as file:
        file.write(image)
        file.flush()
        yield file.fileno()
