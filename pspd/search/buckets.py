"""Multi-index hashing: one chunk's rows in a few tables, each by some bits of the 64-bit hash.

Two hashes at most `SURE_RADIUS` = 11 bits apart agree in one of four disjoint parts up to 2 bits:
were all four at 3 bits or more, they would be 12 apart. So the rows in the 137 buckets of each
table within 2 bits of the query's part are all that need be compared; further rows are met when
their bits differ unevenly, which is mostly. With three parts of 21 or 22 bits it is 3 bits and some
1,600 buckets, which are nearly empty: better where there are millions of rows. (Norouzi, Punjani,
Fleet: Fast Search in Hamming Space with Multi-Index Hashing, CVPR 2012.)

Which bits make a part matters. A perceptual hash is a square of 8 × 8 frequencies; bits beside each
other depend on one another, and with parts of whole rows a query would meet 1.4 times as many. A
part takes bits along diagonals instead, (row + column) mod the number of parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pspd.core.pausing import Pause, unhindered
from pspd.search.generation import REMOVED, Chunk
from pspd.search.index import HASH_BITS, SURE_RADIUS
from pspd.search.sieve import Places

MANY_ROWS: Final = 1 << 21
"""Rows from which on three parts are better than four. Four cost 0.1 ms and 1.0 ms for each million
of rows, three 1.6 ms and 0.3 ms."""

VISITS: Final = 1 << 18
"""Rows compared at once: what they take, 6 MB, stays near the processor."""

_DENSE: Final = 2
"""A query that would visit one in so many of a chunk's rows is a scan's: of many pictures that
share a key. A visit costs as much as comparing some fifteen rows in order."""


_WORD_BITS: Final = 16
_WORD: Final = np.uint64((1 << _WORD_BITS) - 1)
_SHIFTS: Final = np.arange(0, HASH_BITS, _WORD_BITS, dtype=np.uint64)

_SLICE_ROWS: Final = 1 << 16
"""Rows of which keys are made at once, so that no scratch is as large as a chunk."""


class Scheme:
    """How hashes are cut into parts.

    Args:
        parts: Into how many.
    """

    def __init__(self, parts: int) -> None:
        self.parts: Final = tuple(
            tuple(bit for bit in range(HASH_BITS) if (bit // 8 + bit % 8) % parts == part)
            for part in range(parts)
        )
        """Of each part, its bits, from the lowest."""
        self.radius: Final = SURE_RADIUS // parts
        """Bits in which the nearest part of two hashes `SURE_RADIUS` apart differs, at most."""

    @cached_property
    def plan(self) -> ProbePlan:
        """The buckets that are looked into for one hash."""
        flips = [_flips(len(bits), self.radius) for bits in self.parts]
        parts = np.repeat(np.arange(len(flips)), [len(each) for each in flips])
        return ProbePlan(parts, np.concatenate(flips), self.firsts[parts])

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """Where the offsets of each part's table begin in `Buckets.offsets`, and where all end."""
        return np.cumsum([0, *((1 << len(bits)) + 1 for bits in self.parts)])

    @cached_property
    def _spread(self) -> NDArray[np.uint32]:
        """Of each part and each 16 bits of a hash, what these give to the part's key."""
        firsts = range(0, HASH_BITS, _WORD_BITS)
        return np.array([[_spread(bits, first) for first in firsts] for bits in self.parts])

    def all_keys(self, hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the keys of a few hashes, hashes × parts, in few calls of numpy."""
        words = (hashes[:, np.newaxis] >> _SHIFTS) & _WORD
        spread = self._spread[:, np.arange(len(_SHIFTS)), words.astype(np.int64)]
        keys: NDArray[np.uint32] = np.bitwise_or.reduce(spread, axis=-1)
        return keys.T.astype(np.int64)

    def keys(self, hashes: NDArray[np.uint64], part: int) -> NDArray[np.uint32]:
        """Return the bits of each hash that make one of its parts, the lowest first."""
        keys = np.zeros(len(hashes), dtype=np.uint32)
        for start in range(0, len(hashes), _SLICE_ROWS):
            here = slice(start, start + _SLICE_ROWS)
            for word, table in enumerate(self._spread[part]):
                keys[here] |= table.take((hashes[here] >> np.uint64(_WORD_BITS * word)) & _WORD)
        return keys


class ProbePlan(NamedTuple):
    """The buckets to look into for one hash; columns of one length."""

    parts: NDArray[np.int64]
    flips: NDArray[np.int64]
    """What the key of the part is to be xored with."""
    firsts: NDArray[np.int64]
    """Where the offsets of the part's table begin."""


FOUR: Final = Scheme(4)
THREE: Final = Scheme(3)


@dataclass(frozen=True, slots=True, eq=False)
class Probes:
    """The buckets that a query looks into, the same in each chunk; columns of one length."""

    places: NDArray[np.int64]
    """Places in `Buckets.offsets`."""
    turns: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, hashes: NDArray[np.uint64], scheme: Scheme) -> Self:
        """List the buckets for some hashes."""
        plan = scheme.plan
        places = scheme.all_keys(hashes)[:, plan.parts]
        places ^= plan.flips
        places += plan.firsts
        turns = np.repeat(np.arange(len(hashes)), len(plan.parts))
        return cls(places.reshape(-1), turns, hashes[turns])


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """The tables of a chunk's first rows.

    They take 12 or 16 bytes a row, and one or some 25 megabytes; with hashes 48 bytes a row.
    """

    scheme: Scheme
    count: int
    """Rows of the chunk that were there when the tables were made."""
    rows: NDArray[np.uint32]
    """Of each table, one after the other, the rows by their key."""
    offsets: NDArray[np.int32]
    """Of each table, where in `rows` each key begins, and where the last one ends."""
    hashes: NDArray[np.uint64] | None
    """In the order of `rows`, as they were when the tables were made. So those of a bucket lie side
    by side, and a visit costs 6 ns instead of 15; but they are four times as much as the hashes."""

    @classmethod
    def of(cls, chunk: Chunk, count: int, flat_quality: int, *, most_hashes: int = 0) -> Self:
        """Make the tables of a chunk's first `count` rows that are neither flat nor removed.

        Args:
            chunk: Whose.
            count: Of how many rows.
            flat_quality: Below it a row is left out.
            most_hashes: Up to so many rows the tables have their hashes.
        """
        scheme = THREE if count >= MANY_ROWS else FOUR
        quality = chunk.quality[:count]
        rows = np.flatnonzero((quality >= flat_quality) & (quality != REMOVED)).astype(np.uint32)
        every = np.empty(len(scheme.parts) * len(rows), dtype=np.uint32)
        offsets = np.empty(scheme.firsts[-1], dtype=np.int32)
        hashes = chunk.hashes[:count] if len(rows) == count else chunk.hashes[rows]
        sorted_ = np.empty(len(every), dtype=np.uint64) if count <= most_hashes else None
        for part, bits in enumerate(scheme.parts):
            keys = scheme.keys(hashes, part)
            first, table = part * len(rows), scheme.firsts[part]
            order = np.argsort(keys)
            np.take(rows, order, out=every[first : first + len(rows)])
            if sorted_ is not None:
                np.take(hashes, order, out=sorted_[first : first + len(rows)])
            offsets[table] = first
            ends = offsets[table + 1 : scheme.firsts[part + 1]]
            np.cumsum(np.bincount(keys, minlength=1 << len(bits)), out=ends)
            ends += first
        return cls(scheme, count, every, offsets, sorted_)

    def visit(
        self,
        chunk: Chunk,
        probes: Probes,
        radius: int,
        pause: Pause = unhindered,
    ) -> list[Places] | None:
        """Find rows within a radius; None when too many would be visited.

        Args:
            chunk: Whose tables these are, as it is by now.
            probes: The query's, for this scheme.
            radius: Largest distance of the 64-bit hashes.
            pause: Called now and then.
        """
        starts = self.offsets.take(probes.places)
        counts = self.offsets.take(probes.places + 1) - starts
        ends = np.cumsum(counts, dtype=np.int64)
        if ends[-1] > self.count // _DENSE:
            return None
        found = []
        for part in _batches(ends):
            pause()
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
        if self.hashes is None:
            differences = chunk.hashes.take(self.rows.take(entries))
        else:
            differences = self.hashes.take(entries)
        differences ^= runs.hashes.repeat(runs.counts)
        near = np.flatnonzero(np.bitwise_count(differences) <= radius)
        rows = self.rows.take(entries[near])
        buckets = np.searchsorted(ends, near, side="right")
        if self.hashes is not None:
            # A row that was written since is what it is now, or it is not found here.
            differences = chunk.hashes.take(rows) ^ runs.hashes.take(buckets)
            kept = np.bitwise_count(differences) <= radius
            rows, buckets = rows[kept], buckets[kept]
        return Places(rows, runs.turns.take(buckets))


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


def _flips(bits: int, radius: int) -> NDArray[np.int64]:
    """Return every number of so many bits of which at most `radius` are set."""
    chosen = (each for count in range(radius + 1) for each in combinations(range(bits), count))
    return np.array([sum(1 << bit for bit in each) for each in chosen], dtype=np.int64)


def _spread(bits: Sequence[int], first: int) -> NDArray[np.uint32]:
    """Return, for each value of 16 bits of a hash from `first`, those of a key that it sets."""
    values = np.arange(1 << _WORD_BITS, dtype=np.uint32)
    keys = np.zeros_like(values)
    for place, bit in enumerate(bits):
        if first <= bit < first + _WORD_BITS:
            keys |= (values >> np.uint32(bit - first) & np.uint32(1)) << np.uint32(place)
    return keys
