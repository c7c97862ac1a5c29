"""How many pictures that are no copies a threshold lets through, in one library.

A threshold means something else in every collection: among landscapes it lets nothing through that
it lets through among playing cards. So distances of random pairs are counted, and what a person is
told, or chooses, is how many foreign hits a query has on average.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pspd.core.verdict import COPY_DISTANCE

BITS: Final = 256
"""Largest distance of two hashes."""

_TELLING: Final = 8
"""Pairs within a distance from which on their number says something."""

_DECADE: Final = 10
"""How many times more pairs there are at the other point of the line below the first one."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Distances of random pairs of one library's pictures.

    Pairs within `COPY_DISTANCE` are left out: they may be copies, of which a library has more than
    chance gives it. There the figures go on as they come down from above: on a line through the
    logarithms of two shares, which is more than pictures of no family have, for their distances are
    spread like a bell.

    Args:
        counts: Of pairs at each distance from 0 to 256.

    Raises:
        ValueError: There are not 257 counts, or one is negative.
    """

    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != BITS + 1 or min(self.counts) < 0:
            raise ValueError(f"{BITS + 1} counts are wanted")

    @classmethod
    def of(cls, counts: Sequence[int]) -> Expectation:
        """Leave out what may be copies."""
        kept = (0 if bits <= COPY_DISTANCE else count for bits, count in enumerate(counts))
        return cls(tuple(kept))

    def foreign_hits(self, distance: int, pictures: int) -> float:
        """Return how many foreign hits a query has on average.

        Args:
            distance: Largest 256-bit distance of a hit, 0 to 256.
            pictures: Of the library.
        """
        return pictures * self._share(distance)

    def distance_for(self, foreign_hits: float, pictures: int) -> int:
        """Return the largest distance with no more foreign hits than this; -1 if there is none."""
        within = (bits for bits in range(BITS, -1, -1) if self._fits(bits, foreign_hits, pictures))
        return next(within, -1)

    def _fits(self, distance: int, foreign_hits: float, pictures: int) -> bool:
        return self.foreign_hits(distance, pictures) <= foreign_hits

    def _share(self, distance: int) -> float:
        """Return the share of foreign pairs within a distance."""
        total = sum(self.counts)
        if not total:
            return 0.0
        near = self._first_within(_TELLING)
        if distance >= near:
            return sum(self.counts[: distance + 1]) / total
        share = sum(self.counts[: near + 1]) / total
        far = self._first_within(_DECADE * sum(self.counts[: near + 1]))
        further = sum(self.counts[: far + 1]) / total
        if far == near or further <= share:
            return share
        slope = (math.log(further) - math.log(share)) / (far - near)
        return share * math.exp(slope * (distance - near))

    def _first_within(self, pairs: int) -> int:
        """Return the smallest distance with so many pairs within, or with all of them."""
        pairs = min(pairs, sum(self.counts))
        within = 0
        for bits, count in enumerate(self.counts):
            within += count
            if within >= pairs:
                return bits
        return BITS
