"""Finds the pictures whose every upright pixel is the query's: "original" search.

No picture is decoded in full when it is indexed: scaled decoding is several times cheaper. Only
candidates of equal dimensions and near hash are, when a query first asks for them, and the digest
of their pixels is kept, so that the second time costs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pspd.core import verdict as verdicts
from pspd.core.model import Features, ImageRecord, PixelDigest, Turn, TurnedHashes
from pspd.errors import FileFailure
from pspd.search.index import Index
from pspd.search.index import Query as IndexQuery
from pspd.store import batch
from pspd.verify.pixels import PIXELS_VERSION
from pspd.watcher.descriptors import open_file
from pspd.workers.messages import Order

if TYPE_CHECKING:
    from pspd.quarantine import Quarantine
    from pspd.store.store import Store
    from pspd.workers.pool import WorkerPool

_DOUBTFUL_QUALITY = 2 * verdicts.FLAT_QUALITY
"""Below it a picture with equal pixels, scaled by another decoder, may count as flat: then
dimensions choose the candidates, and a quality that is not far higher."""

_ONLY_PIXELS = Order(features=False, pixels=True)


class PixelSearch:
    """Compares pixels, from any thread.

    Args:
        store: Where candidates, and digests computed earlier, are.
        index: Proposes candidates.
        pool: Decodes them.
        quarantine: Stands before it.
        most: Most pictures that are decoded for one query.
        remember: Applies new pixel digests to the store.
    """

    def __init__(  # noqa: PLR0913 - what it works with
        self,
        store: Store,
        index: Index,
        pool: WorkerPool,
        quarantine: Quarantine,
        *,
        most: int,
        remember: Callable[[Sequence[batch.Operation]], object],
    ) -> None:
        self._store = store
        self._index = index
        self._pool = pool
        self._quarantine = quarantine
        self._most = most
        self._remember = remember

    def find(
        self, query: Features, descriptor: int, until: float
    ) -> tuple[list[tuple[ImageRecord, int]], int]:
        """Return the images with the query's pixels, each with the distance of its 256-bit hash.

        Args:
            query: What is known of the query.
            descriptor: The query's file.
            until: When to stop decoding, by the monotonic clock.

        Returns:
            The images, and how many candidates could not be compared: unreadable, or out of time.
        """
        candidates = self._candidates(query)
        if not candidates:
            return [], 0
        pixels = self._query_pixels(query, descriptor)
        if pixels is None:
            return [], len(candidates)
        same: list[tuple[ImageRecord, int]] = []
        learned: list[batch.Operation] = []
        unverified = 0
        for record, bits in candidates:
            with self._store.read() as reader:
                other = reader.pixels(record.number)
            if other is None or other.version != PIXELS_VERSION:
                may_decode = len(learned) < self._most and time.monotonic() < until
                other = self._decode(record) if may_decode else None
                if other is None:
                    unverified += 1
                    continue
                learned.append(batch.PixelsKnown(record.number, other))
            if other == pixels:
                same.append((record, bits))
        if learned:
            self._remember(learned)
        return same, unverified

    def _candidates(self, query: Features) -> list[tuple[ImageRecord, int]]:
        """Return images that may have the query's pixels, the nearest hash first."""
        unturned = IndexQuery.of([TurnedHashes(Turn.NONE, query.phash64, query.phash256)])
        if query.quality < _DOUBTFUL_QUALITY:
            most_quality = query.quality + verdicts.FLAT_QUALITY
            near = self._index.shaped(unturned, query.width, query.height, most_quality)
        else:
            near = self._index.near(unturned, verdicts.SHORTLIST_RADIUS, verdicts.PIXELS_DISTANCE)
        found: list[tuple[ImageRecord, int]] = []
        with self._store.read() as reader:
            for number, _, bits in near:
                record = reader.image(number)
                if record is None or not _is_plausible(query, record):
                    continue
                if any(reader.file_path(key) for key in reader.links(number)):
                    found.append((record, bits))
        return found

    def _query_pixels(self, query: Features, descriptor: int) -> PixelDigest | None:
        """Return the query's pixel digest; an indexed one may be known already."""
        with self._store.read() as reader:
            number = reader.number_of(query.image_id)
            known = None if number is None else reader.pixels(number)
        if known is not None and known.version == PIXELS_VERSION:
            return known
        try:
            return self._quarantine.run(self._pool, descriptor, _ONLY_PIXELS).pixels
        except FileFailure:
            return None

    def _decode(self, record: ImageRecord) -> PixelDigest | None:
        """Return the pixel digest of an indexed image, from any file that still has its content."""
        with self._store.read() as reader:
            places = [
                (reader.place_of(key.directory), key.name) for key in reader.links(record.number)
            ]
        for place, name in places:
            if place is None:
                continue
            try:
                descriptor = open_file(*place, name)
            except OSError:
                continue
            try:
                outcome = self._quarantine.run(self._pool, descriptor, _ONLY_PIXELS)
            except FileFailure:
                continue
            finally:
                os.close(descriptor)
            if outcome.image_id == record.image_id:
                return outcome.pixels
        return None


def _is_plausible(query: Features, record: ImageRecord) -> bool:
    """Say whether equal pixels are possible: a file equal byte for byte needs no comparison."""
    return (
        record.image_id != query.image_id
        and (record.width, record.height) == (query.width, query.height)
        and verdicts.means_agree(query.mean, record.mean, verdicts.PIXELS_MEAN_DIFFERENCE)
    )
