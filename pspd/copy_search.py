"""Finds the copies of an indexed image among all others, from the hashes that are kept of it.

    hashes in the store ──turned──▶ Index ──64 bits, then 256──▶ copies

The rules are those of a similar search; but a search turns the query's pixels, and here are hashes
only, so that a turned copy's distance is about what a search says (see `pspd.features.turning`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pspd.core import verdict as verdicts
from pspd.core.model import ImageNumber, Turn, TurnedHashes
from pspd.core.pausing import Pause, unhindered
from pspd.features.turning import turned_hashes
from pspd.search.index import Index, Query
from pspd.store.batch import CopyFound
from pspd.store.shapes import NO_ROW, Column

if TYPE_CHECKING:
    from pspd.core.model import Features
    from pspd.store.reader import Reader
    from pspd.store.store import Store


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of an image by which its copies are found."""

    number: ImageNumber
    phash64: bytes
    phash256: bytes
    quality: int


class CopySearch:
    """Answers from any thread.

    Args:
        store: The truth.
        index: Proposes candidates.
        copy_distance: Largest 256-bit distance of a copy.
        mean_difference: Largest difference of a channel's mean between copies; None for any.
        pause: Called between the steps of a search; others' may be let pass.
    """

    def __init__(
        self,
        store: Store,
        index: Index,
        copy_distance: int,
        mean_difference: float | None,
        pause: Pause = unhindered,
    ) -> None:
        self._store = store
        self._index = index
        self.copy_distance = copy_distance
        """Largest 256-bit distance of a copy."""
        self._mean_difference = mean_difference
        self._pause = pause

    @property
    def rule(self) -> int:
        """A digest of what makes a copy: by another one, other pairs are found."""
        parts = (
            "signs of the turned DCT",
            self.copy_distance,
            self._mean_difference,
            verdicts.SHORTLIST_RADIUS,
            verdicts.FLAT_QUALITY,
        )
        return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest())

    def copies_of(self, image: Known) -> list[CopyFound]:
        """Return the copies of an image, the nearest first, then by number; not itself.

        Raises:
            StoreError: The store cannot be read.
        """
        if image.quality < verdicts.FLAT_QUALITY:
            return []
        turned = turned_hashes(image.phash64, image.phash256)
        best: dict[ImageNumber, CopyFound] = {}
        for number, place, distance in self._near(turned):
            if number not in best and number != image.number:
                best[number] = CopyFound(number, turned[place].turn, distance)
        if self._mean_difference is not None:
            best = self._alike_in_mean(image.number, best, self._mean_difference)
        return list(best.values())

    def between(self, image: Known, other: Known) -> CopyFound:
        """Return how two images are copies of each other, however far they are."""
        distance, turn = nearest_turn(turned_hashes(image.phash64, image.phash256), other)
        return CopyFound(other.number, turn, distance)

    def _near(self, turned: Sequence[TurnedHashes]) -> Iterable[tuple[ImageNumber, int, int]]:
        """Yield number, place of the turn and 256-bit distance of each copy, the nearest first."""
        return self._index.near(
            Query.of(turned), verdicts.SHORTLIST_RADIUS, self.copy_distance, self._pause
        )

    def _alike_in_mean(
        self, number: ImageNumber, found: dict[ImageNumber, CopyFound], most: float
    ) -> dict[ImageNumber, CopyFound]:
        with self._store.read() as reader:
            image = reader.image(number)
            others = {other: reader.image(other) for other in found}
        if image is None:
            return {}
        return {
            other: found[other]
            for other, record in others.items()
            if record is not None and verdicts.means_agree(image.mean, record.mean, most)
        }


def nearest_turn(turned: Sequence[TurnedHashes], other: Known | Features) -> tuple[int, Turn]:
    """Return the distance of an image from the nearest of some turned hashes, and that turn."""
    distances = [verdicts.hamming(each.phash256, other.phash256) for each in turned]
    distance = min(distances)
    return distance, turned[distances.index(distance)].turn


def known(reader: Reader, numbers: Iterable[ImageNumber]) -> list[Known]:
    """Return what is kept of images; those that are not there are left out."""
    found = []
    for number in numbers:
        cells = reader.cells(number)
        (quality,) = cells.get(Column.QUALITY) or [NO_ROW]
        if quality != NO_ROW:
            phash64 = cells[Column.PHASH64][::-1]
            found.append(Known(number, phash64, cells[Column.PHASH256], quality))
    return found
