"""The rows of an index, in chunks that grow: one immutable view for each reader.

A row's number is its place, so that nothing but the columns is kept, 45 bytes a row: shapes, which
few queries ask for, in half of their bytes (`packed`).

    Generation ── chunks ──> Chunk 0   hashes │ words │ shapes │ quality    rows 0 … 2²² - 1
               └─ count      Chunk 1   …                                    rows 2²² …

Readers take one reference to the newest `Generation` and never wait. The writer works in place:

* An appended row lies at or past the count of every published generation, so nobody reads it
  before the generation with the larger count is assigned.
* A replaced row changes under readers. Each column's element is an aligned store of one machine
  word, so a reader sees the old or the new one, never a mixture of halves; a reader between two
  columns sees the row removed (its quality is overwritten first and restored last), or at worst
  judges the old hash by the new quality. Whatever it proposes is verified by others, and the row is
  right for every query that begins after `put_rows`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pspd.search.index import LONGEST_SIDE, WORDS, Rows

CHUNK_ROWS = 1 << 22
"""Rows of a chunk. Its memory is taken as it fills, but for a byte a row."""

REMOVED = 255
"""Quality of a place without a row. Nothing else is above 100."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """The columns of `CHUNK_ROWS` consecutive numbers."""

    hashes: NDArray[np.uint64]
    words: NDArray[np.uint64]
    shapes: NDArray[np.uint32]
    """`packed`."""
    quality: NDArray[np.uint8]

    @classmethod
    def empty(cls) -> Chunk:
        """Return a chunk without rows."""
        return cls(
            np.zeros(CHUNK_ROWS, dtype=np.uint64),
            np.zeros((CHUNK_ROWS, WORDS), dtype=np.uint64),
            np.zeros(CHUNK_ROWS, dtype=np.uint32),
            np.full(CHUNK_ROWS, REMOVED, dtype=np.uint8),
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


def put_rows(now: Generation, rows: Rows) -> Generation:
    """Write rows, ascending by number and each once; returns the generation that has them."""
    count = max(now.count, int(rows.numbers[-1]) + 1)
    missing = -(-count // CHUNK_ROWS) - len(now.chunks)
    chunks = now.chunks + tuple(Chunk.empty() for _ in range(missing))
    added = sum(
        _write(chunks[number], rows, part, places)
        for number, part, places in by_chunk(rows.numbers)
    )
    return Generation(chunks, count, now.live + added)


def drop_rows(now: Generation, numbers: NDArray[np.int64]) -> Generation:
    """Remove rows; returns the generation without them."""
    wanted = np.unique(numbers)
    known = wanted[(wanted >= 0) & (wanted < now.count)]
    removed = 0
    for number, _, places in by_chunk(known):
        quality = now.chunks[number].quality
        removed += int(np.count_nonzero(quality[places] != REMOVED))
        quality[places] = REMOVED
    return Generation(now.chunks, now.count, now.live - removed)


def ascending(rows: Rows) -> Rows:
    """Sort rows by number and keep the last of equal ones."""
    if np.all(rows.numbers[1:] > rows.numbers[:-1]):
        return rows
    order = np.argsort(rows.numbers, kind="stable")
    numbers = rows.numbers[order]
    kept = order[np.append(numbers[1:] != numbers[:-1], True)]
    return Rows(
        rows.numbers[kept],
        rows.phash64[kept],
        rows.phash256[kept],
        rows.shapes[kept],
        rows.quality[kept],
    )


def differing(now: Generation, rows: Rows) -> NDArray[np.int64]:
    """Return the numbers, ascending, of rows that are not there as they are given."""
    rows = ascending(rows)
    found = [rows.numbers[rows.numbers >= now.count]]
    for number, part, places in by_chunk(rows.numbers[rows.numbers < now.count]):
        chunk = now.chunks[number]
        is_other = (
            (chunk.quality[places] != rows.quality[part])
            | (chunk.hashes[places] != rows.phash64[part])
            | (chunk.shapes[places] != packed(rows.shapes[part]))
            | (chunk.words[places] != rows.phash256[part]).any(axis=1)
        )
        found.append(rows.numbers[part][is_other])
    return np.sort(np.concatenate(found))


def packed(shapes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Return shapes in 32 bits: two sides of 16 bits each where they fit.

    Longer sides are mixed into 16 bits by an odd number near 2¹⁶ / φ, so that panoramas of several
    shapes may have one value, which no smaller shape has. Who asks compares the shapes themselves.
    """
    widths, heights = shapes >> np.uint64(32), shapes & np.uint64(0xFFFF_FFFF)
    folded = (widths * np.uint64(40_503) + heights) & np.uint64(0xFFFF)
    is_small = (widths | heights) <= np.uint64(LONGEST_SIDE)
    return np.where(is_small, widths << np.uint64(16) | heights, folded).astype(np.uint32)


def by_chunk(
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
    added = int(np.count_nonzero(chunk.quality[places] == REMOVED))
    chunk.quality[places] = REMOVED
    chunk.hashes[places] = rows.phash64[part]
    chunk.words[places] = rows.phash256[part]
    chunk.shapes[places] = packed(rows.shapes[part])
    chunk.quality[places] = rows.quality[part]
    return added
