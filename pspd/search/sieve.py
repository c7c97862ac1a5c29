"""Rows that may be what is searched for → those whose 256-bit hashes are near, each once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pspd.search.generation import REMOVED, Chunk, Generation, packed
from pspd.search.index import WORDS, Near, Query, shape_value


class Places(NamedTuple):
    """Rows of one chunk, and by which of the query's hashes they are near; columns of one length.

    A row may be there several times, by one hash or by several.
    """

    rows: NDArray[np.integer]
    turns: NDArray[np.integer]


class Sieve:
    """Gathers what one query found.

    Args:
        query: What is searched for.
        distance: Largest distance of the 256-bit hashes.
        qualities: Rows of other qualities are not kept.
    """

    def __init__(self, query: Query, distance: int, qualities: range) -> None:
        self._words = query.phash256
        self._distance = distance
        self._qualities = qualities
        self._found: list[NDArray[np.int64]] = [np.empty((3, 0), dtype=np.int64)]

    def take(self, first: int, chunk: Chunk, places: Places) -> None:
        """Keep the rows of a chunk that are near in 256 bits too.

        Args:
            first: Number of the chunk's first row.
            chunk: The chunk.
            places: Rows that are near in 64 bits.
        """
        rows, turns = places
        # The words lie 32 bytes a row all over the memory: fetching them is what this costs. By
        # `take`, for an index in brackets takes ten times as long for rows of several columns.
        differences = chunk.words.take(rows, axis=0)
        differences ^= self._words.take(turns, axis=0)
        counts = np.bitwise_count(differences)
        bits = counts[:, 0].astype(np.int64)
        for word in range(1, WORDS):
            bits += counts[:, word]
        near = np.flatnonzero(bits <= self._distance)
        if not len(near):
            return
        bits, rows, turns = bits[near], rows[near], turns[near]
        quality = chunk.quality[rows]
        kept = (quality >= self._qualities.start) & (quality < self._qualities.stop)
        self._found.append(np.stack([bits, rows + np.int64(first), turns])[:, kept])

    def near(self) -> Near:
        """Return what was kept: each row once, by its nearest hash."""
        distances, numbers, turns = np.concatenate(self._found, axis=1)
        by_number = np.lexsort((turns, distances, numbers))
        ordered = numbers[by_number]
        nearest = by_number[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
        chosen = nearest[np.lexsort((numbers[nearest], distances[nearest]))]
        return Near(numbers[chosen], turns[chosen], distances[chosen])


def not_flat(flat_quality: int) -> range:
    """Return the qualities of rows whose hashes mean something."""
    return range(flat_quality, REMOVED)


def of_shape(
    generation: Generation, query: Query, width: int, height: int, most_quality: int
) -> Near:
    """Find the rows of a shape; see `pspd.search.index.Index.shaped`."""
    (shape,) = packed(np.array([shape_value(width, height)], dtype=np.uint64))
    sieve = Sieve(query, WORDS * 64, range(min(most_quality + 1, REMOVED)))
    turns = np.arange(len(query))
    for first, count, chunk in generation.parts():
        rows = np.flatnonzero(chunk.shapes[:count] == shape)
        rows = rows[chunk.quality[rows] <= most_quality]
        sieve.take(first, chunk, Places(np.repeat(rows, len(turns)), np.tile(turns, len(rows))))
    return sieve.near()
