"""Turns a query image into hits: features → candidates → verification → paths.

image ──worker──▶ Features, 8 turned hashes ──Index.near──▶ 256-bit distances ──▶ copies
              └─▶ content digest ──store──▶ same file
dimensions ──Index.shaped──▶ plausible ──pixel digests (kept)──▶ same pixels
image ──worker──▶ View ──DeepSearch──▶ learned descriptors, proofs ──▶ copies, or alike
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pspd.copy_search import known, nearest_turn
from pspd.core import verdict as verdicts
from pspd.core.model import Features, ImageNumber, Turn, Verdict
from pspd.errors import FileFailure
from pspd.features.inner_pictures import InnerHashes
from pspd.found import Found, Hit, Recognized, Wishes
from pspd.judging import Near, by_hash, is_sure, judged
from pspd.pixel_search import Comparison, PixelSearch
from pspd.search.index import Index
from pspd.search.index import Query as IndexQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pspd.core.model import ImageRecord, TurnedHashes
    from pspd.deep_search import DeepSearch
    from pspd.precedence import Precedence
    from pspd.query_reading import QueryReader, ReadQuery
    from pspd.store.reader import Reader
    from pspd.store.store import Store

ANSWER_SECONDS: Final = 1.0
"""What is left of a request's time when descriptors and proofs end: a candidate that was begun is
brought to its end, and pixels may have to be compared."""

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
    budget_seconds: float = 1.0
    """What descriptors and proofs may take for one query."""


class Searcher:
    """Answers queries from any thread; holds no lock while it does.

    Args:
        store: The truth.
        index: Proposes candidates.
        queries: Reads query images.
        pixels: Compares pixels.
        options: How far to go.
        precedence: Others wait while it computes; not while it waits for workers itself.
        deep: Finds what hashes do not find; None to do without.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what it works with
        self,
        store: Store,
        index: Index,
        queries: QueryReader,
        pixels: PixelSearch,
        options: Options,
        precedence: Precedence,
        deep: DeepSearch | None = None,
    ) -> None:
        self._store = store
        self._index = index
        self._queries = queries
        self._pixels = pixels
        self._options = options
        self._precedence = precedence
        self._deep = deep

    def search(self, image: bytes, wishes: Wishes, deadline: float) -> Found:
        """Search with the bytes of an image file.

        Args:
            image: The query.
            wishes: What is to be found.
            deadline: When to stop looking closer, by the monotonic clock.

        Raises:
            FileFailure: The query cannot be read as a picture, or has no such part.
        """
        comparisons: list[Comparison] = []

        def wants_pixels(query: Features) -> bool:
            until = min(deadline, time.monotonic() + self._options.verify_seconds)
            with self._precedence.first():
                comparisons.append(self._pixels.begin(query, until))
            return comparisons[0].wants_pixels

        read = self._queries.read(
            image,
            None if wishes.mode == "similar" else wants_pixels,
            wants_turns=wishes.mode != "original",
            part=wishes.part,
        )
        query = read.features
        recognized: dict[ImageNumber, Recognized] = {}
        cut: list[str] = []
        if wishes.mode != "original":
            recognized, cut = self._similar(image, read, wishes, deadline)
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
        return Found(query, tuple(hits), unverified, tuple(cut))

    def _similar(
        self, image: bytes, read: ReadQuery, wishes: Wishes, deadline: float
    ) -> tuple[dict[ImageNumber, Recognized], list[str]]:
        """Find copies, and say what was left out."""
        options = self._options
        # Who asks for similar ones, or says how far hashes may be, asks for hashes.
        is_deep = wishes.effort == "full" and wishes.mode == "both" and wishes.distance is None
        deep = self._deep if is_deep else None
        most = options.copy_distance if wishes.distance is None else wishes.distance
        reach = most if deep is None else max(most, deep.reach())
        near = self._near(read.features, read.turns, reach)
        if not any(each.distance <= options.copy_distance for each in near.values()):
            # What is in a frame, a window or a collage has hashes of its own. They take some 40 ms,
            # and of a picture that has copies as it is they mostly find those again.
            with suppress(FileFailure):
                for inner in self._queries.inner(image, wishes.part):
                    _add(near, self._near(inner, inner.turned, reach))
        recognized = by_hash(near.values(), wishes, options.copy_distance)
        if deep is None:
            return recognized, []
        # What is in a part of the query is still to be placed.
        sure = {
            number
            for number, found in recognized.items()
            if is_sure(found) and not near[number].is_inner
        }
        doubtful = [each.image for number, each in near.items() if number not in sure]
        wished = options.budget_seconds if wishes.seconds is None else wishes.seconds
        # An answer that is cut short is worth more than none.
        seconds = min(wished, deadline - time.monotonic() - ANSWER_SECONDS)
        found = deep.search(
            image, wishes.part, doubtful, sure, seconds, wants_alike=wishes.wants_alike
        )
        with self._precedence.first():
            distances = near | self._distances(read, found.candidates.keys() - near.keys())
            return judged(recognized, found, distances, wishes), found.cut

    def _near(
        self, query: Features | InnerHashes, turns: Sequence[TurnedHashes], most: int
    ) -> dict[ImageNumber, Near]:
        """Find images by hash: the 64-bit hashes shorten the field, the 256-bit ones decide."""
        if query.quality < verdicts.FLAT_QUALITY:
            return {}
        near: dict[ImageNumber, Near] = {}
        with self._precedence.first():
            found = self._index.near(IndexQuery.of(turns), verdicts.SHORTLIST_RADIUS, most)
            with self._store.read() as reader:
                for number, turn, bits in found:
                    record = reader.image(number)
                    if record is not None and self._agrees_in_mean(query, record):
                        near[number] = Near(record, bits, turns[turn].turn)
        return near

    def _agrees_in_mean(self, query: Features | InnerHashes, record: ImageRecord) -> bool:
        """Say whether mean colours allow a copy; those of inner pictures are not known."""
        return isinstance(query, InnerHashes) or verdicts.means_agree(
            query.mean, record.mean, self._options.mean_difference
        )

    def _distances(
        self, read: ReadQuery, numbers: Iterable[ImageNumber]
    ) -> dict[ImageNumber, Near]:
        """Say how far the hashes of images are that were found by something else."""
        distances = {}
        with self._store.read() as reader:
            for image in known(reader, numbers):
                record = reader.image(image.number)
                if record is not None:
                    distances[image.number] = Near(record, *nearest_turn(read.turns, image))
        return distances


def _add(near: dict[ImageNumber, Near], others: Mapping[ImageNumber, Near]) -> None:
    """Add images that are near to a part of the query, or nearer than to the whole."""
    for number, other in others.items():
        if number not in near or other.distance < near[number].distance:
            near[number] = other._replace(is_inner=True)


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
    hits.sort(key=_order)
    return hits


def _order(hit: Hit) -> tuple[int, int, float, str]:
    """Return what hits are sorted by: the strongest verdict first, then the nearest."""
    found = hit.found
    # Beyond what hashes can tell, their distance says nothing.
    distance = min(found.distance, verdicts.ALIKE_DISTANCE)
    return _RANK[found.verdict], distance, -_strength(found), hit.path


def _strength(found: Recognized) -> float:
    if found.proof is not None:
        return 1.0 + found.proof.agreement * max(found.proof.query_share, found.proof.indexed_share)
    return found.likeness or 0.0
