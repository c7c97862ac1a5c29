"""The index that the daemon uses: tables for what has been there, a scan for what is new.

    Chunk 0  ┌ Buckets ┐┌ tail ┐     rows not in the tables yet are compared one by one, and so are
    Chunk 1  ┌ Buckets ────────┐     those that changed since; when these are `LOOSE_ROWS`, tables
                                     are made anew

A scan of a million rows for the eight turns of a query takes 9 ms, the tables 1 ms, for they leave
7 % of it. A library below `LOOSE_ROWS` is only scanned.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.search.buckets import Buckets, Probes
from pspd.search.generation import (
    CHUNK_ROWS,
    REMOVED,
    Generation,
    ascending,
    differing,
    drop_rows,
    put_rows,
)
from pspd.search.index import Near, Query, Rows, check_radius
from pspd.search.linear import scan
from pspd.search.sieve import Places, Sieve, not_flat, of_shape

LOOSE_ROWS: Final = 16_384
"""Rows outside the tables, at most: a scan of them takes 0.15 ms, and tables of a million rows 60
ms to make, 4 µs for each row that came."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What a reader looks at from the beginning of its query to the end."""

    generation: Generation
    buckets: tuple[Buckets, ...]
    """Of the first chunks."""
    changed: NDArray[np.int64]
    """Numbers, ascending, of rows that were written since the tables they belong to were made."""

    @property
    def loose(self) -> int:
        """Rows that no table knows as they are."""
        known = sum(each.count for each in self.buckets)
        return self.generation.count - known + len(self.changed)


class MultiIndex:
    """An `Index` that looks only where something can be.

    Args:
        flat_quality: Rows of a lower quality are never near anything.
        loose_rows: Rows outside the tables, at most.
    """

    def __init__(self, flat_quality: int, *, loose_rows: int = LOOSE_ROWS) -> None:
        self._flat_quality = flat_quality
        self._loose_rows = loose_rows
        self._state = _State(Generation(), (), np.empty(0, dtype=np.int64))
        self._writing = threading.Lock()

    def __len__(self) -> int:
        return self._state.generation.live

    def put(self, rows: Rows) -> None:
        """Add rows, and replace those whose number is there already; see `Index`."""
        if not len(rows):
            return
        with self._writing:
            rows = ascending(rows)
            now = self._state
            changed = np.union1d(now.changed, rows.numbers[_in_tables(now, rows.numbers)])
            # Changed before they are written: who looks in between finds a row twice, not never.
            self._state = _State(now.generation, now.buckets, changed)
            self._state = _State(put_rows(now.generation, rows), now.buckets, changed)
            if self._state.loose >= self._loose_rows:
                self._state = self._with_tables(self._state)

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over; see `Index`."""
        with self._writing:
            now = self._state
            dropped = drop_rows(now.generation, np.asarray(numbers, dtype=np.int64))
            self._state = _State(dropped, now.buckets, now.changed)

    def near(self, query: Query, radius: int, distance: int) -> Near:
        """Find the rows near any of the query's hashes; see `Index`."""
        check_radius(radius)
        state = self._state
        sieve = Sieve(query, distance, not_flat(self._flat_quality))
        probes = Probes.of(query.phash64) if state.buckets else None
        for position, (first, count, chunk) in enumerate(state.generation.parts()):
            scanned = 0
            if probes is not None and position < len(state.buckets):
                buckets = state.buckets[position]
                visited = buckets.visit(chunk, probes, radius)
                if visited is not None:
                    scanned = buckets.count
                    for places in visited:
                        sieve.take(first, chunk, places)
            for places in scan(chunk, range(scanned, count), query.phash64, radius):
                sieve.take(first, chunk, places)
        self._look_at_changed(state, query, radius, sieve)
        return sieve.near()

    def shaped(self, query: Query, width: int, height: int, most_quality: int) -> Near:
        """Find the rows of this upright shape; see `Index`."""
        return of_shape(self._state.generation, query, width, height, most_quality)

    def differing(self, rows: Rows) -> NDArray[np.int64]:
        """Return the numbers of those of these rows that are not there as they are; see `Index`."""
        return differing(self._state.generation, rows)

    def _look_at_changed(self, state: _State, query: Query, radius: int, sieve: Sieve) -> None:
        if not len(state.changed):
            return
        chunks = state.changed // CHUNK_ROWS
        for position in np.unique(chunks):
            chunk = state.generation.chunks[position]
            rows = state.changed[chunks == position] - position * CHUNK_ROWS
            distances = np.bitwise_count(chunk.hashes[rows] ^ query.phash64[:, np.newaxis])
            turns, places = np.nonzero(distances <= radius)
            sieve.take(int(position) * CHUNK_ROWS, chunk, Places(rows[places], turns))

    def _with_tables(self, now: _State) -> _State:
        """Make tables of the chunks that have rows outside of them."""
        is_changed = np.zeros(len(now.generation.chunks), dtype=bool)
        is_changed[now.changed // CHUNK_ROWS] = True
        buckets: list[Buckets] = []
        for position, (_, count, chunk) in enumerate(now.generation.parts()):
            old = now.buckets[position] if position < len(now.buckets) else None
            if old is not None and old.count == count and not is_changed[position]:
                buckets.append(old)
            else:
                buckets.append(Buckets.of(chunk, count, self._flat_quality, REMOVED))
        return _State(now.generation, tuple(buckets), np.empty(0, dtype=np.int64))


def _in_tables(state: _State, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say which numbers lie where tables were made already."""
    ends = np.array([*(each.count for each in state.buckets), 0], dtype=np.int64)
    chunks, places = np.divmod(numbers, CHUNK_ROWS)
    return places < ends[np.minimum(chunks, len(ends) - 1)]
