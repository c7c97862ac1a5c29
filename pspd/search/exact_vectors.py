"""The exact scan: every row is compared with every query; the reference for any vector index.

    Generation ── chunks ──> numbers │ vectors │ shares      rows in the order in which they came
                └─ count, gone

Bytes become float32 a slice at a time, and one matrix product compares the slice with all queries:
it is made of whole numbers below 2²⁴, so that it is exact in whatever order BLAS adds them up, and
a pair has the same cosine on any machine, in any slice and in any index that computes it so.

Rows are only appended. A row that is replaced or removed is marked as gone, in a mask that is made
anew for it: a reader keeps the generation it began with, and never waits. When more rows are gone
than are there, the chunks are written anew.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pspd.core.pausing import Pause, unhindered
from pspd.search.best_rows import BestRows
from pspd.search.vector_index import Looks, NearVectors, VectorRows, inverse_lengths

CHUNK_ROWS: Final = 1 << 16
"""Rows of a chunk. Its memory is taken as it fills."""

SLICE_ROWS: Final = 512
"""Rows that are compared at once: as float32 they are 1 MB at 512 dimensions, half of a
second-level cache. Of 1,024 a row took 93 ns to widen and 50 to compare with one query, of 512 it
takes 42 and 26."""

EXACT_DIMENSIONS: Final = 1040
"""Most dimensions of one product: 1040 · 127² is less than 2²⁴."""


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Columns of `CHUNK_ROWS` rows."""

    numbers: NDArray[np.int64]
    vectors: NDArray[np.int8]
    shares: NDArray[np.float32]
    """1 / length of each vector."""

    @classmethod
    def empty(cls, dimensions: int) -> Chunk:
        """Return a chunk without rows."""
        return cls(
            np.zeros(CHUNK_ROWS, dtype=np.int64),
            np.zeros((CHUNK_ROWS, dimensions), dtype=np.int8),
            np.zeros(CHUNK_ROWS, dtype=np.float32),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """What a reader looks at from the beginning of its query to the end; it never changes."""

    dimensions: int
    chunks: tuple[Chunk, ...] = ()
    count: int = 0
    """Places in use, those of rows that are gone included."""
    gone: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    """Of the first places, whether the row is gone; those behind are there."""

    def slices(self) -> Iterator[tuple[Chunk, slice, NDArray[np.bool_]]]:
        """Yield chunk, places in it, and which of those are gone, of all rows in turn."""
        for first in range(0, self.count, SLICE_ROWS):
            chunk, start = divmod(first, CHUNK_ROWS)
            places = slice(start, start + min(SLICE_ROWS, self.count - first))
            yield self.chunks[chunk], places, self.gone[first : first + SLICE_ROWS]

    def parts(self) -> Iterator[VectorRows]:
        """Yield copies of the rows that are there, a chunk at a time, each by number."""
        for first, chunk in zip(range(0, self.count, CHUNK_ROWS), self.chunks, strict=False):
            is_there = np.ones(min(CHUNK_ROWS, self.count - first), dtype=np.bool_)
            gone = self.gone[first : first + CHUNK_ROWS]
            is_there[: len(gone)] = ~gone
            places = np.flatnonzero(is_there)
            places = places[np.argsort(chunk.numbers[places])]
            yield VectorRows(chunk.numbers[places], chunk.vectors[places])

    def vectors_at(self, places: NDArray[np.int64]) -> NDArray[np.int8]:
        """Return copies of the vectors at some places."""
        chunks = places // CHUNK_ROWS
        vectors = np.empty((len(places), self.dimensions), dtype=np.int8)
        for position in np.unique(chunks):
            here = chunks == position
            vectors[here] = self.chunks[position].vectors[places[here] - position * CHUNK_ROWS]
        return vectors

    def without(self, places: NDArray[np.int64]) -> Generation:
        """Return a generation whose rows at some places are gone."""
        if not len(places):
            return self
        gone = np.zeros(max(len(self.gone), int(places.max()) + 1), dtype=np.bool_)
        gone[: len(self.gone)] = self.gone
        gone[places] = True
        return replace(self, gone=gone)


class ExactVectors:
    """A `VectorIndex` that compares with every row.

    Args:
        dimensions: Components of each vector.
    """

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self.generation = Generation(dimensions)
        """The newest, for readers."""
        self._places = np.zeros(0, dtype=np.uint32)
        """By number, where its row is, counted from 1; 0 where there is none, so that of numbers
        far apart only those pages are in memory that have a row."""
        self._live = 0
        self._writing = threading.Lock()

    @property
    def dimensions(self) -> int:
        """Components of each vector."""
        return self._dimensions

    def close(self) -> None:
        """Do nothing: nothing is under way."""

    def __len__(self) -> int:
        return self._live

    def put(self, rows: VectorRows) -> None:
        """Add rows, and replace those whose number is there already; see `VectorIndex`."""
        if rows.vectors.shape[1] != self._dimensions:
            raise ValueError(f"rows of {rows.vectors.shape[1]} dimensions, not {self._dimensions}")
        rows = rows.last_of_equals()
        if not len(rows):
            return
        with self._writing:
            self._reach(int(rows.numbers[-1]))
            old = self._places_of(rows.numbers)
            now = self._appended(self.generation, rows)
            self._live += len(rows) - len(old)
            # One assignment: a reader sees the old rows or the new ones.
            self.generation = now.without(old)
            self._tidy()

    def drop(self, numbers: Sequence[int] | NDArray[np.int64]) -> None:
        """Remove rows; numbers that are not there are passed over; see `VectorIndex`."""
        wanted = np.unique(np.asarray(numbers, dtype=np.int64))
        with self._writing:
            wanted = wanted[(wanted >= 0) & (wanted < len(self._places))]
            old = self._places_of(wanted)
            self._places[wanted[self._places[wanted] > 0]] = 0
            self._live -= len(old)
            self.generation = self.generation.without(old)
            self._tidy()

    def nearest(
        self, queries: NDArray[np.float32], count: int, pause: Pause = unhindered
    ) -> NearVectors:
        """Find the rows whose cosine with any of the queries is largest; see `VectorIndex`."""
        looks = Looks.of(queries, self._dimensions, count)
        best = BestRows(count)
        self.scan(looks, best, pause)
        return best.near()

    def scan(self, looks: Looks, best: BestRows, pause: Pause = unhindered) -> None:
        """Offer every row to what keeps the best ones."""
        for chunk, places, gone in self.generation.slices():
            pause()
            compared = cosines(chunk.vectors[places], chunk.shares[places], looks)
            if gone.any():
                # Below every cosine that there is, and below what anybody keeps.
                compared[: len(gone)][gone] = -np.inf
            best.offer(chunk.numbers[places], compared)

    def settle(self) -> bool:
        """Do nothing: there is nothing to make faster; see `VectorIndex`."""
        return False

    def differing(self, rows: VectorRows) -> NDArray[np.int64]:
        """Return the numbers of those rows that are not there as they are; see `VectorIndex`."""
        rows = rows.last_of_equals()
        is_same = np.zeros(len(rows), dtype=np.bool_)
        with self._writing:
            there = rows.numbers[rows.numbers < len(self._places)]
            known = np.flatnonzero(self._places[there])
            vectors = self.generation.vectors_at(self._places_of(rows.numbers[known]))
        is_same[known] = (vectors == rows.vectors[known]).all(axis=1)
        return rows.numbers[~is_same]

    def numbers(self) -> NDArray[np.int64]:
        """Return the numbers, ascending, of the rows that are there."""
        return np.flatnonzero(self._places).astype(np.int64, copy=False)

    # --- what writers do, one at a time

    def _places_of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where the rows of some numbers are, without those that are not there."""
        places = self._places[numbers].astype(np.int64)
        return places[places > 0] - 1

    def _reach(self, number: int) -> None:
        """Have a place for every number up to this one."""
        if number >= len(self._places):
            grown = np.zeros(max(number + 1, 2 * len(self._places)), dtype=np.uint32)
            used = np.flatnonzero(self._places)
            grown[used] = self._places[used]
            self._places = grown

    def _appended(self, now: Generation, rows: VectorRows) -> Generation:
        """Write rows behind all others; nobody reads them before the generation is there."""
        count = now.count + len(rows)
        missing = -(-count // CHUNK_ROWS) - len(now.chunks)
        chunks = now.chunks + tuple(Chunk.empty(self._dimensions) for _ in range(missing))
        shares = inverse_lengths(rows.vectors)
        done = 0
        while done < len(rows):
            position, start = divmod(now.count + done, CHUNK_ROWS)
            part = slice(done, done + min(len(rows) - done, CHUNK_ROWS - start))
            places = slice(start, start + part.stop - done)
            chunks[position].numbers[places] = rows.numbers[part]
            chunks[position].vectors[places] = rows.vectors[part]
            chunks[position].shares[places] = shares[part]
            done = part.stop
        self._places[rows.numbers] = np.arange(now.count + 1, count + 1)
        return replace(now, chunks=chunks, count=count)

    def _tidy(self) -> None:
        """Write the rows anew when more are gone than are there."""
        old = self.generation
        if old.count <= 2 * self._live + CHUNK_ROWS:
            return
        new = Generation(self._dimensions)
        for rows in old.parts():
            new = self._appended(new, rows)
        self.generation = new


def cosines(
    vectors: NDArray[np.int8], shares: NDArray[np.float32], looks: Looks
) -> NDArray[np.float32]:
    """Return the cosines of rounded vectors with each query, rows × queries.

    Args:
        vectors: Rows × dimensions.
        shares: 1 / length of each.
        looks: The queries.
    """
    dimensions = vectors.shape[1]
    found: NDArray[np.floating] | None = None
    for first in range(0, dimensions, EXACT_DIMENSIONS):
        part = slice(first, first + EXACT_DIMENSIONS)
        products = _scratch.wide(vectors[:, part]) @ looks.columns[part]
        found = products if found is None else (found.astype(np.float64) + products)
    assert found is not None
    exact = found[:, : len(looks)].astype(np.float32, copy=False)
    scaled: NDArray[np.float32] = exact * shares[:, np.newaxis]
    scaled *= looks.shares
    return scaled


class _Scratch(threading.local):
    """Where one thread makes float32 of bytes, so that none is allocated for each slice."""

    def __init__(self) -> None:
        self._room = np.empty(0, dtype=np.float32)

    def wide(self, vectors: NDArray[np.int8]) -> NDArray[np.float32]:
        """Return vectors as float32, until this is called again."""
        if vectors.size > len(self._room):
            self._room = np.empty(vectors.size, dtype=np.float32)
        wide = self._room[: vectors.size].reshape(vectors.shape)
        np.copyto(wide, vectors)
        return wide


_scratch = _Scratch()
