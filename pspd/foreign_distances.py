"""Counts the distances of random pairs of the library's pictures, for `pspd.core.expectation`."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Final

import numpy as np

from pspd.copy_search import Known, known
from pspd.core import verdict as verdicts
from pspd.core.expectation import BITS, Expectation
from pspd.core.model import ImageNumber
from pspd.core.pausing import Pause, unhindered
from pspd.features.turning import turned_hashes
from pspd.search.index import hash_words

if TYPE_CHECKING:
    import numpy.typing as npt

    from pspd.store.store import Store

RUNS: Final = 8
RUN_IMAGES: Final = 1000
"""Images are drawn in runs of neighbours, which lie in one place of the store."""

QUERIES: Final = 160
"""Of them that are compared with all others, after eight turns each: some million pairs."""

LEAST_IMAGES: Final = 100
"""A smaller library says nothing about chance."""

GROWTH: Final = 1.25
"""When a library is so many times as large as it was, or as small, it is drawn from again."""


class ForeignDistances:
    """Knows what to expect of a threshold; brought up to date at leisure, asked by any thread.

    Args:
        store: Whose pictures.
        pause: Called every few milliseconds; those who search may be let pass.
    """

    def __init__(self, store: Store, pause: Pause = unhindered) -> None:
        self._store = store
        self._pause = pause
        self._pictures = 0
        """Of the library when it was drawn from last."""
        self.expectation: Expectation | None = None
        """None as long as too little is known."""

    def refresh(self) -> None:
        """Draw again, if the library has changed much; a tenth of a second.

        Raises:
            StoreError: The store cannot be read.
        """
        with self._store.read() as reader:
            pictures, upto = reader.meta("pictures"), reader.meta("next_image")
        if self._pictures / GROWTH < pictures < self._pictures * GROWTH:
            return
        if pictures < LEAST_IMAGES:
            self.expectation, self._pictures = None, pictures
            return
        # The same pictures give the same figures.
        images = self._draw(upto, Random(upto))  # noqa: S311 - no secret
        if len(images) >= LEAST_IMAGES:
            self.expectation = Expectation.of(self._distances(images).tolist())
        self._pictures = pictures

    def _draw(self, upto: int, random: Random) -> list[Known]:
        """Draw images that are not flat, in any order."""
        firsts = [random.randrange(max(1, upto - RUN_IMAGES)) for _ in range(RUNS)]
        numbers = {
            number for first in firsts for number in range(first, min(upto, first + RUN_IMAGES))
        }
        found: list[Known] = []
        for some in _pieces(sorted(numbers), 200):
            with self._store.read() as reader:
                images = known(reader, map(ImageNumber, some))
            found += [each for each in images if each.quality >= verdicts.FLAT_QUALITY]
            self._pause()
        random.shuffle(found)
        return found

    def _distances(self, images: list[Known]) -> npt.NDArray[np.int64]:
        """Count the pairs at each distance, each after the turn that brings it nearest."""
        hashes = hash_words([each.phash256 for each in images])
        counts = np.zeros(BITS + 1, np.int64)
        for place, image in enumerate(images[:QUERIES]):
            # Those before it were compared with it.
            others = hashes[place + 1 :]
            turned = turned_hashes(image.phash64, image.phash256)
            nearest = np.full(len(others), BITS, np.int64)
            for each in turned:
                words = hash_words([each.phash256])
                distances = np.bitwise_count(others ^ words).sum(axis=1, dtype=np.int64)
                np.minimum(nearest, distances, out=nearest)
            counts += np.bincount(nearest, minlength=BITS + 1)
            self._pause()
        return counts


def _pieces(numbers: list[int], size: int) -> Iterator[list[int]]:
    for at in range(0, len(numbers), size):
        yield numbers[at : at + size]
