"""Multi-index hashing: one chunk's rows in four tables, each by 16 bits of the 64-bit hash.

Two hashes at most `SURE_RADIUS` = 11 bits apart agree in one of four disjoint parts up to 2 bits:
were all four at 3 bits or more, they would be 12 apart. So the rows in the 137 buckets of each
table within 2 bits of the query's part are all that need be compared; further rows are met when
their bits differ unevenly, which is mostly. (Norouzi, Punjani, Fleet: Fast Search in Hamming Space
with Multi-Index Hashing, CVPR 2012.)

Which bits make a part matters. A perceptual hash is a square of 8 × 8 frequencies; bits beside each
other depend on one another, and with parts of two rows each a query would meet 1.4 times as many
rows. A part takes two bits of each row instead, along diagonals, (row + column) mod 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pspd.search.generation import Chunk
from pspd.search.sieve import Places

PARTS: Final = 4
PART_RADIUS: Final = 2
_KEYS: Final = 1 << 16
_STEP: Final = _KEYS + 1
"""Offsets of a table: where each key begins, and where the last ends."""

VISITS: Final = 1 << 18
"""Rows compared at once: what they take, 6 MB, stays near the processor."""

_DENSE: Final = 2
"""A query that would visit one in so many of a chunk's rows is a scan's: of many pictures that
share a key. A visit costs as much as comparing some fifteen rows in order."""


def _diagonals() -> NDArray[np.uint64]:
    """Return for each part the mask of its 16 bits."""
    parts = []
    for part in range(PARTS):
        mask = 0
        for row in range(8):
            for column in range(8):
                if (row + column) % PARTS == part:
                    mask |= 1 << (8 * row + column)
        parts.append(mask)
    return np.array(parts, dtype=np.uint64)


_MASKS: Final = _diagonals()

_FLIPS: Final = np.array(
    [
        sum(1 << bit for bit in bits)
        for count in range(PART_RADIUS + 1)
        for bits in combinations(range(16), count)
    ],
    dtype=np.int64,
)
"""What a key is to be xored with to reach each key within `PART_RADIUS`."""


def part_keys(hashes: NDArray[np.uint64], part: int) -> NDArray[np.uint16]:
    """Return the 16 bits of each hash that make one of its four parts.

    In four rows that follow one another the part's bits lie in different columns, so that the rows
    can be laid upon one another: what is left are two bytes.
    """
    bits = hashes & _MASKS[part]
    bits |= bits >> np.uint64(8)
    bits |= bits >> np.uint64(16)
    low = bits & np.uint64(0xFF)
    bits >>= np.uint64(24)
    bits &= np.uint64(0xFF00)
    bits |= low
    keys: NDArray[np.uint16] = bits.astype(np.uint16)
    return keys


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """The buckets that a query looks into, the same in each chunk; columns of one length."""

    places: NDArray[np.int64]
    """Places in `Buckets.offsets`."""
    turns: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, hashes: NDArray[np.uint64]) -> Self:
        """List the buckets for some hashes."""
        keys = np.stack([part_keys(hashes, part) for part in range(PARTS)], axis=1)
        tables = np.arange(PARTS, dtype=np.int64)[None, :, None] * _STEP
        places = (keys.astype(np.int64)[:, :, None] ^ _FLIPS) + tables
        turns = np.repeat(np.arange(len(hashes)), PARTS * len(_FLIPS))
        return cls(places.reshape(-1), turns, hashes[turns])


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """The tables of a chunk's first rows: 16 bytes a row, and a megabyte."""

    count: int
    """Rows of the chunk that were there when the tables were made."""
    rows: NDArray[np.uint32]
    """Of each table, one after the other, the rows by their key."""
    offsets: NDArray[np.int32]
    """Of each table, where in `rows` each key begins, and where the last one ends."""

    @classmethod
    def of(cls, chunk: Chunk, count: int, flat_quality: int, removed: int) -> Self:
        """Make the tables of a chunk's first `count` rows that are neither flat nor removed."""
        quality = chunk.quality[:count]
        rows = np.flatnonzero((quality >= flat_quality) & (quality != removed)).astype(np.uint32)
        every = np.empty(PARTS * len(rows), dtype=np.uint32)
        offsets = np.empty(PARTS * _STEP, dtype=np.int32)
        hashes = chunk.hashes[:count] if len(rows) == count else chunk.hashes[rows]
        for part in range(PARTS):
            keys = part_keys(hashes, part)
            first = part * len(rows)
            # Stable on 16 bits is numpy's radix sort, and keeps neighbours beside each other.
            order = np.argsort(keys, kind="stable")
            np.take(rows, order, out=every[first : first + len(rows)])
            ends = np.cumsum(np.bincount(keys, minlength=_KEYS)) + first
            offsets[part * _STEP] = first
            offsets[part * _STEP + 1 : (part + 1) * _STEP] = ends
        return cls(count, every, offsets)

    def visit(self, chunk: Chunk, probes: Probes, radius: int) -> list[Places] | None:
        """Find rows within a radius; None when too many would be visited.

        Args:
            chunk: Whose tables these are, as it is by now.
            probes: The query's.
            radius: Largest distance of the 64-bit hashes.
        """
        starts = self.offsets[probes.places]
        counts = self.offsets[probes.places + 1] - starts
        ends = np.cumsum(counts, dtype=np.int64)
        if ends[-1] > self.count // _DENSE:
            return None
        found = []
        for part in _batches(ends):
            runs = _Runs(starts[part], counts[part], probes.hashes[part], probes.turns[part])
            found.append(self._compare(chunk, runs, radius))
        return found

    def _compare(self, chunk: Chunk, runs: _Runs, radius: int) -> Places:
        """Compare every row of some buckets with the hash for which it is visited."""
        ends = np.cumsum(runs.counts, dtype=np.int32)
        # The n-th visit is in the bucket that ends behind n, at its start and as far on as n is
        # behind the end of the bucket before.
        entries = np.repeat(runs.starts - (ends - runs.counts), runs.counts)
        entries += np.arange(len(entries), dtype=np.int32)
        rows = self.rows[entries]
        differences = chunk.hashes[rows]
        differences ^= np.repeat(runs.hashes, runs.counts)
        near = np.flatnonzero(np.bitwise_count(differences) <= radius)
        return Places(rows[near], runs.turns[np.searchsorted(ends, near, side="right")])


class _Runs(NamedTuple):
    """Buckets to visit; columns of one length."""

    starts: NDArray[np.int32]
    """In `Buckets.rows`."""
    counts: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    turns: NDArray[np.int64]


def _batches(ends: NDArray[np.int64]) -> Iterator[slice]:
    """Split buckets, by the sums of their sizes, into batches of about `VISITS` rows."""
    first, done = 0, 0
    while first < len(ends):
        last = max(first + 1, int(np.searchsorted(ends, done + VISITS, side="right")))
        yield slice(first, last)
        first, done = last, int(ends[last - 1])
