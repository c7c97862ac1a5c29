"""Finds the pictures whose every upright pixel is the query's: "original" search.

No picture is decoded in full when it is indexed: scaled decoding is several times cheaper. Only
candidates of equal dimensions and near hash are, when a query first asks for them, and the digest
of their pixels is kept, so that the second time costs nothing.

    query's features ──begin──▶ candidates ──▶ threads decode those that nobody knows
    query's pixels ──────────────result──────▶ those with the same digest
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING

from pspd.core import verdict as verdicts
from pspd.core.model import (
    Features,
    ImageNumber,
    ImageRecord,
    PixelDigest,
    Turn,
    TurnedHashes,
)
from pspd.image_reading import ImageReader
from pspd.search.index import Index
from pspd.search.index import Query as IndexQuery
from pspd.store import batch
from pspd.verify.pixels import PIXELS_VERSION
from pspd.workers.messages import ONLY_PIXELS

if TYPE_CHECKING:
    from pspd.quarantine import Quarantine
    from pspd.store.store import Store
    from pspd.workers.pool import WorkerPool

_DOUBTFUL_QUALITY = 2 * verdicts.FLAT_QUALITY
"""Below it a picture with equal pixels, scaled by another decoder, may count as flat: then
dimensions choose the candidates, and a quality that is not far higher."""


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
        self._images = ImageReader(store, pool, quarantine)
        self._most = most
        self._remember = remember

    def begin(self, query: Features, until: float) -> Comparison:
        """Find the candidates, and begin to decode those whose pixels nobody knows yet.

        Args:
            query: What is known of the query.
            until: When to stop decoding, by the monotonic clock.
        """
        candidates = self._candidates(query)
        known: dict[ImageNumber, PixelDigest] = {}
        own: PixelDigest | None = None
        if candidates:
            with self._store.read() as reader:
                digests = {record.number: reader.pixels(record.number) for record, _ in candidates}
                number = reader.number_of(query.image_id)
                own = None if number is None else _current(reader.pixels(number))
            known = {n: digest for n, each in digests.items() if (digest := _current(each))}
        comparison = Comparison(candidates, known, own, self._decode, self._most, until)
        # Those whom nobody else waits for: the query itself has one.
        comparison.start(self._pool.free)
        return comparison

    def keep(self, comparison: Comparison) -> None:
        """Have the store remember what was learned, so that no later query has to."""
        if comparison.learned:
            self._remember(list(comparison.learned))

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

    def _decode(self, record: ImageRecord) -> PixelDigest | None:
        """Return the pixel digest of an indexed image, from any file that still has its content."""
        outcome = self._images.read(record.number, record.image_id, ONLY_PIXELS)
        return None if outcome is None else outcome.pixels


class Comparison:
    """The candidates of one query; several threads decode those whose pixels nobody knows.

    Args:
        candidates: Images that may have the query's pixels, with their distances.
        known: Pixel digests of some of them.
        own: The query's pixel digest, if it is an indexed picture and somebody asked for it before.
        decode: Returns the pixel digest of an image, None when it cannot be read.
        most: Most of them that are decoded.
        until: When to stop decoding, by the monotonic clock.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it is made of
        self,
        candidates: Sequence[tuple[ImageRecord, int]],
        known: dict[ImageNumber, PixelDigest],
        own: PixelDigest | None,
        decode: Callable[[ImageRecord], PixelDigest | None],
        most: int,
        until: float,
    ) -> None:
        self._candidates = candidates
        self._digests = known
        self._own = own
        self._decode = decode
        self._until = until
        self._lock = threading.Lock()
        # Under the lock:
        self._left = most
        self._waiting = deque(record for record, _ in candidates if record.number not in known)
        self.learned: list[batch.PixelsKnown] = []
        """What nobody knew before."""
        self._helpers: list[Future[None]] = []

    @property
    def wants_pixels(self) -> bool:
        """Whether the query's own pixels are needed and not known."""
        return bool(self._candidates) and self._own is None

    def start(self, threads: int) -> None:
        """Begin to decode in so many threads; the caller's will be another one."""
        wanted = len(self._waiting) - (0 if self.wants_pixels else 1)
        for _ in range(min(threads, wanted)):
            done: Future[None] = Future()
            helper = threading.Thread(target=self._help, args=(done,), name="pixels", daemon=True)
            # Without one more thread it only takes longer.
            with suppress(RuntimeError):
                helper.start()
                self._helpers.append(done)

    def result(self, pixels: PixelDigest | None) -> tuple[list[tuple[ImageRecord, int]], int]:
        """Decode the rest, and return the images with the query's pixels.

        Args:
            pixels: The query's own; None when they cannot be had, or were not wanted.

        Returns:
            The images, each with the distance of its 256-bit hash, and how many candidates could
            not be compared: unreadable, or out of time.
        """
        pixels = pixels or self._own
        if pixels is None:
            # A helper takes one between looking and taking.
            with self._lock:
                self._waiting.clear()
        self._decode_waiting()
        for helper in self._helpers:
            helper.result()
        if pixels is None:
            return [], len(self._candidates)
        digests = [self._digests.get(record.number) for record, _ in self._candidates]
        same = [
            each for each, digest in zip(self._candidates, digests, strict=True) if digest == pixels
        ]
        return same, digests.count(None)

    def _help(self, done: Future[None]) -> None:
        try:
            self._decode_waiting()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            done.set_exception(error)
        else:
            done.set_result(None)

    def _decode_waiting(self) -> None:
        while (record := self._take()) is not None:
            digest = self._decode(record)
            with self._lock:
                if digest is None:
                    self._left += 1
                else:
                    self._digests[record.number] = digest
                    self.learned.append(batch.PixelsKnown(record.number, digest))

    def _take(self) -> ImageRecord | None:
        with self._lock:
            if not self._waiting or not self._left or time.monotonic() >= self._until:
                return None
            self._left -= 1
            return self._waiting.popleft()


def _current(digest: PixelDigest | None) -> PixelDigest | None:
    """Return a digest if it can be compared with those of this version."""
    return digest if digest is not None and digest.version == PIXELS_VERSION else None


def _is_plausible(query: Features, record: ImageRecord) -> bool:
    """Say whether equal pixels are possible: a file equal byte for byte needs no comparison."""
    return (
        record.image_id != query.image_id
        and (record.width, record.height) == (query.width, query.height)
        and verdicts.means_agree(query.mean, record.mean, verdicts.PIXELS_MEAN_DIFFERENCE)
    )
