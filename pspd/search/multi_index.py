"""The index that the daemon uses: tables for what has been there, a scan for what is new.

    Chunk 0  ┌ Buckets ┐┌ tail ┐     rows not in the tables yet are compared one by one, and so are
    Chunk 1  ┌ Buckets ────────┐     those that changed since; when these are `LOOSE_ROWS`, tables
                                     are made anew, by who has the time (`settle`)

A scan of a million rows for the eight turns of a query takes 9 ms, the tables 1 ms, for they leave
7 % of it. A library below `LOOSE_ROWS` is only scanned.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.core.pausing import Pause, unhindered
from pspd.search.buckets import Buckets, Probes, Scheme
from pspd.search.generation import (
    CHUNK_ROWS,
    Chunk,
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
"""Rows of a chunk that stay outside its tables, at most: a scan of them takes 0.15 ms, and tables
of a million rows 60 ms to make, 4 µs for each row that came."""

MOST_HASHES: Final = 3 << 19
"""Rows of the first chunk up to which its tables have the hashes as well, 32 bytes a row more: at
a million rows a query takes half of the time, and beyond that it is memory that is short."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """What a reader looks at from the beginning of its query to the end."""

    generation: Generation = field(default_factory=Generation)
    buckets: tuple[Buckets | None, ...] = ()
    """Of the first chunks; None where there are no tables."""
    changed: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    """Numbers, ascending, of rows that were written since the tables they belong to were made."""

    def parts(self) -> Iterator[tuple[int, int, Chunk, Buckets | None]]:
        """Yield the number of each chunk's first row, its count of places, itself, its tables."""
        every = zip_longest(self.generation.parts(), self.buckets)
        for (first, count, chunk), buckets in every:
            yield first, count, chunk, buckets

    def loose(self) -> list[int]:
        """Count the rows of each chunk that no table knows as they are."""
        changed = np.bincount(self.changed // CHUNK_ROWS, minlength=len(self.generation.chunks))
        return [
            count - (0 if buckets is None else buckets.count) + int(changed[first // CHUNK_ROWS])
            for first, count, _, buckets in self.parts()
        ]

    def in_tables(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which numbers lie where tables were made already."""
        ends = [0 if each is None else each.count for each in self.buckets]
        chunks, places = np.divmod(numbers, CHUNK_ROWS)
        is_early: NDArray[np.bool_] = places < np.array([*ends, 0])[np.minimum(chunks, len(ends))]
        return is_early

    def with_tables(self, position: int, buckets: Buckets, changed: NDArray[np.int64]) -> _State:
        """Return this state with new tables of a chunk, and what changed since they were begun."""
        first = position * CHUNK_ROWS
        others = self.changed[(self.changed < first) | (self.changed >= first + CHUNK_ROWS)]
        missing = len(self.generation.chunks) - len(self.buckets)
        every = [*self.buckets, *(None for _ in range(missing))]
        every[position] = buckets
        return _State(self.generation, tuple(every), np.union1d(others, changed))


class MultiIndex:
    """An `Index` that looks only where something can be.

    Args:
        flat_quality: Rows of a lower quality are never near anything.
        loose_rows: Rows outside the tables, at most.
        most_hashes: Rows of the first chunk up to which its tables have the hashes as well.
    """

    def __init__(
        self, flat_quality: int, *, loose_rows: int = LOOSE_ROWS, most_hashes: int = MOST_HASHES
    ) -> None:
        self._flat_quality = flat_quality
        self._loose_rows = loose_rows
        self._most_hashes = most_hashes
        self._state = _State()
        self._writing = threading.Lock()
        self._settling = threading.Lock()
        self._put_meanwhile: list[NDArray[np.int64]] = []
        """Numbers of the rows that were written while tables are being made."""

    def __len__(self) -> int:
        return self._state.generation.live

    def put(self, rows: Rows) -> None:
        """Add rows, and replace those whose number is there already; see `Index`."""
        if not len(rows):
            return
        rows = ascending(rows)
        with self._writing:
            now = self._state
            changed = np.union1d(now.changed, rows.numbers[now.in_tables(rows.numbers)])
            self._put_meanwhile.append(rows.numbers)
            # Told before they are written: who looks in between finds a row twice, never not.
            self._state = replace(now, changed=changed)
            self._state = replace(self._state, generation=put_rows(now.generation, rows))
            if not self._settling.locked():
                self._put_meanwhile.clear()

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over; see `Index`."""
        with self._writing:
            rest = drop_rows(self._state.generation, np.asarray(numbers, dtype=np.int64))
            self._state = replace(self._state, generation=rest)

    def settle(self) -> bool:
        """Make the tables of one chunk; see `Index`."""
        with self._settling:
            with self._writing:
                self._put_meanwhile.clear()
                loose = self._state.loose()
                if max(loose, default=0) < self._loose_rows:
                    return False
                position = loose.index(max(loose))
                first, count, chunk, _ = list(self._state.parts())[position]
            # Of the first chunk alone: in a large library it is memory that is short.
            most_hashes = 0 if position else self._most_hashes
            buckets = Buckets.of(chunk, count, self._flat_quality, most_hashes=most_hashes)
            with self._writing:
                self._state = self._state.with_tables(
                    position, buckets, _within(self._put_meanwhile, first, count)
                )
            return True

    def near(
        self,
        query: Query,
        radius: int,
        distance: int,
        pause: Pause = unhindered,
    ) -> Near:
        """Find the rows near any of the query's hashes; see `Index`."""
        check_radius(radius)
        state = self._state
        sieve = Sieve(query, distance, not_flat(self._flat_quality))
        probes: dict[Scheme, Probes] = {}
        for first, count, chunk, buckets in state.parts():
            scanned = 0
            pause()
            if buckets is not None:
                if buckets.scheme not in probes:
                    probes[buckets.scheme] = Probes.of(query.phash64, buckets.scheme)
                visited = buckets.visit(chunk, probes[buckets.scheme], radius, pause)
                if visited is not None:
                    scanned = buckets.count
                    for places in visited:
                        pause()
                        sieve.take(first, chunk, places)
            for places in scan(chunk, range(scanned, count), query.phash64, radius, pause):
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


def _within(numbers: Sequence[NDArray[np.int64]], first: int, count: int) -> NDArray[np.int64]:
    """Return those of some numbers that are from `first` on and less than `count` further."""
    every = np.concatenate([np.empty(0, dtype=np.int64), *numbers])
    return every[(every >= first) & (every < first + count)]
