"""The linear scan: every row is compared; the reference for what any index must answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.core.pausing import Pause, unhindered
from pspd.search.generation import (
    Chunk,
    Generation,
    ascending,
    differing,
    drop_rows,
    put_rows,
)
from pspd.search.index import MAX_HASHES, Near, Query, Rows, check_radius
from pspd.search.sieve import Places, Sieve, not_flat, of_shape

SLICE_ROWS: Final = 65_536
"""Rows compared at once. Their hashes and the scratch of one hash, 1.1 MB, stay in a 2 MB
second-level cache: four million rows and one hash, radius 8, took 6.1 ms in slices of 4,096 rows,
3.8 of 16,384, 2.8 of 65,536, 2.9 of 131,072 and 3.7 of 262,144."""


class LinearIndex:
    """An `Index` that compares with every row.

    Args:
        flat_quality: Rows of a lower quality are never near anything.
    """

    def __init__(self, flat_quality: int) -> None:
        self._flat_quality = flat_quality
        self._generation = Generation()
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return self._generation.live

    def put(self, rows: Rows) -> None:
        """Add rows, and replace those whose number is there already; see `Index`."""
        if not len(rows):
            return
        with self._writing:
            self._generation = put_rows(self._generation, ascending(rows))

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over; see `Index`."""
        with self._writing:
            self._generation = drop_rows(self._generation, np.asarray(numbers, dtype=np.int64))

    def near(
        self,
        query: Query,
        radius: int,
        distance: int,
        pause: Pause = unhindered,
    ) -> Near:
        """Find the rows near any of the query's hashes; see `Index`."""
        check_radius(radius)
        sieve = Sieve(query, distance, not_flat(self._flat_quality))
        for first, count, chunk in self._generation.parts():
            for found in scan(chunk, range(count), query.phash64, radius, pause):
                sieve.take(first, chunk, found)
        return sieve.near()

    def shaped(self, query: Query, width: int, height: int, most_quality: int) -> Near:
        """Find the rows of this upright shape; see `Index`."""
        return of_shape(self._generation, query, width, height, most_quality)

    def settle(self) -> bool:
        """Do nothing: there is nothing to make faster; see `Index`."""
        return False

    def differing(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers of those of these rows that are not there as they are; see `Index`."""
        return differing(self._generation, rows)


def scan(
    chunk: Chunk,
    rows: range,
    hashes: NDArray[np.uint64],
    radius: int,
    pause: Pause = unhindered,
) -> Iterator[Places]:
    """Yield which of consecutive rows of a chunk are within a radius of which hashes."""
    for start in range(rows.start, rows.stop, SLICE_ROWS):
        pause()
        count = min(SLICE_ROWS, rows.stop - start)
        distances = _scratch.distances(chunk.hashes[start : start + count], hashes)
        # Most slices have no row within a useful radius, and the smallest distance is the
        # cheapest way to see it.
        if distances.min() <= radius:
            turns, places = np.divmod(np.flatnonzero(distances <= radius), count)
            yield Places(places + start, turns)


class _Scratch(threading.local):
    """Where one thread's scan puts its intermediate values, so that none is allocated."""

    def __init__(self) -> None:
        self._differences = np.empty(0, dtype=np.uint64)
        self._distances = np.empty(0, dtype=np.uint8)

    def distances(self, rows: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Return the distances of all rows to each hash, one hash after the other.

        All hashes go into one call, although that takes 1.3 times as long as a call each, for
        their scratch outgrows the cache: numpy lets go of the interpreter in every call, and
        while another thread runs Python code it has to wait a switch interval to get it back.
        One million rows and eight hashes beside one such thread took up to 2.0 s with a call
        each and 0.26 s so, at Python's switch interval of 5 ms; 46 and 12 ms at 0.05 ms.
        """
        size = len(hashes) * len(rows)
        if size > len(self._differences):
            most = min(size, MAX_HASHES * SLICE_ROWS)
            self._differences = np.empty(most, dtype=np.uint64)
            self._distances = np.empty(most, dtype=np.uint8)
        differences = self._differences[:size]
        distances = self._distances[:size]
        np.bitwise_xor(rows, hashes[:, np.newaxis], out=differences.reshape(-1, len(rows)))
        np.bitwise_count(differences, out=distances)
        return distances


_scratch = _Scratch()
