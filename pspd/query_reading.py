"""Bytes of a query image → its features, the hashes of its turns, and its pixels when they matter.

    image ──▶ known? ──▶ a worker: features, turns ──▶ pixels wanted? ──▶ the worker: pixels

Pixels cost a full decode, and few queries have a candidate that they could equal: so the worker
shows the features first and waits. What the last queries were is kept, for people ask twice: first
for all, then for originals only.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING

from pspd.core.model import ImageId
from pspd.errors import FileFailure
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from pspd.core.model import Features, PixelDigest, TurnedHashes
    from pspd.quarantine import Quarantine
    from pspd.workers.pool import WorkerPool
    from pspd.workers.replies import Outcome

MOST_KEPT = 256
"""Queries that are kept, of 2 kB each."""

_ONLY_PIXELS = Order(features=False, pixels=True)


@dataclass(frozen=True, slots=True)
class ReadQuery:
    """What a query image is."""

    features: Features
    turns: tuple[TurnedHashes, ...]
    """In the order of `Turn`; none when nobody wanted them so far."""
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

    def read(
        self,
        image: bytes,
        wants_pixels: Callable[[Features], bool] | None,
        *,
        wants_turns: bool = True,
    ) -> ReadQuery:
        """Read a query image.

        Args:
            image: The bytes of its file.
            wants_pixels: Called once, in this thread, as soon as the features are known; None when
                pixels do not matter whatever they are.
            wants_turns: Whether its turned hashes matter; they are a fifth of its extraction.

        Raises:
            FileFailure: It cannot be read as a picture.
        """
        image_id = ImageId(hashlib.blake2b(image, digest_size=32).digest())
        query = known = self._recall(image_id)
        if query is None or (wants_turns and not query.turns):
            pixels = None if known is None else known.pixels
            query = self._read(image, image_id, wants_pixels, pixels, wants_turns=wants_turns)
        elif wants_pixels is not None and wants_pixels(query.features) and query.pixels is None:
            query = replace(query, pixels=self._pixels(image, image_id))
        return self._keep(image_id, query)

    def _read(
        self,
        image: bytes,
        image_id: ImageId,
        wants_pixels: Callable[[Features], bool] | None,
        pixels: PixelDigest | None,
        *,
        wants_turns: bool,
    ) -> ReadQuery:
        """Read a query of which nothing is known, or its pixels."""
        shown: list[Outcome] = []

        def show(outcome: Outcome) -> bool:
            assert outcome.features is not None, "they were ordered"
            shown.append(outcome)
            is_wanted = wants_pixels is not None and wants_pixels(outcome.features)
            return is_wanted and pixels is None

        order = Order(turns=wants_turns, pixels=wants_pixels is not None)
        with _as_descriptor(image) as descriptor:
            try:
                outcome = self._quarantine.run_known(self._pool, descriptor, order, image_id, show)
            except FileFailure:
                # Without its pixels it can still be searched for.
                if not shown:
                    raise
                outcome = shown[0]
        assert outcome.features is not None, "they were ordered"
        return ReadQuery(outcome.features, outcome.turns, outcome.pixels or pixels)

    def _pixels(self, image: bytes, image_id: ImageId) -> PixelDigest | None:
        with _as_descriptor(image) as descriptor, suppress(FileFailure):
            return self._quarantine.run_known(self._pool, descriptor, _ONLY_PIXELS, image_id).pixels
        return None

    def _recall(self, image_id: ImageId) -> ReadQuery | None:
        with self._lock:
            return self._kept.get(image_id)

    def _keep(self, image_id: ImageId, query: ReadQuery) -> ReadQuery:
        """Keep a query with what is known of it by now; returns that."""
        with self._lock:
            kept = self._kept.get(image_id, query)
            query = replace(
                query, turns=query.turns or kept.turns, pixels=query.pixels or kept.pixels
            )
            self._kept[image_id] = query
            self._kept.move_to_end(image_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return query


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
