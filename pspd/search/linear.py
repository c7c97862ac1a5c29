"""The linear scan: every row is compared; the reference for what any index must answer.

A row's number is its place, so that nothing but the columns is kept: 8 bytes of hash, 8 of shape
and 1 of quality, in chunks of fixed size.

    Generation ── chunks ──> Chunk 0   hashes │ shapes │ quality    rows 0 … 65,535
               └─ count      Chunk 1   …                            rows 65,536 …

Readers take one reference to the newest `Generation` and never wait. The writer works in place:

* An appended row lies at or past the count of every published generation, so nobody reads it
  before the generation with the larger count is assigned.
* A replaced row changes under readers. Each column's element is an aligned store of one machine
  word, so a reader sees the old or the new one, never a mixture; a reader between two columns
  sees the row removed (its quality is overwritten first and restored last), or at worst judges
  the old hash by the new quality. Whatever it proposes is verified by others, and the row is
  right for every query that begins after `put`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pspd.core.model import ImageNumber
from pspd.search.index import MAX_HASHES, Candidate, Rows, check_query, shape_value

CHUNK_ROWS = 65_536
"""Rows of a chunk. Its hashes and the scratch of one hash, 1.1 MB, stay in a 2 MB second-level
cache: four million rows and one hash, radius 8, took 6.1 ms in chunks of 4,096 rows, 3.8 of
16,384, 2.8 of 65,536, 2.9 of 131,072 and 3.7 of 262,144."""

_REMOVED = 255
"""Quality of a place without a row. Nothing else is above 100."""

_NOTHING = np.empty((3, 0), dtype=np.int64)
"""Distances, numbers and turns of no candidates."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """The columns of `CHUNK_ROWS` consecutive numbers."""

    hashes: NDArray[np.uint64]
    shapes: NDArray[np.uint64]
    quality: NDArray[np.uint8]

    @classmethod
    def empty(cls) -> Chunk:
        """Return a chunk without rows."""
        return cls(
            np.zeros(CHUNK_ROWS, dtype=np.uint64),
            np.zeros(CHUNK_ROWS, dtype=np.uint64),
            np.full(CHUNK_ROWS, _REMOVED, dtype=np.uint8),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """What a reader looks at from the beginning of its query to the end."""

    chunks: tuple[Chunk, ...] = ()
    count: int = 0
    """Places in use, those of removed rows included."""
    live: int = 0
    """Rows that are there."""

    def parts(self) -> Iterator[tuple[int, int, Chunk]]:
        """Yield the number of each chunk's first row, its count of places, and the chunk."""
        for first, chunk in zip(range(0, self.count, CHUNK_ROWS), self.chunks, strict=False):
            yield first, min(CHUNK_ROWS, self.count - first), chunk


class _Scratch(threading.local):
    """Where one thread's scan puts its intermediate values, so that none is allocated."""

    def __init__(self) -> None:
        self.differences = np.empty(MAX_HASHES * CHUNK_ROWS, dtype=np.uint64)
        self.distances = np.empty(MAX_HASHES * CHUNK_ROWS, dtype=np.uint8)


