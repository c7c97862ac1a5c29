"""Turns a query image into hits: features → candidates → verification → paths.

image ──worker──▶ Features, 8 turned hashes ──Index.near──▶ 256-bit distances ──▶ copies
              └─▶ content digest ──store──▶ same file
dimensions ──Index.shaped──▶ plausible ──pixel digests (kept)──▶ same pixels
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pspd.core import verdict as verdicts
from pspd.core.model import (
    Features,
    ImageNumber,
    ImageRecord,
    Turn,
    TurnedHashes,
    Verdict,
)
from pspd.pixel_search import Comparison, PixelSearch
from pspd.query_reading import QueryReader
from pspd.search.index import Index
from pspd.search.index import Query as IndexQuery
from pspd.store import batch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pspd.precedence import Precedence
    from pspd.quarantine import Quarantine
    from pspd.store.reader import Reader
    from pspd.store.store import Store
    from pspd.workers.pool import WorkerPool

Mode = Literal["both", "original", "similar"]

_RANK = {each: rank for rank, each in enumerate(Verdict)}


@dataclass(frozen=True, slots=True)
class Options:
    """How far a search goes."""

    copy_distance: int
    """Largest 256-bit distance of a copy."""
    mean_difference: float | None
    """Largest difference of a channel's mean between copies, in levels; None for any."""
    pixel_comparisons: int
    """Most candidates whose pixels are read for one query."""
    verify_seconds: float
    """Reading pixels stops after so long."""


@dataclass(frozen=True, slots=True)
class Recognized:
    """One image that the query was found to be, and how."""

    image: ImageRecord
    verdict: Verdict
    distance: int
    turn: Turn


@dataclass(frozen=True, slots=True)
class Hit:
    """One file that holds a matching image."""

    path: str
    found: Recognized


@dataclass(frozen=True, slots=True)
class Found:
    """What one search found."""

    query: Features
    hits: tuple[Hit, ...]
    """Strongest verdict first, then nearest, then by path."""
    unverified: int
    """Candidates whose pixels should have been compared and could not be in time."""


class Searcher:
    """Answers queries from any thread; holds no lock while it does.

    Args:
        store: The truth.
        index: Proposes candidates.
        pool: Workers of its own, so that no query waits behind indexing.
        quarantine: Stands before them.
        options: How far to go.
        remember: Applies what a search learned (pixel digests) to the store.
        precedence: Others wait while it computes; not while it waits for workers itself.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        store: Store,
        index: Index,
        pool: WorkerPool,
        quarantine: Quarantine,
        options: Options,
        remember: Callable[[Sequence[batch.Operation]], object],
        precedence: Precedence,
    ) -> None:
        self._store = store
        self._precedence = precedence
        self._index = index
        self._queries = QueryReader(pool, quarantine)
        self._options = options
        self._pixels = PixelSearch(
            store, index, pool, quarantine, most=options.pixel_comparisons, remember=remember
        )

    def search(self, image: bytes, mode: Mode, distance: int | None, deadline: float) -> Found:
        """Search with the bytes of an image file.

        Args:
            image: The query.
            mode: Which verdicts are wanted.
            distance: Largest 256-bit distance, in place of the calibrated threshold.
            deadline: When to stop comparing pixels, by the monotonic clock.

        Raises:
            FileFailure: The query cannot be read as a picture.
        """
        comparisons: list[Comparison] = []

        def wants_pixels(query: Features) -> bool:
            until = min(deadline, time.monotonic() + self._options.verify_seconds)
            with self._precedence.first():
                comparisons.append(self._pixels.begin(query, until))
            return comparisons[0].wants_pixels

        read = self._queries.read(
            image, None if mode == "similar" else wants_pixels, wants_turns=mode != "original"
        )
        query = read.features
        with self._precedence.first():
            recognized = {} if mode == "original" else self._near(query, read.turns, distance)
        unverified = 0
        for comparison in comparisons:
            same, unverified = comparison.result(read.pixels)
            recognized |= {
                record.number: Recognized(record, Verdict.SAME_PIXELS, bits, Turn.NONE)
                for record, bits in same
            }
        with self._precedence.first(), self._store.read() as reader:
            _find_same_file(reader, query, recognized)
            hits = _hits(reader, recognized.values())
        # Last, for it sets another thread to work while somebody waits for the answer.
        for comparison in comparisons:
            self._pixels.keep(comparison)
        return Found(query, tuple(hits), unverified)

    def _near(
        self, query: Features, turns: Sequence[TurnedHashes], distance: int | None
    ) -> dict[ImageNumber, Recognized]:
        """Find copies: the 64-bit hashes shorten the field, the 256-bit ones decide."""
        if query.quality < verdicts.FLAT_QUALITY:
            return {}
        options = self._options
        most = options.copy_distance if distance is None else distance
        near = self._index.near(IndexQuery.of(turns), verdicts.SHORTLIST_RADIUS, most)
        recognized: dict[ImageNumber, Recognized] = {}
        with self._store.read() as reader:
            for number, turn, bits in near:
                found = verdicts.similar_verdict(bits, distance, options.copy_distance)
                record = None if found is None else reader.image(number)
                if (
                    found is not None
                    and record is not None
                    and verdicts.means_agree(query.mean, record.mean, options.mean_difference)
                ):
                    recognized[number] = Recognized(record, found, bits, turns[turn].turn)
        return recognized


def _find_same_file(
    reader: Reader, query: Features, recognized: dict[ImageNumber, Recognized]
) -> None:
    number = reader.number_of(query.image_id)
    record = None if number is None else reader.image(number)
    if record is not None:
        recognized[record.number] = Recognized(record, Verdict.SAME_FILE, 0, Turn.NONE)


def _hits(reader: Reader, recognized: Iterable[Recognized]) -> list[Hit]:
    hits = []
    for each in recognized:
        for key in reader.links(each.image.number):
            path = reader.file_path(key)
            if path is not None:
                hits.append(Hit(path, each))
    hits.sort(key=lambda hit: (_RANK[hit.found.verdict], hit.found.distance, hit.path))
    return hits
