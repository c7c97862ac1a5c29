"""Rows with equal vectors, of which a graph has one alone: their leader.

    rows        0   1   2   3   4         vectors of 1, 3 and 4 are equal
    in a graph  0   1   2                 3 and 4 follow 1

Pictures that are blank, or in which a model sees nothing else, have the same vector: so had 224 of
2,030 real ones, drawings and crops of them. A graph links each of such a crowd to others of it and
to nothing else, so that a search does not find the way in, or not out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_WORD_BYTES: Final = 8

_SEED: Final = 0x5EED


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """All rows of a graph and whom they follow; columns of one length, by leader and number."""

    leaders: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, leaders: NDArray[np.int64], followers: NDArray[np.int64]) -> Members:
        """Put leaders and those who follow them in order.

        Args:
            leaders: Numbers of the rows that are in the graph.
            followers: Pairs of a number and its leader.
        """
        numbers = np.concatenate([leaders, followers[:, 0]])
        of_whom = np.concatenate([leaders, followers[:, 1]])
        order = np.lexsort((numbers, of_whom))
        return cls(of_whom[order], numbers[order])

    def places(self, leaders: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where the rows of some leaders are, in their order, and how many each has."""
        firsts = np.searchsorted(self.leaders, leaders, side="left")
        counts = np.searchsorted(self.leaders, leaders, side="right") - firsts
        ends = np.cumsum(counts)
        # The n-th row is as far behind its leader's first one as n is behind the end before.
        return np.repeat(firsts - (ends - counts), counts) + np.arange(counts.sum()), counts


class Crowds:
    """Says of rows that come, one block after the other, which of them follow an earlier one.

    Rows are known again by 64 bits of their vectors. Were those of different ones ever equal, a
    search would propose a picture that is none, and `VectorIndex.differing` would tell.
    """

    def __init__(self) -> None:
        self._hashes = np.empty(0, dtype=np.uint64)
        """Ascending; of each leader, one."""
        self._leaders = np.empty(0, dtype=np.int64)
        self._followers = [np.empty((0, 2), dtype=np.int64)]

    def take(self, numbers: NDArray[np.int64], vectors: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Take rows in; returns which of them lead."""
        hashes = _hashes(vectors)
        distinct, firsts, whose = np.unique(hashes, return_index=True, return_inverse=True)
        leaders = numbers[firsts]
        places = np.searchsorted(self._hashes, distinct)
        is_known = np.zeros(len(distinct), dtype=np.bool_)
        inside = places < len(self._hashes)
        is_known[inside] = self._hashes[places[inside]] == distinct[inside]
        leaders[is_known] = self._leaders[places[is_known]]
        of_whom = leaders[whose]
        leads: NDArray[np.bool_] = of_whom == numbers
        self._followers.append(np.stack([numbers[~leads], of_whom[~leads]], axis=1))
        new = ~is_known
        self._hashes = np.insert(self._hashes, places[new], distinct[new])
        self._leaders = np.insert(self._leaders, places[new], leaders[new])
        return leads

    def follow(self, pairs: NDArray[np.int64]) -> None:
        """Note pairs of a number and its leader that are known already."""
        self._followers.append(pairs)

    def followers(self) -> NDArray[np.int64]:
        """Return all pairs of a number and its leader."""
        return np.concatenate(self._followers)


def _hashes(vectors: NDArray[np.int8]) -> NDArray[np.uint64]:
    """Return 64 bits of each vector: a sum of its words, each times an odd number of its own."""
    count, dimensions = vectors.shape
    padded = np.zeros((count, -(-dimensions // _WORD_BYTES) * _WORD_BYTES), dtype=np.int8)
    padded[:, :dimensions] = vectors
    words = padded.view(np.uint64)
    # A product carries bits upwards alone: the upper ones of a word are to count as well.
    words = words ^ (words >> np.uint64(32))
    random = np.random.default_rng(_SEED)
    factors = random.integers(0, 1 << 64, words.shape[1], dtype=np.uint64) | np.uint64(1)
    sums: NDArray[np.uint64] = (words * factors).sum(axis=1, dtype=np.uint64)
    return sums