class LinearIndex:
    """An `Index` that compares with every row.

    Args:
        flat_quality: Rows of a lower quality are never near anything.
    """

    def __init__(self, flat_quality: int) -> None:
        self._flat_quality = flat_quality
        self._generation = Generation()
        self._writing = threading.Lock()
        self._scratch = _Scratch()

    def __len__(self) -> int:
        return self._generation.live

    def put(self, rows: Rows) -> None:
        """Add rows, and replace those whose number is there already; see `Index`."""
        if not len(rows):
            return
        rows = _ascending(rows)
        with self._writing:
            now = self._generation
            count = max(now.count, int(rows.numbers[-1]) + 1)
            missing = -(-count // CHUNK_ROWS) - len(now.chunks)
            chunks = now.chunks + tuple(Chunk.empty() for _ in range(missing))
            added = sum(
                _write(chunks[number], rows, part, places)
                for number, part, places in _by_chunk(rows.numbers)
            )
            self._generation = Generation(chunks, count, now.live + added)

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over; see `Index`."""
        wanted = np.unique(np.asarray(numbers, dtype=np.int64))
        with self._writing:
            now = self._generation
            known = wanted[(wanted >= 0) & (wanted < now.count)]
            removed = 0
            for number, _, places in _by_chunk(known):
                quality = now.chunks[number].quality
                removed += int(np.count_nonzero(quality[places] != _REMOVED))
                quality[places] = _REMOVED
            self._generation = Generation(now.chunks, now.count, now.live - removed)

    def near(self, hashes: Sequence[int], radius: int) -> list[Candidate]:
        """Find the rows near any of the hashes; see `Index`.

        Distances are population counts of exclusive ors, of all hashes with one chunk at a time.
        """
        check_query(hashes, radius)
        wanted = np.array(hashes, dtype=np.uint64)
        found = [_NOTHING]
        for first, count, chunk in self._generation.parts():
            distances = self._distances(chunk.hashes[:count], wanted)
            # Most chunks have no row within a useful radius, and the smallest distance is the
            # cheapest way to see it.
            if distances.min() <= radius:
                turns, places = np.divmod(np.flatnonzero(distances <= radius), count)
                quality = chunk.quality[places]
                kept = (quality >= self._flat_quality) & (quality != _REMOVED)
                turns, places = turns[kept], places[kept]
                near = distances.reshape(len(wanted), count)[turns, places]
                found.append(np.stack([near, places + first, turns]))
        return _candidates(np.concatenate(found, axis=1))

    def shaped(self, width: int, height: int) -> NDArray[np.int64]:
        """Return the numbers, ascending, of all rows of this upright shape; see `Index`."""
        shape = np.uint64(shape_value(width, height))
        found = [np.empty(0, dtype=np.int64)]
        for first, count, chunk in self._generation.parts():
            places = np.flatnonzero(chunk.shapes[:count] == shape)
            found.append(places[chunk.quality[places] != _REMOVED] + first)
        return np.concatenate(found)

    def _distances(self, rows: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> NDArray[np.uint8]:
        """Return the distances of all rows to each hash, one hash after the other.

        All hashes go into one call, although that takes 1.3 times as long as a call each, for
        their scratch outgrows the cache: numpy lets go of the interpreter in every call, and
        while another thread runs Python code it has to wait a switch interval to get it back.
        One million rows and eight hashes beside one such thread took up to 2.0 s with a call
        each and 0.26 s so, at Python's switch interval of 5 ms; 46 and 12 ms at 0.05 ms.
        """
        size = len(hashes) * len(rows)
        differences = self._scratch.differences[:size]
        distances = self._scratch.distances[:size]
        np.bitwise_xor(rows, hashes[:, np.newaxis], out=differences.reshape(-1, len(rows)))
        np.bitwise_count(differences, out=distances)
        return distances


def _candidates(found: NDArray[np.int64]) -> list[Candidate]:
    """Make candidates, in order, of columns of distances, numbers and turns."""
    distances, numbers, turns = found[:, np.lexsort(found[::-1])].tolist()
    return [
        Candidate(ImageNumber(number), turn, distance)
        for distance, number, turn in zip(distances, numbers, turns, strict=True)
    ]


def _ascending(rows: Rows) -> Rows:
    """Sort rows by number and keep the last of equal ones."""
    if np.all(rows.numbers[1:] > rows.numbers[:-1]):
        return rows
    order = np.argsort(rows.numbers, kind="stable")
    numbers = rows.numbers[order]
    kept = order[np.append(numbers[1:] != numbers[:-1], True)]
    return Rows(rows.numbers[kept], rows.phash64[kept], rows.shapes[kept], rows.quality[kept])


def _by_chunk(
    numbers: NDArray[np.int64],
) -> Iterator[tuple[int, slice, slice | NDArray[np.int64]]]:
    """Split ascending numbers by the chunk they lie in.

    Yields:
        The chunk's position, which of `numbers` lie in it, and where in it they lie: a slice if
        they are consecutive, which numpy copies five times as fast as single places.
    """
    start = 0
    while start < len(numbers):
        position, place = divmod(int(numbers[start]), CHUNK_ROWS)
        end = int(np.searchsorted(numbers, (position + 1) * CHUNK_ROWS))
        part = slice(start, end)
        if int(numbers[end - 1] - numbers[start]) == end - start - 1:
            yield position, part, slice(place, place + end - start)
        else:
            yield position, part, numbers[part] - position * CHUNK_ROWS
        start = end


def _write(chunk: Chunk, rows: Rows, part: slice, places: slice | NDArray[np.int64]) -> int:
    """Write part of the rows to places of a chunk; return how many were not there before."""
    added = int(np.count_nonzero(chunk.quality[places] == _REMOVED))
    chunk.quality[places] = _REMOVED
    chunk.hashes[places] = rows.phash64[part]
    chunk.shapes[places] = rows.shapes[part]
    chunk.quality[places] = rows.quality[part]
    return added
